/* test_redis_server.c - supervision of a redis-server, with a script in its place that keeps
 * its arguments and waits. */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/timer.h"
#include "rendezvous/redis_server.h"
#include "tests/umsg/loop.h"

struct scene {
	char dir[64], program[96], arguments[96];
	struct event_base *base;
	struct redis_options options;
	struct redis_server *server;
	struct diag *diag;
	unsigned stopped;
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char script[400];

	assert_non_null(scene);
	snprintf(scene->dir, sizeof(scene->dir), "/tmp/redis-server.XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	snprintf(scene->program, sizeof(scene->program), "%s/redis-server", scene->dir);
	snprintf(scene->arguments, sizeof(scene->arguments), "%s/arguments", scene->dir);
	snprintf(script, sizeof(script),
		 "#!/bin/sh\necho \"$@\" >%s.new && mv %s.new %s\nexec sleep 60\n",
		 scene->arguments, scene->arguments, scene->arguments);
	assert_int_equal(file_write_atomic(scene->program, 0700, slice_str(script)), 0);
	scene->base = event_base_new();
	scene->diag = diag_new();
	scene->options = (struct redis_options){ .name = "redis_low",
						 .program = scene->program,
						 .data_dir = scene->dir,
						 .run_dir = scene->dir,
						 .log_dir = scene->dir,
						 .durable = true,
						 .max_bytes = 1000000 };
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const left[] = { "redis-server", "arguments", "arguments.new",
					    "redis_low/lock", "redis_low" };
	struct scene *scene = *state;
	pid_t pid = scene->server ? redis_server_pid(scene->server) : 0;
	char path[160];

	redis_server_free(&scene->server); /* kills what still runs */
	if (pid > 0)
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (size_t i = 0; i < COUNT(left); i++) {
		snprintf(path, sizeof(path), "%s/%s", scene->dir, left[i]);
		remove(path);
	}
	assert_int_equal(rmdir(scene->dir), 0);
	diag_free(&scene->diag);
	event_base_free(scene->base);
	free(scene);
	return 0;
}

static void begin(struct scene *scene)
{
	assert_int_equal(
		redis_server_new(scene->base, &scene->options, &scene->server, scene->diag), 0);
}

static bool ran(const struct scene *scene)
{
	return access(scene->arguments, F_OK) == 0;
}

/* Nothing of ours happens when the script has written them. */
static void await_arguments(const struct scene *scene)
{
	int64_t until = clock_mono_ms() + 10000;

	while (!ran(scene) && clock_mono_ms() < until)
		poll(NULL, 0, 2);
	assert_true(ran(scene));
}

/* The process of the moment ends by that signal, and the supervisor reaps it. */
static void dies(struct scene *scene, int by)
{
	pid_t pid = redis_server_pid(scene->server);
	int status;

	assert_true(pid > 0);
	kill(pid, by);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(redis_server_reaped(scene->server, pid, status));
	assert_int_equal(redis_server_pid(scene->server), 0);
}

static void a_server_gets_its_own_places_and_keeps_all_of_them(void **state)
{
	struct scene *scene = *state;
	char wanted[128];
	uint8_t *text;
	size_t n;

	begin(scene);
	assert_true(redis_server_pid(scene->server) > 0);
	assert_string_equal(redis_server_name(scene->server), "redis_low");
	snprintf(wanted, sizeof(wanted), "%s/redis_low.sock", scene->dir);
	assert_string_equal(redis_server_socket(scene->server), wanted);
	await_arguments(scene);
	assert_int_equal(file_read(scene->arguments, 4096, &text, &n), 0);
	assert_non_null(strstr((char *)text, wanted));
	assert_non_null(strstr((char *)text, "--port 0 "));
	assert_non_null(strstr((char *)text, "--appendonly yes"));
	assert_non_null(strstr((char *)text, "--maxmemory 1000000 "));
	free(text);
}

static void one_that_ends_is_started_again_after_a_growing_pause(void **state)
{
	struct scene *scene = *state;
	int64_t begun, pause_ms = REDIS_RESTART_FIRST_MS;
	pid_t before;

	begin(scene);
	assert_false(redis_server_reaped(scene->server, getpid(), 0)); /* somebody else's */
	for (int round = 0; round < 2; round++, pause_ms *= 2) {
		before = redis_server_pid(scene->server);
		dies(scene, round ? SIGKILL : SIGTERM);
		begun = clock_mono_ms();
		LOOP_UNTIL(scene->base, redis_server_pid(scene->server) > 0);
		assert_true(clock_mono_ms() - begun >= pause_ms - 1);
		assert_int_not_equal(redis_server_pid(scene->server), before);
	}
}

/* A killed supervisor's server, or another crs: two would ruin the data. */
static void no_second_server_is_started_on_the_same_data(void **state)
{
	struct scene *scene = *state;
	char path[160];
	int64_t begun;
	int lock;

	snprintf(path, sizeof(path), "%s/redis_low", scene->dir);
	assert_int_equal(file_mkdirs(path, 0750), 0);
	snprintf(path, sizeof(path), "%s/redis_low/lock", scene->dir);
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(lock >= 0);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	begin(scene);
	assert_int_equal(redis_server_pid(scene->server), 0);
	begun = clock_mono_ms();
	while (clock_mono_ms() < begun + REDIS_LOCK_AGAIN_MS + 50) /* it has looked once more */
		event_base_loop(scene->base, EVLOOP_ONCE);
	assert_int_equal(redis_server_pid(scene->server), 0);
	assert_false(ran(scene));
	close(lock);
	LOOP_UNTIL(scene->base, redis_server_pid(scene->server) > 0);
	/* The server holds it now, and not the supervisor. */
	lock = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), -1);
	dies(scene, SIGKILL);
	assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
	close(lock);
}

static void on_stopped(void *arg)
{
	struct scene *scene = arg;

	scene->stopped++;
}

static void one_that_was_stopped_stays_so(void **state)
{
	struct scene *scene = *state;
	int status;
	pid_t pid;

	begin(scene);
	pid = redis_server_pid(scene->server);
	redis_server_stop(scene->server, on_stopped, scene);
	assert_int_equal(scene->stopped, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid); /* it was asked to end */
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_true(redis_server_reaped(scene->server, pid, status));
	assert_int_equal(scene->stopped, 1);
	assert_int_equal(event_base_get_num_events(scene->base, EVENT_BASE_COUNT_ADDED), 0);
	assert_int_equal(redis_server_pid(scene->server), 0);
}

static void one_that_does_not_run_is_stopped_at_once(void **state)
{
	struct scene *scene = *state;

	begin(scene);
	dies(scene, SIGKILL);
	redis_server_stop(scene->server, on_stopped, scene);
	assert_int_equal(scene->stopped, 1);
	assert_int_equal(event_base_get_num_events(scene->base, EVENT_BASE_COUNT_ADDED), 0);
}

static void places_that_cannot_be_are_refused(void **state)
{
	struct scene *scene = *state;
	struct redis_options options = scene->options;
	char deep[200], longer[600], *path = strdup(getenv("PATH"));

	memset(deep, 'a', sizeof(deep));
	memcpy(deep, "/tmp/", 5);
	deep[sizeof(deep) - 1] = '\0';
	options.run_dir = deep; /* 107 octets are a Unix socket's */
	assert_int_equal(redis_server_new(scene->base, &options, &scene->server, scene->diag),
			 -ENAMETOOLONG);
	assert_non_null(strstr(diag_first_error(scene->diag), "too long for a Unix socket"));
	options = scene->options;
	memset(longer, 'b', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	options.data_dir = longer;
	assert_int_equal(redis_server_new(scene->base, &options, &scene->server, NULL),
			 -ENAMETOOLONG);
	options = scene->options;
	options.program = longer;
	assert_int_equal(redis_server_new(scene->base, &options, &scene->server, NULL),
			 -ENAMETOOLONG);
	options = scene->options;
	options.data_dir = scene->program; /* a file */
	assert_true(redis_server_new(scene->base, &options, &scene->server, NULL) < 0);
	options = scene->options;
	options.program = NULL;
	setenv("PATH", "/nowhere:", 1);
	assert_int_equal(redis_server_new(scene->base, &options, &scene->server, NULL), -ENOENT);
	assert_null(scene->server);
	setenv("PATH", scene->dir, 1); /* and there it is */
	assert_int_equal(redis_server_new(scene->base, &options, &scene->server, NULL), 0);
	setenv("PATH", path, 1);
	free(path);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_server_gets_its_own_places_and_keeps_all_of_them),
		SCENE_TEST(one_that_ends_is_started_again_after_a_growing_pause),
		SCENE_TEST(no_second_server_is_started_on_the_same_data),
		SCENE_TEST(one_that_was_stopped_stays_so),
		SCENE_TEST(one_that_does_not_run_is_stopped_at_once),
		SCENE_TEST(places_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
