#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
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
	{ "\"\\{},:", "\"\\{},:" },
	{ "a\r\n\t\x01\x7f", "a\r\n\t\x01\x7f" },
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

/* What is written as text reads as what the library makes of it. */
static void members_written_as_text_are_read_as_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[256];
		struct buf b = BUF_OF(text);
		json_t *read;

		buf_put_char(&b, '{');
		json_put_text(&b, "text", cases[i].text);
		json_put_number(&b, "number", -5);
		json_put_null(&b, "nothing");
		json_put_thousandths(&b, "s", 12005);
		json_put_name(&b, "inner");
		buf_put_char(&b, '{');
		json_put_text(&b, "more", "x");
		buf_put_str(&b, "}}");
		assert_true(buf_ok(&b));
		read = json_loadb(text, b.len, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(read);
		assert_string_equal(json_string_value(json_object_get(read, "text")),
				    cases[i].want);
		assert_int_equal(json_integer_value(json_object_get(read, "number")), -5);
		assert_true(json_is_null(json_object_get(read, "nothing")));
		assert_true(json_real_value(json_object_get(read, "s")) == 12.005);
		assert_int_equal(json_object_size(json_object_get(read, "inner")), 1);
		json_decref(read);
	}
}

/* Room for six octets each is enough for any. */
static void an_octet_never_takes_more_than_six(void **state)
{
	char octets[256], text[16 + JSON_ESCAPED_MAX * sizeof(octets)];
	struct buf b = BUF_OF(text);

	(void)state;
	for (size_t i = 0; i < sizeof(octets) - 1; i++)
		octets[i] = (char)(i + 1);
	octets[sizeof(octets) - 1] = '\0';
	json_put_text(&b, "", octets);
	assert_true(buf_ok(&b));
}

/* Files of others are shown by terminals, which obey U+009B. */
static void shown_values_are_json_without_control_characters(void **state)
{
	static const struct {
		const char *value, *want;
	} shown[] = {
		{ "plain \xc3\xa5 \xe2\x82\xac", "{\"a\":\"plain \xc3\xa5 \xe2\x82\xac\"}\n" },
		{ "\x1b[2J", "{\"a\":\"\\u001B[2J\"}\n" },
		{ "a\x7f", "{\"a\":\"a\\u007F\"}\n" },
		{ "\xc2\x80\xc2\x9b"
		  "2J\xc2\x9f",
		  "{\"a\":\"\\u0080\\u009B2J\\u009F\"}\n" },
		{ "\xc2\xa0\xc3\x9b", "{\"a\":\"\xc2\xa0\xc3\x9b\"}\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(shown); i++) {
		json_t *value = json_pack("{s:s}", "a", shown[i].value), *again;
		char *text = NULL;
		size_t n;
		FILE *to = open_memstream(&text, &n);

		assert_int_equal(json_show(value, JSON_COMPACT, to), 0);
		fclose(to);
		assert_string_equal(text, shown[i].want);
		again = json_loads(text, 0, NULL);
		assert_true(json_equal(value, again));
		json_decref(again);
		json_decref(value);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_text_becomes_a_json_string),
		cmocka_unit_test(members_written_as_text_are_read_as_json),
		cmocka_unit_test(an_octet_never_takes_more_than_six),
		cmocka_unit_test(shown_values_are_json_without_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
