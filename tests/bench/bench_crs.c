/* bench_crs.c - what a client and a message cost the rendezvous.
 *
 * Runs the real crs with its Redis in a folder of its own and counts the CPU time of
 * its workers (and, for messages, of redis_low); what the clients cost in this process
 * is not in it.  References: a bare OpenSSL handshake with a PSK, by its steps alone and by
 * a server of as many processes that does nothing else; its memory, and an echo of a
 * message; and a Redis alone that adds the same messages to a stream.  Figure and
 * references take turns, a slice each.
 */
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "tests/bench/bare_server.h"
#include "tests/bench/bare_tls.h"
#include "tests/bench/bench.h"
#include "tests/bench/redis_alone.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"

enum {
	FEW_CLIENTS = 100,
	MAX_CLIENTS = 10000, /* a descriptor each here, and half of one in each worker */
	AT_ONCE = 50,
	ONLINE = 4000, /* messages a slice */
	ONLINE_SLICES = 25,
	SLICE = 1000,   /* messages that are stored between two turns of the reference */
	STORED = 50000, /* of all rounds */
	MAX_STORED = 10000,
	IN_FLIGHT = 100,
	MESSAGE_OCTETS = 1024,
	ECHOES = 200, /* a slice of the reference */
	WORKERS = 2,
	ROUNDS = 10,
};

/* --- the server's processes --- */

struct server {
	struct scene scene;
	pid_t worker[WORKERS], redis;
};

static void find_processes(struct server *server)
{
	server->worker[0] = scene_process(&server->scene, "app: worker-0");
	server->worker[1] = scene_process(&server->scene, "app: worker-1");
	server->redis = scene_process(&server->scene, "redis_low");
	bench_must(server->redis > 0, "finding redis_low");
}

static void start_server(struct server *server)
{
	scene_open(&server->scene, "");
	scene_start(&server->scene);
	find_processes(server);
}

static void restart_server(struct server *server)
{
	bench_must(scene_stop(&server->scene.crs) == 0, "stopping crs");
	scene_start(&server->scene);
	find_processes(server);
}

static double cpu_us_of(pid_t pid)
{
	clockid_t clock;

	bench_must(clock_getcpuclockid(pid, &clock) == 0, "clock_getcpuclockid");
	return bench_seconds(clock) * 1e6;
}

static double workers_us(const struct server *server)
{
	return cpu_us_of(server->worker[0]) + cpu_us_of(server->worker[1]);
}

static double all_us(const struct server *server)
{
	return workers_us(server) + cpu_us_of(server->redis);
}

/* Memory that the workers have for themselves. */
static double workers_octets(const struct server *server)
{
	unsigned long sum = 0, kib;

	for (int i = 0; i < WORKERS; i++) {
		char path[64], line[1024];
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)server->worker[i]);
		f = fopen(path, "r");
		bench_must(f != NULL, path);
		while (fgets(line, sizeof(line), f))
			if (sscanf(line, "Private_Dirty: %lu kB", &kib) == 1)
				sum += kib;
		fclose(f);
	}
	return (double)sum * 1024;
}

/* --- clients --- */

static void open_client(struct scene *scene, struct party *party, int i)
{
	static char uris[MAX_CLIENTS][32];

	snprintf(uris[i], sizeof(uris[i]), "tel:+4680%06d", i);
	party_open(party, scene,
		   &(struct party_options){ .uri = uris[i], .generation = 1, .device = 1 });
}

/* What clients cost who come, beside both references. */
struct arrivals {
	const struct bare_tls *bare;
	struct bare_server *plain;
	struct bench_turns steps, served;
};

/* arrivals NULL: it is not measured. */
static void register_all(struct server *server, struct party *parties, int n,
			 struct arrivals *arrivals)
{
	for (int i = 0; i < n; i += AT_ONCE) {
		double us = workers_us(server);

		for (int k = i; k < i + AT_ONCE; k++)
			open_client(&server->scene, &parties[k], k);
		for (int k = i; k < i + AT_ONCE; k++)
			bench_must(party_hears(&parties[k], "registered"), "registering");
		if (!arrivals)
			continue;
		us = workers_us(server) - us;
		bench_turn(&arrivals->steps, us, AT_ONCE);
		bench_turn(&arrivals->served, us, AT_ONCE);
		bench_turn_reference(&arrivals->steps, bare_tls_handshakes(arrivals->bare, AT_ONCE),
				     AT_ONCE);
		bench_turn_reference(&arrivals->served,
				     bare_server_handshakes(arrivals->plain, AT_ONCE), AT_ONCE);
	}
}

static void close_all(struct server *server, struct party *parties, int n)
{
	for (int i = 0; i < n; i++)
		party_close(&parties[i]);
	bench_must(scene_cli_shows(&server->scene, "show attach", "tel:+4680", false), "detaching");
}

/* n is a multiple of AT_ONCE. */
static void measure_clients(int n, int rounds, const struct bare_tls *bare)
{
	struct party *parties = calloc((size_t)n, sizeof(*parties));
	struct arrivals arrivals = { .bare = bare, .plain = bare_server_start(WORKERS) };
	struct server server;
	double octets;
	char name[64];

	start_server(&server);
	register_all(&server, parties, n, NULL); /* once: everybody gets known */
	close_all(&server, parties, n);
	restart_server(&server); /* what that took of memory is not to be reused below */
	octets = workers_octets(&server);
	for (int round = 0; round < rounds; round++) {
		register_all(&server, parties, n, &arrivals);
		if (round == 0) /* later ones reuse what this one left */
			octets = (workers_octets(&server) - octets) / n;
		close_all(&server, parties, n);
	}
	snprintf(name, sizeof(name), "crs.handshake.%d", n);
	bench_print_turns(name, &arrivals.steps, "us");
	snprintf(name, sizeof(name), "crs.handshake.%d.served", n);
	bench_print_turns(name, &arrivals.served, "us");
	snprintf(name, sizeof(name), "crs.idle.%d", n);
	bench_print(name, octets, "octets", bare_tls_octets(bare));
	bare_server_stop(&arrivals.plain);
	scene_close(&server.scene);
	free(parties);
}

/* --- messages --- */

/* A party that posts or takes without noting a line each: its link is its own. */
struct stream {
	struct server *server;
	struct party from, to;
	uint64_t serial; /* of the last message */
	unsigned posted, answered, wanted, delivered;
	bool online, fetched;
};

static void post(struct stream *stream)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Post body = UMSG__POST__INIT;
	uint8_t id[FRAME_ID] = { 0 }, filler[MESSAGE_OCTETS] = { 1 };

	stream->serial++;
	stream->posted++;
	memcpy(id, &stream->serial, sizeof(stream->serial));
	body.message_id = frame_data(slice_of(id, sizeof(id)));
	body.kind = UMSG__MESSAGE_KIND__KIND_TEXT;
	body.i_message = frame_data(slice_of(filler, 16));
	body.total_length = MESSAGE_OCTETS;
	body.record = frame_data(slice_of(filler, MESSAGE_OCTETS));
	frame.to = (char *)(uintptr_t)stream->to.options.uri;
	frame.body_case = UMSG__FRAME__BODY_POST;
	frame.post = &body;
	party_send(&stream->from, &frame);
}

static void take(struct stream *stream, const Umsg__Frame *frame)
{
	Umsg__Frame answer = UMSG__FRAME__INIT;
	Umsg__Taken taken = UMSG__TAKEN__INIT;

	stream->delivered++;
	taken.message_id = frame->deliver->post->message_id;
	taken.sender = frame->from;
	taken.number = frame->deliver->number;
	answer.body_case = UMSG__FRAME__BODY_TAKEN;
	answer.taken = &taken;
	party_send(&stream->to, &answer);
}

static void on_frame(void *arg, const Umsg__Frame *frame)
{
	struct stream *stream = arg;

	switch (frame->body_case) {
	case UMSG__FRAME__BODY_POST_ACK:
		bench_must(frame->post_ack->error == UMSG__ERROR_CODE__OK, "posting");
		stream->answered++;
		if (stream->posted < stream->wanted)
			post(stream);
		break;
	case UMSG__FRAME__BODY_DELIVER:
		take(stream, frame);
		break;
	case UMSG__FRAME__BODY_FETCHED:
		stream->fetched = !frame->fetched->more;
		if (!stream->fetched)
			party_fetch(&stream->to, frame->fetched->last);
		break;
	default:
		break;
	}
}

static void join(struct stream *stream, struct party *party, const char *uri)
{
	party_open(party, &stream->server->scene,
		   &(struct party_options){ .uri = uri, .generation = 1, .device = 1 });
	bench_must(party_hears(party, "registered"), "registering");
	party->on_frame = on_frame;
	party->arg = stream;
}

static void join_receiver(struct stream *stream)
{
	join(stream, &stream->to, "tel:+46702");
}

static void leave_receiver(struct stream *stream)
{
	party_close(&stream->to);
	bench_must(scene_cli_shows(&stream->server->scene, "show attach", "tel:+46702", false),
		   "detaching");
}

/* Posts n messages; returns the microseconds of workers and Redis. */
static double post_all(struct stream *stream, unsigned n)
{
	double before = all_us(stream->server);

	stream->posted = stream->answered = stream->delivered = 0;
	stream->wanted = n;
	while (stream->posted < IN_FLIGHT)
		post(stream);
	while (stream->answered < n)
		event_base_loop(stream->server->scene.base, EVLOOP_ONCE);
	return all_us(stream->server) - before;
}

static void fetch(struct stream *stream)
{
	stream->fetched = false;
	party_fetch(&stream->to, 0);
	while (!stream->fetched)
		event_base_loop(stream->server->scene.base, EVLOOP_ONCE);
}

/* Fetches and takes what waits; the second Fetch is answered behind the last Taken. */
static double fetch_all(struct stream *stream, unsigned n)
{
	double before = all_us(stream->server);

	stream->delivered = 0;
	fetch(stream);
	bench_must(stream->delivered == n, "fetching every message");
	fetch(stream);
	bench_must(stream->delivered == n, "taking every message");
	return all_us(stream->server) - before;
}

static void measure_online(struct stream *stream, const struct bare_tls *bare)
{
	struct bench_turns turns = { 0 };

	join_receiver(stream);
	post_all(stream, ONLINE); /* warms up */
	for (int i = 0; i < ONLINE_SLICES; i++) {
		bench_turn(&turns, post_all(stream, ONLINE), ONLINE);
		bench_must(stream->delivered >= ONLINE, "delivering every message");
		bench_turn_reference(&turns, bare_tls_echoes(bare, ECHOES, MESSAGE_OCTETS), ECHOES);
	}
	bench_print_turns("crs.message.online", &turns, "us");
	leave_receiver(stream);
}

/* The messages of a round go in slices, and Redis alone has its turn behind each. */
static void measure_stored(struct stream *stream, unsigned n)
{
	struct bench_turns posted = { 0 }, fetched = { 0 }, sum;
	struct redis_alone *alone;
	char name[64], dir[128];

	snprintf(dir, sizeof(dir), "%s/alone-%u", stream->server->scene.root, n);
	alone = redis_alone_start(dir);
	redis_alone_add(alone, IN_FLIGHT, MESSAGE_OCTETS, IN_FLIGHT); /* warms up */
	for (unsigned i = 0; i < STORED / n; i++) {
		for (unsigned k = 0; k < n; k += SLICE) {
			bench_turn(&posted, post_all(stream, SLICE), SLICE);
			bench_turn_reference(
				&posted, redis_alone_add(alone, SLICE, MESSAGE_OCTETS, IN_FLIGHT),
				SLICE);
		}
		join_receiver(stream);
		bench_turn(&fetched, fetch_all(stream, n), n);
		leave_receiver(stream);
	}
	redis_alone_stop(&alone);
	fetched.reference = posted.reference;
	fetched.references = posted.references;
	sum = posted;
	sum.value += fetched.value;
	snprintf(name, sizeof(name), "crs.message.stored.%u", n);
	bench_print_turns(name, &sum, "us");
	snprintf(name, sizeof(name), "crs.message.stored.%u.post", n);
	bench_print_turns(name, &posted, "us");
	snprintf(name, sizeof(name), "crs.message.stored.%u.fetch", n);
	bench_print_turns(name, &fetched, "us");
}

static void measure_messages(int argc, char *argv[], const struct bare_tls *bare)
{
	static struct stream stream;
	struct server server;

	start_server(&server);
	stream = (struct stream){ .server = &server };
	join(&stream, &stream.from, "tel:+46701");
	if (bench_wants(argc, argv, "crs.message.online"))
		measure_online(&stream, bare);
	join_receiver(&stream); /* gets known */
	leave_receiver(&stream);
	if (bench_wants(argc, argv, "crs.message.stored.1000"))
		measure_stored(&stream, 1000);
	if (bench_wants(argc, argv, "crs.message.stored.10000"))
		measure_stored(&stream, MAX_STORED);
	party_close(&stream.from);
	scene_close(&server.scene);
}

int main(int argc, char *argv[])
{
	struct bare_tls *bare;

	signal(SIGPIPE, SIG_IGN);
	bare = bare_tls_open();
	if (bench_wants(argc, argv, "crs.handshake.100") || bench_wants(argc, argv, "crs.idle.100"))
		measure_clients(FEW_CLIENTS, ROUNDS, bare);
	if (bench_wants(argc, argv, "crs.handshake.10000") ||
	    bench_wants(argc, argv, "crs.idle.10000"))
		measure_clients(MAX_CLIENTS, 1, bare); /* as many as a hundred rounds of few */
	if (bench_wants(argc, argv, "crs.message"))
		measure_messages(argc, argv, bare);
	bare_tls_close(&bare);
	return 0;
}
