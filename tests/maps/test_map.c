/* Maps: the manual's entries, first match, captures, and the index against a plain search. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "maps/explain.h"
#include "maps/map.h"

static const char *apply(const struct map *map, const char *text, int *fault_out)
{
	static struct map_result result;
	struct uri uri;

	*fault_out = 0;
	if (uri_parse(slice_str(text), &uri, NULL) < 0)
		return "no URI";
	if (!map_apply(map, &uri, &result, NULL))
		return "no match";
	*fault_out = result.fault;
	assert_int_equal(result.fault != 0, result.why != NULL);
	return result.text;
}

static struct map *map_of(const char *sip, const char *tel, struct diag *diag)
{
	struct map_entry_spec spec = { .name = "e", .sip = sip, .tel = tel };
	struct map *map = map_new("m", NULL);

	assert_int_equal(map_add(map, &spec, diag), 0);
	assert_int_equal(map_finish(map, diag), 0);
	return map;
}

static const struct {
	const char *sip, *tel, *in, *out;
	int fault;
} cases[] = {
	/* CIG-026, CIG-029, CIG-032: both ways; a parameter takes zero or more characters */
	{ "sip:{e}@pbx.com", "tel:+8888;{e}", "tel:+8888;1234", "sip:1234@pbx.com", 0 },
	{ "sip:{e}@pbx.com", "tel:+8888;{e}", "sip:1234@pbx.com", "tel:+8888;1234", 0 },
	{ "sip:{e}@pbx.com", "tel:+8888;{e}", "tel:+8888;", "sip:@pbx.com", -ENODATA },
	{ "sip:{e}@pbx.com", "tel:+8888;{e}", "sip:@pbx.com", "tel:+8888;", 0 },
	{ "sip:{e}@pbx.com", "tel:+8888;{e}", "tel:+8888", "no match", 0 },
	{ "sip:{e}@pbx.com", "tel:+8888;{e}", "tel:+88889;1", "no match", 0 },
	/* CIG-002 */
	{ "sip:{e}@pbx.com", "tel:+8888;{e}", "tel:+8888w101", "sip:101@pbx.com", 0 },
	{ "sip:{e}@pbx.com", "tel:+8888w{e}", "tel:+8888;101", "sip:101@pbx.com", 0 },
	{ "sip:{e}@pbx.com", "tel:+{n}w{e}", "tel:+8888;101", "sip:101@pbx.com", 0 },
	/* CIG-030, CIG-031: several parameters; one bound on the other side only is empty */
	{ "sip:{f}@pbx.com{discard}", "tel:+8888;{f}", "sip:77@pbx.com:5070;x=y", "tel:+8888;77",
	  0 },
	{ "sip:{f}@pbx.com{discard}", "tel:+8888;{f}", "tel:+8888;77", "sip:77@pbx.com", 0 },
	{ "sip:{s}@{discard}", "tel:+{s}", "sip:46701@anything:5;y", "tel:+46701", 0 },
	{ "sip:{s}@{discard}", "tel:+{s}", "tel:+46701", "sip:46701@", -EINVAL },
	{ "sip:{a}-{b}@h", "tel:+1;{b}.{a}", "sip:x-y-z@h", "tel:+1;y-z.x", 0 },
	{ "sip:{a}-{b}@h", "tel:+1;{b}.{a}", "tel:+1;y.z.x", "sip:z.x-y@h", 0 },
	/* CIG-034: a literal beginning is stripped, and comes back the other way */
	{ "sip:9{S}@secure.com", "tel:+{S}", "sip:94670123456@secure.com", "tel:+4670123456", 0 },
	{ "sip:9{S}@secure.com", "tel:+{S}", "tel:+4670", "sip:94670@secure.com", 0 },
	{ "sip:9{S}@secure.com", "tel:+{S}", "sip:8467@secure.com", "no match", 0 },
	/* the shortest text that lets the rest match; a literal at the end is anchored */
	{ "sip:{a}00{b}@h", "tel:+{a};{b}", "sip:1002003@h", "tel:+1;2003", 0 },
	{ "sip:{a}@h", "tel:+1;{a}", "sip:a@h", "tel:+1;a", 0 },
	{ "sip:{a}11@h", "tel:+1;{a}", "sip:1111@h", "tel:+1;11", 0 },
	{ "sip:{a}11@h", "tel:+1;{a}", "sip:1@h", "no match", 0 },
	{ "sip:1{a}1@h", "tel:+1;{a}", "sip:1@h", "no match", 0 },
	{ "sip:1{a}1@h", "tel:+1;{a}", "sip:11@h", "tel:+1;", 0 },
	/* scheme and host without case, user with */
	{ "SIP:Bob@PBX.com", "TEL:+1;b", "sip:Bob@pbx.COM", "tel:+1;b", 0 },
	{ "SIP:Bob@PBX.com", "TEL:+1;b", "sip:bob@pbx.com", "no match", 0 },
	{ "sip:b@h", "tel:+88-88;b", "tel:+8-888;b", "sip:b@h", 0 },
	/* escapes */
	{ "sip:*72%23{x}@h", "tel:+1;{x}", "sip:%2A72%235@h", "tel:+1;5", 0 },
	{ "sip:*72%23{x}@h", "tel:+1;{x}", "tel:+1;5", "sip:*72%235@h", 0 },
	{ "sip:{x}@h", "tel:+1;{x}", "tel:+1;a%0d", "sip:a%250d@h", 0 },
	/* CIG-035, CIG-036: port and transport come from the literals */
	{ "sip:{x}@10.0.0.9:5080;transport=tcp", "tel:+1;{x}", "tel:+1;7",
	  "sip:7@10.0.0.9:5080;transport=tcp", 0 },
	/* no number out of other text */
	{ "sip:{s}@h", "tel:+{s}", "sip:+4670@h", "tel:++4670", -EILSEQ },
	{ "sip:{s}@h", "tel:+{s}", "sip:alice@h", "tel:+alice", -EILSEQ },
	{ "sip:{s}@h", "tel:+{s}", "sip:467;9@h", "tel:+467;9", -EILSEQ },
	{ "sip:{s}@h", "tel:+{s}", "sip:@h", "tel:+", -ENODATA },
	{ "sip:{s}@h", "tel:+{s}", "sip:1234567890123456@h", "tel:+1234567890123456", -EILSEQ },
	{ "sip:{s}@h", "tel:+1;{s}", "sip:a%40b@h", "tel:+1;a@b", -EILSEQ },
	{ "sip:{s}@h", "tel:+1;{s}", "sip:a%3bb@h", "tel:+1;a;b", -EILSEQ },
};

static void maps_the_manuals_examples_and_edges(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct map *map = map_of(cases[i].sip, cases[i].tel, NULL);
		int fault;

		assert_string_equal(apply(map, cases[i].in, &fault), cases[i].out);
		assert_int_equal(fault, cases[i].fault);
		map_free(&map);
		assert_null(map);
	}
}

/* Design, section 5: "no input chooses the host". */
static void no_input_chooses_the_host(void **state)
{
	static const char *const patterns[][2] = {
		{ "sip:{x}@pbx.com", "tel:+1;{x}" },
		{ "sip:{x}@pbx.com{y}", "tel:+1;{x}.{y}" },
		{ "sip:{x}@{y}pbx.com", "tel:+1;{x}.{y}" },
		{ "sip:{x}@pbx.com:{y}5060", "tel:+1;{x}.{y}" },
		{ "sip:{x}@pbx.com;{y}", "tel:+1;{x}.{y}" },
		{ "sip:{x}-{z}@pbx.com{y}", "tel:+1;{x}.{y}.{z}" },
	};
	static const char *const inputs[] = {
		"7.@evil.com",
		"7.evil.com",
		"7@evil.com.x",
		"7%40evil.com.x",
		"%2540.x",
		"7.:5070",
		"7.;maddr=evil.com",
		"7;maddr=evil.com.x",
		"7?Route=evil.com.x",
		"7.?Route=evil.com",
		"7%0d%0aRoute:evil.com.x",
		"7\r\n.x",
		"<7>.x",
		"7.>",
		"\xff.x",
		"7 .x",
		"\".x",
		"..",
		"7.[::1]",
		"[::1].x",
	};

	(void)state;
	for (size_t p = 0; p < COUNT(patterns); p++) {
		struct map *map = map_of(patterns[p][0], patterns[p][1], NULL);

		for (size_t i = 0; i < COUNT(inputs); i++) {
			struct map_result result;
			struct sip_target target;
			char text[128];
			struct uri uri;

			snprintf(text, sizeof(text), "tel:+1;%s", inputs[i]);
			if (uri_parse(slice_str(text), &uri, NULL) < 0 ||
			    !map_apply(map, &uri, &result, NULL) || result.fault)
				continue;
			assert_int_equal(uri_parse(slice_str(result.text), &uri, NULL), 0);
			assert_int_equal(uri_sip_target(&uri, &target), 0);
			assert_string_equal(target.host, "pbx.com");
			assert_int_equal(target.port, 5060);
			assert_int_equal(uri.headers.n, 0);
			assert_null(strstr(result.text, ";maddr"));
		}
		map_free(&map);
	}
}

static const struct {
	const char *sip, *tel;
	int err;
	const char *told;
} faults[] = {
	{ "sip:{e}@pbx.com", "sip:{e}@x", -EINVAL,
	  "entry e: found sip \"sip:{e}@pbx.com\" and tel "
	  "\"sip:{e}@x\", expected one that begins with \"sip:\" and one that begins with "
	  "\"tel:\"" },
	{ "sip:{e@pbx.com", "tel:+1;{e}", -EINVAL, "\"sip:{e@pbx.com\": \"{\" without \"}\"" },
	{ "sip:e}@pbx.com", "tel:+1;{e}", -EINVAL, "\"sip:e}@pbx.com\": \"}\" without \"{\"" },
	{ "sip:{{e}}@pbx.com", "tel:+1;{e}", -EINVAL,
	  "\"sip:{{e}}@pbx.com\": \"{\" without \"}\"" },
	{ "sip:{}@pbx.com", "tel:+1;{e}", -EINVAL,
	  "\"sip:{}@pbx.com\": a parameter without a name" },
	{ "sip:{e}{e}@pbx.com", "tel:+1;{e}", -EINVAL,
	  "\"sip:{e}{e}@pbx.com\": a parameter stands twice" },
	{ "sip:{e}@pbx.com@x", "tel:+1;{e}", -EINVAL,
	  "\"sip:{e}@pbx.com@x\": there is more than one \"@\"" },
	{ "sip:%4@x", "tel:+1", -EINVAL, "\"sip:%4@x\": \"%\" without two hexadecimal digits" },
	{ "sip:{e}@pbx.com:99999", "tel:+1;{e}", -EINVAL,
	  "entry e: the sip side is no URI: the port is no number from 1 to 65535" },
	{ "sip:{e}@pbx.com;transport=xyz", "tel:+1;{e}", -EINVAL,
	  "entry e: the sip side is no URI: its transport is none of udp, tcp, tls" },
	{ "sip:{e}@pbx.com?a=b", "tel:+1;{e}", -EINVAL,
	  "entry e: the sip side is no URI: headers (\"?\") have no place" },
	/* found by fuzz_route: such a result was no URI that could be read */
	{ "sip:a%00{e}@x", "tel:+1;{e}", -EINVAL,
	  "entry e: the sip side is no URI: a control character, or no UTF-8, in the user part" },
	{ "sip:{e}%7f@x", "tel:+1;{e}", -EINVAL,
	  "entry e: the sip side is no URI: a control character, or no UTF-8, in the user part" },
	{ "sip:{e}@", "tel:+1;{e}", -EINVAL, "entry e: the sip side is no URI: there is no host" },
	{ "sip:{e}@h", "tel:+1x;{e}", -EINVAL,
	  "\"tel:+1x;{e}\": a character that has no place in a tel number" },
	{ "sip:{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}{o}{p}{q}@h", "tel:+1", -E2BIG,
	  "\"sip:{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}{o}{p}{q}@h\": more than 16 literals "
	  "and "
	  "parameters" },
};

static void refuses_faulty_patterns_and_stays_as_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct map_entry_spec spec = { .name = "e",
					       .sip = faults[i].sip,
					       .tel = faults[i].tel };
		struct map *map = map_new("m", NULL);
		struct diag *diag = diag_new();

		assert_int_equal(map_add(map, &spec, diag), faults[i].err);
		assert_string_equal(diag_first_error(diag), faults[i].told);
		assert_int_equal(map_entries(map), 0);
		map_free(&map);
		diag_free(&diag);
	}
}

static const struct {
	const char *sip, *tel, *told; /* told NULL: nothing */
} warned[] = {
	{ "sip:{e}@pbx.com{discard}", "tel:+8888;{e}", NULL },
	{ "sip:{e}@{dontcare}", "tel:+8888;{e}", NULL },
	/* I-02: told by the schemes */
	{ "tel:+{s}", "sip:{s}@{discard}",
	  "entry e: the sides are swapped: \"sip:{s}@{discard}\" is "
	  "the sip side" },
	{ "sip:{e}@h", "tel:+8888; {e}",
	  "\"tel:+8888; {e}\": the blank is ignored, URIs have none" },
	{ "sip:{EXT}@h", "tel:+{EXT};{SERIES}",
	  "entry e: {SERIES} stands on the tel side only: dropped "
	  "one way, empty the other" },
	{ "sip:{a}@h{b}", "tel:+{a};{b}",
	  "entry e: {b} stands in the sip side's host, which is never "
	  "taken from a call" },
	{ "sip:{e}", "tel:+8888;{e}", "entry e: the sip side has no \"@\": all of it is a host" },
	{ "sip:{e}@h", "tel:8888;{e}",
	  "entry e: the tel side is never met: a number begins with \"+\"" },
	{ "sip:[2-9]{e}@[2001:db8::1]", "tel:+{e}",
	  "entry e: \"[\" stands for itself: a pattern knows {name} only, which is any text" },
	{ "sip:{e}@[2001:db8::1]", "tel:+{e}", NULL },
	{ "sip:{a}{b}@h", "tel:+{a};{b}",
	  "entry e: nothing parts {a} from {b}: the first is always "
	  "empty" },
};

static void warns_of_what_is_usually_a_slip(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(warned); i++) {
		struct diag *diag = diag_new();
		struct map *map = map_of(warned[i].sip, warned[i].tel, diag);
		struct diag_item item = { .text = NULL };

		assert_int_equal(diag_errors(diag), 0);
		assert_int_equal(diag_warnings(diag), warned[i].told ? 1 : 0);
		if (warned[i].told) {
			assert_true(diag_get(diag, 0, &item));
			assert_string_equal(item.text, warned[i].told);
		}
		map_free(&map);
		diag_free(&diag);
	}
}

static void add(struct map *map, const char *name, const char *sip, const char *tel)
{
	struct map_entry_spec spec = { .name = name, .sip = sip, .tel = tel };

	assert_int_equal(map_add(map, &spec, NULL), 0);
}

/* CIG-033 */
static void the_first_matching_entry_wins(void **state)
{
	struct map *map = map_new("m", NULL);
	int fault;

	(void)state;
	add(map, "one", "sip:1{x}@a", "tel:+1;1{x}");
	add(map, "all", "sip:{x}@b", "tel:+1;{x}");
	add(map, "late", "sip:12@c", "tel:+1;12");
	assert_int_equal(map_finish(map, NULL), 0);
	assert_string_equal(apply(map, "tel:+1;12", &fault), "sip:12@a");
	assert_string_equal(apply(map, "tel:+1;2", &fault), "sip:2@b");
	assert_string_equal(apply(map, "sip:12@c", &fault), "tel:+1;12");
	map_free(&map);
}

static void tells_entries_that_are_never_reached(void **state)
{
	struct map *map = map_new("m", NULL);
	struct diag *diag = diag_new();
	struct diag_item item;

	(void)state;
	add(map, "wide", "sip:{x}@a", "tel:+1;{x}");
	add(map, "narrow", "sip:12@c", "tel:+1;12");
	add(map, "other", "sip:{x}@d", "tel:+{n};{x}");
	assert_int_equal(map_finish(map, diag), 0);
	map_check(map, URI_TEL, diag);
	assert_int_equal(diag_warnings(diag), 1);
	diag_get(diag, 0, &item);
	assert_string_equal(item.text, "map m: entry narrow is never reached: entry wide (line 0) "
				       "matches all that it matches");
	map_check(map, URI_SIP, diag);
	/* sip to tel nothing is hidden, but what "other" yields has no number */
	assert_int_equal(diag_warnings(diag), 2);
	diag_get(diag, 1, &item);
	assert_string_equal(item.text,
			    "map m: what entry other yields can never be used (tel:+;1): "
			    "the number has no digits");
	map_free(&map);
	diag_free(&diag);
}

static void tells_repeated_names_and_crowds(void **state)
{
	struct map *map = map_new("m", NULL);
	struct diag *diag = diag_new();
	struct diag_item item;
	char name[16], sip[64];

	(void)state;
	for (int i = 0; i < 65; i++) {
		snprintf(name, sizeof(name), "e%d", i % 64);
		snprintf(sip, sizeof(sip), "sip:{a}x%d{b}@h", i);
		add(map, name, sip, "tel:+1;{a}.{b}");
	}
	assert_int_equal(map_finish(map, diag), 0);
	diag_get(diag, 0, &item);
	assert_string_equal(item.text, "map m: entry e0 is repeated, it stands in line 0, too");
	diag_get(diag, 1, &item);
	assert_string_equal(
		item.text,
		"map m: 65 entries begin and end alike with e0 and are tried one by one");
	map_free(&map);
	diag_free(&diag);
}

static void explains_the_nearest_misses(void **state)
{
	struct map *map = map_new("m", NULL);
	struct explain *explain = explain_new();
	struct map_result result;
	char text[2048];
	struct buf b = BUF_OF(text);
	struct uri uri;

	(void)state;
	add(map, "far", "sip:{x}@elsewhere", "tel:+2;{x}");
	add(map, "near", "sip:{x}@pbx.com", "tel:+1;{x}");
	assert_int_equal(map_finish(map, NULL), 0);
	uri_parse(slice_str("sip:7@pbx.com:5060"), &uri, NULL);
	assert_int_equal(map_apply(map, &uri, &result, explain), 0);
	explain_write(explain, &b);
	assert_string_equal(
		text, "miss: map m, entry near: sip:{x}@pbx.com does not match: only \":5060\" "
		      "behind the host is too much: {discard} there would take it\n"
		      "miss: map m, entry far: sip:{x}@elsewhere does not match: \"elsewhere\" is "
		      "not at the end\n");
	explain_clear(explain);
	b = BUF_OF(text);
	uri_parse(slice_str("tel:+1;7"), &uri, NULL);
	assert_int_equal(map_apply(map, &uri, &result, explain), 1);
	explain_write(explain, &b);
	assert_string_equal(
		text, "miss: map m, entry far: tel:+2;{x} does not match: \"+2\" is not found\n"
		      "match: map m, entry near: tel:+1;{x} matches with x=7 (entry 2 of 2)\n"
		      "tel:+1;7 becomes sip:7@pbx.com\n");
	map_free(&map);
	explain_free(&explain);
}

/* A pattern of a few pieces over a small alphabet, so that many overlap. */
static void random_user(unsigned *seed, char *out, size_t max)
{
	static const char *const parts[] = { "1", "2", "12", "21", "{a}", "{b}", "1{c}" };
	unsigned used = 0, n = 1 + (unsigned)rand_r(seed) % 4;

	out[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		unsigned k = (unsigned)rand_r(seed) % COUNT(parts);

		if (k >= 4 && used & 1u << k)
			continue;
		used |= 1u << k;
		strncat(out, parts[k], max - strlen(out) - 1);
	}
}

/* Does a pattern without scheme match?  Slow and obvious. */
static bool plain_match(const char *pattern, const char *text)
{
	if (*pattern == '\0')
		return *text == '\0';
	if (*pattern != '{')
		return *pattern == *text && plain_match(pattern + 1, text + 1);
	pattern = strchr(pattern, '}') + 1;
	for (;; text++) {
		if (plain_match(pattern, text))
			return true;
		if (*text == '\0')
			return false;
	}
}

static void the_index_finds_what_a_plain_search_finds(void **state)
{
	enum { ENTRIES = 60 };
	char users[ENTRIES][40], sip[64], text[32];
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 40; round++) {
		struct map *map = map_new("m", NULL);
		const char *hosts[] = { "h", "i" };

		for (int i = 0; i < ENTRIES; i++) {
			char name[8];

			random_user(&seed, users[i], sizeof(users[i]));
			snprintf(sip, sizeof(sip), "sip:%s@%s", users[i], hosts[i % 2]);
			snprintf(name, sizeof(name), "e%d", i);
			add(map, name, sip, "tel:+1;{a}{b}{c}");
		}
		assert_int_equal(map_finish(map, NULL), 0);
		for (int k = 0; k < 200; k++) {
			struct map_result result;
			char user[8] = "";
			struct uri uri;
			int want = 0, found;

			for (int n = rand_r(&seed) % 6; n > 0; n--)
				user[n - 1] = rand_r(&seed) % 2 ? '1' : '2';
			snprintf(text, sizeof(text), "sip:%s@%s", user, hosts[k % 2]);
			while (want < ENTRIES &&
			       !(want % 2 == k % 2 && plain_match(users[want], user)))
				want++;
			assert_int_equal(uri_parse(slice_str(text), &uri, NULL), 0);
			found = map_apply(map, &uri, &result, NULL);
			assert_int_equal(found, want < ENTRIES);
			if (found)
				assert_ptr_equal(result.entry, map_entry_at(map, (size_t)want));
		}
		map_free(&map);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_the_manuals_examples_and_edges),
		cmocka_unit_test(no_input_chooses_the_host),
		cmocka_unit_test(refuses_faulty_patterns_and_stays_as_it_is),
		cmocka_unit_test(warns_of_what_is_usually_a_slip),
		cmocka_unit_test(the_first_matching_entry_wins),
		cmocka_unit_test(tells_entries_that_are_never_reached),
		cmocka_unit_test(tells_repeated_names_and_crowds),
		cmocka_unit_test(explains_the_nearest_misses),
		cmocka_unit_test(the_index_finds_what_a_plain_search_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
