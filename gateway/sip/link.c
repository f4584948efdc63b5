/* link.c - the socket to cig-server in the library's loop: what is sent in a turn
 * goes out as one packet at its end. */
#include "gateway/sip/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/packet_queue.h"

struct link {
	su_root_t *root;
	int fd, index;
	su_wait_t wait[1];
	struct packet_queue queue;
	const struct link_ops *ops;
	struct agent *agent;
	bool gathered;    /* something is to go out at the end of this turn */
	su_timer_t *lazy; /* runs while only what is not urgent waits */
	bool lazing;      /* the timer runs */
	bool watched;     /* it waits for the socket to be writable */
	bool closed;
	uint8_t message[LINK_MAX_MESSAGE]; /* the one being read */
};

enum { MESSAGES_PER_TURN = 32 };

/* epoll_wait() has no argument for it.  What the library calls with an argument comes too soon:
 * su_root_add_prepoll() and messages to its own task (su_msg_send()) run before the timers of a
 * turn, which send, too, and what they send would be a packet of its own. */
static struct link *flushed;

static int fail(struct link *l, int err)
{
	/* Told once; the owner frees the link later, from its own end. */
	if (!l->closed) {
		l->closed = true;
		su_root_eventmask(l->root, l->index, l->fd, 0);
		l->ops->closed(l->agent);
	}
	return err;
}

static void read_messages(struct link *l)
{
	struct slice packet, message;

	/* Bounded, so that calls of the network have their turn. */
	for (int i = 0; i < MESSAGES_PER_TURN && !l->closed; i++) {
		ssize_t n = recv(l->fd, l->message, sizeof(l->message), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		/* A message that is longer than its buffer breaks the protocol: what it was
		 * cannot be known. */
		if (n <= 0 || (size_t)n > sizeof(l->message)) {
			fail(l, -EPIPE);
			return;
		}
		packet = slice_of(l->message, (size_t)n);
		while (!l->closed && packet_next(&packet, &message))
			l->ops->message(l->agent, message);
	}
}

static void watch(struct link *l)
{
	bool waits = l->queue.n > 0;

	if (waits != l->watched)
		su_root_eventmask(l->root, l->index, l->fd,
				  waits ? SU_WAIT_IN | SU_WAIT_OUT : SU_WAIT_IN);
	l->watched = waits;
}

static void send_waiting(struct link *l)
{
	l->gathered = l->lazing = false;
	if (l->closed)
		return;
	if (packet_queue_flush(&l->queue, l->fd))
		fail(l, -EPIPE);
	else
		watch(l);
}

/* The library asks for events through the program's own symbol table, and this one stands
 * before the system's: what was sent in a turn of the loop goes out together, before it
 * sleeps. */
BEFORE_LIBRARIES int epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
	if (flushed && flushed->gathered)
		send_waiting(flushed);
	return epoll_pwait(fd, events, max, timeout_ms, NULL);
}

static int on_event(struct agent *agent, su_wait_t *wait, void *arg)
{
	struct link *l = arg;
	int events = su_wait_events(wait, l->fd);

	(void)agent;
	if (events & SU_WAIT_OUT)
		send_waiting(l);
	if (events & (SU_WAIT_IN | SU_WAIT_HUP | SU_WAIT_ERR))
		read_messages(l);
	return 0;
}

struct link *link_new(su_root_t *root, int fd, size_t max_queue, const struct link_ops *ops,
		      struct agent *agent)
{
	struct link *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->root = root;
	l->fd = fd;
	packet_queue_init(&l->queue, max_queue);
	l->queue.bundles = true;
	l->ops = ops;
	l->agent = agent;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ||
	    su_wait_create(l->wait, fd, SU_WAIT_IN) < 0) {
		free(l);
		return NULL;
	}
	l->index = su_root_register(root, l->wait, on_event, l, 0);
	l->lazy = l->index < 0 ? NULL : su_timer_create(su_root_task(root), 0);
	if (!l->lazy) {
		if (l->index >= 0)
			su_root_deregister(root, l->index);
		else
			su_wait_destroy(l->wait);
		free(l);
		return NULL;
	}
	flushed = l;
	return l;
}

void link_free(struct link **linkp)
{
	struct link *l = *linkp;

	if (!l)
		return;
	*linkp = NULL;
	flushed = NULL;
	su_timer_destroy(l->lazy);
	su_root_deregister(l->root, l->index);
	packet_queue_clear(&l->queue);
	close(l->fd);
	free(l);
}

static int keep(struct link *l, struct slice message)
{
	int err;

	if (l->closed)
		return -EPIPE;
	if (message.n == 0 || message.n > LINK_MAX_MESSAGE)
		return fail(l, -EMSGSIZE);
	err = packet_queue_keep(&l->queue, message);
	if (err == -ENOBUFS) { /* perhaps only of this turn's: the socket may have room */
		send_waiting(l);
		err = l->closed ? -EPIPE : packet_queue_keep(&l->queue, message);
	}
	return err ? fail(l, err) : 0;
}

int link_send(struct link *l, struct slice message)
{
	/* What waits lazily goes with it. */
	l->gathered = true;
	return keep(l, message);
}

static void on_lazy(struct agent *agent, su_timer_t *timer, void *arg)
{
	struct link *l = arg;

	(void)agent, (void)timer;
	l->gathered = l->gathered || l->lazing;
}

int link_send_lazily(struct link *l, struct slice message)
{
	if (!l->gathered && !l->lazing) {
		l->lazing = true;
		su_timer_set_interval(l->lazy, on_lazy, l, LINK_LAZY_MS);
	}
	return keep(l, message);
}

size_t link_queued(const struct link *l)
{
	return l->queue.n;
}

void link_flush(struct link *l, int limit_ms)
{
	int64_t end_ms = clock_mono_ms() + limit_ms, left_ms = limit_ms;
	struct pollfd p = { l->fd, POLLOUT, 0 };

	/* The limit is that of all messages together: a server may read, but slowly. */
	while (l->queue.n && !l->closed && left_ms > 0 && poll(&p, 1, (int)left_ms) > 0) {
		send_waiting(l);
		left_ms = end_ms - clock_mono_ms();
	}
}
