#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/sip_texts_priv.h"
#include "base/text.h"

enum { LONG = 20000 };

/* The parts of text without their "(1/3) ", joined; each is checked. */
static void join(const char *text, char joined[LONG + 1])
{
	size_t parts = sip_text_parts(text);

	*joined = '\0';
	for (size_t i = 0; i < parts; i++) {
		char part[SIP_TEXT_PART_SIZE];
		const char *body = part;
		struct slice rest;

		sip_text_part(text, i, parts, part);
		if (parts > 1)
			body = strchr(part, ' ') + 1;
		assert_true(strlen(body) <= SIP_TEXT_PART);
		assert_true(strlen(body) > 0 || parts == 1);
		/* whole characters */
		for (rest = slice_str(body); rest.n; rest = slice_from(rest, text_char(rest)))
			assert_true(text_char(rest) > 0);
		strncat(joined, body, LONG - strlen(joined));
	}
}

static void fill(char text[LONG + 1], const char *with, size_t n)
{
	*text = '\0';
	for (size_t length = 0; length + strlen(with) <= n; length += strlen(with))
		memcpy(text + length, with, strlen(with) + 1);
}

static void parts_joined_are_the_text(void **state)
{
	static const char *const with[] = { "x", "word ", "é", "€", "\xf0\x9f\x98\x80", "a€ " };
	static const size_t lengths[] = { 0, 1, 999, 1000, 1001, 1004, 1999, 2000, 2001, 15000 };
	char text[LONG + 1], joined[LONG + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(with); i++)
		for (size_t j = 0; j < COUNT(lengths); j++) {
			fill(text, with[i], lengths[j]);
			join(text, joined);
			assert_string_equal(joined, text);
		}
}

static void a_short_text_goes_as_it_is(void **state)
{
	char part[SIP_TEXT_PART_SIZE], text[LONG + 1];

	(void)state;
	fill(text, "x", SIP_TEXT_PART);
	assert_int_equal(sip_text_parts(text), 1);
	sip_text_part(text, 0, 1, part);
	assert_string_equal(part, text);
	assert_int_equal(sip_text_parts(""), 1);
}

static void parts_end_behind_a_word_where_they_can(void **state)
{
	char part[SIP_TEXT_PART_SIZE], text[LONG + 1];

	(void)state;
	fill(text, "seven77 ", 1600);
	assert_int_equal(sip_text_parts(text), 2);
	sip_text_part(text, 0, 2, part);
	assert_int_equal(strncmp(part, "(1/2) seven77 ", 14), 0);
	assert_string_equal(part + strlen(part) - 8, "seven77 ");
	sip_text_part(text, 1, 2, part);
	assert_int_equal(strncmp(part, "(2/2) seven77 ", 14), 0);
}

static void attachments_are_named(void **state)
{
	Umsg__Attachment a = UMSG__ATTACHMENT__INIT, b = UMSG__ATTACHMENT__INIT;
	Umsg__Attachment *list[] = { &a, &b };
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	char *text;

	(void)state;
	a.name = (char *)"photo.png";
	a.type = (char *)"image/png";
	a.data.len = 13;
	b.name = (char *)"a\nb"; /* nothing of it could begin a line */
	b.type = (char *)"text/plain";
	body.text = (char *)"look";
	body.attachments = list;
	body.n_attachments = 2;
	text = sip_text_whole(&body);
	assert_string_equal(text, "look\n"
				  "[attachment photo.png, image/png, 13 octets: not sent by SIP]\n"
				  "[attachment ?, ?, 0 octets: not sent by SIP]");
	free(text);
	body.text = (char *)"";
	body.n_attachments = 0;
	text = sip_text_whole(&body);
	assert_string_equal(text, "");
	free(text);
}

/* What is sent says of itself that it is UTF-8. */
static void a_long_name_is_cut_between_characters(void **state)
{
	char name[2 * 150 + 2] = "x";
	Umsg__Attachment a = UMSG__ATTACHMENT__INIT, *list[] = { &a };
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	char *text;

	(void)state;
	for (int i = 0; i < 150; i++)
		memcpy(name + 1 + 2 * i, "\xc3\xa5", 3);
	a.name = name;
	a.type = (char *)"image/png";
	body.text = (char *)"";
	body.attachments = list;
	body.n_attachments = 1;
	text = sip_text_whole(&body);
	assert_true(text_is_clean(slice_str(text)));
	assert_int_equal(strcspn(text, ","), strlen("[attachment ") + 199);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_joined_are_the_text),
		cmocka_unit_test(a_short_text_goes_as_it_is),
		cmocka_unit_test(parts_end_behind_a_word_where_they_can),
		cmocka_unit_test(attachments_are_named),
		cmocka_unit_test(a_long_name_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
