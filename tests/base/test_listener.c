/* test_listener.c - who connects is taken, and a shortage of descriptors is sat out. */
#include "tests/unit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/listener.h"

enum { CROWD = 2 * LISTENER_PER_TURN + 1 };

struct scene {
	struct event_base *base;
	struct listener *listener;
	struct net_addr address;
	int taken, fds[CROWD];
	bool leave; /* free the listener with the first one that comes */
};

static void on_connection(void *arg, int fd, const struct net_addr *from)
{
	struct scene *scene = arg;

	assert_true(net_is_loopback(from));
	assert_in_range(scene->taken, 0, CROWD - 1);
	scene->fds[scene->taken++] = fd;
	if (scene->leave)
		listener_free(&scene->listener);
}

static void open_scene(struct scene *scene)
{
	struct net_addr any;
	int fd;

	*scene = (struct scene){ .base = event_base_new() };
	assert_int_equal(net_parse("127.0.0.1", 0, &any), 0);
	fd = net_tcp_listen(&any, false);
	assert_true(fd >= 0);
	scene->address.len = sizeof(scene->address.in6);
	assert_int_equal(getsockname(fd, &scene->address.sa, &scene->address.len), 0);
	scene->listener = listener_new(scene->base, fd, "test", on_connection, scene);
	assert_non_null(scene->listener);
}

static void close_scene(struct scene *scene)
{
	listener_free(&scene->listener);
	for (int i = 0; i < scene->taken; i++)
		close(scene->fds[i]);
	event_base_free(scene->base);
}

static int connected(const struct scene *scene)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &scene->address.sa, scene->address.len), 0);
	return fd;
}

static void a_crowd_is_taken_in_turns(void **state)
{
	struct scene scene;
	int clients[CROWD];

	(void)state;
	open_scene(&scene);
	for (int i = 0; i < CROWD; i++)
		clients[i] = connected(&scene);
	for (int turn = 1; turn <= 3; turn++) {
		event_base_loop(scene.base, EVLOOP_ONCE);
		assert_int_equal(scene.taken, turn < 3 ? turn * LISTENER_PER_TURN : CROWD);
	}
	for (int i = 0; i < CROWD; i++) {
		assert_true(fcntl(scene.fds[i], F_GETFL) & O_NONBLOCK);
		close(clients[i]);
	}
	close_scene(&scene);
}

static void a_listener_may_be_freed_by_whom_it_tells(void **state)
{
	struct scene scene;
	int first, second;

	(void)state;
	open_scene(&scene);
	scene.leave = true;
	first = connected(&scene);
	second = connected(&scene);
	event_base_loop(scene.base, EVLOOP_ONCE);
	assert_int_equal(scene.taken, 1);
	assert_null(scene.listener);
	close(first);
	close(second);
	close_scene(&scene);
}

/* How many descriptors the process may have from now on: 0 leaves none to anybody. */
static void set_descriptors(rlim_t n, rlim_t *before_out)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	*before_out = limit.rlim_cur;
	limit.rlim_cur = n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void without_descriptors_it_rests_and_goes_on_by_itself(void **state)
{
	struct scene scene;
	rlim_t before, none;
	int client;
	int64_t began;

	(void)state;
	open_scene(&scene);
	client = connected(&scene);
	set_descriptors(0, &before);
	began = clock_mono_ms();
	/* It cannot, it has rested, it cannot. */
	for (int turn = 0; turn < 3; turn++)
		event_base_loop(scene.base, EVLOOP_ONCE);
	assert_int_equal(scene.taken, 0);
	assert_true(clock_mono_ms() - began >= LISTENER_REST_MS / 2);
	set_descriptors(before, &none);
	for (int turn = 0; turn < 2; turn++)
		event_base_loop(scene.base, EVLOOP_ONCE);
	assert_int_equal(scene.taken, 1);
	close(client);
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crowd_is_taken_in_turns),
		cmocka_unit_test(a_listener_may_be_freed_by_whom_it_tells),
		cmocka_unit_test(without_descriptors_it_rests_and_goes_on_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
