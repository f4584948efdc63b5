/* worker_priv.h - what the files of the worker share. */
#ifndef RENDEZVOUS_WORKER_PRIV_H
#define RENDEZVOUS_WORKER_PRIV_H

#include <sys/queue.h>

#include "rendezvous/worker.h"

struct channel;
struct event;
struct forgotten;
struct mesh;

SLIST_HEAD(forgotten_list, forgotten);

struct worker {
	struct event_base *base;
	struct channel *control;
	CrsWorker__Setup *setup;
	struct account_set *accounts;
	struct admin_set *admins;
	struct client_policy *policy;
	struct roster *roster;
	struct updates *updates;
	struct mesh *mesh;
	struct store *store, *cache; /* redis_low, redis_high */
	struct relay_client *relay;
	struct holder *holder;
	struct home *home;
	struct event *tick, *term;
	struct forgotten_list forgotten; /* what the store has yet to hear of */
	unsigned traced;                 /* bits of trace_element */
	uint64_t figures[FIGURE_COUNT];
	int64_t stop_ms;   /* 0: running */
	int64_t reload_ms; /* when to load the accounts again, which failed; 0: it did not */
	int reload_pause_ms;
	int status;
};

/* worker_accounts.c: loads accounts, administrators, rosters and updates anew; the old
 * objects stay where that fails.  Returns 0 or -errno. */
int worker_load_accounts(struct worker *worker);
/* The same while the worker runs: whoever may not stay hears of it.  What fails is tried again by
 * worker_tick_accounts(). */
void worker_reload(struct worker *worker);
/* Call it now and then. */
void worker_tick_accounts(struct worker *worker);
/* An account was deleted, and its roster is still loaded: messages, data and counts of its users
 * go, from the store as soon as it is there. */
void worker_forget_account(struct worker *worker, const char *account);
/* The store is there. */
void worker_forget_owed(struct worker *worker);
/* The worker ends. */
void worker_drop_owed(struct worker *worker);

/* worker_traces.c: which elements somebody looks at (bits of trace_element). */
void worker_set_traced(struct worker *worker, unsigned elements);

#endif
