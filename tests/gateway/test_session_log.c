#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "gateway/session_log.h"

/* CIG-112: the header word and nine fields; CIG-113: the state's word. */
static void an_event_is_a_line_of_nine_fields(void **state)
{
	char dir[] = "/tmp/session-log-test.XXXXXX", path[64];
	const struct session_event event = {
		.caller = "sip:101@pbx.com",
		.callee = "sip:94670123456@secure.com",
		.routed_caller = "tel:+8888;101",
		.routed_callee = "tel:+4670123456",
		.state = SESSION_TALK,
		.caller_id = "a,b\nevent, forged",
		.callee_id = "",
	};
	struct session_log *log;
	uint8_t *text;
	size_t n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/session.log", dir);
	assert_int_equal(session_log_open(path, &log, NULL), 0);
	session_log_write(log, 1448558144000, &event);
	session_log_close(&log);
	assert_null(log);
	assert_int_equal(file_read(path, 4096, &text, &n), 0);
	assert_string_equal((char *)text,
			    "event, 2015-11-26T17:15:44.000Z, sip:101@pbx.com, "
			    "sip:94670123456@secure.com, tel:+8888;101, tel:+4670123456, talk, "
			    "a%2Cb%0Aevent%2C forged, -\n");
	free(text);
	unlink(path);
	rmdir(dir);
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
		cmocka_unit_test(a_log_that_cannot_be_opened_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
