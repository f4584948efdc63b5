/* single.c - requests that belong to no call of ours: OPTIONS, BYE for an orphan, and
 * for an answer that nobody wants. */
#include "gateway/sip/agent.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { STRAY_MAX = 64 /* answers nobody wants that are being ended at one time */ };

/* One request without a call: OPTIONS, or the BYE of a dialog. */
struct single {
	su_home_t home[1]; /* first: owns it */
	struct agent *agent;
	struct single *next, **prev;
	nta_outgoing_t *out;
	nta_leg_t *leg;      /* of a BYE */
	uint64_t probe;      /* of OPTIONS */
	const char *call_id; /* of a BYE that the server asked for */
	int64_t sent_ms;
};

static struct single *single_new(struct agent *a)
{
	struct single *s = su_home_new(sizeof(*s));

	if (!s)
		return NULL;
	s->agent = a;
	s->sent_ms = clock_mono_ms();
	s->next = a->singles;
	if (s->next)
		s->next->prev = &s->next;
	s->prev = &a->singles;
	a->singles = s;
	return s;
}

static void single_free(struct single *s)
{
	*s->prev = s->next;
	if (s->next)
		s->next->prev = s->prev;
	nta_outgoing_destroy(s->out);
	nta_leg_destroy(s->leg);
	su_home_unref(s->home);
}

void single_forget_all(struct agent *a)
{
	while (a->singles)
		single_free(a->singles);
}

/* ---- OPTIONS: does a PBX live? ---- */

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

static int on_options_response(void *arg, nta_outgoing_t *out, const sip_t *sip)
{
	struct single *s = arg;
	int status = sip ? sip->sip_status->st_status : nta_outgoing_status(out);
	const sip_retry_after_t *after = sip ? sip->sip_retry_after : NULL;

	if (status < 200)
		return 0;
	tell_probed(s->agent, s->probe, (unsigned)status, after ? (unsigned)after->af_delta : 0,
		    clock_mono_ms() - s->sent_ms);
	single_free(s);
	return 0;
}

static nta_outgoing_t *send_options(struct single *s, const SipAgent__Probe *probe,
				    char route[AGENT_ROUTE_SIZE])
{
	nta_agent_t *nta = s->agent->nta;
	msg_t *msg = nta_msg_create(nta, 0);
	su_home_t *home = msg ? msg_home(msg) : NULL;
	nta_outgoing_t *out;
	const char *from, *to;

	if (!msg)
		return NULL;
	from = su_sprintf(home, "<%s>;%s", probe->from_uri, nta_agent_newtag(home, "tag=%s", nta));
	to = su_sprintf(home, "<%s>", probe->request_uri);
	out = nta_outgoing_mcreate(
		nta, on_options_response, s, (url_string_t *)route, msg,
		SIPTAG_REQUEST(sip_request_create(home, SIP_METHOD_OPTIONS,
						  (url_string_t *)probe->request_uri, NULL)),
		SIPTAG_FROM_STR(from), SIPTAG_TO_STR(to),
		SIPTAG_CALL_ID_STR(agent_new_call_id(home)), SIPTAG_CSEQ_STR("1 OPTIONS"),
		SIPTAG_MAX_FORWARDS_STR("70"), SIPTAG_ACCEPT_STR(AGENT_ACCEPT),
		SIPTAG_USER_AGENT_STR(s->agent->user_agent), TAG_END());
	if (!out)
		msg_destroy(msg);
	return out;
}

void single_probe(struct agent *a, const SipAgent__Probe *probe)
{
	struct single *s = single_new(a);
	char route[AGENT_ROUTE_SIZE];
	struct hop hop;

	if (s && hop_of_target(probe->target, &hop) == 0 && agent_text_ok(probe->from_uri) &&
	    agent_text_ok(probe->request_uri) && !strpbrk(probe->from_uri, "<> ") &&
	    !strpbrk(probe->request_uri, "<> ?")) {
		hop_route(&hop, route);
		s->probe = probe->probe;
		s->out = send_options(s, probe, route);
	}
	if (s && s->out)
		return;
	tell_probed(a, probe->probe, 400, 0, 0);
	if (s)
		single_free(s);
}

/* ---- BYE without a call ---- */

static void tell_gone(struct agent *a, const char *call_id, unsigned code)
{
	SipAgent__OrphanGone event = SIP_AGENT__ORPHAN_GONE__INIT;

	event.call_id = (char *)(uintptr_t)call_id;
	event.code = code;
	agent_send(a, SIP_AGENT__FROM_AGENT__BODY_ORPHAN_GONE, &event);
}

static int on_bye_response(void *arg, nta_outgoing_t *out, const sip_t *sip)
{
	struct single *s = arg;
	int status = sip ? sip->sip_status->st_status : nta_outgoing_status(out);

	if (status < 200)
		return 0;
	if (s->call_id)
		tell_gone(s->agent, s->call_id, (unsigned)status);
	single_free(s);
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
	/* nta_leg_tcreate() counts on from there: the BYE's CSeq is one more than the last
	 * request's. */
	const char *cseq = su_sprintf(home, "%u BYE", d->local_cseq);
	nta_leg_t *leg = nta_leg_tcreate(a->nta, NULL, NULL, SIPTAG_CALL_ID_STR(d->call_id),
					 SIPTAG_FROM_STR(from), SIPTAG_TO_STR(to),
					 SIPTAG_CSEQ_STR(cseq), TAG_END());

	if (leg)
		/* server_route: the route set in the order that the server kept, which is the one
		 * to be sent. */
		nta_leg_server_route(leg, routes_of(home, d), sip_contact_make(home, contact));
	return leg;
}

static nta_outgoing_t *send_bye(struct single *s, const char *route, const char *reason)
{
	return nta_outgoing_tcreate(s->leg, on_bye_response, s, (url_string_t *)(uintptr_t)route,
				    SIP_METHOD_BYE, NULL, SIPTAG_REASON_STR(reason), TAG_END());
}

void single_bye_orphan(struct agent *a, const SipAgent__ByeOrphan *orphan)
{
	const SipAgent__Dialog *d = orphan->dialog;
	const char *reason = agent_text_ok(orphan->reason) ? agent_text(orphan->reason) : NULL;
	struct single *s = single_new(a);
	char route[AGENT_ROUTE_SIZE];
	struct hop hop;

	if (s && d && usable(d) && hop_of_target(d->next_hop, &hop) == 0) {
		s->call_id = su_strdup(s->home, d->call_id);
		s->leg = rebuild(a, s->home, d);
		hop_route(&hop, route);
		s->out = s->leg ? send_bye(s, route, reason) : NULL;
	}
	if (s && s->out)
		return;
	tell_gone(a, d ? d->call_id : "", 400);
	if (s)
		single_free(s);
}

static size_t count_strays(const struct agent *a)
{
	size_t n = 0;

	for (const struct single *s = a->singles; s && n < STRAY_MAX; s = s->next)
		n += s->leg && !s->call_id;
	return n;
}

void single_refuse_answer(struct agent *a, msg_t *msg, const sip_t *sip)
{
	/* Bounded: a peer could send 200s without end. */
	struct single *s = count_strays(a) < STRAY_MAX ? single_new(a) : NULL;
	char route[AGENT_ROUTE_SIZE];
	struct hop source;

	if (!s)
		return;
	s->leg = nta_leg_tcreate(a->nta, NULL, NULL, SIPTAG_CALL_ID(sip->sip_call_id),
				 SIPTAG_FROM(sip->sip_from), SIPTAG_TO(sip->sip_to),
				 SIPTAG_CSEQ(sip->sip_cseq), TAG_END());
	if (s->leg) {
		/* client_route: in a response the route set stands the other way round (RFC 3261
		 * 12.1.2). */
		nta_leg_client_route(s->leg, sip->sip_record_route, sip->sip_contact);
		hop_of_message(msg, sip, &source);
		hop_route(&source, route);
		nta_outgoing_tcreate(s->leg, NULL, NULL, (url_string_t *)route, SIP_METHOD_ACK,
				     NULL,
				     SIPTAG_CSEQ(sip_cseq_create(s->home, sip->sip_cseq->cs_seq,
								 SIP_METHOD_ACK)),
				     NTATAG_STATELESS(1), TAG_END());
		s->out = send_bye(s, route, NULL);
	}
	if (!s->out)
		single_free(s);
}
