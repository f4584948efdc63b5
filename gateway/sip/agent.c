/* agent.c - cig-sip as a whole: bound once by the first Configure, changed by later
 * ones, ended by Quit or by the server's end. */
#include "gateway/sip/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/pack.h"

enum {
	DEFAULT_MAX_CALLS = 10000,
	DEFAULT_RING_MS = 180000,
	MIN_SESSION_S = 90,   /* RFC 4028 5 */
	LONGEST_MS = 3600000, /* the library's timers wrap after 15 days */
	TCP_IDLE_MS = 600000,
	TCP_MESSAGE_MS = 30000, /* a message begun must be whole by then */
	LEAVE_MS = 2000,
	UDP_BUFFER = 4 << 20, /* as far as the kernel lets it */
};

typedef int send_fn(struct link *link, struct slice message);

static void send_by(struct agent *a, send_fn *send, SipAgent__FromAgent__BodyCase body,
		    void *message)
{
	SipAgent__FromAgent from = SIP_AGENT__FROM_AGENT__INIT;
	uint8_t *octets;
	size_t n;

	from.body_case = body;
	from.ready = message; /* a union of pointers */
	if (pack_write(&from.base, LINK_MAX_MESSAGE, &octets, &n))
		return;
	send(a->link, slice_of(octets, n));
	free(octets);
}

void agent_send(struct agent *a, SipAgent__FromAgent__BodyCase body, void *message)
{
	send_by(a, link_send, body, message);
}

void agent_send_lazily(struct agent *a, SipAgent__FromAgent__BodyCase body, void *message)
{
	send_by(a, link_send_lazily, body, message);
}

bool agent_trusts(const struct agent *a, const struct net_addr *source)
{
	for (size_t i = 0; i < a->nnetworks; i++)
		if (net_block_contains(&a->networks[i], source))
			return true;
	return false;
}

void agent_refused(struct agent *a, struct log_limit *limit, const struct net_addr *source,
		   const char *what)
{
	SipAgent__Refused refused = SIP_AGENT__REFUSED__INIT;
	char text[NET_TEXT_SIZE] = "";
	unsigned suppressed = 0;

	if (!log_limit_pass(limit, clock_mono_ms(), &suppressed))
		return;
	if (source)
		net_format(source, text);
	refused.source = text;
	refused.what = (char *)(uintptr_t)what;
	refused.suppressed = suppressed;
	agent_send(a, SIP_AGENT__FROM_AGENT__BODY_REFUSED, &refused);
}

bool agent_is_full(const struct agent *a)
{
	return a->quitting || a->ncalls >= a->max_calls || a->unacked >= AGENT_UNACKED_MAX ||
	       link_queued(a->link) >= AGENT_QUEUE_BUSY;
}

/* The ACK came, or timer H said that it never will (no message). */
static int on_refusal_over(void *arg, nta_incoming_t *irq, const sip_t *sip)
{
	struct agent *a = arg;

	if (sip && sip->sip_request->rq_method != sip_method_ack)
		return 0;
	a->unacked--;
	nta_incoming_destroy(irq);
	return 0;
}

void agent_let_go(struct agent *a, nta_incoming_t *irq)
{
	a->unacked++;
	/* Kept until its ACK, for the library repeats the refusal until then (RFC 3261 17.2.1);
	 * counted for agent_is_full(). */
	nta_incoming_bind(irq, on_refusal_over, a);
}

void agent_source(msg_t *msg, struct net_addr *out)
{
	const su_sockaddr_t *from = msg_addr(msg);

	*out = (struct net_addr){ .len = 0 };
	if (from->su_family == AF_INET)
		out->in = from->su_sin, out->len = sizeof(out->in);
	else if (from->su_family == AF_INET6)
		out->in6 = from->su_sin6, out->len = sizeof(out->in6);
}

/* ---- configuration ---- */

static void fail(struct agent *a, const char *text)
{
	SipAgent__Failure failure = SIP_AGENT__FAILURE__INIT;

	failure.text = (char *)(uintptr_t)text;
	agent_send(a, SIP_AGENT__FROM_AGENT__BODY_FAILURE, &failure);
	/* The reason must be out before the process ends. */
	link_flush(a->link, LEAVE_MS);
	su_root_break(a->root);
}

/* Each setting that the library has a default for is set, lest another version of it brings
 * another one (sofia-sip-traps.md S12, S13).  UDP_MTU: what is too long for UDP is decided per
 * request, here; timer C is ours, too. */
static nta_agent_t *bind_transports(struct agent *a, const char *url)
{
	return nta_agent_create(a->root, (url_string_t *)(uintptr_t)url, receive_message, a,
				NTATAG_UA(0), NTATAG_MAXSIZE(AGENT_MAX_MESSAGE),
				NTATAG_UDP_MTU(65535), NTATAG_USE_NAPTR(0), NTATAG_USE_SRV(0),
				NTATAG_MERGE_482(1), NTATAG_PASS_100(1), NTATAG_CANCEL_487(1),
				NTATAG_REL100(0), NTATAG_SERVER_RPORT(1), NTATAG_CLIENT_RPORT(1),
				NTATAG_TCP_RPORT(1), NTATAG_TIMER_C(LONGEST_MS * 2),
				NTATAG_SIP_T1X64(SIP_TIMEOUT_MS), TPTAG_IDLE(TCP_IDLE_MS),
				TPTAG_TIMEOUT(TCP_MESSAGE_MS), TPTAG_PONG2PING(1), TPTAG_REUSE(1),
				TPTAG_STUN_SERVER(0), TPTAG_UDP_RMEM(UDP_BUFFER), TAG_END());
}

static int read_networks(struct agent *a, const SipAgent__Configure *c)
{
	if (c->n_networks > AGENT_MAX_NETWORKS)
		return -E2BIG;
	for (size_t i = 0; i < c->n_networks; i++)
		if (net_block_parse(c->networks[i], &a->networks[i]))
			return -EINVAL;
	a->nnetworks = c->n_networks;
	return 0;
}

static uint32_t limited(uint32_t ms, uint32_t otherwise)
{
	return ms == 0 ? otherwise : ms > LONGEST_MS ? LONGEST_MS : ms;
}

static void take_session(struct agent *a, const SipAgent__Configure *c)
{
	a->session_s = c->session_expires_s;
	a->min_session_s = c->min_session_expires_s ? c->min_session_expires_s : MIN_SESSION_S;
	if (a->session_s && a->session_s < a->min_session_s)
		a->session_s = a->min_session_s;
}

static void take_limits(struct agent *a, const SipAgent__Configure *c)
{
	a->udp_mtu = c->udp_mtu ? c->udp_mtu : 65535; /* no datagram is longer */
	a->max_calls = c->max_calls ? c->max_calls : DEFAULT_MAX_CALLS;
}

static void take_settings(struct agent *a, const SipAgent__Configure *c)
{
	if (c->user_agent[0] && agent_text_ok(c->user_agent))
		a->user_agent = strdup(c->user_agent);
	take_limits(a, c);
	/* Odd: even numbers are the server's (sip_link_next_call()). */
	a->next_number = c->first_call | 1;
	a->takes_texts = c->texts;
	a->answer_ms = limited(c->answer_ms, SIP_TIMEOUT_MS);
	a->ring_ms = limited(c->ring_ms, DEFAULT_RING_MS);
	take_session(a, c);
}

/* While it runs: who may call in, how many, what goes over UDP, whether texts are taken, session
 * timers of new calls. */
static void reconfigure(struct agent *a, const SipAgent__Configure *c)
{
	take_session(a, c);
	if (read_networks(a, c))
		return;
	take_limits(a, c);
	a->takes_texts = c->texts;
	agent_set_trace(a, c->trace, c->hep);
}

static void tell_ready(struct agent *a, const struct net_addr *bound)
{
	SipAgent__Ready ready = SIP_AGENT__READY__INIT;
	const sip_via_t *via = nta_agent_via(a->nta);
	char host[NET_TEXT_SIZE];

	a->port = via && via->v_port ? (unsigned)strtoul(via->v_port, NULL, 10) : 5060;
	if (via && via->v_host) /* where every address is bound: one of them */
		snprintf(a->host, sizeof(a->host), "%s", via->v_host);
	net_format_host(bound, host);
	ready.address = host;
	ready.port = a->port;
	ready.tls_port = a->tls_port;
	agent_send(a, SIP_AGENT__FROM_AGENT__BODY_READY, &ready);
}

/* "sip:HOST:PORT;transport=udp,tcp"; the library's word for any port is "*". */
static void bind_url(const struct agent *a, const SipAgent__Configure *c, char *out, size_t outsz)
{
	const char *transports = c->udp && c->tcp ? "udp,tcp" : c->udp ? "udp" : "tcp";
	char port[8] = "*";

	if (c->port)
		snprintf(port, sizeof(port), "%u", (unsigned)(uint16_t)c->port);
	snprintf(out, outsz, "sip:%s:%s;transport=%s", a->host, port, transports);
}

/* Tries the address, for a better reason than the library gives. */
static int try_binding(const struct net_addr *bound, const SipAgent__Configure *c)
{
	int udp = c->udp ? net_udp_socket(bound, false) : 0;
	int tcp = c->tcp ? net_tcp_listen(bound, false) : 0;

	if (c->udp && udp >= 0)
		close(udp);
	if (c->tcp && tcp >= 0)
		close(tcp);
	return udp < 0 ? udp : tcp < 0 ? tcp : 0;
}

static void fail_to_bind(struct agent *a, const struct net_addr *bound, int err)
{
	char text[256], host[NET_TEXT_SIZE];

	net_format(bound, host);
	snprintf(text, sizeof(text), "cannot bind %s: %s", host, strerror(-err));
	fail(a, text);
}

static void configure(struct agent *a, const SipAgent__Configure *c)
{
	struct net_addr bound;
	char url[256], host[NET_TEXT_SIZE], why[256] = "";
	int err;

	if (a->nta) {
		reconfigure(a, c);
		return;
	}
	if (net_parse(c->address, (uint16_t)c->port, &bound) || c->port > 65535 ||
	    (!c->udp && !c->tcp) || read_networks(a, c)) {
		fail(a, "the address, port, transports or networks are malformed");
		return;
	}
	take_settings(a, c);
	/* Before the first socket: no connection comes in unwatched. */
	door_watch(a);
	net_format_host(&bound, host);
	snprintf(a->host, sizeof(a->host), bound.sa.sa_family == AF_INET6 ? "[%s]" : "%s", host);
	bind_url(a, c, url, sizeof(url));
	err = try_binding(&bound, c);
	if (!err) {
		a->nta = bind_transports(a, url);
		err = a->nta ? 0 : -su_errno();
	}
	if (err) {
		fail_to_bind(a, &bound, err);
		return;
	}
	agent_set_trace(a, c->trace, c->hep);
	if (c->tls && tls_bind(a, c->tls, why, sizeof(why)))
		fail(a, why);
	else
		tell_ready(a, &bound);
}

/* ---- counters ---- */

static void count(struct agent *a, SipAgent__Counters *c)
{
	usize_t requests = 0, responses = 0, bad = 0, again = 0, retries = 0;

	if (a->nta)
		nta_agent_get_stats(a->nta, NTATAG_S_RECV_REQUEST_REF(requests),
				    NTATAG_S_RECV_RESPONSE_REF(responses),
				    NTATAG_S_BAD_MESSAGE_REF(bad), NTATAG_S_RECV_RETRY_REF(again),
				    NTATAG_S_RETRY_REQUEST_REF(retries), TAG_END());
	/* The library counts and says nothing: so the log hears of it with the next ping. */
	if (bad > a->library_malformed)
		agent_refused(a, &a->malformed_limit, NULL, "malformed SIP");
	a->library_malformed = bad;
	c->requests = requests;
	c->responses = responses;
	c->malformed = bad + a->malformed;
	c->strangers = a->strangers;
	c->options = a->options;
	c->overload = a->overload;
	c->retransmits = again + retries;
	c->calls = a->ncalls;
	c->queued = (uint32_t)link_queued(a->link);
}

static void pong(struct agent *a, const SipAgent__Ping *ping)
{
	SipAgent__Counters counters = SIP_AGENT__COUNTERS__INIT;
	SipAgent__Pong p = SIP_AGENT__PONG__INIT;

	count(a, &counters);
	p.token = ping->token;
	p.counters = &counters;
	agent_send(a, SIP_AGENT__FROM_AGENT__BODY_PONG, &p);
}

/* ---- the end ---- */

static void leave(struct agent *a, su_timer_t *timer, void *arg)
{
	(void)timer, (void)arg;
	su_root_break(a->root);
}

static void quit(struct agent *a)
{
	struct call *next;

	if (a->quitting)
		return;
	a->quitting = true;
	for (struct call *call = a->calls; call; call = next) {
		next = call->next;
		call_hangup(call, "");
	}
	su_timer_set_interval(a->leaving, leave, NULL, a->ncalls ? LEAVE_MS : 0);
}

/* ---- what the server says ---- */

/* Messages about a call. */
static void call_message(struct agent *a, const SipAgent__ToAgent *to)
{
	struct call *call;

	switch (to->body_case) {
	case SIP_AGENT__TO_AGENT__BODY_AUTHORIZE:
		call = call_find(a, to->authorize->call);
		if (call)
			call_authorize(call, to->authorize);
		return;
	case SIP_AGENT__TO_AGENT__BODY_RING:
		call = call_find(a, to->ring->call);
		if (call)
			incoming_ring(call, to->ring);
		return;
	case SIP_AGENT__TO_AGENT__BODY_ANSWER:
		call = call_find(a, to->answer->call);
		if (call)
			incoming_answer(call, to->answer);
		return;
	case SIP_AGENT__TO_AGENT__BODY_REJECT:
		call = call_find(a, to->reject->call);
		if (call)
			incoming_reject(call, to->reject);
		return;
	case SIP_AGENT__TO_AGENT__BODY_HANGUP:
		call = call_find(a, to->hangup->call);
		if (call)
			call_hangup(call, to->hangup->reason);
		return;
	case SIP_AGENT__TO_AGENT__BODY_DIGIT:
		call = call_find(a, to->digit->call);
		if (call)
			digit_send(call, to->digit);
		return;
	case SIP_AGENT__TO_AGENT__BODY_REOFFER:
		call = call_find(a, to->reoffer->call);
		if (call)
			reoffer_take(call, to->reoffer);
		return;
	case SIP_AGENT__TO_AGENT__BODY_CHANGE_ANSWER:
		call = call_find(a, to->change_answer->call);
		if (call)
			dialog_answer_change(call, to->change_answer);
		return;
	case SIP_AGENT__TO_AGENT__BODY_CHANGE_REJECT:
		call = call_find(a, to->change_reject->call);
		if (call)
			dialog_reject_change(call, to->change_reject);
		return;
	default:
		return; /* a kind that this version does not know */
	}
}

static void take(struct agent *a, const SipAgent__ToAgent *to)
{
	if (to->body_case == SIP_AGENT__TO_AGENT__BODY_PING)
		pong(a, to->ping);
	else if (to->body_case == SIP_AGENT__TO_AGENT__BODY_QUIT)
		quit(a);
	else if (to->body_case == SIP_AGENT__TO_AGENT__BODY_CONFIGURE)
		configure(a, to->configure);
	/* Before it is bound, and while it leaves, only those above are heard. */
	else if (!a->nta || a->quitting)
		return;
	else if (to->body_case == SIP_AGENT__TO_AGENT__BODY_INVITE)
		outgoing_start(a, to->invite);
	else if (to->body_case == SIP_AGENT__TO_AGENT__BODY_BYE_ORPHAN)
		single_bye_orphan(a, to->bye_orphan);
	else if (to->body_case == SIP_AGENT__TO_AGENT__BODY_PROBE)
		single_probe(a, to->probe);
	else if (to->body_case == SIP_AGENT__TO_AGENT__BODY_REGISTER)
		register_send(a, to->register_);
	else if (to->body_case == SIP_AGENT__TO_AGENT__BODY_TEXT)
		text_send(a, to->text);
	else if (to->body_case == SIP_AGENT__TO_AGENT__BODY_TEXT_AUTHORIZE)
		text_authorize(a, to->text_authorize);
	else if (to->body_case == SIP_AGENT__TO_AGENT__BODY_TEXT_REPLY)
		text_reply(a, to->text_reply);
	else
		call_message(a, to);
}

static void on_message(struct agent *a, struct slice message)
{
	int err;
	SipAgent__ToAgent *to = (SipAgent__ToAgent *)(void *)pack_view(
		&sip_agent__to_agent__descriptor, message, LINK_MAX_UNPACKED, &err);

	if (!to)
		return; /* cannot be: the server is our own build */
	take(a, to);
	pack_forget(&to->base);
}

static void on_closed(struct agent *a)
{
	su_root_break(a->root);
}

int agent_init(struct agent *a, su_root_t *root, int fd)
{
	static const struct link_ops ops = { on_message, on_closed };

	a->root = root;
	a->reaper = su_timer_create(su_root_task(root), 0);
	a->leaving = su_timer_create(su_root_task(root), 0);
	a->link = link_new(root, fd, AGENT_QUEUE_MAX, &ops, a);
	if (!a->reaper || !a->leaving || !a->link || idmap_init(&a->by_number))
		return -ENOMEM;
	return 0;
}

void agent_done(struct agent *a)
{
	/* First: what the server should know goes out while the link is there. */
	if (a->link)
		link_flush(a->link, LEAVE_MS);
	while (a->calls)
		call_free(a->calls);
	while (a->dead)
		call_free(a->dead);
	single_forget_all(a);
	register_forget_all(a);
	text_forget_all(a);
	nta_agent_destroy(a->nta);
	a->nta = NULL;
	agent_set_trace(a, "", NULL);
	door_watch(NULL);
	link_free(&a->link);
	su_timer_destroy(a->reaper);
	su_timer_destroy(a->leaving);
	idmap_done(&a->by_number);
	free(a->user_agent);
	tls_forget_names(a);
	free(a->tls.certificate);
	free(a->tls.key);
	free(a->tls.ca);
}
