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
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/file.h"
#include "mailbox/crc32c.h"

static const char magic[JOURNAL_MAGIC_BYTES + 1] = "TANDEMJ1";

enum { LOCK_WAIT_MS = 3000, LOCK_POLL_MS = 20, PIECE_BYTES = 1 << 20 };

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

/* Octets of the file from `at` on, read a piece at a time: a journal may have gigabytes. */
struct window {
	int fd;
	off_t at;
	uint8_t *octets;
	size_t n, room;
};

/* Fills to with the octets from at on.  Returns how many there were, fewer than n at the file's end
 * alone, or -errno. */
static ssize_t read_up_to(int fd, off_t at, uint8_t *to, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = pread(fd, to + done, n - done, at + (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* Sees to it that the window has the n octets at `at`, or what the file has of them, and shows
 * them. Returns 0 or -errno. */
static int look_at(struct window *w, off_t at, size_t n, struct slice *shown_out)
{
	/* Only onwards: what was shown before is over. */
	if ((size_t)(at - w->at) + n > w->n) {
		size_t room = n > PIECE_BYTES ? n : PIECE_BYTES;
		uint8_t *bigger = room > w->room ? realloc(w->octets, room) : w->octets;
		ssize_t got;

		if (!bigger)
			return -ENOMEM;
		w->octets = bigger;
		w->room = room > w->room ? room : w->room;
		w->at = at;
		w->n = 0;
		got = read_up_to(w->fd, at, w->octets, w->room);
		if (got < 0) /* perhaps behind what is asked for: that record will tell */
			got = read_up_to(w->fd, at, w->octets, n);
		if (got < 0)
			return (int)got;
		w->n = (size_t)got;
	}
	*shown_out = slice_from(slice_of(w->octets, w->n), (size_t)(at - w->at));
	return 0;
}

/* Takes the record at `at`.  Returns 1 with its body, 0 where no whole, good record is left, or
 * -errno. */
static int next_record(struct window *w, off_t at, struct slice *body_out)
{
	struct slice shown, length;
	uint32_t n, crc;
	struct cursor c;
	int err = look_at(w, at, JOURNAL_RECORD_HEAD_BYTES, &shown);

	if (err)
		return err;
	c = cursor_of(shown);
	n = cursor_u32(&c);
	if (!cursor_ok(&c) || n == 0 || n > JOURNAL_MAX_RECORD_BYTES)
		return 0;
	err = look_at(w, at, JOURNAL_RECORD_HEAD_BYTES + n, &shown);
	if (err)
		return err;
	c = cursor_of(shown);
	length = cursor_take(&c, 4);
	crc = cursor_u32(&c);
	*body_out = cursor_take(&c, n);
	return cursor_ok(&c) && checksum(length, *body_out, slice_of(NULL, 0)) == crc;
}

int journal_file_scan(int fd, int (*each)(void *arg, off_t at, struct slice body), void *arg,
		      off_t *end_out)
{
	struct window w = { .fd = fd };
	struct slice body;
	int found;

	*end_out = w.at = JOURNAL_MAGIC_BYTES;
	/* Read, not mapped: of a bad sector a mapping tells by a signal. */
	while ((found = next_record(&w, *end_out, &body)) > 0) {
		int err = each(arg, *end_out, body);

		*end_out += (off_t)(JOURNAL_RECORD_HEAD_BYTES + body.n);
		if (err) {
			found = err;
			break;
		}
	}
	free(w.octets);
	return found;
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
	if (st.st_size < end) /* it was longer when it was read */
		return -EIO;
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
	ssize_t got = read_up_to(fd, at, to, n);

	return got < 0 ? (int)got : (size_t)got < n ? -EBADMSG : 0;
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
