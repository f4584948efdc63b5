/* peer_limits.c - token buckets in a table of fixed size. */
#include "rendezvous/peer_limits.h"

#include <stdlib.h>

#include "base/net.h"
#include "base/slice.h"
#include "rendezvous/keyhash.h"

struct bucket {
	uint64_t key; /* 0: free */
	int64_t at_ms;
	uint32_t thousandths; /* of a connection */
};

struct peer_limits {
	struct keyhash hash;
	struct bucket buckets[PEER_TABLE];
};

struct peer_limits *peer_limits_new(void)
{
	struct peer_limits *limits = calloc(1, sizeof(*limits));

	if (limits && keyhash_init(&limits->hash)) {
		free(limits);
		return NULL;
	}
	return limits;
}

void peer_limits_free(struct peer_limits **limitsp)
{
	free(*limitsp);
	*limitsp = NULL;
}

static uint64_t key_of(const struct peer_limits *limits, const struct net_addr *addr)
{
	struct slice octets = addr->sa.sa_family == AF_INET6 ? slice_of(&addr->in6.sin6_addr, 8)
							     : slice_of(&addr->in.sin_addr, 4);
	uint64_t key = keyhash_of(&limits->hash, octets);

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
	if (bucket->thousandths < 1000)
		return false;
	bucket->thousandths -= 1000;
	return true;
}
