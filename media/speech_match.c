/* speech_match.c - mel spectra of both sides, correlated at every lag.  Tests and
 * benches listen with it: it is written to be clear, not fast. */
#include "media/speech_match.h"

#include <complex.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	RATE = 8000,
	FRAME = 160, /* 20 ms */
	FFT = 256,   /* the next power of two; frames are padded with zeros */
	BANDS = 24,
	HOP_SAID = 160,
	HOP_HEARD = 40, /* 5 ms: the step of the lag */
	STEPS = HOP_SAID / HOP_HEARD,
	MAX_LAG = 2 * RATE / HOP_HEARD,
	MIN_FRAMES = 25, /* half a second of sound */
	MIN_OVERLAP_PERCENT = 80,
};

/* A frame of the reference below active_dbfs is a pause.  The floor keeps the logarithm of
 * silence finite, and faint noise of one side from counting as a difference. */
static const double low_hz = 100, high_hz = 3400, active_dbfs = -50, floor_dbfs = -70;

struct features {
	size_t n; /* frames */
	float (*band)[BANDS];
};

struct analyser {
	double window[FRAME];
	int edge[BANDS + 2]; /* FFT bins */
	double complex twiddle[FFT / 2];
};

/* The mel scale in O'Shaughnessy's form. */
static double mel(double hz)
{
	return 2595 * log10(1 + hz / 700);
}

static double hz_of(double m)
{
	return 700 * (pow(10, m / 2595) - 1);
}

static void analyser_init(struct analyser *a)
{
	const double pi = acos(-1);

	/* A Hann window, its samples between the points, so that no sample is zero. */
	for (int i = 0; i < FRAME; i++)
		a->window[i] = 0.5 - 0.5 * cos(2 * pi * (i + 0.5) / FRAME);
	for (int i = 0; i < FFT / 2; i++)
		a->twiddle[i] = cexp(-2 * I * pi * i / FFT);
	for (int i = 0; i < BANDS + 2; i++) {
		double m = mel(low_hz) + (mel(high_hz) - mel(low_hz)) * i / (BANDS + 1);

		a->edge[i] = (int)lround(hz_of(m) * FFT / RATE);
		/* Low bands are narrower than an FFT bin: each gets one bin at least. */
		if (i > 0 && a->edge[i] <= a->edge[i - 1])
			a->edge[i] = a->edge[i - 1] + 1;
	}
}

/* Radix 2, decimation in time, in place. */
static void fft(const struct analyser *a, double complex *x)
{
	for (unsigned i = 1, j = 0; i < FFT; i++) {
		unsigned bit = FFT >> 1;

		for (; j & bit; bit >>= 1)
			j ^= bit;
		j ^= bit;
		if (i < j) {
			double complex t = x[i];

			x[i] = x[j];
			x[j] = t;
		}
	}
	for (int n = 2; n <= FFT; n *= 2) {
		for (int start = 0; start < FFT; start += n) {
			for (int k = 0; k < n / 2; k++) {
				double complex t = a->twiddle[k * (FFT / n)] * x[start + k + n / 2];

				x[start + k + n / 2] = x[start + k] - t;
				x[start + k] += t;
			}
		}
	}
}

/* A triangle over each band's edges; energies relative to full scale. */
static void analyse(const struct analyser *a, const int16_t *pcm, float band_out[BANDS])
{
	const double floor_energy = pow(10, floor_dbfs / 10) / BANDS;
	double complex x[FFT] = { 0 };

	for (int i = 0; i < FRAME; i++)
		x[i] = a->window[i] * pcm[i] / 32768;
	fft(a, x);
	for (int b = 0; b < BANDS; b++) {
		int low = a->edge[b], mid = a->edge[b + 1], high = a->edge[b + 2];
		double energy = 0;

		for (int k = low + 1; k < high; k++) {
			double weight = k <= mid ? (double)(k - low) / (mid - low)
						 : (double)(high - k) / (high - mid);

			energy += weight * (creal(x[k]) * creal(x[k]) + cimag(x[k]) * cimag(x[k]));
		}
		/* a sine of full scale has a sum of squares of FRAME * FFT * 3 / 32 here */
		energy /= FRAME * FFT * 3 / 32.0;
		band_out[b] = (float)log10(energy + floor_energy);
	}
}

static int make_features(const struct analyser *a, const int16_t *pcm, size_t n, size_t hop,
			 struct features *f)
{
	f->n = n < FRAME ? 0 : (n - FRAME) / hop + 1;
	/* One more than there are, so that "no frames" is told from "no memory". */
	f->band = calloc(f->n + 1, sizeof(*f->band));
	if (!f->band)
		return -ENOMEM;
	for (size_t i = 0; i < f->n; i++)
		analyse(a, pcm + i * hop, f->band[i]);
	return 0;
}

/* The frames of pcm that are loud enough; returns how many. */
static size_t find_active(const int16_t *pcm, size_t frames, bool *active)
{
	const double least = pow(10, active_dbfs / 10) * 32768 * 32768 * FRAME;
	size_t n = 0;

	for (size_t i = 0; i < frames; i++) {
		double sum = 0;

		for (size_t k = 0; k < FRAME; k++)
			sum += (double)pcm[i * HOP_SAID + k] * pcm[i * HOP_SAID + k];
		active[i] = sum > least;
		n += active[i];
	}
	return n;
}

/* Running sums of both sides: one pass yields means, variances and covariance. */
struct sums {
	double a, b, aa, bb, ab;
};

static double pearson(const struct sums *s, double n)
{
	double va = s->aa - s->a * s->a / n, vb = s->bb - s->b * s->b / n;

	/* A band that never changes has no correlation: it counts as none. */
	return va > 1e-9 && vb > 1e-9 ? (s->ab - s->a * s->b / n) / sqrt(va * vb) : 0;
}

/* The mean correlation at one lag, in steps of HOP_HEARD; -2 when too little overlaps. */
static double correlate(const struct features *said, const bool *active, size_t n_active,
			const struct features *heard, long lag)
{
	struct sums sums[BANDS] = { 0 };
	double total = 0;
	size_t n = 0;

	for (size_t i = 0; i < said->n; i++) {
		long at = (long)i * STEPS + lag;

		if (!active[i] || at < 0 || (size_t)at >= heard->n)
			continue;
		n++;
		for (int b = 0; b < BANDS; b++) {
			double x = said->band[i][b], y = heard->band[at][b];

			sums[b].a += x;
			sums[b].b += y;
			sums[b].aa += x * x;
			sums[b].bb += y * y;
			sums[b].ab += x * y;
		}
	}
	if (n * 100 < n_active * MIN_OVERLAP_PERCENT)
		return -2;
	for (int b = 0; b < BANDS; b++)
		total += pearson(&sums[b], (double)n);
	return total / BANDS;
}

/* All 801 lags are tried, each over all frames of the reference: milliseconds for a sentence. */
static void find_best(const struct features *said, const bool *active, size_t n_active,
		      const struct features *heard, struct speech_match *match_out)
{
	double best = -2;
	long best_lag = 0;

	for (long lag = -MAX_LAG; lag <= MAX_LAG; lag++) {
		double c = correlate(said, active, n_active, heard, lag);

		if (c > best) {
			best = c;
			best_lag = lag;
		}
	}
	match_out->correlation = best < -1 ? 0 : best;
	match_out->lag_ms = (int)(best_lag * HOP_HEARD * 1000 / RATE);
}

int speech_match(const int16_t *said, size_t n_said, const int16_t *heard, size_t n_heard,
		 struct speech_match *match_out)
{
	struct analyser analyser;
	struct features a = { 0 }, b = { 0 };
	bool *active = NULL;
	size_t n_active = 0;
	int err;

	analyser_init(&analyser);
	err = make_features(&analyser, said, n_said, HOP_SAID, &a);
	if (!err)
		err = make_features(&analyser, heard, n_heard, HOP_HEARD, &b);
	active = calloc(a.n + 1, sizeof(*active));
	if (!err && !active)
		err = -ENOMEM;
	if (!err)
		n_active = find_active(said, a.n, active);
	if (!err && n_active < MIN_FRAMES)
		err = -EINVAL;
	if (!err)
		find_best(&a, active, n_active, &b, match_out);
	free(active);
	free(a.band);
	free(b.band);
	return err;
}
