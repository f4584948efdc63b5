/* pairing_priv.h - the two halves of the pairing: pairing_lines.c computes the
 * functions, pairing.c evaluates them.
 */
#ifndef KEYS_PAIRING_PRIV_H
#define KEYS_PAIRING_PRIV_H

#include "keys/pairing.h"

enum {
	PAIRING_STEPS = 511, /* the first makes f_2, the others two bits each */
	PAIRING_A = 4,       /* coefficients of a(x) */
	PAIRING_B = 2,       /* of b(x), without b(0) = 1 */
};

/* One step's function, signs set for its evaluation at -x. */
struct pairing_step {
	struct fp a[PAIRING_A];
	struct fp b[PAIRING_B]; /* of x, x^2 */
};

struct pairing {
	struct pairing_step step[PAIRING_STEPS];
};

/* Fills in the steps.  Returns as pairing_new(). */
int pairing_lines(const struct curve_point *k, struct pairing *out);

#endif
