#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "rendezvous/pseudonyms.h"

/* 0, 1, 2, ... 31 */
static void count_up(uint8_t key[PSEUDONYMS_KEY_SIZE])
{
	for (uint8_t i = 0; i < PSEUDONYMS_KEY_SIZE; i++)
		key[i] = i;
}

/* The key is made once, for this server's user alone, and a damaged one is not replaced. */
static void the_key_is_made_once_and_read_by_its_owner_alone(void **state)
{
	char dir[] = "/tmp/pseudonyms.XXXXXX", path[64];
	uint8_t first[PSEUDONYMS_KEY_SIZE], again[PSEUDONYMS_KEY_SIZE];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/pseudonyms-key", dir);
	assert_int_equal(pseudonyms_key(dir, first), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(pseudonyms_key(dir, again), 0);
	assert_memory_equal(first, again, sizeof(first));
	unlink(path);
	assert_int_equal(pseudonyms_key(dir, again), 0);
	assert_memory_not_equal(first, again, sizeof(first));
	for (size_t n = 0; n <= PSEUDONYMS_KEY_SIZE + 1; n++) {
		const uint8_t damaged[PSEUDONYMS_KEY_SIZE + 1] = { 0 };

		assert_int_equal(file_write_atomic(path, 0600, slice_of(damaged, n)), 0);
		assert_int_equal(pseudonyms_key(dir, again),
				 n == PSEUDONYMS_KEY_SIZE ? 0 : -EINVAL);
	}
	unlink(path);
	rmdir(dir);
	assert_int_equal(pseudonyms_key(dir, again), -ENOENT);
}

static void a_name_is_of_the_account_the_uri_and_the_key(void **state)
{
	uint8_t key[PSEUDONYMS_KEY_SIZE];
	char name[PSEUDONYM_SIZE], other[PSEUDONYM_SIZE], uri[600];

	(void)state;
	count_up(key);
	assert_int_equal(pseudonyms_name(key, "acme", "tel:+46700000001", name), 0);
	assert_string_equal(name, "user-53690c321ca60639f3cb6ef4acfc52da");
	assert_int_equal(pseudonyms_name(key, "acm", "etel:+46700000001", other), 0);
	assert_string_not_equal(name, other);
	assert_int_equal(pseudonyms_name(key, "acme", "tel:+46700000002", other), 0);
	assert_string_not_equal(name, other);
	key[0] ^= 1;
	assert_int_equal(pseudonyms_name(key, "acme", "tel:+46700000001", other), 0);
	assert_string_not_equal(name, other);
	memset(uri, '1', sizeof(uri) - 1);
	uri[sizeof(uri) - 1] = '\0';
	assert_int_equal(pseudonyms_name(key, "acme", uri, name), -EIO);
}

static json_t *user(int number)
{
	char uri[32];

	snprintf(uri, sizeof(uri), "tel:+467000000%02d", number);
	return json_pack("{s:s, s:i}", "tel-uri", uri, "session-outgoing", number);
}

/* Whoever knows the order of an update learns nothing from the order of the rows. */
static void rows_have_names_for_uris_and_stand_in_the_order_of_names(void **state)
{
	enum { USERS = 20 };
	uint8_t key[PSEUDONYMS_KEY_SIZE];
	json_t *rows = json_array(), *hidden, *row;
	const char *last = "";
	bool seen[USERS] = { false };
	char *text;
	size_t i;

	(void)state;
	count_up(key);
	for (int k = 0; k < USERS; k++)
		json_array_append_new(rows, user(k));
	hidden = pseudonyms_rows(key, "acme", rows);
	assert_int_equal(json_array_size(hidden), USERS);
	json_array_foreach(hidden, i, row)
	{
		json_int_t k = json_integer_value(json_object_get(row, "session-outgoing"));
		const char *name = json_string_value(json_object_get(row, "tel-uri"));
		char uri[32], expected[PSEUDONYM_SIZE];

		assert_true(k >= 0 && k < USERS && !seen[k]);
		seen[k] = true;
		snprintf(uri, sizeof(uri), "tel:+467000000%02d", (int)k);
		assert_int_equal(pseudonyms_name(key, "acme", uri, expected), 0);
		assert_string_equal(name, expected); /* its own counts */
		assert_true(strcmp(last, name) < 0);
		last = name;
	}
	text = json_dumps(hidden, 0);
	assert_null(strstr(text, "tel:"));
	free(text);
	json_decref(hidden);
	assert_null(pseudonyms_rows(key, "acme", json_pack("[{s:i}]", "session-outgoing", 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_key_is_made_once_and_read_by_its_owner_alone),
		cmocka_unit_test(a_name_is_of_the_account_the_uri_and_the_key),
		cmocka_unit_test(rows_have_names_for_uris_and_stand_in_the_order_of_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
