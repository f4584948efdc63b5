/* Routes: the manual's two examples, and every way to be rejected. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "maps/explain.h"
#include "maps/map.h"
#include "maps/route.h"

static void add_map(struct router *router, const char *name, const char *tel, const char *sip,
		    const char *auth)
{
	struct map_entry_spec spec = {
		.name = "e", .sip = sip, .tel = tel, .auth = auth, .place = { "cig.conf", 5, 2 }
	};
	struct map *map = map_new(name, NULL);

	assert_int_equal(map_add(map, &spec, NULL), 0);
	assert_int_equal(map_finish(map, NULL), 0);
	assert_int_equal(router_add_map(router, map), 0);
}

/* The simple configuration of the manual's "Example Configuration". */
static struct router *simple(void)
{
	struct router *r = router_new();

	add_map(r, "maptel2sip", "tel:+8888;{TELEXT}", "sip:{TELEXT}@pbx.com", "pbxaccount1");
	add_map(r, "mapsip2tel", "tel:+{SIPEXT}", "sip:9{SIPEXT}@secure.com", NULL);
	add_map(r, "srctel2sip", "tel:+{TELEXT}", "sip:{TELEXT}@secure.com", NULL);
	assert_int_equal(router_use_map(r, ROUTE_TEL, ROUTE_EXTENSION, "maptel2sip"), 0);
	assert_int_equal(router_use_map(r, ROUTE_SIP, ROUTE_EXTENSION, "mapsip2tel"), 0);
	assert_int_equal(router_use_map(r, ROUTE_SIP, ROUTE_SOURCE, "srctel2sip"), 0);
	return r;
}

static const struct {
	enum route_interface in;
	const char *to, *from;
	unsigned code; /* 0: routed */
	const char *new_to, *new_from, *reason;
} cases[] = {
	/* CIG-001, CIG-003, CIG-007, CIG-008, CIG-009 */
	{ ROUTE_SIP, "sip:94670123456@secure.com", "sip:101@pbx.com", 0, "tel:+4670123456",
	  "tel:+8888;101", "" },
	{ ROUTE_TEL, "tel:+8888;101", "tel:+46701", 0, "sip:101@pbx.com", "sip:46701@secure.com",
	  "" },
	{ ROUTE_TEL, "tel:+8888w101", "tel:+46701", 0, "sip:101@pbx.com", "sip:46701@secure.com",
	  "" },
	/* CIG-010: what is missing rejects, with its reason */
	{ ROUTE_TEL, "tel:+9999;101", "tel:+46701", 404, "", "",
	  "no extension map of interface tel matches the to-URI (maptel2sip)" },
	{ ROUTE_SIP, "sip:4670@secure.com", "sip:101@pbx.com", 404, "", "",
	  "no extension map of interface sip matches the to-URI (mapsip2tel)" },
	{ ROUTE_SIP, "sip:94670@secure.com", "sip:101@other.com", 403, "tel:+4670", "",
	  "no source map of interface tel matches the from-URI (maptel2sip)" },
	{ ROUTE_TEL, "tel:+8888;", "tel:+46701", 484, "sip:@pbx.com", "",
	  "new to-URI: the user part is empty" },
	{ ROUTE_TEL, "tel:+8888;1@2", "tel:+46701", 484, "", "", "to-URI: a tel URI with \"@\"" },
	{ ROUTE_SIP, "sip:9@secure.com", "sip:101@pbx.com", 484, "tel:+", "",
	  "new to-URI: the number has no digits" },
	{ ROUTE_SIP, "sip:9bob@secure.com", "sip:101@pbx.com", 484, "tel:+bob", "",
	  "new to-URI: the number holds something else than digits" },
	{ ROUTE_SIP, "sip:9+4670@secure.com", "sip:101@pbx.com", 484, "tel:++4670", "",
	  "new to-URI: the dialled number begins with \"+\" itself: the entry must not add "
	  "another, "
	  "or must have a \"+\" before the parameter" },
	{ ROUTE_SIP, "sips:9467@secure.com", "sip:101@pbx.com", 416, "", "",
	  "to-URI: neither a sip nor a tel URI" },
	/* S18 of docs/sip-library.md */
	{ ROUTE_SIP, "urn:service:sos", "sip:101@pbx.com", 416, "", "",
	  "to-URI: neither a sip nor a tel URI" },
	{ ROUTE_SIP, "tel:+8888;101", "sip:101@pbx.com", 416, "", "", "to-URI: no sip URI" },
	{ ROUTE_TEL, "sip:9467@secure.com", "tel:+4670", 416, "", "", "to-URI: no tel URI" },
	{ ROUTE_SIP, "sip:94 67@secure.com", "sip:101@pbx.com", 484, "", "",
	  "to-URI: a blank, a quote, \"<\" or \">\"" },
	{ ROUTE_SIP, "", "sip:101@pbx.com", 416, "", "", "to-URI: neither a sip nor a tel URI" },
	{ ROUTE_SIP, "sip:94670@secure.com", "anonymous", 403, "tel:+4670", "",
	  "from-URI: neither a sip nor a tel URI" },
	{ ROUTE_SIP, "sip:94670@secure.com", "sip:a%20b@pbx.com", 403, "tel:+4670", "tel:+8888;a b",
	  "new from-URI: the extension holds something else than 0-9*#A-Za-z._-" },
};

static void routes_or_rejects_with_a_reason(void **state)
{
	struct router *router = simple();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct route_call call = { cases[i].in, slice_str(cases[i].to),
					   slice_str(cases[i].from) };
		struct route_answer answer;
		bool routed = router_route(router, &call, &answer, NULL);

		assert_string_equal(answer.reason, cases[i].reason);
		assert_int_equal(answer.code, cases[i].code);
		assert_int_equal(routed, cases[i].code == 0);
		assert_int_equal(answer.routed, routed);
		/* No route leads back to where the call came from. */
		if (routed)
			assert_int_equal(answer.interface, 1 - (int)cases[i].in);
		assert_string_equal(answer.to, cases[i].new_to);
		assert_string_equal(answer.from, cases[i].new_from);
	}
	router_free(&router);
	assert_null(router);
}

/* CIG-027: the entry names the account; and the target is told structurally */
static void tells_target_and_account(void **state)
{
	struct router *router = simple();
	struct route_call call = { ROUTE_TEL, slice_str("tel:+8888;101"), slice_str("tel:+46701") };
	struct route_answer answer;

	(void)state;
	assert_true(router_route(router, &call, &answer, NULL));
	assert_int_equal(answer.interface, ROUTE_SIP);
	assert_string_equal(answer.auth, "pbxaccount1");
	assert_string_equal(answer.target.host, "pbx.com");
	assert_int_equal(answer.target.port, 5060);
	assert_int_equal(answer.target.transport, SIP_UDP);
	assert_string_equal(map_entry_name(answer.to_entry), "e");
	router_free(&router);
}

/* CIG-040, CIG-041: maps of an interface are tried in order */
static void a_second_map_is_used_when_the_first_has_no_match(void **state)
{
	struct router *router = router_new();
	struct route_call call = { ROUTE_TEL, slice_str("tel:+2"), slice_str("tel:+46") };
	struct route_answer answer;

	(void)state;
	add_map(router, "a", "tel:+1", "sip:a@h", NULL);
	add_map(router, "b", "tel:+{x}", "sip:b{x}@h", NULL);
	add_map(router, "c", "tel:+{x}", "sip:c{x}@h", NULL);
	assert_int_equal(router_use_map(router, ROUTE_TEL, ROUTE_EXTENSION, "a"), 0);
	assert_int_equal(router_use_map(router, ROUTE_TEL, ROUTE_EXTENSION, "b"), 0);
	assert_int_equal(router_use_map(router, ROUTE_SIP, ROUTE_SOURCE, "a"), 0);
	assert_int_equal(router_use_map(router, ROUTE_SIP, ROUTE_SOURCE, "c"), 0);
	assert_true(router_route(router, &call, &answer, NULL));
	assert_string_equal(answer.to, "sip:b2@h");
	assert_string_equal(answer.from, "sip:c46@h");
	call.to = slice_str("tel:+1");
	assert_true(router_route(router, &call, &answer, NULL));
	assert_string_equal(answer.to, "sip:a@h");
	router_free(&router);
}

static void refuses_unknown_and_repeated_maps(void **state)
{
	struct router *router = simple();
	struct map *map = map_new("maptel2sip", NULL);

	(void)state;
	assert_int_equal(map_finish(map, NULL), 0);
	assert_int_equal(router_add_map(router, map), -EEXIST);
	map_free(&map);
	assert_int_equal(router_use_map(router, ROUTE_TEL, ROUTE_SOURCE, "none"), -ENOENT);
	assert_int_equal(router_use_map(router, ROUTE_TEL, ROUTE_EXTENSION, "maptel2sip"), -EEXIST);
	assert_string_equal(map_name(router_used_map(router, ROUTE_TEL, ROUTE_EXTENSION, 0)),
			    "maptel2sip");
	assert_null(router_used_map(router, ROUTE_TEL, ROUTE_EXTENSION, 1));
	router_free(&router);
}

static void explains_every_step(void **state)
{
	struct router *router = simple();
	struct route_call call = { ROUTE_TEL, slice_str("tel:+8888;101"), slice_str("tel:46701") };
	struct explain *explain = explain_new();
	struct route_answer answer;
	char text[2048];
	struct buf b = BUF_OF(text);

	(void)state;
	assert_false(router_route(router, &call, &answer, explain));
	explain_write(explain, &b);
	assert_string_equal(
		text,
		"to-URI tel:+8888;101, by the extension maps of interface tel\n"
		"match: map maptel2sip, entry e (cig.conf:5): tel:+8888;{TELEXT} matches with "
		"TELEXT=101 (entry 1 of 1)\n"
		"tel:+8888;101 becomes sip:101@pbx.com\n"
		"from-URI tel:46701, by the source maps of interface sip\n"
		"miss: map srctel2sip, entry e (cig.conf:5): tel:+{TELEXT} does not match: \"+\" "
		"is not "
		"found\n"
		"map srctel2sip: none of its 1 entries matches tel:46701\n"
		"rejected: 403: no source map of interface sip matches the from-URI "
		"(srctel2sip)\n");
	explain_free(&explain);
	router_free(&router);
}

static void warns_of_maps_without_use(void **state)
{
	struct router *router = simple();
	struct diag *diag = diag_new();
	struct diag_item item;

	(void)state;
	router_check(router, diag);
	assert_int_equal(diag_warnings(diag), 0);
	add_map(router, "spare", "tel:+{x}", "sip:{x}@h", NULL);
	router_check(router, diag);
	assert_true(diag_get(diag, 0, &item));
	assert_string_equal(item.text, "map spare is not used");
	diag_free(&diag);
	router_free(&router);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_or_rejects_with_a_reason),
		cmocka_unit_test(tells_target_and_account),
		cmocka_unit_test(a_second_map_is_used_when_the_first_has_no_match),
		cmocka_unit_test(refuses_unknown_and_repeated_maps),
		cmocka_unit_test(explains_every_step),
		cmocka_unit_test(warns_of_maps_without_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
