/* The eight-lane field against big numbers of OpenSSL and the field of fp.h. */
#include "tests/unit.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/rand.h>

#include "keys/fp8_priv.h"

#ifdef FP8_BUILT

enum { LANES = FP8_LANES, LIMBS = FP8_LIMBS, ROUNDS = 200 };

static int set_up(void **state)
{
	(void)state;
	if (!fp8_usable())
		print_message("no AVX-512 IFMA here: nothing to compare\n");
	return 0;
}

static BIGNUM *big_of(const struct fp8 *a, size_t lane)
{
	BIGNUM *n = BN_new(), *limb = BN_new();

	BN_zero(n);
	for (size_t j = LIMBS; j-- > 0;) {
		assert_true(BN_lshift(n, n, FP8_LIMB_BITS));
		assert_true(BN_set_word(limb, a->v[j][lane]));
		assert_true(BN_add(n, n, limb));
	}
	BN_free(limb);
	return n;
}

static BIGNUM *prime(void)
{
	uint8_t octets[FP_OCTETS];

	for (size_t i = 0; i < FP_OCTETS; i++)
		octets[i] = (uint8_t)(fp_prime[i / 8] >> 8 * (i % 8));
	return BN_lebin2bn(octets, FP_OCTETS, NULL);
}

/* Raw limbs of a value below 2^1028: all ones, none, one bit or random ones, so that
 * carries run far.  `kind` chooses. */
static void set_lane(struct fp8 *a, size_t lane, unsigned kind)
{
	uint64_t limbs[LIMBS];

	assert_int_equal(RAND_bytes((uint8_t *)limbs, sizeof(limbs)), 1);
	for (size_t j = 0; j < LIMBS; j++) {
		uint64_t v = limbs[j] & FP8_LIMB_MASK;

		switch (kind) {
		case 0:
			v = 0;
			break;
		case 1:
			v = FP8_LIMB_MASK;
			break;
		case 2:
			v = j == 0;
			break;
		case 3:
			v = fp8_prime[j] - (j == 0); /* p - 1 */
			break;
		case 4:
			v = fp8_prime[j];
			break;
		case 5: /* runs of ones */
			v = limbs[j] >> 63 ? FP8_LIMB_MASK : 0;
			break;
		default:
			break;
		}
		a->v[j][lane] = j == LIMBS - 1 && kind != 3 && kind != 4 ? v & 0xffffffffff : v;
	}
}

static void set_all(struct fp8 *a, unsigned round)
{
	for (size_t lane = 0; lane < LANES; lane++)
		set_lane(a, lane, (round * 5 + (unsigned)lane * 3) % 9);
}

/* Is a = want modulo p in all limbs' proper form, below 2^1031? */
static void assert_lane_is(const struct fp8 *a, size_t lane, const BIGNUM *want)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = prime(), *got = big_of(a, lane), *left = BN_new();

	for (size_t j = 0; j < LIMBS; j++)
		assert_true(a->v[j][lane] <= FP8_LIMB_MASK);
	assert_true(BN_num_bits(got) <= 1031);
	assert_true(BN_nnmod(got, got, p, ctx));
	assert_true(BN_nnmod(left, want, p, ctx));
	assert_int_equal(BN_cmp(got, left), 0);
	BN_free(p);
	BN_free(got);
	BN_free(left);
	BN_CTX_free(ctx);
}

/* n = (sum of k products) / 2^1040 mod p */
static BIGNUM *sum_of_products(size_t k, const struct fp8 *const a[], const struct fp8 *const b[],
			       size_t lane)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *sum = BN_new(), *t = BN_new(), *p = prime(), *r = BN_new();

	BN_zero(sum);
	for (size_t i = 0; i < k; i++) {
		BIGNUM *x = big_of(a[i], lane), *y = big_of(b[i], lane);

		assert_true(BN_mul(t, x, y, ctx));
		assert_true(BN_add(sum, sum, t));
		BN_free(x);
		BN_free(y);
	}
	BN_zero(r);
	assert_true(BN_set_bit(r, FP8_LIMBS * FP8_LIMB_BITS));
	assert_non_null(BN_mod_inverse(r, r, p, ctx));
	assert_true(BN_mod_mul(sum, sum, r, p, ctx));
	BN_free(t);
	BN_free(p);
	BN_free(r);
	BN_CTX_free(ctx);
	return sum;
}

static void products_are_those_of_big_numbers(void **state)
{
	(void)state;
	for (unsigned round = 0; fp8_usable() && round < ROUNDS; round++) {
		struct fp8 v[6], out[3];
		const struct fp8 *const a[] = { &v[0], &v[1], &v[2] };
		const struct fp8 *const b[] = { &v[3], &v[4], &v[5] };

		for (unsigned i = 0; i < COUNT(v); i++)
			set_all(&v[i], round + 7 * i + round / 9);
		fp8_mul(&out[0], a[0], b[0]);
		fp8_mul_add(&out[1], a[0], b[0], a[1], b[1]);
		fp8_mul_add3(&out[2], a, b);
		for (size_t k = 1; k <= 3; k++)
			for (size_t lane = 0; lane < LANES; lane++) {
				BIGNUM *want = sum_of_products(k, a, b, lane);
				BIGNUM *got = big_of(&out[k - 1], lane);

				assert_lane_is(&out[k - 1], lane, want);
				assert_true(BN_num_bits(got) <= 1024); /* 0.63 * 2^1024 */
				BN_free(want);
				BN_free(got);
			}
	}
}

static void sums_and_differences_are_those_of_big_numbers(void **state)
{
	(void)state;
	for (unsigned round = 0; fp8_usable() && round < ROUNDS; round++) {
		struct fp8 a, b, one, small, sum, difference, wide;

		set_all(&a, round);
		set_all(&b, round + round / 9);
		fp8_load_same(&one, &fp_one);
		fp8_mul(&small, &b, &one); /* below 4 p */
		fp8_add(&sum, &a, &b);
		fp8_sub(&difference, &a, &small);
		fp8_add(&small, &small, &small);
		fp8_sub_wide(&wide, &a, &small);
		for (size_t lane = 0; lane < LANES; lane++) {
			BIGNUM *x = big_of(&a, lane), *y = big_of(&b, lane), *t = BN_new();

			assert_true(BN_add(t, x, y));
			assert_lane_is(&sum, lane, t);
			assert_true(BN_sub(t, x, y));
			assert_lane_is(&difference, lane, t);
			assert_true(BN_sub(t, t, y));
			assert_lane_is(&wide, lane, t);
			BN_free(x);
			BN_free(y);
			BN_free(t);
		}
	}
}

static void random_element(struct fp *out)
{
	uint8_t octets[FP_OCTETS];

	assert_int_equal(RAND_bytes(octets, sizeof(octets)), 1);
	octets[0] &= 0x7f;
	assert_true(fp_read(out, octets));
}

/* What comes back is below p, also where a lane held p, or more. */
static void elements_come_back_as_they_went(void **state)
{
	const struct fp *in[LANES];
	struct fp v[LANES], out[LANES];
	struct fp8 a;

	(void)state;
	if (!fp8_usable())
		return;
	for (size_t i = 0; i < LANES; i++) {
		random_element(&v[i]);
		in[i] = &v[i];
	}
	v[0] = (struct fp){ { 0 } };
	v[1] = fp_one;
	fp_neg(&v[2], &fp_one);
	fp8_load(&a, in);
	fp8_store(&a, out);
	for (size_t i = 0; i < LANES; i++)
		assert_memory_equal(&out[i], &v[i], sizeof(v[i]));
	set_lane(&a, 0, 4); /* p */
	fp8_store(&a, out);
	assert_true(fp_is_zero(&out[0]));
}

static void lanes_are_chosen_each_by_itself(void **state)
{
	const uint64_t index[LANES] = { 0, 3, 1, 2, 3, 0, 2, 1 };
	const uint64_t mask[LANES] = { 0, UINT64_MAX, 0, 0, UINT64_MAX, 0, 0, UINT64_MAX };
	struct fp8 table[8], out, rotated, moved, negated;

	(void)state;
	if (!fp8_usable())
		return;
	for (unsigned i = 0; i < COUNT(table); i++)
		for (size_t lane = 0; lane < LANES; lane++)
			set_lane(&table[i], lane, 8);
	fp8_pick(&out, table + 1, 4, 2, index);
	fp8_rotate(&rotated, &out, 3);
	moved = table[0];
	fp8_move_if(mask, &moved, &out);
	fp8_load_same(&negated, &fp_one);
	fp8_mul(&negated, &negated, &out);
	out = negated;
	fp8_negate_if(mask, &negated);
	fp8_add(&out, &out, &negated); /* 0 where negated */
	for (size_t lane = 0; lane < LANES; lane++) {
		const struct fp8 *from = &table[1 + 2 * index[lane]];

		for (size_t j = 0; j < LIMBS; j++) {
			assert_true(rotated.v[j][(lane + 5) % LANES] == from->v[j][lane]);
			assert_true(moved.v[j][lane] ==
				    (mask[lane] ? from : &table[0])->v[j][lane]);
		}
		if (mask[lane]) {
			BIGNUM *zero = BN_new();

			BN_zero(zero);
			assert_lane_is(&out, lane, zero);
			BN_free(zero);
		}
	}
}

/* The product of a_i^(2^(n (7 - i))), by fp.h. */
static void horner(const struct fp8_2 *a, unsigned n, struct fp2 *out)
{
	struct fp re[LANES], im[LANES];

	fp8_store(&a->re, re);
	fp8_store(&a->im, im);
	*out = (struct fp2){ re[0], im[0] };
	for (size_t lane = 1; lane < LANES; lane++) {
		struct fp2 t = { re[lane], im[lane] };

		for (unsigned i = 0; i < n; i++)
			fp2_sqr(out, out);
		fp2_mul(out, out, &t);
	}
}

/* Limbs of all ones too, through which a carry of the side-by-side layout runs. */
static void chains_of_squares_are_those_of_one_element(void **state)
{
	static const unsigned lengths[] = { 0, 1, 2, 5, 128 };

	(void)state;
	for (unsigned round = 0; fp8_usable() && round < 60; round++)
		for (size_t i = 0; i < COUNT(lengths); i++) {
			struct fp8_2 a;
			struct fp2 got, want;

			set_all(&a.re, round);
			set_all(&a.im, round + round / 9);
			for (size_t lane = 0; lane < LANES; lane++)
				a.im.v[LIMBS - 1][lane] &= 0xfffffffff; /* below 4 p */
			horner(&a, lengths[i], &want);
			fp8_horner(&a, lengths[i], &got);
			assert_memory_equal(&got, &want, sizeof(want));
		}
}

static void the_constants_are_those_of_the_field(void **state)
{
	uint64_t limbs[LIMBS];
	struct fp p;

	(void)state;
	memcpy(p.v, fp_prime, sizeof(p.v));
	fp8_unpack(limbs, &p);
	assert_memory_equal(limbs, fp8_prime, sizeof(limbs));
	assert_true((fp8_prime[0] * FP8_PRIME_INVERSE & FP8_LIMB_MASK) == FP8_LIMB_MASK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products_are_those_of_big_numbers),
		cmocka_unit_test(sums_and_differences_are_those_of_big_numbers),
		cmocka_unit_test(elements_come_back_as_they_went),
		cmocka_unit_test(lanes_are_chosen_each_by_itself),
		cmocka_unit_test(chains_of_squares_are_those_of_one_element),
		cmocka_unit_test(the_constants_are_those_of_the_field),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

#else

int main(void)
{
	return 77; /* skipped: another kind of processor */
}

#endif
