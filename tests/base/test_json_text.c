#include "tests/unit.h"

#include "base/json_text.h"

static const struct {
	const char *text, *want;
} cases[] = {
	{ "", "" },
	{ NULL, "" },
	{ "sip:101@pbx.com", "sip:101@pbx.com" },
	{ "sip:\xc3\xa5sa@pbx.com", "sip:\xc3\xa5sa@pbx.com" },
	{ "sip:\xe5sa@pbx.com", "sip:\\xE5sa@pbx.com" }, /* Latin-1 */
	{ "\xff\xfe", "\\xFF\\xFE" },
	{ "\xc3", "\\xC3" },                   /* cut short */
	{ "\xed\xa0\x80", "\\xED\\xA0\\x80" }, /* a surrogate */
};

static void any_text_becomes_a_json_string(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		json_t *made = json_text(cases[i].text);

		assert_non_null(made);
		assert_string_equal(json_string_value(made), cases[i].want);
		json_decref(made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_text_becomes_a_json_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
