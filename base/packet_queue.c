#include "base/packet_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { AT_ONCE = 16 }; /* packets of one system call */

struct packet_waiting {
	struct packet_waiting *next;
	size_t n;
	uint8_t octets[];
};

void packet_queue_init(struct packet_queue *q, size_t max)
{
	*q = (struct packet_queue){ .max = max };
	q->tail = &q->head;
}

static void drop_first(struct packet_queue *q)
{
	struct packet_waiting *w = q->head;

	q->head = w->next;
	if (!q->head)
		q->tail = &q->head;
	q->n--;
	explicit_bzero(w->octets, w->n);
	free(w);
}

void packet_queue_clear(struct packet_queue *q)
{
	while (q->head)
		drop_first(q);
}

int packet_queue_keep(struct packet_queue *q, struct slice message)
{
	struct packet_waiting *w;

	if (q->n == q->max)
		return -ENOBUFS;
	w = malloc(sizeof(*w) + message.n);
	if (!w)
		return -ENOMEM;
	w->next = NULL;
	w->n = message.n;
	memcpy(w->octets, message.p, message.n);
	*q->tail = w;
	q->tail = &w->next;
	q->n++;
	return 0;
}

/* How many the socket took (0: none now), or -errno. */
static int taken(int n)
{
	return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int packet_queue_send(struct packet_queue *q, int fd, struct slice message)
{
	int sent = 0;

	if (!q->head) {
		sent = taken(send(fd, message.p, message.n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1
											     : 1);
		if (sent < 0)
			return sent;
	}
	return sent ? 0 : packet_queue_keep(q, message);
}

/* The first ones in one system call: its reader is woken once.  As taken(). */
static int send_first(struct packet_queue *q, int fd)
{
	struct mmsghdr packets[AT_ONCE] = { 0 };
	struct iovec octets[AT_ONCE];
	unsigned n = 0;

	for (struct packet_waiting *w = q->head; w && n < AT_ONCE; w = w->next, n++) {
		octets[n] = (struct iovec){ .iov_base = w->octets, .iov_len = w->n };
		packets[n].msg_hdr.msg_iov = &octets[n];
		packets[n].msg_hdr.msg_iovlen = 1;
	}
	return taken(sendmmsg(fd, packets, n, MSG_DONTWAIT | MSG_NOSIGNAL));
}

int packet_queue_flush(struct packet_queue *q, int fd)
{
	while (q->head) {
		int sent = send_first(q, fd);

		if (sent <= 0)
			return sent;
		for (; sent > 0; sent--)
			drop_first(q);
	}
	return 0;
}
