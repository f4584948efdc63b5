#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "management/tsv.h"

static const struct {
	const char *line, *uri, *name, *comment; /* uri NULL: refused */
} cases[] = {
	/* CMS-014: the manual's example */
	{ "John\tDoe\t+44777666555\tProject Alpha", "tel:+44777666555", "John Doe",
	  "Project Alpha" },
	{ "Dana\tDoe\t+44999888777\t", "tel:+44999888777", "Dana Doe", "" },
	{ "Bob\t\t+44999888777\t\r", "tel:+44999888777", "Bob", "" }, /* CMS-016 */
	{ "\xc3\x85sa Maria\t\xc3\x96"
	  "berg\t+1\tx",
	  "tel:+1",
	  "\xc3\x85sa Maria \xc3\x96"
	  "berg",
	  "x" },
	/* CMS-015 */
	{ "O'Neil\tX\t+1\t", NULL, NULL, NULL },
	{ "A\t\"B\"\t+1\t", NULL, NULL, NULL },
	{ "A\tB\t+1\ta, b", NULL, NULL, NULL },
	{ "A\tB\t+1\ta;b", NULL, NULL, NULL },
	{ "A\tB\t+1\ta\tb", NULL, NULL, NULL },
	{ "A\tB\t+1", NULL, NULL, NULL },
	{ "A\tB\t1234\t", NULL, NULL, NULL },
	{ "A\tB\ttel:+1\t", NULL, NULL, NULL },
	{ "A\tB\t+12345678901234567890123456789012345\t", NULL, NULL, NULL },
	{ "\tB\t+1\t", NULL, NULL, NULL },
	{ "\xff\tB\t+1\t", NULL, NULL, NULL },
	{ "A\x01\tB\t+1\t", NULL, NULL, NULL },
	{ "", NULL, NULL, NULL },
};

static void lines_are_read_as_the_manual_has_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char reason[TSV_REASON_SIZE] = "";
		struct person person;
		int err = tsv_read(slice_str(cases[i].line), &person, reason);

		assert_int_equal(err, cases[i].uri ? 0 : -EINVAL);
		if (err) {
			assert_true(reason[0]);
			continue;
		}
		assert_string_equal(person.uri, cases[i].uri);
		assert_string_equal(person.name, cases[i].name);
		assert_string_equal(person.comment, cases[i].comment);
		assert_int_equal(person.engines, 0);
	}
}

static void a_line_with_a_long_name_or_a_nul_is_refused(void **state)
{
	char line[400], reason[TSV_REASON_SIZE];
	struct person person;

	(void)state;
	snprintf(line, sizeof(line), "%0200d\tB\t+1\t", 1);
	assert_int_equal(tsv_read(slice_str(line), &person, reason), -EINVAL);
	assert_int_equal(tsv_read(slice_of("A\0\tB\t+1\t", 8), &person, reason), -EINVAL);
}

/* CMS-018: what is exported can be imported again. */
static void an_exported_line_reads_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char reason[TSV_REASON_SIZE], *text = NULL;
		struct person person, again;
		size_t n;
		FILE *to;

		if (!cases[i].uri)
			continue;
		assert_int_equal(tsv_read(slice_str(cases[i].line), &person, reason), 0);
		to = open_memstream(&text, &n);
		assert_non_null(to);
		tsv_write(&person, to);
		fclose(to);
		assert_int_equal(text[n - 1], '\n');
		assert_int_equal(tsv_read(slice_of(text, n - 1), &again, reason), 0);
		assert_string_equal(again.uri, person.uri);
		assert_string_equal(again.name, person.name);
		assert_string_equal(again.comment, person.comment);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_as_the_manual_has_them),
		cmocka_unit_test(a_line_with_a_long_name_or_a_nul_is_refused),
		cmocka_unit_test(an_exported_line_reads_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
