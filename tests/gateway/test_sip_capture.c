/* Messages on their way to a collector of HEP3, and what the server hears of it; the clock is
 * ours. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "gateway/sip/agent.h"

static int64_t now_ms;
static struct {
	unsigned n;
	bool reached;
	char why[64];
} told;

int64_t clock_mono_ms(void)
{
	return now_ms;
}

int64_t clock_wall_ms(void)
{
	return now_ms;
}

void agent_send(struct agent *agent, SipAgent__FromAgent__BodyCase body, void *message)
{
	const SipAgent__Collector *collector = message;

	assert_non_null(agent);
	assert_int_equal(body, SIP_AGENT__FROM_AGENT__BODY_COLLECTOR);
	told.n++;
	told.reached = collector->reached;
	snprintf(told.why, sizeof(told.why), "%s", collector->why);
}

size_t trace_open_octets(struct slice line)
{
	return line.n;
}

/* A message as the library prints it, so many ms later. */
static void send_message(struct capture *capture, int64_t ms)
{
	now_ms += ms;
	capture_send(capture, slice_str("send 8 bytes to udp/[127.0.0.9]:5060 at 12:00:00.000000:\n"
					"   -----\n   OPTIONS\n   -----\n"));
}

static int collector_socket(uint16_t port, uint16_t *port_out)
{
	struct net_addr at;
	socklen_t n = sizeof(at.in);
	int fd;

	assert_int_equal(net_parse("127.0.0.1", port, &at), 0);
	net_set_port(&at, port);
	fd = net_udp_socket(&at, false);
	assert_true(fd >= 0);
	assert_int_equal(getsockname(fd, &at.sa, &n), 0);
	*port_out = net_port(&at);
	return fd;
}

static int packets(int fd)
{
	char packet[1024];
	int n = 0;

	while (recv(fd, packet, sizeof(packet), MSG_DONTWAIT) > 0)
		n += memcmp(packet, "HEP3", 4) == 0;
	return n;
}

static struct capture *start(struct agent *agent, const char *address, uint16_t port)
{
	SipAgent__Hep hep = SIP_AGENT__HEP__INIT;

	now_ms = 1000;
	memset(&told, 0, sizeof(told));
	snprintf(agent->host, sizeof(agent->host), "127.0.0.1");
	agent->port = 5060;
	hep.address = (char *)(uintptr_t)address;
	hep.port = port;
	return capture_new(agent, &hep);
}

static void a_collector_that_goes_and_comes_back_is_told_once_each(void **state)
{
	struct agent agent = { 0 };
	struct capture *capture;
	uint16_t port;
	int fd = collector_socket(0, &port);

	(void)state;
	capture = start(&agent, "127.0.0.1", port);
	assert_non_null(capture);
	send_message(capture, 0);
	assert_int_equal(packets(fd), 1);
	assert_int_equal(told.n, 0); /* nothing is known yet */
	send_message(capture, 3000);
	assert_int_equal(told.n, 1);
	assert_true(told.reached);

	close(fd);
	for (int i = 0; i < 10; i++)
		send_message(capture, 100);
	assert_int_equal(told.n, 2);
	assert_false(told.reached);
	assert_string_equal(told.why, strerror(ECONNREFUSED));

	fd = collector_socket(port, &port);
	send_message(capture, 100); /* tells of the last one, and goes nevertheless */
	assert_int_equal(packets(fd), 1);
	for (int i = 0; i < 30; i++)
		send_message(capture, 100);
	assert_int_equal(told.n, 2); /* no longer than 3 s so far */
	send_message(capture, 100);
	assert_int_equal(told.n, 3);
	assert_true(told.reached);
	assert_int_equal(packets(fd), 31);
	capture_free(&capture);
	close(fd);
}

/* Nobody connects to all hosts: it stands for an address without a route, which may come. */
static void one_that_cannot_be_opened_is_tried_again_now_and_then(void **state)
{
	struct agent agent = { 0 };
	struct capture *capture = start(&agent, "255.255.255.255", 9060);

	(void)state;
	assert_non_null(capture);
	assert_int_equal(told.n, 1);
	assert_false(told.reached);
	assert_true(told.why[0] != '\0');
	for (int i = 0; i < 100; i++)
		send_message(capture, 1000);
	assert_int_equal(told.n, 1);
	capture_free(&capture);
	assert_null(capture);
}

static void what_is_no_address_has_no_collector(void **state)
{
	struct agent agent = { 0 };

	(void)state;
	assert_null(start(&agent, "collector.test", 9060));
	assert_int_equal(told.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_collector_that_goes_and_comes_back_is_told_once_each),
		cmocka_unit_test(one_that_cannot_be_opened_is_tried_again_now_and_then),
		cmocka_unit_test(what_is_no_address_has_no_collector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
