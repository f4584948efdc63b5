/* noise.h - comfort noise: quiet white noise instead of dead silence. */
#ifndef MEDIA_NOISE_H
#define MEDIA_NOISE_H

#include <stddef.h>
#include <stdint.h>

enum { NOISE_DEFAULT_DBOV = 65 };

struct noise {
	uint32_t state;
	int amplitude;
};

/* At NOISE_DEFAULT_DBOV, from a fixed seed: the same noise in every run. */
void noise_init(struct noise *noise);

/* Sets the level as RFC 3389 3.1 gives it: decibels below overload, 0 to 127; the
 * noise is never louder than -40 dBov, whatever the peer says. */
void noise_set_level(struct noise *noise, unsigned dbov);

/* n samples, evenly distributed; the generator is no secret's, so a plain one. */
void noise_fill(struct noise *noise, int16_t *pcm_out, size_t n);

#endif
