#include "gateway/sip/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* ---- OPTIONS: does a PBX live? ---- */

struct probe {
	su_home_t home[1];
	struct agent *agent;
	uint64_t number;
	int64_t sent_ms;
};

static void tell_probed(struct agent *a, uint64_t number, unsigned code, unsigned retry_after_s,
			int64_t ms)
{
	SipAgent__Probed event = SIP_AGENT__PROBED__INIT;

	event.probe = number;
	event.code = code;
	event.retry_after_s = retry_after_s;
	event.round_trip_ms = (uint32_t)ms;
	agent_send(a, SIP_AGENT__FROM_AGENT__BODY_PROBED, &event);
}

static int on_probe_response(void *arg, nta_outgoing_t *out, const sip_t *sip)
{
	struct probe *p = arg;
	int status = sip ? sip->sip_status->st_status : nta_outgoing_status(out);
	const sip_retry_after_t *after = sip ? sip->sip_retry_after : NULL;

	if (status < 200)
		return 0;
	tell_probed(p->agent, p->number, (unsigned)status, after ? (unsigned)after->af_delta : 0,
		    clock_mono_ms() - p->sent_ms);
	nta_outgoing_destroy(out);
	su_home_unref(p->home);
	return 0;
}

static nta_outgoing_t *send_options(struct agent *a, struct probe *p, const SipAgent__Probe *probe,
				    char route[AGENT_ROUTE_SIZE])
{
	msg_t *msg = nta_msg_create(a->nta, 0);
	su_home_t *home = msg ? msg_home(msg) : NULL;
	nta_outgoing_t *out = NULL;
	const char *from, *to;

	if (!msg)
		return NULL;
	from = su_sprintf(home, "<%s>;%s", probe->from_uri,
			  nta_agent_newtag(home, "tag=%s", a->nta));
	to = su_sprintf(home, "<%s>", probe->request_uri);
	out = nta_outgoing_mcreate(
		a->nta, on_probe_response, p, (url_string_t *)route, msg,
		SIPTAG_REQUEST(sip_request_create(home, SIP_METHOD_OPTIONS,
						  (url_string_t *)probe->request_uri, NULL)),
		SIPTAG_FROM_STR(from), SIPTAG_TO_STR(to),
		SIPTAG_CALL_ID(sip_call_id_create(home, NULL)), SIPTAG_CSEQ_STR("1 OPTIONS"),
		SIPTAG_MAX_FORWARDS_STR("70"), SIPTAG_ACCEPT_STR("application/sdp"),
		SIPTAG_USER_AGENT_STR(a->user_agent), TAG_END());
	if (!out)
		msg_destroy(msg);
	return out;
}

static int target_addr(const SipAgent__Target *target, struct net_addr *out)
{
	if (!target || target->port == 0 || target->port > 65535 ||
	    net_parse(target->address, (uint16_t)target->port, out))
		return -EINVAL;
	net_set_port(out, (uint16_t)target->port);
	return 0;
}

void single_probe(struct agent *a, const SipAgent__Probe *probe)
{
	struct probe *p = su_home_new(sizeof(*p));
	char route[AGENT_ROUTE_SIZE];
	struct net_addr addr;

	if (!p || target_addr(probe->target, &addr) || !agent_text_ok(probe->from_uri) ||
	    !agent_text_ok(probe->request_uri) || strpbrk(probe->from_uri, "<> ") ||
	    strpbrk(probe->request_uri, "<> ?")) {
		tell_probed(a, probe->probe, 400, 0, 0);
		su_home_unref(p ? p->home : NULL);
		return;
	}
	p->agent = a;
	p->number = probe->probe;
	p->sent_ms = clock_mono_ms();
	agent_route(&addr, probe->target->transport == SIP_AGENT__TRANSPORT__TCP, route);
	if (!send_options(a, p, probe, route)) {
		tell_probed(a, probe->probe, 400, 0, 0);
		su_home_unref(p->home);
	}
}

/* ---- BYE without a call ---- */

struct farewell {
	su_home_t home[1];
	struct agent *agent;
	nta_leg_t *leg;
	const char *call_id; /* NULL: nobody asked */
};

static void end_farewell(struct farewell *f, int status)
{
	SipAgent__OrphanGone event = SIP_AGENT__ORPHAN_GONE__INIT;

	if (f->call_id) {
		event.call_id = (char *)(uintptr_t)f->call_id;
		event.code = (uint32_t)status;
		agent_send(f->agent, SIP_AGENT__FROM_AGENT__BODY_ORPHAN_GONE, &event);
	}
	nta_leg_destroy(f->leg);
	su_home_unref(f->home);
}

static int on_farewell_response(void *arg, nta_outgoing_t *out, const sip_t *sip)
{
	int status = sip ? sip->sip_status->st_status : nta_outgoing_status(out);

	if (status < 200)
		return 0;
	nta_outgoing_destroy(out);
	end_farewell(arg, status);
	return 0;
}

static bool usable(const SipAgent__Dialog *d)
{
	for (size_t i = 0; i < d->n_routes; i++)
		if (!agent_text_ok(d->routes[i]))
			return false;
	return d->call_id[0] && d->local_tag[0] && d->remote_tag[0] && agent_text_ok(d->call_id) &&
	       agent_text_ok(d->local_uri) && agent_text_ok(d->remote_uri) &&
	       agent_text_ok(d->local_tag) && agent_text_ok(d->remote_tag) &&
	       agent_text_ok(d->remote_target);
}

/* The routes in their order, as the library wants them. */
static sip_record_route_t *routes_of(su_home_t *home, const SipAgent__Dialog *d)
{
	char *list = NULL;

	for (size_t i = 0; i < d->n_routes; i++)
		list = su_sprintf(home, "%s%s%s", list ? list : "", list ? ", " : "", d->routes[i]);
	return list ? sip_record_route_make(home, list) : NULL;
}

static nta_leg_t *rebuild(struct agent *a, su_home_t *home, const SipAgent__Dialog *d)
{
	const char *from = su_sprintf(home, "<%s>;tag=%s", d->local_uri, d->local_tag);
	const char *to = su_sprintf(home, "<%s>;tag=%s", d->remote_uri, d->remote_tag);
	const char *contact = su_sprintf(home, "<%s>", d->remote_target);
	const char *cseq = su_sprintf(home, "%u BYE", d->local_cseq);
	nta_leg_t *leg = nta_leg_tcreate(a->nta, NULL, NULL, SIPTAG_CALL_ID_STR(d->call_id),
					 SIPTAG_FROM_STR(from), SIPTAG_TO_STR(to),
					 SIPTAG_CSEQ_STR(cseq), TAG_END());

	if (leg &&
	    nta_leg_server_route(leg, routes_of(home, d), sip_contact_make(home, contact)) < 0) {
		nta_leg_destroy(leg);
		return NULL;
	}
	return leg;
}

static void tell_gone(struct agent *a, const char *call_id, unsigned code)
{
	SipAgent__OrphanGone event = SIP_AGENT__ORPHAN_GONE__INIT;

	event.call_id = (char *)(uintptr_t)call_id;
	event.code = code;
	agent_send(a, SIP_AGENT__FROM_AGENT__BODY_ORPHAN_GONE, &event);
}

void single_bye_orphan(struct agent *a, const SipAgent__ByeOrphan *orphan)
{
	const SipAgent__Dialog *d = orphan->dialog;
	const char *reason = agent_text_ok(orphan->reason) ? agent_text(orphan->reason) : NULL;
	struct farewell *f = su_home_new(sizeof(*f));
	char route[AGENT_ROUTE_SIZE];
	struct net_addr addr;

	if (!f || !d || !usable(d) || target_addr(d->next_hop, &addr)) {
		tell_gone(a, d ? d->call_id : "", 400);
		su_home_unref(f ? f->home : NULL);
		return;
	}
	f->agent = a;
	f->call_id = su_strdup(f->home, d->call_id);
	f->leg = rebuild(a, f->home, d);
	agent_route(&addr, d->next_hop->transport == SIP_AGENT__TRANSPORT__TCP, route);
	if (!f->leg ||
	    !nta_outgoing_tcreate(f->leg, on_farewell_response, f, (url_string_t *)route,
				  SIP_METHOD_BYE, NULL, SIPTAG_REASON_STR(reason), TAG_END()))
		end_farewell(f, 400);
}

void single_refuse_answer(struct agent *a, msg_t *msg, const sip_t *sip)
{
	struct farewell *f = su_home_new(sizeof(*f));
	char route[AGENT_ROUTE_SIZE];
	struct net_addr source;
	bool tcp = su_casematch(sip->sip_via->v_protocol, sip_transport_tcp);

	if (!f)
		return;
	f->agent = a;
	f->leg = nta_leg_tcreate(a->nta, NULL, NULL, SIPTAG_CALL_ID(sip->sip_call_id),
				 SIPTAG_FROM(sip->sip_from), SIPTAG_TO(sip->sip_to),
				 SIPTAG_CSEQ(sip->sip_cseq), TAG_END());
	if (!f->leg || nta_leg_client_route(f->leg, sip->sip_record_route, sip->sip_contact) < 0) {
		end_farewell(f, 0);
		return;
	}
	agent_source(msg, &source);
	agent_route(&source, tcp, route);
	nta_outgoing_tcreate(
		f->leg, NULL, NULL, (url_string_t *)route, SIP_METHOD_ACK, NULL,
		SIPTAG_CSEQ(sip_cseq_create(f->home, sip->sip_cseq->cs_seq, SIP_METHOD_ACK)),
		NTATAG_STATELESS(1), TAG_END());
	if (!nta_outgoing_tcreate(f->leg, on_farewell_response, f, (url_string_t *)route,
				  SIP_METHOD_BYE, NULL, TAG_END()))
		end_farewell(f, 0);
}
