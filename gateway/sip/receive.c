/* receive.c - what belongs to no call: OPTIONS, MESSAGE, INVITE, and all that is
 * refused. */
#include "gateway/sip/agent.h"

#include <string.h>

/* REFER and what belongs to dialogs, outside of one: each with the code that fits (RFC 3261
 * 12.2.2, RFC 3515); what is not in the table gets 405. */
static const struct {
	sip_method_t method;
	int status;
	const char *phrase;
} refusals[] = {
	{ sip_method_refer, 603, "Decline" },
	{ sip_method_bye, SIP_481_NO_TRANSACTION },
	{ sip_method_cancel, SIP_481_NO_TRANSACTION },
	{ sip_method_update, SIP_481_NO_TRANSACTION },
	{ sip_method_prack, SIP_481_NO_TRANSACTION },
	{ sip_method_info, SIP_481_NO_TRANSACTION },
	{ sip_method_unknown, SIP_501_NOT_IMPLEMENTED },
};

static const char *allow(const struct agent *a)
{
	return a->takes_texts ? AGENT_ALLOW ", MESSAGE" : AGENT_ALLOW;
}

static int reply(struct agent *a, msg_t *msg, int status, const char *phrase)
{
	return nta_msg_treply(a->nta, msg, status, phrase, SIPTAG_ALLOW_STR(allow(a)), TAG_END());
}

static int answer_options(struct agent *a, nta_agent_t *nta, msg_t *msg)
{
	a->options++;
	if (a->quitting)
		return reply(a, msg, SIP_503_SERVICE_UNAVAILABLE);
	return nta_msg_treply(nta, msg, SIP_200_OK, SIPTAG_ALLOW_STR(allow(a)),
			      SIPTAG_ACCEPT_STR(AGENT_ACCEPT),
			      TAG_IF(a->user_agent, SIPTAG_SERVER_STR(a->user_agent)), TAG_END());
}

static int refuse_stranger(struct agent *a, nta_agent_t *nta, msg_t *msg, const sip_t *sip,
			   const struct net_addr *source)
{
	a->strangers++;
	agent_refused(a, &a->stranger_limit, source,
		      "a request from a network that is not allowed (403)");
	/* RFC 3261 18.2.2 sends the response to maddr: a stranger could have us flood others. */
	if (sip->sip_via && sip->sip_via->v_maddr) {
		nta_msg_discard(nta, msg); /* would be sent to whom it names */
		return 0;
	}
	/* The connection is shut down behind the answer. */
	return nta_msg_treply(nta, msg, SIP_403_FORBIDDEN, TPTAG_SDWN_AFTER(1), TAG_END());
}

static int refuse(struct agent *a, msg_t *msg, const sip_t *sip)
{
	sip_method_t method = sip->sip_request->rq_method;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].method == method)
			return reply(a, msg, refusals[i].status, refusals[i].phrase);
	/* A dialog that we do not know, or no longer (RFC 3261 12.2.2). */
	if (sip->sip_to->a_tag)
		return reply(a, msg, SIP_481_NO_TRANSACTION);
	return reply(a, msg, SIP_405_METHOD_NOT_ALLOWED);
}

/* A response that no transaction waits for: a 200 again, or too late. */
static int stray_response(struct agent *a, nta_agent_t *nta, msg_t *msg, const sip_t *sip,
			  bool trusted)
{
	int status = sip->sip_status->st_status;
	nta_leg_t *leg;
	struct call *call;

	if (trusted && status >= 200 && status < 300 &&
	    sip->sip_cseq->cs_method == sip_method_invite && sip->sip_to->a_tag) {
		leg = nta_leg_by_dialog(nta, NULL, sip->sip_call_id, sip->sip_to->a_tag, NULL,
					sip->sip_from->a_tag, NULL);
		call = leg ? nta_leg_magic(leg, dialog_request) : NULL;
		/* Another branch of a fork: its dialog is acknowledged and ended. */
		if (!call || !nta_leg_get_rtag(leg))
			single_refuse_answer(a, msg, sip);
		/* The 200 again: our ACK was lost. */
		else if (call->local_seq == sip->sip_cseq->cs_seq)
			call_send_ack(call, call->local_seq);
	}
	nta_msg_discard(nta, msg);
	return 0;
}

int receive_message(struct agent *a, nta_agent_t *nta, msg_t *msg, sip_t *sip)
{
	struct net_addr source;
	bool trusted;

	agent_source(msg, &source);
	trusted = agent_trusts(a, &source);
	/* A response is never answered, whoever sent it. */
	if (sip->sip_status)
		return stray_response(a, nta, msg, sip, trusted);
	/* An ACK of no dialog: nothing answers an ACK. */
	if (sip->sip_request->rq_method == sip_method_ack) {
		nta_msg_discard(nta, msg);
		return 0;
	}
	if (!trusted)
		return refuse_stranger(a, nta, msg, sip, &source);
	if (sip->sip_request->rq_method == sip_method_options && !sip->sip_to->a_tag)
		return answer_options(a, nta, msg);
	if (sip->sip_request->rq_method == sip_method_message && a->takes_texts &&
	    !sip->sip_to->a_tag) {
		text_take(a, nta, msg, sip);
		return 0;
	}
	if (sip->sip_request->rq_method != sip_method_invite)
		return refuse(a, msg, sip);
	if (sip->sip_to->a_tag)
		return reply(a, msg, SIP_481_NO_TRANSACTION);
	incoming_invite(a, nta, msg, sip);
	return 0;
}
