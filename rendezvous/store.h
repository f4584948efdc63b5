/* store.h - a worker's connection to a Redis: redis_low, where messages wait, or
 * redis_high, the cache.
 *
 * redis_low writes every command to disk before it answers (appendfsync always),
 * so an answer means durable.  Commands travel in groups: all that were made since the
 * group before was sent, as soon as that one is answered; those that add something as one
 * transaction, and deletions of one user's messages as one command.  Deletions wait for the next
 * group that writes, if not long: one that is lost is made up for when its message is fetched
 * and taken again.
 *
 * Keys: "m:URI" a stream of the messages of a user, oldest first, each entry one field "m" of one
 * message or several (store_packs.c); "t:URI" a hash by entry of those messages of it that are
 * taken, while others are not (store_deletes.c); "p:URI:KEY" a list of the further parts of a long
 * one; "post:ACCOUNT", "deliv:ACCOUNT" and "read:ACCOUNT" hashes by URI of what "show message"
 * prints; the same of counter_name(); "confirm-YYYY-MM:ACCOUNT" of the updates that users have
 * installed; and of client_data_name() of what is kept for users. In redis_high: "relay:WORKER" a
 * hash of the calls whose media crs-relay carries.
 *
 * Threads: one event loop.
 */
#ifndef RENDEZVOUS_STORE_H
#define RENDEZVOUS_STORE_H

#include "base/slice.h"

struct event_base;
struct store;

enum {
	STORE_CONNECT_AGAIN_MS = 250,
	STORE_LOOK_MS = 1000,          /* for a server that has fallen silent */
	STORE_ANSWER_LIMIT_S = 10,     /* then the connection counts as lost */
	STORE_READ_PAGE = 50,          /* entries asked for at a time: up to 3 MB */
	STORE_PART_IDLE_LIMIT_S = 600, /* parts of an unfinished message are dropped */
};

struct store_ops {
	/* Connected; epoch is new at every start of that Redis. */
	void (*up)(void *arg, uint64_t epoch);
	/* Gone; every command that had no answer yet failed before with -EPIPE. */
	void (*down)(void *arg);
};

/* Connects to the Unix socket RUN_DIR/NAME.sock, and again whenever the connection is
 * lost.  name is borrowed.  NULL when memory is out. */
struct store *store_new(struct event_base *base, const char *run_dir, const char *name,
			const struct store_ops *ops, void *arg);
/* Commands without answer end with -EPIPE; down is not called. */
void store_free(struct store **storep);

/* Is Redis connected, and has it loaded its data? */
bool store_is_up(const struct store *store);

/* Numbers of messages rise.  They are Redis's stream ids (42 bits of milliseconds: until 2109, and
 * a count of 15 for entries of the same one), the index in the entry, and one bit: it is the last
 * one there. */
enum {
	STORE_INDEX_BITS = 6,
	STORE_COUNT_BITS = 15,
	STORE_ENTRY_SHIFT = STORE_INDEX_BITS + 1,
	STORE_ENTRY_END = (1 << STORE_ENTRY_SHIFT) - 1, /* of the highest number in an entry */
};

static inline uint64_t store_entry_of(uint64_t number)
{
	return number >> STORE_ENTRY_SHIFT;
}

static inline bool store_ends_entry(uint64_t number)
{
	return number & 1;
}

/* A message's bit among those of its entry ... */
static inline uint64_t store_bit_of(uint64_t number)
{
	return UINT64_C(1) << ((number & STORE_ENTRY_END) >> 1);
}

/* ... and the bits of all up to it. */
static inline uint64_t store_bits_to(uint64_t number)
{
	return store_bit_of(number) | (store_bit_of(number) - 1);
}

/* A command's end: 0; -ENOSPC (no room), -EPIPE (connection lost), -EIO (refused).
 * number is the new message's for store_add; for store_read the one behind which to go on, 0 at
 * the end; 0 else. */
typedef void store_done_fn(void *arg, int err, uint64_t number);

struct store_item {
	struct slice sender, id; /* who posted it under which message id */
	struct slice account;    /* the sender's */
	struct slice channel;    /* to which it was posted; n 0: to the user himself */
	int kind;
	int64_t end_s;     /* not to be delivered after it */
	uint32_t parts;    /* records in all; 1: the post is all of it */
	struct slice post; /* packed, with its first record */
	uint64_t number;   /* filled in when read */
};

/* Each returns 0, or -EPIPE while the store is down, or -ENOMEM: then done is not
 * called.  done may be NULL where nobody waits. */

/* Appends a message; keep_until_s is when the user's whole stream may go. */
int store_add(struct store *store, struct slice uri, const struct store_item *item,
	      int64_t keep_until_s, store_done_fn *done, void *arg);
int store_delete(struct store *store, struct slice uri, uint64_t number);
/* The same for all messages of the user up to that number, which costs less. */
int store_delete_to(struct store *store, struct slice uri, uint64_t number);

/* Deletes all messages of a user; parts of long ones stay until their time is over.  Nobody is told
 * the outcome. */
int store_forget(struct store *store, struct slice uri);

struct store_page {
	uint64_t after, to; /* numbers: behind that one (0: from the first on), and no entry behind
			     * the one of this (0: to the last one) */
	uint32_t count;     /* entries at most */
};

/* Reads messages.  item is called for each, then done.  Items are valid in the call only. */
typedef void store_item_fn(void *arg, const struct store_item *item);
int store_read(struct store *store, struct slice uri, const struct store_page *page,
	       store_item_fn *item, store_done_fn *done, void *arg);

/* Further parts of a long message under a key of the caller's making (hexadecimal):
 * appended in order; read from index on; kept until keep_until_s once complete. */
int store_part_add(struct store *store, struct slice uri, const char *key, struct slice frame,
		   store_done_fn *done, void *arg);
/* Nobody is told the outcome. */
int store_part_keep(struct store *store, struct slice uri, const char *key, int64_t keep_until_s);
/* Nobody is told the outcome. */
int store_part_delete(struct store *store, struct slice uri, const char *key);
/* A second list with what is in the list of that key under another user's, or a channel's, name;
 * it has to be kept, too.  done hears -ENOENT when there is no such list.  (Redis's COPY: 6.2 or
 * later.) */
int store_part_copy(struct store *store, struct slice from_uri, struct slice uri, const char *key,
		    store_done_fn *done, void *arg);
typedef void store_part_fn(void *arg, uint32_t index, struct slice frame);
/* part is called for each of at most count, in order, then done. */
int store_part_read(struct store *store, struct slice uri, const char *key, uint32_t from,
		    uint32_t count, store_part_fn *part, store_done_fn *done, void *arg);

/* Adds to a counter, "post" or "deliv", of a user. */
int store_count(struct store *store, const char *what, const char *account, const char *uri,
		uint64_t delta);
/* Notes when a user looked for messages. */
int store_note_read(struct store *store, const char *account, const char *uri, int64_t time_s);

/* One field of such a hash, of the account or whatever else it is of; an empty value
 * removes it.  done may be NULL. */
int store_set_field(struct store *store, const char *what, const char *account, const char *field,
		    const char *value, store_done_fn *done, void *arg);

/* Reads such a hash of an account; field is called for each user, then done. */
typedef void store_field_fn(void *arg, const char *what, const char *account, const char *uri,
			    const char *value);
/* Texts are valid during the call only. */
int store_read_hash(struct store *store, const char *what, const char *account,
		    store_field_fn *field, store_done_fn *done, void *arg);

/* Reads one field of such a hash; field is called if it is there, then done, which may be NULL. */
int store_read_field(struct store *store, const char *what, const char *account, const char *name,
		     store_field_fn *field, store_done_fn *done, void *arg);

/* Forgets such a hash. */
int store_drop_hash(struct store *store, const char *what, const char *account, store_done_fn *done,
		    void *arg);

/* Is done when everything sent before it is. */
int store_barrier(struct store *store, store_done_fn *done, void *arg);

/* An update that a user has installed. */
struct store_confirm {
	const char *month; /* YYYY-MM */
	uint32_t revision;
	uint64_t created;
	int64_t keep_until_s; /* when all that is noted of that month may go */
};

/* Notes it; a later one of the same month takes its place. */
int store_note_confirm(struct store *store, const char *account, const char *uri,
		       const struct store_confirm *confirm);

#endif
