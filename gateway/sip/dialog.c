/* dialog.c - what the peer asks for within a dialog; who asks from where it may not
 * gets 403, in a dialog as well. */
#include "gateway/sip/agent.h"

#include <errno.h>
#include <stdio.h>

#include "gateway/sip_wire.h"

static int refuse(nta_incoming_t *irq, int status, const char *phrase)
{
	nta_incoming_treply(irq, status, phrase, SIPTAG_ALLOW_STR(AGENT_ALLOW),
			    SIPTAG_ACCEPT_STR(AGENT_ACCEPT), TAG_END());
	return status;
}

static bool is_trusted(const struct call *call, nta_incoming_t *irq)
{
	msg_t *msg = nta_incoming_getrequest(irq);
	struct net_addr source;

	agent_source(msg, &source);
	msg_destroy(msg);
	return agent_trusts(call->agent, &source);
}

/* ---- ACK ---- */

static void change_acknowledged(struct call *call, const sip_t *ack)
{
	SipAgent__Confirmed event = SIP_AGENT__CONFIRMED__INIT;
	struct wire_sdp sdp;
	struct sdp answer;

	call_stop_resending(call);
	call_enter(call, CALL_UP);
	nta_incoming_destroy(call->change);
	call->change = NULL;
	event.call = call->node.key;
	if (call->late_offer && body_kind(ack) == BODY_SDP && body_sdp(ack, &answer, NULL) == 0) {
		call->offer = answer;
		wire_sdp_put(&answer, &sdp);
		event.audio = &sdp.audio.pb;
	}
	call->late_offer = false;
	agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED, &event);
	reoffer_next(call);
}

static void on_ack(struct call *call, const sip_t *sip)
{
	/* The ACK of another INVITE: late, or of one that was refused (the library takes
	 * those). */
	if (sip->sip_cseq->cs_seq != call->invite_seq)
		return;
	if (call->state == CALL_ANSWERED)
		incoming_acknowledged(call, sip);
	else if (call->state == CALL_UP && call->change && call->change_answered)
		change_acknowledged(call, sip);
}

/* ---- BYE ---- */

/* Answers what the peer's BYE leaves open. */
static void close_transactions(struct call *call)
{
	if (call->state == CALL_OFFERED)
		call_refuse_invite(call, 487, &(struct call_refusal){ 0 });
	if (call->change && !call->change_answered)
		nta_incoming_treply(call->change, SIP_487_REQUEST_TERMINATED, TAG_END());
}

static int on_bye(struct call *call, const sip_t *sip)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };

	if (call->state == CALL_CLOSING || call->state == CALL_CLOSING_ASKING)
		return 200; /* it crossed ours, whose own answer ends the call */
	close_transactions(call);
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__PEER_BYE,
						.reason = body_header(home, sip->sip_reason) });
	su_home_deinit(home);
	call_finish(call);
	return 200;
}

/* ---- re-INVITE and UPDATE ---- */

static int on_change_cancel(void *arg, nta_incoming_t *irq, const sip_t *sip)
{
	struct call *call = arg;

	if (sip && sip->sip_request->rq_method == sip_method_cancel && irq == call->change &&
	    !call->change_answered) {
		call->change = NULL;
		nta_incoming_destroy(irq); /* the library sends 487 */
	}
	return 0;
}

static void tell_change(struct call *call)
{
	SipAgent__Change event = SIP_AGENT__CHANGE__INIT;
	struct wire_sdp sdp;

	event.call = call->node.key;
	if (!call->late_offer) {
		wire_sdp_put(&call->offer, &sdp);
		event.offer = &sdp.audio.pb;
	}
	agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_CHANGE, &event);
}

static int too_early(nta_incoming_t *irq)
{
	char after[16];

	snprintf(after, sizeof(after), "%d", su_randint(0, 10)); /* RFC 3261 14.2 */
	nta_incoming_treply(irq, SIP_500_INTERNAL_SERVER_ERROR, SIPTAG_RETRY_AFTER_STR(after),
			    TAG_END());
	return 500;
}

static int take_change_body(struct call *call, nta_incoming_t *irq, const sip_t *sip)
{
	enum body_kind kind = body_kind(sip);
	struct sdp offer = { 0 };
	const char *why;
	int err = kind == BODY_SDP ? body_sdp(sip, &offer, &why) : 0;

	if (kind == BODY_OTHER)
		return refuse(irq, SIP_415_UNSUPPORTED_MEDIA);
	if (err == -ENOTSUP)
		return refuse(irq, SIP_488_NOT_ACCEPTABLE);
	if (err) {
		call->agent->malformed++;
		return refuse(irq, SIP_400_BAD_REQUEST);
	}
	/* RFC 3261 14.1: a re-INVITE without a body asks for our offer. */
	call->late_offer = kind == BODY_NONE;
	call->offer = offer;
	return 0;
}

/* RFC 4028 6 */
static int session_too_small(nta_incoming_t *irq, uint32_t min_s)
{
	char min[16];

	snprintf(min, sizeof(min), "%u", min_s);
	nta_incoming_treply(irq, 422, "Session Interval Too Small", SIPTAG_MIN_SE_STR(min),
			    TAG_END());
	return 422;
}

/* An UPDATE without a body: the session is refreshed, and perhaps the target.  It holds no offer,
 * so it crosses none (RFC 3311 5.2), and may come before the answer: PBXs tell so who it is that
 * rings. */
static int on_refresh(struct call *call, nta_incoming_t *irq, const sip_t *sip)
{
	bool up = call->state == CALL_UP;
	uint32_t min_s;
	int status = nta_check_required(irq, sip, sip_supported_make(call->home, "timer, 100rel"),
					TAG_END());

	if (!status && up && session_take_request(call, sip, &min_s))
		status = session_too_small(irq, min_s);
	if (status)
		return status;
	call_take_allow(call, sip);
	if (sip->sip_contact)
		nta_leg_server_route(call->leg, NULL, sip->sip_contact);
	if (up)
		session_start(call);
	call_reply(call, irq, 200, false);
	return 200;
}

static bool is_open(const struct call *call)
{
	return call->state <= CALL_ASKING || call->state == CALL_UP;
}

static int on_change(struct call *call, nta_incoming_t *irq, const sip_t *sip)
{
	bool invite = sip->sip_request->rq_method == sip_method_invite;
	uint32_t min_s;
	int status;

	if (!invite && body_kind(sip) == BODY_NONE && is_open(call))
		return on_refresh(call, irq, sip);
	if (call->state == CALL_UP && call->change && call->change_answered) {
		call_stop_resending(call); /* a new one: the last answer did arrive */
		call_enter(call, CALL_UP);
		nta_incoming_destroy(call->change);
		call->change = NULL;
	}
	if (call->state != CALL_UP || call->change)
		return too_early(irq);
	if (reoffer_crosses(call)) /* RFC 3261 14.2 */
		return refuse(irq, SIP_491_REQUEST_PENDING);
	status = nta_check_required(irq, sip, sip_supported_make(call->home, "timer, 100rel"),
				    TAG_END());
	if (!status && session_take_request(call, sip, &min_s))
		status = session_too_small(irq, min_s);
	call_take_allow(call, sip);
	if (!status)
		status = take_change_body(call, irq, sip);
	if (status)
		return status;
	if (invite)
		call->invite_seq = sip->sip_cseq->cs_seq;
	call->change = irq;
	call->change_answered = false;
	nta_incoming_bind(irq, on_change_cancel, call);
	if (invite)
		nta_incoming_treply(irq, SIP_100_TRYING, TAG_END());
	tell_change(call);
	return 0;
}

static void refresh_target(struct call *call)
{
	SipAgent__DialogChanged event = SIP_AGENT__DIALOG_CHANGED__INIT;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	msg_t *msg = nta_incoming_getrequest(call->change);
	const sip_t *sip = sip_object(msg);
	SipAgent__Dialog dialog;
	SipAgent__Target hop;

	if (sip && sip->sip_contact) {
		nta_leg_server_route(call->leg, NULL, sip->sip_contact);
		call_dialog(call, home, &dialog, &hop);
		event.call = call->node.key;
		event.dialog = &dialog;
		agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_DIALOG_CHANGED, &event);
	}
	msg_destroy(msg);
	su_home_deinit(home);
}

void dialog_answer_change(struct call *call, const SipAgent__ChangeAnswer *answer)
{
	struct sdp_audio ours;

	if (call->state != CALL_UP || !call->change || call->change_answered)
		return;
	if (!answer->audio || wire_audio_get(answer->audio, &ours) ||
	    sdp_write(&call->local, &ours, call->late_offer ? NULL : &call->offer)) {
		refuse(call->change, SIP_500_INTERNAL_SERVER_ERROR);
		nta_incoming_destroy(call->change);
		call->change = NULL;
		return;
	}
	/* RFC 3261 12.2.2: the target changes with the 2xx, so not before it. */
	refresh_target(call);
	session_start(call);
	call_reply(call, call->change, 200, true);
	if (nta_incoming_method(call->change) == sip_method_invite) {
		call->change_answered = true;
		call_start_resending(call, 200);
		call_await_ack(call);
		return;
	}
	/* UPDATE has no ACK: its 200 ends it. */
	nta_incoming_destroy(call->change);
	call->change = NULL;
	reoffer_next(call);
}

void dialog_reject_change(struct call *call, const SipAgent__ChangeReject *reject)
{
	unsigned code = reject->code >= 300 && reject->code <= 699 ? reject->code : 500;

	if (call->state != CALL_UP || !call->change || call->change_answered)
		return;
	refuse(call->change, (int)code,
	       agent_text_ok(reject->phrase) ? agent_text(reject->phrase) : NULL);
	nta_incoming_destroy(call->change);
	call->change = NULL;
	reoffer_next(call);
}

/* ---- all requests of a dialog ---- */

static int request(struct call *call, nta_incoming_t *irq, const sip_t *sip)
{
	switch (sip->sip_request->rq_method) {
	case sip_method_bye:
		return on_bye(call, sip);
	case sip_method_invite:
	case sip_method_update:
		return on_change(call, irq, sip);
	case sip_method_prack:
		return reliable_acknowledged(call, irq, sip);
	case sip_method_info:
		return digit_take(call, sip);
	case sip_method_options:
		return refuse(irq, SIP_200_OK);
	case sip_method_cancel: /* of what has been answered */
		return refuse(irq, SIP_481_NO_TRANSACTION);
	case sip_method_refer:
		return refuse(irq, SIP_603_DECLINE);
	case sip_method_unknown:
		return refuse(irq, SIP_501_NOT_IMPLEMENTED);
	default:
		return refuse(irq, SIP_405_METHOD_NOT_ALLOWED);
	}
}

int dialog_request(struct call *call, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
	sip_method_t method = sip->sip_request->rq_method;

	(void)leg;
	if (!is_trusted(call, irq)) {
		call->agent->strangers++;
		return 403;
	}
	if (method == sip_method_ack) {
		on_ack(call, sip);
		return 200; /* lets the library forget it; an ACK is never answered */
	}
	if (call->state == CALL_GONE)
		return 481;
	if (!sip->sip_to->a_tag) /* a second request of the same names beside the first */
		return method == sip_method_invite ? 482 : 481;
	if (sip->sip_cseq->cs_seq < call->remote_seq)
		return 500; /* RFC 3261 12.2.2 */
	call->remote_seq = sip->sip_cseq->cs_seq;
	return request(call, irq, sip);
}
