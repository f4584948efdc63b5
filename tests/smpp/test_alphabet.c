/* test_alphabet.c - texts in the alphabets of short messages, and addresses. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "smpp/address.h"
#include "smpp/alphabet.h"

#define S(text)                                                                                    \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static const struct {
	const char *text;
	enum smpp_alphabet alphabet; /* the narrowest where 0 is GSM */
	struct slice octets;
} texts[] = {
	{ "", SMPP_GSM, S("") },
	{ "Hello @$", SMPP_GSM, S("Hello \0\2") },
	{ "Gr\u00fc\u00dfe", SMPP_GSM,
	  S("Gr\x7e\x1e"
	    "e") },
	{ "\u20ac[~]{|}\\^", SMPP_GSM,
	  S("\x1b\x65\x1b\x3c\x1b\x3d\x1b\x3e\x1b\x28\x1b\x40\x1b\x29\x1b\x2f\x1b\x14") },
	{ "a\r\nb", SMPP_GSM, S("a\r\nb") },
	{ "\u0394\u03a9", SMPP_GSM, S("\x10\x15") },
	{ "fa\u00e7ade \u00e2", SMPP_LATIN1,
	  S("fa\xe7"
	    "ade \xe2") },
	{ "\u043f\u0440", SMPP_UCS2, S("\x04\x3f\x04\x40") },
	{ "a\U0001F600", SMPP_UCS2, S("\0a\xd8\x3d\xde\x00") },
};

static void the_narrowest_alphabet_is_used_and_reads_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct slice text = slice_str(texts[i].text);
		uint8_t octets[128], back[256];
		struct buf out = BUF_OF(octets), utf8 = BUF_OF(back);

		assert_int_equal(smpp_alphabet_narrowest(SMPP_GSM, text), texts[i].alphabet);
		assert_int_equal(smpp_alphabet_encode(texts[i].alphabet, text, &out), 0);
		assert_true(slice_eq(buf_slice(&out), texts[i].octets));
		smpp_alphabet_decode(texts[i].alphabet, buf_slice(&out), &utf8);
		assert_string_equal(buf_str(&utf8), texts[i].text);
	}
}

static void every_code_of_gsm_reads_back(void **state)
{
	(void)state;
	for (unsigned code = 0; code < 128; code++) {
		uint8_t octet = (uint8_t)code, back[8], again[8];
		struct buf utf8 = BUF_OF(back), out = BUF_OF(again);

		if (code == 0x1B)
			continue; /* the escape is no character */
		smpp_alphabet_decode(SMPP_GSM, slice_of(&octet, 1), &utf8);
		assert_int_equal(smpp_alphabet_encode(SMPP_GSM, buf_slice(&utf8), &out), 0);
		assert_int_equal(out.len, 1);
		assert_int_equal(again[0], code);
	}
}

static const struct {
	enum smpp_alphabet alphabet;
	struct slice octets;
	const char *want;
} bad[] = {
	{ SMPP_GSM,
	  S("a\x80"
	    "b"),
	  "a\ufffdb" },
	{ SMPP_GSM, S("a\x1b"), "a\ufffd" },
	{ SMPP_GSM,
	  S("a\x1b"
	    "A"),
	  "aA" }, /* TS 23.038, 6.2.1.1 note 1 */
	{ SMPP_GSM, S("\x1b\xff"), "\ufffd" },
	{ SMPP_UCS2, S("\0a\0"), "a\ufffd" },
	{ SMPP_UCS2, S("\xd8\x3d\0a"), "\ufffda" },
	{ SMPP_UCS2, S("\xde\x00\0a"), "\ufffda" },
	{ SMPP_UCS2, S("\xd8\x3d"), "\ufffd" },
	{ SMPP_UCS2, S("\0\0\0\x1b"), "\ufffd\ufffd" },
	{ SMPP_LATIN1, S("\x80\xe9\0"), "\ufffd\u00e9\ufffd" },
	{ SMPP_ASCII, S("a\xe9"), "a\ufffd" },
};

static void octets_that_are_no_text_are_replaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		uint8_t back[64];
		struct buf utf8 = BUF_OF(back);

		smpp_alphabet_decode(bad[i].alphabet, bad[i].octets, &utf8);
		assert_string_equal(buf_str(&utf8), bad[i].want);
	}
}

static void what_an_alphabet_lacks_is_counted(void **state)
{
	uint8_t octets[16];
	struct buf out = BUF_OF(octets);

	(void)state;
	assert_int_equal(smpp_alphabet_encode(SMPP_GSM, slice_str("a\u043f\xff"), &out), 2);
	assert_string_equal(buf_str(&out), "a??");
	assert_false(smpp_alphabet_fits(SMPP_LATIN1, slice_str("\u20ac")));
	assert_int_equal(smpp_alphabet_narrowest(SMPP_LATIN1, slice_str("\u20ac")), SMPP_UCS2);
	assert_int_equal(smpp_alphabet_narrowest(SMPP_ASCII, slice_str("\u00e9")), SMPP_LATIN1);
}

static void data_coding_names_the_alphabet(void **state)
{
	static const struct {
		uint8_t coding;
		enum smpp_alphabet standard;
		int want; /* an alphabet, or -ENOTSUP */
	} cases[] = {
		{ 0x00, SMPP_GSM, SMPP_GSM },   { 0x00, SMPP_LATIN1, SMPP_LATIN1 },
		{ 0x01, SMPP_GSM, SMPP_ASCII }, { 0x03, SMPP_GSM, SMPP_LATIN1 },
		{ 0x08, SMPP_GSM, SMPP_UCS2 },  { 0x04, SMPP_GSM, -ENOTSUP },
		{ 0x02, SMPP_GSM, -ENOTSUP },   { 0x05, SMPP_GSM, -ENOTSUP },
		{ 0x10, SMPP_GSM, SMPP_GSM },   { 0x18, SMPP_GSM, SMPP_UCS2 },
		{ 0x14, SMPP_GSM, -ENOTSUP },   { 0xF0, SMPP_LATIN1, SMPP_GSM },
		{ 0xF5, SMPP_GSM, -ENOTSUP },   { 0xC8, SMPP_GSM, SMPP_GSM },
		{ 0xE8, SMPP_GSM, SMPP_UCS2 },  { 0x80, SMPP_GSM, -ENOTSUP },
		{ 0x20, SMPP_GSM, -ENOTSUP }, /* compressed */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum smpp_alphabet got = SMPP_ALPHABETS;
		int err = smpp_alphabet_of_coding(cases[i].coding, cases[i].standard, &got);

		assert_int_equal(err ? err : (int)got, cases[i].want);
	}
	assert_int_equal(smpp_alphabet_coding(SMPP_LATIN1, SMPP_GSM), 3);
	assert_int_equal(smpp_alphabet_coding(SMPP_LATIN1, SMPP_LATIN1), 0);
	assert_int_equal(smpp_alphabet_coding(SMPP_UCS2, SMPP_GSM), 8);
}

/* ---- addresses ------------------------------------------------------------------- */

static void the_form_of_an_address_gives_ton_and_npi(void **state)
{
	static const struct {
		const char *text;
		int err;
		unsigned ton, npi;
		const char *addr;
	} cases[] = {
		{ "+46761234567", 0, 1, 1, "46761234567" }, /* CIG-092 */
		{ "12345", 0, 0, 1, "12345" },
		{ "*100#", 0, 0, 1, "*100#" },
		{ "Tandem", 0, 5, 0, "Tandem" },
		{ "sip:a@b.example", 0, 0, 0, "sip:a@b.example" },
		{ "+", 0, 5, 0, "+" },
		{ "123456789012345678901", -E2BIG, 0, 0, NULL },
		{ "", -EINVAL, 0, 0, NULL },
		{ "gr\u00fcn", -EINVAL, 0, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct smpp_address a;

		assert_int_equal(smpp_address_from_text(slice_str(cases[i].text), NULL, &a),
				 cases[i].err);
		if (cases[i].err)
			continue;
		assert_int_equal(a.ton, cases[i].ton);
		assert_int_equal(a.npi, cases[i].npi);
		assert_string_equal(a.text, cases[i].addr);
	}
}

static void a_center_may_want_other_numbers(void **state)
{
	const struct smpp_address_rule rule = { .ton = 2, .npi = 8, .keep_plus = true };
	struct smpp_address a;

	(void)state;
	assert_int_equal(smpp_address_from_text(slice_str("+4670"), &rule, &a), 0);
	assert_int_equal(a.ton, 2);
	assert_int_equal(a.npi, 8);
	assert_string_equal(a.text, "+4670");
}

static void an_address_that_came_is_text(void **state)
{
	static const struct {
		struct smpp_endpoint from;
		const char *want;
	} cases[] = {
		{ { 1, 1, S("4670") }, "+4670" },  { { 1, 1, S("+4670") }, "+4670" },
		{ { 0, 1, S("12345") }, "12345" }, { { 5, 0, S("Tandem") }, "Tandem" },
		{ { 1, 1, S("") }, "" },           { { 5, 0, S("a\n\xff") }, "a??" },
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(smpp_address_to_text(&cases[i].from, out, sizeof(out)), 0);
		assert_string_equal(out, cases[i].want);
	}
	assert_int_equal(smpp_address_to_text(&cases[0].from, out, 4), -ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_narrowest_alphabet_is_used_and_reads_back),
		cmocka_unit_test(every_code_of_gsm_reads_back),
		cmocka_unit_test(octets_that_are_no_text_are_replaced),
		cmocka_unit_test(what_an_alphabet_lacks_is_counted),
		cmocka_unit_test(data_coding_names_the_alphabet),
		cmocka_unit_test(the_form_of_an_address_gives_ton_and_npi),
		cmocka_unit_test(a_center_may_want_other_numbers),
		cmocka_unit_test(an_address_that_came_is_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
