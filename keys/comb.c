/* comb.c - cuts scalars into signed odd digits, and multiplies one element at a time.
 *
 * All loops run their full length, all entries of a row are read, all choices are by mask: the
 * scalars are secrets.
 */
#include "keys/comb_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "keys/fp8_priv.h"
#include "keys/secret.h"

enum {
	WINDOW = 5,
	DIGITS = 205, /* 1,025 bits */
	ROWS = (DIGITS + 1) / 2,
	ENTRIES = 1 << (WINDOW - 1),
};

struct comb {
	const struct comb_form *form;
	void *table;
	size_t size;
};

struct comb_power {
	const struct comb_form *form;
	void *table;
};

/* q is odd, so of k and q - k one is odd. */
void comb_make_odd(struct comb_odd *out, const struct scalar *k)
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

/* With W the window, digit i of an odd k is 2 m + 1 - 2^W, where m is the W bits
 * above bit W i; the last one is what is left. */
struct comb_digit comb_digit_of(const struct comb_odd *k, unsigned window, unsigned digits,
				size_t i)
{
	size_t bit = window * i + 1, limb = bit / 64, shift = bit % 64;
	uint64_t bits = k->v[limb] >> shift;
	uint64_t negative;

	if (shift > 64 - window && limb + 1 < FP_LIMBS)
		bits |= k->v[limb + 1] << (64 - shift);
	bits &= (UINT64_C(1) << window) - 1;
	if (i == digits - 1)
		return (struct comb_digit){ bits, k->negate };
	negative = (bits >> (window - 1)) - 1;
	/* A digit m of W bits stands for 2 m + 1 - 2^W.  With its highest bit set that is
	 * positive and the lower bits are the index; else it is negative, and their complement
	 * is. */
	bits = (bits ^ negative) & ((UINT64_C(1) << (window - 1)) - 1);
	return (struct comb_digit){ bits, negative ^ k->negate };
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

static void pick_point(struct curve_point *out, const struct curve_point *entry, size_t row,
		       struct comb_digit digit)
{
	pick((uint64_t *)out, (const uint64_t *)&entry[row * ENTRIES], 2 * FP_LIMBS, digit.index);
	negate_if(digit.negate, &out->y);
}

static void pick_power(struct fp *out, const struct fp *entry, size_t row, struct comb_digit digit)
{
	pick((uint64_t *)out, (const uint64_t *)&entry[row * ENTRIES], FP_LIMBS, digit.index);
	negate_if(digit.negate, out);
}

/* Odd digits, five doublings, even digits: half the rows for five doublings more. */
static void narrow_mul(const void *table, const struct scalar *k, struct curve_jacobian *out)
{
	struct comb_odd odd;
	struct curve_point entry;

	comb_make_odd(&odd, k);
	pick_point(&entry, table, 0, comb_digit_of(&odd, WINDOW, DIGITS, 1));
	curve_to_jacobian(out, &entry);
	for (size_t row = 1; row < DIGITS / 2; row++) {
		pick_point(&entry, table, row, comb_digit_of(&odd, WINDOW, DIGITS, 2 * row + 1));
		curve_add(out, out, &entry);
	}
	for (size_t i = 0; i < WINDOW; i++)
		curve_double(out, out);
	for (size_t row = 0; row < ROWS; row++) {
		pick_point(&entry, table, row, comb_digit_of(&odd, WINDOW, DIGITS, 2 * row));
		curve_add(out, out, &entry);
	}
	wipe(&odd, sizeof(odd));
	wipe(&entry, sizeof(entry));
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

static void narrow_power(const void *table, const struct scalar *k, struct fp2 *out)
{
	struct comb_odd odd;
	struct fp t;

	comb_make_odd(&odd, k);
	out->re = fp_one;
	pick_power(&out->im, table, 0, comb_digit_of(&odd, WINDOW, DIGITS, 1));
	for (size_t row = 1; row < DIGITS / 2; row++) {
		pick_power(&t, table, row, comb_digit_of(&odd, WINDOW, DIGITS, 2 * row + 1));
		mul_tangent(out, &t);
	}
	for (size_t i = 0; i < WINDOW; i++)
		fp2_sqr(out, out);
	for (size_t row = 0; row < ROWS; row++) {
		pick_power(&t, table, row, comb_digit_of(&odd, WINDOW, DIGITS, 2 * row));
		mul_tangent(out, &t);
	}
	wipe(&odd, sizeof(odd));
	wipe(&t, sizeof(t));
}

/* The entries as they are. */
static void *keep(const void *entry, size_t size)
{
	void *table = malloc(size);

	if (table)
		memcpy(table, entry, size);
	return table;
}

static void *narrow_pack(const struct curve_point *entry, size_t *size_out)
{
	*size_out = ROWS * ENTRIES * sizeof(*entry);
	return keep(entry, *size_out);
}

static void *narrow_pack_power(const struct fp *entry)
{
	return keep(entry, ROWS * ENTRIES * sizeof(*entry));
}

static const struct comb_form *form_of(enum fp_path path)
{
	static const struct comb_form narrow = {
		.shape = { WINDOW, 2 * WINDOW, ROWS },
		.pack = narrow_pack,
		.mul = narrow_mul,
		.pack_power = narrow_pack_power,
		.power = narrow_power,
	};

#ifdef FP8_BUILT
	if (path == FP_WIDE)
		return &comb_form_wide;
#endif
	(void)path;
	return &narrow;
}

/* [q - 2] B + B is -B just for points of order q.  Whatever goes through an addition
 * that is not complete ends as infinity, and is the same as nothing. */
static bool is_of_order(const struct comb *comb, const struct curve_point *base)
{
	struct scalar k;
	struct curve_jacobian product;
	struct curve_point minus = *base;

	memcpy(k.v, fp_order, sizeof(k.v));
	k.v[0] -= 2; /* odd: that of an even one would be made from q - k */
	comb_mul(comb, &k, &product);
	curve_add(&product, &product, base);
	fp_neg(&minus.y, &minus.y);
	return curve_same(&product, &minus);
}

/* The order is checked by the table itself, which costs one multiplication. */
static int make(const struct comb_form *form, const struct curve_point *base,
		struct curve_point *entry, struct comb **comb_out)
{
	struct comb *comb = calloc(1, sizeof(*comb));
	int err = comb ? comb_build(&form->shape, base, entry) : -ENOMEM;

	if (!err) {
		comb->form = form;
		comb->table = form->pack(entry, &comb->size);
		err = comb->table ? 0 : -ENOMEM;
	}
	if (!err && !is_of_order(comb, base))
		err = -EINVAL;
	if (err)
		comb_free(&comb);
	else
		*comb_out = comb;
	return err == -EDOM ? -EINVAL : err; /* infinity among the multiples */
}

int comb_new(const struct curve_point *base, enum fp_path path, struct comb **comb_out)
{
	const struct comb_form *form = form_of(path);
	size_t n = comb_entries(&form->shape);
	struct curve_point *entry = calloc(n, sizeof(*entry));
	int err;

	if (!entry)
		return -ENOMEM;
	err = make(form, base, entry, comb_out);
	wipe(entry, n * sizeof(*entry));
	free(entry);
	return err;
}

void comb_free(struct comb **combp)
{
	struct comb *comb = *combp;

	if (comb && comb->table)
		wipe(comb->table, comb->size);
	if (comb)
		free(comb->table);
	free(comb);
	*combp = NULL;
}

void comb_mul(const struct comb *comb, const struct scalar *k, struct curve_jacobian *out)
{
	comb->form->mul(comb->table, k, out);
}

int comb_power_new(const struct fp *tangent, enum fp_path path, struct comb_power **comb_out)
{
	const struct comb_form *form = form_of(path);
	struct comb_power *comb = calloc(1, sizeof(*comb));
	struct fp *entry = calloc(comb_entries(&form->shape), sizeof(*entry));
	int err = -ENOMEM;

	if (comb && entry)
		err = comb_build_power(&form->shape, tangent, entry);
	if (!err) {
		comb->form = form;
		comb->table = form->pack_power(entry);
		err = comb->table ? 0 : -ENOMEM;
	}
	free(entry);
	if (err)
		comb_power_free(&comb);
	else
		*comb_out = comb;
	return err;
}

void comb_power_free(struct comb_power **combp)
{
	if (*combp)
		free((*combp)->table);
	free(*combp);
	*combp = NULL;
}

void comb_power(const struct comb_power *comb, const struct scalar *k, struct fp2 *out)
{
	comb->form->power(comb->table, k, out);
}
