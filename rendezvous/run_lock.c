/* run_lock.c - the lock that crs holds as long as it runs, and a restore as long as it takes.
 *
 * A lock, and not a look at the control socket: crs listens there only after it has read accounts
 * and started Redis, which a restore must not exchange under it.
 */
#include "rendezvous/run_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"

/* Root makes it for whoever crs runs as; anybody else makes his own. */
static int give(int fd, const struct crs_paths *paths)
{
	uid_t uid;
	gid_t gid;
	int err = 0;

	if (geteuid() != 0)
		return 0;
	err = crs_paths_owner(paths, &uid, &gid);
	if (!err && fchown(fd, uid, gid))
		err = -errno;
	return err;
}

static int make_folder(const struct crs_paths *paths)
{
	int fd, err;

	if (access(paths->run, F_OK) == 0)
		return 0;
	err = file_mkdirs(paths->run, 0750);
	if (err)
		return err;
	fd = open(paths->run, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = give(fd, paths);
	close(fd);
	return err;
}

/* The folder is not root's: only a file that was not there is given away, and no link followed. */
static int open_file(const char *path, const struct crs_paths *paths)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), err;

	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	else if (fd >= 0 && (err = give(fd, paths)) != 0) {
		close(fd);
		return err;
	}
	return fd < 0 ? -errno : fd;
}

/* Returns 0, or -errno with what in diag: path is held by another process, or cannot be locked. */
static int lock(int fd, const char *path, const char *held, struct diag *diag)
{
	int err = flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0;

	if (err == -EWOULDBLOCK)
		diag_error(diag, NULL, "%s: %s is held", held, path);
	else if (err)
		diag_error(diag, NULL, "cannot lock %s: %s", path, strerror(-err));
	return err;
}

int run_lock_take(const struct crs_paths *paths, struct diag *diag, int *fd_out)
{
	char path[CRS_PATH_SIZE];
	int fd = -1, err = crs_path_join(path, sizeof(path), paths->run, "crs.lock");

	if (!err)
		err = make_folder(paths);
	if (!err) {
		fd = open_file(path, paths);
		err = fd < 0 ? fd : 0;
	}
	if (err) {
		diag_error(diag, NULL, "cannot open %s/crs.lock: %s", paths->run, strerror(-err));
		return err;
	}
	err = lock(fd, path, "crs runs already, or a backup is being restored", diag);
	if (err)
		close(fd);
	else
		*fd_out = fd;
	return err;
}

int run_lock_take_data(const struct crs_paths *paths, struct diag *diag, int *fd_out)
{
	char path[CRS_PATH_SIZE];
	int fd, err = crs_path_join(path, sizeof(path), paths->data, "redis_low/lock");

	*fd_out = -1;
	if (err)
		return err;
	/* Not made where it is missing: no Redis was ever there. */
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0) {
		err = -errno;
		diag_error(diag, NULL, "cannot open %s: %s", path, strerror(-err));
		return err;
	}
	err = lock(fd, path, "a Redis works on these data", diag);
	if (err)
		close(fd);
	else
		*fd_out = fd;
	return err;
}
