/* calls_in.c - a call of a PBX before it is one: who it says it is, and whether that is true. */
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/call_priv.h"
#include "gateway/calls_priv.h"

#define MODULE "calls"

/* Of whoever wants to be nobody (RFC 3323 4.1.1.3). */
static const char anonymous[] = "sip:anonymous@anonymous.invalid";
static const char realm[] = "tandem";

/* From, or the identity that a trusted PBX vouches for (RFC 3325): only a block that says so
 * makes its PBX trusted for that, and from elsewhere the header counts for nothing. */
static const char *identity(const struct cig_pbx *pbx, const SipAgent__Incoming *incoming)
{
	if (!pbx || !pbx->asserted_identity)
		return incoming->from_uri;
	if (incoming->anonymous)
		return anonymous;
	for (size_t i = 0; i < incoming->n_asserted_uris; i++)
		if (strncasecmp(incoming->asserted_uris[i], "sip:", 4) == 0)
			return incoming->asserted_uris[i];
	return incoming->from_uri;
}

static void ask(struct calls *calls, const SipAgent__Incoming *incoming, bool stale)
{
	struct pbx_leg leg = { .link = calls->world.sip, .number = incoming->call };
	char challenges[DIGEST_ASKED][DIGEST_TEXT_SIZE];

	if (digest_ask(calls->digest_key, realm, incoming->source->address, clock_wall_s(), stale,
		       challenges))
		pbx_leg_reject(&leg, 500, "", "");
	else
		pbx_leg_challenge(&leg, challenges);
}

/* RFC 3261 22.2.  False: it has been answered. */
static bool proves_itself(struct calls *calls, const struct cig_pbx *pbx,
			  const SipAgent__Incoming *incoming)
{
	const struct digest_account account = { pbx->challenge->user, pbx->challenge->password };
	int err = -ENOENT;

	for (size_t i = 0; i < incoming->n_authorizations && err; i++)
		err = digest_check(calls->digest_key, realm, incoming->source->address,
				   clock_wall_s(), &account, "INVITE", incoming->authorizations[i]);
	if (!err)
		return true;
	if (err == -EACCES) /* the form that a ban by address can be made of */
		log_warn(MODULE, "pbx=%s source=%s from=%s: wrong user or password", pbx->name,
			 incoming->source->address, incoming->from_uri);
	ask(calls, incoming, err == -ESTALE);
	return false;
}

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

void calls_take_incoming(struct calls *calls, const SipAgent__Incoming *incoming)
{
	struct pbx_leg leg = { .link = calls->world.sip, .number = incoming->call };
	const struct cig_pbx *pbx;
	struct net_addr source;
	struct call *call;

	if (!incoming->source || net_parse(incoming->source->address, 5060, &source)) {
		pbx_leg_reject(&leg, 500, "", "");
		return;
	}
	pbx = cig_config_pbx_from(calls->config, &source.sa);
	if (pbx && pbx->challenge && !proves_itself(calls, pbx, incoming))
		return;
	call = call_new(calls, ROUTE_SIP, identity(pbx, incoming), incoming->request_uri);
	if (!call) {
		pbx_leg_reject(&leg, 503, "", "");
		return;
	}
	call->target_addr = source;
	begin(call, pbx, incoming);
}
