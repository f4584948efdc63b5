/* roster.h - who may enter: for every URI its account, its state and its floor,
 * the lowest generation that is still accepted.
 *
 * A floor is the highest generation of every applied update and of every one
 * that ever authenticated; it is durable (accounts/ID/floors) and never lowered.
 * Source: docs/umsg.md "Link", floors.  Pure: files are read and written by
 * the caller.  Threads: one.
 *
 * The file has a line for each URI, "STATE GENERATION URI", and first the creation
 * time of the latest update, "applied SECONDS".  A line further down counts in
 * addition to an earlier one: the higher generation, the later state.  A last line
 * without newline (a torn append) is left out.
 */
#ifndef RENDEZVOUS_ROSTER_H
#define RENDEZVOUS_ROSTER_H

#include "base/slice.h"

struct roster;

enum roster_state {
	ROSTER_OBSERVED,  /* authenticated, but in no update yet: admitted */
	ROSTER_LISTED,    /* in the latest update */
	ROSTER_DELETED,   /* the latest update has a tombstone for it */
	ROSTER_UNLISTED,  /* in an earlier update, and now in neither list */
	ROSTER_FORGOTTEN, /* was observed, and purged: nobody's user, but its floor holds here */
	ROSTER_STATE_COUNT
};

enum roster_verdict {
	ROSTER_ADMIT,
	ROSTER_ADMIT_RAISE,  /* admit once a higher floor (or a new URI) is durable */
	ROSTER_DENY_ACCOUNT, /* the URI belongs to another account */
	ROSTER_DENY_DELETED,
	ROSTER_DENY_UNLISTED,
	ROSTER_DENY_OLD, /* below the floor: keys destroyed or replaced */
	ROSTER_DENY_BLACKLISTED,
};

/* The description in a trace and in the answer to the client. */
const char *roster_verdict_text(enum roster_verdict verdict);

/* Is this URI wanted here?  Lets a worker keep its own slots only. */
typedef bool roster_filter_fn(void *arg, struct slice uri);

/* An empty roster; filter may be NULL (all).  NULL when memory is out. */
struct roster *roster_new(roster_filter_fn *filter, void *arg);
/* Frees *rosterp and sets it to NULL; *rosterp may be NULL. */
void roster_free(struct roster **rosterp);

/* Adds what an account's floors file says.  A URI that another account has
 * already stays there unless this file lists it and the other one only observed
 * it, or has a tombstone for it.  Returns the number of lines that made no sense, or -ENOMEM. */
int roster_load(struct roster *roster, const char *account, struct slice text);

/* Replaces an account's blacklist: a URI a line.  Returns 0 or -ENOMEM. */
int roster_set_blacklist(struct roster *roster, const char *account, struct slice text);

/* May this user enter? */
enum roster_verdict roster_check(const struct roster *roster, const char *account, struct slice uri,
				 uint32_t generation);

/* Notes an authenticated generation; never lowers.  Returns 0, -EACCES (it is another account's)
 * or -ENOMEM. */
int roster_raise(struct roster *roster, const char *account, struct slice uri, uint32_t generation);

/* Does anybody own this URI and is it one that could be called?  Its account, or
 * NULL.  The text is valid until the roster is freed. */
const char *roster_account_of(const struct roster *roster, struct slice uri);

/* Has the account this URI, in whatever state but ROSTER_FORGOTTEN? */
bool roster_has(const struct roster *roster, const char *account, struct slice uri);

/* One user or tombstone of an update. */
struct roster_user {
	struct slice uri;
	uint32_t generation;
	bool deleted;
};

/* Takes an account's lists from an update made at created_s: users in neither list
 * become ROSTER_UNLISTED if they were listed before.  Generations count whatever
 * the age of the update; the lists only if it is the latest so far (else 0 is
 * returned and the states stay).  Returns 1, 0 or -ENOMEM. */
int roster_apply(struct roster *roster, const char *account, int64_t created_s,
		 const struct roster_user *users, size_t count);

/* Writes an account's file: malloc'd, the caller frees.  Returns 0 or -ENOMEM. */
int roster_text(const struct roster *roster, const char *account, char **text_out, size_t *len_out);

/* The line to append for one URI, with its newline.  Returns 0 or -ENOENT,
 * -ENOBUFS. */
int roster_line(const struct roster *roster, struct slice uri, char *out, size_t cap);

/* Forgets an account and all its URIs. */
void roster_drop_account(struct roster *roster, const char *account);

/* Forgets the account's users that are in no update and on no blacklist, but for their floors.
 * Their URIs are a malloc'd array of malloc'd texts.  Returns their number, or -ENOMEM: then none
 * is forgotten. */
int roster_forget_observed(struct roster *roster, const char *account, char ***uris_out);

/* Calls each for every URI of an account, in whatever state; it may not change the roster. */
typedef void roster_uri_fn(void *arg, struct slice uri);
void roster_each(const struct roster *roster, const char *account, roster_uri_fn *each, void *arg);

/* How many users of an account may enter; 0 for an account that is not there. */
size_t roster_count(const struct roster *roster, const char *account);

#endif
