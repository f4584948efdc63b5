/* pbx_peers.c - the order in which a PBX's addresses are tried, and what is known of
 * each; no socket, no timer, the lot comes from outside. */
#include "gateway/pbx_peers.h"

#include <string.h>

enum { RETRY_AFTER_MAX_S = 3600 };

const char *pbx_peer_state_name(enum pbx_peer_state state)
{
	static const char *const names[] = { "UNKNOWN", "UP", "DOWN" };

	return names[state];
}

struct pbx_peer *pbx_peers_find(struct pbx_peers *peers, const struct net_addr *addr,
				enum sip_transport transport)
{
	for (size_t i = 0; i < peers->n; i++)
		if (net_equal(&peers->list[i].addr, addr) && peers->list[i].transport == transport)
			return &peers->list[i];
	return NULL;
}

void pbx_peers_add(struct pbx_peers *peers, const struct pbx_peer *peer)
{
	if (peers->n < PBX_PEERS_MAX && !pbx_peers_find(peers, &peer->addr, peer->transport))
		peers->list[peers->n++] = *peer;
}

void pbx_peers_replace(struct pbx_peers *peers, const struct pbx_peers *now)
{
	/* Replaced as a whole: addresses that the names no longer have go. */
	struct pbx_peers next = *now;

	for (size_t i = 0; i < next.n; i++) {
		struct pbx_peer *peer = &next.list[i];
		const struct pbx_peer *before = pbx_peers_find(peers, &peer->addr, peer->transport);

		if (!before)
			continue;
		peer->state = before->state;
		peer->failures = before->failures;
		peer->code = before->code;
		peer->round_trip_ms = before->round_trip_ms;
		peer->since_ms = before->since_ms;
		peer->avoid_until_ms = before->avoid_until_ms;
		peer->probe = before->probe;
	}
	*peers = next;
}

/* Lower is tried first. */
static uint64_t rank(const struct pbx_peer *peer, int64_t now_ms)
{
	/* Those that are down go last, not away: if all are, one of them may be back. */
	bool last = peer->state == PBX_PEER_DOWN || peer->avoid_until_ms > now_ms;

	return ((uint64_t)last << 32) + peer->priority;
}

/* RFC 2782: of those left with the lowest rank, one by lot, its chance being its weight. */
static size_t draw(const struct pbx_peers *peers, const bool *taken, int64_t now_ms,
		   unsigned (*random)(void *arg, unsigned below), void *arg)
{
	uint64_t best = UINT64_MAX, sum = 0, at;
	size_t last = 0;

	for (size_t i = 0; i < peers->n; i++)
		if (!taken[i] && rank(&peers->list[i], now_ms) < best)
			best = rank(&peers->list[i], now_ms);
	for (size_t i = 0; i < peers->n; i++)
		if (!taken[i] && rank(&peers->list[i], now_ms) == best)
			sum += peers->list[i].weight;
	/* At most PBX_PEERS_MAX weights of 65,535 times RESOLVER_SHARES: their sum fits into 32
	 * bits. */
	at = sum ? random(arg, (unsigned)sum) : 0;
	for (size_t i = 0; i < peers->n; i++) {
		if (taken[i] || rank(&peers->list[i], now_ms) != best)
			continue;
		last = i;
		if (at < peers->list[i].weight || sum == 0)
			break;
		at -= peers->list[i].weight;
	}
	return last;
}

size_t pbx_peers_order(const struct pbx_peers *peers, int64_t now_ms,
		       unsigned (*random)(void *arg, unsigned below), void *arg,
		       const struct pbx_peer **out, size_t max)
{
	bool taken[PBX_PEERS_MAX] = { false };
	size_t n = 0;

	while (n < peers->n && n < max) {
		size_t i = draw(peers, taken, now_ms, random, arg);

		taken[i] = true;
		out[n++] = &peers->list[i];
	}
	return n;
}

static bool enter(struct pbx_peer *peer, enum pbx_peer_state state, int64_t now_ms)
{
	if (peer->state == state)
		return false;
	peer->state = state;
	peer->since_ms = now_ms;
	return true;
}

bool pbx_peer_report(struct pbx_peer *peer, unsigned code, unsigned retry_after_s, int64_t now_ms)
{
	/* 501 is an answer of a server that lives; 6xx speaks of the callee, not of the
	 * server. */
	bool failed = code == 408 || (code >= 500 && code < 600 && code != 501);

	peer->code = code;
	if (retry_after_s > RETRY_AFTER_MAX_S)
		retry_after_s = RETRY_AFTER_MAX_S;
	if (failed && retry_after_s)
		peer->avoid_until_ms = now_ms + (int64_t)retry_after_s * 1000;
	if (!failed) {
		peer->failures = 0;
		peer->avoid_until_ms = 0;
		return enter(peer, PBX_PEER_UP, now_ms);
	}
	/* Once may be a lost packet; the state changes at the second failure in a row. */
	if (++peer->failures < PBX_PEER_DOWN_AT)
		return false;
	return enter(peer, PBX_PEER_DOWN, now_ms);
}

bool pbx_peers_usable(const struct pbx_peers *peers)
{
	for (size_t i = 0; i < peers->n; i++)
		if (peers->list[i].state != PBX_PEER_DOWN)
			return true;
	return false;
}
