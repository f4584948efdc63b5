/* The entries of a journal in memory. */
#include <errno.h>
#include <stdlib.h>

#include "mailbox/journal_priv.h"

/* Under a secret of this process: ids come from the network, and may be chosen. */
static uint64_t hash_of(const struct journal *journal, const struct journal_key *key)
{
	return idhash_of(&journal->hash, key->id, key->kind);
}

struct kept *kept_find(const struct journal *journal, const struct journal_key *key)
{
	/* Two keys may have one hash: the key itself decides. */
	struct idmap_node *node = idmap_first(&journal->map, hash_of(journal, key));

	for (; node; node = idmap_next(node)) {
		struct kept *entry = IDMAP_OWNER(node, struct kept, node);

		if (entry->key.kind == key->kind &&
		    memcmp(entry->key.id, key->id, sizeof(key->id)) == 0)
			return entry;
	}
	return NULL;
}

static void free_open(struct kept *entry)
{
	struct kept_open *open = entry->open;

	if (!open)
		return;
	for (size_t i = 0; open->notes && i < open->destinations; i++)
		free(open->notes[i]);
	free(open->notes);
	free(open);
	entry->open = NULL;
}

void kept_free(struct kept *entry)
{
	free_open(entry);
	free(entry);
}

struct kept *kept_new(const struct journal_key *key, int64_t end_s, size_t destinations,
		      bool finished)
{
	struct kept *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->key = *key;
	entry->end_s = end_s;
	if (finished)
		return entry;
	entry->open = calloc(1, sizeof(*entry->open) + destinations * sizeof(journal_state));
	if (!entry->open) {
		free(entry);
		return NULL;
	}
	entry->open->destinations = (uint32_t)destinations;
	return entry;
}

/* Behind all others: the list is in the order of the file, which is that of time. */
void kept_add(struct journal *journal, struct kept *entry)
{
	idmap_put(&journal->map, &entry->node, hash_of(journal, &entry->key));
	entry->link = journal->tail;
	*journal->tail = entry;
	journal->tail = &entry->next;
	journal->open_count += entry->open != NULL;
	/* Nothing was left to copy: this one is what is left now. */
	if (journal->rewrite && !journal->rewrite->next)
		journal->rewrite->next = entry;
}

void kept_forget(struct journal *journal, struct kept *entry)
{
	idmap_remove(&journal->map, &entry->node);
	/* Both walks go on behind the entry that goes. */
	if (journal->tidy_at == entry)
		journal->tidy_at = entry->next;
	if (journal->rewrite && journal->rewrite->next == entry)
		journal->rewrite->next = entry->next;
	*entry->link = entry->next;
	if (entry->next)
		entry->next->link = entry->link;
	else
		journal->tail = entry->link;
	journal->open_count -= entry->open != NULL;
	kept_free(entry);
}

void kept_finish(struct journal *journal, struct kept *entry)
{
	journal->dead_bytes += entry->open->payload_n + JOURNAL_HEAD_ROOM;
	/* The entry stays in list and map: its id is what recognises a repeat. */
	journal->open_count--;
	free_open(entry);
}

int kept_prepare_state(struct kept_open *open, struct slice note, char **copy_out)
{
	*copy_out = NULL;
	if (!note.n)
		return 0;
	/* On failure the empty list stays, which is as good as none. */
	if (!open->notes)
		open->notes = calloc(open->destinations, sizeof(*open->notes));
	if (open->notes)
		*copy_out = strndup((const char *)note.p, note.n);
	return *copy_out ? 0 : -ENOMEM;
}

void kept_set_state(struct kept_open *open, size_t destination, journal_state state, char *note)
{
	if (open->notes) {
		free(open->notes[destination]);
		open->notes[destination] = note;
	}
	open->states[destination] = state;
}

struct buf kept_begin_body(uint8_t room[JOURNAL_HEAD_ROOM], enum record_type type,
			   const struct journal_key *key)
{
	struct buf b = buf_over(room, JOURNAL_HEAD_ROOM);

	buf_put_u8(&b, (uint8_t)type);
	buf_put_u8(&b, key->kind);
	buf_put(&b, key->id, sizeof(key->id));
	return b;
}
