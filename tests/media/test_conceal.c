#include "tests/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "media/codec.h"
#include "media/conceal.h"
#include "media/noise.h"

static void make_tone(int16_t *pcm, size_t n, double hz)
{
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)(8000 * sin(2 * acos(-1) * hz * (double)i / 8000) +
				   2000 * sin(4 * acos(-1) * hz * (double)i / 8000));
}

/* Over a voice's range of pitch the first 10 ms go on almost as they were. */
static void a_voiced_sound_goes_on(void **state)
{
	(void)state;
	for (double hz = 70; hz < 200; hz += 7) {
		int16_t pcm[800], filled[80];
		struct conceal c;
		double error = 0, signal = 0;

		make_tone(pcm, COUNT(pcm), hz);
		conceal_init(&c);
		for (size_t at = 0; at < 640; at += 160) {
			int16_t frame[160];

			memcpy(frame, pcm + at, sizeof(frame));
			conceal_good(&c, frame, 160);
			assert_memory_equal(frame, pcm + at, sizeof(frame));
		}
		conceal_fill(&c, filled, COUNT(filled));
		for (size_t i = 0; i < COUNT(filled); i++) {
			error += pow(filled[i] - pcm[640 + i], 2);
			signal += pow(pcm[640 + i], 2);
		}
		assert_true(error < signal / 5);
	}
}

static void a_long_loss_fades_to_silence_and_what_follows_is_blended_in(void **state)
{
	int16_t pcm[480], filled[640], after[160];
	struct conceal c;

	(void)state;
	make_tone(pcm, COUNT(pcm), 100);
	conceal_init(&c);
	conceal_good(&c, pcm, COUNT(pcm));
	conceal_fill(&c, filled, COUNT(filled));
	assert_true(abs(filled[1]) < 9000);
	for (size_t i = CONCEAL_FADE; i < COUNT(filled); i++)
		assert_int_equal(filled[i], 0);
	for (size_t i = 0; i < COUNT(after); i++)
		after[i] = 8000;
	conceal_good(&c, after, COUNT(after));
	assert_int_equal(after[0], 0);
	assert_true(after[5] > 0 && after[5] < 8000);
	assert_int_equal(after[100], 8000);
}

static void silence_stays_silence(void **state)
{
	int16_t pcm[160] = { 0 };
	struct conceal c;

	(void)state;
	conceal_init(&c);
	conceal_fill(&c, pcm, 160);
	for (size_t i = 0; i < 160; i++)
		assert_int_equal(pcm[i], 0);
}

/* RFC 3389 3.1; and nobody can make us loud. */
static void noise_has_the_level_that_was_asked_for(void **state)
{
	static const unsigned asked[] = { 65, 50, 40, 10, 0, 127 };

	(void)state;
	for (size_t i = 0; i < COUNT(asked); i++) {
		int16_t pcm[8000];
		double energy = 0, dbov;
		struct noise noise;

		noise_init(&noise);
		noise_set_level(&noise, asked[i]);
		noise_fill(&noise, pcm, COUNT(pcm));
		for (size_t k = 0; k < COUNT(pcm); k++)
			energy += (double)pcm[k] * pcm[k];
		dbov = 10 * log10(energy / COUNT(pcm) / 32768 / 32768 + 1e-12);
		if (asked[i] < 40)
			assert_true(dbov > -41 && dbov < -39);
		else if (asked[i] < 100)
			assert_true(fabs(dbov + asked[i]) < 1);
		else
			assert_true(dbov < -90);
	}
}

static void a_codec_refuses_what_it_cannot_take(void **state)
{
	static const enum media_codec kinds[] = { MEDIA_PCMU, MEDIA_PCMA, MEDIA_OPUS };
	uint8_t octets[MEDIA_MAX_PAYLOAD] = { 0xff, 0xff, 0xff };
	int16_t pcm[MEDIA_MAX_FRAME + 1] = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct codec *c = codec_new(kinds[i]);

		assert_true(codec_encode(c, pcm, 0, octets, sizeof(octets)) < 0);
		assert_true(codec_encode(c, pcm, MEDIA_MAX_FRAME + 1, octets, sizeof(octets)) < 0);
		if (kinds[i] != MEDIA_OPUS) /* which can say nothing in one octet */
			assert_true(codec_encode(c, pcm, 160, octets, 159) < 0);
		assert_true(codec_decode(c, slice_of(octets, 0), pcm) < 0);
		codec_free(&c);
	}
}

static void an_opus_packet_of_more_than_120_ms_is_refused(void **state)
{
	static const uint8_t octets[] = { 0xff, 0xff, 0xff }; /* code 3: 63 frames */
	struct codec *c = codec_new(MEDIA_OPUS);
	int16_t pcm[MEDIA_MAX_FRAME] = { 0 };
	uint8_t out[MEDIA_MAX_PAYLOAD];

	(void)state;
	assert_true(codec_decode(c, slice_of(octets, 3), pcm) < 0);
	assert_true(codec_encode(c, pcm, 100, out, sizeof(out)) < 0);
	codec_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_voiced_sound_goes_on),
		cmocka_unit_test(a_long_loss_fades_to_silence_and_what_follows_is_blended_in),
		cmocka_unit_test(silence_stays_silence),
		cmocka_unit_test(noise_has_the_level_that_was_asked_for),
		cmocka_unit_test(a_codec_refuses_what_it_cannot_take),
		cmocka_unit_test(an_opus_packet_of_more_than_120_ms_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
