/* fp_derived.c - what is built from the field's products: powers, many
 * inverses, roots and the quadratic extension.
 */
#include "keys/fp.h"

/* Montgomery's trick: scratch[i] = a[0] ... a[i]. */
int fp_inverse_all(struct fp *a, size_t n, struct fp *scratch)
{
	struct fp inverse, t;
	int err;

	if (n == 0)
		return 0;
	scratch[0] = a[0];
	for (size_t i = 1; i < n; i++)
		fp_mul(&scratch[i], &scratch[i - 1], &a[i]);
	err = fp_inverse(&inverse, &scratch[n - 1]);
	if (err)
		return err;
	for (size_t i = n - 1; i > 0; i--) {
		fp_mul(&t, &inverse, &scratch[i - 1]);
		fp_mul(&inverse, &inverse, &a[i]);
		a[i] = t;
	}
	a[0] = inverse;
	return 0;
}

void fp_pow(struct fp *out, const struct fp *a, const uint64_t e[FP_LIMBS])
{
	struct fp result = fp_one, base = *a;

	for (size_t i = FP_BITS; i-- > 0;) {
		fp_sqr(&result, &result);
		if (e[i / 64] >> i % 64 & 1)
			fp_mul(&result, &result, &base);
	}
	*out = result;
}

/* (p + 1) / 4 is q. */
bool fp_sqrt(struct fp *out, const struct fp *a)
{
	struct fp root, square;

	fp_pow(&root, a, fp_order);
	fp_sqr(&square, &root);
	if (!fp_eq(&square, a))
		return false;
	*out = root;
	return true;
}

/* (a + b)(a - b) and 2 a b */
void fp2_sqr(struct fp2 *out, const struct fp2 *a)
{
	struct fp sum, difference, twice;

	fp_add(&sum, &a->re, &a->im);
	fp_sub(&difference, &a->re, &a->im);
	fp_add(&twice, &a->re, &a->re);
	fp_mul(&out->im, &twice, &a->im);
	fp_mul(&out->re, &sum, &difference);
}

void fp2_mul(struct fp2 *out, const struct fp2 *a, const struct fp2 *b)
{
	struct fp minus, re;

	fp_neg(&minus, &a->im);
	fp_mul_add(&re, &a->re, &b->re, &minus, &b->im);
	fp_mul_add(&out->im, &a->re, &b->im, &a->im, &b->re);
	out->re = re;
}
