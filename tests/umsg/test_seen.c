#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/base/failing_fsync.h"
#include "umsg/seen.h"

static const uint8_t id[16] = { 1 }, other_id[16] = { 2 };
static const uint8_t hash[32] = { 3 }, other_hash[32] = { 4 };

#define ALICE slice_str("tel:+46700000001")
#define BOB slice_str("tel:+46700000002")

static void a_repeat_is_told_from_a_conflict(void **state)
{
	struct umsg_seen *seen;

	(void)state;
	assert_int_equal(umsg_seen_new(10, &seen), 0);
	assert_int_equal(umsg_seen_check(seen, ALICE, id, hash), UMSG_SEEN_NEW);
	assert_int_equal(umsg_seen_add(seen, ALICE, id, hash, 1000, 0), 0);
	assert_int_equal(umsg_seen_check(seen, ALICE, id, hash), UMSG_SEEN_REPEAT);
	assert_int_equal(umsg_seen_check(seen, ALICE, id, other_hash), UMSG_SEEN_CONFLICT);
	assert_int_equal(umsg_seen_check(seen, ALICE, other_id, hash), UMSG_SEEN_NEW);
	assert_int_equal(umsg_seen_check(seen, BOB, id, other_hash), UMSG_SEEN_NEW);
	umsg_seen_free(&seen);
	assert_null(seen);
}

static void what_is_past_is_forgotten_and_makes_room(void **state)
{
	struct umsg_seen *seen;

	(void)state;
	assert_int_equal(umsg_seen_new(1, &seen), 0);
	assert_int_equal(umsg_seen_add(seen, ALICE, id, hash, 1000, 100), 0);
	assert_int_equal(umsg_seen_add(seen, BOB, id, hash, 5000, 999), -ENOBUFS);
	assert_int_equal(umsg_seen_add(seen, BOB, id, hash, 5000, 2000), 0);
	assert_int_equal(umsg_seen_count(seen), 1);
	assert_int_equal(umsg_seen_check(seen, ALICE, id, hash), UMSG_SEEN_NEW);
	assert_int_equal(umsg_seen_new(0, &seen), -EINVAL);
	umsg_seen_free(&seen);
}

static void it_survives_a_restart_even_a_torn_one(void **state)
{
	char path[] = "/tmp/test_seen.XXXXXX";
	int fd = mkstemp(path);
	struct umsg_seen *seen;
	struct stat st;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	assert_int_equal(umsg_seen_open(path, 10, 0, &seen), 0);
	assert_int_equal(umsg_seen_add(seen, ALICE, id, hash, 1000, 0), 0);
	assert_int_equal(umsg_seen_add(seen, BOB, id, hash, 500, 0), 0);
	umsg_seen_free(&seen);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(truncate(path, st.st_size - 1), 0);
	assert_int_equal(umsg_seen_open(path, 10, 0, &seen), 0);
	assert_int_equal(umsg_seen_check(seen, ALICE, id, hash), UMSG_SEEN_REPEAT);
	assert_int_equal(umsg_seen_check(seen, BOB, id, hash), UMSG_SEEN_NEW);
	umsg_seen_free(&seen);
	assert_int_equal(umsg_seen_open(path, 10, 2000, &seen), 0);
	assert_int_equal(umsg_seen_count(seen), 0);
	umsg_seen_free(&seen);
	assert_int_equal(truncate(path, 5), 0);
	assert_int_equal(umsg_seen_open(path, 10, 2000, &seen), -EBADMSG);
	unlink(path);
}

static void a_file_does_not_grow_for_ever(void **state)
{
	char path[] = "/tmp/test_seen.XXXXXX";
	uint8_t other[16] = { 0 };
	struct umsg_seen *seen;
	struct stat st;

	(void)state;
	close(mkstemp(path));
	unlink(path);
	assert_int_equal(umsg_seen_open(path, 2000, 0, &seen), 0);
	for (unsigned i = 0; i < 1100; i++) {
		memcpy(other, &i, sizeof(i));
		assert_int_equal(umsg_seen_add(seen, BOB, other, hash, 50, 1), 0);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 1100 * 40);
	assert_int_equal(umsg_seen_add(seen, ALICE, id, hash, 1000, 100), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 2 * 40);
	umsg_seen_free(&seen);
	assert_int_equal(umsg_seen_open(path, 10, 100, &seen), 0);
	assert_int_equal(umsg_seen_check(seen, ALICE, id, hash), UMSG_SEEN_REPEAT);
	assert_int_equal(umsg_seen_count(seen), 1);
	umsg_seen_free(&seen);
	unlink(path);
}

/* The last step of writing the file anew may fail when the new one has its name already: what was
 * appended to the old one then, and Taken for it, would have come again after a restart. */
static void what_was_added_is_known_after_a_file_that_could_not_be_renewed(void **state)
{
	enum { PAST = 1100 };
	char path[] = "/tmp/test_seen.XXXXXX";
	int fd = mkstemp(path), bob, alice;
	struct umsg_seen *seen;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	assert_int_equal(umsg_seen_open(path, 2 * PAST, 0, &seen), 0);
	for (int i = 0; i < PAST; i++) {
		uint8_t past[16] = { (uint8_t)i, (uint8_t)(i >> 8), 1 };

		assert_int_equal(umsg_seen_add(seen, ALICE, past, hash, 100, 1), 0);
	}
	fsync_of_directories_fails(true);
	bob = umsg_seen_add(seen, BOB, id, hash, 5000, 1000); /* all those are past now */
	fsync_of_directories_fails(false);
	alice = umsg_seen_add(seen, ALICE, id, hash, 5000, 1000);
	assert_int_equal(alice, 0);
	umsg_seen_free(&seen);
	assert_int_equal(umsg_seen_open(path, 2 * PAST, 1000, &seen), 0);
	assert_int_equal(umsg_seen_check(seen, ALICE, id, hash), UMSG_SEEN_REPEAT);
	if (bob == 0) /* else the owner was told */
		assert_int_equal(umsg_seen_check(seen, BOB, id, hash), UMSG_SEEN_REPEAT);
	umsg_seen_free(&seen);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repeat_is_told_from_a_conflict),
		cmocka_unit_test(what_is_past_is_forgotten_and_makes_room),
		cmocka_unit_test(it_survives_a_restart_even_a_torn_one),
		cmocka_unit_test(a_file_does_not_grow_for_ever),
		cmocka_unit_test(what_was_added_is_known_after_a_file_that_could_not_be_renewed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
