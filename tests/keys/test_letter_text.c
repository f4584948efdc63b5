#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/encode.h"
#include "keys/letter_text.h"
#include "tests/keys/sample.h"

static void base45_gives_the_rfcs_examples_both_ways(void **state)
{
	static const char *const cases[][2] = {
		{ "AB", "BB8" }, /* RFC 9285 section 4.3 */
		{ "Hello!!", "%69 VD92EX0" },
		{ "base-45", "UJCLQE7W581" },
		{ "ietf!", "QED8WEX0" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[32];
		uint8_t octets[16];
		size_t n;

		base45_encode(slice_str(cases[i][0]), text);
		assert_string_equal(text, cases[i][1]);
		assert_int_equal(base45_decode(slice_str(text), octets, 16, &n), 0);
		assert_true(slice_eq_str(slice_of(octets, n), cases[i][0]));
	}
}

static void base45_refuses_what_is_not_of_its_alphabet_or_range(void **state)
{
	static const char *const bad[] = { "B", "BB8B", "bb8", "::", ":::", "GGW" };
	uint8_t octets[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(base45_decode(slice_str(bad[i]), octets, 16, &n), -EINVAL);
	assert_int_equal(base45_decode(slice_of("B\0B", 3), octets, 16, &n), -EINVAL);
	assert_int_equal(base45_decode(slice_str("FGW"), octets, 16, &n), 0);
	assert_int_equal(base45_decode(slice_str("BB8BB8"), octets, 3, &n), -ENOBUFS);
}

/* Letters of any length come back, from each of the four forms. */
static void a_letter_is_read_back_from_each_of_its_forms(void **state)
{
	uint8_t octets[LETTER_OCTETS_MAX], back[LETTER_OCTETS_MAX];
	char text[LETTER_TEXT_MAX], page[LETTER_TEXT_MAX + 100];
	size_t n;

	(void)state;
	sample_fill(octets, sizeof(octets), 40);
	octets[0] = 'L';
	octets[1] = 1;
	for (size_t len = 2; len <= LETTER_OCTETS_MAX; len += len < 60 ? 1 : 52) {
		struct slice letter = slice_of(octets, len);

		assert_int_equal(letter_text_read(letter, back, &n, NULL), 0);
		assert_true(slice_eq(slice_of(back, n), letter));
		base64_encode(BASE64_STANDARD, letter, text);
		snprintf(page, sizeof(page), "%.10s\n%s\n", text, text + 10 * (len > 8));
		assert_int_equal(letter_text_read(slice_str(len > 8 ? page : text), back, &n, NULL),
				 0);
		assert_true(slice_eq(slice_of(back, n), letter));
		base45_encode(letter, text);
		snprintf(page, sizeof(page), "%s\r\n", text);
		assert_int_equal(letter_text_read(slice_str(page), back, &n, NULL), 0);
		assert_true(slice_eq(slice_of(back, n), letter));
		assert_int_equal(letter_text_write(letter, text, sizeof(text)), 0);
		snprintf(page, sizeof(page), "Letter for Bob,\n2026-11\n\n%s\nKeep it safe.\n",
			 text);
		assert_int_equal(letter_text_read(slice_str(page), back, &n, NULL), 0);
		assert_true(slice_eq(slice_of(back, n), letter));
	}
}

static void a_line_is_read_as_people_type_it(void **state)
{
	char text[LETTER_TEXT_MAX], line[100], tight[100] = "";
	uint8_t octets[LETTER_LINE_OCTETS], want[LETTER_LINE_OCTETS];
	size_t n;

	(void)state;
	sample_fill(want, sizeof(want), 40);
	assert_int_equal(letter_text_write(slice_of(want, sizeof(want)), text, sizeof(text)), 0);
	assert_int_equal(letter_text_line(slice_str(text), 1, octets, &n), 0);
	assert_int_equal(n, LETTER_LINE_OCTETS);
	assert_memory_equal(octets, want, n);
	assert_int_equal(letter_text_line(slice_str(text + 3), 1, octets, &n), 0);
	for (char *p = text + 3, *q = tight; *p; p++)
		if (*p != ' ' && *p != ':' && *p != '\n')
			*q++ = *p;
	assert_int_equal(letter_text_line(slice_str(tight), 1, octets, &n), 0);
	snprintf(line, sizeof(line), " 1 .%s", tight);
	assert_int_equal(letter_text_line(slice_str(line), 1, octets, &n), -EINVAL);
	/* The same line does not pass for another one. */
	assert_int_equal(letter_text_line(slice_str(text), 2, octets, &n), -ERANGE);
	assert_int_equal(letter_text_line(slice_str(tight), 2, octets, &n), -EBADMSG);
	for (size_t i = 0; i < strlen(tight); i++) {
		char was = tight[i];

		tight[i] = was == 'x' ? 'y' : 'x';
		assert_int_equal(letter_text_line(slice_str(tight), 1, octets, &n), -EBADMSG);
		tight[i] = was;
		assert_true(letter_text_line(slice_of(tight, i), 1, octets, &n) < 0);
	}
	assert_int_equal(letter_text_line(slice_str(""), 1, octets, &n), -EINVAL);
}

static void a_line_that_is_wrong_missing_or_cut_is_named(void **state)
{
	static const struct {
		const char *from, *to; /* replaced in the text of three lines */
		const char *error;
	} cases[] = {
		{ "02. ", "02. x", "line 2 of the letter is not right" },
		{ "\n02. ", "\nNB: ", "line 2 of the letter is missing" },
		{ "03. ", "13. ", "line 3 of the letter is missing" },
		{ "01. ", "02. ", "line 1 of the letter is missing" },
	};
	uint8_t octets[60], back[LETTER_OCTETS_MAX];
	char text[LETTER_TEXT_MAX];
	size_t n;

	(void)state;
	sample_fill(octets, sizeof(octets), 40);
	assert_int_equal(letter_text_write(slice_of(octets, 60), text, sizeof(text)), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag *diag = diag_new();
		char bad[LETTER_TEXT_MAX + 10];
		char *at = strstr(text, cases[i].from);

		snprintf(bad, sizeof(bad), "%.*s%s%s", (int)(at - text), text, cases[i].to,
			 at + strlen(cases[i].from));
		assert_int_equal(letter_text_read(slice_str(bad), back, &n, diag), -EBADMSG);
		assert_string_equal(diag_first_error(diag), cases[i].error);
		diag_free(&diag);
	}
}

static void what_holds_no_letter_is_refused(void **state)
{
	static const char *const bad[] = { "", "Dear Bob,\n", "TAE", "ABCD", "L", "99. AAAA AAAA" };
	char text[LETTER_TEXT_MAX];
	uint8_t back[LETTER_OCTETS_MAX], octets[LETTER_OCTETS_MAX + 1] = { 'L', 1 };
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(letter_text_read(slice_str(bad[i]), back, &n, NULL), -EBADMSG);
	assert_int_equal(letter_text_read(slice_of(octets, sizeof(octets)), back, &n, NULL),
			 -EBADMSG);
	assert_int_equal(letter_text_write(slice_of(octets, sizeof(octets)), text, sizeof(text)),
			 -ENOBUFS);
	assert_int_equal(letter_text_write(slice_of(octets, 100), text, 100), -ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base45_gives_the_rfcs_examples_both_ways),
		cmocka_unit_test(base45_refuses_what_is_not_of_its_alphabet_or_range),
		cmocka_unit_test(a_letter_is_read_back_from_each_of_its_forms),
		cmocka_unit_test(a_line_is_read_as_people_type_it),
		cmocka_unit_test(a_line_that_is_wrong_missing_or_cut_is_named),
		cmocka_unit_test(what_holds_no_letter_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
