/* idmap.h - finds objects by a 64-bit key; the nodes live in the objects.
 *
 * Several nodes may have one key.  Nothing is allocated but the bucket array,
 * which doubles as the map fills, so that a look-up costs the same at any size.
 * Keys that a stranger chooses must be mixed with a secret by the caller.
 */
#ifndef BASE_IDMAP_H
#define BASE_IDMAP_H

#include <stddef.h>
#include <stdint.h>

struct idmap_node {
	struct idmap_node *next;
	uint64_t key;
};

struct idmap {
	struct idmap_node **buckets;
	unsigned bits; /* 2^bits buckets */
	size_t used;
	size_t empty; /* buckets below this one are: where idmap_take() goes on */
};

/* The object of type that holds node as its member. */
#define IDMAP_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Returns 0 or -ENOMEM. */
int idmap_init(struct idmap *map);
/* Frees the buckets; the objects are the caller's. */
void idmap_done(struct idmap *map);

/* Links node, which must be in no map.  A map that cannot grow for want of memory gets
 * slower, no more. */
void idmap_put(struct idmap *map, struct idmap_node *node, uint64_t key);
/* Takes node out; one that is not in the map stays as it is. */
void idmap_remove(struct idmap *map, struct idmap_node *node);

/* Takes any node out of the map; NULL when it is empty: for freeing all. */
struct idmap_node *idmap_take(struct idmap *map);

/* The first node with that key, and the one behind it; NULL when there is none. */
struct idmap_node *idmap_first(const struct idmap *map, uint64_t key);
/* The next node with the key of this one, in no order that means anything. */
struct idmap_node *idmap_next(const struct idmap_node *node);

#endif
