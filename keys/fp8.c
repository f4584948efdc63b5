/* fp8.c - eight field elements side by side in the lanes of AVX-512 vectors (the layout is
 * fp8.h's).
 *
 * Products go by rows as in fp.c; only the carries differ: limbs of 52 bits in 64 leave twelve
 * bits of room, so they are carried once a product instead of once a step.
 */
#include "keys/fp8_priv.h"

#include "keys/fp_path.h"
#include "keys/fp_priv.h"

enum { N = FP8_LIMBS };

const uint64_t fp8_prime[N] = {
	0xd807afea85feb, 0x10ac7ace87666, 0x9857db080c5df, 0x1f1ffce3e8238, 0xa9f94d6af5697,
	0xcf3c521c3c09a, 0x4a831852a82a7, 0x65681ce1b6aff, 0xb4cd4512ac5cd, 0xd0e26c6487326,
	0x56d27f4a666a6, 0xb39ff7c88a193, 0x531a59cb0e791, 0xfc0f1b228730d, 0xa2ef40aab27e2,
	0xbe9ae358b3e01, 0xc0ce19cb48261, 0x98dad0657a416, 0xa563fda65c611, 0x0000997abb1f0
};

void fp8_unpack(uint64_t limbs[N], const struct fp *in)
{
	for (size_t j = 0; j < N; j++) {
		size_t bit = FP8_LIMB_BITS * j, at = bit / 64, shift = bit % 64;
		uint64_t v = in->v[at] >> shift;

		if (shift > 64 - FP8_LIMB_BITS && at + 1 < FP_LIMBS)
			v |= in->v[at + 1] << (64 - shift);
		limbs[j] = v & FP8_LIMB_MASK;
	}
}

void fp8_pack(struct fp *out, const uint64_t limbs[N])
{
	uint64_t high = 0;

	*out = (struct fp){ { 0 } };
	for (size_t j = 0; j < N; j++) {
		size_t bit = FP8_LIMB_BITS * j, at = bit / 64, shift = bit % 64;

		out->v[at] |= limbs[j] << shift;
		if (shift > 64 - FP8_LIMB_BITS && at + 1 < FP_LIMBS)
			out->v[at + 1] |= limbs[j] >> (64 - shift);
	}
	fp_reduce_once(out->v, &high);
}

#ifdef FP8_BUILT

#include <immintrin.h>

/* 2^1056 mod p: a product with it brings R = 2^1024 to 2^1040 (2^1024 * 2^1056 /
 * 2^1040).  One with 2^1024 mod p, which is one in the form of fp.h, brings it back. */
static const uint64_t from_narrow[N] = {
	0xcf1de7422dc16, 0x9b612e47b16df, 0x77db650ee3620, 0xf38bf9e30bac2, 0xa615fb20410a1,
	0xbbcc6cb8a36be, 0x191186c441dd4, 0xef31117aac3cd, 0x709a73275c05b, 0xf19459b8e218b,
	0xbd08e8df75270, 0x24dc96f75f948, 0x8555b0749171d, 0x1acf6314fc812, 0xde43d93f515a9,
	0x773a866b72174, 0x3659848b71c8a, 0x95f5a67578ed4, 0x6ad3adb3a99b2, 0x00001620e802c
};

bool fp8_usable(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma");
}

FP8_INLINE __m512i limb(const struct fp8 *a, size_t j)
{
	return _mm512_load_si512(a->v[j]);
}

/* Carries sums of limbs upwards, the last limb keeping what is above it.  The shift
 * takes the sign along: a limb on its way may be negative, the value is not. */
FP8_INLINE void put_carried(struct fp8 *out, const __m512i sum[N])
{
	const __m512i mask = _mm512_set1_epi64((long long)FP8_LIMB_MASK);
	__m512i t = sum[0];

#pragma GCC unroll 20
	for (size_t j = 0; j + 1 < N; j++) {
		_mm512_store_si512(out->v[j], _mm512_and_si512(t, mask));
		t = _mm512_add_epi64(sum[j + 1], _mm512_srai_epi64(t, FP8_LIMB_BITS));
	}
	_mm512_store_si512(out->v[N - 1], t);
}

/* acc += a b, the high halves of the products one limb up. */
FP8_INLINE void add_row(__m512i acc[N + 1], __m512i a, const struct fp8 *b)
{
#pragma GCC unroll 20
	for (size_t j = 0; j < N; j++) {
		__m512i t = limb(b, j);

		acc[j] = _mm512_madd52lo_epu64(acc[j], a, t);
		acc[j + 1] = _mm512_madd52hi_epu64(acc[j + 1], a, t);
	}
}

/* Adds the multiple of p that makes the lowest limb zero, and drops that limb. */
FP8_INLINE void reduce_row(__m512i acc[N + 1])
{
	const __m512i zero = _mm512_setzero_si512();
	__m512i m = _mm512_madd52lo_epu64(zero, acc[0],
					  _mm512_set1_epi64((long long)FP8_PRIME_INVERSE));

#pragma GCC unroll 20
	for (size_t j = 0; j < N; j++) {
		__m512i t = _mm512_set1_epi64((long long)fp8_prime[j]);

		acc[j] = _mm512_madd52lo_epu64(acc[j], m, t);
		acc[j + 1] = _mm512_madd52hi_epu64(acc[j + 1], m, t);
	}
	acc[1] = _mm512_add_epi64(acc[1], _mm512_srli_epi64(acc[0], FP8_LIMB_BITS));
#pragma GCC unroll 20
	for (size_t j = 0; j < N; j++)
		acc[j] = acc[j + 1];
	acc[N] = zero;
}

/* The sum of k products by rows.  A limb of acc takes 2 (k + 1) halves below 2^52
 * in each of its 20 rows: below 2^60 for k = 3. */
FP8_INLINE void sum_products(struct fp8 *out, size_t k, const struct fp8 *const a[],
			     const struct fp8 *const b[])
{
	__m512i acc[N + 1];

#pragma GCC unroll 21
	for (size_t j = 0; j <= N; j++)
		acc[j] = _mm512_setzero_si512();
#pragma GCC unroll 1
	for (size_t i = 0; i < N; i++) {
#pragma GCC unroll 3
		for (size_t t = 0; t < k; t++)
			add_row(acc, limb(a[t], i), b[t]);
		reduce_row(acc);
	}
	put_carried(out, acc);
}

FP8_TARGET void fp8_mul(struct fp8 *out, const struct fp8 *a, const struct fp8 *b)
{
	sum_products(out, 1, &a, &b);
}

FP8_TARGET void fp8_mul_add(struct fp8 *out, const struct fp8 *a, const struct fp8 *b,
			    const struct fp8 *c, const struct fp8 *d)
{
	const struct fp8 *const left[] = { a, c };
	const struct fp8 *const right[] = { b, d };

	sum_products(out, 2, left, right);
}

FP8_TARGET void fp8_mul_add3(struct fp8 *out, const struct fp8 *const a[3],
			     const struct fp8 *const b[3])
{
	sum_products(out, 3, a, b);
}

/* Carried at once: a factor's limbs must have 52 bits, the instructions see no more. */
FP8_TARGET void fp8_add(struct fp8 *out, const struct fp8 *a, const struct fp8 *b)
{
	__m512i sum[N];

#pragma GCC unroll 20
	for (size_t j = 0; j < N; j++)
		sum[j] = _mm512_add_epi64(limb(a, j), limb(b, j));
	put_carried(out, sum);
}

/* a - b + multiple * p */
FP8_INLINE void sub(struct fp8 *out, const struct fp8 *a, const struct fp8 *b, unsigned multiple)
{
	__m512i sum[N];

#pragma GCC unroll 20
	for (size_t j = 0; j < N; j++) {
		__m512i p = _mm512_set1_epi64((long long)(multiple * fp8_prime[j]));

		sum[j] = _mm512_sub_epi64(_mm512_add_epi64(limb(a, j), p), limb(b, j));
	}
	put_carried(out, sum);
}

FP8_TARGET void fp8_sub(struct fp8 *out, const struct fp8 *a, const struct fp8 *b)
{
	sub(out, a, b, 4);
}

FP8_TARGET void fp8_sub_wide(struct fp8 *out, const struct fp8 *a, const struct fp8 *b)
{
	sub(out, a, b, 8);
}

FP8_TARGET void fp8_move_if(const uint64_t mask[FP8_LANES], struct fp8 *out, const struct fp8 *a)
{
	const __m512i take = _mm512_loadu_si512(mask);

	for (size_t j = 0; j < N; j++) {
		__m512i old = _mm512_andnot_si512(take, limb(out, j));

		_mm512_store_si512(out->v[j],
				   _mm512_or_si512(old, _mm512_and_si512(take, limb(a, j))));
	}
}

void fp8_negate_if(const uint64_t mask[FP8_LANES], struct fp8 *a)
{
	const struct fp8 zero = { { { 0 } } };
	struct fp8 minus;

	fp8_sub(&minus, &zero, a);
	fp8_move_if(mask, a, &minus);
}

/* With masks as numbers, not as predicates of a load: all of an entry is read in
 * any case. */
FP8_TARGET void fp8_pick(struct fp8 *out, const struct fp8 *table, size_t n, size_t step,
			 const uint64_t index[FP8_LANES])
{
	const __m512i wanted = _mm512_loadu_si512(index);
	__m512i acc[N];

#pragma GCC unroll 20
	for (size_t j = 0; j < N; j++)
		acc[j] = _mm512_setzero_si512();
#pragma GCC unroll 1
	for (size_t e = 0; e < n; e++) {
		__m512i is = _mm512_maskz_set1_epi64(
			_mm512_cmpeq_epi64_mask(wanted, _mm512_set1_epi64((long long)e)), -1);

#pragma GCC unroll 20
		for (size_t j = 0; j < N; j++) /* acc | entry & is */
			acc[j] = _mm512_ternarylogic_epi64(acc[j], limb(&table[e * step], j), is,
							   0xf8);
	}
#pragma GCC unroll 20
	for (size_t j = 0; j < N; j++)
		_mm512_store_si512(out->v[j], acc[j]);
}

/* Rare, so that it need not be fast. */
void fp8_rotate(struct fp8 *out, const struct fp8 *a, unsigned by)
{
	const struct fp8 from = *a;

	for (size_t j = 0; j < N; j++)
		for (size_t i = 0; i < FP8_LANES; i++)
			out->v[j][i] = from.v[j][(i + by) % FP8_LANES];
}

/* (a + b)(a - b) and 2 a b */
void fp8_2_sqr(struct fp8_2 *out, const struct fp8_2 *a)
{
	struct fp8 sum, difference, twice;

	fp8_add(&sum, &a->re, &a->im);
	fp8_sub(&difference, &a->re, &a->im);
	fp8_add(&twice, &a->re, &a->re);
	fp8_mul(&out->im, &twice, &a->im);
	fp8_mul(&out->re, &sum, &difference);
}

void fp8_2_mul(struct fp8_2 *out, const struct fp8_2 *a, const struct fp8_2 *b)
{
	const struct fp8 zero = { { { 0 } } };
	struct fp8 minus, re;

	fp8_sub(&minus, &zero, &a->im);
	fp8_mul_add(&re, &a->re, &b->re, &minus, &b->im);
	fp8_mul_add(&out->im, &a->re, &b->im, &a->im, &b->re);
	out->re = re;
}

static void load_limbs(struct fp8 *out, const uint64_t limbs[N])
{
	for (size_t j = 0; j < N; j++)
		for (size_t i = 0; i < FP8_LANES; i++)
			out->v[j][i] = limbs[j];
}

void fp8_load(struct fp8 *out, const struct fp *const in[FP8_LANES])
{
	uint64_t limbs[N];
	struct fp8 factor;

	for (size_t i = 0; i < FP8_LANES; i++) {
		fp8_unpack(limbs, in[i]);
		for (size_t j = 0; j < N; j++)
			out->v[j][i] = limbs[j];
	}
	load_limbs(&factor, from_narrow);
	fp8_mul(out, out, &factor);
}

void fp8_load_same(struct fp8 *out, const struct fp *in)
{
	const struct fp *const all[] = { in, in, in, in, in, in, in, in };

	fp8_load(out, all);
}

/* The product is below p + 2^1018, so one subtraction is enough (fp8_pack). */
void fp8_store(const struct fp8 *in, struct fp out[FP8_LANES])
{
	uint64_t limbs[N];
	struct fp8 t;

	fp8_unpack(limbs, &fp_one);
	load_limbs(&t, limbs);
	fp8_mul(&t, in, &t);
	for (size_t i = 0; i < FP8_LANES; i++) {
		for (size_t j = 0; j < N; j++)
			limbs[j] = t.v[j][i];
		fp8_pack(&out[i], limbs);
	}
}

#else

bool fp8_usable(void)
{
	return false;
}

#endif

enum fp_path fp_best_path(void)
{
	return fp8_usable() ? FP_WIDE : FP_NARROW;
}
