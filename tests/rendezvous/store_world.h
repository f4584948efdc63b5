/* store_world.h - a store with a redis-server of its own, and what it answered.
 *
 * Include tests/unit.h before it: what must not happen fails the test.
 */
#ifndef TESTS_RENDEZVOUS_STORE_WORLD_H
#define TESTS_RENDEZVOUS_STORE_WORLD_H

#include <sys/types.h>

#include "rendezvous/store.h"

enum { WORLD_PATIENCE_MS = 10000, WORLD_ITEMS_MAX = 10000 };

struct world {
	char dir[64];
	pid_t redis;
	struct event_base *base;
	struct store *store;
	bool up;
	unsigned done, failed;
	int err; /* of the last command */
	uint64_t number;
	uint64_t numbers[128]; /* of what was added, in that order */
	unsigned n_numbers;
	unsigned items;
	uint64_t first, last; /* numbers of what was read */
	char kept[64];        /* of the last item */
};

/* Starts Redis, which takes so many octets of memory ("0": any), and a store that is up. */
struct world *world_begin(const char *max_octets);

/* Ends both and removes what they kept. */
void world_end(struct world *world);

/* Starts another Redis in the place of one that the test has ended. */
void world_start_redis(struct world *world, const char *max_octets);

/* Makes another store, which becomes the world's; the caller has seen to the one before. */
void world_connect(struct world *world);

/* Runs the loop until the store is up, or down. */
void world_until_up(struct world *world, bool up);

/* Runs the loop until so many commands are done, and forgets them. */
void world_await(struct world *world, unsigned done);

/* What the store calls when it is done, or for an item; arg is the world.  An item has to be as
 * world_add() makes it. */
void world_done(void *arg, int err, uint64_t number);
void world_item(void *arg, const struct store_item *item);

/* Adds a message for uri of these n octets.  Returns what store_add() does. */
int world_add(struct world *world, const char *uri, const char *post, size_t n);

/* Reads all that there is for uri. */
void world_read_all(struct world *world, const char *uri);

#endif
