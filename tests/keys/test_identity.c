#include "tests/unit.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/encode.h"
#include "keys/identity.h"
#include "keys/period.h"
#include "tests/keys/vectors.h"

static const struct {
	const char *uri;
	int want; /* a kind, or -EINVAL */
} uris[] = {
	{ "tel:+1", IDENTITY_USER },
	{ "tel:+447700900123", IDENTITY_USER },
	{ "tel:+123456789012345", IDENTITY_USER },
	{ "tel:+1234567890123456", -EINVAL }, /* E.164: 15 digits */
	{ "tel:+", -EINVAL },
	{ "tel:", -EINVAL },
	{ "", -EINVAL },
	{ "tel:447700900123", -EINVAL },
	{ "TEL:+447700900123", -EINVAL },
	{ "tel:+44-7700-900123", -EINVAL },
	{ "tel:+44 7700900123", -EINVAL },
	{ "tel:+447700900123;101", -EINVAL },
	{ "tel:+447700900123;phone-context=x", -EINVAL },
	{ " tel:+447700900123", -EINVAL },
	{ "tel:++447700900123", -EINVAL },
	{ "sip:4477@example.com", -EINVAL },
	{ "urn:uuid:01234567-89ab-cdef-0123-456789abcdef", IDENTITY_CHANNEL },
	{ "urn:uuid:01234567-89AB-cdef-0123-456789abcdef", -EINVAL },
	{ "urn:uuid:0123456789ab-cdef-0123-456789abcdef", -EINVAL },
	{ "urn:uuid:01234567-89ab-cdef-0123-456789abcdef0", -EINVAL },
	{ "urn:uuid:01234567-89ab-cdef-0123-456789abcde", -EINVAL },
	{ "urn:uuid:", -EINVAL },
	{ "urn:x-crs:client:test-17.a_b", IDENTITY_CHECK },
	{ "urn:x-crs:client:", -EINVAL },
	{ "urn:x-crs:client:a b", -EINVAL },
	{ "urn:x-crs:client:A", -EINVAL },
	{ "urn:x-crs:client:"
	  "0123456789012345678901234567890123456789012345678901234567890123",
	  IDENTITY_CHECK },
	{ "urn:x-crs:client:"
	  "01234567890123456789012345678901234567890123456789012345678901234",
	  -EINVAL },
};

static void a_uri_has_one_spelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(uris); i++) {
		enum identity_kind kind = 99;
		int got = identity_check(slice_str(uris[i].uri), &kind);

		assert_int_equal(got == 0 ? (int)kind : got, uris[i].want);
	}
	assert_int_equal(identity_check(slice_of("tel:+44\0"
						 "1",
						 9),
					NULL),
			 -EINVAL);
	assert_true(strlen(uris[COUNT(uris) - 2].uri) == IDENTITY_URI_MAX);
}

static void identifiers_are_those_of_rfc_6509(void **state)
{
	struct vectors *v = vectors_open("rfc6509-params.txt");
	uint8_t out[IDENTIFIER_MAX];
	int64_t month;
	size_t len;

	(void)state;
	assert_int_equal(period_parse(vector(v, "id_month"), &month), 0);
	assert_int_equal(identity_monthly(vector(v, "id_uri"), month, out, &len), 0);
	assert_int_equal(len, vector(v, "id").n);
	assert_memory_equal(out, vector(v, "id").p, len);
	assert_int_equal(identity_monthly(slice_str("tel:123"), month, out, &len), -EINVAL);
	assert_int_equal(identity_monthly(vector(v, "id_uri"), -1, out, &len), -EINVAL);
	assert_int_equal(identity_monthly(vector(v, "id_uri"), PERIOD_MAX + 1, out, &len), -EINVAL);
	assert_int_equal(identity_monthly(slice_str(uris[COUNT(uris) - 2].uri), month, out, &len),
			 0);
	assert_int_equal(len, IDENTIFIER_MAX);
	vectors_close(&v);
}

/* Written out by hand from TS 33.180 F.2.1 and hashed by another program. */
static void a_uid_hashes_its_parameters_in_order(void **state)
{
	const struct identity_uid_scheme scheme = { slice_str("kms.example.org"), 2592000, 0 };
	uint8_t uid[IDENTITY_UID], other[IDENTITY_UID];
	char text[HEX_TEXT_SIZE(IDENTITY_UID)];
	int64_t period = identity_uid_period(&scheme, 1400000000);

	(void)state;
	assert_int_equal(period, (1400000000 + 2208988800) / 2592000);
	assert_int_equal(identity_uid(&scheme, slice_str("sip:user@example.org"), period, uid), 0);
	hex_encode(slice_of(uid, sizeof(uid)), text);
	assert_string_equal(text,
			    "549841ad4886669a1d5d130be44fe7ba622688da496117b5bb1d0ca787c3947d");
	assert_int_equal(
		identity_uid(&scheme, slice_str("sip:user@example.org"), period + 1, other), 0);
	assert_memory_not_equal(uid, other, sizeof(uid));
	assert_int_equal(identity_uid(&scheme, slice_str(""), period, uid), -EINVAL);
	assert_int_equal(identity_uid(&scheme, slice_str("x"), -1, uid), -EINVAL);
}

static void months_begin_where_the_c_library_says(void **state)
{
	(void)state;
	for (int64_t month = 0; month <= PERIOD_MAX; month += month < 2000 ? 1 : 37) {
		struct tm tm = { .tm_year = 70 + (int)(month / 12),
				 .tm_mon = (int)(month % 12),
				 .tm_mday = 1 };
		int64_t start = timegm(&tm);

		assert_int_equal(period_start(month), start);
		assert_int_equal(period_of(start), month);
		assert_int_equal(period_of(start - 1), month > 0 ? month - 1 : 0);
	}
	assert_int_equal(period_of(INT64_MAX), PERIOD_MAX);
	assert_int_equal(period_of(INT64_MIN), 0);
}

static void months_are_written_and_read(void **state)
{
	static const char *const bad[] = { "2026-13", "2026-00", "2026-1",  "2026-011", "1969-12",
					   "2026/01", "202a-01", "2026-0a", "",         "2026 01" };
	char text[PERIOD_TEXT_SIZE];
	int64_t month;

	(void)state;
	assert_int_equal(period_parse(slice_str("2011-02"), &month), 0);
	assert_int_equal(month, 41 * 12 + 1);
	for (month = 0; month <= PERIOD_MAX; month += 611) {
		int64_t back;

		period_text(month, text);
		assert_int_equal(period_parse(slice_str(text), &back), 0);
		assert_int_equal(back, month);
	}
	period_text(PERIOD_MAX, text);
	assert_string_equal(text, "9999-12");
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(period_parse(slice_str(bad[i]), &month), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uri_has_one_spelling),
		cmocka_unit_test(identifiers_are_those_of_rfc_6509),
		cmocka_unit_test(a_uid_hashes_its_parameters_in_order),
		cmocka_unit_test(months_begin_where_the_c_library_says),
		cmocka_unit_test(months_are_written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
