#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "management/person.h"
#include "management/settings.h"

/* Sets an array of characters. */
#define SET_TEXT(array, text) snprintf((array), sizeof(array), "%s", (text))

static void a_lifetime_is_an_hour_to_a_year(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* 0: refused */
	} cases[] = {
		/* CMS-053: not below an hour */
		{ "1h", 3600 },
		{ "60m", 3600 },
		{ "12h", 43200 },
		{ "30d", 2592000 },
		{ "366d", 31622400 },
		{ "59m", 0 },
		{ "367d", 0 },
		{ "0d", 0 },
		{ "30", 0 },
		{ "d", 0 },
		{ "30dd", 0 },
		{ "-1d", 0 },
		{ "", 0 },
		{ " 1h", 0 },
		{ "30D", 0 },
		{ "99999999999999d", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t seconds = 0;
		int err = settings_parse_lifetime(cases[i].text, &seconds);

		assert_int_equal(err, cases[i].seconds ? 0 : -EINVAL);
		assert_int_equal(seconds, cases[i].seconds);
	}
}

static void settings_are_checked_as_a_whole(void **state)
{
	static const struct settings good = { .domain = "E", .address = "c:1", .account = "A" };
	struct settings bad[9];
	struct diag *diag = diag_new();

	(void)state;
	assert_true(settings_check(&good, diag));
	for (size_t i = 0; i < COUNT(bad); i++)
		bad[i] = good;
	bad[0].domain[0] = '\0';
	SET_TEXT(bad[1].domain, "a\tb");
	SET_TEXT(bad[2].address, "c");
	SET_TEXT(bad[3].address, ":5");
	SET_TEXT(bad[4].address, "c:65536");
	SET_TEXT(bad[5].address, "c:-1");
	SET_TEXT(bad[6].address, "c d:1");
	SET_TEXT(bad[7].account, "");
	bad[8].max_message_lifetime = 3600;
	bad[8].default_message_lifetime = 7200;
	for (size_t i = 0; i < COUNT(bad); i++) {
		size_t before = diag_errors(diag);

		assert_false(settings_check(&bad[i], diag));
		assert_int_equal(diag_errors(diag), before + 1);
	}
	diag_free(&diag);
}

static void a_number_is_international(void **state)
{
	static const struct {
		const char *number, *uri; /* NULL: refused */
	} cases[] = {
		/* CMS-011: the manual's example, and with the plus only */
		{ "+46706764287", "tel:+46706764287" },
		{ "tel:+8888", "tel:+8888" },
		{ "+123456789012345", "tel:+123456789012345" },
		{ "46706764287", NULL },
		{ "0046706764287", NULL },
		{ "+1234567890123456", NULL },
		{ "+", NULL },
		{ "", NULL },
		{ "+46 70", NULL },
		{ "+46;ext=1", NULL },
		{ "urn:uuid:01234567-89ab-cdef-0123-456789abcdef", NULL },
	};
	char uri[IDENTITY_URI_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(person_uri(cases[i].number, uri, NULL),
				 cases[i].uri ? 0 : -EINVAL);
		if (cases[i].uri)
			assert_string_equal(uri, cases[i].uri);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lifetime_is_an_hour_to_a_year),
		cmocka_unit_test(settings_are_checked_as_a_whole),
		cmocka_unit_test(a_number_is_international),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
