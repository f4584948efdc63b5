/* session_log.h - session.log: one line an event of call set-up and clearing.
 *
 *   event, Time, Caller, Callee, Routed-Caller, Routed-Callee, State,
 *   Caller-if-ID, Callee-if-ID
 *
 * Source: CIG manual 2.9, "session.log" (rows CIG-112, CIG-113).  A field that is
 * not known yet is "-".  Ours: a comma, "%" or control octet in a field is written as %XX, a
 * field that says "-" as %2D, and one of more than 1,024 octets ends with "%..." there.
 */
#ifndef GATEWAY_SESSION_LOG_H
#define GATEWAY_SESSION_LOG_H

#include <stdint.h>

struct diag;
struct session_log;

enum session_state {
	SESSION_ROUTING,
	SESSION_ROUTED,
	SESSION_FAILED,
	SESSION_TRYING,
	SESSION_RINGING,
	SESSION_TALK,
	SESSION_HANGUP,
};

struct session_event {
	const char *caller, *callee;               /* in the caller's domain */
	const char *routed_caller, *routed_callee; /* in the callee's; "" unknown */
	enum session_state state;
	const char *caller_id, *callee_id; /* of the session on either side; "" unknown */
};

/* Opens path for appending, 0640.  Returns 0 or -errno with diag set. */
int session_log_open(const char *path, struct session_log **log_out, struct diag *diag);
/* Closes *logp and sets it to NULL; *logp may be NULL. */
void session_log_close(struct session_log **logp);

/* Opens the path again, after logrotate has moved the file. */
void session_log_reopen(struct session_log *log);

/* Writes a line, always a whole one, whatever the network put into a field (see above).  That it
 * cannot be written is told in the log. */
void session_log_write(struct session_log *log, int64_t wall_ms, const struct session_event *event);

/* "routing" and so on. */
const char *session_state_name(enum session_state state);

#endif
