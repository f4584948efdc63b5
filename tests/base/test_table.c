#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"

static char *printed(const struct table *table)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	assert_non_null(to);
	table_print(table, to);
	fclose(to);
	return text;
}

static void assert_prints(const struct table *table, const char *want)
{
	char *text = printed(table);

	assert_string_equal(text, want);
	free(text);
}

static void columns_align_and_the_last_is_not_padded(void **state)
{
	struct table *table = table_new(3);

	(void)state;
	assert_int_equal(table_add(table, (const char *[]){ "IN-FROM", "IN-TO", "STATE" }), 0);
	assert_int_equal(table_add(table, (const char *[]){ "tel:+46701", "tel:+8", "ANSWER" }), 0);
	assert_int_equal(table_rows(table), 2);
	assert_prints(table, "IN-FROM     IN-TO   STATE\n"
			     "tel:+46701  tel:+8  ANSWER\n");
	table_free(&table);
	assert_null(table);
}

static void numbers_align_at_the_right(void **state)
{
	struct table *table = table_new(2);

	(void)state;
	table_align_right(table, 0);
	for (unsigned v = 1; v <= 1000; v *= 100) {
		assert_int_equal(table_cellf(table, "%u", v), 0);
		assert_int_equal(table_cell(table, "x"), 0);
	}
	assert_int_equal(table_cellf(table, "%u", 1000U), 0);
	assert_int_equal(table_cell(table, NULL), 0);
	assert_prints(table, "   1  x\n 100  x\n1000  \n");
	table_free(&table);
}

static void width_is_counted_in_characters_not_octets(void **state)
{
	struct table *table = table_new(2);

	(void)state;
	assert_int_equal(table_add(table, (const char *[]){ "Grüße", "1" }), 0);
	assert_int_equal(table_add(table, (const char *[]){ "abcde", "2" }), 0);
	assert_prints(table, "Grüße  1\nabcde  2\n");
	table_free(&table);
}

static void controls_cannot_reach_the_terminal(void **state)
{
	struct table *table = table_new(1);

	(void)state;
	assert_int_equal(table_cell(table, "a\x1b[2Jb\nc\x7f"), 0);
	assert_prints(table, "a\\x1b[2Jb\\x0ac\\x7f\n");
	table_free(&table);
}

static void an_unfinished_row_is_printed_as_far_as_it_goes(void **state)
{
	struct table *table = table_new(2);

	(void)state;
	assert_prints(table, "");
	assert_int_equal(table_cell(table, "alone"), 0);
	assert_int_equal(table_rows(table), 0);
	assert_prints(table, "alone\n");
	table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_align_and_the_last_is_not_padded),
		cmocka_unit_test(numbers_align_at_the_right),
		cmocka_unit_test(width_is_counted_in_characters_not_octets),
		cmocka_unit_test(controls_cannot_reach_the_terminal),
		cmocka_unit_test(an_unfinished_row_is_printed_as_far_as_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
