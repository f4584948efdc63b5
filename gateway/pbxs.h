/* pbxs.h - the PBXs at run time: where their calls and texts go now, and which of them live.
 *
 * For each pbx block of the configuration its servers' names are resolved again and again,
 * each address is asked by OPTIONS, and what calls and texts meet counts, too.  An entry's
 * host without a block is resolved each time, as the manual has it.
 */
#ifndef GATEWAY_PBXS_H
#define GATEWAY_PBXS_H

#include <jansson.h>

#include "gateway/cig_config.h"
#include "gateway/pbx_peers.h"
#include "gateway/sip_agent.pb-c.h"

struct event_base;
struct pbx_search;
struct pbxs;
struct sip_link;

/* One address that a call or text may try. */
struct pbx_way {
	struct net_addr addr;
	enum sip_transport transport;
	char name[256]; /* whom a certificate must name */
};

enum { PBX_WAYS_MAX = 8 };

/* ways in the order of trying; n 0: none, and why says so.  Valid until it returns. */
typedef void pbx_search_fn(void *arg, const struct pbx_way *ways, size_t n, const char *why);

/* sip is borrowed, config held.  Its names are asked for by a resolver of its own, as those
 * of the PBX network may be known to other name servers.  Returns NULL when memory is out. */
struct pbxs *pbxs_new(struct event_base *base, struct sip_link *sip,
		      const struct cig_config *config);
/* Ends what is under way and frees *pbxsp; *pbxsp may be NULL. */
void pbxs_free(struct pbxs **pbxsp);

/* Addresses that stay keep their state. */
void pbxs_set_config(struct pbxs *pbxs, const struct cig_config *config);

/* Where a call or text to target goes; done is called once, from the loop, unless it is cancelled.
 * Returns NULL when memory is out. */
struct pbx_search *pbxs_search(struct pbxs *pbxs, const struct sip_target *target,
			       pbx_search_fn *done, void *arg);
/* *searchp becomes NULL and may be NULL; after the callback the search is gone by itself. */
void pbxs_cancel(struct pbx_search **searchp);

/* How long one address may be silent before the next one is tried, or, of the last one, before
 * it is given up; 0: as RFC 3261 has it.  host is the target's. */
unsigned pbx_way_answer_ms(const struct cig_config *config, const char *host, bool last);

/* May another address help, after this response (RFC 3263 4.3)?  The one was silent (408),
 * unreachable or overloaded. */
bool pbx_way_next_helps(unsigned code);

/* Gives up every registration (REGISTER with Expires: 0), so that no call is sent here any
 * more; left is called once, from the loop, when that is done or two seconds have passed.
 * Returns false where there is nothing to give up: left is not called then. */
bool pbxs_leave(struct pbxs *pbxs, void (*left)(void *arg), void *arg);

/* What a request met at one of its ways: as pbx_peer_report(). */
void pbxs_met(struct pbxs *pbxs, const struct pbx_way *way, unsigned code, unsigned retry_after_s);

/* Events of the SIP agent: Probed; and its coming and going. */
void pbxs_sip_event(struct pbxs *pbxs, const SipAgent__FromAgent *event);
void pbxs_sip_ready(struct pbxs *pbxs);

/* [{"name", "state", "servers": [{"address", "transport", "state", "code", "round_trip_ms",
 * "since_s"}]}]; NULL: memory is out. */
json_t *pbxs_report(const struct pbxs *pbxs);

#endif
