/* Reading mailboxes: read, remove, move aside. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/file.h"
#include "mailbox/maildir_priv.h"

enum {
	MAX_FAILED_TRIES = 1000,
	MAX_REASON_BYTES = 1000,
	SUFFIX_ROOM = 16, /* ".NNN" and ".reason" */
};

static const char *folder_of(const struct maildir_entry *entry)
{
	return entry->in_cur ? "cur" : "new";
}

/* --- one file --- */

int maildir_entry_id(const struct maildir *maildir, const struct maildir_entry *entry,
		     uint8_t id_out[16])
{
	uint8_t text[2 * 4096 + MAILDIR_NAME_SIZE], digest[EVP_MAX_MD_SIZE];
	struct buf b = BUF_OF(text);

	/* Flags change when somebody reads the message, the folder with them; inode and mtime
	 * tell two files that had one name. */
	buf_put_l16(&b, slice_str(maildir->path));
	buf_put_l16(&b, slice_of(entry->name, maildir_base_length(entry->name)));
	buf_put_u64(&b, (uint64_t)entry->inode);
	buf_put_u64(&b, (uint64_t)entry->mtime.tv_sec);
	buf_put_u64(&b, (uint64_t)entry->mtime.tv_nsec);
	if (!buf_ok(&b))
		return -ENAMETOOLONG;
	if (EVP_Digest(text, b.len, digest, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	memcpy(id_out, digest, 16);
	return 0;
}

/* Another file under the same name is another message: it has its own turn. */
static bool is_same(const struct stat *st, const struct maildir_entry *entry)
{
	return st->st_ino == entry->inode && st->st_mtim.tv_sec == entry->mtime.tv_sec &&
	       st->st_mtim.tv_nsec == entry->mtime.tv_nsec;
}

int maildir_read(struct maildir *maildir, const struct maildir_entry *entry, size_t max,
		 uint8_t **data_out, size_t *n_out)
{
	int dir = maildir_open_dir(maildir, folder_of(entry)), fd, err;
	struct stat st;

	if (dir < 0)
		return dir;
	/* O_NONBLOCK: a pipe with a message's name must not hold us up. */
	fd = openat(dir, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	err = fd < 0 ? -errno : 0;
	close(dir);
	if (fd < 0)
		return err == -ELOOP || err == -ENXIO ? -EINVAL : err;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else if (!is_same(&st, entry))
		err = -ENOENT;
	else
		err = file_read_all(fd, max, data_out, n_out);
	close(fd);
	return err;
}

/* Finds the file's name of now, which may have other flags.  Returns 0 or -ENOENT. */
static int find_name(int dir, const struct maildir_entry *entry, char out[MAILDIR_NAME_SIZE])
{
	size_t base = maildir_base_length(entry->name);
	struct dirent *found;
	int err = -ENOENT;
	struct stat st;
	DIR *list;
	int fd;

	memcpy(out, entry->name, MAILDIR_NAME_SIZE);
	/* The name as it was listed: no directory is read for most files. */
	if (fstatat(dir, out, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return is_same(&st, entry) ? 0 : -ENOENT;
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = fd < 0 ? NULL : fdopendir(fd);
	if (!list) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	while (err && (found = readdir(list))) {
		if (strncmp(found->d_name, entry->name, base) != 0 ||
		    maildir_base_length(found->d_name) != base ||
		    fstatat(dir, found->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !is_same(&st, entry))
			continue;
		snprintf(out, MAILDIR_NAME_SIZE, "%s", found->d_name);
		err = 0;
	}
	closedir(list);
	return err;
}

int maildir_remove(struct maildir *maildir, const struct maildir_entry *entry)
{
	int dir = maildir_open_dir(maildir, folder_of(entry)), err;
	char name[MAILDIR_NAME_SIZE];

	if (dir < 0)
		return dir;
	err = find_name(dir, entry, name);
	if (!err && unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		err = -errno;
	/* Or a power loss would bring the message back, and it would be sent twice. */
	if (!err && fsync(dir) < 0)
		err = -errno;
	close(dir);
	/* Gone is what was wanted. */
	return err == -ENOENT ? 0 : err;
}

/* --- moving aside --- */

static int open_failed(const struct maildir *maildir)
{
	int dir = maildir_open_dir(maildir, ".failed");
	int root;

	if (dir != -ENOENT)
		return dir;
	root = maildir_open_dir(maildir, ".");
	if (root < 0)
		return root;
	/* the group comes from the mailbox's own directory (2770) */
	if (mkdirat(root, ".failed", 0770) < 0 && errno != EEXIST) {
		int err = -errno;

		close(root);
		return err;
	}
	close(root);
	dir = maildir_open_dir(maildir, ".failed");
	if (dir >= 0) {
		maildir_give(maildir, dir);
		fchmod(dir, MAILDIR_DIR_MODE); /* not ours: then another made it right */
	}
	return dir;
}

/* One line, as people look at it with cat and grep. */
static int write_reason(const struct maildir *maildir, int dir, const char *name,
			const char *reason)
{
	char path[MAILDIR_NAME_SIZE + SUFFIX_ROOM], text[MAX_REASON_BYTES + 2];
	int fd, err;
	size_t n;

	snprintf(path, sizeof(path), "%s.reason", name);
	n = (size_t)snprintf(text, sizeof(text) - 1, "%s", reason);
	if (n > sizeof(text) - 2)
		n = sizeof(text) - 2;
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = ' ';
	text[n++] = '\n';
	fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    MAILDIR_FILE_MODE);
	if (fd < 0)
		return -errno;
	maildir_give(maildir, fd);
	fchmod(fd, MAILDIR_FILE_MODE);
	err = file_write_all(fd, slice_of(text, n));
	if (!err && fsync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Moves the file to a free name in failed, which is written to out. */
static int move_aside(int from, const char *name, int failed, char out[MAILDIR_NAME_SIZE])
{
	int base = (int)maildir_base_length(name);
	int err = -EEXIST;

	/* Cut names may collide: the number then tells them apart. */
	if (base > MAILDIR_NAME_BYTES_MAX - SUFFIX_ROOM)
		base = MAILDIR_NAME_BYTES_MAX - SUFFIX_ROOM;
	for (int i = 0; err == -EEXIST && i < MAX_FAILED_TRIES; i++) {
		if (i == 0)
			snprintf(out, MAILDIR_NAME_SIZE, "%.*s", base, name);
		else
			snprintf(out, MAILDIR_NAME_SIZE, "%.*s.%d", base, name, i);
		err = maildir_move(from, name, failed, out);
	}
	return err;
}

int maildir_fail(struct maildir *maildir, const struct maildir_entry *entry, const char *reason)
{
	int from = maildir_open_dir(maildir, folder_of(entry)), failed, err;
	char name[MAILDIR_NAME_SIZE], aside[MAILDIR_NAME_SIZE];

	if (from < 0)
		return from;
	failed = open_failed(maildir);
	if (failed < 0) {
		close(from);
		return failed;
	}
	err = find_name(from, entry, name);
	if (!err)
		err = move_aside(from, name, failed, aside);
	if (!err)
		err = write_reason(maildir, failed, aside, reason);
	if (!err && (fsync(failed) < 0 || fsync(from) < 0))
		err = -errno;
	close(failed);
	close(from);
	return err;
}

size_t maildir_sweep(struct maildir *maildir, int64_t now_s)
{
	int fd = maildir_open_dir(maildir, "tmp");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *found;
	size_t swept = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((found = readdir(dir))) {
		struct stat st;

		/* Of our own user only: mail programs write to tmp as well, and sweep it
		 * themselves. */
		if (fstatat(fd, found->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
		    st.st_mtim.tv_sec < now_s - MAILDIR_TMP_LIFE_S)
			swept += unlinkat(fd, found->d_name, 0) == 0;
	}
	closedir(dir);
	return swept;
}
