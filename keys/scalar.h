/* scalar.h - integers modulo q, the order of SAKKE's group, and how octets are
 * hashed into ranges (RFC 6508 5.1).
 */
#ifndef KEYS_SCALAR_H
#define KEYS_SCALAR_H

#include "base/slice.h"
#include "keys/fp.h"

enum { SCALAR_OCTETS = 128 };

/* Below q, least significant limb first. */
struct scalar {
	uint64_t v[FP_LIMBS];
};

/* HashToIntegerRange(a || b, q, SHA-256).  Returns 0 or -ENOMEM. */
int scalar_hash(struct scalar *out, struct slice a, struct slice b);

/* HashToIntegerRange(a, 2^128, SHA-256), as 16 octets. */
void scalar_hash128(uint8_t out[16], struct slice a);

/* The big-endian number of at most 120 octets (an identifier): always below q.
 * Returns 0 or -EINVAL (longer). */
int scalar_of_octets(struct scalar *out, struct slice octets);

/* Reads exactly SCALAR_OCTETS.  Returns 0, or -EINVAL when it is 0 or not below q. */
int scalar_read(struct scalar *out, const uint8_t in[SCALAR_OCTETS]);
/* The highest octet first. */
void scalar_write(const struct scalar *a, uint8_t out[SCALAR_OCTETS]);

/* A random one from 2 to q - 1.  Returns 0 or -EIO. */
int scalar_random(struct scalar *out);

/* a b mod q.  Returns 0 or -ENOMEM. */
int scalar_mul(struct scalar *out, const struct scalar *a, const struct scalar *b);

/* 1/(a + b) mod q.  Returns 0, -EDOM when a + b is 0, or -ENOMEM. */
int scalar_inverse_sum(struct scalar *out, const struct scalar *a, const struct scalar *b);

#endif
