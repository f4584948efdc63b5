/* journal_priv.h - what the files of the journal share: the entries in memory, and what
 * a record's body looks like.
 */
#ifndef MAILBOX_JOURNAL_PRIV_H
#define MAILBOX_JOURNAL_PRIV_H

#include <sys/types.h>

#include "base/buf.h"
#include "mailbox/journal.h"

/* A record's body is: type (1), kind (1), id (16), then what the type has. */
enum record_type {
	RECORD_PUT = 1,      /* end (8), destinations (2), payload */
	RECORD_STATE = 2,    /* destination (2), state (1), note */
	RECORD_PAYLOAD = 3,  /* payload */
	RECORD_FINISH = 4,   /* nothing */
	RECORD_FINISHED = 5, /* end (8): an entry that was put and finished before */
};

enum {
	JOURNAL_HEAD_ROOM = 64, /* a body without payload and note, and a NUL */
	/* where the payload stands in the body of RECORD_PUT */
	JOURNAL_PUT_PAYLOAD_AT = 1 + 1 + JOURNAL_ID_BYTES + 8 + 2,
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

/* --- entries (journal_kept.c) --- */

struct kept *kept_find(const struct journal *journal, const struct journal_key *key);

/* An entry that is not in the journal yet; NULL when memory is out. */
struct kept *kept_new(const struct journal_key *key, int64_t end_s, size_t destinations);
void kept_free(struct kept *entry);

/* Takes entry over.  Returns 0 or -ENOMEM. */
int kept_add(struct journal *journal, struct kept *entry);

/* Takes entry out and frees it. */
void kept_forget(struct journal *journal, struct kept *entry);

/* Leaves the id and the end. */
void kept_finish(struct journal *journal, struct kept *entry);

/* Makes what kept_set_state needs, so that it cannot fail: a copy of note, NULL of an empty
 * one.  Returns 0 or -ENOMEM. */
int kept_prepare_state(struct kept *entry, struct slice note, char **copy_out);

/* Takes note over. */
void kept_set_state(struct kept *entry, size_t destination, journal_state state, char *note);

/* Forgets what is finished and past its end. */
void journal_forget_ended(struct journal *journal, int64_t now_s);

/* Begins a record's body in room. */
struct buf kept_begin_body(uint8_t room[JOURNAL_HEAD_ROOM], enum record_type type,
			   const struct journal_key *key);

/* --- the file (journal_compact.c) --- */

/* Replaces the file by one that holds what is alive.  On failure all stays as it is. */
int journal_compact(struct journal *journal);

#endif
