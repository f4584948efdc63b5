#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "media/rtp.h"
#include "media/secure_leg.h"
#include "media/speech_match.h"
#include "tests/media/link.h"
#include "tests/media/speech.h"

enum { SECONDS = 6, SAMPLES = SECONDS * 8000, ROOM = 3 * SAMPLES };

static const struct slice leg_key = { (const uint8_t *)"sixteen octets k", 16 };

/* One end of the call, and the relay in front of it. */
struct end {
	struct secure_leg *leg;
	struct link *out;
	int64_t now;
	bool relay_answers;
	unsigned n_rtp, bindings;
	bool (*loses)(unsigned packet);     /* NULL: nothing is lost */
	int64_t (*delays)(unsigned packet); /* ms; NULL: 30 */
	int16_t heard[ROOM];
	size_t n_heard;
	char digits[128];
};

static void answer(struct end *e, struct slice packet)
{
	uint8_t out[STUN_MAX_MESSAGE];
	struct stun_message m;
	struct net_addr mapped;
	size_t n;

	e->bindings++;
	if (!e->relay_answers)
		return;
	assert_int_equal(stun_parse(packet, &m), 0);
	assert_int_equal(stun_verify(&m, packet, leg_key), 0);
	assert_int_equal(net_parse("192.0.2.1:1000", 0, &mapped), 0);
	n = stun_build_success(m.transaction, &mapped, leg_key, out, sizeof(out));
	assert_int_equal(secure_leg_receive(e->leg, out, n, e->now), 0);
}

static void on_send(void *arg, struct slice packet, bool rtcp)
{
	struct end *e = arg;
	unsigned number = e->n_rtp;

	if (stun_is(packet)) {
		answer(e, packet);
		return;
	}
	if (!rtcp && e->n_rtp++ && e->loses && e->loses(number))
		return;
	link_send(e->out, packet, e->now + (e->delays && !rtcp ? e->delays(number) : 30));
}

static void on_audio(void *arg, const int16_t *pcm, size_t n)
{
	struct end *e = arg;

	assert_in_range(n, 1, MEDIA_MAX_FRAME);
	assert_true(e->n_heard + n <= ROOM);
	memcpy(e->heard + e->n_heard, pcm, n * sizeof(*pcm));
	e->n_heard += n;
}

static void on_digit(void *arg, const struct dtmf_event *event)
{
	struct end *e = arg;
	size_t at = strlen(e->digits);

	if (event->phase == DTMF_END)
		snprintf(e->digits + at, sizeof(e->digits) - at, "%c:%u ", event->digit,
			 event->duration_ms);
}

static const struct leg_ops ops = { on_send, on_audio, on_digit };

static struct secure_leg_config config_of(int who, enum media_codec codec)
{
	struct secure_leg_config c = { .own_ssrc = who ? 222 : 111,
				       .peer_ssrc = who ? 111 : 222,
				       .profile = SRTP_AES128_CM_SHA1_80,
				       .codec = codec,
				       .codec_pt = codec == MEDIA_OPUS ? 96 : (uint8_t)codec,
				       .event_pt = 101,
				       .event_clock = codec_clock(codec),
				       .leg_id = slice_str("leg-0123456789ab"),
				       .leg_key = leg_key };

	memset(c.own_key.key, who ? 2 : 1, sizeof(c.own_key.key));
	memset(c.peer_key.key, who ? 1 : 2, sizeof(c.peer_key.key));
	return c;
}

static struct link links[2];
static struct end ends[2];
static int16_t said[SAMPLES];

static void call_with(const struct secure_leg_config *a, const struct secure_leg_config *b)
{
	memset(links, 0, sizeof(links));
	memset(ends, 0, sizeof(ends));
	for (int i = 0; i < 2; i++) {
		ends[i].out = &links[i];
		ends[i].relay_answers = true;
		ends[i].now = 10000;
		assert_int_equal(
			secure_leg_new(i ? b : a, &ops, &ends[i], ends[i].now, &ends[i].leg), 0);
	}
}

static void call(enum media_codec codec)
{
	struct secure_leg_config a = config_of(0, codec), b = config_of(1, codec);

	call_with(&a, &b);
}

/* Each end speaks where it has something to say, for as long as asked. */
static void run(const int16_t *first, const int16_t *second, int ms)
{
	const int16_t *says[2] = { first, second };

	for (int t = 0; t < ms; t++) {
		for (int i = 0; i < 2; i++) {
			uint8_t packet[LINK_PACKET];
			size_t n;

			ends[i].now++;
			if (says[i] && t % 20 == 0 && (size_t)t * 8 + 160 <= SAMPLES)
				secure_leg_send_audio(ends[i].leg, says[i] + t * 8, 160);
			if (ends[i].now % LEG_TICK_MS == 7)
				secure_leg_tick(ends[i].leg, ends[i].now);
			while ((n = link_receive(&links[!i], ends[i].now, packet)))
				secure_leg_receive(ends[i].leg, packet, n, ends[i].now);
		}
	}
}

static void hang_up(void)
{
	secure_leg_free(&ends[0].leg);
	secure_leg_free(&ends[1].leg);
}

static double heard_by(int who)
{
	struct speech_match m;

	assert_int_equal(speech_match(said, SAMPLES, ends[who].heard, ends[who].n_heard, &m), 0);
	return m.correlation;
}

static int make(void **state)
{
	(void)state;
	speech_make(7, said, SAMPLES);
	return 0;
}

static void speech_is_heard_with_every_codec_and_profile(void **state)
{
	static const struct {
		enum media_codec codec;
		enum srtp_profile profile;
		unsigned ptime_ms;
	} cases[] = {
		{ MEDIA_OPUS, SRTP_AES128_CM_SHA1_80, 0 },
		{ MEDIA_OPUS, SRTP_AEAD_AES_128_GCM, 60 },
		{ MEDIA_PCMU, SRTP_AES128_CM_SHA1_80, 20 },
		{ MEDIA_PCMA, SRTP_AEAD_AES_128_GCM, 40 },
		{ MEDIA_PCMA, SRTP_AES128_CM_SHA1_80, 10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct secure_leg_config a = config_of(0, cases[i].codec);
		struct secure_leg_config b = config_of(1, cases[i].codec);
		struct leg_stats stats;

		a.profile = b.profile = cases[i].profile;
		a.ptime_ms = cases[i].ptime_ms;
		call_with(&a, &b);
		run(said, NULL, SECONDS * 1000 + 200);
		assert_true(secure_leg_bound(ends[0].leg) && secure_leg_bound(ends[1].leg));
		assert_true(heard_by(1) >= 0.93);
		secure_leg_stats(ends[1].leg, &stats);
		assert_int_equal(stats.packets_received, ends[0].n_rtp);
		assert_true(stats.octets_received > 0);
		assert_int_equal(stats.lost + stats.late + stats.auth_failures + stats.malformed,
				 0);
		hang_up();
	}
}

static bool every_tenth(unsigned packet)
{
	return packet % 10 == 5;
}

static void a_tenth_of_the_packets_may_be_lost(void **state)
{
	static const enum media_codec codecs[] = { MEDIA_OPUS, MEDIA_PCMA };

	(void)state;
	for (size_t i = 0; i < COUNT(codecs); i++) {
		struct leg_stats stats;

		call(codecs[i]);
		ends[0].loses = every_tenth;
		run(said, NULL, SECONDS * 1000 + 100);
		secure_leg_stats(ends[1].leg, &stats);
		assert_in_range(stats.lost, 29, 30);
		assert_true(stats.concealed_ms >= 500);
		assert_true(heard_by(1) >= 0.9);
		/* time is not lost with the packets: 6 s came out as 6 s and the rest */
		assert_in_range(ends[1].n_heard, SAMPLES, SAMPLES + 1600);
		hang_up();
	}
}

static int64_t changing_places(unsigned packet)
{
	return packet % 8 == 3 ? 45 : 30;
}

static void packets_that_change_places_are_put_in_order(void **state)
{
	struct leg_stats stats;

	(void)state;
	call(MEDIA_OPUS);
	ends[0].delays = changing_places;
	run(said, NULL, SECONDS * 1000 + 100);
	secure_leg_stats(ends[1].leg, &stats);
	assert_int_equal(stats.lost + stats.late, 0);
	assert_true(heard_by(1) >= 0.93);
	hang_up();
}

static int64_t stalling(unsigned packet)
{
	return packet >= 100 && packet < 125 ? 30 + 20 * (125 - (int64_t)packet) : 30;
}

/* Half a second during which nothing comes, then all at once. */
static void a_stall_does_not_add_delay_for_good(void **state)
{
	(void)state;
	call(MEDIA_PCMA);
	ends[0].delays = stalling;
	run(said, NULL, SECONDS * 1000 + 100);
	assert_in_range(ends[1].n_heard, SAMPLES - 1600, SAMPLES + 3 * 1600);
	hang_up();
}

static void the_output_goes_on_while_the_peer_is_silent(void **state)
{
	(void)state;
	call(MEDIA_OPUS);
	run(NULL, NULL, 1000);
	assert_in_range(ends[0].n_heard, 8000 - 800, 8000);
	for (size_t i = 0; i < ends[0].n_heard; i++)
		assert_in_range(ends[0].heard[i] + 100, 0, 200);
	hang_up();
}

/* CCA-010, CIG-005 */
static void digits_arrive_once_with_their_length_and_between_words(void **state)
{
	static const enum media_codec codecs[] = { MEDIA_OPUS, MEDIA_PCMU };

	(void)state;
	for (size_t i = 0; i < COUNT(codecs); i++) {
		call(codecs[i]);
		run(said, NULL, 500);
		assert_int_equal(secure_leg_send_digit(ends[0].leg, '5', 100), 0);
		assert_int_equal(secure_leg_send_digit(ends[0].leg, '#', 240), 0);
		assert_int_equal(secure_leg_send_digit(ends[0].leg, 'x', 240), -EINVAL);
		assert_false(secure_leg_digits_sent(ends[0].leg));
		run(said, NULL, 1000);
		assert_true(secure_leg_digits_sent(ends[0].leg));
		assert_string_equal(ends[1].digits, "5:100 #:240 ");
		hang_up();
	}
}

static void digits_need_no_audio_around_them(void **state)
{
	(void)state;
	call(MEDIA_OPUS);
	for (const char *d = "1123"; *d; d++)
		assert_int_equal(secure_leg_send_digit(ends[0].leg, *d, 60), 0);
	run(NULL, NULL, 1500);
	assert_string_equal(ends[1].digits, "1:60 1:60 2:60 3:60 ");
	hang_up();
}

static void digits_survive_loss(void **state)
{
	(void)state;
	call(MEDIA_OPUS);
	ends[0].loses = every_tenth;
	for (int i = 0; i < 10; i++)
		assert_int_equal(secure_leg_send_digit(ends[0].leg, (char)('0' + i), 100), 0);
	run(said, NULL, 3000);
	assert_string_equal(ends[1].digits, "0:100 1:100 2:100 3:100 4:100 5:100 6:100 7:100 8:100 "
					    "9:100 ");
	hang_up();
}

static void a_leg_without_events_says_so(void **state)
{
	struct secure_leg_config a = config_of(0, MEDIA_OPUS), b = config_of(1, MEDIA_OPUS);

	(void)state;
	a.event_pt = 0;
	call_with(&a, &b);
	assert_int_equal(secure_leg_send_digit(ends[0].leg, '1', 100), -ENOTSUP);
	hang_up();
}

/* CIG-012: a wrong key is no media, and it shows. */
static void nothing_is_heard_under_another_key(void **state)
{
	struct secure_leg_config a = config_of(0, MEDIA_OPUS), b = config_of(1, MEDIA_OPUS);
	struct leg_stats stats;

	(void)state;
	b.peer_key.salt[0] ^= 1;
	call_with(&a, &b);
	run(said, NULL, 1000);
	secure_leg_stats(ends[1].leg, &stats);
	assert_int_equal(stats.packets_received, 0);
	assert_true(stats.auth_failures >= ends[0].n_rtp - 2);
	assert_int_equal(secure_leg_heard_ms(ends[1].leg), 10000);
	for (size_t i = 0; i < ends[1].n_heard; i++)
		assert_in_range(ends[1].heard[i] + 100, 0, 200);
	hang_up();
}

static void repeats_are_counted_and_not_heard(void **state)
{
	uint8_t packet[LINK_PACKET], copy[LINK_PACKET];
	struct leg_stats stats;
	size_t n;

	(void)state;
	call(MEDIA_PCMU);
	secure_leg_send_audio(ends[0].leg, said, 160);
	n = link_receive(&links[0], 20000, packet);
	assert_true(n > 0);
	for (int i = 0; i < 5; i++) {
		memcpy(copy, packet, n);
		assert_int_equal(secure_leg_receive(ends[1].leg, copy, n, 10030),
				 i ? -EALREADY : 0);
	}
	secure_leg_stats(ends[1].leg, &stats);
	assert_int_equal(stats.replays, 4);
	assert_int_equal(stats.packets_received, 1);
	assert_int_equal(ends[1].n_heard, 160);
	assert_int_equal(secure_leg_receive(ends[1].leg, copy, 3, 10030), -EBADMSG);
	hang_up();
}

static void reports_tell_the_sender_what_was_lost(void **state)
{
	struct leg_stats stats;

	(void)state;
	call(MEDIA_OPUS);
	ends[0].loses = every_tenth;
	run(said, said, SECONDS * 1000 + 1000);
	secure_leg_stats(ends[0].leg, &stats);
	assert_in_range(stats.peer_lost, 20, 30);
	hang_up();
}

static void an_unanswered_binding_is_repeated(void **state)
{
	(void)state;
	call(MEDIA_OPUS);
	ends[0].relay_answers = false;
	run(NULL, NULL, 5000);
	assert_false(secure_leg_bound(ends[0].leg));
	assert_in_range(ends[0].bindings, 5, 9);
	ends[0].relay_answers = true;
	run(NULL, NULL, 1100);
	assert_true(secure_leg_bound(ends[0].leg));
	hang_up();
}

static void impossible_settings_are_refused(void **state)
{
	struct secure_leg *leg = NULL;

	(void)state;
	for (int i = 0; i < 11; i++) {
		struct secure_leg_config c = config_of(0, MEDIA_OPUS);

		switch (i) {
		case 0:
			c.own_ssrc = 0;
			break;
		case 1:
			c.peer_ssrc = 0;
			break;
		case 2:
			c.peer_ssrc = c.own_ssrc;
			break;
		case 3:
			c.codec_pt = 128;
			break;
		case 4:
			c.event_pt = 128;
			break;
		case 5:
			c.event_clock = 16000;
			break;
		case 6:
			c.ptime_ms = 15;
			break;
		case 7:
			c.ptime_ms = 120;
			break;
		case 8:
			c.profile = (enum srtp_profile)3;
			break;
		case 9:
			c.leg_id.n = 0;
			break;
		case 10:
			c.leg_key.n = 65;
			break;
		}
		assert_int_equal(secure_leg_new(&c, &ops, &ends[0], 0, &leg), -EINVAL);
		assert_null(leg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speech_is_heard_with_every_codec_and_profile),
		cmocka_unit_test(a_tenth_of_the_packets_may_be_lost),
		cmocka_unit_test(packets_that_change_places_are_put_in_order),
		cmocka_unit_test(a_stall_does_not_add_delay_for_good),
		cmocka_unit_test(the_output_goes_on_while_the_peer_is_silent),
		cmocka_unit_test(digits_arrive_once_with_their_length_and_between_words),
		cmocka_unit_test(digits_need_no_audio_around_them),
		cmocka_unit_test(digits_survive_loss),
		cmocka_unit_test(a_leg_without_events_says_so),
		cmocka_unit_test(nothing_is_heard_under_another_key),
		cmocka_unit_test(repeats_are_counted_and_not_heard),
		cmocka_unit_test(reports_tell_the_sender_what_was_lost),
		cmocka_unit_test(an_unanswered_binding_is_repeated),
		cmocka_unit_test(impossible_settings_are_refused),
	};

	return cmocka_run_group_tests(tests, make, NULL);
}
