/* admin_set.h - the keys by which remote administrators log in, as one object that a
 * reload replaces by another.
 *
 * Threads: immutable once loaded; any may read.
 */
#ifndef RENDEZVOUS_ADMIN_SET_H
#define RENDEZVOUS_ADMIN_SET_H

#include <stdbool.h>

#include "keys/account.h"

struct admin_set;
struct diag;

/* Loads every administrator of the folder (admins.h).  What is wrong with one is told in
 * diag and leaves that one out.  Returns 0 or -errno. */
int admin_set_load(const char *dir, struct admin_set **set_out, struct diag *diag);
/* Wipes the keys and frees *setp; *setp may be NULL. */
void admin_set_free(struct admin_set **setp);

/* Is there an administrator of that name? */
bool admin_set_has(const struct admin_set *set, const char *name);

/* The key of this administrator; of nobody a random one, and false. */
bool admin_set_psk(const struct admin_set *set, const char *name,
		   uint8_t psk_out[ACCOUNT_PSK_SIZE]);

#endif
