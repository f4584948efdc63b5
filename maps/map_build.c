/* map_build.c - a map from its entries: parsed, warned of, indexed.
 *
 * What cannot be meant is an error; what is legal and most likely a slip is a warning, as maps
 * are taken over from the manual's examples and from other dial plans.
 */
#include "maps/map_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/huge.h"
#include "base/text.h"
#include "maps/fill.h"

/* Which of the two strings is the sip one?  By their schemes, not by their keywords:
 * the manual's own migration example has them swapped. */
static int tell_sides(const struct map_entry_spec *spec, const char *side_out[MAP_SCHEMES],
		      struct diag *diag)
{
	enum pattern_kind sip = pattern_kind_of(spec->sip), tel = pattern_kind_of(spec->tel);

	side_out[URI_SIP] = spec->sip;
	side_out[URI_TEL] = spec->tel;
	if (sip == PATTERN_SIP && tel == PATTERN_TEL)
		return 0;
	if (sip == PATTERN_TEL && tel == PATTERN_SIP) {
		side_out[URI_SIP] = spec->tel;
		side_out[URI_TEL] = spec->sip;
		diag_warning(diag, &spec->place,
			     "entry %s: the sides are swapped: \"%s\" is the sip side", spec->name,
			     spec->tel);
		return 0;
	}
	diag_error(diag, &spec->place,
		   "entry %s: found sip \"%s\" and tel \"%s\", expected one that begins with "
		   "\"sip:\" and one that begins with \"tel:\"",
		   spec->name, spec->sip, spec->tel);
	return -EINVAL;
}

/* A parameter behind the "@" stands for anything there, and one named {discard} says so. */
static bool is_wildcard(const struct pattern *p, size_t i)
{
	return (p->kind == PATTERN_SIP && i >= p->split) ||
	       slice_eq_str(piece_text(p, i), "discard");
}

/* A warning, no error: an entry may well be meant for one direction (the manual's do). */
static void check_one_way(const struct map_entry *entry, enum uri_scheme scheme, struct diag *diag)
{
	static const char *const names[] = { [URI_SIP] = "sip", [URI_TEL] = "tel" };
	const struct pattern *here = &entry->side[scheme];
	const struct pattern *there = &entry->side[map_other(scheme)];

	for (size_t i = 0; i < here->n; i++) {
		struct slice name = piece_text(here, i);
		int other;

		if (!here->piece[i].is_param || is_wildcard(here, i))
			continue;
		other = pattern_find_param(there, name);
		if (other < 0)
			diag_warning(
				diag, &entry->origin->place,
				"entry %s: {%.*s} stands on the %s side only: dropped one way, "
				"empty the other",
				entry->origin->name, (int)name.n, (const char *)name.p,
				names[scheme]);
		else if (scheme == URI_TEL && there->has_at && (size_t)other >= there->split)
			diag_warning(
				diag, &entry->origin->place,
				"entry %s: {%.*s} stands in the sip side's host, which is never "
				"taken from a call",
				entry->origin->name, (int)name.n, (const char *)name.p);
	}
}

/* A parameter takes the shortest text that lets the rest match, which before another one is
 * none. */
static void check_adjacent(const struct map_entry *entry, const struct pattern *p,
			   struct diag *diag)
{
	for (size_t i = 0; i + 1 < p->n; i++)
		if (p->piece[i].is_param && p->piece[i + 1].is_param &&
		    !(p->has_at && i + 1 == p->split))
			diag_warning(
				diag, &entry->origin->place,
				"entry %s: nothing parts {%.*s} from {%.*s}: the first is always "
				"empty",
				entry->origin->name, p->piece[i].len, p->text + p->piece[i].at,
				p->piece[i + 1].len, p->text + p->piece[i + 1].at);
}

/* What is literal behind the "@" of a sip side, tried as the host of a URI with a user that is
 * certainly good.  Returns 0, or -errno; *why_out (which may be NULL) is then set where the host is
 * at fault, not the transport. */
static int literal_target(const struct pattern *sip, struct sip_target *target_out,
			  const char **why_out)
{
	char text[URI_MAX + 16];
	struct buf b = BUF_OF(text);
	struct uri uri;
	int err;

	buf_put_str(&b, "sip:x@");
	for (size_t i = sip->split; i < sip->n; i++)
		if (!sip->piece[i].is_param)
			buf_put_slice(&b, piece_text(sip, i));
	err = uri_parse(buf_slice(&b), &uri, why_out);
	if (!err && uri.headers.n > 0) {
		err = -EINVAL;
		if (why_out)
			*why_out = "headers (\"?\") have no place";
	}
	return err ? err : uri_sip_target(&uri, target_out);
}

int map_entry_target(const struct map_entry *entry, struct sip_target *target_out)
{
	return literal_target(&entry->side[URI_SIP], target_out, NULL);
}

/* Can what is literal behind the "@" be used as a host?  Without parameters there it
 * must be one, for nothing else would ever match. */
static int check_host(struct map_entry *entry, struct diag *diag)
{
	const struct pattern *sip = &entry->side[URI_SIP];
	const char *why = "its transport is none of udp, tcp, tls";
	struct sip_target target;
	bool fixed = true;
	int err = literal_target(sip, &target, &why);

	for (size_t i = sip->split; i < sip->n; i++)
		fixed = fixed && !sip->piece[i].is_param;
	entry->side[URI_SIP].no_host = err != 0;
	if (!err || !fixed)
		return 0;
	diag_error(diag, &entry->origin->place, "entry %s: the sip side is no URI: %s",
		   entry->origin->name, why);
	return -EINVAL;
}

/* Is what is literal before the "@" what a user part may hold?  Percent-encoded controls were
 * decoded by then, and no URI that is let in or out has any (uri.c). */
static int check_user(const struct map_entry *entry, struct diag *diag)
{
	const struct pattern *sip = &entry->side[URI_SIP];

	for (size_t i = 0; i < sip->split; i++) {
		if (sip->piece[i].is_param || text_is_clean(piece_text(sip, i)))
			continue;
		diag_error(diag, &entry->origin->place,
			   "entry %s: the sip side is no URI: a control character, or no UTF-8, "
			   "in the user part",
			   entry->origin->name);
		return -EINVAL;
	}
	return 0;
}

/* What is legal text and yet nothing that a URI of a call ever holds: habits of other dial
 * plans. */
static void check_literals(const struct map_entry *entry, struct diag *diag)
{
	const struct pattern *sip = &entry->side[URI_SIP], *tel = &entry->side[URI_TEL];

	if (!sip->has_at)
		diag_warning(diag, &entry->origin->place,
			     "entry %s: the sip side has no \"@\": all of it is a host",
			     entry->origin->name);
	if (tel->n && !tel->piece[0].is_param && !slice_starts(piece_text(tel, 0), "+"))
		diag_warning(diag, &entry->origin->place,
			     "entry %s: the tel side is never met: a number begins with \"+\"",
			     entry->origin->name);
	for (size_t s = 0; s < MAP_SCHEMES; s++) {
		const struct pattern *p = &entry->side[s];
		size_t n = s == URI_SIP ? p->split : p->n; /* behind the "@", "[" begins IPv6 */

		for (size_t i = 0; i < n; i++) {
			struct slice text = piece_text(p, i);
			size_t at = 0;

			while (at < text.n && !strchr("[]^\\|", text.p[at]))
				at++;
			if (p->piece[i].is_param || at == text.n)
				continue;
			diag_warning(diag, &entry->origin->place,
				     "entry %s: \"%c\" stands for itself: a pattern knows {name} "
				     "only, which is any text",
				     entry->origin->name, text.p[at]);
			break;
		}
	}
}

static int parse_sides(struct map *map, const struct map_entry_spec *spec, struct map_entry *entry,
		       struct diag *diag)
{
	const char *text[MAP_SCHEMES];
	int err = tell_sides(spec, text, diag);

	for (size_t i = 0; !err && i < MAP_SCHEMES; i++)
		err = pattern_parse(&map->arena, text[i], PATTERN_AS_URI, &spec->place, diag,
				    &entry->side[i]);
	if (!err)
		err = check_user(entry, diag);
	if (!err)
		err = check_host(entry, diag);
	if (err)
		return err;
	check_literals(entry, diag);
	for (size_t i = 0; i < MAP_SCHEMES; i++) {
		check_one_way(entry, (enum uri_scheme)i, diag);
		check_adjacent(entry, &entry->side[i], diag);
	}
	return 0;
}

static int make_room(struct map *map)
{
	size_t room = map->room ? 2 * map->room : 8;
	struct map_entry *entry;

	if (map->n < map->room)
		return 0;
	/* Numbers of entries are 32 bits wide and the largest one means "none". */
	entry = map->n < INDEX_NONE / 2 ? realloc(map->entry, room * sizeof(*entry)) : NULL;
	if (!entry)
		return -ENOMEM;
	map->entry = entry;
	map->room = room;
	return 0;
}

int map_add(struct map *map, const struct map_entry_spec *spec, struct diag *diag)
{
	struct map_origin *origin = arena_alloc(&map->origins, sizeof(*origin));
	struct map_entry entry = { .origin = origin };
	int err = make_room(map);

	if (err || !origin)
		return -ENOMEM;
	/* What only an operator asks for (names, lines) lies apart from what each call reads. */
	origin->place = spec->place;
	origin->name = arena_text(&map->origins, slice_str(spec->name));
	entry.auth = spec->auth ? arena_text(&map->origins, slice_str(spec->auth)) : NULL;
	if (!origin->name || (spec->auth && !entry.auth))
		return -ENOMEM;
	err = parse_sides(map, spec, &entry, diag);
	if (!err)
		map->entry[map->n++] = entry;
	return err;
}

static int build_index(struct map *map, enum uri_scheme scheme)
{
	struct index *index = index_new(map->n);
	uint8_t beginning[URI_MAX + 1], end[URI_MAX + 1];

	if (!index)
		return -ENOMEM;
	map->index[scheme] = index;
	for (size_t i = 0; i < map->n; i++) {
		const struct pattern *p = &map->entry[i].side[scheme];
		size_t front = pattern_beginning(p, beginning), back = pattern_end(p, end);

		index_add(index, (uint32_t)i, slice_of(beginning, front), slice_of(end, back));
	}
	return index_finish(index);
}

/* By name, then in file order: of two that are equal the later one is told. */
static int compare_names(const void *a, const void *b, void *arg)
{
	const struct map *map = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int c = strcmp(map->entry[x].origin->name, map->entry[y].origin->name);

	return c ? c : x < y ? -1 : 1;
}

/* A warning only: names are for people, no call looks at them.  Sorted, since a map may have a
 * million entries. */
static int check_names(const struct map *map, struct diag *diag)
{
	uint32_t *order = calloc(map->n + 1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < map->n; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, map->n, sizeof(*order), compare_names, (void *)(uintptr_t)map);
	for (size_t i = 1; i < map->n; i++) {
		const struct map_entry *before = &map->entry[order[i - 1]];
		const struct map_entry *entry = &map->entry[order[i]];

		if (strcmp(before->origin->name, entry->origin->name) == 0)
			diag_warning(diag, &entry->origin->place,
				     "map %s: entry %s is repeated, it stands in line %u, too",
				     map->name, entry->origin->name, before->origin->place.line);
	}
	free(order);
	return 0;
}

/* The one case in which a lookup is not fast: the index cannot tell these apart. */
static void check_crowds(const struct map *map, struct diag *diag)
{
	uint32_t first = 0;

	for (size_t i = 0; i < MAP_SCHEMES; i++) {
		size_t n = index_largest_group(map->index[i], &first);

		if (n > MAP_CROWD)
			diag_warning(
				diag, &map->entry[first].origin->place,
				"map %s: %zu entries begin and end alike with %s and are tried "
				"one by one",
				map->name, n, map->entry[first].origin->name);
	}
}

/* Moves the entries to a place of just their size, where each has a line of the cache. */
static int settle(struct map *map)
{
	struct map_entry *entry = huge_alloc((map->n + 1) * sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	if (map->n > 0)
		memcpy(entry, map->entry, map->n * sizeof(*entry));
	free(map->entry);
	map->entry = entry;
	map->room = map->n;
	return 0;
}

int map_finish(struct map *map, struct diag *diag)
{
	int err = settle(map);

	for (size_t i = 0; !err && i < MAP_SCHEMES; i++)
		err = build_index(map, (enum uri_scheme)i);
	if (!err)
		err = check_names(map, diag);
	if (!err && map->n)
		check_crowds(map, diag);
	return err;
}

/* An address that stands for all that the pattern matches: each parameter holds an octet
 * that no literal has, so whatever pattern matches it matches all of them. */
static void stand_in(const struct pattern *p, struct uri *uri)
{
	struct buf b = BUF_OF(uri->buf);
	size_t user_end = 4;

	buf_put_str(&b, p->kind == PATTERN_SIP ? "sip:" : "tel:");
	for (size_t i = 0; i <= p->n; i++) {
		if (p->has_at && i == p->split) {
			user_end = b.len;
			buf_put_char(&b, '@');
		}
		if (i == p->n)
			break;
		if (p->piece[i].is_param)
			buf_put_char(&b, '\x01');
		else
			buf_put_slice(&b, piece_text(p, i));
	}
	uri->scheme = p->kind == PATTERN_SIP ? URI_SIP : URI_TEL;
	uri->has_user = p->kind == PATTERN_TEL || p->has_at;
	uri->text = buf_slice(&b);
	uri->user = slice_of(uri->buf + 4, user_end - 4);
	uri->rest = slice_from(uri->text, user_end + p->has_at);
}

/* By the index: each entry costs one lookup, not a comparison with all before it. */
static void check_reach(const struct map *map, enum uri_scheme scheme, size_t i, struct diag *diag)
{
	const struct map_entry *entry = &map->entry[i], *before;
	struct captures captures;
	struct uri uri;
	uint32_t found;

	stand_in(&entry->side[scheme], &uri);
	found = map_find(map, &uri, (uint32_t)i, &captures);
	if (found == INDEX_NONE)
		return;
	before = &map->entry[found];
	diag_warning(diag, &entry->origin->place,
		     "map %s: entry %s is never reached: entry %s (line %u) matches all that it "
		     "matches",
		     map->name, entry->origin->name, before->origin->name,
		     before->origin->place.line);
}

/* Is the result of no use even when every parameter holds a digit? */
static void check_result(const struct map *map, enum uri_scheme scheme, size_t i, struct diag *diag)
{
	const struct map_entry *entry = &map->entry[i];
	struct captures captures;
	struct values values = { &entry->side[scheme], &captures };
	char text[URI_MAX + 1];
	struct buf to = BUF_OF(text);
	const char *why = "there is no usable host";
	int err;

	/* A digit is good in every part of a URI: what fails with it fails with anything. */
	for (size_t k = 0; k < PATTERN_MAX_PIECES; k++)
		captures.value[k] = slice_str("1");
	if (scheme == URI_SIP)
		err = fill_tel(&entry->side[URI_TEL], &values, &to, &why);
	else
		err = fill_sip(&entry->side[URI_SIP], &values, &to, &why);
	if (!err && scheme == URI_TEL && entry->side[URI_SIP].no_host)
		err = -EINVAL;
	if (err)
		diag_warning(diag, &entry->origin->place,
			     "map %s: what entry %s yields can never be used (%s): %s", map->name,
			     entry->origin->name, text, why);
}

void map_check(const struct map *map, enum uri_scheme scheme, struct diag *diag)
{
	for (size_t i = 0; i < map->n; i++) {
		check_result(map, scheme, i, diag);
		if (i > 0)
			check_reach(map, scheme, i, diag);
	}
}
