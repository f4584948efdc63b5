/* control.h - the control port of a server: HTTP and JSON for CLIs, curl, a
 * browser and Prometheus.
 *
 * libmicrohttpd runs on the program's own event loop.  A port listens on a TCP
 * address (cig-server: 127.0.0.1:8083, CIG manual 2.9 "CIG internals") or on a
 * Unix socket whose file mode says who may use it (crs).  The rules are ours:
 *
 *  - A Host header other than 127.0.0.1, localhost or [::1] (any port) is
 *    refused, so that no foreign web page can speak to the port by a DNS trick.
 *  - What changes something or shows a secret is a route with needs_token.  The
 *    client proves that it can read the token file, without sending the token:
 *        GET /nonce                    -> { "nonce": HEX }
 *        Authorization: Tandem-HMAC NONCE PROOF
 *    PROOF is the hexadecimal HMAC-SHA-256, keyed with the token's octets, of
 *        NONCE LF METHOD LF TARGET LF SHA-256 of the body in hexadecimal
 *    where TARGET is the path with its query as sent.  A nonce counts once and
 *    for CONTROL_NONCE_LIFE_MS.  On a Unix socket the file mode is the proof.
 *  - Errors are { "error": TEXT } with the fitting status.
 *
 * GET / lists the routes with their help.
 * Threads: one event loop; all functions are called in its thread.
 */
#ifndef BASE_CONTROL_H
#define BASE_CONTROL_H

#include <sys/types.h>

#include <jansson.h>

#include "base/slice.h"

struct control;
struct control_request;
struct control_stream;
struct diag;
struct event_base;

enum {
	CONTROL_MAX_BODY_BYTES = 1 << 20,
	CONTROL_MAX_CONNECTIONS = 64,
	CONTROL_IDLE_LIMIT_S = 30,       /* a connection on which nothing moves is closed */
	CONTROL_ANSWER_LIMIT_MS = 20000, /* a request not answered by then gets 504 */
	CONTROL_NONCE_LIFE_MS = 30000,
	CONTROL_STREAM_BYTES = 256 * 1024, /* what may wait for a slow reader */
	CONTROL_TOKEN_BYTES = 32,
};

struct control_token {
	uint8_t octets[CONTROL_TOKEN_BYTES];
};

/* Answers request, at once or later: it may keep request until it has called one
 * of the control_answer functions or control_stream_open, exactly once. */
typedef void control_handler_fn(struct control_request *request, void *arg);

struct control_route {
	const char *method; /* "GET" or "POST" */
	const char *path;   /* matched exactly: "/calls" */
	control_handler_fn *handler;
	bool needs_token;
	const char *help; /* one line: arguments and effect */
};

struct control_options {
	/* Where to listen: address is "127.0.0.1:8083", "[::1]:8083" (port 0: any
	 * free one), or an absolute path of a Unix socket. */
	const char *address;
	unsigned mode; /* of the Unix socket, e.g. 0660 */
	gid_t gid;     /* group of the Unix socket, or (gid_t)-1 */

	const struct control_route *routes; /* borrowed, as long as the control lives */
	size_t route_count;
	void *arg; /* passed to the handlers */

	const struct control_token *token; /* copied; NULL: needs_token is refused on TCP */
	bool any_host; /* no look at Host: only for a port of public figures (/metrics) */
};

/* Listens and serves.  On failure diag says why.  Returns 0, -EINVAL (address),
 * -EADDRINUSE, another -errno of the socket, or -ENOMEM. */
int control_new(struct event_base *base, const struct control_options *options,
		struct control **control_out, struct diag *diag);

/* Ends all connections and streams (their closed is not called) and removes the
 * Unix socket's file.  Requests still kept by the program are invalid after it.
 * Not to be called from a handler. */
void control_free(struct control **controlp);

/* The TCP port in use; 0 for a Unix socket. */
unsigned control_port(const struct control *control);

/* Writes a new token to path: 64 hexadecimal digits and a newline, mode 0640.
 * Returns 0 or -errno. */
int control_token_create(const char *path, struct control_token *token_out);

/* --- what a handler asks of its request; all of it valid until the answer --- */

/* The query argument's decoded value; "" for one without value, NULL when absent. */
const char *control_arg(const struct control_request *request, const char *name);

/* A header's value, NULL when absent: the peer's own word. */
const char *control_header(const struct control_request *request, const char *name);

/* The body, empty for GET. */
struct slice control_body(const struct control_request *request);

/* The body as JSON; the caller owns *json_out.  Returns 0 or -EINVAL, and then the
 * request has been answered (400). */
int control_body_json(struct control_request *request, json_t **json_out);

/* Who connected to the Unix socket.  Returns 0, or -ENOTSOCK on TCP. */
int control_peer(const struct control_request *request, pid_t *pid_out, uid_t *uid_out);

/* --- answers: each ends the handler's right to the request --- */

/* Takes json over.  status is an HTTP status, e.g. 200.  A NULL json (memory was
 * out while it was built) becomes 500. */
void control_answer_json(struct control_request *request, unsigned status, json_t *json);

/* text is copied; content_type e.g. "text/plain; charset=utf-8". */
void control_answer_text(struct control_request *request, unsigned status, const char *content_type,
			 struct slice text);

/* { "error": TEXT } */
void control_answer_error(struct control_request *request, unsigned status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* --- streams: answers without an end, for traces --- */

/* Answers with 200 and a body to which the program appends lines.  closed is
 * called once, when the client has gone or was too slow; the stream is invalid as
 * soon as it returns.  Returns NULL when memory is out (answered with 500). */
struct control_stream *control_stream_open(struct control_request *request,
					   const char *content_type, void (*closed)(void *arg),
					   void *arg);

/* Appends line and a newline.  When CONTROL_STREAM_BYTES already wait, the line and
 * all later ones are lost: the client gets what waits, then "# N lines lost: the
 * reader is too slow", then the end.  Returns 0 or -ENOBUFS. */
int control_stream_push(struct control_stream *stream, struct slice line);

/* Ends the stream after what waits; closed is not called; *streamp becomes NULL. */
void control_stream_end(struct control_stream **streamp);

#endif
