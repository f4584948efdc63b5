/* recent.c - who was there within the last moments, by a keyed hash in a table of one
 * place each: whoever takes another's place makes it forgotten, never known falsely
 * but for equal hashes. */
#include "rendezvous/recent.h"

#include <stdlib.h>

#include "base/slice.h"
#include "rendezvous/keyhash.h"

enum { PLACES = 4096 };

struct recent {
	struct keyhash hash;
	int64_t ms;
	struct place {
		uint64_t key; /* 0: free */
		int64_t at_ms;
	} places[PLACES];
};

struct recent *recent_new(int64_t ms)
{
	struct recent *recent = calloc(1, sizeof(*recent));

	if (recent && keyhash_init(&recent->hash)) {
		free(recent);
		return NULL;
	}
	if (recent)
		recent->ms = ms;
	return recent;
}

void recent_free(struct recent **recentp)
{
	free(*recentp);
	*recentp = NULL;
}

static uint64_t key_of(const struct recent *recent, const char *who)
{
	/* Only the hash is kept: 64 bits, under a key that nobody knows, do not meet by chance
	 * or intent. */
	uint64_t key = keyhash_of(&recent->hash, slice_str(who));

	/* 0 is the mark of a free place. */
	return key ? key : 1;
}

void recent_note(struct recent *recent, const char *who, int64_t now_ms)
{
	uint64_t key = key_of(recent, who);

	recent->places[key % PLACES] = (struct place){ key, now_ms };
}

bool recent_has(const struct recent *recent, const char *who, int64_t now_ms)
{
	uint64_t key = key_of(recent, who);
	const struct place *place = &recent->places[key % PLACES];

	return place->key == key && now_ms - place->at_ms < recent->ms;
}
