/* store_priv.h - what the store's files share. */
#ifndef RENDEZVOUS_STORE_PRIV_H
#define RENDEZVOUS_STORE_PRIV_H

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "base/idmap.h"
#include "rendezvous/keyhash.h"
#include "rendezvous/store.h"

struct event;

enum {
	STORE_DELETES_MAX = 128, /* messages that one XDEL removes */
	STORE_DELETES_WAIT_MS = 50,
	STORE_DELETES_COMMANDS = 64, /* wait at most */
	STORE_COMMAND_WORDS = STORE_DELETES_MAX + 2,
	STORE_KEY_SIZE = 320,
	STORE_NUMBER_TEXT = 48,
	/* Messages of one entry: two of them are a page of those that are fetched at once, and an
	 * entry is no larger than the largest message. */
	STORE_PACK_MESSAGES = 50,
	STORE_PACK_MAX = 1 << STORE_INDEX_BITS, /* that can be read: later releases may pack more */
	STORE_PACK_OCTETS = 64 * 1024,
	STORE_PACK_FIRST = 2048,
	STORE_PACKS_OPEN = 32,  /* of as many streams; then all are closed */
	STORE_PACK_VERSION = 2, /* of a field; 1: one message alone */
	STORE_PARTIALS_MAX = 16384,
	STORE_NOTES_KEEP_S = 366 * 86400, /* unless the stream goes sooner */
	/* Behind a group of so many, the next one waits for as many, if only so long: each
	 * flush of Redis's file costs it as much as 20 messages. */
	STORE_GATHER_COMMANDS = 16,
	STORE_GATHER_MS = 1,
	STORE_TRANSACTION_COMMANDS = 512,
	STORE_TRANSACTION_OCTETS = 1 << 20,
	STORE_SPARE_OCTETS = 256 * 1024, /* of a group's room, kept for the next group */
};

/* Who waits for one of the messages of an entry. */
struct store_packed {
	store_done_fn *done; /* or NULL */
	void *arg;
};

/* One command, and who waits for its answer (done may be NULL). */
struct store_wait {
	struct store_wait *next; /* in its group, then in its transaction */
	store_done_fn *done;
	store_item_fn *item;
	store_part_fn *part;
	store_field_fn *field;
	const char *what; /* a constant */
	char *account;    /* owned */
	char *only;       /* the one field that was asked for; owned, or NULL */
	void *arg;
	uint32_t from;
	char *stream;                /* that is read; owned */
	struct store_page page;      /* of it */
	struct store_packed *packed; /* the messages of an added entry; in the same allocation */
	unsigned n_packed;
	bool notes;    /* about the stream, for the command behind it */
	bool adds;     /* may be part of a transaction */
	bool must_act; /* an answer of 0 is -ENOENT */
	size_t octets; /* of the command, in the group */
};

/* Commands that wait for the group before them to be answered. */
struct store_group {
	struct store_wait *first, **last;
	uint8_t *octets; /* of the commands, one behind the other; malloc'd */
	size_t n, capacity;
	size_t commands;
	bool writes; /* it costs a flush in any case */
};

/* Messages of one user to be deleted with as few commands as can be. */
struct store_deletes {
	char key[STORE_KEY_SIZE];
	uint64_t to;                        /* all up to this number; 0: none */
	uint64_t number[STORE_DELETES_MAX]; /* any one of each entry */
	unsigned n;
	uint64_t noted[STORE_DELETES_MAX]; /* entries about which there are notes */
	unsigned n_noted;
};

/* Messages that will be one entry. */
struct store_pack {
	char key[STORE_KEY_SIZE]; /* of the stream */
	struct store_wait *wait;  /* NULL: the pack is closed */
	uint8_t *octets;          /* malloc'd, kept for the next one */
	size_t n, capacity;
	int64_t keep_until_s;
};

struct store_partial;

struct store {
	struct event_base *base;
	const char *name;
	char *path;
	redisAsyncContext *redis;
	struct store_group group;     /* the next one */
	struct store_group lazy;      /* deletions that go behind it if it writes */
	struct store_deletes deletes; /* not made commands of yet */
	uint64_t deleted_to;          /* no deletion that waits is of a higher number */
	struct idmap partials;        /* entries of which some messages are taken */
	struct store_partial *dirty;  /* those about which Redis has to be told */
	size_t n_partials;
	struct keyhash hash; /* of streams */
	struct store_pack packs[STORE_PACKS_OPEN];
	unsigned n_packs;
	struct store_wait *unsent; /* packs for which there was no memory */
	struct event *lazy_due;
	struct event *flush;
	struct event *again; /* to connect, or to see whether answers come */
	size_t waiting;      /* commands and transactions without answer */
	size_t gather;       /* the next group waits for so many commands; 0: it does not */
	size_t last;         /* commands of the group before */
	int64_t progress_ms; /* the last answer, or the first command after a pause */
	const struct store_ops *ops;
	void *arg;
	bool up;
	bool complained;
	bool ending; /* in store_free */
};

/* A command under construction: binary-safe words, borrowed. */
struct store_command {
	struct slice word[STORE_COMMAND_WORDS];
	unsigned n;
	struct slice tail; /* the rest of the last word */
	bool adds;         /* needs room in the store, and can wait for others that do */
	bool reads;        /* changes nothing */
};

/* ---- store_group.c ---- */

/* Puts a command into the next group; model (copied; NULL: nobody waits) says who hears of
 * the answer.  Returns 0, -EPIPE or -ENOMEM. */
int store_send(struct store *store, const struct store_command *c, const struct store_wait *model);

/* Puts a command, of which nobody is told the outcome, among the deletions that wait. */
void store_send_lazily(struct store *store, const struct store_command *c);

/* All deletions stand before what is sent from here on. */
void store_hurry_deletes(struct store *store);

/* Sees to it that the next group is sent at the end of this turn, or when the one before
 * is answered. */
void store_flush_soon(struct store *store);

/* Sends everything that waits as one group, unless one is under way. */
void store_send_group(struct store *store);

/* The connection is gone: tells -EPIPE to whoever waits for commands that were not sent. */
void store_fail_group(struct store *store);

/* The same as store_send(), for a command whose wait is made already, and which is counted: taken
 * over if 0 is returned.  Else -ENOMEM. */
int store_append(struct store *store, const struct store_command *c, struct store_wait *wait);

/* ---- store_commands.c ---- */

/* The key of a user's stream.  Returns 0 or -EINVAL: the URI is too long. */
int store_message_key(struct slice uri, char out[STORE_KEY_SIZE]);

/* An entry; its octets are copied.  wait is taken over if 0 is returned.  Else -ENOMEM. */
int store_write_pack(struct store *store, const char *key, struct slice octets,
		     int64_t keep_until_s, struct store_wait *wait);

/* Commands among the deletions that wait: all entries up to that number go ... */
void store_write_trim(struct store *store, const char *key, uint64_t to);
/* ... those that are listed, and the notes about them, ... */
void store_write_deletes(struct store *store, const struct store_deletes *deletes);
/* ... and a note of which messages of an entry are taken: a bit for each. */
void store_write_note(struct store *store, const char *stream, uint64_t entry, uint64_t taken);

/* ---- store_packs.c ---- */

struct store_message {
	struct slice head, post;
	int64_t keep_until_s; /* of the whole stream; 0: as it is */
	store_done_fn *done;
	void *arg;
};

/* Puts a message (copied) into the pack of its stream, which is sent with the next group.
 * Returns 0 or -ENOMEM. */
int store_pack_add(struct store *store, const char *key, const struct store_message *message);

/* Makes commands of all packs, behind those that are there. */
void store_close_packs(struct store *store);
/* Tells -EPIPE to all who wait for packs. */
void store_fail_packs(struct store *store);
/* The same for packs for which there was no memory. */
void store_settle_unsent(struct store *store);
/* Frees their room. */
void store_free_packs(struct store *store);

/* One of the messages of an entry, from index 0 on. */
typedef void store_packed_fn(void *arg, struct slice message, unsigned index, bool last);
/* Calls message for each that is there.  Returns how many there are, or -EBADMSG. */
int store_read_pack(struct slice octets, store_packed_fn *message, void *arg);

/* ---- store_deletes.c ---- */

/* Makes commands of the deletions that were gathered, and puts them into store->lazy. */
void store_end_deletes(struct store *store);

/* Redis has a note that these messages of an entry are taken. */
void store_note_taken(struct store *store, const char *key, uint64_t entry, uint64_t taken);
/* The messages of an entry that are taken, a bit for each. */
uint64_t store_taken_of(struct store *store, const char *key, uint64_t entry);
/* An entry was read whose last message has that number: it goes if all of it is taken. */
void store_found_entry(struct store *store, const char *key, uint64_t last);

/* The connection is lost: whoever reads on reads the notes anew. */
void store_forget_partials(struct store *store);
/* The stream is no more. */
void store_forget_stream(struct store *store, const char *key);

/* ---- store_replies.c ---- */

/* 0, -ENOSPC, -EPIPE (no reply) or -EIO. */
int store_error_of(const redisReply *reply);

/* Logs a refusal, the first one of a series. */
void store_note_refusal(struct store *store, const redisReply *reply);

/* Hands the reply to whoever waits, and frees wait. */
void store_settle(struct store *store, struct store_wait *wait, const redisReply *reply);

/* Frees it without telling anybody. */
void store_free_wait(struct store_wait *wait);

/* A message as the one field of its stream entry holds it: these octets, and the packed
 * post behind them. */
enum { STORE_HEAD_MAX = 320 };
/* Returns 0 or -EINVAL: sender or account too long. */
int store_write_head(const struct store_item *item, uint8_t out[STORE_HEAD_MAX],
		     struct slice *head_out);

#endif
