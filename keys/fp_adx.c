/* fp_adx.c - the field's products for x86-64 processors with MULX, ADCX and ADOX.
 *
 * Rows of eight limbs are kept in registers: one row adds a * b[0 ... 7] to nine
 * limbs with two carry chains, which a compiler does not find.  A product is four
 * blocks of eight rows, its reduction four more.  What the code does is that of
 * the portable one in fp.c, in another order.
 */
#include "keys/fp_priv.h"

/* clang cannot ask for ADX at run time: it builds the portable form. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

enum { HALF = FP_LIMBS / 2, WIDE = 2 * FP_LIMBS };

/* Nine limbs that slide upwards row by row; held in registers. */
struct window {
	uint64_t r0, r1, r2, r3, r4, r5, r6, r7, r8; /* by name: an array would be kept in memory */
};

/* w, of eight limbs, becomes w + a b, of nine. */
static inline __attribute__((always_inline)) void add_row(struct window *w, uint64_t a,
							  const uint64_t b[HALF])
{
	uint64_t low, high;

	__asm__("xorl %k[r8], %k[r8]\n\t" /* clears both carries, too */
		"mulxq 0(%[b]), %[low], %[high]\n\t"
		"adcxq %[low], %[r0]\n\t"
		"adoxq %[high], %[r1]\n\t"
		"mulxq 8(%[b]), %[low], %[high]\n\t"
		"adcxq %[low], %[r1]\n\t"
		"adoxq %[high], %[r2]\n\t"
		"mulxq 16(%[b]), %[low], %[high]\n\t"
		"adcxq %[low], %[r2]\n\t"
		"adoxq %[high], %[r3]\n\t"
		"mulxq 24(%[b]), %[low], %[high]\n\t"
		"adcxq %[low], %[r3]\n\t"
		"adoxq %[high], %[r4]\n\t"
		"mulxq 32(%[b]), %[low], %[high]\n\t"
		"adcxq %[low], %[r4]\n\t"
		"adoxq %[high], %[r5]\n\t"
		"mulxq 40(%[b]), %[low], %[high]\n\t"
		"adcxq %[low], %[r5]\n\t"
		"adoxq %[high], %[r6]\n\t"
		"mulxq 48(%[b]), %[low], %[high]\n\t"
		"adcxq %[low], %[r6]\n\t"
		"adoxq %[high], %[r7]\n\t"
		"mulxq 56(%[b]), %[low], %[high]\n\t"
		"adcxq %[low], %[r7]\n\t"
		"adoxq %[high], %[r8]\n\t"
		"adcq $0, %[r8]\n\t"
		: [r0] "+r"(w->r0), [r1] "+r"(w->r1), [r2] "+r"(w->r2), [r3] "+r"(w->r3),
		  [r4] "+r"(w->r4), [r5] "+r"(w->r5), [r6] "+r"(w->r6), [r7] "+r"(w->r7),
		  [r8] "=&r"(w->r8), [low] "=&r"(low), [high] "=&r"(high)
		: "d"(a), [b] "r"(b), "m"(*(const uint64_t(*)[HALF])b)
		: "cc");
}

/* Drops the lowest limb; eight are left. */
static inline __attribute__((always_inline)) uint64_t slide(struct window *w)
{
	uint64_t lowest = w->r0;

	w->r0 = w->r1;
	w->r1 = w->r2;
	w->r2 = w->r3;
	w->r3 = w->r4;
	w->r4 = w->r5;
	w->r5 = w->r6;
	w->r6 = w->r7;
	w->r7 = w->r8;
	return lowest;
}

static inline __attribute__((always_inline)) void load(struct window *w, const uint64_t t[HALF])
{
	*w = (struct window){ t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], 0 };
}

/* t += w's eight limbs + carry; returns the carry. */
static inline __attribute__((always_inline)) uint64_t
add_out(uint64_t t[HALF], const struct window *w, uint64_t carry)
{
	__asm__("negq %[c]\n\t"
		"adcq %[r0], 0(%[t])\n\t"
		"adcq %[r1], 8(%[t])\n\t"
		"adcq %[r2], 16(%[t])\n\t"
		"adcq %[r3], 24(%[t])\n\t"
		"adcq %[r4], 32(%[t])\n\t"
		"adcq %[r5], 40(%[t])\n\t"
		"adcq %[r6], 48(%[t])\n\t"
		"adcq %[r7], 56(%[t])\n\t"
		"sbbq %[c], %[c]\n\t"
		"negq %[c]\n\t"
		: [c] "+r"(carry), "+m"(*(uint64_t(*)[HALF])t)
		: [t] "r"(t), [r0] "r"(w->r0), [r1] "r"(w->r1), [r2] "r"(w->r2), [r3] "r"(w->r3),
		  [r4] "r"(w->r4), [r5] "r"(w->r5), [r6] "r"(w->r6), [r7] "r"(w->r7)
		: "cc");
	return carry;
}

/* w += t, eight limbs; returns the carry. */
static inline __attribute__((always_inline)) uint64_t add_in(struct window *w,
							     const uint64_t t[HALF])
{
	uint64_t carry;

	__asm__("addq 0(%[t]), %[r0]\n\t"
		"adcq 8(%[t]), %[r1]\n\t"
		"adcq 16(%[t]), %[r2]\n\t"
		"adcq 24(%[t]), %[r3]\n\t"
		"adcq 32(%[t]), %[r4]\n\t"
		"adcq 40(%[t]), %[r5]\n\t"
		"adcq 48(%[t]), %[r6]\n\t"
		"adcq 56(%[t]), %[r7]\n\t"
		"sbbq %[c], %[c]\n\t"
		"negq %[c]\n\t"
		: [c] "=r"(carry), [r0] "+r"(w->r0), [r1] "+r"(w->r1), [r2] "+r"(w->r2),
		  [r3] "+r"(w->r3), [r4] "+r"(w->r4), [r5] "+r"(w->r5), [r6] "+r"(w->r6),
		  [r7] "+r"(w->r7)
		: [t] "r"(t), "m"(*(const uint64_t(*)[HALF])t)
		: "cc");
	return carry;
}

/* t[0 ... 7] += more, a small number; returns the carry. */
static inline uint64_t ripple(uint64_t t[HALF], uint64_t more)
{
	for (size_t i = 0; i < HALF; i++) {
		t[i] += more;
		more = t[i] < more;
	}
	return more;
}

/* t[0 ... 15] += a b, eight limbs each; returns the carry. */
static inline __attribute__((always_inline)) uint64_t
add_block(uint64_t t[FP_LIMBS], const uint64_t a[HALF], const uint64_t b[HALF])
{
	struct window w;

	load(&w, t);
#pragma GCC unroll 8
	for (size_t i = 0; i < HALF; i++) {
		add_row(&w, a[i], b);
		t[i] = slide(&w);
	}
	return add_out(t + HALF, &w, 0);
}

/* Makes t[0 ... 7] zero by adding a multiple of p; returns the carry of t[23]. */
static inline __attribute__((always_inline)) uint64_t reduce_half(uint64_t t[3 * HALF])
{
	struct window w;
	uint64_t m[HALF], carry;

	load(&w, t);
#pragma GCC unroll 8
	for (size_t i = 0; i < HALF; i++) {
		m[i] = w.r0 * FP_PRIME_INVERSE;
		add_row(&w, m[i], fp_prime);
		slide(&w);
	}
	carry = add_in(&w, t + HALF);
#pragma GCC unroll 8
	for (size_t i = 0; i < HALF; i++) {
		add_row(&w, m[i], fp_prime + HALF);
		t[HALF + i] = slide(&w);
	}
	return add_out(t + 2 * HALF, &w, carry);
}

/* t[0 ... 31] += a b; what is carried over t[23] and t[31] is counted. */
static __attribute__((noinline)) void add_product(uint64_t t[WIDE + 1], const uint64_t a[FP_LIMBS],
						  const uint64_t b[FP_LIMBS])
{
	uint64_t at_16 = add_block(t, a, b), at_24, at_32;

	at_32 = add_block(t + FP_LIMBS, a + HALF, b + HALF);
	at_24 = add_block(t + HALF, a + HALF, b);
	at_24 += add_block(t + HALF, a, b + HALF);
	at_24 += ripple(t + FP_LIMBS, at_16);
	t[WIDE] += at_32 + ripple(t + FP_LIMBS + HALF, at_24);
}

static __attribute__((noinline)) void reduce(struct fp *out, uint64_t t[WIDE + 1], size_t k)
{
	uint64_t carry = reduce_half(t);
	uint64_t high = t[WIDE] + ripple(t + 3 * HALF, carry) + reduce_half(t + HALF);

	for (size_t i = 0; i < k; i++)
		fp_reduce_once(t + FP_LIMBS, &high);
	memcpy(out->v, t + FP_LIMBS, sizeof(out->v));
}

void fp_adx_sum(struct fp *out, size_t k, const struct fp *const a[], const struct fp *const b[])
{
	uint64_t t[WIDE + 1] = { 0 };

	for (size_t i = 0; i < k; i++)
		add_product(t, a[i]->v, b[i]->v);
	reduce(out, t, k);
}

bool fp_adx_usable(void)
{
	return __builtin_cpu_supports("adx") && __builtin_cpu_supports("bmi2");
}

/* The two mixed blocks are one, doubled. */
void fp_adx_sqr(struct fp *out, const struct fp *a)
{
	uint64_t t[WIDE + 1] = { 0 };
	uint64_t carry;

	add_block(t + HALF, a->v, a->v + HALF);
	for (size_t i = 3 * HALF; i > HALF; i--)
		t[i] = t[i] << 1 | t[i - 1] >> 63;
	t[HALF] <<= 1;
	carry = add_block(t, a->v, a->v);
	add_block(t + FP_LIMBS, a->v + HALF, a->v + HALF);
	carry = ripple(t + FP_LIMBS, carry);
	ripple(t + FP_LIMBS + HALF, carry);
	reduce(out, t, 1);
}

#else

bool fp_adx_usable(void)
{
	return false;
}

void fp_adx_sum(struct fp *out, size_t k, const struct fp *const a[], const struct fp *const b[])
{
	fp_plain_sum(out, k, a, b);
}

void fp_adx_sqr(struct fp *out, const struct fp *a)
{
	fp_plain_sum(out, 1, &a, &a);
}

#endif
