#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

#ifdef TEST_CLOCK
static void write_steps(const char *path, int64_t wall_ms, int64_t mono_ms)
{
	const int64_t steps[2] = { wall_ms, mono_ms };
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(pwrite(fd, steps, sizeof(steps), 0), sizeof(steps));
	close(fd);
}

/* Both times of a test build can be made to pass. */
static void a_test_lets_time_pass_by_a_file(void **state)
{
	char path[] = "/tmp/clock-XXXXXX";
	int64_t wall, mono;

	(void)state;
	close(mkstemp(path));
	assert_int_equal(clock_nap_ms(5000), 5000);
	write_steps(path, 0, 0);
	assert_int_equal(clock_set_now(path, NULL), 0);
	wall = clock_wall_ms();
	mono = clock_mono_ms();
	write_steps(path, -7200000, 3600000);
	assert_in_range(clock_wall_ms() - wall + 7200000, 0, 60000);
	assert_in_range(clock_mono_ms() - mono, 3600000, 3660000);
	assert_true(clock_nap_ms(5000) < 1000); /* who sleeps sees it soon */
	assert_int_equal(clock_nap_ms(10), 10);
	write_steps(path, 0, 0); /* for the tests behind this one */
	unlink(path);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_two_times_go_on),
		cmocka_unit_test(times_are_written_as_logs_have_them),
#ifdef TEST_CLOCK
		cmocka_unit_test(a_test_lets_time_pass_by_a_file),
#endif
		cmocka_unit_test(only_a_test_build_takes_another_time), /* last: it stays */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
