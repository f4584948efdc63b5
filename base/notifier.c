/* notifier.c - the administrator's script, run at events. */
#include "base/notifier.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "base/timer.h"

struct note {
	TAILQ_ENTRY(note) next;
	char *unit;
	char text[];
};

TAILQ_HEAD(note_list, note);

struct notifier {
	struct event_base *base;
	char *script;
	struct note_list waiting;
	size_t n, dropped;
	int limit_ms;
	pid_t pid;           /* of the script that runs, or 0 */
	int pidfd;           /* readable when it has ended */
	struct event *ended; /* on pidfd */
	struct event *limit;
};

static void run_next(struct notifier *notifier);

static void drop(struct notifier *notifier, struct note *note)
{
	TAILQ_REMOVE(&notifier->waiting, note, next);
	notifier->n--;
	free(note->unit);
	free(note);
}

/* What its end and its limit share; pid 0 means that the next one may start. */
static void forget_script(struct notifier *notifier)
{
	event_del(notifier->limit);
	if (notifier->ended)
		event_free(notifier->ended);
	notifier->ended = NULL;
	if (notifier->pidfd >= 0)
		close(notifier->pidfd);
	notifier->pidfd = -1;
	/* A program that waits for all its children may have been faster. */
	waitpid(notifier->pid, NULL, WNOHANG);
	notifier->pid = 0;
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct notifier *notifier = arg;

	(void)fd;
	(void)what;
	forget_script(notifier);
	run_next(notifier);
}

/* Its whole group: a shell's children do not end with the shell. */
static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct notifier *notifier = arg;

	(void)fd;
	(void)what;
	log_warn("notify", "%s was ended: it ran for more than %d ms", notifier->script,
		 notifier->limit_ms);
	kill(-notifier->pid, SIGKILL);
}

static bool watch(struct notifier *notifier)
{
	/* A descriptor of the process, so that no handler of SIGCHLD has to share it with other
	 * children. */
	notifier->pidfd = (int)syscall(SYS_pidfd_open, notifier->pid, 0);
	if (notifier->pidfd < 0)
		return false;
	notifier->ended = event_new(notifier->base, notifier->pidfd, EV_READ, on_ended, notifier);
	if (!notifier->ended || event_add(notifier->ended, NULL))
		return false;
	timer_arm(notifier->limit, notifier->limit_ms);
	return true;
}

static void start(struct notifier *notifier, const struct note *note)
{
	const char *argv[] = { notifier->script, note->unit, note->text, NULL };
	const struct process_spec spec = {
		.argv = argv, .pass_fd = -1, .output_fd = -1, .own_group = true, .plain = true
	};
	pid_t pid = process_spawn(&spec);

	if (pid < 0) {
		log_warn("notify", "cannot run %s: %s", notifier->script, strerror((int)-pid));
		return;
	}
	notifier->pid = pid;
	if (!watch(notifier)) {
		kill(-pid, SIGKILL);
		forget_script(notifier);
	}
}

static void run_next(struct notifier *notifier)
{
	while (notifier->pid == 0 && !TAILQ_EMPTY(&notifier->waiting)) {
		struct note *note = TAILQ_FIRST(&notifier->waiting);

		/* One that cannot be started is dropped as well: the next event tries again. */
		start(notifier, note);
		drop(notifier, note);
	}
}

struct notifier *notifier_new(struct event_base *base, const char *script, int limit_ms)
{
	struct notifier *notifier = calloc(1, sizeof(*notifier));

	if (!notifier)
		return NULL;
	TAILQ_INIT(&notifier->waiting);
	notifier->base = base;
	notifier->pidfd = -1;
	notifier->limit_ms = limit_ms ? limit_ms : NOTIFIER_LIMIT_MS;
	notifier->script = strdup(script);
	notifier->limit = evtimer_new(base, on_limit, notifier);
	if (!notifier->script || !notifier->limit)
		notifier_free(&notifier);
	return notifier;
}

void notifier_free(struct notifier **notifierp)
{
	struct notifier *notifier = *notifierp;
	struct note *note;

	if (!notifier)
		return;
	*notifierp = NULL;
	while ((note = TAILQ_FIRST(&notifier->waiting)))
		drop(notifier, note);
	if (notifier->pid) {
		kill(-notifier->pid, SIGKILL);
		forget_script(notifier);
	}
	if (notifier->limit)
		event_free(notifier->limit);
	free(notifier->script);
	free(notifier);
}

static void queue(struct notifier *notifier, const char *unit, const char *text)
{
	size_t n = strlen(text) + 1;
	struct note *note;

	if (notifier->n >= NOTIFIER_QUEUE) {
		notifier->dropped++;
		return;
	}
	note = malloc(sizeof(*note) + n);
	if (!note)
		return;
	note->unit = strdup(unit);
	if (!note->unit) {
		free(note);
		return;
	}
	memcpy(note->text, text, n);
	TAILQ_INSERT_TAIL(&notifier->waiting, note, next);
	notifier->n++;
}

static void tell(struct notifier *notifier, const char *unit, const char *text)
{
	char lost[64];

	/* No script is the usual case, and no fault; one may be put there while we run. */
	if (!notifier || access(notifier->script, X_OK))
		return;
	/* Told before the next event, while there is room for both. */
	if (notifier->dropped && notifier->n < NOTIFIER_QUEUE - 1) {
		snprintf(lost, sizeof(lost), "%zu events were not told", notifier->dropped);
		notifier->dropped = 0;
		queue(notifier, "notify", lost);
	}
	queue(notifier, unit, text);
	run_next(notifier);
}

void notifier_init(struct notifier *notifier, const char *unit, const char *fmt, ...)
{
	char text[NOTIFIER_TEXT];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_init(unit, "%s", text);
	tell(notifier, unit, text);
}

void notifier_warn(struct notifier *notifier, const char *unit, const char *fmt, ...)
{
	char text[NOTIFIER_TEXT];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_warn(unit, "%s", text);
	tell(notifier, unit, text);
}

void notifier_finish(struct notifier *notifier, int limit_ms)
{
	int64_t until_ms = clock_mono_ms() + limit_ms;
	const struct timeval look = { .tv_usec = 20000 };

	while (notifier && notifier->pid && clock_mono_ms() < until_ms) {
		event_base_loopexit(notifier->base, &look);
		event_base_dispatch(notifier->base);
	}
}
