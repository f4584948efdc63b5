/* test_text.c - UTF-8 and lines, from octets of any kind. */
#include "tests/unit.h"

#include "base/text.h"

static void utf8_is_told_from_other_octets(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "", true },
		{ "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\xed\x9f\xbf", true },
		{ "\xc3", false }, /* cut */
		{ "\xe2\x82", false },
		{ "\xf0\x9f\x99", false },
		{ "\x80", false },
		{ "\xc0\xaf", false }, /* longer than needed */
		{ "\xe0\x80\xaf", false },
		{ "\xf0\x80\x80\xaf", false },
		{ "\xed\xa0\x80", false },     /* a surrogate */
		{ "\xf4\x90\x80\x80", false }, /* above the last */
		{ "\xc3(", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(text_is_utf8(slice_str(cases[i].text)), cases[i].good);
}

/* The last line may lack its end; a CR elsewhere is the text's. */
static void lines_are_taken_one_by_one(void **state)
{
	static const char *const want[] = { "one", "", "t\rwo", "three\r", "four" };
	struct slice text = slice_str("one\n\r\nt\rwo\r\nthree\r\r\nfour");

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(text.n > 0);
		assert_true(slice_eq_str(text_take_line(&text), want[i]));
	}
	assert_int_equal(text.n, 0);
	assert_int_equal(text_take_line(&text).n, 0);
	text = slice_of(NULL, 0);
	assert_int_equal(text_take_line(&text).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_told_from_other_octets),
		cmocka_unit_test(lines_are_taken_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
