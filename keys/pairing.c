/* pairing.c - evaluates the functions of Miller's loop one after the other; the lines were
 * computed with the key (pairing_lines.c). */
#include "keys/pairing_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "keys/fp8_priv.h"
#include "keys/secret.h"

/* One of both. */
struct pairing {
	struct pairing_step *step; /* PAIRING_STEPS */
	struct pairing8 *wide;
};

static void free_steps(struct pairing_step **stepp)
{
	if (*stepp)
		wipe(*stepp, PAIRING_STEPS * sizeof(**stepp));
	free(*stepp);
	*stepp = NULL;
}

/* Exchanges the steps for the table of the other path. */
static int widen(struct pairing *pairing, enum fp_path path)
{
#ifdef FP8_BUILT
	if (path == FP_WIDE) {
		pairing->wide = pairing8_new(pairing->step);
		free_steps(&pairing->step);
		return pairing->wide ? 0 : -ENOMEM;
	}
#endif
	(void)pairing;
	(void)path;
	return 0;
}

int pairing_new(const struct curve_point *k, enum fp_path path, struct pairing **pairing_out)
{
	struct pairing *pairing = calloc(1, sizeof(*pairing));
	int err = -ENOMEM;

	if (!pairing)
		return -ENOMEM;
	pairing->step = calloc(PAIRING_STEPS, sizeof(*pairing->step));
	if (pairing->step)
		/* The narrow form is made first in any case: the other is a rearrangement of it. */
		err = pairing_lines(k, pairing->step);
	if (!err)
		err = widen(pairing, path);
	if (err)
		pairing_free(&pairing);
	else
		*pairing_out = pairing;
	return err;
}

void pairing_free(struct pairing **pairingp)
{
	struct pairing *pairing = *pairingp;

	if (!pairing)
		return;
	free_steps(&pairing->step);
#ifdef FP8_BUILT
	pairing8_free(&pairing->wide);
#endif
	free(pairing);
	*pairingp = NULL;
}

static void powers_of(struct pairing_powers *out, const struct curve_point *r)
{
	out->x[0] = r->x;
	fp_sqr(&out->x[1], &r->x);
	fp_mul(&out->x[2], &out->x[1], &r->x);
	out->y = r->y;
	fp_mul(&out->xy[0], &r->x, &r->y);
	fp_mul(&out->xy[1], &out->x[1], &r->y);
}

/* a(-x) + i y b(-x) */
static void evaluate(struct fp2 *out, const struct pairing_step *step,
		     const struct pairing_powers *at)
{
	const struct fp *const a[] = { &step->a[1], &step->a[2], &step->a[3] };
	const struct fp *const x[] = { &at->x[0], &at->x[1], &at->x[2] };

	fp_mul_add3(&out->re, a, x);
	fp_add(&out->re, &out->re, &step->a[0]);
	fp_mul_add(&out->im, &step->b[0], &at->xy[0], &step->b[1], &at->xy[1]);
	fp_add(&out->im, &out->im, &at->y);
}

static void narrow_compute(const struct pairing_step *step, const struct pairing_powers *at,
			   struct fp2 *out)
{
	struct fp2 line;

	evaluate(out, &step[0], at);
	for (size_t i = 1; i < PAIRING_STEPS; i++) {
		fp2_sqr(out, out);
		fp2_sqr(out, out);
		evaluate(&line, &step[i], at);
		fp2_mul(out, out, &line);
	}
	wipe(&line, sizeof(line));
}

void pairing_compute(const struct pairing *pairing, const struct curve_point *r, struct fp2 *out)
{
	struct pairing_powers at;

	powers_of(&at, r);
#ifdef FP8_BUILT
	if (pairing->wide)
		pairing8_compute(pairing->wide, &at, out);
#endif
	if (pairing->step)
		narrow_compute(pairing->step, &at, out);
	fp2_sqr(out, out); /* the final exponent: (p + 1) / q = 4 */
	fp2_sqr(out, out);
}
