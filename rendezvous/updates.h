/* updates.h - the applied updates of all accounts, this month's and later ones,
 * as clients fetch their entries of them.
 *
 * Threads: immutable once loaded.
 */
#ifndef RENDEZVOUS_UPDATES_H
#define RENDEZVOUS_UPDATES_H

#include "base/slice.h"

struct account_set;
struct diag;
struct update;
struct updates;

enum { UPDATES_NAME_SIZE = 12 }; /* "YYYY-MM.upd" */

/* Opens every accounts/ID/YYYY-MM.upd from this month on (mapped, not read).  What is
 * wrong with one file is told in diag and leaves that file out.  Returns 0 or
 * -ENOMEM. */
int updates_load(const char *accounts_dir, const struct account_set *accounts, int64_t now_s,
		 struct updates **updates_out, struct diag *diag);
/* Unmaps the files and frees *updatesp; *updatesp may be NULL. */
void updates_free(struct updates **updatesp);

/* The account's update of a month (period.h), or NULL. */
const struct update *updates_find(const struct updates *updates, const char *account,
				  int64_t month);

/* The id of the account's security domain (16 octets), as its update of month or of the next
 * one says it; NULL where none does. */
const uint8_t *updates_domain_id(const struct updates *updates, const char *account, int64_t month);

/* Every update of every account in the order of loading; NULL behind the last. */
const struct update *updates_at(const struct updates *updates, size_t i, const char **account_out);

#endif
