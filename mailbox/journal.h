/* journal.h - what a server has promised, kept over kill -9 and power loss.
 *
 * An append-only file of records, each with its length and checksums (journal_file.h).  An entry is
 * found by a 16-octet id and a kind; it has a payload that is opaque here, up to
 * JOURNAL_MAX_DESTINATIONS destinations with a state each, and an end.  A finished
 * entry loses its payload, but its id is known until the end, so that a repeat is
 * recognised.
 *
 * Durable means: journal_sync() has returned 0 after the change.  Only then may
 * anybody be told.  One sync covers all changes before it: call it once per turn
 * of the loop.  A torn tail is cut off at the next open, and a record that the disk has damaged
 * is left out; both are kept as PATH.torn.
 *
 * Payloads stay on disk; an entry costs about 150 octets of memory and its notes, a finished
 * one 100, and finding one costs the same at any number.
 */
#ifndef MAILBOX_JOURNAL_H
#define MAILBOX_JOURNAL_H

#include "base/slice.h"

struct diag;
struct journal;

enum {
	JOURNAL_ID_BYTES = 16,
	JOURNAL_MAX_DESTINATIONS = 64,
	JOURNAL_MAX_PAYLOAD_BYTES = 64 << 20,
	JOURNAL_MAX_NOTE_BYTES = 20000,
	JOURNAL_MAX_TOGETHER = 4096, /* finished by one record */
};

/* kind is the program's: direction, purpose. */
struct journal_key {
	uint8_t id[JOURNAL_ID_BYTES];
	uint8_t kind;
};

/* State of a destination; 0 is what each begins with, the rest is the program's
 * (delivered, failed, ...). */
typedef uint8_t journal_state;
enum { JOURNAL_STATE_OPEN = 0 };

struct journal_entry {
	struct journal_key key;
	int64_t end_s; /* UTC: from then on the id may be forgotten */
	bool finished; /* no payload, no destinations any more */
	size_t payload_bytes;
	size_t destination_count;
	const journal_state *states; /* valid until the next call that changes it */
};

/* Opens or creates path (0600), leaves out what is damaged, cuts off a torn tail, drops what is
 * finished and past its end at now_s, and writes the rest anew.  Returns 0, -EBUSY (another
 * process has it, and had it for three seconds), -EBADMSG (not a journal) or -errno, with diag set;
 * what was left out and a tail that was cut are a warning there each. */
int journal_open(const char *path, int64_t now_s, struct journal **journal_out, struct diag *diag);

/* Closes without a sync. */
void journal_free(struct journal **journalp);

/* Adds an entry with destination_count open destinations (may be 0).  Returns 0,
 * -EEXIST (finished ones too), -E2BIG, -ENOSPC, -EIO or -ENOMEM; on failure nothing
 * is changed. */
int journal_put(struct journal *journal, const struct journal_key *key, int64_t end_s,
		size_t destination_count, struct slice payload);

/* Sets a destination's state, and a note to go with it (an error text; may be
 * empty).  Returns 0, -ENOENT, -EINVAL (destination), -E2BIG (note), -ENOSPC, -EIO. */
int journal_set_state(struct journal *journal, const struct journal_key *key, size_t destination,
		      journal_state state, struct slice note);

/* Replaces the payload, e.g. by the sealed form of a message.  Returns as
 * journal_set_state. */
int journal_set_payload(struct journal *journal, const struct journal_key *key,
			struct slice payload);

/* Nothing is left to do for the entry: only its id is kept, until its end. */
int journal_finish(struct journal *journal, const struct journal_key *key);

/* The same of n entries of a kind at once: whatever crashes, all of them are finished or none.
 * Those that are not there, or are finished already, stay as they are.  Returns 0, -E2BIG (more
 * than JOURNAL_MAX_TOGETHER), -ENOSPC or -EIO. */
int journal_finish_all(struct journal *journal, uint8_t kind,
		       const uint8_t (*ids)[JOURNAL_ID_BYTES], size_t n);

/* Makes all changes so far durable (fdatasync).  Returns 0 or -EIO; after -EIO the
 * journal takes no more changes: say so, and let the program start anew. */
int journal_sync(struct journal *journal);

/* Returns 1 and fills entry_out (which may be NULL), or 0. */
int journal_find(const struct journal *journal, const struct journal_key *key,
		 struct journal_entry *entry_out);

/* Reads the payload from disk; the caller frees *data_out.  Returns 0, -ENOENT,
 * -EBADMSG (damaged on disk since) or -errno. */
int journal_payload(const struct journal *journal, const struct journal_key *key,
		    uint8_t **data_out, size_t *n_out);

/* The last note of a destination, "" if none; valid until the next change. */
const char *journal_note(const struct journal *journal, const struct journal_key *key,
			 size_t destination);

/* Calls each for every entry, oldest first; it must not change the journal.  Stops
 * when each returns false. */
void journal_each(const struct journal *journal,
		  bool (*each)(void *arg, const struct journal_entry *entry), void *arg);

/* Does a little of what is to be done now and then: forgets finished entries past their
 * end, tells ended (which may be NULL) of unfinished ones past theirs, and writes the file
 * anew when most of it is dead, some entries at a time.  ended may change the
 * journal, that entry among others.  Each call takes some milliseconds at most, but for the flush
 * that ends the new file.  Call it every few seconds, and again soon when it returns 1: a file is
 * half written.  Returns 0, 1, or -errno: the old file goes on. */
int journal_tidy(struct journal *journal, int64_t now_s,
		 void (*ended)(void *arg, const struct journal_entry *entry), void *arg);

/* Unfinished entries. */
size_t journal_open_count(const struct journal *journal);

#endif
