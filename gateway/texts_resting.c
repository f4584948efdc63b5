/* texts_resting.c - files that could not be dealt with, by id, each with a time
 * before which it is not looked at again. */
#include "gateway/texts_resting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/idhash.h"
#include "base/idmap.h"

struct file {
	struct idmap_node node; /* by id */
	uint8_t id[TEXTS_RESTING_ID];
	int64_t until_ms;
	unsigned times;
	unsigned listing; /* in which it was there */
};

struct texts_resting {
	struct idmap map;
	struct idhash hash;
	unsigned listing;
	char why[TEXTS_RESTING_WHY];
};

struct texts_resting *texts_resting_new(void)
{
	struct texts_resting *resting = calloc(1, sizeof(*resting));

	if (resting && (idhash_init(&resting->hash) || idmap_init(&resting->map)))
		texts_resting_free(&resting);
	return resting;
}

void texts_resting_wake(struct texts_resting *resting)
{
	struct idmap_node *node;

	while ((node = idmap_take(&resting->map)))
		free(IDMAP_OWNER(node, struct file, node));
}

void texts_resting_free(struct texts_resting **restingp)
{
	struct texts_resting *resting = *restingp;

	if (!resting)
		return;
	*restingp = NULL;
	if (resting->map.buckets)
		texts_resting_wake(resting);
	idmap_done(&resting->map);
	free(resting);
}

static struct file *find(const struct texts_resting *resting, const uint8_t id[TEXTS_RESTING_ID])
{
	struct idmap_node *node = idmap_first(&resting->map, idhash_of(&resting->hash, id, 0));

	for (; node; node = idmap_next(node)) {
		struct file *file = IDMAP_OWNER(node, struct file, node);

		if (memcmp(file->id, id, sizeof(file->id)) == 0)
			return file;
	}
	return NULL;
}

static struct file *new_file(struct texts_resting *resting, const uint8_t id[TEXTS_RESTING_ID])
{
	struct file *file = resting->map.used < TEXTS_MAX_RESTING ? calloc(1, sizeof(*file)) : NULL;

	if (!file)
		return NULL;
	memcpy(file->id, id, sizeof(file->id));
	idmap_put(&resting->map, &file->node, idhash_of(&resting->hash, id, 0));
	return file;
}

bool texts_resting_add(struct texts_resting *resting, const uint8_t id[TEXTS_RESTING_ID],
		       const char *why, int64_t now_ms)
{
	struct file *file = find(resting, id);
	bool first = !file;

	if (first)
		file = new_file(resting, id);
	if (!file)
		return false; /* its reason is in the log of others */
	snprintf(resting->why, sizeof(resting->why), "%s", why);
	file->listing = resting->listing;
	/* Doubles up to TEXTS_REST_DOUBLINGS times. */
	file->until_ms = now_ms + ((int64_t)TEXTS_REST_MS << file->times);
	if (file->times < TEXTS_REST_DOUBLINGS)
		file->times++;
	return first;
}

void texts_resting_remove(struct texts_resting *resting, const uint8_t id[TEXTS_RESTING_ID])
{
	struct file *file = find(resting, id);

	if (!file)
		return;
	idmap_remove(&resting->map, &file->node);
	free(file);
}

bool texts_resting_has(struct texts_resting *resting, const uint8_t id[TEXTS_RESTING_ID],
		       int64_t now_ms)
{
	struct file *file = find(resting, id);

	if (!file)
		return false;
	file->listing = resting->listing;
	return file->until_ms > now_ms;
}

void texts_resting_begin(struct texts_resting *resting)
{
	resting->listing++;
}

/* What a whole listing has not seen is gone from the directory. */
void texts_resting_end(struct texts_resting *resting)
{
	for (size_t i = 0; i < (size_t)1 << resting->map.bits; i++) {
		struct idmap_node *node = resting->map.buckets[i], *next;

		for (; node; node = next) {
			struct file *file = IDMAP_OWNER(node, struct file, node);

			next = node->next;
			if (file->listing == resting->listing)
				continue;
			idmap_remove(&resting->map, node);
			free(file);
		}
	}
}

size_t texts_resting_count(const struct texts_resting *resting)
{
	return resting->map.used;
}

const char *texts_resting_why(const struct texts_resting *resting)
{
	return resting->why;
}
