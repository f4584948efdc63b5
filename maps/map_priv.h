/* map_priv.h - what the files of map.h share. */
#ifndef MAPS_MAP_PRIV_H
#define MAPS_MAP_PRIV_H

#include "maps/index.h"
#include "maps/map.h"
#include "maps/pattern.h"

enum { MAP_SCHEMES = 2, MAP_CROWD = 64 /* entries in a group, above which loading warns */ };

/* What messages say of an entry; no call looks at it. */
struct map_origin {
	const char *name;
	struct diag_place place;
};

/* What a call looks at: just one line of the processor's cache. */
struct map_entry {
	struct pattern side[MAP_SCHEMES]; /* by enum uri_scheme */
	const char *auth;
	const struct map_origin *origin;
};

struct map {
	struct arena arena;   /* of patterns */
	struct arena origins; /* and of what only messages need */
	const char *name;
	struct diag_place place;
	struct map_entry *entry;
	size_t n, room;
	struct index *index[MAP_SCHEMES];
};

/* The first entry below limit whose side matches uri, with what its parameters took, or
 * INDEX_NONE. */
uint32_t map_find(const struct map *map, const struct uri *uri, uint32_t limit,
		  struct captures *captures_out);

static inline enum uri_scheme map_other(enum uri_scheme scheme)
{
	return scheme == URI_SIP ? URI_TEL : URI_SIP;
}

#endif
