/* file.c - whole files, read with a bound and replaced atomically. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files hold keys, too: what is given back is wiped, as realloc() would not do it. */
static void drop(uint8_t *data, size_t len)
{
	explicit_bzero(data, len);
	free(data);
}

/* Doubling by hand: realloc() would leave the old octets somewhere in the heap. */
static uint8_t *grow(uint8_t *data, size_t len, size_t cap)
{
	uint8_t *more = malloc(cap);

	if (more)
		memcpy(more, data, len);
	drop(data, len);
	return more;
}

/* The size that stat() tells is not asked for: pipes have none, and a file may grow meanwhile.
 * A NUL is put behind the content, so that texts can be used as they lie. */
int file_read_all(int fd, size_t max, uint8_t **data_out, size_t *len_out)
{
	size_t cap = 4096, len = 0;
	uint8_t *data = malloc(cap);

	while (data) {
		ssize_t n = read(fd, data + len, cap - len - 1);

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		/* Checked after each piece: a file that never ends (/dev/zero) stops at max, too.
		 */
		if (n < 0 || (len += (size_t)n) > max) {
			int err = n < 0 ? errno : EFBIG;

			drop(data, len);
			return -err;
		}
		if (cap - len - 1 == 0)
			data = grow(data, len, cap *= 2);
	}
	if (!data)
		return -ENOMEM;
	data[len] = 0;
	*data_out = data;
	*len_out = len;
	return 0;
}

int file_read(const char *path, size_t max, uint8_t **data_out, size_t *len_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = file_read_all(fd, max, data_out, len_out);
	close(fd);
	return err;
}

int file_write_all(int fd, struct slice content)
{
	while (content.n) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		content = slice_from(content, (size_t)n);
	}
	return 0;
}

/* fsync of a file does not make its name durable: that stands in the directory. */
int file_sync_parent(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int n = slash ? snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path + 1), path)
		      : snprintf(dir, sizeof(dir), ".");
	int fd, err = 0;

	if (n < 0 || (size_t)n >= sizeof(dir))
		return -ENAMETOOLONG;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

int file_write_atomic(const char *path, mode_t mode, struct slice content)
{
	char tmp[PATH_MAX];
	int n = snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path);
	int fd, err;

	if (n < 0 || (size_t)n >= sizeof(tmp))
		return -ENAMETOOLONG;
	/* In the same directory, so that the rename stays within one file system and is atomic.
	 * mkostemp makes it 0600: nobody reads it before its mode is set. */
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Mode, content and fsync come before the name: whoever opens path finds the old file
	 * or the whole new one, after a crash too. */
	err = fchmod(fd, mode) < 0 ? -errno : file_write_all(fd, content);
	if (!err && fsync(fd) < 0)
		err = -errno;
	close(fd);
	if (!err && rename(tmp, path) < 0)
		err = -errno;
	if (err) {
		unlink(tmp);
		return err;
	}
	/* The new file stands under its name already: an error of this means that it may be the
	 * old one again after a crash, not that nothing was written. */
	return file_sync_parent(path);
}

int file_mkdirs(const char *path, mode_t mode)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(part))
		return -ENAMETOOLONG;
	memcpy(part, path, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		/* What is there already is taken for a directory: whoever uses it hears ENOTDIR. */
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return -errno;
		part[i] = path[i];
	}
	return 0;
}
