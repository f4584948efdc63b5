/* arena.c - memory that is given back all at once: a bump pointer through blocks of huge_alloc().
 *
 * Only the newest block has room; what is left in the one before is given up.  Blocks never move,
 * so pointers stay good until arena_free().
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/huge.h"

/* Blocks grow with the arena, so that a large one lies in huge pages. */
enum { BLOCK_OCTETS = 64 * 1024, BLOCK_MOST = 16 * 1024 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t size;
	alignas(max_align_t) uint8_t octets[];
};

static struct arena_block *add_block(struct arena *arena, size_t size)
{
	struct arena_block *block;

	if (size > SIZE_MAX - sizeof(*block))
		return NULL;
	block = huge_alloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->left = size;
	return block;
}

static size_t next_size(const struct arena_block *last)
{
	if (!last || last->size < BLOCK_OCTETS)
		return BLOCK_OCTETS;
	return last->size < BLOCK_MOST / 2 ? 2 * last->size : BLOCK_MOST;
}

static void *take(struct arena *arena, size_t n)
{
	struct arena_block *block = arena->blocks;
	void *p;

	/* What is larger than a block gets one of its own, which is full at once. */
	if (!block || n > arena->left)
		block = add_block(arena, n > next_size(block) ? n : next_size(block));
	if (!block)
		return NULL;
	p = block->octets + (block->size - arena->left);
	arena->left -= n;
	return p;
}

void *arena_alloc(struct arena *arena, size_t n)
{
	const size_t unit = alignof(max_align_t);

	if (n > SIZE_MAX - unit)
		return NULL;
	arena->left -= arena->left % unit; /* blocks begin aligned, so their ends tell */
	return take(arena, (n + unit - 1) / unit * unit);
}

/* Texts lie unaligned, one right behind the other: a configuration is mostly short words.  The
 * NUL is there already, as blocks come zeroed. */
char *arena_text(struct arena *arena, struct slice text)
{
	char *copy = text.n < SIZE_MAX ? take(arena, text.n + 1) : NULL;

	if (copy && text.n > 0)
		memcpy(copy, text.p, text.n);
	return copy;
}

void arena_free(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	arena->left = 0;
}
