/* request_limits.h - how much one client may ask for.
 *
 * A token bucket a kind of request: what it may do at once, and in the long run.  Nobody
 * who means well comes near; a gateway is one client with thousands of calls, and what it
 * needs sets the measure.  Posts and calls have limits of their own, too, on what is under way
 * (holder.h), frames wait their turn at the link.  Pure; time is an argument.
 */
#ifndef RENDEZVOUS_REQUEST_LIMITS_H
#define RENDEZVOUS_REQUEST_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

enum request_kind {
	REQUEST_REGISTER, /* a floor may have to be written */
	REQUEST_CALL,     /* takes legs of the relay, and sets telephones ringing */
	REQUEST_LOOKUP,   /* would list the users, by and by */
	REQUEST_DATA,     /* is written to the store */
	REQUEST_FETCH,    /* reads the store */
	REQUEST_UPDATE,   /* answers with 48 KiB */
	REQUEST_POST,     /* of messages and parts of long ones: a flush of the store, or 48 KiB */
	REQUEST_KINDS
};

/* All zero at first: everything may be asked. */
struct request_limits {
	struct request_bucket {
		uint32_t
			used_ms; /* how much of the burst is used, as the time it takes to refill */
		uint32_t at_ms;
	} bucket[REQUEST_KINDS];
};

/* What one asks at a time, and how many ms each takes to come back. */
struct request_rate {
	uint32_t burst, each_ms;
};
/* Constants, by the kind of request; "post-rate" in crs.conf sets another one for posts. */
struct request_rate request_rate(enum request_kind kind);

/* "registrations" and so on, for the log. */
const char *request_kind_name(enum request_kind kind);

/* Takes one request of a kind that has this rate, always the same; false: it is one too many. */
bool request_limits_take(struct request_limits *limits, enum request_kind kind,
			 struct request_rate rate, int64_t now_ms);

#endif
