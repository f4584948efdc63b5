/* store_priv.h - what the store's files share. */
#ifndef RENDEZVOUS_STORE_PRIV_H
#define RENDEZVOUS_STORE_PRIV_H

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "rendezvous/store.h"

struct event;

enum {
	STORE_DELETES_MAX = 128, /* messages that one XDEL removes */
	STORE_DELETES_WAIT_MS = 50,
	STORE_DELETES_COMMANDS = 64, /* wait at most */
	STORE_COMMAND_WORDS = STORE_DELETES_MAX + 2,
	STORE_KEY_SIZE = 320,
	STORE_NUMBER_TEXT = 48,
	STORE_NUMBER_BITS = 20, /* of a number: the count; above it the milliseconds */
	/* Behind a group of so many, the next one waits for as many, if only so long: each
	 * flush of Redis's file costs it as much as 20 messages. */
	STORE_GATHER_COMMANDS = 16,
	STORE_GATHER_MS = 1,
	STORE_TRANSACTION_COMMANDS = 512,
	STORE_TRANSACTION_OCTETS = 1 << 20,
	STORE_SPARE_OCTETS = 256 * 1024, /* of a group's room, kept for the next group */
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
	uint64_t to; /* all up to this number; 0: none */
	uint64_t number[STORE_DELETES_MAX];
	unsigned n;
};

struct store {
	struct event_base *base;
	const char *name;
	char *path;
	redisAsyncContext *redis;
	struct store_group group;     /* the next one */
	struct store_group lazy;      /* deletions that go behind it if it writes */
	struct store_deletes deletes; /* not made commands of yet */
	uint64_t deleted_to;          /* no deletion that waits is of a higher number */
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

/* ---- store_commands.c ---- */

/* Makes commands of the deletions that were gathered, and puts them into store->lazy. */
void store_end_deletes(struct store *store);

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
