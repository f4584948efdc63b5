/* Which address of a PBX is called, and when one counts as down. */
#include "tests/unit.h"

#include <string.h>

#include "gateway/pbx_peers.h"

static void add(struct pbx_peers *peers, const char *address, unsigned priority, unsigned weight)
{
	struct pbx_peer peer = { .priority = priority, .weight = weight };

	assert_int_equal(net_parse(address, 5060, &peer.addr), 0);
	pbx_peers_add(peers, &peer);
}

/* Always the number that arg points to, so far as there are so many. */
static unsigned fixed(void *arg, unsigned below)
{
	unsigned n = *(unsigned *)arg;

	return n < below ? n : below - 1;
}

static const char *order(const struct pbx_peers *peers, unsigned draw, char out[64])
{
	const struct pbx_peer *list[PBX_PEERS_MAX];
	size_t n = pbx_peers_order(peers, 1000, fixed, &draw, list, PBX_PEERS_MAX);

	out[0] = '\0';
	for (size_t i = 0; i < n && i < 63; i++) { /* the last digit of each address */
		char text[NET_TEXT_SIZE];

		net_format_host(&list[i]->addr, text);
		out[i] = text[strlen(text) - 1];
		out[i + 1] = '\0';
	}
	return out;
}

static void priority_comes_first_then_weight_by_lot(void **state)
{
	struct pbx_peers peers = { .n = 0 };
	char text[64];

	(void)state;
	add(&peers, "10.0.0.1", 2, 1);
	add(&peers, "10.0.0.2", 1, 3);
	add(&peers, "10.0.0.3", 1, 1);
	assert_string_equal(order(&peers, 0, text), "231");
	assert_string_equal(order(&peers, 2, text), "231");
	assert_string_equal(order(&peers, 3, text), "321");
	add(&peers, "10.0.0.3", 0, 1); /* a repeat */
	assert_int_equal(peers.n, 3);
}

static void weights_are_shares(void **state)
{
	struct pbx_peers peers = { .n = 0 };
	unsigned first[2] = { 0, 0 };
	char text[64];

	(void)state;
	add(&peers, "10.0.0.1", 0, 3);
	add(&peers, "10.0.0.2", 0, 1);
	for (unsigned draw = 0; draw < 4; draw++)
		first[order(&peers, draw, text)[0] - '1']++;
	assert_int_equal(first[0], 3);
	assert_int_equal(first[1], 1);
	peers.list[0].weight = peers.list[1].weight = 0;
	assert_string_equal(order(&peers, 7, text), "12");
}

static void what_is_down_or_asks_for_a_pause_comes_last(void **state)
{
	struct pbx_peers peers = { .n = 0 };
	char text[64];

	(void)state;
	add(&peers, "10.0.0.1", 0, 1);
	add(&peers, "10.0.0.2", 5, 1);
	pbx_peer_report(&peers.list[0], 503, 10, 0);
	assert_string_equal(order(&peers, 0, text), "21"); /* Retry-After: to 10000 */
	pbx_peer_report(&peers.list[0], 200, 0, 0);
	assert_string_equal(order(&peers, 0, text), "12");
	pbx_peer_report(&peers.list[0], 408, 0, 0);
	pbx_peer_report(&peers.list[0], 408, 0, 0);
	assert_string_equal(order(&peers, 0, text), "21");
	assert_true(pbx_peers_usable(&peers));
	pbx_peer_report(&peers.list[1], 500, 0, 0);
	pbx_peer_report(&peers.list[1], 502, 0, 0);
	assert_false(pbx_peers_usable(&peers));
	assert_string_equal(order(&peers, 0, text), "12"); /* better than none */
}

static const struct {
	unsigned code;
	bool lives;
} codes[] = {
	{ 200, true },  { 403, true },  { 404, true },  { 405, true },  { 488, true },
	{ 501, true },  { 603, true },  { 302, true },  { 408, false }, { 503, false },
	{ 500, false }, { 504, false }, { 599, false },
};

static void every_answer_but_5xx_proves_life(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct pbx_peer peer = { .failures = 0 };

		assert_int_equal(pbx_peer_report(&peer, codes[i].code, 0, 5), codes[i].lives);
		assert_int_equal(pbx_peer_report(&peer, codes[i].code, 0, 6), !codes[i].lives);
		assert_int_equal(peer.state, codes[i].lives ? PBX_PEER_UP : PBX_PEER_DOWN);
		assert_int_equal(peer.since_ms, codes[i].lives ? 5 : 6);
		assert_false(pbx_peer_report(&peer, codes[i].code, 0, 7));
	}
}

static void one_failure_between_answers_is_forgiven(void **state)
{
	struct pbx_peer peer = { .failures = 0 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		pbx_peer_report(&peer, 200, 0, 0);
		assert_false(pbx_peer_report(&peer, 408, 0, 0));
		assert_int_equal(peer.state, PBX_PEER_UP);
	}
	pbx_peer_report(&peer, 408, 0, 0);
	assert_int_equal(peer.state, PBX_PEER_DOWN);
	assert_true(pbx_peer_report(&peer, 200, 0, 0)); /* one answer is enough */
}

static void a_name_that_means_something_else_keeps_what_is_known(void **state)
{
	struct pbx_peers before = { .n = 0 }, now = { .n = 0 };

	(void)state;
	add(&before, "10.0.0.1", 0, 1);
	add(&before, "10.0.0.2", 0, 1);
	pbx_peer_report(&before.list[1], 200, 0, 3);
	add(&now, "10.0.0.2", 7, 9);
	add(&now, "10.0.0.3", 0, 1);
	pbx_peers_replace(&before, &now);
	assert_int_equal(before.n, 2);
	assert_int_equal(before.list[0].state, PBX_PEER_UP);
	assert_int_equal(before.list[0].priority, 7);
	assert_int_equal(before.list[1].state, PBX_PEER_UNKNOWN);
}

static void addresses_beyond_the_room_are_left_out(void **state)
{
	struct pbx_peers peers = { .n = 0 };
	const struct pbx_peer *list[4];
	unsigned draw = 0;

	(void)state;
	for (unsigned i = 0; i < PBX_PEERS_MAX + 3; i++) {
		struct pbx_peer peer = { .weight = 1 };

		assert_int_equal(net_parse("10.0.0.1", (uint16_t)(5060 + i), &peer.addr), 0);
		pbx_peers_add(&peers, &peer);
	}
	assert_int_equal(peers.n, PBX_PEERS_MAX);
	assert_int_equal(pbx_peers_order(&peers, 0, fixed, &draw, list, 4), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(priority_comes_first_then_weight_by_lot),
		cmocka_unit_test(weights_are_shares),
		cmocka_unit_test(what_is_down_or_asks_for_a_pause_comes_last),
		cmocka_unit_test(every_answer_but_5xx_proves_life),
		cmocka_unit_test(one_failure_between_answers_is_forgiven),
		cmocka_unit_test(a_name_that_means_something_else_keeps_what_is_known),
		cmocka_unit_test(addresses_beyond_the_room_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
