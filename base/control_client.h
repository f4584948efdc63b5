/* control_client.h - how a command line program speaks to a server's control
 * port (base/control.h).  Blocking.
 *
 * Every error is told in full: "cig-server is not running on 127.0.0.1:8083:
 * Connection refused", "cannot read the token /opt/cig/userdata/.control-token:
 * Permission denied", or the server's own words.
 */
#ifndef BASE_CONTROL_CLIENT_H
#define BASE_CONTROL_CLIENT_H

#include <jansson.h>

#include "base/slice.h"

struct diag;

struct control_server {
	const char *program;    /* for messages: "cig-server" */
	const char *address;    /* "127.0.0.1:8083", "[::1]:8083", or an absolute path */
	const char *token_path; /* NULL: requests carry no proof */
	int timeout_ms;         /* no octet for so long fails a call; 0: 30,000 */
	const char *says;       /* of the caller, sent as the header CONTROL_SAYS; NULL: nothing */
};

/* Where a caller says who it is and from where; the server cannot know whether that is so. */
#define CONTROL_SAYS "Caller-Says"

enum { CONTROL_CLIENT_MAX_ANSWER_BYTES = 64 << 20 };

/* Each returns 0 or, with diag set,
 *   -ECONNREFUSED, -ENOENT  the server is not running
 *   -EACCES     the token (or the socket) is not for us, or the proof was refused
 *   -ETIMEDOUT  silence for timeout_ms
 *   -EREMOTEIO  the server answered with an error; diag has its text
 *   -EPROTO     the answer is not HTTP, not JSON, or cut short
 *   -EMSGSIZE   the answer is longer than CONTROL_CLIENT_MAX_ANSWER_BYTES
 * or another -errno.  target is the path with its query, encoded as a URL
 * (control_target_arg); with a token_path a proof is made for every POST and for
 * a GET that asks for one (401). */

/* body may be NULL (borrowed); the caller owns *answer_out, which is NULL when the
 * answer had no body. */
int control_call(const struct control_server *server, const char *method, const char *target,
		 json_t *body, json_t **answer_out, struct diag *diag);

/* The answer as text with a NUL behind it; the caller frees it. */
int control_call_text(const struct control_server *server, const char *method, const char *target,
		      json_t *body, char **text_out, struct diag *diag);

/* Reads a stream line by line (newline taken off) until it ends or line returns
 * false.  Lines longer than 64 KiB come in pieces. */
int control_follow(const struct control_server *server, const char *target,
		   bool (*line)(void *arg, struct slice text), void *arg, struct diag *diag);

/* Appends "?name=value" or "&name=value", percent-encoded, to the target in
 * target[cap].  Returns 0 or -ENOBUFS (target unchanged). */
int control_target_arg(char *target, size_t cap, const char *name, const char *value);

#endif
