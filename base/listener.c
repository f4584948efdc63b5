/* listener.c - accept4(2) on the loop, and what to do when it cannot. */
#include "base/listener.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"

enum { TELL_EACH_MS = 60000 };

struct listener {
	struct event *readable, *rested;
	int fd;
	const char *name;
	listener_fn *taken;
	void *arg;
	int64_t tell_at; /* the log hears nothing of a rest before */
	bool taking;     /* taken() runs: it may free its listener, */
	bool unwanted;   /* which then goes at the end of that turn */
};

static void rest(struct listener *listener, int err)
{
	int64_t now = clock_mono_ms();

	event_del(listener->readable);
	timer_arm(listener->rested, LISTENER_REST_MS);
	if (now < listener->tell_at)
		return;
	listener->tell_at = now + TELL_EACH_MS;
	log_warn(listener->name, "no connection can be taken: %s; those who connect wait",
		 strerror(err));
}

static void on_rested(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;

	(void)fd;
	(void)what;
	event_add(listener->readable, NULL);
}

/* Other errors are of a connection that ended in the queue (accept(2)): the next one may be
 * sound. */
static bool is_shortage(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

static void on_readable(evutil_socket_t listen_fd, short what, void *arg)
{
	struct listener *listener = arg;

	(void)what;
	listener->taking = true;
	for (int i = 0; i < LISTENER_PER_TURN && !listener->unwanted; i++) {
		struct net_addr from = { .len = sizeof(from.in6) };
		int fd = accept4(listen_fd, &from.sa, &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (is_shortage(errno))
				rest(listener, errno);
			break;
		}
		listener->taken(listener->arg, fd, &from);
	}
	listener->taking = false;
	if (listener->unwanted)
		free(listener);
}

struct listener *listener_new(struct event_base *base, int fd, const char *name, listener_fn *taken,
			      void *arg)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return NULL;
	*listener = (struct listener){ .fd = fd, .name = name, .taken = taken, .arg = arg };
	listener->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, listener);
	listener->rested = evtimer_new(base, on_rested, listener);
	if (!listener->readable || !listener->rested || event_add(listener->readable, NULL)) {
		listener->fd = -1;
		listener_free(&listener);
	}
	return listener;
}

void listener_set_priority(struct listener *listener, int priority)
{
	/* A pending event cannot change its priority. */
	event_del(listener->readable);
	event_priority_set(listener->readable, priority);
	event_add(listener->readable, NULL);
}

void listener_free(struct listener **listenerp)
{
	struct listener *listener = *listenerp;

	*listenerp = NULL;
	if (!listener)
		return;
	if (listener->readable)
		event_free(listener->readable);
	if (listener->rested)
		event_free(listener->rested);
	if (listener->fd >= 0)
		close(listener->fd);
	/* Its own turn still looks at it. */
	if (listener->taking)
		listener->unwanted = true;
	else
		free(listener);
}
