/* call_trace.h - what happens to calls, live, for "cig-cli trace call".
 *
 * A trace is a stream of the control port that gets one JSON object a line:
 *   { "time", "call" (its number), "side" ("call", "sip", "secure" or "media"),
 *     "event", "in_from", "in_to", "out_from", "out_to", "state" }
 * A reader never holds the server up: what a slow one has not read is bounded by the
 * control port (CONTROL_STREAM_BYTES), and then it is cut off and told so.  No line holds
 * a key, a password or a dialled digit.
 */
#ifndef GATEWAY_CALL_TRACE_H
#define GATEWAY_CALL_TRACE_H

#include <stdarg.h>
#include <stdbool.h>

struct call;
struct call_trace;
struct control_request;

enum { CALL_TRACE_MAX = 8 /* readers at once */ };

/* Returns NULL when memory is out. */
struct call_trace *call_trace_new(void);

/* Ends every trace.  The control port must still be there. */
void call_trace_free(struct call_trace **tracep);

/* Answers request with a stream: of every call, or of those of which match is the number
 * or stands in one of the four URIs.  match (copied) may be NULL.  One reader too many is
 * answered with 503. */
void call_trace_open(struct call_trace *trace, struct control_request *request, const char *match);

/* Does anybody look?  Asked first, so that nothing is formatted for nobody. */
bool call_trace_is_read(const struct call_trace *trace);

/* Tells every reader whom the call concerns; side as above.  A NULL trace tells nobody. */
void call_trace_tell(struct call_trace *trace, const struct call *call, const char *side,
		     const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));

#endif
