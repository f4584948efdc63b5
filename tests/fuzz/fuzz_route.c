/* fuzz_route.c - no input chooses the host.
 *
 * The first line of the input is a to-URI, the second a from-URI, the third and fourth
 * the sip and tel side of an entry of a third map.  Whatever they hold: a routed call goes
 * to a host, port and transport that stand in the entry, its URIs are canonical, and
 * what the index finds is what a search from the front finds.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "maps/explain.h"
#include "maps/map.h"
#include "maps/route.h"
#include "maps/translate_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static struct slice next_line(struct slice *text)
{
	const uint8_t *end = text->n ? memchr(text->p, '\n', text->n) : NULL;
	struct slice line = slice_of(text->p, end ? (size_t)(end - text->p) : text->n);

	*text = slice_from(*text, line.n + 1);
	return line;
}

static void add_map(struct router *router, const char *name, const char *const side[][2], size_t n)
{
	struct map *map = map_new(name, NULL);

	for (size_t i = 0; i < n; i++) {
		struct map_entry_spec spec = { .name = "e", .tel = side[i][0], .sip = side[i][1] };

		map_add(map, &spec, NULL);
	}
	expect(map_finish(map, NULL) == 0 && router_add_map(router, map) == 0);
	router_use_map(router, ROUTE_TEL, ROUTE_EXTENSION, name);
	router_use_map(router, ROUTE_SIP, ROUTE_EXTENSION, name);
}

static struct router *make_router(void)
{
	static const char *const fixed[][2] = {
		{ "tel:+8888;1{x}", "sip:1{x}@one.test" },
		{ "tel:+8888;{x}.{y}", "sip:{x}-{y}@one.test{z}" },
		{ "tel:+8888;{x}", "sip:{x}@one.test:5070;transport=tcp" },
		{ "tel:+{x}", "sip:9{x}@{y}one.test" },
		{ "tel:+{n};{x}", "sip:{n}.{x}@one.test;{n}" },
		{ "tel:+{n}", "sip:{n}@{discard}" },
	};
	struct router *router = router_new();

	add_map(router, "fixed", fixed, sizeof(fixed) / sizeof(fixed[0]));
	return router;
}

static void check_routed(const struct route_answer *answer)
{
	struct uri uri;

	if (answer->interface == ROUTE_TEL) {
		expect(uri_check_tel(slice_str(answer->to), NULL) == 0);
		expect(uri_check_tel(slice_str(answer->from), NULL) == 0);
		return;
	}
	expect(strcmp(answer->target.host, "one.test") == 0);
	expect(answer->target.port == 5060 || answer->target.port == 5070);
	expect(uri_parse(slice_str(answer->to), &uri, NULL) == 0);
	expect(slice_eq_str(uri.host, "one.test") && uri.headers.n == 0 && uri.user.n > 0);
	expect(uri.params.n == 0 || slice_eq_str(uri.params, "transport=tcp"));
	expect(strpbrk(answer->to, "<>\" \r\n") == NULL);
	expect(uri_parse(slice_str(answer->from), &uri, NULL) == 0);
	expect(slice_eq_str(uri.host, "one.test") && uri.headers.n == 0);
}

static void try_route(const struct router *router, struct slice to, struct slice from)
{
	for (int in = ROUTE_TEL; in <= ROUTE_SIP; in++) {
		struct route_call call = { (enum route_interface)in, to, from };
		struct route_answer answer, explained;
		struct explain *explain = explain_new();

		router_route(router, &call, &answer, NULL);
		router_route(router, &call, &explained, explain);
		expect(answer.routed == explained.routed && answer.code == explained.code);
		expect(answer.routed == (answer.code == 0));
		if (answer.routed)
			check_routed(&answer);
		else
			expect(answer.reason[0] != '\0');
		explain_free(&explain);
	}
}

static char *copy(struct slice s)
{
	char *text = calloc(1, s.n + 1);

	expect(text != NULL);
	if (s.n)
		memcpy(text, s.p, s.n);
	return text;
}

/* An entry of any kind keeps the promise, too: what is behind the "@" of its result stands
 * in its own text. */
static void try_entry(const char *sip, const char *tel, struct slice to)
{
	struct map_entry_spec spec = { .name = "e", .sip = sip, .tel = tel };
	struct map *map = map_new("m", NULL);
	struct map_result a, b;
	struct uri uri, one, two;

	map_add(map, &spec, NULL);
	expect(map_finish(map, NULL) == 0);
	map_check(map, URI_TEL, NULL);
	map_check(map, URI_SIP, NULL);
	if (uri_parse(to, &uri, NULL) == 0 && map_apply(map, &uri, &a, NULL) && !a.fault) {
		if (a.scheme == URI_TEL) {
			expect(uri_check_tel(slice_str(a.text), NULL) == 0);
		} else {
			expect(uri_parse(slice_str(a.text), &one, NULL) == 0);
			/* what it yields for another call differs in the user part only */
			if (uri_parse(slice_str("tel:+8888;77"), &uri, NULL) == 0 &&
			    map_apply(map, &uri, &b, NULL) &&
			    uri_parse(slice_str(b.text), &two, NULL) == 0)
				expect(slice_eq(one.rest, two.rest));
		}
	}
	map_free(&map);
}

static void try_translation(const char *match, const char *translation, struct slice address)
{
	struct translate_map *map = translate_map_new("t");
	char out[TRANSLATE_MAX_RESULT];

	translate_map_add(map, match, translation, NULL, NULL);
	expect(translate_map_finish(map, NULL) == 0);
	if (translate_map_apply(map, address, out, sizeof(out), NULL) == 1)
		expect(text_is_clean(slice_str(out)));
	else
		expect(out[0] == '\0');
	translate_map_free(&map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	struct slice to = next_line(&text), from = next_line(&text);
	char *sip = copy(next_line(&text)), *tel = copy(next_line(&text));
	struct router *router = make_router();

	try_route(router, to, from);
	try_entry(sip, tel, to);
	try_translation(sip, tel, to);
	try_translation(tel, sip, from);
	router_free(&router);
	free(sip);
	free(tel);
	return 0;
}
