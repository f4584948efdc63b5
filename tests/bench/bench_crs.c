/* bench_crs.c - what a client and a message cost the rendezvous.
 *
 * Runs the real crs with its Redis in a folder of its own and counts the CPU time of
 * its workers (and, for messages, of redis_low); what the clients cost in this process
 * is not in it.  References: in this process the server's side of a bare OpenSSL
 * handshake with a PSK, its memory, and an echo of a message; and a Redis alone that
 * adds the same messages to a stream.  Figure and reference take turns, a slice each.
 */
#include "tests/unit.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>

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
	ECHOES = 200,                /* a slice of the reference ... */
	HANDSHAKES_FOR_MEMORY = 500, /* a multiple of AT_ONCE */
	ROUNDS = 10,
};

/* --- references --- */

static double cpu_us(void)
{
	return bench_seconds(CLOCK_THREAD_CPUTIME_ID) * 1e6;
}

static int find_session(SSL *ssl, const unsigned char *identity, size_t n, SSL_SESSION **session)
{
	static const unsigned char cipher_id[] = { 0x13, 0x01 }, key[32] = { 1 };
	SSL_SESSION *s = SSL_SESSION_new();

	(void)identity;
	(void)n;
	SSL_SESSION_set1_master_key(s, key, sizeof(key));
	SSL_SESSION_set_cipher(s, SSL_CIPHER_find(ssl, cipher_id));
	SSL_SESSION_set_protocol_version(s, TLS1_3_VERSION);
	*session = s;
	return 1;
}

static int use_session(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *n,
		       SSL_SESSION **session)
{
	(void)md;
	*id = (const unsigned char *)"bench";
	*n = 5;
	return find_session(ssl, NULL, 0, session);
}

static SSL_CTX *new_context(bool server)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
	SSL_CTX_set1_groups_list(ctx, "X25519");
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_num_tickets(ctx, 0);
	if (server)
		SSL_CTX_set_psk_find_session_callback(ctx, find_session);
	else
		SSL_CTX_set_psk_use_session_callback(ctx, use_session);
	return ctx;
}

struct pair {
	SSL *server, *client;
};

static struct pair new_pair(SSL_CTX *server, SSL_CTX *client, double *server_us)
{
	struct pair pair = { .client = SSL_new(client) };
	int fds[2];
	double start;

	bench_must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0, "socketpair");
	SSL_set_fd(pair.client, fds[1]);
	start = cpu_us();
	pair.server = SSL_new(server);
	SSL_set_fd(pair.server, fds[0]);
	*server_us += cpu_us() - start;
	return pair;
}

/* As many handshakes at once as clients come at once: each step is done for all of them, so that
 * the reference, too, has the state of others in the processor's caches. */
static void handshake(struct pair *pairs, int n, double *server_us)
{
	int done = 0;

	for (int i = 0; i < 10 && done < n; i++) {
		double start;

		done = 0;
		for (int k = 0; k < n; k++)
			SSL_connect(pairs[k].client);
		start = cpu_us();
		for (int k = 0; k < n; k++)
			done += SSL_accept(pairs[k].server) == 1;
		*server_us += cpu_us() - start;
	}
	bench_must(done == n, "bare handshake");
}

/* Both ends of a bare OpenSSL connection, in this process. */
struct bare {
	SSL_CTX *server, *client;
	struct pair pair; /* one that is open, for echoes */
	double octets;    /* of memory, of the server's side of a connection */
};

static void echo(const struct bare *bare, struct bench_turns *turns)
{
	const struct pair *pair = &bare->pair;
	char message[MESSAGE_OCTETS] = "";
	double us = 0;

	for (int i = 0; i < ECHOES; i++) {
		double start;

		bench_must(SSL_write(pair->client, message, sizeof(message)) > 0, "write");
		start = cpu_us();
		bench_must(SSL_read(pair->server, message, sizeof(message)) > 0, "read");
		bench_must(SSL_write(pair->server, message, sizeof(message)) > 0, "write");
		us += cpu_us() - start;
		bench_must(SSL_read(pair->client, message, sizeof(message)) > 0, "read");
	}
	bench_turn_reference(turns, us, ECHOES);
}

static void free_end(SSL *ssl)
{
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
}

/* n handshakes, AT_ONCE at a time; their connections stay until the last one is made.  Returns what
 * memory the server's side of one took. */
static double handshakes(const struct bare *bare, int n, struct bench_turns *turns)
{
	struct pair *pairs = calloc((size_t)n, sizeof(*pairs));
	double us = 0;
	size_t octets;

	bench_must(pairs != NULL, "memory");
	for (int i = 0; i < n; i += AT_ONCE) {
		for (int k = i; k < i + AT_ONCE; k++)
			pairs[k] = new_pair(bare->server, bare->client, &us);
		handshake(pairs + i, AT_ONCE, &us);
	}
	bench_turn_reference(turns, us, n);
	octets = mallinfo2().uordblks;
	for (int i = 0; i < n; i++)
		free_end(pairs[i].server);
	octets -= mallinfo2().uordblks;
	for (int i = 0; i < n; i++)
		free_end(pairs[i].client);
	free(pairs);
	return (double)octets / n;
}

static void open_bare(struct bare *bare)
{
	struct bench_turns unused = { 0 };
	double us = 0;

	bare->server = new_context(true);
	bare->client = new_context(false);
	bare->pair = new_pair(bare->server, bare->client, &us);
	handshake(&bare->pair, 1, &us);
	/* Of few of them the allocator would keep a part for itself. */
	bare->octets = handshakes(bare, HANDSHAKES_FOR_MEMORY, &unused);
}

static void close_bare(struct bare *bare)
{
	free_end(bare->pair.server);
	free_end(bare->pair.client);
	SSL_CTX_free(bare->server);
	SSL_CTX_free(bare->client);
}

/* --- the server's processes --- */

struct server {
	struct scene scene;
	pid_t worker[2], redis;
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

	for (int i = 0; i < 2; i++) {
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

/* turns NULL: it is not measured. */
static void register_all(struct server *server, struct party *parties, int n,
			 const struct bare *bare, struct bench_turns *turns)
{
	for (int i = 0; i < n; i += AT_ONCE) {
		double us = workers_us(server);

		for (int k = i; k < i + AT_ONCE; k++)
			open_client(&server->scene, &parties[k], k);
		for (int k = i; k < i + AT_ONCE; k++)
			bench_must(party_hears(&parties[k], "registered"), "registering");
		if (!turns)
			continue;
		bench_turn(turns, workers_us(server) - us, AT_ONCE);
		handshakes(bare, AT_ONCE, turns);
	}
}

static void close_all(struct server *server, struct party *parties, int n)
{
	for (int i = 0; i < n; i++)
		party_close(&parties[i]);
	bench_must(scene_cli_shows(&server->scene, "show attach", "tel:+4680", false), "detaching");
}

/* n is a multiple of AT_ONCE. */
static void measure_clients(int n, int rounds, const struct bare *bare)
{
	struct party *parties = calloc((size_t)n, sizeof(*parties));
	struct bench_turns turns = { 0 };
	struct server server;
	double octets;
	char name[64];

	start_server(&server);
	register_all(&server, parties, n, bare, NULL); /* once: everybody gets known */
	close_all(&server, parties, n);
	restart_server(&server); /* what that took of memory is not to be reused below */
	octets = workers_octets(&server);
	for (int round = 0; round < rounds; round++) {
		register_all(&server, parties, n, bare, &turns);
		if (round == 0) /* later ones reuse what this one left */
			octets = (workers_octets(&server) - octets) / n;
		close_all(&server, parties, n);
	}
	snprintf(name, sizeof(name), "crs.handshake.%d", n);
	bench_print_turns(name, &turns, "us");
	snprintf(name, sizeof(name), "crs.idle.%d", n);
	bench_print(name, octets, "octets", bare->octets);
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

static void measure_online(struct stream *stream, const struct bare *bare)
{
	struct bench_turns turns = { 0 };

	join_receiver(stream);
	post_all(stream, ONLINE); /* warms up */
	for (int i = 0; i < ONLINE_SLICES; i++) {
		bench_turn(&turns, post_all(stream, ONLINE), ONLINE);
		bench_must(stream->delivered >= ONLINE, "delivering every message");
		echo(bare, &turns);
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

static void measure_messages(int argc, char *argv[], const struct bare *bare)
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
	struct bare bare;

	signal(SIGPIPE, SIG_IGN);
	open_bare(&bare);
	if (bench_wants(argc, argv, "crs.handshake.100") || bench_wants(argc, argv, "crs.idle.100"))
		measure_clients(FEW_CLIENTS, ROUNDS, &bare);
	if (bench_wants(argc, argv, "crs.handshake.10000") ||
	    bench_wants(argc, argv, "crs.idle.10000"))
		measure_clients(MAX_CLIENTS, 1, &bare); /* as many as a hundred rounds of few */
	if (bench_wants(argc, argv, "crs.message"))
		measure_messages(argc, argv, &bare);
	close_bare(&bare);
	return 0;
}
