#include "mailbox/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/diag.h"
#include "base/file.h"
#include "mailbox/journal_file.h"

/* A record's body is: type (1), kind (1), id (16), then what the type has. */
enum record_type {
	RECORD_PUT = 1,      /* end (8), destinations (2), payload */
	RECORD_STATE = 2,    /* destination (2), state (1), note */
	RECORD_PAYLOAD = 3,  /* payload */
	RECORD_FINISH = 4,   /* nothing */
	RECORD_FINISHED = 5, /* end (8): an entry that was put and finished before */
};

enum {
	KEY_BYTES = 1 + JOURNAL_ID_BYTES,
	HEAD_ROOM = 64,        /* a body without payload and note, and a NUL */
	SMALL_BYTES = 1 << 20, /* not worth writing anew while it runs */
};

struct kept {
	struct journal_key key; /* first: the tree compares it */
	struct kept *next, **link;
	int64_t end_s;
	bool finished;
	off_t at;          /* the record that holds the payload */
	size_t payload_at; /* in its body */
	size_t payload_n;
	size_t destinations;
	journal_state *states;
	char **notes; /* each NULL or a text; NULL while there is none */
};

struct journal {
	char *path;
	int fd, lock;
	off_t end;
	bool dirty, broken;
	void *tree; /* of struct kept, by key */
	struct kept *oldest, **tail;
	size_t open_count;
	size_t dead_bytes; /* in the file, roughly */
};

/* --- entries --- */

static int by_key(const void *va, const void *vb)
{
	const struct journal_key *a = va, *b = vb;
	int d = memcmp(a->id, b->id, sizeof(a->id));

	return d ? d : a->kind - b->kind;
}

static struct kept *find(const struct journal *journal, const struct journal_key *key)
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

static void entry_free(struct kept *entry)
{
	drop_contents(entry);
	free(entry);
}

/* Makes an entry that is not in the journal yet; NULL when memory is out. */
static struct kept *entry_new(const struct journal_key *key, int64_t end_s, size_t destinations)
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

static int add(struct journal *journal, struct kept *entry)
{
	if (!tsearch(entry, &journal->tree, by_key))
		return -ENOMEM;
	entry->link = journal->tail;
	*journal->tail = entry;
	journal->tail = &entry->next;
	journal->open_count += !entry->finished;
	return 0;
}

static void forget(struct journal *journal, struct kept *entry)
{
	tdelete(entry, &journal->tree, by_key);
	*entry->link = entry->next;
	if (entry->next)
		entry->next->link = entry->link;
	else
		journal->tail = entry->link;
	journal->open_count -= !entry->finished;
	entry_free(entry);
}

static void mark_finished(struct journal *journal, struct kept *entry)
{
	journal->dead_bytes += entry->payload_n + HEAD_ROOM;
	drop_contents(entry);
	journal->open_count -= !entry->finished;
	entry->finished = true;
}

/* Makes what set_state needs, so that it cannot fail: a copy of note. */
static int prepare_state(struct kept *entry, struct slice note, char **copy_out)
{
	if (!entry->notes)
		entry->notes = calloc(entry->destinations, sizeof(*entry->notes));
	*copy_out = entry->notes ? strndup(note.n ? (const char *)note.p : "", note.n) : NULL;
	return *copy_out ? 0 : -ENOMEM;
}

/* Takes note over. */
static void set_state(struct kept *entry, size_t destination, journal_state state, char *note)
{
	free(entry->notes[destination]);
	entry->notes[destination] = note;
	entry->states[destination] = state;
}

/* --- bodies --- */

static struct buf begin_body(uint8_t room[HEAD_ROOM], enum record_type type,
			     const struct journal_key *key)
{
	struct buf b = buf_over(room, HEAD_ROOM);

	buf_put_u8(&b, (uint8_t)type);
	buf_put_u8(&b, key->kind);
	buf_put(&b, key->id, sizeof(key->id));
	return b;
}

/* Appends a record; on failure the file is as it was. */
static int append(struct journal *journal, const struct buf *head, struct slice tail)
{
	ssize_t n;

	if (journal->broken)
		return -EIO;
	n = journal_file_append(journal->fd, journal->end, buf_slice(head), tail);
	if (n < 0) {
		journal->broken = n == -EIO;
		return (int)n;
	}
	journal->end += n;
	journal->dirty = true;
	return 0;
}

/* --- reading the file at the start --- */

static int replay_put(struct journal *journal, const struct journal_key *key, off_t at,
		      struct cursor *c, size_t body_n, bool finished)
{
	int64_t end_s = (int64_t)cursor_u64(c);
	size_t destinations = finished ? 0 : cursor_u16(c);
	struct kept *entry = find(journal, key);
	int err;

	if (!cursor_ok(c) || destinations > JOURNAL_MAX_DESTINATIONS)
		return 0; /* not ours: the CRC says it was meant so, by another version */
	if (entry)
		forget(journal, entry); /* it was past its end, and came again */
	entry = entry_new(key, end_s, destinations);
	if (!entry)
		return -ENOMEM;
	entry->finished = finished;
	entry->at = at;
	entry->payload_at = body_n - c->left;
	entry->payload_n = c->left;
	err = add(journal, entry);
	if (err)
		entry_free(entry);
	return err;
}

static int replay_state(struct kept *entry, struct cursor *c)
{
	size_t destination = cursor_u16(c);
	journal_state state = cursor_u8(c);
	char *note;

	if (!cursor_ok(c) || destination >= entry->destinations)
		return 0;
	if (prepare_state(entry, cursor_take(c, c->left), &note) < 0)
		return -ENOMEM;
	set_state(entry, destination, state, note);
	return 0;
}

static int replay(void *arg, off_t at, struct slice body)
{
	struct journal *journal = arg;
	struct cursor c = cursor_of(body);
	enum record_type type = cursor_u8(&c);
	struct journal_key key = { .kind = cursor_u8(&c) };
	struct slice id = cursor_take(&c, sizeof(key.id));
	struct kept *entry;

	if (!cursor_ok(&c))
		return 0;
	memcpy(key.id, id.p, id.n);
	if (type == RECORD_PUT || type == RECORD_FINISHED)
		return replay_put(journal, &key, at, &c, body.n, type == RECORD_FINISHED);
	entry = find(journal, &key);
	if (!entry || entry->finished)
		return 0;
	if (type == RECORD_STATE)
		return replay_state(entry, &c);
	if (type == RECORD_FINISH)
		mark_finished(journal, entry);
	if (type == RECORD_PAYLOAD) {
		journal->dead_bytes += entry->payload_n;
		entry->at = at;
		entry->payload_at = body.n - c.left;
		entry->payload_n = c.left;
	}
	return 0;
}

/* --- writing the file anew --- */

/* The new file while it is written. */
struct rewrite {
	const struct journal *old;
	int fd;
	off_t end;
};

static int rewrite_record(struct rewrite *rewrite, const struct buf *head, struct slice tail)
{
	ssize_t n = journal_file_append(rewrite->fd, rewrite->end, buf_slice(head), tail);

	if (n < 0)
		return (int)n;
	rewrite->end += n;
	return 0;
}

static int rewrite_states(struct rewrite *rewrite, const struct kept *entry)
{
	int err = 0;

	for (size_t i = 0; !err && i < entry->destinations; i++) {
		uint8_t room[HEAD_ROOM];
		struct buf b = begin_body(room, RECORD_STATE, &entry->key);
		const char *note = entry->notes ? entry->notes[i] : NULL;

		if (entry->states[i] == JOURNAL_STATE_OPEN && !note)
			continue;
		buf_put_u16(&b, (uint16_t)i);
		buf_put_u8(&b, entry->states[i]);
		err = rewrite_record(rewrite, &b, slice_str(note));
	}
	return err;
}

/* The entry gets its new place in at_out; it is not changed, as the rewrite may fail. */
static int rewrite_entry(struct rewrite *rewrite, const struct kept *entry, off_t *at_out)
{
	uint8_t room[HEAD_ROOM], *body = NULL;
	struct buf b =
		begin_body(room, entry->finished ? RECORD_FINISHED : RECORD_PUT, &entry->key);
	struct slice payload;
	size_t n;
	int err;

	*at_out = rewrite->end;
	buf_put_u64(&b, (uint64_t)entry->end_s);
	if (entry->finished)
		return rewrite_record(rewrite, &b, slice_of(NULL, 0));
	buf_put_u16(&b, (uint16_t)entry->destinations);
	err = journal_file_read(rewrite->old->fd, entry->at, &body, &n);
	if (err)
		return err;
	payload = slice_from(slice_of(body, n), entry->payload_at);
	err = rewrite_record(rewrite, &b, payload);
	free(body);
	return err ? err : rewrite_states(rewrite, entry);
}

/* Writes all entries; places gets their new offsets, in order. */
static int rewrite_all(struct rewrite *rewrite, off_t *places)
{
	size_t i = 0;
	int err = 0;

	for (const struct kept *e = rewrite->old->oldest; !err && e; e = e->next)
		err = rewrite_entry(rewrite, e, &places[i++]);
	if (!err && fdatasync(rewrite->fd) < 0)
		err = -errno;
	return err;
}

/* The payload stands at this place in the body of RECORD_PUT. */
enum { PUT_PAYLOAD_AT = 1 + KEY_BYTES + 8 + 2 };

static void take_over(struct journal *journal, const struct rewrite *rewrite, const off_t *places)
{
	size_t i = 0;

	close(journal->fd);
	journal->fd = rewrite->fd;
	journal->end = rewrite->end;
	journal->dirty = false;
	journal->dead_bytes = 0;
	for (struct kept *e = journal->oldest; e; e = e->next) {
		e->at = places[i++];
		e->payload_at = PUT_PAYLOAD_AT;
	}
}

static size_t count_entries(const struct journal *journal)
{
	size_t n = 0;

	for (const struct kept *e = journal->oldest; e; e = e->next)
		n++;
	return n;
}

/* Replaces the file by one that holds what is alive.  On failure all stays as it is. */
static int compact(struct journal *journal)
{
	struct rewrite rewrite = { .old = journal, .end = JOURNAL_MAGIC_BYTES };
	off_t *places = calloc(count_entries(journal) + 1, sizeof(*places));
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s.new", journal->path), err;

	if (!places)
		return -ENOMEM;
	if (n < 0 || (size_t)n >= sizeof(path)) {
		free(places);
		return -ENAMETOOLONG;
	}
	unlink(path);
	rewrite.fd = journal_file_open(path);
	err = rewrite.fd < 0 ? rewrite.fd : rewrite_all(&rewrite, places);
	if (!err && rename(path, journal->path) < 0)
		err = -errno;
	if (!err) {
		take_over(journal, &rewrite, places);
		/* From here on the new file is the journal, durable or not. */
		err = file_sync_parent(journal->path);
		journal->broken = journal->broken || err;
	} else if (rewrite.fd >= 0) {
		close(rewrite.fd);
		unlink(path);
	}
	free(places);
	return err;
}

static void forget_ended(struct journal *journal, int64_t now_s)
{
	struct kept *next;

	for (struct kept *e = journal->oldest; e; e = next) {
		next = e->next;
		if (!e->finished || e->end_s > now_s)
			continue;
		journal->dead_bytes += HEAD_ROOM;
		forget(journal, e);
	}
}

/* --- opening and closing --- */

static int load(struct journal *journal, int64_t now_s, struct diag *diag)
{
	ssize_t cut;
	int err;

	journal->fd = journal_file_open(journal->path);
	if (journal->fd < 0)
		return journal->fd;
	err = journal_file_scan(journal->fd, replay, journal, &journal->end);
	if (err)
		return err;
	cut = journal_file_cut(journal->fd, journal->end, journal->path);
	if (cut < 0)
		return (int)cut;
	if (cut > 0)
		diag_warning(diag, NULL, "%s: cut off a torn end of %zd octets (kept in %s.torn)",
			     journal->path, cut, journal->path);
	forget_ended(journal, now_s);
	err = journal->dead_bytes ? compact(journal) : 0;
	if (err && !journal->broken) { /* the old file is still good */
		diag_warning(diag, NULL, "%s: cannot be written anew: %s", journal->path,
			     strerror(-err));
		err = 0;
	}
	return err;
}

static int lock_and_load(struct journal *journal, int64_t now_s, struct diag *diag)
{
	int err;

	journal->lock = journal_file_lock(journal->path);
	err = journal->lock < 0 ? journal->lock : load(journal, now_s, diag);
	if (err)
		diag_error(diag, NULL, "%s: %s", journal->path,
			   err == -EBUSY     ? "another process has it open"
			   : err == -EBADMSG ? "this is no journal"
					     : strerror(-err));
	return err;
}

int journal_open(const char *path, int64_t now_s, struct journal **journal_out, struct diag *diag)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	int err;

	if (!journal)
		return -ENOMEM;
	journal->fd = -1;
	journal->lock = -1;
	journal->tail = &journal->oldest;
	journal->path = strdup(path);
	err = journal->path ? lock_and_load(journal, now_s, diag) : -ENOMEM;
	if (err) {
		journal_free(&journal);
		return err;
	}
	*journal_out = journal;
	return 0;
}

void journal_free(struct journal **journalp)
{
	struct journal *journal = *journalp;

	if (!journal)
		return;
	*journalp = NULL;
	while (journal->oldest)
		forget(journal, journal->oldest);
	if (journal->fd >= 0)
		close(journal->fd);
	if (journal->lock >= 0)
		close(journal->lock);
	free(journal->path);
	free(journal);
}

/* --- changes: first the file, then what is in memory --- */

int journal_put(struct journal *journal, const struct journal_key *key, int64_t end_s,
		size_t destination_count, struct slice payload)
{
	uint8_t room[HEAD_ROOM];
	struct buf b = begin_body(room, RECORD_PUT, key);
	struct kept *entry;
	int err;

	if (destination_count > JOURNAL_MAX_DESTINATIONS || payload.n > JOURNAL_MAX_PAYLOAD_BYTES)
		return -E2BIG;
	if (find(journal, key))
		return -EEXIST;
	entry = entry_new(key, end_s, destination_count);
	if (!entry)
		return -ENOMEM;
	entry->at = journal->end;
	entry->payload_at = PUT_PAYLOAD_AT;
	entry->payload_n = payload.n;
	err = add(journal, entry);
	if (err) {
		entry_free(entry);
		return err;
	}
	buf_put_u64(&b, (uint64_t)end_s);
	buf_put_u16(&b, (uint16_t)destination_count);
	err = append(journal, &b, payload);
	if (err)
		forget(journal, entry);
	return err;
}

/* The entry, if it is there and not finished. */
static struct kept *find_open(const struct journal *journal, const struct journal_key *key)
{
	struct kept *entry = find(journal, key);

	return entry && !entry->finished ? entry : NULL;
}

int journal_set_state(struct journal *journal, const struct journal_key *key, size_t destination,
		      journal_state state, struct slice note)
{
	struct kept *entry = find_open(journal, key);
	uint8_t room[HEAD_ROOM];
	struct buf b = begin_body(room, RECORD_STATE, key);
	char *copy;
	int err;

	if (!entry)
		return -ENOENT;
	if (destination >= entry->destinations)
		return -EINVAL;
	if (note.n > JOURNAL_MAX_NOTE_BYTES)
		return -E2BIG;
	err = prepare_state(entry, note, &copy);
	if (err)
		return err;
	buf_put_u16(&b, (uint16_t)destination);
	buf_put_u8(&b, state);
	err = append(journal, &b, note);
	if (err) {
		free(copy);
		return err;
	}
	journal->dead_bytes += JOURNAL_RECORD_HEAD_BYTES + b.len + note.n;
	set_state(entry, destination, state, copy);
	return 0;
}

int journal_set_payload(struct journal *journal, const struct journal_key *key,
			struct slice payload)
{
	struct kept *entry = find_open(journal, key);
	uint8_t room[HEAD_ROOM];
	struct buf b = begin_body(room, RECORD_PAYLOAD, key);
	off_t at = journal->end;
	int err;

	if (!entry)
		return -ENOENT;
	if (payload.n > JOURNAL_MAX_PAYLOAD_BYTES)
		return -E2BIG;
	err = append(journal, &b, payload);
	if (err)
		return err;
	journal->dead_bytes += entry->payload_n;
	entry->at = at;
	entry->payload_at = b.len;
	entry->payload_n = payload.n;
	return 0;
}

int journal_finish(struct journal *journal, const struct journal_key *key)
{
	struct kept *entry = find_open(journal, key);
	uint8_t room[HEAD_ROOM];
	struct buf b = begin_body(room, RECORD_FINISH, key);
	int err;

	if (!entry)
		return -ENOENT;
	err = append(journal, &b, slice_of(NULL, 0));
	if (!err)
		mark_finished(journal, entry);
	return err;
}

int journal_sync(struct journal *journal)
{
	if (journal->broken)
		return -EIO;
	if (!journal->dirty)
		return 0;
	if (fdatasync(journal->fd) < 0) {
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
		.finished = entry->finished,
		.payload_bytes = entry->payload_n,
		.destination_count = entry->destinations,
		.states = entry->states,
	};
}

int journal_find(const struct journal *journal, const struct journal_key *key,
		 struct journal_entry *entry_out)
{
	const struct kept *entry = find(journal, key);

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
	err = journal_file_read(journal->fd, entry->at, &body, &n);
	if (err)
		return err;
	if (n != entry->payload_at + entry->payload_n) {
		free(body);
		return -EBADMSG;
	}
	memmove(body, body + entry->payload_at, entry->payload_n);
	*data_out = body;
	*n_out = entry->payload_n;
	return 0;
}

const char *journal_note(const struct journal *journal, const struct journal_key *key,
			 size_t destination)
{
	const struct kept *entry = find_open(journal, key);

	if (!entry || !entry->notes || destination >= entry->destinations ||
	    !entry->notes[destination])
		return "";
	return entry->notes[destination];
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

int journal_tidy(struct journal *journal, int64_t now_s)
{
	forget_ended(journal, now_s);
	if (journal->broken)
		return -EIO;
	if (journal->end < SMALL_BYTES || journal->dead_bytes < (size_t)journal->end / 2)
		return 0;
	return compact(journal);
}

size_t journal_open_count(const struct journal *journal)
{
	return journal->open_count;
}
