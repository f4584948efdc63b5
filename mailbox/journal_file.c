/* journal_file.c - records on disk: written at a given end, checked by CRC, passed over where they
 * are damaged, and cut where they tear.
 *
 * Nothing here flushes but what makes or cuts a file: the journal decides when.
 */
#include "mailbox/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/file.h"
#include "mailbox/crc32c.h"

static const char magic[JOURNAL_MAGIC_BYTES + 1] = "TANDEMJ2";
static const char first_magic[JOURNAL_MAGIC_BYTES + 1] = "TANDEMJ1";

#define DURABLE 0x80000000U /* in a record's length */

enum { FIRST_FORM_HEAD_BYTES = 8 };

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

/* A file that is empty, or was torn while it was made, begins anew.  Flushed with the name, below,
 * before any record is promised. */
static int write_head(struct journal_file *file)
{
	uint8_t head[JOURNAL_FILE_HEAD_BYTES + 1];
	struct buf b = BUF_OF(head);

	if (getrandom(&file->seed, sizeof(file->seed), 0) != sizeof(file->seed))
		return -EIO;
	buf_put(&b, magic, JOURNAL_MAGIC_BYTES);
	buf_put_u32(&b, file->seed);
	buf_put_u32(&b, crc32c(0, slice_of(head, b.len)));
	if (pwrite(file->fd, head, b.len, 0) != (ssize_t)b.len)
		return -EIO;
	return fdatasync(file->fd) < 0 ? -errno : 0;
}

static int read_head(struct journal_file *file)
{
	uint8_t head[JOURNAL_FILE_HEAD_BYTES];
	ssize_t n = pread(file->fd, head, sizeof(head), 0);
	size_t word = n < JOURNAL_MAGIC_BYTES ? (size_t)n : JOURNAL_MAGIC_BYTES;
	struct cursor c;

	if (n < 0)
		return -errno;
	file->first_form = word == JOURNAL_MAGIC_BYTES && memcmp(head, first_magic, word) == 0;
	file->begin = file->first_form ? JOURNAL_MAGIC_BYTES : JOURNAL_FILE_HEAD_BYTES;
	if (file->first_form)
		return 0;
	if (memcmp(head, magic, word) != 0)
		return -EBADMSG;
	/* A beginning of the head, or nothing at all, is what a crash left of a file that was
	 * made. */
	if (n < JOURNAL_FILE_HEAD_BYTES)
		return write_head(file);
	c = cursor_of(slice_from(slice_of(head, sizeof(head)), JOURNAL_MAGIC_BYTES));
	file->seed = cursor_u32(&c);
	/* Under another seed no record would check: better no start than a file that is cut. */
	return cursor_u32(&c) == crc32c(0, slice_of(head, sizeof(head) - 4)) ? 0 : -EBADMSG;
}

int journal_file_open(const char *path, struct journal_file *file_out)
{
	int err;

	*file_out =
		(struct journal_file){ .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
						  0600) };
	if (file_out->fd < 0)
		return -errno;
	err = read_head(file_out);
	if (!err)
		err = file_sync_parent(path);
	if (err) {
		close(file_out->fd);
		file_out->fd = -1;
	}
	return err;
}

/* ---- a record's head ---- */

struct record_head {
	uint32_t n; /* of the body */
	uint32_t length_check, check;
	bool durable;
};

static size_t head_bytes(const struct journal_file *file)
{
	return file->first_form ? FIRST_FORM_HEAD_BYTES : JOURNAL_RECORD_HEAD_BYTES;
}

/* What the body's check begins with. */
static uint32_t check_length(const struct journal_file *file, struct slice length)
{
	return crc32c(file->seed, length);
}

/* octets has the head's; false where these are none. */
static bool take_head(const struct journal_file *file, struct slice octets,
		      struct record_head *head_out)
{
	struct cursor c = cursor_of(octets);
	struct slice length = cursor_take(&c, 4);
	struct cursor number = cursor_of(length);
	uint32_t n = cursor_u32(&number);

	if (!cursor_ok(&number))
		return false;
	*head_out = (struct record_head){ .n = n, .length_check = check_length(file, length) };
	if (!file->first_form) {
		head_out->n = n & ~DURABLE;
		head_out->durable = n & DURABLE;
		if (cursor_u32(&c) != head_out->length_check)
			return false;
	}
	head_out->check = cursor_u32(&c);
	return cursor_ok(&c) && (head_out->n || head_out->durable) &&
	       head_out->n <= JOURNAL_MAX_RECORD_BYTES;
}

/* ---- reading ---- */

/* Octets of the file from `at` on, read a piece at a time: a journal may have gigabytes. */
struct window {
	const struct journal_file *file;
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
		got = read_up_to(w->file->fd, at, w->octets, w->room);
		if (got < 0) /* perhaps behind what is asked for: that record will tell */
			got = read_up_to(w->file->fd, at, w->octets, n);
		if (got < 0)
			return (int)got;
		w->n = (size_t)got;
	}
	*shown_out = slice_from(slice_of(w->octets, w->n), (size_t)(at - w->at));
	return 0;
}

enum found {
	NO_RECORD,     /* no head that checks, or not all of the body */
	BROKEN_RECORD, /* its length checks, and its body does not */
	GOOD_RECORD,
};

struct record {
	struct record_head head;
	struct slice body;
	size_t size; /* in the file */
};

/* Looks at the record at `at`.  Returns what is found there, or -errno. */
static int look_at_record(struct window *w, off_t at, struct record *record_out)
{
	size_t head_n = head_bytes(w->file);
	struct slice shown;
	int err = look_at(w, at, head_n, &shown);

	if (err)
		return err;
	if (!take_head(w->file, shown, &record_out->head))
		return NO_RECORD;
	record_out->size = head_n + record_out->head.n;
	err = look_at(w, at, record_out->size, &shown);
	if (err)
		return err;
	if (shown.n < record_out->size)
		return NO_RECORD;
	record_out->body = slice_of(shown.p + head_n, record_out->head.n);
	if (crc32c(record_out->head.length_check, record_out->body) == record_out->head.check)
		return GOOD_RECORD;
	return w->file->first_form ? NO_RECORD : BROKEN_RECORD;
}

/* How many octets at the front are certainly no record's first: none has a length that is so great,
 * or is nothing at all.  Damage may be gigabytes, and the check of each place would take minutes.
 */
static size_t count_impossible(struct slice shown)
{
	size_t i = 0;

	for (; i + 4 <= shown.n; i++) {
		uint32_t n = (uint32_t)shown.p[i] << 24 | (uint32_t)shown.p[i + 1] << 16 |
			     (uint32_t)shown.p[i + 2] << 8 | shown.p[i + 3];

		if (n && (n & ~DURABLE) <= JOURNAL_MAX_RECORD_BYTES)
			break;
	}
	return i;
}

/* The first good record at or behind *at, which is moved there.  Returns 1, 0 or -errno. */
static int find_record(struct window *w, off_t *at, struct record *record_out)
{
	for (;;) {
		struct slice shown;
		int found = look_at_record(w, *at, record_out);

		if (found < 0 || found == GOOD_RECORD)
			return found < 0 ? found : 1;
		if (found == BROKEN_RECORD) {
			*at += (off_t)record_out->size;
			continue;
		}
		found = look_at(w, ++*at, 1, &shown);
		if (found < 0 || shown.n == 0)
			return found;
		*at += (off_t)count_impossible(shown);
	}
}

/* The first record behind `at` that says all before it was durable.  Returns 1, 0 or -errno. */
static int find_durable(const struct journal_file *file, off_t at, off_t *durable_out)
{
	struct window w = { .file = file, .at = at };
	struct record record;
	int found;

	while ((found = find_record(&w, &at, &record)) > 0 && !record.head.durable)
		at += (off_t)record.size;
	*durable_out = at;
	free(w.octets);
	return found;
}

/* At `at` stands no good record: *next_out is where the scan goes on, or `at` at the end.
 * *durable is the last place known to say that all before it was durable, so that nothing is gone
 * through twice.  Returns 0 or -errno. */
static int skip(struct window *w, off_t at, off_t *durable, off_t *next_out)
{
	struct record record;
	int found;

	*next_out = at;
	if (w->file->first_form)
		return 0;
	if (*durable <= at) {
		off_t place;

		found = find_durable(w->file, at, &place);
		if (found <= 0)
			return found;
		*durable = place;
	}
	found = find_record(w, next_out, &record);
	return found < 0 ? found : 0;
}

int journal_file_scan(const struct journal_file *file, const struct journal_scan_ops *ops,
		      void *arg, off_t *end_out)
{
	struct window w = { .file = file, .at = file->begin };
	off_t durable = 0, next;
	struct record record;
	int found;

	*end_out = file->begin;
	/* Read, not mapped: of a bad sector a mapping tells by a signal. */
	while ((found = look_at_record(&w, *end_out, &record)) >= 0) {
		int err = 0;

		if (found == GOOD_RECORD) {
			next = *end_out + (off_t)record.size;
			if (record.head.n)
				err = ops->record(arg, *end_out, record.body);
		} else {
			err = skip(&w, *end_out, &durable, &next);
			if (!err && next == *end_out)
				break;
			if (!err)
				ops->skipped(arg, *end_out, next - *end_out);
		}
		if (err) {
			found = err;
			break;
		}
		*end_out = next;
	}
	free(w.octets);
	return found < 0 ? found : 0;
}

void journal_file_keep(const struct journal_file *file, off_t at, off_t n, const char *path,
		       bool first)
{
	char torn[PATH_MAX];
	int length = snprintf(torn, sizeof(torn), "%s.torn", path);
	uint8_t block[4096];
	int to;

	if (length < 0 || (size_t)length >= sizeof(torn))
		return;
	to = open(torn, O_WRONLY | O_CREAT | (first ? O_TRUNC : O_APPEND) | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (to < 0)
		return;
	while (n > 0) {
		size_t want = n < (off_t)sizeof(block) ? (size_t)n : sizeof(block);
		ssize_t got = pread(file->fd, block, want, at);

		if (got <= 0 || write(to, block, (size_t)got) != got)
			break;
		at += got;
		n -= got;
	}
	close(to);
}

ssize_t journal_file_cut(const struct journal_file *file, off_t end, const char *path, bool first)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return -errno;
	if (st.st_size == end)
		return 0;
	if (st.st_size < end) /* it was longer when it was read */
		return -EIO;
	journal_file_keep(file, end, st.st_size - end, path, first);
	if (ftruncate(file->fd, end) < 0 || fdatasync(file->fd) < 0)
		return -errno;
	return st.st_size - end;
}

/* ---- writing ---- */

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

ssize_t journal_file_append(const struct journal_file *file, off_t end, bool durable,
			    struct slice head, struct slice tail)
{
	size_t n = head.n + tail.n;
	uint8_t front[JOURNAL_RECORD_HEAD_BYTES + 1];
	struct buf b = BUF_OF(front);
	struct iovec parts[3] = {
		{ front, head_bytes(file) },
		{ (void *)(uintptr_t)head.p, head.n },
		{ (void *)(uintptr_t)tail.p, tail.n },
	};
	uint32_t check;
	int err;

	buf_put_u32(&b, (uint32_t)n | (durable && !file->first_form ? DURABLE : 0));
	check = check_length(file, slice_of(front, 4));
	if (!file->first_form)
		buf_put_u32(&b, check);
	buf_put_u32(&b, crc32c(crc32c(check, head), tail));
	err = write_parts(file->fd, end, parts, 3);
	if (!err)
		return (ssize_t)(head_bytes(file) + n);
	/* What is left of a record must go: behind a shorter next one it would look torn. */
	return ftruncate(file->fd, end) < 0 ? -EIO : err;
}

static int read_exact(int fd, off_t at, uint8_t *to, size_t n)
{
	ssize_t got = read_up_to(fd, at, to, n);

	return got < 0 ? (int)got : (size_t)got < n ? -EBADMSG : 0;
}

int journal_file_read(const struct journal_file *file, off_t at, uint8_t **body_out, size_t *n_out)
{
	uint8_t front[JOURNAL_RECORD_HEAD_BYTES], *body;
	struct record_head head;
	int err = read_exact(file->fd, at, front, head_bytes(file));

	if (err)
		return err;
	if (!take_head(file, slice_of(front, head_bytes(file)), &head) || head.n == 0)
		return -EBADMSG;
	body = malloc(head.n);
	if (!body)
		return -ENOMEM;
	err = read_exact(file->fd, at + (off_t)head_bytes(file), body, head.n);
	if (!err && crc32c(head.length_check, slice_of(body, head.n)) != head.check)
		err = -EBADMSG;
	if (err) {
		free(body);
		return err;
	}
	*body_out = body;
	*n_out = head.n;
	return 0;
}
