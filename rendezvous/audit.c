/* audit.c - one line of the log for each act of an operator or administrator. */
#include "rendezvous/audit.h"

#include "base/buf.h"
#include "base/log.h"

/* name="text"; controls are the log's own business (base/log.h). */
static void put_quoted(struct buf *line, const char *name, const char *text, size_t most)
{
	buf_printf(line, " %s=\"", name);
	for (size_t n = 0; *text && n < most; text++, n++) {
		if (*text == '"' || *text == '\\')
			buf_put_char(line, '\\');
		buf_put_char(line, *text);
	}
	buf_put_char(line, '"');
}

void audit_write(const char *who, const char *what, const char *about, const char *result,
		 const char *says)
{
	/* Texts of nothing but quotes, and the rest; a line of the log takes 4096 octets. */
	char text[7 * AUDIT_TEXT_MAX + 2 * AUDIT_SAYS_MAX];
	struct buf line = BUF_OF(text);

	put_quoted(&line, "action", what, AUDIT_TEXT_MAX);
	put_quoted(&line, "on", about, AUDIT_TEXT_MAX);
	put_quoted(&line, "result", result, AUDIT_TEXT_MAX);
	if (says && *says)
		put_quoted(&line, "says", says, AUDIT_SAYS_MAX);
	log_info("audit", "%s%s", who, buf_str(&line));
}
