#include "base/packet_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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

/* 1: gone; 0: not now; or -errno. */
static int try_to_send(int fd, const void *octets, size_t n)
{
	if (send(fd, octets, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 1;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int packet_queue_send(struct packet_queue *q, int fd, struct slice message)
{
	struct packet_waiting *w;
	int sent = q->head ? 0 : try_to_send(fd, message.p, message.n);

	if (sent)
		return sent < 0 ? sent : 0;
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

int packet_queue_flush(struct packet_queue *q, int fd)
{
	while (q->head) {
		int sent = try_to_send(fd, q->head->octets, q->head->n);

		if (sent <= 0)
			return sent;
		drop_first(q);
	}
	return 0;
}
