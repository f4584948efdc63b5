/* What root writes into another user's directory belongs to that user. */
#include "tests/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/as_owner.h"

enum { SOMEBODY = 64999, HIS_GROUP = 64998 }; /* ids that need no account */

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/as_owner.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char path[96];

	(void)state;
	snprintf(path, sizeof(path), "%s/file", dir);
	unlink(path);
	return rmdir(dir);
}

/* Makes a file in dir and says whose it is. */
static struct stat written(void)
{
	struct stat st;
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	return st;
}

static void what_root_writes_belongs_to_the_owner_of_the_directory(void **state)
{
	struct as_owner was;
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(dir, SOMEBODY, HIS_GROUP), 0);
	assert_int_equal(as_owner_begin(dir, &was), 0);
	st = written();
	assert_int_equal(st.st_uid, SOMEBODY);
	assert_int_equal(st.st_gid, HIS_GROUP);
	as_owner_end(&was);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), was.gid);
}

static void in_a_directory_of_our_own_nothing_changes(void **state)
{
	struct as_owner was;
	uid_t uid = geteuid();

	(void)state;
	assert_int_equal(as_owner_begin(dir, &was), 0);
	assert_int_equal(geteuid(), uid);
	assert_int_equal(written().st_uid, uid);
	as_owner_end(&was);
	assert_int_equal(geteuid(), uid);
}

static void nothing_changes_for_a_directory_that_is_not_there(void **state)
{
	struct as_owner was;
	uid_t uid = geteuid();

	(void)state;
	assert_int_equal(as_owner_begin("/nowhere/at/all", &was), 0);
	assert_int_equal(geteuid(), uid);
	as_owner_end(&was);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_root_writes_belongs_to_the_owner_of_the_directory, make_dir,
			remove_dir),
		cmocka_unit_test_setup_teardown(in_a_directory_of_our_own_nothing_changes, make_dir,
						remove_dir),
		cmocka_unit_test(nothing_changes_for_a_directory_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
