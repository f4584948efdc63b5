/* idmap.c - a hash table with chains through the objects themselves.
 *
 * It doubles when there are as many nodes as buckets, and never shrinks: what a busy hour needed
 * is needed again.
 */
#include "base/idmap.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_BITS = 6 }; /* never 0: a shift by 64 would be undefined */

int idmap_init(struct idmap *map)
{
	*map = (struct idmap){ .bits = FIRST_BITS };
	map->buckets = calloc((size_t)1 << FIRST_BITS, sizeof(struct idmap_node *));
	return map->buckets ? 0 : -ENOMEM;
}

void idmap_done(struct idmap *map)
{
	free(map->buckets);
	*map = (struct idmap){ 0 };
}

/* Fibonacci hashing: the product's upper bits depend on all bits of the key. */
static size_t bucket_of(const struct idmap *map, uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - map->bits));
}

/* In front of its chain: what came last is asked for soonest. */
static void link_node(struct idmap *map, struct idmap_node *node)
{
	size_t at = bucket_of(map, node->key);

	node->next = map->buckets[at];
	map->buckets[at] = node;
	if (at < map->empty)
		map->empty = at;
}

/* Without memory the map stays as it is: slower, but whole. */
static void grow(struct idmap *map)
{
	struct idmap_node **old = map->buckets;
	size_t n_old = (size_t)1 << map->bits;
	struct idmap_node **more = calloc(n_old * 2, sizeof(*more));

	if (!more)
		return;
	map->buckets = more;
	map->bits++;
	for (size_t i = 0; i < n_old; i++) {
		struct idmap_node *node = old[i];

		while (node) {
			struct idmap_node *next = node->next;

			link_node(map, node);
			node = next;
		}
	}
	free(old);
}

void idmap_put(struct idmap *map, struct idmap_node *node, uint64_t key)
{
	if (map->used >> map->bits)
		grow(map);
	node->key = key;
	link_node(map, node);
	map->used++;
}

void idmap_remove(struct idmap *map, struct idmap_node *node)
{
	struct idmap_node **at = &map->buckets[bucket_of(map, node->key)];

	while (*at && *at != node)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = node->next;
	map->used--;
}

struct idmap_node *idmap_take(struct idmap *map)
{
	struct idmap_node *node;

	if (!map->used)
		return NULL;
	/* From where the last one was taken: freeing all looks at each bucket once. */
	while (!map->buckets[map->empty])
		map->empty++;
	node = map->buckets[map->empty];
	map->buckets[map->empty] = node->next;
	map->used--;
	return node;
}

struct idmap_node *idmap_first(const struct idmap *map, uint64_t key)
{
	struct idmap_node *node = map->buckets[bucket_of(map, key)];

	while (node && node->key != key)
		node = node->next;
	return node;
}

struct idmap_node *idmap_next(const struct idmap_node *node)
{
	uint64_t key = node->key;

	do
		node = node->next;
	while (node && node->key != key);
	return (struct idmap_node *)node;
}
