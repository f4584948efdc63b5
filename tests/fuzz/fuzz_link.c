/* fuzz_link.c - what comes to the rendezvous's port: first octet even, octets of any kind
 * where TLS is expected; odd, the same inside TLS under a key that the server knows.
 * Bit 1: the upgrade to WebSocket is said in good form first.
 *
 * The octets come in pieces whose length (1 to 256) the second octet says.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "tests/fuzz/quiet.h"
#include "umsg/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t psk[LINK_PSK] = { 1, 2, 3 };

static const char upgrade[] = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
			      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			      "Sec-WebSocket-Protocol: umsg.1\r\n\r\n";

struct scene {
	struct event_base *base;
	struct link_context *context;
	struct link *link;
	unsigned asked;
	SSL *ssl; /* the stranger's, NULL without TLS */
	int fd;
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void on_event(void *arg, struct link *link, const struct link_event *event)
{
	struct scene *s = arg;

	switch (event->kind) {
	case LINK_FRAME:
		expect(event->octets.n <= LINK_MESSAGE_MAX);
		if (event->octets.n && event->octets.p[0] == 0xee)
			link_free(&s->link); /* as an owner may at any frame */
		else
			(void)link_send(link, event->octets);
		break;
	case LINK_AUTHENTICATED:
		expect(s->ssl != NULL && strcmp(event->text, "alice") == 0);
		break;
	case LINK_CLOSED:
		expect(event->reason != LINK_OPEN && event->text != NULL);
		link_free(&s->link);
		break;
	default:
		break;
	}
}

static void on_psk(void *arg, struct link *link, struct slice identity, uint8_t psk_out[LINK_PSK])
{
	struct scene *s = arg;

	(void)link;
	expect(identity.n <= LINK_IDENTITY_MAX && s->asked++ == 0);
	memset(psk_out, 0xaa, LINK_PSK);
	if (s->ssl && slice_eq_str(identity, "alice"))
		memcpy(psk_out, psk, LINK_PSK);
}

static const struct link_ops ops = { on_event, on_psk };

static void turn(struct scene *s)
{
	event_base_loop(s->base, EVLOOP_NONBLOCK);
}

/* ---- the stranger ---- */

static int use_psk(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *id_n,
		   SSL_SESSION **session)
{
	static const unsigned char suite[] = { 0x13, 0x01 }; /* TLS_AES_128_GCM_SHA256 */
	SSL_SESSION *made = SSL_SESSION_new();

	(void)md;
	expect(made != NULL);
	SSL_SESSION_set1_master_key(made, psk, sizeof(psk));
	SSL_SESSION_set_cipher(made, SSL_CIPHER_find(ssl, suite));
	SSL_SESSION_set_protocol_version(made, TLS1_3_VERSION);
	*session = made;
	*id = (const unsigned char *)"alice";
	*id_n = 5;
	return 1;
}

static SSL_CTX *client_context(void)
{
	static SSL_CTX *ctx; /* one a process: it holds no state of a run */

	if (!ctx) {
		ctx = SSL_CTX_new(TLS_client_method());
		expect(ctx != NULL);
		SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
		SSL_CTX_set_psk_use_session_callback(ctx, use_psk);
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	}
	return ctx;
}

static void shake(struct scene *s)
{
	s->ssl = SSL_new(client_context());
	expect(s->ssl && SSL_set_fd(s->ssl, s->fd) == 1);
	for (int i = 0; i < 10 && SSL_connect(s->ssl) != 1; i++)
		turn(s);
	/* On a processor that is given away for seconds the link's own time limit ends it. */
	expect(SSL_is_init_finished(s->ssl) || !s->link);
}

static void say(struct scene *s, const void *octets, size_t n)
{
	uint8_t heard[4096];

	if (s->ssl) {
		(void)SSL_write(s->ssl, octets, (int)n);
		turn(s);
		while (SSL_read(s->ssl, heard, sizeof(heard)) > 0)
			;
	} else {
		(void)!send(s->fd, octets, n, MSG_NOSIGNAL);
		turn(s);
		while (recv(s->fd, heard, sizeof(heard), 0) > 0)
			;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scene s = { 0 };
	int pair[2];

	if (size < 2)
		return 0;
	quiet();
	signal(SIGPIPE, SIG_IGN); /* the stranger's OpenSSL writes to a link that is gone, too */
	s.base = event_base_new();
	expect(s.base && link_context_new(s.base, NULL, &s.context) == 0);
	expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	s.fd = pair[1];
	expect(link_accept(s.context, pair[0], &ops, &s, &s.link) == 0);
	if (data[0] & 1)
		shake(&s);
	if (data[0] & 2)
		say(&s, upgrade, sizeof(upgrade) - 1);
	for (size_t at = 2, n; at < size && s.link; at += n) {
		n = (size_t)data[1] + 1;
		n = n < size - at ? n : size - at;
		say(&s, data + at, n);
	}
	SSL_free(s.ssl);
	close(s.fd);
	turn(&s);
	link_free(&s.link);
	link_context_free(&s.context);
	event_base_free(s.base);
	return 0;
}
