/* The control port's streams: lines that come as they happen. */
#include "tests/base/control_scene.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_reach_the_reader_as_they_come),
		TEST(a_client_that_goes_closes_its_stream_once),
		TEST(a_slow_reader_is_cut_off_and_told_what_it_lost),
		TEST(a_port_may_end_while_streams_run),
		TEST(the_client_follows_a_stream_line_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
