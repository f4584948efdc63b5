/* trace.c - whole SIP messages in a file, or to a collector (capture.c), for whoever must find out
 * why a PBX does what it does.
 *
 * The library prints each message that it sends or receives, also over TLS, in pieces to its log:
 * a line that says which way, a separator, the message, a separator (tport_logging.c).  They are
 * put together here, and a message is appended in one write to a file that is opened anew each
 * time, so that it may be moved away.  Keys of SRTP are left out, controls are escaped. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "gateway/sip/agent.h"

/* Keys are escaped: twice the octets is enough for both. */
enum { TEXT_SIZE = 2 * AGENT_MAX_MESSAGE, PIECE_SIZE = 8192 };

struct sip_trace {
	char *path;              /* NULL: no file */
	struct capture *capture; /* NULL: no collector */
	bool within;             /* between the separators */
	struct buf text;
	char octets[TEXT_SIZE];
	char lines[TEXT_SIZE + 4096];
};

size_t trace_open_octets(struct slice line)
{
	static const char key[] = "inline:", crypto[] = "a=crypto:";
	const uint8_t *at = line.n ? memmem(line.p, line.n, crypto, sizeof(crypto) - 1) : NULL;
	const uint8_t *secret =
		at ? memmem(at, (size_t)(line.p + line.n - at), key, sizeof(key) - 1) : NULL;

	return secret ? (size_t)(secret - line.p) + sizeof(key) - 1 : line.n;
}

static void write_line(struct buf *to, struct slice line)
{
	size_t n = trace_open_octets(line);

	for (size_t i = 0; i < n; i++)
		if (line.p[i] < ' ' && line.p[i] != '\t')
			buf_printf(to, "\\x%02x", line.p[i]);
		else
			buf_put(to, &line.p[i], 1);
	buf_printf(to, "%s\n", n < line.n ? "***" : "");
}

/* What cannot be written is lost: calls are more important than their trace. */
static void append(const char *path, struct slice text)
{
	/* O_NOFOLLOW: the name may lie in a folder where others write. */
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (fd < 0)
		return;
	file_write_all(fd, text);
	close(fd);
}

static void write_message(struct sip_trace *trace)
{
	struct buf lines = BUF_OF(trace->lines);
	struct slice rest = buf_slice(&trace->text);

	while (rest.n) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t n = end ? (size_t)(end - rest.p) : rest.n;

		write_line(&lines, (struct slice){ rest.p, n });
		rest.p += end ? n + 1 : n;
		rest.n -= end ? n + 1 : n;
	}
	append(trace->path, buf_slice(&lines));
}

static void end_message(struct sip_trace *trace)
{
	if (trace->path)
		write_message(trace);
	if (trace->capture)
		capture_send(trace->capture, buf_slice(&trace->text));
	trace->text = BUF_OF(trace->octets);
}

static void on_piece(void *stream, char const *fmt, va_list ap)
{
	struct sip_trace *trace = stream;
	bool separator = strstr(fmt, "--------") != NULL;
	char piece[PIECE_SIZE];
	int n = vsnprintf(piece, sizeof(piece), fmt, ap);

	if (n < 0 || (!trace->within && !separator))
		return; /* what else the library says is not about a message */
	buf_put(&trace->text, piece, (size_t)n < sizeof(piece) ? (size_t)n : sizeof(piece) - 1);
	if (separator && trace->within)
		end_message(trace);
	if (separator)
		trace->within = !trace->within;
}

/* Instead of the library's own, which prints to standard error. */
static void no_log(void *stream, char const *fmt, va_list ap)
{
	(void)stream, (void)fmt, (void)ap;
}

void agent_no_log(void)
{
	su_log_redirect(NULL, no_log, NULL);
}

static void stop(struct agent *a)
{
	agent_no_log();
	if (a->trace) {
		free(a->trace->path);
		capture_free(&a->trace->capture);
	}
	free(a->trace);
	a->trace = NULL;
}

static void start(struct agent *a, const char *path, const SipAgent__Hep *hep)
{
	struct sip_trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return;
	if (path[0] == '/')
		trace->path = strdup(path);
	if (hep)
		trace->capture = capture_new(a, hep);
	trace->text = BUF_OF(trace->octets);
	a->trace = trace;
	if (trace->path || trace->capture)
		su_log_redirect(NULL, on_piece, trace);
	else
		stop(a);
}

void agent_set_trace(struct agent *a, const char *path, const SipAgent__Hep *hep)
{
	stop(a);
	if (path[0] == '/' || hep)
		start(a, path, hep);
	if (a->nta)
		nta_agent_set_params(a->nta, TPTAG_LOG(a->trace != NULL), TAG_END());
}
