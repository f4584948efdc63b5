/* store_deletes.c - messages that were taken go out of redis_low: lazily, and with as few commands
 * as can be.
 *
 * An entry of a stream may hold several messages (store_packs.c).  It goes when all of them are
 * taken; until then those that are taken stand in the hash "t:URI", by entry, as a mask of 64 bits,
 * and nobody reads them any more.  Whoever takes in order, and soon, never causes such a note.
 * A note that was not written (Redis full, or killed) means that a message is fetched and taken
 * once more: its receiver knows it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/timer.h"
#include "rendezvous/store_priv.h"

/* An entry of which some messages are taken. */
struct store_partial {
	struct idmap_node node;     /* by stream and entry */
	struct store_partial *next; /* of those that are dirty */
	bool dirty;                 /* Redis has to be told */
	uint64_t entry;
	uint64_t taken; /* a bit for each message */
	uint64_t all;   /* of them; 0: how many there are is not known yet */
	bool noted;     /* the hash has a field for it */
	char key[];     /* of the stream */
};

/* ---- entries of which some messages are taken ---- */

static uint64_t partial_key(const struct store *store, const char *key, uint64_t entry)
{
	return keyhash_of(&store->hash, slice_str(key)) ^ entry;
}

static void add(struct store *store, struct store_partial *partial)
{
	idmap_put(&store->partials, &partial->node,
		  partial_key(store, partial->key, partial->entry));
	store->n_partials++;
}

static void note_later(struct store *store, struct store_partial *partial)
{
	partial->dirty = true;
	partial->next = store->dirty;
	store->dirty = partial;
}

static struct store_partial *find_partial(const struct store *store, const char *key,
					  uint64_t entry)
{
	struct idmap_node *node = idmap_first(&store->partials, partial_key(store, key, entry));

	for (; node; node = idmap_next(node)) {
		struct store_partial *partial = IDMAP_OWNER(node, struct store_partial, node);

		if (partial->entry == entry && strcmp(partial->key, key) == 0)
			return partial;
	}
	return NULL;
}

/* Forgets those of a stream, or (NULL) all whose notes are written: whoever reads such an entry
 * reads them again. */
static void forget(struct store *store, const char *key)
{
	struct store_partial *kept = NULL, *partial;
	struct idmap_node *node;

	store->dirty = NULL;
	store->n_partials = 0;
	/* A map cannot be changed while it is walked over: all are taken out, and those that
	 * stay put back. */
	while ((node = idmap_take(&store->partials))) {
		partial = IDMAP_OWNER(node, struct store_partial, node);
		if (key ? strcmp(partial->key, key) == 0 : !partial->dirty) {
			free(partial);
			continue;
		}
		partial->next = kept;
		kept = partial;
	}
	for (; kept; kept = partial) {
		partial = kept->next;
		add(store, kept);
		if (kept->dirty)
			note_later(store, kept);
	}
}

void store_forget_stream(struct store *store, const char *key)
{
	if (store->n_partials)
		forget(store, key);
}

static struct store_partial *need_partial(struct store *store, const char *key, uint64_t entry)
{
	struct store_partial *partial = find_partial(store, key, entry);

	if (partial)
		return partial;
	/* Those that Redis knows of cost only another read; those that it does not stay. */
	if (store->n_partials >= STORE_PARTIALS_MAX)
		forget(store, NULL);
	partial = calloc(1, sizeof(*partial) + strlen(key) + 1);
	if (!partial)
		return NULL;
	partial->entry = entry;
	memcpy(partial->key, key, strlen(key));
	add(store, partial);
	return partial;
}

static void drop_partial(struct store *store, struct store_partial *partial)
{
	struct store_partial **at = &store->dirty;

	while (*at && *at != partial)
		at = &(*at)->next;
	if (*at)
		*at = partial->next;
	idmap_remove(&store->partials, &partial->node);
	store->n_partials--;
	free(partial);
}

void store_forget_partials(struct store *store)
{
	store->dirty = NULL;
	for (struct idmap_node *node; (node = idmap_take(&store->partials));)
		free(IDMAP_OWNER(node, struct store_partial, node));
	store->n_partials = 0;
}

void store_note_taken(struct store *store, const char *key, uint64_t entry, uint64_t taken)
{
	struct store_partial *partial = need_partial(store, key, entry);

	if (!partial)
		return;
	/* Added, never replaced: what was taken here meanwhile may not be in the note yet. */
	partial->taken |= taken;
	partial->noted = true;
}

uint64_t store_taken_of(struct store *store, const char *key, uint64_t entry)
{
	const struct store_partial *partial = find_partial(store, key, entry);

	return partial ? partial->taken : 0;
}

/* ---- gathering ---- */

static void write_notes(struct store *store)
{
	struct store_partial *partial;

	while ((partial = store->dirty)) {
		store->dirty = partial->next;
		partial->dirty = false;
		partial->noted = true;
		store_write_note(store, partial->key, partial->entry, partial->taken);
	}
}

/* The gathered deletions of one user as commands, behind those that wait already. */
static void end_deletes(struct store *store)
{
	struct store_deletes *deletes = &store->deletes;

	if (deletes->to)
		store_write_trim(store, deletes->key, deletes->to);
	store_write_deletes(store, deletes);
	deletes->to = 0;
	deletes->n = deletes->n_noted = 0;
}

void store_end_deletes(struct store *store)
{
	end_deletes(store);
	write_notes(store);
}

/* Whoever fetched many messages takes them one behind the other: one command for all. */
static int gather(struct store *store, const char *key, uint64_t number)
{
	struct store_deletes *deletes = &store->deletes;

	if (!store_is_up(store))
		return -EPIPE;
	/* One user's at a time: whoever fetches takes his own, one behind the other. */
	if (deletes->n == STORE_DELETES_MAX || deletes->n_noted == STORE_DELETES_MAX ||
	    strcmp(deletes->key, key) != 0)
		end_deletes(store);
	snprintf(deletes->key, sizeof(deletes->key), "%s", key);
	/* What reads below it has to wait for these deletions (store_read()). */
	if (number > store->deleted_to)
		store->deleted_to = number;
	if (!event_pending(store->lazy_due, EV_TIMEOUT, NULL))
		timer_arm(store->lazy_due, STORE_DELETES_WAIT_MS);
	return 0;
}

/* The messages of bits are taken.  True: no other one of the entry is left. */
static bool take(struct store *store, const char *key, uint64_t number, uint64_t bits)
{
	uint64_t entry = store_entry_of(number);
	struct store_partial *partial = need_partial(store, key, entry);

	if (!partial)
		return false; /* without memory the entry stays, and is taken again */
	partial->taken |= bits;
	/* Only the last message of an entry tells how many there are. */
	if (store_ends_entry(number))
		partial->all = store_bits_to(number);
	if (!partial->all || partial->taken != partial->all) {
		if (!partial->dirty)
			note_later(store, partial);
		return false;
	}
	if (partial->noted)
		store->deletes.noted[store->deletes.n_noted++] = entry;
	drop_partial(store, partial);
	return true;
}

static bool is_alone(uint64_t number)
{
	return store_ends_entry(number) && store_bits_to(number) == 1;
}

static int delete_one(struct store *store, const char *key, uint64_t number)
{
	int err = gather(store, key, number);

	if (!err && (is_alone(number) || take(store, key, number, store_bit_of(number))))
		store->deletes.number[store->deletes.n++] = number;
	return err;
}

int store_delete(struct store *store, struct slice uri, uint64_t number)
{
	char key[STORE_KEY_SIZE];
	int err = store_message_key(uri, key);

	return err ? err : delete_one(store, key, number);
}

int store_delete_to(struct store *store, struct slice uri, uint64_t number)
{
	uint64_t first = store_entry_of(number) << STORE_ENTRY_SHIFT, to = first - 1;
	char key[STORE_KEY_SIZE];
	int err = store_message_key(uri, key);

	if (!err)
		err = gather(store, key, number);
	if (err)
		return err;
	/* The entry of the number itself may go on behind it: only those before it go in any
	 * case. */
	if (is_alone(number) || take(store, key, number, store_bits_to(number)))
		to = first | STORE_ENTRY_END;
	if (to > store->deletes.to)
		store->deletes.to = to;
	return 0;
}

void store_found_entry(struct store *store, const char *key, uint64_t last)
{
	struct store_partial *partial = find_partial(store, key, store_entry_of(last));

	if (!partial)
		return;
	partial->all = store_bits_to(last);
	/* All of it was taken when the connection was lost, or memory: it goes now. */
	if (partial->taken == partial->all)
		(void)delete_one(store, key, last);
}
