/* The entries of a journal in memory. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "mailbox/journal_priv.h"

static int by_key(const void *va, const void *vb)
{
	const struct journal_key *a = va, *b = vb;
	int d = memcmp(a->id, b->id, sizeof(a->id));

	return d ? d : a->kind - b->kind;
}

struct kept *kept_find(const struct journal *journal, const struct journal_key *key)
{
	struct kept **node = tfind(key, &journal->tree, by_key);

	return node ? *node : NULL;
}

static void drop_contents(struct kept *entry)
{
	for (size_t i = 0; entry->notes && i < entry->destinations; i++)
		free(entry->notes[i]);
	free(entry->notes);
	free(entry->states);
	entry->notes = NULL;
	entry->states = NULL;
	entry->destinations = 0;
	entry->payload_n = 0;
}

void kept_free(struct kept *entry)
{
	drop_contents(entry);
	free(entry);
}

struct kept *kept_new(const struct journal_key *key, int64_t end_s, size_t destinations)
{
	struct kept *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->key = *key;
	entry->end_s = end_s;
	entry->destinations = destinations;
	entry->states = calloc(destinations ? destinations : 1, sizeof(*entry->states));
	if (!entry->states) {
		free(entry);
		return NULL;
	}
	return entry;
}

int kept_add(struct journal *journal, struct kept *entry)
{
	if (!tsearch(entry, &journal->tree, by_key))
		return -ENOMEM;
	entry->link = journal->tail;
	*journal->tail = entry;
	journal->tail = &entry->next;
	journal->open_count += !entry->finished;
	return 0;
}

void kept_forget(struct journal *journal, struct kept *entry)
{
	tdelete(entry, &journal->tree, by_key);
	*entry->link = entry->next;
	if (entry->next)
		entry->next->link = entry->link;
	else
		journal->tail = entry->link;
	journal->open_count -= !entry->finished;
	kept_free(entry);
}

void kept_finish(struct journal *journal, struct kept *entry)
{
	journal->dead_bytes += entry->payload_n + JOURNAL_HEAD_ROOM;
	drop_contents(entry);
	journal->open_count -= !entry->finished;
	entry->finished = true;
}

int kept_prepare_state(struct kept *entry, struct slice note, char **copy_out)
{
	*copy_out = NULL;
	if (!note.n)
		return 0;
	if (!entry->notes)
		entry->notes = calloc(entry->destinations, sizeof(*entry->notes));
	if (entry->notes)
		*copy_out = strndup((const char *)note.p, note.n);
	return *copy_out ? 0 : -ENOMEM;
}

void kept_set_state(struct kept *entry, size_t destination, journal_state state, char *note)
{
	if (entry->notes) {
		free(entry->notes[destination]);
		entry->notes[destination] = note;
	}
	entry->states[destination] = state;
}

void journal_forget_ended(struct journal *journal, int64_t now_s)
{
	struct kept *next;

	for (struct kept *e = journal->oldest; e; e = next) {
		next = e->next;
		if (!e->finished || e->end_s > now_s)
			continue;
		journal->dead_bytes += JOURNAL_HEAD_ROOM;
		kept_forget(journal, e);
	}
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
