/* keystore.c - opening, locking and writing a store, and what it says. */
#include "keys/keystore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "keys/keystore_priv.h"
#include "keys/period.h"
#include "keys/secret.h"

int keystore_path(const char *dir, const char *uri, char *out, size_t outsz)
{
	int n;

	if (identity_check(slice_str(uri), NULL))
		return -EINVAL;
	n = snprintf(out, outsz, "%s/.ks.%s", dir, uri);
	return n < 0 || (size_t)n >= outsz ? -ENAMETOOLONG : 0;
}

/* The lock is a file of its own: the store itself is replaced by a rename, and a lock on the
 * old file would not hold those who open the new one. */
int store_lock(const char *path, struct diag *diag)
{
	char lock[PATH_MAX];
	int n = snprintf(lock, sizeof(lock), "%s.lock", path);
	int fd, err;

	if (n < 0 || (size_t)n >= sizeof(lock))
		return -ENAMETOOLONG;
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* flock(), not fcntl(): a lock of the open file, which ends with its descriptor, however
	 * the program ends.  The file itself stays, as a lock on one that is removed holds nobody
	 * off. */
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	err = errno == EWOULDBLOCK ? EBUSY : errno;
	if (err == EBUSY)
		diag_error(diag, NULL, "%s: another program is changing this key store", path);
	else
		diag_error(diag, NULL, "%s: %s", lock, strerror(err));
	if (fd >= 0)
		close(fd);
	return -err;
}

/* Says what is wrong with the file, for a return code of store_read(). */
static int explain(const char *path, int err, struct diag *diag)
{
	if (err == -EBADMSG)
		diag_error(diag, NULL,
			   "%s: this is not a key store, or it is damaged; it is left as it is: "
			   "restore it from a backup, or move it away and enrol with a new letter",
			   path);
	else if (err == -EPROTONOSUPPORT)
		diag_error(diag, NULL, "%s: this key store is of a newer version of the program",
			   path);
	else if (err == -EPERM)
		diag_error(diag, NULL,
			   "%s: others may read this file; its mode must be 0600 (chmod 600)",
			   path);
	else
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
	return err;
}

int store_read(const char *path, struct store *store_out, struct diag *diag)
{
	struct stat st;
	uint8_t *octets;
	size_t n;
	int err;

	if (stat(path, &st) < 0)
		return explain(path, -errno, diag);
	/* Refused rather than mended: whoever could read it may have done so. */
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return explain(path, -EPERM, diag);
	err = file_read(path, STORE_FILE_MAX, &octets, &n);
	if (err)
		return explain(path, err, diag);
	err = store_decode(slice_of(octets, n), store_out);
	wipe(octets, n);
	free(octets);
	return err ? explain(path, err, diag) : 0;
}

int store_write(const struct store *store, const char *path)
{
	uint8_t *octets;
	size_t n;
	int err = store_encode(store, &octets, &n);

	if (err)
		return err;
	/* A crash leaves the old store or the new one; half a store would mean a new letter. */
	err = file_write_atomic(path, 0600, slice_of(octets, n));
	wipe(octets, n);
	free(octets);
	return err;
}

int keystore_load(const char *path, enum keystore_mode mode, struct keystore **ks_out,
		  struct diag *diag)
{
	struct keystore *ks = calloc(1, sizeof(*ks));
	int err = 0;

	if (!ks)
		return -ENOMEM;
	ks->mode = mode;
	ks->lock_fd = -1;
	ks->path = strdup(path);
	if (!ks->path)
		err = -ENOMEM;
	if (!err && mode == KEYSTORE_CHANGE) {
		ks->lock_fd = store_lock(path, diag);
		err = ks->lock_fd < 0 ? ks->lock_fd : 0;
	}
	if (!err)
		err = store_read(path, &ks->store, diag);
	if (err) {
		keystore_free(&ks);
		return err;
	}
	*ks_out = ks;
	return 0;
}

void keystore_free(struct keystore **ksp)
{
	struct keystore *ks = *ksp;

	*ksp = NULL;
	if (!ks)
		return;
	store_clear(&ks->store);
	if (ks->lock_fd >= 0)
		close(ks->lock_fd);
	free(ks->path);
	free(ks);
}

int keystore_save(struct keystore *ks)
{
	return ks->mode == KEYSTORE_CHANGE ? store_write(&ks->store, ks->path) : -EROFS;
}

/* ---- what it says ---- */

const char *keystore_uri(const struct keystore *ks)
{
	return ks->store.uri;
}

const char *keystore_account(const struct keystore *ks)
{
	return ks->store.logins[0].account;
}

const char *keystore_domain_name(const struct keystore *ks)
{
	return ks->store.domain.name;
}

uint32_t keystore_generation(const struct keystore *ks)
{
	return ks->store.generation;
}

uint64_t keystore_letter_created(const struct keystore *ks)
{
	return ks->store.letter_created;
}

const uint8_t *keystore_device_id(const struct keystore *ks)
{
	return ks->store.device;
}

uint32_t keystore_engines(const struct keystore *ks)
{
	return ks->store.engines;
}

struct keystore_settings keystore_settings(const struct keystore *ks)
{
	return ks->store.settings;
}

/* The first login of a month that has begun; of the earliest month where the
 * clock is before all of them. */
static size_t first_login(const struct store *store, int64_t now_s)
{
	int64_t month = period_of(now_s);

	for (size_t i = 0; i < store->n_logins; i++)
		if (store->logins[i].month <= month)
			return i;
	return store->n_logins - 1;
}

bool keystore_login_at(const struct keystore *ks, int64_t now_s, size_t i,
		       struct keystore_login *login_out)
{
	const struct store *store = &ks->store;
	size_t first = first_login(store, now_s);
	/* Not looked at before the next line has said that it is there: i may be any number. */
	const struct store_login *login = &store->logins[first] + i;

	if (i >= store->n_logins - first)
		return false;
	*login_out = (struct keystore_login){ login->address, login->tls_identity, login->tls_key,
					      login->generation };
	return true;
}

bool keystore_login_accepted(struct keystore *ks, int64_t now_s, size_t i)
{
	struct store *store = &ks->store;
	size_t first = first_login(store, now_s), keep;

	if (i >= store->n_logins - first)
		return false;
	keep = first + i + 1;
	if (keep == store->n_logins)
		return false;
	/* A login that is accepted replaces all older ones, which stand behind it. */
	wipe(&store->logins[keep], (store->n_logins - keep) * sizeof(store->logins[0]));
	store->n_logins = keep;
	return true;
}

bool keystore_month(const struct keystore *ks, int64_t month, uint32_t *revision_out,
		    uint64_t *created_out)
{
	for (size_t i = 0; i < ks->store.n_months; i++) {
		const struct month_keys *keys = &ks->store.months[i].keys;

		if (keys->month == month) {
			*revision_out = keys->revision;
			*created_out = keys->created;
			return true;
		}
	}
	return false;
}

int64_t keystore_newest_month(const struct keystore *ks)
{
	return ks->store.n_months ? ks->store.months[ks->store.n_months - 1].keys.month : -1;
}

static int compare_text(const void *key, const void *element)
{
	return strcmp(key, *(char *const *)element);
}

bool keystore_own_user(const struct keystore *ks, struct slice uri)
{
	const struct update_common *common = &ks->store.common;
	char text[IDENTITY_URI_MAX + 1];

	if (slice_eq_str(uri, ks->store.uri))
		return true;
	if (uri.n > IDENTITY_URI_MAX || common->n_users == 0)
		return false;
	memcpy(text, uri.p, uri.n);
	text[uri.n] = '\0';
	/* The list is strictly sorted: reading it checked that. */
	return bsearch(text, common->users, common->n_users, sizeof(*common->users),
		       compare_text) != NULL;
}

size_t keystore_own_users(const struct keystore *ks)
{
	return ks->store.common.n_users;
}

const char *keystore_own_user_at(const struct keystore *ks, size_t i)
{
	return ks->store.common.users[i];
}

const uint8_t *keystore_pinned(const struct keystore *ks, struct slice uri)
{
	/* Linear: one look for a call or text from another domain, over 10,000 pins at most. */
	for (size_t i = 0; i < ks->store.n_pins; i++)
		if (slice_eq_str(uri, ks->store.pins[i].uri))
			return ks->store.pins[i].domain;
	return NULL;
}
