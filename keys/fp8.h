/* fp8.h - eight elements of SAKKE's field at once, for processors with AVX-512
 * IFMA: eight products for little more than the price of one.
 *
 * An element has 20 limbs of 52 bits, as vpmadd52luq and vpmadd52huq multiply
 * them, and is in Montgomery form with R = 2^1040 (fp.h has 2^1024).  Limb j of all
 * eight lies in one vector, so that no step depends on another lane.
 *
 * Values are not reduced below p (0.6 * 2^1024).  The 16 bits above 2^1024 are room
 * for sums: with u = 2^1024, a product of factors below x u and y u, or a sum of up
 * to three such, stays below 0.63 u as long as x y is at most 600 (x y / 2^16 of it
 * comes from the factors, the rest is p).  So a chain of products needs no
 * reduction but its own; each user says why its sums stay in bounds.
 *
 * Time never depends on a value.  Outputs may be the inputs' own place.  Nothing
 * here may be called where fp8_usable() says no.
 */
#ifndef KEYS_FP8_H
#define KEYS_FP8_H

#include "keys/fp.h"

enum { FP8_LANES = 8, FP8_LIMBS = 20, FP8_LIMB_BITS = 52 };

/* Aligned to a vector: heap memory for it comes from aligned_alloc(). */
struct fp8 {
	_Alignas(64) uint64_t v[FP8_LIMBS][FP8_LANES];
};

/* Eight elements of F_p2. */
struct fp8_2 {
	struct fp8 re, im;
};

/* Has the processor (and the operating system) what this needs? */
bool fp8_usable(void);

/* Lane i becomes *in[i]. */
void fp8_load(struct fp8 *out, const struct fp *const in[FP8_LANES]);

/* Every lane becomes *in. */
void fp8_load_same(struct fp8 *out, const struct fp *in);

/* All lanes, below p again. */
void fp8_store(const struct fp8 *in, struct fp out[FP8_LANES]);

void fp8_add(struct fp8 *out, const struct fp8 *a, const struct fp8 *b);

/* a - b + 4 p, for b below 4 p (2.4 u): up to three products. */
void fp8_sub(struct fp8 *out, const struct fp8 *a, const struct fp8 *b);

/* a - b + 8 p, for b below 8 p (4.8 u): what fp8_sub() made of a product, too. */
void fp8_sub_wide(struct fp8 *out, const struct fp8 *a, const struct fp8 *b);

/* a b in each of the eight lanes. */
void fp8_mul(struct fp8 *out, const struct fp8 *a, const struct fp8 *b);

/* a b + c d, and the sum of three, with one reduction for all products. */
void fp8_mul_add(struct fp8 *out, const struct fp8 *a, const struct fp8 *b, const struct fp8 *c,
		 const struct fp8 *d);
/* The sum of a[i] b[i]. */
void fp8_mul_add3(struct fp8 *out, const struct fp8 *const a[3], const struct fp8 *const b[3]);

void fp8_2_sqr(struct fp8_2 *out, const struct fp8_2 *a);
/* a b in each lane; out may be a or b. */
void fp8_2_mul(struct fp8_2 *out, const struct fp8_2 *a, const struct fp8_2 *b);

/* Where mask is all ones: out = a.  Where it is 0, out stays. */
void fp8_move_if(const uint64_t mask[FP8_LANES], struct fp8 *out, const struct fp8 *a);

/* Where mask is all ones, a (below 4 p) becomes 4 p - a. */
void fp8_negate_if(const uint64_t mask[FP8_LANES], struct fp8 *a);

/* Lane i of out is lane i of table[index[i] * step], out of n entries that lie
 * `step` apart.  All entries are read, whatever the indices. */
void fp8_pick(struct fp8 *out, const struct fp8 *table, size_t n, size_t step,
	      const uint64_t index[FP8_LANES]);

/* Lane i of out is lane (i + by) mod 8 of a. */
void fp8_rotate(struct fp8 *out, const struct fp8 *a, unsigned by);

/* Horner's rule over the lanes, lane 0 first: the product of all a_i^(2^(n (7 - i))).
 * The squares follow one another, so one is done at a time (fp8_horner.c). */
void fp8_horner(const struct fp8_2 *a, unsigned n, struct fp2 *out);

#endif
