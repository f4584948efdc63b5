/* Calls to the PBX network, against a real cig-sip. */
#include "tests/gateway/sip_scene.h"

#include <stdio.h>
#include <string.h>

static int start_impatient(void **state)
{
	return start_with(state, &(struct sip_driver_options){ .answer_ms = 300 });
}

static int start_v6(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->driver = sip_driver_start(
		&(struct sip_driver_options){ .address = "::1", .network = "::1" });
	sip_peer_open(&f->peer, "[::1]", sip_driver_port(f->driver));
	sip_peer_sdp("", f->sdp, sizeof(f->sdp));
	*state = f;
	return 0;
}

static const SipAgent__Answered *establish(struct fixture *f)
{
	dial(f);
	sip_peer_reply(&f->peer, 200, "pt", NULL, f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	return expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED)->answered;
}

/* CIG-035: to the port in the URI; CIG-004: no registration before. */
static void the_invite_says_exactly_what_the_server_gave(void **state)
{
	struct fixture *f = *state;

	dial(f);
	assert_memory_equal(f->peer.text, "INVITE sip:101@pbx.test SIP/2.0\r\n", 33);
	assert_true(sip_peer_has(&f->peer, "From: \"A \\\"quoted\\\" name\" <sip:+4670@gw.test>;"));
	assert_true(sip_peer_has(&f->peer, "To: <sip:101@pbx.test>\r\n"));
	assert_true(sip_peer_has(&f->peer, "Contact: <sip:4670@127.0.0.1:"));
	assert_true(sip_peer_has(&f->peer, "m=audio 30000 RTP/AVP 8 101\r\n"));
	assert_false(sip_peer_has(&f->peer, "Session-Expires:"));
	sip_peer_reply(&f->peer, 486, "pt", NULL, NULL);
	assert_string_equal(ended(f, SIP_AGENT__CAUSE__FAILED, 486)->phrase, "Whatever");
	sip_peer_expect(&f->peer, "ACK ");
}

static void ringing_early_media_answer_and_the_peers_bye(void **state)
{
	struct fixture *f = *state;
	const SipAgent__FromAgent *event;
	char call_id[128], text[2048];

	dial(f);
	sip_peer_reply(&f->peer, 100, NULL, NULL, NULL);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_TRYING);
	sip_peer_reply(&f->peer, 180, "pt", NULL, NULL);
	event = expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING);
	assert_int_equal(event->ringing->code, 180);
	assert_null(event->ringing->audio);
	sip_peer_reply(&f->peer, 183, "pt", NULL, f->sdp);
	event = expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING);
	assert_int_equal(event->ringing->audio->port, 40000);
	sip_peer_reply(&f->peer, 200, "pt", NULL, NULL); /* the 183's SDP is the answer */
	event = expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED);
	assert_int_equal(event->answered->audio->port, 40000);
	assert_string_equal(event->answered->dialog->remote_tag, "pt");
	sip_peer_expect(&f->peer, "ACK sip:101@127.0.0.1:");
	sip_peer_header(&f->peer, "Call-ID", call_id, sizeof(call_id));
	snprintf(text, sizeof(text),
		 "BYE sip:4670@127.0.0.1:%u SIP/2.0\r\nVia: SIP/2.0/UDP "
		 "127.0.0.1:%u;branch=z9hG4bKb\r\n"
		 "From: <sip:101@pbx.test>;tag=pt\r\nTo: <sip:+4670@gw.test>;tag=%s\r\n"
		 "Call-ID: %s\r\nCSeq: 1 BYE\r\nMax-Forwards: 9\r\nContent-Length: 0\r\n\r\n",
		 f->peer.agent_port, f->peer.port, f->peer.to_tag, call_id);
	sip_peer_send_raw(&f->peer, text, strlen(text));
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	ended(f, SIP_AGENT__CAUSE__PEER_BYE, 0);
}

static void we_hang_up_along_the_route_set(void **state)
{
	struct fixture *f = *state;
	char routes[256], route[256];

	dial(f);
	snprintf(routes, sizeof(routes),
		 "Record-Route: <sip:127.0.0.1:%u;lr;n=1>\r\nRecord-Route: "
		 "<sip:pbx.test;lr;n=2>\r\n",
		 f->peer.port);
	/* the last hop of the record is the first of the route: a name, so the address
	 * that the call was sent to is used */
	sip_peer_reply(&f->peer, 200, "pt", routes, f->sdp);
	sip_peer_expect(&f->peer, "ACK sip:101@127.0.0.1:");
	sip_peer_header(&f->peer, "Route", route, sizeof(route));
	assert_memory_equal(route, "<sip:pbx.test;lr;n=2>", 21);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED);
	sip_driver_hangup(f->driver, CALL);
	sip_peer_expect(&f->peer, "BYE sip:101@127.0.0.1:");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	ended(f, SIP_AGENT__CAUSE__OUR_HANGUP, 200);
}

/* RFC 3261 9.1: CANCEL goes out only behind a provisional response. */
static void cancel_waits_for_a_provisional_response(void **state)
{
	struct fixture *f = *state;
	char branch[256], via[256];

	dial(f);
	sip_peer_header(&f->peer, "Via", branch, sizeof(branch));
	sip_driver_hangup(f->driver, CALL);
	ended(f, SIP_AGENT__CAUSE__OUR_HANGUP, 0);
	sip_peer_reply(&f->peer, 180, "pt", NULL, NULL);
	sip_peer_expect(&f->peer, "CANCEL sip:101@pbx.test ");
	sip_peer_header(&f->peer, "Via", via, sizeof(via));
	assert_string_equal(via, branch);
	assert_true(sip_peer_has(&f->peer, "Reason: Q.850;cause=16"));
	sip_peer_reply(&f->peer, 200, "pt", NULL, NULL);
}

static void an_invite_cancelled_while_ringing_is_acknowledged(void **state)
{
	struct fixture *f = *state;
	struct sip_peer invite;

	dial(f);
	invite = f->peer;
	sip_peer_reply(&f->peer, 180, "pt", NULL, NULL);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING);
	sip_driver_hangup(f->driver, CALL);
	ended(f, SIP_AGENT__CAUSE__OUR_HANGUP, 0);
	sip_peer_expect(&f->peer, "CANCEL ");
	sip_peer_reply(&f->peer, 200, "pt", NULL, NULL);
	sip_peer_reply(&invite, 487, "pt", NULL, NULL);
	sip_peer_expect(&f->peer, "ACK ");
}

/* RFC 3261 15: the answer crossed the CANCEL. */
static void an_answer_that_crosses_the_cancel_is_hung_up(void **state)
{
	struct fixture *f = *state;

	dial(f);
	sip_driver_hangup(f->driver, CALL);
	ended(f, SIP_AGENT__CAUSE__OUR_HANGUP, 0);
	sip_peer_reply(&f->peer, 200, "pt", NULL, f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	sip_peer_expect(&f->peer, "BYE ");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
}

static void a_200_that_comes_again_is_acknowledged_again(void **state)
{
	struct fixture *f = *state;
	struct sip_peer invite;

	dial(f);
	invite = f->peer;
	sip_peer_reply(&f->peer, 200, "pt", NULL, f->sdp);
	for (int i = 0; i < 2; i++) {
		sip_peer_expect(&f->peer, "ACK ");
		sip_peer_reply(&invite, 200, "pt", NULL, f->sdp);
	}
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED);
	assert_int_equal(sip_driver_counters(f->driver).calls, 1);
}

/* The second branch of a fork; its Contact names a host, which nobody looks up. */
static void a_second_answer_is_acknowledged_and_ended(void **state)
{
	struct fixture *f = *state;
	struct sip_peer invite;

	dial(f);
	invite = f->peer;
	sip_peer_reply(&f->peer, 200, "pt", NULL, f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED);
	snprintf(invite.host, sizeof(invite.host), "phone.pbx.test");
	sip_peer_reply(&invite, 200, "other", NULL, f->sdp);
	sip_peer_expect(&f->peer, "ACK sip:101@phone.pbx.test");
	sip_peer_expect(&f->peer, "BYE sip:101@phone.pbx.test");
	assert_true(sip_peer_has(&f->peer, ";tag=other"));
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	assert_int_equal(sip_driver_counters(f->driver).calls, 1);
}

static void an_answer_without_usable_sdp_is_hung_up(void **state)
{
	struct fixture *f = *state;

	dial(f);
	sip_peer_reply(&f->peer, 200, "pt", NULL, NULL);
	sip_peer_expect(&f->peer, "ACK ");
	ended(f, SIP_AGENT__CAUSE__BROKEN, 488);
	sip_peer_expect(&f->peer, "BYE ");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
}

static void nobody_answers(void **state)
{
	struct fixture *f = *state;

	dial(f);
	ended(f, SIP_AGENT__CAUSE__NO_ANSWER, 408);
}

static void redirections_and_refusals_come_with_their_headers(void **state)
{
	struct fixture *f = *state;
	const SipAgent__Ended *e;

	dial(f);
	sip_peer_reply(&f->peer, 503, "pt",
		       "Retry-After: 17\r\nReason: Q.850;cause=34\r\n"
		       "Warning: 399 pbx \"all circuits busy\"\r\n",
		       NULL);
	e = ended(f, SIP_AGENT__CAUSE__FAILED, 503);
	assert_int_equal(e->retry_after_s, 17);
	assert_string_equal(e->reason, "Q.850;cause=34");
	assert_string_equal(e->warning, "399 pbx \"all circuits busy\"");
	assert_memory_equal(e->contact, "sip:101@127.0.0.1:", 18);
	sip_peer_expect(&f->peer, "ACK ");
}

/* RFC 3261 20.10: q is from 0 to 1, and nobody need send it. */
static void of_several_redirections_the_best_is_told(void **state)
{
	static const struct {
		const char *contacts, *told;
	} cases[] = {
		{ "Contact: <sip:1@h>;q=0.2, <sip:2@h>;q=0.9\r\nContact: <sip:3@h>;q=0.5\r\n",
		  "sip:2@h" },
		{ "Contact: <sip:1@h>;q=0.9, <sip:2@h>\r\n", "sip:2@h" },
		{ "Contact: <sip:1@h>, <sip:2@h>;q=1.0\r\n", "sip:1@h" },
		{ "Contact: <sip:1@h>;q=x\r\n", "sip:1@h" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		dial(f);
		sip_peer_reply(&f->peer, 302, "pt", cases[i].contacts, NULL);
		assert_string_equal(ended(f, SIP_AGENT__CAUSE__FAILED, 302)->contact,
				    cases[i].told);
		sip_peer_expect(&f->peer, "ACK ");
	}
}

/* CIG-036: `;transport=tcp`; nobody listens there. */
static void a_tcp_target_that_does_not_listen_fails_at_once(void **state)
{
	struct fixture *f = *state;
	char told[64];

	sip_driver_invite(f->driver, CALL, f->peer.port, SIP_AGENT__TRANSPORT__TCP);
	snprintf(told, sizeof(told), "no TCP connection to 127.0.0.1:%u", f->peer.port);
	assert_string_equal(ended(f, SIP_AGENT__CAUSE__FAILED, 503)->phrase, told);
}

/* ICMP says so; a PBX that answers 503 itself is told by its own words. */
static void where_nobody_listens_it_is_said(void **state)
{
	struct fixture *f = *state;
	char told[64];

	sip_driver_invite(f->driver, CALL, 9, SIP_AGENT__TRANSPORT__UDP); /* discard */
	snprintf(told, sizeof(told), "nobody takes UDP at 127.0.0.1:%u", 9u);
	assert_string_equal(ended(f, SIP_AGENT__CAUSE__FAILED, 503)->phrase, told);
	sip_driver_invite(f->driver, CALL + 2, f->peer.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&f->peer, "INVITE ");
	sip_peer_reply(&f->peer, 503, "pt", NULL, NULL);
	assert_string_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED)->ended->phrase,
			    "Whatever");
}

static int start_with_small_mtu(void **state)
{
	return start_with(state, &(struct sip_driver_options){ .udp_mtu = 500 });
}

/* sofia-sip-traps.md S12: where the PBX has no TCP, the large request goes over UDP. */
static void a_large_request_falls_back_to_udp(void **state)
{
	struct fixture *f = *state;

	dial(f);
	assert_true(sip_peer_has(&f->peer, "Via: SIP/2.0/UDP"));
	sip_peer_reply(&f->peer, 486, "pt", NULL, NULL);
	ended(f, SIP_AGENT__CAUSE__FAILED, 486);
}

#define TWO_CHALLENGES                                                                             \
	"WWW-Authenticate: Digest realm=\"asterisk\", nonce=\"n1\", algorithm=SHA-256, "           \
	"qop=\"auth\"\r\n"                                                                         \
	"WWW-Authenticate: Digest realm=\"asterisk\", nonce=\"n1\", algorithm=MD5, "               \
	"qop=\"auth\"\r\n"

static unsigned cseq_of(const struct sip_peer *p)
{
	char text[64];
	unsigned n = 0;

	sip_peer_header(p, "CSeq", text, sizeof(text));
	assert_int_equal(sscanf(text, "%u", &n), 1);
	return n;
}

static void authorize(struct fixture *f, struct digest_session *session, const char *method)
{
	const SipAgent__Challenged *c =
		expect(f, SIP_AGENT__FROM_AGENT__BODY_CHALLENGED)->challenged;
	const struct digest_account account = { "alice", "s3cret" };
	SipAgent__Authorize message = SIP_AGENT__AUTHORIZE__INIT;
	struct digest_challenge list[DIGEST_MAX_CHALLENGES];
	const struct digest_asked asked = { list, c->n_challenges, c->number, c->method, c->uri };
	struct digest_headers headers;

	assert_string_equal(c->method, method);
	for (size_t i = 0; i < c->n_challenges; i++)
		assert_int_equal(wire_challenge_get(c->challenges[i], &list[i]), 0);
	assert_int_equal(digest_session_answer(session, &asked, &account, &headers), 0);
	message.call = CALL;
	message.number = c->number;
	message.authorization = headers.authorization;
	message.proxy_authorization = headers.proxy_authorization;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_AUTHORIZE, &message);
}

/* CIG-027: 401 and 407 are answered; sofia-sip-traps.md S1: the double challenge. */
static void challenges_are_answered_by_the_server(void **state)
{
	struct fixture *f = *state;
	struct digest_session session = { 0 };
	unsigned cseq;

	dial(f);
	cseq = cseq_of(&f->peer);
	sip_peer_reply(&f->peer, 401, "x1", TWO_CHALLENGES, NULL);
	authorize(f, &session, "INVITE");
	sip_peer_expect(&f->peer, "ACK ");
	sip_peer_expect(&f->peer, "INVITE ");
	assert_int_equal(cseq_of(&f->peer), cseq + 1);
	assert_true(sip_peer_has(&f->peer, "\r\nAuthorization: Digest username=\"alice\""));
	assert_true(sip_peer_has(&f->peer, "algorithm=SHA-256"));
	assert_true(sip_peer_has(&f->peer, "uri=\"sip:101@pbx.test\""));
	sip_peer_reply(&f->peer, 407, "x2",
		       "Proxy-Authenticate: Digest realm=\"proxy\", nonce=\"p1\"\r\n", NULL);
	authorize(f, &session, "INVITE");
	sip_peer_expect(&f->peer, "INVITE ");
	assert_true(sip_peer_has(&f->peer, "\r\nAuthorization: Digest"));
	assert_true(sip_peer_has(&f->peer, "\r\nProxy-Authorization: Digest"));
	sip_peer_reply(&f->peer, 200, "pt", NULL, f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	assert_true(sip_peer_has(&f->peer, "\r\nAuthorization: Digest")); /* RFC 3261 22.1 */
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED);
	sip_driver_hangup(f->driver, CALL);
	sip_peer_expect(&f->peer, "BYE ");
	sip_peer_reply(&f->peer, 401, NULL, TWO_CHALLENGES, NULL);
	authorize(f, &session, "BYE");
	sip_peer_expect(&f->peer, "BYE ");
	sip_peer_expect(&f->peer, "BYE "); /* unanswered: it comes again */
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	ended(f, SIP_AGENT__CAUSE__OUR_HANGUP, 200);
}

static void a_challenge_that_is_not_answered_ends_the_call(void **state)
{
	struct fixture *f = *state;

	dial(f);
	sip_peer_reply(&f->peer, 401, "x1", TWO_CHALLENGES, NULL);
	sip_peer_expect(&f->peer, "ACK ");
	expect(f, SIP_AGENT__FROM_AGENT__BODY_CHALLENGED);
	sip_driver_hangup(f->driver, CALL);
	ended(f, SIP_AGENT__CAUSE__OUR_HANGUP, 0);
	assert_int_equal(sip_driver_counters(f->driver).calls, 0);
}

static void a_challenge_that_nobody_could_answer_is_a_failure(void **state)
{
	struct fixture *f = *state;

	dial(f);
	sip_peer_reply(&f->peer, 401, "x1", "WWW-Authenticate: Basic realm=\"x\"\r\n", NULL);
	ended(f, SIP_AGENT__CAUSE__FAILED, 401);
}

/* Texts that the server should not have let through: refused, never sent. */
static void what_could_forge_a_header_is_not_sent(void **state)
{
	static const char *const bad[] = {
		"sip:1@h\r\nEvil: 1", "sip:1@h?Evil=1", "sip:1@h> <x", "mailto:a@b", "", "sip:"
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(bad); i++) {
		SipAgent__Invite invite = SIP_AGENT__INVITE__INIT;
		SipAgent__Target target = SIP_AGENT__TARGET__INIT;
		struct wire_audio audio;
		char address[] = "127.0.0.1", good[] = "sip:1@h", uri[64];

		snprintf(uri, sizeof(uri), "%s", bad[i]);
		sip_driver_audio(&audio, SIP_AGENT__DIRECTION__SENDRECV);
		target.address = address;
		target.port = f->peer.port;
		invite.call = CALL;
		invite.request_uri = uri;
		invite.from_uri = invite.to_uri = good;
		invite.target = &target;
		invite.offer = &audio.pb;
		sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_INVITE, &invite);
		ended(f, SIP_AGENT__CAUSE__BROKEN, 0);
	}
	sip_driver_counters(f->driver);
	assert_true(sip_peer_silent(&f->peer, 0));
}

/* design.md section 3: a new child ends the calls of one that died. */
static void a_new_agent_says_bye_for_a_dead_ones_call(void **state)
{
	struct fixture *f = *state;
	const SipAgent__Answered *answered = establish(f);
	SipAgent__ByeOrphan orphan = SIP_AGENT__BYE_ORPHAN__INIT;
	char call_id[128], header[128];
	unsigned cseq = cseq_of(&f->peer);
	uint8_t packed[4096];
	size_t n = sip_agent__dialog__pack(answered->dialog, packed);

	assert_true(n <= sizeof(packed));
	sip_peer_header(&f->peer, "Call-ID", call_id, sizeof(call_id));
	sip_driver_kill(&f->driver);
	f->driver = sip_driver_start(&(struct sip_driver_options){
		.first_call = 3, .port = f->peer.agent_port }); /* the port is free at once */
	orphan.dialog = sip_agent__dialog__unpack(NULL, n, packed);
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_BYE_ORPHAN, &orphan);
	sip_peer_expect(&f->peer, "BYE sip:101@127.0.0.1:");
	sip_peer_header(&f->peer, "Call-ID", header, sizeof(header));
	assert_string_equal(header, call_id);
	assert_true(sip_peer_has(&f->peer, "To: <sip:101@pbx.test>;tag=pt\r\n"));
	assert_int_equal(cseq_of(&f->peer), cseq + 1);
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_ORPHAN_GONE)->orphan_gone->code,
			 200);
	sip_agent__dialog__free_unpacked(orphan.dialog, NULL);
}

static void options_tell_whether_a_pbx_lives(void **state)
{
	struct fixture *f = *state;
	SipAgent__Probe probe = SIP_AGENT__PROBE__INIT;
	SipAgent__Target target = SIP_AGENT__TARGET__INIT;
	char address[] = "127.0.0.1", to[] = "sip:pbx.test", from[] = "sip:gateway@gw.test";
	const SipAgent__Probed *probed;

	target.address = address;
	target.port = f->peer.port;
	probe.probe = 7;
	probe.request_uri = to;
	probe.from_uri = from;
	probe.target = &target;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_PROBE, &probe);
	sip_peer_expect(&f->peer, "OPTIONS sip:pbx.test SIP/2.0");
	sip_peer_reply(&f->peer, 503, "x", "Retry-After: 9\r\n", NULL);
	probed = expect(f, SIP_AGENT__FROM_AGENT__BODY_PROBED)->probed;
	assert_int_equal(probed->probe, 7);
	assert_int_equal(probed->code, 503);
	assert_int_equal(probed->retry_after_s, 9);
	target.transport = SIP_AGENT__TRANSPORT__TCP;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_PROBE, &probe);
	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_PROBED)->probed->code, 503);
}

#define CALL_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

/* SIP over IPv6, both ways; addresses of media may be of either family. */
static void a_call_over_ipv6(void **state)
{
	static const char sdp[] =
		"v=0\r\no=pbx 1 1 IN IP6 2001:db8::5\r\ns=x\r\nc=IN IP6 2001:db8::5\r\n"
		"t=0 0\r\nm=audio 40000 RTP/AVP 8\r\n";
	struct sip_peer_request options = { .method = "OPTIONS", .call = "o", .cseq = 1 };
	struct fixture *f = *state;
	const SipAgent__Answered *answered;

	sip_peer_request(&f->peer, &options);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	sip_driver_invite_v6(f->driver, CALL, f->peer.port);
	sip_peer_expect(&f->peer, "INVITE ");
	assert_true(sip_peer_has(&f->peer, "Via: SIP/2.0/UDP [::1]:"));
	assert_true(sip_peer_has(&f->peer, "Contact: <sip:4670@[::1]:"));
	sip_peer_reply(&f->peer, 200, "pt", NULL, sdp);
	sip_peer_expect(&f->peer, "ACK sip:101@[::1]:");
	answered = expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED)->answered;
	assert_string_equal(answered->audio->address, "2001:db8::5");
	assert_string_equal(answered->dialog->next_hop->address, "::1");
	sip_driver_hangup(f->driver, CALL);
	sip_peer_expect(&f->peer, "BYE ");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	ended(f, SIP_AGENT__CAUSE__OUR_HANGUP, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_call_over_ipv6, start_v6, stop),
		CALL_TEST(the_invite_says_exactly_what_the_server_gave),
		CALL_TEST(ringing_early_media_answer_and_the_peers_bye),
		CALL_TEST(we_hang_up_along_the_route_set),
		CALL_TEST(cancel_waits_for_a_provisional_response),
		CALL_TEST(an_invite_cancelled_while_ringing_is_acknowledged),
		CALL_TEST(an_answer_that_crosses_the_cancel_is_hung_up),
		CALL_TEST(a_200_that_comes_again_is_acknowledged_again),
		CALL_TEST(a_second_answer_is_acknowledged_and_ended),
		CALL_TEST(an_answer_without_usable_sdp_is_hung_up),
		cmocka_unit_test_setup_teardown(nobody_answers, start_impatient, stop),
		CALL_TEST(redirections_and_refusals_come_with_their_headers),
		CALL_TEST(of_several_redirections_the_best_is_told),
		CALL_TEST(a_tcp_target_that_does_not_listen_fails_at_once),
		CALL_TEST(where_nobody_listens_it_is_said),
		cmocka_unit_test_setup_teardown(a_large_request_falls_back_to_udp,
						start_with_small_mtu, stop),
		CALL_TEST(challenges_are_answered_by_the_server),
		CALL_TEST(a_challenge_that_is_not_answered_ends_the_call),
		CALL_TEST(a_challenge_that_nobody_could_answer_is_a_failure),
		CALL_TEST(what_could_forge_a_header_is_not_sent),
		CALL_TEST(a_new_agent_says_bye_for_a_dead_ones_call),
		CALL_TEST(options_tell_whether_a_pbx_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
