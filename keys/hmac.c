/* hmac.c - HMAC over two hashes of OpenSSL that are fetched once. */
#include "keys/hmac.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <openssl/evp.h>

#include "keys/secret.h"

enum { BLOCK = 64 }; /* octets that both hashes take at once: B of RFC 2104 */

/* The library's hashes, which never change once they are found: as it has one global context,
 * the program has one of each. */
static pthread_once_t found = PTHREAD_ONCE_INIT;
static EVP_MD *hashes[2];

static void find(void)
{
	hashes[HMAC_HASH_SHA256] = EVP_MD_fetch(NULL, "SHA256", NULL);
	hashes[HMAC_HASH_SHA1] = EVP_MD_fetch(NULL, "SHA1", NULL);
}

size_t hmac_size(enum hmac_hash hash)
{
	return hash == HMAC_HASH_SHA1 ? 20 : 32;
}

/* H(first || second) */
static bool digest(EVP_MD_CTX *ctx, const EVP_MD *md, struct slice first, struct slice second,
		   uint8_t *out)
{
	return EVP_DigestInit_ex(ctx, md, NULL) && EVP_DigestUpdate(ctx, first.p, first.n) &&
	       (!second.n || EVP_DigestUpdate(ctx, second.p, second.n)) &&
	       EVP_DigestFinal_ex(ctx, out, NULL);
}

/* RFC 2104 2: H(key ^ opad || H(key ^ ipad || data)). */
static bool nest(EVP_MD_CTX *ctx, enum hmac_hash hash, const uint8_t key[BLOCK], struct slice data,
		 uint8_t *out)
{
	uint8_t pad[BLOCK], inner[HMAC_SIZE_MAX];
	bool ok;

	for (size_t i = 0; i < BLOCK; i++)
		pad[i] = key[i] ^ 0x36;
	ok = digest(ctx, hashes[hash], slice_of(pad, BLOCK), data, inner);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] = key[i] ^ 0x5c;
	ok = ok &&
	     digest(ctx, hashes[hash], slice_of(pad, BLOCK), slice_of(inner, hmac_size(hash)), out);
	wipe(pad, sizeof(pad));
	wipe(inner, sizeof(inner));
	return ok;
}

int hmac(enum hmac_hash hash, struct slice key, struct slice data, uint8_t *out)
{
	uint8_t block[BLOCK] = { 0 };
	EVP_MD_CTX *ctx;
	bool ok;

	pthread_once(&found, find);
	ctx = hashes[hash] ? EVP_MD_CTX_new() : NULL;
	if (!ctx)
		return -ENOMEM;
	if (key.n > BLOCK) /* RFC 2104 3: a longer key is hashed first */
		ok = digest(ctx, hashes[hash], key, slice_of(NULL, 0), block);
	else
		ok = key.n == 0 || memcpy(block, key.p, key.n);
	ok = ok && nest(ctx, hash, block, data, out);
	EVP_MD_CTX_free(ctx);
	wipe(block, sizeof(block));
	return ok ? 0 : -ENOMEM;
}
