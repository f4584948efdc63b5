/* secret.c - small secrets: wiped by OpenSSL's cleanse, compared in constant time. */
#include "keys/secret.h"

#include <errno.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

void wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}

int secret_set(struct secret *s, struct slice octets)
{
	secret_wipe(s);
	if (octets.n > SECRET_MAX)
		return -EMSGSIZE;
	if (octets.n)
		memcpy(s->p, octets.p, octets.n);
	s->n = octets.n;
	return 0;
}

int secret_random(struct secret *s, size_t n)
{
	secret_wipe(s);
	if (n > SECRET_MAX || RAND_priv_bytes(s->p, (int)n) != 1)
		return -EIO;
	s->n = n;
	return 0;
}

void secret_wipe(struct secret *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
}

bool secret_eq(struct slice a, struct slice b)
{
	return a.n == b.n && CRYPTO_memcmp(a.p, b.p, a.n) == 0;
}
