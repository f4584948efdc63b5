/* journal_priv.h - what the files of the journal share: the entries in memory, and what
 * a record's body looks like.
 */
#ifndef MAILBOX_JOURNAL_PRIV_H
#define MAILBOX_JOURNAL_PRIV_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/idhash.h"
#include "base/idmap.h"
#include "mailbox/journal.h"
#include "mailbox/journal_file.h"

/* A record's body is: type (1), kind (1), id (16), then what the type has. */
enum record_type {
	RECORD_PUT = 1,      /* end (8), destinations (2), payload */
	RECORD_STATE = 2,    /* destination (2), state (1), note */
	RECORD_PAYLOAD = 3,  /* payload */
	RECORD_FINISH = 4,   /* the ids (16 each) of others of the kind that finish with it */
	RECORD_FINISHED = 5, /* end (8): an entry that was put and finished before */
	RECORD_LOST = 6,     /* nothing: the payload is damaged, and what was put is not it */
};

enum {
	JOURNAL_HEAD_ROOM = 64, /* a body without payload and note, and a NUL */
	/* where the payload stands in the body of RECORD_PUT */
	JOURNAL_PUT_PAYLOAD_AT = 1 + 1 + JOURNAL_ID_BYTES + 8 + 2,
};

/* What an entry has until it is finished. */
struct kept_open {
	off_t at;            /* the record that holds the payload */
	uint32_t payload_at; /* in its body */
	uint32_t payload_n;
	off_t new_at;            /* the same in the file that is being written anew, ... */
	uint32_t new_payload_at; /* ... once the entry was copied there */
	uint32_t destinations;
	char **notes; /* each NULL or a text; NULL while there is none */
	bool lost;    /* RECORD_LOST */
	journal_state states[];
};

/* Finished entries are many and live for weeks: they have no more than this. */
struct kept {
	struct idmap_node node; /* by id and kind */
	struct kept *next, **link;
	int64_t end_s;
	struct kept_open *open; /* NULL: finished */
	struct journal_key key;
	bool copied; /* it is in the file that is being written anew */
};

/* The file that is being written anew, while it is. */
struct rewrite {
	struct journal_file file;
	off_t end;
	struct kept *next; /* the first entry that is not copied */
};

struct journal {
	char *path;
	struct journal_file file;
	int lock;
	off_t end;
	bool dirty, broken; /* dirty: not all before end is durable */
	struct idhash hash;
	struct idmap map; /* of struct kept */
	struct kept *oldest, **tail;
	struct kept *tidy_at; /* the next that journal_tidy() looks at, NULL: the oldest */
	size_t open_count;
	size_t dead_bytes; /* in the file, roughly */
	struct rewrite *rewrite;
};

/* --- entries (journal_kept.c) --- */

/* The entry of that key, or NULL. */
struct kept *kept_find(const struct journal *journal, const struct journal_key *key);

/* An entry that is not in the journal yet; NULL when memory is out. */
struct kept *kept_new(const struct journal_key *key, int64_t end_s, size_t destinations,
		      bool finished);
/* For one that is in no journal; wipes nothing, for texts are in clear on disk, too. */
void kept_free(struct kept *entry);

/* Takes entry over. */
void kept_add(struct journal *journal, struct kept *entry);

/* Takes entry out and frees it. */
void kept_forget(struct journal *journal, struct kept *entry);

/* Leaves the id and the end. */
void kept_finish(struct journal *journal, struct kept *entry);

/* Makes what kept_set_state needs, so that it cannot fail: a copy of note, NULL of an empty
 * one.  Returns 0 or -ENOMEM. */
int kept_prepare_state(struct kept_open *open, struct slice note, char **copy_out);

/* Takes note over. */
void kept_set_state(struct kept_open *open, size_t destination, journal_state state, char *note);

/* Begins a record's body in room. */
struct buf kept_begin_body(uint8_t room[JOURNAL_HEAD_ROOM], enum record_type type,
			   const struct journal_key *key);

/* --- the file (journal_compact.c) --- */

/* Begins to write the file anew with what is alive.  Returns 0 or -errno. */
int journal_compact_begin(struct journal *journal);

/* Copies some entries more.  Returns 1 when the new file has taken the old one's place, 0
 * when there are more, or -errno: the new one is given up, all stays as it was. */
int journal_compact_step(struct journal *journal, size_t entries, size_t octets);

/* All at once. */
int journal_compact(struct journal *journal);
/* Removes the half-written file; the journal goes on with its present one. */
void journal_compact_give_up(struct journal *journal);

/* A record that was appended to the old file, of an entry that the new one has already.  at
 * is set to its place there.  Giving up is the answer to every failure. */
void journal_compact_follow(struct journal *journal, const struct buf *head, struct slice tail,
			    off_t *at);

#endif
