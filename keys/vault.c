/* vault.c - one random key under a passphrase, and secrets under that key.
 *
 *     lock: version, log2 N, salt, box(scrypt(passphrase, salt, N, r 8, p 1), the key)
 *
 * Another passphrase is another lock, and nothing that is sealed changes (vault_relock()).
 */
#include "keys/vault.h"

#include <errno.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "keys/kdf.h"
#include "keys/secret.h"

enum {
	LOCK_VERSION = 1,
	LOG_N = 17,     /* N = 131,072 */
	LOG_N_MAX = 22, /* 4 GiB: a lock from elsewhere must not ask for more */
	SALT_SIZE = 16,
	SALT_AT = 2,
	SEALED_AT = SALT_AT + SALT_SIZE,
	AAD_MAX = 512,
};

/* The key that the passphrase gives. */
static int stretch(struct slice passphrase, const uint8_t *salt, unsigned log_n,
		   uint8_t out[BOX_KEY])
{
	uint64_t n = UINT64_C(1) << log_n;

	if (EVP_PBE_scrypt((const char *)passphrase.p, passphrase.n, salt, SALT_SIZE, n, 8, 1,
			   n * 1024 + (16 << 20), out, BOX_KEY) != 1)
		return -ENOMEM;
	return 0;
}

/* Additional data of the sealed key: all of the lock before it. */
static struct slice lock_aad(const uint8_t *lock)
{
	return slice_of(lock, SEALED_AT);
}

int vault_relock(const struct vault *vault, struct slice passphrase,
		 uint8_t lock_out[VAULT_LOCK_SIZE])
{
	uint8_t key[BOX_KEY];
	int err;

	if (passphrase.n < VAULT_PASSPHRASE_MIN || passphrase.n > VAULT_PASSPHRASE_MAX)
		return -EINVAL;
	lock_out[0] = LOCK_VERSION;
	lock_out[1] = LOG_N;
	if (RAND_bytes(lock_out + SALT_AT, SALT_SIZE) != 1)
		return -EIO;
	err = stretch(passphrase, lock_out + SALT_AT, LOG_N, key);
	if (!err)
		err = box_seal(key, lock_aad(lock_out), slice_of(vault->key, sizeof(vault->key)),
			       lock_out + SEALED_AT);
	wipe(key, sizeof(key));
	return err;
}

int vault_make(struct slice passphrase, uint8_t lock_out[VAULT_LOCK_SIZE], struct vault *vault_out)
{
	if (RAND_priv_bytes(vault_out->key, sizeof(vault_out->key)) != 1)
		return -EIO;
	return vault_relock(vault_out, passphrase, lock_out);
}

int vault_open(struct slice passphrase, const uint8_t lock[VAULT_LOCK_SIZE],
	       struct vault *vault_out)
{
	uint8_t key[BOX_KEY];
	int err;

	if (lock[0] != LOCK_VERSION || lock[1] > LOG_N_MAX || lock[1] < 1)
		return -EPROTONOSUPPORT;
	if (passphrase.n > VAULT_PASSPHRASE_MAX)
		return -EACCES;
	err = stretch(passphrase, lock + SALT_AT, lock[1], key);
	if (!err)
		err = box_open(key, lock_aad(lock),
			       slice_of(lock + SEALED_AT, VAULT_LOCK_SIZE - SEALED_AT),
			       vault_out->key);
	wipe(key, sizeof(key));
	/* A damaged lock and a wrong passphrase look the same. */
	return err == -EBADMSG ? -EACCES : err;
}

void vault_wipe(struct vault *vault)
{
	wipe(vault, sizeof(*vault));
}

static struct slice aad_of(const char *kind, const char *name, struct buf *b)
{
	kdf_write(b, (const struct kdf_part[]){ kdf_text("cms"), kdf_text(kind), kdf_text(name) },
		  3);
	return buf_slice(b);
}

int vault_seal(const struct vault *vault, const char *kind, const char *name, struct slice plain,
	       uint8_t *out)
{
	uint8_t aad[AAD_MAX];
	struct buf b = BUF_OF(aad);

	return box_seal(vault->key, aad_of(kind, name, &b), plain, out);
}

int vault_unseal(const struct vault *vault, const char *kind, const char *name, struct slice sealed,
		 uint8_t *out)
{
	uint8_t aad[AAD_MAX];
	struct buf b = BUF_OF(aad);

	if (sealed.n < BOX_OVERHEAD)
		return -EBADMSG;
	return box_open(vault->key, aad_of(kind, name, &b), sealed, out);
}
