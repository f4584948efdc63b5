#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/visible.h"

static const struct {
	const char *text, *shown, *kept_lines;
} cases[] = {
	{ "", "", "" },
	{ "tel:+46701", "tel:+46701", "tel:+46701" },
	{ "\xc3\xa5\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa5\xe2\x82\xac\xf0\x9f\x98\x80",
	  "\xc3\xa5\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "\x1b[2J", "\\x1b[2J", "\\x1b[2J" },
	{ "a\nb", "a\\x0ab", "a\nb" },
	{ "a\r\n\tb\x7f", "a\\x0d\\x0a\\x09b\\x7f", "a\\x0d\n\\x09b\\x7f" },
	{ "\xc2\x9b"
	  "31m",
	  "\\xc2\\x9b31m", "\\xc2\\x9b31m" },
	{ "\xc2\xa0", "\xc2\xa0", "\xc2\xa0" }, /* the first behind C1 */
	{ "\x9b\xff", "\\x9b\\xff", "\\x9b\\xff" },
	{ "\xe2\x82", "\\xe2\\x82", "\\xe2\\x82" }, /* cut off */
	{ "\\x1b", "\\x1b", "\\x1b" },
};

static void controls_and_what_is_no_text_are_spelled_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *copy = visible_copy(cases[i].text);

		assert_string_equal(copy, cases[i].shown);
		free(copy);
	}
}

static char *printed(struct slice text, const char *kept)
{
	char *out = NULL;
	size_t n;
	FILE *to = open_memstream(&out, &n);

	assert_non_null(to);
	visible_print(to, text, kept);
	fclose(to);
	return out;
}

static void what_is_printed_keeps_only_what_it_is_told(void **state)
{
	char *out = printed(slice_of("a\0b\n", 4), "\n");

	(void)state;
	assert_string_equal(out, "a\\x00b\n");
	free(out);
	for (size_t i = 0; i < COUNT(cases); i++) {
		out = printed(slice_str(cases[i].text), "");
		assert_string_equal(out, cases[i].shown);
		free(out);
		out = printed(slice_str(cases[i].text), "\n");
		assert_string_equal(out, cases[i].kept_lines);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(controls_and_what_is_no_text_are_spelled_out),
		cmocka_unit_test(what_is_printed_keeps_only_what_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
