/* call_trace.c - readers of live traces; each is a stream on the control port. */
#include "gateway/call_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/json_text.h"
#include "gateway/call.h"

enum { MAX_EVENT = 1024, MAX_MATCH = 600 };

struct reader {
	struct call_trace *trace;
	struct control_stream *stream;
	char match[MAX_MATCH]; /* "": every call */
};

struct call_trace {
	struct reader *reader[CALL_TRACE_MAX]; /* NULL: the place is free */
	unsigned n;
};

struct call_trace *call_trace_new(void)
{
	return calloc(1, sizeof(struct call_trace));
}

/* Frees the reader's place; its stream is ended already, or is about to be. */
static void forget(struct reader *reader)
{
	struct call_trace *trace = reader->trace;

	for (size_t i = 0; i < CALL_TRACE_MAX; i++)
		if (trace->reader[i] == reader) {
			trace->reader[i] = NULL;
			trace->n--;
		}
	free(reader);
}

void call_trace_free(struct call_trace **tracep)
{
	struct call_trace *trace = *tracep;

	if (!trace)
		return;
	*tracep = NULL;
	for (size_t i = 0; i < CALL_TRACE_MAX; i++)
		if (trace->reader[i]) {
			control_stream_end(&trace->reader[i]->stream);
			forget(trace->reader[i]);
		}
	free(trace);
}

/* The reader has gone, or was too slow: the stream is no more. */
static void on_closed(void *arg)
{
	forget(arg);
}

void call_trace_open(struct call_trace *trace, struct control_request *request, const char *match)
{
	struct reader *reader;
	size_t i = 0;

	/* Each takes one of the control port's connections, which cig-cli needs, too. */
	while (i < CALL_TRACE_MAX && trace->reader[i])
		i++;
	if (i == CALL_TRACE_MAX) {
		control_answer_error(request, 503, "%d traces run already", CALL_TRACE_MAX);
		return;
	}
	reader = calloc(1, sizeof(*reader));
	if (!reader) {
		control_answer_error(request, 503, "out of memory");
		return;
	}
	reader->trace = trace;
	snprintf(reader->match, sizeof(reader->match), "%s", match ? match : "");
	trace->reader[i] = reader;
	trace->n++;
	reader->stream = control_stream_open(request, "application/x-ndjson", on_closed, reader);
	if (!reader->stream)
		forget(reader); /* the request has been answered with 500 */
}

bool call_trace_is_read(const struct call_trace *trace)
{
	return trace && trace->n > 0;
}

/* By number or by any of the four URIs; a URI need not be written whole. */
static bool concerns(const struct reader *reader, const struct call *call)
{
	const char *const texts[] = { call->in_from, call->in_to, call->out_from, call->out_to };
	char number[24];

	if (!reader->match[0])
		return true;
	snprintf(number, sizeof(number), "%" PRIu64, call->number);
	if (strcmp(reader->match, number) == 0)
		return true;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i] && strstr(texts[i], reader->match))
			return true;
	return false;
}

/* The line without its newline; the caller frees.  NULL: memory is out. */
static char *line_of(const struct call *call, const char *side, const char *event)
{
	char when[CLOCK_TEXT_SIZE], *line = NULL;
	json_t *object;

	clock_format(clock_wall_ms(), when);
	/* URIs and phrases are the network's: json_text() makes UTF-8 of them. */
	object = json_pack("{s:s, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:s}", "time", when, "call",
			   (json_int_t)call->number, "side", side, "event", json_text(event),
			   "in_from", json_text(call->in_from), "in_to", json_text(call->in_to),
			   "out_from", json_text(call->out_from), "out_to", json_text(call->out_to),
			   "state", call_word_name(call->word));
	if (object)
		line = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return line;
}

void call_trace_tell(struct call_trace *trace, const struct call *call, const char *side,
		     const char *fmt, va_list ap)
{
	char event[MAX_EVENT], *line;

	if (!call_trace_is_read(trace))
		return;
	vsnprintf(event, sizeof(event), fmt, ap);
	line = line_of(call, side, event);
	if (!line)
		return;
	/* A push may end the stream of a slow reader, which takes it out of the list. */
	for (size_t i = 0; i < CALL_TRACE_MAX; i++)
		if (trace->reader[i] && concerns(trace->reader[i], call))
			control_stream_push(trace->reader[i]->stream, slice_str(line));
	free(line);
}
