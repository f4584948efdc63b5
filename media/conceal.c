/* conceal.c - the pitch is found by comparing the signal with itself; history holds
 * what was heard last. */
#include "media/conceal.h"

#include <string.h>

void conceal_init(struct conceal *c)
{
	memset(c, 0, sizeof(*c));
}

/* The lag at which the signal is most like itself: the least mean difference (AMDF).  81 lags of
 * 160 samples, once a loss: cheaper than a correlation, and good enough for a voice. */
static size_t find_pitch(const struct conceal *c)
{
	const int16_t *end = c->history + CONCEAL_HISTORY;
	long best_difference = -1;
	size_t best = CONCEAL_MAX_PITCH;

	for (size_t lag = CONCEAL_MIN_PITCH; lag <= CONCEAL_MAX_PITCH; lag++) {
		long difference = 0;

		for (const int16_t *p = end - CONCEAL_WINDOW; p < end; p++)
			difference +=
				p[0] > p[-(long)lag] ? p[0] - p[-(long)lag] : p[-(long)lag] - p[0];
		if (best_difference < 0 || difference < best_difference) {
			best_difference = difference;
			best = lag;
		}
	}
	return best;
}

/* A line from one sample to the other: i of n steps done. */
static int16_t blend(int16_t from, int16_t to, size_t i, size_t n)
{
	return (int16_t)((from * (long)(n - i) + to * (long)i) / (long)n);
}

/* The last period, its last quarter blended into the one before, so that its end
 * goes over into its beginning. */
static void make_period(struct conceal *c)
{
	const int16_t *last, *before;
	size_t quarter;

	c->pitch = find_pitch(c);
	c->at = 0;
	last = c->history + CONCEAL_HISTORY - c->pitch;
	before = last - c->pitch;
	quarter = c->pitch / 4;
	memcpy(c->period, last, c->pitch * sizeof(*last));
	for (size_t i = 0; i < quarter; i++) {
		size_t at = c->pitch - quarter + i;

		c->period[at] = blend(last[at], before[at], i, quarter);
	}
}

/* The period over and over, fading to silence within CONCEAL_FADE samples: a voice that is
 * repeated for longer sounds like a machine. */
static int16_t next_sample(struct conceal *c)
{
	int16_t sample = 0;

	if (c->filled < CONCEAL_FADE)
		sample = blend(c->period[c->at], 0, c->filled, CONCEAL_FADE);
	c->at = c->at + 1 < c->pitch ? c->at + 1 : 0;
	c->filled++;
	return sample;
}

void conceal_fill(struct conceal *c, int16_t *pcm_out, size_t n)
{
	if (c->filled == 0)
		make_period(c);
	for (size_t i = 0; i < n; i++)
		pcm_out[i] = next_sample(c);
}

/* The history ends with the newest sample.  Only what was received comes into it, never what was
 * made up. */
static void remember(struct conceal *c, const int16_t *pcm, size_t n)
{
	if (n >= CONCEAL_HISTORY) {
		memcpy(c->history, pcm + n - CONCEAL_HISTORY, sizeof(c->history));
		return;
	}
	memmove(c->history, c->history + n, (CONCEAL_HISTORY - n) * sizeof(*pcm));
	memcpy(c->history + CONCEAL_HISTORY - n, pcm, n * sizeof(*pcm));
}

void conceal_good(struct conceal *c, int16_t *pcm, size_t n)
{
	/* The first good samples are blended with what concealment would have gone on with: a
	 * step would be heard as a click. */
	if (c->filled) {
		size_t blended = c->pitch / 4 < n ? c->pitch / 4 : n;

		for (size_t i = 0; i < blended; i++)
			pcm[i] = blend(next_sample(c), pcm[i], i, blended);
		c->filled = 0;
	}
	remember(c, pcm, n);
}
