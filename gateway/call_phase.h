/* call_phase.h - the phases of a call through the gateway, and how it moves.
 *
 * Pure: a table.  What is done on the way is gateway/call.c.  Every phase in
 * which the call waits for somebody has a limit, so no call is left half open;
 * a call that is up is ended by its parties, by the media timeouts, or by the
 * configuration's max_call_s.
 *
 * Two other machines have words of their own, and meet this one in events only: the secure leg's
 * (enum call_state of umsg/call.h: CREATE, BANG, GROWL, TALK, HANGUP) and the SIP leg's, which is
 * in cig-sip (gateway/sip/agent.h).
 */
#ifndef GATEWAY_CALL_PHASE_H
#define GATEWAY_CALL_PHASE_H

#include <stdint.h>

enum call_phase {
	PHASE_NONE,     /* no such edge */
	PHASE_OPENING,  /* routed; media ports and the PBX's address are on their way */
	PHASE_DIALLING, /* the outgoing leg is invited, nothing heard */
	PHASE_TRYING,   /* the far side is at work */
	PHASE_RINGING,
	PHASE_UP,
	PHASE_CLOSING, /* both legs are told; their last words are awaited */
	PHASE_GONE,
	PHASE_COUNT
};

enum phase_event {
	PHASE_EV_OPENED,
	PHASE_EV_TRYING,
	PHASE_EV_RINGING,
	PHASE_EV_ANSWERED,
	PHASE_EV_END, /* hung up, rejected or failed, by whomever */
	PHASE_EV_CLEARED,
	PHASE_EV_TIMEOUT,
	PHASE_EVENT_COUNT
};

/* The phase after event, or PHASE_NONE when it has no place there: then it is
 * ignored (it crossed another one). */
enum call_phase call_phase_next(enum call_phase phase, enum phase_event event);

/* How long the phase may last, in milliseconds; 0: as long as both talk. */
uint32_t call_phase_limit_ms(enum call_phase phase);

/* "opening", "dialling", ...: for tests and graphs. */
const char *call_phase_name(enum call_phase phase);

#endif
