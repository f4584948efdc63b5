/* text.c - SIP MESSAGE (RFC 3428), page mode: each a transaction of its own, theirs
 * told to the server and answered when it says so. */
#include "gateway/sip/agent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	TEXT_MAX = 1000,     /* under way at one time, either way */
	BODY_MAX = 32768,    /* octets */
	REPLY_MS = 20000,    /* the server's time; timer F of the sender is 32 s */
	ASK_MS = 5000,       /* how long a challenge may lie with the server */
	HEADERS_ABOUT = 600, /* octets of a MESSAGE besides its body */
	LONGEST_ANSWER_MS = 60000,
};

/* A SIP MESSAGE under way, theirs (in) or ours. */
struct text {
	su_home_t home[1]; /* first: owns it */
	struct agent *agent;
	struct text *next, **prev;
	uint64_t number;
	su_timer_t *limit;
	nta_incoming_t *in;
	nta_outgoing_t *out;
	struct hop target; /* of theirs: where it came from */
	bool grown;        /* over TCP because of its size */
	const char *request_uri, *from, *to, *call_id, *content_type;
	const char *authorization, *proxy_authorization, *asserted;
	struct slice body;
	unsigned cseq, challenges;
	su_duration_t answer_ms; /* 0: timer F */
};

static struct text *text_new(struct agent *a, uint64_t number)
{
	/* Both ways count together: a flood of texts must not take the memory of calls. */
	struct text *t = a->ntexts < TEXT_MAX ? su_home_new(sizeof(*t)) : NULL;

	if (!t)
		return NULL;
	t->agent = a;
	t->number = number;
	t->limit = su_timer_create(su_root_task(a->root), 0);
	if (!t->limit) { /* without it nobody would end a text whose answer does not come */
		su_home_unref(t->home);
		return NULL;
	}
	t->next = a->texts;
	if (t->next)
		t->next->prev = &t->next;
	t->prev = &a->texts;
	a->texts = t;
	a->ntexts++;
	return t;
}

static void text_free(struct text *t)
{
	*t->prev = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->agent->ntexts--;
	nta_incoming_destroy(t->in);
	nta_outgoing_destroy(t->out);
	su_timer_destroy(t->limit);
	su_home_unref(t->home);
}

void text_forget_all(struct agent *a)
{
	while (a->texts)
		text_free(a->texts);
}

static struct text *find(struct agent *a, uint64_t number)
{
	struct text *t = a->texts;

	while (t && t->number != number)
		t = t->next;
	return t;
}

static char *text_of(const char *text)
{
	return (char *)(uintptr_t)(text ? text : "");
}

/* ---- ours ---- */

static void tell_done(struct agent *a, uint64_t number, int code, const sip_t *sip)
{
	SipAgent__TextDone event = SIP_AGENT__TEXT_DONE__INIT;
	su_home_t home[1] = { SU_HOME_INIT(home) };

	event.text = number;
	event.code = (uint32_t)code;
	if (sip) {
		event.phrase = text_of(sip->sip_status->st_phrase);
		event.warning = body_header(home, sip->sip_warning);
		event.retry_after_s =
			sip->sip_retry_after ? (uint32_t)sip->sip_retry_after->af_delta : 0;
	}
	agent_send(a, SIP_AGENT__FROM_AGENT__BODY_TEXT_DONE, &event);
	su_home_deinit(home);
}

static void on_ask_limit(struct agent *a, su_timer_t *timer, void *arg)
{
	struct text *t = arg;

	(void)timer;
	tell_done(a, t->number, 401, NULL);
	text_free(t);
}

/* Silence: another server may do better, so timer F is not waited for.  The transaction ends
 * with it; a late response is for nobody. */
static void on_answer_limit(struct agent *a, su_timer_t *timer, void *arg)
{
	struct text *t = arg;

	(void)timer;
	tell_done(a, t->number, 408, NULL);
	text_free(t);
}

static bool ask(struct text *t, nta_outgoing_t *out, const sip_t *sip)
{
	SipAgent__TextChallenged event = SIP_AGENT__TEXT_CHALLENGED__INIT;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	struct challenge_list challenges;

	body_challenges(sip, &challenges);
	if (challenges.n == 0 || t->challenges >= AGENT_MAX_CHALLENGES)
		return false;
	event.text = t->number;
	event.number = ++t->challenges;
	event.uri = body_url(home, nta_outgoing_request_uri(out));
	event.n_challenges = challenges.n;
	event.challenges = challenges.list;
	agent_send(t->agent, SIP_AGENT__FROM_AGENT__BODY_TEXT_CHALLENGED, &event);
	su_timer_set_interval(t->limit, on_ask_limit, t, ASK_MS);
	su_home_deinit(home);
	return true;
}

static int send_request(struct text *t);

static int on_response(void *arg, nta_outgoing_t *out, const sip_t *sip)
{
	struct text *t = arg;
	int status = sip ? sip->sip_status->st_status : nta_outgoing_status(out);
	bool tcp_failed = t->grown && sip && status == 503 && nta_sip_is_internal(sip);

	if (status < 200) {
		if (t->answer_ms) /* somebody is there: elsewhere it would be a second text */
			su_timer_reset(t->limit);
		return 0;
	}
	if (tcp_failed && t->target.transport == SIP_AGENT__TRANSPORT__TCP) {
		t->target.transport =
			SIP_AGENT__TRANSPORT__UDP; /* no TCP there: UDP, whatever the size */
		if (send_request(t) == 0)
			return 0;
	} else if (sip && (status == 401 || status == 407) && ask(t, out, sip)) {
		return 0;
	}
	tell_done(t->agent, t->number, status, sip);
	text_free(t);
	return 0;
}

static int send_request(struct text *t)
{
	msg_t *msg = nta_msg_create(t->agent->nta, 0);
	su_home_t *home = msg ? msg_home(msg) : NULL;
	char route[AGENT_ROUTE_SIZE], cseq[32];
	nta_outgoing_t *before = t->out;

	if (!msg)
		return -ENOMEM;
	hop_route(&t->target, route);
	/* A new CSeq for each try (RFC 3261 8.1.3.5), the Call-ID stays. */
	snprintf(cseq, sizeof(cseq), "%u MESSAGE", ++t->cseq);
	t->out = nta_outgoing_mcreate(
		t->agent->nta, on_response, t, (url_string_t *)route, msg,
		SIPTAG_REQUEST(sip_request_create(home, SIP_METHOD_MESSAGE,
						  (url_string_t *)(uintptr_t)t->request_uri, NULL)),
		SIPTAG_FROM_STR(t->from), SIPTAG_TO_STR(t->to), SIPTAG_CALL_ID_STR(t->call_id),
		SIPTAG_CSEQ_STR(cseq), SIPTAG_MAX_FORWARDS_STR("70"),
		SIPTAG_USER_AGENT_STR(t->agent->user_agent),
		SIPTAG_AUTHORIZATION_STR(t->authorization),
		SIPTAG_PROXY_AUTHORIZATION_STR(t->proxy_authorization),
		TAG_IF(t->asserted, SIPTAG_HEADER_STR(t->asserted)),
		SIPTAG_CONTENT_TYPE_STR(t->content_type),
		SIPTAG_PAYLOAD(sip_payload_create(home, t->body.p, (isize_t)t->body.n)), TAG_END());
	nta_outgoing_destroy(before);
	if (!t->out) {
		msg_destroy(msg);
		return -EINVAL;
	}
	if (t->answer_ms)
		su_timer_set_interval(t->limit, on_answer_limit, t, t->answer_ms);
	return 0;
}

/* Words of RFC 3261's grammar for one, and no others; empty: none. */
static bool is_call_id(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789-._@") == strlen(text);
}

/* Copies what the request needs: the message from the server does not stay. */
static int take_request(struct text *t, const SipAgent__Text *text)
{
	const char *asserted = agent_text(text->asserted_uri);
	struct agent *a = t->agent;
	const char *name;

	if (hop_of_target(text->target, &t->target) ||
	    (t->target.transport == SIP_AGENT__TRANSPORT__TLS && !a->tls_port) ||
	    text->body.len > BODY_MAX || !agent_uri_ok(t->home, text->request_uri) ||
	    !agent_uri_ok(t->home, text->from_uri) || !agent_uri_ok(t->home, text->to_uri) ||
	    !agent_text_ok(text->from_name) || !text->content_type[0] ||
	    !agent_text_ok(text->content_type) || !is_call_id(text->call_id) ||
	    (asserted && !agent_uri_ok(t->home, asserted)))
		return -EINVAL;
	t->answer_ms = text->answer_ms < LONGEST_ANSWER_MS ? text->answer_ms : LONGEST_ANSWER_MS;
	if (asserted)
		t->asserted = su_sprintf(t->home, "P-Asserted-Identity: <%s>\r\n", asserted);
	t->request_uri = su_strdup(t->home, text->request_uri);
	name = agent_name_addr(t->home, text->from_name, text->from_uri);
	t->from = su_sprintf(t->home, "%s;%s", name, nta_agent_newtag(t->home, "tag=%s", a->nta));
	t->to = agent_name_addr(t->home, "", text->to_uri);
	t->call_id =
		*text->call_id ? su_strdup(t->home, text->call_id) : agent_new_call_id(t->home);
	t->content_type = su_strdup(t->home, text->content_type);
	if (text->body.len) {
		uint8_t *copy = su_alloc(t->home, (isize_t)text->body.len);

		if (!copy)
			return -ENOMEM;
		memcpy(copy, text->body.data, text->body.len);
		t->body = slice_of(copy, text->body.len);
	}
	/* RFC 3428 8: a MESSAGE that is too long for UDP goes over a transport that controls
	 * congestion. */
	t->grown = t->target.transport == SIP_AGENT__TRANSPORT__UDP &&
		   t->body.n + HEADERS_ABOUT > a->udp_mtu;
	if (t->grown)
		t->target.transport = SIP_AGENT__TRANSPORT__TCP;
	return t->from && t->to && t->call_id && t->content_type ? 0 : -ENOMEM;
}

void text_send(struct agent *a, const SipAgent__Text *text)
{
	struct text *t = find(a, text->text) ? NULL : text_new(a, text->text);
	int err = t ? take_request(t, text) : -ENOMEM;

	if (!err)
		err = send_request(t);
	if (!err)
		return;
	tell_done(a, text->text, err == -EINVAL ? 400 : 503, NULL);
	if (t)
		text_free(t);
}

void text_authorize(struct agent *a, const SipAgent__TextAuthorize *authorize)
{
	struct text *t = find(a, authorize->text);

	if (!t || t->in || authorize->number != t->challenges ||
	    !agent_text_ok(authorize->authorization) ||
	    !agent_text_ok(authorize->proxy_authorization))
		return;
	su_timer_reset(t->limit);
	t->authorization = su_strdup(t->home, agent_text(authorize->authorization));
	t->proxy_authorization = su_strdup(t->home, agent_text(authorize->proxy_authorization));
	if (send_request(t)) {
		tell_done(a, t->number, 400, NULL);
		text_free(t);
	}
}

/* ---- theirs ---- */

static void on_reply_limit(struct agent *a, su_timer_t *timer, void *arg)
{
	struct text *t = arg;

	(void)a, (void)timer;
	/* Before the sender's timer F: it gets a final answer. */
	nta_incoming_treply(t->in, SIP_504_GATEWAY_TIME_OUT, TAG_END());
	text_free(t);
}

static void tell_text(struct text *t, const sip_t *sip)
{
	SipAgent__TextIn event = SIP_AGENT__TEXT_IN__INIT;
	SipAgent__Target source;
	char *identities[BODY_MAX_ASSERTED], *authorizations[BODY_MAX_AUTHORIZATIONS];
	su_home_t home[1] = { SU_HOME_INIT(home) };

	hop_target(&t->target, home, &source);
	event.text = t->number;
	event.request_uri = body_called(t->agent, home, sip->sip_request->rq_url);
	event.from_uri = body_caller(home, sip->sip_from->a_url, source.address);
	event.from_name = body_name(home, sip->sip_from->a_display);
	event.to_uri = body_url(home, sip->sip_to->a_url);
	event.call_id = text_of(sip->sip_call_id->i_id);
	event.from_tag = text_of(sip->sip_from->a_tag);
	event.cseq = sip->sip_cseq->cs_seq;
	event.source = &source;
	event.content_type = body_header(home, sip->sip_content_type);
	if (sip->sip_payload && sip->sip_payload->pl_len) {
		event.body.data = (uint8_t *)sip->sip_payload->pl_data;
		event.body.len = sip->sip_payload->pl_len;
	}
	event.n_asserted_uris = body_asserted(sip, home, source.address, identities);
	event.asserted_uris = identities;
	event.anonymous = body_is_anonymous(sip);
	event.n_authorizations = body_authorizations(sip, home, authorizations);
	event.authorizations = authorizations;
	agent_send(t->agent, SIP_AGENT__FROM_AGENT__BODY_TEXT_IN, &event);
	su_home_deinit(home);
}

static void refuse(nta_agent_t *nta, msg_t *msg, int status, const char *phrase)
{
	char after[16];

	snprintf(after, sizeof(after), "%d", AGENT_RETRY_AFTER_S);
	nta_msg_treply(nta, msg, status, phrase,
		       TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR(after)), TAG_END());
}

void text_take(struct agent *a, nta_agent_t *nta, msg_t *msg, sip_t *sip)
{
	bool full =
		a->quitting || a->ntexts >= TEXT_MAX || link_queued(a->link) >= AGENT_QUEUE_BUSY;
	struct text *t;

	if (sip->sip_payload && sip->sip_payload->pl_len > BODY_MAX) {
		refuse(nta, msg, SIP_413_REQUEST_TOO_LARGE);
		return;
	}
	t = full ? NULL : text_new(a, a->next_number);
	if (!t) {
		a->overload++;
		refuse(nta, msg, SIP_503_SERVICE_UNAVAILABLE);
		return;
	}
	a->next_number += 2;
	hop_of_message(msg, sip, &t->target);
	t->in = nta_incoming_create(nta, NULL, msg, sip, TAG_END());
	if (!t->in) {
		text_free(t);
		return;
	}
	su_timer_set_interval(t->limit, on_reply_limit, t, REPLY_MS);
	tell_text(t, sip);
}

void text_reply(struct agent *a, const SipAgent__TextReply *r)
{
	struct text *t = find(a, r->text);
	unsigned code = r->code >= 200 && r->code <= 699 ? r->code : 500;
	char after[16];

	if (!t || !t->in)
		return;
	snprintf(after, sizeof(after), "%u", r->retry_after_s);
	nta_incoming_treply(
		t->in, (int)code, agent_text_ok(r->phrase) ? agent_text(r->phrase) : NULL,
		SIPTAG_HEADER_STR(body_challenge_lines(t->home, r->challenges, r->n_challenges)),
		TAG_IF(r->retry_after_s, SIPTAG_RETRY_AFTER_STR(after)), TAG_END());
	text_free(t);
}
