#include "tests/unit.h"

#include <errno.h>
#include <unistd.h>

#include "gateway/relay/ports.h"
#include "tests/tools/loopback.h"

static struct net_addr ip;

static struct ports *range(uint32_t low, uint32_t high)
{
	struct ports *p;

	assert_int_equal(ports_new(&ip, low, high, &p), 0);
	return p;
}

static int make(void **state)
{
	(void)state;
	return net_parse(loopback_own().text, 0, &ip);
}

/* CIG-044, CIG-021 */
static void pairs_come_from_the_range_until_it_is_exhausted(void **state)
{
	/* I-29: a call takes an even port and the next, both in the range: of seven, three */
	struct ports *p = range(24001, 24007); /* 24002, 24004, 24006 */
	int fds[3][2];
	uint16_t port, again;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ports_take(p, &port, &fds[i][0], &fds[i][1]), 0);
		assert_int_equal(port, 24002 + 2 * i);
	}
	assert_int_equal(ports_taken(p), 6);
	assert_int_equal(ports_take(p, &port, &fds[0][0], &fds[0][1]), -EADDRINUSE);
	close(fds[1][0]);
	close(fds[1][1]);
	ports_give(p, 24004);
	assert_int_equal(ports_take(p, &again, &fds[1][0], &fds[1][1]), 0);
	assert_int_equal(again, 24004);
	for (unsigned i = 0; i < 3; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
		ports_give(p, (uint16_t)(24002 + 2 * i));
	}
	assert_int_equal(ports_taken(p), 0);
	ports_give(p, 24002); /* twice: harmless */
	assert_int_equal(ports_taken(p), 0);
	ports_free(&p);
}

static void a_port_that_somebody_else_holds_is_passed_over(void **state)
{
	struct ports *p = range(24100, 24103);
	struct net_addr taken;
	int other, rtp, rtcp;
	uint16_t port;

	(void)state;
	assert_int_equal(net_parse(loopback_own().text, 24101, &taken), 0);
	other = net_udp_socket(&taken, false);
	assert_true(other >= 0);
	assert_int_equal(ports_take(p, &port, &rtp, &rtcp), 0);
	assert_int_equal(port, 24102);
	close(other);
	close(rtp);
	close(rtcp);
	ports_free(&p);
}

static void a_port_given_back_rests_while_there_are_others(void **state)
{
	struct ports *p = range(24200, 24205);
	uint16_t ports[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		int rtp, rtcp;

		assert_int_equal(ports_take(p, &ports[i], &rtp, &rtcp), 0);
		close(rtp);
		close(rtcp);
		ports_give(p, ports[i]);
	}
	assert_int_equal(ports[1], 24202);
	assert_int_equal(ports[2], 24204);
	assert_int_equal(ports[3], 24200);
	ports_free(&p);
}

static void single_ports_may_be_odd(void **state)
{
	struct ports *p = range(24300, 24301);
	uint16_t first, second;
	int a, b;

	(void)state;
	assert_int_equal(ports_take_one(p, &first, &a), 0);
	assert_int_equal(ports_take_one(p, &second, &b), 0);
	assert_int_equal(second, 24301);
	assert_int_equal(ports_take_one(p, &first, &a), -EADDRINUSE);
	close(a);
	close(b);
	ports_give_one(p, 24301);
	assert_int_equal(ports_taken(p), 1);
	ports_free(&p);
}

static void ranges_without_a_pair_are_refused(void **state)
{
	static const struct {
		uint32_t low, high;
		int want;
	} cases[] = {
		{ 0, 0, 0 },
		{ 1024, 1025, 0 },
		{ 1023, 1025, 0 },
		{ 65534, 65535, 0 },
		{ 1025, 1026, -EINVAL },
		{ 1024, 1024, -EINVAL },
		{ 2000, 1000, -EINVAL },
		{ 0, 1000, -EINVAL },
		{ 65535, 65536, -EINVAL },
		{ 1024, 70000, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ports *p = NULL;

		assert_int_equal(ports_new(&ip, cases[i].low, cases[i].high, &p), cases[i].want);
		if (p) {
			assert_true(ports_are(p, &ip, cases[i].low, cases[i].high));
			assert_false(ports_are(p, &ip, cases[i].low, cases[i].high + 1));
		}
		ports_free(&p);
		assert_null(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_come_from_the_range_until_it_is_exhausted),
		cmocka_unit_test(a_port_that_somebody_else_holds_is_passed_over),
		cmocka_unit_test(a_port_given_back_rests_while_there_are_others),
		cmocka_unit_test(single_ports_may_be_odd),
		cmocka_unit_test(ranges_without_a_pair_are_refused),
	};

	return cmocka_run_group_tests(tests, make, NULL);
}
