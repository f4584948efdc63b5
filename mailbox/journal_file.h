/* journal_file.h - the file under a journal: records with checksums, appended, scanned, skipped
 * where they do not check, and cut where they end.
 *
 * The head is: a magic word (8 octets), a random number of the file's own, the seed (4), and the
 * CRC32C of both (4).  A record is: length of the body (4), the check of these four octets (4), the
 * check of the body (4), the body.  Checks are CRC32C begun with the seed, that of the body with
 * the length's check.  The length's highest bit says that all before the record was durable when it
 * was written; a record without body is a mark that says no more than that.
 *
 * A record that does not check is skipped where a later one says that it was durable once: a disk
 * has lost it, and no crash.  Else it is where a crash tore the end, and what stands behind it was
 * promised to nobody.  The next record is where the length says, or, where the length itself does
 * not check, the next place that checks.  What a text contains cannot pass for a record there, as
 * nobody outside knows the seed.
 *
 * The first form, of which files are read and no new ones made, has the magic word alone, and
 * records without the length's check and without seed: these are cut where one does not check.
 */
#ifndef MAILBOX_JOURNAL_FILE_H
#define MAILBOX_JOURNAL_FILE_H

#include <stdio.h>
#include <sys/types.h>

#include "base/slice.h"

enum {
	JOURNAL_MAGIC_BYTES = 8,
	JOURNAL_FILE_HEAD_BYTES = 16,
	JOURNAL_RECORD_HEAD_BYTES = 12,
	JOURNAL_MAX_RECORD_BYTES = (64 << 20) + 1024,
};

/* An open file; its owner closes fd. */
struct journal_file {
	int fd;
	uint32_t seed;   /* 0 in the first form */
	bool first_form; /* see above */
	off_t begin;     /* of the first record */
};

/* Takes PATH.lock.  Returns its descriptor (closing it lets go), -EBUSY (who has it
 * did not let go within three seconds), or -errno. */
int journal_file_lock(const char *path);

/* Opens or creates the file.  Returns 0, -EBADMSG for another file, or one whose seed is
 * damaged, or -errno; then file_out->fd is -1. */
int journal_file_open(const char *path, struct journal_file *file_out);

struct journal_scan_ops {
	/* A record with its place and body (valid until it returns); an error ends the scan. */
	int (*record)(void *arg, off_t at, struct slice body);
	/* n octets there do not check, and are passed over. */
	void (*skipped)(void *arg, off_t at, off_t n);
};

/* Goes through the records in order.  end_out is where the good ones end, or, on failure, where it
 * came to.  Returns 0 or -errno. */
int journal_file_scan(const struct journal_file *file, const struct journal_scan_ops *ops,
		      void *arg, off_t *end_out);

/* Copies n octets at `at` to PATH.torn, behind what it has or, where first is set, in its place.
 * Best effort. */
void journal_file_keep(const struct journal_file *file, off_t at, off_t n, const char *path,
		       bool first);

/* Keeps what stands behind end as PATH.torn (see above) and cuts the file there.  Returns the
 * octets cut, or -errno. */
ssize_t journal_file_cut(const struct journal_file *file, off_t end, const char *path, bool first);

/* Appends a record whose body is head and tail, at end; durable: all before it is.  Both empty, it
 * is a mark, and must be durable.  Returns its size, or -errno with the file cut at end again;
 * -EIO when even that failed. */
ssize_t journal_file_append(const struct journal_file *file, off_t end, bool durable,
			    struct slice head, struct slice tail);

/* Reads the body of the record at that place; the caller frees.  Returns 0, -EBADMSG, or
 * -errno. */
int journal_file_read(const struct journal_file *file, off_t at, uint8_t **body_out, size_t *n_out);

#endif
