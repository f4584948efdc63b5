#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

/* What is found twice, as in both directions of a map, is told and counted once; what differs
 * in severity, place or words is not the same, and neither is what has no place. */
static void the_same_is_told_once(void **state)
{
	static const struct diag_place here = { "a.conf", 3, 7 }, there = { "a.conf", 3, 8 },
				       elsewhere = { "b.conf", 3, 7 };
	struct diag *diag = diag_new();
	struct diag_item item;

	(void)state;
	for (int i = 0; i < 2; i++) {
		diag_warning(diag, &here, "entry %s", "a");
		diag_warning(diag, &there, "entry %s", "a");
		diag_warning(diag, &elsewhere, "entry %s", "a");
		diag_warning(diag, &here, "entry %s", "b");
		diag_warning(diag, NULL, "entry %s", "a");
		diag_error(diag, &here, "entry %s", "a");
	}
	assert_int_equal(diag_warnings(diag), 6);
	assert_int_equal(diag_errors(diag), 1);
	assert_true(diag_get(diag, 5, &item));
	assert_int_equal(item.severity, DIAG_ERROR);
	assert_true(diag_get(diag, 6, &item));
	assert_int_equal(item.severity, DIAG_WARNING);
	assert_false(diag_get(diag, 7, &item));
	diag_free(&diag);
	assert_null(diag);
}

/* A file of faults does not fill the memory: a thousand are kept, all are counted. */
static void the_first_thousand_are_kept(void **state)
{
	struct diag *diag = diag_new();
	struct diag_item item;

	(void)state;
	for (unsigned i = 1; i <= 1001; i++)
		diag_error(diag, &(struct diag_place){ "a.conf", i, 1 }, "wrong");
	assert_int_equal(diag_errors(diag), 1001);
	assert_true(diag_get(diag, 999, &item));
	assert_int_equal(item.place.line, 1000);
	assert_false(diag_get(diag, 1000, &item));
	assert_string_equal(diag_first_error(diag), "wrong");
	diag_free(&diag);
}

/* By place within a file; the files in the order of their first item. */
static void faults_are_printed_by_place(void **state)
{
	struct diag *diag = diag_new();
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	(void)state;
	assert_non_null(to);
	diag_error(diag, &(struct diag_place){ "b.conf", 9, 2 }, "late");
	diag_warning(diag, &(struct diag_place){ "a.conf", 1, 1 }, "other");
	diag_error(diag, &(struct diag_place){ "b.conf", 2, 5 }, "early");
	diag_print(diag, to);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(text, "b.conf:2:5: error: early\nb.conf:9:2: error: late\n"
				  "a.conf:1:1: warning: other\n");
	free(text);
	diag_free(&diag);
}

/* Who wants the result only need not make one. */
static void nobody_need_listen(void **state)
{
	(void)state;
	diag_error(NULL, NULL, "%d", 1);
	diag_warning(NULL, NULL, "%d", 1);
	assert_int_equal(diag_errors(NULL) + diag_warnings(NULL), 0);
	assert_string_equal(diag_first_error(NULL), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_told_once),
		cmocka_unit_test(the_first_thousand_are_kept),
		cmocka_unit_test(faults_are_printed_by_place),
		cmocka_unit_test(nobody_need_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
