/* store_priv.h - what the store's files share. */
#ifndef RENDEZVOUS_STORE_PRIV_H
#define RENDEZVOUS_STORE_PRIV_H

#include "rendezvous/store.h"

enum {
	STORE_COMMAND_WORDS = 24,
	STORE_NUMBER_BITS = 20, /* of a number: the count; above it the milliseconds */
};

/* What one command waits for. */
struct store_wait {
	store_done_fn *done;
	store_item_fn *item;
	store_part_fn *part;
	store_field_fn *field;
	const char *what; /* a constant */
	char *account;    /* owned */
	void *arg;
	uint32_t from;
};

/* A command under construction: binary-safe words, borrowed. */
struct store_command {
	const char *word[STORE_COMMAND_WORDS];
	size_t length[STORE_COMMAND_WORDS];
	int n;
};

/* Sends a command; model (copied; NULL: nobody waits) says who hears of the answer.
 * Returns 0, -EPIPE or -ENOMEM. */
int store_send(struct store *store, const struct store_command *c, const struct store_wait *model);

#endif
