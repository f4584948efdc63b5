/* The connection to crs-relay, which is played: nothing is asked of a relay before its hello, nor
 * of one of another version; and without memory the hello is said later. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/channel.h"
#include "base/clock.h"
#include "rendezvous/relay_client.h"
#include "tests/fuzz/quiet.h"
#include "tests/memory/scarce.h"

enum { PATIENCE_MS = 5000, TURN_US = 5000 };

struct scene {
	char dir[64], path[80];
	struct event_base *base;
	int listening, fd; /* the relay's; fd -1: nobody is connected */
	bool up;
};

static void on_up(void *arg)
{
	((struct scene *)arg)->up = true;
}

static void on_down(void *arg)
{
	((struct scene *)arg)->up = false;
}

static const struct relay_client_ops ops = { on_up, on_down };

static int open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	quiet();
	*state = scene;
	snprintf(scene->dir, sizeof(scene->dir), "/tmp/relay-client-XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	snprintf(scene->path, sizeof(scene->path), "%s/relay", scene->dir);
	scene->listening = channel_listen(scene->path, 0600);
	assert_true(scene->listening >= 0);
	scene->fd = -1;
	scene->base = event_base_new();
	return 0;
}

static int close_scene(void **state)
{
	struct scene *scene = *state;

	if (scene->fd >= 0)
		close(scene->fd);
	close(scene->listening);
	unlink(scene->path);
	rmdir(scene->dir);
	event_base_free(scene->base);
	free(scene);
	return 0;
}

static void turn(struct scene *scene)
{
	const struct timeval moment = { 0, TURN_US };

	event_base_loopexit(scene->base, &moment);
	event_base_dispatch(scene->base);
}

/* The relay takes who connects and reads what he says; true: it was a request. */
static bool hears(struct scene *scene, uint32_t *number_out)
{
	uint8_t octets[512];
	CrsRelay__Request *request;
	ssize_t n;

	if (scene->fd < 0)
		scene->fd = accept4(scene->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	n = scene->fd < 0 ? -1 : recv(scene->fd, octets, sizeof(octets), MSG_DONTWAIT);
	if (n == 0) {
		close(scene->fd);
		scene->fd = -1;
	}
	if (n <= 0)
		return false;
	request = crs_relay__request__unpack(NULL, (size_t)n, octets);
	assert_non_null(request);
	*number_out = request->number;
	crs_relay__request__free_unpacked(request, NULL);
	return true;
}

static bool is_asked(struct scene *scene, uint32_t *number_out)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (clock_mono_ms() < until_ms) {
		turn(scene);
		if (hears(scene, number_out))
			return true;
	}
	return false;
}

static void say_version(const struct scene *scene, uint32_t number, uint32_t version)
{
	CrsRelay__Reply reply = CRS_RELAY__REPLY__INIT;
	CrsRelay__Hello hello = CRS_RELAY__HELLO__INIT;
	uint8_t octets[64];
	size_t n;

	reply.number = number;
	hello.version = version;
	reply.hello = &hello;
	reply.body_case = CRS_RELAY__REPLY__BODY_HELLO;
	n = crs_relay__reply__pack(&reply, octets);
	assert_int_equal(send(scene->fd, octets, n, MSG_NOSIGNAL), n);
}

static void say_nothing_in_particular(const struct scene *scene, uint32_t number)
{
	CrsRelay__Reply reply = CRS_RELAY__REPLY__INIT;
	uint8_t octets[64];
	size_t n;

	reply.number = number;
	n = crs_relay__reply__pack(&reply, octets);
	assert_int_equal(send(scene->fd, octets, n, MSG_NOSIGNAL), n);
}

static void a_relay_of_another_version_is_not_asked_for_anything(void **state)
{
	static const uint32_t versions[] = { 0, 2, 1000 };
	struct scene *scene = *state;
	struct relay_client *client = relay_client_new(scene->base, scene->path, &ops, scene);
	uint32_t number;

	for (size_t i = 0; i <= COUNT(versions); i++) {
		assert_true(is_asked(scene, &number));
		if (i < COUNT(versions))
			say_version(scene, number, versions[i]);
		else
			say_nothing_in_particular(scene, number);
		turn(scene);
		assert_false(scene->up);
		assert_false(relay_client_is_up(client));
		/* replaced by the next one */
		close(scene->fd);
		scene->fd = -1;
	}
	assert_true(is_asked(scene, &number));
	say_version(scene, number, 1);
	turn(scene);
	assert_true(scene->up);
	relay_client_free(&client);
}

static bool connects(unsigned n, void *arg)
{
	struct scene *scene = arg;
	struct relay_client *client;
	uint32_t number = 0;
	bool failed;

	scene->up = false;
	scarce_begin(n);
	client = relay_client_new(scene->base, scene->path, &ops, scene);
	failed = scarce_end();
	if (!client) {
		assert_true(failed);
		return failed;
	}
	if (!is_asked(scene, &number))
		fail_msg("allocation %u: no hello", n);
	say_version(scene, number, 1);
	turn(scene);
	assert_true(scene->up);
	relay_client_free(&client);
	close(scene->fd);
	scene->fd = -1;
	return failed;
}

static void a_hello_that_found_no_memory_is_said_later(void **state)
{
	assert_true(scarce_each(connects, *state) > 2);
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)
	const struct CMUnitTest tests[] = {
		ONE(a_relay_of_another_version_is_not_asked_for_anything),
		ONE(a_hello_that_found_no_memory_is_said_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
