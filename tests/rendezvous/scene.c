#include "tests/rendezvous/scene.h"

#include "tests/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "build-config.h"
#include "base/file.h"
#include "base/net.h"
#include "base/process.h"
#include "umsg/link.h"

/* A port that is free now. */
static uint16_t free_port(void)
{
	struct net_addr addr;
	uint16_t port;
	int fd;

	assert_int_equal(net_parse("127.0.0.1:0", 0, &addr), 0);
	fd = net_tcp_listen(&addr, false);
	assert_true(fd >= 0);
	assert_int_equal(net_local(fd, &addr), 0);
	port = net_port(&addr);
	close(fd);
	return port;
}

static void write_file(const struct scene *scene, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", scene->root, name);
	assert_int_equal(file_write_atomic(path, 0644, slice_str(text)), 0);
}

void scene_open(struct scene *scene, const char *relay_conf)
{
	char text[512], output[SCENE_OUTPUT];

	memset(scene, 0, sizeof(*scene));
	snprintf(scene->root, sizeof(scene->root), "/tmp/crs-scene-XXXXXX");
	assert_non_null(mkdtemp(scene->root));
	scene->port = free_port();
	snprintf(text, sizeof(text),
		 "features\nip crs1 127.0.0.1\nhost crs1\nlisten-address 127.0.0.1\n"
		 "listen-port %u\n",
		 scene->port);
	write_file(scene, "crs.conf", text);
	write_file(scene, "crs-local.conf", "crsname crs1\nworkers 2\nredis-max-memory 256\n");
	snprintf(text, sizeof(text), "LISTEN=127.0.0.1:%u\n%s", free_port(), relay_conf);
	write_file(scene, "crs-relay.conf", text);
	assert_int_equal(
		scene_cli(scene, "create account " SCENE_ACCOUNT " -s " SCENE_SECRET, output), 0);
	scene->base = event_base_new();
	assert_int_equal(link_context_new(scene->base, NULL, &scene->links), 0);
}

void scene_configure(const struct scene *scene, const char *lines)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/crs.conf", scene->root);
	f = fopen(path, "a");
	assert_non_null(f);
	assert_true(fputs(lines, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

void scene_set_clock(struct scene *scene, int64_t ahead_ms)
{
	char path[128];
	int fd;

#ifndef TEST_CLOCK
	skip();
#endif
	scene->own_clock = true;
	snprintf(path, sizeof(path), "%s/clock", scene->root);
	/* In place: those who run have it mapped. */
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &ahead_ms, sizeof(ahead_ms), 0), sizeof(ahead_ms));
	close(fd);
}

void scene_kill(pid_t *pid)
{
	int status;

	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, &status, 0);
	*pid = 0;
}

int scene_stop(pid_t *pid)
{
	int status = 0;

	assert_true(*pid > 0);
	kill(*pid, SIGTERM);
	assert_int_equal(waitpid(*pid, &status, 0), *pid);
	*pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void scene_close(struct scene *scene)
{
	char command[128];

	scene_kill(&scene->trace);
	if (scene->crs > 0)
		assert_int_equal(scene_stop(&scene->crs), 0);
	scene_kill(&scene->relay);
	link_context_free(&scene->links);
	event_base_free(scene->base);
	snprintf(command, sizeof(command), "rm -rf '%s'", scene->root);
	assert_int_equal(system(command), 0);
}

static pid_t spawn(const struct scene *scene, const char *program, const char *log)
{
	const char *argv[] = { program, "--root", scene->root, NULL, NULL, NULL };
	char path[128], clock[128];
	int fd;
	pid_t pid;

	snprintf(clock, sizeof(clock), "%s/clock", scene->root);
	if (scene->own_clock && strcmp(program, CRS) == 0) {
		argv[3] = "--now";
		argv[4] = clock;
	}
	snprintf(path, sizeof(path), "%s/%s", scene->root, log);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	pid = process_spawn(&(struct process_spec){ .argv = argv, .pass_fd = -1, .output_fd = fd });
	close(fd);
	assert_true(pid > 0);
	return pid;
}

void scene_start(struct scene *scene)
{
	int64_t deadline = clock_mono_ms() + SCENE_PATIENCE_MS;

	scene->crs = spawn(scene, CRS, "crs.out");
	while (clock_mono_ms() < deadline) {
		if (scene_process(scene, "app: worker-0") &&
		    scene_process(scene, "app: worker-1")) {
			/* ... and has what it needs: active is what every worker reaches. */
			assert_true(scene_cli_shows(scene, "show services", "redis_low   active",
						    true));
			return;
		}
	}
	fail_msg("crs does not start");
}

void scene_start_relay(struct scene *scene)
{
	scene->relay = spawn(scene, CRS_RELAY, "relay.out");
	assert_true(scene_cli_shows(scene, "show services", "crs_relay   active", true));
}

static void list_workers(const struct scene *scene, pid_t workers[2])
{
	workers[0] = scene_process(scene, "app: worker-0");
	workers[1] = scene_process(scene, "app: worker-1");
}

void scene_note_workers(struct scene *scene)
{
	list_workers(scene, scene->workers);
}

bool scene_is_unharmed(const struct scene *scene)
{
	pid_t now[2];

	list_workers(scene, now);
	return now[0] && now[0] == scene->workers[0] && now[1] && now[1] == scene->workers[1];
}

int scene_shell(const char *command, char output[SCENE_OUTPUT])
{
	FILE *pipe = popen(command, "r");
	size_t n;
	int status;

	assert_non_null(pipe);
	n = fread(output, 1, SCENE_OUTPUT - 1, pipe);
	output[n] = '\0';
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int scene_cli(const struct scene *scene, const char *words, char output[SCENE_OUTPUT])
{
	char command[1024];

	snprintf(command, sizeof(command), "'%s' --root '%s' %s 2>&1", CRS_CLI, scene->root, words);
	return scene_shell(command, output);
}

bool scene_cli_shows(const struct scene *scene, const char *words, const char *text, bool wanted)
{
	int64_t deadline = clock_mono_ms() + SCENE_PATIENCE_MS;
	char output[SCENE_OUTPUT];

	while (clock_mono_ms() < deadline) {
		scene_cli(scene, words, output);
		if ((strstr(output, text) != NULL) == wanted)
			return true;
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
	}
	print_message("crs-cli %s: \"%s\" %s in:\n%s", words, text, wanted ? "not" : "still",
		      output);
	return false;
}

pid_t scene_process(const struct scene *scene, const char *name)
{
	char output[SCENE_OUTPUT], *line;

	if (scene_cli(scene, "show system", output))
		return 0;
	line = strstr(output, name);
	return line ? (int)strtol(line + strlen(name), NULL, 10) : 0;
}

static void trace_path(const struct scene *scene, char path[128])
{
	snprintf(path, 128, "%s/trace.txt", scene->root);
}

bool scene_traced(const struct scene *scene, const char *text)
{
	int64_t deadline = clock_mono_ms() + SCENE_PATIENCE_MS;
	char path[128];

	trace_path(scene, path);
	while (clock_mono_ms() < deadline) {
		uint8_t *data = NULL;
		size_t n = 0;
		bool found = file_read(path, 1 << 20, &data, &n) == 0 &&
			     strstr((const char *)data, text);

		if (!found && clock_mono_ms() + 10 > deadline)
			print_message("not traced: %s in:\n%s", text, (const char *)data);
		free(data);
		if (found)
			return true;
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
	}
	return false;
}

/* A trace runs when it tells of a connection. */
void scene_trace(struct scene *scene, const char *elements)
{
	int64_t deadline = clock_mono_ms() + SCENE_PATIENCE_MS;
	char words[256], path[128];
	const char *argv[] = { "/bin/sh", "-c", words, NULL };
	struct net_addr addr;
	bool running = false;
	int out;

	trace_path(scene, path);
	snprintf(words, sizeof(words), "exec '%s' --root '%s' trace connection %s", CRS_CLI,
		 scene->root, elements);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(out >= 0);
	scene->trace = process_spawn(
		&(struct process_spec){ .argv = argv, .pass_fd = -1, .output_fd = out });
	close(out);
	assert_int_equal(net_parse("127.0.0.1", scene->port, &addr), 0);
	while (!running && clock_mono_ms() < deadline) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		uint8_t *data = NULL;
		size_t n = 0;

		connect(fd, &addr.sa, addr.len);
		close(fd);
		running = file_read(path, 1 << 20, &data, &n) == 0 &&
			  strstr((const char *)data, ",connected");
		free(data);
		scene_run(scene);
	}
	assert_true(running);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

void scene_run(struct scene *scene)
{
	struct timeval wait = { 0, 20000 };

	event_base_once(scene->base, -1, EV_TIMEOUT, on_timer, NULL, &wait);
	event_base_loop(scene->base, EVLOOP_ONCE);
}

struct scene *scene_new(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	*state = scene;
	scene_open(scene, "");
	return scene;
}

int scene_only_open(void **state)
{
	scene_new(state);
	return 0;
}

int scene_set_up(void **state)
{
	scene_start(scene_new(state));
	return 0;
}

int scene_set_up_with_relay(void **state)
{
	struct scene *scene = scene_new(state);

	scene_start(scene);
	scene_start_relay(scene);
	return 0;
}

int scene_tear_down(void **state)
{
	struct scene *scene = *state;

	scene_close(scene);
	free(scene);
	return 0;
}
