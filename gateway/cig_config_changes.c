/* cig_config_changes.c - what a reload changes, entry by entry. */
#include <stdlib.h>

#include "base/buf.h"
#include "gateway/cig_config_priv.h"
#include "maps/map.h"

/* Hashes of entries and rules with the names of their maps, sorted. */
struct hashes {
	uint64_t *list; /* NULL: memory is out */
	size_t n;
};

static uint64_t hash(uint64_t h, struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		h = (h ^ text.p[i]) * 0x100000001b3u;
	return (h ^ 0xff) * 0x100000001b3u; /* parts "ab" "c" from "a" "bc" */
}

static uint64_t hash_start(const char *kind, const char *name)
{
	return hash(hash(0xcbf29ce484222325u, slice_str(kind)), slice_str(name));
}

static void add_map(struct hashes *hashes, const struct map *map)
{
	uint64_t start = hash_start("map", map_name(map));
	char text[2048];

	for (size_t i = 0; i < map_entries(map); i++) {
		struct buf b = BUF_OF(text);

		map_entry_write(map_entry_at(map, i), &b);
		hashes->list[hashes->n++] = hash(start, buf_slice(&b));
	}
}

static void add_translate_map(struct hashes *hashes, const struct translate_map *map)
{
	uint64_t start = hash_start("translate_map", translate_map_name(map));
	char text[2048];

	for (size_t i = 0; i < translate_map_rules(map); i++) {
		struct buf b = BUF_OF(text);

		translate_map_write_rule(map, i, &b);
		hashes->list[hashes->n++] = hash(start, buf_slice(&b));
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static struct hashes hash_all(const struct cig_config *config)
{
	const struct cig_config_object *object = (const struct cig_config_object *)config;
	struct hashes hashes = { NULL, 0 };
	const struct map *map;
	size_t n = 1;

	for (size_t i = 0; (map = router_map_at(object->router, i)); i++)
		n += map_entries(map);
	for (size_t i = 0; i < object->translate_map_count; i++)
		n += translate_map_rules(object->translate_maps[i]);
	hashes.list = calloc(n, sizeof(*hashes.list));
	if (!hashes.list)
		return hashes;
	for (size_t i = 0; (map = router_map_at(object->router, i)); i++)
		add_map(&hashes, map);
	for (size_t i = 0; i < object->translate_map_count; i++)
		add_translate_map(&hashes, object->translate_maps[i]);
	qsort(hashes.list, hashes.n, sizeof(*hashes.list), compare);
	return hashes;
}

static size_t count_common(const struct hashes *a, const struct hashes *b)
{
	size_t i = 0, k = 0, common = 0;

	while (i < a->n && k < b->n) {
		int c = compare(&a->list[i], &b->list[k]);

		common += c == 0;
		i += c <= 0;
		k += c >= 0;
	}
	return common;
}

void cig_config_changes(const struct cig_config *before, const struct cig_config *after, char *out,
			size_t outsz)
{
	struct hashes old = hash_all(before), new = hash_all(after);
	struct buf b = buf_over(out, outsz);

	if (old.list && new.list) {
		size_t common = count_common(&old, &new), added = new.n - common;

		buf_printf(&b, "%zu %s added, %zu removed, %zu unchanged", added,
			   added == 1 ? "entry" : "entries", old.n - common, common);
	} else {
		buf_put_str(&b, "too little memory to compare");
	}
	free(old.list);
	free(new.list);
}
