/* worker.h - one worker process of crs: what its parts may ask of it.
 *
 * A worker is a holder of connections (holder.h) and the home of some URIs
 * (home.h); both speak to those of other workers through it.  Threads: the event
 * loop of the process.
 */
#ifndef RENDEZVOUS_WORKER_H
#define RENDEZVOUS_WORKER_H

#include "base/slice.h"
#include "rendezvous/trace.h"
#include "rendezvous/worker.pb-c.h"
#include "rendezvous/worker_figures.h"

struct account_set;
struct admin_set;
struct client_policy;
struct event_base;
struct holder;
struct home;
struct passed_down;
struct passed_up;
struct roster;
struct store;
struct relay_client;
struct updates;
struct worker;

/* Priorities of the event loop.  What is on its way between registered clients comes
 * before those who only connect, however many they are. */
enum {
	WORKER_PRIORITIES = 3,
	WORKER_PRIORITY_LIVE = 1, /* every event that nothing else is said of, too */
	WORKER_PRIORITY_NEW = 2,
	WORKER_NEW_PER_TURN = 16, /* callbacks, before the loop looks for live ones again */
};

/* Runs a worker until its supervisor closes the channel at descriptor fd or a
 * signal ends it.  Returns the exit status of the process. */
int worker_run(int fd);

/* The worker's loop. */
struct event_base *worker_base(const struct worker *worker);
/* Everything that the supervisor said at the start. */
const CrsWorker__Setup *worker_setup(const struct worker *worker);
/* The accounts as last loaded; another set after each reload: do not keep it. */
const struct account_set *worker_accounts(const struct worker *worker);
/* Alike. */
const struct admin_set *worker_admins(const struct worker *worker);
/* How long clients may be silent. */
const struct client_policy *worker_policy(const struct worker *worker);
/* The URIs that are at home here. */
struct roster *worker_roster(const struct worker *worker);
/* The update files that clients may fetch. */
struct updates *worker_updates(const struct worker *worker);
/* redis_low, where messages wait. */
struct store *worker_store(const struct worker *worker);
/* redis_high, which may be empty at any time. */
struct store *worker_cache(const struct worker *worker);
/* The connection to crs-relay. */
struct relay_client *worker_relay(const struct worker *worker);
/* The connections that came to this worker. */
const struct holder *worker_holder(const struct worker *worker);
/* The URIs that are at home here. */
struct home *worker_home(const struct worker *worker);

/* The worker at which uri is at home. */
unsigned worker_home_of(const struct worker *worker, struct slice uri);

/* To another worker or this one; the holder or home there handles it later.
 * Returns 0 or as mesh_send(). */
int worker_send(struct worker *worker, unsigned to, const CrsWorker__Peer *message);
/* A client's frame to its home. */
int worker_pass_up(struct worker *worker, unsigned to, const struct passed_up *up);
/* A home's frame to the holder of a connection. */
int worker_pass_down(struct worker *worker, unsigned to, const struct passed_down *down);

/* Asks the supervisor to make a floor durable; home_floor_done() follows. */
int worker_raise_floor(struct worker *worker, uint64_t ticket, const char *account, const char *uri,
		       uint32_t generation);

/* Is anybody looking at traces of this element? */
bool worker_traces(const struct worker *worker, enum trace_element element);
/* Fields behind header and time. */
void worker_trace(struct worker *worker, enum trace_element element, const char *const *fields,
		  size_t n);

/* Something that is counted for /metrics has happened. */
void worker_figure(struct worker *worker, enum worker_figure figure);
/* How often, since the start. */
uint64_t worker_figure_value(const struct worker *worker, enum worker_figure figure);

/* To the supervisor.  Returns 0 or as channel_send(). */
int worker_tell(struct worker *worker, const CrsWorker__Control *message);

/* Rows that answer a query (worker_queries.c), sent on in packets. */
struct worker_rows;
/* n texts, copied; without memory the row is left out. */
void worker_row(struct worker_rows *rows, const char *const *cells, size_t n);

#endif
