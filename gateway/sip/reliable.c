/* reliable.c - reliable provisional responses (RFC 3262), ours and theirs: RSeq,
 * PRACK, and the answer that may come with it. */
#include "gateway/sip/agent.h"

#include <stdio.h>

/* ---- ours ---- */

void reliable_ring(struct call *call, int code)
{
	/* RFC 3262 3: the first is random, so that nobody guesses it */
	call->reliable.rseq =
		call->reliable.rseq ? call->reliable.rseq + 1 : (uint32_t)su_randint(1, 0x7fff0000);
	call->reliable.pending = true;
	call_reply(call, call->invite, code, call->ring_audio);
	call_start_resending(call, code);
}

/* The answer to an offer of ours may come with it. */
static int take_answer(struct call *call, const sip_t *sip)
{
	if (!call->late_offer || !call->ring_audio)
		return body_kind(sip) == BODY_NONE ? 200
						   : 488; /* an offer: there is nothing to change */
	if (body_kind(sip) != BODY_SDP || body_sdp(sip, &call->offer, NULL))
		return 488;
	call->reliable.answered = true;
	call->late_offer = false;
	return 200;
}

int reliable_acknowledged(struct call *call, nta_incoming_t *irq, const sip_t *sip)
{
	const sip_rack_t *rack = sip->sip_rack;
	int status;

	/* RFC 3262 3: RAck names response and INVITE by number; another PRACK is of nothing. */
	if (call->state != CALL_OFFERED || !call->reliable.pending || !rack ||
	    rack->ra_response != call->reliable.rseq || rack->ra_cseq != call->invite_seq)
		return 481;
	call->reliable.pending = false;
	call_stop_resending(call);
	status = take_answer(call, sip);
	if (call->reliable.deferred) {
		/* in this order: scripted peers take the next 200 for the PRACK's */
		nta_incoming_treply(irq, status, NULL, TAG_END());
		incoming_send_answer(call);
	}
	return status;
}

/* ---- theirs ---- */

static int on_prack_response(void *arg, nta_outgoing_t *out, const sip_t *sip)
{
	int status = sip ? sip->sip_status->st_status : nta_outgoing_status(out);

	(void)arg;
	if (status >= 200)
		nta_outgoing_destroy(out);
	return 0;
}

/* RFC 3262 4: repeats and what is older are not acknowledged again.  The early dialog is that of
 * the first branch that answers so: the 200 of another one makes its own. */
void reliable_take(struct call *call, const sip_t *sip)
{
	char rack[64], route[AGENT_ROUTE_SIZE];

	if (!sip->sip_rseq || !sip_has_feature(sip->sip_require, "100rel") || !sip->sip_to->a_tag ||
	    sip->sip_rseq->rs_response <= call->reliable.peer_rseq)
		return;
	call->reliable.peer_rseq = sip->sip_rseq->rs_response;
	if (!nta_leg_get_rtag(call->leg)) {
		nta_leg_rtag(call->leg, sip->sip_to->a_tag);
		nta_leg_client_route(call->leg, sip->sip_record_route, sip->sip_contact);
	}
	/* RFC 3262 7.2: the response's RSeq, the INVITE's CSeq and method. */
	snprintf(rack, sizeof(rack), "%lu %u INVITE", sip->sip_rseq->rs_response, call->local_seq);
	call_route(call, route);
	nta_outgoing_tcreate(call->leg, on_prack_response, call, (url_string_t *)route,
			     SIP_METHOD_PRACK, NULL, SIPTAG_RACK_STR(rack),
			     SIPTAG_AUTHORIZATION_STR(call->authorization),
			     SIPTAG_PROXY_AUTHORIZATION_STR(call->proxy_authorization), TAG_END());
}
