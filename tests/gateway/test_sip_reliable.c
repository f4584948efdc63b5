/* Provisional responses that are acknowledged by PRACK (RFC 3262), in both roles. */
#include "tests/gateway/sip_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int start_impatient(void **state)
{
	return start_with(state, &(struct sip_driver_options){ .answer_ms = 900 });
}

/* ---- the peer calls ---- */

static uint64_t invite(struct fixture *f, const char *headers, const char *body)
{
	struct sip_peer_request r = { .method = "INVITE", .call = "a", .cseq = 1 };
	const SipAgent__Incoming *incoming;

	r.headers = headers;
	r.body = body;
	sip_peer_request(&f->peer, &r);
	incoming = expect(f, SIP_AGENT__FROM_AGENT__BODY_INCOMING)->incoming;
	assert_int_equal(incoming->reliable, strstr(headers, "Require") != NULL);
	return incoming->call;
}

static void ring(struct fixture *f, uint64_t call, bool with_sdp)
{
	SipAgent__Ring body = SIP_AGENT__RING__INIT;
	struct wire_audio audio;

	sip_driver_audio(&audio, SIP_AGENT__DIRECTION__SENDRECV);
	body.call = call;
	body.code = 180;
	body.audio = with_sdp ? &audio.pb : NULL;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_RING, &body);
	sip_peer_expect(&f->peer, "SIP/2.0 180");
	sip_peer_header(&f->peer, "RSeq", f->rseq, sizeof(f->rseq));
}

static void prack(struct fixture *f, unsigned cseq, const char *rseq, const char *body)
{
	struct sip_peer_request r = {
		.method = "PRACK", .call = "a", .cseq = cseq, .to_tag = true
	};
	char rack[80];

	snprintf(rack, sizeof(rack), "RAck: %s 1 INVITE\r\n", rseq);
	r.headers = rack;
	r.body = body;
	sip_peer_request(&f->peer, &r);
}

static const SipAgent__Confirmed *acknowledge(struct fixture *f)
{
	struct sip_peer_request ack = { .method = "ACK", .call = "a", .cseq = 1, .to_tag = true };

	sip_peer_request(&f->peer, &ack);
	return expect(f, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED)->confirmed;
}

static void hang_up(struct fixture *f, uint64_t call)
{
	sip_driver_hangup(f->driver, call);
	sip_peer_expect(&f->peer, "BYE ");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED);
}

static void ringing_is_repeated_until_its_prack(void **state)
{
	struct fixture *f = *state;
	uint64_t call = invite(f, "Require: 100rel\r\n", f->sdp);

	ring(f, call, false);
	assert_string_not_equal(f->rseq, "");
	assert_true(sip_peer_has(&f->peer, "Require: 100rel\r\n"));
	sip_peer_expect(&f->peer, "SIP/2.0 180"); /* again */
	prack(f, 2, "1", "");
	sip_peer_expect(&f->peer, "SIP/2.0 481");
	prack(f, 3, f->rseq, "");
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	assert_false(sip_peer_await(&f->peer, "SIP/2.0 180", 1500));
	prack(f, 4, f->rseq, "");
	sip_peer_expect(&f->peer, "SIP/2.0 481");
	sip_driver_answer(f->driver, call);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	assert_true(sip_peer_has(&f->peer, "m=audio 30000"));
	acknowledge(f);
	hang_up(f, call);
}

static void nobody_gets_it_who_only_supports_it(void **state)
{
	struct fixture *f = *state;
	uint64_t call = invite(f, "Supported: 100rel\r\n", f->sdp);

	ring(f, call, false);
	assert_string_equal(f->rseq, "");
	sip_driver_hangup(f->driver, call);
	sip_peer_expect(&f->peer, "SIP/2.0 480");
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED);
}

static void the_200_waits_for_the_prack(void **state)
{
	struct fixture *f = *state;
	uint64_t call = invite(f, "Require: 100rel\r\n", f->sdp);

	ring(f, call, false);
	sip_driver_answer(f->driver, call);
	assert_false(sip_peer_await(&f->peer, "SIP/2.0 200", 300));
	prack(f, 2, f->rseq, "");
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	assert_true(sip_peer_has(&f->peer, "CSeq: 2 PRACK"));
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	assert_true(sip_peer_has(&f->peer, "CSeq: 1 INVITE"));
	acknowledge(f);
	hang_up(f, call);
}

/* RFC 3262 5: our offer in the 180, the answer in the PRACK, none in the 200 and the ACK. */
static void a_late_offer_is_answered_by_the_prack(void **state)
{
	struct fixture *f = *state;
	uint64_t call = invite(f, "Require: 100rel\r\n", "");

	ring(f, call, true);
	assert_true(sip_peer_has(&f->peer, "m=audio 30000"));
	prack(f, 2, f->rseq, f->sdp);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	sip_driver_answer(f->driver, call);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	assert_false(sip_peer_has(&f->peer, "m=audio"));
	assert_int_equal(acknowledge(f)->audio->port, 40000);
	hang_up(f, call);
}

static void ringing_without_any_prack_ends_the_call(void **state)
{
	struct fixture *f = *state;
	uint64_t call = invite(f, "Require: 100rel\r\n", f->sdp);

	ring(f, call, false);
	sip_peer_expect(&f->peer, "SIP/2.0 504");
	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED)->ended->code, 504);
}

/* ---- we call ---- */

static void the_peers_reliable_ringing_is_acknowledged_once(void **state)
{
	struct fixture *f = *state;
	struct sip_peer at_invite, at_prack;
	char cseq[32], rack[64], want[64];
	unsigned invite_seq;

	sip_driver_invite(f->driver, CALL, f->peer.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&f->peer, "INVITE ");
	sip_peer_header(&f->peer, "CSeq", cseq, sizeof(cseq));
	invite_seq = (unsigned)strtoul(cseq, NULL, 10);
	at_invite = f->peer;
	sip_peer_reply(&f->peer, 183, "pt", "Require: 100rel\r\nRSeq: 77\r\n", f->sdp);
	assert_non_null(expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING)->ringing->audio);
	sip_peer_expect(&f->peer, "PRACK sip:101@127.0.0.1:");
	sip_peer_header(&f->peer, "RAck", rack, sizeof(rack));
	snprintf(want, sizeof(want), "77 %u INVITE", invite_seq);
	assert_string_equal(rack, want);
	at_prack = f->peer;
	sip_peer_reply(&at_prack, 200, NULL, NULL, NULL);
	sip_peer_reply(&at_invite, 183, "pt", "Require: 100rel\r\nRSeq: 77\r\n", f->sdp);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING);
	assert_false(sip_peer_await(&f->peer, "PRACK ", 300));
	sip_peer_reply(&at_invite, 200, "pt", NULL, NULL); /* the 183's SDP is the answer */
	sip_peer_expect(&f->peer, "ACK ");
	snprintf(want, sizeof(want), "CSeq: %u ACK\r\n", invite_seq);
	assert_true(sip_peer_has(&f->peer, want));
	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED)->answered->audio->port,
			 40000);
	sip_driver_hangup(f->driver, CALL);
	sip_peer_expect(&f->peer, "BYE ");
	snprintf(want, sizeof(want), "CSeq: %u BYE\r\n", invite_seq + 2);
	assert_true(sip_peer_has(&f->peer, want));
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED);
}

/* A fork: one branch rings reliably, another one answers. */
static void another_branch_may_answer(void **state)
{
	struct fixture *f = *state;
	struct sip_peer at_invite;

	sip_driver_invite(f->driver, CALL, f->peer.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&f->peer, "INVITE ");
	at_invite = f->peer;
	sip_peer_reply(&f->peer, 180, "one", "Require: 100rel\r\nRSeq: 1\r\n", NULL);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING);
	sip_peer_expect(&f->peer, "PRACK ");
	assert_true(sip_peer_has(&f->peer, ";tag=one"));
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	sip_peer_reply(&at_invite, 200, "two", NULL, f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	assert_true(sip_peer_has(&f->peer, ";tag=two"));
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED);
	sip_driver_hangup(f->driver, CALL);
	sip_peer_expect(&f->peer, "BYE ");
	assert_true(sip_peer_has(&f->peer, ";tag=two"));
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ringing_is_repeated_until_its_prack, start, stop),
		cmocka_unit_test_setup_teardown(nobody_gets_it_who_only_supports_it, start, stop),
		cmocka_unit_test_setup_teardown(the_200_waits_for_the_prack, start, stop),
		cmocka_unit_test_setup_teardown(a_late_offer_is_answered_by_the_prack, start, stop),
		cmocka_unit_test_setup_teardown(ringing_without_any_prack_ends_the_call,
						start_impatient, stop),
		cmocka_unit_test_setup_teardown(the_peers_reliable_ringing_is_acknowledged_once,
						start, stop),
		cmocka_unit_test_setup_teardown(another_branch_may_answer, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
