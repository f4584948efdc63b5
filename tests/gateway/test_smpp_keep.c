/* centers.journal on a disk that fails: what it could not keep is never taken for kept. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/texts_smpp_priv.h"

static bool fails;

/* In front of the C library's: the journal calls this one. */
int fdatasync(int fd)
{
	(void)fd;
	if (fails) {
		errno = EIO;
		return -1;
	}
	return 0;
}

static void a_failed_sync_stays_failed(void **state)
{
	char dir[] = "/tmp/smpp_keep.XXXXXX", path[sizeof(dir) + 32];
	struct cig_config config = { 0 };
	struct texts_smpp smpp = { .config = &config };
	struct port_center center = { .all = &smpp, .name = "center" };
	uint8_t digest[SMPP_KEY_SIZE] = { 1 }, key[TEXT_KEY_SIZE];

	(void)state;
	assert_non_null(mkdtemp(dir));
	config.userdata = dir;
	assert_int_equal(keep_open(&smpp, NULL), 0);
	assert_int_equal(keep_seen(&center, digest, false, key), 0);
	assert_int_equal(keep_sync(&smpp), 0);

	fails = true;
	assert_int_equal(keep_sync(&smpp), 0); /* nothing to sync: the disk is not asked */
	digest[0] = 2;
	assert_int_equal(keep_seen(&center, digest, false, key), 0);
	assert_int_equal(keep_sync(&smpp), -EIO);
	fails = false;
	/* The kernel may have dropped the pages: a sync that works now says nothing of them. */
	assert_int_equal(keep_sync(&smpp), -EIO);

	journal_free(&smpp.journal);
	snprintf(path, sizeof(path), "%s/centers.journal", dir);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_sync_stays_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
