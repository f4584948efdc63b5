#include "gateway/sip/agent.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "gateway/sip_wire.h"

enum { MAX_ASSERTED = 4 };

/* ---- refusing at the door ---- */

static int refuse(nta_incoming_t *irq, int status, const char *phrase, const char *why)
{
	char warning[192];

	snprintf(warning, sizeof(warning), "399 cig \"%s\"", why ? why : "");
	nta_incoming_treply(irq, status, phrase, TAG_IF(why, SIPTAG_WARNING_STR(warning)),
			    TAG_END());
	return status;
}

static int refuse_body(struct agent *a, nta_incoming_t *irq, msg_t *msg, int err, const char *why)
{
	struct net_addr source;

	if (err == -ENOTSUP)
		return refuse(irq, SIP_488_NOT_ACCEPTABLE, why);
	a->malformed++;
	agent_source(msg, &source);
	agent_refused(a, &a->malformed_limit, &source, "malformed SDP (400)");
	return refuse(irq, SIP_400_BAD_REQUEST, why);
}

/* Returns 0 or the status that was sent. */
static int check_invite(struct agent *a, nta_incoming_t *irq, msg_t *msg, const sip_t *sip,
			struct sdp *offer)
{
	const char *why = NULL;
	int err = nta_check_required(irq, sip, NULL, TAG_END());

	if (err)
		return err;
	if (!sip->sip_contact)
		return refuse(irq, 400, "Missing Contact Header", NULL);
	if (agent_is_full(a)) {
		char after[16];

		a->overload++;
		snprintf(after, sizeof(after), "%d", AGENT_RETRY_AFTER_S);
		nta_incoming_treply(irq, SIP_503_SERVICE_UNAVAILABLE, SIPTAG_RETRY_AFTER_STR(after),
				    TAG_END());
		return 503;
	}
	if (body_kind(sip) == BODY_OTHER) {
		nta_incoming_treply(irq, SIP_415_UNSUPPORTED_MEDIA,
				    SIPTAG_ACCEPT_STR("application/sdp"), TAG_END());
		return 415;
	}
	err = body_kind(sip) == BODY_SDP ? body_sdp(sip, offer, &why) : 0;
	return err ? refuse_body(a, irq, msg, err, why) : 0;
}

/* ---- the caller gives up ---- */

static int on_cancel(struct call *call, nta_incoming_t *irq, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };

	if (!sip || sip->sip_request->rq_method != sip_method_cancel || irq != call->invite)
		return 0;
	call->invite = NULL;
	nta_incoming_destroy(irq); /* the library sends 487 */
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__CANCELLED,
						.code = 487,
						.phrase = "Request Terminated",
						.reason = body_header(home, sip->sip_reason) });
	call_finish(call);
	su_home_deinit(home);
	return 0;
}

/* ---- telling the server ---- */

/* P-Asserted-Identity (RFC 3325): the URI of each. */
static size_t asserted(const sip_t *sip, su_home_t *home, char *out[MAX_ASSERTED])
{
	size_t n = 0;

	for (const sip_unknown_t *un = sip->sip_unknown; un && n < MAX_ASSERTED; un = un->un_next) {
		sip_to_t *value;

		if (!un->un_name || strcasecmp(un->un_name, "P-Asserted-Identity") != 0)
			continue;
		value = sip_to_make(home, un->un_value);
		if (value)
			out[n++] = body_url(home, value->a_url);
	}
	return n;
}

static bool is_anonymous(const sip_t *sip)
{
	const sip_privacy_t *p = sip->sip_privacy;

	for (size_t i = 0; p && p->priv_values && p->priv_values[i]; i++)
		if (strcasecmp(p->priv_values[i], "id") == 0 ||
		    strcasecmp(p->priv_values[i], "user") == 0)
			return true;
	return false;
}

static void tell_incoming(struct call *call, const sip_t *sip)
{
	SipAgent__Incoming event = SIP_AGENT__INCOMING__INIT;
	SipAgent__Target source = SIP_AGENT__TARGET__INIT;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char *identities[MAX_ASSERTED], host[NET_TEXT_SIZE];
	struct wire_audio audio;

	event.call = call->node.key;
	event.request_uri = body_url(home, sip->sip_request->rq_url);
	event.from_uri = body_url(home, sip->sip_from->a_url);
	event.from_name = body_name(home, sip->sip_from->a_display);
	event.to_uri = body_url(home, sip->sip_to->a_url);
	event.call_id = call->sip_call_id;
	net_format_host(&call->peer, host);
	source.address = host;
	source.port = net_port(&call->peer);
	source.transport = call->peer_tcp ? SIP_AGENT__TRANSPORT__TCP : SIP_AGENT__TRANSPORT__UDP;
	event.source = &source;
	if (call->offer.nlines) {
		wire_audio_put(&call->offer.audio, &audio);
		event.offer = &audio.pb;
	}
	event.n_asserted_uris = asserted(sip, home, identities);
	event.asserted_uris = identities;
	event.anonymous = is_anonymous(sip);
	event.user_agent = body_header(home, sip->sip_user_agent);
	agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_INCOMING, &event);
	su_home_deinit(home);
}

/* ---- a new call ---- */

static char *contact_for(struct call *call, const sip_t *sip)
{
	const char *user = sip->sip_request->rq_url->url_user;
	struct agent *a = call->agent;

	return su_sprintf(call->home, "<sip:%s%s%s:%u%s>", user ? user : "", user ? "@" : "",
			  a->host, a->port, call->peer_tcp ? ";transport=tcp" : "");
}

/* The dialog: our To is their To with a tag of ours. */
static int make_dialog(struct call *call, nta_incoming_t *irq, const sip_t *sip)
{
	call->leg = nta_leg_tcreate(call->agent->nta, dialog_request, call,
				    SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(sip->sip_to),
				    SIPTAG_TO(sip->sip_from), TAG_END());
	if (!call->leg || !nta_leg_tag(call->leg, NULL) ||
	    !nta_incoming_tag(irq, nta_leg_get_tag(call->leg)) ||
	    nta_leg_server_route(call->leg, sip->sip_record_route, sip->sip_contact) < 0)
		return -ENOMEM;
	call->invite_seq = call->remote_seq = sip->sip_cseq->cs_seq;
	call->sip_call_id = su_strdup(call->home, sip->sip_call_id->i_id);
	call->local_uri = body_url(call->home, sip->sip_to->a_url);
	call->remote_uri = body_url(call->home, sip->sip_from->a_url);
	call->contact = contact_for(call, sip);
	return call->contact && call->sip_call_id ? 0 : -ENOMEM;
}

static void start(struct agent *a, nta_incoming_t *irq, msg_t *msg, const sip_t *sip,
		  const struct sdp *offer)
{
	struct call *call = call_new(a, a->next_number, CALL_OFFERED);

	if (!call) {
		refuse(irq, SIP_503_SERVICE_UNAVAILABLE, NULL);
		nta_incoming_destroy(irq);
		return;
	}
	a->next_number += 2;
	agent_source(msg, &call->peer);
	call->peer_tcp = su_casematch(sip->sip_via->v_protocol, sip_transport_tcp);
	call->offer = *offer;
	call->late_offer = offer->nlines == 0;
	call->local.session = (uint64_t)su_randint(1, 0x7fffffff);
	if (make_dialog(call, irq, sip)) {
		refuse(irq, SIP_503_SERVICE_UNAVAILABLE, NULL);
		nta_incoming_destroy(irq);
		call_finish(call);
		return;
	}
	call->invite = irq;
	nta_incoming_bind(irq, on_cancel, call);
	nta_incoming_treply(irq, SIP_100_TRYING, TAG_END());
	tell_incoming(call, sip);
}

void incoming_invite(struct agent *a, nta_agent_t *nta, msg_t *msg, sip_t *sip)
{
	nta_incoming_t *irq;
	struct sdp offer = { 0 };

	msg_ref(msg); /* for its source, behind the transaction's end */
	irq = nta_incoming_create(nta, NULL, msg, sip, TAG_END());
	if (irq && check_invite(a, irq, msg, sip, &offer))
		nta_incoming_destroy(irq);
	else if (irq)
		start(a, irq, msg, sip, &offer);
	msg_destroy(msg);
}

/* ---- what the server decides ---- */

static int describe(struct call *call, const SipAgent__Audio *pb)
{
	struct sdp_audio ours;

	if (wire_audio_get(pb, &ours))
		return -EINVAL;
	return sdp_write(&call->local, &ours, call->offer.nlines ? &call->offer : NULL);
}

/* The server's answer cannot be written: no call, but no half call either. */
static void fail(struct call *call)
{
	refuse(call->invite, SIP_500_INTERNAL_SERVER_ERROR, NULL);
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__BROKEN,
						.code = 500,
						.phrase = "the answer cannot be written" });
	call_finish(call);
}

void incoming_ring(struct call *call, const SipAgent__Ring *ring)
{
	if (call->state != CALL_OFFERED || ring->code < 180 || ring->code > 189)
		return;
	if (ring->audio && call->late_offer)
		return; /* an offer needs a reliable response */
	if (ring->audio && describe(call, ring->audio)) {
		fail(call);
		return;
	}
	call->ring_audio = ring->audio != NULL;
	call_reply(call, call->invite, (int)ring->code, call->ring_audio);
	call_start_resending(call, (int)ring->code);
}

void incoming_answer(struct call *call, const SipAgent__Answer *answer)
{
	if (call->state != CALL_OFFERED)
		return;
	if (!answer->audio || describe(call, answer->audio) ||
	    call_reply(call, call->invite, 200, true) < 0) {
		fail(call);
		return;
	}
	call_enter(call, CALL_ANSWERED);
	call_start_resending(call, 200);
}

void incoming_reject(struct call *call, const SipAgent__Reject *r)
{
	char after[16], warning[192];
	unsigned code = r->code >= 300 && r->code <= 699 ? r->code : 500;

	if (call->state != CALL_OFFERED || !agent_text_ok(r->phrase) || !agent_text_ok(r->reason) ||
	    !agent_text_ok(r->warning))
		return;
	snprintf(after, sizeof(after), "%u", r->retry_after_s);
	snprintf(warning, sizeof(warning), "399 cig \"%.160s\"", r->warning);
	for (char *p = warning + 9; *p && p[1]; p++)
		if (*p == '"' || *p == '\\')
			*p = '\''; /* it is a quoted string */
	nta_incoming_treply(call->invite, (int)code, agent_text(r->phrase),
			    SIPTAG_REASON_STR(agent_text(r->reason)),
			    TAG_IF(r->retry_after_s, SIPTAG_RETRY_AFTER_STR(after)),
			    TAG_IF(r->warning[0], SIPTAG_WARNING_STR(warning)), TAG_END());
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__FAILED,
						.code = code,
						.phrase = agent_text(r->phrase) });
	call_finish(call);
}

/* ---- the ACK ---- */

/* The answer to our offer, where the ACK has to bring it. */
static int late_answer(struct call *call, const sip_t *ack, struct wire_audio *audio,
		       SipAgent__Confirmed *event)
{
	if (!call->late_offer)
		return 0;
	if (body_kind(ack) != BODY_SDP || body_sdp(ack, &call->offer, NULL))
		return -EINVAL;
	wire_audio_put(&call->offer.audio, audio);
	event->audio = &audio->pb;
	return 0;
}

void incoming_acknowledged(struct call *call, const sip_t *ack)
{
	SipAgent__Confirmed event = SIP_AGENT__CONFIRMED__INIT;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	SipAgent__Dialog dialog;
	SipAgent__Target hop;
	struct wire_audio audio;

	call_stop_resending(call);
	nta_incoming_destroy(call->invite);
	call->invite = NULL;
	call_enter(call, CALL_UP);
	event.call = call->node.key;
	if (late_answer(call, ack, &audio, &event)) {
		call->agent->malformed++;
		call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__BROKEN,
							.code = 488,
							.phrase = "no usable answer in the ACK" });
		call_send_bye(call);
	} else {
		call_dialog(call, home, &dialog, &hop);
		event.dialog = &dialog;
		agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED, &event);
	}
	call->late_offer = false;
	if (call->wants_bye && call->state == CALL_UP)
		call_send_bye(call);
	su_home_deinit(home);
}
