/* supervisor_start.c - crs from its start to its end: its parts are made in order, signals and
 * parts are heard, and everything is freed.
 *
 * Parts are freed in one place whether the start failed half-way or the program ends: each free
 * function takes NULL.
 */
#include "rendezvous/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/log.h"
#include "base/net.h"
#include "base/notifier.h"
#include "base/service.h"
#include "rendezvous/account_set.h"
#include "rendezvous/control_api.h"
#include "rendezvous/floors.h"
#include "rendezvous/metrics.h"
#include "rendezvous/pusher.h"
#include "rendezvous/redis_server.h"
#include "rendezvous/relay_client.h"
#include "rendezvous/retention.h"
#include "rendezvous/supervisor_priv.h"

enum { NOTIFY_AT_END_MS = 3000 };

/* --- signals --- */

static void look_for_end(struct supervisor *supervisor);

static void on_redis_stopped(void *arg)
{
	look_for_end(arg);
}

/* Workers first, so that what they have to store is stored; then Redis. */
static void look_for_end(struct supervisor *supervisor)
{
	/* Workers that hang must not keep Redis from closing its file in order: they are
	 * killed by free_parts(). */
	bool late = clock_mono_ms() - supervisor->stop_ms > SUPERVISOR_STOP_LIMIT_MS;

	if (!supervisor->stop_ms)
		return;
	for (unsigned i = 0; i < supervisor->options->settings.workers; i++) {
		if (supervisor->workers[i].pid > 0 && !late)
			return;
	}
	if (!supervisor->redis_stopping) {
		supervisor->redis_stopping = true;
		/* stopped() may be called from within, and comes here again: the flag is set
		 * before. */
		redis_server_stop(supervisor->redis_low, on_redis_stopped, supervisor);
		redis_server_stop(supervisor->redis_high, on_redis_stopped, supervisor);
	}
	if (redis_server_pid(supervisor->redis_low) == 0 &&
	    redis_server_pid(supervisor->redis_high) == 0)
		event_base_loopbreak(supervisor->base);
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *supervisor = arg;
	int status;
	pid_t pid;

	(void)fd;
	(void)what;
	/* Signals are not counted: one may stand for several children. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (redis_server_reaped(supervisor->redis_high, pid, status) ||
		    redis_server_reaped(supervisor->redis_low, pid, status))
			continue;
		for (unsigned i = 0; i < supervisor->options->settings.workers; i++) {
			if (supervisor->workers[i].pid == pid)
				worker_process_reaped(&supervisor->workers[i], status);
		}
	}
	look_for_end(supervisor);
}

static void log_faults(const struct diag *diag)
{
	struct diag_item item;

	for (size_t i = 0; diag_get(diag, i, &item); i++)
		log_warn("account", "%s%s%s", item.place.file ? item.place.file : "",
			 item.place.file ? ": " : "", item.text);
}

static void on_reloaded(void *arg, json_t *rows)
{
	(void)arg;
	json_decref(rows);
	log_info("crs", "accounts loaded again");
}

static void on_hangup(evutil_socket_t fd, short what, void *arg)
{
	static const struct supervisor_question settled = {
		.kind = CRS_WORKER__QUERY_KIND__SETTLED
	};
	struct supervisor *supervisor = arg;
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__ReopenLog reopen = CRS_WORKER__REOPEN_LOG__INIT;
	struct diag *diag = diag_new();
	int err;

	(void)fd;
	(void)what;
	/* First, so that what the reload has to say is in the new file. */
	log_reopen();
	message.body_case = CRS_WORKER__CONTROL__BODY_REOPEN_LOG;
	message.reopen_log = &reopen;
	supervisor_broadcast(supervisor, &message);
	err = supervisor_reload(supervisor, diag);
	log_faults(diag);
	diag_free(&diag);
	if (err)
		log_warn("crs", "reload failed: %s", strerror(-err));
	else /* said when all workers have */
		(void)supervisor_query(supervisor, &settled, on_reloaded, NULL);
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct supervisor *supervisor = arg;

	(void)what;
	/* A second signal changes nothing: every step has a limit. */
	if (supervisor->stop_ms)
		return;
	notifier_init(supervisor->notifier, "crs", "stopping: signal %d", (int)sig);
	supervisor->stop_ms = clock_mono_ms();
	for (unsigned i = 0; i < supervisor->options->settings.workers; i++)
		worker_process_stop(&supervisor->workers[i]);
	look_for_end(supervisor);
}

/* --- what its parts tell --- */

static void on_floor_done(void *arg, unsigned worker, uint64_t ticket, int err)
{
	struct supervisor *supervisor = arg;
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__FloorDone done = CRS_WORKER__FLOOR_DONE__INIT;

	done.ticket = ticket;
	done.failed = err != 0;
	/* The only reason that stays when it is tried again. */
	done.other_account = err == -EACCES;
	message.body_case = CRS_WORKER__CONTROL__BODY_FLOOR_DONE;
	message.floor_done = &done;
	worker_process_send(&supervisor->workers[worker], &message);
}

/* All workers hear of it; the one at which uri is at home acts. */
static void on_push_gone(void *arg, const char *account, const char *uri, int64_t when_ms)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__PushGone gone = CRS_WORKER__PUSH_GONE__INIT;

	gone.account = (char *)(uintptr_t)account;
	gone.uri = (char *)(uintptr_t)uri;
	gone.when_ms = when_ms;
	message.body_case = CRS_WORKER__CONTROL__BODY_PUSH_GONE;
	message.push_gone = &gone;
	supervisor_broadcast(arg, &message);
}

static void on_relay_up(void *arg)
{
	struct supervisor *supervisor = arg;

	notifier_init(supervisor->notifier, "crs_relay", "connected");
}

static void on_relay_down(void *arg)
{
	struct supervisor *supervisor = arg;

	notifier_warn(supervisor->notifier, "crs_relay", "connection lost");
}

static const struct relay_client_ops relay_ops = { .up = on_relay_up, .down = on_relay_down };

static bool all_ready(const struct supervisor *supervisor)
{
	for (unsigned i = 0; i < supervisor->options->settings.workers; i++) {
		if (!supervisor->workers[i].ready)
			return false;
	}
	return true;
}

/* The timer that is there anyway serves the end and the retention, too. */
static void on_room(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *supervisor = arg;

	(void)fd;
	(void)what;
	/* A worker that does not end in time is noticed here. */
	look_for_end(supervisor);
	if (all_ready(supervisor)) /* who is not cannot be asked */
		retention_look(supervisor->retention);
	supervisor_look_for_room(supervisor);
}

/* Seconds are looks: see HEARTBEAT_LOOK_MS. */
static void on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *supervisor = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < supervisor->options->settings.workers; i++)
		worker_process_look(&supervisor->workers[i]);
}

/* --- start --- */

static int prepare(struct supervisor *supervisor)
{
	unsigned n = supervisor->options->settings.workers;

	TAILQ_INIT(&supervisor->queries);
	supervisor->base = event_base_new();
	supervisor->workers = calloc(n, sizeof(*supervisor->workers));
	if (!supervisor->base || !supervisor->workers)
		return -ENOMEM;
	supervisor->notifier = notifier_new(supervisor->base, supervisor->options->paths.notify, 0);
	if (!supervisor->notifier)
		return -ENOMEM;
	supervisor->floors = floors_new(supervisor->base, supervisor->options->paths.accounts,
					on_floor_done, supervisor);
	for (unsigned i = 0; i < n; i++) {
		if (worker_process_init(&supervisor->workers[i], supervisor, i))
			return -ENOMEM;
	}
	return supervisor->floors ? 0 : -ENOMEM;
}

/* Workers share the port by SO_REUSEPORT, which would let another program in, too:
 * so look first whether it is free. */
static int check_port(const struct settings *settings, struct diag *diag)
{
	struct net_addr addr;
	int fd;

	if (net_parse(settings->listen_address, settings->listen_port, &addr)) {
		diag_error(diag, NULL, "listen-address \"%s\" is no address",
			   settings->listen_address);
		return -EINVAL;
	}
	fd = net_tcp_listen(&addr, false);
	if (fd < 0) {
		diag_error(diag, NULL, "cannot listen on %s port %u: %s", settings->listen_address,
			   settings->listen_port, strerror(-fd));
		return fd;
	}
	close(fd);
	return 0;
}

static int start_redis(struct supervisor *supervisor, const char *name, bool durable,
		       struct redis_server **out, struct diag *diag)
{
	const struct crs_paths *paths = &supervisor->options->paths;
	struct redis_options options = {
		.name = name,
		.data_dir = paths->data,
		.run_dir = paths->run,
		.log_dir = paths->log,
		.durable = durable,
		.max_bytes = supervisor->options->settings.redis_max_mib << 20,
		.notifier = supervisor->notifier,
	};

	return redis_server_new(supervisor->base, &options, out, diag);
}

static int watch(struct supervisor *supervisor, int sig, event_callback_fn callback,
		 struct event **event_out)
{
	*event_out = evsignal_new(supervisor->base, sig, callback, supervisor);
	return *event_out && event_add(*event_out, NULL) == 0 ? 0 : -ENOMEM;
}

static int start_parts(struct supervisor *supervisor, struct diag *diag)
{
	const struct supervisor_options *options = supervisor->options;
	struct timeval room = { SUPERVISOR_ROOM_MS / 1000, 0 };
	struct timeval beat = { HEARTBEAT_LOOK_MS / 1000, 0 };
	/* Before the workers: the message belongs on the terminal of whoever started
	 * crs. */
	int err = check_port(&options->settings, diag);

	if (!err)
		err = supervisor_load_accounts(supervisor, diag);
	/* Before the first child. */
	if (!err)
		err = watch(supervisor, SIGCHLD, on_child, &supervisor->signals[0]);
	if (!err)
		err = watch(supervisor, SIGHUP, on_hangup, &supervisor->signals[1]);
	if (!err)
		err = watch(supervisor, SIGTERM, on_stop, &supervisor->signals[2]);
	if (!err)
		err = watch(supervisor, SIGINT, on_stop, &supervisor->signals[3]);
	if (!err)
		err = start_redis(supervisor, "redis_high", false, &supervisor->redis_high, diag);
	if (!err)
		err = start_redis(supervisor, "redis_low", true, &supervisor->redis_low, diag);
	if (!err && options->settings.apns.complete)
		err = pusher_new(supervisor->base, &options->settings.apns, on_push_gone,
				 supervisor, &supervisor->pusher, diag);
	if (!err)
		err = control_api_new(supervisor->base, supervisor, &supervisor->api, diag);
	if (!err)
		err = crs_metrics_new(supervisor->base, supervisor, &supervisor->metrics, diag);
	if (!err)
		err = retention_new(supervisor, &supervisor->retention);
	if (err)
		return err;
	supervisor->relay = relay_client_new(supervisor->base, options->settings.relay_socket,
					     &relay_ops, supervisor);
	supervisor->room = event_new(supervisor->base, -1, EV_PERSIST, on_room, supervisor);
	supervisor->beat = event_new(supervisor->base, -1, EV_PERSIST, on_beat, supervisor);
	if (!supervisor->relay || !supervisor->room || !supervisor->beat)
		return -ENOMEM;
	event_add(supervisor->room, &room);
	event_add(supervisor->beat, &beat);
	/* At once: the first worker to be ready is told whether there is room. */
	on_room(-1, 0, supervisor);
	for (unsigned i = 0; i < options->settings.workers; i++)
		worker_process_start(&supervisor->workers[i]);
	supervisor->watch = service_watch_new(supervisor->base);
	return 0;
}

/* --- the end, and the whole --- */

static void free_parts(struct supervisor *supervisor)
{
	/* Those who ask, before those who are asked; queries lose their askers here. */
	service_watch_free(&supervisor->watch);
	control_api_free(&supervisor->api);
	crs_metrics_free(&supervisor->metrics);
	relay_client_free(&supervisor->relay);
	for (unsigned i = 0; supervisor->workers && i < supervisor->options->settings.workers; i++)
		worker_process_done(&supervisor->workers[i]);
	supervisor_drop_queries(supervisor);
	retention_free(&supervisor->retention);
	redis_server_free(&supervisor->redis_high);
	redis_server_free(&supervisor->redis_low);
	pusher_free(&supervisor->pusher);
	notifier_free(&supervisor->notifier);
	floors_free(&supervisor->floors);
	account_set_free(&supervisor->accounts);
	for (size_t i = 0; i < sizeof(supervisor->signals) / sizeof(supervisor->signals[0]); i++) {
		if (supervisor->signals[i])
			event_free(supervisor->signals[i]);
	}
	if (supervisor->room)
		event_free(supervisor->room);
	if (supervisor->beat)
		event_free(supervisor->beat);
	free(supervisor->workers);
	if (supervisor->base)
		event_base_free(supervisor->base);
	/* Last: another crs may start now. */
	if (supervisor->lock_fd >= 0)
		close(supervisor->lock_fd);
}

int supervisor_run(const struct supervisor_options *options)
{
	struct supervisor supervisor = { .options = options, .lock_fd = options->lock_fd };
	char log_path[CRS_PATH_SIZE + 16];
	struct diag *diag = diag_new();
	int err;

	/* A peer that is gone is told by the return value of a write. */
	signal(SIGPIPE, SIG_IGN);
	snprintf(log_path, sizeof(log_path), "%s/crs.log", options->paths.log);
	err = file_mkdirs(options->paths.log, 0750);
	if (!err)
		err = log_open(LOG_STYLE_CRS, options->log_to_stderr ? NULL : log_path, diag);
	else
		diag_error(diag, NULL, "cannot make %s: %s", options->paths.log, strerror(-err));
	log_set_verbose(options->verbose);
	if (!err)
		err = prepare(&supervisor);
	if (!err)
		err = start_parts(&supervisor, diag);
	diag_print(diag, stderr);
	if (err && diag_errors(diag) == 0)
		fprintf(stderr, "crs: cannot start: %s\n", strerror(-err));
	diag_free(&diag);
	if (!err) {
		notifier_init(supervisor.notifier, "crs",
			      "crs %s started as %s on %s port %u with %u workers", PACKAGE_VERSION,
			      options->settings.name, options->settings.listen_address,
			      options->settings.listen_port, options->settings.workers);
		event_base_dispatch(supervisor.base);
		notifier_init(supervisor.notifier, "crs", "stopped");
		notifier_finish(supervisor.notifier, NOTIFY_AT_END_MS);
	}
	free_parts(&supervisor);
	return err ? 1 : 0;
}
