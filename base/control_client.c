#include "base/control_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/control_address.h"
#include "base/control_proof.h"
#include "base/diag.h"

enum {
	DEFAULT_TIMEOUT_MS = 30000,
	MAX_HEAD_BYTES = 16 * 1024,
	MAX_PIECE_BYTES = 64 * 1024,
	STATUS_UNAUTHORIZED = 401,
};

/* One request and its answer.  We speak HTTP/1.0, so the server closes behind the
 * answer and never chunks it. */
struct exchange {
	const struct control_server *server;
	const char *method, *target;
	char *body; /* JSON text or NULL */
	size_t body_n;
	struct diag *diag;

	int fd;
	unsigned status;
	size_t length; /* Content-Length, SIZE_MAX without one */
	uint8_t in[MAX_HEAD_BYTES];
	size_t in_start, in_n; /* in[in_start, in_n) was read from the socket, not used yet */
};

static int timeout_of(const struct control_server *server)
{
	return server->timeout_ms > 0 ? server->timeout_ms : DEFAULT_TIMEOUT_MS;
}

/* --- the socket --- */

static int tell_connect(const struct exchange *x, int err)
{
	const struct control_server *server = x->server;

	if (err == -ECONNREFUSED || err == -ENOENT)
		diag_error(x->diag, NULL, "%s is not running on %s: %s", server->program,
			   server->address, strerror(-err));
	else if (err == -EINVAL)
		diag_error(x->diag, NULL, "%s: not an ADDRESS:PORT nor a path", server->address);
	else
		diag_error(x->diag, NULL, "cannot reach %s on %s: %s", server->program,
			   server->address, strerror(-err));
	return err;
}

static int tell_io(const struct exchange *x, int err)
{
	if (err == EAGAIN) {
		diag_error(x->diag, NULL, "%s on %s does not answer", x->server->program,
			   x->server->address);
		return -ETIMEDOUT;
	}
	diag_error(x->diag, NULL, "lost %s on %s: %s", x->server->program, x->server->address,
		   strerror(err));
	return -err;
}

static int tell_protocol(const struct exchange *x, const char *what)
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
			return tell_io(x, errno);
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
	return n < 0 ? tell_io(x, errno) : n;
}

/* --- request --- */

static int send_request(struct exchange *x, const char *authorization)
{
	const char *address = x->server->address;
	uint8_t head[MAX_HEAD_BYTES];
	struct buf b = BUF_OF(head);
	int err;

	buf_printf(&b, "%s %s HTTP/1.0\r\nHost: %s\r\n", x->method, x->target,
		   control_address_is_path(address) ? "localhost" : address);
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
		return tell_protocol(x, "the answer is not HTTP");
	x->status = (unsigned)status;
	x->length = SIZE_MAX;
	if (length.n && !number(length, &x->length))
		return tell_protocol(x, "the answer has a wrong length");
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
			return tell_protocol(x, "the answer is not HTTP");
		n = receive(x, x->in + x->in_n, sizeof(x->in) - x->in_n);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return tell_protocol(x, "closed without an answer");
		x->in_n += (size_t)n;
	}
}

/* Body octets: first those read with the head.  Returns as receive(). */
static ssize_t read_body(struct exchange *x, uint8_t *to, size_t cap)
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

/* The whole body with a NUL behind it. */
static int read_all(struct exchange *x, char **text_out, size_t *n_out)
{
	size_t cap = 4096, n = 0;
	uint8_t *text = malloc(cap);

	while (text) {
		ssize_t got = read_body(x, text + n, cap - n - 1);
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
	if (x->length != SIZE_MAX && n != x->length) {
		free(text);
		return tell_protocol(x, "the answer was cut short");
	}
	text[n] = '\0';
	*text_out = (char *)text;
	*n_out = n;
	return 0;
}

/* The server refused: its words are the error. */
static int tell_refusal(struct exchange *x)
{
	char *text = NULL;
	size_t n = 0;
	int err = read_all(x, &text, &n);
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

/* Connects, sends, and reads the head of the answer. */
static int ask(struct exchange *x, const char *authorization)
{
	int err;

	hang_up(x);
	x->fd = control_address_connect(x->server->address, timeout_of(x->server));
	if (x->fd < 0)
		return tell_connect(x, x->fd);
	err = send_request(x, authorization);
	return err ? err : read_head(x);
}

static int fetch_nonce(const struct exchange *x, char nonce_out[CONTROL_NONCE_TEXT_SIZE])
{
	struct control_server plain = *x->server;
	const char *text;
	json_t *answer;
	int err;

	plain.token_path = NULL;
	err = control_call(&plain, "GET", "/nonce", NULL, &answer, x->diag);
	if (err)
		return err;
	text = json_string_value(json_object_get(answer, "nonce"));
	if (text && strlen(text) == CONTROL_NONCE_TEXT_SIZE - 1)
		memcpy(nonce_out, text, CONTROL_NONCE_TEXT_SIZE);
	else
		err = tell_protocol(x, "gave no nonce");
	json_decref(answer);
	return err;
}

static int ask_with_proof(struct exchange *x)
{
	char authorization[sizeof(CONTROL_PROOF_SCHEME) + CONTROL_NONCE_TEXT_SIZE +
			   CONTROL_PROOF_TEXT_SIZE];
	char nonce[CONTROL_NONCE_TEXT_SIZE], proof[CONTROL_PROOF_TEXT_SIZE];
	struct buf b = BUF_OF(authorization);
	struct control_token token;
	struct control_claim claim = {
		.method = x->method,
		.target = x->target,
		.body = slice_of(x->body, x->body_n),
	};
	int err = control_token_read(x->server->token_path, &token, x->diag);

	if (!err)
		err = fetch_nonce(x, nonce);
	if (!err) {
		claim.nonce = slice_str(nonce);
		err = control_proof(&token, &claim, proof);
	}
	OPENSSL_cleanse(&token, sizeof(token));
	if (err)
		return err;
	buf_printf(&b, CONTROL_PROOF_SCHEME " %s %s", nonce, proof);
	return ask(x, buf_str(&b));
}

/* After it the head is read and the status is one of success. */
static int exchange_run(struct exchange *x)
{
	bool prove = x->server->token_path && strcmp(x->method, "GET") != 0;
	int err = prove ? ask_with_proof(x) : ask(x, NULL);

	if (!err && !prove && x->status == STATUS_UNAUTHORIZED && x->server->token_path)
		err = ask_with_proof(x);
	if (err)
		return err;
	return x->status >= 200 && x->status < 300 ? 0 : tell_refusal(x);
}

static struct exchange *exchange_new(const struct control_server *server, const char *method,
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

static void exchange_free(struct exchange *x)
{
	hang_up(x);
	free(x->body);
	free(x);
}

/* Text of *n_out octets. */
static int call(const struct control_server *server, const char *method, const char *target,
		json_t *body, char **text_out, size_t *n_out, struct diag *diag)
{
	struct exchange *x = exchange_new(server, method, target, body, diag);
	int err;

	if (!x)
		return -ENOMEM;
	err = exchange_run(x);
	if (!err) {
		err = read_all(x, text_out, n_out);
		if (err == -EMSGSIZE)
			diag_error(diag, NULL, "the answer is too long");
	}
	exchange_free(x);
	return err;
}

int control_call_text(const struct control_server *server, const char *method, const char *target,
		      json_t *body, char **text_out, struct diag *diag)
{
	size_t n;

	return call(server, method, target, body, text_out, &n, diag);
}

int control_call(const struct control_server *server, const char *method, const char *target,
		 json_t *body, json_t **answer_out, struct diag *diag)
{
	json_t *answer = NULL;
	json_error_t error;
	char *text;
	size_t n;
	int err = call(server, method, target, body, &text, &n, diag);

	if (err)
		return err;
	if (n) {
		answer = json_loadb(text, n, JSON_DECODE_ANY, &error);
		if (!answer) {
			diag_error(diag, NULL, "%s on %s: the answer is not JSON: %s",
				   server->program, server->address, error.text);
			err = -EPROTO;
		}
	}
	free(text);
	if (!err)
		*answer_out = answer;
	return err;
}

/* --- streams --- */

/* Gives every whole line of text[0, n) out; returns how much is left, moved to the
 * front, or SIZE_MAX when the reader has had enough. */
static size_t give_lines(uint8_t *text, size_t n, size_t cap,
			 bool (*line)(void *arg, struct slice text), void *arg)
{
	size_t start = 0;
	const uint8_t *end;

	while ((end = memchr(text + start, '\n', n - start))) {
		if (!line(arg, slice_of(text + start, (size_t)(end - text) - start)))
			return SIZE_MAX;
		start = (size_t)(end - text) + 1;
	}
	if (start == 0 && n == cap) {
		if (!line(arg, slice_of(text, n)))
			return SIZE_MAX;
		start = n;
	}
	memmove(text, text + start, n - start);
	return n - start;
}

static int follow(struct exchange *x, uint8_t *text, bool (*line)(void *arg, struct slice text),
		  void *arg)
{
	/* Silence is no fault of a trace. */
	struct timeval forever = { 0, 0 };
	size_t n = 0;

	if (setsockopt(x->fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever)) < 0)
		return tell_io(x, errno);
	for (;;) {
		ssize_t got = read_body(x, text + n, MAX_PIECE_BYTES - n);

		if (got < 0)
			return (int)got;
		if (got == 0)
			break;
		n = give_lines(text, n + (size_t)got, MAX_PIECE_BYTES, line, arg);
		if (n == SIZE_MAX)
			return 0;
	}
	if (n)
		line(arg, slice_of(text, n));
	return 0;
}

int control_follow(const struct control_server *server, const char *target,
		   bool (*line)(void *arg, struct slice text), void *arg, struct diag *diag)
{
	struct exchange *x = exchange_new(server, "GET", target, NULL, diag);
	uint8_t *text = malloc(MAX_PIECE_BYTES);
	int err = x && text ? exchange_run(x) : -ENOMEM;

	if (!err)
		err = follow(x, text, line, arg);
	if (x)
		exchange_free(x);
	free(text);
	return err;
}

/* --- targets --- */

static void put_encoded(struct buf *b, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (; *text; text++) {
		if (strchr(plain, *text))
			buf_put_char(b, *text);
		else
			buf_printf(b, "%%%02X", (unsigned)(uint8_t)*text);
	}
}

int control_target_arg(char *target, size_t cap, const char *name, const char *value)
{
	size_t n = strlen(target);
	struct buf b;

	if (n >= cap)
		return -ENOBUFS;
	b = buf_over(target + n, cap - n);
	buf_put_char(&b, strchr(target, '?') ? '&' : '?');
	put_encoded(&b, name);
	buf_put_char(&b, '=');
	put_encoded(&b, value);
	if (buf_ok(&b))
		return 0;
	target[n] = '\0';
	return -ENOBUFS;
}
