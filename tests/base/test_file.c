#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

struct place {
	char dir[48], path[64];
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	snprintf(place->dir, sizeof(place->dir), "/tmp/file-test.XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	snprintf(place->path, sizeof(place->path), "%s/file", place->dir);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	assert_int_equal(rmdir(place->dir), 0); /* nothing else is left there */
	free(place);
	return 0;
}

static void fill(uint8_t *octets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		octets[i] = (uint8_t)(i * 7 + i / 251);
}

/* Around the sizes at which the memory grows. */
static void a_file_of_any_length_is_read_whole(void **state)
{
	static const size_t lengths[] = { 0,    1,    4094, 4095,  4096,  4097,
					  8190, 8191, 8192, 16383, 16384, 100000 };
	static uint8_t octets[100000];
	struct place *place = *state;

	fill(octets, sizeof(octets));
	for (size_t i = 0; i < COUNT(lengths); i++) {
		uint8_t *data;
		size_t n;

		assert_int_equal(file_write_atomic(place->path, 0600, slice_of(octets, lengths[i])),
				 0);
		assert_int_equal(file_read(place->path, sizeof(octets), &data, &n), 0);
		assert_int_equal(n, lengths[i]);
		assert_memory_equal(data, octets, n);
		assert_int_equal(data[n], 0);
		free(data);
	}
}

static void a_file_may_be_as_long_as_permitted_and_no_longer(void **state)
{
	static const uint8_t octets[5000];
	struct place *place = *state;
	uint8_t *data = NULL;
	size_t n = 7;

	assert_int_equal(file_write_atomic(place->path, 0600, slice_of(octets, 5000)), 0);
	assert_int_equal(file_read(place->path, 4999, &data, &n), -EFBIG);
	assert_null(data);
	assert_int_equal(n, 7);
	assert_int_equal(file_read(place->path, 5000, &data, &n), 0);
	free(data);
}

static void what_cannot_be_read_says_why(void **state)
{
	struct place *place = *state;
	uint8_t *data;
	size_t n;

	assert_int_equal(file_read(place->path, 100, &data, &n), -ENOENT);
	assert_int_equal(file_read(place->dir, 100, &data, &n), -EISDIR);
}

static void a_file_is_replaced_with_its_mode(void **state)
{
	struct place *place = *state;
	struct stat st;
	uint8_t *data;
	size_t n;

	umask(0077);
	assert_int_equal(file_write_atomic(place->path, 0644, slice_str("one")), 0);
	assert_int_equal(file_write_atomic(place->path, 0640, slice_str("two")), 0);
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640); /* whatever the umask */
	assert_int_equal(file_read(place->path, 100, &data, &n), 0);
	assert_string_equal((char *)data, "two");
	free(data);
}

/* tear_down() sees that no half file stays. */
static void what_cannot_take_its_place_leaves_nothing(void **state)
{
	struct place *place = *state;
	char inside[80];

	assert_int_equal(mkdir(place->path, 0700), 0);
	snprintf(inside, sizeof(inside), "%s/x", place->path);
	assert_int_equal(file_write_atomic(inside, 0600, slice_str("x")), 0);
	assert_true(file_write_atomic(place->path, 0600, slice_str("x")) < 0); /* a directory */
	unlink(inside);
	rmdir(place->path);
	assert_int_equal(file_write_atomic(inside, 0600, slice_str("x")), -ENOENT);
}

static void missing_directories_are_made_on_the_way(void **state)
{
	struct place *place = *state;
	char deep[96];
	struct stat st;

	snprintf(deep, sizeof(deep), "%s/a//b/", place->dir);
	assert_int_equal(file_mkdirs(deep, 0750), 0);
	assert_int_equal(file_mkdirs(deep, 0750), 0); /* they are there */
	assert_int_equal(stat(deep, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(file_mkdirs("", 0750), -ENAMETOOLONG);
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(file_write_atomic(place->path, 0600, slice_str("x")), 0);
	snprintf(deep, sizeof(deep), "%s/a", place->path);
	assert_int_equal(file_mkdirs(deep, 0750), -ENOTDIR);
	snprintf(deep, sizeof(deep), "%s/a", place->dir);
	assert_int_equal(rmdir(deep), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_of_any_length_is_read_whole, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_file_may_be_as_long_as_permitted_and_no_longer,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_says_why, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_is_replaced_with_its_mode, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_take_its_place_leaves_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(missing_directories_are_made_on_the_way, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
