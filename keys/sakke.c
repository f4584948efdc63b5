/* sakke.c - SAKKE's four operations (RFC 6508 6): seal, open, and the key manager's two.
 *
 * Values of the pairing are kept as classes, im / re in F_p (RFC 6508 2.1), so a power or a
 * pairing is good up to any factor of F_p.
 */
#include "keys/sakke.h"

#include <errno.h>
#include <stdlib.h>

#include "keys/comb.h"
#include "keys/pairing.h"
#include "keys/secret.h"

/* g = <P,P>, RFC 6509 appendix A. */
static const uint8_t pairing_of_generator[FP_OCTETS] = {
	0x66, 0xfc, 0x2a, 0x43, 0x2b, 0x6e, 0xa3, 0x92, 0x14, 0x8f, 0x15, 0x86, 0x7d, 0x62, 0x30,
	0x68, 0xc6, 0xa8, 0x7b, 0xd1, 0xfb, 0x94, 0xc4, 0x1e, 0x27, 0xfa, 0xbe, 0x65, 0x8e, 0x01,
	0x5a, 0x87, 0x37, 0x1e, 0x94, 0x74, 0x4c, 0x96, 0xfe, 0xda, 0x44, 0x9a, 0xe9, 0x56, 0x3f,
	0x8b, 0xc4, 0x46, 0xcb, 0xfd, 0xa8, 0x5d, 0x5d, 0x00, 0xef, 0x57, 0x70, 0x72, 0xda, 0x8f,
	0x54, 0x17, 0x21, 0xbe, 0xee, 0x0f, 0xae, 0xd1, 0x82, 0x8e, 0xab, 0x90, 0xb9, 0x9d, 0xfb,
	0x01, 0x38, 0xc7, 0x84, 0x33, 0x55, 0xdf, 0x04, 0x60, 0xb4, 0xa9, 0xfd, 0x74, 0xb4, 0xf1,
	0xa3, 0x2b, 0xca, 0xfa, 0x1f, 0xfa, 0xd6, 0x82, 0xc0, 0x33, 0xa7, 0x94, 0x2b, 0xcc, 0xe3,
	0x72, 0x0f, 0x20, 0xb9, 0xb7, 0xb0, 0x40, 0x3c, 0x8c, 0xae, 0x87, 0xb7, 0xa0, 0x04, 0x2a,
	0xcd, 0xe0, 0xfa, 0xb3, 0x64, 0x61, 0xea, 0x46
};

struct sakke {
	enum fp_path path; /* of every table here and in what is made from it */
	struct comb *generator;
	struct comb_power *power;
	struct fp g;
};

struct sakke_kms {
	const struct sakke *sakke;
	struct curve_point z;
	struct comb *comb;
};

struct sakke_receiver {
	const struct sakke *sakke;
	struct slice identifier; /* owned, apart */
	/* All identifiers of identity.h are shorter; below 2^960 an identifier is below q, too. */
	uint8_t octets[120];
	struct pairing *pairing; /* of K_b */
	struct comb *comb;       /* of [b]P + Z */
};

struct sakke *sakke_new(void)
{
	return sakke_new_for(fp_best_path());
}

struct sakke *sakke_new_for(enum fp_path path)
{
	struct sakke *sakke = calloc(1, sizeof(*sakke));
	struct curve_point p;

	if (!sakke)
		return NULL;
	sakke->path = path;
	curve_generator(&p);
	if (!fp_read(&sakke->g, pairing_of_generator) ||
	    comb_new(&p, path, &sakke->generator) < 0 ||
	    comb_power_new(&sakke->g, path, &sakke->power) < 0)
		sakke_free(&sakke);
	return sakke;
}

void sakke_free(struct sakke **sakkep)
{
	struct sakke *sakke = *sakkep;

	if (!sakke)
		return;
	comb_free(&sakke->generator);
	comb_power_free(&sakke->power);
	free(sakke);
	*sakkep = NULL;
}

int sakke_kms_new(const struct sakke *sakke, struct slice z, struct sakke_kms **kms_out)
{
	struct sakke_kms *kms = calloc(1, sizeof(*kms));
	int err;

	if (!kms)
		return -ENOMEM;
	kms->sakke = sakke;
	err = curve_read(&kms->z, z);
	if (!err)
		err = comb_new(&kms->z, sakke->path, &kms->comb);
	if (err)
		sakke_kms_free(&kms);
	else
		*kms_out = kms;
	return err;
}

void sakke_kms_free(struct sakke_kms **kmsp)
{
	if (*kmsp)
		comb_free(&(*kmsp)->comb);
	free(*kmsp);
	*kmsp = NULL;
}

/* The octets of the class of (re, im): im / re (RFC 6508 2.1), given 1 / re. */
static void write_class(const struct fp2 *value, const struct fp *re_inverse,
			uint8_t out[FP_OCTETS])
{
	struct fp tangent;

	fp_mul(&tangent, &value->im, re_inverse);
	fp_write(&tangent, out);
	wipe(&tangent, sizeof(tangent));
}

/* out = in xor HashToIntegerRange(w, 2^128); w has all its FP_OCTETS, as RFC 6508 has it,
 * or fewer as senders make it that drop leading zeros. */
static void mask(uint8_t out[SAKKE_SSV], const uint8_t *in, struct slice w)
{
	uint8_t hash[SAKKE_SSV];

	scalar_hash128(hash, w);
	for (size_t i = 0; i < SAKKE_SSV; i++)
		out[i] = in[i] ^ hash[i];
	wipe(hash, sizeof(hash));
}

/* R = [r]([b]P + Z) = [r b]P + [r]Z.  The two parts are sums over independent
 * points, so that they are never equal. */
static int multiply_receiver(const struct sakke_kms *kms, const struct scalar *b,
			     const struct scalar *r, struct curve_jacobian *out)
{
	struct scalar rb;
	struct curve_jacobian p;
	int err = scalar_mul(&rb, r, b);

	if (!err) {
		comb_mul(kms->sakke->generator, &rb, &p);
		comb_mul(kms->comb, r, out);
		curve_add_jacobian(out, out, &p);
	}
	wipe(&rb, sizeof(rb));
	wipe(&p, sizeof(p));
	return err;
}

/* The value's class and the point's affine form, by one inversion of re z. */
static int finish_seal(const struct curve_jacobian *point, const struct fp2 *value,
		       uint8_t w[FP_OCTETS], uint8_t out[SAKKE_POINT])
{
	struct fp inverse[2] = { value->re, point->z }, scratch[2];
	struct curve_point affine;
	int err = fp_inverse_all(inverse, 2, scratch);

	if (!err) {
		write_class(value, &inverse[0], w);
		curve_scale(&affine, point, &inverse[1]);
		curve_write(&affine, out);
	}
	wipe(inverse, sizeof(inverse));
	wipe(scratch, sizeof(scratch));
	return err == -EDOM ? -EIO : err; /* of chance 2^-1000 */
}

/* RFC 6508 6.2.1.  The value and the point share one inversion. */
int sakke_seal(const struct sakke_kms *kms, struct slice identifier, const uint8_t ssv[SAKKE_SSV],
	       uint8_t out[SAKKE_SEALED], struct sakke_zeros *zeros_out)
{
	struct scalar b, r;
	struct curve_jacobian point;
	struct fp2 value;
	uint8_t w[FP_OCTETS];
	int err = scalar_of_octets(&b, identifier);

	if (!err)
		err = scalar_hash(&r, slice_of(ssv, SAKKE_SSV), identifier);
	if (!err)
		err = multiply_receiver(kms, &b, &r, &point);
	if (!err) {
		comb_power(kms->sakke->power, &r, &value);
		err = finish_seal(&point, &value, w, out);
	}
	if (!err) {
		mask(out + SAKKE_POINT, ssv, slice_of(w, FP_OCTETS));
		if (zeros_out)
			*zeros_out = (struct sakke_zeros){ w[0] == 0, out[SAKKE_POINT] == 0 };
	}
	wipe(&r, sizeof(r));
	wipe(&point, sizeof(point));
	wipe(&value, sizeof(value));
	wipe(w, sizeof(w));
	return err;
}

/* [b]P + Z, affine; -EDOM when it is infinity. */
static int public_key(const struct sakke_kms *kms, const struct scalar *b, struct curve_point *out)
{
	struct curve_jacobian sum;
	struct fp inverse;
	int err;

	comb_mul(kms->sakke->generator, b, &sum);
	curve_add(&sum, &sum, &kms->z);
	err = fp_inverse(&inverse, &sum.z);
	if (!err)
		curve_scale(out, &sum, &inverse);
	return err;
}

/* <[b]P + Z, K_b> = g? */
static bool pairs_to_g(const struct sakke_receiver *receiver, const struct curve_point *key)
{
	struct fp2 value;
	struct fp t;

	pairing_compute(receiver->pairing, key, &value);
	/* im / re = g, without the division. */
	fp_mul(&t, &value.re, &receiver->sakke->g);
	return fp_eq(&t, &value.im) && !fp_is_zero(&value.re);
}

/* RFC 6508 6.1.2, in the order that needs no work twice: the pairing's lines are those of the
 * key, so its order is checked by making them. */
static int prepare(const struct sakke_kms *kms, struct sakke_receiver *receiver, struct slice rsk)
{
	struct scalar b;
	struct curve_point k, key;
	int err = scalar_of_octets(&b, receiver->identifier);

	if (!err)
		err = curve_read(&k, rsk);
	if (!err)
		err = pairing_new(&k, kms->sakke->path, &receiver->pairing);
	if (!err)
		err = public_key(kms, &b, &key);
	if (!err && !pairs_to_g(receiver, &key))
		err = -EKEYREJECTED;
	if (!err)
		err = comb_new(&key, kms->sakke->path, &receiver->comb);
	wipe(&k, sizeof(k));
	return err == -EDOM ? -EKEYREJECTED : err;
}

int sakke_receiver_new(const struct sakke_kms *kms, struct slice identifier, struct slice rsk,
		       struct sakke_receiver **receiver_out)
{
	struct sakke_receiver *receiver = calloc(1, sizeof(*receiver));
	int err = -EINVAL;

	if (!receiver)
		return -ENOMEM;
	if (identifier.n <= sizeof(receiver->octets)) {
		receiver->sakke = kms->sakke;
		memcpy(receiver->octets, identifier.p, identifier.n);
		receiver->identifier = slice_of(receiver->octets, identifier.n);
		err = prepare(kms, receiver, rsk);
	}
	if (err)
		sakke_receiver_free(&receiver);
	else
		*receiver_out = receiver;
	return err;
}

void sakke_receiver_free(struct sakke_receiver **receiverp)
{
	struct sakke_receiver *receiver = *receiverp;

	if (!receiver)
		return;
	pairing_free(&receiver->pairing);
	comb_free(&receiver->comb);
	free(receiver);
	*receiverp = NULL;
}

/* w = <R, K_b>, as octets.  A point with re = 0 has no class: refused. */
static int pair(const struct sakke_receiver *receiver, const struct curve_point *r,
		uint8_t w[FP_OCTETS])
{
	struct fp2 value;
	struct fp inverse;
	int err;

	pairing_compute(receiver->pairing, r, &value);
	err = fp_inverse(&inverse, &value.re);
	if (!err)
		write_class(&value, &inverse, w);
	wipe(&value, sizeof(value));
	wipe(&inverse, sizeof(inverse));
	return err == -EDOM ? -EBADMSG : err;
}

/* TEST: does sealing ssv to us give R again? */
static int test(const struct sakke_receiver *receiver, const struct curve_point *r_point,
		const uint8_t ssv[SAKKE_SSV])
{
	struct scalar r;
	struct curve_jacobian again;
	int err = scalar_hash(&r, slice_of(ssv, SAKKE_SSV), receiver->identifier);

	if (!err) {
		comb_mul(receiver->comb, &r, &again);
		err = curve_same(&again, r_point) ? 0 : -EBADMSG;
	}
	wipe(&r, sizeof(r));
	wipe(&again, sizeof(again));
	return err;
}

static int unmask(const struct sakke_receiver *receiver, const struct curve_point *r,
		  const uint8_t hidden[SAKKE_SSV], struct slice w, uint8_t ssv_out[SAKKE_SSV])
{
	mask(ssv_out, hidden, w);
	return test(receiver, r, ssv_out);
}

/* What is left of w when a sender dropped its leading zeros. */
static struct slice without_zeros(const uint8_t w[FP_OCTETS])
{
	size_t n = 0;

	while (n < FP_OCTETS && w[n] == 0)
		n++;
	return slice_of(w + n, FP_OCTETS - n);
}

/* Widely used implementations treat g^r and H as numbers and drop leading zero octets
 * (1 in 128 of their messages).  A shorter H is filled up; and when TEST fails, w without
 * its zeros is tried once: TEST decides in every case, so nothing else opens by it. */
static int open_hidden(const struct sakke_receiver *receiver, const struct curve_point *r,
		       struct slice h, uint8_t ssv_out[SAKKE_SSV])
{
	uint8_t w[FP_OCTETS] = { 0 }, hidden[SAKKE_SSV] = { 0 };
	int err = pair(receiver, r, w);

	memcpy(hidden + SAKKE_SSV - h.n, h.p, h.n);
	if (!err)
		err = unmask(receiver, r, hidden, slice_of(w, FP_OCTETS), ssv_out);
	if (err == -EBADMSG && w[0] == 0)
		err = unmask(receiver, r, hidden, without_zeros(w), ssv_out);
	wipe(w, sizeof(w));
	return err;
}

/* RFC 6508 6.2.2.  One error for all faults: a difference would tell a sender of forged
 * messages how far they came. */
int sakke_open(const struct sakke_receiver *receiver, struct slice sealed,
	       uint8_t ssv_out[SAKKE_SSV])
{
	struct curve_point r;
	int err;

	wipe(ssv_out, SAKKE_SSV);
	if (sealed.n <= SAKKE_POINT || sealed.n > SAKKE_SEALED ||
	    curve_read(&r, slice_of(sealed.p, SAKKE_POINT)) < 0)
		return -EBADMSG;
	err = open_hidden(receiver, &r, slice_of(sealed.p + SAKKE_POINT, sealed.n - SAKKE_POINT),
			  ssv_out);
	if (err)
		wipe(ssv_out, SAKKE_SSV);
	return err;
}

static int write_multiple(const struct sakke *sakke, const struct scalar *k,
			  uint8_t out[SAKKE_POINT])
{
	struct curve_jacobian product;
	struct curve_point affine;
	struct fp inverse;
	int err;

	comb_mul(sakke->generator, k, &product);
	err = fp_inverse(&inverse, &product.z);
	if (!err) {
		curve_scale(&affine, &product, &inverse);
		curve_write(&affine, out);
	}
	wipe(&product, sizeof(product));
	wipe(&affine, sizeof(affine));
	wipe(&inverse, sizeof(inverse));
	return err;
}

int sakke_public(const struct sakke *sakke, const struct scalar *z, uint8_t out[SAKKE_POINT])
{
	return write_multiple(sakke, z, out);
}

/* K_b = [1/(b + z)]P by the generator's comb. */
int sakke_issue(const struct sakke *sakke, const struct scalar *z, struct slice identifier,
		uint8_t rsk_out[SAKKE_POINT])
{
	struct scalar b, k;
	int err = scalar_of_octets(&b, identifier);

	if (!err)
		err = scalar_inverse_sum(&k, &b, z);
	if (!err)
		err = write_multiple(sakke, &k, rsk_out);
	wipe(&k, sizeof(k));
	return err;
}
