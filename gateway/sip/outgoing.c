/* outgoing.c - calls of ours until they are up: INVITE, its responses, challenges,
 * CANCEL. */
#include "gateway/sip/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/sip_wire.h"

/* What the server may wish for; timer B is 32 s. */
enum { LONGEST_ANSWER_MS = 60000 };
enum { HEADERS_ABOUT = 700 /* octets of an INVITE besides what we put in */ };

static int on_response(void *arg, nta_outgoing_t *out, const sip_t *sip);

/* ---- starting ---- */

static void give_up(struct call *call, const char *why)
{
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__BROKEN, .phrase = why });
	call_finish(call);
}

static int take_extra(struct call *call, const SipAgent__Invite *invite)
{
	call->extra = NULL;
	for (size_t i = 0; i < invite->n_extra; i++) {
		if (!agent_text_ok(invite->extra[i]))
			return -EINVAL;
		call->extra = su_sprintf(call->home, "%s%s\r\n", call->extra ? call->extra : "",
					 invite->extra[i]);
	}
	return 0;
}

static int take_texts(struct call *call, const SipAgent__Invite *invite)
{
	const char *asserted = agent_text(invite->asserted_uri);

	if (!agent_uri_ok(call->home, invite->request_uri) ||
	    !agent_uri_ok(call->home, invite->from_uri) ||
	    !agent_uri_ok(call->home, invite->to_uri) || !agent_text_ok(invite->from_name) ||
	    !agent_text_ok(invite->contact_user) || strpbrk(invite->contact_user, " <>\"@") ||
	    (asserted && !agent_uri_ok(call->home, asserted)))
		return -EINVAL;
	call->request_uri = su_strdup(call->home, invite->request_uri);
	call->local_uri = su_strdup(call->home, invite->from_uri);
	call->remote_uri = su_strdup(call->home, invite->to_uri);
	call->contact =
		hop_contact(call->agent, call->home, invite->contact_user, call->peer.transport);
	if (asserted)
		call->asserted = su_sprintf(call->home, "P-Asserted-Identity: <%s>\r\n", asserted);
	return take_extra(call, invite);
}

static int take_offer(struct call *call, const SipAgent__Invite *invite)
{
	struct sdp_audio ours;

	call->local.session = strtoull(invite->session, NULL, 10);
	if (call->local.session == 0)
		call->local.session = (uint64_t)su_randint(1, 0x7fffffff);
	if (!invite->offer || wire_audio_get(invite->offer, &ours))
		return -EINVAL;
	return sdp_write(&call->local, &ours, NULL);
}

static int make_dialog(struct call *call, const SipAgent__Invite *invite)
{
	const char *from = agent_name_addr(call->home, invite->from_name, call->local_uri);
	const char *to = agent_name_addr(call->home, "", call->remote_uri);

	call->sip_call_id = agent_new_call_id(call->home);
	if (!call->sip_call_id || !from || !to)
		return -ENOMEM;
	call->leg = nta_leg_tcreate(call->agent->nta, dialog_request, call,
				    SIPTAG_CALL_ID_STR(call->sip_call_id), SIPTAG_FROM_STR(from),
				    SIPTAG_TO_STR(to), TAG_END());
	return call->leg && nta_leg_tag(call->leg, NULL) ? 0 : -ENOMEM;
}

/* RFC 3261 18.1.1, but by our own setting: many PBXs do not listen on TCP. */
static bool too_big_for_udp(const struct call *call)
{
	size_t n = HEADERS_ABOUT + 2 * strlen(call->request_uri) + strlen(call->local_uri) +
		   strlen(call->local.text) + strlen(call->contact) +
		   (call->extra ? strlen(call->extra) : 0) +
		   (call->authorization ? strlen(call->authorization) : 0) +
		   (call->proxy_authorization ? strlen(call->proxy_authorization) : 0);

	return n > call->agent->udp_mtu;
}

void outgoing_send_invite(struct call *call)
{
	struct hop hop = call->peer;
	su_home_t home[1] = { SU_HOME_INIT(home) };

	if (hop.transport == SIP_AGENT__TRANSPORT__UDP && !call->grown && too_big_for_udp(call)) {
		/* Once: where TCP is refused, on_failure() sends it over UDP. */
		hop.transport = SIP_AGENT__TRANSPORT__TCP;
		call->grown = true;
	}
	hop_route(&hop, call->route);
	nta_outgoing_destroy(call->out);
	call->out = nta_outgoing_tcreate(
		call->leg, on_response, call, (url_string_t *)call->route, SIP_METHOD_INVITE,
		(url_string_t *)call->request_uri, SIPTAG_CONTACT_STR(call->contact),
		SIPTAG_ALLOW_STR(AGENT_ALLOW), SIPTAG_USER_AGENT_STR(call->agent->user_agent),
		SIPTAG_SUPPORTED_STR(call->reliable.wanted ? "timer, 100rel" : "timer"),
		SIPTAG_SESSION_EXPIRES_STR(session_header(call, true, home)),
		SIPTAG_MIN_SE_STR(session_min_header(call, home)),
		SIPTAG_AUTHORIZATION_STR(call->authorization),
		SIPTAG_PROXY_AUTHORIZATION_STR(call->proxy_authorization),
		TAG_IF(call->asserted, SIPTAG_HEADER_STR(call->asserted)),
		TAG_IF(call->extra, SIPTAG_HEADER_STR(call->extra)),
		SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(call->local.text),
		TAG_END());
	su_home_deinit(home);
	if (!call->out) {
		give_up(call, "the INVITE cannot be written");
		return;
	}
	/* For ACK and PRACK, which name the INVITE by it. */
	call->local_seq = nta_outgoing_cseq(call->out);
	call_enter(call, CALL_CALLING);
}

void outgoing_start(struct agent *a, const SipAgent__Invite *invite)
{
	struct call *call;

	/* A number that is there already: the server is our own build, so this cannot be. */
	if (call_find(a, invite->call))
		return;
	call = call_new(a, invite->call, CALL_CALLING);
	if (!call) {
		SipAgent__Ended ended = SIP_AGENT__ENDED__INIT;

		ended.call = invite->call;
		ended.cause = SIP_AGENT__CAUSE__BROKEN;
		agent_send(a, SIP_AGENT__FROM_AGENT__BODY_ENDED, &ended);
		return;
	}
	call->caller = call->session.refresh = true;
	call->reliable.wanted = invite->reliable;
	call->session.expires_s = a->session_s;
	call->session.min_s = a->min_session_s;
	call->answer_ms =
		invite->answer_ms < LONGEST_ANSWER_MS ? invite->answer_ms : LONGEST_ANSWER_MS;
	if (hop_of_target(invite->target, &call->peer) ||
	    (call->peer.transport == SIP_AGENT__TRANSPORT__TLS && !a->tls_port) ||
	    take_texts(call, invite))
		give_up(call, "a URI, name, header or target cannot be used");
	else if (take_offer(call, invite))
		give_up(call, "the offer cannot be written");
	else if (make_dialog(call, invite))
		give_up(call, "out of memory");
	else
		outgoing_send_invite(call);
}

/* ---- cancelling ---- */

/* Our own, not nta_outgoing_tcancel(): over TCP that forgets the INVITE at once, so that
 * its 487 is never acknowledged, and before a provisional response it leaves a
 * delayed request whose early answer aborts the program. */
void outgoing_send_cancel(struct call *call)
{
	msg_t *request = nta_outgoing_getrequest(call->out);
	msg_t *msg = nta_msg_create(call->agent->nta, 0);
	const sip_t *invite = sip_object(request);
	su_home_t *home = msg ? msg_home(msg) : NULL;
	nta_outgoing_t *cancel = NULL;

	call->cancelled = true;
	if (msg && invite)
		cancel = nta_outgoing_mcreate(
			call->agent->nta, NULL, NULL, (url_string_t *)call->route, msg,
			NTATAG_BRANCH_KEY(nta_outgoing_branch(call->out)),
			SIPTAG_REQUEST(sip_request_create(
				home, SIP_METHOD_CANCEL,
				(url_string_t *)invite->sip_request->rq_url, NULL)),
			SIPTAG_FROM(invite->sip_from), SIPTAG_TO(invite->sip_to),
			SIPTAG_CALL_ID(invite->sip_call_id),
			SIPTAG_CSEQ(
				sip_cseq_create(home, invite->sip_cseq->cs_seq, SIP_METHOD_CANCEL)),
			SIPTAG_MAX_FORWARDS_STR("70"), SIPTAG_REASON_STR(call->reason), TAG_END());
	if (!cancel)
		msg_destroy(msg);
	msg_destroy(request);
}

/* ---- responses ---- */

static void on_provisional(struct call *call, const sip_t *sip, int status)
{
	SipAgent__Trying trying = SIP_AGENT__TRYING__INIT;
	SipAgent__Ringing ringing = SIP_AGENT__RINGING__INIT;
	struct wire_sdp wire;
	struct sdp sdp;

	/* RFC 3261 9.1: the CANCEL that had to wait for this response. */
	if (call->state == CALL_CANCELLING && !call->cancelled)
		outgoing_send_cancel(call);
	if (call->state != CALL_CALLING && call->state != CALL_PROCEEDING)
		return;
	if (call->state == CALL_CALLING) {
		call_enter(call, CALL_PROCEEDING);
		trying.call = call->node.key;
		agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_TRYING, &trying);
	}
	/* Before the server hears of it: a PRACK must not wait (RFC 3262 4). */
	reliable_take(call, sip);
	if (status < 180)
		return;
	ringing.call = call->node.key;
	ringing.code = (uint32_t)status;
	if (body_kind(sip) == BODY_SDP && body_sdp(sip, &sdp, NULL) == 0) {
		/* Kept: a 200 without SDP confirms it. */
		call->early = sdp;
		wire_sdp_put(&call->early, &wire);
		ringing.audio = &wire.audio.pb;
	}
	agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_RINGING, &ringing);
}

/* The audio of a 200, or of the provisional response before it. */
static int answered_sdp(struct call *call, const sip_t *sip, struct sdp *out)
{
	if (body_kind(sip) == BODY_SDP)
		return body_sdp(sip, out, NULL) ? -EINVAL : 0;
	/* RFC 3261 13.2.1: an answer in a reliable provisional response need not be repeated. */
	*out = call->early;
	return out->nlines ? 0 : -EINVAL;
}

static void tell_answered(struct call *call, const struct sdp *sdp)
{
	SipAgent__Answered event = SIP_AGENT__ANSWERED__INIT;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	SipAgent__Dialog dialog;
	SipAgent__Target hop;
	struct wire_sdp wire;

	wire_sdp_put(sdp, &wire);
	call_dialog(call, home, &dialog, &hop);
	event.call = call->node.key;
	event.audio = &wire.audio.pb;
	event.dialog = &dialog;
	event.call_id = call->sip_call_id;
	agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_ANSWERED, &event);
	su_home_deinit(home);
}

/* A PRACK has tied the leg to a branch, and another one answers: a leg of its own, with our tag
 * and count. */
static int leave_early_dialog(struct call *call, const sip_t *sip)
{
	const char *tag = nta_leg_get_rtag(call->leg);
	su_home_t home[1] = { SU_HOME_INIT(home) };
	nta_leg_t *leg;

	if (!tag || !sip->sip_to->a_tag || strcmp(tag, sip->sip_to->a_tag) == 0)
		return 0;
	leg = nta_leg_tcreate(
		call->agent->nta, dialog_request, call, SIPTAG_CALL_ID_STR(call->sip_call_id),
		SIPTAG_FROM(sip->sip_from),
		SIPTAG_TO_STR(su_sprintf(home, "<%s>", call->remote_uri)),
		SIPTAG_CSEQ_STR(su_sprintf(home, "%u INVITE", nta_leg_get_seq(call->leg))),
		TAG_END());
	su_home_deinit(home);
	if (!leg)
		return -ENOMEM;
	nta_leg_destroy(call->leg);
	call->leg = leg;
	return 0;
}

/* The dialog is there: acknowledge, then keep it or end it. */
static void on_answer(struct call *call, const sip_t *sip)
{
	struct sdp sdp;
	sip_contact_t *target = sip->sip_contact;

	/* RFC 3261 12.1.2 requires a Contact; where it is missing the Request-URI is the best
	 * guess. */
	if (!target)
		target = sip_contact_make(call->home, call->request_uri);
	if (leave_early_dialog(call, sip)) {
		give_up(call, "out of memory");
		return;
	}
	nta_leg_rtag(call->leg, sip->sip_to->a_tag);
	nta_leg_client_route(call->leg, sip->sip_record_route, target);
	/* RFC 3261 13.2.2.4: every 2xx is acknowledged, also one of a call that is ended. */
	call_send_ack(call, call->local_seq);
	call->challenges = 0;
	/* The answer crossed our CANCEL: RFC 3261 9.1 leaves a call to be ended by BYE. */
	if (call->state == CALL_CANCELLING) {
		call_send_bye(call);
	} else if (answered_sdp(call, sip, &sdp)) {
		call->agent->malformed++;
		call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__BROKEN,
							.code = 488,
							.phrase = "no usable SDP in the answer" });
		call_send_bye(call);
	} else {
		call_enter(call, CALL_UP);
		call_take_allow(call, sip);
		session_take_response(call, sip);
		session_start(call);
		tell_answered(call, &sdp);
	}
}

/* The library says 503 where no peer has said anything: ICMP told that nobody listens, or there is
 * no connection.  An operator must not look for an overloaded PBX then. */
static const char *no_connection(const struct call *call, su_home_t *home)
{
	static const char *const what[] = {
		[SIP_AGENT__TRANSPORT__UDP] = "nobody takes UDP at",
		[SIP_AGENT__TRANSPORT__TCP] = "no TCP connection to",
		[SIP_AGENT__TRANSPORT__TLS] = "no TLS connection to",
	};
	char address[NET_TEXT_SIZE];

	net_format(&call->peer.addr, address);
	return su_sprintf(home, "%s %s", what[call->peer.transport], address);
}

/* Of several the one with the highest q, among equals the first (RFC 3261 20.10); without one
 * it is 1. */
static const sip_contact_t *best_contact(const sip_contact_t *list)
{
	const sip_contact_t *best = list;

	for (; list; list = list->m_next)
		if ((list->m_q ? strtod(list->m_q, NULL) : 1) >
		    (best->m_q ? strtod(best->m_q, NULL) : 1))
			best = list;
	return best;
}

static void tell_failure(struct call *call, const sip_t *sip, int status)
{
	const sip_contact_t *contact = sip ? best_contact(sip->sip_contact) : NULL;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	/* The library's own 408: timer B, not a response. */
	bool silent = status == 408 && nta_sip_is_internal(sip);
	struct call_end end = { .cause = silent ? SIP_AGENT__CAUSE__NO_ANSWER
						: SIP_AGENT__CAUSE__FAILED,
				.code = (unsigned)status };

	if (status == 503 && nta_sip_is_internal(sip)) {
		end.phrase = no_connection(call, home);
	} else if (sip) {
		end.phrase = sip->sip_status->st_phrase;
		end.reason = body_header(home, sip->sip_reason);
		end.warning = body_header(home, sip->sip_warning);
		end.contact = contact ? body_url(home, contact->m_url) : NULL;
		end.retry_after_s =
			sip->sip_retry_after ? (unsigned)sip->sip_retry_after->af_delta : 0;
	}
	call_tell_end(call, &end);
	su_home_deinit(home);
}

static void on_failure(struct call *call, nta_outgoing_t *out, const sip_t *sip, int status)
{
	bool grown_failed = call->grown && status == 503 && nta_sip_is_internal(sip);

	if (call->state == CALL_CALLING && grown_failed) {
		outgoing_send_invite(call); /* no TCP there: UDP, whatever the size */
		return;
	}
	if ((call->state == CALL_CALLING || call->state == CALL_PROCEEDING) && sip &&
	    (status == 401 || status == 407) && call_ask(call, out, sip)) {
		call_enter(call, CALL_ASKING);
		return;
	}
	if ((call->state == CALL_CALLING || call->state == CALL_PROCEEDING) && status == 422 &&
	    session_raise(call, sip)) {
		outgoing_send_invite(call);
		return;
	}
	tell_failure(call, sip, status);
	call_finish(call);
}

static int on_response(void *arg, nta_outgoing_t *out, const sip_t *sip)
{
	struct call *call = arg;
	int status = sip ? sip->sip_status->st_status : nta_outgoing_status(out);

	/* out that is not call->out: a second response of an INVITE that was replaced. */
	if (call->state == CALL_GONE || out != call->out)
		return 0;
	if (status < 200) {
		on_provisional(call, sip, status);
		return 0;
	}
	if (status < 300 && sip) {
		/* a 200 without a tag (RFC 2543) makes a dialog, too */
		call->out = NULL;
		on_answer(call, sip);
		nta_outgoing_destroy(out); /* last: it owns the response */
		return 0;
	}
	on_failure(call, out, sip, status);
	return 0;
}
