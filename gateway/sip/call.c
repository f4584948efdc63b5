#include "gateway/sip/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum {
	ASK_MS = 5000,         /* how long a challenge may lie with the server */
	DECIDE_MS = 240000,    /* how long a caller may ring */
	REPEAT_RING_MS = 60000 /* RFC 3261 13.3.1.1 */
};

/* A state that can wait has a limit, so no call is left half open. */
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

/* Leaves the server's sight: no number, no place in the list. */
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
	su_timer_destroy(call->limit);
	su_timer_destroy(call->resend);
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
	retire(call);
	su_timer_set_interval(call->agent->reaper, reap, NULL, 0);
}

/* ---- time ---- */

static void give_up_calling(struct call *call)
{
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__NO_ANSWER,
						.code = 408,
						.phrase = "Request Timeout" });
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

	if (state == CALL_CALLING || state == CALL_ANSWERED)
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

static void on_resend(struct agent *a, su_timer_t *timer, void *arg)
{
	struct call *call = arg;
	bool final = call->resend_code == 200;

	(void)a, (void)timer;
	call_reply(call, call->change ? call->change : call->invite, call->resend_code,
		   final || call->ring_audio);
	if (final && call->resend_ms < SIP_T2_MS)
		call->resend_ms *= 2;
	su_timer_set_interval(call->resend, on_resend, call, (su_duration_t)call->resend_ms);
}

void call_start_resending(struct call *call, int code)
{
	call->resend_code = code;
	call->resend_ms = code == 200 ? SIP_T1_MS : REPEAT_RING_MS;
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
	char text[AGENT_ROUTE_SIZE], host[NET_TEXT_SIZE];
	struct net_addr addr;
	bool tcp;

	sip_agent__dialog__init(pb);
	sip_agent__target__init(hop);
	nta_leg_get_route(call->leg, &route, &target);
	call_next_hop(call, text, &addr, &tcp);
	net_format_host(&addr, host);
	hop->address = su_strdup(home, host);
	hop->port = net_port(&addr);
	hop->transport = tcp ? SIP_AGENT__TRANSPORT__TCP : SIP_AGENT__TRANSPORT__UDP;
	pb->next_hop = hop;
	pb->call_id = call->sip_call_id;
	pb->local_uri = call->local_uri;
	pb->remote_uri = call->remote_uri;
	pb->local_tag = su_strdup(home, nta_leg_get_tag(call->leg));
	pb->remote_tag = su_strdup(home, nta_leg_get_rtag(call->leg));
	pb->remote_target = target ? body_url(home, target->m_url) : call->remote_uri;
	pb->local_cseq = nta_leg_get_seq(call->leg);
	pb->routes = su_zalloc(home, (isize_t)(count_routes(route) * sizeof(char *)) + 1);
	for (; pb->routes && route; route = route->r_next)
		pb->routes[pb->n_routes++] = body_header(home, route);
}

/* ---- requests of ours ---- */

/* The address that url names, where it names one. */
static bool numeric_hop(const url_t *url, struct net_addr *out, bool *tcp_out)
{
	char transport[8] = "", host[NET_TEXT_SIZE];
	size_t n = url->url_host ? strlen(url->url_host) : 0;
	unsigned long port =
		url->url_port && url->url_port[0] ? strtoul(url->url_port, NULL, 10) : 5060;

	if (n == 0 || n >= sizeof(host) || port == 0 || port > 65535)
		return false;
	memcpy(host, url->url_host, n + 1);
	if (host[0] == '[') { /* "[2001:db8::1]" */
		host[n - 1] = '\0';
		memmove(host, host + 1, n - 1);
	}
	if (net_parse(host, (uint16_t)port, out))
		return false;
	net_set_port(out, (uint16_t)port);
	url_param(url->url_params, "transport", transport, sizeof(transport));
	*tcp_out = su_casematch(transport, "tcp");
	return true;
}

void call_next_hop(struct call *call, char out[AGENT_ROUTE_SIZE], struct net_addr *addr_out,
		   bool *tcp_out)
{
	const sip_route_t *route = NULL;
	const sip_contact_t *target = NULL;

	nta_leg_get_route(call->leg, &route, &target);
	if (!(route    ? numeric_hop(route->r_url, addr_out, tcp_out)
	      : target ? numeric_hop(target->m_url, addr_out, tcp_out)
		       : false)) {
		*addr_out = call->peer;
		*tcp_out = call->peer_tcp;
	}
	agent_route(addr_out, *tcp_out, out);
}

void call_send_ack(struct call *call, uint32_t seq)
{
	su_home_t home[1] = { SU_HOME_INIT(home) };
	char route[AGENT_ROUTE_SIZE];
	struct net_addr addr;
	bool tcp;

	call_next_hop(call, route, &addr, &tcp);
	/* stateless: sent once, owned by nobody */
	nta_outgoing_tcreate(call->leg, NULL, NULL, (url_string_t *)route, SIP_METHOD_ACK, NULL,
			     SIPTAG_CSEQ(sip_cseq_create(home, seq, SIP_METHOD_ACK)),
			     NTATAG_STATELESS(1), SIPTAG_AUTHORIZATION_STR(call->authorization),
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
	struct net_addr addr;
	bool tcp;

	call_stop_resending(call);
	call_next_hop(call, route, &addr, &tcp);
	nta_outgoing_destroy(call->out);
	call->out = nta_outgoing_tcreate(
		call->leg, on_bye_response, call, (url_string_t *)route, SIP_METHOD_BYE, NULL,
		SIPTAG_USER_AGENT_STR(agent_name), SIPTAG_REASON_STR(call->reason),
		SIPTAG_AUTHORIZATION_STR(call->authorization),
		SIPTAG_PROXY_AUTHORIZATION_STR(call->proxy_authorization), TAG_END());
	call_enter(call, CALL_CLOSING);
	if (call->out)
		return;
	call_tell_end(call, &(struct call_end){ .cause = SIP_AGENT__CAUSE__OUR_HANGUP });
	call_finish(call);
}

int call_reply(struct call *call, nta_incoming_t *irq, int code, bool with_sdp)
{
	const char *sdp = with_sdp ? call->local.text : NULL;

	return nta_incoming_treply(irq, code, NULL, SIPTAG_CONTACT_STR(call->contact),
				   SIPTAG_ALLOW_STR(AGENT_ALLOW),
				   SIPTAG_SERVER_STR(call->agent->user_agent),
				   TAG_IF(sdp, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
				   SIPTAG_PAYLOAD_STR(sdp), TAG_END());
}

/* ---- challenges ---- */

bool call_ask(struct call *call, nta_outgoing_t *request, const sip_t *response)
{
	SipAgent__Challenged event = SIP_AGENT__CHALLENGED__INIT;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct challenge_list challenges;

	body_challenges(response, &challenges);
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
	if ((call->state != CALL_ASKING && call->state != CALL_CLOSING_ASKING) ||
	    authorize->number != call->challenges || !agent_text_ok(authorize->authorization) ||
	    !agent_text_ok(authorize->proxy_authorization))
		return;
	call->authorization = su_strdup(call->home, agent_text(authorize->authorization));
	call->proxy_authorization =
		su_strdup(call->home, agent_text(authorize->proxy_authorization));
	if (call->state == CALL_ASKING)
		outgoing_send_invite(call);
	else
		call_send_bye(call);
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
	call->invite = NULL;
	snprintf(after, sizeof(after), "%u", r->retry_after_s);
	put_warning(&warning, r->warning);
	nta_incoming_treply(irq, status, r->phrase, SIPTAG_REASON_STR(r->reason),
			    TAG_IF(r->retry_after_s, SIPTAG_RETRY_AFTER_STR(after)),
			    TAG_IF(r->warning && buf_ok(&warning), SIPTAG_WARNING_STR(text)),
			    TAG_END());
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
