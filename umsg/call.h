/* call.h - the states of a call, the same at both ends (CIG manual 2.9, "show umsg").
 *
 * Pure: a table of edges and limits.  What to do on entry is the client's business
 * (umsg/client_calls.c).
 */
#ifndef UMSG_CALL_H
#define UMSG_CALL_H

#include <stdint.h>

enum call_state {
	CALL_NONE,   /* no state: an edge that is not there */
	CALL_CREATE, /* being made, nothing was sent */
	CALL_BANG,   /* invited: first contact is being made */
	CALL_GROWL,  /* a device rings */
	CALL_TALK,   /* accepted: media flows */
	CALL_HANGUP, /* being torn down */
	CALL_GONE,
	CALL_STATES
};

enum call_event {
	CALL_EV_INVITED,  /* the invitation was sent, or came and opened */
	CALL_EV_RINGING,  /* a device rings, or we do */
	CALL_EV_ANSWERED, /* accepted, by either */
	CALL_EV_ENDED,    /* by either, or by the rendezvous */
	CALL_EV_CLEARED,  /* everything was said and given back */
	CALL_EV_TIMEOUT,
	CALL_EVENTS
};

/* CALL_NONE where the event does not fit the state: to be ignored. */
enum call_state call_state_next(enum call_state state, enum call_event event);

/* How long a state may last, in milliseconds; every waiting state has a limit. */
uint32_t call_state_limit_ms(enum call_state state);

/* CREATE, BANG, GROWL, TALK, HANGUP. */
const char *call_state_word(enum call_state state);

#endif
