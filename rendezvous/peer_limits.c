/* peer_limits.c - token buckets in a table of fixed size.
 *
 * Rates are kept in a table that never grows, as an attacker with a network of addresses could
 * else fill memory; who is pushed out of it begins with a full bucket, which gives him nothing
 * that a new address would not. How many connections an address has now must not be forgotten,
 * and is bounded by the connections themselves: that is a map.
 */
#include "rendezvous/peer_limits.h"

#include <stdlib.h>

#include "base/idmap.h"
#include "base/net.h"
#include "base/slice.h"
#include "rendezvous/keyhash.h"

struct bucket {
	uint64_t key; /* 0: free */
	int64_t at_ms;
	uint32_t thousandths; /* of a connection */
};

struct peer {
	struct idmap_node node; /* by the key of its address */
	unsigned connections, half_open;
};

struct peer_limits {
	struct keyhash hash;
	struct idmap peers;
	struct bucket buckets[PEER_TABLE];
};

struct peer_limits *peer_limits_new(void)
{
	struct peer_limits *limits = calloc(1, sizeof(*limits));

	if (limits && (keyhash_init(&limits->hash) || idmap_init(&limits->peers))) {
		free(limits);
		return NULL;
	}
	return limits;
}

void peer_limits_free(struct peer_limits **limitsp)
{
	struct peer_limits *limits = *limitsp;

	if (!limits)
		return;
	idmap_done(&limits->peers);
	free(limits);
	*limitsp = NULL;
}

static uint64_t key_of(const struct peer_limits *limits, const struct net_addr *addr)
{
	struct slice octets = addr->sa.sa_family == AF_INET6 ? slice_of(&addr->in6.sin6_addr, 8)
							     : slice_of(&addr->in.sin_addr, 4);
	uint64_t key = keyhash_of(&limits->hash, octets);

	/* 0 marks a free bucket. The hash is keyed, or somebody could look for addresses that
	 * push another out of its row. */
	return key ? key : 1;
}

/* The address's bucket, or the one that was quiet for longest in its row. */
static struct bucket *find(struct peer_limits *limits, uint64_t key)
{
	struct bucket *row = &limits->buckets[key % (PEER_TABLE / PEER_WAYS) * PEER_WAYS];
	struct bucket *oldest = row;

	for (size_t i = 0; i < PEER_WAYS; i++) {
		if (row[i].key == key)
			return &row[i];
		if (row[i].at_ms < oldest->at_ms)
			oldest = &row[i];
	}
	return oldest;
}

bool peer_limits_take(struct peer_limits *limits, const struct net_addr *addr, int64_t now_ms)
{
	uint64_t key = key_of(limits, addr);
	struct bucket *bucket = find(limits, key);
	int64_t filled;

	if (bucket->key != key)
		*bucket = (struct bucket){ .key = key,
					   .at_ms = now_ms,
					   .thousandths = PEER_BURST * 1000 };
	filled = bucket->thousandths + (now_ms - bucket->at_ms) * PEER_PER_SECOND;
	bucket->thousandths = filled > PEER_BURST * 1000 ? PEER_BURST * 1000 : (uint32_t)filled;
	bucket->at_ms = now_ms;
	/* A refused attempt costs nothing: who goes on too fast still gets his
	 * PEER_PER_SECOND. */
	if (bucket->thousandths < 1000)
		return false;
	bucket->thousandths -= 1000;
	return true;
}

static struct peer *need_peer(struct peer_limits *limits, uint64_t key)
{
	struct idmap_node *node = idmap_first(&limits->peers, key);
	struct peer *peer;

	if (node) /* two addresses of one key, if there ever are, share what one may have */
		return IDMAP_OWNER(node, struct peer, node);
	peer = calloc(1, sizeof(*peer));
	if (peer)
		idmap_put(&limits->peers, &peer->node, key);
	return peer;
}

static void forget_peer(struct peer_limits *limits, struct peer *peer)
{
	if (peer->connections > 0)
		return;
	idmap_remove(&limits->peers, &peer->node);
	free(peer);
}

const char *peer_join(struct peer_limits *limits, const struct net_addr *addr, int64_t now_ms,
		      struct peer **peer_out)
{
	const char *why = NULL;
	struct peer *peer;

	if (!peer_limits_take(limits, addr, now_ms))
		return "too many new connections from one address";
	/* The rate first: it is the check that makes no entry for a stranger. */
	peer = need_peer(limits, key_of(limits, addr));
	if (!peer)
		return "no memory for another connection";
	if (peer->connections >= PEER_CONNECTIONS)
		why = "too many connections from one address";
	else if (peer->half_open >= PEER_HALF_OPEN)
		why = "too many half-open connections from one address";
	if (why) {
		/* One that was just made for this refusal; others have connections and stay. */
		forget_peer(limits, peer);
		return why;
	}
	peer->connections++;
	peer->half_open++;
	*peer_out = peer;
	return NULL;
}

void peer_settled(struct peer *peer)
{
	peer->half_open--;
}

void peer_leave(struct peer_limits *limits, struct peer **peerp, bool half_open)
{
	struct peer *peer = *peerp;

	if (!peer)
		return;
	*peerp = NULL;
	/* Not after peer_settled(): then it is no longer among them. */
	peer->half_open -= half_open;
	peer->connections--;
	forget_peer(limits, peer);
}
