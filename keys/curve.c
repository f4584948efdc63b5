/* curve.c - points of SAKKE's curve, affine and Jacobian. */
#include "keys/curve.h"

#include <errno.h>

/* P of RFC 6509 appendix A: Px and Py behind 04. */
static const uint8_t generator[CURVE_OCTETS] = {
	0x04, 0x53, 0xfc, 0x09, 0xee, 0x33, 0x2c, 0x29, 0xad, 0x0a, 0x79, 0x90, 0x05, 0x3e, 0xd9,
	0xb5, 0x2a, 0x2b, 0x1a, 0x2f, 0xd6, 0x0a, 0xec, 0x69, 0xc6, 0x98, 0xb2, 0xf2, 0x04, 0xb6,
	0xff, 0x7c, 0xbf, 0xb5, 0xed, 0xb6, 0xc0, 0xf6, 0xce, 0x23, 0x08, 0xab, 0x10, 0xdb, 0x90,
	0x30, 0xb0, 0x9e, 0x10, 0x43, 0xd5, 0xf2, 0x2c, 0xdb, 0x9d, 0xfa, 0x55, 0x71, 0x8b, 0xd9,
	0xe7, 0x40, 0x6c, 0xe8, 0x90, 0x97, 0x60, 0xaf, 0x76, 0x5d, 0xd5, 0xbc, 0xcb, 0x33, 0x7c,
	0x86, 0x54, 0x8b, 0x72, 0xf2, 0xe1, 0xa7, 0x02, 0xc3, 0x39, 0x7a, 0x60, 0xde, 0x74, 0xa7,
	0xc1, 0x51, 0x4d, 0xba, 0x66, 0x91, 0x0d, 0xd5, 0xcf, 0xb4, 0xcc, 0x80, 0x72, 0x8d, 0x87,
	0xee, 0x91, 0x63, 0xa5, 0xb6, 0x3f, 0x73, 0xec, 0x80, 0xec, 0x46, 0xc4, 0x96, 0x7e, 0x09,
	0x79, 0x88, 0x0d, 0xc8, 0xab, 0xea, 0xe6, 0x38, 0x95, 0x0a, 0x82, 0x49, 0x06, 0x3f, 0x60,
	0x09, 0xf1, 0xf9, 0xf1, 0xf0, 0x53, 0x36, 0x34, 0xa1, 0x35, 0xd3, 0xe8, 0x20, 0x16, 0x02,
	0x99, 0x06, 0x96, 0x3d, 0x77, 0x8d, 0x82, 0x1e, 0x14, 0x11, 0x78, 0xf5, 0xea, 0x69, 0xf4,
	0x65, 0x4e, 0xc2, 0xb9, 0xe7, 0xf7, 0xf5, 0xe5, 0xf0, 0xde, 0x55, 0xf6, 0x6b, 0x59, 0x8c,
	0xcf, 0x9a, 0x14, 0x0b, 0x2e, 0x41, 0x6c, 0xff, 0x0c, 0xa9, 0xe0, 0x32, 0xb9, 0x70, 0xda,
	0xe1, 0x17, 0xad, 0x54, 0x7c, 0x6c, 0xca, 0xd6, 0x96, 0xb5, 0xb7, 0x65, 0x2f, 0xe0, 0xac,
	0x6f, 0x1e, 0x80, 0x16, 0x4a, 0xa9, 0x89, 0x49, 0x2d, 0x97, 0x9f, 0xc5, 0xa4, 0xd5, 0xf2,
	0x13, 0x51, 0x5a, 0xd7, 0xe9, 0xcb, 0x99, 0xa9, 0x80, 0xbd, 0xad, 0x5a, 0xd5, 0xbb, 0x46,
	0x36, 0xad, 0xb9, 0xb5, 0x70, 0x6a, 0x67, 0xdc, 0xde, 0x75, 0x57, 0x3f, 0xd7, 0x1b, 0xef,
	0x16, 0xd7
};

void curve_generator(struct curve_point *out)
{
	fp_read(&out->x, generator + 1);
	fp_read(&out->y, generator + 1 + FP_OCTETS);
}

/* x^3 - 3 x */
static void right_side(struct fp *out, const struct fp *x)
{
	struct fp square, three;

	fp_sqr(&square, x);
	fp_small(&three, 3);
	fp_sub(&square, &square, &three);
	fp_mul(out, &square, x);
}

/* y = 0 are the points of order 2; the pairing's lines divide by y. */
bool curve_is_on(const struct curve_point *a)
{
	struct fp left, right;

	fp_sqr(&left, &a->y);
	right_side(&right, &a->x);
	return fp_eq(&left, &right) && !fp_is_zero(&left);
}

/* Is the plain value of a odd? */
static bool is_odd(const struct fp *a)
{
	uint8_t octets[FP_OCTETS];

	fp_write(a, octets);
	return octets[FP_OCTETS - 1] & 1;
}

/* p is 3 mod 4, so a root is a power (fp_sqrt); y = 0 has no sign to choose. */
static int read_compressed(struct curve_point *out, const uint8_t *octets)
{
	struct fp square;

	if (!fp_read(&out->x, octets + 1))
		return -EINVAL;
	right_side(&square, &out->x);
	if (!fp_sqrt(&out->y, &square) || fp_is_zero(&out->y))
		return -EINVAL;
	if (is_odd(&out->y) != (octets[0] == 3))
		fp_neg(&out->y, &out->y);
	return 0;
}

int curve_read(struct curve_point *out, struct slice octets)
{
	if (octets.n == CURVE_COMPRESSED && (octets.p[0] == 2 || octets.p[0] == 3))
		return read_compressed(out, octets.p);
	if (octets.n != CURVE_OCTETS || octets.p[0] != 4)
		return -EINVAL;
	if (!fp_read(&out->x, octets.p + 1) || !fp_read(&out->y, octets.p + 1 + FP_OCTETS))
		return -EINVAL;
	return curve_is_on(out) ? 0 : -EINVAL;
}

void curve_write(const struct curve_point *a, uint8_t out[CURVE_OCTETS])
{
	out[0] = 4;
	fp_write(&a->x, out + 1);
	fp_write(&a->y, out + 1 + FP_OCTETS);
}

void curve_write_compressed(const struct curve_point *a, uint8_t out[CURVE_COMPRESSED])
{
	out[0] = is_odd(&a->y) ? 3 : 2;
	fp_write(&a->x, out + 1);
}

void curve_to_jacobian(struct curve_jacobian *out, const struct curve_point *a)
{
	*out = (struct curve_jacobian){ a->x, a->y, fp_one };
}

/* "dbl-2001-b" of the Explicit-Formulas Database, for a = -3. */
void curve_double(struct curve_jacobian *out, const struct curve_jacobian *a)
{
	struct fp delta, gamma, beta, alpha, t, u;

	fp_sqr(&delta, &a->z);
	fp_sqr(&gamma, &a->y);
	fp_mul(&beta, &a->x, &gamma);
	fp_sub(&t, &a->x, &delta);
	fp_add(&u, &a->x, &delta);
	fp_mul(&alpha, &t, &u);
	fp_add(&t, &alpha, &alpha);
	fp_add(&alpha, &t, &alpha);

	fp_add(&u, &a->y, &a->z); /* z = (y + z)^2 - gamma - delta */
	fp_sqr(&u, &u);
	fp_sub(&u, &u, &gamma);
	fp_sub(&out->z, &u, &delta);

	fp_add(&beta, &beta, &beta); /* x = alpha^2 - 8 beta */
	fp_add(&beta, &beta, &beta);
	fp_sqr(&t, &alpha);
	fp_sub(&t, &t, &beta);
	fp_sub(&out->x, &t, &beta);

	fp_sub(&t, &beta, &out->x); /* y = alpha (4 beta - x) - 8 gamma^2 */
	fp_sqr(&u, &gamma);
	fp_add(&u, &u, &u);
	fp_add(&u, &u, &u);
	fp_add(&u, &u, &u);
	fp_mul(&t, &alpha, &t);
	fp_sub(&out->y, &t, &u);
}

/* 8 products, 3 squares. */
void curve_add(struct curve_jacobian *out, const struct curve_jacobian *a,
	       const struct curve_point *b)
{
	struct fp zz, h, r, hh, hhh, v, t;

	fp_sqr(&zz, &a->z);
	fp_mul(&h, &b->x, &zz);
	fp_sub(&h, &h, &a->x);
	fp_mul(&t, &zz, &a->z);
	fp_mul(&r, &b->y, &t);
	fp_sub(&r, &r, &a->y);
	fp_sqr(&hh, &h);
	fp_mul(&hhh, &hh, &h);
	fp_mul(&v, &a->x, &hh);
	fp_mul(&out->z, &a->z, &h);

	fp_sqr(&t, &r); /* x = r^2 - h^3 - 2 v */
	fp_sub(&t, &t, &hhh);
	fp_sub(&t, &t, &v);
	fp_sub(&out->x, &t, &v);

	fp_sub(&v, &v, &out->x); /* y = r (v - x) - y1 h^3 */
	fp_neg(&t, &a->y);
	fp_mul_add(&out->y, &r, &v, &t, &hhh);
}

/* With a's coordinates multiplied by b's denominators the mixed addition holds for
 * b's numerators; only the sum's z lacks b's. */
void curve_add_jacobian(struct curve_jacobian *out, const struct curve_jacobian *a,
			const struct curve_jacobian *b)
{
	struct curve_jacobian scaled = *a;
	struct fp square, z;

	fp_sqr(&square, &b->z);
	fp_mul(&scaled.x, &a->x, &square);
	fp_mul(&square, &square, &b->z);
	fp_mul(&scaled.y, &a->y, &square);
	z = b->z;
	curve_add(&scaled, &scaled, &(const struct curve_point){ b->x, b->y });
	fp_mul(&out->z, &scaled.z, &z);
	out->x = scaled.x;
	out->y = scaled.y;
}

void curve_scale(struct curve_point *out, const struct curve_jacobian *a,
		 const struct fp *z_inverse)
{
	struct fp square, cube;

	fp_sqr(&square, z_inverse);
	fp_mul(&cube, &square, z_inverse);
	fp_mul(&out->x, &a->x, &square);
	fp_mul(&out->y, &a->y, &cube);
}

/* One inversion for all, by Montgomery's trick. */
int curve_normalise(struct curve_point *out, const struct curve_jacobian *a, size_t n,
		    struct fp *scratch)
{
	int err;

	for (size_t i = 0; i < n; i++)
		scratch[i] = a[i].z;
	err = fp_inverse_all(scratch, n, scratch + n);
	for (size_t i = 0; i < n && !err; i++)
		curve_scale(&out[i], &a[i], &scratch[i]);
	return err;
}

/* (x, y) = (X / Z^2, Y / Z^3), without the division. */
bool curve_same(const struct curve_jacobian *a, const struct curve_point *b)
{
	struct fp square, cube, x, y;
	int same; /* all are looked at, whatever the first says */

	fp_sqr(&square, &a->z);
	fp_mul(&cube, &square, &a->z);
	fp_mul(&x, &b->x, &square);
	fp_mul(&y, &b->y, &cube);
	same = !fp_is_zero(&a->z);
	same &= (int)fp_eq(&x, &a->x);
	same &= (int)fp_eq(&y, &a->y);
	return same;
}
