/* call_phase.c - all edges and limits of a call.  UP has no limit of its own
 * (max_call_s is), GONE none, for nothing is awaited. */
#include "gateway/call_phase.h"

/* opening -> dialling -> trying -> ringing -> up -> closing -> gone; every phase before up may
 * skip forward, and every phase but gone falls to closing. */
static const struct {
	const char *name;
	uint32_t limit_ms;
	enum call_phase on[CALL_EVENT_COUNT];
} states[CALL_PHASE_COUNT] = {
	[CALL_NONE] = { "none", 0, { CALL_NONE } },
	[CALL_OPENING] = { "opening",
			   5000, /* ours: ports and a name are there in milliseconds */
			   { [CALL_EV_OPENED] = CALL_DIALLING,
			     [CALL_EV_END] = CALL_CLOSING,
			     [CALL_EV_TIMEOUT] = CALL_CLOSING } },
	[CALL_DIALLING] = { "dialling",
			    32000, /* Timer B, RFC 3261 17.1.1.2 */
			    { [CALL_EV_TRYING] = CALL_TRYING,
			      [CALL_EV_RINGING] = CALL_RINGING,
			      [CALL_EV_ANSWERED] = CALL_UP,
			      [CALL_EV_END] = CALL_CLOSING,
			      [CALL_EV_TIMEOUT] = CALL_CLOSING } },
	[CALL_TRYING] = { "trying",
			  180000, /* Timer C, RFC 3261 16.6 */
			  { [CALL_EV_TRYING] = CALL_TRYING,
			    [CALL_EV_RINGING] = CALL_RINGING,
			    [CALL_EV_ANSWERED] = CALL_UP,
			    [CALL_EV_END] = CALL_CLOSING,
			    [CALL_EV_TIMEOUT] = CALL_CLOSING } },
	[CALL_RINGING] = { "ringing",
			   180000, /* the same */
			   { [CALL_EV_RINGING] = CALL_RINGING,
			     [CALL_EV_ANSWERED] = CALL_UP,
			     [CALL_EV_END] = CALL_CLOSING,
			     [CALL_EV_TIMEOUT] = CALL_CLOSING } },
	[CALL_UP] = { "up", 0, { [CALL_EV_END] = CALL_CLOSING } },
	[CALL_CLOSING] = { "closing",
			   35000, /* Timer F, RFC 3261 17.1.2.2, and some */
			   { [CALL_EV_CLEARED] = CALL_GONE, [CALL_EV_TIMEOUT] = CALL_GONE } },
	[CALL_GONE] = { "gone", 0, { CALL_NONE } },
};

/* What is not in the table is 0, CALL_NONE: no edge. */
enum call_phase call_phase_next(enum call_phase state, enum call_event event)
{
	return states[state].on[event];
}

uint32_t call_phase_limit_ms(enum call_phase state)
{
	return states[state].limit_ms;
}

const char *call_phase_name(enum call_phase state)
{
	return states[state].name;
}
