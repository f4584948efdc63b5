#include "tests/rendezvous/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/file.h"
#include "base/pack.h"
#include "base/process.h"
#include "rendezvous/account_set.h"
#include "rendezvous/client_policy.h"
#include "rendezvous/control_api.h"
#include "rendezvous/floors.h"
#include "rendezvous/redis_server.h"
#include "rendezvous/relay_client.h"
#include "tests/tools/remove_tree.h"

enum { TURNS = 8, MESSAGE_MAX = 128 * 1024 };

/* The desk that is open: process_spawn() has no argument for it. */
static struct desk *open_desk;

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* ---- without processes ---- */

/* Keeps the worker's end of its channel.  The number is nobody's: desk_open() takes it away
 * before anything could be sent to it. */
pid_t process_spawn(const struct process_spec *spec)
{
	for (unsigned i = 0; i < DESK_WORKERS; i++) {
		if (open_desk->ends[i] < 0) {
			open_desk->ends[i] = fcntl(spec->pass_fd, F_DUPFD_CLOEXEC, 0);
			return 1;
		}
	}
	return -EAGAIN;
}

int process_find(const char *name, char *out, size_t outsz)
{
	(void)name;
	(void)out;
	(void)outsz;
	return -ENOENT;
}

/* Two that never run. */
struct redis_server {
	const char *name;
};

static struct redis_server redis_high = { "redis_high" }, redis_low = { "redis_low" };

pid_t redis_server_pid(const struct redis_server *server)
{
	(void)server;
	return 0;
}

const char *redis_server_name(const struct redis_server *server)
{
	return server->name;
}

const char *redis_server_socket(const struct redis_server *server)
{
	(void)server;
	return "/nowhere";
}

void redis_server_stop(struct redis_server *server, void (*stopped)(void *arg), void *arg)
{
	(void)server;
	stopped(arg);
}

bool redis_server_reaped(struct redis_server *server, pid_t pid, int status)
{
	(void)server;
	(void)pid;
	(void)status;
	return false;
}

int redis_server_new(struct event_base *base, const struct redis_options *options,
		     struct redis_server **server_out, struct diag *diag)
{
	(void)base;
	(void)options;
	(void)server_out;
	(void)diag;
	return -ENOENT;
}

void redis_server_free(struct redis_server **serverp)
{
	*serverp = NULL;
}

/* ---- its life ---- */

static void on_relay(void *arg)
{
	(void)arg;
}

static const struct relay_client_ops relay_ops = { on_relay, on_relay };

static void on_floor(void *arg, unsigned worker, uint64_t ticket, int err)
{
	(void)arg;
	(void)worker;
	(void)ticket;
	(void)err;
}

static void set_options(struct desk *desk)
{
	struct settings *settings = &desk->options.settings;

	expect(crs_paths_init(&desk->options.paths, desk->place) == 0);
	snprintf(settings->name, sizeof(settings->name), "crs1");
	snprintf(settings->ip, sizeof(settings->ip), "192.0.2.1");
	snprintf(settings->listen_address, sizeof(settings->listen_address), "127.0.0.1");
	settings->listen_port = SETTINGS_PORT_DEFAULT;
	settings->workers = DESK_WORKERS;
	settings->posts_at_once = 100;
	settings->posts_per_second = 10;
	settings->policy = client_policy_new("crs.conf");
	expect(settings->policy != NULL);
}

static void start_workers(struct supervisor *supervisor)
{
	CrsWorker__Control ready = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Ready body = CRS_WORKER__READY__INIT;

	ready.body_case = CRS_WORKER__CONTROL__BODY_READY;
	ready.ready = &body;
	for (unsigned i = 0; i < DESK_WORKERS; i++) {
		struct worker_process *worker = &supervisor->workers[i];

		expect(worker_process_init(worker, supervisor, i) == 0);
		worker_process_start(worker);
		worker->pid = 0;
		desk_say(open_desk, i, &ready);
	}
}

void desk_open(struct desk *desk, const char *place)
{
	struct supervisor *supervisor = &desk->supervisor;
	const struct crs_paths *paths = &desk->options.paths;

	memset(desk, 0, sizeof(*desk));
	open_desk = desk;
	desk->ends[0] = desk->ends[1] = -1;
	snprintf(desk->place, sizeof(desk->place), "%s", place ? place : "/tmp/desk-XXXXXX");
	expect(place || mkdtemp(desk->place));
	set_options(desk);
	expect(file_mkdirs(paths->accounts, 0700) == 0 && file_mkdirs(paths->run, 0700) == 0);
	*supervisor = (struct supervisor){ .options = &desk->options,
					   .lock_fd = -1,
					   .redis_high = &redis_high,
					   .redis_low = &redis_low };
	TAILQ_INIT(&supervisor->queries);
	supervisor->base = event_base_new();
	supervisor->workers = calloc(DESK_WORKERS, sizeof(*supervisor->workers));
	expect(supervisor->base && supervisor->workers);
	supervisor->floors = floors_new(supervisor->base, paths->accounts, on_floor, supervisor);
	supervisor->relay = relay_client_new(supervisor->base, paths->relay, &relay_ops, NULL);
	expect(supervisor->floors && supervisor->relay);
	expect(account_set_load(paths->accounts, NULL, &supervisor->accounts, NULL) == 0);
	expect(control_api_new(supervisor->base, supervisor, &supervisor->api, NULL) == 0);
	start_workers(supervisor);
}

void desk_close(struct desk *desk)
{
	struct supervisor *supervisor = &desk->supervisor;

	/* With its workers every question ends, and whoever waits for one is told: a
	 * supervisor that ends may forget them, a test looks for leaks. */
	for (unsigned i = 0; i < DESK_WORKERS; i++) {
		if (desk->ends[i] >= 0)
			desk_hang_up(desk, i);
	}
	desk_turn(desk);
	control_api_free(&supervisor->api);
	for (unsigned i = 0; i < DESK_WORKERS; i++)
		worker_process_done(&supervisor->workers[i]);
	supervisor_drop_queries(supervisor);
	relay_client_free(&supervisor->relay);
	floors_free(&supervisor->floors);
	account_set_free(&supervisor->accounts);
	free(supervisor->workers);
	event_base_free(supervisor->base);
	settings_clear(&desk->options.settings);
	expect(remove_tree(desk->place) == 0);
	open_desk = NULL;
}

void desk_turn(struct desk *desk)
{
	for (int i = 0; i < TURNS; i++)
		event_base_loop(desk->supervisor.base, EVLOOP_NONBLOCK);
}

/* ---- workers ---- */

void desk_say_octets(struct desk *desk, unsigned worker, struct slice octets)
{
	if (desk->ends[worker] < 0)
		return;
	(void)!send(desk->ends[worker], octets.p, octets.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	desk_turn(desk);
}

void desk_say(struct desk *desk, unsigned worker, const CrsWorker__Control *message)
{
	size_t n = crs_worker__control__get_packed_size(message);
	uint8_t *octets = malloc(n + 1);

	expect(octets != NULL);
	crs_worker__control__pack(message, octets);
	desk_say_octets(desk, worker, slice_of(octets, n));
	free(octets);
}

CrsWorker__Control *desk_hear(struct desk *desk, unsigned worker)
{
	CrsWorker__Control *message = NULL;
	uint8_t *octets = malloc(MESSAGE_MAX);
	ssize_t n;

	expect(octets != NULL);
	desk_turn(desk);
	n = desk->ends[worker] < 0 ? 0
				   : recv(desk->ends[worker], octets, MESSAGE_MAX, MSG_DONTWAIT);
	if (n > 0) {
		message = crs_worker__control__unpack(NULL, (size_t)n, octets);
		expect(message != NULL);
	}
	free(octets);
	return message;
}

CrsWorker__Control *desk_hear_kind(struct desk *desk, unsigned worker,
				   CrsWorker__Control__BodyCase kind)
{
	CrsWorker__Control *message;

	while ((message = desk_hear(desk, worker)) && message->body_case != kind)
		PACK_FREE(&message);
	return message;
}

void desk_hang_up(struct desk *desk, unsigned worker)
{
	close(desk->ends[worker]);
	desk->ends[worker] = -1;
	desk_turn(desk);
}

/* ---- the control socket ---- */

int desk_connect(struct desk *desk)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	expect(strlen(desk->options.paths.control) < sizeof(address.sun_path));
	memcpy(address.sun_path, desk->options.paths.control, strlen(desk->options.paths.control));
	expect(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

void desk_ask(struct desk *desk, int fd, const char *target, const char *body)
{
	char *text = NULL;
	int n = asprintf(&text,
			 "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
			 body ? "POST" : "GET", target, body ? strlen(body) : 0, body ? body : "");

	expect(n > 0);
	(void)!send(fd, text, (size_t)n, MSG_NOSIGNAL);
	free(text);
	desk_turn(desk);
}

unsigned desk_answer(struct desk *desk, int fd, json_t **json_out)
{
	char *heard = calloc(1, DESK_HEARD), *body;
	unsigned status = 0;
	size_t n = 0;
	ssize_t got;

	expect(heard != NULL);
	if (json_out)
		*json_out = NULL;
	do {
		desk_turn(desk);
		got = recv(fd, heard + n, DESK_HEARD - 1 - n, 0);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	if (sscanf(heard, "HTTP/1.1 %u", &status) != 1)
		status = 0;
	body = strstr(heard, "\r\n\r\n");
	if (body && json_out)
		*json_out = json_loads(body + 4, JSON_DECODE_ANY, NULL);
	free(heard);
	return status;
}

void desk_settle(struct desk *desk)
{
	CrsWorker__Control answer = CRS_WORKER__CONTROL__INIT;
	CrsWorker__QueryPart part = CRS_WORKER__QUERY_PART__INIT;

	part.number = desk->supervisor.query_number;
	answer.body_case = CRS_WORKER__CONTROL__BODY_QUERY_PART;
	answer.query_part = &part;
	for (unsigned i = 0; i < DESK_WORKERS; i++)
		desk_say(desk, i, &answer);
}

unsigned desk_get(struct desk *desk, const char *target, const char *body, json_t **json_out)
{
	int fd = desk_connect(desk);
	unsigned status;

	desk_ask(desk, fd, target, body);
	desk_settle(desk);
	status = desk_answer(desk, fd, json_out);
	close(fd);
	desk_turn(desk);
	return status;
}
