/* store_packs.c - messages of one user that are added at about the same time become one entry of
 * his stream.
 *
 * For each command Redis makes words, looks up a key, writes a head into its file and two answers,
 * and each time that it has read 16 KiB it sends what answers it has: with an entry for each
 * message of 1 KiB, a hundred of them cost 14 turns of its loop and ours.  A word of 32 KiB or more
 * Redis reads in one piece, to where it stays.
 *
 * An entry's one field holds a message as it is (store_write_head()), or of several
 *     2 (1 octet), how many (1), and each behind its length (4).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cursor.h"
#include "rendezvous/store_priv.h"

enum { PACK_HEAD = 2, LENGTH = 4 };

static struct store_pack *find(struct store *store, const char *key)
{
	for (unsigned i = 0; i < store->n_packs; i++)
		if (strcmp(store->packs[i].key, key) == 0)
			return &store->packs[i];
	return NULL;
}

/* Makes a command of it and leaves it empty, but for its room. */
static void close_pack(struct store *store, struct store_pack *pack)
{
	struct store_wait *wait = pack->wait;
	struct slice octets = slice_of(pack->octets, pack->n);

	pack->octets[1] = (uint8_t)wait->n_packed;
	/* Alone it stands as it did before there were packs. */
	if (wait->n_packed == 1)
		octets = slice_from(octets, PACK_HEAD + LENGTH);
	pack->wait = NULL;
	if (store_write_pack(store, pack->key, octets, pack->keep_until_s, wait)) {
		/* Without memory it is not sent: told like a lost connection, but not from here,
		 * where somebody adds something else. */
		wait->next = store->unsent;
		store->unsent = wait;
	}
	if (pack->capacity > STORE_SPARE_OCTETS) {
		free(pack->octets);
		pack->octets = NULL;
		pack->capacity = 0;
	}
}

void store_close_packs(struct store *store)
{
	unsigned n = store->n_packs;

	store->n_packs = 0;
	for (unsigned i = 0; i < n; i++)
		close_pack(store, &store->packs[i]);
}

static int make_room(struct store_pack *pack, size_t n)
{
	size_t capacity = pack->capacity ? pack->capacity : STORE_PACK_FIRST;
	uint8_t *p;

	while (capacity - pack->n < n)
		capacity *= 2;
	if (capacity == pack->capacity)
		return 0;
	p = realloc(pack->octets, capacity);
	if (!p)
		return -ENOMEM;
	pack->octets = p;
	pack->capacity = capacity;
	return 0;
}

static void put(struct store_pack *pack, struct slice head, struct slice post)
{
	size_t n = head.n + post.n;
	uint8_t *p = pack->octets + pack->n;

	pack->octets[0] = STORE_PACK_VERSION;
	for (unsigned i = 0; i < LENGTH; i++)
		*p++ = (uint8_t)(n >> (8 * (LENGTH - 1 - i)));
	memcpy(p, head.p, head.n);
	if (post.n)
		memcpy(p + head.n, post.p, post.n);
	pack->n += LENGTH + n;
}

/* The stream's pack if it has room for n more octets; one that is full is closed. */
static struct store_pack *find_room(struct store *store, const char *key, size_t n)
{
	struct store_pack *pack = find(store, key), *last, full;

	/* A message of one sender behind another stays behind it: only the newest pack of a
	 * stream is open. */
	if (!pack ||
	    (pack->wait->n_packed < STORE_PACK_MESSAGES && pack->n + n <= STORE_PACK_OCTETS))
		return pack;
	close_pack(store, pack);
	last = &store->packs[--store->n_packs];
	full = *pack; /* its room is kept for the next one */
	*pack = *last;
	*last = full;
	return NULL;
}

/* An empty one behind the others, which counts when something is in it. */
static struct store_pack *begin_pack(struct store *store, const char *key)
{
	struct store_pack *pack;
	struct store_wait *wait;

	if (store->n_packs == STORE_PACKS_OPEN)
		store_close_packs(store);
	/* With room for all who may wait, so that nothing can fail once the octets are in. */
	wait = calloc(1, sizeof(*wait) + STORE_PACK_MESSAGES * sizeof(*wait->packed));
	if (!wait)
		return NULL;
	wait->packed = (struct store_packed *)(void *)(wait + 1);
	pack = &store->packs[store->n_packs];
	pack->wait = wait;
	pack->n = PACK_HEAD;
	pack->keep_until_s = 0;
	memcpy(pack->key, key, strlen(key) + 1);
	return pack;
}

int store_pack_add(struct store *store, const char *key, const struct store_message *message)
{
	size_t n = LENGTH + message->head.n + message->post.n;
	struct store_pack *pack = find_room(store, key, n);
	bool fresh = !pack;
	struct store_wait *wait;

	if (fresh)
		pack = begin_pack(store, key);
	if (!pack)
		return -ENOMEM;
	wait = pack->wait;
	/* One that others are in stays open as it is. */
	if (make_room(pack, n)) {
		if (fresh)
			free(wait);
		return -ENOMEM;
	}
	store->n_packs += fresh;
	put(pack, message->head, message->post);
	wait->packed[wait->n_packed++] = (struct store_packed){ message->done, message->arg };
	if (message->keep_until_s > pack->keep_until_s)
		pack->keep_until_s = message->keep_until_s;
	/* Counted as a command each: the next group waits for messages, not for entries. */
	store->group.commands++;
	return 0;
}

void store_fail_packs(struct store *store)
{
	while (store->n_packs > 0) {
		struct store_pack *pack = &store->packs[--store->n_packs];

		pack->wait->next = store->unsent;
		store->unsent = pack->wait;
		pack->wait = NULL;
	}
	/* When none is open any more: who is told may add again. */
	store_settle_unsent(store);
}

void store_settle_unsent(struct store *store)
{
	struct store_wait *wait;

	while ((wait = store->unsent)) {
		store->unsent = wait->next;
		store_settle(store, wait, NULL);
	}
}

void store_free_packs(struct store *store)
{
	for (unsigned i = 0; i < STORE_PACKS_OPEN; i++)
		free(store->packs[i].octets);
}

int store_read_pack(struct slice octets, store_packed_fn *message, void *arg)
{
	struct cursor c = cursor_of(octets);
	unsigned n;

	if (octets.n == 0 || *octets.p != STORE_PACK_VERSION) {
		message(arg, octets, 0, true);
		return 1;
	}
	cursor_u8(&c);
	n = cursor_u8(&c);
	for (unsigned i = 0; i < n && i < STORE_PACK_MAX; i++) {
		struct slice one = cursor_take(&c, cursor_u32(&c));

		if (!cursor_ok(&c))
			return -EBADMSG;
		message(arg, one, i, i + 1 == n);
	}
	/* Of one that is damaged, the messages before the fault were handed on: better some
	 * than none. */
	return n <= STORE_PACK_MAX && n > 0 && cursor_at_end(&c) ? (int)n : -EBADMSG;
}
