/* bench_smpp.c - what a submit_sm and its response cost the gateway, in CPU time.
 *
 * A center of smpp/center.h on loopback submits texts of 100 characters to a process that
 * answers each with an id, with a window of 10 and of 100.  The reference sends and
 * receives the same octets, as many at a time, by plain blocking sockets; or it is Kannel's
 * bearerbox, which submits the same texts to the same process with the same window.
 */
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "smpp/center.h"
#include "tests/bench/bearerbox.h"

enum { TEXTS = 20000, ROUNDS = 5, CHARACTERS = 100, ROOM = 1 << 20 };

/* ---- the other side: answers as fast as it can -------------------------------------------- */

/* Answers every whole PDU of n octets and returns how many octets they were. */
static size_t answer_all(int fd, const uint8_t *in, size_t n, atomic_uint *submits)
{
	static uint8_t out[ROOM];
	static uint32_t id;
	struct buf b = BUF_OF(out);
	size_t at = 0, length;
	unsigned seen = 0;

	while (smpp_pdu_frame(slice_of(in + at, n - at), &length) == 1) {
		struct smpp_pdu pdu, response = { 0 };
		char text[16];

		bench_must(smpp_pdu_decode(slice_of(in + at, length), &pdu, NULL) == 0, "decoding");
		snprintf(text, sizeof(text), "%08X", ++id);
		response.command = pdu.command | SMPP_RESPONSE;
		response.sequence = pdu.sequence;
		response.message_id = slice_str(text);
		seen += pdu.command == SMPP_SUBMIT_SM;
		bench_must(smpp_pdu_pack(&response, &b) == 0, "packing");
		at += length;
	}
	bench_must(b.len == 0 || write(fd, b.p, b.len) == (ssize_t)b.len, "answering");
	atomic_fetch_add(submits, seen);
	return at;
}

static void serve(int listener, atomic_uint *submits)
{
	static uint8_t in[ROOM];
	size_t n = 0;
	int fd = accept(listener, NULL, NULL);
	ssize_t got;

	while ((got = read(fd, in + n, sizeof(in) - n)) > 0) {
		size_t taken = answer_all(fd, in, n + (size_t)got, submits);

		n = n + (size_t)got - taken;
		memmove(in, in + taken, n);
	}
	close(fd);
}

/* Sends `reply` octets for every `request` octets that come. */
static void echo(int listener, size_t request, size_t reply)
{
	static uint8_t in[ROOM], out[ROOM];
	size_t n = 0;
	int fd = accept(listener, NULL, NULL);
	ssize_t got;

	while ((got = read(fd, in, sizeof(in))) > 0) {
		size_t due;

		n += (size_t)got;
		due = n / request * reply;
		n %= request;
		bench_must(due == 0 || write(fd, out, due) == (ssize_t)due, "echoing");
	}
	close(fd);
}

/* How many submits the other side has answered, seen by both. */
static atomic_uint *new_count(void)
{
	void *shared = mmap(NULL, sizeof(atomic_uint), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	bench_must(shared != MAP_FAILED, "memory");
	return shared;
}

/* A child that serves one connection; the request and reply sizes are 0 for SMPP, which
 * counts its submits. */
static pid_t other_side(size_t request, size_t reply, atomic_uint *submits, uint16_t *port_out)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	bench_must(bind(listener, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
			   listen(listener, 1) == 0 &&
			   getsockname(listener, (struct sockaddr *)&addr, &n) == 0,
		   "listening");
	*port_out = ntohs(addr.sin_port);
	pid = fork();
	bench_must(pid >= 0, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (request)
			echo(listener, request, reply);
		else
			serve(listener, submits);
		_exit(0);
	}
	close(listener);
	return pid;
}

static void end_other_side(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

/* ---- ours -------------------------------------------------------------------------------- */

struct world {
	struct event_base *base;
	struct smpp_center *center;
	char text[CHARACTERS + 1];
	unsigned submitted, taken, wanted;
};

static void submit_some(struct world *w)
{
	char why[SMPP_WHY_SIZE];
	struct smpp_text text = { .from = "+46701234567",
				  .to = "+46761234567",
				  .text = w->text,
				  .end_s = 1800000000,
				  .note = "" };

	while (w->submitted < w->wanted) {
		memcpy(text.key, &w->submitted, sizeof(w->submitted));
		if (smpp_center_submit(w->center, &text, why))
			return;
		w->submitted++;
	}
}

static void on_event(void *arg, const struct smpp_center_event *event)
{
	struct world *w = arg;

	if (event->kind == SMPP_TAKEN && ++w->taken == w->wanted)
		event_base_loopbreak(w->base);
	if (event->kind == SMPP_READY)
		submit_some(w);
	if (event->kind == SMPP_STATE && event->up && !w->wanted)
		event_base_loopbreak(w->base);
}

/* Microseconds a text. */
static double measure(struct world *w)
{
	double start = bench_seconds(CLOCK_PROCESS_CPUTIME_ID);

	w->submitted = w->taken = 0;
	w->wanted = TEXTS;
	submit_some(w);
	event_base_dispatch(w->base);
	return (bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - start) * 1e6 / TEXTS;
}

static double submits(unsigned window)
{
	struct smpp_center_options o = {
		.name = "bench",
		.n_hosts = 1,
		.session = { .system_id = "u", .password = "p", .window = window },
		.source = { -1, -1, false },
		.dest = { -1, -1, false },
		.validity = true
	};
	struct world w = { .base = event_base_new() };
	atomic_uint *count = new_count();
	double rounds[ROUNDS];
	pid_t pid;

	memset(w.text, 'x', CHARACTERS);
	pid = other_side(0, 0, count, &o.hosts[0].port);
	o.hosts[0].host = "127.0.0.1";
	bench_must(w.base && smpp_center_new(w.base, &o, on_event, &w, &w.center, NULL) == 0,
		   "a center");
	event_base_dispatch(w.base);
	for (int i = 0; i < ROUNDS; i++)
		rounds[i] = measure(&w);
	smpp_center_free(&w.center);
	event_base_free(w.base);
	end_other_side(pid);
	munmap(count, sizeof(*count));
	return bench_median(rounds, ROUNDS);
}

/* ---- the references ---------------------------------------------------------------------------
 */

static void read_all(int fd, uint8_t *to, size_t n)
{
	while (n) {
		ssize_t got = read(fd, to, n);

		bench_must(got > 0, "reading the echo");
		n -= (size_t)got;
	}
}

static double echoes(unsigned window)
{
	static uint8_t octets[ROOM];
	/* a submit_sm with 100 characters, two numbers and a validity; a response with its id */
	const size_t request = 16 + 1 + 2 * (2 + 12) + 3 + 1 + 17 + 5 + CHARACTERS, reply = 16 + 9;
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	double rounds[ROUNDS];
	uint16_t port;
	pid_t pid = other_side(request, reply, NULL, &port);

	addr.sin_port = htons(port);
	bench_must(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "connecting");
	for (int i = 0; i < ROUNDS; i++) {
		double start = bench_seconds(CLOCK_PROCESS_CPUTIME_ID);

		for (unsigned k = 0; k < TEXTS; k += window) {
			ssize_t n = (ssize_t)(window * request);

			bench_must(write(fd, octets, (size_t)n) == n, "writing");
			read_all(fd, octets, window * reply);
		}
		rounds[i] = (bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - start) * 1e6 / TEXTS;
	}
	close(fd);
	end_other_side(pid);
	return bench_median(rounds, ROUNDS);
}

static double kannel(unsigned window)
{
	char text[CHARACTERS + 1] = "";
	struct bearerbox_load load = { .window = window, .rounds = ROUNDS, .texts = TEXTS };
	atomic_uint *count = new_count();
	pid_t pid = other_side(0, 0, count, &load.smsc_port);
	double us;

	memset(text, 'x', CHARACTERS);
	load.answered = count;
	load.text = text;
	us = bearerbox_submits(&load);
	end_other_side(pid);
	munmap(count, sizeof(*count));
	return us;
}

int main(int argc, char *argv[])
{
	static const unsigned windows[] = { 10, 100 };
	static const char beside_kannel[] = "smpp.submit.kannel";
	char name[32];

	log_set_verbose(-1);
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		snprintf(name, sizeof(name), "smpp.submit.%u", windows[i]);
		if (bench_wants(argc, argv, name))
			bench_print(name, submits(windows[i]), "us CPU", echoes(windows[i]));
	}
	if (bench_wants(argc, argv, beside_kannel)) {
		if (bearerbox_is_there())
			bench_print(beside_kannel, submits(100), "us CPU", kannel(100));
		else
			fprintf(stderr, "%s: skipped: bearerbox is not installed\n", beside_kannel);
	}
	return 0;
}
