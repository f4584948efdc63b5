/* pairing.h - the Tate-Lichtenbaum pairing of RFC 6508 3.2 with a fixed first
 * point, whose lines are computed once.
 *
 * <K, R> for points of one cyclic group is <R, K>, so a receiver runs Miller's
 * loop on its own key K.  Steps go by two bits (digits -1, 0, 1, 2 of q - 1); all
 * lines of a step, vertical ones divided out, are one function a(x) + y b(x)
 * with degrees up to 3 and 2, scaled so that b(0) is 1: a factor in F_p changes
 * no class.  It is evaluated at (-x, i y).
 *
 * Threads: immutable once made.
 */
#ifndef KEYS_PAIRING_H
#define KEYS_PAIRING_H

#include "keys/curve.h"
#include "keys/fp_path.h"

struct pairing; /* of one first point: 392 kB, or 491 kB for eight at a time */

/* Computes the lines of k (some 20 ms).  Returns 0, -EINVAL when k is not of
 * order q, -ENOMEM. */
int pairing_new(const struct curve_point *k, enum fp_path path, struct pairing **pairing_out);

/* Wipes it: the lines tell k. */
void pairing_free(struct pairing **pairingp);

/* A value in the class of <k, r>; r is on the curve.  A part of r of order 2 or 4
 * has no effect. */
void pairing_compute(const struct pairing *pairing, const struct curve_point *r, struct fp2 *out);

#endif
