/* journal_file.c - records on disk: written at a given end, checked by CRC, cut where they tear.
 *
 * Nothing here flushes but what makes or cuts a file: the journal decides when.
 */
#include "mailbox/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/file.h"
#include "mailbox/crc32c.h"

static const char magic[JOURNAL_MAGIC_BYTES + 1] = "TANDEMJ1";

enum { LOCK_WAIT_MS = 3000, LOCK_POLL_MS = 20 };

/* A process that was killed keeps its locks until the system has taken it apart, and the next
 * one may have been started before that.  Returns 0, -EBUSY or another -errno. */
static int lock_or_wait(int fd)
{
	const struct timespec poll = { .tv_nsec = LOCK_POLL_MS * 1000000L };

	for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited_ms += LOCK_POLL_MS) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (waited_ms >= LOCK_WAIT_MS)
			return -EBUSY;
		nanosleep(&poll, NULL);
	}
	return 0;
}

int journal_file_lock(const char *path)
{
	char lock[PATH_MAX];
	int n = snprintf(lock, sizeof(lock), "%s.lock", path);
	int fd, err;

	if (n < 0 || (size_t)n >= sizeof(lock))
		return -ENAMETOOLONG;
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = lock_or_wait(fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* A file that is empty, or was torn while it was made, begins anew. */
static int check_magic(int fd)
{
	char head[JOURNAL_MAGIC_BYTES];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < 0)
		return -errno;
	if (memcmp(head, magic, (size_t)n) != 0)
		return -EBADMSG;
	/* A prefix of the magic word, or nothing at all, is what a crash left of a file that was
	 * made. */
	if (n == JOURNAL_MAGIC_BYTES)
		return 0;
	/* Flushed with the name, below, before any record is promised. */
	if (pwrite(fd, magic, JOURNAL_MAGIC_BYTES, 0) != JOURNAL_MAGIC_BYTES)
		return -EIO;
	return fdatasync(fd) < 0 ? -errno : 0;
}

int journal_file_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = check_magic(fd);
	if (!err)
		err = file_sync_parent(path);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static uint32_t checksum(struct slice length, struct slice head, struct slice tail)
{
	return crc32c(crc32c(crc32c(0, length), head), tail);
}

/* Takes the next record's body; false where no whole, good record is left. */
static bool next_record(struct cursor *c, struct slice *body_out)
{
	struct slice length = cursor_take(c, 4);
	struct cursor number = cursor_of(length);
	uint32_t n = cursor_u32(&number), crc = cursor_u32(c);

	if (!cursor_ok(c) || n == 0 || n > JOURNAL_MAX_RECORD_BYTES)
		return false;
	*body_out = cursor_take(c, n);
	return cursor_ok(c) && checksum(length, *body_out, slice_of(NULL, 0)) == crc;
}

int journal_file_scan(int fd, int (*each)(void *arg, off_t at, struct slice body), void *arg,
		      off_t *end_out)
{
	struct stat st;
	struct slice body;
	struct cursor c;
	uint8_t *map;
	int err = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	/* Mapped, so that a journal of gigabytes is read without as much memory; it has the magic
	 * word, so it is not empty. */
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	*end_out = JOURNAL_MAGIC_BYTES;
	c = cursor_of(slice_from(slice_of(map, (size_t)st.st_size), JOURNAL_MAGIC_BYTES));
	while (!err && next_record(&c, &body)) {
		err = each(arg, *end_out, body);
		*end_out = c.p - map;
	}
	munmap(map, (size_t)st.st_size);
	return err;
}

/* Copies what stands in fd from offset at on.  Best effort: nobody was told of it. */
static void keep_tail(int fd, off_t at, const char *path)
{
	char torn[PATH_MAX];
	int n = snprintf(torn, sizeof(torn), "%s.torn", path);
	uint8_t block[4096];
	ssize_t got;
	int to;

	if (n < 0 || (size_t)n >= sizeof(torn))
		return;
	to = open(torn, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (to < 0)
		return;
	while ((got = pread(fd, block, sizeof(block), at)) > 0 &&
	       write(to, block, (size_t)got) == got)
		at += got;
	close(to);
}

ssize_t journal_file_cut(int fd, off_t end, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size == end)
		return 0;
	keep_tail(fd, end, path);
	if (ftruncate(fd, end) < 0 || fdatasync(fd) < 0)
		return -errno;
	return st.st_size - end;
}

/* Writes all parts at the offset.  Returns 0 or -errno. */
static int write_parts(int fd, off_t at, struct iovec *parts, int count)
{
	while (count) {
		ssize_t n = pwritev(fd, parts, count, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		while (count && (size_t)n >= parts->iov_len) {
			n -= (ssize_t)parts->iov_len;
			parts++;
			count--;
		}
		if (count) {
			parts->iov_base = (uint8_t *)parts->iov_base + n;
			parts->iov_len -= (size_t)n;
		}
	}
	return 0;
}

ssize_t journal_file_append(int fd, off_t end, struct slice head, struct slice tail)
{
	size_t n = head.n + tail.n;
	uint8_t front[JOURNAL_RECORD_HEAD_BYTES + 1];
	struct buf b = BUF_OF(front);
	struct iovec parts[3] = {
		{ front, JOURNAL_RECORD_HEAD_BYTES },
		{ (void *)(uintptr_t)head.p, head.n },
		{ (void *)(uintptr_t)tail.p, tail.n },
	};
	int err;

	buf_put_u32(&b, (uint32_t)n);
	buf_put_u32(&b, checksum(slice_of(front, 4), head, tail));
	err = write_parts(fd, end, parts, 3);
	if (!err)
		return (ssize_t)(JOURNAL_RECORD_HEAD_BYTES + n);
	/* What is left of a record must go: behind a shorter next one it would look torn. */
	return ftruncate(fd, end) < 0 ? -EIO : err;
}

static int read_exact(int fd, off_t at, uint8_t *to, size_t n)
{
	while (n) {
		ssize_t got = pread(fd, to, n, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EBADMSG;
		to += got;
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

int journal_file_read(int fd, off_t at, uint8_t **body_out, size_t *n_out)
{
	uint8_t front[JOURNAL_RECORD_HEAD_BYTES], *body;
	struct cursor c = cursor_of(slice_of(front, sizeof(front)));
	uint32_t n, crc;
	int err = read_exact(fd, at, front, sizeof(front));

	if (err)
		return err;
	n = cursor_u32(&c);
	crc = cursor_u32(&c);
	if (n == 0 || n > JOURNAL_MAX_RECORD_BYTES)
		return -EBADMSG;
	body = malloc(n);
	if (!body)
		return -ENOMEM;
	err = read_exact(fd, at + JOURNAL_RECORD_HEAD_BYTES, body, n);
	if (!err && checksum(slice_of(front, 4), slice_of(body, n), slice_of(NULL, 0)) != crc)
		err = -EBADMSG;
	if (err) {
		free(body);
		return err;
	}
	*body_out = body;
	*n_out = n;
	return 0;
}
