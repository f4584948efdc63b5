/* box.c - AES-GCM and AES-SIV of OpenSSL, with one error for whatever does not open. */
#include "keys/box.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "keys/secret.h"

/* OpenSSL's ciphers, which never change once they are found: looking them up by name each time
 * takes longer than sealing a short message.  As it has one global context, the program has one
 * of each. */
static pthread_once_t found = PTHREAD_ONCE_INIT;
static EVP_CIPHER *gcm128, *gcm256;

static void find(void)
{
	gcm128 = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	gcm256 = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

/* NULL: the library has none, and refuses it below. */
static const EVP_CIPHER *cipher_of(size_t key_octets)
{
	pthread_once(&found, find);
	return key_octets == GCM128_KEY ? gcm128 : gcm256;
}

/* Lengths are int in OpenSSL. */
static bool too_long(struct slice s)
{
	return s.n > INT_MAX - BOX_OVERHEAD;
}

/* NIST SP 800-38D with nonces of 96 bits.  Empty parts are not
 * handed on: their place may be NULL. */
static bool gcm_encrypt(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, const uint8_t *key,
			const uint8_t *nonce, struct slice aad, struct slice plain, uint8_t *out)
{
	uint8_t last[1];
	int n = 0;

	return EVP_EncryptInit_ex2(ctx, cipher, key, nonce, NULL) &&
	       (!aad.n || EVP_EncryptUpdate(ctx, NULL, &n, aad.p, (int)aad.n)) &&
	       (!plain.n || EVP_EncryptUpdate(ctx, out, &n, plain.p, (int)plain.n)) &&
	       EVP_EncryptFinal_ex(ctx, last, &n) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, BOX_TAG, out + plain.n);
}

static int gcm_seal(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *nonce,
		    struct slice aad, struct slice plain, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = ctx && cipher && !too_long(aad) && !too_long(plain) &&
		  gcm_encrypt(ctx, cipher, key, nonce, aad, plain, out);

	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : -EIO;
}

/* Returns 0, -EBADMSG, or -EIO when the library failed before the tag was looked at. */
static int gcm_decrypt(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, const uint8_t *key,
		       const uint8_t *nonce, struct slice aad, struct slice sealed, uint8_t *out)
{
	size_t len = sealed.n - BOX_TAG;
	uint8_t tag[BOX_TAG], last[1];
	int n = 0;

	memcpy(tag, sealed.p + len, BOX_TAG);
	if (!EVP_DecryptInit_ex2(ctx, cipher, key, nonce, NULL) ||
	    (aad.n && !EVP_DecryptUpdate(ctx, NULL, &n, aad.p, (int)aad.n)) ||
	    (len && !EVP_DecryptUpdate(ctx, out, &n, sealed.p, (int)len)) ||
	    !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, BOX_TAG, tag))
		return -EIO;
	return EVP_DecryptFinal_ex(ctx, last, &n) > 0 ? 0 : -EBADMSG;
}

/* GCM decrypts before it has seen the tag: what did not prove itself is wiped. */
static int gcm_open(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *nonce,
		    struct slice aad, struct slice sealed, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx;
	int err;

	if (sealed.n < BOX_TAG || too_long(aad) || too_long(sealed))
		return -EBADMSG;
	ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;
	err = ctx ? gcm_decrypt(ctx, cipher, key, nonce, aad, sealed, out) : -EIO;
	EVP_CIPHER_CTX_free(ctx);
	if (err)
		wipe(out, sealed.n - BOX_TAG);
	return err;
}

/* The nonce stands in front of the box; random ones, as a key seals far less than 2^32. */
int box_seal(const uint8_t key[BOX_KEY], struct slice aad, struct slice plain, uint8_t *out)
{
	if (RAND_bytes(out, BOX_NONCE) != 1)
		return -EIO;
	return gcm_seal(cipher_of(BOX_KEY), key, out, aad, plain, out + BOX_NONCE);
}

int box_open(const uint8_t key[BOX_KEY], struct slice aad, struct slice box, uint8_t *out)
{
	if (box.n < BOX_OVERHEAD)
		return -EBADMSG;
	return gcm_open(cipher_of(BOX_KEY), key, box.p, aad, slice_from(box, BOX_NONCE), out);
}

int box_seal_nonce(const uint8_t key[BOX_KEY], const uint8_t nonce[BOX_NONCE], struct slice aad,
		   struct slice plain, uint8_t *out)
{
	return gcm_seal(cipher_of(BOX_KEY), key, nonce, aad, plain, out);
}

int box_open_nonce(const uint8_t key[BOX_KEY], const uint8_t nonce[BOX_NONCE], struct slice aad,
		   struct slice sealed, uint8_t *out)
{
	return gcm_open(cipher_of(BOX_KEY), key, nonce, aad, sealed, out);
}

int gcm128_seal(const uint8_t key[GCM128_KEY], const uint8_t nonce[BOX_NONCE], struct slice aad,
		struct slice plain, uint8_t *out)
{
	return gcm_seal(cipher_of(GCM128_KEY), key, nonce, aad, plain, out);
}

int gcm128_open(const uint8_t key[GCM128_KEY], const uint8_t nonce[BOX_NONCE], struct slice aad,
		struct slice sealed, uint8_t *out)
{
	return gcm_open(cipher_of(GCM128_KEY), key, nonce, aad, sealed, out);
}

/* RFC 5297 without additional data: the same text gives the same octets, which is what the
 * TLS identities want.  V, the tag, stands in front. */
static bool siv_encrypt(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, const uint8_t *key,
			struct slice plain, uint8_t *out)
{
	int n = 0;

	return EVP_EncryptInit_ex2(ctx, cipher, key, NULL, NULL) &&
	       EVP_EncryptUpdate(ctx, out + SIV_TAG, &n, plain.p, (int)plain.n) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SIV_TAG, out);
}

int siv_seal(const uint8_t key[SIV_KEY], struct slice plain, uint8_t *out)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-SIV", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = cipher && ctx && plain.n && !too_long(plain) &&
		  siv_encrypt(ctx, cipher, key, plain, out);

	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return ok ? 0 : -EIO;
}

/* OpenSSL wants the tag before the text, and looks at it at once. */
static int siv_decrypt(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, const uint8_t *key,
		       struct slice sealed, uint8_t *out)
{
	uint8_t tag[SIV_TAG];
	int n = 0;

	memcpy(tag, sealed.p, SIV_TAG);
	if (!EVP_DecryptInit_ex2(ctx, cipher, key, NULL, NULL) ||
	    !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SIV_TAG, tag))
		return -EIO;
	if (EVP_DecryptUpdate(ctx, out, &n, sealed.p + SIV_TAG, (int)(sealed.n - SIV_TAG)) <= 0)
		return -EBADMSG;
	return 0;
}

int siv_open(const uint8_t key[SIV_KEY], struct slice sealed, uint8_t *out)
{
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx;
	int err;

	if (sealed.n <= SIV_TAG || too_long(sealed))
		return -EBADMSG;
	cipher = EVP_CIPHER_fetch(NULL, "AES-128-SIV", NULL);
	ctx = EVP_CIPHER_CTX_new();
	err = cipher && ctx ? siv_decrypt(ctx, cipher, key, sealed, out) : -EIO;
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	if (err)
		wipe(out, sealed.n - SIV_TAG);
	return err;
}
