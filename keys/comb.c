#include "keys/comb.h"

#include <errno.h>
#include <stdlib.h>

#include "keys/secret.h"

enum {
	WINDOW = 5,
	DIGITS = 205, /* 1,025 bits */
	ROWS = (DIGITS + 1) / 2,
	ENTRIES = 1 << (WINDOW - 1),
};

struct comb {
	struct curve_point entry[ROWS * ENTRIES];
};

struct comb_power {
	struct fp entry[ROWS * ENTRIES];
};

/* k made odd, and whether the result must be negated for it. */
struct odd_scalar {
	uint64_t v[FP_LIMBS];
	uint64_t negate; /* all ones or 0 */
};

static void make_odd(struct odd_scalar *out, const struct scalar *k)
{
	uint64_t borrow = 0;

	out->negate = (k->v[0] & 1) - 1;
	for (size_t i = 0; i < FP_LIMBS; i++) {
		uint64_t low = fp_order[i] - k->v[i];
		uint64_t other = low - borrow;

		borrow = (uint64_t)(fp_order[i] < k->v[i]) | (uint64_t)(low < borrow);
		out->v[i] = (other & out->negate) | (k->v[i] & ~out->negate);
	}
}

/* Digit i is 2 index + 1, negated where the mask says so.  For odd k it is
 * 2 m + 1 - 32 with m the 5 bits above bit 5 i; the last one is what is left. */
struct digit {
	uint64_t index;
	uint64_t negate;
};

static struct digit digit_of(const struct odd_scalar *k, size_t i)
{
	size_t bit = WINDOW * i + 1, limb = bit / 64, shift = bit % 64;
	uint64_t bits = k->v[limb] >> shift;
	uint64_t negative;

	if (shift > 64 - WINDOW && limb + 1 < FP_LIMBS)
		bits |= k->v[limb + 1] << (64 - shift);
	bits &= (1 << WINDOW) - 1;
	if (i == DIGITS - 1)
		return (struct digit){ bits, k->negate };
	negative = (bits >> (WINDOW - 1)) - 1;
	return (struct digit){ (bits ^ negative) & (ENTRIES - 1), negative ^ k->negate };
}

/* out = table[index], n limbs an entry, by reading all entries. */
static void pick(uint64_t *out, const uint64_t *table, size_t n, uint64_t index)
{
	memset(out, 0, n * sizeof(*out));
	for (uint64_t e = 0; e < ENTRIES; e++) {
		uint64_t mask = ((e ^ index) - 1) >> 63; /* 1 where they are equal */

		mask = 0 - mask;
		for (size_t i = 0; i < n; i++)
			out[i] |= table[e * n + i] & mask;
	}
}

static void negate_if(uint64_t mask, struct fp *a)
{
	struct fp minus;

	fp_neg(&minus, a);
	fp_move_if(mask, a, &minus);
}

static void pick_point(struct curve_point *out, const struct comb *comb, size_t row,
		       struct digit digit)
{
	pick((uint64_t *)out, (const uint64_t *)&comb->entry[row * ENTRIES], 2 * FP_LIMBS,
	     digit.index);
	negate_if(digit.negate, &out->y);
}

void comb_mul(const struct comb *comb, const struct scalar *k, struct curve_jacobian *out)
{
	struct odd_scalar odd;
	struct curve_point entry;

	make_odd(&odd, k);
	pick_point(&entry, comb, 0, digit_of(&odd, 1));
	curve_to_jacobian(out, &entry);
	for (size_t row = 1; row < DIGITS / 2; row++) {
		pick_point(&entry, comb, row, digit_of(&odd, 2 * row + 1));
		curve_add(out, out, &entry);
	}
	for (size_t i = 0; i < WINDOW; i++)
		curve_double(out, out);
	for (size_t row = 0; row < ROWS; row++) {
		pick_point(&entry, comb, row, digit_of(&odd, 2 * row));
		curve_add(out, out, &entry);
	}
	wipe(&odd, sizeof(odd));
	wipe(&entry, sizeof(entry));
}

/* out[0 ... ENTRIES - 1] = 1, 3, ... times base, which becomes 2^10 base.  The
 * second operand of an addition must be affine; 2 base is made so, together with
 * those of the other rows, before. */
static void fill_row(struct curve_jacobian *out, const struct curve_jacobian *base,
		     const struct curve_point *twice)
{
	out[0] = *base;
	for (size_t i = 1; i < ENTRIES; i++)
		curve_add(&out[i], &out[i - 1], twice);
}

/* What comb_new() works in. */
struct build {
	struct curve_jacobian base[ROWS], twice[ROWS];
	struct curve_point affine[ROWS];
	struct curve_jacobian entry[ROWS * ENTRIES];
	struct fp scratch[2 * ROWS * ENTRIES];
};

static int fill(struct comb *comb, const struct curve_point *base, struct build *b)
{
	int err;

	curve_to_jacobian(&b->base[0], base);
	for (size_t row = 0;; row++) {
		curve_double(&b->twice[row], &b->base[row]);
		if (row == ROWS - 1)
			break;
		b->base[row + 1] = b->twice[row];
		for (size_t i = 1; i < 2 * WINDOW; i++)
			curve_double(&b->base[row + 1], &b->base[row + 1]);
	}
	err = curve_normalise(b->affine, b->twice, ROWS, b->scratch);
	if (err)
		return err;
	for (size_t row = 0; row < ROWS; row++)
		fill_row(b->entry + row * ENTRIES, &b->base[row], &b->affine[row]);
	return curve_normalise(comb->entry, b->entry, ROWS * ENTRIES, b->scratch);
}

/* [q - 2] B is -2 B just for points of order q. */
static bool is_of_order(const struct comb *comb, const struct curve_point *twice)
{
	struct scalar k;
	struct curve_jacobian product;
	struct curve_point minus = *twice;

	memcpy(k.v, fp_order, sizeof(k.v));
	k.v[0] -= 2;
	comb_mul(comb, &k, &product);
	fp_neg(&minus.y, &minus.y);
	return curve_same(&product, &minus);
}

int comb_new(const struct curve_point *base, struct comb **comb_out)
{
	struct comb *comb = malloc(sizeof(*comb));
	struct build *b = malloc(sizeof(*b));
	int err = -ENOMEM;

	if (!comb || !b)
		goto out;
	err = fill(comb, base, b);
	if (!err && !is_of_order(comb, &b->affine[0]))
		err = -EINVAL;
	if (err == -EDOM) /* infinity among the multiples: a small order */
		err = -EINVAL;
	if (!err) {
		*comb_out = comb;
		comb = NULL;
	}
out:
	if (b)
		wipe(b, sizeof(*b));
	free(b);
	comb_free(&comb);
	return err;
}

void comb_free(struct comb **combp)
{
	if (*combp)
		wipe(*combp, sizeof(**combp));
	free(*combp);
	*combp = NULL;
}

/* Every row's entries as re + i im; then im / re of all by one inversion. */
static int fill_powers(struct comb_power *comb, const struct fp *tangent, struct fp2 *entry,
		       struct fp *scratch)
{
	struct fp2 base = { fp_one, *tangent }, square;
	int err;

	for (size_t row = 0; row < ROWS; row++) {
		struct fp2 *e = entry + row * ENTRIES;

		fp2_sqr(&square, &base);
		e[0] = base;
		for (size_t i = 1; i < ENTRIES; i++)
			fp2_mul(&e[i], &e[i - 1], &square);
		for (size_t i = 0; i < 2 * WINDOW; i++)
			fp2_sqr(&base, &base);
	}
	for (size_t i = 0; i < ROWS * ENTRIES; i++)
		scratch[i] = entry[i].re;
	err = fp_inverse_all(scratch, ROWS * ENTRIES, scratch + ROWS * ENTRIES);
	for (size_t i = 0; i < ROWS * ENTRIES && !err; i++)
		fp_mul(&comb->entry[i], &entry[i].im, &scratch[i]);
	return err;
}

int comb_power_new(const struct fp *tangent, struct comb_power **comb_out)
{
	struct comb_power *comb = malloc(sizeof(*comb));
	struct fp2 *entry = malloc(ROWS * ENTRIES * sizeof(*entry));
	struct fp *scratch = malloc(2 * ROWS * ENTRIES * sizeof(*scratch));
	int err = -ENOMEM;

	if (comb && entry && scratch)
		err = fill_powers(comb, tangent, entry, scratch);
	free(entry);
	free(scratch);
	if (err)
		comb_power_free(&comb);
	else
		*comb_out = comb;
	return err;
}

void comb_power_free(struct comb_power **combp)
{
	free(*combp);
	*combp = NULL;
}

static void pick_power(struct fp *out, const struct comb_power *comb, size_t row,
		       struct digit digit)
{
	pick((uint64_t *)out, (const uint64_t *)&comb->entry[row * ENTRIES], FP_LIMBS, digit.index);
	negate_if(digit.negate, out);
}

/* a (1 + i t) */
static void mul_tangent(struct fp2 *a, const struct fp *t)
{
	struct fp x, y;

	fp_mul(&x, &a->im, t);
	fp_mul(&y, &a->re, t);
	fp_sub(&a->re, &a->re, &x);
	fp_add(&a->im, &a->im, &y);
}

void comb_power(const struct comb_power *comb, const struct scalar *k, struct fp2 *out)
{
	struct odd_scalar odd;
	struct fp t;

	make_odd(&odd, k);
	out->re = fp_one;
	pick_power(&out->im, comb, 0, digit_of(&odd, 1));
	for (size_t row = 1; row < DIGITS / 2; row++) {
		pick_power(&t, comb, row, digit_of(&odd, 2 * row + 1));
		mul_tangent(out, &t);
	}
	for (size_t i = 0; i < WINDOW; i++)
		fp2_sqr(out, out);
	for (size_t row = 0; row < ROWS; row++) {
		pick_power(&t, comb, row, digit_of(&odd, 2 * row));
		mul_tangent(out, &t);
	}
	wipe(&odd, sizeof(odd));
	wipe(&t, sizeof(t));
}
