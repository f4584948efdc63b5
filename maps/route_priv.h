/* route_priv.h - what the files of route.h share. */
#ifndef MAPS_ROUTE_PRIV_H
#define MAPS_ROUTE_PRIV_H

#include "maps/route.h"

enum { ROUTE_USES = 2 };

struct map_list {
	struct map **map;
	size_t n;
};

struct router {
	struct map_list all; /* owned */
	struct map_list used[ROUTE_INTERFACES][ROUTE_USES];
};

/* The source maps, or the extension maps where there are none.  CIG manual 2.9, "interfaces":
 * one set of maps may serve both directions. */
const struct map_list *route_sources(const struct router *router, enum route_interface interface);

#endif
