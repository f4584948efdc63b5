/* fp_priv.h - what the two forms of the field's products share. */
#ifndef KEYS_FP_PRIV_H
#define KEYS_FP_PRIV_H

#include <string.h>

#include "keys/fp.h"

/* -1/p mod 2^64 */
#define FP_PRIME_INVERSE UINT64_C(0x290420077c8f2f3d)

/* 2^2048 mod p: a product with it brings a number into Montgomery form. */
extern const struct fp fp_to_montgomery;

/* out = a + b and out = a - b over FP_LIMBS limbs; both return the carry. */
uint64_t fp_add_limbs(uint64_t out[FP_LIMBS], const uint64_t a[FP_LIMBS],
		      const uint64_t b[FP_LIMBS]);
/* The carry of this one is a borrow: 1 when b was larger than a. */
uint64_t fp_sub_limbs(uint64_t out[FP_LIMBS], const uint64_t a[FP_LIMBS],
		      const uint64_t b[FP_LIMBS]);

/* (high, a) becomes itself less p if it is not below p. */
void fp_reduce_once(uint64_t a[FP_LIMBS], uint64_t *high);

/* The sum of k products divided by 2^1024, modulo p: by MULX, ADCX and ADOX where
 * the processor has them.  fp_adx_usable() tells. */
bool fp_adx_usable(void);
/* Where the processor has them not, this falls back to fp_plain_sum(). */
void fp_adx_sum(struct fp *out, size_t k, const struct fp *const a[], const struct fp *const b[]);

/* The same for the square of a, with each mixed product computed once. */
void fp_adx_sqr(struct fp *out, const struct fp *a);

/* The sum in plain C. */
void fp_plain_sum(struct fp *out, size_t k, const struct fp *const a[], const struct fp *const b[]);

#endif
