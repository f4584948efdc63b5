/* translate_map.c - one-way rules over any text, found by the same index as map entries. */
#include "maps/translate_map.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "maps/explain.h"
#include "maps/fill.h"
#include "maps/index.h"
#include "maps/nearest.h"

/* Rules for URIs are found by the normalised address, others by the address as it is. */
enum { BY_URI, BY_TEXT, KINDS };

struct rule {
	struct pattern match, translation;
	struct diag_place place;
};

struct translate_map {
	struct arena arena;
	const char *name;
	struct rule *rule;
	size_t n, room;
	struct index *index[KINDS];
};

struct translate_map *translate_map_new(const char *name)
{
	struct translate_map *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->name = arena_text(&map->arena, slice_str(name));
	if (!map->name)
		translate_map_free(&map);
	return map;
}

void translate_map_free(struct translate_map **mapp)
{
	struct translate_map *map = *mapp;

	if (!map)
		return;
	for (size_t i = 0; i < KINDS; i++)
		index_free(&map->index[i]);
	free(map->rule);
	arena_free(&map->arena);
	free(map);
	*mapp = NULL;
}

/* The manual's way of leaving something out is a name that nothing binds; {discard} says that
 * it is meant. */
static void check_unbound(const struct rule *rule, struct diag *diag)
{
	const struct pattern *out = &rule->translation;

	for (size_t i = 0; i < out->n; i++) {
		struct slice name = piece_text(out, i);

		if (out->piece[i].is_param && pattern_find_param(&rule->match, name) < 0 &&
		    !slice_eq_str(name, "discard"))
			diag_warning(diag, &rule->place,
				     "{%.*s} stands in the translation only: it is always empty",
				     (int)name.n, (const char *)name.p);
	}
}

int translate_map_add(struct translate_map *map, const char *match, const char *translation,
		      const struct diag_place *place, struct diag *diag)
{
	struct rule rule = { 0 };
	int err;

	if (place)
		rule.place = *place;
	if (map->n == map->room) {
		size_t room = map->room ? 2 * map->room : 8;
		struct rule *grown =
			room < INDEX_NONE ? realloc(map->rule, room * sizeof(rule)) : NULL;

		if (!grown)
			return -ENOMEM;
		map->rule = grown;
		map->room = room;
	}
	err = pattern_parse(&map->arena, match, PATTERN_AS_ADDRESS, place, diag, &rule.match);
	if (!err)
		err = pattern_parse(&map->arena, translation, PATTERN_AS_RESULT, place, diag,
				    &rule.translation);
	if (err)
		return err;
	check_unbound(&rule, diag);
	map->rule[map->n++] = rule;
	return 0;
}

static size_t kind_of(const struct rule *rule)
{
	return rule->match.kind == PATTERN_TEXT ? BY_TEXT : BY_URI;
}

/* Each rule stands in the index of its kind only, under its own number, so that the first rule
 * of the file still wins. */
static int build_index(struct translate_map *map, size_t kind)
{
	uint8_t beginning[URI_MAX + 1], end[URI_MAX + 1];

	map->index[kind] = index_new(map->n);
	if (!map->index[kind])
		return -ENOMEM;
	for (size_t i = 0; i < map->n; i++) {
		const struct pattern *p = &map->rule[i].match;

		if (kind_of(&map->rule[i]) == kind)
			index_add(map->index[kind], (uint32_t)i,
				  slice_of(beginning, pattern_beginning(p, beginning)),
				  slice_of(end, pattern_end(p, end)));
	}
	return index_finish(map->index[kind]);
}

/* Only equal matches are told: that one text pattern covers another is rarely a fault. */
static void check_repeats(const struct translate_map *map, struct diag *diag)
{
	char text[2][PATTERN_MAX_TEXT + 8];
	struct slice before = slice_of(NULL, 0);

	/* Repeats are made by copying a line: neighbours are enough, and loading stays linear. */
	for (size_t i = 0; i < map->n; i++) {
		struct buf b = BUF_OF(text[i % 2]);
		bool same;

		pattern_write(&map->rule[i].match, &b);
		same = i > 0 && slice_eq(buf_slice(&b), before);
		before = buf_slice(&b);
		if (same)
			diag_warning(diag, &map->rule[i].place,
				     "translate_map %s: the rule in line %u has the same match",
				     map->name, map->rule[i - 1].place.line);
	}
}

int translate_map_finish(struct translate_map *map, struct diag *diag)
{
	int err = 0;

	for (size_t kind = 0; !err && kind < KINDS; kind++)
		err = build_index(map, kind);
	if (!err)
		check_repeats(map, diag);
	return err;
}

struct lookup {
	const struct translate_map *map;
	struct subject subject;
};

static bool rule_matches(const void *arg, uint32_t number)
{
	const struct lookup *lookup = arg;
	struct captures captures;

	return pattern_match(&lookup->map->rule[number].match, &lookup->subject, &captures);
}

/* The first rule of either kind, or INDEX_NONE. */
static uint32_t find(const struct lookup *lookup)
{
	const struct translate_map *map = lookup->map;
	uint32_t best = (uint32_t)map->n, found = INDEX_NONE;

	/* The second search is asked only for what stands before the first one's find. */
	if (lookup->subject.uri)
		found = index_find(map->index[BY_URI], slice_from(lookup->subject.uri->text, 4),
				   best, rule_matches, lookup);
	if (found != INDEX_NONE)
		best = found;
	found = index_find(map->index[BY_TEXT], lookup->subject.text, best, rule_matches, lookup);
	if (found != INDEX_NONE)
		best = found;
	return best == map->n ? INDEX_NONE : best;
}

static void explain_misses(const struct lookup *lookup, size_t limit, struct explain *explain)
{
	const struct translate_map *map = lookup->map;
	struct nearest nearest = { .n = 0 };
	char text[2 * PATTERN_MAX_TEXT];

	for (size_t i = 0; i < limit && i < NEAREST_LOOKED_AT; i++)
		nearest_look(&nearest, i, &map->rule[i].match, &lookup->subject);
	for (size_t i = 0; i < nearest.n; i++) {
		const struct rule *rule = &map->rule[nearest.miss[i].number];
		struct buf b = BUF_OF(text);

		pattern_write(&rule->match, &b);
		buf_put_str(&b, " does not match: ");
		pattern_explain_miss(&rule->match, &lookup->subject, &b);
		explain_add(explain, EXPLAIN_MISS, map->name, NULL, &rule->place, "%s", text);
	}
}

static void explain_match(const struct lookup *lookup, uint32_t number,
			  const struct captures *captures, const char *result,
			  struct explain *explain)
{
	const struct rule *rule = &lookup->map->rule[number];
	char text[2 * PATTERN_MAX_TEXT];
	struct buf b = BUF_OF(text);

	explain_misses(lookup, number, explain);
	pattern_write(&rule->match, &b);
	buf_put_str(&b, " matches: ");
	captures_write(captures, &rule->match, &b);
	explain_add(explain, EXPLAIN_MATCH, lookup->map->name, NULL, &rule->place,
		    "%s; it becomes %s", text, result);
}

int translate_map_apply(const struct translate_map *map, struct slice addr, char *out, size_t outsz,
			struct explain *explain)
{
	struct lookup lookup = { map, { addr, NULL } };
	struct captures captures = { 0 };
	struct buf to = buf_over(out, outsz);
	struct values values;
	struct uri uri;
	uint32_t number;
	int err;

	/* No URI is no fault: such an address has only the rules for text. */
	if (uri_parse(addr, &uri, NULL) == 0)
		lookup.subject.uri = &uri;
	number = map->n ? find(&lookup) : INDEX_NONE;
	out[0] = '\0';
	if (number == INDEX_NONE) {
		if (explain)
			explain_misses(&lookup, map->n, explain);
		return 0;
	}
	values = (struct values){ &map->rule[number].match, &captures };
	/* Once more, for what the parameters hold: the search itself only asks whether. */
	pattern_match(values.in, &lookup.subject, &captures);
	err = fill_text(&map->rule[number].translation, &values, &to);
	if (explain)
		explain_match(&lookup, number, &captures, err ? "no clean text" : out, explain);
	if (err)
		out[0] = '\0';
	return err ? err : 1;
}

const char *translate_map_name(const struct translate_map *map)
{
	return map->name;
}

size_t translate_map_rules(const struct translate_map *map)
{
	return map->n;
}

size_t translate_map_least(const struct translate_map *map, size_t i)
{
	const struct pattern *out = &map->rule[i].translation;
	size_t n = 0;

	for (size_t k = 0; k < out->n; k++)
		if (!out->piece[k].is_param)
			n += out->piece[k].len;
	return n;
}

void translate_map_write_rule(const struct translate_map *map, size_t i, struct buf *to)
{
	buf_put_str(to, "rule match \"");
	pattern_write(&map->rule[i].match, to);
	buf_put_str(to, "\" translation \"");
	pattern_write(&map->rule[i].translation, to);
	buf_put_str(to, "\";");
}
