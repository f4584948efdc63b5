/* channel.h - messages between our own processes over a Unix socket.
 *
 * A SOCK_SEQPACKET socket keeps message borders, so one packet is one message
 * of at most CHANNEL_MAX_MESSAGE octets (but see channel_gather()).  Sending never blocks: what the
 * socket does not take waits in a bounded queue.  Threads: one event loop.
 */
#ifndef BASE_CHANNEL_H
#define BASE_CHANNEL_H

#include "base/slice.h"

struct channel;
struct event_base;

enum {
	CHANNEL_MAX_MESSAGE = 128 * 1024,
	CHANNEL_MAX_UNPACKED = 16 * CHANNEL_MAX_MESSAGE, /* what one may take when it is read */
};

struct channel_ops {
	/* A message; its octets are valid until this returns. */
	void (*message)(void *arg, struct slice message);
	/* The peer is gone or the socket failed (err: -errno or 0 for a close).
	 * Called once; the owner frees the channel afterwards, or in here. */
	void (*closed)(void *arg, int err);
};

/* Takes fd over (made non-blocking); max_queue bounds the messages that wait.
 * Returns NULL when memory is out; fd is then still the caller's. */
struct channel *channel_new(struct event_base *base, int fd, size_t max_queue,
			    const struct channel_ops *ops, void *arg);

/* From now on what is sent waits until the loop has gone through all that happened at once,
 * and goes out together, as one packet: the reader is woken once.  For messages of protobuf
 * that come in groups, and loops that nothing holds up; the other end must gather, too, or
 * read packets by packet_next(). */
void channel_gather(struct channel *channel);

/* Closes the socket and drops what it does not take.  May be called from a callback. */
void channel_free(struct channel **channelp);

/* Returns 0, -EMSGSIZE, -ENOBUFS when the queue is full, -EPIPE when closed. */
int channel_send(struct channel *channel, struct slice message);

/* The same for what can wait until something else is sent, in a channel that gathers: it wakes
 * nobody by itself. */
int channel_send_lazily(struct channel *channel, struct slice message);

/* Has the other end closed, or died?  True as soon as its process has ended, also before closed is
 * called. */
bool channel_is_over(const struct channel *channel);

/* Messages that the socket has not taken yet. */
size_t channel_queued(const struct channel *channel);

/* A listening SOCK_SEQPACKET socket at path (at most 107 octets; a stale socket
 * file is removed), mode as given.  Returns the descriptor or -errno. */
int channel_listen(const char *path, unsigned mode);

/* Connects to path.  Returns the descriptor or -errno (-ENOENT, -ECONNREFUSED
 * when nobody listens). */
int channel_connect(const char *path);

#endif
