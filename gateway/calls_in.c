/* calls_in.c - a call of a PBX before it is one: who it says it is, and whether that is true. */
#include <errno.h>
#include <stdio.h>

#include "gateway/call_priv.h"
#include "gateway/calls_priv.h"

static void begin(struct call *call, const struct cig_pbx *pbx, const SipAgent__Incoming *incoming)
{
	struct pbx_audio audio;

	call->pbx.number = incoming->call;
	snprintf(call->pbx.call_id, sizeof(call->pbx.call_id), "%s", incoming->call_id);
	calls_know_sip(call->calls, call);
	if (!call_choose_srtp(call, pbx, (enum sip_transport)incoming->source->transport)) {
		call_end(call, UMSG__END_REASON__END_NO_COMMON_CODEC,
			 "the PBX must use SRTP, whose keys need TLS");
		return;
	}
	if (incoming->offer && pbx_audio_read(incoming->offer, call->pbx.srtp, &audio)) {
		call_end(call, UMSG__END_REASON__END_NO_COMMON_CODEC, call_no_audio(call));
		return;
	}
	if (incoming->offer)
		pbx_leg_take_audio(&call->pbx, &audio);
	call->pbx.reliable = incoming->reliable;
	call_start(call);
}

/* False: it has been answered. */
static bool may_in(const struct calls *calls, const struct cig_pbx *pbx,
		   const struct pbx_request *request, struct pbx_leg *leg)
{
	char challenges[DIGEST_ASKED][DIGEST_TEXT_SIZE];
	int err = pbx_door_check(calls->world.door, pbx, request, challenges);

	if (err == -EACCES)
		pbx_leg_challenge(leg, challenges);
	else if (err)
		pbx_leg_reject(leg, 500, "", "");
	return !err;
}

void calls_take_incoming(struct calls *calls, const SipAgent__Incoming *incoming)
{
	const struct pbx_request request = { .method = "INVITE",
					     .source = incoming->source ? incoming->source->address
									: "",
					     .from_uri = incoming->from_uri,
					     .asserted_uris = incoming->asserted_uris,
					     .n_asserted_uris = incoming->n_asserted_uris,
					     .authorizations = incoming->authorizations,
					     .n_authorizations = incoming->n_authorizations,
					     .anonymous = incoming->anonymous };
	struct pbx_leg leg = { .link = calls->world.sip, .number = incoming->call };
	const struct cig_pbx *pbx;
	struct net_addr source;
	struct call *call;

	if (net_parse(request.source, 5060, &source)) {
		pbx_leg_reject(&leg, 500, "", "");
		return;
	}
	pbx = cig_config_pbx_from(calls->config, &source.sa);
	if (!may_in(calls, pbx, &request, &leg))
		return;
	call = call_new(calls, ROUTE_SIP, pbx_door_identity(pbx, &request), incoming->request_uri);
	if (!call) {
		pbx_leg_reject(&leg, 503, "", "");
		return;
	}
	call->target_addr = source;
	begin(call, pbx, incoming);
}
