#include "tests/unit.h"

#include <string.h>

#include "gateway/texts_resting.h"

static const uint8_t one[TEXTS_RESTING_ID] = { 1 }, two[TEXTS_RESTING_ID] = { 2 };

static int setup(void **state)
{
	*state = texts_resting_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct texts_resting *resting = *state;

	texts_resting_free(&resting);
	assert_null(resting);
	return 0;
}

static void a_file_rests_longer_each_time_up_to_an_hour(void **state)
{
	struct texts_resting *resting = *state;
	int64_t now_ms = 1000, wait_ms = TEXTS_REST_MS;

	assert_false(texts_resting_has(resting, one, now_ms));
	assert_true(texts_resting_add(resting, one, "locked", now_ms));
	for (int i = 0; i < 10; i++) {
		assert_true(texts_resting_has(resting, one, now_ms + wait_ms - 1));
		now_ms += wait_ms;
		assert_false(texts_resting_has(resting, one, now_ms));
		assert_false(texts_resting_add(resting, one, "locked", now_ms)); /* told once */
		wait_ms = wait_ms * 2 > (TEXTS_REST_MS << TEXTS_REST_DOUBLINGS) ? wait_ms
										: wait_ms * 2;
	}
	assert_int_equal(wait_ms, TEXTS_REST_MS << TEXTS_REST_DOUBLINGS);
	assert_false(texts_resting_has(resting, two, now_ms));
	assert_string_equal(texts_resting_why(resting), "locked");
}

static void what_a_listing_does_not_see_is_forgotten(void **state)
{
	struct texts_resting *resting = *state;

	texts_resting_add(resting, one, "a", 0);
	texts_resting_add(resting, two, "b", 0);
	texts_resting_begin(resting);
	assert_true(texts_resting_has(resting, two, 1));
	texts_resting_end(resting);
	assert_int_equal(texts_resting_count(resting), 1);
	assert_false(texts_resting_has(resting, one, 1));
	texts_resting_remove(resting, one); /* it is not there */
	texts_resting_add(resting, one, "a", 0);
	texts_resting_remove(resting, one);
	assert_int_equal(texts_resting_count(resting), 1);
	texts_resting_wake(resting);
	assert_int_equal(texts_resting_count(resting), 0);
}

static void there_is_a_limit(void **state)
{
	struct texts_resting *resting = *state;
	uint8_t id[TEXTS_RESTING_ID] = { 0 };

	for (uint32_t i = 0; i < TEXTS_MAX_RESTING; i++) {
		memcpy(id, &i, sizeof(i));
		assert_true(texts_resting_add(resting, id, "x", 0));
	}
	memset(id, 0xff, sizeof(id));
	assert_false(texts_resting_add(resting, id, "one too many", 0));
	assert_false(texts_resting_has(resting, id, 1));
	assert_int_equal(texts_resting_count(resting), TEXTS_MAX_RESTING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_rests_longer_each_time_up_to_an_hour, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_a_listing_does_not_see_is_forgotten, setup,
						teardown),
		cmocka_unit_test_setup_teardown(there_is_a_limit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
