/* call_dial.c - the outgoing leg of a call is invited: at the rendezvous, or at one of the
 * PBX's addresses after the other.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "base/log.h"
#include "gateway/call_codec.h"
#include "gateway/call_priv.h"
#include "gateway/calls_priv.h"
#include "gateway/peer_domain.h"

#define MODULE "call"

/* ---- the PBX's addresses ---- */

/* For SDP: as configured, else the address from which the PBX is reached. */
static int choose_local_ip(struct call *call)
{
	const char *bound = call->config->sip.common.bind_media;
	struct net_addr own;
	char host[NET_TEXT_SIZE];
	int err;

	if (bound[0]) {
		snprintf(call->pbx.local_ip, sizeof(call->pbx.local_ip), "%s", bound);
		return 0;
	}
	/* The kernel's choice of a source address for that target, without a packet sent. */
	err = net_source_for(&call->target_addr, &own);
	if (err)
		return err;
	net_format_host(&own, host);
	snprintf(call->pbx.local_ip, sizeof(call->pbx.local_ip), "%.*s", CONFIG_IP_SIZE - 1, host);
	return 0;
}

void call_check_opened(struct call *call)
{
	if (call->phase != PHASE_OPENING || !call->pbx.local_port || !call->target_known)
		return;
	if (choose_local_ip(call))
		call_end(call, UMSG__END_REASON__END_FAILED, "no own address reaches the PBX");
	else
		call_post(call, PHASE_EV_OPENED);
}

/* Elsewhere than before: what was answered there does not count here. */
static void dial_again(struct call *call)
{
	digest_session_wipe(&call->pbx.digest);
	if (choose_local_ip(call))
		call_end(call, UMSG__END_REASON__END_FAILED, "no own address reaches the PBX");
	else
		call_dial_pbx(call);
}

/* The end of the search; ways is the search's own. */
static void on_found(void *arg, const struct pbx_way *ways, size_t n, const char *why)
{
	struct call *call = arg;
	char text[512];

	call->search = NULL;
	if (n == 0) {
		snprintf(text, sizeof(text), "PBX %s: %s", call->target.host, why);
		call_end(call, UMSG__END_REASON__END_FAILED, text);
		return;
	}
	/* All of them are kept: the next one is tried when this one fails. */
	memcpy(call->ways, ways, n * sizeof(*ways));
	call->n_ways = n;
	call->way = 0;
	call->target_addr = ways[0].addr;
	call->target_known = true;
	if (call->phase == PHASE_OPENING)
		call_check_opened(call);
	else
		dial_again(call); /* a redirection */
}

void call_find_pbx(struct call *call)
{
	struct calls_world *world = &call->calls->world;

	call->search = pbxs_search(world->pbxs, &call->target, on_found, call);
	if (!call->search)
		call_refuse(call, 503, UMSG__END_REASON__END_CONGESTION, "out of memory");
}

void call_dial_pbx(struct call *call)
{
	const struct pbx_way *way = &call->ways[call->way];
	const struct cig_pbx *pbx = cig_config_pbx_of_host(call->config, call->target.host);
	struct pbx_invite invite = { .request_uri = call->out_to,
				     .from_uri = call->out_from,
				     .target = &way->addr,
				     .transport = way->transport,
				     .host = way->name,
				     .asserted_uri =
					     pbx && pbx->assert_identity ? call->out_from : NULL,
				     .remote_party_id = pbx && pbx->remote_party_id,
				     .reliable = pbx && pbx->reliable,
				     .answer_ms =
					     pbx_way_answer_ms(call->config, call->target.host,
							       call->way + 1 == call->n_ways) };

	if (!call_choose_srtp(call, pbx, way->transport)) {
		call_end(call, UMSG__END_REASON__END_FAILED,
			 "the PBX is to be called with SRTP, whose keys need TLS");
		return;
	}
	if (pbx_leg_invite(&call->pbx, &invite)) {
		call_end(call, UMSG__END_REASON__END_CONGESTION, "cig-sip takes no calls");
		return;
	}
	calls_know_sip(call->calls, call);
}

/* Another address may help only as long as nobody there has begun to ring. */
static bool may_help(const struct call *call, const SipAgent__Ended *ended)
{
	return call->in == ROUTE_TEL &&
	       (call->phase == PHASE_DIALLING || call->phase == PHASE_TRYING) &&
	       pbx_way_next_helps(ended->code) && call->way + 1 < call->n_ways;
}

bool call_dial_next(struct call *call, const SipAgent__Ended *ended)
{
	const struct pbx_way *way = &call->ways[call->way];
	char address[NET_TEXT_SIZE];

	/* What this address did is remembered for the calls after this one, too. */
	if (call->in == ROUTE_TEL && ended->code >= 300)
		pbxs_met(call->calls->world.pbxs, way, ended->code, ended->retry_after_s);
	if (!may_help(call, ended))
		return false;
	net_format(&way->addr, address);
	log_warn(MODULE, "call=%" PRIu64 " server=%s fails: %u %s; trying the next one",
		 call->number, address, ended->code, ended->phrase);
	call->target_addr = call->ways[++call->way].addr;
	dial_again(call);
	return true;
}

/* ---- the secure side ---- */

struct umsg_audio_wish call_audio_wish(const struct call *call)
{
	bool loaded = relay_link_is_loaded(call->calls->world.relay);
	enum umsg_audio_codec offered[UMSG_AUDIO_CODECS];

	/* A PBX that offers late has said nothing yet, and its law is 0, PCMU. */
	if (call->in == ROUTE_SIP)
		return call_codec_offer(call->pbx.audio.codec, loaded);
	return call_codec_answer(offered, umsg_call_offered(call->secure, offered),
				 call->pbx.audio.codec, loaded);
}

void call_take_secure(struct call *call, struct umsg_call *secure)
{
	call->secure = secure;
	umsg_call_set_arg(secure, call);
	/* As the rendezvous writes ids, so that an administrator finds the session in both
	 * logs. */
	base64_encode(BASE64_STANDARD, slice_of(umsg_call_id(secure), UMSG_ID_SIZE),
		      call->secure_id);
}

/* Splits "tel:+8888;101" into the bare URI and the extension, which the rendezvous does not know
 * (CIG manual 2.9, "Interconnect"). */
static void split_extension(const char *uri, char bare[UMSG_URI_SIZE],
			    char extension[UMSG_EXTENSION_SIZE])
{
	const char *mark = strchr(uri, ';');
	size_t n = mark ? (size_t)(mark - uri) : strlen(uri);

	snprintf(bare, UMSG_URI_SIZE, "%.*s", (int)n, uri);
	snprintf(extension, UMSG_EXTENSION_SIZE, "%s", mark ? mark + 1 : "");
}

void call_find_callee(struct call *call)
{
	char to[UMSG_URI_SIZE], called[UMSG_EXTENSION_SIZE];
	const char *refusal;
	int err;

	split_extension(call->out_to, to, called);
	/* Asked while the ports are being opened. */
	err = peer_domain_ask(call->calls->world.umsg, to);
	refusal = peer_domain_refusal(err);
	call->asking = err == -EINPROGRESS;
	if (refusal) {
		call_refuse(call, 403, UMSG__END_REASON__END_NOT_ALLOWED, refusal);
	} else if (err && !call->asking) {
		call_refuse(call, 503, UMSG__END_REASON__END_CONGESTION,
			    "the rendezvous does not tell the callee's domain");
	} else if (!err) {
		call->target_known = true;
		call_check_opened(call);
	}
}

/* The answer is asked for again: the client remembers it. */
void call_looked_up(struct call *call, const char *uri)
{
	char to[UMSG_URI_SIZE], called[UMSG_EXTENSION_SIZE];

	if (!call->asking || call->phase != PHASE_OPENING)
		return;
	split_extension(call->out_to, to, called);
	/* Several calls may wait for answers; each knows its own by the URI. */
	if (strcmp(to, uri) == 0)
		call_find_callee(call);
}

void call_dial_secure(struct call *call)
{
	char to[UMSG_URI_SIZE], from[UMSG_URI_SIZE];
	char called[UMSG_EXTENSION_SIZE], calling[UMSG_EXTENSION_SIZE], why[64];
	struct umsg_audio_wish wish = call_audio_wish(call);
	struct umsg_call *secure;
	int err;

	split_extension(call->out_to, to, called);
	split_extension(call->out_from, from, calling);
	err = umsg_call_invite(call->calls->world.umsg, to, called, calling, &wish, call, &secure);
	if (err) {
		snprintf(why, sizeof(why), "cannot invite: %s", strerror(-err));
		call_end(call,
			 err == -ENOTCONN ? UMSG__END_REASON__END_CONGESTION
					  : UMSG__END_REASON__END_FAILED,
			 why);
		return;
	}
	call_take_secure(call, secure);
}
