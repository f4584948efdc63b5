/* accounts.c - account folders: create, list, delete, blacklist, marks.
 *
 * The folder is the truth: nothing of it is kept in memory, and what is changed by hand counts
 * at the next reading. Ids are checked before they become part of a path, so that none leads out
 * of the folder.
 */
#include "rendezvous/accounts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/encode.h"
#include "base/file.h"
#include "keys/account.h"

/* Octets; larger than any list that people write, small enough to be held in memory. */
enum { BLACKLIST_MAX = 16 << 20 };

int accounts_path(const char *dir, const char *id, const char *name, char out[ACCOUNTS_PATH])
{
	struct buf b = buf_over(out, ACCOUNTS_PATH);

	buf_printf(&b, "%s/%s%s%s", dir, id, name ? "/" : "", name ? name : "");
	return buf_ok(&b) ? 0 : -ENAMETOOLONG;
}

int accounts_make_secret(size_t bytes, char *text_out, size_t cap)
{
	uint8_t octets[ACCOUNTS_SECRET_BYTES_MAX];

	if (bytes < ACCOUNT_SECRET_MIN || bytes > sizeof(octets) || cap < BASE64_TEXT_SIZE(bytes))
		return -EINVAL;
	if (RAND_bytes(octets, (int)bytes) != 1)
		return -EIO;
	base64_encode(BASE64_STANDARD, slice_of(octets, bytes), text_out);
	OPENSSL_cleanse(octets, sizeof(octets));
	return 0;
}

static int check_id(const char *id, struct diag *diag)
{
	if (account_id_valid(slice_str(id)))
		return 0;
	diag_error(diag, NULL,
		   "account id \"%s\": expected 1 to %d of the characters a-z, A-Z, 0-9, - and _",
		   id, ACCOUNT_ID_MAX);
	return -EINVAL;
}

/* The file is one line: with a newline or another control character within, it would be read
 * back as something else, or not at all. */
static int check_secret(struct slice secret, struct diag *diag)
{
	if (secret.n == 0 || secret.n >= ACCOUNTS_SECRET_TEXT - 1) {
		diag_error(diag, NULL, "shared secret: expected 1 to %d characters",
			   ACCOUNTS_SECRET_TEXT - 2);
		return -EINVAL;
	}
	for (size_t i = 0; i < secret.n; i++) {
		if (secret.p[i] < 0x20 || secret.p[i] == 0x7f) {
			diag_error(diag, NULL, "shared secret: control character at position %zu",
				   i + 1);
			return -EINVAL;
		}
	}
	return 0;
}

/* A folder beside the accounts', whose name no account can have: what is in it becomes an
 * account, or was one, in one step.  A crash leaves it for accounts_tidy(). */
static int make_aside(const char *dir, const char *what, char out[ACCOUNTS_PATH])
{
	struct buf b = buf_over(out, ACCOUNTS_PATH);

	buf_printf(&b, "%s/.%s-XXXXXX", dir, what);
	if (!buf_ok(&b))
		return -ENAMETOOLONG;
	return mkdtemp(out) ? 0 : -errno;
}

/* Removes a folder with the files in it. */
static int remove_folder(const char *path)
{
	struct dirent *entry;
	DIR *d = opendir(path);
	int err = 0;

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		/* Goes on after an error: as much as can go goes, the secret above all. */
		if (unlinkat(dirfd(d), entry->d_name, 0) && !err)
			err = -errno;
	}
	closedir(d);
	if (!err && rmdir(path))
		err = -errno;
	return err;
}

/* 0600 from the first octet: a secret is never open to others. */
static int write_secret(const char *folder, struct slice secret)
{
	char path[ACCOUNTS_PATH + sizeof("/secret")], text[ACCOUNTS_SECRET_TEXT];
	struct buf b = BUF_OF(text);
	int err;

	snprintf(path, sizeof(path), "%s/secret", folder);
	buf_put_slice(&b, secret);
	buf_put_char(&b, '\n');
	err = buf_ok(&b) ? file_write_atomic(path, 0600, buf_slice(&b)) : -EINVAL;
	OPENSSL_cleanse(text, sizeof(text));
	return err;
}

int accounts_create(const char *dir, const char *id, struct slice secret, struct diag *diag)
{
	char path[ACCOUNTS_PATH], aside[ACCOUNTS_PATH];
	int err = check_id(id, diag);

	if (!err)
		err = check_secret(secret, diag);
	if (err)
		return err;
	err = accounts_path(dir, id, NULL, path);
	if (!err)
		err = make_aside(dir, "new", aside);
	if (err) {
		diag_error(diag, NULL, "cannot make a folder in %s: %s", dir, strerror(-err));
		return err;
	}
	err = chmod(aside, 0750) ? -errno : write_secret(aside, secret);
	/* rename() decides between two who make the same account: a folder with something in it
	 * is not replaced.  An empty one is nobody's, and is. */
	if (!err && rename(aside, path))
		err = errno == ENOTEMPTY ? -EEXIST : -errno;
	if (err)
		remove_folder(aside);
	else
		err = file_sync_parent(path);
	if (err == -EEXIST)
		diag_error(diag, NULL, "account %s exists already", id);
	else if (err)
		diag_error(diag, NULL, "cannot make %s: %s", path, strerror(-err));
	return err;
}

int accounts_delete(const char *dir, const char *id, struct diag *diag)
{
	char path[ACCOUNTS_PATH], aside[ACCOUNTS_PATH];
	int err = check_id(id, diag), left;

	if (err)
		return err;
	err = accounts_path(dir, id, NULL, path);
	if (!err)
		err = make_aside(dir, "gone", aside);
	/* Out of the accounts in one step: with its files going one by one, a crash could leave
	 * an account that has its secret still and its blacklist no more. */
	if (!err && rename(path, aside)) {
		err = -errno;
		rmdir(aside);
	}
	if (err == -ENOENT)
		diag_error(diag, NULL, "there is no account %s", id);
	else if (err)
		diag_error(diag, NULL, "cannot remove %s/%s: %s", dir, id, strerror(-err));
	if (err)
		return err;
	/* Durable: an account that is deleted must not be back after a power cut. */
	err = file_sync_parent(path);
	if (err)
		diag_error(diag, NULL, "%s is removed, but perhaps not on the disk: %s", path,
			   strerror(-err));
	left = remove_folder(aside);
	if (left)
		diag_warning(diag, NULL, "account %s is deleted; not all of %s is: %s", id, aside,
			     strerror(-left));
	return err;
}

static bool is_aside(const char *name)
{
	return strncmp(name, ".new-", 5) == 0 || strncmp(name, ".gone-", 6) == 0;
}

void accounts_tidy(const char *dir, struct diag *diag)
{
	char path[ACCOUNTS_PATH];
	struct dirent *entry;
	DIR *d = opendir(dir);

	while (d && (entry = readdir(d))) {
		int err;

		if (!is_aside(entry->d_name))
			continue;
		err = accounts_path(dir, entry->d_name, NULL, path);
		if (!err)
			err = remove_folder(path);
		diag_warning(diag, NULL, "%s/%s was left by an account half made or deleted: %s",
			     dir, entry->d_name, err ? strerror(-err) : "removed");
	}
	if (d)
		closedir(d);
}

int accounts_read_secret(const char *dir, const char *id, char out[ACCOUNTS_SECRET_TEXT],
			 struct diag *diag)
{
	char path[ACCOUNTS_PATH];
	uint8_t *data = NULL;
	size_t n = 0;
	int err = accounts_path(dir, id, "secret", path);

	if (!err)
		err = file_read(path, ACCOUNTS_SECRET_TEXT - 1, &data, &n);
	if (err) {
		diag_error(diag, &(struct diag_place){ .file = path }, "%s", strerror(-err));
		return err;
	}
	/* A person may have written it with an editor. */
	while (n > 0 && (data[n - 1] == '\n' || data[n - 1] == '\r'))
		n--;
	memcpy(out, data, n);
	out[n] = '\0';
	err = check_secret(slice_of(data, n), diag);
	OPENSSL_cleanse(data, n);
	free(data);
	return err;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int append_id(char ***ids, size_t *count, const char *id)
{
	char **grown = reallocarray(*ids, *count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*ids = grown;
	grown[*count] = strdup(id);
	if (!grown[*count])
		return -ENOMEM;
	++*count;
	return 0;
}

static bool is_folder(DIR *d, const char *name)
{
	struct stat st;

	/* Not d_type: some file systems do not fill it in. */
	return name[0] != '.' && fstatat(dirfd(d), name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

int accounts_list(const char *dir, char ***ids_out, size_t *count_out, struct diag *diag)
{
	struct dirent *entry;
	DIR *d = opendir(dir);
	char **ids = NULL;
	size_t count = 0;
	int err = 0;

	if (!d) {
		err = -errno;
		diag_error(diag, NULL, "cannot read %s: %s", dir, strerror(-err));
		return err;
	}
	while (!err && (entry = readdir(d))) {
		if (!is_folder(d, entry->d_name))
			continue;
		if (account_id_valid(slice_str(entry->d_name)))
			err = append_id(&ids, &count, entry->d_name);
		else
			diag_warning(diag, NULL, "%s/%s is no account: left alone", dir,
				     entry->d_name);
	}
	closedir(d);
	if (err) {
		accounts_list_free(&ids, count);
		return err;
	}
	if (count > 0)
		qsort(ids, count, sizeof(*ids), compare_ids);
	*ids_out = ids;
	*count_out = count;
	return 0;
}

void accounts_list_free(char ***idsp, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((*idsp)[i]);
	free(*idsp);
	*idsp = NULL;
}

int accounts_read_blacklist(const char *dir, const char *id, char **text_out)
{
	char path[ACCOUNTS_PATH];
	uint8_t *data = NULL;
	size_t n = 0;
	int err = accounts_path(dir, id, "blacklist", path);

	if (!err)
		err = file_read(path, BLACKLIST_MAX, &data, &n);
	if (err == -ENOENT)
		data = calloc(1, 1);
	else if (err)
		return err;
	if (!data)
		return -ENOMEM;
	*text_out = (char *)data;
	return 0;
}

/* Copies all lines but uri; was it among them? */
/* Compared as octets: what an operator typed is what is listed and what he takes off. */
static bool copy_without(const char *text, const char *uri, struct buf *out)
{
	bool found = false;

	while (*text) {
		size_t n = strcspn(text, "\n");

		if (slice_eq_str(slice_of(text, n), uri)) {
			found = true;
		} else if (n > 0) {
			buf_put(out, text, n);
			buf_put_char(out, '\n');
		}
		text += n + (text[n] == '\n');
	}
	return found;
}

static int check_uri(const char *uri, struct diag *diag)
{
	size_t n = strlen(uri);

	if (n > 0 && n <= ACCOUNT_URI_MAX && strcspn(uri, " \t\r\n") == n && strchr(uri, ':'))
		return 0;
	diag_error(diag, NULL, "\"%s\" is no URI: expected something like tel:+46701234567", uri);
	return -EINVAL;
}

static int check_exists(const char *dir, const char *id, struct diag *diag)
{
	char path[ACCOUNTS_PATH];
	int err = accounts_path(dir, id, NULL, path);

	if (!err && access(path, F_OK)) {
		diag_error(diag, NULL, "there is no account %s", id);
		err = -ENOENT;
	}
	return err;
}

int accounts_blacklist(const char *dir, const char *id, const char *uri, bool add,
		       struct diag *diag)
{
	char path[ACCOUNTS_PATH], *text = NULL, *next = NULL;
	struct buf b;
	size_t cap;
	bool found;
	int err = check_id(id, diag);

	if (!err)
		err = check_uri(uri, diag);
	if (!err)
		err = check_exists(dir, id, diag);
	if (!err)
		err = accounts_read_blacklist(dir, id, &text);
	if (err)
		return err;
	/* A newline that the last line lacked, one for uri, and the NUL. */
	cap = strlen(text) + strlen(uri) + 3;
	next = malloc(cap);
	if (!next) {
		free(text);
		return -ENOMEM;
	}
	b = buf_over(next, cap);
	found = copy_without(text, uri, &b);
	if (add)
		buf_printf(&b, "%s\n", uri);
	/* The text is built either way: looking and rewriting are one pass, and what is not
	 * written is thrown away. */
	if (add == found)
		err = add ? -EEXIST : -ENOENT;
	if (!err)
		err = accounts_path(dir, id, "blacklist", path);
	if (!err)
		err = file_write_atomic(path, 0640, buf_slice(&b));
	free(text);
	free(next);
	if (err == -EEXIST || err == -ENOENT)
		diag_error(diag, NULL, "%s is %s the blacklist of %s", uri,
			   add ? "already on" : "not on", id);
	else if (err)
		diag_error(diag, NULL, "cannot write the blacklist of %s: %s", id, strerror(-err));
	return err;
}

/* Names of files that exist on disks: a new mark may be added, none renamed. */
static int mark_path(const char *dir, const char *id, enum account_mark mark,
		     char path[ACCOUNTS_PATH])
{
	static const char *const names[] = {
		[ACCOUNT_MARK_STATISTICS] = "statistics",
		[ACCOUNT_MARK_UPDATE_NOTIFICATION] = "update-notification",
	};

	return accounts_path(dir, id, names[mark], path);
}

bool accounts_have_mark(const char *dir, const char *id, enum account_mark mark)
{
	char path[ACCOUNTS_PATH];

	return mark_path(dir, id, mark, path) == 0 && access(path, F_OK) == 0;
}

int accounts_set_mark(const char *dir, const char *id, enum account_mark mark, bool on,
		      struct diag *diag)
{
	char path[ACCOUNTS_PATH];
	int err = check_id(id, diag);

	if (!err)
		err = check_exists(dir, id, diag);
	if (err)
		return err;
	err = mark_path(dir, id, mark, path);
	if (!err && on)
		/* A mark is an empty file: there, or not. */
		err = file_write_atomic(path, 0640, slice_str(""));
	else if (!err && unlink(path) && errno != ENOENT)
		err = -errno;
	if (err)
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
	return err;
}
