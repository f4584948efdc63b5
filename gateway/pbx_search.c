/* pbx_search.c - where a call or text goes: the addresses of a block that lives, or of a host. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/timer.h"
#include "gateway/pbxs_priv.h"
#include "gateway/resolver.h"

static const char changed[] = "the configuration has changed";

static unsigned random_below(void *arg, unsigned below)
{
	uint32_t n = 0;

	(void)arg;
	/* Without random octets the first one is taken: an unfair lot, but a call. */
	(void)!getrandom(&n, sizeof(n), 0);
	return below ? n % below : 0;
}

static void search_free(struct pbx_search *search)
{
	if (search->link) {
		*search->link = search->next;
		if (search->next)
			search->next->link = search->link;
	}
	resolver_cancel(&search->resolution);
	if (search->soon)
		event_free(search->soon);
	free(search);
}

/* search is gone then, unless it was cancelled from within, which frees it, too. */
static void answer(struct pbx_search *search, const struct pbx_way *ways, size_t n, const char *why)
{
	pbx_search_fn *done = search->done;
	void *arg = search->arg;

	/* Freed before the callback, which may search again or end the call that asked. */
	search_free(search);
	done(arg, ways, n, why);
}

static size_t ways_of(const struct pbx_peers *peers, struct pbx_way ways[PBX_WAYS_MAX])
{
	const struct pbx_peer *order[PBX_WAYS_MAX];
	size_t n = pbx_peers_order(peers, clock_mono_ms(), random_below, NULL, order, PBX_WAYS_MAX);

	for (size_t i = 0; i < n; i++) {
		ways[i] = (struct pbx_way){ .addr = order[i]->addr,
					    .transport = order[i]->transport };
		memcpy(ways[i].name, order[i]->name, sizeof(ways[i].name));
	}
	return n;
}

static void answer_by(struct pbx_search *search, const struct pbx *pbx)
{
	struct pbx_way ways[PBX_WAYS_MAX];
	size_t n = ways_of(&pbx->peers, ways);

	answer(search, ways, n, n ? "" : pbx->why);
}

static struct pbx *find(struct pbxs *pbxs, const char *host)
{
	const struct cig_pbx *config = cig_config_pbx_of_host(pbxs->config, host);
	struct pbx *pbx = pbxs->first;

	while (pbx && pbx->config != config)
		pbx = pbx->next;
	return config ? pbx : NULL;
}

/* Looked up anew: a reload that came before in this turn has freed the block that was there when
 * the search began. */
static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	struct pbx_search *search = arg;
	const struct pbx *pbx = find(search->pbxs, search->target.host);

	(void)fd;
	(void)what;
	if (pbx)
		answer_by(search, pbx);
	else
		answer(search, NULL, 0, changed);
}

/* A host without a block: its addresses in the order of RFC 2782, of which nothing else is
 * known.  A certificate names the host, not the target of its SRV record (RFC 5922 7.2). */
static void on_host_resolved(void *arg, int err, const struct resolver_way *found, size_t n,
			     const char *text)
{
	struct pbx_search *search = arg;
	struct pbx_way ways[PBX_WAYS_MAX];
	struct pbx_peers peers = { .n = 0 };

	search->resolution = NULL;
	for (size_t i = 0; i < n && !err; i++) {
		struct pbx_peer peer = { .addr = found[i].addr,
					 .transport = search->target.transport,
					 .priority = found[i].priority,
					 .weight = found[i].share };

		snprintf(peer.name, sizeof(peer.name), "%s", search->target.host);
		if (pbxs_reach(search->pbxs, &peer.addr))
			pbx_peers_add(&peers, &peer);
	}
	n = ways_of(&peers, ways);
	answer(search, ways, n, n ? "" : err ? text : PBX_OTHER_FAMILY);
}

static void wait_for(struct pbx *pbx, struct pbx_search *search)
{
	search->next = pbx->waiting;
	search->link = &pbx->waiting;
	if (search->next)
		search->next->link = &search->next;
	pbx->waiting = search;
	if (!pbx->resolution)
		timer_arm(pbx->timer, 0);
}

/* What is known serves at once; else the names are asked for. */
static int begin(struct pbx_search *search, struct pbx *pbx)
{
	struct pbxs *pbxs = search->pbxs;

	if (!pbx || !pbx->config->server_count) {
		search->resolution =
			resolver_start_sip(pbxs->resolver, search->target.host,
					   search->target.port_given ? search->target.port : 0,
					   search->target.transport, on_host_resolved, search);
		return search->resolution ? 0 : -ENOMEM;
	}
	if (!pbx->peers.n) {
		wait_for(pbx, search);
		return 0;
	}
	search->soon = evtimer_new(pbxs->base, on_soon, search);
	if (!search->soon)
		return -ENOMEM;
	/* Answered by the loop's next turn, as a look-up would: the caller has its handle by
	 * then. */
	event_active(search->soon, EV_TIMEOUT, 0);
	return 0;
}

/* The block's transport instead of the entry's, with its usual port. */
static void take_transport(struct sip_target *target, enum sip_transport transport)
{
	target->transport = transport;
	if (!target->port_given)
		target->port = transport == SIP_TLS ? 5061 : 5060;
}

struct pbx_search *pbxs_search(struct pbxs *pbxs, const struct sip_target *target,
			       pbx_search_fn *done, void *arg)
{
	struct pbx_search *search = calloc(1, sizeof(*search));
	struct pbx *pbx = find(pbxs, target->host);

	if (!search)
		return NULL;
	search->pbxs = pbxs;
	search->target = *target;
	if (pbx && pbx->config->has_transport)
		take_transport(&search->target, pbx->config->transport);
	search->done = done;
	search->arg = arg;
	if (begin(search, pbx)) {
		search_free(search);
		return NULL;
	}
	return search;
}

void pbxs_cancel(struct pbx_search **searchp)
{
	if (*searchp)
		search_free(*searchp);
	*searchp = NULL;
}

void pbx_answer_waiting(struct pbx *pbx, bool drop)
{
	/* A callback may search again or cancel others: one at a time. */
	while (pbx->waiting) {
		if (drop)
			answer(pbx->waiting, NULL, 0, changed);
		else
			answer_by(pbx->waiting, pbx);
	}
}
