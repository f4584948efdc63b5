/* updates.c - maps and opens update files.
 *
 * Update files are mapped, not read: they may be large, every worker has the same ones, and so
 * the pages are there once. Files are replaced by renaming (base/file.h), never written in
 * place: a map stays what it was until the next reload.
 *
 * A damaged file is told and left out; the other months and accounts are not affected.
 */
#include "rendezvous/updates.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "keys/period.h"
#include "keys/update.h"
#include "rendezvous/account_set.h"
#include "rendezvous/accounts.h"

struct entry {
	char account[ACCOUNT_ID_MAX + 1];
	void *map;
	size_t n;
	struct update *update;
};

struct updates {
	struct entry *entries;
	size_t count;
};

static int map_file(const char *path, void **map_out, size_t *n_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		err = -EBADMSG;
	else
		*map_out = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (!err && *map_out == MAP_FAILED)
		err = -errno;
	else if (!err)
		*n_out = (size_t)st.st_size;
	/* The map lives without it. */
	close(fd);
	return err;
}

static struct entry *add_entry(struct updates *updates, const char *account)
{
	struct entry *grown =
		reallocarray(updates->entries, updates->count + 1, sizeof(*updates->entries));
	struct buf b;

	if (!grown)
		return NULL;
	/* Not counted before it is filled: what fails half-way is written over by the next
	 * one. */
	updates->entries = grown;
	grown += updates->count;
	memset(grown, 0, sizeof(*grown));
	b = BUF_OF(grown->account);
	buf_put_str(&b, account);
	return grown;
}

static int load_file(struct updates *updates, const char *dir, const char *account,
		     const struct account_secret *secret, const char *name, struct diag *diag)
{
	struct entry *entry = add_entry(updates, account);
	char path[ACCOUNTS_PATH];
	int err = entry ? accounts_path(dir, account, name, path) : -ENOMEM;

	if (!err)
		err = map_file(path, &entry->map, &entry->n);
	if (err) {
		diag_error(diag, NULL, "%s/%s/%s: %s", dir, account, name, strerror(-err));
		return err;
	}
	err = update_open(slice_of(entry->map, entry->n), account, secret, &entry->update, diag);
	if (err) {
		munmap(entry->map, entry->n);
		return err;
	}
	updates->count++;
	return 0;
}

/* "YYYY-MM.upd" of a month from first on? */
static bool is_update(const char *name, int64_t first)
{
	int64_t month;

	return strlen(name) == UPDATES_NAME_SIZE - 1 && strcmp(name + 7, ".upd") == 0 &&
	       period_parse(slice_of(name, 7), &month) == 0 && month >= first;
}

static int load_account(struct updates *updates, const char *dir, const char *account,
			const struct account_secret *secret, int64_t first, struct diag *diag)
{
	char path[ACCOUNTS_PATH];
	struct dirent *entry;
	DIR *d;
	int err = accounts_path(dir, account, NULL, path);

	d = err ? NULL : opendir(path);
	/* An account without a folder has no updates; the account set tells of what is wrong
	 * with it. */
	if (!d)
		return 0;
	while ((entry = readdir(d))) {
		if (is_update(entry->d_name, first) &&
		    load_file(updates, dir, account, secret, entry->d_name, diag) == -ENOMEM)
			err = -ENOMEM;
	}
	closedir(d);
	return err;
}

int updates_load(const char *accounts_dir, const struct account_set *accounts, int64_t now_s,
		 struct updates **updates_out, struct diag *diag)
{
	struct updates *updates = calloc(1, sizeof(*updates));
	int err = updates ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < account_set_count(accounts); i++) {
		const char *id = account_set_id(accounts, i);
		bool known;

		/* From this month on: the past is of no use to anybody. */
		err = load_account(updates, accounts_dir, id,
				   account_set_secret(accounts, id, &known), period_of(now_s),
				   diag);
	}
	if (err)
		updates_free(&updates);
	else
		*updates_out = updates;
	return err;
}

void updates_free(struct updates **updatesp)
{
	struct updates *updates = *updatesp;

	if (!updates)
		return;
	for (size_t i = 0; i < updates->count; i++) {
		update_free(&updates->entries[i].update);
		munmap(updates->entries[i].map, updates->entries[i].n);
	}
	free(updates->entries);
	free(updates);
	*updatesp = NULL;
}

const struct update *updates_find(const struct updates *updates, const char *account, int64_t month)
{
	for (size_t i = 0; updates && i < updates->count; i++) {
		const struct entry *entry = &updates->entries[i];

		if (strcmp(entry->account, account) == 0 && update_month(entry->update) == month)
			return entry->update;
	}
	return NULL;
}

const uint8_t *updates_domain_id(const struct updates *updates, const char *account, int64_t month)
{
	for (int64_t m = month; m <= month + 1; m++) {
		/* Around the turn of a month only the next one may be there. */
		const struct update *update = updates_find(updates, account, m);

		if (update && update_domain_id(update))
			return update_domain_id(update);
	}
	return NULL;
}

const struct update *updates_at(const struct updates *updates, size_t i, const char **account_out)
{
	if (!updates || i >= updates->count)
		return NULL;
	*account_out = updates->entries[i].account;
	return updates->entries[i].update;
}
