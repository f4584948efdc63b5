/* register.c - REGISTER with a PBX, one request each; when, and with what, is the
 * server's business. */
#include "gateway/sip/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One REGISTER under way. */
struct registering {
	su_home_t home[1]; /* first: owns it */
	struct agent *agent;
	struct registering *next, **prev;
	nta_outgoing_t *out;
	uint64_t number;
	const char *contact_user;
	uint32_t expires_s; /* what was asked for */
};

static void registering_free(struct registering *r)
{
	*r->prev = r->next;
	if (r->next)
		r->next->prev = r->prev;
	nta_outgoing_destroy(r->out);
	su_home_unref(r->home);
}

void register_forget_all(struct agent *a)
{
	while (a->registering)
		registering_free(a->registering);
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* RFC 3261 10.2.4: of our own binding among all that the address has; else of the header. */
static uint32_t granted(const struct registering *r, const sip_t *sip)
{
	for (const sip_contact_t *c = sip->sip_contact; c; c = c->m_next)
		/* By user and host: a registrar may add parameters, and lists the bindings of
		 * others, too. */
		if (c->m_expires && same_text(c->m_url->url_user, r->contact_user) &&
		    c->m_url->url_host && strcasecmp(c->m_url->url_host, r->agent->host) == 0)
			return (uint32_t)strtoul(c->m_expires, NULL, 10);
	return sip->sip_expires ? (uint32_t)sip->sip_expires->ex_delta : r->expires_s;
}

static void tell(struct agent *a, const struct registering *r, uint64_t number, int code,
		 const sip_t *sip)
{
	SipAgent__Registered event = SIP_AGENT__REGISTERED__INIT;
	struct challenge_list challenges = { .n = 0 };

	event.registration = number;
	event.code = (uint32_t)code;
	if (sip) {
		event.phrase = (char *)(uintptr_t)sip->sip_status->st_phrase;
		event.min_expires_s =
			sip->sip_min_expires ? (uint32_t)sip->sip_min_expires->me_delta : 0;
		event.retry_after_s =
			sip->sip_retry_after ? (uint32_t)sip->sip_retry_after->af_delta : 0;
		if (code < 300)
			event.expires_s = granted(r, sip);
		body_challenges(sip, &challenges);
		event.n_challenges = challenges.n;
		event.challenges = challenges.list;
	}
	agent_send(a, SIP_AGENT__FROM_AGENT__BODY_REGISTERED, &event);
}

static int on_response(void *arg, nta_outgoing_t *out, const sip_t *sip)
{
	struct registering *r = arg;
	int status = sip ? sip->sip_status->st_status : nta_outgoing_status(out);

	if (status < 200)
		return 0;
	/* Told before it is freed: the response's text is the transaction's. */
	tell(r->agent, r, r->number, status, sip);
	registering_free(r);
	return 0;
}

static nta_outgoing_t *send_request(struct registering *r, const SipAgent__Register *in,
				    const struct hop *hop)
{
	struct agent *a = r->agent;
	msg_t *msg = nta_msg_create(a->nta, 0);
	su_home_t *home = msg ? msg_home(msg) : NULL;
	char route[AGENT_ROUTE_SIZE], cseq[32], expires[16];
	nta_outgoing_t *out;

	if (!msg)
		return NULL;
	hop_route(hop, route);
	/* Built by hand, without a leg: Call-ID and CSeq are the server's, over all REGISTERs of
	 * a registration. */
	snprintf(cseq, sizeof(cseq), "%u REGISTER", in->cseq);
	snprintf(expires, sizeof(expires), "%u", in->expires_s);
	out = nta_outgoing_mcreate(
		a->nta, on_response, r, (url_string_t *)route, msg,
		SIPTAG_REQUEST(sip_request_create(home, SIP_METHOD_REGISTER,
						  (url_string_t *)in->request_uri, NULL)),
		SIPTAG_FROM_STR(su_sprintf(home, "<%s>;%s", in->aor,
					   nta_agent_newtag(home, "tag=%s", a->nta))),
		SIPTAG_TO_STR(su_sprintf(home, "<%s>", in->aor)), SIPTAG_CALL_ID_STR(in->call_id),
		SIPTAG_CSEQ_STR(cseq), SIPTAG_MAX_FORWARDS_STR("70"),
		SIPTAG_CONTACT_STR(hop_contact(a, home, in->contact_user, hop->transport)),
		SIPTAG_EXPIRES_STR(expires), SIPTAG_ALLOW_STR(AGENT_ALLOW),
		SIPTAG_USER_AGENT_STR(a->user_agent),
		SIPTAG_AUTHORIZATION_STR(agent_text(in->authorization)),
		SIPTAG_PROXY_AUTHORIZATION_STR(agent_text(in->proxy_authorization)), TAG_END());
	if (!out)
		msg_destroy(msg);
	return out;
}

static bool usable(const struct agent *a, su_home_t *home, const SipAgent__Register *in,
		   struct hop *hop)
{
	return hop_of_target(in->target, hop) == 0 &&
	       (hop->transport != SIP_AGENT__TRANSPORT__TLS || a->tls_port) &&
	       agent_uri_ok(home, in->request_uri) && agent_uri_ok(home, in->aor) &&
	       in->call_id[0] && agent_text_ok(in->call_id) && agent_text_ok(in->contact_user) &&
	       !strpbrk(in->contact_user, " <>\"@") && agent_text_ok(in->authorization) &&
	       agent_text_ok(in->proxy_authorization);
}

void register_send(struct agent *a, const SipAgent__Register *in)
{
	struct registering *r = su_home_new(sizeof(*r));
	struct hop hop;

	if (!r) {
		tell(a, NULL, in->registration, 503, NULL);
		return;
	}
	r->agent = a;
	r->number = in->registration;
	r->expires_s = in->expires_s;
	r->contact_user = su_strdup(r->home, in->contact_user);
	r->next = a->registering;
	if (r->next)
		r->next->prev = &r->next;
	r->prev = &a->registering;
	a->registering = r;
	if (usable(a, r->home, in, &hop))
		r->out = send_request(r, in, &hop);
	if (r->out)
		return;
	tell(a, r, in->registration, 400, NULL);
	registering_free(r);
}
