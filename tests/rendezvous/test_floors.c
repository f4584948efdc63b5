#include "tests/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/file.h"
#include "rendezvous/floors.h"
#include "rendezvous/roster.h"

struct told {
	unsigned good, failed;
	int err; /* of the last one */
};

static void on_done(void *arg, unsigned worker, uint64_t ticket, int err)
{
	struct told *told = arg;

	(void)worker;
	(void)ticket;
	told->good += err == 0;
	told->failed += err != 0;
	told->err = err;
}

static const char *const accounts[] = { "acme", "other" };

static void on_gone(void *arg, const char *account, const char *uri)
{
	(void)arg;
	(void)account;
	fail_msg("%s is gone", uri);
}

static void remove_all(const char *dir)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static void let_grow_to(rlim_t octets)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = octets < limit.rlim_max ? octets : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void half_a_line_takes_no_other_with_it(void **state)
{
	struct event_base *base = event_base_new();
	char dir[] = "/tmp/test_floors.XXXXXX", acme[64], path[96];
	struct told told = { 0 };
	struct roster *roster = roster_new(NULL, NULL);
	struct floors *floors;
	uint8_t *text;
	size_t n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(acme, sizeof(acme), "%s/acme", dir);
	snprintf(path, sizeof(path), "%s/floors", acme);
	assert_int_equal(mkdir(acme, 0700), 0);
	floors = floors_new(base, dir, on_done, &told);
	assert_non_null(floors);

	signal(SIGXFSZ, SIG_IGN);
	let_grow_to(10);
	floors_raise(floors, 0, 1, "acme", "tel:+46701", 3);
	event_base_loop(base, EVLOOP_NONBLOCK);
	let_grow_to(RLIM_INFINITY);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(told.failed, 1);
	assert_int_equal(told.err, -EIO);
	floors_raise(floors, 0, 2, "acme", "tel:+46702", 4);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(told.good, 1);

	assert_int_equal(file_read(path, 1000, &text, &n), 0);
	assert_int_equal(roster_load(roster, "acme", slice_of(text, n)), 0);
	assert_int_equal(roster_check(roster, "acme", slice_str("tel:+46702"), 3), ROSTER_DENY_OLD);
	free(text);
	roster_free(&roster);
	floors_free(&floors);
	event_base_free(base);
	unlink(path);
	rmdir(acme);
	rmdir(dir);
}

/* In the file of one account no line stands about a user of another. */
static void a_raise_of_anothers_user_fails(void **state)
{
	const struct roster_user listed = { slice_str("tel:+46701"), 1, false };
	struct event_base *base = event_base_new();
	char dir[] = "/tmp/test_floors.XXXXXX", path[96];
	struct told told = { 0 };
	struct floors *floors;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < COUNT(accounts); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, accounts[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	floors = floors_new(base, dir, on_done, &told);
	assert_int_equal(floors_apply(floors, "acme", 1000, &listed, 1), 0);
	floors_raise(floors, 0, 1, "other", "tel:+46701", 9);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(told.failed, 1);
	assert_int_equal(told.err, -EACCES);
	snprintf(path, sizeof(path), "%s/other/floors", dir);
	assert_int_not_equal(access(path, F_OK), 0);
	floors_free(&floors);
	event_base_free(base);
	remove_all(dir);
}

/* What is not durable did not happen: nobody is expelled, and all are users as before. */
static void a_purge_that_cannot_be_written_forgets_nobody(void **state)
{
	struct event_base *base = event_base_new();
	char dir[] = "/tmp/test_floors.XXXXXX", path[96];
	struct told told = { 0 };
	struct floors *floors;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/acme", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	floors = floors_new(base, dir, on_done, &told);
	floors_raise(floors, 0, 1, "acme", "tel:+46701", 3);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(told.good, 1);
	remove_all(dir);
	assert_int_equal(floors_purge_observed(floors, "acme", on_gone, NULL), -ENOENT);
	assert_true(floors_has(floors, "acme", "tel:+46701"));
	floors_free(&floors);
	event_base_free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_a_line_takes_no_other_with_it),
		cmocka_unit_test(a_raise_of_anothers_user_fails),
		cmocka_unit_test(a_purge_that_cannot_be_written_forgets_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
