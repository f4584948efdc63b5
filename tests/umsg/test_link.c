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

static void on_event(void *arg, struct link *link, const struct link_event *event)
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

static void on_psk(void *arg, struct link *link, struct slice identity, uint8_t psk_out[LINK_PSK])
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

static int set_up_with(void **state, struct link_limits limits)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->base = event_base_new();
	f->limits = limits;
	*state = f;
	return link_context_new(f->base, &limits, &f->context);
}

static int set_up(void **state)
{
	return set_up_with(state, (struct link_limits){ 0 });
}

/* Short limits for what a test lets time out, the usual ones for the rest: a busy
 * machine may take its time for a handshake. */
static int set_up_hasty_handshake(void **state)
{
	return set_up_with(state, (struct link_limits){ .handshake_ms = 500 });
}

static int set_up_hasty(void **state)
{
	return set_up_with(
		state,
		(struct link_limits){ .message_ms = 50, .close_ms = 50, .queue_octets = 100000 });
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	link_free(&f->server.link);
	link_free(&f->client.link);
	link_context_free(&f->context);
	event_base_free(f->base);
	free(f);
	return 0;
}

static struct net_addr listen_here(int *fd_out)
{
	struct net_addr addr;

	assert_int_equal(net_parse("127.0.0.1:0", 0, &addr), 0);
	*fd_out = net_tcp_listen(&addr, false);
	assert_true(*fd_out >= 0);
	assert_int_equal(net_local(*fd_out, &addr), 0);
	return addr;
}

static int accept_one(int listening)
{
	int fd = -1;

	while (fd < 0)
		fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	close(listening);
	return fd;
}

/* A client logs in at a server; both ends are told of it. */
static void join(struct fixture *f, const char *identity, const uint8_t psk[LINK_PSK])
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

static void be_up(struct fixture *f)
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

static int raw_session(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *n,
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

static void raw_readable(evutil_socket_t fd, short what, void *arg)
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

static void raw_connect(struct fixture *f, struct raw *raw, const char *groups, const char *suites)
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

static void raw_handshake(struct fixture *f, struct raw *raw)
{
	raw_connect(f, raw, "X25519", "TLS_AES_128_GCM_SHA256");
	LOOP_UNTIL(f->base, f->server.count[LINK_AUTHENTICATED]);
}

static void raw_say(struct raw *raw, const void *p, size_t n)
{
	assert_int_equal(SSL_write(raw->ssl, p, (int)n), (int)n);
}

static void raw_free(struct raw *raw)
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

/* CCA-002: TLS with a PSK, then a WebSocket. */
static void both_ends_are_told_each_step(void **state)
{
	struct fixture *f = *state;

	be_up(f);
	assert_string_equal(f->server.identity, "alice");
	assert_int_equal(f->client.count[LINK_CONNECTED], 1);
	assert_int_equal(f->server.asked, 1);
	assert_string_equal(link_cipher(f->server.link), "TLS_AES_128_GCM_SHA256");
	assert_true(net_is_loopback(link_peer(f->server.link)));
}

static void a_message_arrives_as_it_was_sent(void **state)
{
	static const size_t lengths[] = { 0, 1, 1000, 16384, LINK_MESSAGE_MAX };
	static uint8_t body[LINK_MESSAGE_MAX];
	struct fixture *f = *state;

	be_up(f);
	f->server.echo = true;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 31);
	for (unsigned i = 0; i < COUNT(lengths); i++) {
		assert_int_equal(link_send(f->client.link, slice_of(body, lengths[i])), 0);
		LOOP_UNTIL(f->base, f->client.count[LINK_FRAME] == i + 1);
		assert_int_equal(f->client.last_n, lengths[i]);
		assert_memory_equal(f->client.last, body, lengths[i]);
	}
	assert_int_equal(link_send(f->client.link, slice_of(body, sizeof(body) + 1)), -EMSGSIZE);
	assert_int_equal(link_queued(f->client.link), 0);
}

static void many_messages_of_one_turn_all_arrive(void **state)
{
	struct fixture *f = *state;
	struct link_stats stats;

	be_up(f);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(link_send(f->client.link, slice_str("hello")), 0);
	LOOP_UNTIL(f->base, f->server.count[LINK_FRAME] == 1000);
	link_stats(f->server.link, &stats);
	assert_int_equal(stats.octets_in, 5000);
}

static void a_wrong_key_and_an_unknown_identity_fail_alike(void **state)
{
	struct fixture *f = *state;

	join(f, "alice", other_psk);
	LOOP_UNTIL(f->base, f->client.count[LINK_CLOSED] && f->server.count[LINK_CLOSED]);
	assert_int_equal(f->client.reason, LINK_REFUSED);
	assert_int_equal(f->server.reason, LINK_REFUSED);
	assert_int_equal(f->client.count[LINK_AUTHENTICATED], 0);
	link_free(&f->client.link);
	link_free(&f->server.link);
	memset(&f->client, 0, sizeof(f->client));
	memset(&f->server, 0, sizeof(f->server));
	join(f, "bob", good_psk);
	LOOP_UNTIL(f->base, f->client.count[LINK_CLOSED] && f->server.count[LINK_CLOSED]);
	assert_int_equal(f->client.reason, LINK_REFUSED);
	assert_int_equal(f->server.reason, LINK_REFUSED);
	assert_int_equal(f->server.count[LINK_AUTHENTICATED], 0);
	assert_string_equal(f->server.first, "bob");
}

static void a_hello_may_use_p256_and_chacha(void **state)
{
	struct fixture *f = *state;
	struct raw raw;

	/* The key share is of a group that we do not have, so the hello comes twice. */
	raw_connect(f, &raw, "P-521:P-256", "TLS_CHACHA20_POLY1305_SHA256");
	LOOP_UNTIL(f->base, f->server.count[LINK_AUTHENTICATED]);
	assert_int_equal(f->server.asked, 1);
	assert_string_equal(link_cipher(f->server.link), "TLS_CHACHA20_POLY1305_SHA256");
	raw_free(&raw);
}

static const struct {
	const char *groups, *suites;
} foreign[] = {
	{ "P-521", "TLS_AES_128_GCM_SHA256" },
	{ "X25519", "TLS_AES_256_GCM_SHA384" },
};

static void other_groups_and_suites_are_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(foreign); i++) {
		struct raw raw;

		memset(&f->server, 0, sizeof(f->server));
		raw_connect(f, &raw, foreign[i].groups, foreign[i].suites);
		LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
		assert_int_equal(f->server.count[LINK_AUTHENTICATED], 0);
		link_free(&f->server.link);
		raw_free(&raw);
	}
}

static void a_bad_upgrade_is_answered_and_ends_the_link(void **state)
{
	struct fixture *f = *state;
	struct raw raw;

	raw_handshake(f, &raw);
	raw_say(&raw, "GET /other HTTP/1.1\r\n\r\n", 23);
	LOOP_UNTIL(f->base, raw.heard_n >= 12);
	assert_memory_equal(raw.heard, "HTTP/1.1 404", 12);
	raw_free(&raw);
	LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
	assert_int_equal(f->server.reason, LINK_BAD_UPGRADE);
	assert_int_equal(f->server.count[LINK_NEGOTIATED], 0);
}

/* Upgrade and first message in one record. */
static void messages_may_follow_the_upgrade_at_once(void **state)
{
	struct fixture *f = *state;
	struct raw raw;
	char both[512];
	size_t n = sizeof(upgrade) - 1;

	raw_handshake(f, &raw);
	memcpy(both, upgrade, n);
	memcpy(both + n, "\x82\x82\0\0\0\0hi", 8);
	raw_say(&raw, both, n + 8);
	LOOP_UNTIL(f->base, f->server.count[LINK_FRAME]);
	assert_int_equal(f->server.last_n, 2);
	raw_free(&raw);
}

static void a_message_over_64_kib_is_answered_with_1009(void **state)
{
	static const uint8_t header[] = { 0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 'x' };
	struct fixture *f = *state;
	struct raw raw;
	size_t before;

	raw_handshake(f, &raw);
	raw_say(&raw, upgrade, sizeof(upgrade) - 1);
	LOOP_UNTIL(f->base, raw.heard_n > 0);
	before = raw.heard_n;
	raw_say(&raw, header, sizeof(header));
	LOOP_UNTIL(f->base, raw.heard_n >= before + 4);
	assert_memory_equal(raw.heard + before, "\x88\x02\x03\xf1", 4);
	assert_int_equal(f->server.count[LINK_FRAME], 0);
	raw_free(&raw);
	LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
	assert_int_equal(f->server.reason, LINK_TOO_LARGE);
}

static void who_does_not_shake_hands_in_time_is_cut_off(void **state)
{
	struct fixture *f = *state;
	int listening, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct net_addr addr = listen_here(&listening);

	assert_int_equal(connect(fd, &addr.sa, addr.len), 0);
	assert_int_equal(
		link_accept(f->context, accept_one(listening), &ops, &f->server, &f->server.link),
		0);
	LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
	assert_int_equal(f->server.reason, LINK_TIMED_OUT);
	close(fd);
}

static void who_does_not_end_a_head_in_time_is_cut_off(void **state)
{
	struct fixture *f = *state;
	struct raw raw;

	raw_handshake(f, &raw);
	raw_say(&raw, "GET / HT", 8);
	LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
	assert_int_equal(f->server.reason, LINK_TIMED_OUT);
	raw_free(&raw);
}

static void who_does_not_end_a_message_in_time_is_cut_off(void **state)
{
	struct fixture *f = *state;
	struct raw raw;

	raw_handshake(f, &raw);
	raw_say(&raw, upgrade, sizeof(upgrade) - 1);
	LOOP_UNTIL(f->base, f->server.count[LINK_NEGOTIATED]);
	raw_say(&raw, "\x82\x82\0\0\0\0h", 7);
	LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
	assert_int_equal(f->server.reason, LINK_TIMED_OUT);
	raw_free(&raw);
}

static void who_does_not_read_is_cut_off(void **state)
{
	static uint8_t body[60000];
	struct fixture *f = *state;
	int err = 0;

	be_up(f);
	link_pause(f->client.link, true);
	while (!err) {
		err = link_send(f->server.link, slice_of(body, sizeof(body)));
		event_base_loop(f->base, EVLOOP_NONBLOCK);
	}
	assert_int_equal(err, -ENOBUFS);
	LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
	assert_int_equal(f->server.reason, LINK_SLOW);
	assert_int_equal(link_send(f->server.link, slice_str("x")), -ENOTCONN);
}

static void a_close_is_answered_and_both_know_the_code(void **state)
{
	struct fixture *f = *state;

	be_up(f);
	assert_int_equal(link_send(f->server.link, slice_str("last words")), 0);
	link_close(f->server.link, 1001);
	LOOP_UNTIL(f->base, f->client.count[LINK_CLOSED] && f->server.count[LINK_CLOSED]);
	assert_int_equal(f->client.count[LINK_FRAME], 1);
	assert_int_equal(f->client.reason, LINK_BY_PEER);
	assert_int_equal(f->client.code, 1001);
	assert_int_equal(f->server.reason, LINK_BY_US);
}

/* CCA-004: the server is told of a client's pings. */
static void silence_is_pinged_and_the_answer_is_timed(void **state)
{
	struct fixture *f = *state;

	be_up(f);
	link_set_keep_alive(f->client.link, LINK_KEEP_WS, 5, 5000);
	LOOP_UNTIL(f->base, f->client.count[LINK_PONG] >= 3);
	assert_true(f->server.count[LINK_PINGED] >= 3);
	assert_int_equal(f->client.count[LINK_CLOSED], 0);
}

static void no_answer_to_a_ping_ends_the_link(void **state)
{
	struct fixture *f = *state;

	be_up(f);
	link_pause(f->client.link, true);
	link_set_keep_alive(f->server.link, LINK_KEEP_WS, 5, 20);
	LOOP_UNTIL(f->base, f->server.count[LINK_CLOSED]);
	assert_int_equal(f->server.reason, LINK_SILENT);
}

static void nobody_there_is_told_from_the_loop(void **state)
{
	const struct link_login login = { "x", "alice", good_psk };
	struct fixture *f = *state;
	int listening;
	struct net_addr addr = listen_here(&listening);

	close(listening);
	assert_int_equal(link_connect(f->context, &addr, &login, &ops, &f->client, &f->client.link),
			 0);
	assert_int_equal(f->client.count[LINK_CLOSED], 0);
	LOOP_UNTIL(f->base, f->client.count[LINK_CLOSED]);
	assert_int_equal(f->client.reason, LINK_UNREACHABLE);
}

static void a_link_may_be_freed_in_its_own_callback(void **state)
{
	struct fixture *f = *state;

	be_up(f);
	f->server.free_at_frame = true;
	assert_int_equal(link_send(f->client.link, slice_str("one")), 0);
	assert_int_equal(link_send(f->client.link, slice_str("two")), 0);
	LOOP_UNTIL(f->base, f->client.count[LINK_CLOSED]);
	assert_null(f->server.link);
	assert_int_equal(f->server.count[LINK_FRAME], 1);
	assert_int_equal(f->server.count[LINK_CLOSED], 0);
}

/* Something that is due in each of so many turns of the loop. */
struct busy {
	struct event *event;
	unsigned left, frames; /* what had come when it ended */
	const struct end *end;
};

static void on_busy(evutil_socket_t fd, short what, void *arg)
{
	struct busy *busy = arg;

	(void)fd;
	(void)what;
	busy->frames = busy->end->count[LINK_FRAME];
	if (--busy->left == 0)
		event_del(busy->event);
}

static int set_up_priorities(void **state)
{
	int err = set_up(state);
	struct fixture *f = *state;

	return err ? err : event_base_priority_init(f->base, 2);
}

static void a_link_waits_for_what_comes_before_it(void **state)
{
	struct fixture *f = *state;
	int fds[2];

	be_up(f);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1); /* there is always something to read */
	link_set_priority(f->client.link, 0);
	for (int priority = 0; priority < 2; priority++) {
		struct busy busy = { .left = 500, .end = &f->server };
		unsigned before = f->server.count[LINK_FRAME];

		link_set_priority(f->server.link, priority);
		busy.event = event_new(f->base, fds[0], EV_READ | EV_PERSIST, on_busy, &busy);
		assert_int_equal(event_priority_set(busy.event, 0), 0);
		assert_int_equal(event_add(busy.event, NULL), 0);
		assert_int_equal(link_send(f->client.link, slice_str("x")), 0);
		LOOP_UNTIL(f->base, busy.left == 0 && f->server.count[LINK_FRAME] == before + 1);
		assert_int_equal(busy.frames, priority == 0 ? before + 1 : before);
		event_free(busy.event);
	}
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
#define WITH(set_up_, test) cmocka_unit_test_setup_teardown(test, set_up_, tear_down)
	const struct CMUnitTest tests[] = {
		WITH(set_up, both_ends_are_told_each_step),
		WITH(set_up, a_message_arrives_as_it_was_sent),
		WITH(set_up, many_messages_of_one_turn_all_arrive),
		WITH(set_up, a_wrong_key_and_an_unknown_identity_fail_alike),
		WITH(set_up, a_hello_may_use_p256_and_chacha),
		WITH(set_up, other_groups_and_suites_are_refused),
		WITH(set_up, a_bad_upgrade_is_answered_and_ends_the_link),
		WITH(set_up, messages_may_follow_the_upgrade_at_once),
		WITH(set_up, a_message_over_64_kib_is_answered_with_1009),
		WITH(set_up_hasty_handshake, who_does_not_shake_hands_in_time_is_cut_off),
		WITH(set_up_hasty_handshake, who_does_not_end_a_head_in_time_is_cut_off),
		WITH(set_up_hasty, who_does_not_end_a_message_in_time_is_cut_off),
		WITH(set_up_hasty, who_does_not_read_is_cut_off),
		WITH(set_up, a_close_is_answered_and_both_know_the_code),
		WITH(set_up, silence_is_pinged_and_the_answer_is_timed),
		WITH(set_up, no_answer_to_a_ping_ends_the_link),
		WITH(set_up, nobody_there_is_told_from_the_loop),
		WITH(set_up, a_link_may_be_freed_in_its_own_callback),
		WITH(set_up_priorities, a_link_waits_for_what_comes_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
