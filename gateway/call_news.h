/* call_news.h - what a call tells the world outside: session.log, cig.log, call records,
 * counters and traces, each from one place.
 */
#ifndef GATEWAY_CALL_NEWS_H
#define GATEWAY_CALL_NEWS_H

#include "gateway/session_log.h"

struct call;

/* A call has come in: nothing of it is known but its number and two URIs. */
void call_news_begun(struct call *call);

/* The state of session.log (CIG manual 2.9, "session.log"): one line there. */
void call_news_state(struct call *call, enum session_state state);

/* It was refused before anybody was called: one line of cig.log with the code, the maps
 * that were tried and what was missing. */
void call_news_refused(struct call *call, unsigned code, const char *why);

/* It has been answered. */
void call_news_answered(struct call *call);

/* A digit came, from there ("pbx", "secure"); one did not get further, and why.  Counted, and told
 * once a second at most. */
void call_news_digit(struct call *call, const char *from);
void call_news_digit_lost(struct call *call, const char *why);

/* It is ending, for call->reason; why may be "". */
void call_news_end(struct call *call, const char *why);

/* Both legs and the media are gone; the last figures are in call->stats. */
void call_news_gone(struct call *call);

/* Anything else, for traces only; side is "call", "sip", "secure" or "media".  Costs
 * nothing while nobody traces. */
void call_news(struct call *call, const char *side, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
