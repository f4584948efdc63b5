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

/* The lengths of packets to b, of which -1 goes elsewhere. */
static const int mixed[] = {
	100, 100, 100, 40, 100, 100, -1, 100, 0, 100, 40, 40, 100, 1472, 1472
};

static void send_mixed(struct udp_outbox *out)
{
	for (size_t i = 0; i < COUNT(mixed); i++) {
		uint8_t packet[UDP_BATCH_OCTETS];

		memset(packet, (int)i, sizeof(packet));
		udp_send(out, slice_of(packet, mixed[i] < 0 ? 100 : (size_t)mixed[i]),
			 mixed[i] < 0 ? &addr_a : &addr_b);
	}
	udp_flush(out);
}

static void hear_mixed(struct udp_inbox *in)
{
	size_t at = 0;
	int n;

	wait_for(b);
	n = udp_receive(in, b);
	assert_int_equal(n, COUNT(mixed) - 1);
	for (int i = 0; i < n; i++, at++) {
		struct net_addr from;
		size_t octets;
		const uint8_t *packet = udp_packet(in, i, &octets, &from);

		at += mixed[at] < 0;
		assert_int_equal(octets, mixed[at]);
		for (size_t k = 0; k < octets; k++)
			assert_int_equal(packet[k], at);
	}
	wait_for(a);
	assert_int_equal(udp_receive_one(in, a), 1);
}

static void what_the_system_takes_as_one_arrives_as_many(void **state)
{
	struct udp_outbox *out = udp_outbox_new(a);
	struct udp_inbox *in = udp_inbox_new();

	(void)state;
	send_mixed(out);
	hear_mixed(in);
	assert_int_equal(udp_outbox_dropped(out), 0);
	udp_outbox_free(&out);
	udp_inbox_free(&in);
}

/* Linux refuses UDP_SEGMENT on a socket without checksums. */
static void a_system_that_cannot_gets_them_one_by_one(void **state)
{
	struct udp_outbox *out = udp_outbox_new(a);
	struct udp_inbox *in = udp_inbox_new();
	int on = 1, off = 0;

	(void)state;
	assert_int_equal(setsockopt(a, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)), 0);
	for (int round = 0; round < 2; round++) {
		send_mixed(out);
		hear_mixed(in);
	}
	assert_int_equal(udp_outbox_dropped(out), 0);
	assert_int_equal(setsockopt(a, SOL_SOCKET, SO_NO_CHECK, &off, sizeof(off)), 0);
	udp_outbox_free(&out);
	udp_inbox_free(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_packets_than_a_batch_arrive_in_order),
		cmocka_unit_test(a_packet_that_is_too_long_is_seen_as_empty),
		cmocka_unit_test(a_packet_that_cannot_go_does_not_hold_up_the_others),
		cmocka_unit_test(what_the_system_takes_as_one_arrives_as_many),
		cmocka_unit_test(a_system_that_cannot_gets_them_one_by_one),
	};

	return cmocka_run_group_tests(tests, open_sockets, close_sockets);
}
