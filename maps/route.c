/* route.c - the decision for a call, from its maps alone; no state, no I/O.
 *
 *     to-URI   --extension maps of the incoming interface-->  new to-URI    (route_to)
 *     its scheme  -->  the outgoing interface
 *     from-URI --source maps of the outgoing interface----->  new from-URI  (route_from)
 *     new to-URI's host, port, transport  -->  where the INVITE goes        (find_target)
 */
#include "maps/route.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "maps/explain.h"
#include "maps/map.h"
#include "maps/route_priv.h"

const char *route_interface_name(enum route_interface interface)
{
	return interface == ROUTE_TEL ? "tel" : "sip";
}

struct router *router_new(void)
{
	return calloc(1, sizeof(struct router));
}

void router_free(struct router **routerp)
{
	struct router *router = *routerp;

	if (!router)
		return;
	for (size_t i = 0; i < router->all.n; i++)
		map_free(&router->all.map[i]);
	free(router->all.map);
	for (size_t i = 0; i < ROUTE_INTERFACES; i++) {
		free(router->used[i][ROUTE_EXTENSION].map);
		free(router->used[i][ROUTE_SOURCE].map);
	}
	free(router);
	*routerp = NULL;
}

static int list_add(struct map_list *list, struct map *map)
{
	struct map **grown = realloc(list->map, (list->n + 1) * sizeof(struct map *));

	if (!grown)
		return -ENOMEM;
	list->map = grown;
	list->map[list->n++] = map;
	return 0;
}

/* By name and linear: while a configuration is read, never for a call. */
static struct map *list_find(const struct map_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(map_name(list->map[i]), name) == 0)
			return list->map[i];
	return NULL;
}

int router_add_map(struct router *router, struct map *map)
{
	if (list_find(&router->all, map_name(map)))
		return -EEXIST;
	return list_add(&router->all, map);
}

const struct map *router_find_map(const struct router *router, const char *name)
{
	return list_find(&router->all, name);
}

const struct map *router_map_at(const struct router *router, size_t i)
{
	return i < router->all.n ? router->all.map[i] : NULL;
}

int router_use_map(struct router *router, enum route_interface interface, enum route_use use,
		   const char *name)
{
	struct map_list *list = &router->used[interface][use];
	struct map *map = list_find(&router->all, name);

	if (!map)
		return -ENOENT;
	return list_find(list, name) ? -EEXIST : list_add(list, map);
}

const struct map *router_used_map(const struct router *router, enum route_interface interface,
				  enum route_use use, size_t i)
{
	const struct map_list *list = &router->used[interface][use];

	return i < list->n ? list->map[i] : NULL;
}

const struct map_list *route_sources(const struct router *router, enum route_interface interface)
{
	const struct map_list *list = &router->used[interface][ROUTE_SOURCE];

	return list->n > 0 ? list : &router->used[interface][ROUTE_EXTENSION];
}

/* Applies maps in order; returns what map_apply() does. */
static int apply(const struct map_list *list, const struct uri *uri, struct map_result *result_out,
		 struct explain *explain)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct map *map = list->map[i];

		if (map_apply(map, uri, result_out, explain))
			return 1;
		explain_add(explain, EXPLAIN_NOTE, map_name(map), NULL, map_place(map),
			    "none of its %zu entries matches %s", map_entries(map), uri->buf);
	}
	return 0;
}

/* The reason stands in the answer already. */
static bool reject(struct route_answer *answer, struct explain *explain, unsigned code)
{
	answer->code = code;
	explain_add(explain, EXPLAIN_REJECT, NULL, NULL, NULL, "%u: %s", code, answer->reason);
	return false;
}

static void put_maps(struct buf *b, const struct map_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		buf_printf(b, "%s%s", i ? ", " : "", map_name(list->map[i]));
	if (list->n == 0)
		buf_put_str(b, "none configured");
}

/* 416 for another scheme than the interface's, 484 for other faults. */
static unsigned code_of_to(int err)
{
	return err == -EPROTONOSUPPORT ? 416 : 484;
}

static int parse_for(enum route_interface interface, struct slice text, struct uri *uri_out,
		     const char **why_out)
{
	int err = uri_parse(text, uri_out, why_out);

	if (!err && uri_out->scheme != (interface == ROUTE_TEL ? URI_TEL : URI_SIP)) {
		*why_out = interface == ROUTE_TEL ? "no tel URI" : "no sip URI";
		return -EPROTONOSUPPORT;
	}
	return err;
}

/* The interface that the call came from chooses the maps; the result's scheme chooses the
 * interface that it leaves by. */
static bool route_to(const struct router *router, const struct route_call *call,
		     struct route_answer *answer, struct explain *explain)
{
	const struct map_list *maps = &router->used[call->from_interface][ROUTE_EXTENSION];
	const char *name = route_interface_name(call->from_interface), *why = NULL;
	struct buf reason = BUF_OF(answer->reason);
	struct map_result result;
	struct uri uri;
	int err = parse_for(call->from_interface, call->to, &uri, &why);

	explain_add(explain, EXPLAIN_NOTE, NULL, NULL, NULL,
		    "to-URI %.*s, by the extension maps of interface %s", (int)call->to.n,
		    (const char *)call->to.p, name);
	if (err) {
		buf_printf(&reason, "to-URI: %s", why);
		return reject(answer, explain, code_of_to(err));
	}
	if (!apply(maps, &uri, &result, explain)) {
		buf_printf(&reason, "no extension map of interface %s matches the to-URI (", name);
		put_maps(&reason, maps);
		buf_put_char(&reason, ')');
		return reject(answer, explain, 404);
	}
	memcpy(answer->to, result.text, strlen(result.text) + 1);
	answer->to_entry = result.entry;
	/* Kept even when the result is refused below: the log tells which entry it was. */
	answer->auth = map_entry_auth(result.entry);
	answer->interface = result.scheme == URI_TEL ? ROUTE_TEL : ROUTE_SIP;
	if (!result.fault)
		return true;
	buf_printf(&reason, "new to-URI: %s", result.why);
	/* 484 is "Address Incomplete" (RFC 3261 21.4.22): what was dialled is at fault, not the
	 * maps. */
	return reject(answer, explain, result.fault == -EINVAL ? 404 : 484);
}

/* 403 throughout: who has no name on the other side must not call there. */
static bool route_from(const struct router *router, const struct route_call *call,
		       struct route_answer *answer, struct explain *explain)
{
	const struct map_list *maps = route_sources(router, answer->interface);
	const char *name = route_interface_name(answer->interface), *why = NULL;
	struct buf reason = BUF_OF(answer->reason);
	struct map_result result;
	struct uri uri;
	int err = parse_for(call->from_interface, call->from, &uri, &why);

	explain_add(explain, EXPLAIN_NOTE, NULL, NULL, NULL,
		    "from-URI %.*s, by the %s maps of interface %s", (int)call->from.n,
		    (const char *)call->from.p,
		    router->used[answer->interface][ROUTE_SOURCE].n ? "source" : "extension", name);
	if (err) {
		buf_printf(&reason, "from-URI: %s", why);
		return reject(answer, explain, 403);
	}
	if (!apply(maps, &uri, &result, explain)) {
		buf_printf(&reason, "no source map of interface %s matches the from-URI (", name);
		put_maps(&reason, maps);
		buf_put_char(&reason, ')');
		return reject(answer, explain, 403);
	}
	memcpy(answer->from, result.text, strlen(result.text) + 1);
	answer->from_entry = result.entry;
	if (!result.fault)
		return true;
	buf_printf(&reason, "new from-URI: %s", result.why);
	return reject(answer, explain, 403);
}

/* Where the INVITE goes, read from the checked result. */
static bool find_target(struct route_answer *answer, struct explain *explain)
{
	struct buf reason = BUF_OF(answer->reason);
	const char *why = "no host to send to";
	struct uri uri;

	if (answer->interface == ROUTE_TEL)
		return true;
	if (uri_parse(slice_str(answer->to), &uri, &why) == 0 &&
	    uri_sip_target(&uri, &answer->target) == 0)
		return true;
	buf_printf(&reason, "new to-URI: %s", why);
	return reject(answer, explain, 404);
}

/* Everything of an answer but its long texts, which begin empty. */
static void clear(struct route_answer *answer)
{
	answer->routed = false;
	answer->interface = ROUTE_SIP;
	answer->to[0] = answer->from[0] = answer->reason[0] = '\0';
	memset(&answer->target, 0, sizeof(answer->target));
	answer->to_entry = answer->from_entry = NULL;
	answer->auth = NULL;
	answer->code = 0;
}

bool router_route(const struct router *router, const struct route_call *call,
		  struct route_answer *answer_out, struct explain *explain)
{
	clear(answer_out);
	answer_out->routed = route_to(router, call, answer_out, explain) &&
			     route_from(router, call, answer_out, explain) &&
			     find_target(answer_out, explain);
	if (answer_out->routed)
		explain_add(explain, EXPLAIN_NOTE, NULL, NULL, NULL,
			    "routed to interface %s: to %s from %s",
			    route_interface_name(answer_out->interface), answer_out->to,
			    answer_out->from);
	return answer_out->routed;
}

bool router_name(const struct router *router, enum route_interface interface, struct slice text,
		 char *out)
{
	enum route_interface other = interface == ROUTE_TEL ? ROUTE_SIP : ROUTE_TEL;
	struct map_result result;
	const char *why = NULL;
	struct uri uri;

	out[0] = '\0';
	if (parse_for(other, text, &uri, &why) ||
	    !apply(route_sources(router, interface), &uri, &result, NULL) || result.fault)
		return false;
	memcpy(out, result.text, strlen(result.text) + 1);
	return true;
}
