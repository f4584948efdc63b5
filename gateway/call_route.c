/* call_route.c - where a call goes, and whether there is room for it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gateway/call_news.h"
#include "gateway/call_priv.h"
#include "gateway/calls_priv.h"

#define MODULE "call"

void call_refuse(struct call *call, unsigned code, Umsg__EndReason reason, const char *why)
{
	call_news_refused(call, code, why);
	call->sip_code = code;
	call_end(call, reason, why);
}

static Umsg__EndReason reason_of_route(unsigned code)
{
	return code == 403 ? UMSG__END_REASON__END_NOT_ALLOWED : UMSG__END_REASON__END_NO_ROUTE;
}

/* Why the way that the maps give cannot be gone, or NULL; *code_out is then set. */
static const char *refusal(const struct call *call, const struct route_answer *answer,
			   unsigned *code_out)
{
	/* As with texts: a PBX may have another gateway, which it asks after a 503 (RFC 3263 4.3),
	 * and not after a 403. */
	if (answer->interface == ROUTE_TEL && !*call->calls->world.own_uri) {
		*code_out = 503;
		return "the gateway has no keys";
	}
	if (answer->interface == ROUTE_TEL &&
	    !uri_same_number(slice_str(answer->from), slice_str(call->calls->world.own_uri))) {
		*code_out = 403;
		return "the source maps give a number that is not this gateway's";
	}
	return NULL;
}

static int take_answer(struct call *call, const struct route_answer *answer)
{
	char *from = strdup(answer->from), *to = strdup(answer->to);

	if (!from || !to) {
		free(from);
		free(to);
		return -ENOMEM;
	}
	free(call->out_from);
	free(call->out_to);
	call->out_from = from;
	call->out_to = to;
	call->target = answer->target;
	call->pbx.account = answer->auth ? cig_config_account(call->config, answer->auth) : NULL;
	return 0;
}

static bool route(struct call *call)
{
	struct route_call question = { .from_interface = call->in,
				       .to = slice_str(call->in_to),
				       .from = slice_str(call->in_from) };
	struct route_answer answer;
	unsigned code = 0;
	const char *why;

	call_news_state(call, SESSION_ROUTING);
	if (!router_route(cig_config_router(call->config), &question, &answer, NULL)) {
		call_refuse(call, answer.code, reason_of_route(answer.code), answer.reason);
		return false;
	}
	why = refusal(call, &answer, &code);
	if (why) {
		call_refuse(call, code, reason_of_route(code), why);
		return false;
	}
	if (take_answer(call, &answer)) {
		call_refuse(call, 503, UMSG__END_REASON__END_CONGESTION, "out of memory");
		return false;
	}
	call->word = CALL_WORD_ROUTED;
	call_news_state(call, SESSION_ROUTED);
	return true;
}

/* The name that the secure side would dial for contact, and where that leads: so a PBX cannot
 * send a call anywhere that its caller could not have called. */
bool call_redirect(struct call *call, const char *contact)
{
	const struct cig_pbx *pbx = cig_config_pbx_of_host(call->config, call->target.host);
	const struct router *router = cig_config_router(call->config);
	struct route_answer answer;
	struct route_call question = { .from_interface = ROUTE_TEL,
				       .from = slice_str(call->in_from) };
	char dialled[URI_MAX + 1];
	unsigned code;

	if (call->in != ROUTE_TEL || !pbx || pbx->redirects != CIG_DIVERT_MAPS || !*contact ||
	    call->redirects == CALL_MAX_REDIRECTS ||
	    (call->phase != PHASE_DIALLING && call->phase != PHASE_TRYING &&
	     call->phase != PHASE_RINGING))
		return false;
	if (!router_name(router, ROUTE_TEL, slice_str(contact), dialled))
		return false;
	question.to = slice_str(dialled);
	if (!router_route(router, &question, &answer, NULL) || refusal(call, &answer, &code) ||
	    take_answer(call, &answer))
		return false;
	call->redirects++;
	log_info(MODULE, "call=%" PRIu64 " redirected to %s: %s", call->number, contact, dialled);
	call_find_pbx(call);
	return true;
}

/* What the other parts of the gateway lack for a call, or NULL. */
static const char *missing(const struct call *call)
{
	const struct calls_world *world = &call->calls->world;

	if (!world->umsg || umsg_client_state(world->umsg) != UMSG_ATTACHED)
		return "not connected to the rendezvous";
	if (!sip_link_is_ready(world->sip))
		return "the SIP agent is not running";
	if (!relay_link_is_up(world->relay))
		return "cig-relay is not connected";
	if (call->calls->active > world->engines)
		return "no crypto engine is free";
	return NULL;
}

void call_start(struct call *call)
{
	struct calls_world *world = &call->calls->world;
	const char *lack;

	call_arm(call, call_phase_limit_ms(call->phase));
	if (!route(call))
		return;
	lack = missing(call);
	if (lack) {
		call_refuse(call, 503, UMSG__END_REASON__END_CONGESTION, lack);
		return;
	}
	if (media_leg_open(world->relay, call->number, call->config)) {
		call_refuse(call, 503, UMSG__END_REASON__END_CONGESTION,
			    "cig-relay takes no commands");
		return;
	}
	call->media_open = true;
	if (call->in == ROUTE_SIP) {
		call_find_callee(call);
		return;
	}
	call_find_pbx(call);
}
