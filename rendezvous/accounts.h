/* accounts.h - the accounts on disk: a folder each, accounts/ID/.
 *
 *	secret      the shared secret as the administrator gave it, a line, 0600
 *	blacklist   a URI a line; may be missing
 *	statistics  empty; there while statistics are kept
 *	update-notification  empty; there while clients are told of new updates
 *	floors      what the account's users may not fall behind (roster.h)
 *	YYYY-MM.upd applied updates, their index opened
 *
 * Source: CRS manual 4.2 to 4.4, 4.22 and 5.4.  Every function takes the path of
 * the accounts folder.  A diag (which may be NULL) says what was wrong.
 */
#ifndef RENDEZVOUS_ACCOUNTS_H
#define RENDEZVOUS_ACCOUNTS_H

#include <stddef.h>

#include "base/slice.h"

struct diag;

enum {
	ACCOUNTS_SECRET_TEXT = 1024, /* octets of a secret as text; our limit */
	ACCOUNTS_SECRET_BYTES_DEFAULT = 16,
	ACCOUNTS_SECRET_BYTES_MAX = 256,
	ACCOUNTS_PATH = 512,
};

/* Writes accounts/ID/NAME (NAME NULL: the folder).  Returns 0 or -ENAMETOOLONG. */
int accounts_path(const char *dir, const char *id, const char *name, char out[ACCOUNTS_PATH]);

/* Random octets as base64: text_out holds BASE64_TEXT_SIZE(bytes).  Returns 0,
 * -EINVAL for fewer than 16 (an attacker could try all) or more than
 * ACCOUNTS_SECRET_BYTES_MAX, or -EIO. */
int accounts_make_secret(size_t bytes, char *text_out, size_t cap);

/* Makes the account's folder with its secret: after a crash both are there or none.  Returns 0,
 * -EINVAL (id or secret), -EEXIST, or -errno. */
int accounts_create(const char *dir, const char *id, struct slice secret, struct diag *diag);

/* Removes the folder and all in it: after a crash the account is there whole, or not at all.
 * What cannot be removed of an account that is gone is warned of.  Returns 0, -EINVAL, -ENOENT or
 * -errno. */
int accounts_delete(const char *dir, const char *id, struct diag *diag);

/* Removes what a crash left of accounts that were being made or deleted, each with a warning.
 * To be called when nobody else makes or deletes one: at the start. */
void accounts_tidy(const char *dir, struct diag *diag);

/* The secret's text, without its newline.  Returns 0, -ENOENT or -errno; wipe it. */
int accounts_read_secret(const char *dir, const char *id, char out[ACCOUNTS_SECRET_TEXT],
			 struct diag *diag);

/* The ids of all accounts in the order of their names: a malloc'd array of malloc'd
 * texts (accounts_list_free).  Folders whose name is no account id are warned of.
 * Returns 0 or -errno. */
int accounts_list(const char *dir, char ***ids_out, size_t *count_out, struct diag *diag);
/* Frees the ids and the array, and sets *idsp to NULL. */
void accounts_list_free(char ***idsp, size_t count);

/* Rewrites the blacklist with uri added or taken off.  Returns 0, -EEXIST or -ENOENT
 * (nothing to do), -EINVAL (uri) or -errno. */
int accounts_blacklist(const char *dir, const char *id, const char *uri, bool add,
		       struct diag *diag);

/* What an operator switches on and off for an account; off unless it was switched on. */
enum account_mark {
	ACCOUNT_MARK_STATISTICS,
	ACCOUNT_MARK_UPDATE_NOTIFICATION, /* clients hear of an update when it is applied */
};

/* Also false where the account's folder cannot be read. */
bool accounts_have_mark(const char *dir, const char *id, enum account_mark mark);
/* Returns 0 (also where nothing changed), -EINVAL, -ENOENT (no such account) or -errno. */
int accounts_set_mark(const char *dir, const char *id, enum account_mark mark, bool on,
		      struct diag *diag);

/* The blacklist's text, "" when there is none; the caller frees. */
int accounts_read_blacklist(const char *dir, const char *id, char **text_out);

#endif
