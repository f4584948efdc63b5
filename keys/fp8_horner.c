/* fp8_horner.c - a long chain of squares in F_p2, which leaves only two products
 * to do at a time: here the limbs of one element lie side by side in the lanes of
 * three vectors, and the two products take turns, so that one works while the
 * other waits.
 */
#include "keys/fp8_priv.h"

#include "keys/secret.h"

#ifdef FP8_BUILT

#include <immintrin.h>

enum { N = FP8_LIMBS, VECTORS = 3, ROOM = VECTORS * FP8_LANES };

/* One element, limb j in lane j, the lanes behind the last limb 0. */
struct wide {
	_Alignas(64) uint64_t v[ROOM];
};

/* A value of F_p2 and what its square is made of. */
struct state {
	struct wide re, im, sum, difference; /* re + im, re - im */
};

/* Constants, and what is computed with; wiped together. */
struct work {
	struct wide prime, offset;
	struct state f;
	struct wide re, im;
};

/* A column of a product takes 4 halves in each of 20 rows and may be doubled: it is
 * below 2^60.  The offset is 4 p with 2^60 in every column, taken from the next
 * one, so that no column of a difference is negative. */
enum { COLUMN_BITS = 60 };

static void set_constants(struct work *w)
{
	w->prime = w->offset = (struct wide){ { 0 } };
	for (size_t j = 0; j < N; j++) {
		w->prime.v[j] = fp8_prime[j];
		w->offset.v[j] = 4 * fp8_prime[j];
		if (j + 1 < N)
			w->offset.v[j] += UINT64_C(1) << COLUMN_BITS;
		if (j > 0)
			w->offset.v[j] -= UINT64_C(1) << (COLUMN_BITS - FP8_LIMB_BITS);
	}
}

FP8_INLINE void get(__m512i out[VECTORS], const struct wide *in)
{
#pragma GCC unroll 3
	for (size_t i = 0; i < VECTORS; i++)
		out[i] = _mm512_load_si512(in->v + i * FP8_LANES);
}

/* acc += a b or, of every product, the high half. */
FP8_INLINE void add_low(__m512i acc[VECTORS], const __m512i a[VECTORS], __m512i b)
{
#pragma GCC unroll 3
	for (size_t i = 0; i < VECTORS; i++)
		acc[i] = _mm512_madd52lo_epu64(acc[i], a[i], b);
}

FP8_INLINE void add_high(__m512i acc[VECTORS], const __m512i a[VECTORS], __m512i b)
{
#pragma GCC unroll 3
	for (size_t i = 0; i < VECTORS; i++)
		acc[i] = _mm512_madd52hi_epu64(acc[i], a[i], b);
}

/* Drops the lowest column, whose lower 52 bits are 0; the rest goes to the next. */
FP8_INLINE void drop_lowest(__m512i acc[VECTORS])
{
	__m512i carry = _mm512_maskz_srli_epi64(1, acc[0], FP8_LIMB_BITS);

	acc[0] = _mm512_add_epi64(_mm512_alignr_epi64(acc[1], acc[0], 1), carry);
	acc[1] = _mm512_alignr_epi64(acc[2], acc[1], 1);
	acc[2] = _mm512_alignr_epi64(_mm512_setzero_si512(), acc[2], 1);
}

/* One row of a Montgomery product: acc = (acc + a b + m p) / 2^52. */
FP8_INLINE void row(__m512i acc[VECTORS], const __m512i a[VECTORS], uint64_t b_limb,
		    const __m512i p[VECTORS])
{
	const __m512i inverse = _mm512_set1_epi64((long long)FP8_PRIME_INVERSE);
	__m512i b = _mm512_set1_epi64((long long)b_limb), m;

	add_low(acc, a, b);
	m = _mm512_madd52lo_epu64(_mm512_setzero_si512(), acc[0], inverse);
	m = _mm512_broadcastq_epi64(_mm512_castsi512_si128(m));
	add_low(acc, p, m);
	drop_lowest(acc);
	add_high(acc, a, b);
	add_high(acc, p, m);
}

/* x = a b and y = c d, as columns. */
FP8_INLINE void mul_two(__m512i x[VECTORS], const struct wide *a, const struct wide *b,
			__m512i y[VECTORS], const struct wide *c, const struct wide *d,
			const struct wide *prime)
{
	__m512i a_v[VECTORS], c_v[VECTORS], p[VECTORS];

	get(a_v, a);
	get(c_v, c);
	get(p, prime);
#pragma GCC unroll 3
	for (size_t i = 0; i < VECTORS; i++)
		x[i] = y[i] = _mm512_setzero_si512();
#pragma GCC unroll 1
	for (size_t j = 0; j < N; j++) {
		row(x, a_v, b->v[j], p);
		row(y, c_v, d->v[j], p);
	}
}

/* Columns to limbs.  Each column first gives what is over 52 bits to the next one;
 * then a limb has at most 2^52 + 2^12, and the carries of one that are left run
 * through limbs of all ones, which an addition of the masks finds. */
FP8_INLINE void put_carried(struct wide *out, const __m512i column[VECTORS])
{
	const __m512i mask = _mm512_set1_epi64((long long)FP8_LIMB_MASK);
	__m512i over[VECTORS + 1] = { _mm512_setzero_si512() }, t[VECTORS];
	unsigned full = 0, more = 0;

#pragma GCC unroll 3
	for (size_t i = 0; i < VECTORS; i++) {
		over[i + 1] = _mm512_srli_epi64(column[i], FP8_LIMB_BITS);
		t[i] = _mm512_add_epi64(_mm512_and_si512(column[i], mask),
					_mm512_alignr_epi64(over[i + 1], over[i], 7));
		more |= (unsigned)_mm512_cmpgt_epu64_mask(t[i], mask) << FP8_LANES * i;
		full |= (unsigned)_mm512_cmpeq_epu64_mask(t[i], mask) << FP8_LANES * i;
	}
	more = (2 * more + full) ^ full;
#pragma GCC unroll 3
	for (size_t i = 0; i < VECTORS; i++) {
		__mmask8 get_one = (__mmask8)(more >> FP8_LANES * i);

		t[i] = _mm512_mask_add_epi64(t[i], get_one, t[i], _mm512_set1_epi64(1));
		_mm512_store_si512(out->v + i * FP8_LANES, _mm512_and_si512(t[i], mask));
	}
}

FP8_INLINE void add(__m512i out[VECTORS], const __m512i a[VECTORS], const __m512i b[VECTORS])
{
#pragma GCC unroll 3
	for (size_t i = 0; i < VECTORS; i++)
		out[i] = _mm512_add_epi64(a[i], b[i]);
}

/* a - b + 4 p */
FP8_INLINE void sub(__m512i out[VECTORS], const __m512i a[VECTORS], const __m512i b[VECTORS],
		    const __m512i offset[VECTORS])
{
#pragma GCC unroll 3
	for (size_t i = 0; i < VECTORS; i++)
		out[i] = _mm512_sub_epi64(_mm512_add_epi64(a[i], offset[i]), b[i]);
}

/* f from its parts' columns; im is below 4 p. */
FP8_INLINE void set_state(struct work *w, const __m512i re[VECTORS], const __m512i im[VECTORS])
{
	__m512i offset[VECTORS], t[VECTORS];

	get(offset, &w->offset);
	put_carried(&w->f.re, re);
	put_carried(&w->f.im, im);
	add(t, re, im);
	put_carried(&w->f.sum, t);
	sub(t, re, im, offset);
	put_carried(&w->f.difference, t);
}

/* f = f^(2^n).  In units of 2^1024 (see fp8.h) re stays below 3.1 and im below 1.3,
 * so that the factors are below 4.4 and 5.5. */
FP8_TARGET static void square(struct work *w, unsigned n)
{
	__m512i re[VECTORS], im[VECTORS];

	for (unsigned i = 0; i < n; i++) {
		mul_two(re, &w->f.sum, &w->f.difference, im, &w->f.re, &w->f.im, &w->prime);
		add(im, im, im);
		set_state(w, re, im);
	}
}

/* f = f g, g being in w->re and w->im. */
FP8_TARGET static void multiply(struct work *w)
{
	__m512i re[VECTORS], im[VECTORS], t[VECTORS], u[VECTORS], offset[VECTORS];

	get(offset, &w->offset);
	mul_two(re, &w->f.re, &w->re, t, &w->f.im, &w->im, &w->prime);
	sub(re, re, t, offset);
	mul_two(im, &w->f.re, &w->im, u, &w->f.im, &w->re, &w->prime);
	add(im, im, u);
	set_state(w, re, im);
}

static void take_lane(struct wide *out, const struct fp8 *in, size_t lane)
{
	*out = (struct wide){ { 0 } };
	for (size_t j = 0; j < N; j++)
		out->v[j] = in->v[j][lane];
}

FP8_TARGET static void begin(struct work *w, const struct fp8_2 *a)
{
	__m512i re[VECTORS], im[VECTORS];

	take_lane(&w->re, &a->re, 0);
	take_lane(&w->im, &a->im, 0);
	get(re, &w->re);
	get(im, &w->im);
	set_state(w, re, im);
}

/* Back to the form of fp.h: by a product with 2^1024, which is one there. */
FP8_TARGET static void finish(struct work *w, struct fp2 *out)
{
	__m512i re[VECTORS], im[VECTORS];
	struct wide one = { { 0 } };

	fp8_unpack(one.v, &fp_one);
	mul_two(re, &w->f.re, &one, im, &w->f.im, &one, &w->prime);
	put_carried(&w->re, re);
	put_carried(&w->im, im);
	fp8_pack(&out->re, w->re.v);
	fp8_pack(&out->im, w->im.v);
}

void fp8_horner(const struct fp8_2 *a, unsigned n, struct fp2 *out)
{
	struct work w;

	set_constants(&w);
	begin(&w, a);
	for (size_t lane = 1; lane < FP8_LANES; lane++) {
		square(&w, n);
		take_lane(&w.re, &a->re, lane);
		take_lane(&w.im, &a->im, lane);
		multiply(&w);
	}
	finish(&w, out);
	wipe(&w, sizeof(w));
}

#endif
