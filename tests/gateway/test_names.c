/* Names by DNS, against a name server of the test's own: what is asked how often, what is
 * kept, and where SRV records lead.  Run under a sanitizer, a leak is a failure. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/net.h"
#include "gateway/names.h"
#include "gateway/resolver.h"
#include "tests/umsg/loop.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, TYPE_SRV = 33, NXDOMAIN = 3, SERVFAIL = 2 };

/* What the name server says of names that begin with some text; ttl 0: not to be kept. */
struct zone_line {
	const char *name;
	unsigned type;
	uint32_t ttl;
	uint16_t priority, weight, port; /* of SRV */
	const char *data;                /* an address, or a target's first label in .test */
};

struct name_server {
	int fd;
	struct event *event;
	const struct zone_line *zone;
	unsigned fails;     /* answers everything with this code; 0: as the zone says */
	unsigned asked[64]; /* by type */
};

struct scene {
	struct event_base *base;
	struct names *names;
	struct resolver *resolver;
	struct name_server server, other;
	struct names_question *question;
	unsigned answers;
	int err;
	struct net_addr addr;
	size_t n_addrs;
	struct resolver_way ways[RESOLVER_MAX];
	size_t n_ways;
	char text[160];
};

/* ---- the name server ---- */

static void read_name(const uint8_t *query, char out[256])
{
	size_t at = 12, n = 0;

	while (query[at] && n < 200) {
		memcpy(out + n, query + at + 1, query[at]);
		n += query[at];
		out[n++] = '.';
		at += 1u + query[at];
	}
	out[n ? n - 1 : 0] = '\0';
}

static void put_target(struct buf *b, const char *label)
{
	if (label[0]) {
		buf_put_u8(b, (uint8_t)strlen(label));
		buf_put_str(b, label);
		buf_put_u8(b, 4);
		buf_put_str(b, "test");
	}
	buf_put_u8(b, 0);
}

static void put_data(struct buf *b, const struct zone_line *line)
{
	struct net_addr addr;

	if (line->type == TYPE_SRV) {
		buf_put_u16(b, line->priority);
		buf_put_u16(b, line->weight);
		buf_put_u16(b, line->port);
		put_target(b, line->data);
		return;
	}
	assert_int_equal(net_parse(line->data, 0, &addr), 0);
	if (line->type == TYPE_AAAA)
		buf_put(b, &addr.in6.sin6_addr, 16);
	else
		buf_put(b, &addr.in.sin_addr, 4);
}

static void put_line(struct buf *b, const struct zone_line *line)
{
	uint8_t room[128];
	struct buf data = BUF_OF(room);

	put_data(&data, line);
	buf_put_u16(b, 0xc00c);
	buf_put_u16(b, (uint16_t)line->type);
	buf_put_u16(b, 1);
	buf_put_u32(b, line->ttl);
	buf_put_l16(b, buf_slice(&data));
}

static void on_query(evutil_socket_t fd, short what, void *arg)
{
	struct name_server *server = arg;
	uint8_t query[512], room[1024];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&from, &from_len);
	struct buf b = BUF_OF(room);
	unsigned type, answers = 0;
	bool there = false;
	char name[256];

	(void)what;
	assert_true(n > 16);
	read_name(query, name);
	type = query[n - 3];
	server->asked[type & 63]++;
	buf_put(&b, query, (size_t)n);
	for (const struct zone_line *line = server->zone; line->name; line++) {
		if (strcmp(line->name, name) != 0)
			continue;
		there = true;
		if (line->type == type && !server->fails) {
			put_line(&b, line);
			answers++;
		}
	}
	room[2] = 0x81;
	room[3] = (uint8_t)(0x80 | (server->fails ? server->fails : there ? 0 : NXDOMAIN));
	room[7] = (uint8_t)answers;
	assert_true(sendto(fd, room, b.len, 0, (struct sockaddr *)&from, from_len) > 0);
}

static struct net_addr serve(struct scene *s, struct name_server *server,
			     const struct zone_line *zone)
{
	struct net_addr at;

	assert_int_equal(net_parse("127.0.0.1:0", 0, &at), 0);
	server->fd = net_udp_socket(&at, false);
	assert_true(server->fd >= 0);
	server->zone = zone;
	server->event = event_new(s->base, server->fd, EV_READ | EV_PERSIST, on_query, server);
	event_add(server->event, NULL);
	assert_int_equal(net_local(server->fd, &at), 0);
	return at;
}

static void end_server(struct name_server *server)
{
	if (!server->event)
		return;
	event_free(server->event);
	close(server->fd);
}

static const struct zone_line zone[] = {
	{ "pbx.test", TYPE_A, 300, 0, 0, 0, "192.0.2.1" },
	{ "short.test", TYPE_A, 0, 0, 0, 0, "192.0.2.9" },
	{ "two.test", TYPE_A, 300, 0, 0, 0, "192.0.2.2" },
	{ "two.test", TYPE_AAAA, 300, 0, 0, 0, "2001:db8::2" },
	{ "one.test", TYPE_A, 300, 0, 0, 0, "192.0.2.1" },
	{ "_sip._udp.trunk.test", TYPE_SRV, 300, 20, 0, 5062, "one" },
	{ "_sip._udp.trunk.test", TYPE_SRV, 300, 10, 30, 5060, "one" },
	{ "_sip._udp.trunk.test", TYPE_SRV, 300, 10, 10, 5080, "two" },
	{ "_sip._udp.trunk.test", TYPE_SRV, 300, 10, 60, 5080, "gone" },
	{ "_sips._tcp.trunk.test", TYPE_SRV, 300, 0, 0, 5071, "one" },
	{ "_sip._udp.closed.test", TYPE_SRV, 300, 0, 0, 0, "" },
	{ "closed.test", TYPE_A, 300, 0, 0, 0, "192.0.2.1" },
	{ "_sip._udp.lost.test", TYPE_SRV, 300, 0, 0, 5060, "gone" },
	{ "lost.test", TYPE_A, 300, 0, 0, 0, "192.0.2.1" },
	{ NULL, 0, 0, 0, 0, 0, NULL },
};

static const struct zone_line other_zone[] = {
	{ "pbx.test", TYPE_A, 300, 0, 0, 0, "192.0.2.77" },
	{ NULL, 0, 0, 0, 0, 0, NULL },
};

/* ---- the scene ---- */

static int set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct net_addr at;

	assert_non_null(s);
	s->base = event_base_new();
	s->names = names_new(s->base);
	s->resolver = resolver_new(s->base);
	assert_non_null(s->names);
	assert_non_null(s->resolver);
	at = serve(s, &s->server, zone);
	names_set_servers(s->names, &at, 1);
	resolver_set_servers(s->resolver, &at, 1);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	names_free(&s->names);
	resolver_free(&s->resolver);
	end_server(&s->server);
	end_server(&s->other);
	event_base_free(s->base);
	free(s);
	return 0;
}

static void on_answer(void *arg, const struct names_answer *answer)
{
	struct scene *s = arg;

	s->answers++;
	s->err = answer->err;
	s->n_addrs = answer->n_addrs;
	if (answer->n_addrs)
		s->addr = answer->addrs[0];
	assert_int_equal(answer->err == 0, answer->text[0] == '\0');
}

static void ask(struct scene *s, const char *host)
{
	s->answers = 0;
	s->question = names_ask(s->names, NAMES_HOST, host, on_answer, s);
	assert_non_null(s->question);
	assert_int_equal(s->answers, 0);
}

static void look_up(struct scene *s, const char *host)
{
	ask(s, host);
	LOOP_UNTIL(s->base, s->answers == 1);
}

static void assert_host(const struct net_addr *addr, const char *wanted)
{
	char text[NET_TEXT_SIZE];

	net_format(addr, text);
	assert_string_equal(text, wanted);
}

static void an_answer_is_kept_for_its_time_to_live(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 3; i++) {
		look_up(s, i == 1 ? "PBX.test" : "pbx.test");
		assert_int_equal(s->err, 0);
		assert_host(&s->addr, "192.0.2.1:0");
	}
	assert_int_equal(s->server.asked[TYPE_A], 1);
	for (int i = 0; i < 3; i++)
		look_up(s, "short.test");
	assert_int_equal(s->server.asked[TYPE_A], 4);
}

static void those_who_ask_at_once_ask_once(void **state)
{
	struct scene *s = *state;
	struct names_question *dropped;

	for (int i = 0; i < 5; i++)
		ask(s, "short.test");
	dropped = names_ask(s->names, NAMES_HOST, "short.test", on_answer, s);
	names_drop(&dropped);
	assert_null(dropped);
	names_drop(&dropped); /* of nothing */
	LOOP_UNTIL(s->base, s->answers == 5);
	assert_int_equal(s->server.asked[TYPE_A], 1);
	event_base_loop(s->base, EVLOOP_NONBLOCK);
	assert_int_equal(s->answers, 5);
}

static void a_name_that_is_not_there_is_not_asked_for_again_at_once(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 3; i++) {
		look_up(s, "gone.test");
		assert_int_equal(s->err, -ENOENT);
	}
	assert_int_equal(s->server.asked[TYPE_A], 1);
}

static void what_was_known_holds_while_the_name_server_fails(void **state)
{
	struct scene *s = *state;

	look_up(s, "short.test");
	s->server.fails = SERVFAIL;
	look_up(s, "short.test");
	assert_int_equal(s->err, 0);
	assert_host(&s->addr, "192.0.2.9:0");
	assert_true(s->server.asked[TYPE_A] > 1);
	look_up(s, "pbx.test"); /* of which nothing is known */
	assert_int_equal(s->err, -EHOSTUNREACH);
}

static void other_name_servers_are_asked_anew_for_what_is_known_and_under_way(void **state)
{
	struct scene *s = *state;
	struct net_addr at = serve(s, &s->other, other_zone);

	look_up(s, "pbx.test");
	names_set_servers(s->names, &at, 1);
	look_up(s, "pbx.test");
	assert_host(&s->addr, "192.0.2.77:0");
	ask(s, "two.test");
	assert_int_equal(net_local(s->server.fd, &at), 0);
	names_set_servers(s->names, &at, 1);
	LOOP_UNTIL(s->base, s->answers == 1);
	assert_int_equal(s->n_addrs, 2);
}

static void the_owner_may_go_while_questions_are_open(void **state)
{
	struct scene *s = *state;

	ask(s, "pbx.test");
	ask(s, "gone.test");
	look_up(s, "localhost");
	ask(s, "localhost");
	names_free(&s->names);
	assert_null(s->names);
	event_base_loop(s->base, EVLOOP_NONBLOCK);
	assert_int_equal(s->answers, 0);
}

/* ---- SIP servers ---- */

static void on_ways(void *arg, int err, const struct resolver_way *ways, size_t n, const char *text)
{
	struct scene *s = arg;

	s->answers++;
	s->err = err;
	s->n_ways = n;
	if (n) /* memcpy from nothing is not defined */
		memcpy(s->ways, ways, n * sizeof(*ways));
	strncpy(s->text, text, sizeof(s->text) - 1);
}

static void find(struct scene *s, const char *host, uint16_t port, enum sip_transport transport)
{
	s->answers = 0;
	assert_non_null(resolver_start_sip(s->resolver, host, port, transport, on_ways, s));
	assert_int_equal(s->answers, 0);
	LOOP_UNTIL(s->base, s->answers == 1);
}

/* RFC 2782: one priority shares by weight, a target with two addresses shares its part, one
 * without any has none. */
static void srv_records_say_where_a_sip_server_is(void **state)
{
	struct scene *s = *state;

	find(s, "trunk.test", 0, SIP_UDP);
	assert_int_equal(s->err, 0);
	assert_int_equal(s->n_ways, 4);
	assert_host(&s->ways[0].addr, "192.0.2.1:5060");
	assert_int_equal(s->ways[0].priority, 10);
	assert_int_equal(s->ways[0].share, RESOLVER_SHARES * 3 / 4);
	assert_int_equal(net_port(&s->ways[1].addr), 5080);
	assert_int_equal(s->ways[1].share, RESOLVER_SHARES / 8);
	assert_int_equal(s->ways[2].share, RESOLVER_SHARES / 8);
	assert_host(&s->ways[3].addr, "192.0.2.1:5062");
	assert_int_equal(s->ways[3].priority, 20);
	find(s, "trunk.test", 0, SIP_TLS);
	assert_int_equal(s->n_ways, 1);
	assert_host(&s->ways[0].addr, "192.0.2.1:5071");
}

static void without_srv_records_or_with_a_port_the_host_is_the_server(void **state)
{
	static const struct {
		const char *host;
		uint16_t port;
		enum sip_transport transport;
		const char *wanted;
	} cases[] = {
		{ "pbx.test", 0, SIP_UDP, "192.0.2.1:5060" },
		{ "pbx.test", 0, SIP_TLS, "192.0.2.1:5061" },
		{ "one.test", 5090, SIP_TCP, "192.0.2.1:5090" },
		{ "192.0.2.5", 0, SIP_TCP, "192.0.2.5:5060" },
		{ "2001:db8::5", 0, SIP_TLS, "[2001:db8::5]:5061" },
		{ "localhost", 0, SIP_UDP, "127.0.0.1:5060" }, /* of /etc/hosts */
	};
	struct scene *s = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool there = false;

		find(s, cases[i].host, cases[i].port, cases[i].transport);
		for (size_t k = 0; k < s->n_ways; k++) {
			char text[NET_TEXT_SIZE];

			net_format(&s->ways[k].addr, text);
			there |= strcmp(text, cases[i].wanted) == 0;
		}
		assert_true(there);
	}
	assert_int_equal(s->server.asked[TYPE_SRV], 2); /* for pbx.test, each of them once */
}

/* RFC 3263 4.2, RFC 2782: no way back to the host's own address. */
static void srv_records_that_lead_nowhere_are_an_answer(void **state)
{
	struct scene *s = *state;

	find(s, "closed.test", 0, SIP_UDP);
	assert_int_equal(s->err, -EHOSTUNREACH);
	assert_non_null(strstr(s->text, "no such service"));
	find(s, "lost.test", 0, SIP_UDP);
	assert_int_equal(s->err, -EHOSTUNREACH);
	assert_non_null(strstr(s->text, "no such name"));
}

static void a_search_may_be_given_up_at_any_turn(void **state)
{
	struct scene *s = *state;

	for (unsigned turns = 0; turns < 12; turns++) {
		struct resolution *r =
			resolver_start_sip(s->resolver, "trunk.test", 0, SIP_UDP, on_ways, s);

		s->answers = 0;
		for (unsigned i = 0; i < turns && !s->answers; i++)
			event_base_loop(s->base, EVLOOP_NONBLOCK);
		if (!s->answers)
			resolver_cancel(&r);
	}
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(an_answer_is_kept_for_its_time_to_live),
		SCENE_TEST(those_who_ask_at_once_ask_once),
		SCENE_TEST(a_name_that_is_not_there_is_not_asked_for_again_at_once),
		SCENE_TEST(what_was_known_holds_while_the_name_server_fails),
		SCENE_TEST(other_name_servers_are_asked_anew_for_what_is_known_and_under_way),
		SCENE_TEST(the_owner_may_go_while_questions_are_open),
		SCENE_TEST(srv_records_say_where_a_sip_server_is),
		SCENE_TEST(without_srv_records_or_with_a_port_the_host_is_the_server),
		SCENE_TEST(srv_records_that_lead_nowhere_are_an_answer),
		SCENE_TEST(a_search_may_be_given_up_at_any_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
