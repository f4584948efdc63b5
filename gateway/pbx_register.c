/* pbx_register.c - our registrations with PBXs: REGISTER, its challenges, its refreshing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <event2/event.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/timer.h"
#include "gateway/digest.h"
#include "gateway/pbxs_priv.h"
#include "gateway/registration.h"
#include "gateway/sip_link.h"
#include "gateway/sip_wire.h"

#define MODULE "pbx"

enum { SEND_AGAIN_MS = 1000 }; /* behind a queue that was full */

struct pbx_registration {
	struct pbx *pbx;
	struct registration state;
	struct event *timer;
	struct pbx_search *search;
	struct pbx_way way; /* the one that was asked last */
	struct digest_session digest;
	char aor[300], request_uri[300], user[128], call_id[33];
	uint32_t cseq;
	unsigned challenges; /* of the REGISTER under way */
	uint64_t number;     /* of the one under way; 0: none */
	bool leaving;        /* it gives the binding up */
};

static void send_register(struct pbx_registration *r, const char *user, const char *proxy)
{
	SipAgent__ToAgent message = SIP_AGENT__TO_AGENT__INIT;
	SipAgent__Register body = SIP_AGENT__REGISTER__INIT;
	SipAgent__Target target = SIP_AGENT__TARGET__INIT;
	char host[NET_TEXT_SIZE];

	net_format_host(&r->way.addr, host);
	target.address = host;
	target.port = net_port(&r->way.addr);
	target.transport = (SipAgent__Transport)r->way.transport; /* in the same order */
	target.name = r->way.name;
	/* Numbers are shared with probes: an answer is of one or of the other. */
	body.registration = r->number = ++r->pbx->pbxs->last_probe;
	body.request_uri = r->request_uri;
	body.aor = r->aor;
	body.contact_user = r->user;
	body.target = &target;
	body.expires_s = r->leaving ? 0 : r->state.expires_s; /* RFC 3261 10.2.2 */
	body.call_id = r->call_id;
	/* RFC 3261 10.2: one Call-ID for all REGISTERs of a boot, CSeq rises with each. */
	body.cseq = ++r->cseq;
	body.authorization = (char *)user;
	body.proxy_authorization = (char *)proxy;
	message.body_case = SIP_AGENT__TO_AGENT__BODY_REGISTER;
	message.register_ = &body;
	if (!sip_link_send(r->pbx->pbxs->sip, &message))
		return;
	/* Where the agent is gone pbxs_sip_ready() begins anew; where only its queue was full, or
	 * memory out, nobody else would, and the PBX would forget us. */
	r->number = 0;
	if (!r->leaving)
		timer_arm(r->timer, SEND_AGAIN_MS);
}

static void log_change(const struct pbx_registration *r, enum registration_state before,
		       const char *phrase)
{
	/* A refusal is told each time: somebody has to mend it. */
	if (r->state.state == before && before != REGISTRATION_REFUSED)
		return;
	if (r->state.state == REGISTERED)
		log_info(MODULE, "pbx=%s registered as %s", r->pbx->config->name, r->aor);
	else
		log_warn(MODULE, "pbx=%s registration of %s %s: %u %s", r->pbx->config->name,
			 r->aor, r->state.state == REGISTRATION_REFUSED ? "refused" : "failed",
			 r->state.code, phrase);
}

static void conclude(struct pbx_registration *r, const struct registration_answer *answer,
		     const char *phrase)
{
	enum registration_state before = r->state.state;
	int64_t ms = registration_take(&r->state, answer, clock_mono_ms());

	r->number = 0;
	log_change(r, before, phrase);
	timer_arm(r->timer, ms);
}

/* Answers a challenge; false where there is nothing to answer it with. */
static bool authorize(struct pbx_registration *r, const SipAgent__Registered *registered)
{
	const struct cig_account *account = r->pbx->config->register_account;
	const struct digest_account known = { account->user, account->password };
	struct digest_challenge challenges[DIGEST_MAX_CHALLENGES];
	struct digest_asked asked = { .challenges = challenges,
				      .number = ++r->challenges,
				      .method = "REGISTER",
				      .uri = r->request_uri };
	struct digest_headers headers;

	for (size_t i = 0; i < registered->n_challenges && asked.n < DIGEST_MAX_CHALLENGES; i++)
		asked.n += wire_challenge_get(registered->challenges[i], &challenges[asked.n]) == 0;
	if (digest_session_answer(&r->digest, &asked, &known, &headers))
		return false;
	send_register(r, headers.authorization, headers.proxy_authorization);
	OPENSSL_cleanse(&headers, sizeof(headers));
	return true;
}

/* Whatever the answer: the binding would end by itself. */
static void leave(struct pbx_registration *r, const SipAgent__Registered *registered)
{
	r->number = 0;
	if (registered->code < 300)
		log_info(MODULE, "pbx=%s no longer registered as %s", r->pbx->config->name, r->aor);
	else
		log_warn(MODULE, "pbx=%s registration of %s cannot be given up: %u %s",
			 r->pbx->config->name, r->aor, registered->code, registered->phrase);
	pbxs_register_left(r->pbx);
}

static void take(struct pbx_registration *r, const SipAgent__Registered *registered)
{
	const struct registration_answer answer = { .code = registered->code,
						    .expires_s = registered->expires_s,
						    .min_expires_s = registered->min_expires_s,
						    .retry_after_s = registered->retry_after_s };

	pbxs_met(r->pbx->pbxs, &r->way, registered->code, registered->retry_after_s);
	/* A challenge is no failure: the same REGISTER goes again with its answer. */
	if ((registered->code == 401 || registered->code == 407) && authorize(r, registered))
		return;
	if (r->leaving)
		leave(r, registered);
	else
		conclude(r, &answer, registered->phrase);
}

static struct pbx_registration *find(struct pbx *pbx, uint64_t number)
{
	for (; pbx; pbx = pbx->next)
		if (pbx->registration && pbx->registration->number == number)
			return pbx->registration;
	return NULL;
}

void pbx_registered(struct pbxs *pbxs, const SipAgent__Registered *registered)
{
	struct pbx_registration *r = find(pbxs->first, registered->registration);

	if (!r)
		r = find(pbxs->departing, registered->registration);
	if (r && r->number)
		take(r, registered);
}

static void on_found(void *arg, const struct pbx_way *ways, size_t n, const char *why)
{
	struct pbx_registration *r = arg;

	r->search = NULL;
	if (n == 0) {
		conclude(r, &(struct registration_answer){ .code = 503 }, why);
		return;
	}
	r->way = ways[0];
	r->challenges = 0;
	send_register(r, "", "");
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct pbx_registration *r = arg;
	struct sip_target target = { .port = 5060 };

	(void)fd;
	(void)what;
	if (r->leaving || r->search || r->number || !sip_link_is_ready(r->pbx->pbxs->sip))
		return;
	snprintf(target.host, sizeof(target.host), "%s", r->pbx->config->hosts[0]);
	r->search = pbxs_search(r->pbx->pbxs, &target, on_found, r);
	if (!r->search)
		conclude(r, &(struct registration_answer){ .code = 503 }, "out of memory");
}

/* "sip:USER@HOST;..." into its parts; cig.conf's reader has checked it. */
static void take_uri(struct pbx_registration *r)
{
	const char *uri = r->pbx->config->register_uri, *at = strchr(uri, '@');

	snprintf(r->aor, sizeof(r->aor), "%s", uri);
	snprintf(r->request_uri, sizeof(r->request_uri), "sip:%s", at ? at + 1 : "");
	snprintf(r->user, sizeof(r->user), "%.*s", at ? (int)(at - uri - 4) : 0, uri + 4);
}

/* ---- life ---- */

static bool same_servers(const struct cig_pbx *a, const struct cig_pbx *b)
{
	if (a->server_count != b->server_count || strcmp(a->hosts[0], b->hosts[0]) != 0 ||
	    a->has_transport != b->has_transport || a->transport != b->transport)
		return false;
	for (size_t i = 0; i < a->server_count; i++) {
		const struct cig_pbx_server *s = &a->servers[i], *t = &b->servers[i];

		if (strcmp(s->host, t->host) != 0 || s->port != t->port ||
		    s->priority != t->priority || s->weight != t->weight)
			return false;
	}
	return true;
}

/* Would both send the same REGISTER to the same place? */
static bool same(const struct cig_pbx *a, const struct cig_pbx *b)
{
	return same_servers(a, b) && a->register_s == b->register_s &&
	       strcmp(a->register_account->user, b->register_account->user) == 0 &&
	       strcmp(a->register_account->password, b->register_account->password) == 0;
}

/* Of the former blocks the one that has this address of record. */
static struct pbx *holder_of(struct pbx *before, const char *uri)
{
	while (before && (!before->registration || strcmp(before->registration->aor, uri) != 0))
		before = before->next;
	return before;
}

static void take_over(struct pbx *pbx, struct pbx *before)
{
	struct pbx_registration *r = before->registration;

	before->registration = NULL;
	pbx->registration = r;
	r->pbx = pbx;
	if (r->search) { /* by the old block's addresses, which go */
		pbxs_cancel(&r->search);
		timer_arm(r->timer, 0);
	}
}

/* One binding after the other: RFC 3261 10.3 removes a binding by its contact, which both have,
 * so the end of the old one must not come behind the new one.  It comes or is given up within
 * PBXS_LEAVE_MS. */
int pbx_register_start(struct pbx *pbx, struct pbx *before)
{
	struct pbx *holder;
	struct pbx_registration *r;
	uint8_t octets[16];

	if (!pbx->config->register_uri)
		return 0;
	holder = holder_of(before, pbx->config->register_uri);
	if (holder && same(holder->config, pbx->config)) {
		take_over(pbx, holder);
		return 0;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return -1;
	r->pbx = pbx;
	r->timer = evtimer_new(pbx->pbxs->base, on_timer, r);
	registration_init(&r->state, pbx->config->register_s);
	pbx->registration = r;
	if (!r->timer || getrandom(octets, sizeof(octets), 0) != (ssize_t)sizeof(octets))
		return -1;
	hex_encode(slice_of(octets, sizeof(octets)), r->call_id);
	take_uri(r);
	timer_arm(r->timer, holder ? PBXS_LEAVE_MS : 0);
	return 0;
}

/* Whoever waits for the end of the binding of that address of record need not wait longer. */
static void let_begin(struct pbxs *pbxs, const char *aor)
{
	struct pbx *pbx = holder_of(pbxs->first, aor);

	/* cseq 0: it has sent nothing yet, so it waits for the holder. */
	if (pbx && pbx->registration->cseq == 0)
		timer_arm(pbx->registration->timer, 0);
}

void pbx_register_again(struct pbx *pbx)
{
	if (!pbx->registration)
		return;
	/* The child that was asked is gone: its answer will not come. */
	pbx->registration->number = 0;
	timer_arm(pbx->registration->timer, 0);
}

void pbx_register_stop(struct pbx *pbx)
{
	struct pbx_registration *r = pbx->registration;

	if (!r)
		return;
	pbx->registration = NULL;
	pbxs_cancel(&r->search);
	if (r->timer)
		event_free(r->timer);
	digest_session_wipe(&r->digest);
	let_begin(pbx->pbxs, r->aor);
	free(r);
}

bool pbx_register_leave(struct pbx *pbx, bool unsure)
{
	struct pbx_registration *r = pbx->registration;

	if (!r || r->leaving)
		return false;
	if (!registration_holds(&r->state, clock_mono_ms()) && !(unsure && r->number))
		return false;
	r->leaving = true;
	pbxs_cancel(&r->search);
	r->challenges = 0;
	send_register(r, "", ""); /* takes the place of one that is under way */
	return r->number != 0;
}

json_t *pbx_register_report(const struct pbx *pbx)
{
	const struct pbx_registration *r = pbx->registration;

	if (!r)
		return json_null();
	return json_pack("{s:s, s:s, s:i}", "aor", r->aor, "state",
			 registration_state_name(r->state.state), "code", (int)r->state.code);
}
