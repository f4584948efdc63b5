/* store_wire.c - octets to Redis and back.
 *
 * A group of commands leaves with one system call, and answers of 64 KiB come with one;
 * they are read where they lie.
 */
#include "rendezvous/store_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

enum {
	READ_OCTETS = 64 * 1024, /* room for at least so much */
	READS_A_TURN = 8,        /* then others have theirs */
	SPARE_OCTETS = 256 * 1024,
};

/* ---- writing ---- */

/* Keeps what the socket does not take now. */
static int keep(struct store_wire *wire, struct slice octets)
{
	size_t waiting = wire->out_n - wire->out_start;
	uint8_t *p;

	if (octets.n == 0)
		return 0;
	if (wire->out_start) {
		memmove(wire->out, wire->out + wire->out_start, waiting);
		wire->out_start = 0;
		wire->out_n = waiting;
	}
	p = realloc(wire->out, waiting + octets.n);
	if (!p)
		return -ENOMEM;
	memcpy(p + waiting, octets.p, octets.n);
	wire->out = p;
	wire->out_n = waiting + octets.n;
	return 0;
}

static int keep_all(struct store_wire *wire, size_t sent)
{
	int err = 0;

	for (unsigned i = 0; !err && i < wire->n_pieces; i++) {
		struct slice piece = slice_of(wire->piece[i].iov_base, wire->piece[i].iov_len);

		if (sent < piece.n)
			err = keep(wire, slice_from(piece, sent));
		sent -= sent < piece.n ? sent : piece.n;
	}
	wire->n_pieces = 0;
	if (!err && wire->out_n > wire->out_start)
		event_add(&wire->writable, NULL);
	return err;
}

int store_wire_flush(struct store_wire *wire)
{
	struct msghdr message = { .msg_iov = wire->piece, .msg_iovlen = wire->n_pieces };
	ssize_t sent = 0;

	if (wire->fd < 0)
		return -EPIPE;
	if (wire->n_pieces == 0)
		return 0;
	if (wire->out_n == wire->out_start)
		sent = sendmsg(wire->fd, &message, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	return keep_all(wire, sent < 0 ? 0 : (size_t)sent);
}

int store_wire_put(struct store_wire *wire, struct slice octets)
{
	int err = wire->n_pieces == STORE_PIECES ? store_wire_flush(wire) : 0;

	if (err)
		return err;
	wire->piece[wire->n_pieces++] = (struct iovec){
		.iov_base = (uint8_t *)(uintptr_t)octets.p,
		.iov_len = octets.n,
	};
	return 0;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct store_wire *wire = arg;
	size_t waiting = wire->out_n - wire->out_start;
	ssize_t sent = send(fd, wire->out + wire->out_start, waiting, MSG_NOSIGNAL);

	(void)what;
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		wire->lost(wire->arg);
		return;
	}
	wire->out_start += sent < 0 ? 0 : (size_t)sent;
	if (wire->out_start < wire->out_n) {
		event_add(&wire->writable, NULL);
		return;
	}
	free(wire->out);
	wire->out = NULL;
	wire->out_start = wire->out_n = 0;
}

/* ---- reading ---- */

static int make_room(struct store_wire *wire)
{
	size_t capacity = wire->in_capacity ? wire->in_capacity : READ_OCTETS;
	uint8_t *p;

	while (capacity - wire->in_n < READ_OCTETS)
		capacity *= 2;
	if (capacity == wire->in_capacity)
		return 0;
	p = realloc(wire->in, capacity);
	if (!p)
		return -ENOMEM;
	wire->in = p;
	wire->in_capacity = capacity;
	return 0;
}

/* Hands on what is whole of the replies; 0 or -EBADMSG. */
static int take_replies(struct store_wire *wire)
{
	size_t start = 0, n;
	int whole;

	for (;;) {
		struct slice rest = slice_of(wire->in + start, wire->in_n - start);

		whole = rest.n ? resp_whole(&wire->scan, rest, &n) : 0;
		if (whole <= 0)
			break;
		wire->scan = (struct resp_scan){ 0 };
		start += n;
		wire->reply(wire->arg, slice_of(rest.p, n));
		if (wire->fd < 0) /* closed within */
			return 0;
	}
	wire->in_n -= start;
	if (start && wire->in_n)
		memmove(wire->in, wire->in + start, wire->in_n);
	if (wire->in_n == 0 && wire->in_capacity > SPARE_OCTETS) {
		free(wire->in);
		wire->in = NULL;
		wire->in_capacity = 0;
	}
	return whole < 0 ? whole : 0;
}

/* 1: there may be more; 0: nothing now; or -errno. */
static int read_some(struct store_wire *wire)
{
	size_t room;
	ssize_t n;
	int err = make_room(wire);

	if (err)
		return err;
	room = wire->in_capacity - wire->in_n;
	n = recv(wire->fd, wire->in + wire->in_n, room, 0);
	if (n == 0)
		return -EPIPE;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	wire->in_n += (size_t)n;
	err = take_replies(wire);
	return err ? err : (size_t)n == room;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct store_wire *wire = arg;
	int more = 1;

	(void)fd;
	(void)what;
	for (int i = 0; i < READS_A_TURN && more > 0 && wire->fd >= 0; i++)
		more = read_some(wire);
	if (more < 0 && wire->fd >= 0)
		wire->lost(wire->arg);
}

/* ---- life ---- */

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int store_wire_open(struct store_wire *wire, struct event_base *base, const char *path)
{
	int fd = connect_to(path);

	if (fd < 0)
		return fd;
	wire->fd = fd;
	event_assign(&wire->readable, base, fd, EV_READ | EV_PERSIST, on_readable, wire);
	event_assign(&wire->writable, base, fd, EV_WRITE, on_writable, wire);
	event_add(&wire->readable, NULL);
	return 0;
}

void store_wire_close(struct store_wire *wire)
{
	if (wire->fd < 0)
		return;
	event_del(&wire->readable);
	event_del(&wire->writable);
	close(wire->fd);
	free(wire->in);
	free(wire->out);
	wire->fd = -1;
	wire->in = wire->out = NULL;
	wire->in_n = wire->in_capacity = wire->out_n = wire->out_start = 0;
	wire->n_pieces = 0;
	wire->scan = (struct resp_scan){ 0 };
}
