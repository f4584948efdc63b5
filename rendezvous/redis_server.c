/* redis_server.c - supervision of one redis-server.
 *
 * The lock is what makes all this safe: a supervisor that is killed leaves its servers running
 * for a moment, and two of them on one append-only file would destroy it. The child inherits the
 * descriptor of the lock, so that the kernel frees it at the very end of the server, however
 * that comes, and no pid file can be stale.
 */
#include "rendezvous/redis_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/log.h"
#include "base/notifier.h"
#include "base/process.h"
#include "base/timer.h"

enum { PATH_SIZE = 512 };

struct redis_server {
	struct event_base *base;
	char *name;
	char program[PATH_SIZE], dir[PATH_SIZE], lock[PATH_SIZE], log[PATH_SIZE];
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool durable;
	unsigned long max_bytes;
	struct notifier *notifier;
	pid_t pid;
	int64_t started_ms;
	int pause_ms;
	bool waiting_for_lock;
	struct event *timer;
	void (*stopped)(void *arg);
	void *arg;
	bool stopping;
};

static void start(struct redis_server *server);

static void start_later(struct redis_server *server)
{
	/* One that ran well begins anew with the short pause; the others wait twice as long each
	 * time. */
	if (clock_mono_ms() - server->started_ms >= REDIS_STEADY_MS)
		server->pause_ms = REDIS_RESTART_FIRST_MS;
	/* The timer has one meaning at a time: to start, or (stopping) to kill. */
	timer_arm(server->timer, server->pause_ms);
	server->pause_ms *= 2;
	if (server->pause_ms > REDIS_RESTART_LAST_MS)
		server->pause_ms = REDIS_RESTART_LAST_MS;
}

/* The lock's descriptor, which only the server shall keep, or -errno. */
static int take_lock(struct redis_server *server)
{
	int fd = open(server->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static pid_t spawn(const struct redis_server *server, int lock_fd)
{
	char max[32];
	/* No configuration file: only what stands here holds. */
	const char *argv[] = {
		server->program,
		/* No TCP at all: the socket's mode is the access control. */
		"--port",
		"0",
		"--unixsocket",
		server->socket,
		"--unixsocketperm",
		"600",
		"--dir",
		server->dir,
		"--logfile",
		server->log,
		"--daemonize",
		"no",
		/* No snapshots: the append-only file has everything, or nothing is to be kept. */
		"--save",
		"",
		"--maxmemory",
		max,
		"--maxmemory-policy",
		/* Full is an error that we see; evicting would lose messages silently. */
		"noeviction",
		/* Each write is on the disk before its answer: what senders are told is true
		 * even if the power fails. */
		"--appendfsync",
		"always",
		"--appendonly",
		server->durable ? "yes" : "no",
		"--auto-aof-rewrite-percentage",
		REDIS_REWRITE_PERCENTAGE,
		NULL,
	};
	struct process_spec spec = { .argv = argv, .pass_fd = lock_fd, .output_fd = -1 };

	/* argv holds the pointer; the text is there in time for the spawning. */
	snprintf(max, sizeof(max), "%lu", server->max_bytes);
	return process_spawn(&spec);
}

static void start(struct redis_server *server)
{
	int lock_fd = take_lock(server);
	pid_t pid;

	if (lock_fd < 0) {
		/* Told once, however long it lasts. */
		if (!server->waiting_for_lock)
			log_warn(server->name, "%s is in use (%s): waiting for its end",
				 server->dir, strerror(-lock_fd));
		server->waiting_for_lock = true;
		timer_arm(server->timer, REDIS_LOCK_AGAIN_MS);
		return;
	}
	server->waiting_for_lock = false;
	/* Of a server that was killed; the lock tells that it is gone. */
	unlink(server->socket);
	pid = spawn(server, lock_fd);
	close(lock_fd); /* the server holds it now */
	server->started_ms = clock_mono_ms();
	if (pid < 0) {
		notifier_warn(server->notifier, server->name, "cannot start %s: %s",
			      server->program, strerror(-pid));
		start_later(server);
		return;
	}
	server->pid = pid;
	notifier_init(server->notifier, server->name, "started pid=%d", (int)pid);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct redis_server *server = arg;

	(void)fd;
	(void)what;
	if (!server->stopping)
		start(server);
	else if (server->pid > 0)
		kill(server->pid, SIGKILL);
}

static int find_in_path(const char *name, char out[PATH_SIZE])
{
	/* Looked for at the start: a Redis that is missing is then told on the terminal. */
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t n = strcspn(path, ":");
		struct buf b = buf_over(out, PATH_SIZE);

		buf_put(&b, path, n);
		buf_printf(&b, "/%s", name);
		if (n > 0 && buf_ok(&b) && access(out, X_OK) == 0)
			return 0;
		path += n + (path[n] == ':');
	}
	return -ENOENT;
}

static bool join(char *out, size_t cap, const char *dir, const char *name, const char *suffix)
{
	struct buf b = buf_over(out, cap);

	buf_printf(&b, "%s/%s%s", dir, name, suffix);
	return buf_ok(&b);
}

static int set_paths(struct redis_server *server, const struct redis_options *o, struct diag *diag)
{
	int err = 0;

	if (!o->program)
		err = find_in_path("redis-server", server->program);
	else if (strlen(o->program) >= sizeof(server->program))
		err = -ENAMETOOLONG;
	else
		memcpy(server->program, o->program, strlen(o->program) + 1);
	if (err) {
		diag_error(diag, NULL, "redis-server not found in PATH");
		return err;
	}
	if (!join(server->socket, sizeof(server->socket), o->run_dir, o->name, ".sock")) {
		diag_error(diag, NULL,
			   "%s/%s.sock is too long for a Unix socket (at most %zu octets)",
			   o->run_dir, o->name, sizeof(server->socket) - 1);
		return -ENAMETOOLONG;
	}
	if (!join(server->dir, sizeof(server->dir), o->data_dir, o->name, "") ||
	    !join(server->lock, sizeof(server->lock), server->dir, "lock", "") ||
	    !join(server->log, sizeof(server->log), o->log_dir, o->name, ".log")) {
		diag_error(diag, NULL, "%s: path too long", o->data_dir);
		return -ENAMETOOLONG;
	}
	err = file_mkdirs(server->dir, 0750);
	if (err)
		diag_error(diag, NULL, "cannot make %s: %s", server->dir, strerror(-err));
	return err;
}

int redis_server_new(struct event_base *base, const struct redis_options *options,
		     struct redis_server **server_out, struct diag *diag)
{
	struct redis_server *server = calloc(1, sizeof(*server));
	int err;

	if (!server)
		return -ENOMEM;
	server->base = base;
	server->durable = options->durable;
	server->max_bytes = options->max_bytes;
	server->notifier = options->notifier;
	server->pause_ms = REDIS_RESTART_FIRST_MS;
	server->name = strdup(options->name);
	server->timer = evtimer_new(base, on_timer, server);
	err = server->name && server->timer ? set_paths(server, options, diag) : -ENOMEM;
	if (err) {
		redis_server_free(&server);
		return err;
	}
	start(server);
	*server_out = server;
	return 0;
}

bool redis_server_reaped(struct redis_server *server, pid_t pid, int status)
{
	if (server->pid != pid)
		return false;
	server->pid = 0;
	if (server->stopping) {
		event_del(server->timer);
		server->stopped(server->arg);
		return true;
	}
	if (WIFSIGNALED(status))
		notifier_warn(server->notifier, server->name, "killed by signal %d",
			      WTERMSIG(status));
	else
		notifier_warn(server->notifier, server->name, "ended with status %d: see %s",
			      WEXITSTATUS(status), server->log);
	start_later(server);
	return true;
}

void redis_server_stop(struct redis_server *server, void (*stopped)(void *arg), void *arg)
{
	server->stopping = true;
	server->stopped = stopped;
	server->arg = arg;
	event_del(server->timer);
	if (server->pid == 0) {
		stopped(arg);
		return;
	}
	/* Redis ends in order then; what redis_low answered is on the disk in any case. */
	kill(server->pid, SIGTERM);
	timer_arm(server->timer, REDIS_STOP_LIMIT_MS);
}

pid_t redis_server_pid(const struct redis_server *server)
{
	return server->pid;
}

const char *redis_server_name(const struct redis_server *server)
{
	return server->name;
}

const char *redis_server_socket(const struct redis_server *server)
{
	return server->socket;
}

void redis_server_free(struct redis_server **serverp)
{
	struct redis_server *server = *serverp;

	if (!server)
		return;
	if (server->pid > 0)
		kill(server->pid, SIGKILL);
	if (server->timer)
		event_free(server->timer);
	free(server->name);
	free(server);
	*serverp = NULL;
}
