/* fp.h - the field of SAKKE's parameter set 1: integers modulo its 1,024-bit
 * prime p (RFC 6509 appendix A).
 *
 * Values are in Montgomery form and always below p.  Time never depends on a
 * value.  Outputs may be the inputs' own place.
 */
#ifndef KEYS_FP_H
#define KEYS_FP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FP_LIMBS = 16, FP_OCTETS = 128, FP_BITS = 1024 };

struct fp {
	uint64_t v[FP_LIMBS];
};

/* An element of F_p2 = F_p[i], i^2 = -1. */
struct fp2 {
	struct fp re, im;
};

extern const struct fp fp_one;

/* p itself; least significant limb first, as it is (not in Montgomery form). */
extern const uint64_t fp_prime[FP_LIMBS];

/* q, the order of the group, with p + 1 = 4 q; written alike. */
extern const uint64_t fp_order[FP_LIMBS];

/* Reads a big-endian number; false (and zero) when it is not below p. */
bool fp_read(struct fp *out, const uint8_t in[FP_OCTETS]);
void fp_write(const struct fp *a, uint8_t out[FP_OCTETS]);

/* The element of a small number. */
void fp_small(struct fp *out, unsigned v);

/* In a time that does not depend on a. */
bool fp_is_zero(const struct fp *a);
/* In a time that does not depend on a and b. */
bool fp_eq(const struct fp *a, const struct fp *b);

void fp_add(struct fp *out, const struct fp *a, const struct fp *b);
/* a - b. */
void fp_sub(struct fp *out, const struct fp *a, const struct fp *b);
/* -a. */
void fp_neg(struct fp *out, const struct fp *a);
/* a b. */
void fp_mul(struct fp *out, const struct fp *a, const struct fp *b);
/* a squared; quicker than a product by itself where the processor's form allows. */
void fp_sqr(struct fp *out, const struct fp *a);

/* a b + c d, a b + c d + e f: one reduction for all products. */
void fp_mul_add(struct fp *out, const struct fp *a, const struct fp *b, const struct fp *c,
		const struct fp *d);
/* The sum of a[i] b[i]. */
void fp_mul_add3(struct fp *out, const struct fp *const a[3], const struct fp *const b[3]);

/* mask is all ones: out = a; mask is 0: out stays. */
void fp_move_if(uint64_t mask, struct fp *out, const struct fp *a);

/* 1/a.  Returns 0 or -EDOM (a is 0), which is all that time tells of a. */
int fp_inverse(struct fp *out, const struct fp *a);

/* 1/a for n elements in place, at the price of one inversion; none may be 0.
 * scratch holds n elements.  Returns as fp_inverse(); -EDOM: one is 0. */
int fp_inverse_all(struct fp *a, size_t n, struct fp *scratch);

/* out = a^e for a public exponent e (least significant limb first). */
void fp_pow(struct fp *out, const struct fp *a, const uint64_t e[FP_LIMBS]);

/* A root of a, a^((p+1)/4); false when a has none. */
bool fp_sqrt(struct fp *out, const struct fp *a);

void fp2_sqr(struct fp2 *out, const struct fp2 *a);
/* a b, of four products and two reductions. */
void fp2_mul(struct fp2 *out, const struct fp2 *a, const struct fp2 *b);

#endif
