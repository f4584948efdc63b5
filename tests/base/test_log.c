/* What hears every line of the log besides the file. */
#include "tests/unit.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/log.h"

struct heard {
	unsigned lines;
	char last[64];
	bool takes_itself_off;
};

static void hear(void *arg, enum log_type type, const char *module, const char *text)
{
	struct heard *heard = arg;

	assert_int_equal(type, LOG_TYPE_DEBUG);
	assert_string_equal(module, "test");
	heard->lines++;
	snprintf(heard->last, sizeof(heard->last), "%s", text);
	if (heard->takes_itself_off)
		log_set_tap(NULL, NULL);
	log_debug("test", "of the tap's own");
}

static void every_line_but_its_own_is_told_to_the_tap(void **state)
{
	struct heard heard = { 0 };

	(void)state;
	log_set_tap(hear, &heard);
	log_debug("test", "line %d", 1);
	log_debug("test", "line %d", 2);
	assert_int_equal(heard.lines, 2);
	assert_string_equal(heard.last, "line 2");
	log_set_tap(NULL, NULL);
	log_debug("test", "line %d", 3);
	assert_int_equal(heard.lines, 2);
}

/* It came back after its call, with what it had pointed to perhaps freed. */
static void a_tap_that_takes_itself_off_stays_off(void **state)
{
	struct heard heard = { .takes_itself_off = true };

	(void)state;
	log_set_tap(hear, &heard);
	log_debug("test", "line %d", 1);
	log_debug("test", "line %d", 2);
	assert_int_equal(heard.lines, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_but_its_own_is_told_to_the_tap),
		cmocka_unit_test(a_tap_that_takes_itself_off_stays_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
