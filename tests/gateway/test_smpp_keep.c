/* centers.journal on a disk that fails: what it could not keep is never taken for kept. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
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

static void remove_all(const char *dir)
{
	static const char *const tails[] = { "", ".lock", ".torn" };

	for (size_t i = 0; i < COUNT(tails); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/centers.journal%s", dir, tails[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void a_failed_sync_stays_failed(void **state)
{
	char dir[] = "/tmp/smpp_keep.XXXXXX";
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
	remove_all(dir);
}

/* Parts that a crash left behind, of a text that went on, would be shown with "[...]" later. */
static void the_parts_of_a_text_are_all_done_with_or_none_is(void **state)
{
	char dir[] = "/tmp/smpp_keep.XXXXXX", path[sizeof(dir) + 32];
	struct cig_config config = { 0 };
	struct texts_smpp smpp = { .config = &config };
	struct port_center center = { .all = &smpp, .name = "center" };
	struct smpp_incoming in = { .from = "101", .to = "102" };
	uint8_t ids[3][JOURNAL_ID_BYTES], *whole;
	struct stat st;
	size_t n;

	(void)state;
	assert_non_null(mkdtemp(dir));
	config.userdata = dir;
	snprintf(path, sizeof(path), "%s/centers.journal", dir);
	assert_int_equal(keep_open(&smpp, NULL), 0);
	for (uint8_t i = 0; i < 3; i++) {
		in.digest[0] = i;
		assert_int_equal(keep_find_part(&center, &in, ids[i]), KEEP_NONE);
		assert_int_equal(keep_part(&center, &in), 0);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_true(keep_parts_done(&smpp, (const uint8_t(*)[JOURNAL_ID_BYTES])ids, 3));
	journal_free(&smpp.journal);
	assert_int_equal(file_read(path, 1 << 20, &whole, &n), 0);
	for (size_t cut = (size_t)st.st_size; cut <= n; cut++) {
		assert_int_equal(file_write_atomic(path, 0600, slice_of(whole, cut)), 0);
		assert_int_equal(keep_open(&smpp, NULL), 0);
		for (uint8_t i = 0; i < 3; i++) {
			in.digest[0] = i;
			assert_int_equal(keep_find_part(&center, &in, ids[i]),
					 cut < n ? KEEP_OPEN : KEEP_DONE);
		}
		journal_free(&smpp.journal);
	}
	free(whole);
	remove_all(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_sync_stays_failed),
		cmocka_unit_test(the_parts_of_a_text_are_all_done_with_or_none_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
