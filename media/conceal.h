/* conceal.h - fills lost PCM by repeating the last pitch period, fading to silence.
 *
 * In the manner of ITU-T G.711 Appendix I, without its delay: the good signal is
 * never held back; after a loss it is blended in.  (spandsp's plc_fillin copies
 * over overlapping memory, which is undefined.)
 */
#ifndef MEDIA_CONCEAL_H
#define MEDIA_CONCEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CONCEAL_MIN_PITCH = 40,  /* samples: 200 Hz */
	CONCEAL_MAX_PITCH = 120, /* 66 Hz */
	CONCEAL_WINDOW = 160,    /* over which periods are compared */
	CONCEAL_HISTORY = CONCEAL_WINDOW + CONCEAL_MAX_PITCH,
	CONCEAL_FADE = 480, /* samples to silence: 60 ms */
};

struct conceal {
	int16_t history[CONCEAL_HISTORY]; /* the last good samples, oldest first */
	int16_t period[CONCEAL_MAX_PITCH];
	size_t pitch, at; /* of period, while filling */
	size_t filled;    /* samples since the last good one; 0: not filling */
};

/* Nothing heard yet: what is filled is silence. */
void conceal_init(struct conceal *c);

/* n good samples; the first ones after a loss are blended in place. */
void conceal_good(struct conceal *c, int16_t *pcm, size_t n);

/* Fills n lost samples. */
void conceal_fill(struct conceal *c, int16_t *pcm_out, size_t n);

#endif
