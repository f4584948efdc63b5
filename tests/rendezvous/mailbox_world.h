/* mailbox_world.h - mailboxes whose store, recipients and senders are played: everything that
 * they ask for is told as text.
 *
 * Include tests/unit.h before it: what must not happen fails the test.
 */
#ifndef TESTS_RENDEZVOUS_MAILBOX_WORLD_H
#define TESTS_RENDEZVOUS_MAILBOX_WORLD_H

#include "rendezvous/mailboxes.h"
#include "umsg/frame.h"

enum { WORLD_NOW_S = 1000000 };

/* A recipient, a sender, and a channel. */
extern const char world_bob[], world_alice[], world_channel[];

/* Everything that the mailboxes ask for, as text; the store answers when told to. */
struct world {
	char told[4096];
	bool online;
	int store_error, load_error;
	struct endpoint primary;
	struct mailboxes *mailboxes;
	int64_t now_ms, now_s;
	bool oldest;          /* was what was discarded last */
	int64_t keep_until_s; /* came with what was to be stored last */
};

/* Makes the world, for cmocka. */
int make_world(void **state);

/* Frees it. */
int drop_world(void **state);

/* This was told since the last look, and nothing else. */
void world_expect(struct world *world, const char *want);

/* A message id of one letter, valid until the next call. */
struct slice world_id(char c);

/* A post to world_bob arrives: total octets of which record come with it, and so many packed ones.
 */
void world_post_from(struct world *world, const char *sender, char c, uint32_t total,
		     uint32_t record, size_t octets);

/* The same from world_alice. */
void world_post_sized(struct world *world, char c, uint32_t total, uint32_t record, size_t octets);

/* A short one. */
void world_post(struct world *world, char c);

/* The store has said all that it has for world_bob. */
void world_loaded(struct world *world);

/* The store has written the message under a number, or could not. */
void world_stored(struct world *world, char c, int err, uint64_t number);

/* world_bob takes it; returns what mailboxes_taken() does. */
int world_taken(struct world *world, char c);

/* Time passes. */
void world_tick(struct world *world, int ms);

/* An empty mailbox whose index is known; online: the recipient is there. */
void world_ready(struct world *world, bool online);

#endif
