/* comb_build.c - the entries of a comb's table, by one inversion for each of two
 * passes.
 */
#include "keys/comb_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "keys/secret.h"

/* out[0 ... n - 1] = 1, 3, ... times base. */
static void fill_row(struct curve_jacobian *out, size_t n, const struct curve_jacobian *base,
		     const struct curve_point *twice)
{
	out[0] = *base;
	for (size_t i = 1; i < n; i++)
		curve_add(&out[i], &out[i - 1], twice);
}

/* What comb_build() works in: by row the base and its double, then all entries. */
struct build {
	struct curve_jacobian *base, *twice;
	struct curve_point *affine; /* twice, which an addition takes affine only */
	struct curve_jacobian *entry;
	struct fp *scratch;
};

static int fill(const struct comb_shape *shape, const struct curve_point *base, struct build *b,
		struct curve_point *entry)
{
	size_t n = comb_row_entries(shape);
	int err;

	curve_to_jacobian(&b->base[0], base);
	for (size_t row = 0;; row++) {
		curve_double(&b->twice[row], &b->base[row]);
		if (row == shape->rows - 1)
			break;
		b->base[row + 1] = b->twice[row];
		for (size_t i = 1; i < shape->stride; i++)
			curve_double(&b->base[row + 1], &b->base[row + 1]);
	}
	err = curve_normalise(b->affine, b->twice, shape->rows, b->scratch);
	if (err)
		return err;
	for (size_t row = 0; row < shape->rows; row++)
		fill_row(b->entry + row * n, n, &b->base[row], &b->affine[row]);
	return curve_normalise(entry, b->entry, shape->rows * n, b->scratch);
}

/* The multiples may be a secret's kin. */
static void free_wiped(void *p, size_t n)
{
	if (p)
		wipe(p, n);
	free(p);
}

int comb_build(const struct comb_shape *shape, const struct curve_point *base,
	       struct curve_point *entry)
{
	size_t rows = shape->rows, n = comb_entries(shape);
	struct build b = {
		.base = calloc(rows, sizeof(*b.base)),
		.twice = calloc(rows, sizeof(*b.twice)),
		.affine = calloc(rows, sizeof(*b.affine)),
		.entry = calloc(n, sizeof(*b.entry)),
		.scratch = calloc(2 * n, sizeof(*b.scratch)),
	};
	int err = -ENOMEM;

	if (b.base && b.twice && b.affine && b.entry && b.scratch)
		err = fill(shape, base, &b, entry);
	free_wiped(b.base, rows * sizeof(*b.base));
	free_wiped(b.twice, rows * sizeof(*b.twice));
	free_wiped(b.affine, rows * sizeof(*b.affine));
	free_wiped(b.entry, n * sizeof(*b.entry));
	free_wiped(b.scratch, 2 * n * sizeof(*b.scratch));
	return err;
}

/* Every row's entries as re + i im; then im / re of all by one inversion. */
static int fill_powers(const struct comb_shape *shape, const struct fp *tangent, struct fp *out,
		       struct fp2 *entry, struct fp *scratch)
{
	struct fp2 base = { fp_one, *tangent }, square;
	size_t n = comb_row_entries(shape), all = comb_entries(shape);
	int err;

	for (size_t row = 0; row < shape->rows; row++) {
		struct fp2 *e = entry + row * n;

		fp2_sqr(&square, &base);
		e[0] = base;
		for (size_t i = 1; i < n; i++)
			fp2_mul(&e[i], &e[i - 1], &square);
		for (size_t i = 0; i < shape->stride; i++)
			fp2_sqr(&base, &base);
	}
	for (size_t i = 0; i < all; i++)
		scratch[i] = entry[i].re;
	err = fp_inverse_all(scratch, all, scratch + all);
	for (size_t i = 0; i < all && !err; i++)
		fp_mul(&out[i], &entry[i].im, &scratch[i]);
	return err;
}

int comb_build_power(const struct comb_shape *shape, const struct fp *tangent, struct fp *out)
{
	struct fp2 *entry = calloc(comb_entries(shape), sizeof(*entry));
	struct fp *scratch = calloc(2 * comb_entries(shape), sizeof(*scratch));
	int err = -ENOMEM;

	if (entry && scratch)
		err = fill_powers(shape, tangent, out, entry, scratch);
	free(entry); /* powers of a public value */
	free(scratch);
	return err;
}
