/* curve.h - points of SAKKE's curve E: y^2 = x^3 - 3 x over F_p (RFC 6509
 * appendix A; parameter set 1).
 *
 * Time never depends on a coordinate but in what reads points.  Additions are
 * not complete: where a sum of equal points, or of infinity, could come up the
 * caller says why it does not.
 */
#ifndef KEYS_CURVE_H
#define KEYS_CURVE_H

#include "base/slice.h"
#include "keys/fp.h"

/* (x, y); infinity has no such form. */
struct curve_point {
	struct fp x, y;
};

/* Jacobian: (x / z^2, y / z^3); z = 0 is infinity. */
struct curve_jacobian {
	struct fp x, y, z;
};

enum {
	CURVE_OCTETS = 257,     /* 04, x, y: RFC 6508 4 */
	CURVE_COMPRESSED = 129, /* 02 or 03 (y even or odd), x */
};

/* The generator P. */
void curve_generator(struct curve_point *out);

/* Is it on the curve, and not of order 2 (y = 0)? */
bool curve_is_on(const struct curve_point *a);

/* Reads a point by its length and first octet.  Returns 0, or -EINVAL for another
 * form, a coordinate that is not below p, or what curve_is_on() denies. */
int curve_read(struct curve_point *out, struct slice octets);

/* Uncompressed (04 x y), and compressed (02 or 03, x).  Not for the point at infinity. */
void curve_write(const struct curve_point *a, uint8_t out[CURVE_OCTETS]);
/* The first octet tells whether y is odd, from which curve_read() finds y again. */
void curve_write_compressed(const struct curve_point *a, uint8_t out[CURVE_COMPRESSED]);

/* With Z = 1. */
void curve_to_jacobian(struct curve_jacobian *out, const struct curve_point *a);
void curve_double(struct curve_jacobian *out, const struct curve_jacobian *a);

/* a + b for a and b neither infinity nor equal; a = -b gives infinity. */
void curve_add(struct curve_jacobian *out, const struct curve_jacobian *a,
	       const struct curve_point *b);

void curve_add_jacobian(struct curve_jacobian *out, const struct curve_jacobian *a,
			const struct curve_jacobian *b);

/* Affine form by a given 1/z. */
void curve_scale(struct curve_point *out, const struct curve_jacobian *a,
		 const struct fp *z_inverse);

/* Affine forms of n points; none may be infinity (-EDOM).  scratch holds 2 n
 * elements.  Returns as fp_inverse_all(). */
int curve_normalise(struct curve_point *out, const struct curve_jacobian *a, size_t n,
		    struct fp *scratch);

/* Are they the same point?  False for infinity. */
bool curve_same(const struct curve_jacobian *a, const struct curve_point *b);

#endif
