/* control_scene.h - a control port with a few routes, and its client. */
#ifndef TESTS_BASE_CONTROL_SCENE_H
#define TESTS_BASE_CONTROL_SCENE_H

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
	char dir[64], token_path[96], socket_path[96], address[96];
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

static inline void say_hello(struct control_request *request, void *arg)
{
	const char *name = control_arg(request, "name");

	(void)arg;
	control_answer_json(request, 200, json_pack("{s:s*}", "hello", name));
}

static inline void change(struct control_request *request, void *arg)
{
	struct world *w = arg;
	json_t *body;

	if (control_body_json(request, &body) < 0)
		return;
	w->changes++;
	control_answer_json(request, 200, json_pack("{s:o}", "took", body));
}

static inline void keep(struct control_request *request, void *arg)
{
	((struct world *)arg)->kept = request;
}

static inline void show_peer(struct control_request *request, void *arg)
{
	struct world *w = arg;
	pid_t pid;

	if (control_peer(request, &pid, &w->peer) < 0)
		control_answer_error(request, 404, "no peer on TCP");
	else
		control_answer_json(request, 200,
				    json_pack("{s:i, s:s?}", "pid", (int)pid, "says",
					      control_header(request, CONTROL_SAYS)));
}

static inline void metrics(struct control_request *request, void *arg)
{
	(void)arg;
	control_answer_text(request, 200, "text/plain; version=0.0.4", slice_str("up 1\n"));
}

static inline void on_closed(void *arg)
{
	struct world *w = arg;

	w->closed++;
	w->stream = NULL;
}

static inline void trace(struct control_request *request, void *arg)
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

static inline void listen_on(struct world *w, const char *address, bool with_token)
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

static inline int setup(void **state)
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
	w->server = (struct control_server){ .program = "server",
					     .address = w->address,
					     .timeout_ms = 3000 };
	*state = w;
	return 0;
}

static inline int teardown(void **state)
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

static inline void *run_call(void *arg)
{
	struct call *c = arg;

	c->err = control_call(&c->w->server, c->method, c->target, c->body, &c->answer, c->w->diag);
	assert_int_equal(write(c->pipe[1], "x", 1), 1);
	return NULL;
}

static inline void call_done(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

/* Runs thread with arg while the loop serves, until it writes to pipe. */
static inline void serve(struct world *w, void *(*thread)(void *), void *arg, int pipe_fds[2])
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

static inline int call(struct world *w, const char *method, const char *target, json_t *body,
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

static inline bool answer_is(json_t *answer, const char *name, const char *value)
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

static inline void *run_raw(void *arg)
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

static inline unsigned raw_status(struct world *w, const char *request)
{
	struct raw r = { .w = w, .request = request };
	unsigned status = 0;

	serve(w, run_raw, &r, r.pipe);
	return sscanf(r.answer, "HTTP/1.%*c %u", &status) == 1 ? status : 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
