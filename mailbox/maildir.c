/* maildir.c - making, opening and checking a mailbox.
 *
 * It is made by root in directories that others may write to: each component is opened by its
 * parent's descriptor, and no link of a stranger is followed.
 */
#include "mailbox/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "mailbox/maildir_priv.h"

static const char *const required[] = { "new", "cur", "tmp" };
static const char *const made[] = { "new", "cur", "tmp", ".failed" };

enum {
	REQUIRED = sizeof(required) / sizeof(required[0]),
	MADE = sizeof(made) / sizeof(made[0]),
	DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
};

/* --- small things for all files of the maildir --- */

int maildir_open_dir(const struct maildir *maildir, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", maildir->path, name);
	int fd;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, DIR_FLAGS);
	return fd < 0 ? -errno : fd;
}

int maildir_move(int from_dir, const char *from, int to_dir, const char *to)
{
	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* A file system without RENAME_NOREPLACE: names are ours alone, so a look is enough. */
	if (faccessat(to_dir, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(from_dir, from, to_dir, to) < 0 ? -errno : 0;
}

size_t maildir_base_length(const char *name)
{
	const char *info = strstr(name, ":2,");

	return info ? (size_t)(info - name) : strlen(name);
}

/* --- creating --- */

/* May we follow the symlink that st describes? */
static bool is_trusted_link(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Opens the directory name in dir.  Returns a descriptor or -errno. */
static int enter(int dir, const char *name)
{
	int flags = DIR_FLAGS | O_NOFOLLOW;
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode)) {
		if (!is_trusted_link(&st))
			return -ELOOP;
		flags = DIR_FLAGS;
	}
	fd = openat(dir, name, flags);
	return fd < 0 ? -errno : fd;
}

/* Takes the next component off *path; 0 at the end, -EINVAL for one that is refused. */
static int next_component(const char **path, char name[NAME_MAX + 1])
{
	size_t n;

	*path += strspn(*path, "/");
	n = strcspn(*path, "/");
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, *path, n);
	name[n] = '\0';
	*path += n;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	return n != 0;
}

/* Walks to the directory that holds path's last component, whose name is written to
 * last.  Returns its descriptor or -errno. */
static int enter_parent(const char *path, char last[NAME_MAX + 1], struct diag *diag)
{
	int dir = open("/", DIR_FLAGS), err = next_component(&path, last);

	while (dir >= 0 && err > 0 && path[strspn(path, "/")] != '\0') {
		int inner = enter(dir, last);

		close(dir);
		dir = inner;
		if (dir < 0)
			diag_error(diag, NULL, "%s: %s", last,
				   dir == -ELOOP ? "a symlink of somebody else" : strerror(-dir));
		else
			err = next_component(&path, last);
	}
	if (dir < 0)
		return dir;
	if (err > 0)
		return dir;
	close(dir);
	if (err == 0)
		err = -EINVAL; /* "/" itself */
	diag_error(diag, NULL, "\".\", \"..\" and \"/\" are no names for a mailbox");
	return err;
}

static bool is_known(const char *name)
{
	for (size_t i = 0; i < MADE; i++)
		if (strcmp(name, made[i]) == 0)
			return true;
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Is there nothing in dir that makes it another thing than a mailbox? */
static int check_is_mailbox(int dir)
{
	bool other = false, has_new = faccessat(dir, "new", F_OK, 0) == 0;
	int fd = openat(dir, ".", DIR_FLAGS);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!list) {
		if (fd >= 0)
			close(fd);
		return -EIO;
	}
	while ((entry = readdir(list)))
		other = other || !is_known(entry->d_name);
	closedir(list);
	/* Mail programs keep files of their own beside new: what has new is a mailbox all the
	 * same. */
	return other && !has_new ? -ENOTEMPTY : 0;
}

/* Makes or opens name in dir, with our group and mode.  Returns a descriptor or -errno. */
static int make_dir(int dir, const char *name, gid_t gid, bool check)
{
	int err = 0;
	int fd;

	/* Nobody gets in before group and mode are set. */
	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dir, name, DIR_FLAGS | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (check)
		err = check_is_mailbox(fd);
	if (!err && (fchown(fd, (uid_t)-1, gid) < 0 || fchmod(fd, MAILDIR_DIR_MODE) < 0))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int make_folders(int root, gid_t gid, struct diag *diag)
{
	for (size_t i = 0; i < MADE; i++) {
		int fd = make_dir(root, made[i], gid, false);

		if (fd < 0) {
			diag_error(diag, NULL, "%s: %s", made[i], strerror(-fd));
			return fd;
		}
		/* Best effort; that of its parent, below, is what makes a name durable. */
		fsync(fd);
		close(fd);
	}
	return 0;
}

int maildir_create(const char *path, gid_t gid, struct diag *diag)
{
	char name[NAME_MAX + 1];
	int parent, root, err;

	if (path[0] != '/') {
		diag_error(diag, NULL, "%s is not an absolute path", path);
		return -EINVAL;
	}
	parent = enter_parent(path, name, diag);
	if (parent < 0)
		return parent;
	root = make_dir(parent, name, gid, true);
	if (root < 0) {
		close(parent);
		diag_error(diag, NULL, "%s: %s", path,
			   root == -ENOTEMPTY ? "exists and is not a mailbox" : strerror(-root));
		return root;
	}
	err = make_folders(root, gid, diag);
	/* The mailbox's own name stands in its parent.  Also of one that is there already: a run
	 * before may have ended in between. */
	if (!err && (fsync(root) < 0 || fsync(parent) < 0)) {
		err = -errno;
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
	}
	close(root);
	close(parent);
	return err;
}

/* --- opening --- */

int maildir_open(const char *path, struct maildir **maildir_out, struct diag *diag)
{
	struct maildir *maildir = calloc(1, sizeof(*maildir));

	if (!maildir)
		return -ENOMEM;
	maildir->group = (gid_t)-1;
	maildir->path = strdup(path);
	if (!maildir->path) {
		maildir_free(&maildir);
		return -ENOMEM;
	}
	for (size_t i = 0; i < REQUIRED; i++) {
		int dir = maildir_open_dir(maildir, required[i]), err = 0;

		if (dir < 0)
			err = dir;
		/* Asked now, so that a wrong mode is told at the start and not with the first
		 * message. */
		else if (faccessat(dir, ".", R_OK | W_OK | X_OK, AT_EACCESS) < 0)
			err = -errno;
		if (dir >= 0)
			close(dir);
		if (err) {
			diag_error(diag, NULL, "mailbox %s/%s: %s", path, required[i],
				   strerror(-err));
			maildir_free(&maildir);
			return err;
		}
	}
	*maildir_out = maildir;
	return 0;
}

void maildir_free(struct maildir **maildirp)
{
	struct maildir *maildir = *maildirp;

	if (!maildir)
		return;
	*maildirp = NULL;
	free(maildir->path);
	free(maildir);
}

const char *maildir_path(const struct maildir *maildir)
{
	return maildir->path;
}

/* --- the group --- */

void maildir_set_group(struct maildir *maildir, gid_t gid)
{
	maildir->group = gid;
}

/* What we may not give stays as it is: maildir_check_group() tells of it. */
void maildir_give(const struct maildir *maildir, int fd)
{
	struct stat st;

	if (maildir->group != (gid_t)-1 && fstat(fd, &st) == 0 && st.st_gid != maildir->group &&
	    fchown(fd, (uid_t)-1, maildir->group) < 0)
		errno = 0;
}

int maildir_check_group(const struct maildir *maildir)
{
	for (size_t i = 0; i < REQUIRED; i++) {
		int dir = maildir_open_dir(maildir, required[i]), err;
		struct stat st;

		if (dir < 0)
			return dir;
		err = fstat(dir, &st) < 0 ? -errno : 0;
		close(dir);
		if (!err && (st.st_gid != maildir->group || (st.st_mode & 02070) != 02070))
			err = -EPERM;
		if (err)
			return err;
	}
	return 0;
}
