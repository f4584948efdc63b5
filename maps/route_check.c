/* route_check.c - warns of what the maps of a whole configuration leave in the dark.
 *
 * Decisions are tried out on samples, by the code that decides calls, so a warning cannot
 * disagree with what happens.
 */
#include <string.h>

#include "base/buf.h"
#include "maps/fill.h"
#include "maps/map_priv.h"
#include "maps/route_priv.h"

static bool holds(const struct map_list *list, const struct map *map)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->map[i] == map)
			return true;
	return false;
}

/* Is the map applied to URIs of this scheme?  Extension maps see the to-URIs of their own
 * interface; source maps (or extension maps in their place) the other side's from-URIs. */
static bool is_applied_to(const struct router *router, const struct map *map,
			  enum uri_scheme scheme)
{
	enum route_interface own = scheme == URI_TEL ? ROUTE_TEL : ROUTE_SIP;
	enum route_interface other = own == ROUTE_TEL ? ROUTE_SIP : ROUTE_TEL;

	return holds(&router->used[own][ROUTE_EXTENSION], map) ||
	       holds(route_sources(router, other), map);
}

/* ---- the way back ---- */

static const char sample[] = "101"; /* an extension, and a number */

/* A URI that the entry yields towards scheme, with the sample in every parameter. */
static bool sample_uri(const struct map_entry *entry, enum uri_scheme scheme, struct uri *uri_out)
{
	const struct pattern *in = &entry->side[map_other(scheme)];
	struct captures captures;
	struct values values = { in, &captures };
	char text[URI_MAX + 1];
	struct buf b = BUF_OF(text);
	const char *why;
	int err;

	for (size_t i = 0; i < PATTERN_MAX_PIECES; i++)
		captures.value[i] = slice_str(sample);
	err = scheme == URI_SIP ? fill_sip(&entry->side[URI_SIP], &values, &b, &why)
				: fill_tel(&entry->side[URI_TEL], &values, &b, &why);
	return !err && uri_parse(buf_slice(&b), uri_out, NULL) == 0;
}

/* The first result of the maps for uri, if it may be used. */
static bool yields(const struct map_list *maps, const struct uri *uri, struct map_result *result)
{
	for (size_t i = 0; i < maps->n; i++)
		if (map_apply(maps->map[i], uri, result, NULL))
			return result->fault == 0;
	return false;
}

/* Whom a secure caller reaches by the entry calls, too; then the number that is shown must
 * lead back to him: people call back from a list. */
static void check_call_back(const struct router *router, const struct map_entry *entry,
			    const struct uri *there, const char *shown, struct diag *diag)
{
	const struct map_list *extensions = &router->used[ROUTE_TEL][ROUTE_EXTENSION];
	struct map_result back;
	struct uri uri;

	if (uri_parse(slice_str(shown), &uri, NULL) == 0 && yields(extensions, &uri, &back) &&
	    slice_eq_str(there->text, back.text))
		return;
	diag_warning(diag, &entry->origin->place,
		     "entry %s: cannot be called back: %s appears as %s, which does not lead to it",
		     entry->origin->name, there->buf, shown);
}

/* An extension map's entry of one interface: those whom it reaches need a source there when
 * they call in their turn.  An interface without extension maps takes no calls. */
static void check_way_back(const struct router *router, enum route_interface interface,
			   const struct map_entry *entry, struct diag *diag)
{
	enum uri_scheme far = interface == ROUTE_TEL ? URI_SIP : URI_TEL;
	struct map_result result;
	struct uri uri;

	if (!sample_uri(entry, far, &uri))
		return; /* what it yields is warned of elsewhere */
	if (!yields(route_sources(router, interface), &uri, &result))
		diag_warning(diag, &entry->origin->place,
			     "entry %s: one-way: calls from %s are rejected, for no source map of "
			     "interface %s matches it",
			     entry->origin->name, uri.buf, route_interface_name(interface));
	else if (interface == ROUTE_TEL)
		check_call_back(router, entry, &uri, result.text, diag);
}

static void check_ways_back(const struct router *router, enum route_interface interface,
			    struct diag *diag)
{
	enum route_interface other = interface == ROUTE_TEL ? ROUTE_SIP : ROUTE_TEL;
	const struct map_list *extensions = &router->used[interface][ROUTE_EXTENSION];

	if (router->used[other][ROUTE_EXTENSION].n == 0)
		return;
	for (size_t m = 0; m < extensions->n; m++)
		for (size_t i = 0; i < map_entries(extensions->map[m]); i++)
			check_way_back(router, interface, map_entry_at(extensions->map[m], i),
				       diag);
}

void router_check(const struct router *router, struct diag *diag)
{
	for (size_t i = 0; i < router->all.n; i++) {
		const struct map *map = router->all.map[i];
		bool tel = is_applied_to(router, map, URI_TEL);
		bool sip = is_applied_to(router, map, URI_SIP);

		if (!tel && !sip)
			diag_warning(diag, map_place(map), "map %s is not used", map_name(map));
		if (map_entries(map) == 0)
			diag_warning(diag, map_place(map), "map %s has no entries", map_name(map));
		if (tel)
			map_check(map, URI_TEL, diag);
		if (sip)
			map_check(map, URI_SIP, diag);
	}
	check_ways_back(router, ROUTE_TEL, diag);
	check_ways_back(router, ROUTE_SIP, diag);
}
