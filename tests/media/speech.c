#include "tests/media/speech.h"

#include <math.h>
#include <string.h>

enum { RATE = 8000, FORMANTS = 3 };

struct resonator {
	double a, b, gain, y1, y2;
};

static double uniform(unsigned *state, double low, double high)
{
	*state = *state * 1664525u + 1013904223u;
	return low + (high - low) * (*state >> 8) / (1 << 24);
}

static void tune(struct resonator *r, double hz, double bandwidth)
{
	const double pi = acos(-1);
	double radius = exp(-pi * bandwidth / RATE);

	r->a = 2 * radius * cos(2 * pi * hz / RATE);
	r->b = -radius * radius;
	r->gain = 1 - radius;
}

static double resonate(struct resonator *r, double x)
{
	double y = r->gain * x + r->a * r->y1 + r->b * r->y2;

	r->y2 = r->y1;
	r->y1 = y;
	return y;
}

void speech_make(unsigned seed, int16_t *pcm_out, size_t n)
{
	static const double low[FORMANTS] = { 250, 800, 2000 },
			    high[FORMANTS] = { 850, 2200, 3200 };
	struct resonator r[FORMANTS];
	unsigned state = seed * 2654435761u + 12345;
	double phase = 0;

	memset(r, 0, sizeof(r));
	for (size_t at = 0; at < n;) {
		size_t syllable = (size_t)uniform(&state, 0.06 * RATE, 0.22 * RATE);
		double pitch = uniform(&state, 90, 220), loud = uniform(&state, 0.2, 1);
		double kind = uniform(&state, 0, 1);

		for (int f = 0; f < FORMANTS; f++)
			tune(&r[f], uniform(&state, low[f], high[f]), 80 + 40 * f);
		for (size_t i = 0; i < syllable && at < n; i++, at++) {
			double envelope = sin(acos(-1) * (double)i / (double)syllable);
			double x = 0, y = 0;

			phase += pitch / RATE;
			if (kind > 0.35 && phase >= 1)
				x = 30; /* a glottal pulse */
			else if (kind > 0.15 && kind <= 0.35)
				x = uniform(&state, -3, 3); /* a fricative */
			if (phase >= 1)
				phase -= 1;
			for (int f = 0; f < FORMANTS; f++)
				y += resonate(&r[f], x);
			y *= envelope * loud * 9000;
			pcm_out[at] = (int16_t)(y > 32000 ? 32000 : y < -32000 ? -32000 : y);
		}
	}
}
