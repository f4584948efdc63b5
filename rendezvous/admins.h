/* admins.h - remote administrators on disk: data/admins/NAME.json, a file each, 0600.
 *
 *	{ "secret": "...", "accounts": { "ACCOUNT": ["statistics", "update"] } }
 *
 * A new administrator has access to no account, and access to an account authorizes
 * for nothing by itself.  Source: CRS manual 4.9 and 5.4.  Every function takes the
 * folder; a diag (which may be NULL) says what was wrong.
 */
#ifndef RENDEZVOUS_ADMINS_H
#define RENDEZVOUS_ADMINS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/slice.h"

struct diag;

enum { ADMINS_NAME_MAX = 20, ADMINS_SECRET_BYTES = 16, ADMINS_SECRET_TEXT = 32 };

/* What an administrator may do with an account. */
enum admin_authorization { ADMIN_UPDATE, ADMIN_STATISTICS, ADMIN_AUTHORIZATION_COUNT };
/* "update", "statistics" */
const char *admin_authorization_name(enum admin_authorization authorization);

/* 1 to 20 of a-z, A-Z, 0-9, - and _. */
bool admins_name_valid(struct slice name);

/* Makes an administrator; *secret_out is the generated secret.  Returns 0, -EINVAL (name),
 * -EEXIST or -errno. */
int admins_create(const char *dir, const char *name, char secret_out[ADMINS_SECRET_TEXT],
		  struct diag *diag);
/* Returns 0, -ENOENT or -errno; so do the following, and -EINVAL for a name, account id or
 * authorization that cannot be, -EEXIST for what is so already. */
int admins_delete(const char *dir, const char *name, struct diag *diag);

/* Gives or takes access to an account; with it go its authorizations. */
int admins_set_account(const char *dir, const char *name, const char *account, bool access,
		       struct diag *diag);
/* Allows an action on an account to which the administrator has access, or forbids it. */
int admins_authorize(const char *dir, const char *name, const char *account,
		     const char *authorization, bool allow, struct diag *diag);

/* The whole of an administrator as in its file, with "name" added; the caller owns it.
 * Returns 0, -ENOENT, -EBADMSG or -errno. */
int admins_read(const char *dir, const char *name, json_t **admin_out, struct diag *diag);

/* All of them in the order of names. */
int admins_list(const char *dir, json_t **list_out, struct diag *diag);

/* May this administrator do that with the account? */
bool admins_may(const char *dir, const char *name, const char *account,
		enum admin_authorization authorization);

#endif
