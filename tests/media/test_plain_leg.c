#include "tests/unit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "media/g711.h"
#include "media/plain_leg.h"
#include "media/rtp.h"

enum { ROOM = 8000 * 20 };

static struct {
	struct plain_leg *leg;
	struct rtp last;
	uint8_t octets[LEG_MAX_PACKET];
	unsigned n_rtp, n_rtcp;
	struct rtcp_report report; /* the last one to the PBX */
	uint16_t first_seq;
	uint32_t ssrc;
	bool continuous;
	int16_t heard[ROOM];
	size_t n_heard;
	char digits[128];
} pbx;

static void on_send(void *arg, struct slice packet, bool rtcp)
{
	struct rtp rtp;

	(void)arg;
	if (rtcp) {
		pbx.n_rtcp++;
		assert_int_equal(rtcp_parse(packet, 0x5555, &pbx.report), 0);
		return;
	}
	assert_int_equal(rtp_parse(packet, &rtp), 0);
	if (pbx.n_rtp++ == 0) {
		pbx.first_seq = rtp.seq;
		pbx.ssrc = rtp.ssrc;
	}
	if (rtp.seq != (uint16_t)(pbx.first_seq + pbx.n_rtp - 1) || rtp.ssrc != pbx.ssrc)
		pbx.continuous = false;
	memcpy(pbx.octets, packet.p, packet.n);
	assert_int_equal(rtp_parse(slice_of(pbx.octets, packet.n), &pbx.last), 0);
}

static void on_audio(void *arg, const int16_t *pcm, size_t n)
{
	(void)arg;
	assert_true(pbx.n_heard + n <= ROOM);
	memcpy(pbx.heard + pbx.n_heard, pcm, n * sizeof(*pcm));
	pbx.n_heard += n;
}

static void on_digit(void *arg, const struct dtmf_event *event)
{
	size_t at = strlen(pbx.digits);

	(void)arg;
	if (event->phase == DTMF_START)
		snprintf(pbx.digits + at, sizeof(pbx.digits) - at, "%c", event->digit);
}

static const struct leg_ops ops = { on_send, on_audio, on_digit };

static struct net_addr addr(const char *text)
{
	struct net_addr a;

	assert_int_equal(net_parse(text, 0, &a), 0);
	return a;
}

static struct plain_leg_config sdp(const char *remote, enum media_codec codec)
{
	return (struct plain_leg_config){
		.remote = addr(remote), .codec = codec, .codec_pt = (uint8_t)codec, .event_pt = 101
	};
}

static void start(const struct plain_leg_config *config)
{
	memset(&pbx, 0, sizeof(pbx));
	pbx.continuous = true;
	assert_int_equal(plain_leg_new(config, &ops, NULL, 1000, &pbx.leg), 0);
}

/* A packet of n octets of G.711, from where and with which numbers. */
static int comes(const char *from, uint8_t type, uint16_t seq, uint32_t timestamp, size_t n,
		 int64_t now)
{
	uint8_t packet[RTP_HEADER_SIZE + 960] = { 0 };
	struct rtp rtp = {
		.payload_type = type, .seq = seq, .timestamp = timestamp, .ssrc = 0x5555
	};
	struct net_addr source = addr(from);

	rtp_write_header(&rtp, packet);
	memset(packet + RTP_HEADER_SIZE, 0xd5, n);
	return plain_leg_receive(pbx.leg, slice_of(packet, RTP_HEADER_SIZE + n), &source, now);
}

static uint16_t target(void)
{
	return net_port(plain_leg_remote(pbx.leg));
}

/* media.md section 7, "RTP bleed / learning"; the loopback rule is for phones that
 * send from 127.0.0.1 whatever they announced. */
static void the_port_is_learned_once_and_only_from_the_announced_address(void **state)
{
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMU);
	struct leg_stats stats;

	(void)state;
	start(&c);
	assert_int_equal(comes("192.0.2.8:4000", 0, 1, 0, 160, 1000), -EACCES);
	assert_int_equal(comes("127.0.0.1:4000", 0, 1, 0, 160, 1000), -EACCES);
	assert_int_equal(comes("192.0.2.7:4444", 77, 1, 0, 160, 1000), -ENOTSUP);
	assert_int_equal(target(), 4000);
	assert_int_equal(comes("192.0.2.7:4444", 0, 2, 0, 160, 1000), 0);
	assert_int_equal(target(), 4444);
	assert_int_equal(comes("192.0.2.7:4000", 0, 3, 160, 160, 1020), -EACCES);
	assert_int_equal(target(), 4444);
	plain_leg_stats(pbx.leg, &stats);
	assert_int_equal(stats.strangers, 3);
	assert_int_equal(stats.ignored, 1);
	assert_int_equal(stats.malformed, 0);
	assert_int_equal(stats.packets_received, 1);

	c.remote = addr("192.0.2.9:5000"); /* a re-INVITE */
	assert_int_equal(plain_leg_set(pbx.leg, &c, 1040), 0);
	assert_int_equal(comes("192.0.2.7:4444", 0, 4, 320, 160, 1040), -EACCES);
	assert_int_equal(comes("192.0.2.9:5555", 0, 4, 320, 160, 1040), 0);
	assert_int_equal(target(), 5555);
	plain_leg_free(&pbx.leg);

	c.remote = addr("127.0.0.12:4000");
	start(&c);
	assert_int_equal(comes("192.0.2.7:4000", 0, 1, 0, 160, 1000), -EACCES);
	assert_int_equal(comes("127.0.0.1:4000", 0, 1, 0, 160, 1000), 0);
	assert_true(net_same_host(plain_leg_remote(pbx.leg), &c.remote));
	plain_leg_free(&pbx.leg);
}

/* RFC 6263 4: a packet without audio, or of another payload type, keeps a NAT's way open; so does
 * RTCP without a report.  baresip begins with that, or with the first kind, whose numbers its audio
 * goes on from. */
static void keep_alives_are_ignored_and_are_nothing_malformed(void **state)
{
	static const uint8_t ping[] = { 0x80, 204, 0,   3,   0,   0,   0,   5,
					'P',  'I', 'N', 'G', 'P', 'O', 'N', 'G' };
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMA);
	struct net_addr from = addr("192.0.2.7:4001");
	struct leg_stats stats;

	(void)state;
	start(&c);
	assert_int_equal(comes("192.0.2.7:4444", 8, 1, 77, 0, 1000), 0);
	assert_int_equal(target(), 4444); /* that way is open now */
	assert_int_equal(pbx.n_heard, 0);
	assert_int_equal(comes("192.0.2.7:4444", 8, 2, 160, 160, 1020), 0);
	assert_int_equal(comes("192.0.2.7:4444", 127, 9, 160, 0, 1030), -ENOTSUP);
	assert_int_equal(comes("192.0.2.7:4444", 8, 3, 320, 160, 1040), 0);
	assert_int_equal(pbx.n_heard, 320);
	assert_int_equal(plain_leg_receive(pbx.leg, slice_of(ping, sizeof(ping)), &from, 1050),
			 -ENOMSG);
	plain_leg_stats(pbx.leg, &stats);
	assert_int_equal(stats.ignored, 3);
	assert_int_equal(stats.malformed, 0);
	assert_int_equal(stats.lost, 0);
	assert_int_equal(stats.packets_received, 3);
	assert_int_equal(comes("192.0.2.7:4444", 101, 4, 480, 1, 1060),
			 -EBADMSG); /* an event's 4 */
	plain_leg_stats(pbx.leg, &stats);
	assert_int_equal(stats.malformed, 1);
	plain_leg_free(&pbx.leg);
}

/* A re-INVITE to another port of the same host is answered before the peer stops to send from
 * the old one: those packets are heard, and the port that they come from is not taken. */
static void late_packets_from_the_old_port_do_not_call_the_leg_back(void **state)
{
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMU);

	(void)state;
	start(&c);
	assert_int_equal(comes("192.0.2.7:4444", 0, 1, 0, 160, 1000), 0);
	assert_int_equal(target(), 4444);
	c.remote = addr("192.0.2.7:5000");
	assert_int_equal(plain_leg_set(pbx.leg, &c, 2000), 0);
	assert_int_equal(comes("192.0.2.7:4444", 0, 2, 160, 160, 2010), 0);
	assert_int_equal(target(), 5000);
	assert_int_equal(comes("192.0.2.7:5555", 0, 3, 320, 160, 2020), 0);
	assert_int_equal(target(), 5555);
	assert_int_equal(comes("192.0.2.7:4444", 0, 4, 480, 160, 2030), -EACCES);

	/* the same SDP again, a resume, say: it sends from where it did */
	assert_int_equal(plain_leg_set(pbx.leg, &c, 3000), 0);
	assert_int_equal(comes("192.0.2.7:5555", 0, 5, 640, 160, 3010), 0);
	assert_int_equal(target(), 5555);

	/* one that never moves although it said so is believed after a while */
	c.remote = addr("192.0.2.7:6000");
	assert_int_equal(plain_leg_set(pbx.leg, &c, 4000), 0);
	assert_int_equal(comes("192.0.2.7:5555", 0, 6, 800, 160, 4000 + PLAIN_LATE_MS), 0);
	assert_int_equal(target(), 5555);
	plain_leg_free(&pbx.leg);
}

/* media.md section 7: "once, from that IP, within seconds". */
static void a_port_is_learned_only_soon_after_the_sdp(void **state)
{
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMU);
	int64_t late = 1000 + PLAIN_LEARN_MS + 1;

	(void)state;
	start(&c);
	assert_int_equal(comes("192.0.2.7:4444", 0, 1, 0, 160, late), -EACCES);
	assert_int_equal(target(), 4000);
	assert_int_equal(plain_leg_set(pbx.leg, &c, late), 0); /* a resume, say */
	assert_int_equal(comes("192.0.2.7:4444", 0, 1, 0, 160, late + PLAIN_LEARN_MS), 0);
	assert_int_equal(target(), 4444);
	plain_leg_free(&pbx.leg);

	start(&c); /* the announced port will do at any time */
	assert_int_equal(comes("192.0.2.7:4000", 0, 1, 0, 160, late), 0);
	assert_int_equal(comes("192.0.2.7:4444", 0, 2, 160, 160, late), -EACCES);
	plain_leg_free(&pbx.leg);
}

/* CIG-015: either law; frames of the length that the peer asked for. */
static void audio_leaves_in_frames_of_the_asked_length(void **state)
{
	static const struct {
		enum media_codec codec;
		unsigned ptime_ms;
		size_t octets;
	} cases[] = {
		{ MEDIA_PCMU, 0, 160 },  { MEDIA_PCMA, 20, 160 }, { MEDIA_PCMA, 30, 240 },
		{ MEDIA_PCMU, 60, 480 }, { MEDIA_PCMU, 5, 80 },   { MEDIA_PCMU, 200, 480 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct plain_leg_config c = sdp("192.0.2.7:4000", cases[i].codec);
		int16_t pcm[100];
		uint8_t want;

		c.ptime_ms = cases[i].ptime_ms;
		start(&c);
		for (size_t k = 0; k < COUNT(pcm); k++)
			pcm[k] = 1000;
		g711_law_encode(cases[i].codec == MEDIA_PCMA ? g711_a_law() : g711_mu_law(), pcm, 1,
				&want);
		for (int k = 0; k < 48; k++)
			plain_leg_send_audio(pbx.leg, pcm, COUNT(pcm));
		assert_int_equal(pbx.n_rtp, 4800 / cases[i].octets);
		assert_int_equal(pbx.last.payload.n, cases[i].octets);
		assert_int_equal(pbx.last.payload_type, cases[i].codec);
		for (size_t k = 0; k < pbx.last.payload.n; k++)
			assert_int_equal(pbx.last.payload.p[k], want);
		assert_true(pbx.continuous);
		plain_leg_free(&pbx.leg);
	}
}

/* A sender that changes its frame length in the call is followed. */
static void frames_of_any_length_are_heard(void **state)
{
	static const size_t lengths[] = { 160, 320, 80, 240, 480, 160 };
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMA);
	uint32_t timestamp = 0;

	(void)state;
	start(&c);
	for (uint16_t i = 0; i < COUNT(lengths); i++) {
		assert_int_equal(
			comes("192.0.2.7:4000", 8, i, timestamp, lengths[i], 1000 + timestamp / 8),
			0);
		timestamp += (uint32_t)lengths[i];
	}
	assert_int_equal(pbx.n_heard, timestamp);
	plain_leg_free(&pbx.leg);
}

static void numbers_go_on_through_hold_and_a_new_offer(void **state)
{
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMU);
	int16_t pcm[160] = { 0 };
	uint32_t timestamp;
	unsigned sent;

	(void)state;
	start(&c);
	plain_leg_send_audio(pbx.leg, pcm, 160);
	assert_true(pbx.last.marker);
	timestamp = pbx.last.timestamp;
	plain_leg_send_audio(pbx.leg, pcm, 160);
	assert_false(pbx.last.marker);
	assert_int_equal(pbx.last.timestamp, timestamp + 160);

	c.no_send = true;
	assert_int_equal(plain_leg_set(pbx.leg, &c, 2000), 0);
	sent = pbx.n_rtp;
	for (int i = 0; i < 50; i++)
		plain_leg_send_audio(pbx.leg, pcm, 160);
	assert_int_equal(pbx.n_rtp, sent);

	c.no_send = false;
	c.codec = MEDIA_PCMA;
	c.codec_pt = 8;
	assert_int_equal(plain_leg_set(pbx.leg, &c, 3000), 0);
	plain_leg_send_audio(pbx.leg, pcm, 160);
	assert_int_equal(pbx.last.payload_type, 8);
	assert_true(pbx.last.marker);
	assert_int_equal(pbx.last.timestamp, timestamp + 160 * 52);
	assert_true(pbx.continuous);
	plain_leg_free(&pbx.leg);
}

static void a_silent_peer_is_filled_and_its_comfort_noise_sets_the_level(void **state)
{
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMA);
	uint8_t cn[RTP_HEADER_SIZE + 1] = { 0 };
	struct rtp rtp = { .payload_type = 13, .seq = 2, .timestamp = 160, .ssrc = 0x5555 };
	struct net_addr from = addr("192.0.2.7:4000");
	double energy = 0;
	size_t before;

	(void)state;
	start(&c);
	assert_int_equal(comes("192.0.2.7:4000", 8, 1, 0, 160, 1000), 0);
	rtp_write_header(&rtp, cn);
	cn[RTP_HEADER_SIZE] = 50; /* -50 dBov */
	assert_int_equal(plain_leg_receive(pbx.leg, slice_of(cn, sizeof(cn)), &from, 1020), 0);
	before = pbx.n_heard;
	for (int64_t now = 1040; now <= 2040; now += 20)
		plain_leg_tick(pbx.leg, now);
	assert_in_range(pbx.n_heard - before, 7600, 8000);
	for (size_t i = before; i < pbx.n_heard; i++)
		energy += (double)pbx.heard[i] * pbx.heard[i];
	energy = 10 * log10(energy / (double)(pbx.n_heard - before) / 32768 / 32768);
	assert_true(energy > -51 && energy < -49);
	plain_leg_free(&pbx.leg);
}

/* Speech that goes on after a rest of the sender is not cut, however its
 * timestamps went on. */
static void speech_after_a_rest_is_heard_whole(void **state)
{
	static const uint32_t jumps[] = { 8000, 0, 400000, 160 };

	(void)state;
	for (size_t i = 0; i < COUNT(jumps); i++) {
		struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMA);
		size_t before;

		start(&c);
		assert_int_equal(comes("192.0.2.7:4000", 8, 1, 0, 160, 1000), 0);
		for (int64_t now = 1020; now < 2000; now += 20)
			plain_leg_tick(pbx.leg, now);
		before = pbx.n_heard;
		for (uint16_t k = 0; k < 50; k++)
			assert_int_equal(comes("192.0.2.7:4000", 8, 2 + k, 160 + jumps[i] + k * 160,
					       160, 2000 + k * 20),
					 0);
		assert_in_range(pbx.n_heard - before, 8000, 8000 + 480);
		plain_leg_free(&pbx.leg);
	}
}

static void events_come_and_go_with_the_negotiated_type(void **state)
{
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMA);
	uint8_t packet[RTP_HEADER_SIZE + 4] = { 0 };
	struct rtp rtp = { .payload_type = 101, .seq = 1, .timestamp = 800, .ssrc = 0x5555 };
	struct net_addr from = addr("192.0.2.7:4000");
	unsigned ends = 0;

	(void)state;
	start(&c);
	rtp_write_header(&rtp, packet);
	memcpy(packet + RTP_HEADER_SIZE, "\x09\x8a\x03\x20", 4);
	assert_int_equal(plain_leg_receive(pbx.leg, slice_of(packet, sizeof(packet)), &from, 1000),
			 0);
	assert_string_equal(pbx.digits, "9");

	assert_int_equal(plain_leg_send_digit(pbx.leg, '3', 100), 0);
	for (int64_t now = 1000; now < 1400; now += 20) {
		unsigned sent = pbx.n_rtp;

		plain_leg_tick(pbx.leg, now);
		if (pbx.n_rtp == sent)
			continue;
		assert_int_equal(pbx.last.payload_type, 101);
		assert_int_equal(pbx.last.payload.n, 4);
		ends += pbx.last.payload.p[1] >> 7;
	}
	assert_int_equal(ends, 3);
	plain_leg_free(&pbx.leg);
}

/* What a leg sends as tones another one detects. */
static void tones_serve_where_events_were_not_negotiated(void **state)
{
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMU);
	struct net_addr from = addr("192.0.2.7:4000");
	struct plain_leg *sender, *hearer;
	int16_t quiet[160] = { 0 };

	(void)state;
	c.event_pt = 0;
	start(&c);
	sender = pbx.leg;
	assert_int_equal(plain_leg_new(&c, &ops, NULL, 1000, &hearer), 0);
	for (const char *d = "0123456789*#ABCD"; *d; d++)
		assert_int_equal(plain_leg_send_digit(sender, *d, 100), 0);
	for (int64_t now = 1000; now < 1000 + 17 * 200; now += 20) {
		plain_leg_send_audio(sender, quiet, 160);
		assert_int_equal(plain_leg_receive(hearer,
						   slice_of(pbx.octets, RTP_HEADER_SIZE + 160),
						   &from, now),
				 0);
	}
	assert_string_equal(pbx.digits, "0123456789*#ABCD");
	plain_leg_free(&sender);
	plain_leg_free(&hearer);
}

static void with_sip_info_nothing_is_sent_as_media(void **state)
{
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMU);

	(void)state;
	c.dtmf = PLAIN_DTMF_NONE;
	start(&c);
	assert_int_equal(plain_leg_send_digit(pbx.leg, '1', 100), -ENOTSUP);
	plain_leg_tick(pbx.leg, 1020);
	assert_int_equal(pbx.n_rtp, 0);
	plain_leg_free(&pbx.leg);
}

static const uint8_t empty_report[] = { 0x80, 201, 0, 1, 0, 0, 0, 5 };

static void reports_count_as_life_but_not_those_of_strangers(void **state)
{
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMU);
	struct net_addr good = addr("192.0.2.7:4001"), bad = addr("192.0.2.6:4001");
	struct slice packet = slice_of(empty_report, sizeof(empty_report));

	(void)state;
	start(&c);
	assert_int_equal(plain_leg_receive(pbx.leg, packet, &bad, 2000), -EACCES);
	assert_int_equal(plain_leg_heard_ms(pbx.leg), 1000);
	assert_int_equal(plain_leg_receive(pbx.leg, packet, &good, 2000), 0);
	assert_int_equal(plain_leg_heard_ms(pbx.leg), 2000);
	assert_int_equal(net_port(plain_leg_remote_rtcp(pbx.leg)), 4001);
	plain_leg_tick(pbx.leg, 2000);
	assert_int_equal(pbx.n_rtcp, 1);
	plain_leg_free(&pbx.leg);
}

/* RFC 3605: reports go where a=rtcp says, and come from either host. */
static void a_port_and_address_of_its_own_for_reports_are_kept(void **state)
{
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMU);
	struct net_addr rtp_host = addr("192.0.2.7:4001"), rtcp_host = addr("192.0.2.8:9001");
	struct net_addr stranger = addr("192.0.2.9:9000");
	struct slice packet = slice_of(empty_report, sizeof(empty_report));

	(void)state;
	c.remote_rtcp = addr("192.0.2.8:9000");
	start(&c);
	assert_true(net_same_host(plain_leg_remote_rtcp(pbx.leg), &rtcp_host));
	assert_int_equal(net_port(plain_leg_remote_rtcp(pbx.leg)), 9000);
	assert_int_equal(plain_leg_receive(pbx.leg, packet, &rtcp_host, 2000), 0);
	assert_int_equal(plain_leg_receive(pbx.leg, packet, &rtp_host, 2000), 0);
	assert_int_equal(plain_leg_receive(pbx.leg, packet, &stranger, 2000), -EACCES);
	plain_leg_free(&pbx.leg);
}

/* RFC 3550 6.4: the PBX is told what we missed of its stream and how unevenly it came, and
 * what it reports of ours is known here. */
static void reports_go_both_ways_with_loss_and_jitter(void **state)
{
	struct plain_leg_config c = sdp("192.0.2.7:4000", MEDIA_PCMU);
	struct rtcp_report ours = { .ssrc = 0x5555, .has_block = true };
	struct net_addr source = addr("192.0.2.7:4001");
	static const int16_t pcm[160];
	uint8_t packet[RTCP_MAX_REPORT];
	struct leg_stats stats;
	int64_t now = 1000;
	size_t n;

	(void)state;
	start(&c);
	for (uint16_t i = 0; i < 100; i++, now += 20) {
		if (i % 10 != 3) /* one in ten is lost, every other one 16 ms late */
			comes("192.0.2.7:4000", 0, i, i * 160u, 160, now + (i & 1) * 16);
		plain_leg_send_audio(pbx.leg, pcm, 160);
		plain_leg_tick(pbx.leg, now + 17);
	}
	plain_leg_tick(pbx.leg, 1000 + 7000); /* the second report */
	assert_int_equal(pbx.n_rtcp, 2);
	assert_true(pbx.report.is_sender);
	assert_int_equal(pbx.report.ssrc, pbx.ssrc);
	assert_int_equal(pbx.report.packets, pbx.n_rtp);
	assert_int_equal(pbx.report.octets, pbx.n_rtp * 160);
	assert_true(pbx.report.has_block);
	assert_int_equal(pbx.report.block.lost, 10);
	assert_in_range(pbx.report.block.fraction_lost, 255 / 11, 255 / 9);
	assert_in_range(pbx.report.block.jitter, 100, 140); /* of 16 ms: 128 */
	assert_int_equal(pbx.report.block.highest_seq & 0xffff, 99);

	ours.block = (struct rtcp_block){ .ssrc = pbx.ssrc, .lost = 7, .jitter = 40 };
	n = rtcp_build(&ours, slice_str("pbx"), packet, sizeof(packet));
	assert_int_equal(plain_leg_receive(pbx.leg, slice_of(packet, n), &source, now), 0);
	plain_leg_stats(pbx.leg, &stats);
	assert_int_equal(stats.peer_lost, 7);
	assert_int_equal(stats.peer_jitter_us, 5000);
	assert_int_equal(stats.lost, 10);
	assert_in_range(stats.jitter_us, 12500, 17500);
	plain_leg_free(&pbx.leg);
}

static void impossible_settings_are_refused_and_change_nothing(void **state)
{
	struct plain_leg_config good = sdp("192.0.2.7:4000", MEDIA_PCMU), c;
	struct plain_leg *leg = NULL;

	(void)state;
	for (int i = 0; i < 5; i++) {
		c = good;
		switch (i) {
		case 0:
			c.remote.len = 0;
			break;
		case 1:
			net_set_port(&c.remote, 0);
			break;
		case 2:
			c.codec = MEDIA_OPUS;
			break;
		case 3:
			c.codec_pt = 128;
			break;
		case 4:
			c.event_pt = 200;
			break;
		}
		assert_int_equal(plain_leg_new(&c, &ops, NULL, 0, &leg), -EINVAL);
		assert_null(leg);
	}
	start(&good);
	assert_int_equal(plain_leg_set(pbx.leg, &c, 0), -EINVAL);
	assert_int_equal(target(), 4000);
	plain_leg_free(&pbx.leg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_port_is_learned_once_and_only_from_the_announced_address),
		cmocka_unit_test(audio_leaves_in_frames_of_the_asked_length),
		cmocka_unit_test(frames_of_any_length_are_heard),
		cmocka_unit_test(numbers_go_on_through_hold_and_a_new_offer),
		cmocka_unit_test(a_silent_peer_is_filled_and_its_comfort_noise_sets_the_level),
		cmocka_unit_test(speech_after_a_rest_is_heard_whole),
		cmocka_unit_test(events_come_and_go_with_the_negotiated_type),
		cmocka_unit_test(tones_serve_where_events_were_not_negotiated),
		cmocka_unit_test(with_sip_info_nothing_is_sent_as_media),
		cmocka_unit_test(reports_count_as_life_but_not_those_of_strangers),
		cmocka_unit_test(a_port_and_address_of_its_own_for_reports_are_kept),
		cmocka_unit_test(reports_go_both_ways_with_loss_and_jitter),
		cmocka_unit_test(a_port_is_learned_only_soon_after_the_sdp),
		cmocka_unit_test(keep_alives_are_ignored_and_are_nothing_malformed),
		cmocka_unit_test(late_packets_from_the_old_port_do_not_call_the_leg_back),
		cmocka_unit_test(impossible_settings_are_refused_and_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
