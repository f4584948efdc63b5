/* redis_server.h - one redis-server of ours: started, watched, started again.
 *
 * Two of them run under crs (design: redis_high, a cache; redis_low, the durable
 * store).  Each holds an inherited lock on its data directory: while any process
 * holds it (a server that a killed supervisor left for a moment, another crs)
 * no second server is started there; this one waits.  A server that ends is
 * started again after a growing pause.  Threads: one event loop.
 */
#ifndef RENDEZVOUS_REDIS_SERVER_H
#define RENDEZVOUS_REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct diag;
struct event_base;
struct notifier;
struct redis_server;

enum {
	REDIS_RESTART_FIRST_MS = 100, /* doubled at each failure ... */
	REDIS_RESTART_LAST_MS = 10000,
	REDIS_STEADY_MS = 10000, /* ... and forgotten when it ran so long */
	REDIS_LOCK_AGAIN_MS = 200,
	REDIS_STOP_LIMIT_MS = 10000, /* then it is killed */
};

/* By how many percent the log has grown when Redis writes it anew; a backup sets it to 0 for its
 * time, and back to this. */
#define REDIS_REWRITE_PERCENTAGE "100"

struct redis_options {
	const char *name;    /* "redis_high": of the data directory, socket and log */
	const char *program; /* path of redis-server; NULL: found in PATH */
	const char *data_dir, *run_dir, *log_dir;
	bool durable;              /* appendonly yes, appendfsync always */
	unsigned long max_bytes;   /* maxmemory, noeviction; 0: none */
	struct notifier *notifier; /* borrowed; told of its start and its end */
};

/* Checks the paths (the socket's has at most 107 octets), makes the directory and
 * starts the server.  Texts are copied.  Returns 0 or -errno with diag set. */
int redis_server_new(struct event_base *base, const struct redis_options *options,
		     struct redis_server **server_out, struct diag *diag);

/* The supervisor reaped this child: was it this server's? */
bool redis_server_reaped(struct redis_server *server, pid_t pid, int status);

/* Asks the server to end; stopped is called when it is gone (at once if it is not
 * running).  It will not be started again. */
void redis_server_stop(struct redis_server *server, void (*stopped)(void *arg), void *arg);

/* The process, or 0 while there is none. */
pid_t redis_server_pid(const struct redis_server *server);
/* "redis_low" or "redis_high"; as long as the server. */
const char *redis_server_name(const struct redis_server *server);
/* The path of its Unix socket; as long as the server. */
const char *redis_server_socket(const struct redis_server *server);

/* Kills a server that still runs. */
void redis_server_free(struct redis_server **serverp);

#endif
