/* call.c - a call's life in the agent: its states and their limits, what is repeated,
 * and what the server is told. */
#include "gateway/sip/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum {
	ASK_MS = 5000,         /* how long a challenge may lie with the server */
	DECIDE_MS = 240000,    /* how long a caller may ring */
	TRYING_MS = 150,       /* RFC 3261 17.2.1: 100, unless another response comes in 200 ms */
	REPEAT_RING_MS = 60000 /* RFC 3261 13.3.1.1 */
};

/* A state that can wait has a limit, so no call is left half open.  How it goes: OFFERED ->
 * ANSWERED -> UP for calls that come in; CALLING -> PROCEEDING -> UP for ours, with ASKING at a
 * challenge and CANCELLING at the end; CLOSING behind our BYE; GONE from anywhere. */
static const struct {
	uint32_t limit_ms;
} states[] = {
	[CALL_OFFERED] = { DECIDE_MS },
	[CALL_ANSWERED] = { 0 },   /* answer_ms; RFC 3261 13.3.1.4 */
	[CALL_CALLING] = { 0 },    /* answer_ms */
	[CALL_PROCEEDING] = { 0 }, /* ring_ms */
	[CALL_ASKING] = { ASK_MS },
	[CALL_CANCELLING] = { SIP_TIMEOUT_MS + SIP_T2_MS }, /* RFC 3261 9.1 */
	[CALL_UP] = { 0 },
	[CALL_CLOSING] = { SIP_TIMEOUT_MS + SIP_T2_MS }, /* timer F comes first */
	[CALL_CLOSING_ASKING] = { ASK_MS },
	[CALL_GONE] = { 0 },
};

/* ---- life ---- */

static void link_to(struct call **list, struct call *call)
{
	call->next = *list;
	if (call->next)
		call->next->prev = &call->next;
	call->prev = list;
	*list = call;
}

static void unlink_from(struct call *call)
{
	*call->prev = call->next;
	if (call->next)
		call->next->prev = call->prev;
}

struct call *call_new(struct agent *a, uint64_t number, enum call_state state)
{
	struct call *call = su_home_new(sizeof(*call));

	if (!call)
		return NULL;
	call->agent = a;
	call->limit = su_timer_create(su_root_task(a->root), 0);
	call->resend = su_timer_create(su_root_task(a->root), 0);
	if (!call->limit || !call->resend) {
		su_timer_destroy(call->limit);
		su_timer_destroy(call->resend);
		su_home_unref(call->home);
		return NULL;
	}
	idmap_put(&a->by_number, &call->node, number);
	link_to(&a->calls, call);
	a->ncalls++;
	call_enter(call, state);
	return call;
}

struct call *call_find(struct agent *a, uint64_t number)
{
	struct idmap_node *node = idmap_first(&a->by_number, number);

	return node ? IDMAP_OWNER(node, struct call, node) : NULL;
}

/* Leaves the server's sight: no number, no place in the list.  The memory stays until the reaper
 * comes, for the library may be calling back about it. */
static void retire(struct call *call)
{
	struct agent *a = call->agent;

	unlink_from(call);
	idmap_remove(&a->by_number, &call->node);
	a->ncalls--;
	link_to(&a->dead, call);
	call->state = CALL_GONE;
}

void call_free(struct call *call)
{
	if (call->state != CALL_GONE)
		retire(call);
	unlink_from(call);
	nta_incoming_destroy(call->invite);
	nta_incoming_destroy(call->change);
	nta_outgoing_destroy(call->out);
	nta_outgoing_destroy(call->info);
	nta_leg_destroy(call->leg);
	tport_unref(call->connection);
	reoffer_free(call);
	su_timer_destroy(call->limit);
	su_timer_destroy(call->resend);
	sdp_wipe(&call->offer);
	sdp_wipe(&call->early);
	explicit_bzero(call->local.text, sizeof(call->local.text)); /* our keys stand in it */
	su_home_unref(call->home);
}

static void reap(struct agent *a, su_timer_t *timer, void *arg)
{
	(void)timer, (void)arg;
	while (a->dead)
		call_free(a->dead);
	if (a->quitting && a->ncalls == 0)
		su_root_break(a->root);
}

void call_finish(struct call *call)
{
	if (call->state == CALL_GONE)
		return;
	su_timer_reset(call->limit);
	call_stop_resending(call);
	session_stop(call);
	retire(call);
	/* Zero: behind the callback that is on the stack, at the loop's next turn. */
	su_timer_set_interval(call->agent->reaper, reap, NULL, 0);
}

/* ---- time ---- */

static void give_up_calling(struct call *call)
{
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__NO_ANSWER,
						.code = 408,
						.phrase = "Request Timeout" });
	/* RFC 3261 9.1: no CANCEL before a provisional response; on_provisional() sends it
	 * then. */
	if (call->state == CALL_PROCEEDING)
		outgoing_send_cancel(call);
	call_enter(call, CALL_CANCELLING);
}

static void on_limit(struct agent *a, su_timer_t *timer, void *arg)
{
	struct call *call = arg;

	(void)a, (void)timer;
	switch (call->state) {
	case CALL_OFFERED:
		call_hangup(call, "");
		return;
	case CALL_ANSWERED:
		call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__NO_ACK });
		call_send_bye(call);
		return;
	case CALL_CALLING:
	case CALL_PROCEEDING:
		give_up_calling(call);
		return;
	case CALL_ASKING:
		call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__BROKEN,
							.phrase = "challenge not answered" });
		call_finish(call);
		return;
	case CALL_UP: /* a re-INVITE of the peer whose 200 it never acknowledged */
		call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__NO_ACK });
		call_send_bye(call);
		return;
	default:
		call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__OUR_HANGUP });
		call_finish(call);
	}
}

void call_enter(struct call *call, enum call_state state)
{
	uint32_t ms = states[state].limit_ms;

	if (state == CALL_CALLING && call->answer_ms)
		ms = call->answer_ms;
	else if (state == CALL_CALLING || state == CALL_ANSWERED)
		ms = call->agent->answer_ms;
	else if (state == CALL_PROCEEDING)
		ms = call->agent->ring_ms;
	call->state = state;
	if (ms)
		su_timer_set_interval(call->limit, on_limit, call, (su_duration_t)ms);
	else
		su_timer_reset(call->limit);
}

void call_await_ack(struct call *call)
{
	su_timer_set_interval(call->limit, on_limit, call, (su_duration_t)call->agent->answer_ms);
}

/* RFC 3261 13.3.1.4 for a 200, RFC 3262 3 for what needs a PRACK: from T1 on ever more seldom. */
static bool doubles(const struct call *call)
{
	return call->resend_code == 200 || call->reliable.pending;
}

static void on_resend(struct agent *a, su_timer_t *timer, void *arg)
{
	struct call *call = arg;
	bool final = call->resend_code == 200;

	(void)timer;
	if (call->resend_code == 100) { /* the server takes its time */
		nta_incoming_treply(call->invite, SIP_100_TRYING, TAG_END());
		return;
	}
	call->resent_ms += call->resend_ms;
	if (call->reliable.pending && call->resent_ms >= a->answer_ms) {
		incoming_give_up(call);
		return;
	}
	/* A 200 is repeated with its SDP, unless the PRACK has settled that already. */
	call_reply(call, call->change ? call->change : call->invite, call->resend_code,
		   final ? !call->reliable.answered || call->change : call->ring_audio);
	/* RFC 3261 13.3.1.4: a 200 doubles up to T2; RFC 3262 3: a provisional response without
	 * such a limit. */
	if (doubles(call) && (!final || call->resend_ms < SIP_T2_MS))
		call->resend_ms *= 2;
	su_timer_set_interval(call->resend, on_resend, call, (su_duration_t)call->resend_ms);
}

void call_start_resending(struct call *call, int code)
{
	call->resend_code = code;
	call->resent_ms = 0;
	call->resend_ms = code == 100 ? TRYING_MS : doubles(call) ? SIP_T1_MS : REPEAT_RING_MS;
	su_timer_set_interval(call->resend, on_resend, call, (su_duration_t)call->resend_ms);
}

void call_stop_resending(struct call *call)
{
	su_timer_reset(call->resend);
}

/* ---- telling the server ---- */

static char *text_of(const char *text)
{
	return (char *)(uintptr_t)(text ? text : "");
}

void call_tell_end(struct call *call, const struct call_end *end)
{
	SipAgent__Ended ended = SIP_AGENT__ENDED__INIT;

	/* Once: the server has forgotten the call afterwards. */
	if (call->told)
		return;
	call->told = true;
	ended.call = call->node.key;
	ended.cause = end->cause;
	ended.code = end->code;
	ended.phrase = text_of(end->phrase);
	ended.reason = text_of(end->reason);
	ended.contact = text_of(end->contact);
	ended.warning = text_of(end->warning);
	ended.retry_after_s = end->retry_after_s;
	agent_send(call->agent, SIP_AGENT__FROM_AGENT__BODY_ENDED, &ended);
}

static size_t count_routes(const sip_route_t *route)
{
	size_t n = 0;

	for (; route; route = route->r_next)
		n++;
	return n;
}

void call_dialog(struct call *call, su_home_t *home, SipAgent__Dialog *pb, SipAgent__Target *hop)
{
	const sip_route_t *route = NULL;
	const sip_contact_t *target = NULL;
	struct hop next;

	sip_agent__dialog__init(pb);
	nta_leg_get_route(call->leg, &route, &target);
	call_next_hop(call, &next);
	hop_target(&next, home, hop);
	pb->next_hop = hop;
	pb->call_id = call->sip_call_id;
	pb->local_uri = call->local_uri;
	pb->remote_uri = call->remote_uri;
	pb->local_tag = su_strdup(home, nta_leg_get_tag(call->leg));
	pb->remote_tag = su_strdup(home, nta_leg_get_rtag(call->leg));
	pb->remote_target = target ? body_url(home, target->m_url) : call->remote_uri;
	/* The count of the last request sent: a BYE of another process goes on from there. */
	pb->local_cseq = nta_leg_get_seq(call->leg);
	pb->routes = su_zalloc(home, (isize_t)(count_routes(route) * sizeof(char *)) + 1);
	for (; pb->routes && route; route = route->r_next)
		pb->routes[pb->n_routes++] = body_header(home, route);
}
