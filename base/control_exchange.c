/* control_exchange.c - one HTTP/1.0 request over a connection of its own (RFC 1945, RFC 9112).
 *
 * Blocking, with a limit on silence and not on the whole: an answer may be long.
 */
#include "base/control_exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/control_address.h"
#include "base/diag.h"

enum {
	DEFAULT_TIMEOUT_MS = 30000,
	STATUS_UNAUTHORIZED = 401,
};

static int timeout_of(const struct control_server *server)
{
	return server->timeout_ms > 0 ? server->timeout_ms : DEFAULT_TIMEOUT_MS;
}

/* --- the socket --- */

static int tell_connect(const struct exchange *x, int err)
{
	const struct control_server *server = x->server;

	/* No listener, or no socket file: to the user both mean the same. */
	if (err == -ECONNREFUSED || err == -ENOENT)
		diag_error(x->diag, NULL, "%s is not running on %s: %s", server->program,
			   server->address, strerror(-err));
	else if (err == -EINVAL)
		diag_error(x->diag, NULL, "%s: neither ADDRESS:PORT nor a path from /",
			   server->address);
	else
		diag_error(x->diag, NULL, "cannot reach %s on %s: %s", server->program,
			   server->address, strerror(-err));
	return err;
}

int exchange_tell_io(const struct exchange *x, int err)
{
	/* SO_RCVTIMEO and SO_SNDTIMEO report their limit so. */
	if (err == EAGAIN) {
		diag_error(x->diag, NULL, "%s on %s does not answer", x->server->program,
			   x->server->address);
		return -ETIMEDOUT;
	}
	diag_error(x->diag, NULL, "lost %s on %s: %s", x->server->program, x->server->address,
		   strerror(err));
	return -err;
}

int exchange_tell_protocol(const struct exchange *x, const char *what)
{
	diag_error(x->diag, NULL, "%s on %s: %s", x->server->program, x->server->address, what);
	return -EPROTO;
}

static int send_all(const struct exchange *x, struct slice data)
{
	while (data.n) {
		ssize_t n = send(x->fd, data.p, data.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return exchange_tell_io(x, errno);
		data = slice_from(data, (size_t)n);
	}
	return 0;
}

/* Reads what has come, at least one octet.  Returns the count, 0 at the end, -errno. */
static ssize_t receive(const struct exchange *x, uint8_t *to, size_t cap)
{
	ssize_t n;

	do
		n = recv(x->fd, to, cap, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? exchange_tell_io(x, errno) : n;
}

/* --- request --- */

static int send_request(struct exchange *x, const char *authorization)
{
	const char *address = x->server->address;
	uint8_t head[EXCHANGE_HEAD_BYTES];
	struct buf b = BUF_OF(head);
	int err;

	/* 1.0, so that the answer ends with the connection and never comes in chunks. */
	buf_printf(&b, "%s %s HTTP/1.0\r\nHost: %s\r\n", x->method, x->target,
		   control_address_is_path(address) ? "localhost" : address);
	if (x->server->says)
		buf_printf(&b, CONTROL_SAYS ": %s\r\n", x->server->says);
	if (authorization)
		buf_printf(&b, "Authorization: %s\r\n", authorization);
	if (x->body)
		buf_printf(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			   x->body_n);
	buf_put_str(&b, "\r\n");
	if (!buf_ok(&b)) {
		diag_error(x->diag, NULL, "the request is too long");
		return -EMSGSIZE;
	}
	err = send_all(x, buf_slice(&b));
	return err ? err : send_all(x, slice_of(x->body, x->body_n));
}

/* --- answer --- */

/* The header's value, or an empty slice. */
/* Only behind a line's end: a name in another header's value does not count.  The status line
 * comes first, so no header stands at the very beginning. */
static struct slice header(struct slice head, const char *name)
{
	size_t name_n = strlen(name);

	for (size_t i = 0; i + name_n + 1 < head.n; i++) {
		struct slice rest = slice_from(head, i + 1);
		const uint8_t *end;

		if (head.p[i] != '\n' || rest.n <= name_n || rest.p[name_n] != ':' ||
		    strncasecmp((const char *)rest.p, name, name_n) != 0)
			continue;
		rest = slice_from(rest, name_n + 1);
		while (rest.n && rest.p[0] == ' ')
			rest = slice_from(rest, 1);
		end = memchr(rest.p, '\r', rest.n);
		return slice_of(rest.p, end ? (size_t)(end - rest.p) : rest.n);
	}
	return slice_of(NULL, 0);
}

static bool number(struct slice text, size_t *out)
{
	size_t v = 0;

	/* Fifteen digits fit into 64 bits. */
	if (text.n == 0 || text.n > 15)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		v = v * 10 + (size_t)(text.p[i] - '0');
	}
	*out = v;
	return true;
}

static int parse_head(struct exchange *x, struct slice head)
{
	struct slice length = header(head, "Content-Length");
	size_t status;

	if (head.n < 12 || !(slice_starts(head, "HTTP/1.0 ") || slice_starts(head, "HTTP/1.1 ")) ||
	    !number(slice_of(head.p + 9, 3), &status))
		return exchange_tell_protocol(x, "the answer is not HTTP");
	x->status = (unsigned)status;
	/* Without Content-Length the body lasts until the close, as a stream does. */
	x->length = SIZE_MAX;
	if (length.n && !number(length, &x->length))
		return exchange_tell_protocol(x, "the answer has a wrong length");
	return 0;
}

static int read_head(struct exchange *x)
{
	x->in_n = 0;
	for (;;) {
		const uint8_t *end = memmem(x->in, x->in_n, "\r\n\r\n", 4);
		ssize_t n;

		if (end) {
			x->in_start = (size_t)(end - x->in) + 4;
			return parse_head(x, slice_of(x->in, x->in_start));
		}
		if (x->in_n == sizeof(x->in))
			return exchange_tell_protocol(x, "the answer is not HTTP");
		n = receive(x, x->in + x->in_n, sizeof(x->in) - x->in_n);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return exchange_tell_protocol(x, "closed without an answer");
		x->in_n += (size_t)n;
	}
}

/* Body octets: first those read with the head.  Returns as receive(). */
ssize_t exchange_read_body(struct exchange *x, uint8_t *to, size_t cap)
{
	size_t n = x->in_n - x->in_start;

	if (n == 0)
		return receive(x, to, cap);
	if (n > cap)
		n = cap;
	memcpy(to, x->in + x->in_start, n);
	x->in_start += n;
	return (ssize_t)n;
}

int exchange_read_all(struct exchange *x, char **text_out, size_t *n_out)
{
	size_t cap = 4096, n = 0;
	uint8_t *text = malloc(cap);

	while (text) {
		ssize_t got = exchange_read_body(x, text + n, cap - n - 1);
		uint8_t *more;

		if (got < 0 || (n += (size_t)got) > CONTROL_CLIENT_MAX_ANSWER_BYTES) {
			free(text);
			return got < 0 ? (int)got : -EMSGSIZE;
		}
		if (got == 0)
			break;
		if (cap - n > 1)
			continue;
		more = realloc(text, cap *= 2);
		if (!more)
			free(text);
		text = more;
	}
	if (!text)
		return -ENOMEM;
	/* Half a list would be taken for a whole one. */
	if (x->length != SIZE_MAX && n != x->length) {
		free(text);
		return exchange_tell_protocol(x, "the answer was cut short");
	}
	text[n] = '\0';
	*text_out = (char *)text;
	*n_out = n;
	return 0;
}

int exchange_tell_refusal(struct exchange *x)
{
	char *text = NULL;
	size_t n = 0;
	int err = exchange_read_all(x, &text, &n);
	json_t *json = err ? NULL : json_loadb(text, n, 0, NULL);
	const char *why = json_string_value(json_object_get(json, "error"));

	if (!err) {
		diag_error(x->diag, NULL, "%s: %s", x->server->program, why ? why : text);
		err = x->status == STATUS_UNAUTHORIZED ? -EACCES : -EREMOTEIO;
	}
	json_decref(json);
	free(text);
	return err;
}

/* --- an exchange as a whole --- */

static void hang_up(struct exchange *x)
{
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
}

int exchange_ask(struct exchange *x, const char *authorization)
{
	int err;

	hang_up(x);
	x->fd = control_address_connect(x->server->address, timeout_of(x->server));
	if (x->fd < 0)
		return tell_connect(x, x->fd);
	err = send_request(x, authorization);
	return err ? err : read_head(x);
}

struct exchange *exchange_new(const struct control_server *server, const char *method,
			      const char *target, json_t *body, struct diag *diag)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->server = server;
	x->method = method;
	x->target = target;
	x->diag = diag;
	x->fd = -1;
	if (body) {
		x->body = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
		if (!x->body) {
			free(x);
			return NULL;
		}
		x->body_n = strlen(x->body);
	}
	return x;
}

void exchange_free(struct exchange *x)
{
	hang_up(x);
	free(x->body);
	free(x);
}
