/* log.c - the program's log: one line, one write(2).
 *
 * Threads may log at once, as a line is put together on the stack and goes out whole; opening,
 * verbosity and the tap belong to the main thread, before others start or while none logs.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"

enum { LOG_MAX_LINE = 4096, LOG_REPEAT_MS = 60000 };

/* A process has one log, as it has one standard error. */
static struct {
	int fd;
	char *path;
	enum log_style style;
	int verbose;
	log_tap_fn *tap;
	void *tap_arg;
	bool telling; /* the tap */
} sink = { .fd = STDERR_FILENO };

static const char *const type_names[] = { "DEBUG", "INFO", "WARN", "INIT", "Nothing" };

/* A link is not followed: where several users may write, it could lead anywhere. */
static int open_log(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
}

int log_open(enum log_style style, const char *path, struct diag *diag)
{
	int fd = STDERR_FILENO;
	char *copy = NULL;

	if (path) {
		fd = open_log(path);
		copy = fd >= 0 ? strdup(path) : NULL;
		if (!copy) {
			int err = fd < 0 ? errno : ENOMEM;

			if (fd >= 0)
				close(fd);
			diag_error(diag, NULL, "log file %s: %s", path, strerror(err));
			return -err;
		}
	}
	sink.style = style;
	sink.fd = fd;
	sink.path = copy;
	return 0;
}

void log_reopen(void)
{
	int fd;

	if (!sink.path)
		return;
	fd = open_log(sink.path);
	if (fd < 0) {
		log_warn("log", "cannot reopen %s: %s; still writing to the old file", sink.path,
			 strerror(errno));
		return;
	}
	close(sink.fd);
	sink.fd = fd;
}

void log_set_verbose(int verbose)
{
	sink.verbose = verbose;
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c) || c == 0x7f;
}

static void put_clean(struct buf *line, const char *text)
{
	while (*text && buf_ok(line)) {
		size_t n = 0;

		while (text[n] && !is_control(text[n]))
			n++;
		buf_put(line, text, n);
		text += n;
		if (*text)
			buf_printf(line, "\\x%02x", (unsigned char)*text++);
	}
}

void log_set_tap(log_tap_fn *tap, void *arg)
{
	sink.tap = tap;
	sink.tap_arg = arg;
}

static bool written_down(enum log_type type)
{
	return !(type == LOG_TYPE_DEBUG && sink.verbose <= 0) &&
	       !(type == LOG_TYPE_INFO && sink.verbose < 0);
}

static void tell_tap(enum log_type type, const char *module, const char *text)
{
	if (!sink.tap || sink.telling)
		return;
	/* It may log, too, and it may take itself off: so it stays where it is meanwhile. */
	sink.telling = true;
	sink.tap(sink.tap_arg, type, module, text);
	sink.telling = false;
}

void log_line(enum log_type type, const char *module, const char *fmt, ...)
{
	char text[LOG_MAX_LINE], out[LOG_MAX_LINE + 128], when[CLOCK_TEXT_SIZE];
	struct buf line = BUF_OF(out);
	ssize_t written;
	va_list ap;

	if (!written_down(type) && !sink.tap)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tell_tap(type, module, text);
	if (!written_down(type))
		return;
	clock_format(clock_wall_ms(), when);
	if (sink.style == LOG_STYLE_CRS)
		buf_printf(&line, "[%s | %s | %s(%d)] ", when, type_names[type], module,
			   (int)getpid());
	else
		buf_printf(&line, "[%s] %s[%s]: ", when, module, type_names[type]);
	put_clean(&line, text);
	line.p[line.len++] = '\n'; /* over the NUL: there is always room for one */
	written = write(sink.fd, line.p, line.len);
	(void)written; /* a log that cannot be written has nowhere to say so */
}

int log_limit_pass(struct log_limit *limit, int64_t now_ms, unsigned *suppressed_out)
{
	if (now_ms < limit->next_ms) {
		limit->suppressed++;
		return 0;
	}
	*suppressed_out = limit->suppressed;
	limit->suppressed = 0;
	limit->next_ms = now_ms + LOG_REPEAT_MS;
	return 1;
}
