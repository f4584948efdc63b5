/* The PBX side of a call with SRTP (RFC 4568): two legs that face each other. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "media/plain_leg.h"
#include "media/rtp.h"

enum { FRAME = 160 };

struct side {
	struct plain_leg *leg, *other;
	struct net_addr from;
	bool to_other, rtcp_seen;
	uint8_t last[LEG_MAX_PACKET];
	size_t n_last, n_heard;
	unsigned sent;
	int64_t now_ms;
};

static struct side a, b;

static void on_send(void *arg, struct slice packet, bool rtcp)
{
	struct side *side = arg;

	side->sent++;
	side->rtcp_seen |= rtcp;
	if (!rtcp) {
		memcpy(side->last, packet.p, packet.n);
		side->n_last = packet.n;
	}
	if (side->to_other && side->other)
		assert_int_equal(plain_leg_receive(side->other, packet, &side->from, side->now_ms),
				 0);
}

static void on_audio(void *arg, const int16_t *pcm, size_t n)
{
	struct side *side = arg;

	(void)pcm;
	side->n_heard += n;
}

static void on_digit(void *arg, const struct dtmf_event *event)
{
	(void)arg, (void)event;
}

static const struct leg_ops ops = { on_send, on_audio, on_digit };

static struct srtp_key key(uint8_t seed)
{
	struct srtp_key k;

	memset(k.key, seed, sizeof(k.key));
	memset(k.salt, seed + 1, sizeof(k.salt));
	return k;
}

static struct plain_leg_config config(const char *remote, enum srtp_profile profile, uint8_t own,
				      uint8_t peer)
{
	struct plain_leg_config c = { .codec = MEDIA_PCMA,
				      .codec_pt = 8,
				      .event_pt = 101,
				      .srtp = profile,
				      .own_key = key(own),
				      .peer_key = key(peer) };

	assert_int_equal(net_parse(remote, 0, &c.remote), 0);
	return c;
}

static void open_sides(enum srtp_profile profile)
{
	struct plain_leg_config ca = config("192.0.2.2:4002", profile, 10, 20);
	struct plain_leg_config cb = config("192.0.2.1:4000", profile, 20, 10);

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	assert_int_equal(plain_leg_new(&ca, &ops, &a, 1000, &a.leg), 0);
	assert_int_equal(plain_leg_new(&cb, &ops, &b, 1000, &b.leg), 0);
	a.other = b.leg;
	b.other = a.leg;
	a.to_other = b.to_other = true;
	a.now_ms = b.now_ms = 1000;
	assert_int_equal(net_parse("192.0.2.1:4000", 0, &a.from), 0);
	assert_int_equal(net_parse("192.0.2.2:4002", 0, &b.from), 0);
}

static void close_sides(void)
{
	plain_leg_free(&a.leg);
	plain_leg_free(&b.leg);
}

static void speak(struct side *side, unsigned frames)
{
	int16_t pcm[FRAME];

	for (unsigned i = 0; i < frames; i++) {
		for (size_t k = 0; k < FRAME; k++)
			pcm[k] = (int16_t)((k * 37 + i * 11) % 4000);
		plain_leg_send_audio(side->leg, pcm, FRAME);
		a.now_ms = b.now_ms += 20;
		plain_leg_tick(a.leg, a.now_ms);
		plain_leg_tick(b.leg, b.now_ms);
	}
}

static uint64_t failures(const struct side *side)
{
	struct leg_stats stats;

	plain_leg_stats(side->leg, &stats);
	return stats.auth_failures;
}

static const enum srtp_profile profiles[] = { SRTP_AES128_CM_SHA1_80, SRTP_AES128_CM_SHA1_32,
					      SRTP_AES256_CM_SHA1_80, SRTP_AES256_CM_SHA1_32 };

static void speech_and_reports_go_both_ways_and_are_not_to_be_read(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(profiles); p++) {
		struct rtp rtp;

		open_sides(profiles[p]);
		speak(&a, 400);
		speak(&b, 400);
		assert_true(a.n_heard > 300 * FRAME && b.n_heard > 300 * FRAME);
		assert_true(a.rtcp_seen && b.rtcp_seen);
		assert_int_equal(failures(&a) + failures(&b), 0);
		/* the payload is longer by the tag, and no G.711 of what was said */
		assert_int_equal(rtp_parse(slice_of(a.last, a.n_last), &rtp), 0);
		assert_int_equal(rtp.payload.n, FRAME + (p % 2 == 0 ? 10 : 4));
		close_sides();
	}
}

/* Only what authenticates teaches anything, the port included. */
static void what_has_another_key_or_none_is_counted_and_changes_nothing(void **state)
{
	struct net_addr elsewhere;
	uint8_t clear[RTP_HEADER_SIZE + FRAME] = { 0 };
	struct rtp rtp = { .payload_type = 8, .seq = 1, .ssrc = 5 };

	(void)state;
	open_sides(SRTP_AES128_CM_SHA1_80);
	assert_int_equal(net_parse("192.0.2.1:5555", 0, &elsewhere), 0);
	rtp_write_header(&rtp, clear);
	assert_int_equal(plain_leg_receive(b.leg, slice_of(clear, sizeof(clear)), &elsewhere, 1000),
			 -EACCES);
	assert_int_equal(failures(&b), 1);
	assert_int_equal(net_port(plain_leg_remote(b.leg)), 4000);
	assert_int_equal(b.n_heard, 0);
	a.to_other = false;
	speak(&a, 1);
	a.last[20] ^= 1;
	assert_int_equal(plain_leg_receive(b.leg, slice_of(a.last, a.n_last), &elsewhere, b.now_ms),
			 -EACCES);
	a.last[20] ^= 1;
	assert_int_equal(plain_leg_receive(b.leg, slice_of(a.last, a.n_last), &elsewhere, b.now_ms),
			 0);
	assert_int_equal(net_port(plain_leg_remote(b.leg)), 5555);
	/* and what came once does not come again */
	assert_int_equal(plain_leg_receive(b.leg, slice_of(a.last, a.n_last), &elsewhere, b.now_ms),
			 -EALREADY);
	for (size_t n = 0; n < a.n_last; n++)
		assert_int_not_equal(
			plain_leg_receive(b.leg, slice_of(a.last, n), &elsewhere, b.now_ms), 0);
	close_sides();
}

/* A rollover counter is nowhere in a packet: a context made anew would not know it. */
static void a_new_sdp_with_the_same_keys_goes_on_where_it_was(void **state)
{
	struct plain_leg_config cb = config("192.0.2.1:4000", SRTP_AES128_CM_SHA1_80, 20, 10);
	struct plain_leg_config ca = config("192.0.2.2:4002", SRTP_AES128_CM_SHA1_80, 10, 20);

	(void)state;
	open_sides(SRTP_AES128_CM_SHA1_80);
	speak(&a, 70000); /* more than a rollover */
	assert_int_equal(plain_leg_set(b.leg, &cb, b.now_ms), 0);
	assert_int_equal(plain_leg_set(a.leg, &ca, a.now_ms), 0);
	b.n_heard = 0;
	speak(&a, 50);
	assert_true(b.n_heard > 40 * FRAME);
	assert_int_equal(failures(&b), 0);
	close_sides();
}

static void new_keys_take_the_place_of_the_old_ones_and_none_means_in_clear(void **state)
{
	struct plain_leg_config ca = config("192.0.2.2:4002", SRTP_AES128_CM_SHA1_32, 11, 21);
	struct plain_leg_config cb = config("192.0.2.1:4000", SRTP_AES128_CM_SHA1_32, 21, 11);
	struct rtp rtp;

	(void)state;
	open_sides(SRTP_AES128_CM_SHA1_80);
	speak(&a, 10);
	assert_int_equal(plain_leg_set(a.leg, &ca, a.now_ms), 0);
	a.to_other = false;
	speak(&a, 1);
	assert_int_equal(plain_leg_receive(b.leg, slice_of(a.last, a.n_last), &a.from, b.now_ms),
			 -EACCES);
	assert_int_equal(plain_leg_set(b.leg, &cb, b.now_ms), 0);
	a.to_other = true;
	b.n_heard = 0;
	speak(&a, 10);
	assert_true(b.n_heard >= 5 * FRAME);
	ca.srtp = cb.srtp = SRTP_NONE;
	assert_int_equal(plain_leg_set(a.leg, &ca, a.now_ms), 0);
	assert_int_equal(plain_leg_set(b.leg, &cb, b.now_ms), 0);
	speak(&a, 10);
	assert_int_equal(rtp_parse(slice_of(a.last, a.n_last), &rtp), 0);
	assert_int_equal(rtp.payload.n, FRAME);
	close_sides();
}

static void an_unknown_profile_is_refused(void **state)
{
	struct plain_leg_config c = config("192.0.2.2:4002", (enum srtp_profile)5, 1, 2);
	struct plain_leg *leg;

	(void)state;
	assert_int_equal(plain_leg_new(&c, &ops, NULL, 0, &leg), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speech_and_reports_go_both_ways_and_are_not_to_be_read),
		cmocka_unit_test(what_has_another_key_or_none_is_counted_and_changes_nothing),
		cmocka_unit_test(a_new_sdp_with_the_same_keys_goes_on_where_it_was),
		cmocka_unit_test(new_keys_take_the_place_of_the_old_ones_and_none_means_in_clear),
		cmocka_unit_test(an_unknown_profile_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
