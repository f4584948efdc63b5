/* Translate maps: the manual's rules, one way, over any text. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "maps/explain.h"
#include "maps/translate_map.h"

static const struct {
	const char *match, *translation, *addr, *want; /* want NULL: no match */
	int result;
} cases[] = {
	/* CIG-060, CIG-066, CIG-092, CIG-084: the manual's rules */
	{ "tel:+8888;{extension}", "{extension}@pbx.com", "tel:+8888;12345", "12345@pbx.com", 1 },
	{ "tel:+8888;{extension}", "{extension}@pbx.com", "tel:+9999;12345", NULL, 0 },
	{ "tel:+8888; {extension}", "+{extension}", "tel:+8888;46761234567", "+46761234567", 1 },
	{ "sip:{series}@{discard}", "tel:+8888;{series}", "sip:456@x", "tel:+8888;456", 1 },
	{ "sip:{series}@secure.com", "tel:+{series}", "sip:46701@secure.com", "tel:+46701", 1 },
	{ "tel:+{series}", "sip:{series}@{discard}", "tel:+46701", "sip:46701@", 1 },
	{ "tel:+8888;{series}", "sip:{series}@pbx.com", "tel:+8888;101", "sip:101@pbx.com", 1 },
	/* URIs are normalised, other text is not */
	{ "tel:+8888;{e}", "{e}", "TEL:+88-88w9", "9", 1 },
	{ "sip:{e}@PBX.com", "{e}", "sip:A%20b@pbx.COM", "A b", 1 },
	{ "{name}@PBX.com", "{name}", "bob@PBX.com", "bob", 1 },
	{ "{name}@PBX.com", "{name}", "bob@pbx.com", NULL, 0 },
	{ "+{n}", "tel:+{n}", "+4670", "tel:+4670", 1 },
	{ "{all}", "[{all}]", "any text at all", "[any text at all]", 1 },
	{ "{all}", "[{all}]", "", "[]", 1 },
	{ "", "x", "", "x", 1 },
	{ "a{x}c{y}", "{y}{x}", "abccd", "cdb", 1 },
	{ "sip:{all}", "{all}", "sip:101@pbx.com", "101@pbx.com", 1 },
	{ "tel:{all}", "{all}", "tel:+1;x;y", "+1;x;y", 1 },
	/* an escaped "@" does not move the border of the user part */
	{ "sip:{u}@{h}", "{h}/{u}", "sip:a%40evil@good", "good/a@evil", 1 },
	/* never controls, never what is no text */
	{ "{all}", "{all}", "a\r\nBcc: b", "", -EILSEQ },
	{ "{all}", "{all}", "a\x7f", "", -EILSEQ },
	{ "{all}", "{all}", "\xff", "", -EILSEQ },
};

static struct translate_map *map_of(const char *match, const char *translation, struct diag *diag)
{
	struct translate_map *map = translate_map_new("case");

	assert_int_equal(translate_map_add(map, match, translation, NULL, diag), 0);
	assert_int_equal(translate_map_finish(map, diag), 0);
	return map;
}

static void applies_the_manuals_rules_and_edges(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct translate_map *map = map_of(cases[i].match, cases[i].translation, NULL);
		char out[64];

		assert_int_equal(
			translate_map_apply(map, slice_str(cases[i].addr), out, sizeof(out), NULL),
			cases[i].result);
		assert_string_equal(out, cases[i].want ? cases[i].want : "");
		translate_map_free(&map);
		assert_null(map);
	}
}

static void tells_when_the_result_does_not_fit(void **state)
{
	struct translate_map *map = map_of("{x}", "{x}{x}!", NULL);
	char out[8];

	(void)state;
	assert_int_equal(translate_map_apply(map, slice_str("abc"), out, 8, NULL), 1);
	assert_string_equal(out, "abcabc!");
	assert_int_equal(translate_map_apply(map, slice_str("abc"), out, 7, NULL), -ENOBUFS);
	assert_string_equal(out, "");
	assert_int_equal(translate_map_apply(map, slice_str("abc"), out, 1, NULL), -ENOBUFS);
	translate_map_free(&map);
}

static void the_first_rule_wins_whatever_its_kind(void **state)
{
	struct translate_map *map = translate_map_new("m");
	char out[64];

	(void)state;
	assert_int_equal(translate_map_add(map, "tel:+1", "one", NULL, NULL), 0);
	assert_int_equal(translate_map_add(map, "tel{x}", "text", NULL, NULL), 0);
	assert_int_equal(translate_map_add(map, "tel:+{x}", "uri", NULL, NULL), 0);
	assert_int_equal(translate_map_add(map, "{x}", "all", NULL, NULL), 0);
	assert_int_equal(translate_map_finish(map, NULL), 0);
	assert_int_equal(translate_map_rules(map), 4);
	translate_map_apply(map, slice_str("tel:+1"), out, sizeof(out), NULL);
	assert_string_equal(out, "one");
	translate_map_apply(map, slice_str("tel:+2"), out, sizeof(out), NULL);
	assert_string_equal(out, "text");
	translate_map_apply(map, slice_str("TEL:+2"), out, sizeof(out), NULL);
	assert_string_equal(out, "uri");
	translate_map_apply(map, slice_str("x"), out, sizeof(out), NULL);
	assert_string_equal(out, "all");
	translate_map_free(&map);
}

static void an_empty_map_matches_nothing(void **state)
{
	struct translate_map *map = translate_map_new("m");
	char out[8];

	(void)state;
	assert_int_equal(translate_map_finish(map, NULL), 0);
	assert_int_equal(translate_map_apply(map, slice_str("x"), out, sizeof(out), NULL), 0);
	translate_map_free(&map);
}

static void refuses_faulty_rules_and_warns_of_slips(void **state)
{
	static const struct {
		const char *match, *translation;
		int err;
		unsigned warnings;
	} rules[] = {
		{ "{x", "y", -EINVAL, 0 },      { "x}", "y", -EINVAL, 0 },
		{ "{x}{x}", "y", -EINVAL, 0 },  { "{}", "y", -EINVAL, 0 },
		{ "x", "{y", -EINVAL, 0 },      { "x", "{y}", 0, 1 },
		{ "x", "{discard}", 0, 0 },     { "tel:+1; {x}", "{x}", 0, 1 },
		{ "{x}", "tel:+1; {x}", 0, 1 }, { "{x} {y}", "{y} {x}", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		struct translate_map *map = translate_map_new("m");
		struct diag *diag = diag_new();

		assert_int_equal(
			translate_map_add(map, rules[i].match, rules[i].translation, NULL, diag),
			rules[i].err);
		assert_int_equal(diag_errors(diag), rules[i].err ? 1 : 0);
		assert_int_equal(diag_warnings(diag), rules[i].warnings);
		assert_int_equal(translate_map_rules(map), rules[i].err ? 0 : 1);
		translate_map_free(&map);
		diag_free(&diag);
	}
}

/* Not only among the first few thousand, which is as far as explanations look. */
static void warns_of_a_repeat_at_the_end_of_a_long_map(void **state)
{
	struct translate_map *map = translate_map_new("long");
	struct diag *diag = diag_new();
	char match[32];

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		const struct diag_place place = { "cig.conf", i + 1, 1 };

		snprintf(match, sizeof(match), "tel:+46%u", i < 4999 ? i : i - 1);
		assert_int_equal(translate_map_add(map, match, "x", &place, diag), 0);
	}
	assert_int_equal(translate_map_finish(map, diag), 0);
	assert_int_equal(diag_warnings(diag), 1);
	diag_free(&diag);
	translate_map_free(&map);
}

static void explains_what_it_did(void **state)
{
	struct translate_map *map = translate_map_new("telmap");
	struct explain *explain = explain_new();
	struct diag_place place = { "cig.conf", 7, 3 };
	char out[64], text[512];
	struct buf b = BUF_OF(text);

	(void)state;
	translate_map_add(map, "tel:+9999;{e}", "no", NULL, NULL);
	translate_map_add(map, "tel:+8888;{e}", "{e}@pbx.com", &place, NULL);
	translate_map_finish(map, NULL);
	translate_map_apply(map, slice_str("tel:+8888;1"), out, sizeof(out), explain);
	explain_write(explain, &b);
	assert_string_equal(
		text, "miss: map telmap: tel:+9999;{e} does not match: \"+9999\" is not found\n"
		      "match: map telmap (cig.conf:7): tel:+8888;{e} matches: e=1; it becomes "
		      "1@pbx.com\n");
	explain_free(&explain);
	translate_map_free(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(applies_the_manuals_rules_and_edges),
		cmocka_unit_test(tells_when_the_result_does_not_fit),
		cmocka_unit_test(the_first_rule_wins_whatever_its_kind),
		cmocka_unit_test(an_empty_map_matches_nothing),
		cmocka_unit_test(refuses_faulty_rules_and_warns_of_slips),
		cmocka_unit_test(warns_of_a_repeat_at_the_end_of_a_long_map),
		cmocka_unit_test(explains_what_it_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
