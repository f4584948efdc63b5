/* peer_limits.h - how much one address may ask of a worker.
 *
 * A token bucket an address (the /64 network of an IPv6 one): new connections
 * beyond PEER_BURST at once and PEER_PER_SECOND in the long run are refused before
 * any work is done for them.  Operators behind one carrier's NAT share an address,
 * so the limits are generous.  And so many connections at a time, of which so many may be
 * half open: not registered yet.  Pure; time is an argument.
 */
#ifndef RENDEZVOUS_PEER_LIMITS_H
#define RENDEZVOUS_PEER_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct net_addr;
struct peer_limits;

enum {
	PEER_BURST = 500,
	PEER_PER_SECOND = 50,
	PEER_CONNECTIONS = 20000, /* at a time */
	PEER_HALF_OPEN = 1000,    /* of these */
	PEER_TABLE = 8192,        /* addresses remembered; the longest quiet one is forgotten */
	PEER_WAYS = 8,            /* entries that one address may share with others */
};

/* Returns NULL when memory or randomness is out. */
struct peer_limits *peer_limits_new(void);
/* Frees *limitsp and sets it to NULL; *limitsp may be NULL. */
void peer_limits_free(struct peer_limits **limitsp);

/* Takes one connection of addr; false: refuse it. */
bool peer_limits_take(struct peer_limits *limits, const struct net_addr *addr, int64_t now_ms);

/* An address that has connections. */
struct peer;

/* Counts a new connection of addr, half open.  Returns NULL with *peer_out (the caller gives it
 * back by peer_leave()), or why it is refused, a constant text. */
const char *peer_join(struct peer_limits *limits, const struct net_addr *addr, int64_t now_ms,
		      struct peer **peer_out);
/* One of its connections is half open no more. */
void peer_settled(struct peer *peer);
/* One of its connections is gone; *peerp (NULL: nothing happens) is set to NULL. */
void peer_leave(struct peer_limits *limits, struct peer **peerp, bool half_open);

#endif
