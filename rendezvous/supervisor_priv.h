/* supervisor_priv.h - what the supervisor's files share. */
#ifndef RENDEZVOUS_SUPERVISOR_PRIV_H
#define RENDEZVOUS_SUPERVISOR_PRIV_H

#include <sys/queue.h>
#include <sys/types.h>

#include "build-config.h"
#include "rendezvous/heartbeat.h"
#include "rendezvous/supervisor.h"

struct channel;
struct control_api;
struct crs_metrics;
struct event;
struct event_base;
struct notifier;
struct pusher;
struct redis_server;
struct retention;
struct service_watch;

struct worker_process {
	struct supervisor *supervisor;
	unsigned index;
	char name[24];
	pid_t pid;
	struct channel *channel;
	bool ready, stopping;
	struct heartbeat beat;
	int64_t started_ms;
	int pause_ms;
	struct event *again;
};

struct query {
	TAILQ_ENTRY(query) in_supervisor;
	struct supervisor *supervisor;
	uint32_t number;
	uint64_t waiting; /* bits of workers */
	json_t *rows;
	struct event *limit;
	supervisor_rows_fn *done;
	void *arg;
};

TAILQ_HEAD(query_list, query);

struct supervisor {
	const struct supervisor_options *options;
	struct event_base *base;
	int lock_fd;
	struct account_set *accounts;
	struct floors *floors;
	struct notifier *notifier;
	struct pusher *pusher; /* NULL: push is off */
	struct redis_server *redis_high, *redis_low;
	struct relay_client *relay;
	struct control_api *api;
	struct retention *retention;    /* NULL: statistics are kept */
	struct crs_metrics *metrics;    /* NULL: nobody asked for any */
	struct worker_process *workers; /* settings.workers of them */
	struct query_list queries;
	uint32_t query_number;
	unsigned traced;
	struct service_watch *watch; /* NULL: nobody watches crs itself */
	struct event *signals[4], *room, *beat;
	bool disk_full, redis_stopping;
	int64_t stop_ms; /* 0: running */
};

/* worker_process.c */
int worker_process_init(struct worker_process *worker, struct supervisor *supervisor,
			unsigned index);
/* Kills it: the supervisor ends. */
void worker_process_done(struct worker_process *worker);
/* Starts it and sends its setup; what fails is tried again after a pause. */
void worker_process_start(struct worker_process *worker);
/* SIGTERM, and no new start. */
void worker_process_stop(struct worker_process *worker);
/* It ended with that wait status: its successor starts after a pause that grows until one
 * runs for SUPERVISOR_STEADY_MS. */
void worker_process_reaped(struct worker_process *worker, int status);
/* Call it every HEARTBEAT_LOOK_MS: asks whether its loop turns, and ends it if it does not. */
void worker_process_look(struct worker_process *worker);
/* Returns 0, -EPIPE (it does not run), or as channel_send(). */
int worker_process_send(struct worker_process *worker, const CrsWorker__Control *message);
/* To all workers that run: those that start get it behind their setup. */
void supervisor_broadcast(struct supervisor *supervisor, const CrsWorker__Control *message);

/* supervisor.c */

/* The first load, which makes the accounts' folder where there is none; later ones are
 * supervisor_reload().  Before there are workers: it tells them nothing.  Returns 0 or -errno;
 * diag says what was wrong with accounts or files. */
int supervisor_load_accounts(struct supervisor *supervisor, struct diag *diag);
/* Looks how much of the disk is free; when that is too little for messages, or enough again, it
 * tells all workers and the operator. */
void supervisor_look_for_room(struct supervisor *supervisor);
/* Tells one worker, or all of them (NULL), whether there is room for messages. */
void supervisor_tell_room(struct supervisor *supervisor, struct worker_process *worker);

/* queries.c */
void supervisor_query_part(struct supervisor *supervisor, unsigned worker,
			   const CrsWorker__QueryPart *part);
/* No query waits for its rows any more. */
void supervisor_worker_gone(struct supervisor *supervisor, unsigned worker);
void supervisor_drop_queries(struct supervisor *supervisor);

#endif
