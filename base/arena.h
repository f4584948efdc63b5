/* arena.h - memory that is given back all at once.
 *
 * For what is built whole and freed whole: a configuration, a map.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena_block;

/* All zero is an empty arena. */
struct arena {
	struct arena_block *blocks;
	size_t left; /* octets free in the first block */
};

/* n zeroed octets, aligned for anything; NULL when memory is out. */
void *arena_alloc(struct arena *arena, size_t n);

/* A copy with a NUL behind it; NULL when memory is out. */
char *arena_text(struct arena *arena, struct slice text);

/* Frees all and leaves an empty arena. */
void arena_free(struct arena *arena);

#endif
