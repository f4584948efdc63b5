/* A backup that is whole, but of whose name nobody knows whether it is on disk: the folder's
 * flush fails. */
#include "tests/unit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "rendezvous/backup.h"
#include "rendezvous/paths.h"
#include "tests/base/failing_fsync.h"

static void a_backup_that_may_not_be_on_disk_is_told_and_not_left(void **state)
{
	char root[] = "/tmp/test_backup.XXXXXX", path[PATH_MAX], command[64];
	struct diag *diag = diag_new();
	struct backup_info info;
	struct crs_paths paths;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(crs_paths_init(&paths, root), 0);
	assert_int_equal(mkdir(paths.accounts, 0700), 0);
	assert_int_equal(mkdir(paths.data, 0700), 0);

	assert_int_equal(backup_write(&paths, "crs1", slice_of(NULL, 0), path, &info, diag), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(diag_errors(diag), 0);

	fsync_of_directories_fails(true);
	assert_int_equal(backup_write(&paths, "crs1", slice_of(NULL, 0), path, &info, diag), -EIO);
	fsync_of_directories_fails(false);
	assert_int_equal(diag_errors(diag), 1);
	/* Neither under its name nor under another. */
	assert_int_equal(rmdir(paths.backup), 0);

	diag_free(&diag);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_backup_that_may_not_be_on_disk_is_told_and_not_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
