/* How a link begins, and what it carries. */
#include "tests/umsg/link_scene.h"

#include <linux/tcp.h>

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

/* Packets with octets in them that have come at a socket. */
static unsigned packets_at(int fd)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n), 0);
	return info.tcpi_data_segs_in;
}

static void the_end_of_the_handshake_and_the_upgrade_are_one_packet(void **state)
{
	const struct link_login login = { "crs.example:5223", "alice", good_psk };
	struct fixture *f = *state;
	int listening, fd;
	struct net_addr addr = listen_here(&listening);

	assert_int_equal(link_connect(f->context, &addr, &login, &ops, &f->client, &f->client.link),
			 0);
	fd = accept_one(listening);
	assert_int_equal(link_accept(f->context, fd, &ops, &f->server, &f->server.link), 0);
	LOOP_UNTIL(f->base, f->server.count[LINK_NEGOTIATED]);
	assert_int_equal(packets_at(fd), 2); /* the hello is the other */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(set_up, both_ends_are_told_each_step),
		WITH(set_up, the_end_of_the_handshake_and_the_upgrade_are_one_packet),
		WITH(set_up, a_message_arrives_as_it_was_sent),
		WITH(set_up, many_messages_of_one_turn_all_arrive),
		WITH(set_up, a_wrong_key_and_an_unknown_identity_fail_alike),
		WITH(set_up, a_hello_may_use_p256_and_chacha),
		WITH(set_up, other_groups_and_suites_are_refused),
		WITH(set_up, a_bad_upgrade_is_answered_and_ends_the_link),
		WITH(set_up, messages_may_follow_the_upgrade_at_once),
		WITH(set_up, a_message_over_64_kib_is_answered_with_1009),
		WITH(set_up, nobody_there_is_told_from_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
