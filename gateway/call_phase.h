/* call_phase.h - the states of a call through the gateway, and how it moves.
 *
 * Pure: a table.  What is done on the way is gateway/call.c.  Every state in
 * which the call waits for somebody has a limit, so no call is left half open;
 * a call that is up is ended by its parties, by the media timeouts, or by the
 * configuration's max_call_s.
 */
#ifndef GATEWAY_CALL_PHASE_H
#define GATEWAY_CALL_PHASE_H

#include <stdint.h>

enum call_phase {
	CALL_NONE,     /* no such edge */
	CALL_OPENING,  /* routed; media ports and the PBX's address are on their way */
	CALL_DIALLING, /* the outgoing leg is invited, nothing heard */
	CALL_TRYING,   /* the far side is at work */
	CALL_RINGING,
	CALL_UP,
	CALL_CLOSING, /* both legs are told; their last words are awaited */
	CALL_GONE,
	CALL_PHASE_COUNT
};

enum call_event {
	CALL_EV_OPENED,
	CALL_EV_TRYING,
	CALL_EV_RINGING,
	CALL_EV_ANSWERED,
	CALL_EV_END, /* hung up, rejected or failed, by whomever */
	CALL_EV_CLEARED,
	CALL_EV_TIMEOUT,
	CALL_EVENT_COUNT
};

/* The state after event, or CALL_NONE when it has no place there: then it is
 * ignored (it crossed another one). */
enum call_phase call_phase_next(enum call_phase state, enum call_event event);

/* How long the state may last, in milliseconds; 0: as long as both talk. */
uint32_t call_phase_limit_ms(enum call_phase state);

/* "opening", "dialling", ...: for tests and graphs. */
const char *call_phase_name(enum call_phase state);

#endif
