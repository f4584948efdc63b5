/* packet_queue.c - a bounded list of messages that wait for a SOCK_SEQPACKET socket.
 *
 * Order is kept: once one waits, all behind it wait, too.
 */
#include "base/packet_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cursor.h"

/* In a packet of several messages each stands behind an octet that begins no message of
 * protobuf (there is no field 0), and its length. */
enum { MARK = 0, HEAD = 1 + 4, BUNDLE_MESSAGES = 16, BUNDLE_OCTETS = 64 * 1024 };

struct packet_waiting {
	struct packet_waiting *next;
	size_t n;
	uint8_t head[HEAD];
	uint8_t octets[]; /* right behind the head: both go out as one piece */
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
	w->head[0] = MARK;
	for (size_t i = 1; i < HEAD; i++)
		w->head[i] = (uint8_t)(message.n >> 8 * (HEAD - 1 - i));
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

/* As many of the first ones as one packet may hold. */
static size_t count_bundle(const struct packet_queue *q)
{
	size_t n = 0, octets = 0;

	for (const struct packet_waiting *w = q->head; w && n < BUNDLE_MESSAGES; w = w->next, n++) {
		octets += HEAD + w->n;
		if (octets > BUNDLE_OCTETS)
			break;
	}
	return n ? n : 1;
}

/* Sends the first n as one packet.  As taken(), in packets. */
static int send_bundle(struct packet_queue *q, int fd, size_t n)
{
	struct iovec pieces[BUNDLE_MESSAGES];
	struct msghdr packet = { .msg_iov = pieces, .msg_iovlen = n };
	struct packet_waiting *w = q->head;

	for (size_t i = 0; i < n; i++, w = w->next)
		pieces[i] = (struct iovec){ .iov_base = w->head, .iov_len = HEAD + w->n };
	if (n == 1) /* alone it goes as it is */
		pieces[0] = (struct iovec){ .iov_base = q->head->octets, .iov_len = q->head->n };
	return taken(sendmsg(fd, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 1);
}

int packet_queue_flush(struct packet_queue *q, int fd)
{
	while (q->head) {
		size_t n = q->bundles ? count_bundle(q) : 1;
		int sent = send_bundle(q, fd, n);

		if (sent <= 0)
			return sent;
		while (n-- > 0)
			drop_first(q);
	}
	return 0;
}

bool packet_next(struct slice *packet, struct slice *message_out)
{
	struct cursor c = cursor_of(*packet);

	if (packet->n == 0)
		return false;
	*message_out = *packet;
	if (cursor_u8(&c) == MARK) {
		struct slice message = cursor_take(&c, cursor_u32(&c));

		if (cursor_ok(&c)) {
			*message_out = message;
			*packet = slice_from(*packet, HEAD + message.n);
			return true;
		}
	}
	*packet = slice_of(NULL, 0);
	return true;
}
