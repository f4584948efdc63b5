/* Combs and pairings, by both paths where this processor has them, against sums and
 * products made step by step.
 */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "keys/comb.h"
#include "keys/pairing.h"

enum { RANDOM_SCALARS = 6 };

/* 1, 2, 3, some powers of 2 and sums of them, q - 3 ... q - 1 and what is a digit of
 * only ones; then random ones. */
static bool pick_scalar(unsigned i, struct scalar *k)
{
	*k = (struct scalar){ { 0 } };
	switch (i) {
	case 0:
	case 1:
	case 2:
		k->v[0] = i + 1;
		return true;
	case 3:
		k->v[8] = 1; /* 2^512: the upper half of the lanes */
		return true;
	case 4:
		k->v[15] = UINT64_C(1) << 60;
		return true;
	case 5:
		memset(k->v, 0xff, 15 * sizeof(k->v[0]));
		return true;
	case 6:
	case 7:
	case 8:
		memcpy(k->v, fp_order, sizeof(k->v));
		k->v[0] -= i - 5;
		return true;
	case 9:
		for (size_t j = 0; j < FP_LIMBS; j++)
			k->v[j] = UINT64_C(0x1084210842108421) >> 4 * (j == FP_LIMBS - 1);
		return true;
	default:
		assert_int_equal(scalar_random(k), 0);
		return i < 10 + RANDOM_SCALARS;
	}
}

/* [k] base, bit by bit from the top.  The sum so far and base are never equal or
 * opposite: it is an even multiple of base below q - 1. */
static void multiply(const struct curve_point *base, const struct scalar *k,
		     struct curve_jacobian *out)
{
	bool begun = false;

	for (size_t bit = FP_BITS; bit-- > 0;) {
		if (begun)
			curve_double(out, out);
		if (!(k->v[bit / 64] >> bit % 64 & 1))
			continue;
		if (begun)
			curve_add(out, out, base);
		else
			curve_to_jacobian(out, base);
		begun = true;
	}
}

static void affine(const struct curve_jacobian *a, struct curve_point *out)
{
	struct fp inverse;

	assert_int_equal(fp_inverse(&inverse, &a->z), 0);
	curve_scale(out, a, &inverse);
}

/* Both paths, or the one that this processor can take. */
static size_t paths(void)
{
	return fp_best_path() == FP_WIDE ? 2 : 1;
}

static const enum fp_path path[] = { FP_NARROW, FP_WIDE };

static void multiples_are_those_of_doublings_and_additions(void **state)
{
	struct curve_point base, want;
	struct scalar k;

	(void)state;
	curve_generator(&base);
	for (size_t w = 0; w < paths(); w++) {
		struct comb *comb = NULL;

		assert_int_equal(comb_new(&base, path[w], &comb), 0);
		for (unsigned i = 0; pick_scalar(i, &k); i++) {
			struct curve_jacobian sum, product;

			multiply(&base, &k, &sum);
			affine(&sum, &want);
			comb_mul(comb, &k, &product);
			assert_true(curve_same(&product, &want));
		}
		comb_free(&comb);
		assert_null(comb);
	}
}

/* Do a and b differ by a factor of F_p only? */
static bool same_class(const struct fp2 *a, const struct fp2 *b)
{
	struct fp x, y;

	fp_mul(&x, &a->re, &b->im);
	fp_mul(&y, &a->im, &b->re);
	return fp_eq(&x, &y) && !(fp_is_zero(&a->re) && fp_is_zero(&a->im)) &&
	       !(fp_is_zero(&b->re) && fp_is_zero(&b->im));
}

static void power(const struct fp2 *base, const struct scalar *k, struct fp2 *out)
{
	*out = (struct fp2){ fp_one, { { 0 } } };
	for (size_t bit = FP_BITS; bit-- > 0;) {
		fp2_sqr(out, out);
		if (k->v[bit / 64] >> bit % 64 & 1)
			fp2_mul(out, out, base);
	}
}

/* The class of <P, P>, by the narrow path. */
static void pairing_of_generator(struct fp2 *out)
{
	struct pairing *pairing = NULL;
	struct curve_point p;

	curve_generator(&p);
	assert_int_equal(pairing_new(&p, FP_NARROW, &pairing), 0);
	pairing_compute(pairing, &p, out);
	pairing_free(&pairing);
	assert_null(pairing);
}

static void powers_are_those_of_squares_and_products(void **state)
{
	struct fp2 value, want, got;
	struct fp tangent;
	struct scalar k;

	(void)state;
	pairing_of_generator(&value);
	assert_int_equal(fp_inverse(&tangent, &value.re), 0);
	fp_mul(&tangent, &tangent, &value.im);
	for (size_t w = 0; w < paths(); w++) {
		struct comb_power *comb = NULL;

		assert_int_equal(comb_power_new(&tangent, path[w], &comb), 0);
		for (unsigned i = 0; pick_scalar(i, &k); i++) {
			power(&value, &k, &want);
			comb_power(comb, &k, &got);
			assert_true(same_class(&got, &want));
		}
		comb_power_free(&comb);
	}
}

/* <K, [k] P> is <K, P>^k, and both paths say the same. */
static void pairings_are_bilinear_by_both_paths(void **state)
{
	struct curve_point p, k_point, r;
	struct curve_jacobian j;
	struct pairing *pairing[] = { NULL, NULL };
	struct fp2 unit, want, got;
	struct scalar k;
	size_t n;

	(void)state;
	curve_generator(&p);
	assert_int_equal(scalar_random(&k), 0);
	multiply(&p, &k, &j);
	affine(&j, &k_point);
	for (n = 0; n < paths(); n++)
		assert_int_equal(pairing_new(&k_point, path[n], &pairing[n]), 0);
	pairing_compute(pairing[0], &p, &unit);
	for (unsigned i = 0; pick_scalar(i, &k); i++) {
		multiply(&p, &k, &j);
		affine(&j, &r);
		power(&unit, &k, &want);
		for (size_t w = 0; w < n; w++) {
			pairing_compute(pairing[w], &r, &got);
			assert_true(same_class(&got, &want));
		}
	}
	while (n > 0)
		pairing_free(&pairing[--n]);
}

/* (0, 0) has order 2, (x, y) + (0, 0) order 2 q. */
static void points_of_another_order_have_no_table(void **state)
{
	const struct curve_point of_order_2 = { { { 0 } }, { { 0 } } };
	struct curve_point p, sum;
	struct curve_jacobian j;

	(void)state;
	curve_generator(&p);
	curve_to_jacobian(&j, &p);
	curve_add(&j, &j, &of_order_2);
	affine(&j, &sum);
	assert_true(curve_is_on(&sum));
	for (size_t w = 0; w < paths(); w++) {
		struct comb *comb = NULL;
		struct pairing *pairing = NULL;

		assert_int_equal(comb_new(&of_order_2, path[w], &comb), -EINVAL);
		assert_int_equal(comb_new(&sum, path[w], &comb), -EINVAL);
		assert_int_equal(pairing_new(&of_order_2, path[w], &pairing), -EINVAL);
		assert_int_equal(pairing_new(&sum, path[w], &pairing), -EINVAL);
		assert_null(comb);
		assert_null(pairing);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(multiples_are_those_of_doublings_and_additions),
		cmocka_unit_test(powers_are_those_of_squares_and_products),
		cmocka_unit_test(pairings_are_bilinear_by_both_paths),
		cmocka_unit_test(points_of_another_order_have_no_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
