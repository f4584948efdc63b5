/* What strangers and clients may do, and how often the log tells of it. */
#include "tests/unit.h"

#include <stdio.h>

#include "base/net.h"
#include "rendezvous/allowances.h"
#include "rendezvous/complaints.h"
#include "rendezvous/peer_limits.h"
#include "rendezvous/request_limits.h"

enum { NOW_MS = 1000000 };

static void a_client_may_do_so_much_at_once_and_so_much_in_the_long_run(void **state)
{
	(void)state;
	for (int k = 0; k < REQUEST_KINDS; k++) {
		enum request_kind kind = (enum request_kind)k;
		enum request_kind next = (kind + 1) % REQUEST_KINDS;
		struct request_rate rate = request_rate(kind);
		struct request_limits limits = { 0 };

		for (uint32_t i = 0; i < rate.burst; i++)
			assert_true(request_limits_take(&limits, kind, rate, NOW_MS));
		assert_false(request_limits_take(&limits, kind, rate, NOW_MS));
		assert_false(request_limits_take(&limits, kind, rate, NOW_MS + rate.each_ms - 1));
		assert_true(request_limits_take(&limits, kind, rate, NOW_MS + rate.each_ms));
		assert_false(request_limits_take(&limits, kind, rate, NOW_MS + rate.each_ms));
		/* The others are as they were. */
		assert_true(request_limits_take(&limits, next, request_rate(next), NOW_MS));
		/* All of it comes back, also where the lower half of the time wraps round. */
		for (uint32_t i = 0; i < rate.burst; i++)
			assert_true(request_limits_take(&limits, kind, rate,
							NOW_MS + (int64_t)(rate.burst + 1) *
									 rate.each_ms));
		assert_true(request_limits_take(&limits, kind, rate, INT64_C(1) << 32));
	}
}

static bool posts(struct allowance *allowance)
{
	return request_limits_take(allowance_limits(allowance), REQUEST_POST,
				   (struct request_rate){ 1, 1000 }, NOW_MS);
}

/* Neither another connection nor a new one brings new limits. */
static void a_users_connections_share_what_he_may_ask(void **state)
{
	struct allowances *allowances = allowances_new();
	struct allowance *a = allowance_join(allowances, "acme", "tel:+1");
	struct allowance *b = allowance_join(allowances, "acme", "tel:+1");
	struct allowance *other = allowance_join(allowances, "acme", "tel:+2");
	struct allowance *same_uri = allowance_join(allowances, "rival", "tel:+1");

	(void)state;
	assert_true(posts(a));
	assert_false(posts(b));
	assert_true(posts(other));
	assert_true(posts(same_uri)); /* whoever it is, it is not his to use up */
	allowance_leave(allowances, &a, NOW_MS);
	assert_null(a);
	allowance_leave(allowances, &b, NOW_MS);
	allowance_leave(allowances, &b, NOW_MS); /* nothing happens */
	a = allowance_join(allowances, "acme", "tel:+1");
	assert_false(posts(a));
	allowance_leave(allowances, &a, NOW_MS);
	/* The next one who leaves sees that it was long ago. */
	allowance_leave(allowances, &other, NOW_MS + ALLOWANCE_KEEP_MS + 1);
	a = allowance_join(allowances, "acme", "tel:+1");
	assert_true(posts(a));
	allowance_leave(allowances, &a, NOW_MS);
	allowance_leave(allowances, &same_uri, NOW_MS);
	allowances_free(&allowances);
	assert_null(allowances);
}

static void an_address_has_so_many_connections_and_half_open_ones(void **state)
{
	struct peer_limits *limits = peer_limits_new();
	struct peer *peers[PEER_HALF_OPEN + 1], *other_peer;
	struct net_addr addr, other;
	int64_t now_ms = NOW_MS;
	const char *why;

	(void)state;
	assert_int_equal(net_parse("192.0.2.1", 5000, &addr), 0);
	assert_int_equal(net_parse("192.0.2.2", 5000, &other), 0);
	for (int i = 0; i < PEER_HALF_OPEN; i++) {
		now_ms += 1000 / PEER_PER_SECOND;
		assert_null(peer_join(limits, &addr, now_ms, &peers[i]));
	}
	now_ms += 1000;
	why = peer_join(limits, &addr, now_ms, &peers[PEER_HALF_OPEN]);
	assert_string_equal(why, "too many half-open connections from one address");
	assert_null(peer_join(limits, &other, now_ms, &other_peer));
	peer_settled(peers[0]); /* registered: another may come */
	assert_null(peer_join(limits, &addr, now_ms, &peers[PEER_HALF_OPEN]));
	peer_leave(limits, &peers[0], false);
	for (int i = 1; i <= PEER_HALF_OPEN; i++)
		peer_leave(limits, &peers[i], true);
	assert_null(peers[1]);
	peer_leave(limits, &peers[1], true); /* nothing happens */
	peer_leave(limits, &other_peer, true);
	peer_limits_free(&limits);
}

static void an_address_has_no_more_connections_than_that_however_good(void **state)
{
	struct peer_limits *limits = peer_limits_new();
	static struct peer *peers[PEER_CONNECTIONS];
	struct peer *more;
	struct net_addr addr;
	int64_t now_ms = NOW_MS;

	(void)state;
	assert_int_equal(net_parse("2001:db8::1", 5000, &addr), 0);
	for (int i = 0; i < PEER_CONNECTIONS; i++) {
		now_ms += 1000 / PEER_PER_SECOND;
		assert_null(peer_join(limits, &addr, now_ms, &peers[i]));
		peer_settled(peers[i]);
	}
	assert_string_equal(peer_join(limits, &addr, now_ms + 1000, &more),
			    "too many connections from one address");
	for (int i = 0; i < PEER_CONNECTIONS; i++)
		peer_leave(limits, &peers[i], false);
	assert_null(peer_join(limits, &addr, now_ms + 1000, &more));
	peer_leave(limits, &more, true);
	peer_limits_free(&limits);
}

/* "One error per cause and client in the log." */
static void the_log_tells_a_fault_once_a_cause_and_client(void **state)
{
	struct complaints *complaints = complaints_new();
	unsigned suppressed = 99;

	(void)state;
	assert_true(complaints_pass(complaints, "bad frame", "tel:+1", NOW_MS, &suppressed));
	assert_int_equal(suppressed, 0);
	for (int i = 0; i < 1000; i++)
		assert_false(complaints_pass(complaints, "bad frame", "tel:+1", NOW_MS + i,
					     &suppressed));
	assert_true(complaints_pass(complaints, "bad frame", "tel:+2", NOW_MS, &suppressed));
	assert_true(complaints_pass(complaints, "too slow", "tel:+1", NOW_MS, &suppressed));
	assert_true(complaints_pass(complaints, "tel:+1", "too slow", NOW_MS, &suppressed));
	assert_true(complaints_pass(complaints, "bad frame", "tel:+1", NOW_MS + COMPLAINT_AGAIN_MS,
				    &suppressed));
	assert_int_equal(suppressed, 1000);
	complaints_free(&complaints);
	assert_null(complaints);
}

static void many_clients_cannot_flood_the_log(void **state)
{
	struct complaints *complaints = complaints_new();
	unsigned lines = 0, suppressed;
	char who[32];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		snprintf(who, sizeof(who), "192.0.2.%d", i);
		lines += complaints_pass(complaints, "bad frame", who, NOW_MS, &suppressed);
	}
	assert_int_equal(lines, COMPLAINTS_PER_SECOND);
	assert_true(
		complaints_pass(complaints, "bad frame", "another", NOW_MS + 1000, &suppressed));
	complaints_free(&complaints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_may_do_so_much_at_once_and_so_much_in_the_long_run),
		cmocka_unit_test(a_users_connections_share_what_he_may_ask),
		cmocka_unit_test(an_address_has_so_many_connections_and_half_open_ones),
		cmocka_unit_test(an_address_has_no_more_connections_than_that_however_good),
		cmocka_unit_test(the_log_tells_a_fault_once_a_cause_and_client),
		cmocka_unit_test(many_clients_cannot_flood_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
