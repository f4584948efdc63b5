/* noise.c - white noise from a linear congruential generator. */
#include "media/noise.h"

#include <math.h>

enum { LOUDEST_DBOV = 40 };

void noise_init(struct noise *noise)
{
	noise->state = 0x2545f491; /* any but a changing one: tests compare runs */
	noise_set_level(noise, NOISE_DEFAULT_DBOV);
}

/* Evenly distributed samples have the power of a third of their peak's. */
void noise_set_level(struct noise *noise, unsigned dbov)
{
	double below = dbov < LOUDEST_DBOV ? LOUDEST_DBOV : dbov;

	noise->amplitude = (int)lround(32768 * pow(10, -below / 20) * sqrt(3));
}

void noise_fill(struct noise *noise, int16_t *pcm_out, size_t n)
{
	int span = 2 * noise->amplitude + 1;

	for (size_t i = 0; i < n; i++) {
		/* Numerical Recipes' constants; the upper half of the state is used, for the
		 * lower bits of such a generator have short periods. */
		noise->state = noise->state * 1664525 + 1013904223;
		pcm_out[i] = (int16_t)((int)(noise->state >> 16) % span - noise->amplitude);
	}
}
