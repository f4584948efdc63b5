/* udp_batch.h - many datagrams with one system call: recvmmsg and sendmmsg; what goes to
 * one place in one length passes the system as one (UDP_SEGMENT).
 *
 * The only module of media/ that touches a socket.  Everything is allocated when
 * a batch is made.  Threads: one.
 */
#ifndef MEDIA_UDP_BATCH_H
#define MEDIA_UDP_BATCH_H

#include "base/net.h"
#include "base/slice.h"

enum {
	UDP_BATCH = 64,          /* packets at most */
	UDP_BATCH_OCTETS = 1536, /* of each; a longer one is cut and dropped */
};

struct udp_inbox;
struct udp_outbox;

/* Returns NULL when memory is out. */
struct udp_inbox *udp_inbox_new(void);
/* Frees *inboxp and sets it to NULL; *inboxp may be NULL. */
void udp_inbox_free(struct udp_inbox **inboxp);

/* Receives what is there, without waiting.  Returns the number of packets (0:
 * none) or -errno.  Packets that were too long are there with n 0. */
int udp_receive(struct udp_inbox *inbox, int fd);

/* The same for a socket on which one packet is expected: cheaper. */
int udp_receive_one(struct udp_inbox *inbox, int fd);

/* Packets that the system has dropped since the socket was opened, mostly because its
 * buffer was full.  Works in any thread. */
uint64_t udp_dropped(int fd);

/* Packet i of the last udp_receive; it may be changed in place. */
uint8_t *udp_packet(struct udp_inbox *inbox, int i, size_t *n_out, struct net_addr *from_out);

/* Sends from fd, which stays the owner's.  Returns NULL when memory is out. */
struct udp_outbox *udp_outbox_new(int fd);
/* Frees *outboxp and sets it to NULL; flush it first, what waits is lost.  The descriptor
 * stays open. */
void udp_outbox_free(struct udp_outbox **outboxp);

/* Copies a packet of at most UDP_BATCH_OCTETS; a full outbox is flushed first. */
void udp_send(struct udp_outbox *outbox, struct slice packet, const struct net_addr *to);

/* Sends all that waits.  What the socket does not take is dropped and counted. */
void udp_flush(struct udp_outbox *outbox);

/* Datagrams that were too long or that the system did not take. */
uint64_t udp_outbox_dropped(const struct udp_outbox *outbox);

#endif
