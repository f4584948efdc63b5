/* packet_queue.h - messages that a SOCK_SEQPACKET socket has not taken yet.
 *
 * What channel.h and cig-sip's end of its socket share: each has an event loop of its own,
 * and says itself when the socket can be written.  A message that waits is wiped when it goes:
 * it may be a key.  Threads: one.
 */
#ifndef BASE_PACKET_QUEUE_H
#define BASE_PACKET_QUEUE_H

#include "base/slice.h"

struct packet_waiting;

struct packet_queue {
	struct packet_waiting *head, **tail;
	size_t n, max; /* messages */
	bool bundles;  /* several that wait may go out as one packet: packet_next() reads it */
};

/* An empty queue that holds at most max messages.  It stays where it is. */
void packet_queue_init(struct packet_queue *queue, size_t max);

/* Wipes and frees what waits. */
void packet_queue_clear(struct packet_queue *queue);

/* Keeps a copy of message behind what waits already, for packet_queue_flush().  Returns 0,
 * -ENOBUFS (full) or -ENOMEM. */
int packet_queue_keep(struct packet_queue *queue, struct slice message);

/* Sends message over fd, without blocking, or keeps a copy behind what waits already (n says
 * whether any does).  Returns 0, -ENOBUFS (full), -ENOMEM, or -errno of the socket. */
int packet_queue_send(struct packet_queue *queue, int fd, struct slice message);

/* Sends what waits, as far as fd takes it.  Returns 0 or -errno of the socket. */
int packet_queue_flush(struct packet_queue *queue, int fd);

/* Takes the next message off a packet of a queue that bundles; it points into the packet.  Returns
 * false when none is left.  What is malformed comes as one message, which no reader will take;
 * messages are protobuf's, which never begin with a zero. */
bool packet_next(struct slice *packet, struct slice *message_out);

#endif
