/* pairing_priv.h - the parts of the pairing: pairing_lines.c computes the functions,
 * pairing.c evaluates them one after the other, pairing8.c eight at a time.
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

/* x, x^2, x^3 and y, x y, x^2 y of the second point. */
struct pairing_powers {
	struct fp x[PAIRING_A - 1];
	struct fp y, xy[PAIRING_B];
};

/* Fills in the steps.  Returns as pairing_new(). */
int pairing_lines(const struct curve_point *k, struct pairing_step step[PAIRING_STEPS]);

/* The table of eight at a time; NULL when memory is out. */
struct pairing8 *pairing8_new(const struct pairing_step step[PAIRING_STEPS]);
/* Wipes and frees *pairingp and sets it to NULL; *pairingp may be NULL. */
void pairing8_free(struct pairing8 **pairingp);

/* As pairing_compute(), without the final exponent. */
void pairing8_compute(const struct pairing8 *pairing, const struct pairing_powers *at,
		      struct fp2 *out);

#endif
