/* account_set.h - the secrets of all accounts and their applied updates, as one
 * object that a reload replaces by another.
 *
 * Threads: immutable once loaded; any may read.
 */
#ifndef RENDEZVOUS_ACCOUNT_SET_H
#define RENDEZVOUS_ACCOUNT_SET_H

#include "base/slice.h"
#include "keys/account.h"

struct account_set;
struct diag;
struct update;

/* Loads every account of the folder.  A secret whose text did not change is taken
 * from the set before (may be NULL), because stretching a text takes time.  What is
 * wrong with one account is told in diag and leaves that account out, not the
 * others; one of the set before whose secret is there and cannot be read stays as it was.
 * Returns 0 or -errno (the folder cannot be read, no memory). */
int account_set_load(const char *dir, const struct account_set *before,
		     struct account_set **set_out, struct diag *diag);
/* Wipes the secrets and frees *setp; *setp may be NULL. */
void account_set_free(struct account_set **setp);

/* How many accounts are in it. */
size_t account_set_count(const struct account_set *set);
/* The id of account i < account_set_count(), in the order of names. */
const char *account_set_id(const struct account_set *set, size_t i);

/* Are statistics of this account's users kept? */
bool account_set_has_statistics(const struct account_set *set, const char *id);
/* Are this account's clients told of an update when it is applied? */
bool account_set_notifies(const struct account_set *set, const char *id);

/* The account's secret; nobody's, which opens nothing, where there is no such account. */
const struct account_secret *account_set_secret(const struct account_set *set, const char *id,
						bool *known_out);

#endif
