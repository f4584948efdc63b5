/* Notifications over connections that die, to the push service in node. */
#include "tests/unit.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <curl/curl.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "base/file.h"
#include "rendezvous/apns.h"
#include "tests/umsg/loop.h"

enum { PATIENCE_MS = 20000, PATH_SIZE = 128, CONNECTIONS = 4, PUSHES = 20, DEAD_MS = 500 };

/* Between the service and who pushes: what a network does. */
struct way {
	struct event_base *base;
	struct evconnlistener *listener;
	uint16_t port, service;
	/* of each connection, its ends towards us and towards the service */
	struct bufferevent *near[CONNECTIONS], *far[CONNECTIONS];
	unsigned n;
	bool refuses; /* new connections are closed at once */
};

struct world {
	char dir[64];
	pid_t node;
	struct way way;
	struct apns *apns;
	unsigned sent, failed;
};

static void pass_on(struct bufferevent *from, void *arg)
{
	struct bufferevent *to = arg;

	bufferevent_write_buffer(to, bufferevent_get_input(from));
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer,
		      int n, void *arg)
{
	struct sockaddr_in service = { .sin_family = AF_INET };
	struct way *way = arg;
	unsigned i = way->n++;

	(void)listener;
	(void)peer;
	(void)n;
	assert_true(i < CONNECTIONS);
	if (way->refuses) {
		close(fd);
		return;
	}
	service.sin_port = htons(way->service);
	service.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	way->near[i] = bufferevent_socket_new(way->base, fd, BEV_OPT_CLOSE_ON_FREE);
	way->far[i] = bufferevent_socket_new(way->base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(way->near[i], pass_on, NULL, NULL, way->far[i]);
	bufferevent_setcb(way->far[i], pass_on, NULL, NULL, way->near[i]);
	assert_int_equal(bufferevent_socket_connect(way->far[i], (struct sockaddr *)&service,
						    sizeof(service)),
			 0);
	bufferevent_enable(way->near[i], EV_READ | EV_WRITE);
	bufferevent_enable(way->far[i], EV_READ | EV_WRITE);
}

/* From now on nothing of this connection arrives, in either direction, and nobody tells. */
static void die(struct way *way, unsigned connection)
{
	bufferevent_disable(way->near[connection], EV_READ | EV_WRITE);
	bufferevent_disable(way->far[connection], EV_READ | EV_WRITE);
}

static void open_way(struct way *way)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	socklen_t n = sizeof(any);
	int small = 1; /* as small as the system has them: soon full, and no more acknowledged */

	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	way->listener = evconnlistener_new_bind(way->base, on_accept, way, LEV_OPT_CLOSE_ON_FREE,
						-1, (struct sockaddr *)&any, sizeof(any));
	assert_non_null(way->listener);
	assert_int_equal(setsockopt(evconnlistener_get_fd(way->listener), SOL_SOCKET, SO_RCVBUF,
				    &small, sizeof(small)),
			 0);
	assert_int_equal(
		getsockname(evconnlistener_get_fd(way->listener), (struct sockaddr *)&any, &n), 0);
	way->port = ntohs(any.sin_port);
}

static void shell(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void make_keys(void)
{
	shell("openssl ecparam -name prime256v1 -genkey -noout -out \"$D/provider.pem\" "
	      "2>/dev/null");
	shell("openssl ec -in \"$D/provider.pem\" -pubout -out \"$D/provider.pub\" 2>/dev/null");
	shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
	      "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout \"$D/apns.key\" "
	      "-out \"$D/apns.crt\" 2>/dev/null");
}

static void start_service(struct world *world)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	char script[512], path[PATH_SIZE];
	unsigned port = 0;

	snprintf(script, sizeof(script),
		 "exec node '%s/tests/rendezvous/apns_server.mjs' \"$D/apns.key\" \"$D/apns.crt\" "
		 "\"$D/provider.pub\" KEY123 TEAM45 com.example.app >\"$D/apns.out\" 2>&1",
		 getenv("top_srcdir"));
	world->node = fork();
	if (world->node == 0) {
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	snprintf(path, sizeof(path), "%s/apns.out", world->dir);
	while (port == 0 && clock_mono_ms() < until_ms) {
		uint8_t *text = NULL;
		size_t n = 0;

		if (file_read(path, 4096, &text, &n) != 0 ||
		    sscanf((const char *)text, "listening %u", &port) != 1)
			event_base_loop(world->way.base, EVLOOP_NONBLOCK);
		free(text);
	}
	assert_true(port > 0);
	world->way.service = (uint16_t)port;
}

static void on_done(void *arg, uint64_t cookie, const char *device_token, enum apns_outcome outcome,
		    int64_t when_ms, const char *text)
{
	struct world *world = arg;

	(void)cookie;
	(void)device_token;
	(void)when_ms;
	if (outcome == APNS_SENT) {
		world->sent++;
		return;
	}
	print_message("%s\n", text);
	world->failed++;
}

static const struct apns_ops ops = { .done = on_done };

static int open_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	char key[PATH_SIZE], ca[PATH_SIZE], url[64];
	const struct apns_options options = { .url = url,
					      .topic = "com.example.app",
					      .ca_file = ca,
					      .key_file = key,
					      .key_id = "KEY123",
					      .team_id = "TEAM45",
					      .dead_ms = DEAD_MS };

	assert_non_null(world);
	assert_non_null(getenv("top_srcdir"));
	snprintf(world->dir, sizeof(world->dir), "/tmp/apns-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	assert_int_equal(setenv("D", world->dir, 1), 0);
	world->way.base = event_base_new();
	make_keys();
	start_service(world);
	open_way(&world->way);
	snprintf(key, sizeof(key), "%s/provider.pem", world->dir);
	snprintf(ca, sizeof(ca), "%s/apns.crt", world->dir);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u", world->way.port);
	assert_int_equal(apns_new(world->way.base, &options, &ops, world, &world->apns, NULL), 0);
	*state = world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	apns_free(&world->apns);
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		if (world->way.near[i]) {
			bufferevent_free(world->way.near[i]);
			bufferevent_free(world->way.far[i]);
		}
	}
	evconnlistener_free(world->way.listener);
	event_base_free(world->way.base);
	kill(world->node, SIGKILL);
	waitpid(world->node, NULL, 0);
	shell("rm -r \"$D\"");
	free(world);
	curl_global_cleanup();
	return 0;
}

static void push(struct world *world, unsigned times)
{
	char token[32];

	for (unsigned i = 0; i < times; i++) {
		snprintf(token, sizeof(token), "0badcafe%02u", i);
		assert_int_equal(apns_push(world->apns, token, i), 0);
	}
}

/* A firewall that forgot the connection, or a machine without power: TCP by itself would try for
 * longer than a notification has. */
static void what_a_dead_connection_took_is_sent_on_another_one(void **state)
{
	struct world *world = *state;

	push(world, 1);
	LOOP_UNTIL(world->way.base, world->sent == 1);
	assert_int_equal(world->way.n, 1);
	die(&world->way, 0);
	push(world, PUSHES);
	LOOP_UNTIL(world->way.base, world->sent == 1 + PUSHES);
	assert_int_equal(world->way.n, 2);
	assert_int_equal(world->failed, 0);
}

static void what_finds_no_connection_waits_for_one(void **state)
{
	struct world *world = *state;

	world->way.refuses = true;
	push(world, 1);
	LOOP_UNTIL(world->way.base, world->way.n >= 1);
	world->way.refuses = false;
	LOOP_UNTIL(world->way.base, world->sent == 1);
	assert_int_equal(world->failed, 0);
}

/* What waits is forgotten with the rest: no memory is left, and nothing is told. */
static void what_waits_for_a_connection_is_forgotten_at_the_end(void **state)
{
	struct world *world = *state;

	world->way.refuses = true;
	push(world, 2);
	LOOP_UNTIL(world->way.base, world->way.n >= 2); /* the first of them waits by now */
	apns_free(&world->apns);
	assert_int_equal(world->sent + world->failed, 0);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(what_a_dead_connection_took_is_sent_on_another_one),
		WORLD_TEST(what_finds_no_connection_waits_for_one),
		WORLD_TEST(what_waits_for_a_connection_is_forgotten_at_the_end),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
