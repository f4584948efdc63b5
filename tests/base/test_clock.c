#include "tests/unit.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/diag.h"
#include "build-config.h"

static void the_two_times_go_on(void **state)
{
	int64_t mono = clock_mono_ms(), wall = clock_wall_ms();
	const struct timespec a_little = { .tv_nsec = 5000000 };

	(void)state;
	nanosleep(&a_little, NULL);
	assert_true(clock_mono_ms() >= mono + 5);
	assert_true(clock_wall_ms() > wall);
	assert_in_range(clock_wall_s(), wall / 1000, wall / 1000 + 60);
}

static void times_are_written_as_logs_have_them(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ 951827696789, "2000-02-29T12:34:56.789Z" },
		{ 4102444799999, "2099-12-31T23:59:59.999Z" },
	};
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		clock_format(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* No installed program can be told a false time. */
static void only_a_test_build_takes_another_time(void **state)
{
	static const char *const bad[] = { "",
					   "2026-11-21",
					   "2026-13-01T00:00:00Z",
					   "2026-11-21T00:00:00",
					   "2026-11-21T00:00:00Zx",
					   "/nonexistent/file" };
	struct diag *diag = diag_new();
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	assert_non_null(diag);
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_not_equal(clock_set_now(bad[i], diag), 0);
	assert_true(diag_errors(diag) >= 1);
#ifdef TEST_CLOCK
	assert_int_equal(clock_set_now("2031-02-03T04:05:06Z", diag), 0);
	clock_format(clock_wall_ms(), text);
	text[strlen("2031-02-03T04:05")] = '\0';
	assert_string_equal(text, "2031-02-03T04:05");
#else
	assert_int_equal(clock_set_now("2031-02-03T04:05:06Z", diag), -EPERM);
	clock_format(clock_wall_ms(), text);
	assert_true(strncmp(text, "2031", 4) != 0);
#endif
	diag_free(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_two_times_go_on),
		cmocka_unit_test(times_are_written_as_logs_have_them),
		cmocka_unit_test(only_a_test_build_takes_another_time), /* last: it stays */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
