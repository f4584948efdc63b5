/* g711.c - both laws by table: 16 kB to encode, 512 octets to decode, made once a
 * process. */
#include "media/g711.h"

#include <pthread.h>

/* A linear sample is looked up by its upper 14 bits: G.711 resolves 14 bits in
 * mu-law and 13 in A-law. */
enum { LINEAR_BITS = 14, LINEAR_SHIFT = 16 - LINEAR_BITS, LINEAR_SIZE = 1 << LINEAR_BITS };

struct g711_law {
	int16_t linear[256];
	uint8_t code[LINEAR_SIZE]; /* index: (sample + 32768) >> LINEAR_SHIFT */
};

/* What the system makes global: constants that are computed once. */
static struct g711_law mu_law, a_law;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The sign bit is 1 for positive samples; the magnitude bits are inverted, too. */
static int16_t decode_mu(uint8_t code)
{
	unsigned inverted = (uint8_t)~code;
	unsigned segment = inverted >> 4 & 7, step = inverted & 15;
	int magnitude = (int)(((step << 3) + 0x84) << segment) -
			0x84; /* 0x84: the law's bias of 33, at 16 bits; with it every segment is a
				 power of two */

	return (int16_t)(inverted & 0x80 ? -magnitude : magnitude);
}

/* There is no bias here: the lowest two segments are equally fine.  Half a step is added, so that
 * a value stands in the middle of its interval. */
static int16_t decode_a(uint8_t code)
{
	unsigned plain = code ^ 0x55;
	unsigned segment = plain >> 4 & 7, step = plain & 15;
	int magnitude =
		segment ? (int)(((step << 4) + 0x108) << (segment - 1)) : (int)((step << 4) + 8);

	return (int16_t)(plain & 0x80 ? magnitude : -magnitude);
}

/* Decision values lie halfway between output values (G.711 tables 1 and 2): the
 * code of a sample is the one whose interval holds it. */
static uint8_t encode_mu(int sample)
{
	int magnitude =
		(sample < 0 ? -sample - 1 : sample) +
		0x84; /* -1 codes as 0 does: the intervals of both signs mirror each other */
	unsigned segment = 7, sign = sample < 0 ? 0x80 : 0;

	if (magnitude > 0x7fff)
		magnitude = 0x7fff;
	while (segment > 0 && magnitude < 0x80 << segment)
		segment--;
	return (uint8_t) ~(sign | segment << 4 | ((unsigned)magnitude >> (segment + 3) & 15));
}

static uint8_t encode_a(int sample)
{
	int magnitude = sample < 0 ? -sample - 1 : sample;
	unsigned segment = 7, sign = sample < 0 ? 0 : 0x80, step;

	while (segment > 0 && magnitude < 0x80 << segment)
		segment--;
	step = (unsigned)magnitude >> (segment ? segment + 3 : 4) & 15;
	return (uint8_t)((sign | segment << 4 | step) ^ 0x55);
}

static void make_tables(void)
{
	for (int i = 0; i < 256; i++) {
		mu_law.linear[i] = decode_mu((uint8_t)i);
		a_law.linear[i] = decode_a((uint8_t)i);
	}
	for (int i = 0; i < LINEAR_SIZE; i++) {
		int sample = i * (1 << LINEAR_SHIFT) - 32768;

		mu_law.code[i] = encode_mu(sample);
		a_law.code[i] = encode_a(sample);
	}
}

const struct g711_law *g711_mu_law(void)
{
	pthread_once(&once, make_tables);
	return &mu_law;
}

const struct g711_law *g711_a_law(void)
{
	pthread_once(&once, make_tables);
	return &a_law;
}

void g711_law_encode(const struct g711_law *law, const int16_t *pcm, size_t n, uint8_t *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = law->code[(pcm[i] + 32768) >> LINEAR_SHIFT];
}

void g711_law_decode(const struct g711_law *law, const uint8_t *in, size_t n, int16_t *pcm_out)
{
	for (size_t i = 0; i < n; i++)
		pcm_out[i] = law->linear[in[i]];
}
