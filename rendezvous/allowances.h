/* allowances.h - what a user has used of his limits, over all of his connections to a worker.
 *
 * Buckets (request_limits.h) that belonged to a connection would be full again after each new
 * connection, and every further device would bring its own.  So they belong to the user, and
 * stay for ALLOWANCE_KEEP_MS when his last connection is gone.  Only who proved his key gets
 * one.  Other workers have tables of their own: a user who spreads over them has so many times
 * as much.  Pure; time is an argument.
 */
#ifndef RENDEZVOUS_ALLOWANCES_H
#define RENDEZVOUS_ALLOWANCES_H

#include "rendezvous/request_limits.h"

enum {
	ALLOWANCE_KEEP_MS = 600 * 1000, /* in which every bucket of the usual rates is full again */
	ALLOWANCES_IDLE_MAX = 100000,   /* of users without connection */
};

struct allowance;
struct allowances;

/* Returns NULL when memory or randomness is out. */
struct allowances *allowances_new(void);
/* Frees *allowancesp and sets it to NULL; *allowancesp may be NULL.  None is in use any more. */
void allowances_free(struct allowances **allowancesp);

/* One more connection of this user of the account.  Returns what it shares with the others, to be
 * given back by allowance_leave(); NULL when memory is out. */
struct allowance *allowance_join(struct allowances *allowances, const char *account,
				 const char *uri);
/* The connection is gone; *allowancep (NULL: nothing happens) is set to NULL. */
void allowance_leave(struct allowances *allowances, struct allowance **allowancep, int64_t now_ms);

struct request_limits *allowance_limits(struct allowance *allowance);

#endif
