/* scalar.c - integers modulo q; products and inverses by OpenSSL's big numbers, in its
 * constant-time ways. */
#include "keys/scalar.h"

#include <errno.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "keys/secret.h"

enum { HASH = SHA256_DIGEST_LENGTH, IDENTIFIER_BOUND = 120 };

/* v_1 || ... || v_l of RFC 6508 5.1, of which A is the hash of the message. */
static void hash_blocks(uint8_t *out, size_t l, const uint8_t a[HASH])
{
	uint8_t pair[2 * HASH] = { 0 }; /* h_i || A */

	memcpy(pair + HASH, a, HASH);
	for (size_t i = 0; i < l; i++) {
		/* h_i = hash(h_(i-1)), from 32 zero octets on; v_i = hash(h_i || A). */
		SHA256(pair, HASH, pair);
		SHA256(pair, sizeof(pair), out + HASH * i);
	}
	wipe(pair, sizeof(pair));
}

static void from_le(struct scalar *out, const uint8_t le[SCALAR_OCTETS])
{
	for (size_t i = 0; i < FP_LIMBS; i++) {
		out->v[i] = 0;
		for (size_t j = 8; j-- > 0;)
			out->v[i] = out->v[i] << 8 | le[8 * i + j];
	}
}

static void to_le(const struct scalar *a, uint8_t le[SCALAR_OCTETS])
{
	for (size_t i = 0; i < SCALAR_OCTETS; i++)
		le[i] = (uint8_t)(a->v[i / 8] >> 8 * (i % 8));
}

/* Big numbers of one operation: operands in constant time, wiped in the end. */
struct work {
	BN_CTX *ctx;
	BIGNUM *q, *a, *b;
};

/* Padded to its full width, with the flag that has OpenSSL take its constant-time ways. */
static BIGNUM *bn_of(const struct scalar *a)
{
	uint8_t le[SCALAR_OCTETS];
	BIGNUM *n;

	to_le(a, le);
	n = BN_lebin2bn(le, sizeof(le), NULL);
	if (n)
		BN_set_flags(n, BN_FLG_CONSTTIME);
	wipe(le, sizeof(le));
	return n;
}

static bool work_begin(struct work *w, const struct scalar *a, const struct scalar *b)
{
	struct scalar q;

	memcpy(q.v, fp_order, sizeof(q.v));
	w->ctx = BN_CTX_new();
	w->q = bn_of(&q);
	w->a = bn_of(a);
	w->b = bn_of(b);
	return w->ctx && w->q && w->a && w->b;
}

/* Takes w->a as the result, if ok. */
static int work_end(struct work *w, bool ok, struct scalar *out)
{
	uint8_t le[SCALAR_OCTETS];

	ok = ok && BN_bn2lebinpad(w->a, le, sizeof(le)) == SCALAR_OCTETS;
	if (ok)
		from_le(out, le);
	BN_CTX_free(w->ctx);
	/* Public, so not wiped. */
	BN_free(w->q);
	BN_clear_free(w->a);
	BN_clear_free(w->b);
	wipe(le, sizeof(le));
	return ok ? 0 : -ENOMEM;
}

int scalar_mul(struct scalar *out, const struct scalar *a, const struct scalar *b)
{
	struct work w;
	bool ok = work_begin(&w, a, b) && BN_mod_mul(w.a, w.a, w.b, w.q, w.ctx);

	return work_end(&w, ok, out);
}

/* 1/(b + z): the exponent of a receiver key (RFC 6508 6.1.1). */
int scalar_inverse_sum(struct scalar *out, const struct scalar *a, const struct scalar *b)
{
	struct work w;
	bool ok = work_begin(&w, a, b) && BN_mod_add(w.a, w.a, w.b, w.q, w.ctx);

	/* An identity whose number is -z has no key: of 2^1022 or so, one. */
	if (ok && BN_is_zero(w.a)) {
		work_end(&w, false, out);
		return -EDOM;
	}
	if (ok)
		BN_set_flags(w.a, BN_FLG_CONSTTIME);
	ok = ok && BN_mod_inverse(w.a, w.a, w.q, w.ctx);
	return work_end(&w, ok, out);
}

/* Any 1,024-bit number modulo q: it is below 5 q. */
static void reduce(struct scalar *a)
{
	/* Always all rounds, and a choice by mask: how often q went in is nobody's business. */
	for (size_t round = 0; round < 6; round++) {
		uint64_t t[FP_LIMBS], borrow = 0;

		for (size_t i = 0; i < FP_LIMBS; i++) {
			uint64_t low = a->v[i] - fp_order[i];
			uint64_t out = low - borrow;

			borrow = (uint64_t)(a->v[i] < fp_order[i]) | (uint64_t)(low < borrow);
			t[i] = out;
		}
		for (size_t i = 0; i < FP_LIMBS; i++)
			a->v[i] = (a->v[i] & (0 - borrow)) | (t[i] & (borrow - 1));
	}
}

static void from_be(struct scalar *out, const uint8_t be[SCALAR_OCTETS])
{
	uint8_t le[SCALAR_OCTETS];

	for (size_t i = 0; i < SCALAR_OCTETS; i++)
		le[i] = be[SCALAR_OCTETS - 1 - i];
	from_le(out, le);
	wipe(le, sizeof(le));
}

int scalar_hash(struct scalar *out, struct slice a, struct slice b)
{
	uint8_t digest[HASH], blocks[SCALAR_OCTETS];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
		  EVP_DigestUpdate(ctx, a.p, a.n) && EVP_DigestUpdate(ctx, b.p, b.n) &&
		  EVP_DigestFinal_ex(ctx, digest, NULL);

	EVP_MD_CTX_free(ctx);
	if (!ok)
		return -ENOMEM;
	hash_blocks(blocks, sizeof(blocks) / HASH, digest);
	from_be(out, blocks);
	reduce(out);
	wipe(digest, sizeof(digest));
	wipe(blocks, sizeof(blocks));
	return 0;
}

void scalar_hash128(uint8_t out[16], struct slice a)
{
	uint8_t digest[HASH], block[HASH];

	SHA256(a.p, a.n, digest);
	hash_blocks(block, 1, digest);
	/* Modulo 2^128: the last 16 octets.  l is 1, as 128 bits need one block. */
	memcpy(out, block + HASH - 16, 16);
	wipe(digest, sizeof(digest));
	wipe(block, sizeof(block));
}

int scalar_of_octets(struct scalar *out, struct slice octets)
{
	uint8_t be[SCALAR_OCTETS] = { 0 };

	if (octets.n > IDENTIFIER_BOUND)
		return -EINVAL;
	memcpy(be + SCALAR_OCTETS - octets.n, octets.p, octets.n);
	from_be(out, be);
	return 0;
}

int scalar_read(struct scalar *out, const uint8_t in[SCALAR_OCTETS])
{
	struct scalar reduced;
	uint64_t any = 0, differ = 0;

	from_be(out, in);
	reduced = *out;
	reduce(&reduced);
	for (size_t i = 0; i < FP_LIMBS; i++) {
		any |= out->v[i];
		differ |= out->v[i] ^ reduced.v[i];
	}
	wipe(&reduced, sizeof(reduced));
	if (any == 0 || differ != 0) {
		wipe(out, sizeof(*out));
		return -EINVAL;
	}
	return 0;
}

void scalar_write(const struct scalar *a, uint8_t out[SCALAR_OCTETS])
{
	for (size_t i = 0; i < SCALAR_OCTETS; i++)
		out[SCALAR_OCTETS - 1 - i] = (uint8_t)(a->v[i / 8] >> 8 * (i % 8));
}

int scalar_random(struct scalar *out)
{
	BIGNUM *n = NULL, *range;
	uint8_t le[SCALAR_OCTETS];
	struct scalar q;
	bool ok;

	memcpy(q.v, fp_order, sizeof(q.v));
	range = bn_of(&q);
	n = BN_new();
	/* 0 to q - 3, and two more: RFC 6508 2.2 wants z from 2 on. */
	ok = range && n && BN_sub_word(range, 2) && BN_priv_rand_range(n, range) &&
	     BN_add_word(n, 2) && BN_bn2lebinpad(n, le, sizeof(le)) == SCALAR_OCTETS;
	if (ok)
		from_le(out, le);
	BN_clear_free(n);
	BN_free(range);
	wipe(le, sizeof(le));
	return ok ? 0 : -EIO;
}
