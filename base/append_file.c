/* append_file.c - lines that only grow (session.log, call records), by one write(2) each.
 *
 * O_APPEND makes the kernel find the end and write in one step, so the lines of two processes do
 * not mix, and a file that logrotate has moved away or cut is no matter.
 */
#include "base/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"

struct append_file {
	int fd;
	char *path, *module;
	struct log_limit limit; /* of complaints */
};

/* A link is not followed: logs lie where several users may write. */
static int open_path(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
}

int append_file_open(const char *path, const char *module, struct append_file **file_out,
		     struct diag *diag)
{
	struct append_file *file = calloc(1, sizeof(*file));
	int err = -ENOMEM;

	if (!file)
		return err;
	file->fd = -1;
	file->path = strdup(path);
	file->module = strdup(module);
	if (file->path && file->module) {
		file->fd = open_path(path);
		err = file->fd < 0 ? -errno : 0;
	}
	if (err) {
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
		append_file_close(&file);
		return err;
	}
	*file_out = file;
	return 0;
}

void append_file_close(struct append_file **filep)
{
	struct append_file *file = *filep;

	if (!file)
		return;
	*filep = NULL;
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file->module);
	free(file);
}

/* The new file is opened first: without one the lines go on into the old. */
void append_file_reopen(struct append_file *file)
{
	int fd = open_path(file->path);

	if (fd < 0) {
		log_warn(file->module, "cannot reopen %s: %s", file->path, strerror(errno));
		return;
	}
	close(file->fd);
	file->fd = fd;
}

void append_file_write(struct append_file *file, struct slice text)
{
	/* Not tried again: a line that waits would make the caller wait, which is a call. */
	ssize_t n = write(file->fd, text.p, text.n);
	unsigned lost;

	if ((n < 0 || (size_t)n < text.n) && log_limit_pass(&file->limit, clock_mono_ms(), &lost))
		log_warn(file->module, "%s: %s; %u more lines lost before", file->path,
			 n < 0 ? strerror(errno) : "no space for the whole line", lost);
}
