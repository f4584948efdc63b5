/* bench_crs.c - what a client and a message cost the rendezvous.
 *
 * Prints name, value, unit, reference, ratio, separated by tabs.  Runs the real crs
 * with its Redis in a folder of its own and counts the CPU time of its workers (and,
 * for messages, of redis_low); what the clients cost in this process is not in it.
 * References, in this process: the server's side of a bare OpenSSL handshake with a
 * PSK, its memory, and an echo of a message over a socket pair.
 */
#include "tests/unit.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "rendezvous/slot.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"

enum {
	CLIENTS = 1500,
	AT_ONCE = 50,
	MESSAGES = 20000,
	IN_FLIGHT = 100,
	MESSAGE_OCTETS = 1024,
	REFERENCE_RUNS = 500,
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_crs: %s failed\n", what);
	exit(1);
}

static void print(const char *name, double value, const char *unit, double reference)
{
	if (reference > 0)
		printf("%s\t%.2f\t%s\t%.2f\t%.2f\n", name, value, unit, reference,
		       value / reference);
	else
		printf("%s\t%.2f\t%s\t-\t-\n", name, value, unit);
	fflush(stdout);
}

/* --- references --- */

static double cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
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

static struct pair handshake(SSL_CTX *server, SSL_CTX *client, double *server_us)
{
	struct pair pair = { SSL_new(server), SSL_new(client) };
	int fds[2];
	bool done = false;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0, "socketpair");
	SSL_set_fd(pair.server, fds[0]);
	SSL_set_fd(pair.client, fds[1]);
	for (int i = 0; i < 10 && !done; i++) {
		int client_done = SSL_connect(pair.client);
		double start = cpu_us();
		int server_done = SSL_accept(pair.server);

		*server_us += cpu_us() - start;
		done = client_done == 1 && server_done == 1;
	}
	must(done, "bare handshake");
	return pair;
}

struct references {
	double handshake_us, octets, echo_us;
};

static double echo(const struct pair *pair)
{
	char message[MESSAGE_OCTETS] = "";
	double us = 0;

	for (int i = 0; i < REFERENCE_RUNS; i++) {
		double start;

		must(SSL_write(pair->client, message, sizeof(message)) > 0, "write");
		start = cpu_us();
		must(SSL_read(pair->server, message, sizeof(message)) > 0, "read");
		must(SSL_write(pair->server, message, sizeof(message)) > 0, "write");
		us += cpu_us() - start;
		must(SSL_read(pair->client, message, sizeof(message)) > 0, "read");
	}
	return us / REFERENCE_RUNS;
}

static struct references measure_references(void)
{
	SSL_CTX *server = new_context(true), *client = new_context(false);
	struct references r = { 0 };
	struct pair *pairs = calloc(REFERENCE_RUNS, sizeof(*pairs));
	size_t before, between;

	for (int i = 0; i < REFERENCE_RUNS; i++)
		pairs[i] = handshake(server, client, &r.handshake_us);
	r.handshake_us /= REFERENCE_RUNS;
	r.echo_us = echo(&pairs[0]);
	before = mallinfo2().uordblks;
	for (int i = 0; i < REFERENCE_RUNS; i++) {
		close(SSL_get_fd(pairs[i].server));
		SSL_free(pairs[i].server);
	}
	between = mallinfo2().uordblks;
	r.octets = (double)(before - between) / REFERENCE_RUNS;
	for (int i = 0; i < REFERENCE_RUNS; i++) {
		close(SSL_get_fd(pairs[i].client));
		SSL_free(pairs[i].client);
	}
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	free(pairs);
	return r;
}

/* --- the server's processes --- */

struct usage {
	double cpu_us;
	double private_octets;
};

static void add_usage(pid_t pid, struct usage *usage)
{
	char path[64], line[1024];
	unsigned long user, system, kib;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	must(f && fgets(line, sizeof(line), f) &&
		     sscanf(strrchr(line, ')') + 2,
			    "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			    &system) == 2,
	     "reading /proc");
	fclose(f);
	usage->cpu_us += (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Private_Dirty: %lu kB", &kib) == 1)
			usage->private_octets += (double)kib * 1024;
	}
	if (f)
		fclose(f);
}

static struct usage workers(const struct scene *scene)
{
	struct usage usage = { 0 };

	add_usage(scene_process(scene, "app: worker-0"), &usage);
	add_usage(scene_process(scene, "app: worker-1"), &usage);
	return usage;
}

/* --- what is measured --- */

static void open_client(struct scene *scene, struct party *party, int i)
{
	static char uris[CLIENTS][32];

	snprintf(uris[i], sizeof(uris[i]), "tel:+4680%06d", i);
	party_open(party, scene,
		   &(struct party_options){ .uri = uris[i], .generation = 1, .device = 1 });
}

static void measure_clients(struct scene *scene, const struct references *r)
{
	struct party *parties = calloc(CLIENTS, sizeof(*parties));
	struct usage before, after;

	for (int i = 0; i < CLIENTS; i++) { /* once: everybody gets known, memory warm */
		open_client(scene, &parties[i], i);
		must(party_hears(&parties[i], "registered"), "registering");
		party_close(&parties[i]);
	}
	before = workers(scene);
	for (int i = 0; i < CLIENTS; i += AT_ONCE) {
		for (int k = i; k < i + AT_ONCE; k++)
			open_client(scene, &parties[k], k);
		for (int k = i; k < i + AT_ONCE; k++)
			must(party_hears(&parties[k], "registered"), "registering");
	}
	after = workers(scene);
	print("crs.handshake", (after.cpu_us - before.cpu_us) / CLIENTS, "us", r->handshake_us);
	print("crs.idle", (after.private_octets - before.private_octets) / CLIENTS, "octets",
	      r->octets);
	for (int i = 0; i < CLIENTS; i++)
		party_close(&parties[i]);
	free(parties);
}

/* A party that posts or takes without noting a line each: its link is its own. */
struct stream {
	struct scene *scene;
	struct party *from, *to;
	unsigned posted, answered;
	bool take;
};

static void post(struct stream *stream)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Post body = UMSG__POST__INIT;
	uint8_t id[FRAME_ID] = { 0 }, filler[MESSAGE_OCTETS] = { 1 };

	memcpy(id, &stream->posted, sizeof(stream->posted));
	id[15] = stream->take;
	stream->posted++;
	body.message_id = frame_data(slice_of(id, sizeof(id)));
	body.kind = UMSG__MESSAGE_KIND__KIND_TEXT;
	body.i_message = frame_data(slice_of(filler, 16));
	body.total_length = MESSAGE_OCTETS;
	body.record = frame_data(slice_of(filler, MESSAGE_OCTETS));
	frame.to = (char *)(uintptr_t)stream->to->options.uri;
	frame.body_case = UMSG__FRAME__BODY_POST;
	frame.post = &body;
	party_send(stream->from, &frame);
}

static void on_frame(void *arg, const Umsg__Frame *frame)
{
	struct stream *stream = arg;

	if (frame->body_case == UMSG__FRAME__BODY_POST_ACK) {
		must(frame->post_ack->error == UMSG__ERROR_CODE__OK, "posting");
		stream->answered++;
		if (stream->posted < MESSAGES)
			post(stream);
	} else if (frame->body_case == UMSG__FRAME__BODY_DELIVER && stream->take) {
		Umsg__Frame answer = UMSG__FRAME__INIT;
		Umsg__Taken taken = UMSG__TAKEN__INIT;

		taken.message_id = frame->deliver->post->message_id;
		taken.sender = frame->from;
		answer.body_case = UMSG__FRAME__BODY_TAKEN;
		answer.taken = &taken;
		party_send(stream->to, &answer);
	}
}

static double run_stream(struct stream *stream, bool with_redis)
{
	struct usage before = workers(stream->scene), after;
	pid_t redis = scene_process(stream->scene, "redis_low");
	int64_t start = clock_mono_ms();

	if (with_redis)
		add_usage(redis, &before);
	while (stream->posted < IN_FLIGHT)
		post(stream);
	while (stream->answered < MESSAGES)
		event_base_loop(stream->scene->base, EVLOOP_ONCE);
	after = workers(stream->scene);
	if (with_redis)
		add_usage(redis, &after);
	fprintf(stderr, "bench_crs: %.0f messages/s\n",
		MESSAGES * 1000.0 / (double)(clock_mono_ms() - start));
	return (after.cpu_us - before.cpu_us) / MESSAGES;
}

static void measure_messages(struct scene *scene, const struct references *r)
{
	struct party *from = calloc(1, sizeof(*from)), *to = calloc(1, sizeof(*to));
	struct stream stream = { .scene = scene, .from = from, .to = to, .take = true };

	party_open(from, scene,
		   &(struct party_options){ .uri = "tel:+46701", .generation = 1, .device = 1 });
	party_open(to, scene,
		   &(struct party_options){ .uri = "tel:+46702", .generation = 1, .device = 1 });
	must(party_hears(from, "registered") && party_hears(to, "registered"), "registering");
	from->on_frame = to->on_frame = on_frame;
	from->arg = to->arg = &stream;
	print("crs.message.online", run_stream(&stream, true), "us", r->echo_us);
	party_close(to);
	must(scene_cli_shows(scene, "show attach", "tel:+46702", false), "detaching");
	stream = (struct stream){ .scene = scene, .from = from, .to = to };
	print("crs.message.stored", run_stream(&stream, true), "us", 0);
	party_close(from);
	free(from);
	free(to);
}

int main(void)
{
	struct references r = measure_references();
	struct scene scene;

	signal(SIGPIPE, SIG_IGN);
	scene_open(&scene, "");
	scene_start(&scene);
	measure_clients(&scene, &r);
	measure_messages(&scene, &r);
	scene_close(&scene);
	return 0;
}
