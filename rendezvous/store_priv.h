/* store_priv.h - what the store's files share. */
#ifndef RENDEZVOUS_STORE_PRIV_H
#define RENDEZVOUS_STORE_PRIV_H

#include <sys/uio.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "rendezvous/resp.h"
#include "rendezvous/store.h"

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
	STORE_PIECES = 32,               /* of octets that leave with one system call */
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

/* What one answer is for: a command, or all commands of a transaction. */
struct store_run {
	struct store_run *next;
	struct store_wait *waits;
	size_t quiet; /* replies that come before it: to MULTI, and to each command in it */
};

/* The connection.  Callbacks may close it. */
struct store_wire {
	int fd; /* -1: there is none */
	struct event readable, writable;
	struct iovec piece[STORE_PIECES]; /* leave with the next flush; borrowed until then */
	unsigned n_pieces;
	uint8_t *out; /* what the socket did not take; malloc'd, as in */
	size_t out_start, out_n;
	uint8_t *in; /* the beginning of a reply */
	size_t in_n, in_capacity;
	struct resp_scan scan;
	void (*reply)(void *arg, struct slice reply); /* a whole one */
	void (*lost)(void *arg);
	void *arg;
};

struct store {
	struct event_base *base;
	const char *name;
	char *path;
	struct store_wire wire;
	bool greeted; /* it has read its data, as it said */
	struct store_run *run, **last_run;
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

/* The connection is gone: tells -EPIPE to whoever waits, in the order of the commands. */
void store_fail_group(struct store *store);

/* A reply to what was sent. */
void store_take_reply(struct store *store, struct slice reply);

/* ---- store_commands.c ---- */

/* Makes commands of the deletions that were gathered, and puts them into store->lazy. */
void store_end_deletes(struct store *store);

/* ---- store_replies.c ---- */

/* 0, -ENOSPC or -EIO. */
int store_error_of(struct slice reply);

/* Logs a refusal, the first one of a series. */
void store_note_refusal(struct store *store, struct slice reply);

/* Hands the reply to whoever waits, and frees wait. */
void store_settle(struct store *store, struct store_wait *wait, struct slice reply);

/* Frees it without telling anybody. */
void store_free_wait(struct store_wait *wait);

/* ---- store_wire.c ---- */

/* Connects; 0 or -errno. */
int store_wire_open(struct store_wire *wire, struct event_base *base, const char *path);
/* Forgets what waits, too; nothing is told. */
void store_wire_close(struct store_wire *wire);

/* Octets to be sent with the next flush, borrowed until then.  0 or -errno: it has to be
 * closed. */
int store_wire_put(struct store_wire *wire, struct slice octets);
/* Sends them, or keeps a copy of what cannot be sent yet.  Returns as above. */
int store_wire_flush(struct store_wire *wire);

/* ---- store_replies.c ---- */

/* A message as the one field of its stream entry holds it: these octets, and the packed
 * post behind them. */
enum { STORE_HEAD_MAX = 320 };
/* Returns 0 or -EINVAL: sender or account too long. */
int store_write_head(const struct store_item *item, uint8_t out[STORE_HEAD_MAX],
		     struct slice *head_out);

#endif
