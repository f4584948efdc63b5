#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "media/bridge.h"
#include "media/rtp.h"
#include "media/speech_match.h"
#include "tests/media/link.h"
#include "tests/media/speech.h"

enum { SECONDS = 4, SAMPLES = SECONDS * 8000 };

/* A PBX, the gateway's bridge and a caller, joined by four links in memory. */
static struct {
	int64_t now;
	struct bridge bridge;
	struct plain_leg *pbx;
	struct secure_leg *caller;
	struct link to_pbx, from_pbx, to_caller, from_caller;
	struct net_addr addr;
	int16_t pbx_heard[2 * SAMPLES], caller_heard[2 * SAMPLES];
	size_t n_pbx, n_caller;
	char pbx_digits[64], caller_digits[64], told[128];
	uint8_t said_octets[SAMPLES], heard_octets[2 * SAMPLES];
	size_t n_said, n_heard;
} net;

static int16_t said[SAMPLES];

static void keep(int16_t *room, size_t *used, const int16_t *pcm, size_t n)
{
	assert_true(*used + n <= 2 * SAMPLES);
	memcpy(room + *used, pcm, n * sizeof(*pcm));
	*used += n;
}

static void note(char *text, size_t size, const char *prefix, const struct dtmf_event *event)
{
	size_t at = strlen(text);

	if (event->phase == DTMF_END)
		snprintf(text + at, size - at, "%s%c:%u ", prefix, event->digit,
			 event->duration_ms);
}

static void pbx_sends(void *arg, struct slice packet, bool rtcp)
{
	struct rtp rtp;

	(void)arg;
	link_send(&net.from_pbx, packet, net.now + 10);
	if (rtcp || rtp_parse(packet, &rtp) || rtp.payload_type == 101)
		return;
	memcpy(net.said_octets + net.n_said, rtp.payload.p, rtp.payload.n);
	net.n_said += rtp.payload.n;
}

static void pbx_hears(void *arg, const int16_t *pcm, size_t n)
{
	(void)arg;
	keep(net.pbx_heard, &net.n_pbx, pcm, n);
}

static void pbx_digit(void *arg, const struct dtmf_event *event)
{
	(void)arg;
	note(net.pbx_digits, sizeof(net.pbx_digits), "", event);
}

static void caller_sends(void *arg, struct slice packet, bool rtcp)
{
	(void)arg;
	(void)rtcp;
	if (!stun_is(packet))
		link_send(&net.from_caller, packet, net.now + 10);
}

static void caller_hears(void *arg, const int16_t *pcm, size_t n)
{
	(void)arg;
	keep(net.caller_heard, &net.n_caller, pcm, n);
}

static void caller_digit(void *arg, const struct dtmf_event *event)
{
	(void)arg;
	note(net.caller_digits, sizeof(net.caller_digits), "", event);
}

static void bridge_sends(void *arg, enum bridge_side to, struct slice packet, bool rtcp)
{
	(void)arg;
	(void)rtcp;
	if (to == BRIDGE_PLAIN)
		link_send(&net.to_pbx, packet, net.now + 10);
	else if (!stun_is(packet))
		link_send(&net.to_caller, packet, net.now + 10);
}

static void bridge_digit(void *arg, enum bridge_side from, const struct dtmf_event *event)
{
	(void)arg;
	note(net.told, sizeof(net.told), from == BRIDGE_PLAIN ? "pbx " : "caller ", event);
}

static const struct leg_ops pbx_ops = { pbx_sends, pbx_hears, pbx_digit };
static const struct leg_ops caller_ops = { caller_sends, caller_hears, caller_digit };
static const struct bridge_ops bridge_ops = { bridge_sends, bridge_digit };

static struct secure_leg_config secure_config(bool caller, enum media_codec codec)
{
	struct secure_leg_config c = { .own_ssrc = caller ? 1 : 2,
				       .peer_ssrc = caller ? 2 : 1,
				       .profile = SRTP_AES128_CM_SHA1_80,
				       .codec = codec,
				       .codec_pt = (uint8_t)codec,
				       .event_pt = 110,
				       .event_clock = codec_clock(codec),
				       .leg_id = slice_str("leg-0123456789ab"),
				       .leg_key = slice_str("leg key") };

	memset(c.own_key.key, c.own_ssrc & 0xff, 16);
	memset(c.peer_key.key, c.peer_ssrc & 0xff, 16);
	return c;
}

static struct plain_leg_config plain_config(enum media_codec codec, unsigned ptime_ms)
{
	return (struct plain_leg_config){ .remote = net.addr,
					  .codec = codec,
					  .codec_pt = (uint8_t)codec,
					  .event_pt = 101,
					  .ptime_ms = ptime_ms };
}

static void start(enum media_codec plain, enum media_codec secure, unsigned pbx_ptime_ms)
{
	struct plain_leg_config at_pbx, at_gateway;
	struct secure_leg_config of_caller = secure_config(true, secure);
	struct secure_leg_config of_gateway = secure_config(false, secure);

	memset(&net, 0, sizeof(net));
	net.now = 5000;
	assert_int_equal(net_parse("192.0.2.5:4000", 0, &net.addr), 0);
	at_pbx = plain_config(plain, pbx_ptime_ms);
	at_gateway = plain_config(plain, 20);
	bridge_init(&net.bridge, &bridge_ops, NULL);
	assert_int_equal(bridge_set_plain(&net.bridge, &at_gateway, net.now), 0);
	assert_int_equal(bridge_set_secure(&net.bridge, &of_gateway, net.now), 0);
	assert_int_equal(plain_leg_new(&at_pbx, &pbx_ops, NULL, net.now, &net.pbx), 0);
	assert_int_equal(secure_leg_new(&of_caller, &caller_ops, NULL, net.now, &net.caller), 0);
}

static void stop(void)
{
	bridge_done(&net.bridge);
	plain_leg_free(&net.pbx);
	secure_leg_free(&net.caller);
}

static void remember_octets(struct slice packet)
{
	struct rtp rtp;

	if (packet_kind(packet) != PACKET_RTP || rtp_parse(packet, &rtp) || rtp.payload_type == 101)
		return;
	assert_true(net.n_heard + rtp.payload.n <= sizeof(net.heard_octets));
	memcpy(net.heard_octets + net.n_heard, rtp.payload.p, rtp.payload.n);
	net.n_heard += rtp.payload.n;
}

static void deliver(void)
{
	uint8_t packet[LINK_PACKET];
	size_t n;

	while ((n = link_receive(&net.from_pbx, net.now, packet)))
		plain_leg_receive(net.bridge.plain, slice_of(packet, n), &net.addr, net.now);
	while ((n = link_receive(&net.from_caller, net.now, packet)))
		secure_leg_receive(net.bridge.secure, packet, n, net.now);
	while ((n = link_receive(&net.to_caller, net.now, packet)))
		secure_leg_receive(net.caller, packet, n, net.now);
	while ((n = link_receive(&net.to_pbx, net.now, packet))) {
		remember_octets(slice_of(packet, n));
		plain_leg_receive(net.pbx, slice_of(packet, n), &net.addr, net.now);
	}
}

static void run(bool pbx_speaks, bool caller_speaks, int ms)
{
	for (int t = 0; t < ms; t++, net.now++) {
		size_t at = (size_t)t * 8;

		if (t % 20 == 0 && at + 160 <= SAMPLES) {
			if (pbx_speaks)
				plain_leg_send_audio(net.pbx, said + at, 160);
			if (caller_speaks)
				secure_leg_send_audio(net.caller, said + at, 160);
		}
		if (t % 20 == 7) {
			bridge_tick(&net.bridge, net.now);
			plain_leg_tick(net.pbx, net.now);
			secure_leg_tick(net.caller, net.now);
		}
		deliver();
	}
}

static double correlation(const int16_t *heard, size_t n)
{
	struct speech_match m;

	assert_int_equal(speech_match(said, SAMPLES, heard, n, &m), 0);
	return m.correlation;
}

static int make(void **state)
{
	(void)state;
	speech_make(3, said, SAMPLES);
	return 0;
}

/* CIG-014, CIG-015: every pair of codecs, and a PBX whose frames are longer or
 * shorter than ours. */
static void speech_crosses_the_bridge_both_ways(void **state)
{
	static const struct {
		enum media_codec plain, secure;
		unsigned pbx_ptime_ms;
	} cases[] = {
		{ MEDIA_PCMU, MEDIA_OPUS, 20 }, { MEDIA_PCMA, MEDIA_OPUS, 30 },
		{ MEDIA_PCMA, MEDIA_PCMA, 20 }, { MEDIA_PCMU, MEDIA_PCMA, 60 },
		{ MEDIA_PCMU, MEDIA_PCMU, 10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		start(cases[i].plain, cases[i].secure, cases[i].pbx_ptime_ms);
		run(true, true, SECONDS * 1000 + 100);
		assert_true(correlation(net.pbx_heard, net.n_pbx) >= 0.92);
		assert_true(correlation(net.caller_heard, net.n_caller) >= 0.92);
		stop();
	}
}

/* No transcoding where both sides share a law. */
static void octets_of_one_law_come_out_as_they_came_in(void **state)
{
	static uint8_t octets[SAMPLES];
	const size_t n = SAMPLES - 1600;
	bool found = false;

	(void)state;
	start(MEDIA_PCMA, MEDIA_PCMA, 20);
	for (size_t at = 0; at < SAMPLES; at += 160)
		plain_leg_send_audio(net.pbx, said + at, 160); /* only to see the octets */
	memcpy(octets, net.said_octets, SAMPLES);
	stop();

	start(MEDIA_PCMA, MEDIA_PCMA, 20);
	run(false, true, SECONDS * 1000);
	for (size_t at = 0; at + n <= net.n_heard && !found; at++)
		found = memcmp(net.heard_octets + at, octets, n) == 0;
	assert_true(found);
	stop();
}

/* CIG-005: with clocks of 48 and 8 kHz. */
static void digits_cross_with_their_durations(void **state)
{
	(void)state;
	start(MEDIA_PCMU, MEDIA_OPUS, 20);
	run(true, true, 200);
	assert_int_equal(secure_leg_send_digit(net.caller, '1', 100), 0);
	assert_int_equal(secure_leg_send_digit(net.caller, '1', 200), 0);
	assert_int_equal(plain_leg_send_digit(net.pbx, '#', 160), 0);
	run(true, true, 1000);
	assert_string_equal(net.pbx_digits, "1:100 1:200 ");
	assert_string_equal(net.caller_digits, "#:160 ");
	assert_non_null(strstr(net.told, "caller 1:100 "));
	assert_non_null(strstr(net.told, "caller 1:200 "));
	assert_non_null(strstr(net.told, "pbx #:160 "));
	stop();
}

/* The PBX hears something all the time, even while the caller sends nothing. */
static void the_pbx_side_never_falls_silent(void **state)
{
	(void)state;
	start(MEDIA_PCMU, MEDIA_OPUS, 20);
	run(true, false, SECONDS * 1000);
	assert_in_range(net.n_heard, SAMPLES - 1200, SAMPLES);
	stop();
}

static void a_side_may_come_later_and_keys_come_once(void **state)
{
	struct secure_leg_config c = secure_config(false, MEDIA_OPUS);
	struct plain_leg_config plain;

	(void)state;
	start(MEDIA_PCMU, MEDIA_OPUS, 20);
	assert_int_equal(bridge_set_secure(&net.bridge, &c, net.now), -EALREADY);
	secure_leg_free(&net.bridge.secure);
	run(true, false, 200); /* without a secure side */
	assert_int_equal(bridge_set_secure(&net.bridge, &c, net.now), 0);
	plain = plain_config(MEDIA_PCMA, 20); /* a new offer with another law */
	assert_int_equal(bridge_set_plain(&net.bridge, &plain, net.now), 0);
	assert_int_equal(plain_leg_set(net.pbx, &plain, net.now), 0);
	net.n_caller = 0;
	run(true, false, SECONDS * 1000 + 100);
	assert_true(correlation(net.caller_heard, net.n_caller) >= 0.92);
	stop();
}

/* ---- rules of calls that last ---- */

/* Numbers of what the bridge sends to one side: they go on by one, and their SSRC stays. */
struct numbers {
	bool any;
	uint32_t ssrc;
	uint16_t seq;
	uint32_t timestamp;
	unsigned packets;
};

static void follow(struct numbers *n, const struct rtp *rtp)
{
	if (n->any) {
		assert_int_equal(rtp->ssrc, n->ssrc);
		assert_int_equal(rtp->seq, (uint16_t)(n->seq + 1));
		assert_true((int32_t)(rtp->timestamp - n->timestamp) > 0);
	}
	*n = (struct numbers){ true, rtp->ssrc, rtp->seq, rtp->timestamp, n->packets + 1 };
}

static struct {
	struct numbers to_pbx;
	uint64_t to_caller;
	struct secure_leg *caller;
	int64_t now;
} lasting;

static void lasting_sends(void *arg, enum bridge_side to, struct slice packet, bool rtcp)
{
	uint8_t copy[LINK_PACKET];
	struct rtp rtp;

	(void)arg;
	if (to == BRIDGE_PLAIN && !rtcp) {
		assert_int_equal(rtp_parse(packet, &rtp), 0);
		follow(&lasting.to_pbx, &rtp);
	} else if (to == BRIDGE_SECURE && !stun_is(packet)) {
		memcpy(copy, packet.p, packet.n);
		assert_int_equal(secure_leg_receive(lasting.caller, copy, packet.n, lasting.now),
				 0);
		lasting.to_caller += !rtcp;
	}
}

static void lasting_caller_sends(void *arg, struct slice packet, bool rtcp)
{
	struct bridge *bridge = arg;
	uint8_t copy[LINK_PACKET];

	(void)rtcp;
	if (stun_is(packet))
		return;
	memcpy(copy, packet.p, packet.n);
	assert_int_equal(secure_leg_receive(bridge->secure, copy, packet.n, lasting.now), 0);
}

static void lasting_hears(void *arg, const int16_t *pcm, size_t n)
{
	(void)arg;
	(void)pcm;
	(void)n;
}

static const struct bridge_ops lasting_bridge_ops = { lasting_sends, bridge_digit };
static const struct leg_ops lasting_caller_ops = { lasting_caller_sends, lasting_hears,
						   caller_digit };

/* One packet each way, of a PBX whose SSRC is this, and the tick. */
static void lasting_frame(struct bridge *bridge, struct rtp *from_pbx, bool pbx_sends)
{
	uint8_t packet[RTP_HEADER_SIZE + 160];
	static const int16_t pcm[160];

	lasting.now += 20;
	if (pbx_sends) {
		rtp_write_header(from_pbx, packet);
		memset(packet + RTP_HEADER_SIZE, 0x55, 160);
		plain_leg_receive(bridge->plain, slice_of(packet, sizeof(packet)), &net.addr,
				  lasting.now);
		from_pbx->seq++;
		from_pbx->timestamp += 160;
	}
	secure_leg_send_audio(lasting.caller, pcm, 160);
	bridge_tick(bridge, lasting.now);
	secure_leg_tick(lasting.caller, lasting.now);
}

/* Most of an hour at 50 packets a second, with what a PBX does meanwhile: the sequence numbers
 * roll over twice, offers come anew, another source takes over (music on hold), and
 * one hold lasts twelve minutes.  Every packet is authentic to the other side, and no number
 * goes back.  media.md 7: ROC, hold, source change. */
static void a_long_call_keeps_its_numbers_and_counters(void **state)
{
	enum { FRAMES = 140000, EVERY = 10000, HOLD_FROM = 90000, HOLD_FRAMES = 36000 };
	struct secure_leg_config of_caller = secure_config(true, MEDIA_PCMA);
	struct secure_leg_config of_gateway = secure_config(false, MEDIA_PCMA);
	struct rtp from_pbx = { .payload_type = MEDIA_PCMA, .ssrc = 77, .seq = 65000 };
	struct plain_leg_config plain;
	struct leg_stats at_caller, at_gateway;
	struct bridge bridge;

	(void)state;
	memset(&lasting, 0, sizeof(lasting));
	lasting.now = 5000;
	assert_int_equal(net_parse("192.0.2.5:4000", 0, &net.addr), 0);
	plain = plain_config(MEDIA_PCMA, 20);
	bridge_init(&bridge, &lasting_bridge_ops, NULL);
	assert_int_equal(bridge_set_plain(&bridge, &plain, lasting.now), 0);
	assert_int_equal(bridge_set_secure(&bridge, &of_gateway, lasting.now), 0);
	assert_int_equal(secure_leg_new(&of_caller, &lasting_caller_ops, &bridge, lasting.now,
					&lasting.caller),
			 0);
	for (int i = 0; i < FRAMES; i++) {
		bool held = i >= HOLD_FROM && i < HOLD_FROM + HOLD_FRAMES;

		if (i % EVERY == 0 || i == HOLD_FROM + HOLD_FRAMES) {
			plain.no_send = held;
			assert_int_equal(bridge_set_plain(&bridge, &plain, lasting.now), 0);
		}
		if (i % (3 * EVERY) == 0)
			from_pbx = (struct rtp){ .payload_type = MEDIA_PCMA,
						 .ssrc = (uint32_t)(1000 + i),
						 .seq = (uint16_t)(i * 7),
						 .timestamp = (uint32_t)i * 12345 };
		lasting_frame(&bridge, &from_pbx, !held);
	}
	secure_leg_stats(lasting.caller, &at_caller);
	secure_leg_stats(bridge.secure, &at_gateway);
	assert_int_equal(at_caller.auth_failures + at_caller.replays + at_caller.malformed, 0);
	assert_int_equal(at_gateway.auth_failures + at_gateway.replays + at_gateway.malformed, 0);
	/* some frames are made twice or not at all where a hold or another source begins */
	assert_in_range(lasting.to_caller, FRAMES - 200, FRAMES + 200);
	assert_in_range(lasting.to_pbx.packets, FRAMES - HOLD_FRAMES - 200,
			FRAMES - HOLD_FRAMES + 200);
	bridge_done(&bridge);
	secure_leg_free(&lasting.caller);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speech_crosses_the_bridge_both_ways),
		cmocka_unit_test(octets_of_one_law_come_out_as_they_came_in),
		cmocka_unit_test(digits_cross_with_their_durations),
		cmocka_unit_test(the_pbx_side_never_falls_silent),
		cmocka_unit_test(a_long_call_keeps_its_numbers_and_counters),
		cmocka_unit_test(a_side_may_come_later_and_keys_come_once),
	};

	return cmocka_run_group_tests(tests, make, NULL);
}
