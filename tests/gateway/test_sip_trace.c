/* What a real cig-sip tells of its messages: in a file, and to a collector. */
#include "tests/gateway/sip_scene.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/net.h"

static int collector; /* a socket */

static char trace_file[] = "/tmp/sip-trace-XXXXXX";

static int start_with_trace(void **state)
{
	int fd = mkstemp(trace_file);

	assert_true(fd >= 0);
	close(fd);
	return start_with(state, &(struct sip_driver_options){ .trace = trace_file });
}

static int stop_with_trace(void **state)
{
	unlink(trace_file);
	return stop(state);
}

static int start_with_collector(void **state)
{
	struct net_addr any;

	assert_int_equal(net_parse("127.0.0.1:0", 0, &any), 0);
	collector = net_udp_socket(&any, false);
	assert_true(collector >= 0 && net_local(collector, &any) == 0);
	return start_with(state, &(struct sip_driver_options){ .hep_port = net_port(&any) });
}

static int stop_with_collector(void **state)
{
	close(collector);
	return stop(state);
}

static struct slice collected(void)
{
	static uint8_t packet[65536];
	struct pollfd ready = { .fd = collector, .events = POLLIN };
	ssize_t n;

	assert_int_equal(poll(&ready, 1, 5000), 1);
	n = recv(collector, packet, sizeof(packet), 0);
	assert_true(n > 6 && memcmp(packet, "HEP3", 4) == 0);
	return slice_of(packet, (size_t)n);
}

static bool holds(struct slice s, const char *text)
{
	return memmem(s.p, s.n, text, strlen(text)) != NULL;
}

/* As it was on the wire, but for the key, which has as many stars in its place. */
static void a_collector_gets_every_message_and_no_key(void **state)
{
	static const char key[] = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
	struct fixture *f = *state;
	struct slice got;
	char line[128];

	dial(f);
	assert_true(holds(collected(), "INVITE sip:101@"));
	snprintf(line, sizeof(line), "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s\r\n", key);
	sip_peer_reply(&f->peer, 183, "pt", NULL, sip_peer_sdp(line, f->sdp, sizeof(f->sdp)));
	expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING);
	got = collected();
	assert_true(holds(got, "SIP/2.0 183 ") && holds(got, "\r\n\r\nv=0\r\n"));
	assert_true(holds(got, "inline:****************************************\r\n"));
	assert_false(holds(got, key));
	sip_peer_reply(&f->peer, 486, "pt", NULL, NULL);
	sip_peer_expect(&f->peer, "ACK ");
	ended(f, SIP_AGENT__CAUSE__FAILED, 486);
	assert_true(holds(collected(), "SIP/2.0 486 "));
	assert_true(holds(collected(), "ACK sip:101@"));
}

/* Both ways, with the address, each message whole; an SRTP key is nobody's to read. */
static void a_trace_has_every_message_and_no_key(void **state)
{
	static const char key[] = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
	struct fixture *f = *state;
	char line[128], ways[2][64];
	uint8_t *text;
	size_t n;

	dial(f);
	snprintf(line, sizeof(line), "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s\r\n", key);
	sip_peer_reply(&f->peer, 183, "pt", NULL, sip_peer_sdp(line, f->sdp, sizeof(f->sdp)));
	expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING);
	sip_peer_reply(&f->peer, 486, "pt", NULL, NULL);
	sip_peer_expect(&f->peer, "ACK ");
	ended(f, SIP_AGENT__CAUSE__FAILED, 486);
	assert_int_equal(file_read(trace_file, 1 << 20, &text, &n), 0);
	snprintf(ways[0], sizeof(ways[0]), " bytes to udp/[127.0.0.1]:%u", f->peer.port);
	snprintf(ways[1], sizeof(ways[1]), " bytes from udp/[127.0.0.1]:%u", f->peer.port);
	for (size_t i = 0; i < 2; i++)
		assert_non_null(strstr((char *)text, ways[i]));
	assert_non_null(strstr((char *)text, "   INVITE sip:101@"));
	assert_non_null(strstr((char *)text, "   SIP/2.0 486 Whatever\n"));
	assert_non_null(strstr((char *)text, "   ACK sip:101@"));
	assert_non_null(strstr((char *)text, "AES_CM_128_HMAC_SHA1_80 inline:***\n"));
	assert_null(strstr((char *)text, key));
	assert_null(strchr((char *)text, '\r'));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_collector_gets_every_message_and_no_key,
						start_with_collector, stop_with_collector),
		cmocka_unit_test_setup_teardown(a_trace_has_every_message_and_no_key,
						start_with_trace, stop_with_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
