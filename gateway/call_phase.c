/* call_phase.c - all edges and limits of a call.  UP has no limit of its own
 * (max_call_s is), GONE none, for nothing is awaited. */
#include "gateway/call_phase.h"

/* opening -> dialling -> trying -> ringing -> up -> closing -> gone; every phase before up may
 * skip forward, and every phase but gone falls to closing. */
static const struct {
	const char *name;
	uint32_t limit_ms;
	enum call_phase on[PHASE_EVENT_COUNT];
} phases[PHASE_COUNT] = {
	[PHASE_NONE] = { "none", 0, { PHASE_NONE } },
	[PHASE_OPENING] = { "opening",
			    5000, /* ours: ports and a name are there in milliseconds */
			    { [PHASE_EV_OPENED] = PHASE_DIALLING,
			      [PHASE_EV_END] = PHASE_CLOSING,
			      [PHASE_EV_TIMEOUT] = PHASE_CLOSING } },
	[PHASE_DIALLING] = { "dialling",
			     32000, /* Timer B, RFC 3261 17.1.1.2 */
			     { [PHASE_EV_TRYING] = PHASE_TRYING,
			       [PHASE_EV_RINGING] = PHASE_RINGING,
			       [PHASE_EV_ANSWERED] = PHASE_UP,
			       [PHASE_EV_END] = PHASE_CLOSING,
			       [PHASE_EV_TIMEOUT] = PHASE_CLOSING } },
	[PHASE_TRYING] = { "trying",
			   180000, /* Timer C, RFC 3261 16.6 */
			   { [PHASE_EV_TRYING] = PHASE_TRYING,
			     [PHASE_EV_RINGING] = PHASE_RINGING,
			     [PHASE_EV_ANSWERED] = PHASE_UP,
			     [PHASE_EV_END] = PHASE_CLOSING,
			     [PHASE_EV_TIMEOUT] = PHASE_CLOSING } },
	[PHASE_RINGING] = { "ringing",
			    180000, /* the same */
			    { [PHASE_EV_RINGING] = PHASE_RINGING,
			      [PHASE_EV_ANSWERED] = PHASE_UP,
			      [PHASE_EV_END] = PHASE_CLOSING,
			      [PHASE_EV_TIMEOUT] = PHASE_CLOSING } },
	[PHASE_UP] = { "up", 0, { [PHASE_EV_END] = PHASE_CLOSING } },
	[PHASE_CLOSING] = { "closing",
			    35000, /* Timer F, RFC 3261 17.1.2.2, and some */
			    { [PHASE_EV_CLEARED] = PHASE_GONE, [PHASE_EV_TIMEOUT] = PHASE_GONE } },
	[PHASE_GONE] = { "gone", 0, { PHASE_NONE } },
};

/* What is not in the table is 0, PHASE_NONE: no edge. */
enum call_phase call_phase_next(enum call_phase phase, enum phase_event event)
{
	return phases[phase].on[event];
}

uint32_t call_phase_limit_ms(enum call_phase phase)
{
	return phases[phase].limit_ms;
}

const char *call_phase_name(enum call_phase phase)
{
	return phases[phase].name;
}
