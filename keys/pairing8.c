/* pairing8.c - the pairing's functions evaluated eight at a time: lane l goes
 * through 64 steps from step 64 l - 1 on (the first lane has one less), as if f began
 * with 1 there.  The lanes' values are then joined by fp8_horner(), for which each
 * stands 128 bits above the next.
 */
#include "keys/pairing_priv.h"

#include <stdlib.h>

#include "keys/fp8_priv.h"
#include "keys/secret.h"

#ifdef FP8_BUILT

enum { ROWS = (PAIRING_STEPS + 1) / FP8_LANES, BITS = 2 * ROWS };

struct row {
	struct fp8 a[PAIRING_A];
	struct fp8 b[PAIRING_B];
};

struct pairing8 {
	struct row row[ROWS];
};

/* The element at the same place in the steps of a row.  Row 0 of lane 0 has none: the
 * first stands in, and is not used. */
static void load_row(struct fp8 *out, const struct fp *first, size_t row)
{
	const size_t stride = sizeof(struct pairing_step) / sizeof(struct fp);
	const struct fp *in[FP8_LANES];

	for (size_t lane = 0; lane < FP8_LANES; lane++) {
		size_t at = ROWS * lane + row;

		in[lane] = first + stride * (at > 0 ? at - 1 : 0);
	}
	fp8_load(out, in);
}

struct pairing8 *pairing8_new(const struct pairing_step step[PAIRING_STEPS])
{
	struct pairing8 *pairing = aligned_alloc(_Alignof(struct pairing8), sizeof(*pairing));

	for (size_t row = 0; pairing && row < ROWS; row++) {
		for (size_t i = 0; i < PAIRING_A; i++)
			load_row(&pairing->row[row].a[i], &step[0].a[i], row);
		for (size_t i = 0; i < PAIRING_B; i++)
			load_row(&pairing->row[row].b[i], &step[0].b[i], row);
	}
	return pairing;
}

void pairing8_free(struct pairing8 **pairingp)
{
	if (*pairingp)
		wipe(*pairingp, sizeof(**pairingp));
	free(*pairingp);
	*pairingp = NULL;
}

/* As struct pairing_powers, the same in all lanes. */
struct powers8 {
	struct fp8 x[PAIRING_A - 1];
	struct fp8 y, xy[PAIRING_B];
};

static void load_powers(struct powers8 *out, const struct pairing_powers *at)
{
	for (size_t i = 0; i < PAIRING_A - 1; i++)
		fp8_load_same(&out->x[i], &at->x[i]);
	fp8_load_same(&out->y, &at->y);
	for (size_t i = 0; i < PAIRING_B; i++)
		fp8_load_same(&out->xy[i], &at->xy[i]);
}

/* a(-x) + i y b(-x); both parts are below 1.3 * 2^1024 (fp8.h). */
static void evaluate(struct fp8_2 *out, const struct row *row, const struct powers8 *at)
{
	const struct fp8 *const a[] = { &row->a[1], &row->a[2], &row->a[3] };
	const struct fp8 *const x[] = { &at->x[0], &at->x[1], &at->x[2] };

	fp8_mul_add3(&out->re, a, x);
	fp8_add(&out->re, &out->re, &row->a[0]);
	fp8_mul_add(&out->im, &row->b[0], &at->xy[0], &row->b[1], &at->xy[1]);
	fp8_add(&out->im, &out->im, &at->y);
}

/* The values of row 0, but 1 in lane 0. */
static void begin(struct fp8_2 *f, const struct row *row, const struct powers8 *at)
{
	const uint64_t first[FP8_LANES] = { UINT64_MAX };
	const struct fp8 zero = { { { 0 } } };
	struct fp8 one;

	evaluate(f, row, at);
	fp8_load_same(&one, &fp_one);
	fp8_move_if(first, &f->re, &one);
	fp8_move_if(first, &f->im, &zero);
}

void pairing8_compute(const struct pairing8 *pairing, const struct pairing_powers *at,
		      struct fp2 *out)
{
	struct powers8 at8;
	struct fp8_2 f, line;

	load_powers(&at8, at);
	begin(&f, &pairing->row[0], &at8);
	for (size_t row = 1; row < ROWS; row++) {
		fp8_2_sqr(&f, &f);
		fp8_2_sqr(&f, &f);
		evaluate(&line, &pairing->row[row], &at8);
		fp8_2_mul(&f, &f, &line);
	}
	fp8_horner(&f, BITS, out);
	wipe(&f, sizeof(f));
	wipe(&line, sizeof(line));
}

#endif
