/* peer.h - the domains that this one trusts (CMS manual, "Add a peer Domain").
 *
 * Their certificates go to all devices in the shared part of update files.
 */
#ifndef MANAGEMENT_PEER_H
#define MANAGEMENT_PEER_H

#include "keys/update.h"
#include "management/settings.h"

struct peer {
	char id[33];          /* hexadecimal */
	char fingerprint[65]; /* likewise; it begins with the id */
	struct update_domain domain;
	int64_t added; /* seconds, UTC */
};

/* Makes a peer of a certificate's octets: its points are checked and its id found.
 * Returns 0, or -EBADMSG, -EPROTONOSUPPORT, -EINVAL (no points of their curves),
 * -ENOMEM with diag set. */
int peer_read(struct slice certificate, struct peer *peer_out, struct diag *diag);

/* Trusts it from now on.  Returns 0, -EINVAL (it is the own domain), -EEXIST (of
 * that id or name), -ENOSPC (UPDATE_DOMAINS_MAX of them), -EIO with diag set. */
int peer_add(sqlite3 *db, const struct settings *own, const struct peer *peer, int64_t now_s,
	     struct diag *diag);

/* By name.  Returns 0, -ENOENT, -EIO with diag set. */
int peer_delete(sqlite3 *db, const char *name, struct diag *diag);

/* All by name: peer_next() gives 1 for each, 0 behind the last, -EIO; the caller
 * finalizes.  fingerprint is left empty. */
int peer_list(sqlite3 *db, sqlite3_stmt **rows_out, struct diag *diag);
/* The next peer of a listing; peer_out is valid for 1 only. */
int peer_next(sqlite3_stmt *rows, struct peer *peer_out, struct diag *diag);

#endif
