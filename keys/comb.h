/* comb.h - multiples of a fixed point and powers of a fixed pairing value, by
 * tables, in constant time.
 *
 * A scalar k is made odd (k or q - k) and written in 205 signed odd digits of 5
 * bits.  Row j of a table holds 1, 3, ... 31 times 2^(10 j) B.  Digits with odd
 * places are added first, the sum is doubled five times, then the others are
 * added.  Every entry of a row is read, whatever the digit.
 *
 * No addition meets equal or opposite points for k in 1 ... q - 1: partial sums
 * of integers stay apart from the next entry and below q, but for the last
 * addition, which does so for two values of k only; those are hashes or random.
 *
 * Threads: immutable once made.
 */
#ifndef KEYS_COMB_H
#define KEYS_COMB_H

#include "keys/curve.h"
#include "keys/scalar.h"

struct comb;       /* of a point: 422 kB */
struct comb_power; /* of a pairing value: 211 kB */

/* Builds the table of a point (some 10 ms).  Returns 0, -EINVAL when the point is
 * not of order q, -ENOMEM, -EIO. */
int comb_new(const struct curve_point *base, struct comb **comb_out);
void comb_free(struct comb **combp); /* wipes it: some bases are secrets' kin */

/* out = [k] base; k is not 0. */
void comb_mul(const struct comb *comb, const struct scalar *k, struct curve_jacobian *out);

/* The table of the value of which tangent is im / re (RFC 6508 2.1). */
int comb_power_new(const struct fp *tangent, struct comb_power **comb_out);
void comb_power_free(struct comb_power **combp);

/* A value in the class of base^k; k is not 0. */
void comb_power(const struct comb_power *comb, const struct scalar *k, struct fp2 *out);

#endif
