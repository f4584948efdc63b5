/* fp8_priv.h - what the two layouts of the IFMA field share. */
#ifndef KEYS_FP8_PRIV_H
#define KEYS_FP8_PRIV_H

#include "keys/fp8.h"

/* clang and gcc build these functions for processors that have the instructions,
 * whatever the rest is built for; fp8_usable() decides at run time. */
#if defined(__x86_64__) && defined(__GNUC__)
#define FP8_BUILT 1
#define FP8_TARGET __attribute__((target("avx512f,avx512ifma")))
#define FP8_INLINE static inline __attribute__((always_inline, target("avx512f,avx512ifma")))
#endif

#define FP8_LIMB_MASK ((UINT64_C(1) << FP8_LIMB_BITS) - 1)

/* p in limbs of 52 bits. */
extern const uint64_t fp8_prime[FP8_LIMBS];

/* -1/p mod 2^52: the low bits of FP_PRIME_INVERSE. */
#define FP8_PRIME_INVERSE UINT64_C(0x420077c8f2f3d)

/* Cuts an element into limbs of 52 bits, without any change of form. */
void fp8_unpack(uint64_t limbs[FP8_LIMBS], const struct fp *in);

/* The limbs of 52 bits as an element, less p if it is not below it; the value is
 * below 2 p and 2^1024. */
void fp8_pack(struct fp *out, const uint64_t limbs[FP8_LIMBS]);

#endif
