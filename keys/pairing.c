#include "keys/pairing_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "keys/secret.h"

int pairing_new(const struct curve_point *k, struct pairing **pairing_out)
{
	struct pairing *pairing = malloc(sizeof(*pairing));
	int err = pairing ? pairing_lines(k, pairing) : -ENOMEM;

	if (err)
		pairing_free(&pairing);
	else
		*pairing_out = pairing;
	return err;
}

void pairing_free(struct pairing **pairingp)
{
	if (*pairingp)
		wipe(*pairingp, sizeof(**pairingp));
	free(*pairingp);
	*pairingp = NULL;
}

/* x, x^2, x^3 and y, x y, x^2 y of the second point. */
struct powers {
	struct fp x[PAIRING_A - 1];
	struct fp y, xy[PAIRING_B];
};

static void powers_of(struct powers *out, const struct curve_point *r)
{
	out->x[0] = r->x;
	fp_sqr(&out->x[1], &r->x);
	fp_mul(&out->x[2], &out->x[1], &r->x);
	out->y = r->y;
	fp_mul(&out->xy[0], &r->x, &r->y);
	fp_mul(&out->xy[1], &out->x[1], &r->y);
}

/* a(-x) + i y b(-x) */
static void evaluate(struct fp2 *out, const struct pairing_step *step, const struct powers *at)
{
	const struct fp *const a[] = { &step->a[1], &step->a[2], &step->a[3] };
	const struct fp *const x[] = { &at->x[0], &at->x[1], &at->x[2] };

	fp_mul_add3(&out->re, a, x);
	fp_add(&out->re, &out->re, &step->a[0]);
	fp_mul_add(&out->im, &step->b[0], &at->xy[0], &step->b[1], &at->xy[1]);
	fp_add(&out->im, &out->im, &at->y);
}

void pairing_compute(const struct pairing *pairing, const struct curve_point *r, struct fp2 *out)
{
	struct powers at;
	struct fp2 line;

	powers_of(&at, r);
	evaluate(out, &pairing->step[0], &at);
	for (size_t i = 1; i < PAIRING_STEPS; i++) {
		fp2_sqr(out, out);
		fp2_sqr(out, out);
		evaluate(&line, &pairing->step[i], &at);
		fp2_mul(out, out, &line);
	}
	fp2_sqr(out, out); /* the final exponent: (p + 1) / q = 4 */
	fp2_sqr(out, out);
	wipe(&line, sizeof(line));
}
