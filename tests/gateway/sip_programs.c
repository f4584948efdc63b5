#include "tests/unit.h"

#include "tests/gateway/sip_programs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"

enum { PATIENCE_MS = 10000, STEP_MS = 10 };

const char *program_path(const char *name)
{
	static const char *const paths[] = { "/usr/bin/sipp", "/usr/bin/baresip",
					     "/usr/sbin/kamailio" };

	for (size_t i = 0; i < COUNT(paths); i++)
		if (strcmp(strrchr(paths[i], '/') + 1, name) == 0 && access(paths[i], X_OK) == 0)
			return paths[i];
	print_message("%s is not installed\n", name);
	return NULL;
}

void program_make_dir(char out[64])
{
	snprintf(out, 64, "/tmp/sip-test-XXXXXX");
	assert_non_null(mkdtemp(out));
}

void program_remove_dir(const char *dir)
{
	const char *const argv[] = { "/bin/rm", "-rf", dir, NULL };
	struct process_spec spec = { .argv = argv, .pass_fd = -1, .output_fd = -1 };
	pid_t pid = process_spawn(&spec);

	assert_true(pid > 0);
	waitpid(pid, NULL, 0);
}

static int bound_socket(int type, unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1;

	a.sin_port = htons((uint16_t)port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (type == SOCK_STREAM) /* for UDP it would let two have the port */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

void program_free_ports(unsigned *out, size_t n)
{
	int held[8][2];
	size_t found = 0;

	assert_true(n <= COUNT(held));
	for (int i = 0; i < 100 && found < n; i++) {
		struct sockaddr_in a;
		socklen_t len = sizeof(a);
		int udp = bound_socket(SOCK_DGRAM, 0);

		assert_true(udp >= 0);
		getsockname(udp, (struct sockaddr *)&a, &len);
		out[found] = ntohs(a.sin_port);
		held[found][0] = udp;
		held[found][1] = bound_socket(SOCK_STREAM, out[found]);
		if (held[found][1] >= 0)
			found++;
		else
			close(udp);
	}
	assert_int_equal(found, n);
	for (size_t i = 0; i < n; i++) {
		close(held[i][0]);
		close(held[i][1]);
	}
}

unsigned program_free_port(void)
{
	unsigned port;

	program_free_ports(&port, 1);
	return port;
}

const char *program_source_dir(void)
{
	const char *top = getenv("top_srcdir");

	return top ? top : "."; /* make check gives it; a build in the tree needs none */
}

pid_t program_start(const char *const *argv, const char *dir)
{
	struct process_spec spec = { .argv = argv, .pass_fd = -1 };
	char path[128];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/log", dir);
	spec.output_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(spec.output_fd >= 0);
	pid = process_spawn(&spec);
	assert_true(pid > 0);
	close(spec.output_fd);
	return pid;
}

static void print_log(const char *dir)
{
	char path[128];
	uint8_t *text;
	size_t n;

	snprintf(path, sizeof(path), "%s/log", dir);
	if (file_read(path, 1 << 20, &text, &n) == 0) {
		print_message("%s\n", (char *)text);
		free(text);
	}
}

static void pause_a_step(void)
{
	poll(NULL, 0, STEP_MS);
}

int program_wait(pid_t pid, const char *dir)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_mono_ms() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			break;
		}
		pause_a_step();
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		print_log(dir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void program_end(pid_t pid)
{
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static bool ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
	return info.si_pid != 0;
}

int program_connect(pid_t pid, unsigned port, const char *dir)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_port = htons((uint16_t)port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (!ended(pid) && clock_mono_ms() < end) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			return fd;
		close(fd);
		pause_a_step();
	}
	print_log(dir);
	return -1;
}

/* Is the port taken? */
static bool udp_bound(unsigned port)
{
	int fd = bound_socket(SOCK_DGRAM, port);

	if (fd >= 0)
		close(fd);
	return fd < 0;
}

bool program_await_udp(pid_t pid, unsigned port, const char *dir)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;

	while (!ended(pid) && clock_mono_ms() < end) {
		if (udp_bound(port))
			return true;
		pause_a_step();
	}
	print_log(dir);
	return false;
}
