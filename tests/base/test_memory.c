/* Arenas and large tables, and text that is looked at eight octets at a time. */
#include "tests/unit.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/huge.h"
#include "base/text.h"

static void a_table_is_zeroed_and_aligned_whatever_its_size(void **state)
{
	static const size_t sizes[] = { 1, 63, 64, 100000, 4 << 20, (4 << 20) + 1 };

	(void)state;
	for (size_t round = 0; round < 2; round++) /* the second time in used memory */
		for (size_t i = 0; i < COUNT(sizes); i++) {
			uint8_t *p = huge_alloc(sizes[i]);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % 64, 0);
			for (size_t k = 0; k < sizes[i]; k++)
				if (p[k] != 0)
					fail_msg("octet %zu of %zu is not 0", k, sizes[i]);
			memset(p, 0xff, sizes[i]);
			free(p);
		}
	assert_null(huge_alloc(SIZE_MAX - 1));
	assert_null(huge_alloc(0));
}

static void an_arena_keeps_what_it_was_given_over_many_blocks(void **state)
{
	enum { TEXTS = 50000 };
	char **text = calloc(TEXTS, sizeof(*text));
	struct arena arena = { NULL, 0 };
	uint64_t *large;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < TEXTS; i++) {
		char name[64];
		uint64_t *number = arena_alloc(&arena, sizeof(*number));

		assert_non_null(number);
		assert_int_equal(*number, 0);
		assert_int_equal((uintptr_t)number % sizeof(*number), 0);
		*number = UINT64_MAX;
		snprintf(name, sizeof(name), "%u of many texts in an arena", i);
		text[i] = arena_text(&arena, slice_str(name));
		assert_non_null(text[i]);
	}
	large = arena_alloc(&arena, 20 << 20);
	assert_non_null(large);
	assert_int_equal(large[(20 << 20) / 8 - 1], 0);
	for (unsigned i = 0; i < TEXTS; i++)
		assert_int_equal(strtoul(text[i], NULL, 10), i);
	arena_free(&arena);
	assert_null(arena.blocks);
	free(text);
}

/* One octet at each place of texts of each length. */
static void text_is_clean_but_for_controls_and_what_is_no_utf8(void **state)
{
	static const struct {
		const char *octets;
		bool clean;
	} cases[] = {
		{ "a", true },
		{ " ", true },
		{ "~", true },
		{ "\x7f", false },
		{ "\x1f", false },
		{ "\x01", false },
		{ "\t", false },
		{ "\xc3\xa5", true },
		{ "\xc2\x85", false } /* C1 */,
		{ "\xc2\xa0", true },
		{ "\xff", false },
		{ "\x80", false },
		{ "\xc0\xaf", false },
		{ "\xe2\x82\xac", true },
		{ "\xf0\x9f\x98\x80", true },
		{ "\xed\xa0\x80", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t n = 0; n < 20; n++)
			for (size_t at = 0; at <= n; at++) {
				size_t len = strlen(cases[i].octets);
				uint8_t text[32];

				memset(text, 'x', sizeof(text));
				memcpy(text + at, cases[i].octets, len);
				assert_int_equal(text_is_clean(slice_of(text, n + len)),
						 cases[i].clean);
			}
	assert_true(text_is_clean(slice_of(NULL, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_zeroed_and_aligned_whatever_its_size),
		cmocka_unit_test(an_arena_keeps_what_it_was_given_over_many_blocks),
		cmocka_unit_test(text_is_clean_but_for_controls_and_what_is_no_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
