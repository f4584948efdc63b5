/* siv.c - AES-128-SIV (RFC 5297) from OpenSSL's AES, for one short text without additional data.
 *
 * OpenSSL has it whole, but looks CMAC and its ciphers up by name, and sets them up, for each text:
 * with the hello of every client that took as long as the rest of its way to a key.
 */
#include <errno.h>
#include <pthread.h>

#include <openssl/evp.h>

#include "keys/box.h"
#include "keys/secret.h"

enum { BLOCK = 16, KEY = SIV_KEY / 2 };

/* Found once, as in box.c. */
static pthread_once_t found = PTHREAD_ONCE_INIT;
static EVP_CIPHER *cbc, *ctr;

static void find(void)
{
	cbc = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
	ctr = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
}

static void add(uint8_t *to, const uint8_t p[BLOCK])
{
	for (size_t i = 0; i < BLOCK; i++)
		to[i] ^= p[i];
}

/* RFC 5297 2.3: times x in GF(2^128).  No branch, as it is done to secrets. */
static void twice(uint8_t b[BLOCK])
{
	uint8_t carry = (uint8_t) - (b[0] >> 7);

	for (size_t i = 0; i + 1 < BLOCK; i++)
		b[i] = (uint8_t)(b[i] << 1 | b[i + 1] >> 7);
	b[BLOCK - 1] = (uint8_t)(b[BLOCK - 1] << 1 ^ (carry & 0x87));
}

/* To whole blocks, by a 1 and zeros (RFC 4493 2.4, RFC 5297 2.1). */
static size_t pad(uint8_t *p, size_t n)
{
	size_t rest = BLOCK - n % BLOCK;

	memset(p + n, 0, rest);
	p[n] = 0x80;
	return n + rest;
}

/* CBC over n octets, whole blocks, from zeros on; p is overwritten, its last block is what CMAC is
 * made of. */
static bool chain(EVP_CIPHER_CTX *aes, uint8_t *p, size_t n)
{
	static const uint8_t zeros[BLOCK];
	int done;

	return EVP_EncryptInit_ex2(aes, NULL, NULL, zeros, NULL) == 1 &&
	       EVP_EncryptUpdate(aes, p, &done, p, (int)n) == 1;
}

/* RFC 5297 2.4: V = CMAC(text xorend CMAC(zero)); a text of less than a block is padded and added
 * to twice CMAC(zero).  aes has its key.  The masks of CMAC are those of RFC 4493 2.3. */
static bool v_of(EVP_CIPHER_CTX *aes, struct slice text, uint8_t v[BLOCK])
{
	uint8_t m[SIV_TEXT_MAX + BLOCK], mask[BLOCK] = { 0 }, zero[BLOCK];
	size_t n = text.n;
	bool ok = chain(aes, mask, BLOCK);

	twice(mask);
	memcpy(zero, mask, BLOCK);
	ok = ok && chain(aes, zero, BLOCK);
	memcpy(m, text.p, n);
	if (n < BLOCK) {
		twice(zero);
		n = pad(m, n);
	}
	add(m + n - BLOCK, zero);
	if (n % BLOCK) {
		twice(mask);
		n = pad(m, n);
	}
	add(m + n - BLOCK, mask);
	ok = ok && chain(aes, m, n);
	memcpy(v, m + n - BLOCK, BLOCK);
	wipe(m, n);
	wipe(mask, sizeof(mask));
	wipe(zero, sizeof(zero));
	return ok;
}

static bool make_v(const uint8_t key[KEY], struct slice text, uint8_t v[BLOCK])
{
	EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
	bool ok = aes && EVP_EncryptInit_ex2(aes, cbc, key, NULL, NULL) == 1 &&
		  EVP_CIPHER_CTX_set_padding(aes, 0) == 1 && v_of(aes, text, v);

	EVP_CIPHER_CTX_free(aes);
	return ok;
}

/* RFC 5297 2.5: CTR from V with two of its bits cleared; the same both ways. */
static bool count(const uint8_t key[KEY], const uint8_t v[BLOCK], struct slice in, uint8_t *out)
{
	EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
	uint8_t first[BLOCK];
	bool ok;
	int n;

	memcpy(first, v, BLOCK);
	first[8] &= 0x7f;
	first[12] &= 0x7f;
	ok = aes && EVP_EncryptInit_ex2(aes, ctr, key, first, NULL) == 1 &&
	     EVP_EncryptUpdate(aes, out, &n, in.p, (int)in.n) == 1;
	EVP_CIPHER_CTX_free(aes);
	return ok;
}

static bool ready(void)
{
	pthread_once(&found, find);
	return cbc && ctr;
}

/* V stands in front: it is the tag, too. */
int siv_seal(const uint8_t key[SIV_KEY], struct slice plain, uint8_t *out)
{
	bool ok = ready() && plain.n >= 1 && plain.n <= SIV_TEXT_MAX && make_v(key, plain, out) &&
		  count(key + KEY, out, plain, out + SIV_TAG);

	return ok ? 0 : -EIO;
}

int siv_open(const uint8_t key[SIV_KEY], struct slice sealed, uint8_t *out)
{
	struct slice text = slice_from(sealed, SIV_TAG);
	uint8_t v[BLOCK];
	int err = -EIO;

	if (sealed.n <= SIV_TAG || text.n > SIV_TEXT_MAX)
		return -EBADMSG;
	if (ready() && count(key + KEY, sealed.p, text, out) &&
	    make_v(key, slice_of(out, text.n), v))
		err = secret_eq(slice_of(v, BLOCK), slice_of(sealed.p, BLOCK)) ? 0 : -EBADMSG;
	/* It was decrypted before it had proved itself. */
	if (err)
		wipe(out, text.n);
	wipe(v, sizeof(v));
	return err;
}
