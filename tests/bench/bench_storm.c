/* bench_storm.c - what a live call notices when everybody connects at once.
 *
 * crs.storm.N: N clients in a process of their own connect to the real crs at the same
 * moment and register, as after a network's failure, while two others are in a call and
 * send each other a signal every 10 ms.  The figure is the 99th percentile of the time
 * (of the wall) from one end of the call to the other; the reference is the same without
 * the storm.
 */
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "tests/bench/bench.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"
#include "umsg/link.h"

enum {
	FEW = 100,
	MANY = 9500, /* a descriptor each; the limit here is 20,000, half of them for a worker */
	EVERY_MS = 10,
	CALM_MS = 2000,
	LEAST_SIGNALS = 100,
	MAX_SIGNALS = 24000, /* four minutes */
	STORM_LIMIT_MS = 200000,
	AGAIN_MS = 1000, /* between two looks for those who were cut off */
};

/* --- the storm --- */

struct storm {
	struct scene *scene;
	struct party *parties;
	int n, registered;
};

static void on_storm_frame(void *arg, const Umsg__Frame *frame)
{
	struct storm *storm = arg;

	storm->registered += frame->body_case == UMSG__FRAME__BODY_REGISTERED;
}

static void connect_one(struct storm *storm, int i)
{
	struct party *party = &storm->parties[i];
	static char uris[MANY][32];

	snprintf(uris[i], sizeof(uris[i]), "tel:+4680%06d", i);
	party_open(party, storm->scene,
		   &(struct party_options){ .uri = uris[i], .generation = 1, .device = 1 });
	party->on_frame = on_storm_frame;
	party->arg = storm;
}

/* Whoever was cut off, as it took too long, tries again. */
static void connect_again(struct storm *storm)
{
	for (int i = 0; i < storm->n; i++) {
		if (!party_heard(&storm->parties[i], "closed"))
			continue;
		party_close(&storm->parties[i]);
		connect_one(storm, i);
	}
}

/* The process of the storm: says "go" when it is about to begin, and ends well when
 * everybody is registered. */
static int run_storm(struct scene *scene, int n, int go)
{
	struct storm storm = { .scene = scene, .n = n };
	int64_t end_ms = clock_mono_ms() + STORM_LIMIT_MS, look_ms = 0;

	scene->base = event_base_new();
	if (link_context_new(scene->base, NULL, &scene->links))
		return 1;
	storm.parties = calloc((size_t)n, sizeof(*storm.parties));
	if (!storm.parties || write(go, "g", 1) != 1)
		return 1;
	for (int i = 0; i < n; i++)
		connect_one(&storm, i);
	while (storm.registered < n && clock_mono_ms() < end_ms) {
		scene_run(scene);
		if (clock_mono_ms() < look_ms)
			continue;
		connect_again(&storm);
		look_ms = clock_mono_ms() + AGAIN_MS;
	}
	return storm.registered >= n ? 0 : 1;
}

/* --- the call --- */

struct call {
	struct scene scene;
	struct party caller, callee;
	double *sent, *took; /* milliseconds; by the signals' order, which the server keeps */
	size_t n_sent, n_took;
};

static double now_ms(void)
{
	return bench_seconds(CLOCK_MONOTONIC) * 1e3;
}

static void on_signal(void *arg, const Umsg__Frame *frame)
{
	struct call *call = arg;

	if (frame->body_case != UMSG__FRAME__BODY_SIGNAL)
		return;
	call->took[call->n_took] = now_ms() - call->sent[call->n_took];
	call->n_took++;
}

static void send_signal(struct call *call)
{
	bench_must(call->n_sent < MAX_SIGNALS, "ending in time");
	call->sent[call->n_sent++] = now_ms();
	party_answer(&call->callee, "tel:+46701", 's', UMSG__FRAME__BODY_SIGNAL);
}

static void open_call(struct call *call)
{
	call->sent = calloc(MAX_SIGNALS, sizeof(*call->sent));
	call->took = calloc(MAX_SIGNALS, sizeof(*call->took));
	bench_must(call->sent && call->took, "memory");
	party_open(&call->caller, &call->scene,
		   &(struct party_options){ .uri = "tel:+46701", .generation = 1, .device = 1 });
	party_open(&call->callee, &call->scene,
		   &(struct party_options){ .uri = "tel:+46702", .generation = 1, .device = 2 });
	bench_must(party_hears(&call->caller, "registered"), "registering");
	bench_must(party_hears(&call->callee, "registered"), "registering");
	party_bang(&call->caller, "tel:+46702", 's');
	bench_must(party_hears(&call->callee, "bang"), "calling");
	party_answer(&call->callee, "tel:+46701", 's', UMSG__FRAME__BODY_TALK);
	bench_must(party_hears(&call->caller, "talk"), "answering");
	call->caller.on_frame = on_signal;
	call->caller.arg = call;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Signals until the process ends (0: for CALM_MS); the 99th percentile in milliseconds. */
static double talk_while(struct call *call, pid_t pid)
{
	double start = now_ms(), next = start;
	bool over = false;

	call->n_sent = call->n_took = 0;
	while (!over || call->n_took < call->n_sent) {
		int status;

		if (!over && now_ms() >= next) {
			send_signal(call);
			next += EVERY_MS;
		}
		event_base_loop(call->scene.base, EVLOOP_NONBLOCK);
		if (now_ms() < next)
			usleep(500);
		if (!over && pid && waitpid(pid, &status, WNOHANG) == pid) {
			bench_must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the storm");
			over = call->n_sent >= LEAST_SIGNALS;
			pid = 0;
		} else if (!over && !pid) {
			over = now_ms() - start >= CALM_MS && call->n_sent >= LEAST_SIGNALS;
		}
	}
	qsort(call->took, call->n_took, sizeof(*call->took), by_value);
	return call->took[call->n_took * 99 / 100];
}

static void measure(int n)
{
	static struct call call;
	int pipes[2];
	char name[32], octet;
	double calm, storm;
	pid_t pid;

	call = (struct call){ .n_sent = 0 };
	scene_open(&call.scene, "");
	scene_start(&call.scene);
	scene_start_relay(&call.scene);
	open_call(&call);
	calm = talk_while(&call, 0);
	for (int round = 0; round < 2; round++) { /* the first one makes them known */
		bench_must(pipe(pipes) == 0, "pipe");
		pid = fork();
		if (pid == 0)
			_exit(run_storm(&call.scene, n, pipes[1]));
		bench_must(pid > 0 && read(pipes[0], &octet, 1) == 1, "starting the storm");
		close(pipes[0]);
		close(pipes[1]);
		storm = talk_while(&call, pid);
	}
	snprintf(name, sizeof(name), "crs.storm.%d", n);
	bench_print(name, storm, "ms wall", calm);
	party_close(&call.caller);
	party_close(&call.callee);
	free(call.sent);
	free(call.took);
	scene_close(&call.scene);
}

int main(int argc, char *argv[])
{
	signal(SIGPIPE, SIG_IGN);
	if (bench_wants(argc, argv, "crs.storm.100"))
		measure(FEW);
	if (bench_wants(argc, argv, "crs.storm.9500"))
		measure(MANY);
	return 0;
}
