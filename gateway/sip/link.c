#include "gateway/sip/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

struct waiting {
	struct waiting *next;
	size_t n;
	uint8_t octets[];
};

struct link {
	su_root_t *root;
	int fd, index;
	su_wait_t wait[1];
	struct waiting *head, **tail;
	size_t queued, max_queue;
	const struct link_ops *ops;
	struct agent *agent;
	bool closed;
	uint8_t message[LINK_MAX_MESSAGE]; /* the one being read */
};

enum { MESSAGES_PER_TURN = 32 };

static int fail(struct link *l, int err)
{
	if (!l->closed) {
		l->closed = true;
		su_root_eventmask(l->root, l->index, l->fd, 0);
		l->ops->closed(l->agent);
	}
	return err;
}

static void read_messages(struct link *l)
{
	for (int i = 0; i < MESSAGES_PER_TURN && !l->closed; i++) {
		ssize_t n = recv(l->fd, l->message, sizeof(l->message), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0 || (size_t)n > sizeof(l->message))
			fail(l, -EPIPE);
		else
			l->ops->message(l->agent, slice_of(l->message, (size_t)n));
	}
}

static void watch(struct link *l)
{
	su_root_eventmask(l->root, l->index, l->fd,
			  l->head ? SU_WAIT_IN | SU_WAIT_OUT : SU_WAIT_IN);
}

static void send_waiting(struct link *l)
{
	while (l->head && !l->closed) {
		struct waiting *w = l->head;
		ssize_t n = send(l->fd, w->octets, w->n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			fail(l, -EPIPE);
			return;
		}
		l->head = w->next;
		if (!l->head)
			l->tail = &l->head;
		l->queued--;
		free(w);
	}
	if (!l->closed)
		watch(l);
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
	l->max_queue = max_queue;
	l->ops = ops;
	l->agent = agent;
	l->tail = &l->head;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0 ||
	    su_wait_create(l->wait, fd, SU_WAIT_IN) < 0) {
		free(l);
		return NULL;
	}
	l->index = su_root_register(root, l->wait, on_event, l, 0);
	if (l->index < 0) {
		su_wait_destroy(l->wait);
		free(l);
		return NULL;
	}
	return l;
}

void link_free(struct link **linkp)
{
	struct link *l = *linkp;

	if (!l)
		return;
	*linkp = NULL;
	su_root_deregister(l->root, l->index);
	while (l->head) {
		struct waiting *w = l->head;

		l->head = w->next;
		free(w);
	}
	close(l->fd);
	free(l);
}

int link_send(struct link *l, struct slice message)
{
	struct waiting *w;

	if (l->closed)
		return -EPIPE;
	if (message.n == 0 || message.n > LINK_MAX_MESSAGE)
		return fail(l, -EMSGSIZE);
	if (!l->head) {
		ssize_t n = send(l->fd, message.p, message.n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return fail(l, -EPIPE);
	}
	if (l->queued == l->max_queue)
		return fail(l, -ENOBUFS);
	w = malloc(sizeof(*w) + message.n);
	if (!w)
		return fail(l, -ENOMEM);
	w->next = NULL;
	w->n = message.n;
	memcpy(w->octets, message.p, message.n);
	*l->tail = w;
	l->tail = &w->next;
	l->queued++;
	watch(l);
	return 0;
}

size_t link_queued(const struct link *l)
{
	return l->queued;
}

void link_flush(struct link *l, int limit_ms)
{
	int64_t end_ms = clock_mono_ms() + limit_ms, left_ms = limit_ms;
	struct pollfd p = { l->fd, POLLOUT, 0 };

	/* The limit is that of all messages together: a server may read, but slowly. */
	while (l->head && !l->closed && left_ms > 0 && poll(&p, 1, (int)left_ms) > 0) {
		send_waiting(l);
		left_ms = end_ms - clock_mono_ms();
	}
}
