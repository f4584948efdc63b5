/* channel.c - messages over a SOCK_SEQPACKET socket, on libevent's loop.
 *
 * A callback may free its channel: then only doomed is set, and on_event(), further up the stack,
 * destroys it.  Behind closed() no event is armed and no callback comes any more.
 */
#include "base/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/packet_queue.h"

struct channel {
	int fd;
	struct event *readable, *writable;
	struct packet_queue queue;
	const struct channel_ops *ops;
	void *arg;
	bool in_callback, doomed, closed;
	bool flushing; /* of one that gathers: the loop is about to write what waits */
};

enum { MESSAGES_PER_TURN = 64 };

static void destroy(struct channel *c)
{
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	packet_queue_clear(&c->queue);
	close(c->fd);
	free(c);
}

/* Both events are off before the owner hears: it may free the channel in closed(). */
static void fail(struct channel *c, int err)
{
	if (c->closed)
		return;
	c->closed = true;
	event_del(c->readable);
	event_del(c->writable);
	c->ops->closed(c->arg, err);
}

/* A packet of a channel that gathers may hold several messages. */
static void take(struct channel *c, struct slice packet)
{
	struct slice message;

	if (!c->queue.bundles) {
		c->ops->message(c->arg, packet);
		return;
	}
	while (!c->closed && !c->doomed && packet_next(&packet, &message))
		c->ops->message(c->arg, message);
}

/* A bound per turn, so that one busy peer does not keep the others waiting.  SOCK_SEQPACKET
 * gives whole messages; MSG_TRUNC tells of one that was longer than any of ours. */
static void read_messages(struct channel *c)
{
	uint8_t message[CHANNEL_MAX_MESSAGE];

	for (int i = 0; i < MESSAGES_PER_TURN && !c->closed && !c->doomed; i++) {
		ssize_t n = recv(c->fd, message, sizeof(message), MSG_DONTWAIT | MSG_TRUNC);

		/* The event is level-triggered: what is left makes it fire again. */
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		/* 0 is the end.  An empty packet would look the same, so channel_send() refuses
		 * one. */
		if (n <= 0 || (size_t)n > sizeof(message))
			fail(c, n < 0 ? -errno : n ? -EMSGSIZE : 0);
		else
			take(c, slice_of(message, (size_t)n));
	}
}

/* In order, until the socket is full again. */
static void send_waiting(struct channel *c)
{
	int err = c->closed ? 0 : packet_queue_flush(&c->queue, c->fd);

	c->flushing = c->queue.n > 0;
	if (err)
		fail(c, err);
	else if (c->queue.n)
		event_add(c->writable, NULL);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct channel *c = arg;

	(void)fd;
	c->in_callback = true;
	/* Writing comes first: what message() sends then goes behind what waited, and perhaps at
	 * once. */
	if (what & EV_WRITE)
		send_waiting(c);
	if (what & EV_READ)
		read_messages(c);
	c->in_callback = false;
	if (c->doomed)
		destroy(c);
}

struct channel *channel_new(struct event_base *base, int fd, size_t max_queue,
			    const struct channel_ops *ops, void *arg)
{
	struct channel *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct channel){ .fd = fd, .ops = ops, .arg = arg };
	packet_queue_init(&c->queue, max_queue);
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_event, c);
	c->writable = event_new(base, fd, EV_WRITE, on_event, c);
	/* On failure fd stays open: it is the caller's until this succeeds. */
	if (!c->readable || !c->writable || evutil_make_socket_nonblocking(fd) < 0 ||
	    event_add(c->readable, NULL) < 0) {
		if (c->readable)
			event_free(c->readable);
		if (c->writable)
			event_free(c->writable);
		free(c);
		return NULL;
	}
	return c;
}

void channel_free(struct channel **channelp)
{
	struct channel *c = *channelp;

	if (!c)
		return;
	*channelp = NULL;
	if (c->queue.bundles && !c->closed)
		packet_queue_flush(&c->queue, c->fd); /* what the socket refuses is lost anyway */
	if (c->in_callback)
		c->doomed = true; /* on_event destroys it when the callback is over */
	else
		destroy(c);
}

void channel_gather(struct channel *c)
{
	c->queue.bundles = true;
}

static int keep(struct channel *c, struct slice message)
{
	int err = packet_queue_keep(&c->queue, message);

	if (err == -ENOBUFS) { /* perhaps only of this turn's: the socket may have room */
		packet_queue_flush(&c->queue, c->fd);
		err = packet_queue_keep(&c->queue, message);
	}
	return err;
}

/* Behind all that is active in this turn already, the socket is written to. */
static int send_later(struct channel *c, struct slice message)
{
	int err = keep(c, message);

	if (!err && !c->flushing) {
		c->flushing = true;
		event_active(c->writable, EV_WRITE, 0);
	}
	return err;
}

static int check(const struct channel *c, struct slice message)
{
	if (c->closed || c->doomed)
		return -EPIPE;
	return message.n == 0 || message.n > CHANNEL_MAX_MESSAGE ? -EMSGSIZE : 0;
}

/* Of what the socket refuses the reading side hears, too, and tells the owner. */
int channel_send(struct channel *c, struct slice message)
{
	int err = check(c, message);

	if (err)
		return err;
	if (c->queue.bundles)
		return send_later(c, message);
	err = packet_queue_send(&c->queue, c->fd, message);
	if (!err && c->queue.n)
		event_add(c->writable, NULL);
	return err;
}

int channel_send_lazily(struct channel *c, struct slice message)
{
	int err = check(c, message);

	return err ? err : c->queue.bundles ? keep(c, message) : channel_send(c, message);
}

/* A look at the socket, not at c->closed alone: the loop may not have come round to it yet. */
bool channel_is_over(const struct channel *c)
{
	struct pollfd look = { .fd = c->fd };

	return c->closed || (poll(&look, 1, 0) == 1 && look.revents & (POLLHUP | POLLERR));
}

size_t channel_queued(const struct channel *c)
{
	return c->queue.n;
}

static int unix_address(const char *path, struct sockaddr_un *addr)
{
	size_t n = strlen(path);

	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n == 0 || n >= sizeof(addr->sun_path))
		return -ENAMETOOLONG;
	memcpy(addr->sun_path, path, n + 1);
	return 0;
}

static int unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

int channel_listen(const char *path, unsigned mode)
{
	struct sockaddr_un addr;
	int err = unix_address(path, &addr);
	int fd = err ? err : unix_socket();

	if (fd < 0)
		return fd;
	/* A socket that a dead process left.  Two live ones cannot meet here: the directory is
	 * one service's own. */
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || chmod(path, mode) < 0 ||
	    listen(fd, 64) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int channel_connect(const char *path)
{
	struct sockaddr_un addr;
	int err = unix_address(path, &addr);
	int fd = err ? err : unix_socket();

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}
