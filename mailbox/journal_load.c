/* Opening a journal: its file is read, cut where it is torn, and written anew. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/diag.h"
#include "mailbox/journal_priv.h"

static int replay_put(struct journal *journal, const struct journal_key *key, off_t at,
		      struct cursor *c, size_t body_n, bool finished)
{
	int64_t end_s = (int64_t)cursor_u64(c);
	size_t destinations = finished ? 0 : cursor_u16(c);
	struct kept *entry = kept_find(journal, key);

	if (!cursor_ok(c) || destinations > JOURNAL_MAX_DESTINATIONS)
		return 0; /* not ours: the CRC says it was meant so, by another version */
	if (entry)
		kept_forget(journal, entry); /* it was past its end, and came again */
	entry = kept_new(key, end_s, destinations, finished);
	if (!entry)
		return -ENOMEM;
	if (entry->open) {
		entry->open->at = at;
		entry->open->payload_at = (uint32_t)(body_n - c->left);
		entry->open->payload_n = (uint32_t)c->left;
	}
	kept_add(journal, entry);
	return 0;
}

static int replay_state(struct kept_open *open, struct cursor *c)
{
	size_t destination = cursor_u16(c);
	journal_state state = cursor_u8(c);
	char *note;

	if (!cursor_ok(c) || destination >= open->destinations)
		return 0;
	if (kept_prepare_state(open, cursor_take(c, c->left), &note) < 0)
		return -ENOMEM;
	kept_set_state(open, destination, state, note);
	return 0;
}

/* Of those that the file does not have any more, or finished before, nothing is said. */
static void replay_finish(struct journal *journal, struct journal_key *key, struct cursor *c)
{
	struct slice id = slice_of(key->id, sizeof(key->id));

	do {
		struct kept *entry;

		memmove(key->id, id.p, sizeof(key->id));
		entry = kept_find(journal, key);
		if (entry && entry->open)
			kept_finish(journal, entry);
		id = cursor_take(c, sizeof(key->id));
	} while (cursor_ok(c));
}

/* Each record does to memory what the change did when it was written (journal.c), in that order. */
static int replay(struct journal *journal, off_t at, struct slice body)
{
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
	if (type == RECORD_FINISH) {
		replay_finish(journal, &key, &c);
		return 0;
	}
	entry = kept_find(journal, &key);
	/* A change of an entry that is finished, or was dropped from the file: without effect. */
	if (!entry || !entry->open)
		return 0;
	if (type == RECORD_STATE)
		return replay_state(entry->open, &c);
	if (type == RECORD_PAYLOAD) {
		journal->dead_bytes += entry->open->payload_n;
		entry->open->at = at;
		entry->open->payload_at = (uint32_t)(body.n - c.left);
		entry->open->payload_n = (uint32_t)c.left;
		entry->open->lost = false;
	}
	if (type == RECORD_LOST)
		entry->open->lost = true;
	return 0;
}

/* A scan under way, and what it passed over. */
struct loading {
	struct journal *journal;
	unsigned places;
	off_t at, skipped; /* the first place; octets of all */
};

/* Forgets what is finished and past its end. */
static void forget_ended(struct journal *journal, int64_t now_s)
{
	struct kept *next;

	for (struct kept *e = journal->oldest; e; e = next) {
		next = e->next;
		if (e->open || e->end_s > now_s)
			continue;
		journal->dead_bytes += JOURNAL_HEAD_ROOM;
		kept_forget(journal, e);
	}
}

static int replay_record(void *arg, off_t at, struct slice body)
{
	struct loading *loading = arg;

	return replay(loading->journal, at, body);
}

static void note_skipped(void *arg, off_t at, off_t n)
{
	struct loading *loading = arg;
	struct journal *journal = loading->journal;

	journal_file_keep(&journal->file, at, n, journal->path, !loading->places);
	if (!loading->places++)
		loading->at = at;
	loading->skipped += n;
	journal->dead_bytes += (size_t)n; /* so the next start finds it no more */
}

static void tell_skipped(const struct loading *loading, struct diag *diag)
{
	const char *path = loading->journal->path;

	if (loading->places == 1)
		diag_warning(diag, NULL,
			     "%s: octet %lld: %lld octets are damaged and left out (kept in "
			     "%s.torn); all else goes on",
			     path, (long long)loading->at, (long long)loading->skipped, path);
	else if (loading->places)
		diag_warning(diag, NULL,
			     "%s: octet %lld: %lld octets in %u places from there on are damaged "
			     "and left out (kept in %s.torn); all else goes on",
			     path, (long long)loading->at, (long long)loading->skipped,
			     loading->places, path);
}

/* Reads all records, and cuts off a torn end.  Returns 0 or -errno. */
static int read_file(struct journal *journal, struct diag *diag)
{
	static const struct journal_scan_ops ops = { replay_record, note_skipped };
	struct loading loading = { .journal = journal };
	int err = journal_file_scan(&journal->file, &ops, &loading, &journal->end);
	ssize_t cut;

	if (err) /* not cut there: what follows was promised, and may yet be read elsewhere */
		return err;
	tell_skipped(&loading, diag);
	/* Behind the first record that is not whole nothing was promised, as a sync covers all
	 * before it. */
	cut = journal_file_cut(&journal->file, journal->end, journal->path, !loading.places);
	if (cut > 0)
		diag_warning(diag, NULL, "%s: cut off a torn end of %zd octets (kept in %s.torn)",
			     journal->path, cut, journal->path);
	return cut < 0 ? (int)cut : 0;
}

static int load(struct journal *journal, int64_t now_s, struct diag *diag)
{
	int err = journal_file_open(journal->path, &journal->file);

	if (!err)
		err = read_file(journal, diag);
	/* What a process that was killed wrote may be in the system's memory alone, and its repeat
	 * is answered as kept from here on. */
	if (!err && fdatasync(journal->file.fd) < 0)
		err = -errno;
	if (err)
		return err;
	forget_ended(journal, now_s);
	err = journal->dead_bytes || journal->file.first_form ? journal_compact(journal) : 0;
	if (err && !journal->broken) { /* the old file is still good */
		diag_warning(diag, NULL, "%s: cannot be written anew: %s", journal->path,
			     strerror(-err));
		err = 0;
	}
	return err;
}

/* A disk that cannot be read is told with the place: it is what there is to copy around. */
static void tell(const struct journal *journal, int err, struct diag *diag)
{
	if (err == -EBUSY)
		diag_error(diag, NULL, "%s: another process has it open", journal->path);
	else if (err == -EBADMSG)
		diag_error(diag, NULL, "%s: this is no journal", journal->path);
	else if (err == -EIO)
		diag_error(diag, NULL, "%s: octet %lld: %s", journal->path, (long long)journal->end,
			   strerror(-err));
	else
		diag_error(diag, NULL, "%s: %s", journal->path, strerror(-err));
}

static int lock_and_load(struct journal *journal, int64_t now_s, struct diag *diag)
{
	int err;

	/* Before the file is read: two that append would write over each other's records. */
	journal->lock = journal_file_lock(journal->path);
	err = journal->lock < 0 ? journal->lock : load(journal, now_s, diag);
	if (err)
		tell(journal, err, diag);
	return err;
}

int journal_open(const char *path, int64_t now_s, struct journal **journal_out, struct diag *diag)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	int err;

	if (!journal)
		return -ENOMEM;
	journal->file.fd = -1;
	journal->lock = -1;
	journal->tail = &journal->oldest;
	journal->path = strdup(path);
	err = idhash_init(&journal->hash);
	if (!err)
		err = idmap_init(&journal->map);
	if (err) {
		journal_free(&journal);
		return err;
	}
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
	journal_compact_give_up(journal);
	while (journal->oldest)
		kept_forget(journal, journal->oldest);
	idmap_done(&journal->map);
	if (journal->file.fd >= 0)
		close(journal->file.fd);
	if (journal->lock >= 0)
		close(journal->lock);
	free(journal->path);
	free(journal);
}
