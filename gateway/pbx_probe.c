/* pbx_probe.c - does a PBX live?  OPTIONS, and what calls meet. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/pbxs_priv.h"
#include "gateway/sip_link.h"

#define MODULE "pbx"

const char *pbx_transport_name(enum sip_transport transport)
{
	static const char *const names[] = { "udp", "tcp", "tls" };

	return names[transport];
}

static void log_state(const struct pbx *pbx, const struct pbx_peer *peer)
{
	char address[NET_TEXT_SIZE];

	net_format(&peer->addr, address);
	if (peer->state == PBX_PEER_DOWN)
		log_warn(MODULE, "pbx=%s server=%s/%s is down: %u", pbx->config->name, address,
			 pbx_transport_name(peer->transport), peer->code);
	else
		log_info(MODULE, "pbx=%s server=%s/%s is up: %u in %u ms", pbx->config->name,
			 address, pbx_transport_name(peer->transport), peer->code,
			 peer->round_trip_ms);
}

static void report(struct pbx *pbx, struct pbx_peer *peer, unsigned code, unsigned retry_after_s)
{
	if (pbx_peer_report(peer, code, retry_after_s, clock_mono_ms()))
		log_state(pbx, peer);
}

/* RFC 3261 11.1: to the PBX itself; some PBXs ban a sender without a user part. */
static void probe(struct pbx *pbx, struct pbx_peer *peer)
{
	const char *bound = pbx->pbxs->config->sip.common.bind;
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Target target = SIP_AGENT__TARGET__INIT;
	SipAgent__Probe body = SIP_AGENT__PROBE__INIT;
	char uri[300], from[300], host[NET_TEXT_SIZE];
	bool v6 = strchr(bound, ':') != NULL;

	snprintf(uri, sizeof(uri), "sip:%s", pbx->config->hosts[0]);
	snprintf(from, sizeof(from), "sip:tandem@%s%s%s", v6 ? "[" : "",
		 bound[0] ? bound : pbx->config->hosts[0], v6 ? "]" : "");
	net_format_host(&peer->addr, host);
	target.address = host;
	target.port = net_port(&peer->addr);
	target.transport = (SipAgent__Transport)peer->transport; /* in the same order */
	target.name = peer->name;
	body.probe = ++pbx->pbxs->last_probe;
	body.request_uri = uri;
	body.from_uri = from;
	body.target = &target;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_PROBE;
	message.probe = &body;
	peer->probe = sip_link_send(pbx->pbxs->sip, &message) ? 0 : body.probe;
}

/* One that is still under way is given up: it is as old as the interval. */
void pbx_probe_all(struct pbx *pbx)
{
	if (!pbx->config->probe_s)
		return;
	for (size_t i = 0; i < pbx->peers.n; i++) {
		struct pbx_peer *peer = &pbx->peers.list[i];

		if (peer->probe)
			report(pbx, peer, 408, 0);
		probe(pbx, peer);
	}
}

static void on_probed(struct pbxs *pbxs, const SipAgent__Probed *probed)
{
	for (struct pbx *pbx = pbxs->first; pbx; pbx = pbx->next)
		for (size_t i = 0; i < pbx->peers.n; i++) {
			struct pbx_peer *peer = &pbx->peers.list[i];

			if (peer->probe != probed->probe)
				continue;
			peer->probe = 0;
			peer->round_trip_ms = probed->round_trip_ms;
			report(pbx, peer, probed->code, probed->retry_after_s);
			return;
		}
}

void pbxs_sip_event(struct pbxs *pbxs, const SipAgent__FromAgent *event)
{
	if (event->body_case == SIP_AGENT__FROM_AGENT__BODY_PROBED)
		on_probed(pbxs, event->probed);
	else if (event->body_case == SIP_AGENT__FROM_AGENT__BODY_REGISTERED)
		pbx_registered(pbxs, event->registered);
}

/* What calls and registrations meet counts as a probe would: a PBX that takes calls is up. */
void pbxs_met(struct pbxs *pbxs, const struct pbx_way *way, unsigned code, unsigned retry_after_s)
{
	for (struct pbx *pbx = pbxs->first; pbx; pbx = pbx->next) {
		struct pbx_peer *peer = pbx_peers_find(&pbx->peers, &way->addr, way->transport);

		/* One address may stand in several blocks. */
		if (peer)
			report(pbx, peer, code, retry_after_s);
	}
}
