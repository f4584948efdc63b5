/* Traces of calls: who is told what, and that a reader who is cut off in the middle of a
 * line's delivery takes nobody with him.  The control port is played here.
 */
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/control.h"
#include "gateway/call.h"
#include "gateway/call_trace.h"

/* ---- the control port ---- */

struct control_stream {
	void (*closed)(void *arg);
	void *arg;
	unsigned lines, room; /* room 0: too slow, as soon as the next line comes */
	char last[2048];
};

struct control_request {
	struct control_stream stream;
	bool out_of_memory;
	unsigned status; /* of an error that it was answered with */
};

struct control_stream *control_stream_open(struct control_request *request,
					   const char *content_type, void (*closed)(void *arg),
					   void *arg)
{
	assert_string_equal(content_type, "application/x-ndjson");
	if (request->out_of_memory)
		return NULL;
	request->stream.closed = closed;
	request->stream.arg = arg;
	request->stream.room = 100;
	return &request->stream;
}

int control_stream_push(struct control_stream *stream, struct slice line)
{
	assert_non_null(stream->closed);
	if (stream->room == 0) {
		void (*closed)(void *arg) = stream->closed;

		stream->closed = NULL;
		closed(stream->arg);
		return -1;
	}
	stream->room--;
	stream->lines++;
	assert_true(line.n < sizeof(stream->last));
	memcpy(stream->last, line.p, line.n);
	stream->last[line.n] = '\0';
	return 0;
}

void control_stream_end(struct control_stream **streamp)
{
	(*streamp)->closed = NULL;
	*streamp = NULL;
}

void control_answer_error(struct control_request *request, unsigned status, const char *fmt, ...)
{
	(void)fmt;
	request->status = status;
}

const char *call_word_name(enum call_word word)
{
	return word == CALL_WORD_RING ? "RING" : "?";
}

/* ---- a call ---- */

static char from[] = "tel:+46701", to[] = "tel:+8888;101", odd[] = "sip:\xe5sa@pbx.com";

static struct call call_to_tell(void)
{
	return (struct call){
		.number = 7, .in_from = from, .in_to = to, .out_to = odd, .word = CALL_WORD_RING
	};
}

static void tell(struct call_trace *trace, const struct call *call, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(struct call_trace *trace, const struct call *call, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	call_trace_tell(trace, call, "sip", fmt, ap);
	va_end(ap);
}

/* ---- the tests ---- */

static const struct {
	const char *match;
	bool told;
} matches[] = {
	{ NULL, true },   { "", true },        { "7", true },   { "+46701", true },
	{ ";101", true }, { "pbx.com", true }, { "77", false }, { "+46702", false },
};

static void tells_the_readers_whom_a_call_concerns(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(matches); i++) {
		struct call_trace *trace = call_trace_new();
		struct control_request request = { .status = 0 };
		struct call call = call_to_tell();

		assert_false(call_trace_is_read(trace));
		call_trace_open(trace, &request, matches[i].match);
		assert_true(call_trace_is_read(trace));
		tell(trace, &call, "ringing code=%u", 180);
		assert_int_equal(request.stream.lines, matches[i].told);
		call_trace_free(&trace);
		assert_null(trace);
		assert_null(request.stream.closed);
	}
}

static void a_line_is_one_json_object_whatever_the_network_sent(void **state)
{
	struct call_trace *trace = call_trace_new();
	struct control_request request = { .status = 0 };
	struct call call = call_to_tell();
	json_t *line;

	(void)state;
	call_trace_open(trace, &request, "");
	tell(trace, &call, "ended code=486 %s", "Busy\r\n\"Here\"");
	line = json_loads(request.stream.last, 0, NULL);
	assert_non_null(line);
	assert_null(strchr(request.stream.last, '\n'));
	assert_int_equal(json_integer_value(json_object_get(line, "call")), 7);
	assert_string_equal(json_string_value(json_object_get(line, "side")), "sip");
	assert_string_equal(json_string_value(json_object_get(line, "event")),
			    "ended code=486 Busy\r\n\"Here\"");
	assert_string_equal(json_string_value(json_object_get(line, "out_to")),
			    "sip:\\xE5sa@pbx.com");
	assert_string_equal(json_string_value(json_object_get(line, "out_from")), "");
	assert_string_equal(json_string_value(json_object_get(line, "state")), "RING");
	json_decref(line);
	call_trace_free(&trace);
}

static void a_slow_reader_is_cut_off_and_the_others_hear_on(void **state)
{
	struct call_trace *trace = call_trace_new();
	struct control_request first = { .status = 0 }, slow = { .status = 0 },
			       last = { .status = 0 };
	struct call call = call_to_tell();

	(void)state;
	call_trace_open(trace, &first, "");
	call_trace_open(trace, &slow, "");
	call_trace_open(trace, &last, "");
	slow.stream.room = 0;
	tell(trace, &call, "ringing");
	tell(trace, &call, "answered");
	assert_int_equal(first.stream.lines, 2);
	assert_int_equal(slow.stream.lines, 0);
	assert_int_equal(last.stream.lines, 2);
	/* its place is free again */
	call_trace_open(trace, &slow, "");
	tell(trace, &call, "ended");
	assert_int_equal(slow.stream.lines, 1);
	call_trace_free(&trace);
}

static void one_reader_too_many_is_refused_and_a_lack_of_memory_leaves_nothing(void **state)
{
	struct call_trace *trace = call_trace_new();
	struct control_request requests[CALL_TRACE_MAX + 1] = { 0 };

	(void)state;
	requests[0].out_of_memory = true;
	call_trace_open(trace, &requests[0], "");
	assert_false(call_trace_is_read(trace));
	requests[0].out_of_memory = false;
	for (size_t i = 0; i < COUNT(requests); i++)
		call_trace_open(trace, &requests[i], "");
	for (size_t i = 0; i < CALL_TRACE_MAX; i++)
		assert_int_equal(requests[i].status, 0);
	assert_int_equal(requests[CALL_TRACE_MAX].status, 503);
	call_trace_free(&trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_readers_whom_a_call_concerns),
		cmocka_unit_test(a_line_is_one_json_object_whatever_the_network_sent),
		cmocka_unit_test(a_slow_reader_is_cut_off_and_the_others_hear_on),
		cmocka_unit_test(
			one_reader_too_many_is_refused_and_a_lack_of_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
