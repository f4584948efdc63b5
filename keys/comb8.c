/* comb8.c - the combs over eight elements at once: each lane adds its own 32 digits,
 * then the lanes are added in pairs, lower ones to higher ones.
 *
 * Points are (x / zz, y / zzz) with zz^3 = zzz^2, which needs 10 products for an
 * addition ("madd-2008-s" of the Explicit-Formulas Database, XYZZ).  zz = 0 is
 * infinity, and stays so.
 */
#include "keys/comb_priv.h"

#include <stdlib.h>

#include "keys/fp8_priv.h"
#include "keys/secret.h"

#ifdef FP8_BUILT

enum {
	WINDOW = 4,
	DIGITS = 256,
	STEPS = DIGITS / FP8_LANES, /* row `STEPS lane + step` is in that lane of that step */
	ENTRIES = 1 << (WINDOW - 1),
};

enum { X, Y, COORDINATES };

struct table {
	struct fp8 entry[STEPS][ENTRIES][COORDINATES];
};

struct power_table {
	struct fp8 entry[STEPS][ENTRIES];
};

struct point8 {
	struct fp8 x, y, zz, zzz;
};

/* All digits of a scalar, by step and lane. */
struct digits {
	uint64_t index[STEPS][FP8_LANES];
	uint64_t negate[STEPS][FP8_LANES];
};

static void find_digits(struct digits *out, const struct scalar *k)
{
	struct comb_odd odd;

	comb_make_odd(&odd, k);
	for (size_t lane = 0; lane < FP8_LANES; lane++)
		for (size_t step = 0; step < STEPS; step++) {
			struct comb_digit digit =
				comb_digit_of(&odd, WINDOW, DIGITS, STEPS * lane + step);

			out->index[step][lane] = digit.index;
			out->negate[step][lane] = digit.negate;
		}
	wipe(&odd, sizeof(odd));
}

/* a += (x, y).  Bounds in 2^1024 (fp8.h), each below: x 3.1 and y, zz, zzz 0.63 of
 * a; x 0.63 and y 2.4 (it may have been negated) of what is added. */
static void add_affine(struct point8 *a, const struct fp8 *x, const struct fp8 *y)
{
	const struct fp8 zero = { { { 0 } } };
	struct fp8 p, r, pp, ppp, q, t;

	fp8_mul(&t, x, &a->zz); /* p = x_2 zz_1 - x_1, r = y_2 zzz_1 - y_1 */
	fp8_sub_wide(&p, &t, &a->x);
	fp8_mul(&t, y, &a->zzz);
	fp8_sub(&r, &t, &a->y);
	fp8_mul(&pp, &p, &p);
	fp8_mul(&ppp, &p, &pp);
	fp8_mul(&q, &a->x, &pp);
	fp8_mul(&a->zz, &a->zz, &pp);
	fp8_mul(&a->zzz, &a->zzz, &ppp);

	fp8_add(&t, &q, &q); /* x = r^2 - ppp - 2 q */
	fp8_add(&t, &t, &ppp);
	fp8_mul(&a->x, &r, &r);
	fp8_sub(&a->x, &a->x, &t);

	fp8_sub_wide(&q, &q, &a->x); /* y = r (q - x) - y_1 ppp */
	fp8_sub(&t, &zero, &a->y);
	fp8_mul_add(&a->y, &r, &q, &t, &ppp);
}

/* a += b: with a's coordinates multiplied by b's denominators the addition above
 * holds for b's numerators; only the sum's own lack b's. */
static void add_points(struct point8 *a, const struct point8 *b)
{
	fp8_mul(&a->x, &a->x, &b->zz);
	fp8_mul(&a->y, &a->y, &b->zzz);
	add_affine(a, &b->x, &b->y);
	fp8_mul(&a->zz, &a->zz, &b->zz);
	fp8_mul(&a->zzz, &a->zzz, &b->zzz);
}

/* Lane 0 becomes the sum of all lanes; the others' are of no use. */
static void add_lanes(struct point8 *a)
{
	struct point8 b;

	for (unsigned by = 1; by < FP8_LANES; by *= 2) {
		fp8_rotate(&b.x, &a->x, by);
		fp8_rotate(&b.y, &a->y, by);
		fp8_rotate(&b.zz, &a->zz, by);
		fp8_rotate(&b.zzz, &a->zzz, by);
		add_points(a, &b);
	}
	wipe(&b, sizeof(b));
}

/* x / zz and y / zzz over z = zzz: (x zz^2) / z^2 and (y zzz^2) / z^3. */
static void lane0_to_jacobian(struct point8 *a, struct curve_jacobian *out)
{
	struct fp lanes[FP8_LANES];

	for (size_t i = 0; i < 2; i++) {
		fp8_mul(&a->x, &a->x, &a->zz);
		fp8_mul(&a->y, &a->y, &a->zzz);
	}
	fp8_store(&a->x, lanes);
	out->x = lanes[0];
	fp8_store(&a->y, lanes);
	out->y = lanes[0];
	fp8_store(&a->zzz, lanes);
	out->z = lanes[0];
	wipe(lanes, sizeof(lanes));
}

static void pick_point(struct fp8 entry[COORDINATES], const struct table *table,
		       const struct digits *digits, size_t step)
{
	const struct fp8 *row = &table->entry[step][0][0];

	fp8_pick(&entry[X], row + X, ENTRIES, COORDINATES, digits->index[step]);
	fp8_pick(&entry[Y], row + Y, ENTRIES, COORDINATES, digits->index[step]);
	fp8_negate_if(digits->negate[step], &entry[Y]);
}

static void wide_mul(const void *table, const struct scalar *k, struct curve_jacobian *out)
{
	struct digits digits;
	struct fp8 entry[COORDINATES];
	struct point8 sum;

	find_digits(&digits, k);
	pick_point(entry, table, &digits, 0);
	sum.x = entry[X];
	fp8_load_same(&sum.zz, &fp_one);
	fp8_mul(&sum.y, &entry[Y], &sum.zz); /* below p again, or nearly */
	sum.zzz = sum.zz;
	for (size_t step = 1; step < STEPS; step++) {
		pick_point(entry, table, &digits, step);
		add_affine(&sum, &entry[X], &entry[Y]);
	}
	add_lanes(&sum);
	lane0_to_jacobian(&sum, out);
	wipe(&digits, sizeof(digits));
	wipe(entry, sizeof(entry));
	wipe(&sum, sizeof(sum));
}

/* A factor 1 + i t to each lane: (re - im t) + i (im + re t).  Parts that are not
 * reduced after each step grow by 2.4 and 0.63 (in 2^1024), 78 and 21 at last; t is
 * below 2.4. */
static void mul_tangent(struct fp8_2 *a, const struct fp8 *t)
{
	struct fp8 x, y;

	fp8_mul(&x, &a->im, t);
	fp8_mul(&y, &a->re, t);
	fp8_sub(&a->re, &a->re, &x);
	fp8_add(&a->im, &a->im, &y);
}

/* Lane 0 becomes the product of all lanes. */
static void mul_lanes(struct fp8_2 *a)
{
	struct fp8_2 b;

	for (unsigned by = 1; by < FP8_LANES; by *= 2) {
		fp8_rotate(&b.re, &a->re, by);
		fp8_rotate(&b.im, &a->im, by);
		fp8_2_mul(a, a, &b);
	}
	wipe(&b, sizeof(b));
}

static void wide_power(const void *table_, const struct scalar *k, struct fp2 *out)
{
	const struct power_table *table = table_;
	struct digits digits;
	struct fp8_2 product;
	struct fp8 t, one;
	struct fp lanes[FP8_LANES];

	find_digits(&digits, k);
	fp8_load_same(&one, &fp_one);
	product.re = one;
	product.im = (struct fp8){ { { 0 } } };
	for (size_t step = 0; step < STEPS; step++) {
		fp8_pick(&t, table->entry[step], ENTRIES, 1, digits.index[step]);
		fp8_negate_if(digits.negate[step], &t);
		mul_tangent(&product, &t);
	}
	fp8_mul(&product.re, &product.re, &one); /* back below p, or nearly */
	fp8_mul(&product.im, &product.im, &one);
	mul_lanes(&product);
	fp8_store(&product.re, lanes);
	out->re = lanes[0];
	fp8_store(&product.im, lanes);
	out->im = lanes[0];
	wipe(&digits, sizeof(digits));
	wipe(&product, sizeof(product));
	wipe(&t, sizeof(t));
	wipe(lanes, sizeof(lanes));
}

static void *wide_pack(const struct curve_point *entry, size_t *size_out)
{
	struct table *table = aligned_alloc(_Alignof(struct table), sizeof(*table));
	const struct fp *x[FP8_LANES], *y[FP8_LANES];

	*size_out = sizeof(*table);
	for (size_t step = 0; table && step < STEPS; step++)
		for (size_t e = 0; e < ENTRIES; e++) {
			for (size_t lane = 0; lane < FP8_LANES; lane++) {
				const struct curve_point *point =
					&entry[(STEPS * lane + step) * ENTRIES + e];

				x[lane] = &point->x;
				y[lane] = &point->y;
			}
			fp8_load(&table->entry[step][e][X], x);
			fp8_load(&table->entry[step][e][Y], y);
		}
	return table;
}

static void *wide_pack_power(const struct fp *entry)
{
	struct power_table *table = aligned_alloc(_Alignof(struct power_table), sizeof(*table));
	const struct fp *t[FP8_LANES];

	for (size_t step = 0; table && step < STEPS; step++)
		for (size_t e = 0; e < ENTRIES; e++) {
			for (size_t lane = 0; lane < FP8_LANES; lane++)
				t[lane] = &entry[(STEPS * lane + step) * ENTRIES + e];
			fp8_load(&table->entry[step][e], t);
		}
	return table;
}

const struct comb_form comb_form_wide = {
	.shape = { WINDOW, WINDOW, DIGITS },
	.pack = wide_pack,
	.mul = wide_mul,
	.pack_power = wide_pack_power,
	.power = wide_power,
};

#endif
