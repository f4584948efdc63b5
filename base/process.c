/* process.c - fork and exec of children that die with their parent.
 *
 * Between fork() and execve() only calls that are safe in a signal handler: other threads may
 * have held any lock when the process was copied.
 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { CHILD_FD = 3 };

static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void run_child(const struct process_spec *spec, pid_t parent)
{
	static const char *const plain[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };

	/* No orphans: what a service started dies with it, however it dies. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127); /* the parent died before the line above */
	reset_signals();
	if (spec->own_group)
		setpgid(0, 0);
	if (spec->output_fd >= 0) {
		dup2(spec->output_fd, STDOUT_FILENO);
		dup2(spec->output_fd, STDERR_FILENO);
	}
	if (spec->pass_fd == CHILD_FD)
		fcntl(CHILD_FD, F_SETFD, 0);
	else if (spec->pass_fd >= 0)
		dup2(spec->pass_fd, CHILD_FD);
	/* Whatever the parent has open, the child has 0 to 2 and perhaps 3. */
	close_range(CHILD_FD + (spec->pass_fd >= 0), UINT_MAX, 0);
	execve(spec->argv[0], (char *const *)(uintptr_t)spec->argv,
	       spec->plain ? (char *const *)(uintptr_t)plain : environ);
	_exit(127);
}

pid_t process_spawn(const struct process_spec *spec)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_child(spec, parent);
	if (spec->own_group)
		setpgid(pid, pid); /* whoever comes first */
	return pid;
}

int process_find(const char *name, char *out, size_t outsz)
{
	char self[PATH_MAX];
	/* Beside the program first: so a build tree runs its own, not what is installed. */
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *slash;
	int len;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		len = snprintf(out, outsz, "%.*s/%s", (int)(slash - self), self, name);
		if (len > 0 && (size_t)len < outsz && access(out, X_OK) == 0)
			return 0;
	}
	len = snprintf(out, outsz, "%s/%s", LIBEXECDIR, name);
	if (len > 0 && (size_t)len < outsz && access(out, X_OK) == 0)
		return 0;
	return -ENOENT;
}
