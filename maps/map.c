/* map.c - a finished map applied: find the entry (index.c), take the values (pattern.c), fill the
 * other side (fill.c).
 *
 * Nothing is allocated and nothing of the map is written, so any number of threads may ask.
 */
#include "maps/map_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "maps/explain.h"
#include "maps/fill.h"
#include "maps/nearest.h"

struct map *map_new(const char *name, const struct diag_place *place)
{
	struct map *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->name = arena_text(&map->origins, slice_str(name));
	if (place)
		map->place = *place;
	if (!map->name)
		map_free(&map);
	return map;
}

void map_free(struct map **mapp)
{
	struct map *map = *mapp;

	if (!map)
		return;
	for (size_t i = 0; i < MAP_SCHEMES; i++)
		index_free(&map->index[i]);
	free(map->entry);
	arena_free(&map->arena);
	arena_free(&map->origins);
	free(map);
	*mapp = NULL;
}

/* What a lookup tries entries against; captures are those of the last that matched. */
struct lookup {
	const struct map *map;
	struct subject subject;
	struct captures *captures;
};

/* A try that fails must not disturb what an earlier entry captured. */
static bool entry_matches(const void *arg, uint32_t number)
{
	const struct lookup *lookup = arg;
	const struct pattern *side = &lookup->map->entry[number].side[lookup->subject.uri->scheme];
	struct captures captures;

	if (!pattern_match(side, &lookup->subject, &captures))
		return false;
	for (size_t i = 0; i < side->n; i++)
		if (side->piece[i].is_param)
			lookup->captures->value[i] = captures.value[i];
	return true;
}

uint32_t map_find(const struct map *map, const struct uri *uri, uint32_t limit,
		  struct captures *captures_out)
{
	struct lookup lookup = { map, { uri->text, uri }, captures_out };

	/* Behind "sip:" or "tel:", which is the index's own. */
	return index_find(map->index[uri->scheme], slice_from(uri->text, 4), limit, entry_matches,
			  &lookup);
}

/* Only so many are looked at: an explanation of a million entries helps nobody. */
static void explain_misses(const struct map *map, const struct uri *uri, size_t limit,
			   struct explain *explain)
{
	struct subject subject = { uri->text, uri };
	struct nearest nearest = { .n = 0 };
	char text[2 * PATTERN_MAX_TEXT];

	for (size_t i = 0; i < limit && i < NEAREST_LOOKED_AT; i++)
		nearest_look(&nearest, i, &map->entry[i].side[uri->scheme], &subject);
	for (size_t i = 0; i < nearest.n; i++) {
		const struct map_entry *entry = &map->entry[nearest.miss[i].number];
		struct buf b = BUF_OF(text);

		pattern_write(&entry->side[uri->scheme], &b);
		buf_put_str(&b, " does not match: ");
		pattern_explain_miss(&entry->side[uri->scheme], &subject, &b);
		explain_add(explain, EXPLAIN_MISS, map->name, entry->origin->name,
			    &entry->origin->place, "%s", text);
	}
}

static void explain_match(const struct map *map, const struct uri *uri, uint32_t number,
			  const struct captures *captures, const struct map_result *result,
			  struct explain *explain)
{
	const struct map_entry *entry = &map->entry[number];
	const struct pattern *side = &entry->side[uri->scheme];
	char text[2 * PATTERN_MAX_TEXT], held[2 * PATTERN_MAX_TEXT];
	struct buf b = BUF_OF(text), values = BUF_OF(held);

	/* Why the entries before did not match: only they could have come first. */
	if (number > 0)
		explain_misses(map, uri, number, explain);
	pattern_write(side, &b);
	captures_write(captures, side, &values);
	buf_put_str(&b, values.len ? " matches with " : " matches");
	buf_put_slice(&b, buf_slice(&values));
	explain_add(explain, EXPLAIN_MATCH, map->name, entry->origin->name, &entry->origin->place,
		    "%s (entry %u of %zu)", text, number + 1, map->n);
	explain_add(explain, EXPLAIN_NOTE, NULL, NULL, NULL, "%s becomes %s", uri->buf,
		    result->text);
	if (result->fault)
		explain_add(explain, EXPLAIN_REJECT, NULL, NULL, NULL, "%s must not be used: %s",
			    result->text, result->why);
}

/* The result is checked whatever the pattern says: fill.h. */
static void fill(const struct map_entry *entry, const struct values *values,
		 struct map_result *result)
{
	struct buf to = BUF_OF(result->text);

	result->why = NULL;
	if (result->scheme == URI_TEL) {
		result->fault = fill_tel(&entry->side[URI_TEL], values, &to, &result->why);
		return;
	}
	result->fault = fill_sip(&entry->side[URI_SIP], values, &to, &result->why);
	if (!result->fault && entry->side[URI_SIP].no_host) {
		result->fault = -EINVAL;
		result->why = "the entry's sip side has no usable host";
	}
}

int map_apply(const struct map *map, const struct uri *uri, struct map_result *result_out,
	      struct explain *explain)
{
	struct captures captures;
	uint32_t number = map->n ? map_find(map, uri, (uint32_t)map->n, &captures) : INDEX_NONE;
	struct values values;

	if (number == INDEX_NONE) {
		if (explain)
			explain_misses(map, uri, map->n, explain);
		return 0;
	}
	/* A match decides, also when its result turns out to be of no use: a later entry that
	 * would do is not what the administrator put first. */
	result_out->entry = &map->entry[number];
	result_out->scheme = map_other(uri->scheme);
	values = (struct values){ &result_out->entry->side[uri->scheme], &captures };
	fill(result_out->entry, &values, result_out);
	if (explain)
		explain_match(map, uri, number, &captures, result_out, explain);
	return 1;
}

const char *map_name(const struct map *map)
{
	return map->name;
}

const struct diag_place *map_place(const struct map *map)
{
	return &map->place;
}

size_t map_entries(const struct map *map)
{
	return map->n;
}

const struct map_entry *map_entry_at(const struct map *map, size_t i)
{
	return i < map->n ? &map->entry[i] : NULL;
}

const char *map_entry_name(const struct map_entry *entry)
{
	return entry->origin->name;
}

const char *map_entry_auth(const struct map_entry *entry)
{
	return entry->auth;
}

struct diag_place map_entry_place(const struct map_entry *entry)
{
	return entry->origin->place;
}

void map_entry_write(const struct map_entry *entry, struct buf *to)
{
	buf_printf(to, "entry %s tel \"", entry->origin->name);
	pattern_write(&entry->side[URI_TEL], to);
	buf_put_str(to, "\" sip \"");
	pattern_write(&entry->side[URI_SIP], to);
	buf_put_char(to, '"');
	if (entry->auth)
		buf_printf(to, " auth %s", entry->auth);
	buf_put_char(to, ';');
}
