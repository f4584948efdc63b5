/* fuzz_control.c - the control port from both ends: the first octet even, requests of
 * any kind to a server; odd, answers of any kind to a client.
 *
 * Bit 1 of it, for a server: it has a token, and some routes want it proved.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/control.h"
#include "base/control_client.h"
#include "base/control_proof.h"
#include "base/diag.h"
#include "tests/fuzz/quiet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct control_token token = { { 7, 7, 7 } };

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static char socket_path[64]; /* one a process */

static void remove_place(void)
{
	unlink(socket_path);
	*strrchr(socket_path, '/') = '\0';
	rmdir(socket_path);
}

static const char *place(void)
{
	char dir[] = "/tmp/fuzz_control.XXXXXX";

	if (!socket_path[0]) {
		expect(mkdtemp(dir) != NULL);
		snprintf(socket_path, sizeof(socket_path), "%s/sock", dir);
		atexit(remove_place);
	}
	return socket_path;
}

/* ---- the server's routes ---- */

static void echo(struct control_request *request, void *arg)
{
	const char *name = control_arg(request, "name");
	json_t *body;

	(void)arg;
	if (control_body(request).n == 0)
		control_answer_json(request, 200, json_pack("{s:s*}", "name", name));
	else if (control_body_json(request, &body) == 0)
		control_answer_json(request, 200, body);
}

/* On a Unix socket the file's mode is the proof. */
static void change(struct control_request *request, void *arg)
{
	(void)arg;
	control_answer_text(request, 200, "text/plain", slice_str("changed"));
}

static const struct control_route routes[] = {
	{ "GET", "/echo", echo, false, "says what it heard" },
	{ "POST", "/echo", echo, false, "says what it heard" },
	{ "POST", "/change", change, true, "changes" },
};

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	expect(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

static void serve(struct slice octets, bool has_token)
{
	struct control_options options = {
		.address = place(),
		.mode = 0600,
		.gid = (gid_t)-1,
		.routes = routes,
		.route_count = sizeof(routes) / sizeof(routes[0]),
		.token = has_token ? &token : NULL,
	};
	struct event_base *base = event_base_new();
	struct control *control;
	uint8_t heard[4096];
	int fd;

	expect(base && control_new(base, &options, &control, NULL) == 0);
	fd = connect_to(place());
	(void)!send(fd, octets.p, octets.n, MSG_NOSIGNAL);
	for (int i = 0; i < 6; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		while (recv(fd, heard, sizeof(heard), 0) > 0)
			;
	}
	close(fd);
	event_base_loop(base, EVLOOP_NONBLOCK);
	control_free(&control);
	event_base_free(base);
}

/* The header of a proof, which strangers make up. */
static void check_proof(struct slice octets)
{
	struct control_guard *guard = control_guard_new(&token);
	struct control_claim claim = { .method = "POST", .target = "/change" };
	char *header = calloc(1, octets.n + 1);

	expect(guard && header);
	memcpy(header, octets.p, octets.n);
	expect(control_guard_check(guard, 1000, header, &claim) != 0);
	free(header);
	control_guard_free(&guard);
}

/* ---- the client ---- */

struct liar {
	int listening;
	struct slice octets;
};

static void *lie(void *arg)
{
	const struct liar *liar = arg;
	uint8_t heard[4096];

	for (int i = 0; i < 2; i++) { /* a client may come twice, for a nonce */
		int fd = accept(liar->listening, NULL, NULL);

		if (fd < 0)
			break;
		(void)!recv(fd, heard, sizeof(heard), 0);
		(void)!send(fd, liar->octets.p, liar->octets.n, MSG_NOSIGNAL);
		close(fd);
	}
	return NULL;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	expect(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	expect(listen(fd, 4) == 0);
	return fd;
}

static bool on_line(void *arg, struct slice line)
{
	size_t *lines = arg;

	return line.n <= 65536 && ++*lines < 1000;
}

static void ask(struct slice octets, bool stream)
{
	const struct control_server server = { .program = "liar",
					       .address = place(),
					       .timeout_ms = 2000 };
	struct liar liar = { listen_at(place()), octets };
	struct diag *diag = diag_new();
	json_t *answer = NULL;
	pthread_t thread;
	size_t lines = 0;
	int err;

	expect(pthread_create(&thread, NULL, lie, &liar) == 0);
	if (stream)
		err = control_follow(&server, "/trace", on_line, &lines, diag);
	else
		err = control_call(&server, "GET", "/status", NULL, &answer, diag);
	expect(err == 0 || diag_errors(diag) > 0); /* whatever it is, it is told */
	json_decref(answer);
	shutdown(liar.listening, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(liar.listening);
	unlink(place());
	diag_free(&diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice octets;

	if (size == 0)
		return 0;
	quiet();
	octets = slice_of(data + 1, size - 1);
	if (data[0] & 1) {
		ask(octets, data[0] & 2);
	} else {
		serve(octets, data[0] & 2);
		check_proof(octets);
	}
	return 0;
}
