/* The product of G and two points in one pass has no successor in OpenSSL 3. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "keys/eccsi.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "keys/secret.h"

struct eccsi {
	EC_GROUP *group; /* by name: the generic construction is ten times slower */
	BIGNUM *order, *prime;
	uint8_t generator[ECCSI_POINT];
};

struct eccsi *eccsi_new(void)
{
	struct eccsi *eccsi = calloc(1, sizeof(*eccsi));

	if (!eccsi)
		return NULL;
	eccsi->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	eccsi->order = BN_new();
	eccsi->prime = BN_new();
	if (!eccsi->group || !eccsi->order || !eccsi->prime ||
	    !EC_GROUP_get_order(eccsi->group, eccsi->order, NULL) ||
	    !EC_GROUP_get_curve(eccsi->group, eccsi->prime, NULL, NULL, NULL) ||
	    EC_POINT_point2oct(eccsi->group, EC_GROUP_get0_generator(eccsi->group),
			       POINT_CONVERSION_UNCOMPRESSED, eccsi->generator, ECCSI_POINT,
			       NULL) != ECCSI_POINT)
		eccsi_free(&eccsi);
	return eccsi;
}

void eccsi_free(struct eccsi **eccsip)
{
	struct eccsi *eccsi = *eccsip;

	if (!eccsi)
		return;
	EC_GROUP_free(eccsi->group);
	BN_free(eccsi->order);
	BN_free(eccsi->prime);
	free(eccsi);
	*eccsip = NULL;
}

/* The numbers and points of one operation, freed and wiped together. */
struct work {
	BN_CTX *ctx;
	BIGNUM *a, *b, *c;
	EC_POINT *p, *q;
};

static bool work_begin(struct work *w, const struct eccsi *eccsi)
{
	w->ctx = BN_CTX_new();
	w->a = BN_new();
	w->b = BN_new();
	w->c = BN_new();
	w->p = EC_POINT_new(eccsi->group);
	w->q = EC_POINT_new(eccsi->group);
	return w->ctx && w->a && w->b && w->c && w->p && w->q;
}

static void work_end(struct work *w)
{
	BN_CTX_free(w->ctx);
	BN_clear_free(w->a);
	BN_clear_free(w->b);
	BN_clear_free(w->c);
	EC_POINT_clear_free(w->p);
	EC_POINT_clear_free(w->q);
}

/* EC_POINT_oct2point refuses what is not on the curve; the form is ours to check, for it
 * would take compressed points and infinity, too. */
static bool read_point(const struct eccsi *eccsi, struct work *w, const uint8_t octets[ECCSI_POINT],
		       EC_POINT *out)
{
	return octets[0] == POINT_CONVERSION_UNCOMPRESSED &&
	       EC_POINT_oct2point(eccsi->group, out, octets, ECCSI_POINT, w->ctx) == 1;
}

static bool write_point(const struct eccsi *eccsi, struct work *w, const EC_POINT *p,
			uint8_t out[ECCSI_POINT])
{
	return EC_POINT_point2oct(eccsi->group, p, POINT_CONVERSION_UNCOMPRESSED, out, ECCSI_POINT,
				  w->ctx) == ECCSI_POINT;
}

/* X9.62: 04 and both coordinates, or 02 or 03 and x alone. */
static bool has_point_form(struct slice octets)
{
	if (octets.n == ECCSI_POINT)
		return octets.p[0] == POINT_CONVERSION_UNCOMPRESSED;
	return octets.n == ECCSI_COMPRESSED && (octets.p[0] == 2 || octets.p[0] == 3);
}

/* Compressed points come from other makers' letters; within the program there is one form. */
int eccsi_point_read(const struct eccsi *eccsi, struct slice octets, uint8_t out[ECCSI_POINT])
{
	struct work w;
	int err = -ENOMEM;

	if (!has_point_form(octets))
		return -EINVAL;
	if (work_begin(&w, eccsi)) {
		err = 0;
		if (EC_POINT_oct2point(eccsi->group, w.p, octets.p, octets.n, w.ctx) != 1 ||
		    !write_point(eccsi, &w, w.p, out))
			err = -EINVAL;
	}
	work_end(&w);
	return err;
}

/* A secret scalar from 1 to the order - 1. */
static bool read_scalar(const struct eccsi *eccsi, const uint8_t octets[ECCSI_SECRET], BIGNUM *out)
{
	if (!BN_bin2bn(octets, ECCSI_SECRET, out))
		return false;
	BN_set_flags(out, BN_FLG_CONSTTIME);
	return !BN_is_zero(out) && BN_cmp(out, eccsi->order) < 0;
}

/* 1 to the order - 1, by rejection: no value is likelier than another. */
static bool random_scalar(const struct eccsi *eccsi, BIGNUM *out)
{
	do {
		if (!BN_priv_rand_range(out, eccsi->order))
			return false;
	} while (BN_is_zero(out));
	BN_set_flags(out, BN_FLG_CONSTTIME);
	return true;
}

/* KPAK = [KSAK]G (RFC 6507 4.2). */
int eccsi_public(const struct eccsi *eccsi, const uint8_t ksak[ECCSI_SECRET],
		 uint8_t kpak_out[ECCSI_POINT])
{
	struct work w;
	int err = -ENOMEM;

	if (work_begin(&w, eccsi)) {
		if (!read_scalar(eccsi, ksak, w.a))
			err = -EINVAL;
		else if (EC_POINT_mul(eccsi->group, w.p, w.a, NULL, NULL, w.ctx) &&
			 write_point(eccsi, &w, w.p, kpak_out))
			err = 0;
	}
	work_end(&w);
	return err;
}

int eccsi_generate(const struct eccsi *eccsi, uint8_t ksak_out[ECCSI_SECRET],
		   uint8_t kpak_out[ECCSI_POINT])
{
	BIGNUM *ksak = BN_new();
	int err = -EIO;

	if (ksak && random_scalar(eccsi, ksak) &&
	    BN_bn2binpad(ksak, ksak_out, ECCSI_SECRET) == ECCSI_SECRET)
		err = eccsi_public(eccsi, ksak_out, kpak_out);
	BN_clear_free(ksak);
	return err;
}

/* SHA-256 of the parts, one behind the other. */
static bool hash(const struct slice *parts, size_t n, uint8_t out[ECCSI_HASH])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);

	for (size_t i = 0; i < n && ok; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n);
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* HS = hash(G || KPAK || ID || PVT) */
static bool hash_signer(const struct eccsi *eccsi, const uint8_t *kpak, struct slice identifier,
			const uint8_t *pvt, uint8_t hs[ECCSI_HASH])
{
	const struct slice parts[] = { { eccsi->generator, ECCSI_POINT },
				       { kpak, ECCSI_POINT },
				       identifier,
				       { pvt, ECCSI_POINT } };

	return hash(parts, 4, hs);
}

/* HE = hash(HS || r || M) */
static bool hash_message(const uint8_t hs[ECCSI_HASH], const uint8_t *r, struct slice message,
			 uint8_t he[ECCSI_HASH])
{
	const struct slice parts[] = { { hs, ECCSI_HASH }, { r, ECCSI_HASH }, message };

	return hash(parts, 3, he);
}

/* w->a is v: SSK = KSAK + HS v.  Returns 0, or -EAGAIN when v gives no key. */
static int issue_with(const struct eccsi *eccsi, struct work *w, const uint8_t *ksak,
		      const uint8_t *kpak, struct slice identifier, uint8_t *ssk, uint8_t *pvt)
{
	uint8_t hs[ECCSI_HASH];

	if (!EC_POINT_mul(eccsi->group, w->p, w->a, NULL, NULL, w->ctx) ||
	    !write_point(eccsi, w, w->p, pvt) || !hash_signer(eccsi, kpak, identifier, pvt, hs) ||
	    !BN_bin2bn(hs, ECCSI_HASH, w->b) ||
	    !BN_mod_mul(w->a, w->a, w->b, eccsi->order, w->ctx) ||
	    !read_scalar(eccsi, ksak, w->c) ||
	    !BN_mod_add(w->a, w->a, w->c, eccsi->order, w->ctx) ||
	    BN_bn2binpad(w->a, ssk, ECCSI_SECRET) != ECCSI_SECRET)
		return -ENOMEM;
	/* RFC 6507 5.1.1: with either of them zero another v is taken. */
	return BN_is_zero(w->a) || BN_is_zero(w->b) ? -EAGAIN : 0;
}

/* RFC 6507 5.1.1; v is new for each key but where a test gives the RFC's. */
int eccsi_issue(const struct eccsi *eccsi, const uint8_t ksak[ECCSI_SECRET],
		struct slice identifier, const uint8_t *v, uint8_t ssk_out[ECCSI_SECRET],
		uint8_t pvt_out[ECCSI_POINT])
{
	uint8_t kpak[ECCSI_POINT];
	struct work w;
	int err = eccsi_public(eccsi, ksak, kpak);

	if (err)
		return err;
	if (!work_begin(&w, eccsi))
		err = -ENOMEM;
	else
		do {
			if (v ? !read_scalar(eccsi, v, w.a) : !random_scalar(eccsi, w.a))
				err = v ? -EINVAL : -EIO;
			else
				err = issue_with(eccsi, &w, ksak, kpak, identifier, ssk_out,
						 pvt_out);
		} while (err == -EAGAIN && !v);
	work_end(&w);
	return err == -EAGAIN ? -EINVAL : err;
}

/* KPAK = [SSK]G - [HS]PVT? */
static int check_signer(const struct eccsi *eccsi, struct work *w, const uint8_t *kpak,
			const struct eccsi_signer *signer)
{
	uint8_t expected[ECCSI_POINT];

	if (!read_scalar(eccsi, signer->ssk, w->a) || !read_point(eccsi, w, signer->pvt, w->p))
		return -EKEYREJECTED;
	if (!BN_bin2bn(signer->hs, ECCSI_HASH, w->b) ||
	    !BN_nnmod(w->b, w->b, eccsi->order, w->ctx) ||
	    !EC_POINT_invert(eccsi->group, w->p, w->ctx) ||
	    !EC_POINT_mul(eccsi->group, w->q, NULL, w->p, w->b, w->ctx) ||
	    !EC_POINT_mul(eccsi->group, w->p, w->a, NULL, NULL, w->ctx) ||
	    !EC_POINT_add(eccsi->group, w->p, w->p, w->q, w->ctx))
		return -ENOMEM;
	if (!write_point(eccsi, w, w->p, expected) || memcmp(expected, kpak, ECCSI_POINT) != 0)
		return -EKEYREJECTED;
	return 0;
}

/* HS does not depend on the message (RFC 6507 5.2.1, step 3): computed once. */
int eccsi_signer_init(const struct eccsi *eccsi, const uint8_t kpak[ECCSI_POINT],
		      struct slice identifier, const uint8_t ssk[ECCSI_SECRET],
		      const uint8_t pvt[ECCSI_POINT], struct eccsi_signer *signer_out)
{
	struct work w;
	int err = -ENOMEM;

	memcpy(signer_out->ssk, ssk, ECCSI_SECRET);
	memcpy(signer_out->pvt, pvt, ECCSI_POINT);
	if (work_begin(&w, eccsi) && hash_signer(eccsi, kpak, identifier, pvt, signer_out->hs))
		err = check_signer(eccsi, &w, kpak, signer_out);
	work_end(&w);
	if (err)
		wipe(signer_out, sizeof(*signer_out));
	return err;
}

/* w->a is j: r = x of [j]G, s = j / (HE + r SSK).  Returns 0, -EAGAIN when j gives
 * no signature, -ENOMEM.  s is below the order, so that it always fits (RFC 6507
 * 5.2.1, step 6). */
static int sign_with(const struct eccsi *eccsi, struct work *w, const struct eccsi_signer *signer,
		     struct slice message, uint8_t *out)
{
	uint8_t he[ECCSI_HASH];

	if (!EC_POINT_mul(eccsi->group, w->p, w->a, NULL, NULL, w->ctx) ||
	    !EC_POINT_get_affine_coordinates(eccsi->group, w->p, w->b, NULL, w->ctx) ||
	    BN_bn2binpad(w->b, out, ECCSI_HASH) != ECCSI_HASH ||
	    !hash_message(signer->hs, out, message, he) || !read_scalar(eccsi, signer->ssk, w->c) ||
	    !BN_mod_mul(w->c, w->c, w->b, eccsi->order, w->ctx) ||
	    !BN_bin2bn(he, ECCSI_HASH, w->b) || !BN_mod_add(w->c, w->c, w->b, eccsi->order, w->ctx))
		return -ENOMEM;
	if (BN_is_zero(w->c))
		return -EAGAIN;
	/* The inverse is of a sum that holds the secret: without the flag its time would tell
	 * of it. */
	BN_set_flags(w->c, BN_FLG_CONSTTIME);
	if (!BN_mod_inverse(w->c, w->c, eccsi->order, w->ctx) ||
	    !BN_mod_mul(w->c, w->c, w->a, eccsi->order, w->ctx) ||
	    BN_bn2binpad(w->c, out + ECCSI_HASH, ECCSI_HASH) != ECCSI_HASH)
		return -ENOMEM;
	return 0;
}

/* A j that gives no signature has chance 2^-256; a given one is not tried again. */
int eccsi_sign(const struct eccsi *eccsi, const struct eccsi_signer *signer, struct slice message,
	       const uint8_t *j, uint8_t out[ECCSI_SIGNATURE])
{
	struct work w;
	int err = -ENOMEM;

	if (work_begin(&w, eccsi))
		do {
			if (j ? !read_scalar(eccsi, j, w.a) : !random_scalar(eccsi, w.a))
				err = -EIO;
			else
				err = sign_with(eccsi, &w, signer, message, out);
		} while (err == -EAGAIN && !j);
	work_end(&w);
	/* The PVT travels with each signature: a verifier needs KPAK and the identity, nothing
	 * else. */
	memcpy(out + 2 * ECCSI_HASH, signer->pvt, ECCSI_POINT);
	return err == -EAGAIN ? -EIO : err;
}

/* J = [s HE]G + [s r HS]PVT + [s r]KPAK in w->p; w->a is s, w->b is r. */
static bool recover(const struct eccsi *eccsi, struct work *w, EC_POINT *kpak,
		    const uint8_t hs[ECCSI_HASH], const uint8_t he[ECCSI_HASH])
{
	const EC_POINT *points[] = { w->q, kpak };
	BIGNUM *sr_hs = BN_new(), *sr = BN_new();
	const BIGNUM *scalars[] = { sr_hs, sr };
	const BIGNUM *n = eccsi->order;
	bool ok = sr_hs && sr && BN_mod_mul(sr, w->a, w->b, n, w->ctx) &&
		  BN_bin2bn(hs, ECCSI_HASH, w->c) && BN_mod_mul(sr_hs, sr, w->c, n, w->ctx) &&
		  BN_bin2bn(he, ECCSI_HASH, w->c) && BN_mod_mul(w->c, w->c, w->a, n, w->ctx) &&
		  EC_POINTs_mul(eccsi->group, w->p, w->c, 2, points, scalars, w->ctx);

	BN_free(sr_hs);
	BN_free(sr);
	return ok;
}

/* r < p and 0 < s < order, kept in w->b and w->a. */
static bool read_pair(const struct eccsi *eccsi, struct work *w, const uint8_t *octets)
{
	return BN_bin2bn(octets, ECCSI_HASH, w->b) && BN_cmp(w->b, eccsi->prime) < 0 &&
	       !BN_is_zero(w->b) && BN_bin2bn(octets + ECCSI_HASH, ECCSI_HASH, w->a) &&
	       BN_cmp(w->a, eccsi->order) < 0 && !BN_is_zero(w->a);
}

/* RFC 6507 5.2.2: the signature is good when J, computed from it, has x = r. */
static int verify_with(const struct eccsi *eccsi, struct work *w, EC_POINT *kpak_point,
		       const uint8_t *kpak, struct slice identifier, struct slice message,
		       const uint8_t *signature)
{
	const uint8_t *pvt = signature + 2 * ECCSI_HASH;
	uint8_t hs[ECCSI_HASH], he[ECCSI_HASH];

	if (!read_point(eccsi, w, kpak, kpak_point) || !read_pair(eccsi, w, signature) ||
	    !read_point(eccsi, w, pvt, w->q))
		return -EBADMSG;
	if (!hash_signer(eccsi, kpak, identifier, pvt, hs) ||
	    !hash_message(hs, signature, message, he) || !recover(eccsi, w, kpak_point, hs, he))
		return -ENOMEM;
	if (EC_POINT_is_at_infinity(eccsi->group, w->p) ||
	    !EC_POINT_get_affine_coordinates(eccsi->group, w->p, w->c, NULL, w->ctx))
		return -EBADMSG;
	return BN_cmp(w->c, w->b) == 0 ? 0 : -EBADMSG; /* r, and so x, is not 0 */
}

int eccsi_verify(const struct eccsi *eccsi, const uint8_t kpak[ECCSI_POINT],
		 struct slice identifier, struct slice message, struct slice signature)
{
	EC_POINT *kpak_point;
	struct work w;
	int err = -ENOMEM;

	if (signature.n != ECCSI_SIGNATURE)
		return -EBADMSG;
	kpak_point = EC_POINT_new(eccsi->group);
	if (work_begin(&w, eccsi) && kpak_point)
		err = verify_with(eccsi, &w, kpak_point, kpak, identifier, message, signature.p);
	EC_POINT_free(kpak_point);
	work_end(&w);
	return err;
}
