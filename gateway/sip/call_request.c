/* call_request.c - our requests in a dialog, our answers to INVITE, and how a call is
 * hung up in each of its states. */
#include "gateway/sip/agent.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

static char *text_of(const char *text)
{
	return (char *)(uintptr_t)(text ? text : "");
}

/* ---- requests of ours ---- */

/* RFC 3261 12.2.1.1 where the dialog names an address; else, and by the name of its
 * certificate, the peer as it was called or called us. */
void call_next_hop(struct call *call, struct hop *out)
{
	const sip_route_t *route = NULL;
	const sip_contact_t *target = NULL;
	const url_t *url;

	nta_leg_get_route(call->leg, &route, &target);
	url = route ? route->r_url : target ? target->m_url : NULL;
	if (!url || !hop_of_url(url, out))
		*out = call->peer;
	else if (net_same_host(&out->addr, &call->peer.addr))
		memcpy(out->name, call->peer.name, sizeof(out->name));
}

void call_route(struct call *call, char out[AGENT_ROUTE_SIZE])
{
	struct hop next;

	call_next_hop(call, &next);
	hop_route(&next, out);
}

/* RFC 5923: who connected to us may not be reachable otherwise.  Not along a route set, whose
 * hops are others. */
tport_t *call_connection(const struct call *call)
{
	const sip_route_t *route = NULL;
	const sip_contact_t *target = NULL;

	nta_leg_get_route(call->leg, &route, &target);
	return call->connection && !route && tport_is_clear_to_send(call->connection)
		       ? call->connection
		       : NULL;
}

void call_send_ack(struct call *call, uint32_t seq)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char route[AGENT_ROUTE_SIZE];

	call_route(call, route);
	/* Stateless: sent once, owned by nobody.  RFC 3261 13.2.2.4: with the credentials of the
	 * INVITE. */
	nta_outgoing_tcreate(call->leg, NULL, NULL, (url_string_t *)route, SIP_METHOD_ACK, NULL,
			     SIPTAG_CSEQ(sip_cseq_create(home, seq, SIP_METHOD_ACK)),
			     NTATAG_STATELESS(1), NTATAG_TPORT(call_connection(call)),
			     SIPTAG_AUTHORIZATION_STR(call->authorization),
			     SIPTAG_PROXY_AUTHORIZATION_STR(call->proxy_authorization), TAG_END());
	su_home_deinit(home);
}

static int on_bye_response(void *arg, nta_outgoing_t *out, const sip_t *sip)
{
	struct call *call = arg;
	int status = sip ? sip->sip_status->st_status : nta_outgoing_status(out);

	if (status < 200)
		return 0;
	if ((status == 401 || status == 407) && sip && !call->told && call_ask(call, out, sip)) {
		call_enter(call, CALL_CLOSING_ASKING);
		return 0;
	}
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__OUR_HANGUP,
						.code = (unsigned)status });
	call_finish(call);
	return 0;
}

void call_send_bye(struct call *call)
{
	const char *agent_name = call->agent->user_agent;
	char route[AGENT_ROUTE_SIZE];

	call_stop_resending(call);
	session_stop(call);
	call_route(call, route);
	/* One request of a call has the place: a BYE takes that of the INVITE. */
	nta_outgoing_destroy(call->out);
	call->out = nta_outgoing_tcreate(
		call->leg, on_bye_response, call, (url_string_t *)route, SIP_METHOD_BYE, NULL,
		NTATAG_TPORT(call_connection(call)), SIPTAG_USER_AGENT_STR(agent_name),
		SIPTAG_REASON_STR(call->reason), SIPTAG_AUTHORIZATION_STR(call->authorization),
		SIPTAG_PROXY_AUTHORIZATION_STR(call->proxy_authorization), TAG_END());
	call_enter(call, CALL_CLOSING);
	/* A BYE that cannot be sent ends the call all the same: the peer's session timer does the
	 * rest. */
	if (call->out)
		return;
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__OUR_HANGUP });
	call_finish(call);
}

int call_reply(struct call *call, nta_incoming_t *irq, int code, bool with_sdp)
{
	const char *sdp = with_sdp ? call->local.text : NULL;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	bool ok = code == 200, reliable = code < 200 && call->reliable.pending;
	char rseq[16];
	int err;

	snprintf(rseq, sizeof(rseq), "%u", call->reliable.rseq);
	err = nta_incoming_treply(
		irq, code, NULL, SIPTAG_CONTACT_STR(call->contact), SIPTAG_ALLOW_STR(AGENT_ALLOW),
		SIPTAG_SUPPORTED_STR("timer, 100rel"), SIPTAG_SERVER_STR(call->agent->user_agent),
		TAG_IF(ok, SIPTAG_SESSION_EXPIRES_STR(session_header(call, false, home))),
		TAG_IF(ok, SIPTAG_REQUIRE_STR(session_require(call))),
		TAG_IF(reliable, SIPTAG_REQUIRE_STR("100rel")),
		TAG_IF(reliable, SIPTAG_RSEQ_STR(rseq)),
		TAG_IF(sdp, SIPTAG_CONTENT_TYPE_STR("application/sdp")), SIPTAG_PAYLOAD_STR(sdp),
		TAG_END());

	su_home_deinit(home);
	return err;
}

void call_take_allow(struct call *call, const sip_t *sip)
{
	/* RFC 3261 20.5: without Allow nothing is said, so what was said before stands. */
	if (sip->sip_allow)
		call->takes_update = sip_is_allowed(sip->sip_allow, sip_method_update, "UPDATE");
}

/* ---- challenges ---- */

bool call_ask(struct call *call, nta_outgoing_t *request, const sip_t *response)
{
	SipAgent__Challenged event = SIP_AGENT__CHALLENGED__INIT;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct challenge_list challenges;

	body_challenges(response, &challenges);
	/* Bounded: a wrong password would be asked for again without end. */
	if (challenges.n == 0 || call->challenges >= AGENT_MAX_CHALLENGES)
		return false;
	event.call = call->node.key;
	event.number = ++call->challenges;
	event.method = text_of(nta_outgoing_method_name(request));
	event.uri = body_url(home, nta_outgoing_request_uri(request));
	event.n_challenges = challenges.n;
	event.challenges = challenges.list;
	agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_CHALLENGED, &event);
	su_home_deinit(home);
	return true;
}

void call_authorize(struct call *call, const SipAgent__Authorize *authorize)
{
	if ((call->state != CALL_ASKING && call->state != CALL_CLOSING_ASKING &&
	     !call->reoffer.asking) ||
	    /* An answer to an older challenge comes too late: its nonce is used up. */
	    authorize->number != call->challenges || !agent_text_ok(authorize->authorization) ||
	    !agent_text_ok(authorize->proxy_authorization))
		return;
	call->authorization = su_strdup(call->home, agent_text(authorize->authorization));
	call->proxy_authorization =
		su_strdup(call->home, agent_text(authorize->proxy_authorization));
	if (call->state == CALL_ASKING)
		outgoing_send_invite(call);
	else if (call->state == CALL_CLOSING_ASKING)
		call_send_bye(call);
	else
		reoffer_authorized(call);
}

/* ---- hanging up ---- */

static void end_ours(struct call *call, unsigned code)
{
	call_tell_end(call,
		      &(struct call_end){ .cause = SIP_AGENT__CAUSE__OUR_HANGUP, .code = code });
}

/* `399 cig "TEXT"`, TEXT without what would end the quoted string. */
static void put_warning(struct buf *b, const char *text)
{
	buf_put_str(b, "399 cig \"");
	for (; text && *text; text++)
		buf_put_char(b, *text == '"' || *text == '\\' ? '\'' : *text);
	buf_put_char(b, '"');
}

void call_refuse_invite(struct call *call, int status, const struct call_refusal *r)
{
	char after[16], text[512];
	struct buf warning = BUF_OF(text);
	nta_incoming_t *irq = call->invite;

	if (!irq)
		return;
	/* The library's from here on: agent_let_go() waits for the ACK. */
	call->invite = NULL;
	snprintf(after, sizeof(after), "%u", r->retry_after_s);
	put_warning(&warning, r->warning);
	nta_incoming_treply(
		irq, status, r->phrase, SIPTAG_REASON_STR(r->reason),
		SIPTAG_HEADER_STR(body_challenge_lines(call->home, r->challenges, r->n_challenges)),
		TAG_IF(r->retry_after_s, SIPTAG_RETRY_AFTER_STR(after)),
		TAG_IF(r->warning && buf_ok(&warning), SIPTAG_WARNING_STR(text)), TAG_END());
	agent_let_go(call->agent, irq);
}

static void refuse_incoming(struct call *call)
{
	call_refuse_invite(call, 480, &(struct call_refusal){ .reason = call->reason });
	end_ours(call, 480);
	call_finish(call);
}

void call_hangup(struct call *call, const char *reason)
{
	if (reason[0] && agent_text_ok(reason))
		call->reason = su_strdup(call->home, reason);
	switch (call->state) {
	case CALL_OFFERED:
		refuse_incoming(call);
		return;
	case CALL_ANSWERED: /* RFC 3261 15: no BYE before the ACK */
		call->wants_bye = true;
		return;
	/* RFC 3261 9.1: CANCEL waits for a provisional response. */
	case CALL_CALLING:
		end_ours(call, 0);
		call_enter(call, CALL_CANCELLING);
		return;
	case CALL_PROCEEDING:
		end_ours(call, 0);
		outgoing_send_cancel(call);
		call_enter(call, CALL_CANCELLING);
		return;
	case CALL_ASKING:
		end_ours(call, 0);
		call_finish(call);
		return;
	case CALL_UP:
		/* The BYE may be challenged anew. */
		call->challenges = 0;
		call_send_bye(call);
		return;
	case CALL_CLOSING_ASKING:
		end_ours(call, 0);
		call_finish(call);
		return;
	default:
		return; /* on its way already */
	}
}
