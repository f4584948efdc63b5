/* call.c - the states of a call as a table: what an event leads to, and how long a
 * state may last.  An entry that is missing is CALL_NONE: the event changes
 * nothing there. */
#include "umsg/call.h"

static const struct {
	const char *word;
	uint32_t limit_ms;
	enum call_state on[CALL_EVENTS];
} states[CALL_STATES] = {
	[CALL_NONE] = { "NONE", 0, { CALL_NONE } },
	[CALL_CREATE] = { "CREATE",
			  5000,
			  { [CALL_EV_INVITED] = CALL_BANG,
			    [CALL_EV_ENDED] = CALL_HANGUP,
			    [CALL_EV_TIMEOUT] = CALL_HANGUP } },
	/* As long as SIP waits for a first answer (Timer B, RFC 3261 17.1.1.2). */
	[CALL_BANG] = { "BANG",
			32000,
			{ [CALL_EV_RINGING] = CALL_GROWL,
			  [CALL_EV_ANSWERED] = CALL_TALK,
			  [CALL_EV_ENDED] = CALL_HANGUP,
			  [CALL_EV_TIMEOUT] = CALL_HANGUP } },
	/* Three minutes, as SIP's Timer C (RFC 3261 16.6). */
	[CALL_GROWL] = { "GROWL",
			 180000,
			 { [CALL_EV_RINGING] = CALL_GROWL,
			   [CALL_EV_ANSWERED] = CALL_TALK,
			   [CALL_EV_ENDED] = CALL_HANGUP,
			   [CALL_EV_TIMEOUT] = CALL_HANGUP } },
	/* A day: lost media ends a call much sooner. */
	[CALL_TALK] = { "TALK",
			86400000,
			{ [CALL_EV_ENDED] = CALL_HANGUP, [CALL_EV_TIMEOUT] = CALL_HANGUP } },
	[CALL_HANGUP] = { "HANGUP",
			  2000,
			  { [CALL_EV_CLEARED] = CALL_GONE, [CALL_EV_TIMEOUT] = CALL_GONE } },
	[CALL_GONE] = { "GONE", 0, { CALL_NONE } },
};

enum call_state call_state_next(enum call_state state, enum call_event event)
{
	return states[state].on[event];
}

uint32_t call_state_limit_ms(enum call_state state)
{
	return states[state].limit_ms;
}

const char *call_state_word(enum call_state state)
{
	return states[state].word;
}
