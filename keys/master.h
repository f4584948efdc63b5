/* master.h - what a key management server holds: KSAK and KPAK of ECCSI
 * (RFC 6507 4.2), z and Z of SAKKE (RFC 6508 2.2); whoever has it can sign and
 * read for everybody in the domain.
 *
 * Threads: immutable once made.
 */
#ifndef KEYS_MASTER_H
#define KEYS_MASTER_H

#include "base/slice.h"
#include "keys/issued.h"

struct curves;
struct domain;
struct master;

enum { MASTER_OCTETS = 1 + 32 + 128 };

/* Makes new secrets.  The curves must live longer.  Returns 0, -ENOMEM, or -EIO
 * (no randomness). */
int master_generate(const struct curves *curves, struct master **master_out);

/* Reads what master_write() wrote.  Returns 0, -EINVAL, or -ENOMEM. */
int master_read(const struct curves *curves, struct slice octets, struct master **master_out);

/* Version 1, KSAK (32), z (128): secret, to be sealed at once and wiped. */
void master_write(const struct master *master, uint8_t out[MASTER_OCTETS]);

/* Wipes the secrets, frees *masterp and sets it to NULL; *masterp may be NULL. */
void master_free(struct master **masterp);

/* The public half of KSAK, as long as the master. */
const uint8_t *master_kpak(const struct master *master); /* 65 octets */
/* The public half of the master secret z_T, as long as the master. */
const uint8_t *master_z(const struct master *master); /* 257 octets: the public Z */

/* Issues the keys of uri for a month (RFC 6507 5.1.1, RFC 6508 6.1.1); a channel
 * (urn:uuid:) gets a receiver key only.  Some 1 ms.  The SSK and PVT are new at
 * each call, the RSK is always the same.  The caller wipes keys_out.
 * Returns 0, -EINVAL (uri or month), -ENOMEM, or -EIO. */
int master_issue(const struct master *master, struct slice uri, int64_t month,
		 struct issued_keys *keys_out);

/* The same for any domain of this master, hashed identifiers included. */
int master_issue_in(const struct master *master, const struct domain *domain, struct slice uri,
		    int64_t period, struct issued_keys *keys_out);

#endif
