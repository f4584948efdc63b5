#include "gateway/session_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"

enum { MAX_LINE = 8192 };

struct session_log {
	int fd;
	char *path;
};

static const char *const names[] = { "routing", "routed", "failed", "trying",
				     "ringing", "talk",   "hangup" };

const char *session_state_name(enum session_state state)
{
	return names[state];
}

static int open_path(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
}

int session_log_open(const char *path, struct session_log **log_out, struct diag *diag)
{
	struct session_log *log = calloc(1, sizeof(*log));
	int err = 0;

	if (!log || !(log->path = strdup(path))) {
		free(log);
		return -ENOMEM;
	}
	log->fd = open_path(path);
	if (log->fd < 0) {
		err = -errno;
		diag_error(diag, NULL, "%s: %s", path, strerror(errno));
		session_log_close(&log);
		return err;
	}
	*log_out = log;
	return 0;
}

void session_log_close(struct session_log **logp)
{
	struct session_log *log = *logp;

	if (!log)
		return;
	*logp = NULL;
	if (log->fd >= 0)
		close(log->fd);
	free(log->path);
	free(log);
}

void session_log_reopen(struct session_log *log)
{
	int fd = open_path(log->path);

	if (fd < 0) {
		log_warn("session_log", "cannot reopen %s: %s", log->path, strerror(errno));
		return;
	}
	close(log->fd);
	log->fd = fd;
}

static void put_field(struct buf *line, const char *text)
{
	buf_put_str(line, ", ");
	if (!text || !*text)
		buf_put_char(line, '-');
	for (; text && *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f || c == ',')
			buf_printf(line, "%%%02X", c);
		else
			buf_put_char(line, *text);
	}
}

void session_log_write(struct session_log *log, int64_t wall_ms, const struct session_event *event)
{
	char text[MAX_LINE], when[CLOCK_TEXT_SIZE];
	struct buf line = BUF_OF(text);

	clock_format(wall_ms, when);
	buf_put_str(&line, "event");
	put_field(&line, when);
	put_field(&line, event->caller);
	put_field(&line, event->callee);
	put_field(&line, event->routed_caller);
	put_field(&line, event->routed_callee);
	put_field(&line, names[event->state]);
	put_field(&line, event->caller_id);
	put_field(&line, event->callee_id);
	buf_put_char(&line, '\n');
	if (write(log->fd, line.p, line.len) < 0)
		log_warn("session_log", "%s: %s", log->path, strerror(errno));
}
