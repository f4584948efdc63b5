/* Calls from the PBX network, against a real cig-sip. */
#include "tests/gateway/sip_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int start(void **state)
{
	return start_at(state, "127.0.0.20", NULL);
}

static void request(struct fixture *f, const char *method, unsigned cseq, bool to_tag,
		    const char *headers, const char *body)
{
	struct sip_peer_request r = { method, "c1", headers, body, cseq, to_tag, false };

	r.invite_branch = strcmp(method, "CANCEL") == 0;
	sip_peer_request(&f->peer, &r);
}

static uint64_t offer_call(struct fixture *f, const char *more)
{
	const SipAgent__FromAgent *event;

	request(f, "INVITE", 1, false, NULL, sip_peer_sdp(more, f->sdp, sizeof(f->sdp)));
	event = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_INCOMING);
	sip_peer_expect(&f->peer, "SIP/2.0 100");
	return event->incoming->call;
}

static uint64_t establish(struct fixture *f)
{
	uint64_t call = offer_call(f, "");

	sip_driver_answer(f->driver, call);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	request(f, "ACK", 1, true, NULL, NULL);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
	return call;
}

static const SipAgent__Ended *ended(struct fixture *f, SipAgent__Cause cause)
{
	const SipAgent__FromAgent *event =
		sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_ENDED);

	assert_int_equal(event->ended->cause, cause);
	return event->ended;
}

static void ring(struct fixture *f, uint64_t call, unsigned code)
{
	SipAgent__Ring message = SIP_AGENT__RING__INIT;

	message.call = call;
	message.code = code;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_RING, &message);
}

/* CIG-013: INVITE and BYE on the bind address; CIG-021: ports as the PBX likes them. */
static void a_call_rings_is_answered_and_hung_up_by_the_caller(void **state)
{
	struct fixture *f = *state;
	const SipAgent__Incoming *in;
	uint64_t call;

	request(f, "INVITE", 1, false,
		"P-Asserted-Identity: \"Boss\" <sip:9@pbx.test>\r\nUser-Agent: PBX/1\r\n",
		sip_peer_sdp("", f->sdp, sizeof(f->sdp)));
	in = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_INCOMING)->incoming;
	call = in->call;
	assert_int_equal(call % 2, 1);
	assert_memory_equal(in->request_uri, "sip:+4670@127.0.0.1:", 20);
	assert_string_equal(in->from_uri, "sip:100@pbx.test");
	assert_string_equal(in->from_name, "Hundred");
	assert_string_equal(in->to_uri, "sip:+4670@gw.test");
	assert_string_equal(in->call_id, "c1");
	assert_string_equal(in->source->address, "127.0.0.20");
	assert_int_equal(in->source->port, f->peer.port);
	assert_int_equal(in->n_asserted_uris, 1);
	assert_string_equal(in->asserted_uris[0], "sip:9@pbx.test");
	assert_string_equal(in->user_agent, "PBX/1");
	assert_int_equal(in->offer->n_formats, 3);
	assert_int_equal(in->offer->port, 40000);
	ring(f, call, 180);
	sip_peer_expect(&f->peer, "SIP/2.0 180");
	sip_driver_answer(f->driver, call);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	assert_true(sip_peer_has(&f->peer, "m=audio 30000 RTP/AVP 8 101\r\n"));
	assert_true(sip_peer_has(&f->peer, "Contact: <sip:+4670@127.0.0.1:"));
	request(f, "ACK", 1, true, NULL, NULL);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
	request(f, "BYE", 2, true, "Reason: Q.850;cause=16\r\n", NULL);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	assert_string_equal(ended(f, SIP_AGENT__CAUSE__PEER_BYE)->reason, "Q.850;cause=16");
	assert_int_equal(sip_driver_counters(f->driver).calls, 0);
}

static void the_gateway_hangs_up(void **state)
{
	struct fixture *f = *state;
	uint64_t call = establish(f);

	sip_driver_hangup(f->driver, call);
	sip_peer_expect(&f->peer, "BYE sip:100@127.0.0.20:");
	assert_true(sip_peer_has(&f->peer, "Reason: Q.850;cause=16"));
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	assert_int_equal(ended(f, SIP_AGENT__CAUSE__OUR_HANGUP)->code, 200);
}

static void a_hangup_before_the_ack_waits_for_it(void **state)
{
	struct fixture *f = *state;
	uint64_t call = offer_call(f, "");

	sip_driver_answer(f->driver, call);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	sip_driver_hangup(f->driver, call);
	sip_driver_counters(f->driver); /* the hangup was read */
	request(f, "ACK", 1, true, NULL, NULL);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
	sip_peer_expect(&f->peer, "BYE");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	ended(f, SIP_AGENT__CAUSE__OUR_HANGUP);
}

/* CIG-013: CANCEL */
static void the_caller_gives_up(void **state)
{
	struct fixture *f = *state;

	offer_call(f, "");
	request(f, "CANCEL", 1, false, NULL, NULL);
	ended(f, SIP_AGENT__CAUSE__CANCELLED);
	sip_peer_expect(&f->peer, "SIP/2.0 487");
	assert_true(sip_peer_has(&f->peer, "CSeq: 1 INVITE"));
	request(f, "ACK", 1, true, NULL, NULL);
	assert_int_equal(sip_driver_counters(f->driver).calls, 0);
}

static void the_server_rejects_with_code_reason_and_warning(void **state)
{
	struct fixture *f = *state;
	SipAgent__Reject reject = SIP_AGENT__REJECT__INIT;
	char phrase[] = "No Such Extension", warning[] = "no \"map\" matches";

	reject.call = offer_call(f, "");
	reject.code = 404;
	reject.phrase = phrase;
	reject.warning = warning;
	reject.retry_after_s = 7;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_REJECT, &reject);
	sip_peer_expect(&f->peer, "SIP/2.0 404 No Such Extension");
	assert_true(sip_peer_has(&f->peer, "Warning: 399 cig \"no 'map' matches\""));
	assert_true(sip_peer_has(&f->peer, "Retry-After: 7"));
	ended(f, SIP_AGENT__CAUSE__FAILED);
}

static void a_call_that_is_not_answered_yet_can_be_hung_up(void **state)
{
	struct fixture *f = *state;

	sip_driver_hangup(f->driver, offer_call(f, ""));
	sip_peer_expect(&f->peer, "SIP/2.0 480");
	ended(f, SIP_AGENT__CAUSE__OUR_HANGUP);
}

/* RFC 3261 13.3.1.4, 17.2.1 */
static void retransmissions_are_answered_alike_and_a_lost_200_comes_again(void **state)
{
	struct fixture *f = *state;
	uint64_t call = offer_call(f, "");
	char tag[64];

	request(f, "INVITE", 1, false, NULL, f->sdp);
	sip_peer_expect(&f->peer, "SIP/2.0 100");
	sip_driver_answer(f->driver, call);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	snprintf(tag, sizeof(tag), "%s", f->peer.to_tag);
	for (int i = 0; i < 2; i++) {
		sip_peer_expect(&f->peer, "SIP/2.0 200");
		assert_string_equal(f->peer.to_tag, tag);
	}
	request(f, "ACK", 1, true, NULL, NULL);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
	request(f, "ACK", 1, true, NULL, NULL); /* again: nothing happens */
	assert_true(sip_driver_counters(f->driver).retransmits > 0);
	request(f, "BYE", 2, true, NULL, NULL);
	sip_peer_expect(&f->peer, "SIP/2.0 200 OK");
	ended(f, SIP_AGENT__CAUSE__PEER_BYE);
}

static void change(struct fixture *f, uint64_t call, unsigned cseq, const char *sdp,
		   SipAgent__Direction theirs, SipAgent__Direction ours)
{
	SipAgent__ChangeAnswer answer = SIP_AGENT__CHANGE_ANSWER__INIT;
	const SipAgent__FromAgent *event;
	struct wire_audio audio;

	request(f, "INVITE", cseq, true, NULL, sdp);
	event = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CHANGE);
	assert_int_equal(event->change->call, call);
	assert_int_equal(event->change->offer->direction, theirs);
	sip_driver_audio(&audio, ours);
	answer.call = call;
	answer.audio = &audio.pb;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_CHANGE_ANSWER, &answer);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_DIALOG_CHANGED);
	request(f, "ACK", cseq, true, NULL, NULL);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
}

static void hold_and_resume_come_by_re_invite(void **state)
{
	struct fixture *f = *state;
	uint64_t call = establish(f);

	change(f, call, 2, sip_peer_sdp("a=sendonly\r\n", f->sdp, sizeof(f->sdp)),
	       SIP_AGENT__DIRECTION__SENDONLY, SIP_AGENT__DIRECTION__RECVONLY);
	assert_true(sip_peer_has(&f->peer, "a=recvonly"));
	assert_true(sip_peer_has(&f->peer, " 2 IN IP4 127.0.0.1\r\n")); /* the version rose */
	change(f, call, 3,
	       sip_peer_sdp("c=IN IP4 0.0.0.0\r\n", f->sdp, sizeof(f->sdp)), /* RFC 2543's */
	       SIP_AGENT__DIRECTION__SENDONLY, SIP_AGENT__DIRECTION__RECVONLY);
	assert_true(sip_peer_has(&f->peer, " 2 IN IP4 127.0.0.1\r\n"));
	change(f, call, 4, sip_peer_sdp("", f->sdp, sizeof(f->sdp)), SIP_AGENT__DIRECTION__SENDRECV,
	       SIP_AGENT__DIRECTION__SENDRECV);
	assert_true(sip_peer_has(&f->peer, "a=sendrecv"));
	request(f, "BYE", 5, true, NULL, NULL);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	ended(f, SIP_AGENT__CAUSE__PEER_BYE);
}

static void a_second_change_waits_and_a_bye_ends_the_first(void **state)
{
	struct fixture *f = *state;

	establish(f);
	request(f, "INVITE", 2, true, NULL, f->sdp);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CHANGE);
	request(f, "INVITE", 3, true, NULL, f->sdp);
	sip_peer_expect(&f->peer, "SIP/2.0 500");
	assert_true(sip_peer_has(&f->peer, "Retry-After: "));
	request(f, "BYE", 4, true, NULL, NULL);
	sip_peer_expect(&f->peer, "SIP/2.0 487");
	assert_true(sip_peer_has(&f->peer, "CSeq: 2 INVITE"));
	ended(f, SIP_AGENT__CAUSE__PEER_BYE);
}

static void a_change_that_cannot_be_used_leaves_the_call_as_it_is(void **state)
{
	struct fixture *f = *state;
	SipAgent__ChangeReject reject = SIP_AGENT__CHANGE_REJECT__INIT;

	reject.call = establish(f);
	request(f, "INVITE", 2, true, NULL, "v=0\r\nnonsense\r\n");
	sip_peer_expect(&f->peer, "SIP/2.0 400");
	request(f, "ACK", 2, true, NULL, NULL);
	request(f, "INVITE", 3, true, NULL, sip_peer_sdp("", f->sdp, sizeof(f->sdp)));
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CHANGE);
	reject.code = 488;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_CHANGE_REJECT, &reject);
	sip_peer_expect(&f->peer, "SIP/2.0 488");
	request(f, "BYE", 1, true, NULL, NULL); /* an old CSeq */
	sip_peer_expect(&f->peer, "SIP/2.0 500");
	request(f, "UPDATE", 4, true, NULL, NULL);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	request(f, "REFER", 5, true, "Refer-To: <sip:1@h>\r\n", NULL);
	sip_peer_expect(&f->peer, "SIP/2.0 603");
	request(f, "SUBSCRIBE", 6, true, "Event: x\r\n", NULL);
	sip_peer_expect(&f->peer, "SIP/2.0 405");
	request(f, "BYE", 7, true, NULL, NULL);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	ended(f, SIP_AGENT__CAUSE__PEER_BYE);
}

static void a_late_offer_is_answered_in_the_ack(void **state)
{
	struct fixture *f = *state;
	const SipAgent__FromAgent *event;
	uint64_t call;

	request(f, "INVITE", 1, false, NULL, NULL);
	event = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_INCOMING);
	assert_null(event->incoming->offer);
	call = event->incoming->call;
	sip_driver_answer(f->driver, call);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	assert_true(sip_peer_has(&f->peer, "m=audio 30000"));
	request(f, "ACK", 1, true, NULL, sip_peer_sdp("", f->sdp, sizeof(f->sdp)));
	event = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
	assert_int_equal(event->confirmed->audio->port, 40000);
	assert_string_equal(event->confirmed->dialog->call_id, "c1");
	request(f, "BYE", 2, true, NULL, NULL);
	ended(f, SIP_AGENT__CAUSE__PEER_BYE);
}

/* RFC 3261 14.1: a PBX resumes so; ours is the offer then, and the ACK has its answer.  Without
 * one, nothing changes. */
static void a_re_invite_without_an_offer_gets_ours(void **state)
{
	struct fixture *f = *state;
	SipAgent__ChangeAnswer answer = SIP_AGENT__CHANGE_ANSWER__INIT;
	const SipAgent__FromAgent *event;
	struct wire_audio audio;

	answer.call = establish(f);
	sip_driver_audio(&audio, SIP_AGENT__DIRECTION__SENDRECV);
	answer.audio = &audio.pb;
	for (unsigned cseq = 2; cseq <= 3; cseq++) {
		request(f, "INVITE", cseq, true, NULL, NULL);
		event = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CHANGE);
		assert_null(event->change->offer);
		sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_CHANGE_ANSWER, &answer);
		sip_peer_expect(&f->peer, "SIP/2.0 200");
		assert_true(sip_peer_has(&f->peer, "m=audio 30000"));
		sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_DIALOG_CHANGED);
		request(f, "ACK", cseq, true, NULL,
			cseq == 2 ? sip_peer_sdp("a=sendonly\r\n", f->sdp, sizeof(f->sdp)) : NULL);
		event = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
		if (cseq == 3) {
			assert_null(event->confirmed->audio);
			continue;
		}
		assert_int_equal(event->confirmed->audio->port, 40000);
		assert_int_equal(event->confirmed->audio->direction,
				 SIP_AGENT__DIRECTION__SENDONLY);
	}
	request(f, "BYE", 4, true, NULL, NULL);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	ended(f, SIP_AGENT__CAUSE__PEER_BYE);
}

static void a_late_offer_without_an_answer_is_hung_up(void **state)
{
	struct fixture *f = *state;
	const SipAgent__FromAgent *event;

	request(f, "INVITE", 1, false, NULL, NULL);
	event = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_INCOMING);
	sip_driver_answer(f->driver, event->incoming->call);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	request(f, "ACK", 1, true, NULL, NULL);
	ended(f, SIP_AGENT__CAUSE__BROKEN);
	sip_peer_expect(&f->peer, "BYE");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
}

static int start_impatient(void **state)
{
	return start_at(state, "127.0.0.20", &(struct sip_driver_options){ .answer_ms = 700 });
}

/* RFC 3261 13.3.1.4 and 14.2 */
static void a_200_that_is_never_acknowledged_ends_the_call(void **state)
{
	struct fixture *f = *state;

	sip_driver_answer(f->driver, offer_call(f, ""));
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	ended(f, SIP_AGENT__CAUSE__NO_ACK);
	sip_peer_expect(&f->peer, "BYE");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
}

static void a_changes_200_that_is_never_acknowledged_ends_the_call(void **state)
{
	struct fixture *f = *state;
	SipAgent__ChangeAnswer answer = SIP_AGENT__CHANGE_ANSWER__INIT;
	struct wire_audio audio;

	answer.call = establish(f);
	request(f, "INVITE", 2, true, NULL, f->sdp);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_CHANGE);
	sip_driver_audio(&audio, SIP_AGENT__DIRECTION__SENDRECV);
	answer.audio = &audio.pb;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_CHANGE_ANSWER, &answer);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_DIALOG_CHANGED);
	ended(f, SIP_AGENT__CAUSE__NO_ACK);
	sip_peer_expect(&f->peer, "BYE");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
}

static const struct {
	const char *method, *headers, *body, *status;
} refused[] = {
	{ "REFER", "Refer-To: <sip:1@h>\r\n", NULL, "SIP/2.0 603" },
	{ "REGISTER", NULL, NULL, "SIP/2.0 405" },
	{ "SUBSCRIBE", "Event: x\r\n", NULL, "SIP/2.0 405" },
	{ "MESSAGE", NULL, NULL, "SIP/2.0 405" },
	{ "FROBNICATE", NULL, NULL, "SIP/2.0 501" },
	{ "BYE", NULL, NULL, "SIP/2.0 481" },
	{ "UPDATE", NULL, NULL, "SIP/2.0 481" },
	{ "CANCEL", NULL, NULL, "SIP/2.0 481" },
	{ "INVITE", "Require: gruu\r\n", NULL, "SIP/2.0 420" },
	{ "INVITE", "Content-Encoding: gzip\r\n", "v=0\r\n", "SIP/2.0 415" },
	{ "INVITE", NULL, "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/SAVP 0\r\n",
	  "SIP/2.0 488" },
	{ "INVITE", NULL, "v=0\r\nthis is no SDP\r\n", "SIP/2.0 400" },
	{ "OPTIONS", NULL, NULL, "SIP/2.0 200" },
};

static void what_cannot_be_a_call_gets_its_proper_answer(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(refused); i++) {
		request(f, refused[i].method, (unsigned)i + 1, false, refused[i].headers,
			refused[i].body);
		sip_peer_expect(&f->peer, refused[i].status);
		if (strcmp(refused[i].method, "INVITE") == 0)
			request(f, "ACK", (unsigned)i + 1, true, NULL, NULL);
	}
	assert_int_equal(sip_driver_counters(f->driver).options, 1);
	assert_int_equal(sip_driver_counters(f->driver).calls, 0);
}

static int start_small(void **state)
{
	return start_at(state, "127.0.0.20", &(struct sip_driver_options){ .max_calls = 1 });
}

static void a_call_too_many_gets_503(void **state)
{
	struct fixture *f = *state;
	struct sip_peer_request second = { "INVITE", "c2", NULL, NULL, 1, false, false };

	offer_call(f, "");
	sip_peer_request(&f->peer, &second);
	sip_peer_expect(&f->peer, "SIP/2.0 503");
	assert_true(sip_peer_has(&f->peer, "Retry-After: 5"));
	assert_int_equal(sip_driver_counters(f->driver).overload, 1);
}

static int start_guarded(void **state)
{
	return start_at(state, "127.0.0.20",
			&(struct sip_driver_options){ .network = "127.0.0.21" });
}

static void strangers_get_403_and_one_line_in_the_log(void **state)
{
	struct fixture *f = *state; /* whose peer is 127.0.0.20 */
	const SipAgent__FromAgent *event;
	struct sip_peer friend;

	for (unsigned i = 1; i <= 3; i++) {
		request(f, i == 3 ? "OPTIONS" : "INVITE", i, false, NULL, NULL);
		sip_peer_expect(&f->peer, "SIP/2.0 403");
	}
	event = sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_REFUSED);
	assert_memory_equal(event->refused->source, "127.0.0.20:", 11);
	sip_peer_open(&friend, "127.0.0.21", sip_driver_port(f->driver));
	sip_peer_request(&friend,
			 &(struct sip_peer_request){ "OPTIONS", "c9", NULL, NULL, 1, 0, 0 });
	sip_peer_expect(&friend, "SIP/2.0 200");
	sip_peer_close(&friend);
	assert_int_equal(sip_driver_counters(f->driver).strangers, 3);
}

/* A TCP connection to the agent from host; what the agent does about it is read. */
static ssize_t tcp_from(struct fixture *f, const char *host, const char *text)
{
	struct sockaddr_in a = { .sin_family = AF_INET }, to = a;
	struct timeval limit = { .tv_sec = 5 };
	char answer[1024];
	ssize_t n;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, host, &a.sin_addr);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	to.sin_port = htons((uint16_t)sip_driver_port(f->driver));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	send(fd, text, strlen(text), MSG_NOSIGNAL);
	n = recv(fd, answer, sizeof(answer), 0);
	assert_false(n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
	close(fd);
	return n;
}

static void strangers_connections_are_closed(void **state)
{
	static const char options[] =
		"OPTIONS sip:1@gw.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.21;branch=z9hG4bKo\r\n"
		"From: <sip:1@h>;tag=a\r\nTo: <sip:2@h>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n"
		"Max-Forwards: 1\r\nContent-Length: 0\r\n\r\n";
	struct fixture *f = *state;

	assert_true(tcp_from(f, "127.0.0.20", options) <= 0);
	sip_driver_expect(f->driver, SIP_AGENT__FROM_AGENT__BODY_REFUSED);
	assert_true(tcp_from(f, "127.0.0.21", options) > 0);
	assert_int_equal(sip_driver_counters(f->driver).strangers, 1);
}

static void quitting_ends_calls_with_bye(void **state)
{
	struct fixture *f = *state;
	SipAgent__Quit quit = SIP_AGENT__QUIT__INIT;

	establish(f);
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_QUIT, &quit);
	sip_peer_expect(&f->peer, "BYE");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	ended(f, SIP_AGENT__CAUSE__OUR_HANGUP);
}

#define CALL_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CALL_TEST(a_call_rings_is_answered_and_hung_up_by_the_caller),
		CALL_TEST(the_gateway_hangs_up),
		CALL_TEST(a_hangup_before_the_ack_waits_for_it),
		CALL_TEST(the_caller_gives_up),
		CALL_TEST(the_server_rejects_with_code_reason_and_warning),
		CALL_TEST(a_call_that_is_not_answered_yet_can_be_hung_up),
		CALL_TEST(retransmissions_are_answered_alike_and_a_lost_200_comes_again),
		CALL_TEST(hold_and_resume_come_by_re_invite),
		CALL_TEST(a_second_change_waits_and_a_bye_ends_the_first),
		CALL_TEST(a_change_that_cannot_be_used_leaves_the_call_as_it_is),
		CALL_TEST(a_late_offer_is_answered_in_the_ack),
		CALL_TEST(a_late_offer_without_an_answer_is_hung_up),
		CALL_TEST(a_re_invite_without_an_offer_gets_ours),
		cmocka_unit_test_setup_teardown(a_200_that_is_never_acknowledged_ends_the_call,
						start_impatient, stop),
		cmocka_unit_test_setup_teardown(
			a_changes_200_that_is_never_acknowledged_ends_the_call, start_impatient,
			stop),
		CALL_TEST(what_cannot_be_a_call_gets_its_proper_answer),
		CALL_TEST(quitting_ends_calls_with_bye),
		cmocka_unit_test_setup_teardown(a_call_too_many_gets_503, start_small, stop),
		cmocka_unit_test_setup_teardown(strangers_connections_are_closed, start_guarded,
						stop),
		cmocka_unit_test_setup_teardown(strangers_get_403_and_one_line_in_the_log,
						start_guarded, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
