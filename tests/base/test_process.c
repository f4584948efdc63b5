#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"

/* Runs a shell as a child; returns its exit status, and what it wrote. */
static int run_shell(const char *script, struct process_spec spec, char *out, size_t outsz)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	int pipe_fd[2], status;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
	spec.argv = argv;
	spec.output_fd = pipe_fd[1];
	pid = process_spawn(&spec);
	assert_true(pid > 0);
	close(pipe_fd[1]);
	while (n + 1 < outsz && (got = read(pipe_fd[0], out + n, outsz - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(pipe_fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const struct process_spec nothing_passed = { .pass_fd = -1, .output_fd = -1 };

/* What is open in us is ours: keys, sockets, logs. */
static void a_child_inherits_no_descriptor_but_three(void **state)
{
	int leaked[20], others = 0;
	char out[256], *rest;

	(void)state;
	for (size_t i = 0; i < COUNT(leaked); i++) {
		leaked[i] = open("/dev/null", O_RDONLY); /* not even close-on-exec */
		assert_true(leaked[i] >= 0);
	}
	/* the listing itself has one open, of the directory */
	assert_int_equal(run_shell("for f in /proc/$$/fd/*; do echo ${f##*/}; done", nothing_passed,
				   out, sizeof(out)),
			 0);
	for (const char *line = strtok_r(out, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		others +=
			strcmp(line, "0") != 0 && strcmp(line, "1") != 0 && strcmp(line, "2") != 0;
	assert_true(others <= 1); /* of 20 that are open here */
	for (size_t i = 0; i < COUNT(leaked); i++)
		close(leaked[i]);
}

static void the_descriptor_that_is_passed_is_number_three(void **state)
{
	struct process_spec spec = nothing_passed;
	char out[64], heard[8] = "";
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	spec.pass_fd = pair[1];
	assert_int_equal(run_shell("echo hello >&3", spec, out, sizeof(out)), 0);
	assert_int_equal(read(pair[0], heard, sizeof(heard) - 1), 6);
	assert_string_equal(heard, "hello\n");
	close(pair[0]);
	close(pair[1]);
}

static void a_child_has_the_signals_that_programs_expect(void **state)
{
	sigset_t blocked;
	/* The C library's own two: it lets nobody touch them, and ignored they are inherited. */
	const unsigned long long reserved = 1ULL << 31 | 1ULL << 32;
	unsigned long long masked = 1, ignored = 1;
	char out[128];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	assert_int_equal(run_shell("grep -E '^Sig(Blk|Ign):' /proc/self/status", nothing_passed,
				   out, sizeof(out)),
			 0);
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(sscanf(out, "SigBlk:\t%llx\nSigIgn:\t%llx", &masked, &ignored), 2);
	assert_int_equal(masked, 0);
	assert_int_equal(ignored & ~reserved, 0);
}

static void a_plain_child_has_no_environment_but_a_path(void **state)
{
	struct process_spec spec = nothing_passed;
	char out[512];

	(void)state;
	setenv("SECRET_OF_OURS", "x", 1);
	assert_int_equal(run_shell("echo \"${SECRET_OF_OURS-none}\"", spec, out, sizeof(out)), 0);
	assert_string_equal(out, "x\n");
	spec.plain = true;
	assert_int_equal(run_shell("echo \"${SECRET_OF_OURS-none} $PATH\"", spec, out, sizeof(out)),
			 0);
	assert_string_equal(out, "none /usr/sbin:/usr/bin:/sbin:/bin\n");
	unsetenv("SECRET_OF_OURS");
}

static void a_group_is_signalled_as_a_whole(void **state)
{
	const char *const argv[] = { "/bin/sh", "-c", "sleep 60 & wait", NULL };
	const struct process_spec spec = {
		.argv = argv, .pass_fd = -1, .output_fd = -1, .own_group = true
	};
	pid_t pid = process_spawn(&spec);
	int status;

	(void)state;
	assert_true(pid > 0);
	assert_int_equal(getpgid(pid), pid);
	assert_int_equal(kill(-pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void what_cannot_be_run_exits_127(void **state)
{
	const char *const argv[] = { "/nonexistent/program", NULL };
	const struct process_spec spec = { .argv = argv, .pass_fd = -1, .output_fd = -1 };
	pid_t pid = process_spawn(&spec);
	int status;

	(void)state;
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 127);
}

/* kill -9 of the parent ends the child: no generation outlives another. */
static void a_child_dies_with_its_parent(void **state)
{
	const char *const argv[] = { "/bin/sleep", "60", NULL };
	const struct process_spec spec = { .argv = argv, .pass_fd = -1, .output_fd = -1 };
	int pipe_fd[2], ended_fd, status;
	pid_t parent, child = 0;
	char end;

	(void)state;
	assert_int_equal(pipe(pipe_fd), 0);
	parent = fork();
	if (parent == 0) {
		child = process_spawn(&spec);
		(void)!write(pipe_fd[1], &child, sizeof(child));
		pause();
		_exit(0);
	}
	close(pipe_fd[1]);
	assert_int_equal(read(pipe_fd[0], &child, sizeof(child)), sizeof(child));
	ended_fd = (int)syscall(SYS_pidfd_open, child, 0);
	assert_true(ended_fd >= 0);
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	/* readable when it has ended, also while init has not reaped it */
	assert_int_equal(poll(&(struct pollfd){ .fd = ended_fd, .events = POLLIN }, 1, 5000), 1);
	close(ended_fd);
	assert_int_equal(read(pipe_fd[0], &end, 1), 0);
	close(pipe_fd[0]);
}

static void our_own_programs_are_found_beside_us(void **state)
{
	char path[4096];

	(void)state;
	assert_int_equal(process_find("test_process", path, sizeof(path)), 0);
	assert_int_equal(access(path, X_OK), 0);
	assert_int_equal(process_find("no-such-program-of-ours", path, sizeof(path)), -ENOENT);
	assert_int_equal(process_find("test_process", path, 8), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_inherits_no_descriptor_but_three),
		cmocka_unit_test(the_descriptor_that_is_passed_is_number_three),
		cmocka_unit_test(a_child_has_the_signals_that_programs_expect),
		cmocka_unit_test(a_plain_child_has_no_environment_but_a_path),
		cmocka_unit_test(a_group_is_signalled_as_a_whole),
		cmocka_unit_test(what_cannot_be_run_exits_127),
		cmocka_unit_test(a_child_dies_with_its_parent),
		cmocka_unit_test(our_own_programs_are_found_beside_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
