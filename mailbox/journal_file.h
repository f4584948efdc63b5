/* journal_file.h - the file under a journal: records with length and CRC32C behind a
 * magic word, appended, scanned, and cut where they end.
 *
 * A record is: length of the body (4 octets), CRC32C of the length's octets and the
 * body (4), the body.
 */
#ifndef MAILBOX_JOURNAL_FILE_H
#define MAILBOX_JOURNAL_FILE_H

#include <stdio.h>
#include <sys/types.h>

#include "base/slice.h"

struct diag;

enum {
	JOURNAL_MAGIC_BYTES = 8,
	JOURNAL_RECORD_HEAD_BYTES = 8,
	JOURNAL_MAX_RECORD_BYTES = (64 << 20) + 1024,
};

/* Takes PATH.lock.  Returns its descriptor (closing it lets go), -EBUSY (who has it
 * did not let go within three seconds), or -errno. */
int journal_file_lock(const char *path);

/* Opens or creates the file.  Returns the descriptor, -EBADMSG for another file, or
 * -errno. */
int journal_file_open(const char *path);

/* Calls each for every whole record with its place and body (valid until it returns);
 * an error of each ends the scan.  end_out is where the good ones end, or, on failure, where it
 * came to.  Returns 0 or -errno. */
int journal_file_scan(int fd, int (*each)(void *arg, off_t at, struct slice body), void *arg,
		      off_t *end_out);

/* Keeps what stands behind end as PATH.torn and cuts the file there.  Returns the octets
 * cut, or -errno. */
ssize_t journal_file_cut(int fd, off_t end, const char *path);

/* Appends a record whose body is head and tail, at end.  Returns its size, or -errno with
 * the file cut at end again; -EIO when even that failed. */
ssize_t journal_file_append(int fd, off_t end, struct slice head, struct slice tail);

/* Reads the body of the record at that place; the caller frees.  Returns 0, -EBADMSG, or
 * -errno. */
int journal_file_read(int fd, off_t at, uint8_t **body_out, size_t *n_out);

#endif
