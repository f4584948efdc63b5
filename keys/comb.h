/* comb.h - multiples of a fixed point and powers of a fixed pairing value, by
 * tables, in constant time.
 *
 * A scalar k is made odd (k or q - k) and written in signed odd digits; a row of
 * the table holds what the digits of one place can stand for.  Every entry of a
 * row is read, whatever the digit.  There are two forms:
 *
 * - One element at a time: 205 digits of 5 bits, a row for every other digit.  Those
 *   with odd places are added first, the sum is doubled five times, then the others
 *   are added.
 * - Eight at a time (fp8.h): 256 digits of 4 bits, each with a row.  Lane l adds the
 *   32 digits from 32 l on; then the lanes are added in pairs.
 *
 * No addition meets equal or opposite points for k in 1 ... q - 1: the integers that
 * the lower digits stand for stay, in amount, below the lowest unit of the higher
 * ones, and below q, but for the last addition, which does so for two values of k
 * only; those are hashes or random.
 *
 * Threads: immutable once made.
 */
#ifndef KEYS_COMB_H
#define KEYS_COMB_H

#include "keys/curve.h"
#include "keys/fp_path.h"
#include "keys/scalar.h"

struct comb;       /* of a point: 422 kB, or 655 kB for eight at a time */
struct comb_power; /* of a pairing value: 211 kB or 328 kB */

/* Builds the table of a point (some 10 ms).  Returns 0, -EINVAL when the point is
 * not of order q, -ENOMEM. */
int comb_new(const struct curve_point *base, enum fp_path path, struct comb **comb_out);
void comb_free(struct comb **combp); /* wipes it: some bases are secrets' kin */

/* out = [k] base; k is not 0. */
void comb_mul(const struct comb *comb, const struct scalar *k, struct curve_jacobian *out);

/* The table of the value of which tangent is im / re (RFC 6508 2.1).  Returns 0,
 * -ENOMEM. */
int comb_power_new(const struct fp *tangent, enum fp_path path, struct comb_power **comb_out);
/* Frees *combp and sets it to NULL; *combp may be NULL.  Its values are public. */
void comb_power_free(struct comb_power **combp);

/* A value in the class of base^k; k is not 0. */
void comb_power(const struct comb_power *comb, const struct scalar *k, struct fp2 *out);

#endif
