/* route.h - which way a call goes, and under which names.
 *
 * The extension maps of the incoming interface turn the to-URI into a new one,
 * whose scheme tells the outgoing interface; the source maps of that interface
 * (or, where it has none, its extension maps) turn the from-URI.  If either is
 * missing the call is rejected.  Source: CIG manual 2.9, "CIG internals" and
 * "Configuration"; codes of rejections are ours.
 *
 * Results are checked after substitution, never trusted: scheme, host, port and
 * parameters of a sip result come from the entry's own literals.  No input
 * chooses the host.
 *
 * Threads: build and finish in one thread; afterwards any number may route.
 */
#ifndef MAPS_ROUTE_H
#define MAPS_ROUTE_H

#include "base/diag.h"
#include "maps/uri.h"

struct explain;
struct map;
struct map_entry;
struct router;

enum route_interface { ROUTE_TEL, ROUTE_SIP };
enum { ROUTE_INTERFACES = 2 };
enum route_use { ROUTE_EXTENSION, ROUTE_SOURCE };

/* "tel" or "sip". */
const char *route_interface_name(enum route_interface interface);

/* Returns NULL when memory is out.  The caller owns the router. */
struct router *router_new(void);
/* Frees *routerp with its maps and sets it to NULL; *routerp may be NULL. */
void router_free(struct router **routerp);

/* Gives a finished map to the router, which owns it from here.
 * Returns 0, -EEXIST (its name is taken) or -ENOMEM; then map stays the caller's. */
int router_add_map(struct router *router, struct map *map);

/* The map of that name, or NULL. */
const struct map *router_find_map(const struct router *router, const char *name);

/* Map i in the order in which they were added, or NULL. */
const struct map *router_map_at(const struct router *router, size_t i);

/* Appends a map to those of an interface.  Returns 0, -ENOENT (unknown map),
 * -EEXIST (already there) or -ENOMEM. */
int router_use_map(struct router *router, enum route_interface interface, enum route_use use,
		   const char *name);

/* Map i of an interface in the order of use, or NULL. */
const struct map *router_used_map(const struct router *router, enum route_interface interface,
				  enum route_use use, size_t i);

/* Warns of maps that are unused or empty, of entries that are of no use where their map is
 * used (map_check()), and of those that are one-way: whoever is reached by them has no
 * source identity for a call of his own, or one that does not lead back to him. */
void router_check(const struct router *router, struct diag *diag);

struct route_call {
	enum route_interface from_interface; /* where the call came in */
	struct slice to;                     /* sip: the Request-URI */
	struct slice from;
};

/* The decision.  All texts are NUL-terminated. */
struct route_answer {
	bool routed;
	enum route_interface interface; /* the outgoing one: never that of the call, for an entry
					 * has a side of each scheme */
	char to[URI_MAX + 1];           /* as mapped, also when then refused; else "" */
	char from[URI_MAX + 1];
	struct sip_target target;         /* where the INVITE goes; when interface is ROUTE_SIP */
	const struct map_entry *to_entry; /* owned by the router, NULL when none matched */
	const struct map_entry *from_entry;
	const char *auth; /* account name of to_entry, NULL for none; owned by the router */

	/* When not routed. */
	unsigned code;    /* SIP: 404 no extension matches, 403 no source identity,
			   * 484 empty extension or bad characters, 416 another scheme */
	char reason[160]; /* one line: which interface, which maps, which side */
};

/* Decides; never fails otherwise.  Returns answer_out->routed.  explain may be
 * NULL (the call path); with it every map and the nearest entries are told. */
bool router_route(const struct router *router, const struct route_call *call,
		  struct route_answer *answer_out, struct explain *explain);

/* The name of a party of the other interface on this one: what the source maps make of uri.
 * Returns whether they make a usable one; out holds URI_MAX + 1 octets. */
bool router_name(const struct router *router, enum route_interface interface, struct slice uri,
		 char *out);

#endif
