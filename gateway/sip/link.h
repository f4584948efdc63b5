/* link.h - the agent's end of the socket to cig-server, on the SIP library's loop.
 *
 * A SOCK_SEQPACKET socket: one packet is one message, or some.  What is sent in a
 * turn of the loop goes out at its end, as one packet; sending never blocks, and
 * what the socket does not take waits in a bounded queue.
 */
#ifndef GATEWAY_SIP_SERVER_END_H
#define GATEWAY_SIP_SERVER_END_H

#include "base/slice.h"
#include "gateway/sip/sofia.h"

struct link;

enum {
	LINK_MAX_MESSAGE = 128 * 1024,
	LINK_LAZY_MS = 20,
	LINK_MAX_UNPACKED = 16 * LINK_MAX_MESSAGE, /* what one may take when it is read */
};

struct link_ops {
	/* A message; its octets are valid until this returns. */
	void (*message)(struct agent *agent, struct slice message);
	/* The server is gone, or the queue overflowed: nothing more can be said. */
	void (*closed)(struct agent *agent);
};

/* Takes fd over (made non-blocking); max_queue bounds the messages that wait.
 * Returns NULL when memory is out; fd is then still the caller's. */
struct link *link_new(su_root_t *root, int fd, size_t max_queue, const struct link_ops *ops,
		      struct agent *agent);

/* Not from a callback of its own. */
void link_free(struct link **linkp);

/* Returns 0, or -EPIPE, -ENOBUFS, -ENOMEM, -EMSGSIZE: then closed() was or will be called. */
int link_send(struct link *link, struct slice message);

/* The same for what is not urgent: it goes out with the next message that is, or after
 * LINK_LAZY_MS. */
int link_send_lazily(struct link *link, struct slice message);

/* Messages that wait. */
size_t link_queued(const struct link *link);

/* Sends what waits, for at most limit_ms: before the process ends. */
void link_flush(struct link *link, int limit_ms);

#endif
