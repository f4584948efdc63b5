#include "gateway/sip/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/packet_queue.h"

#include "base/clock.h"

struct link {
	su_root_t *root;
	int fd, index;
	su_wait_t wait[1];
	struct packet_queue queue;
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
			  l->queue.n ? SU_WAIT_IN | SU_WAIT_OUT : SU_WAIT_IN);
}

static void send_waiting(struct link *l)
{
	if (l->closed)
		return;
	if (packet_queue_flush(&l->queue, l->fd))
		fail(l, -EPIPE);
	else
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
	packet_queue_init(&l->queue, max_queue);
	l->ops = ops;
	l->agent = agent;
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
	packet_queue_clear(&l->queue);
	close(l->fd);
	free(l);
}

int link_send(struct link *l, struct slice message)
{
	bool waited = l->queue.n > 0;
	int err;

	if (l->closed)
		return -EPIPE;
	if (message.n == 0 || message.n > LINK_MAX_MESSAGE)
		return fail(l, -EMSGSIZE);
	err = packet_queue_send(&l->queue, l->fd, message);
	if (err)
		return fail(l, err == -ENOBUFS || err == -ENOMEM ? err : -EPIPE);
	if (!waited && l->queue.n)
		watch(l);
	return 0;
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
