#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "media/codec.h"
#include "media/speech_match.h"
#include "tests/media/speech.h"

enum { SAMPLES = 8000 * 5, ROOM = SAMPLES + 16000 };

static int16_t said[SAMPLES], heard[ROOM];

static double match(size_t n_heard, int *lag_ms)
{
	struct speech_match m;

	assert_int_equal(speech_match(said, SAMPLES, heard, n_heard, &m), 0);
	if (lag_ms)
		*lag_ms = m.lag_ms;
	return m.correlation;
}

static int make(void **state)
{
	(void)state;
	speech_make(1, said, SAMPLES);
	memset(heard, 0, sizeof(heard));
	return 0;
}

static void the_same_speech_is_found_however_loud_and_late(void **state)
{
	int lag;

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++)
		heard[i + 9600] = said[i] / 3;
	assert_true(match(ROOM, &lag) > 0.98);
	assert_int_equal(lag, 1200);
}

static void speech_through_each_codec_is_the_same_speech(void **state)
{
	static const enum media_codec kinds[] = { MEDIA_PCMU, MEDIA_PCMA, MEDIA_OPUS };

	(void)state;
	for (size_t k = 0; k < COUNT(kinds); k++) {
		struct codec *codec = codec_new(kinds[k]);

		for (size_t i = 0; i < SAMPLES; i += 160) {
			uint8_t octets[MEDIA_MAX_PAYLOAD];
			int16_t pcm[MEDIA_MAX_FRAME];
			int n = codec_encode(codec, said + i, 160, octets, sizeof(octets));

			assert_true(n > 0);
			assert_int_equal(codec_decode(codec, slice_of(octets, (size_t)n), pcm),
					 160);
			memcpy(heard + i, pcm, 160 * sizeof(*pcm));
		}
		codec_free(&codec);
		assert_true(match(SAMPLES, NULL) >= 0.93);
	}
}

static void silence_is_no_speech(void **state)
{
	(void)state;
	assert_true(match(ROOM, NULL) < 0.3);
	assert_true(match(0, NULL) < 0.3);
}

static void other_speech_is_not_the_same(void **state)
{
	(void)state;
	for (unsigned seed = 2; seed < 6; seed++) {
		speech_make(seed, heard, SAMPLES);
		assert_true(match(SAMPLES, NULL) < 0.5);
	}
}

static void a_fifth_of_the_frames_missing_is_noticed(void **state)
{
	(void)state;
	for (size_t phase = 0; phase < 5; phase++) {
		memcpy(heard, said, sizeof(said));
		for (size_t frame = phase; frame < SAMPLES / 160; frame += 5)
			memset(heard + frame * 160, 0, 160 * sizeof(*heard));
		assert_true(match(SAMPLES, NULL) < 0.9);
	}
}

static void half_of_the_speech_is_not_enough(void **state)
{
	(void)state;
	memcpy(heard, said, sizeof(said) / 2);
	assert_true(match(SAMPLES / 2, NULL) < 0.3);
	assert_true(match(SAMPLES, NULL) < 0.9);
}

static void a_silent_reference_is_refused(void **state)
{
	struct speech_match m;

	(void)state;
	assert_int_equal(speech_match(heard, SAMPLES, said, SAMPLES, &m), -EINVAL);
	assert_int_equal(speech_match(said, 100, said, SAMPLES, &m), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_same_speech_is_found_however_loud_and_late, make),
		cmocka_unit_test_setup(speech_through_each_codec_is_the_same_speech, make),
		cmocka_unit_test_setup(silence_is_no_speech, make),
		cmocka_unit_test_setup(other_speech_is_not_the_same, make),
		cmocka_unit_test_setup(a_fifth_of_the_frames_missing_is_noticed, make),
		cmocka_unit_test_setup(half_of_the_speech_is_not_enough, make),
		cmocka_unit_test_setup(a_silent_reference_is_refused, make),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
