/* passphrase.c - secrets from a file or from the terminal, never from arguments: those all users
 * of a machine can see. */
#include "keys/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "keys/secret.h"

void passphrase_wipe(struct passphrase *passphrase)
{
	wipe(passphrase, sizeof(*passphrase));
}

/* Takes text up to its first newline. */
static int take_line(struct slice text, struct passphrase *out)
{
	const uint8_t *newline = text.n ? memchr(text.p, '\n', text.n) : NULL;
	size_t n = newline ? (size_t)(newline - text.p) : text.n;

	if (n && text.p[n - 1] == '\r')
		n--;
	if (n == 0 || n >= sizeof(out->text))
		return -EINVAL;
	memcpy(out->text, text.p, n);
	out->text[n] = '\0';
	out->n = n;
	return 0;
}

int passphrase_from_file(const char *path, struct passphrase *out, struct diag *diag)
{
	struct stat st;
	uint8_t *data;
	size_t n;
	int err = stat(path, &st) < 0 ? -errno : 0;

	/* A pipe or a terminal (/dev/stdin) has no reader but the one it was made for. */
	if (!err && S_ISREG(st.st_mode) && st.st_mode & (S_IRWXG | S_IRWXO)) {
		diag_error(diag, NULL, "%s: others may read it; run: chmod 600 %s", path, path);
		return -EPERM;
	}
	if (!err)
		err = file_read(path, 8192, &data, &n);
	if (err) {
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
		return err;
	}
	err = take_line(slice_of(data, n), out);
	if (err)
		diag_error(diag, NULL, "%s: its first line is empty or too long", path);
	wipe(data, n);
	free(data);
	return err;
}

/* A signal must not leave the terminal silent: it ends the reading, and does its
 * work when the terminal is as it was.  The system gives a handler no argument. */
static volatile sig_atomic_t caught;

static void catch_signal(int number)
{
	caught = number;
}

static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

struct guard {
	struct sigaction was[SIGNALS];
	sigset_t mask; /* as it was */
};

/* From here on the signals are caught, but blocked: only wait_for_line() lets them through. */
static void guard_begin(struct guard *guard)
{
	const struct sigaction catch = { .sa_handler = catch_signal };
	sigset_t blocked;

	caught = 0;
	sigemptyset(&blocked);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaddset(&blocked, signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &guard->mask);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &catch, &guard->was[i]);
}

/* One that was caught does its work now. */
static void guard_end(const struct guard *guard)
{
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &guard->was[i], NULL);
	sigprocmask(SIG_SETMASK, &guard->mask, NULL);
	if (caught)
		raise(caught);
}

/* Returns 0, or -EINTR: a signal came, whether before this wait or in it. */
static int wait_for_line(int fd, const struct guard *guard)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	/* ppoll() unblocks and waits in one step: between two steps a signal would be missed,
	 * and the terminal stay silent until somebody types. */
	return ppoll(&p, 1, NULL, &guard->mask) < 0 ? -errno : 0;
}

/* Reads a line from a terminal that echoes nothing meanwhile. */
static int read_silently(int fd, const char *prompt, struct passphrase *out)
{
	struct termios was, silent;
	char line[sizeof(out->text) + 1];
	struct guard guard;
	ssize_t n;
	int err;

	if (tcgetattr(fd, &was) < 0)
		return -ENOTTY;
	silent = was;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	guard_begin(&guard);
	/* Silent before the prompt: who answers it at once is neither seen nor lost. */
	if (tcsetattr(fd, TCSAFLUSH, &silent) < 0) {
		err = -errno;
		guard_end(&guard);
		return err;
	}
	dprintf(fd, "%s: ", prompt);
	err = wait_for_line(fd, &guard);
	n = err ? err : read(fd, line, sizeof(line));
	err = n < 0 ? (err ? err : -errno) : 0;
	tcsetattr(fd, TCSAFLUSH, &was);
	dprintf(fd, "\n");
	guard_end(&guard);
	if (!err)
		err = take_line(slice_of(line, (size_t)n), out);
	wipe(line, sizeof(line));
	return err;
}

static int ask_at(int fd, const char *prompt, bool twice, struct passphrase *out, struct diag *diag)
{
	struct passphrase again;
	int err = read_silently(fd, prompt, out);

	if (!err && twice) {
		err = read_silently(fd, "once more", &again);
		if (!err && !secret_eq(passphrase_slice(out), passphrase_slice(&again)))
			err = -EINVAL;
		passphrase_wipe(&again);
	}
	if (err == -EINVAL)
		diag_error(diag, NULL, "%s",
			   twice ? "empty, too long, or not twice the same" : "empty or too long");
	else if (err)
		diag_error(diag, NULL, "terminal: %s", strerror(-err));
	return err;
}

int passphrase_ask(const char *prompt, bool twice, struct passphrase *out, struct diag *diag)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	int err;

	if (fd < 0) {
		diag_error(diag, NULL,
			   "%s: there is no terminal to ask on; name a file that holds it", prompt);
		return -ENOTTY;
	}
	err = ask_at(fd, prompt, twice, out, diag);
	close(fd);
	return err;
}
