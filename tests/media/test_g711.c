#include "tests/unit.h"

#include <math.h>
#include <stdlib.h>

#include <spandsp.h>

#include "media/g711.h"

static void every_code_word_decodes_as_spandsp_does(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		uint8_t code = (uint8_t)i;
		int16_t mu, a;

		g711_law_decode(g711_mu_law(), &code, 1, &mu);
		g711_law_decode(g711_a_law(), &code, 1, &a);
		assert_int_equal(mu, ulaw_to_linear(code));
		assert_int_equal(a, alaw_to_linear(code));
	}
}

/* At the resolution of the laws, 14 bits, the codes are the same or lie on the
 * two sides of one decision value. */
static void every_sample_encodes_to_the_nearest_code(void **state)
{
	(void)state;
	for (int i = -32768; i <= 32767; i++) {
		int16_t sample = (int16_t)i, ours, theirs;
		uint8_t mu, a;

		g711_law_encode(g711_mu_law(), &sample, 1, &mu);
		g711_law_decode(g711_mu_law(), &mu, 1, &ours);
		theirs = ulaw_to_linear(linear_to_ulaw(sample));
		assert_true(abs(ours - i) <= abs(theirs - i) + 4);
		g711_law_encode(g711_a_law(), &sample, 1, &a);
		g711_law_decode(g711_a_law(), &a, 1, &ours);
		theirs = alaw_to_linear(linear_to_alaw(sample));
		assert_true(abs(ours - i) <= abs(theirs - i) + 4);
	}
}

/* CIG-014: where both sides share a law, octets come out as they came in. */
static void code_words_survive_decoding_and_encoding(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		uint8_t code = (uint8_t)i, back;
		int16_t sample;

		g711_law_decode(g711_mu_law(), &code, 1, &sample);
		g711_law_encode(g711_mu_law(), &sample, 1, &back);
		assert_int_equal(back, code == 0x7f ? 0xff : code); /* two zeros */
		g711_law_decode(g711_a_law(), &code, 1, &sample);
		g711_law_encode(g711_a_law(), &sample, 1, &back);
		assert_int_equal(back, code);
	}
}

static double snr(const struct g711_law *law)
{
	double signal = 0, noise = 0;

	for (int i = 0; i < 8000; i++) {
		int16_t sample = (int16_t)(8000 * sin(i * 0.8)), back;
		uint8_t code;

		g711_law_encode(law, &sample, 1, &code);
		g711_law_decode(law, &code, 1, &back);
		signal += sample * sample;
		noise += (sample - back) * (sample - back);
	}
	return 10 * log10(signal / noise);
}

/* G.712 asks for 33 dB and more at this level. */
static void a_tone_keeps_its_quality(void **state)
{
	(void)state;
	assert_true(snr(g711_mu_law()) > 35);
	assert_true(snr(g711_a_law()) > 35);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_word_decodes_as_spandsp_does),
		cmocka_unit_test(every_sample_encodes_to_the_nearest_code),
		cmocka_unit_test(code_words_survive_decoding_and_encoding),
		cmocka_unit_test(a_tone_keeps_its_quality),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
