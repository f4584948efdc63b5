/* link_scene.h - a server and a client at the two ends of a link, and a client that says what it
 * likes.
 */
#ifndef TESTS_UMSG_LINK_SCENE_H
#define TESTS_UMSG_LINK_SCENE_H

#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "tests/umsg/loop.h"
#include "umsg/link.h"

static const uint8_t good_psk[LINK_PSK] = { 1, 2, 3 };
static const uint8_t other_psk[LINK_PSK] = { 3, 2, 1 };

/* What one end was told. */
struct end {
	struct link *link;
	unsigned count[LINK_CLOSED + 1];
	char identity[LINK_IDENTITY_MAX + 1];
	uint8_t last[LINK_MESSAGE_MAX];
	size_t last_n;
	enum link_reason reason;
	unsigned code;
	unsigned asked; /* for a PSK */
	char first[LINK_IDENTITY_MAX + 1];
	bool free_at_frame;
	bool echo;
};

struct fixture {
	struct event_base *base;
	struct link_context *context;
	struct end server, client;
	struct link_limits limits;
};

static inline void on_event(void *arg, struct link *link, const struct link_event *event)
{
	struct end *end = arg;

	end->count[event->kind]++;
	if (event->kind == LINK_AUTHENTICATED)
		strncpy(end->identity, event->text, LINK_IDENTITY_MAX);
	if (event->kind == LINK_FRAME) {
		memcpy(end->last, event->octets.p, event->octets.n);
		end->last_n = event->octets.n;
		if (end->echo)
			assert_int_equal(link_send(link, event->octets), 0);
		if (end->free_at_frame)
			link_free(&end->link);
	}
	if (event->kind == LINK_CLOSED) {
		assert_non_null(event->text);
		end->reason = event->reason;
		end->code = event->code;
	}
}

static inline void on_psk(void *arg, struct link *link, struct slice identity,
			  uint8_t psk_out[LINK_PSK])
{
	struct end *end = arg;

	(void)link;
	end->asked++;
	assert_true(identity.n <= LINK_IDENTITY_MAX);
	memcpy(end->first, identity.p, identity.n);
	memset(psk_out, 0xee, LINK_PSK); /* as good as random */
	if (slice_eq_str(identity, "alice"))
		memcpy(psk_out, good_psk, LINK_PSK);
}

static const struct link_ops ops = { on_event, on_psk };

static inline int set_up_with(void **state, struct link_limits limits)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->base = event_base_new();
	f->limits = limits;
	*state = f;
	return link_context_new(f->base, &limits, &f->context);
}

static inline int set_up(void **state)
{
	return set_up_with(state, (struct link_limits){ 0 });
}

/* Short limits for what a test lets time out, the usual ones for the rest: a busy
 * machine may take its time for a handshake. */
static inline int set_up_hasty_handshake(void **state)
{
	return set_up_with(state, (struct link_limits){ .handshake_ms = 500 });
}

static inline int set_up_hasty(void **state)
{
	return set_up_with(
		state,
		(struct link_limits){ .message_ms = 50, .close_ms = 50, .queue_octets = 100000 });
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	link_free(&f->server.link);
	link_free(&f->client.link);
	link_context_free(&f->context);
	event_base_free(f->base);
	free(f);
	return 0;
}

static inline struct net_addr listen_here(int *fd_out)
{
	struct net_addr addr;

	assert_int_equal(net_parse("127.0.0.1:0", 0, &addr), 0);
	*fd_out = net_tcp_listen(&addr, false);
	assert_true(*fd_out >= 0);
	assert_int_equal(net_local(*fd_out, &addr), 0);
	return addr;
}

static inline int accept_one(int listening)
{
	int fd = -1;

	while (fd < 0)
		fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	close(listening);
	return fd;
}

/* A client logs in at a server; both ends are told of it. */
static inline void join(struct fixture *f, const char *identity, const uint8_t psk[LINK_PSK])
{
	const struct link_login login = { "crs.example:5223", identity, psk };
	int listening;
	struct net_addr addr = listen_here(&listening);

	assert_int_equal(link_connect(f->context, &addr, &login, &ops, &f->client, &f->client.link),
			 0);
	assert_int_equal(
		link_accept(f->context, accept_one(listening), &ops, &f->server, &f->server.link),
		0);
}

static inline void be_up(struct fixture *f)
{
	join(f, "alice", good_psk);
	LOOP_UNTIL(f->base, f->server.count[LINK_NEGOTIATED] && f->client.count[LINK_NEGOTIATED]);
}

/* A client of the test's own, which says what it likes after the handshake. */
struct raw {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	struct event *readable;
	bool up;
	uint8_t heard[1024];
	size_t heard_n;
};

static inline int raw_session(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *n,
			      SSL_SESSION **session)
{
	static const unsigned char suite[] = { 0x13, 0x01 };

	(void)md;
	*id = (const unsigned char *)"alice";
	*n = 5;
	*session = SSL_SESSION_new();
	SSL_SESSION_set1_master_key(*session, good_psk, LINK_PSK);
	SSL_SESSION_set_cipher(*session, SSL_CIPHER_find(ssl, suite));
	SSL_SESSION_set_protocol_version(*session, TLS1_3_VERSION);
	return 1;
}

static inline void raw_readable(evutil_socket_t fd, short what, void *arg)
{
	struct raw *raw = arg;
	int n;

	(void)fd;
	(void)what;
	if (!raw->up)
		raw->up = SSL_connect(raw->ssl) == 1;
	if (!raw->up)
		return;
	n = SSL_read(raw->ssl, raw->heard + raw->heard_n, (int)(sizeof(raw->heard) - raw->heard_n));
	if (n > 0)
		raw->heard_n += (size_t)n;
	else if (SSL_get_error(raw->ssl, n) != SSL_ERROR_WANT_READ)
		event_del(raw->readable);
}

static inline void raw_connect(struct fixture *f, struct raw *raw, const char *groups,
			       const char *suites)
{
	int listening;
	struct net_addr addr = listen_here(&listening);

	memset(raw, 0, sizeof(*raw));
	raw->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_psk_use_session_callback(raw->ctx, raw_session);
	assert_int_equal(SSL_CTX_set1_groups_list(raw->ctx, groups), 1);
	assert_int_equal(SSL_CTX_set_ciphersuites(raw->ctx, suites), 1);
	raw->ssl = SSL_new(raw->ctx);
	raw->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(raw->fd, &addr.sa, addr.len), 0);
	assert_int_equal(fcntl(raw->fd, F_SETFL, O_NONBLOCK), 0);
	SSL_set_fd(raw->ssl, raw->fd);
	raw->readable = event_new(f->base, raw->fd, EV_READ | EV_PERSIST, raw_readable, raw);
	event_add(raw->readable, NULL);
	raw_readable(raw->fd, 0, raw);
	assert_int_equal(
		link_accept(f->context, accept_one(listening), &ops, &f->server, &f->server.link),
		0);
}

static inline void raw_handshake(struct fixture *f, struct raw *raw)
{
	raw_connect(f, raw, "X25519", "TLS_AES_128_GCM_SHA256");
	LOOP_UNTIL(f->base, f->server.count[LINK_AUTHENTICATED]);
}

static inline void raw_say(struct raw *raw, const void *p, size_t n)
{
	assert_int_equal(SSL_write(raw->ssl, p, (int)n), (int)n);
}

static inline void raw_free(struct raw *raw)
{
	event_free(raw->readable);
	SSL_free(raw->ssl);
	SSL_CTX_free(raw->ctx);
	close(raw->fd);
}

static const char upgrade[] = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
			      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			      "Sec-WebSocket-Protocol: umsg.1\r\n\r\n";

#define WITH(set_up_, test) cmocka_unit_test_setup_teardown(test, set_up_, tear_down)

#endif
