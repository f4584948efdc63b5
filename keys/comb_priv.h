/* comb_priv.h - the parts of the combs: comb.c cuts scalars into digits and has
 * the form of one element at a time, comb_build.c computes the entries, comb8.c
 * has the form of eight.
 */
#ifndef KEYS_COMB_PRIV_H
#define KEYS_COMB_PRIV_H

#include "keys/comb.h"

/* Row j has 1, 3, ... 2^window - 1 times 2^(stride j) times the base. */
struct comb_shape {
	unsigned window; /* bits of a digit */
	unsigned stride; /* bits from row to row */
	unsigned rows;
};

static inline size_t comb_row_entries(const struct comb_shape *shape)
{
	return (size_t)1 << (shape->window - 1);
}

static inline size_t comb_entries(const struct comb_shape *shape)
{
	return shape->rows * comb_row_entries(shape);
}

/* A way to keep entries and to multiply with them.  The pack functions make a table
 * of entries that lie row by row; *size_out is its octets, to be wiped.
 * They return NULL when memory is out. */
struct comb_form {
	struct comb_shape shape;
	void *(*pack)(const struct curve_point *entry, size_t *size_out);
	void (*mul)(const void *table, const struct scalar *k, struct curve_jacobian *out);
	void *(*pack_power)(const struct fp *entry);
	void (*power)(const void *table, const struct scalar *k, struct fp2 *out);
};

extern const struct comb_form comb_form_wide; /* comb8.c */

/* k made odd, and whether the result must be negated for it. */
struct comb_odd {
	uint64_t v[FP_LIMBS];
	uint64_t negate; /* all ones or 0 */
};

/* Stands for 2 index + 1, negated where the mask says so. */
struct comb_digit {
	uint64_t index;
	uint64_t negate; /* all ones or 0 */
};

void comb_make_odd(struct comb_odd *out, const struct scalar *k);

/* Digit i, from the lowest, of that many of `window` bits: 1,022 bits or more. */
struct comb_digit comb_digit_of(const struct comb_odd *k, unsigned window, unsigned digits,
				size_t i);

/* Fills in all entries of a point, and of the value of that tangent.  Return 0,
 * -ENOMEM, or -EDOM when infinity is among them: the order is a small one. */
int comb_build(const struct comb_shape *shape, const struct curve_point *base,
	       struct curve_point *entry);
/* The same for powers: entry receives their tangents, im / re. */
int comb_build_power(const struct comb_shape *shape, const struct fp *tangent, struct fp *entry);

#endif
