#include "tests/unit.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "media/udp_batch.h"

static int a, b;
static struct net_addr addr_a, addr_b;

static int open_sockets(void **state)
{
	struct net_addr any;

	(void)state;
	assert_int_equal(net_parse("127.0.0.1:0", 0, &any), 0);
	a = net_udp_socket(&any, false);
	b = net_udp_socket(&any, false);
	assert_true(a >= 0 && b >= 0);
	assert_int_equal(net_local(a, &addr_a), 0);
	assert_int_equal(net_local(b, &addr_b), 0);
	return 0;
}

static int close_sockets(void **state)
{
	(void)state;
	return close(a) + close(b);
}

static void wait_for(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	assert_int_equal(poll(&p, 1, 2000), 1);
}

static void more_packets_than_a_batch_arrive_in_order(void **state)
{
	struct udp_outbox *out = udp_outbox_new(a);
	struct udp_inbox *in = udp_inbox_new();
	unsigned got = 0;

	(void)state;
	for (unsigned i = 0; i < 150; i++) {
		uint8_t packet[200];

		memset(packet, (int)i, sizeof(packet));
		udp_send(out, slice_of(packet, 1 + i), &addr_b);
	}
	udp_flush(out);
	while (got < 150) {
		int n;

		wait_for(b);
		n = udp_receive(in, b);
		assert_in_range(n, 1, UDP_BATCH);
		for (int i = 0; i < n; i++, got++) {
			struct net_addr from;
			size_t octets;
			const uint8_t *packet = udp_packet(in, i, &octets, &from);

			assert_int_equal(octets, 1 + got);
			assert_int_equal(packet[octets - 1], got);
			assert_true(net_equal(&from, &addr_a));
		}
	}
	assert_int_equal(udp_receive(in, b), 0);
	assert_int_equal(udp_receive_one(in, b), 0);
	assert_int_equal(udp_outbox_dropped(out), 0);
	udp_outbox_free(&out);
	udp_inbox_free(&in);
}

static void a_packet_that_is_too_long_is_seen_as_empty(void **state)
{
	static const uint8_t big[UDP_BATCH_OCTETS + 1];
	struct udp_inbox *in = udp_inbox_new();
	struct udp_outbox *out = udp_outbox_new(a);
	struct net_addr from;
	size_t octets;

	(void)state;
	assert_int_equal(sendto(a, big, sizeof(big), 0, &addr_b.sa, addr_b.len), sizeof(big));
	wait_for(b);
	assert_int_equal(udp_receive(in, b), 1);
	udp_packet(in, 0, &octets, &from);
	assert_int_equal(octets, 0);
	udp_send(out, slice_of(big, sizeof(big)), &addr_b);
	assert_int_equal(udp_outbox_dropped(out), 1);
	udp_outbox_free(&out);
	udp_inbox_free(&in);
}

static void a_packet_that_cannot_go_does_not_hold_up_the_others(void **state)
{
	struct udp_outbox *out = udp_outbox_new(a);
	struct udp_inbox *in = udp_inbox_new();
	struct net_addr v6;

	(void)state;
	assert_int_equal(net_parse("[2001:db8::1]:9", 0, &v6), 0); /* from an IPv4 socket */
	udp_send(out, slice_str("one"), &addr_b);
	udp_send(out, slice_str("lost"), &v6);
	udp_send(out, slice_str("two"), &addr_b);
	udp_flush(out);
	wait_for(b);
	assert_int_equal(udp_receive(in, b), 2);
	assert_int_equal(udp_outbox_dropped(out), 1);
	assert_true(udp_receive(in, -1) < 0);
	udp_outbox_free(&out);
	udp_inbox_free(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_packets_than_a_batch_arrive_in_order),
		cmocka_unit_test(a_packet_that_is_too_long_is_seen_as_empty),
		cmocka_unit_test(a_packet_that_cannot_go_does_not_hold_up_the_others),
	};

	return cmocka_run_group_tests(tests, open_sockets, close_sockets);
}
