#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include <openssl/bn.h>

#include "keys/fp_priv.h"
#include "tests/keys/vectors.h"

/* Big numbers of OpenSSL: the oracle. */
struct world {
	BN_CTX *ctx;
	BIGNUM *p, *q;
};

static int set_up(void **state)
{
	static struct world w; /* one for all tests of this program */
	struct vectors *v = vectors_open("rfc6509-params.txt");

	w.ctx = BN_CTX_new();
	w.p = BN_bin2bn(vector(v, "p").p, FP_OCTETS, NULL);
	w.q = BN_bin2bn(vector(v, "q").p, (int)vector(v, "q").n, NULL);
	vectors_close(&v);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	BN_free(w->p);
	BN_free(w->q);
	BN_CTX_free(w->ctx);
	return 0;
}

static void of_bn(struct fp *out, const BIGNUM *n)
{
	uint8_t octets[FP_OCTETS];

	assert_int_equal(BN_bn2binpad(n, octets, FP_OCTETS), FP_OCTETS);
	assert_true(fp_read(out, octets));
}

static void assert_is(const struct fp *a, const BIGNUM *want)
{
	uint8_t got[FP_OCTETS], octets[FP_OCTETS];

	fp_write(a, got);
	assert_int_equal(BN_bn2binpad(want, octets, FP_OCTETS), FP_OCTETS);
	assert_memory_equal(got, octets, FP_OCTETS);
}

/* Values near the edges first, random ones then. */
static void pick(struct world *w, unsigned i, BIGNUM *out)
{
	switch (i) {
	case 0:
		BN_zero(out);
		break;
	case 1:
		BN_one(out);
		break;
	case 2:
		assert_int_equal(BN_sub(out, w->p, BN_value_one()), 1);
		break;
	case 3:
		assert_int_equal(BN_rshift1(out, w->p), 1);
		break;
	case 4:
		BN_zero(out);
		assert_int_equal(BN_set_bit(out, 1023), 1);
		break;
	case 5:
		BN_zero(out);
		assert_int_equal(BN_set_bit(out, 512), 1);
		assert_int_equal(BN_sub_word(out, 1), 1);
		break;
	default:
		assert_int_equal(BN_rand_range(out, w->p), 1);
	}
}

enum { EDGES = 6, ROUNDS = 24 };

static void sums_and_products_are_those_of_big_numbers(void **state)
{
	struct world *w = *state;
	BIGNUM *a = BN_new(), *b = BN_new(), *n = BN_new(), *m = BN_new();
	struct fp x, y, z;

	for (unsigned i = 0; i < ROUNDS; i++)
		for (unsigned j = 0; j < ROUNDS; j++) {
			pick(w, i, a);
			pick(w, j, b);
			of_bn(&x, a);
			of_bn(&y, b);
			assert_is(&x, a);
			fp_add(&z, &x, &y);
			BN_mod_add(n, a, b, w->p, w->ctx);
			assert_is(&z, n);
			fp_sub(&z, &x, &y);
			BN_mod_sub(n, a, b, w->p, w->ctx);
			assert_is(&z, n);
			fp_mul(&z, &x, &y);
			BN_mod_mul(n, a, b, w->p, w->ctx);
			assert_is(&z, n);
			fp_mul_add(&z, &x, &y, &x, &x); /* x y + x x */
			BN_mod_sqr(m, a, w->p, w->ctx);
			BN_mod_add(m, m, n, w->p, w->ctx);
			assert_is(&z, m);
			fp_sqr(&z, &x);
			BN_mod_sqr(n, a, w->p, w->ctx);
			assert_is(&z, n);
			fp_neg(&z, &x);
			BN_zero(n);
			BN_mod_sub(n, n, a, w->p, w->ctx);
			assert_is(&z, n);
			assert_int_equal(fp_eq(&x, &y), BN_cmp(a, b) == 0);
			assert_int_equal(fp_is_zero(&x), BN_is_zero(a));
		}
	BN_free(a);
	BN_free(b);
	BN_free(n);
	BN_free(m);
}

/* The largest operands there are, summed three times. */
static void both_forms_of_the_product_agree(void **state)
{
	struct fp v[EDGES + 8], x, y;
	struct world *w = *state;
	BIGNUM *n = BN_new();

	if (!fp_adx_usable())
		skip();
	for (unsigned i = 0; i < COUNT(v); i++) {
		pick(w, i, n);
		of_bn(&v[i], n);
	}
	v[0] = (struct fp){ { 0 } }; /* and, as limbs: p - 1 */
	memcpy(v[1].v, fp_prime, sizeof(v[1].v));
	v[1].v[0]--;
	for (unsigned i = 0; i < COUNT(v); i++) {
		const struct fp *a = &v[i];

		fp_adx_sqr(&x, a);
		fp_plain_sum(&y, 1, &a, &a);
		assert_memory_equal(&x, &y, sizeof(x));
	}
	for (unsigned i = 0; i < COUNT(v); i++)
		for (unsigned j = 0; j < COUNT(v); j++)
			for (size_t k = 1; k <= 3; k++) {
				const struct fp *a[] = { &v[i], &v[j], &v[1] };
				const struct fp *b[] = { &v[j], &v[1], &v[1] };

				fp_adx_sum(&x, k, a, b);
				fp_plain_sum(&y, k, a, b);
				assert_memory_equal(&x, &y, sizeof(x));
				assert_true(fp_sub_limbs(y.v, x.v, fp_prime)); /* below p */
			}
	BN_free(n);
}

static void outputs_may_be_inputs(void **state)
{
	struct world *w = *state;
	BIGNUM *n = BN_new();
	struct fp x, y, a, b;
	struct fp2 f, g, h;

	pick(w, EDGES, n);
	of_bn(&x, n);
	pick(w, EDGES, n);
	of_bn(&y, n);
	fp_mul(&a, &x, &y);
	b = x;
	fp_mul(&b, &b, &y);
	assert_true(fp_eq(&a, &b));
	fp_sub(&a, &x, &y);
	b = y;
	fp_sub(&b, &x, &b);
	assert_true(fp_eq(&a, &b));
	f = (struct fp2){ x, y };
	fp2_mul(&g, &f, &f);
	h = f;
	fp2_mul(&h, &h, &h);
	assert_memory_equal(&g, &h, sizeof(g));
	h = f;
	fp2_sqr(&h, &h);
	assert_memory_equal(&g, &h, sizeof(g));
	BN_free(n);
}

static void inverses_and_roots_are_found(void **state)
{
	struct world *w = *state;
	BIGNUM *n = BN_new();
	struct fp x, y, z, many[5], scratch[5];

	for (unsigned i = 1; i < EDGES + 4; i++) {
		pick(w, i, n);
		of_bn(&x, n);
		assert_int_equal(fp_inverse(&y, &x), 0);
		fp_mul(&z, &x, &y);
		assert_true(fp_eq(&z, &fp_one));
		fp_sqr(&y, &x);
		assert_true(fp_sqrt(&z, &y));
		fp_neg(&y, &x);
		assert_true(fp_eq(&z, &x) || fp_eq(&z, &y));
		fp_sqr(&y, &x);
		fp_neg(&y, &y); /* p is 3 mod 4: -1 has no root */
		assert_false(fp_sqrt(&z, &y));
	}
	for (unsigned i = 0; i < COUNT(many); i++) {
		pick(w, EDGES, n);
		of_bn(&many[i], n);
	}
	x = many[3];
	assert_int_equal(fp_inverse_all(many, COUNT(many), scratch), 0);
	fp_mul(&x, &x, &many[3]);
	assert_true(fp_eq(&x, &fp_one));
	many[2] = (struct fp){ { 0 } };
	assert_int_equal(fp_inverse_all(many, COUNT(many), scratch), -EDOM);
	assert_int_equal(fp_inverse(&x, &many[2]), -EDOM);
	BN_free(n);
}

/* Single bits, runs of them, and their opposites. */
static void inverses_of_odd_looking_numbers_are_found(void **state)
{
	const struct fp zero = { { 0 } };
	struct fp x, y, z;

	(void)state;
	for (size_t bit = 0; bit < FP_BITS - 1; bit++)
		for (size_t kind = 0; kind < 4; kind++) {
			x = zero;
			x.v[bit / 64] = UINT64_C(1) << bit % 64;
			if (kind & 1) { /* all bits below it */
				x.v[bit / 64]--;
				memset(x.v, 0xff, bit / 64 * sizeof(x.v[0]));
			}
			if (kind & 2)
				fp_sub(&x, &zero, &x);
			if (fp_is_zero(&x))
				continue;
			assert_int_equal(fp_inverse(&y, &x), 0);
			assert_true(fp_sub_limbs(z.v, y.v, fp_prime)); /* below p */
			fp_mul(&z, &x, &y);
			assert_true(fp_eq(&z, &fp_one));
		}
}

static void numbers_from_p_on_are_refused(void **state)
{
	struct world *w = *state;
	uint8_t octets[FP_OCTETS];
	struct fp x;

	BN_bn2binpad(w->p, octets, FP_OCTETS);
	assert_false(fp_read(&x, octets));
	assert_true(fp_is_zero(&x));
	octets[FP_OCTETS - 1]--;
	assert_true(fp_read(&x, octets));
	memset(octets, 0xff, sizeof(octets));
	assert_false(fp_read(&x, octets));
}

static void assert_limbs_are(const uint64_t limbs[FP_LIMBS], const BIGNUM *want)
{
	uint8_t octets[FP_OCTETS], wanted[FP_OCTETS];

	for (size_t i = 0; i < FP_OCTETS; i++)
		octets[i] = (uint8_t)(limbs[15 - i / 8] >> 8 * (7 - i % 8));
	BN_bn2binpad(want, wanted, FP_OCTETS);
	assert_memory_equal(octets, wanted, FP_OCTETS);
}

static void the_constants_are_the_rfcs(void **state)
{
	struct world *w = *state;
	uint8_t octets[FP_OCTETS];
	struct fp x;

	assert_limbs_are(fp_prime, w->p);
	assert_limbs_are(fp_order, w->q);
	fp_write(&fp_one, octets);
	for (size_t i = 0; i < FP_OCTETS; i++)
		assert_int_equal(octets[i], i == FP_OCTETS - 1);
	fp_small(&x, 3);
	fp_write(&x, octets);
	assert_int_equal(octets[FP_OCTETS - 1], 3);
	assert_true(fp_prime[0] * FP_PRIME_INVERSE == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_and_products_are_those_of_big_numbers),
		cmocka_unit_test(both_forms_of_the_product_agree),
		cmocka_unit_test(outputs_may_be_inputs),
		cmocka_unit_test(inverses_and_roots_are_found),
		cmocka_unit_test(inverses_of_odd_looking_numbers_are_found),
		cmocka_unit_test(numbers_from_p_on_are_refused),
		cmocka_unit_test(the_constants_are_the_rfcs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
