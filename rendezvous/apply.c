/* apply.c - checks update files and puts them into accounts' folders.
 *
 * A file says in clear for no account what it is for: only the secret that opens it does. So the
 * secrets are tried one after the other, and a file that none opens is of no account here. What
 * lies in a folder has its index opened, so that workers find a user's part without the
 * account's secret.
 */
#include "rendezvous/apply.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "keys/period.h"
#include "keys/update.h"
#include "rendezvous/account_set.h"
#include "rendezvous/accounts.h"
#include "rendezvous/floors.h"
#include "rendezvous/roster.h"
#include "rendezvous/updates.h"

/* Copies the errors of one diag to another. */
static void copy_errors(const struct diag *from, struct diag *to, const char *path)
{
	struct diag_place place = { .file = path };
	struct diag_item item;

	for (size_t i = 0; diag_get(from, i, &item); i++)
		diag_error(to, &place, "%s", item.text);
}

/* Opens the file for the account that it names. */
static int open_for_its_account(const struct account_set *accounts, struct slice file,
				const char *path, const char **account_out,
				struct update **update_out, struct diag *diag)
{
	for (size_t i = 0; i < account_set_count(accounts); i++) {
		const char *id = account_set_id(accounts, i);
		struct diag *of_this = diag_new();
		bool known;
		int err = update_open(file, id, account_set_secret(accounts, id, &known),
				      update_out, of_this);

		/* Any other answer means that this secret did open it: what is wrong then is the
		 * file. */
		if (err != -EPERM) {
			copy_errors(of_this, diag, path);
			diag_free(&of_this);
			*account_out = id;
			return err;
		}
		diag_free(&of_this);
	}
	diag_error(diag, &(struct diag_place){ .file = path },
		   "the file is of no account that this server has");
	return -EACCES;
}

static void update_name(const struct update *update, char out[UPDATES_NAME_SIZE])
{
	char month[PERIOD_TEXT_SIZE];
	struct buf b = buf_over(out, UPDATES_NAME_SIZE);

	period_text(update_month(update), month);
	buf_printf(&b, "%s.upd", month);
}

/* Is what lies there already as new as this?  What lies there and cannot be read may be: a fault
 * of the disk must not bring keys back that a later update took away.  What can be read and is no
 * update of this account is replaced. */
static int check_newer(const char *accounts_dir, const char *account,
		       const struct account_secret *secret, const struct update *update,
		       const char *path, struct diag *diag)
{
	char old_path[ACCOUNTS_PATH], name[UPDATES_NAME_SIZE];
	struct update *old = NULL;
	uint8_t *data = NULL;
	size_t n = 0;
	int err;

	update_name(update, name);
	err = accounts_path(accounts_dir, account, name, old_path);
	if (err)
		return err;
	err = file_read(old_path, APPLY_FILE_MAX, &data, &n);
	if (err == -ENOENT)
		return 0;
	if (!err) {
		err = update_open(slice_of(data, n), account, secret, &old, NULL);
		err = err == -ENOMEM ? err : 0;
	}
	if (err)
		diag_error(diag, &(struct diag_place){ .file = path },
			   "cannot tell whether it is newer than %s: %s", old_path, strerror(-err));
	else if (old && !update_newer(update_revision(update), update_created(update),
				      update_revision(old), update_created(old))) {
		diag_error(diag, &(struct diag_place){ .file = path },
			   "not newer than the update of %.7s that account %s has: revision %u, "
			   "there %u",
			   name, account, update_revision(update), update_revision(old));
		err = -EEXIST;
	}
	update_free(&old);
	free(data);
	return err;
}

static int raise_floors(struct floors *floors, const char *account, const struct update *update)
{
	size_t listed = update_users(update), deleted = update_tombstones(update);
	struct roster_user *users = calloc(listed + deleted + 1, sizeof(*users));
	int err;

	if (!users)
		return -ENOMEM;
	for (size_t i = 0; i < listed; i++) {
		struct update_user user = update_user_at(update, i);

		/* The update keeps the texts; roster and file copy what they need. */
		users[i] = (struct roster_user){ .uri = slice_str(user.uri),
						 .generation = user.generation };
	}
	for (size_t i = 0; i < deleted; i++)
		users[listed + i] =
			(struct roster_user){ .uri = slice_str(update_tombstone_at(update, i)),
					      .deleted = true };
	err = floors_apply(floors, account, (int64_t)update_created(update), users,
			   listed + deleted);
	free(users);
	return err;
}

/* file is what the update was opened from: one that lies there opened stays as it is. */
static int write_opened(const char *accounts_dir, const char *account, const struct update *update,
			struct slice from, bool lies_there)
{
	char path[ACCOUNTS_PATH], name[UPDATES_NAME_SIZE];
	uint8_t *file = NULL;
	size_t n = 0;
	int err;

	update_name(update, name);
	err = accounts_path(accounts_dir, account, name, path);
	if (!err)
		err = update_write_opened(update, &file, &n);
	if (!err && !(lies_there && slice_eq(from, slice_of(file, n))))
		err = file_write_atomic(path, 0640, slice_of(file, n));
	free(file);
	return err;
}

static void describe(const char *account, const struct update *update, struct applied *out)
{
	struct buf id = BUF_OF(out->account);

	buf_put_str(&id, account);
	period_text(update_month(update), out->month);
	out->revision = update_revision(update);
	out->created = update_created(update);
	out->users = update_users(update);
	out->damaged = update_damaged(update);
}

static int take_over(const struct apply_target *into, const char *account,
		     const struct update *update, struct slice file,
		     const struct apply_source *from, struct diag *diag)
{
	struct diag_place place = { .file = from->name };
	bool known;
	int err =
		check_newer(into->dir, account, account_set_secret(into->accounts, account, &known),
			    update, from->name, diag);

	if (err)
		return err;
	/* Before anything is raised: half an update would shut out users whose keys it does not
	 * bring. */
	if (update_damaged(update) && !from->partial) {
		diag_error(diag, &place,
			   "%zu parts are damaged: nothing was applied (--partial takes the rest)",
			   update_damaged(update));
		return -EBADMSG;
	}
	/* Floors first: a crash in between shuts old keys out, never lets them in. */
	err = raise_floors(into->floors, account, update);
	if (!err)
		err = write_opened(into->dir, account, update, file, false);
	if (err)
		diag_error(diag, &place, "cannot write the folder of account %s: %s", account,
			   strerror(-err));
	return err;
}

int apply_file(const struct apply_target *into, const struct apply_source *from,
	       struct applied *applied_out, struct diag *diag)
{
	struct update *update = NULL;
	const char *account = NULL;
	uint8_t *data = NULL;
	size_t n = 0;
	int err = file_read(from->path, APPLY_FILE_MAX, &data, &n);

	if (err) {
		/* An operator who can read it wonders why crs cannot. */
		diag_error(
			diag, NULL, "%s: %s%s", from->name, strerror(-err),
			err == -EACCES || err == -ENOENT
				? ": crs reads it as its own user, and sees no home directories; "
				  "root's crs-cli lends it the file"
				: "");
		return err;
	}
	err = open_for_its_account(into->accounts, slice_of(data, n), from->name, &account, &update,
				   diag);
	if (!err && from->account && strcmp(from->account, account) != 0) {
		diag_error(diag, NULL, "the update is not for account %s", from->account);
		err = -EACCES;
	}
	if (!err)
		err = take_over(into, account, update, slice_of(data, n), from, diag);
	if (!err)
		describe(account, update, applied_out);
	update_free(&update);
	free(data);
	return err;
}

static int take_placed_file(const struct apply_target *into, const char *account, const char *name,
			    struct diag *diag)
{
	char path[ACCOUNTS_PATH];
	struct update *update = NULL;
	struct diag *of_this = diag_new();
	uint8_t *data = NULL;
	size_t n = 0;
	bool known, opened;
	int err = accounts_path(into->dir, account, name, path);

	if (!err)
		err = file_read(path, APPLY_FILE_MAX, &data, &n);
	if (!err)
		err = update_open(slice_of(data, n), account,
				  account_set_secret(into->accounts, account, &known), &update,
				  of_this);
	copy_errors(of_this, diag, path);
	opened = !err;
	if (!err)
		err = raise_floors(into->floors, account, update);
	if (!err)
		err = write_opened(into->dir, account, update, slice_of(data, n), true);
	/* What update_open() finds it says itself; reading and writing say nothing. */
	if (err && (opened || diag_errors(of_this) == 0))
		diag_error(diag, &(struct diag_place){ .file = path }, "%s", strerror(-err));
	diag_free(&of_this);
	update_free(&update);
	free(data);
	return err;
}

int apply_folder(const struct apply_target *into, const char *account, struct diag *diag)
{
	char path[ACCOUNTS_PATH];
	struct dirent *entry;
	int64_t month;
	DIR *d;
	int err = accounts_path(into->dir, account, NULL, path);

	d = err ? NULL : opendir(path);
	if (!d) {
		err = err ? err : -errno;
		diag_error(diag, NULL, "cannot read the folder of account %s: %s", account,
			   strerror(-err));
		return err == -ENOMEM ? err : 0;
	}
	while ((entry = readdir(d)) && err != -ENOMEM) {
		if (strlen(entry->d_name) == UPDATES_NAME_SIZE - 1 &&
		    strcmp(entry->d_name + 7, ".upd") == 0 &&
		    period_parse(slice_of(entry->d_name, 7), &month) == 0 &&
		    /* Past months' files are left as they lie: nobody fetches them any more, and
		     * their floors are in the file of floors. */
		    month >= period_of(clock_wall_s()))
			err = take_placed_file(into, account, entry->d_name, diag);
	}
	closedir(d);
	return err == -ENOMEM ? err : 0;
}
