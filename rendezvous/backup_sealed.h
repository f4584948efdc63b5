/* backup_sealed.h - an octet stream sealed under a passphrase, for backups that hold secrets.
 *
 * Form: "crs" 00 "bak", the version (1), a lock as keys/vault.h makes it (the
 * passphrase by scrypt opens a random key that is this file's alone), then chunks:
 *
 *	word (4 octets: octets of plain text; bit 31 marks the last chunk), AES-256-GCM box
 *
 * Each box covers magic, version, the chunk's number and its word: no chunk can be changed,
 * left out, moved, or taken for the end.  All but the last hold BACKUP_CHUNK octets.
 * No tar archive begins so: its first field is a name that is filled up with zeros.
 */
#ifndef RENDEZVOUS_BACKUP_SEALED_H
#define RENDEZVOUS_BACKUP_SEALED_H

#include <stdbool.h>

#include "base/slice.h"
#include "keys/vault.h"

struct diag;

enum {
	BACKUP_CHUNK = 64 * 1024,
	BACKUP_MAGIC = 7,
	BACKUP_HEAD = BACKUP_MAGIC + 1 + VAULT_LOCK_SIZE,
	BACKUP_WORD = 4,
};

/* Does the file at fd begin as a sealed one, of whatever version?  Its place stays.  Returns 0 or
 * -errno. */
int backup_is_sealed(int fd, bool *sealed_out);

struct backup_sealer;
/* Begins a sealed stream in fd, which the caller keeps and closes behind backup_sealer_free().
 * Takes some 0.3 s and 128 MiB.  Returns 0, -EINVAL (a passphrase of a length not
 * allowed, see VAULT_PASSPHRASE_MIN), -ENOMEM or -errno. */
int backup_sealer_new(int fd, struct slice passphrase, struct backup_sealer **sealer_out);

/* Appends octets.  Returns 0 or -errno; then the file is not to be kept. */
int backup_sealer_put(struct backup_sealer *sealer, struct slice octets);

/* Writes the last chunk; nothing may follow it.  Returns as backup_sealer_put(). */
int backup_sealer_end(struct backup_sealer *sealer);

/* Overwrites the key; *sealerp may be NULL. */
void backup_sealer_free(struct backup_sealer **sealerp);

struct backup_opener;
/* Opens what stands at fd, from its present place on; fd stays the caller's, and it, the name of
 * the file and diag live as long as the opener.  Takes as long as
 * backup_sealer_new(); a head that asks for more than twice its memory is refused.  Returns
 * 0, -EACCES (another passphrase, or the head is damaged), -EBADMSG (not sealed, or cut off),
 * -EPROTONOSUPPORT (of a later version), -ENOMEM or -errno, with diag set. */
int backup_opener_new(int fd, const char *file, struct slice passphrase, struct diag *diag,
		      struct backup_opener **opener_out);

/* The next octets, which live until the next call; none (n 0) behind the last chunk, when
 * the file has ended there, too.  Returns 0, -EBADMSG (damaged or cut off) or -errno, with
 * diag set. */
int backup_opener_next(struct backup_opener *opener, struct slice *octets_out);

/* Overwrites the key and what was read; *openerp may be NULL. */
void backup_opener_free(struct backup_opener **openerp);

#endif
