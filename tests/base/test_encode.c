#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "base/encode.h"

static const struct {
	const char *octets, *standard, *url;
} cases[] = {
	{ "", "", "" }, /* RFC 4648 section 10 */
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xff\xfe\xfb", "//77", "__77" },
};

static void base64_gives_the_rfcs_examples_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[32];
		uint8_t octets[32];
		size_t n = 99;

		base64_encode(BASE64_STANDARD, slice_str(cases[i].octets), text);
		assert_string_equal(text, cases[i].standard);
		assert_int_equal(base64_decode(BASE64_STANDARD, slice_str(text), octets, 32, &n),
				 0);
		assert_int_equal(n, strlen(cases[i].octets));
		assert_memory_equal(octets, cases[i].octets, n);
		base64_encode(BASE64_URL, slice_str(cases[i].octets), text);
		assert_string_equal(text, cases[i].url);
		assert_int_equal(base64_decode(BASE64_URL, slice_str(text), octets, 32, &n), 0);
		assert_int_equal(n, strlen(cases[i].octets));
	}
}

static void base64_refuses_what_is_not_strict(void **state)
{
	static const char *const bad[] = { "Zg",   "Zg=",    "Zg===", "Zh==",
					   "Z g=", "Zm9v\n", "=",     "Zg==Zg==" };
	uint8_t octets[32];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(base64_decode(BASE64_STANDARD, slice_str(bad[i]), octets, 32, &n),
				 -EINVAL);
	assert_int_equal(base64_decode(BASE64_URL, slice_str("Z"), octets, 32, &n), -EINVAL);
	assert_int_equal(base64_decode(BASE64_STANDARD, slice_str("Zm9v"), octets, 2, &n),
			 -ENOBUFS);
}

static void hex_is_read_in_either_case(void **state)
{
	uint8_t octets[4];
	char text[9];
	size_t n;

	(void)state;
	assert_int_equal(hex_decode(slice_str("00fFa5"), octets, 4, &n), 0);
	assert_int_equal(n, 3);
	hex_encode(slice_of(octets, n), text);
	assert_string_equal(text, "00ffa5");
	assert_int_equal(hex_decode(slice_str("0"), octets, 4, &n), -EINVAL);
	assert_int_equal(hex_decode(slice_str("0g"), octets, 4, &n), -EINVAL);
	assert_int_equal(hex_decode(slice_str("0011223344"), octets, 4, &n), -ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_gives_the_rfcs_examples_both_ways),
		cmocka_unit_test(base64_refuses_what_is_not_strict),
		cmocka_unit_test(hex_is_read_in_either_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
