/* pbxs.c - the blocks' addresses kept up to date by name and by probe, and what
 * becomes of them at a reload and at the end. */
#include "gateway/pbxs_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "gateway/resolver.h"

#define MODULE "pbx"

enum {
	REFRESH_MS = 60000,      /* names of a PBX that is not probed */
	RESOLVE_AGAIN_MS = 5000, /* after none had an address */
};

/* ---- names ---- */

bool pbxs_reach(const struct pbxs *pbxs, const struct net_addr *addr)
{
	const char *own = pbxs->config->sip.common.bind;
	/* A socket bound to IPv4 does not reach IPv6, and the other way round; 0.0.0.0 is the
	 * default. */
	sa_family_t family = strchr(own, ':') ? AF_INET6 : AF_INET;

	return addr->sa.sa_family == family;
}

/* The servers of a block, or its hosts where it has none. */
static size_t count_servers(const struct cig_pbx *config)
{
	return config->server_count ? config->server_count : config->host_count;
}

static struct cig_pbx_server server_at(const struct cig_pbx *config, size_t i)
{
	if (config->server_count)
		return config->servers[i];
	return (struct cig_pbx_server){ .host = config->hosts[i], .weight = 1 };
}

static enum sip_transport transport_of(const struct cig_pbx *config)
{
	return config->has_transport ? config->transport : SIP_UDP;
}

/* The block's own priority and weight come first; those of SRV records order what stands
 * behind one of its servers. */
static void add_found(struct pbx *pbx, const struct cig_pbx_server *server,
		      const struct resolver_way *way)
{
	struct net_addr numeric;
	struct pbx_peer peer = { .addr = way->addr,
				 .transport = transport_of(pbx->config),
				 /* Sixteen bits each: the block's priority above that of the SRV
				  * record. */
				 .priority = server->priority << 16 | way->priority,
				 .weight = server->weight * way->share };
	bool named = net_parse(server->host, 0, &numeric) != 0;

	/* RFC 5922 7.2: the certificate of an address is that of the PBX's domain */
	snprintf(peer.name, sizeof(peer.name), "%s", named ? server->host : pbx->config->hosts[0]);
	pbx_peers_add(&pbx->found, &peer);
}

static void resolve_next(struct pbx *pbx);

static void on_server_resolved(void *arg, int err, const struct resolver_way *ways, size_t n,
			       const char *text)
{
	struct pbx *pbx = arg;
	struct cig_pbx_server server = server_at(pbx->config, pbx->asked);

	pbx->resolution = NULL;
	if (err)
		snprintf(pbx->why, sizeof(pbx->why), "%s: %s", server.host, text);
	for (size_t i = 0; i < n && !err; i++)
		if (pbxs_reach(pbx->pbxs, &ways[i].addr))
			add_found(pbx, &server, &ways[i]);
	if (!err && !pbx->found.n)
		snprintf(pbx->why, sizeof(pbx->why), "%s: " PBX_OTHER_FAMILY, server.host);
	pbx->asked++;
	resolve_next(pbx);
}

/* Names that do not resolve for a while leave the addresses as they were. */
static void resolved_all(struct pbx *pbx)
{
	/* Names are asked for again with every probe; the resolver's cache keeps to their TTL. */
	int64_t again_ms = pbx->config->probe_s ? pbx->config->probe_s * 1000 : REFRESH_MS;

	if (pbx->found.n)
		pbx_peers_replace(&pbx->peers, &pbx->found);
	else if (pbx->why[0])
		log_warn(MODULE, "pbx=%s has no address: %s", pbx->config->name, pbx->why);
	timer_arm(pbx->timer, pbx->peers.n ? again_ms : RESOLVE_AGAIN_MS);
	pbx_probe_all(pbx);
	pbx_answer_waiting(pbx, false);
}

static void resolve_next(struct pbx *pbx)
{
	struct cig_pbx_server server;

	if (pbx->asked >= count_servers(pbx->config)) {
		resolved_all(pbx);
		return;
	}
	server = server_at(pbx->config, pbx->asked);
	pbx->resolution = resolver_start_sip(pbx->pbxs->resolver, server.host, server.port,
					     transport_of(pbx->config), on_server_resolved, pbx);
	if (!pbx->resolution) {
		snprintf(pbx->why, sizeof(pbx->why), "out of memory");
		resolved_all(pbx);
	}
}

static void departed(struct pbx *pbx);

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct pbx *pbx = arg;

	(void)fd;
	(void)what;
	if (pbx->departing) {
		departed(pbx);
		return;
	}
	if (pbx->resolution)
		return;
	pbx->found.n = pbx->asked = 0;
	pbx->why[0] = '\0';
	resolve_next(pbx);
}

/* ---- life ---- */

static void pbx_free(struct pbx *pbx)
{
	pbx_register_stop(pbx);
	pbx_answer_waiting(pbx, true);
	resolver_cancel(&pbx->resolution);
	if (pbx->timer)
		event_free(pbx->timer);
	cig_config_release(&pbx->departing);
	free(pbx);
}

static struct pbx *pbx_new(struct pbxs *pbxs, const struct cig_pbx *config, struct pbx *before)
{
	struct pbx *pbx = calloc(1, sizeof(*pbx));

	if (!pbx)
		return NULL;
	pbx->pbxs = pbxs;
	pbx->config = config;
	pbx->timer = evtimer_new(pbxs->base, on_timer, pbx);
	if (!pbx->timer) {
		free(pbx);
		return NULL;
	}
	timer_arm(pbx->timer, 0);
	if (pbx_register_start(pbx, before)) {
		pbx_free(pbx);
		return NULL;
	}
	return pbx;
}

/* What was known of a block of that name. */
static void inherit(struct pbx *pbx, struct pbx *before)
{
	/* By name: the addresses may have changed, and are resolved anew in any case. */
	for (; before; before = before->next)
		if (strcmp(before->config->name, pbx->config->name) == 0)
			pbx->peers = before->peers;
}

static int make_all(struct pbxs *pbxs, struct pbx *before)
{
	const struct cig_config *config = pbxs->config;

	/* From the last to the first, since each is put in front. */
	for (size_t i = config->pbx_count; i > 0; i--) {
		struct pbx *pbx = pbx_new(pbxs, &config->pbxs[i - 1], before);

		if (!pbx)
			return -ENOMEM;
		inherit(pbx, before);
		pbx->next = pbxs->first;
		pbxs->first = pbx;
	}
	return 0;
}

static void free_all(struct pbx *first)
{
	while (first) {
		struct pbx *next = first->next;

		pbx_free(first);
		first = next;
	}
}

struct pbxs *pbxs_new(struct event_base *base, struct sip_link *sip,
		      const struct cig_config *config)
{
	struct pbxs *pbxs = calloc(1, sizeof(*pbxs));

	if (!pbxs)
		return NULL;
	pbxs->base = base;
	pbxs->sip = sip;
	pbxs->config = cig_config_hold(config);
	pbxs->resolver = resolver_new(base);
	if (pbxs->resolver)
		resolver_set_servers(pbxs->resolver, config->sip.nameservers,
				     config->sip.nameserver_count);
	if (!pbxs->resolver || make_all(pbxs, NULL))
		pbxs_free(&pbxs);
	return pbxs;
}

void pbxs_free(struct pbxs **pbxsp)
{
	struct pbxs *pbxs = *pbxsp;
	struct pbx *first;

	if (!pbxs)
		return;
	*pbxsp = NULL;
	first = pbxs->first;
	/* Out of the list first: a stop of one looks there for whoever waits for its binding. */
	pbxs->first = NULL;
	free_all(first);
	free_all(pbxs->departing);
	if (pbxs->leaving)
		event_free(pbxs->leaving);
	resolver_free(&pbxs->resolver);
	cig_config_release(&pbxs->config);
	free(pbxs);
}

/* ---- reload ---- */

static void departed(struct pbx *pbx)
{
	struct pbx **at = &pbx->pbxs->departing;

	while (*at != pbx)
		at = &(*at)->next;
	*at = pbx->next;
	pbx_free(pbx);
}

/* What is not configured any more goes; its registration is given up first, because the PBX
 * would send calls here until it expires. */
static void dismiss(struct pbxs *pbxs, struct pbx *pbx, const struct cig_config *config)
{
	if (!pbx_register_leave(pbx, true)) {
		pbx_free(pbx);
		return;
	}
	resolver_cancel(&pbx->resolution);
	pbx_answer_waiting(pbx, true);
	pbx->departing = cig_config_hold(config);
	pbx->next = pbxs->departing;
	pbxs->departing = pbx;
	timer_arm(pbx->timer, PBXS_LEAVE_MS);
}

void pbxs_set_config(struct pbxs *pbxs, const struct cig_config *config)
{
	const struct cig_config *old = pbxs->config;
	struct pbx *before = pbxs->first, *next;

	/* Before the new blocks are made: they look up their hosts in it. */
	pbxs->config = cig_config_hold(config);
	resolver_set_servers(pbxs->resolver, config->sip.nameservers, config->sip.nameserver_count);
	pbxs->first = NULL;
	if (make_all(pbxs, before))
		log_warn(MODULE, "out of memory: some PBXs are not known until the next reload");
	/* After all new blocks are made: what they took over is no longer there to be given
	 * up. */
	for (; before; before = next) {
		next = before->next;
		dismiss(pbxs, before, old);
	}
	cig_config_release(&old);
}

/* Probes of the former child are answered by nobody. */
void pbxs_sip_ready(struct pbxs *pbxs)
{
	for (struct pbx *pbx = pbxs->first; pbx; pbx = pbx->next) {
		for (size_t i = 0; i < pbx->peers.n; i++)
			pbx->peers.list[i].probe = 0;
		pbx_register_again(pbx);
		if (!pbx->resolution)
			timer_arm(pbx->timer, 0);
	}
}

/* ---- leaving ---- */

static void on_left(evutil_socket_t fd, short what, void *arg)
{
	struct pbxs *pbxs = arg;

	(void)fd;
	(void)what;
	event_free(pbxs->leaving);
	pbxs->leaving = NULL;
	pbxs->left(pbxs->left_arg);
}

void pbxs_register_left(struct pbx *pbx)
{
	struct pbxs *pbxs = pbx->pbxs;

	if (pbx->departing)
		timer_arm(pbx->timer, 0); /* from the loop, not from an answer */
	else if (pbxs->n_leaving && --pbxs->n_leaving == 0 && pbxs->leaving)
		timer_arm(pbxs->leaving, 0); /* from the loop, not from an answer */
}

bool pbxs_leave(struct pbxs *pbxs, void (*left)(void *arg), void *arg)
{
	/* Asked twice: the first one goes on. */
	if (pbxs->leaving)
		return true;
	pbxs->leaving = evtimer_new(pbxs->base, on_left, pbxs);
	pbxs->left = left;
	pbxs->left_arg = arg;
	for (struct pbx *pbx = pbxs->first; pbx && pbxs->leaving; pbx = pbx->next)
		pbxs->n_leaving += pbx_register_leave(pbx, false);
	if (pbxs->n_leaving) {
		timer_arm(pbxs->leaving, PBXS_LEAVE_MS);
		return true;
	}
	if (pbxs->leaving)
		event_free(pbxs->leaving);
	pbxs->leaving = NULL;
	return false;
}

/* ---- report ---- */

static json_t *peer_report(const struct pbx_peer *peer, int64_t now_ms)
{
	char address[NET_TEXT_SIZE];

	net_format(&peer->addr, address);
	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:I}", "address", address, "transport",
			 pbx_transport_name(peer->transport), "state",
			 pbx_peer_state_name(peer->state), "code", (int)peer->code, "round_trip_ms",
			 (int)peer->round_trip_ms, "since_s",
			 (json_int_t)(peer->since_ms ? (now_ms - peer->since_ms) / 1000 : 0));
}

/* Up when one of its servers is, down when all are. */
static enum pbx_peer_state state_of(const struct pbx *pbx)
{
	for (size_t i = 0; i < pbx->peers.n; i++)
		if (pbx->peers.list[i].state == PBX_PEER_UP)
			return PBX_PEER_UP;
	return pbx->peers.n && !pbx_peers_usable(&pbx->peers) ? PBX_PEER_DOWN : PBX_PEER_UNKNOWN;
}

json_t *pbxs_report(const struct pbxs *pbxs)
{
	json_t *list = json_array();
	int64_t now_ms = clock_mono_ms();

	for (const struct pbx *pbx = pbxs->first; pbx; pbx = pbx->next) {
		json_t *servers = json_array();

		for (size_t i = 0; i < pbx->peers.n; i++)
			json_array_append_new(servers, peer_report(&pbx->peers.list[i], now_ms));
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", pbx->config->name,
					"state", pbx_peer_state_name(state_of(pbx)), "why",
					pbx->peers.n ? "" : pbx->why, "servers", servers,
					"registration", pbx_register_report(pbx)));
	}
	return list;
}
