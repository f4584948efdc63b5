#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "gateway/session_log.h"

/* What the log holds after these events. */
static void write_events(const struct session_event *events, size_t n, char *out, size_t outsz)
{
	char dir[] = "/tmp/session-log-test.XXXXXX", path[64];
	struct session_log *log;
	uint8_t *text;
	size_t size;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/session.log", dir);
	assert_int_equal(session_log_open(path, &log, NULL), 0);
	for (size_t i = 0; i < n; i++)
		session_log_write(log, 1448558144000, &events[i]);
	session_log_close(&log);
	assert_null(log);
	assert_int_equal(file_read(path, outsz - 1, &text, &size), 0);
	memcpy(out, text, size + 1);
	free(text);
	unlink(path);
	rmdir(dir);
}

/* CIG-112: the header word and nine fields; CIG-113: the state's word. */
static void an_event_is_a_line_of_nine_fields(void **state)
{
	const struct session_event event = {
		.caller = "sip:101@pbx.com",
		.callee = "sip:94670123456@secure.com",
		.routed_caller = "tel:+8888;101",
		.routed_callee = "tel:+4670123456",
		.state = SESSION_TALK,
		.caller_id = "a,b\nevent, forged",
		.callee_id = "",
	};
	char text[4096];

	(void)state;
	write_events(&event, 1, text, sizeof(text));
	assert_string_equal(text,
			    "event, 2015-11-26T17:15:44.000Z, sip:101@pbx.com, "
			    "sip:94670123456@secure.com, tel:+8888;101, tel:+4670123456, talk, "
			    "a%2Cb%0Aevent%2C forged, -\n");
}

/* A comma that is written as %2C must not look like "%2C" in the URI, nor a "-" like nothing. */
static void what_a_peer_says_reads_in_one_way(void **state)
{
	const struct session_event event = {
		.caller = "sip:a%2Cb@pbx.com",
		.callee = "sip:a,b@pbx.com",
		.state = SESSION_ROUTING,
		.caller_id = "-",
		.callee_id = "100%",
	};
	char text[4096];

	(void)state;
	write_events(&event, 1, text, sizeof(text));
	assert_string_equal(text, "event, 2015-11-26T17:15:44.000Z, sip:a%252Cb@pbx.com, "
				  "sip:a%2Cb@pbx.com, -, -, routing, %2D, 100%25\n");
}

/* A peer's URI may have the length of a SIP message. */
static void a_text_of_any_length_leaves_the_next_line_whole(void **state)
{
	static char longest[60001], text[200000];
	const struct session_event events[] = {
		{ .caller = longest,
		  .callee = longest,
		  .routed_caller = longest,
		  .routed_callee = longest,
		  .caller_id = longest,
		  .callee_id = longest },
		{ .caller = "tel:+1", .state = SESSION_HANGUP },
	};
	const char *second;

	(void)state;
	memset(longest, ',', sizeof(longest) - 1);
	write_events(events, 2, text, sizeof(text));
	second = strchr(text, '\n');
	assert_non_null(second);
	assert_string_equal(second + 1,
			    "event, 2015-11-26T17:15:44.000Z, tel:+1, -, -, -, hangup, -, -\n");
	assert_string_equal(second - 10, "%2C%2C%...\n"
					 "event, 2015-11-26T17:15:44.000Z, tel:+1, -, -, -, "
					 "hangup, -, -\n");
}

static void a_log_that_cannot_be_opened_is_told(void **state)
{
	struct session_log *log = NULL;

	(void)state;
	assert_int_not_equal(session_log_open("/nonexistent/session.log", &log, NULL), 0);
	assert_null(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_a_line_of_nine_fields),
		cmocka_unit_test(what_a_peer_says_reads_in_one_way),
		cmocka_unit_test(a_text_of_any_length_leaves_the_next_line_whole),
		cmocka_unit_test(a_log_that_cannot_be_opened_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
