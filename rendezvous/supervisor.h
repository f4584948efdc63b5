/* supervisor.h - the crs that the administrator starts: it runs Redis twice and the
 * workers, keeps the accounts' files, and serves crs-cli.
 *
 * Threads: the event loop of the process.
 */
#ifndef RENDEZVOUS_SUPERVISOR_H
#define RENDEZVOUS_SUPERVISOR_H

#include <jansson.h>

#include "rendezvous/paths.h"
#include "rendezvous/settings.h"
#include "rendezvous/trace.h"
#include "rendezvous/worker.pb-c.h"

struct account_set;
struct apply_target;
struct control_stream;
struct diag;
struct floors;
struct relay_client;
struct supervisor;

enum {
	SUPERVISOR_RESTART_FIRST_MS = 100, /* of a worker; doubled at each failure ... */
	SUPERVISOR_RESTART_LAST_MS = 5000,
	SUPERVISOR_STEADY_MS = 10000, /* ... and forgotten when it ran so long */
	SUPERVISOR_ROOM_MS = 5000,    /* how often the disk's free space is looked at */
	SUPERVISOR_STOP_LIMIT_MS = 8000,
	SUPERVISOR_QUERY_LIMIT_MS = 5000, /* for all workers' answers */
};

struct supervisor_options {
	struct crs_paths paths;
	struct settings settings;
	bool verbose, log_to_stderr;
	int lock_fd; /* of run_lock.h; supervisor_run() takes it over */
	const char *test_clock; /* as --now gave it, or NULL: workers get the same time */
};

/* Runs until a signal ends it.  Returns the exit status of the process; what keeps it
 * from starting is told on standard error. */
int supervisor_run(const struct supervisor_options *options);

/* --- what the control port asks (control_api.h) --- */

/* As long as the supervisor. */
const struct supervisor_options *supervisor_options(const struct supervisor *supervisor);
/* The present set; another one after each reload. */
const struct account_set *supervisor_accounts(const struct supervisor *supervisor);
/* The writer of floors; the supervisor's. */
struct floors *supervisor_floors(struct supervisor *supervisor);
/* Where updates go (apply.h), until the next reload. */
struct apply_target supervisor_apply_target(const struct supervisor *supervisor);
/* Its own connection to crs-relay; workers have theirs. */
struct relay_client *supervisor_relay(struct supervisor *supervisor);

struct supervisor_question {
	CrsWorker__QueryKind kind;
	bool only_first;           /* of the workers that run: what it says is the store's */
	const char *account, *uri; /* NULL where kind needs none */
};

/* Asks every worker that runs; done gets an array of rows,
 * each an array of texts, and owns it.  Workers that do not answer in time are left
 * out.  Returns 0 or -ENOMEM. */
typedef void supervisor_rows_fn(void *arg, json_t *rows);
/* done is called from the loop, once. */
int supervisor_query(struct supervisor *supervisor, const struct supervisor_question *question,
		     supervisor_rows_fn *done, void *arg);

/* Is the row of a worker among them that says that its store did all that it was asked for
 * (worker.proto, QueryKind)? */
bool supervisor_rows_done(const json_t *rows);

/* Which elements somebody looks at (bits of trace_element); trace lines come by
 * control_api_trace(). */
void supervisor_set_traced(struct supervisor *supervisor, unsigned elements);

/* Loads the accounts and what lies in their folders again, here and in the workers.
 * Returns 0 or -errno; diag says what was wrong with accounts or files. */
int supervisor_reload(struct supervisor *supervisor, struct diag *diag);

/* An account was deleted from the disk: what is kept for its users goes, and they with it. */
void supervisor_forget_account(struct supervisor *supervisor, const char *account,
			       struct diag *diag);

/* Ends the connections of a user, or of all of an account where uri is "". */
void supervisor_expel(struct supervisor *supervisor, const char *account, const char *uri,
		      const char *reason);

/* Announces a health check of account under id (guests.h) to all workers. */
void supervisor_announce_guests(struct supervisor *supervisor, const char *account, const char *id);

/* Is there room on the disk for new messages? */
bool supervisor_has_room(const struct supervisor *supervisor);

/* Wakes a user up by push at once, whether he was just pushed or not; value is what he stored as
 * push-token.  Returns how many devices the notification goes to, -ENOTSUP where push is off, or as
 * pusher_wake(). */
int supervisor_wake(struct supervisor *supervisor, const char *account, const char *uri,
		    const char *value);

/* By how many seconds our clock is ahead of the push service's.  Returns false where that is not
 * known: push is off, or nothing was pushed yet. */
bool supervisor_clock_ahead(const struct supervisor *supervisor, int64_t *seconds_out);

struct supervisor_process {
	const char *name; /* "crs", "redis_low", "app: worker-0", ... */
	int pid;          /* 0: not running */
	unsigned slots;
};
/* Process i, or false behind the last. */
bool supervisor_process(const struct supervisor *supervisor, size_t i,
			struct supervisor_process *process_out);

#endif
