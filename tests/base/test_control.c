/* The control port: requests, answers, proofs, sockets. */
#include "tests/base/control_scene.h"

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
	assert_true(json_is_null(json_object_get(answer, "says")));
	json_decref(answer);
	assert_int_equal(w->peer, getuid());
	w->server.says = "tty pts/3, ssh 192.0.2.9";
	assert_int_equal(call(w, "GET", "/peer", NULL, &answer), 0);
	assert_string_equal(json_string_value(json_object_get(answer, "says")), w->server.says);
	json_decref(answer);
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
	/* A port like any other, where nobody listens. */
	assert_int_equal(control_address_connect("127.0.0.1:1", 1000), -ECONNREFUSED);
}

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
		TEST(a_server_that_is_not_there_is_named),
		TEST(addresses_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
