/* worker_process.c - a worker as its supervisor sees it.
 *
 * The channel is a socketpair that only these two processes have: no name, no access control,
 * and its end tells each of the other's death at once.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/channel.h"
#include "base/channel_pack.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/net.h"
#include "base/notifier.h"
#include "base/process.h"
#include "base/timer.h"
#include "rendezvous/admin_service.h"
#include "rendezvous/client_policy.h"
#include "rendezvous/control_api.h"
#include "rendezvous/floors.h"
#include "rendezvous/pusher.h"
#include "rendezvous/supervisor_priv.h"

enum { CONTROL_QUEUE = 65536, STAT_MAX = 4096 };

int worker_process_send(struct worker_process *worker, const CrsWorker__Control *message)
{
	/* One that does not run misses nothing but what it is told when it is ready: it loads
	 * everything at its start. */
	return worker->channel ? channel_send_packed(worker->channel, &message->base) : -EPIPE;
}

void supervisor_broadcast(struct supervisor *supervisor, const CrsWorker__Control *message)
{
	for (unsigned i = 0; i < supervisor->options->settings.workers; i++) {
		/* One that starts takes it behind its setup: what it loads meanwhile may be of
		 * before. */
		worker_process_send(&supervisor->workers[i], message);
	}
}

/* Returns 0 or -errno: it has heard nothing, and would wait for ever. */
static int send_setup(struct worker_process *worker)
{
	const struct supervisor_options *options = worker->supervisor->options;
	const struct settings *settings = &options->settings;
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Setup setup = CRS_WORKER__SETUP__INIT;
	char listen[NET_TEXT_SIZE], log_path[CRS_PATH_SIZE + 16];
	struct net_addr addr;

	/* Checked at the start (check_port()). */
	if (net_parse(settings->listen_address, settings->listen_port, &addr))
		return -EINVAL;
	net_format(&addr, listen);
	snprintf(log_path, sizeof(log_path), "%s/crs.log", options->paths.log);
	setup.index = worker->index;
	setup.workers = settings->workers;
	setup.server = (char *)(uintptr_t)settings->name;
	setup.listen = listen;
	setup.run_dir = (char *)(uintptr_t)options->paths.run;
	setup.accounts_dir = (char *)(uintptr_t)options->paths.accounts;
	setup.admins_dir = (char *)(uintptr_t)options->paths.admins;
	setup.relay_socket = (char *)(uintptr_t)settings->relay_socket;
	setup.relay_host = (char *)(uintptr_t)settings->relay_host;
	setup.relay_port = settings->relay_port;
	if (!options->log_to_stderr)
		setup.log_path = log_path;
	setup.verbose = options->verbose;
	setup.push = worker->supervisor->pusher != NULL;
	setup.quota_octets = (uint64_t)settings->quota_mib << 20;
	setup.quota_messages = (uint32_t)settings->quota_messages;
	setup.posts_at_once = (uint32_t)settings->posts_at_once;
	/* At least one: settings.c allows 1,000 a second at most. */
	setup.posts_each_ms = (uint32_t)(1000 / settings->posts_per_second);
	client_policy_pack(settings->policy, &setup);
	message.body_case = CRS_WORKER__CONTROL__BODY_SETUP;
	message.setup = &setup;
	return worker_process_send(worker, &message);
}

static void tell_up(struct worker_process *to, unsigned index)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__WorkerUp up = CRS_WORKER__WORKER_UP__INIT;

	up.index = index;
	message.body_case = CRS_WORKER__CONTROL__BODY_WORKER_UP;
	message.worker_up = &up;
	worker_process_send(to, &message);
}

static void tell_traced(struct worker_process *worker)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__TraceOn on = CRS_WORKER__TRACE_ON__INIT;

	on.elements = worker->supervisor->traced;
	message.body_case = CRS_WORKER__CONTROL__BODY_TRACE_ON;
	message.trace_on = &on;
	worker_process_send(worker, &message);
}

void supervisor_set_traced(struct supervisor *supervisor, unsigned elements)
{
	supervisor->traced = elements;
	for (unsigned i = 0; i < supervisor->options->settings.workers; i++) {
		if (supervisor->workers[i].ready)
			tell_traced(&supervisor->workers[i]);
	}
}

/* All workers connect to the new one, and it to them. */
static void on_ready(struct worker_process *worker)
{
	struct supervisor *supervisor = worker->supervisor;

	worker->ready = true;
	for (unsigned i = 0; i < supervisor->options->settings.workers; i++) {
		struct worker_process *other = &supervisor->workers[i];

		if (other == worker || !other->ready)
			continue;
		/* Both directions: each sends on the connection that it made (mesh.h). */
		tell_up(other, worker->index);
		tell_up(worker, other->index);
	}
	supervisor_tell_room(supervisor, worker);
	tell_traced(worker);
	notifier_init(supervisor->notifier, "crs", "worker %u ready pid=%d", worker->index,
		      (int)worker->pid);
}

static void on_message(void *arg, struct slice octets)
{
	struct worker_process *worker = arg;
	struct supervisor *supervisor = worker->supervisor;
	CrsWorker__Control *m = crs_worker__control__unpack(NULL, octets.n, octets.p);

	/* Also what cannot be read was said. */
	heartbeat_heard(&worker->beat);
	if (!m)
		return;
	switch (m->body_case) {
	case CRS_WORKER__CONTROL__BODY_READY:
		on_ready(worker);
		break;
	case CRS_WORKER__CONTROL__BODY_TRACE_LINE:
		if (m->trace_line->element < TRACE_ELEMENT_COUNT)
			control_api_trace(
				supervisor->api, (enum trace_element)m->trace_line->element,
				(const char *const *)m->trace_line->field, m->trace_line->n_field);
		break;
	case CRS_WORKER__CONTROL__BODY_QUERY_PART:
		supervisor_query_part(supervisor, worker->index, m->query_part);
		break;
	case CRS_WORKER__CONTROL__BODY_PUSH:
		if (supervisor->pusher)
			pusher_wake(supervisor->pusher, m->push->account, m->push->uri,
				    m->push->value, PUSHER_UNLESS_JUST_PUSHED);
		break;
	case CRS_WORKER__CONTROL__BODY_ADMIN_ASK:
		admin_service_ask(supervisor, worker, m->admin_ask);
		break;
	case CRS_WORKER__CONTROL__BODY_FLOOR_RAISE:
		floors_raise(supervisor->floors, worker->index, m->floor_raise->ticket,
			     m->floor_raise->account, m->floor_raise->uri,
			     m->floor_raise->generation);
		break;
	default:
		break;
	}
	crs_worker__control__free_unpacked(m, NULL);
}

static void on_closed(void *arg, int err)
{
	struct worker_process *worker = arg;

	(void)err;
	channel_free(&worker->channel);
	worker->ready = false;
	/* The process may run for a while yet; it is started again when it is reaped. */
	supervisor_worker_gone(worker->supervisor, worker->index);
}

static const struct channel_ops channel_ops = { .message = on_message, .closed = on_closed };

static pid_t spawn(const struct worker_process *worker, int fd)
{
	const char *test_clock = worker->supervisor->options->test_clock;
	char now[32];
	/* The very program that runs, also if the file was replaced meanwhile: both ends speak
	 * one protocol. */
	const char *argv[] = { "/proc/self/exe", "--worker", NULL, NULL, NULL };
	struct process_spec spec = { .argv = argv, .pass_fd = fd, .output_fd = -1 };

	if (test_clock) {
		argv[2] = "--now";
		argv[3] = test_clock;
	}
	if (test_clock && test_clock[0] != '/') { /* as it is now, not as it was at the start */
		time_t t = (time_t)clock_wall_s();
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &tm);
		argv[3] = now;
	}
	return process_spawn(&spec);
}

static void start_later(struct worker_process *worker)
{
	/* One that fails at each start must not keep the machine busy. */
	timer_arm(worker->again, worker->pause_ms);
	worker->pause_ms *= 2;
	if (worker->pause_ms > SUPERVISOR_RESTART_LAST_MS)
		worker->pause_ms = SUPERVISOR_RESTART_LAST_MS;
}

void worker_process_start(struct worker_process *worker)
{
	int fds[2], err;
	pid_t pid;

	worker->started_ms = clock_mono_ms();
	heartbeat_start(&worker->beat);
	/* Without descriptors now, there may be some later. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
		start_later(worker);
		return;
	}
	pid = spawn(worker, fds[1]);
	/* Else the end of the child would never be seen as the channel's end. */
	close(fds[1]);
	if (pid > 0)
		worker->channel = channel_new(worker->supervisor->base, fds[0], CONTROL_QUEUE,
					      &channel_ops, worker);
	if (!worker->channel) {
		close(fds[0]); /* a worker without channel ends by itself */
		notifier_warn(worker->supervisor->notifier, "crs", "cannot start worker %u",
			      worker->index);
		worker->pid = pid > 0 ? pid : 0;
		if (pid < 0)
			start_later(worker);
		return;
	}
	worker->pid = pid;
	err = send_setup(worker);
	if (err) {
		notifier_warn(worker->supervisor->notifier, "crs", "cannot set up worker %u: %s",
			      worker->index, strerror(-err));
		channel_free(&worker->channel); /* it ends, and is started again */
	}
}

void worker_process_reaped(struct worker_process *worker, int status)
{
	worker->pid = 0;
	/* Its last messages may still be in the channel; nobody acts for a dead worker. */
	if (worker->channel) {
		channel_free(&worker->channel);
		worker->ready = false;
		supervisor_worker_gone(worker->supervisor, worker->index);
	}
	if (worker->stopping)
		return;
	if (WIFSIGNALED(status))
		notifier_warn(worker->supervisor->notifier, "crs",
			      "worker %u was killed by signal %d", worker->index, WTERMSIG(status));
	else
		notifier_warn(worker->supervisor->notifier, "crs", "worker %u ended with status %d",
			      worker->index, WEXITSTATUS(status));
	if (clock_mono_ms() - worker->started_ms >= SUPERVISOR_STEADY_MS)
		worker->pause_ms = SUPERVISOR_RESTART_FIRST_MS;
	start_later(worker);
}

static int tell_ping(struct worker_process *worker)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Ping ping = CRS_WORKER__PING__INIT;

	message.body_case = CRS_WORKER__CONTROL__BODY_PING;
	message.ping = &ping;
	return worker_process_send(worker, &message);
}

/* In a wait that no signal ends: state D of proc(5), which stands behind the name in brackets. */
static bool waits_for_disk(pid_t pid)
{
	char path[32];
	uint8_t *stat = NULL;
	const char *name_end = NULL;
	size_t n;
	bool waits;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read(path, STAT_MAX, &stat, &n) == 0)
		name_end = strrchr((const char *)stat, ')');
	waits = name_end && strncmp(name_end, ") D", 3) == 0;
	free(stat);
	return waits;
}

void worker_process_look(struct worker_process *worker)
{
	unsigned long limit = worker->supervisor->options->settings.hang_limit_s;

	/* Whoever stops has another limit, which ends it, too (look_for_end() in
	 * supervisor_start.c). */
	if (worker->pid <= 0 || worker->stopping)
		return;
	if (waits_for_disk(worker->pid) && heartbeat_excuses(&worker->beat, (unsigned)limit))
		return;
	switch (heartbeat_look(&worker->beat, worker->ready, (unsigned)limit)) {
	case HEARTBEAT_NOTHING:
		break;
	case HEARTBEAT_ASK:
		if (tell_ping(worker))
			heartbeat_not_asked(&worker->beat);
		break;
	case HEARTBEAT_ABORT:
		notifier_warn(worker->supervisor->notifier, "crs",
			      "worker %u hangs: no answer for %lu s, so pid %d is ended",
			      worker->index, worker->ready ? limit : limit * HEARTBEAT_START_TIMES,
			      (int)worker->pid);
		kill(worker->pid, SIGABRT);
		break;
	case HEARTBEAT_KILL:
		/* A process that is stopped, or waits for a disk, takes no other signal. */
		kill(worker->pid, SIGKILL);
	}
}

void worker_process_stop(struct worker_process *worker)
{
	worker->stopping = true;
	/* One that waits for its start stays away. */
	event_del(worker->again);
	if (worker->pid > 0)
		kill(worker->pid, SIGTERM);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	worker_process_start(arg);
}

int worker_process_init(struct worker_process *worker, struct supervisor *supervisor,
			unsigned index)
{
	worker->supervisor = supervisor;
	worker->index = index;
	worker->pause_ms = SUPERVISOR_RESTART_FIRST_MS;
	snprintf(worker->name, sizeof(worker->name), "app: worker-%u", index);
	worker->again = evtimer_new(supervisor->base, on_again, worker);
	return worker->again ? 0 : -ENOMEM;
}

void worker_process_done(struct worker_process *worker)
{
	/* It had its time to end by itself (look_for_end() in supervisor_start.c). */
	if (worker->pid > 0)
		kill(worker->pid, SIGKILL);
	channel_free(&worker->channel);
	if (worker->again)
		event_free(worker->again);
}
