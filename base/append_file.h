/* append_file.h - a file of lines that only grows: session.log, call records.
 *
 * Each line goes out in one write with O_APPEND, so that a reader never sees half of
 * one and logrotate may move the file away at any time.
 */
#ifndef BASE_APPEND_FILE_H
#define BASE_APPEND_FILE_H

#include "base/slice.h"

struct append_file;
struct diag;

/* Opens path for appending, mode 0640; module names the lines that it writes to the log.
 * Both texts are copied.  Returns 0, -ENOMEM, or -errno with diag set. */
int append_file_open(const char *path, const char *module, struct append_file **file_out,
		     struct diag *diag);

/* Closes *filep, which may be NULL, and sets it to NULL. */
void append_file_close(struct append_file **filep);

/* Opens the path again, after logrotate has moved the file.  When that fails the old
 * file stays in use, which the log tells. */
void append_file_reopen(struct append_file *file);

/* Appends text, which ends with a newline.  That it cannot be written (a full disk) is
 * told in the log, once a minute at most; the line is lost. */
void append_file_write(struct append_file *file, struct slice text);

#endif
