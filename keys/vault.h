/* vault.h - seals secrets under a passphrase: those of the key manager, and the key of an
 * encrypted backup of the rendezvous.
 *
 * The passphrase opens one random key (scrypt, AES-256-GCM); that key seals every
 * secret in the key manager's database, each bound to its name, so that none can be put in
 * another's place.
 */
#ifndef KEYS_VAULT_H
#define KEYS_VAULT_H

#include "keys/box.h"

enum {
	VAULT_LOCK_SIZE = 1 + 1 + 16 + 32 + BOX_OVERHEAD,
	VAULT_PASSPHRASE_MIN = 8, /* octets */
	VAULT_PASSPHRASE_MAX = 1024,
};

struct vault {
	uint8_t key[BOX_KEY];
};

/* Makes a new vault; lock_out is what to keep: version, log2 of scrypt's N, salt,
 * the key sealed.  Takes some 0.3 s and 128 MiB, as vault_open() does.
 * Returns 0, -EINVAL (a passphrase of a length not allowed), -ENOMEM, -EIO. */
int vault_make(struct slice passphrase, uint8_t lock_out[VAULT_LOCK_SIZE], struct vault *vault_out);

/* Returns 0, -EACCES (another passphrase, or the lock is damaged), -EPROTONOSUPPORT,
 * -ENOMEM, -EIO. */
int vault_open(struct slice passphrase, const uint8_t lock[VAULT_LOCK_SIZE],
	       struct vault *vault_out);

/* Another lock, for another passphrase; what is sealed stays.  Returns as
 * vault_make(). */
int vault_relock(const struct vault *vault, struct slice passphrase,
		 uint8_t lock_out[VAULT_LOCK_SIZE]);

/* Overwrites the key that the passphrase gave. */
void vault_wipe(struct vault *vault);

/* out receives plain.n + BOX_OVERHEAD octets.  kind and name say what it is of:
 * "update key", "tel:+46...".  Returns 0 or -EIO. */
int vault_seal(const struct vault *vault, const char *kind, const char *name, struct slice plain,
	       uint8_t *out);

/* out receives sealed.n - BOX_OVERHEAD octets.  Returns 0, -EBADMSG, -EIO. */
int vault_unseal(const struct vault *vault, const char *kind, const char *name, struct slice sealed,
		 uint8_t *out);

#endif
