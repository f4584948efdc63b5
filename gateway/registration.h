/* registration.h - when to register with a PBX, and what its answers mean.
 *
 * Pure: pbx_register.c sends.  A binding is refreshed at half of its time.  What is refused
 * (a wrong password, a number that may not) is tried again ever more seldom, so that nobody
 * is banned for it; what is only out of reach is tried again soon, and never given up.
 * Source: RFC 3261 10.2.
 */
#ifndef GATEWAY_REGISTRATION_H
#define GATEWAY_REGISTRATION_H

#include <stdbool.h>
#include <stdint.h>

enum registration_state {
	REGISTRATION_TRYING,
	REGISTERED,
	REGISTRATION_FAILED,  /* out of reach */
	REGISTRATION_REFUSED, /* it says no */
};

struct registration {
	enum registration_state state;
	uint32_t expires_s; /* what we ask for; raised by 423 */
	unsigned failures;  /* in a row, of the same kind */
	unsigned code;      /* of the last response */
	int64_t until_ms;   /* of the binding that holds, monotonic; 0: none */
};

/* To be sent at once, asking for expires_s. */
void registration_init(struct registration *r, uint32_t expires_s);

struct registration_answer {
	unsigned code; /* a final one; 401 and 407 only when they cannot be answered */
	uint32_t expires_s, min_expires_s, retry_after_s;
};

/* Takes an answer.  Returns after how many milliseconds the next REGISTER goes out. */
int64_t registration_take(struct registration *r, const struct registration_answer *answer,
			  int64_t now_ms);

/* Does a binding hold now? */
bool registration_holds(const struct registration *r, int64_t now_ms);

/* "REGISTERED", "TRYING", "FAILED", "REFUSED". */
const char *registration_state_name(enum registration_state state);

#endif
