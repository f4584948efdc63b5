/* control_exchange.h - one request to a control port and its answer, by HTTP/1.0: the
 * server closes behind the answer and never chunks it.
 */
#ifndef BASE_CONTROL_EXCHANGE_H
#define BASE_CONTROL_EXCHANGE_H

#include "base/control_client.h"

#include <sys/types.h>

enum { EXCHANGE_HEAD_BYTES = 16 * 1024 };

struct exchange {
	const struct control_server *server;
	const char *method, *target;
	char *body; /* JSON text or NULL */
	size_t body_n;
	struct diag *diag;

	int fd;
	unsigned status;
	size_t length; /* Content-Length, SIZE_MAX without one */
	uint8_t in[EXCHANGE_HEAD_BYTES];
	size_t in_start, in_n; /* in[in_start, in_n) was read from the socket, not used yet */
};

/* server, method, target and diag are borrowed.  Returns NULL when memory is out. */
struct exchange *exchange_new(const struct control_server *server, const char *method,
			      const char *target, json_t *body, struct diag *diag);
/* Closes the connection, too, in whatever state it is. */
void exchange_free(struct exchange *x);

/* Connects anew, sends (authorization may be NULL), and reads the head of the answer.
 * Returns 0 or -errno with diag set, as all of these do. */
int exchange_ask(struct exchange *x, const char *authorization);

/* Body octets, at least one.  Returns the count, 0 at the end, or -errno. */
ssize_t exchange_read_body(struct exchange *x, uint8_t *to, size_t cap);

/* The whole body with a NUL behind it; the caller frees it. */
int exchange_read_all(struct exchange *x, char **text_out, size_t *n_out);

/* The server refused: its words become the error, which is returned. */
int exchange_tell_refusal(struct exchange *x);

/* Say what went wrong and return it: an errno, or -EPROTO. */
int exchange_tell_io(const struct exchange *x, int err);
/* What the server sent was not what HTTP or this port promises; returns -EPROTO. */
int exchange_tell_protocol(const struct exchange *x, const char *what);

#endif
