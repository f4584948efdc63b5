/* udp_batch.c - recvmmsg(2), sendmmsg(2) and UDP_SEGMENT.  What costs is each
 * packet's way through the kernel, not the call; only segments share that way. */
#include "media/udp_batch.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <stdlib.h>

enum { SEGMENTED_MAX = 65000 }; /* octets of packets that the system sends as one */

struct udp_inbox {
	struct mmsghdr messages[UDP_BATCH];
	struct iovec vectors[UDP_BATCH];
	struct net_addr from[UDP_BATCH];
	uint8_t octets[UDP_BATCH][UDP_BATCH_OCTETS];
};

/* Room for one UDP_SEGMENT. */
union segment_size {
	struct cmsghdr header;
	uint8_t octets[CMSG_SPACE(sizeof(uint16_t))];
};

struct udp_outbox {
	int fd;
	unsigned n;
	uint64_t dropped;
	bool no_segments; /* the system cannot */
	struct iovec vectors[UDP_BATCH];
	struct net_addr to[UDP_BATCH];
	uint8_t octets[UDP_BATCH][UDP_BATCH_OCTETS];
	/* What is given to the system: runs of packets. */
	struct mmsghdr runs[UDP_BATCH];
	union segment_size sizes[UDP_BATCH];
};

struct udp_inbox *udp_inbox_new(void)
{
	struct udp_inbox *inbox = calloc(1, sizeof(*inbox));

	if (!inbox)
		return NULL;
	/* Laid once: a call changes only the lengths of the addresses. */
	for (int i = 0; i < UDP_BATCH; i++) {
		struct msghdr *h = &inbox->messages[i].msg_hdr;

		inbox->vectors[i] = (struct iovec){ inbox->octets[i], UDP_BATCH_OCTETS };
		h->msg_iov = &inbox->vectors[i];
		h->msg_iovlen = 1;
		h->msg_name = &inbox->from[i].sa;
	}
	return inbox;
}

void udp_inbox_free(struct udp_inbox **inboxp)
{
	free(*inboxp);
	*inboxp = NULL;
}

int udp_receive(struct udp_inbox *inbox, int fd)
{
	int n;

	for (int i = 0; i < UDP_BATCH; i++)
		/* The kernel has written the lengths of the last call here. */
		inbox->messages[i].msg_hdr.msg_namelen = sizeof(inbox->from[i].in6);
	n = recvmmsg(fd, inbox->messages, UDP_BATCH, MSG_DONTWAIT, NULL);
	if (n >= 0)
		return n;
	/* EINTR loses nothing: the descriptor is still readable, and the loop comes again. */
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int udp_receive_one(struct udp_inbox *inbox, int fd)
{
	struct mmsghdr *m = &inbox->messages[0];
	ssize_t n;

	m->msg_hdr.msg_namelen = sizeof(inbox->from[0].in6);
	/* recvfrom() does with less than recvmsg(); MSG_TRUNC yields the whole length */
	n = recvfrom(fd, inbox->octets[0], UDP_BATCH_OCTETS, MSG_DONTWAIT | MSG_TRUNC,
		     &inbox->from[0].sa, &m->msg_hdr.msg_namelen);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	m->msg_hdr.msg_flags = n > UDP_BATCH_OCTETS ? MSG_TRUNC : 0;
	m->msg_len = (unsigned)n;
	return 1;
}

uint64_t udp_dropped(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof(info);

	/* Cheaper than SO_RXQ_OVFL, which takes a control message with each packet. */
	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size) < 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}

uint8_t *udp_packet(struct udp_inbox *inbox, int i, size_t *n_out, struct net_addr *from_out)
{
	const struct mmsghdr *m = &inbox->messages[i];

	/* A datagram that was cut is no packet of ours. */
	*n_out = m->msg_hdr.msg_flags & MSG_TRUNC ? 0 : m->msg_len;
	*from_out = inbox->from[i];
	from_out->len = m->msg_hdr.msg_namelen;
	return inbox->octets[i];
}

struct udp_outbox *udp_outbox_new(int fd)
{
	struct udp_outbox *outbox = calloc(1, sizeof(*outbox));

	if (!outbox)
		return NULL;
	outbox->fd = fd;
	for (int i = 0; i < UDP_BATCH; i++)
		outbox->vectors[i].iov_base = outbox->octets[i];
	return outbox;
}

void udp_outbox_free(struct udp_outbox **outboxp)
{
	free(*outboxp);
	*outboxp = NULL;
}

void udp_send(struct udp_outbox *outbox, struct slice packet, const struct net_addr *to)
{
	unsigned i;

	if (packet.n > UDP_BATCH_OCTETS) {
		outbox->dropped++;
		return;
	}
	if (outbox->n == UDP_BATCH)
		udp_flush(outbox);
	i = outbox->n++;
	memcpy(outbox->octets[i], packet.p, packet.n);
	outbox->vectors[i].iov_len = packet.n;
	outbox->to[i] = *to;
}

/* How many packets from at on can go to the system as one: all to one place, all of one
 * length but the last, which may be shorter (udp(7), UDP_SEGMENT). */
static unsigned run_length(const struct udp_outbox *outbox, unsigned at)
{
	size_t length = outbox->vectors[at].iov_len, sum = length;
	unsigned n = 1;

	if (outbox->no_segments || length == 0)
		return 1;
	for (; at + n < outbox->n; n++) {
		size_t next = outbox->vectors[at + n].iov_len;

		sum += next;
		if (next > length || next == 0 || sum > SEGMENTED_MAX ||
		    !net_equal(&outbox->to[at], &outbox->to[at + n]))
			break;
		if (next < length)
			return n + 1;
	}
	return n;
}

/* Makes run i of n packets from at on. */
static void make_run(struct udp_outbox *outbox, unsigned i, unsigned at, unsigned n)
{
	struct msghdr *h = &outbox->runs[i].msg_hdr;
	union segment_size *size = &outbox->sizes[i];
	uint16_t length = (uint16_t)outbox->vectors[at].iov_len;

	*h = (struct msghdr){ .msg_name = &outbox->to[at].sa,
			      .msg_namelen = outbox->to[at].len,
			      .msg_iov = &outbox->vectors[at],
			      .msg_iovlen = n };
	if (n == 1)
		return;
	h->msg_control = size;
	h->msg_controllen = sizeof(*size);
	/* udp(7): the size of the segments, 16 bits, as a control message. */
	size->header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(length)),
					 .cmsg_level = SOL_UDP,
					 .cmsg_type = UDP_SEGMENT };
	memcpy(CMSG_DATA(&size->header), &length, sizeof(length));
}

/* A network card that cannot add checksums, a path with smaller packets, an old kernel. */
static bool cannot_segment(int err)
{
	return err == EIO || err == EINVAL || err == EMSGSIZE || err == EOPNOTSUPP ||
	       err == ENOPROTOOPT;
}

/* A run has at most UDP_BATCH packets, which is as many segments as the kernel takes
 * (UDP_MAX_SEGMENTS, 64). */
static unsigned make_runs(struct udp_outbox *outbox, unsigned at)
{
	unsigned runs = 0;

	for (; at < outbox->n; runs++) {
		unsigned n = run_length(outbox, at);

		make_run(outbox, runs, at, n);
		at += n;
	}
	return runs;
}

/* Returns how many packets are done with: all, unless the system cannot segment. */
static unsigned send_runs(struct udp_outbox *outbox, unsigned runs)
{
	unsigned done = 0, first = 0;

	while (first < runs) {
		int n = sendmmsg(outbox->fd, outbox->runs + first, runs - first, MSG_DONTWAIT);
		unsigned packets = (unsigned)outbox->runs[first].msg_hdr.msg_iovlen;

		/* For good: it would fail the same way each time.  The caller goes on from here
		 * with runs of one packet. */
		if (n < 0 && packets > 1 && cannot_segment(errno)) {
			outbox->no_segments = true;
			return done;
		}
		if (n <= 0) { /* this one cannot go: the others may */
			outbox->dropped += packets;
			n = 1;
		}
		for (; n > 0; n--)
			done += (unsigned)outbox->runs[first++].msg_hdr.msg_iovlen;
	}
	return done;
}

/* A second turn comes at most once in an outbox's life, when segments were found not to work. */
void udp_flush(struct udp_outbox *outbox)
{
	unsigned at = 0;

	while (at < outbox->n)
		at += send_runs(outbox, make_runs(outbox, at));
	outbox->n = 0;
}

uint64_t udp_outbox_dropped(const struct udp_outbox *outbox)
{
	return outbox->dropped;
}
