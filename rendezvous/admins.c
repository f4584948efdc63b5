/* admins.c - remote administrators on disk.
 *
 * A change reads the whole file, alters it and replaces it atomically; the processes that read
 * meanwhile see the one or the other. Only the supervisor changes anything, one request after
 * the other, so that there is no lock.
 */
#include "rendezvous/admins.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/file.h"
#include "keys/account.h"
#include "rendezvous/accounts.h"

/* Octets of one file: far above what access to every account takes. */
enum { FILE_MAX = 1 << 20 };

static const char suffix[] = ".json";

const char *admin_authorization_name(enum admin_authorization authorization)
{
	static const char *const names[] = {
		[ADMIN_UPDATE] = "update", [ADMIN_STATISTICS] = "statistics"
	};

	return names[authorization];
}

static bool is_authorization(const char *name)
{
	for (int i = 0; i < ADMIN_AUTHORIZATION_COUNT; i++) {
		if (strcmp(name, admin_authorization_name((enum admin_authorization)i)) == 0)
			return true;
	}
	return false;
}

/* The manual's rule is that of account ids. */
bool admins_name_valid(struct slice name)
{
	return name.n <= ADMINS_NAME_MAX && account_id_valid(name);
}

static int check_name(const char *name, struct diag *diag)
{
	if (admins_name_valid(slice_str(name)))
		return 0;
	diag_error(diag, NULL,
		   "admin \"%s\": expected 1 to %d of the characters a-z, A-Z, 0-9, - and _", name,
		   ADMINS_NAME_MAX);
	return -EINVAL;
}

static int path_of(const char *dir, const char *name, char out[PATH_MAX])
{
	struct buf b = buf_over(out, PATH_MAX);

	buf_printf(&b, "%s/%s%s", dir, name, suffix);
	return buf_ok(&b) ? 0 : -ENAMETOOLONG;
}

static int write_admin(const char *dir, const char *name, const json_t *admin, struct diag *diag)
{
	char path[PATH_MAX], *text = json_dumps(admin, JSON_INDENT(2) | JSON_SORT_KEYS);
	int err = text ? path_of(dir, name, path) : -ENOMEM;

	if (!err)
		err = file_write_atomic(path, 0600, slice_str(text));
	if (err)
		diag_error(diag, NULL, "cannot write admin %s: %s", name, strerror(-err));
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
	return err;
}

/* The file may have been edited by hand. What is used without another look below is checked
 * here: a secret, and lists of authorizations. */
static bool well_formed(const json_t *admin)
{
	const json_t *accounts = json_object_get(admin, "accounts"), *list;
	const char *id;

	if (!json_is_string(json_object_get(admin, "secret")) || !json_is_object(accounts))
		return false;
	json_object_foreach((json_t *)(uintptr_t)accounts, id, list)
	{
		if (!json_is_array(list))
			return false;
	}
	return true;
}

int admins_read(const char *dir, const char *name, json_t **admin_out, struct diag *diag)
{
	char path[PATH_MAX];
	uint8_t *text = NULL;
	size_t n = 0;
	json_t *admin;
	int err = check_name(name, diag);

	if (!err)
		err = path_of(dir, name, path);
	if (!err)
		err = file_read(path, FILE_MAX, &text, &n);
	if (err == -ENOENT)
		diag_error(diag, NULL, "there is no admin %s", name);
	if (err)
		return err;
	/* No reason is asked for: jansson's message quotes what it could not read, which may be
	 * the secret. */
	admin = json_loadb((const char *)text, n, 0, NULL);
	OPENSSL_cleanse(text, n);
	free(text);
	if (!admin || !well_formed(admin)) {
		json_decref(admin);
		diag_error(diag, NULL, "%s is damaged: delete the admin and create it anew", path);
		return -EBADMSG;
	}
	json_object_set_new(admin, "name", json_string(name));
	*admin_out = admin;
	return 0;
}

int admins_create(const char *dir, const char *name, char secret_out[ADMINS_SECRET_TEXT],
		  struct diag *diag)
{
	char path[PATH_MAX];
	json_t *admin;
	int err = check_name(name, diag);

	if (!err)
		err = path_of(dir, name, path);
	if (!err && access(path, F_OK) == 0) {
		diag_error(diag, NULL, "admin %s exists already", name);
		err = -EEXIST;
	}
	if (!err)
		/* With the first administrator: an instance without any has no such folder. */
		err = file_mkdirs(dir, 0700);
	if (!err)
		err = accounts_make_secret(ADMINS_SECRET_BYTES, secret_out, ADMINS_SECRET_TEXT);
	if (err)
		return err;
	admin = json_pack("{s:s, s:{}}", "secret", secret_out, "accounts");
	err = admin ? write_admin(dir, name, admin, diag) : -ENOMEM;
	json_decref(admin);
	return err;
}

int admins_delete(const char *dir, const char *name, struct diag *diag)
{
	char path[PATH_MAX];
	int err = check_name(name, diag);

	if (!err)
		err = path_of(dir, name, path);
	if (!err && unlink(path))
		err = -errno;
	if (!err)
		return file_sync_parent(path);
	if (err == -ENOENT)
		diag_error(diag, NULL, "there is no admin %s", name);
	return err;
}

/* Is the authorization in the list?  Its index, or -1. */
static int find(const json_t *list, const char *authorization)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (json_is_string(item) && strcmp(json_string_value(item), authorization) == 0)
			return (int)i;
	}
	return -1;
}

int admins_set_account(const char *dir, const char *name, const char *account, bool access,
		       struct diag *diag)
{
	json_t *admin = NULL, *accounts;
	int err = admins_read(dir, name, &admin, diag);

	if (err)
		return err;
	accounts = json_object_get(admin, "accounts");
	if ((json_object_get(accounts, account) != NULL) == access) {
		diag_error(diag, NULL, "admin %s has %s access to %s", name,
			   access ? "already" : "no", account);
		err = access ? -EEXIST : -ENOENT;
	} else if (access) {
		/* With no authorization: access shows the account, and each act is allowed by
		 * itself. */
		json_object_set_new(accounts, account, json_array());
	} else {
		json_object_del(accounts, account);
	}
	if (!err)
		err = write_admin(dir, name, admin, diag);
	json_decref(admin);
	return err;
}

int admins_authorize(const char *dir, const char *name, const char *account,
		     const char *authorization, bool allow, struct diag *diag)
{
	json_t *admin = NULL, *list;
	int err = is_authorization(authorization) ? 0 : -EINVAL, at;

	if (err) {
		diag_error(diag, NULL, "authorization \"%s\": expected update or statistics",
			   authorization);
		return err;
	}
	err = admins_read(dir, name, &admin, diag);
	if (err)
		return err;
	/* jansson takes NULL for an object: without the account the list is NULL. */
	list = json_object_get(json_object_get(admin, "accounts"), account);
	at = find(list, authorization);
	if (!list) {
		diag_error(diag, NULL, "admin %s has no access to %s: add admin-account first",
			   name, account);
		err = -ENOENT;
	} else if ((at >= 0) == allow) {
		diag_error(diag, NULL, "admin %s has %s the authorization %s on %s", name,
			   allow ? "already" : "not", authorization, account);
		err = allow ? -EEXIST : -ENOENT;
	} else if (allow) {
		json_array_append_new(list, json_string(authorization));
	} else {
		json_array_remove(list, (size_t)at);
	}
	if (!err)
		err = write_admin(dir, name, admin, diag);
	json_decref(admin);
	return err;
}

/* Temporary files of an atomic write, and whatever a person put there, are passed over. */
static int is_admin_file(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name), m = strlen(suffix);

	return n > m && strcmp(entry->d_name + n - m, suffix) == 0 &&
	       admins_name_valid(slice_of(entry->d_name, n - m));
}

int admins_list(const char *dir, json_t **list_out, struct diag *diag)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_admin_file, alphasort), err = n < 0 ? -errno : 0;
	json_t *list = json_array();

	for (int i = 0; i < n; i++) {
		json_t *admin = NULL;

		entries[i]->d_name[strlen(entries[i]->d_name) - strlen(suffix)] = '\0';
		if (!err && admins_read(dir, entries[i]->d_name, &admin, diag) == 0)
			json_array_append_new(list, admin);
		free(entries[i]);
	}
	free(entries);
	if (err && err != -ENOENT) { /* no folder: nobody was created yet */
		json_decref(list);
		diag_error(diag, NULL, "%s: %s", dir, strerror(-err));
		return err;
	}
	*list_out = list;
	return 0;
}

bool admins_may(const char *dir, const char *name, const char *account,
		enum admin_authorization authorization)
{
	json_t *admin = NULL;
	bool may;

	/* Read at each question: what the administrator changes counts at once. */
	if (admins_read(dir, name, &admin, NULL))
		return false;
	may = find(json_object_get(json_object_get(admin, "accounts"), account),
		   admin_authorization_name(authorization)) >= 0;
	json_decref(admin);
	return may;
}
