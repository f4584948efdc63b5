/* Numbers, addresses and names in configurations; near misses; UTF-8. */
#include "tests/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/config_value.h"
#include "base/suggest.h"
#include "base/text.h"

static struct config_word word(const char *text)
{
	return (struct config_word){ .text = text };
}

static void takes_numbers_within_their_bounds(void **state)
{
	static const struct {
		const char *text;
		long want; /* -1: refused */
	} cases[] = { { "1", 1 },
		      { "100", 100 },
		      { "0100", 100 },
		      { "0", -1 },
		      { "101", -1 },
		      { "", -1 },
		      { "-1", -1 },
		      { "+1", -1 },
		      { " 1", -1 },
		      { "1 ", -1 },
		      { "1x", -1 },
		      { "0x1", -1 },
		      { "99999999999999999999", -1 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config_word w = word(cases[i].text);
		unsigned long value = 7;
		int err = config_uint(&w, 1, 100, &value, NULL);

		assert_int_equal(err, cases[i].want < 0 ? -EINVAL : 0);
		assert_int_equal(value, cases[i].want < 0 ? 7 : cases[i].want);
	}
}

static void takes_addresses_in_canonical_form(void **state)
{
	static const char *const cases[][2] = {
		{ "192.168.1.1", "192.168.1.1" },
		{ "2001:DB8:0::1", "2001:db8::1" },
		{ "[::1]", "::1" },
		{ "192.168.1", NULL },
		{ "192.168.1.256", NULL },
		{ "pbx.com", NULL },
		{ "", NULL },
		{ "[]", NULL },
		{ "<IP>", NULL },
		{ "::1%lo", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config_word w = word(cases[i][0]);
		char ip[CONFIG_IP_SIZE] = "";

		assert_int_equal(config_ip(&w, ip, NULL), cases[i][1] ? 0 : -EINVAL);
		assert_string_equal(ip, cases[i][1] ? cases[i][1] : "");
	}
}

static void knows_what_a_net_holds(void **state)
{
	static const struct {
		const char *net, *address;
		int want; /* -1: no net */
	} cases[] = {
		{ "10.0.0.0/8", "10.255.0.1", 1 },
		{ "10.1.2.3/8", "10.255.0.1", 1 },
		{ "10.0.0.0/255.0.0.0", "11.0.0.1", 0 },
		{ "10.0.0.0/255.0.255.0", "", -1 },
		{ "10.0.0.0/33", "", -1 },
		{ "10.0.0.0/", "", -1 },
		{ "10.0.0.0/-1", "", -1 },
		{ "10.0.0.4", "10.0.0.4", 1 },
		{ "10.0.0.4", "10.0.0.5", 0 },
		{ "10.0.0.4/31", "10.0.0.5", 1 },
		{ "0.0.0.0/0", "1.2.3.4", 1 },
		{ "0.0.0.0/0", "::1", 0 },
		{ "0.0.0.0/0.0.0.0", "1.2.3.4", 1 },
		{ "10.0.0.0/8", "::ffff:10.1.1.1", 1 },
		{ "2001:db8::/33", "2001:db8:7fff::1", 1 },
		{ "2001:db8::/33", "2001:db8:8000::1", 0 },
		{ "::/0", "2001:db8::1", 1 },
		{ "::/129", "", -1 },
		{ "::/ffff::", "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config_word w = word(cases[i].net);
		struct sockaddr_in in = { .sin_family = AF_INET };
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
		bool v4 = inet_pton(AF_INET, cases[i].address, &in.sin_addr) == 1;
		struct config_net net;

		assert_int_equal(config_net(&w, &net, NULL), cases[i].want < 0 ? -EINVAL : 0);
		if (cases[i].want < 0)
			continue;
		if (!v4)
			assert_int_equal(inet_pton(AF_INET6, cases[i].address, &in6.sin6_addr), 1);
		assert_int_equal(config_net_holds(&net, v4 ? (void *)&in : (void *)&in6),
				 cases[i].want);
	}
}

static void takes_host_and_port(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
	} cases[] = { { "crs.example:5223", "crs.example", 5223 },
		      { "[::1]:1", "::1", 1 },
		      { "10.0.0.1:65535", "10.0.0.1", 65535 },
		      { "a:0", NULL, 0 },
		      { "a:65536", NULL, 0 },
		      { "a:", NULL, 0 },
		      { ":1", NULL, 0 },
		      { "a", NULL, 0 },
		      { "::1:5", NULL, 0 },
		      { "[]:5", NULL, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config_word w = word(cases[i].text);
		char host[32] = "";
		uint16_t port = 0;
		int err = config_host_port(&w, host, sizeof(host), &port, NULL);

		assert_int_equal(err == 0, cases[i].host != NULL);
		if (cases[i].host)
			assert_string_equal(host, cases[i].host);
		assert_int_equal(port, cases[i].port);
	}
}

static void says_that_a_placeholder_must_be_replaced(void **state)
{
	struct diag *diag = diag_new();
	struct config_word good = word("tel-2.sip_9"), bad = word("<mapname>"), blank = word("a b");

	(void)state;
	assert_int_equal(config_name(&good, "a map", diag), 0);
	assert_int_equal(config_name(&bad, "a map", diag), -EINVAL);
	assert_string_equal(diag_first_error(diag),
			    "<mapname> stands for a map: write the real name");
	assert_int_equal(config_name(&blank, "a map", diag), -EINVAL);
	assert_int_equal(diag_errors(diag), 2);
	diag_free(&diag);
}

static void reads_either_word_for_yes_and_no(void **state)
{
	struct config_word yes = word("true"), no = word("off"), other = word("True?");
	bool value = false;

	(void)state;
	assert_int_equal(config_bool(&yes, &value, NULL), 0);
	assert_true(value);
	assert_int_equal(config_bool(&no, &value, NULL), 0);
	assert_false(value);
	assert_int_equal(config_bool(&other, &value, NULL), -EINVAL);
}

static void suggests_the_nearest_word_if_it_is_near(void **state)
{
	static const char *const known[] = { "srctel2sip", NULL, "maptel2sip", "mapsip2tel" };

	(void)state;
	assert_string_equal(suggest_near("srcsip2tel", known, COUNT(known)), "srctel2sip");
	assert_string_equal(suggest_near("srctelsip", known, COUNT(known)), "srctel2sip");
	assert_string_equal(suggest_near("sip2tle", (const char *[]){ "tel2sip", "sip2tel" }, 2),
			    "sip2tel");
	assert_null(suggest_near("voicemail", known, COUNT(known)));
	assert_null(suggest_near("", known, COUNT(known)));
	assert_int_equal(suggest_distance("abcd", "abdc"), 1);
	assert_int_equal(suggest_distance("", "abc"), 3);
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
}

static void tells_clean_text(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = { { "", true },
		      { "Gr\xc3\xbc\xc3\x9f"
			"e",
			true },
		      { "\xe2\x82\xac", true },
		      { "\xf0\x9f\x98\x80", true },
		      { "a\nb", false },
		      { "a\x7f", false },
		      { "\xc2\x85", false },
		      { "\xc0\xaf", false },
		      { "\xed\xa0\x80", false },
		      { "\xf4\x90\x80\x80", false },
		      { "\xe2\x82", false },
		      { "\x80", false },
		      { "\xff", false },
		      { "\xc2", false } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(text_is_clean(slice_str(cases[i].text)), cases[i].want);
	assert_false(text_is_clean(slice_of("a\0b", 3)));
}

static void a_number_is_digits_and_nothing_else(void **state)
{
	static const struct {
		const char *text;
		unsigned long min, max;
		bool want;
		unsigned long number;
	} cases[] = {
		{ "0", 0, 9, true, 0 },
		{ "007", 1, 9, true, 7 },
		{ "65535", 1, 65535, true, 65535 },
		{ "65536", 1, 65535, false, 0 },
		{ "0", 1, 9, false, 0 },
		{ "9999999999999999999", 0, ULONG_MAX, true, 9999999999999999999UL },
		{ "10000000000000000000", 0, ULONG_MAX, false, 0 }, /* too many digits */
		{ "", 0, 9, false, 0 },
		{ "+1", 0, 9, false, 0 },
		{ "-1", 0, ULONG_MAX, false, 0 },
		{ " 1", 0, 9, false, 0 },
		{ "1 ", 0, 9, false, 0 },
		{ "0x1", 0, 9, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned long number = 42;

		assert_int_equal(
			text_number(slice_str(cases[i].text), cases[i].min, cases[i].max, &number),
			cases[i].want);
		assert_true(number == (cases[i].want ? cases[i].number : 42));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_numbers_within_their_bounds),
		cmocka_unit_test(takes_addresses_in_canonical_form),
		cmocka_unit_test(knows_what_a_net_holds),
		cmocka_unit_test(takes_host_and_port),
		cmocka_unit_test(says_that_a_placeholder_must_be_replaced),
		cmocka_unit_test(reads_either_word_for_yes_and_no),
		cmocka_unit_test(suggests_the_nearest_word_if_it_is_near),
		cmocka_unit_test(tells_clean_text),
		cmocka_unit_test(a_number_is_digits_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
