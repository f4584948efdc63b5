#include "tests/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/control_address.h"
#include "base/control_client.h"
#include "base/diag.h"

/* The server runs in the test's own thread, the blocking client in another. */
struct world {
	char dir[64], token_path[96], socket_path[96], address[64];
	struct event_base *base;
	struct control *control;
	struct control_token token;
	struct control_server server; /* as the client sees it */
	struct diag *diag;

	struct control_request *kept;
	struct control_stream *stream;
	int changes, closed;
	size_t pushed, lost;
	uid_t peer;
};

static void say_hello(struct control_request *request, void *arg)
{
	const char *name = control_arg(request, "name");

	(void)arg;
	control_answer_json(request, 200, json_pack("{s:s*}", "hello", name));
}

static void change(struct control_request *request, void *arg)
{
	struct world *w = arg;
	json_t *body;

	if (control_body_json(request, &body) < 0)
		return;
	w->changes++;
	control_answer_json(request, 200, json_pack("{s:o}", "took", body));
}

static void keep(struct control_request *request, void *arg)
{
	((struct world *)arg)->kept = request;
}

static void show_peer(struct control_request *request, void *arg)
{
	struct world *w = arg;
	pid_t pid;

	if (control_peer(request, &pid, &w->peer) < 0)
		control_answer_error(request, 404, "no peer on TCP");
	else
		control_answer_json(request, 200, json_pack("{s:i}", "pid", (int)pid));
}

static void metrics(struct control_request *request, void *arg)
{
	(void)arg;
	control_answer_text(request, 200, "text/plain; version=0.0.4", slice_str("up 1\n"));
}

static void on_closed(void *arg)
{
	struct world *w = arg;

	w->closed++;
	w->stream = NULL;
}

static void trace(struct control_request *request, void *arg)
{
	struct world *w = arg;

	w->stream = control_stream_open(request, "text/plain", on_closed, w);
}

static const struct control_route routes[] = {
	{ "GET", "/hello", say_hello, false, "name=NAME: greets" },
	{ "POST", "/change", change, true, "changes something" },
	{ "GET", "/secret", say_hello, true, "shows a secret" },
	{ "GET", "/later", keep, false, "answers later" },
	{ "GET", "/peer", show_peer, false, "who asks" },
	{ "GET", "/metrics", metrics, false, "figures" },
	{ "GET", "/trace", trace, false, "lines" },
};

static void listen_on(struct world *w, const char *address, bool with_token)
{
	struct control_options options = {
		.address = address,
		.mode = 0600,
		.gid = (gid_t)-1,
		.routes = routes,
		.route_count = COUNT(routes),
		.arg = w,
		.token = with_token ? &w->token : NULL,
	};

	assert_int_equal(control_new(w->base, &options, &w->control, w->diag), 0);
	if (control_address_is_path(address))
		snprintf(w->address, sizeof(w->address), "%s", address);
	else
		snprintf(w->address, sizeof(w->address), "127.0.0.1:%u", control_port(w->control));
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->dir, sizeof(w->dir), "/tmp/control-test.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->token_path, sizeof(w->token_path), "%s/token", w->dir);
	snprintf(w->socket_path, sizeof(w->socket_path), "%s/socket", w->dir);
	assert_int_equal(control_token_create(w->token_path, &w->token), 0);
	w->base = event_base_new();
	w->diag = diag_new();
	w->server = (struct control_server){ "server", w->address, NULL, 3000 };
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	control_free(&w->control);
	assert_int_equal(access(w->socket_path, F_OK), -1);
	event_base_free(w->base);
	diag_free(&w->diag);
	unlink(w->token_path);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

/* --- the client's thread --- */

struct call {
	struct world *w;
	const char *method, *target;
	json_t *body;
	json_t *answer;
	int err, pipe[2];
};

static void *run_call(void *arg)
{
	struct call *c = arg;

	c->err = control_call(&c->w->server, c->method, c->target, c->body, &c->answer, c->w->diag);
	assert_int_equal(write(c->pipe[1], "x", 1), 1);
	return NULL;
}

static void call_done(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

/* Runs thread with arg while the loop serves, until it writes to pipe. */
static void serve(struct world *w, void *(*thread)(void *), void *arg, int pipe_fds[2])
{
	struct event *done;
	pthread_t id;

	assert_int_equal(pipe(pipe_fds), 0);
	done = event_new(w->base, pipe_fds[0], EV_READ, call_done, w->base);
	event_add(done, NULL);
	assert_int_equal(pthread_create(&id, NULL, thread, arg), 0);
	event_base_dispatch(w->base);
	pthread_join(id, NULL);
	event_free(done);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static int call(struct world *w, const char *method, const char *target, json_t *body,
		json_t **answer_out)
{
	struct call c = { .w = w, .method = method, .target = target, .body = body };

	serve(w, run_call, &c, c.pipe);
	if (answer_out)
		*answer_out = c.answer;
	else
		json_decref(c.answer);
	json_decref(body);
	return c.err;
}

static bool answer_is(json_t *answer, const char *name, const char *value)
{
	const char *got = json_string_value(json_object_get(answer, name));
	bool same = got && strcmp(got, value) == 0;

	json_decref(answer);
	return same;
}

/* Raw octets to the server, its answer back. */
struct raw {
	struct world *w;
	const char *request;
	char answer[4096];
	int pipe[2];
};

static void *run_raw(void *arg)
{
	struct raw *r = arg;
	int fd = control_address_connect(r->w->address, 3000);
	size_t n = 0;
	ssize_t got;

	assert_true(fd >= 0);
	assert_int_equal(send(fd, r->request, strlen(r->request), MSG_NOSIGNAL),
			 strlen(r->request));
	while (n < sizeof(r->answer) - 1 &&
	       (got = recv(fd, r->answer + n, sizeof(r->answer) - 1 - n, 0)) > 0)
		n += (size_t)got;
	r->answer[n] = '\0';
	close(fd);
	assert_int_equal(write(r->pipe[1], "x", 1), 1);
	return NULL;
}

static unsigned raw_status(struct world *w, const char *request)
{
	struct raw r = { .w = w, .request = request };
	unsigned status = 0;

	serve(w, run_raw, &r, r.pipe);
	return sscanf(r.answer, "HTTP/1.%*c %u", &status) == 1 ? status : 0;
}

/* --- tests --- */

static void a_request_gets_its_arguments_and_answers_json(void **state)
{
	struct world *w = *state;
	char target[128] = "/hello";
	json_t *answer;

	listen_on(w, "127.0.0.1:0", true);
	assert_int_equal(
		control_target_arg(target, sizeof(target), "name", "tel:+8888;101 & Grüße"), 0);
	assert_int_equal(call(w, "GET", target, NULL, &answer), 0);
	assert_true(answer_is(answer, "hello", "tel:+8888;101 & Grüße"));
}

static void the_list_of_routes_is_the_help(void **state)
{
	struct world *w = *state;
	json_t *answer;

	listen_on(w, "127.0.0.1:0", true);
	assert_int_equal(call(w, "GET", "/", NULL, &answer), 0);
	assert_int_equal(json_array_size(json_object_get(answer, "routes")), COUNT(routes) + 2);
	json_decref(answer);
}

/* CIG-016: a foreign page must not reach the loopback port by a DNS trick. */
static void requests_are_refused_before_a_handler_sees_them(void **state)
{
	static const struct {
		const char *request;
		unsigned status;
	} cases[] = {
		{ "GET /hello HTTP/1.0\r\nHost: 127.0.0.1:8083\r\n\r\n", 200 },
		{ "GET /hello HTTP/1.0\r\nHost: LOCALHOST\r\n\r\n", 200 },
		{ "GET /hello HTTP/1.0\r\nHost: [::1]:1\r\n\r\n", 200 },
		{ "GET /hello HTTP/1.0\r\nHost: evil.example\r\n\r\n", 403 },
		{ "GET /hello HTTP/1.0\r\nHost: 127.0.0.1.evil.example\r\n\r\n", 403 },
		{ "GET /hello HTTP/1.0\r\nHost: localhost:80x\r\n\r\n", 403 },
		{ "GET /hello HTTP/1.0\r\n\r\n", 403 },
		{ "GET /nothing HTTP/1.0\r\nHost: localhost\r\n\r\n", 404 },
		{ "POST /hello HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405 },
		{ "GET /hello/ HTTP/1.0\r\nHost: localhost\r\n\r\n", 404 },
		{ "GET /secret HTTP/1.0\r\nHost: localhost\r\n\r\n", 401 },
		{ "GET /secret HTTP/1.0\r\nHost: localhost\r\nAuthorization: Basic eDp5\r\n\r\n",
		  401 },
		{ "GET /secret HTTP/1.0\r\nHost: localhost\r\nAuthorization: Tandem-HMAC\r\n\r\n",
		  401 },
		{ "GET /peer HTTP/1.0\r\nHost: localhost\r\n\r\n", 404 },
	};
	struct world *w = *state;

	listen_on(w, "127.0.0.1:0", true);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(raw_status(w, cases[i].request), cases[i].status);
}

static void broken_requests_leave_nothing_behind(void **state)
{
	static const char *const requests[] = {
		"\r\n\r\n\r\n\r\nGET\r\n\r\n",
		"GET /hello HTTP/9.9\r\nHost: localhost\r\n\r\n",
		"GET /hello HTTP/1.1\r\nNo colon here\r\n\r\n",
		"POST /change HTTP/1.0\r\nHost: localhost\r\nContent-Length: xx\r\n\r\n",
		"POST /change HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
		"chunked\r\n\r\nzz\r\n\r\n",
	};
	struct world *w = *state;

	listen_on(w, "127.0.0.1:0", true);
	for (size_t i = 0; i < COUNT(requests); i++) {
		unsigned status = raw_status(w, requests[i]);

		assert_true(status == 0 || status >= 400);
	}
	assert_int_equal(w->changes, 0);
}

static void a_change_needs_the_token_and_its_proof_counts_once(void **state)
{
	struct world *w = *state;
	json_t *answer;

	listen_on(w, "127.0.0.1:0", true);
	assert_int_equal(call(w, "POST", "/change", json_pack("{s:i}", "a", 1), NULL), -EACCES);
	assert_int_equal(w->changes, 0);
	w->server.token_path = w->token_path;
	assert_int_equal(call(w, "POST", "/change", json_pack("{s:i}", "a", 1), &answer), 0);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "took"), "a")),
			 1);
	json_decref(answer);
	assert_int_equal(call(w, "GET", "/secret?name=x", NULL, &answer), 0);
	assert_true(answer_is(answer, "hello", "x"));
	assert_int_equal(w->changes, 1);
}

static void another_servers_token_is_refused(void **state)
{
	struct world *w = *state;
	struct control_token other;

	listen_on(w, "127.0.0.1:0", true);
	assert_int_equal(control_token_create(w->token_path, &other), 0);
	w->server.token_path = w->token_path;
	assert_int_equal(call(w, "POST", "/change", json_object(), NULL), -EACCES);
	assert_string_equal(diag_first_error(w->diag), "server: wrong token");
	assert_int_equal(w->changes, 0);
}

static void without_a_token_a_tcp_port_only_serves_reading(void **state)
{
	struct world *w = *state;

	listen_on(w, "127.0.0.1:0", false);
	assert_int_equal(raw_status(w, "GET /secret HTTP/1.0\r\nHost: localhost\r\n\r\n"), 403);
	assert_int_equal(raw_status(w, "GET /hello HTTP/1.0\r\nHost: localhost\r\n\r\n"), 200);
}

static void a_body_has_a_limit_and_must_be_json(void **state)
{
	struct world *w = *state;
	char *big = malloc(CONTROL_MAX_BODY_BYTES + 2);

	assert_non_null(big);
	memset(big, 'x', CONTROL_MAX_BODY_BYTES + 1);
	big[CONTROL_MAX_BODY_BYTES + 1] = '\0';
	listen_on(w, "127.0.0.1:0", true);
	w->server.token_path = w->token_path;
	assert_true(call(w, "POST", "/change", json_pack("{s:s}", "a", big), NULL) < 0);
	assert_int_equal(w->changes, 0);
	big[CONTROL_MAX_BODY_BYTES - 8] = '\0';
	assert_int_equal(call(w, "POST", "/change", json_pack("{s:s}", "a", big), NULL), 0);
	assert_int_equal(w->changes, 1);
	assert_int_equal(call(w, "POST", "/change", NULL, NULL), -EREMOTEIO);
	assert_int_equal(w->changes, 1);
	free(big);
}

static void a_handler_may_answer_later(void **state)
{
	struct world *w = *state;
	struct raw r = { .w = w, .request = "GET /later HTTP/1.0\r\nHost: localhost\r\n\r\n" };
	struct event *done;
	pthread_t id;

	listen_on(w, "127.0.0.1:0", true);
	assert_int_equal(pipe(r.pipe), 0);
	assert_int_equal(pthread_create(&id, NULL, run_raw, &r), 0);
	while (!w->kept)
		event_base_loop(w->base, EVLOOP_ONCE);
	control_answer_text(w->kept, 202, "text/plain", slice_str("late"));
	done = event_new(w->base, r.pipe[0], EV_READ, call_done, w->base);
	event_add(done, NULL);
	event_base_dispatch(w->base);
	event_free(done);
	pthread_join(id, NULL);
	assert_non_null(strstr(r.answer, " 202 "));
	assert_non_null(strstr(r.answer, "late"));
	close(r.pipe[0]);
	close(r.pipe[1]);
}

static void a_port_may_end_while_a_request_waits(void **state)
{
	struct world *w = *state;
	int fd;

	listen_on(w, "127.0.0.1:0", true);
	fd = control_address_connect(w->address, 1000);
	assert_true(fd >= 0);
	assert_true(send(fd, "GET /later HTTP/1.0\r\nHost: localhost\r\n\r\n", 41, 0) > 0);
	while (!w->kept)
		event_base_loop(w->base, EVLOOP_ONCE);
	control_free(&w->control);
	close(fd);
}

static void a_unix_socket_knows_its_peer_and_needs_no_token(void **state)
{
	struct world *w = *state;
	struct stat st;
	json_t *answer;

	listen_on(w, w->socket_path, false);
	assert_int_equal(stat(w->socket_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(control_port(w->control), 0);
	w->peer = (uid_t)-1;
	assert_int_equal(call(w, "GET", "/peer", NULL, &answer), 0);
	assert_int_equal(json_integer_value(json_object_get(answer, "pid")), getpid());
	json_decref(answer);
	assert_int_equal(w->peer, getuid());
	assert_int_equal(call(w, "POST", "/change", json_object(), NULL), 0);
	assert_int_equal(w->changes, 1);
}

static void a_dead_servers_socket_is_replaced_a_live_ones_is_not(void **state)
{
	struct world *w = *state;
	struct control_options options = { .address = w->socket_path,
					   .mode = 0600,
					   .gid = (gid_t)-1 };
	struct control *second = NULL;
	int fd = control_address_listen(w->socket_path, 0600, (gid_t)-1);

	assert_true(fd >= 0);
	close(fd); /* the file stays */
	listen_on(w, w->socket_path, false);
	assert_int_equal(control_new(w->base, &options, &second, w->diag), -EADDRINUSE);
	assert_null(second);
}

static void text_is_answered_as_it_is(void **state)
{
	struct world *w = *state;
	struct raw r = { .w = w, .request = "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n" };

	listen_on(w, "127.0.0.1:0", true);
	serve(w, run_raw, &r, r.pipe);
	assert_non_null(strstr(r.answer, "text/plain; version=0.0.4"));
	assert_non_null(strstr(r.answer, "\r\n\r\nup 1\n"));
}

/* --- streams --- */

static int open_trace(struct world *w)
{
	int fd = control_address_connect(w->address, 3000);

	assert_true(fd >= 0);
	assert_true(send(fd, "GET /trace HTTP/1.0\r\nHost: localhost\r\n\r\n", 41, 0) > 0);
	while (!w->stream)
		event_base_loop(w->base, EVLOOP_ONCE);
	return fd;
}

/* Serves until the client has read text. */
static bool client_reads(struct world *w, int fd, const char *text)
{
	char got[8192];
	size_t n = 0;

	for (int64_t end = clock_mono_ms() + 5000; clock_mono_ms() < end;) {
		ssize_t r = recv(fd, got + n, sizeof(got) - 1 - n, MSG_DONTWAIT);

		if (r > 0)
			n += (size_t)r;
		got[n] = '\0';
		if (strstr(got, text))
			return true;
		if (r == 0)
			return false;
		event_base_loop(w->base, EVLOOP_NONBLOCK);
	}
	return false;
}

static void lines_reach_the_reader_as_they_come(void **state)
{
	struct world *w = *state;
	int fd;

	listen_on(w, "127.0.0.1:0", true);
	fd = open_trace(w);
	assert_int_equal(control_stream_push(w->stream, slice_str("one")), 0);
	assert_true(client_reads(w, fd, "one\n"));
	assert_int_equal(control_stream_push(w->stream, slice_str("two")), 0);
	assert_int_equal(control_stream_push(w->stream, slice_str("three")), 0);
	assert_true(client_reads(w, fd, "two\nthree\n"));
	control_stream_end(&w->stream);
	assert_false(client_reads(w, fd, "never"));
	assert_int_equal(w->closed, 0);
	close(fd);
}

static void a_client_that_goes_closes_its_stream_once(void **state)
{
	static const int how[] = { 0, 1 }; /* a close, a reset */
	struct world *w = *state;

	listen_on(w, "127.0.0.1:0", true);
	for (size_t i = 0; i < COUNT(how); i++) {
		struct linger reset = { .l_onoff = how[i], .l_linger = 0 };
		int fd = open_trace(w);

		assert_int_equal(control_stream_push(w->stream, slice_str("one")), 0);
		assert_true(client_reads(w, fd, "one\n"));
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		while (w->stream)
			event_base_loop(w->base, EVLOOP_ONCE);
		assert_int_equal(w->closed, i + 1);
	}
}

static void a_slow_reader_is_cut_off_and_told_what_it_lost(void **state)
{
	struct world *w = *state;
	char line[1000], want[64], *got;
	size_t taken = 0, lost = 0, n = 0, cap = 16 << 20;
	ssize_t r;
	int fd;

	memset(line, 'x', sizeof(line));
	listen_on(w, w->socket_path, false);
	fd = open_trace(w);
	while (lost < 10) { /* nobody reads: the socket fills, then the buffer */
		if (control_stream_push(w->stream, slice_of(line, sizeof(line))) == 0)
			taken++;
		else
			lost++;
		event_base_loop(w->base, EVLOOP_NONBLOCK);
	}
	assert_true(taken >= CONTROL_STREAM_BYTES / (sizeof(line) + 1));
	got = malloc(cap);
	assert_non_null(got);
	while ((r = recv(fd, got + n, cap - n - 1, MSG_DONTWAIT)) != 0) {
		if (r > 0)
			n += (size_t)r;
		event_base_loop(w->base, EVLOOP_NONBLOCK);
	}
	got[n] = '\0';
	snprintf(want, sizeof(want), "\n# %zu lines lost: the reader is too slow\n", lost);
	assert_non_null(strstr(got, want));
	while (w->stream)
		event_base_loop(w->base, EVLOOP_ONCE);
	assert_int_equal(w->closed, 1);
	free(got);
	close(fd);
}

static void a_port_may_end_while_streams_run(void **state)
{
	struct world *w = *state;
	int idle, full;

	listen_on(w, "127.0.0.1:0", true);
	idle = open_trace(w);
	w->stream = NULL;
	full = open_trace(w);
	assert_int_equal(control_stream_push(w->stream, slice_str("one")), 0);
	control_free(&w->control);
	assert_int_equal(w->closed, 0);
	close(idle);
	close(full);
}

struct follow {
	struct world *w;
	size_t lines, err;
	int pipe[2];
};

static bool on_line(void *arg, struct slice text)
{
	struct follow *f = arg;
	static const char *const want[] = { "a", "", "ccc" };

	assert_true(f->lines < COUNT(want));
	assert_true(slice_eq_str(text, want[f->lines]));
	return ++f->lines < COUNT(want);
}

static void *run_follow(void *arg)
{
	struct follow *f = arg;

	f->err = (size_t)control_follow(&f->w->server, "/trace", on_line, f, f->w->diag);
	assert_int_equal(write(f->pipe[1], "x", 1), 1);
	return NULL;
}

static void push_lines(evutil_socket_t fd, short what, void *arg)
{
	struct world *w = arg;
	static const char *const lines[] = { "a", "", "ccc" };

	(void)fd;
	(void)what;
	if (!w->stream || w->pushed == COUNT(lines))
		return;
	control_stream_push(w->stream, slice_str(lines[w->pushed++]));
}

static void the_client_follows_a_stream_line_by_line(void **state)
{
	struct world *w = *state;
	struct follow f = { .w = w };
	struct timeval often = { 0, 1000 };
	struct event *tick;

	listen_on(w, "127.0.0.1:0", true);
	tick = event_new(w->base, -1, EV_PERSIST, push_lines, w);
	event_add(tick, &often);
	serve(w, run_follow, &f, f.pipe);
	assert_int_equal(f.err, 0);
	assert_int_equal(f.lines, 3);
	event_free(tick);
}

static void a_server_that_is_not_there_is_named(void **state)
{
	struct world *w = *state;
	json_t *answer;
	char want[256];

	listen_on(w, "127.0.0.1:0", true);
	control_free(&w->control);
	w->server.program = "cig-server";
	assert_int_equal(control_call(&w->server, "GET", "/", NULL, &answer, w->diag),
			 -ECONNREFUSED);
	snprintf(want, sizeof(want), "cig-server is not running on %s: Connection refused",
		 w->address);
	assert_string_equal(diag_first_error(w->diag), want);
	w->server.address = "127.0.0.1";
	assert_int_equal(control_call(&w->server, "GET", "/", NULL, &answer, w->diag), -EINVAL);
}

static void addresses_are_checked(void **state)
{
	static const char *const wrong[] = {
		"",
		"8083",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"127.0.0.1:8083x",
		"crs.example:8083",
		"[::1:8083",
		"relative/path",
	};
	struct world *w = *state;

	(void)w;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(control_address_listen(wrong[i], 0600, (gid_t)-1), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_gets_its_arguments_and_answers_json),
		TEST(the_list_of_routes_is_the_help),
		TEST(requests_are_refused_before_a_handler_sees_them),
		TEST(broken_requests_leave_nothing_behind),
		TEST(a_change_needs_the_token_and_its_proof_counts_once),
		TEST(another_servers_token_is_refused),
		TEST(without_a_token_a_tcp_port_only_serves_reading),
		TEST(a_body_has_a_limit_and_must_be_json),
		TEST(a_handler_may_answer_later),
		TEST(a_port_may_end_while_a_request_waits),
		TEST(a_unix_socket_knows_its_peer_and_needs_no_token),
		TEST(a_dead_servers_socket_is_replaced_a_live_ones_is_not),
		TEST(text_is_answered_as_it_is),
		TEST(lines_reach_the_reader_as_they_come),
		TEST(a_client_that_goes_closes_its_stream_once),
		TEST(a_slow_reader_is_cut_off_and_told_what_it_lost),
		TEST(a_port_may_end_while_streams_run),
		TEST(the_client_follows_a_stream_line_by_line),
		TEST(a_server_that_is_not_there_is_named),
		TEST(addresses_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
