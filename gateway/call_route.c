/* call_route.c - where a call goes, and whether there is room for it. */
#include <stdlib.h>
#include <string.h>

#include "gateway/call_news.h"
#include "gateway/call_priv.h"
#include "gateway/calls_priv.h"

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

static bool route(struct call *call)
{
	struct route_call question = { .from_interface = call->in,
				       .to = slice_str(call->in_to),
				       .from = slice_str(call->in_from) };
	struct route_answer answer;

	call_news_state(call, SESSION_ROUTING);
	if (!router_route(cig_config_router(call->config), &question, &answer, NULL)) {
		call_refuse(call, answer.code, reason_of_route(answer.code), answer.reason);
		return false;
	}
	if (answer.interface == call->in) {
		call_refuse(call, 404, UMSG__END_REASON__END_NO_ROUTE,
			    "the route leads back to the interface it came from");
		return false;
	}
	if (answer.interface == ROUTE_SIP && answer.target.transport == SIP_TLS &&
	    !call->config->sip.tls.ca) {
		call_refuse(call, 503, UMSG__END_REASON__END_NO_ROUTE,
			    "the entry says transport=tls, and the sip interface has no tls block: "
			    "nothing goes in clear that should not");
		return false;
	}
	if (answer.interface == ROUTE_TEL &&
	    !uri_same_number(slice_str(answer.from), slice_str(call->calls->world.own_uri))) {
		call_refuse(call, 403, UMSG__END_REASON__END_NOT_ALLOWED,
			    "the source maps give a number that is not this gateway's");
		return false;
	}
	call->out_from = strdup(answer.from);
	call->out_to = call->out_from ? strdup(answer.to) : NULL;
	if (!call->out_to) {
		call_refuse(call, 503, UMSG__END_REASON__END_CONGESTION, "out of memory");
		return false;
	}
	call->target = answer.target;
	call->pbx.account = answer.auth ? cig_config_account(call->config, answer.auth) : NULL;
	call->word = CALL_WORD_ROUTED;
	call_news_state(call, SESSION_ROUTED);
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

	call_arm(call, call_phase_limit_ms(call->state));
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
		call->target_known = true; /* the rendezvous finds the callee */
		return;
	}
	call_find_pbx(call);
}
