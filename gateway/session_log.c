/* session_log.c - session.log as the CIG manual has it ("Logs"): fields with ", "
 * between them, "-" where there is nothing. */
#include "gateway/session_log.h"

#include <string.h>

#include "base/append_file.h"
#include "base/buf.h"
#include "base/clock.h"

enum {
	MAX_FIELD = 1024, /* octets of a text; a URI that the maps take has at most 512 */
	FIELDS = 8,
	/* Room for all of them, each octet as %XX: a line without its end would swallow the next.
	 */
	MAX_LINE = FIELDS * (3 * MAX_FIELD + 8) + 8,
};

static const char *const names[] = { "routing", "routed", "failed", "trying",
				     "ringing", "talk",   "hangup" };

const char *session_state_name(enum session_state state)
{
	return names[state];
}

/* The log is the file; the type keeps callers from writing other lines into it. */
static struct append_file *file_of(struct session_log *log)
{
	return (struct append_file *)(void *)log;
}

int session_log_open(const char *path, struct session_log **log_out, struct diag *diag)
{
	struct append_file *file;
	int err = append_file_open(path, "session_log", &file, diag);

	if (!err)
		*log_out = (struct session_log *)(void *)file;
	return err;
}

void session_log_close(struct session_log **logp)
{
	struct append_file *file = file_of(*logp);

	append_file_close(&file);
	*logp = NULL;
}

void session_log_reopen(struct session_log *log)
{
	append_file_reopen(file_of(log));
}

/* What would end a field or the line, or could be taken for what stands for such an octet. */
static bool is_special(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f || c == ',' || c == '%';
}

/* What the network says must neither forge a field nor be read in two ways.  No "%" but ours is
 * ever written, so "%..." can mark what was cut. */
static void put_field(struct buf *line, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	buf_put_str(line, ", ");
	if (n == 0) {
		buf_put_char(line, '-');
	} else if (strcmp(text, "-") == 0) {
		buf_put_str(line, "%2D");
		return;
	}
	for (size_t i = 0; i < n && i < MAX_FIELD; i++) {
		if (is_special(text[i]))
			buf_printf(line, "%%%02X", (unsigned char)text[i]);
		else
			buf_put_char(line, text[i]);
	}
	if (n > MAX_FIELD)
		buf_put_str(line, "%...");
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
	append_file_write(file_of(log), buf_slice(&line));
}
