/* fp_inverse.c - 1/a in constant time: Bernstein and Yang, "Fast constant-time gcd
 * computation and modular inversion" (2019).
 *
 * f = p and g = a go through divsteps until g is 0; then f is 1 or -1, and what was
 * done to (f, g) has turned d = 0 and e = 1 into the inverse.  For numbers of up to
 * 1,024 bits (49 * 1,024 + 57) / 17 = 2,955 divsteps are enough (theorem 11.2).  They
 * are done 62 at a time on the lowest limbs alone, and told to the whole numbers as a
 * matrix.  Shifts of negative numbers to the right keep the sign, as they do with
 * every compiler that this is built with.
 */
#include <errno.h>

#include "keys/fp_priv.h"
#include "keys/secret.h"

__extension__ typedef __int128 int128;

enum {
	BITS = 62, /* of a limb; what is over is the sign's */
	LIMBS = 17,
	BATCHES = 48, /* 2,976 divsteps */
};

static const uint64_t mask = (UINT64_C(1) << BITS) - 1;

/* A signed number: limbs from 0 to 2^62 - 1, the last one with the sign. */
struct wide {
	int64_t v[LIMBS];
};

/* (f, g) becomes (u f + v g, q f + r g) / 2^62.  |u| + |v| and |q| + |r| are at most
 * 2^62. */
struct matrix {
	int64_t u, v, q, r;
};

static void unpack(struct wide *out, const uint64_t in[FP_LIMBS])
{
	for (size_t i = 0; i < LIMBS; i++) {
		size_t bit = BITS * i, at = bit / 64, shift = bit % 64;
		uint64_t v = in[at] >> shift;

		if (shift > 64 - BITS && at + 1 < FP_LIMBS)
			v |= in[at + 1] << (64 - shift);
		out->v[i] = (int64_t)(v & mask);
	}
}

static void pack(uint64_t out[FP_LIMBS], const struct wide *in)
{
	memset(out, 0, FP_LIMBS * sizeof(*out));
	for (size_t i = 0; i < LIMBS; i++) {
		size_t bit = BITS * i, at = bit / 64, shift = bit % 64;

		out[at] |= (uint64_t)in->v[i] << shift;
		if (shift > 64 - BITS && at + 1 < FP_LIMBS)
			out[at + 1] |= (uint64_t)in->v[i] >> (64 - shift);
	}
}

static uint64_t choose(uint64_t where, uint64_t yes, uint64_t no)
{
	return (yes & where) | (no & ~where);
}

/* 62 divsteps on the lowest 64 bits of f and g; returns the new delta.  A divstep:
 * with delta > 0 and g odd, (f, g) becomes (g, -f) and delta -delta; then f is added to
 * an odd g, g is halved, and delta grows by one.  f's row is doubled instead of g's
 * halved, so that the matrix has integers. */
static int64_t divsteps(int64_t delta, uint64_t f, uint64_t g, struct matrix *out)
{
	uint64_t u = 1, v = 0, q = 0, r = 1;

	for (size_t i = 0; i < BITS; i++) {
		uint64_t positive = (uint64_t)((-delta) >> 63), odd = 0 - (g & 1);
		uint64_t swap = positive & odd, old_f = f, old_u = u, old_v = v;

		delta = (int64_t)choose(swap, 0 - (uint64_t)delta, (uint64_t)delta) + 1;
		f = choose(swap, g, f);
		g = choose(swap, 0 - old_f, g);
		u = choose(swap, q, u);
		q = choose(swap, 0 - old_u, q);
		v = choose(swap, r, v);
		r = choose(swap, 0 - old_v, r);
		g = (g + (f & odd)) >> 1;
		q += u & odd;
		r += v & odd;
		u <<= 1;
		v <<= 1;
	}
	*out = (struct matrix){ (int64_t)u, (int64_t)v, (int64_t)q, (int64_t)r };
	return delta;
}

/* The lowest 62 bits come out as zero, that is what the divsteps were for. */
static void apply(struct wide *f, struct wide *g, const struct matrix *m)
{
	int128 cf = 0, cg = 0;

	for (size_t i = 0; i < LIMBS; i++) {
		int64_t fi = f->v[i], gi = g->v[i];

		cf += (int128)m->u * fi + (int128)m->v * gi;
		cg += (int128)m->q * fi + (int128)m->r * gi;
		if (i > 0) {
			f->v[i - 1] = (int64_t)((uint64_t)cf & mask);
			g->v[i - 1] = (int64_t)((uint64_t)cg & mask);
		}
		cf >>= BITS;
		cg >>= BITS;
	}
	f->v[LIMBS - 1] = (int64_t)cf;
	g->v[LIMBS - 1] = (int64_t)cg;
}

/* The multiple of p that is added to a row: p where an operand is negative, which keeps
 * the result between -2 p and p, and what makes the lowest 62 bits zero. */
static int64_t multiple_of_prime(int64_t x, int64_t y, const struct wide *d, const struct wide *e)
{
	const uint64_t inverse = 0 - FP_PRIME_INVERSE; /* 1/p mod 2^64 */
	int64_t k = (x & d->v[LIMBS - 1] >> 63) + (y & e->v[LIMBS - 1] >> 63);
	uint64_t lowest = (uint64_t)x * (uint64_t)d->v[0] + (uint64_t)y * (uint64_t)e->v[0];

	return k - (int64_t)((inverse * lowest + (uint64_t)k) & mask);
}

/* The same as apply(), modulo p. */
static void apply_modulo(struct wide *d, struct wide *e, const struct matrix *m,
			 const struct wide *p)
{
	int64_t kd = multiple_of_prime(m->u, m->v, d, e), ke = multiple_of_prime(m->q, m->r, d, e);
	int128 cd = 0, ce = 0;

	for (size_t i = 0; i < LIMBS; i++) {
		int64_t di = d->v[i], ei = e->v[i];

		cd += (int128)m->u * di + (int128)m->v * ei + (int128)p->v[i] * kd;
		ce += (int128)m->q * di + (int128)m->r * ei + (int128)p->v[i] * ke;
		if (i > 0) {
			d->v[i - 1] = (int64_t)((uint64_t)cd & mask);
			e->v[i - 1] = (int64_t)((uint64_t)ce & mask);
		}
		cd >>= BITS;
		ce >>= BITS;
	}
	d->v[LIMBS - 1] = (int64_t)cd;
	e->v[LIMBS - 1] = (int64_t)ce;
}

/* d = d or -d (where negate is all ones), plus p where it is negative before. */
static void step_to_range(struct wide *d, const struct wide *p, int64_t negate)
{
	int64_t add = d->v[LIMBS - 1] >> 63, carry = 0;

	for (size_t i = 0; i < LIMBS; i++) {
		int64_t v = (((d->v[i] + (p->v[i] & add)) ^ negate) - negate) + carry;

		carry = i + 1 < LIMBS ? v >> BITS : 0;
		d->v[i] = i + 1 < LIMBS ? (int64_t)((uint64_t)v & mask) : v;
	}
}

int fp_inverse(struct fp *out, const struct fp *a)
{
	struct {
		struct wide p, f, g, d, e;
		struct matrix m;
	} w = { .e = { { 1 } } };
	int64_t delta = 1;

	if (fp_is_zero(a))
		return -EDOM;
	unpack(&w.p, fp_prime);
	unpack(&w.g, a->v);
	w.f = w.p;
	for (size_t i = 0; i < BATCHES; i++) {
		uint64_t f = (uint64_t)w.f.v[0] | (uint64_t)w.f.v[1] << BITS;
		uint64_t g = (uint64_t)w.g.v[0] | (uint64_t)w.g.v[1] << BITS;

		delta = divsteps(delta, f, g, &w.m);
		apply(&w.f, &w.g, &w.m);
		apply_modulo(&w.d, &w.e, &w.m, &w.p);
	}
	/* d is between -2 p and p, and to be negated where f is -1. */
	step_to_range(&w.d, &w.p, w.f.v[LIMBS - 1] >> 63);
	step_to_range(&w.d, &w.p, 0);
	pack(out->v, &w.d);
	/* 1/(a R), and twice a product with R^2: over R it is R/a. */
	fp_mul(out, out, &fp_to_montgomery);
	fp_mul(out, out, &fp_to_montgomery);
	wipe(&w, sizeof(w));
	return 0;
}
