/* journal.c - changes, questions and tidying of a journal in use.
 *
 *     put --> set_state, set_payload, as often as wanted --> finish --> forgotten behind its end
 *
 * Every change is a record first and a change in memory after it, so that memory never says more
 * than the file.  Memory that a change needs is taken before its record is written.
 */
#include "mailbox/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "mailbox/journal_priv.h"

enum {
	SMALL_BYTES = 1 << 20, /* not worth writing anew while it runs */
	/* One step of journal_tidy(): some milliseconds. */
	LOOKS_AT_ONCE = 2000,
	COPIES_AT_ONCE = 500,
	OCTETS_AT_ONCE = 1 << 20,
};

/* --- changes: first the file, then what is in memory --- */

/* Appends a record of entry; on failure the file is as it was. */
static int append(struct journal *journal, struct kept *entry, const struct buf *head,
		  struct slice tail)
{
	off_t new_at = 0;
	ssize_t n;

	if (journal->broken)
		return -EIO;
	/* At our own end, not the file's: what a failed append may have left there is written
	 * over. */
	n = journal_file_append(&journal->file, journal->end, !journal->dirty, buf_slice(head),
				tail);
	if (n < 0) {
		journal->broken = n == -EIO;
		return (int)n;
	}
	/* One that is not copied yet is copied with this change when its turn comes. */
	if (journal->rewrite && entry->copied)
		journal_compact_follow(journal, head, tail, &new_at);
	if (new_at && head->p[0] == RECORD_PAYLOAD) {
		entry->open->new_at = new_at;
		entry->open->new_payload_at = (uint32_t)head->len;
	}
	journal->end += n;
	journal->dirty = true;
	return 0;
}

int journal_put(struct journal *journal, const struct journal_key *key, int64_t end_s,
		size_t destination_count, struct slice payload)
{
	uint8_t room[JOURNAL_HEAD_ROOM];
	struct buf b = kept_begin_body(room, RECORD_PUT, key);
	struct kept *entry;
	int err;

	if (destination_count > JOURNAL_MAX_DESTINATIONS || payload.n > JOURNAL_MAX_PAYLOAD_BYTES)
		return -E2BIG;
	/* Also one that is finished: a repeat is known by that until its end. */
	if (kept_find(journal, key))
		return -EEXIST;
	entry = kept_new(key, end_s, destination_count, false);
	if (!entry)
		return -ENOMEM;
	/* Its place is known before it is written; on failure nobody sees the entry. */
	entry->open->at = journal->end;
	entry->open->payload_at = JOURNAL_PUT_PAYLOAD_AT;
	entry->open->payload_n = (uint32_t)payload.n;
	buf_put_u64(&b, (uint64_t)end_s);
	buf_put_u16(&b, (uint16_t)destination_count);
	err = append(journal, entry, &b, payload);
	if (err)
		kept_free(entry);
	else
		kept_add(journal, entry);
	return err;
}

/* The entry, if it is there and not finished. */
static struct kept *find_open(const struct journal *journal, const struct journal_key *key)
{
	struct kept *entry = kept_find(journal, key);

	return entry && entry->open ? entry : NULL;
}

int journal_set_state(struct journal *journal, const struct journal_key *key, size_t destination,
		      journal_state state, struct slice note)
{
	struct kept *entry = find_open(journal, key);
	uint8_t room[JOURNAL_HEAD_ROOM];
	struct buf b = kept_begin_body(room, RECORD_STATE, key);
	char *copy;
	int err;

	if (!entry)
		return -ENOENT;
	if (destination >= entry->open->destinations)
		return -EINVAL;
	if (note.n > JOURNAL_MAX_NOTE_BYTES)
		return -E2BIG;
	/* Memory first: once the record is written nothing may fail. */
	err = kept_prepare_state(entry->open, note, &copy);
	if (err)
		return err;
	buf_put_u16(&b, (uint16_t)destination);
	buf_put_u8(&b, state);
	err = append(journal, entry, &b, note);
	if (err) {
		free(copy);
		return err;
	}
	journal->dead_bytes += JOURNAL_RECORD_HEAD_BYTES + b.len + note.n;
	kept_set_state(entry->open, destination, state, copy);
	return 0;
}

int journal_set_payload(struct journal *journal, const struct journal_key *key,
			struct slice payload)
{
	struct kept *entry = find_open(journal, key);
	uint8_t room[JOURNAL_HEAD_ROOM];
	struct buf b = kept_begin_body(room, RECORD_PAYLOAD, key);
	off_t at = journal->end;
	int err;

	if (!entry)
		return -ENOENT;
	if (payload.n > JOURNAL_MAX_PAYLOAD_BYTES)
		return -E2BIG;
	err = append(journal, entry, &b, payload);
	if (err)
		return err;
	/* Roughly: the head of the former record is dead as well. */
	journal->dead_bytes += entry->open->payload_n;
	entry->open->at = at;
	entry->open->payload_at = (uint32_t)b.len;
	entry->open->payload_n = (uint32_t)payload.n;
	entry->open->lost = false;
	return 0;
}

int journal_finish(struct journal *journal, const struct journal_key *key)
{
	struct kept *entry = find_open(journal, key);
	uint8_t room[JOURNAL_HEAD_ROOM];
	struct buf b = kept_begin_body(room, RECORD_FINISH, key);
	int err;

	if (!entry)
		return -ENOENT;
	err = append(journal, entry, &b, slice_of(NULL, 0));
	if (!err)
		kept_finish(journal, entry);
	return err;
}

/* The one of them by which the record goes into the file that is being written anew, too: it must
 * when any was copied there, and one that was not is copied as it is then.  NULL: none is open. */
static struct kept *first_of(const struct journal *journal, uint8_t kind,
			     const uint8_t (*ids)[JOURNAL_ID_BYTES], size_t n)
{
	struct journal_key key = { .kind = kind };
	struct kept *first = NULL;

	for (size_t i = 0; i < n && !(first && first->copied); i++) {
		struct kept *entry;

		memcpy(key.id, ids[i], sizeof(key.id));
		entry = find_open(journal, &key);
		if (entry && (!first || entry->copied))
			first = entry;
	}
	return first;
}

int journal_finish_all(struct journal *journal, uint8_t kind,
		       const uint8_t (*ids)[JOURNAL_ID_BYTES], size_t n)
{
	struct journal_key key = { .kind = kind };
	struct kept *entry = n > JOURNAL_MAX_TOGETHER ? NULL : first_of(journal, kind, ids, n);
	uint8_t room[JOURNAL_HEAD_ROOM];
	struct buf b;
	int err;

	if (n > JOURNAL_MAX_TOGETHER)
		return -E2BIG;
	if (!entry)
		return 0;
	memcpy(key.id, ids[0], sizeof(key.id));
	b = kept_begin_body(room, RECORD_FINISH, &key);
	err = append(journal, entry, &b,
		     slice_of(ids[0] + JOURNAL_ID_BYTES, (n - 1) * JOURNAL_ID_BYTES));
	for (size_t i = 0; i < n && !err; i++) {
		memcpy(key.id, ids[i], sizeof(key.id));
		entry = find_open(journal, &key);
		if (entry)
			kept_finish(journal, entry);
	}
	return err;
}

int journal_sync(struct journal *journal)
{
	if (journal->broken)
		return -EIO;
	if (!journal->dirty)
		return 0;
	if (fdatasync(journal->file.fd) < 0) {
		/* What was written may be lost though a second try would succeed. */
		journal->broken = true;
		return -EIO;
	}
	journal->dirty = false;
	return 0;
}

/* --- questions --- */

static void describe(const struct kept *entry, struct journal_entry *out)
{
	*out = (struct journal_entry){
		.key = entry->key,
		.end_s = entry->end_s,
		.finished = !entry->open,
	};
	if (!entry->open)
		return;
	out->payload_bytes = entry->open->payload_n;
	out->destination_count = entry->open->destinations;
	out->states = entry->open->states;
}

int journal_find(const struct journal *journal, const struct journal_key *key,
		 struct journal_entry *entry_out)
{
	const struct kept *entry = kept_find(journal, key);

	if (!entry)
		return 0;
	if (entry_out)
		describe(entry, entry_out);
	return 1;
}

int journal_payload(const struct journal *journal, const struct journal_key *key,
		    uint8_t **data_out, size_t *n_out)
{
	const struct kept *entry = find_open(journal, key);
	uint8_t *body;
	size_t n;
	int err;

	if (!entry)
		return -ENOENT;
	if (entry->open->lost)
		return -EBADMSG;
	err = journal_file_read(&journal->file, entry->open->at, &body, &n);
	if (err)
		return err;
	/* The CRC is good and yet the length is another: the record is not the one that was
	 * meant. */
	if (n != (size_t)entry->open->payload_at + entry->open->payload_n) {
		free(body);
		return -EBADMSG;
	}
	memmove(body, body + entry->open->payload_at, entry->open->payload_n);
	*data_out = body;
	*n_out = entry->open->payload_n;
	return 0;
}

const char *journal_note(const struct journal *journal, const struct journal_key *key,
			 size_t destination)
{
	const struct kept *entry = find_open(journal, key);

	if (!entry || !entry->open->notes || destination >= entry->open->destinations ||
	    !entry->open->notes[destination])
		return "";
	return entry->open->notes[destination];
}

void journal_each(const struct journal *journal,
		  bool (*each)(void *arg, const struct journal_entry *entry), void *arg)
{
	for (const struct kept *e = journal->oldest; e; e = e->next) {
		struct journal_entry entry;

		describe(e, &entry);
		if (!each(arg, &entry))
			return;
	}
}

/* --- tidying --- */

/* Looks at the next few entries. */
static void look(struct journal *journal, int64_t now_s,
		 void (*ended)(void *arg, const struct journal_entry *entry), void *arg)
{
	if (!journal->tidy_at)
		journal->tidy_at = journal->oldest;
	for (int i = 0; journal->tidy_at && i < LOOKS_AT_ONCE; i++) {
		struct kept *e = journal->tidy_at;
		struct journal_entry entry;

		journal->tidy_at = e->next;
		if (e->end_s > now_s)
			continue;
		if (!e->open) {
			journal->dead_bytes += JOURNAL_HEAD_ROOM;
			kept_forget(journal, e);
		} else if (ended) {
			describe(e, &entry);
			ended(arg, &entry);
		}
	}
}

int journal_tidy(struct journal *journal, int64_t now_s,
		 void (*ended)(void *arg, const struct journal_entry *entry), void *arg)
{
	int result;

	look(journal, now_s, ended, arg);
	if (journal->broken)
		return -EIO;
	/* Half of it dead: writing it anew costs at most as much as was written since. */
	if (!journal->rewrite) {
		if (journal->end < SMALL_BYTES || journal->dead_bytes < (size_t)journal->end / 2)
			return 0;
		result = journal_compact_begin(journal);
		if (result)
			return result;
	}
	result = journal_compact_step(journal, COPIES_AT_ONCE, OCTETS_AT_ONCE);
	return result < 0 ? result : !result;
}

size_t journal_open_count(const struct journal *journal)
{
	return journal->open_count;
}
