/* pbx_peers.h - the addresses of one PBX: which of them live, and in which order a call
 * tries them.
 *
 * Pure: names are resolved and OPTIONS are sent by pbxs.h.  The order is that of RFC 2782
 * (priority, then weight by lot), with addresses that are down or asked to be left alone
 * (Retry-After) behind all others: they are better than none.
 */
#ifndef GATEWAY_PBX_PEERS_H
#define GATEWAY_PBX_PEERS_H

#include "base/net.h"
#include "maps/uri.h"

enum {
	PBX_PEERS_MAX = 32,  /* addresses of one PBX */
	PBX_PEER_DOWN_AT = 2 /* failures in a row */
};

enum pbx_peer_state { PBX_PEER_UNKNOWN, PBX_PEER_UP, PBX_PEER_DOWN };

struct pbx_peer {
	struct net_addr addr;
	enum sip_transport transport;
	char name[256]; /* whom a certificate must name */
	unsigned priority, weight;
	enum pbx_peer_state state;
	unsigned failures; /* in a row */
	unsigned code;     /* of the last response; 408: none came */
	unsigned round_trip_ms;
	int64_t since_ms; /* of the state, monotonic */
	int64_t avoid_until_ms;
	uint64_t probe; /* under way; 0: none */
};

struct pbx_peers {
	struct pbx_peer list[PBX_PEERS_MAX];
	size_t n;
};

/* Adds an address; more than PBX_PEERS_MAX and repeats are left out. */
void pbx_peers_add(struct pbx_peers *peers, const struct pbx_peer *peer);

/* What names mean now replaces what they meant: what is known of an address stays. */
void pbx_peers_replace(struct pbx_peers *peers, const struct pbx_peers *now);

/* The peers in the order of trying, at most max; random draws from 0 to below.  Returns
 * how many. */
size_t pbx_peers_order(const struct pbx_peers *peers, int64_t now_ms,
		       unsigned (*random)(void *arg, unsigned below), void *arg,
		       const struct pbx_peer **out, size_t max);

/* What an address answered: a SIP code, 408 for none in time, 503 also for a connection
 * that was refused.  503 and other 5xx are failures, every other answer proves life.
 * Returns whether its state changed. */
bool pbx_peer_report(struct pbx_peer *peer, unsigned code, unsigned retry_after_s, int64_t now_ms);

/* The peer of that address, port and transport, or NULL. */
struct pbx_peer *pbx_peers_find(struct pbx_peers *peers, const struct net_addr *addr,
				enum sip_transport transport);

/* Does any of them take calls, as far as is known? */
bool pbx_peers_usable(const struct pbx_peers *peers);

/* "UP", "DOWN", "UNKNOWN". */
const char *pbx_peer_state_name(enum pbx_peer_state state);

#endif
