/* control_client.c - a command's calls to a control port, blocking; every fault is told in words.
 *
 * An exchange is one connection: with a proof there are two, the first one for the nonce.
 */
#include "base/control_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/control_exchange.h"
#include "base/control_proof.h"
#include "base/diag.h"

enum {
	MAX_PIECE_BYTES = 64 * 1024,
	STATUS_UNAUTHORIZED = 401,
};

/* --- the proof --- */

static int fetch_nonce(const struct exchange *x, char nonce_out[CONTROL_NONCE_TEXT_SIZE])
{
	struct control_server plain = *x->server;
	const char *text;
	json_t *answer;
	int err;

	/* The nonce itself needs no proof: with a token this would ask for a nonce without end. */
	plain.token_path = NULL;
	err = control_call(&plain, "GET", "/nonce", NULL, &answer, x->diag);
	if (err)
		return err;
	text = json_string_value(json_object_get(answer, "nonce"));
	if (text && strlen(text) == CONTROL_NONCE_TEXT_SIZE - 1)
		memcpy(nonce_out, text, CONTROL_NONCE_TEXT_SIZE);
	else
		err = exchange_tell_protocol(x, "gave no nonce");
	json_decref(answer);
	return err;
}

static int ask_with_proof(struct exchange *x)
{
	char authorization[sizeof(CONTROL_PROOF_SCHEME) + CONTROL_NONCE_TEXT_SIZE +
			   CONTROL_PROOF_TEXT_SIZE];
	char nonce[CONTROL_NONCE_TEXT_SIZE], proof[CONTROL_PROOF_TEXT_SIZE];
	struct buf b = BUF_OF(authorization);
	struct control_token token = { 0 };
	struct control_claim claim = {
		.method = x->method,
		.target = x->target,
		.body = slice_of(x->body, x->body_n),
	};
	/* The server first: one that does not run is why there may be no token. */
	int err = fetch_nonce(x, nonce);

	if (!err)
		err = control_token_read(x->server->token_path, &token, x->diag);
	if (!err) {
		claim.nonce = slice_str(nonce);
		err = control_proof(&token, &claim, proof);
	}
	OPENSSL_cleanse(&token, sizeof(token));
	if (err)
		return err;
	buf_printf(&b, CONTROL_PROOF_SCHEME " %s %s", nonce, proof);
	return exchange_ask(x, buf_str(&b));
}

/* Asks, with a proof where one is needed.  A GET is tried without: most need none, and those
 * commands then work for every user.  After it the head is read and the status is one of
 * success. */
static int exchange_run(struct exchange *x)
{
	bool prove = x->server->token_path && strcmp(x->method, "GET") != 0;
	int err = prove ? ask_with_proof(x) : exchange_ask(x, NULL);

	if (!err && !prove && x->status == STATUS_UNAUTHORIZED && x->server->token_path)
		err = ask_with_proof(x);
	if (err)
		return err;
	return x->status >= 200 && x->status < 300 ? 0 : exchange_tell_refusal(x);
}

/* --- calls --- */

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
		err = exchange_read_all(x, text_out, n_out);
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
		return exchange_tell_io(x, errno);
	for (;;) {
		ssize_t got = exchange_read_body(x, text + n, MAX_PIECE_BYTES - n);

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
