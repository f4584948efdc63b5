#include "maps/map.h"
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
	const struct map_list *sources = &router->used[other][ROUTE_SOURCE];

	if (sources->n == 0)
		sources = &router->used[other][ROUTE_EXTENSION];
	return holds(&router->used[own][ROUTE_EXTENSION], map) || holds(sources, map);
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
}
