/* floors.h - the one writer of the accounts' floors (roster.h).
 *
 * Keeps the roster of all accounts and makes raised floors durable: everything
 * raised in one turn of the event loop is appended and flushed at its end, with one
 * fdatasync an account.  Threads: one event loop.
 */
#ifndef RENDEZVOUS_FLOORS_H
#define RENDEZVOUS_FLOORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct floors;
struct roster_user;

/* A raise is durable (err 0), or is not: -EACCES (the user belongs to another account: trying again
 * will not help), -EIO (its file cannot be written, whatever the reason: the log tells) or
 * another -errno. */
typedef void floors_done_fn(void *arg, unsigned worker, uint64_t ticket, int err);

/* accounts_dir is borrowed.  NULL when memory is out. */
struct floors *floors_new(struct event_base *base, const char *accounts_dir, floors_done_fn *done,
			  void *arg);
/* Writes nothing more and frees *floorsp; *floorsp may be NULL. */
void floors_free(struct floors **floorsp);

/* Reads an account's file and writes it anew, whole and without what was torn.
 * Returns 0 or -errno. */
int floors_load(struct floors *floors, const char *account);
/* Forgets an account that is no more; its file is not touched. */
void floors_drop(struct floors *floors, const char *account);

/* Is this a URI of the account, whether it may enter or not? */
bool floors_has(const struct floors *floors, const char *account, const char *uri);

/* A user authenticated with this generation: done follows with worker and ticket. */
void floors_raise(struct floors *floors, unsigned worker, uint64_t ticket, const char *account,
		  const char *uri, uint32_t generation);

/* The lists of an applied update; durable on return.  Returns 0 or -errno. */
int floors_apply(struct floors *floors, const char *account, int64_t created_s,
		 const struct roster_user *users, size_t count);

/* Forgets the users of an account that were only observed, but for their floors; gone is called for
 * each once it is durable.  Returns their number or -errno: then all are users as before. */
typedef void floors_gone_fn(void *arg, const char *account, const char *uri);
/* gone is called before this returns. */
int floors_purge_observed(struct floors *floors, const char *account, floors_gone_fn *gone,
			  void *arg);

#endif
