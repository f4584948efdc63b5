/* incoming.c - calls from the PBX network: refused at the door, told to the server,
 * rung, answered, acknowledged. */
#include "gateway/sip/agent.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "gateway/sip_wire.h"

/* ---- refusing at the door: stateless, so that nothing piles up ---- */

static int refuse(nta_agent_t *nta, msg_t *msg, int status, const char *phrase, const char *why)
{
	char warning[192];

	/* RFC 3261 20.43: 399 is a warning in words; "cig" is its agent. */
	snprintf(warning, sizeof(warning), "399 cig \"%s\"", why ? why : "");
	return nta_msg_treply(nta, msg, status, phrase, SIPTAG_ACCEPT_STR(AGENT_ACCEPT),
			      TAG_IF(why, SIPTAG_WARNING_STR(warning)), TAG_END());
}

static void refuse_full(struct agent *a, nta_agent_t *nta, msg_t *msg)
{
	char after[16];

	a->overload++;
	snprintf(after, sizeof(after), "%d", AGENT_RETRY_AFTER_S);
	nta_msg_treply(nta, msg, SIP_503_SERVICE_UNAVAILABLE, SIPTAG_RETRY_AFTER_STR(after),
		       TAG_END());
}

/* What the peer requires and we do not support (RFC 3261 8.2.2.3); "" for nothing. */
static const char *unsupported(const sip_t *sip, su_home_t *home)
{
	const sip_require_t *require = sip->sip_require;
	const char *list = "";

	for (size_t i = 0; require && require->k_items && require->k_items[i]; i++)
		if (strcasecmp(require->k_items[i], "timer") != 0 &&
		    strcasecmp(require->k_items[i], "100rel") != 0)
			list = su_sprintf(home, "%s%s%s", list, list[0] ? ", " : "",
					  require->k_items[i]);
	return list;
}

static void refuse_required(nta_agent_t *nta, msg_t *msg, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };

	nta_msg_treply(nta, msg, SIP_420_BAD_EXTENSION,
		       SIPTAG_UNSUPPORTED_STR(unsupported(sip, home)), TAG_END());
	su_home_deinit(home);
}

static bool requires_too_much(const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	bool too_much = unsupported(sip, home)[0] != '\0';

	su_home_deinit(home);
	return too_much;
}

/* RFC 4028 6: 422 with what would do. */
static void refuse_session(struct agent *a, nta_agent_t *nta, msg_t *msg)
{
	char min[16];

	snprintf(min, sizeof(min), "%u", a->min_session_s);
	nta_msg_treply(nta, msg, 422, "Session Interval Too Small", SIPTAG_MIN_SE_STR(min),
		       TAG_END());
}

static void refuse_sdp(struct agent *a, nta_agent_t *nta, msg_t *msg, int err, const char *why)
{
	struct net_addr source;
	char text[192];

	agent_source(msg, &source);
	if (err == -ENOTSUP) {
		snprintf(text, sizeof(text), "an offer that cannot be taken (488): %s",
			 why ? why : "no audio");
		agent_refused(a, &a->offer_limit, &source, text);
		refuse(nta, msg, SIP_488_NOT_ACCEPTABLE, why);
		return;
	}
	a->malformed++;
	agent_refused(a, &a->malformed_limit, &source, "malformed SDP (400)");
	refuse(nta, msg, SIP_400_BAD_REQUEST, why);
}

/* May the INVITE become a call?  Otherwise it has been answered and msg is gone. */
static bool admit(struct agent *a, nta_agent_t *nta, msg_t *msg, const sip_t *sip,
		  struct sdp *offer)
{
	enum body_kind kind = body_kind(sip);
	const char *why = NULL;
	int err = kind == BODY_SDP ? body_sdp(sip, offer, &why) : 0;

	if (requires_too_much(sip))
		refuse_required(nta, msg, sip);
	else if (session_check(a, sip))
		refuse_session(a, nta, msg);
	else if (!sip->sip_contact)
		refuse(nta, msg, 400, "Missing Contact Header", NULL);
	else if (agent_is_full(a))
		refuse_full(a, nta, msg);
	else if (kind == BODY_OTHER)
		refuse(nta, msg, SIP_415_UNSUPPORTED_MEDIA, NULL);
	else if (err)
		refuse_sdp(a, nta, msg, err, why);
	else
		return true;
	return false;
}

/* ---- the caller gives up ---- */

static int on_cancel(void *arg, nta_incoming_t *irq, const sip_t *sip)
{
	struct call *call = arg;
	su_home_t home[1] = { SU_HOME_INIT(home) };

	if (!sip || sip->sip_request->rq_method != sip_method_cancel || irq != call->invite)
		return 0;
	call->invite = NULL;
	agent_let_go(call->agent, irq); /* the library sends 487 */
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__CANCELLED,
						.code = 487,
						.phrase = "Request Terminated",
						.reason = body_header(home, sip->sip_reason) });
	call_finish(call);
	su_home_deinit(home);
	return 0;
}

/* ---- telling the server ---- */

static void tell_incoming(struct call *call, const sip_t *sip)
{
	SipAgent__Incoming event = SIP_AGENT__INCOMING__INIT;
	SipAgent__Target source;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char *identities[BODY_MAX_ASSERTED], *authorizations[BODY_MAX_AUTHORIZATIONS];
	struct wire_sdp sdp;

	event.call = call->node.key;
	event.request_uri = body_called(call->agent, home, sip->sip_request->rq_url);
	hop_target(&call->peer, home, &source);
	event.from_uri = body_caller(home, sip->sip_from->a_url, source.address);
	event.from_name = body_name(home, sip->sip_from->a_display);
	event.to_uri = body_url(home, sip->sip_to->a_url);
	event.call_id = call->sip_call_id;
	event.source = &source;
	if (call->offer.nlines) {
		wire_sdp_put(&call->offer, &sdp);
		event.offer = &sdp.audio.pb;
	}
	event.n_asserted_uris = body_asserted(sip, home, source.address, identities);
	event.asserted_uris = identities;
	event.anonymous = body_is_anonymous(sip);
	event.n_authorizations = body_authorizations(sip, home, authorizations);
	event.authorizations = authorizations;
	event.reliable = call->reliable.wanted;
	event.user_agent = body_header(home, sip->sip_user_agent);
	agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_INCOMING, &event);
	su_home_deinit(home);
}

/* ---- a new call ---- */

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
	call->contact = hop_contact(call->agent, call->home, sip->sip_request->rq_url->url_user,
				    call->peer.transport);
	return call->contact && call->sip_call_id ? 0 : -ENOMEM;
}

/* Fills a new call; its INVITE becomes a transaction. */
static int start(struct call *call, nta_agent_t *nta, msg_t *msg, sip_t *sip)
{
	uint32_t min_s;

	hop_of_message(msg, sip, &call->peer);
	call_take_allow(call, sip);
	session_take_request(call, sip, &min_s);
	call->reliable.wanted = sip_has_feature(sip->sip_require, "100rel");
	call->late_offer = call->offer.nlines == 0;
	/* RFC 4566 5.2: the session's number in o=; any that is not used again will do. */
	call->local.session = (uint64_t)su_randint(1, 0x7fffffff);
	call->invite = nta_incoming_create(nta, NULL, msg, sip, TAG_END());
	if (!call->invite)
		return -ENOMEM; /* msg is gone, too */
	/* Held while the call lasts: answers and requests go back by it. */
	if (call->peer.transport != SIP_AGENT__TRANSPORT__UDP)
		call->connection = nta_incoming_transport(nta, call->invite, NULL);
	nta_incoming_bind(call->invite, on_cancel, call);
	return make_dialog(call, call->invite, sip);
}

void incoming_invite(struct agent *a, nta_agent_t *nta, msg_t *msg, sip_t *sip)
{
	struct sdp offer = { 0 };
	struct call *call;

	if (!admit(a, nta, msg, sip, &offer))
		return;
	call = call_new(a, a->next_number, CALL_OFFERED);
	if (!call) {
		refuse_full(a, nta, msg);
		return;
	}
	a->next_number += 2;
	call->offer = offer;
	if (start(call, nta, msg, sip)) {
		call->told = true; /* the server never heard of it */
		call_hangup(call, "");
		return;
	}
	/* 100 within 200 ms, so that the caller does not repeat its INVITE while the server
	 * thinks. */
	call_start_resending(call, 100);
	tell_incoming(call, sip);
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
	call_refuse_invite(call, 500, &(struct call_refusal){ 0 });
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__BROKEN,
						.code = 500,
						.phrase = "the answer cannot be written" });
	call_finish(call);
}

void incoming_ring(struct call *call, const SipAgent__Ring *ring)
{
	if (call->state != CALL_OFFERED || ring->code < 180 || ring->code > 189)
		return;
	if (ring->audio && call->late_offer && !call->reliable.wanted)
		return; /* an offer needs a reliable response */
	if (call->reliable.pending)
		return; /* one at a time (RFC 3262 3) */
	if (ring->audio && describe(call, ring->audio)) {
		fail(call);
		return;
	}
	call->ring_audio = ring->audio != NULL;
	if (call->reliable.wanted) {
		reliable_ring(call, (int)ring->code);
		return;
	}
	call_reply(call, call->invite, (int)ring->code, call->ring_audio);
	call_start_resending(call, (int)ring->code);
}

void incoming_send_answer(struct call *call)
{
	call->reliable.deferred = false;
	if (call_reply(call, call->invite, 200, !call->reliable.answered) < 0) {
		fail(call);
		return;
	}
	call_enter(call, CALL_ANSWERED);
	call_start_resending(call, 200);
}

void incoming_give_up(struct call *call)
{
	call_refuse_invite(call, RELIABLE_GIVE_UP, &(struct call_refusal){ 0 });
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__NO_ACK,
						.code = RELIABLE_GIVE_UP,
						.phrase = "no PRACK came" });
	call_finish(call);
}

void incoming_answer(struct call *call, const SipAgent__Answer *answer)
{
	if (call->state != CALL_OFFERED || call->reliable.deferred)
		return;
	/* what the PRACK has settled needs no SDP any more */
	if (!answer->audio || (!call->reliable.answered && describe(call, answer->audio)))
		fail(call);
	else if (call->reliable.pending)
		call->reliable.deferred = true; /* RFC 3262 3: the offer there is open still */
	else
		incoming_send_answer(call);
}

void incoming_reject(struct call *call, const SipAgent__Reject *r)
{
	unsigned code = r->code >= 300 && r->code <= 699 ? r->code : 500;
	struct call_refusal refusal = { .retry_after_s = r->retry_after_s,
					.challenges = r->challenges,
					.n_challenges = r->n_challenges };

	if (call->state != CALL_OFFERED)
		return;
	refusal.phrase = agent_text_ok(r->phrase) ? agent_text(r->phrase) : NULL;
	refusal.reason = agent_text_ok(r->reason) ? agent_text(r->reason) : NULL;
	refusal.warning = agent_text_ok(r->warning) ? agent_text(r->warning) : NULL;
	call_refuse_invite(call, (int)code, &refusal);
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__FAILED,
						.code = code,
						.phrase = refusal.phrase });
	call_finish(call);
}

/* ---- the ACK ---- */

/* The answer to our offer, where the ACK has to bring it. */
static int late_answer(struct call *call, const sip_t *ack, struct wire_sdp *sdp,
		       SipAgent__Confirmed *event)
{
	if (!call->late_offer && !call->reliable.answered)
		return 0;
	if (!call->reliable.answered &&
	    (body_kind(ack) != BODY_SDP || body_sdp(ack, &call->offer, NULL)))
		return -EINVAL;
	wire_sdp_put(&call->offer, sdp);
	event->audio = &sdp->audio.pb;
	return 0;
}

void incoming_acknowledged(struct call *call, const sip_t *ack)
{
	SipAgent__Confirmed event = SIP_AGENT__CONFIRMED__INIT;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	SipAgent__Dialog dialog;
	SipAgent__Target hop;
	struct wire_sdp sdp;

	call_stop_resending(call);
	nta_incoming_destroy(call->invite);
	call->invite = NULL;
	call_enter(call, CALL_UP);
	session_start(call);
	event.call = call->node.key;
	if (late_answer(call, ack, &sdp, &event)) {
		call->agent->malformed++;
		call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__BROKEN,
							.code = 488,
							.phrase = "no usable answer in the ACK" });
		call_send_bye(call);
	} else {
		call_dialog(call, home, &dialog, &hop);
		event.dialog = &dialog;
		/* an answer is for the media at once; a dialog to be remembered can wait */
		(event.audio ? agent_send : agent_send_lazily)(
			call->agent, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED, &event);
	}
	call->late_offer = false;
	/* The hangup came before the ACK: now BYE may follow (RFC 3261 15). */
	if (call->wants_bye && call->state == CALL_UP)
		call_send_bye(call);
	su_home_deinit(home);
}
