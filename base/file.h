/* file.h - whole files, read with a bound and written so that a crash leaves
 * either the old content or the new.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/slice.h"

/* Reads all of path into *data_out (malloc'd, a NUL behind the last octet; the
 * caller frees).  Returns 0, -EFBIG when it holds more than max octets, -EISDIR,
 * or -errno; on failure the outputs are unchanged. */
int file_read(const char *path, size_t max, uint8_t **data_out, size_t *len_out);

/* The same of what is open as fd, from where it stands; fd stays open.  Returns 0, -EFBIG, -ENOMEM
 * or -errno. */
int file_read_all(int fd, size_t max, uint8_t **data_out, size_t *len_out);

/* Writes path by a temporary file beside it, fsync, rename and an fsync of the
 * directory; mode is exact, whatever the umask.  Returns 0 or -errno; the old
 * file stays on failure, but for one of the last step: then the new file is there,
 * though perhaps not after a crash. */
int file_write_atomic(const char *path, mode_t mode, struct slice content);

/* Writes all of content to fd, a file.  Returns 0 or -errno. */
int file_write_all(int fd, struct slice content);

/* Makes path and every missing parent with mode.  Returns 0 or -errno. */
int file_mkdirs(const char *path, mode_t mode);

/* fsyncs the directory that holds path, so that a rename in it is durable. */
int file_sync_parent(const char *path);

#endif
