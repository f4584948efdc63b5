#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "keys/replay.h"

static const int64_t now = 1700000000;

static struct slice rand_of(unsigned n)
{
	static uint8_t value[16]; /* until the next call */

	memcpy(value, &n, sizeof(n));
	return slice_of(value, sizeof(value));
}

static int take(struct replay *r, const char *sender, unsigned n, int64_t at)
{
	return replay_take(r, slice_str(sender), rand_of(n), at, at + 600);
}

static void a_repeat_is_known_until_it_would_not_be_accepted(void **state)
{
	struct replay *r;

	(void)state;
	assert_int_equal(replay_new(100, &r), 0);
	assert_int_equal(take(r, "a", 1, now), 0);
	assert_int_equal(take(r, "a", 1, now), -EEXIST);
	assert_int_equal(take(r, "b", 1, now), 0);
	assert_int_equal(take(r, "a", 2, now), 0);
	assert_int_equal(take(r, "a", 1, now + 600), -EEXIST);
	assert_int_equal(take(r, "a", 1, now - 5), -EEXIST); /* the clock was set back */
	assert_int_equal(take(r, "a", 1, now + 601), 0);
	replay_free(&r);
	assert_null(r);
	assert_int_equal(replay_new(0, &r), -EINVAL);
}

static void a_full_cache_refuses_and_forgets_nothing(void **state)
{
	struct replay *r;

	(void)state;
	assert_int_equal(replay_new(50, &r), 0);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(take(r, "a", i, now), 0);
	assert_int_equal(take(r, "a", 50, now), -ENOBUFS);
	assert_int_equal(replay_count(r), 50);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(take(r, "a", i, now + 1), -EEXIST);
	assert_int_equal(take(r, "a", 50, now + 601), 0); /* the others are past */
	assert_int_equal(replay_count(r), 1);
	replay_free(&r);
}

struct place {
	char dir[64], path[80];
};

static void make_place(struct place *p)
{
	snprintf(p->dir, sizeof(p->dir), "/tmp/test_replay.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/replay", p->dir);
}

static void leave_place(struct place *p)
{
	unlink(p->path);
	assert_int_equal(rmdir(p->dir), 0);
}

static void the_file_remembers_across_restarts(void **state)
{
	struct place p;
	struct replay *r;
	struct stat st;

	(void)state;
	make_place(&p);
	assert_int_equal(replay_open(p.path, 100, now, &r), 0);
	assert_int_equal(take(r, "a", 1, now), 0);
	assert_int_equal(take(r, "a", 2, now + 300), 0);
	replay_free(&r);
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	assert_int_equal(replay_open(p.path, 100, now + 700, &r), 0);
	assert_int_equal(replay_count(r), 1);
	assert_int_equal(take(r, "a", 2, now + 700), -EEXIST);
	assert_int_equal(take(r, "a", 1, now + 700), 0);
	replay_free(&r);
	leave_place(&p);
}

static void a_cut_record_is_dropped_and_another_file_refused(void **state)
{
	struct place p;
	struct replay *r;
	uint8_t *octets;
	size_t n;

	(void)state;
	make_place(&p);
	assert_int_equal(replay_open(p.path, 100, now, &r), 0);
	assert_int_equal(take(r, "a", 1, now), 0);
	assert_int_equal(take(r, "a", 2, now), 0);
	replay_free(&r);
	assert_int_equal(file_read(p.path, 4096, &octets, &n), 0);
	assert_int_equal(file_write_atomic(p.path, 0600, slice_of(octets, n - 1)), 0);
	assert_int_equal(replay_open(p.path, 100, now, &r), 0);
	assert_int_equal(replay_count(r), 1);
	assert_int_equal(take(r, "a", 3, now), 0);
	replay_free(&r);
	assert_int_equal(replay_open(p.path, 100, now, &r), 0);
	assert_int_equal(replay_count(r), 2);
	replay_free(&r);

	assert_int_equal(replay_open(p.path, 1, now, &r), -ENOBUFS);
	for (size_t cut = 0; cut < 16; cut++) {
		assert_int_equal(file_write_atomic(p.path, 0600, slice_of(octets, cut)), 0);
		assert_int_equal(replay_open(p.path, 100, now, &r), -EBADMSG);
	}
	free(octets);
	leave_place(&p);
}

/* Entries come and go for long: the file stays below a bound. */
static void the_file_does_not_grow_for_ever(void **state)
{
	struct place p;
	struct replay *r;
	struct stat st;

	(void)state;
	make_place(&p);
	assert_int_equal(replay_open(p.path, 10, now, &r), 0);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(take(r, "a", i, now + 100 * (int64_t)i), 0);
	assert_int_equal(stat(p.path, &st), 0);
	assert_true(st.st_size < 16 + 24 * 23);
	replay_free(&r);
	assert_int_equal(replay_open(p.path, 10, now + 100 * 199, &r), 0);
	assert_int_equal(take(r, "a", 199, now + 100 * 199), -EEXIST);
	replay_free(&r);
	leave_place(&p);
}

/* What is live lies behind much that is past; where the file cannot be made anew, nothing is
 * written over it. */
static void a_file_that_cannot_be_renewed_keeps_what_it_has(void **state)
{
	struct place p;
	struct replay *r;
	char away[80];
	int64_t at = now;
	unsigned n = 0;

	(void)state;
	make_place(&p);
	snprintf(away, sizeof(away), "%s.away", p.dir);
	assert_int_equal(replay_open(p.path, 4, at, &r), 0);
	for (; n < 7; n++, at += 1000)
		assert_int_equal(take(r, "past", n, at), 0);
	assert_int_equal(replay_take(r, slice_str("a"), rand_of(1), at, at + 100000), 0);
	assert_int_equal(replay_take(r, slice_str("a"), rand_of(2), at, at + 100000), 0);

	/* The descriptor still works; the name does not. */
	assert_int_equal(rename(p.dir, away), 0);
	assert_int_equal(take(r, "past", n, at), -ENOENT);
	assert_int_equal(rename(away, p.dir), 0);
	for (unsigned i = 0; i < 7; i++, n++, at += 1000)
		assert_int_equal(take(r, "past", n, at), 0);
	replay_free(&r);
	assert_int_equal(replay_open(p.path, 4, at, &r), 0);
	assert_int_equal(take(r, "a", 1, at), -EEXIST);
	assert_int_equal(take(r, "a", 2, at), -EEXIST);
	replay_free(&r);
	leave_place(&p);
}

static void what_cannot_be_written_is_not_taken(void **state)
{
	struct replay *r;

	(void)state;
	assert_int_equal(replay_open("/nonexistent/replay", 10, now, &r), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repeat_is_known_until_it_would_not_be_accepted),
		cmocka_unit_test(a_full_cache_refuses_and_forgets_nothing),
		cmocka_unit_test(the_file_remembers_across_restarts),
		cmocka_unit_test(a_cut_record_is_dropped_and_another_file_refused),
		cmocka_unit_test(the_file_does_not_grow_for_ever),
		cmocka_unit_test(a_file_that_cannot_be_renewed_keeps_what_it_has),
		cmocka_unit_test(what_cannot_be_written_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
