/* fp_derived.c - what is built from the field's products: powers, inverses,
 * roots and the quadratic extension.
 */
#include "keys/fp.h"

#include <errno.h>

#include <openssl/bn.h>
#include <openssl/rand.h>

#include "keys/secret.h"

static BIGNUM *bn_of_limbs(const uint64_t limbs[FP_LIMBS])
{
	uint8_t octets[FP_OCTETS];

	for (size_t i = 0; i < FP_OCTETS; i++)
		octets[i] = (uint8_t)(limbs[i / 8] >> 8 * (i % 8));
	return BN_lebin2bn(octets, FP_OCTETS, NULL);
}

/* 1/a in time that depends on a, which must mean nothing to anybody. */
static int inverse_blinded(struct fp *out, const struct fp *a)
{
	uint8_t octets[FP_OCTETS];
	BIGNUM *n, *p = bn_of_limbs(fp_prime);
	BN_CTX *ctx = BN_CTX_new();
	bool ok;

	fp_write(a, octets);
	n = BN_bin2bn(octets, FP_OCTETS, NULL);
	ok = n && p && ctx && BN_mod_inverse(n, n, p, ctx) &&
	     BN_bn2binpad(n, octets, FP_OCTETS) == FP_OCTETS && fp_read(out, octets);
	BN_clear_free(n);
	BN_free(p);
	BN_CTX_free(ctx);
	wipe(octets, sizeof(octets));
	return ok ? 0 : -ENOMEM;
}

/* A random element that is not 0: of 2^1023 values, all below p. */
static int random_factor(struct fp *out)
{
	uint8_t octets[FP_OCTETS];
	bool ok = RAND_priv_bytes(octets, sizeof(octets)) == 1;

	octets[0] &= 0x7f;
	octets[FP_OCTETS - 1] |= 1;
	ok = ok && fp_read(out, octets);
	wipe(octets, sizeof(octets));
	return ok ? 0 : -EIO;
}

int fp_inverse(struct fp *out, const struct fp *a)
{
	struct fp factor, blinded;
	int err;

	if (fp_is_zero(a))
		return -EDOM;
	err = random_factor(&factor);
	if (err)
		return err;
	fp_mul(&blinded, a, &factor);
	err = inverse_blinded(&blinded, &blinded);
	if (!err)
		fp_mul(out, &blinded, &factor);
	wipe(&factor, sizeof(factor));
	wipe(&blinded, sizeof(blinded));
	return err;
}

/* Montgomery's trick: scratch[i] = a[0] ... a[i]. */
int fp_inverse_all(struct fp *a, size_t n, struct fp *scratch)
{
	struct fp inverse, t;
	int err;

	if (n == 0)
		return 0;
	scratch[0] = a[0];
	for (size_t i = 1; i < n; i++)
		fp_mul(&scratch[i], &scratch[i - 1], &a[i]);
	err = fp_inverse(&inverse, &scratch[n - 1]);
	if (err)
		return err;
	for (size_t i = n - 1; i > 0; i--) {
		fp_mul(&t, &inverse, &scratch[i - 1]);
		fp_mul(&inverse, &inverse, &a[i]);
		a[i] = t;
	}
	a[0] = inverse;
	return 0;
}

void fp_pow(struct fp *out, const struct fp *a, const uint64_t e[FP_LIMBS])
{
	struct fp result = fp_one, base = *a;

	for (size_t i = FP_BITS; i-- > 0;) {
		fp_sqr(&result, &result);
		if (e[i / 64] >> i % 64 & 1)
			fp_mul(&result, &result, &base);
	}
	*out = result;
}

/* (p + 1) / 4 is q. */
bool fp_sqrt(struct fp *out, const struct fp *a)
{
	struct fp root, square;

	fp_pow(&root, a, fp_order);
	fp_sqr(&square, &root);
	if (!fp_eq(&square, a))
		return false;
	*out = root;
	return true;
}

/* (a + b)(a - b) and 2 a b */
void fp2_sqr(struct fp2 *out, const struct fp2 *a)
{
	struct fp sum, difference, twice;

	fp_add(&sum, &a->re, &a->im);
	fp_sub(&difference, &a->re, &a->im);
	fp_add(&twice, &a->re, &a->re);
	fp_mul(&out->im, &twice, &a->im);
	fp_mul(&out->re, &sum, &difference);
}

void fp2_mul(struct fp2 *out, const struct fp2 *a, const struct fp2 *b)
{
	struct fp minus, re;

	fp_neg(&minus, &a->im);
	fp_mul_add(&re, &a->re, &b->re, &minus, &b->im);
	fp_mul_add(&out->im, &a->re, &b->im, &a->im, &b->re);
	out->re = re;
}
