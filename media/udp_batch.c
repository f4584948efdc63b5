#include "media/udp_batch.h"

#include <errno.h>
#include <stdlib.h>

struct udp_inbox {
	struct mmsghdr messages[UDP_BATCH];
	struct iovec vectors[UDP_BATCH];
	struct net_addr from[UDP_BATCH];
	uint8_t octets[UDP_BATCH][UDP_BATCH_OCTETS];
};

struct udp_outbox {
	int fd;
	unsigned n;
	uint64_t dropped;
	struct mmsghdr messages[UDP_BATCH];
	struct iovec vectors[UDP_BATCH];
	struct net_addr to[UDP_BATCH];
	uint8_t octets[UDP_BATCH][UDP_BATCH_OCTETS];
};

struct udp_inbox *udp_inbox_new(void)
{
	struct udp_inbox *inbox = calloc(1, sizeof(*inbox));

	if (!inbox)
		return NULL;
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
		inbox->messages[i].msg_hdr.msg_namelen = sizeof(inbox->from[i].in6);
	n = recvmmsg(fd, inbox->messages, UDP_BATCH, MSG_DONTWAIT, NULL);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int udp_receive_one(struct udp_inbox *inbox, int fd)
{
	struct mmsghdr *m = &inbox->messages[0];
	ssize_t n;

	m->msg_hdr.msg_namelen = sizeof(inbox->from[0].in6);
	n = recvmsg(fd, &m->msg_hdr, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	m->msg_len = (unsigned)n;
	return 1;
}

uint8_t *udp_packet(struct udp_inbox *inbox, int i, size_t *n_out, struct net_addr *from_out)
{
	const struct mmsghdr *m = &inbox->messages[i];

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
	for (int i = 0; i < UDP_BATCH; i++) {
		struct msghdr *h = &outbox->messages[i].msg_hdr;

		outbox->vectors[i].iov_base = outbox->octets[i];
		h->msg_iov = &outbox->vectors[i];
		h->msg_iovlen = 1;
		h->msg_name = &outbox->to[i].sa;
	}
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
	outbox->messages[i].msg_hdr.msg_namelen = to->len;
}

void udp_flush(struct udp_outbox *outbox)
{
	unsigned at = 0;

	while (at < outbox->n) {
		int n = sendmmsg(outbox->fd, outbox->messages + at, outbox->n - at, MSG_DONTWAIT);

		if (n > 0) {
			at += (unsigned)n;
		} else { /* this one cannot go: the others may */
			at++;
			outbox->dropped++;
		}
	}
	outbox->n = 0;
}

uint64_t udp_outbox_dropped(const struct udp_outbox *outbox)
{
	return outbox->dropped;
}
