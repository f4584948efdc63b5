/* Changes of a session by either side: timers (RFC 4028), our re-INVITE, offers that cross. */
#include "tests/gateway/sip_scene.h"

#include <stdio.h>
#include <string.h>

/* Intervals that a test can wait for. */
static int start_quick(void **state)
{
	return start_with(state, &(struct sip_driver_options){ .min_session_s = 1 });
}

static int start_asking(void **state)
{
	return start_with(state, &(struct sip_driver_options){ .session_s = 1800 });
}

/* We call; the 200 has those headers. */
static void establish(struct fixture *f, const char *headers)
{
	sip_driver_invite(f->driver, CALL, f->peer.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&f->peer, "INVITE ");
	sip_peer_header(&f->peer, "Call-ID", f->call_id, sizeof(f->call_id));
	snprintf(f->agent_tag, sizeof(f->agent_tag), "%s", f->peer.to_tag);
	sip_peer_reply(&f->peer, 200, "pt", headers, f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED);
}

static void hang_up(struct fixture *f)
{
	sip_driver_hangup(f->driver, CALL);
	sip_peer_expect(&f->peer, "BYE ");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED);
}

/* A request of the peer in the dialog that we made. */
static void peer_sends(struct fixture *f, const char *method, unsigned cseq, const char *headers,
		       const char *body)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "%s sip:4670@127.0.0.1:%u SIP/2.0\r\nVia: SIP/2.0/UDP "
		 "127.0.0.1:%u;branch=z9hG4bK%s%u\r\nFrom: <sip:101@pbx.test>;tag=pt\r\n"
		 "To: <sip:+4670@gw.test>;tag=%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
		 "Max-Forwards: 9\r\nContact: <sip:101@127.0.0.1:%u>\r\n%s%s"
		 "Content-Length: %zu\r\n\r\n%s",
		 method, f->peer.agent_port, f->peer.port, method, cseq, f->agent_tag, f->call_id,
		 cseq, method, f->peer.port, headers,
		 body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
	sip_peer_send_raw(&f->peer, text, strlen(text));
}

static void reoffer(struct fixture *f, SipAgent__Direction direction)
{
	SipAgent__Reoffer body = SIP_AGENT__REOFFER__INIT;
	struct wire_audio audio;

	sip_driver_audio(&audio, direction);
	body.call = CALL;
	body.audio = &audio.pb;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_REOFFER, &body);
}

/* ---- session timers, we are the caller ---- */

static void nothing_is_asked_for_by_default(void **state)
{
	struct fixture *f = *state;

	sip_driver_invite(f->driver, CALL, f->peer.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&f->peer, "INVITE ");
	assert_true(sip_peer_has(&f->peer, "Supported: timer\r\n"));
	assert_false(sip_peer_has(&f->peer, "Session-Expires:"));
	assert_false(sip_peer_has(&f->peer, "Require:"));
	sip_peer_reply(&f->peer, 486, "pt", NULL, NULL);
	sip_peer_expect(&f->peer, "ACK ");
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED);
}

static void we_refresh_by_update_where_the_peer_takes_it(void **state)
{
	struct fixture *f = *state;

	establish(f, "Session-Expires: 2;refresher=uac\r\nAllow: INVITE, ACK, UPDATE\r\n");
	for (int i = 0; i < 2; i++) {
		sip_peer_expect(&f->peer, "UPDATE sip:101@127.0.0.1:");
		assert_true(sip_peer_has(&f->peer, "Session-Expires: 2;refresher=uac\r\n"));
		assert_true(sip_peer_has(&f->peer, "Content-Length: 0\r\n"));
		sip_peer_reply(&f->peer, 200, NULL, "Session-Expires: 2;refresher=uac\r\n", NULL);
	}
	hang_up(f);
}

static void we_refresh_by_the_same_offer_where_it_does_not(void **state)
{
	struct fixture *f = *state;

	establish(f, "Session-Expires: 2;refresher=uac\r\nAllow: INVITE, ACK\r\n");
	sip_peer_expect(&f->peer, "INVITE sip:101@127.0.0.1:");
	assert_true(sip_peer_has(&f->peer, "m=audio 30000 RTP/AVP 8 101\r\n"));
	assert_true(sip_peer_has(&f->peer, " 1 IN IP4 127.0.0.1\r\n")); /* o= version as before */
	sip_peer_reply(&f->peer, 200, NULL, "Session-Expires: 600;refresher=uac\r\n", f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	hang_up(f);
}

static void a_refresh_that_meets_nobody_ends_the_call(void **state)
{
	struct fixture *f = *state;

	establish(f, "Session-Expires: 2;refresher=uac\r\nAllow: UPDATE\r\n");
	sip_peer_expect(&f->peer, "UPDATE ");
	sip_peer_reply(&f->peer, 481, NULL, NULL, NULL);
	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED)->ended->code, 481);
	sip_peer_expect(&f->peer, "BYE ");
	sip_peer_reply(&f->peer, 481, NULL, NULL, NULL);
}

static void a_peer_that_does_not_refresh_is_hung_up_on(void **state)
{
	struct fixture *f = *state;

	establish(f, "Session-Expires: 2;refresher=uas\r\nRequire: timer\r\n");
	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED)->ended->code, 408);
	sip_peer_expect(&f->peer, "BYE ");
	sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
}

/* It would be refused as fast as it is sent; the call lasts as long as the peer lets it. */
static void a_refresh_that_is_refused_is_not_made_again_at_once(void **state)
{
	struct fixture *f = *state;

	establish(f, "Session-Expires: 2;refresher=uac\r\nAllow: INVITE, ACK\r\n");
	sip_peer_expect(&f->peer, "INVITE ");
	sip_peer_reply(&f->peer, 500, NULL, NULL, NULL);
	sip_peer_expect(&f->peer, "ACK ");
	assert_true(sip_peer_silent(&f->peer, 500));
	/* An offer of ours need not wait for it. */
	reoffer(f, SIP_AGENT__DIRECTION__SENDONLY);
	sip_peer_expect(&f->peer, "INVITE ");
	sip_peer_reply(&f->peer, 200, NULL, "Session-Expires: 600;refresher=uac\r\n", f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	expect(f, SIP_AGENT__FROM_AGENT__BODY_CHANGED);
	hang_up(f);
}

static void where_update_is_not_known_after_all_we_refresh_by_invite(void **state)
{
	struct fixture *f = *state;

	establish(f, "Session-Expires: 2;refresher=uac\r\nAllow: INVITE, ACK, UPDATE\r\n");
	sip_peer_expect(&f->peer, "UPDATE ");
	sip_peer_reply(&f->peer, 501, NULL, NULL, NULL);
	sip_peer_expect(&f->peer, "INVITE ");
	sip_peer_reply(&f->peer, 200, NULL, "Session-Expires: 600;refresher=uac\r\n", f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	hang_up(f);
}

/* Half of it in milliseconds is 1.2 s more than 32 bits hold. */
static void an_interval_of_a_hundred_days_is_no_short_one(void **state)
{
	struct fixture *f = *state;

	establish(f, "Session-Expires: 8589937;refresher=uac\r\nAllow: UPDATE\r\n");
	assert_true(sip_peer_silent(&f->peer, 2000));
	hang_up(f);
}

static void a_refresh_of_the_peer_keeps_the_call(void **state)
{
	struct fixture *f = *state;

	establish(f, "Session-Expires: 2;refresher=uas\r\n");
	for (unsigned i = 0; i < 3; i++) {
		assert_true(sip_peer_silent(&f->peer, 1000));
		peer_sends(f, "UPDATE", 10 + i,
			   "Supported: timer\r\nSession-Expires: 2;refresher=uac\r\n", "");
		sip_peer_expect(&f->peer, "SIP/2.0 200");
		assert_true(sip_peer_has(&f->peer, "Session-Expires: 2;refresher=uac\r\n"));
		assert_true(sip_peer_has(&f->peer, "Require: timer\r\n"));
	}
	hang_up(f);
}

static void what_we_ask_for_is_raised_by_422(void **state)
{
	struct fixture *f = *state;

	sip_driver_invite(f->driver, CALL, f->peer.port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(&f->peer, "INVITE ");
	assert_true(sip_peer_has(&f->peer, "Session-Expires: 1800;refresher=uac\r\n"));
	sip_peer_reply(&f->peer, 422, "pt", "Min-SE: 3600\r\n", NULL);
	sip_peer_expect(&f->peer, "ACK ");
	sip_peer_expect(&f->peer, "INVITE ");
	assert_true(sip_peer_has(&f->peer, "Session-Expires: 3600;refresher=uac\r\n"));
	assert_true(sip_peer_has(&f->peer, "Min-SE: 3600\r\n"));
	sip_peer_reply(&f->peer, 422, "pt", "Min-SE: 90\r\n", NULL); /* no use */
	sip_peer_expect(&f->peer, "ACK ");
	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED)->ended->code, 422);
}

/* ---- the peer is the caller ---- */

static void invite_from_peer(struct fixture *f, const char *headers)
{
	struct sip_peer_request r = { .method = "INVITE", .call = "in", .cseq = 1 };

	r.headers = headers;
	r.body = f->sdp;
	sip_peer_request(&f->peer, &r);
}

static void an_interval_too_small_is_refused_with_what_would_do(void **state)
{
	struct fixture *f = *state;

	invite_from_peer(f, "Supported: timer\r\nSession-Expires: 60\r\n");
	sip_peer_expect(&f->peer, "SIP/2.0 422");
	assert_true(sip_peer_has(&f->peer, "Min-SE: 90\r\n"));
}

static const struct {
	const char *asks, *gets; /* NULL: no Session-Expires */
	bool requires;
} answers[] = {
	{ "Supported: timer\r\nSession-Expires: 1800\r\n", "1800;refresher=uac", true },
	{ "Supported: timer\r\nx: 1800;refresher=uac\r\n", "1800;refresher=uac", true },
	{ "Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\n", "1800;refresher=uas",
	  false },
	{ "Session-Expires: 60\r\n", "90;refresher=uas", false }, /* a proxy put it there */
	{ "Require: timer\r\nSupported: timer\r\nSession-Expires: 200\r\n", "200;refresher=uac",
	  true },
	{ "Supported: timer\r\n", NULL, false },
	{ "", NULL, false },
};

static void the_callers_wish_is_met(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		char name[8], value[64];
		struct sip_peer_request r = { .method = "INVITE", .call = name, .cseq = 1 };
		uint64_t call;

		snprintf(name, sizeof(name), "c%zu", i);
		r.headers = answers[i].asks;
		r.body = f->sdp;
		sip_peer_request(&f->peer, &r);
		call = expect(f, SIP_AGENT__FROM_AGENT__BODY_INCOMING)->incoming->call;
		sip_driver_answer(f->driver, call);
		sip_peer_expect(&f->peer, "SIP/2.0 200");
		sip_peer_header(&f->peer, "Session-Expires", value, sizeof(value));
		assert_string_equal(value, answers[i].gets ? answers[i].gets : "");
		assert_int_equal(sip_peer_has(&f->peer, "Require: timer"), answers[i].requires);
		r = (struct sip_peer_request){
			.method = "ACK", .call = name, .cseq = 1, .to_tag = true
		};
		sip_peer_request(&f->peer, &r);
		expect(f, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
		sip_driver_hangup(f->driver, call);
		sip_peer_expect(&f->peer, "BYE ");
		sip_peer_reply(&f->peer, 200, NULL, NULL, NULL);
		expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED);
	}
}

/* ---- our re-INVITE ---- */

static void our_hold_and_its_end(void **state)
{
	static const struct {
		SipAgent__Direction direction;
		const char *line;
	} rows[] = { { SIP_AGENT__DIRECTION__SENDONLY, "a=sendonly\r\n" },
		     { SIP_AGENT__DIRECTION__INACTIVE, "a=inactive\r\n" },
		     { SIP_AGENT__DIRECTION__SENDRECV, "a=sendrecv\r\n" } };
	struct fixture *f = *state;

	establish(f, NULL);
	for (unsigned i = 0; i < 3; i++) {
		const SipAgent__Changed *changed;
		char version[32];

		reoffer(f, rows[i].direction);
		sip_peer_expect(&f->peer, "INVITE sip:101@127.0.0.1:");
		assert_true(sip_peer_has(&f->peer, rows[i].line));
		snprintf(version, sizeof(version), " %u IN IP4 ", i + 2); /* raised (trap S9) */
		assert_true(sip_peer_has(&f->peer, version));
		sip_peer_reply(&f->peer, 200, NULL, NULL, f->sdp);
		sip_peer_expect(&f->peer, "ACK ");
		changed = expect(f, SIP_AGENT__FROM_AGENT__BODY_CHANGED)->changed;
		assert_int_equal(changed->code, 200);
		assert_int_equal(changed->audio->port, 40000);
	}
	hang_up(f);
}

static void answer_change(struct fixture *f, SipAgent__Direction direction)
{
	SipAgent__ChangeAnswer answer = SIP_AGENT__CHANGE_ANSWER__INIT;
	struct wire_audio audio;

	sip_driver_audio(&audio, direction);
	answer.call = CALL;
	answer.audio = &audio.pb;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_CHANGE_ANSWER, &answer);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	expect(f, SIP_AGENT__FROM_AGENT__BODY_DIALOG_CHANGED); /* its Contact may be another */
}

/* RFC 3311: its 200 has the answer, and no ACK follows. */
static void a_hold_may_come_by_update(void **state)
{
	struct fixture *f = *state;
	const SipAgent__FromAgent *event;

	establish(f, "");
	peer_sends(f, "UPDATE", 10, "", sip_peer_sdp("a=sendonly\r\n", f->sdp, sizeof(f->sdp)));
	event = expect(f, SIP_AGENT__FROM_AGENT__BODY_CHANGE);
	assert_int_equal(event->change->offer->direction, SIP_AGENT__DIRECTION__SENDONLY);
	answer_change(f, SIP_AGENT__DIRECTION__RECVONLY);
	assert_true(sip_peer_has(&f->peer, "CSeq: 10 UPDATE\r\n"));
	assert_true(sip_peer_has(&f->peer, "a=recvonly\r\n"));
	peer_sends(f, "UPDATE", 11, "", sip_peer_sdp("a=inactive\r\n", f->sdp, sizeof(f->sdp)));
	event = expect(f, SIP_AGENT__FROM_AGENT__BODY_CHANGE);
	assert_int_equal(event->change->offer->direction, SIP_AGENT__DIRECTION__INACTIVE);
	answer_change(f, SIP_AGENT__DIRECTION__INACTIVE);
	hang_up(f);
}

/* Our offer is in the 200, the peer's answer in the ACK (RFC 3261 14.1). */
static void a_late_offer_may_come_within_a_call(void **state)
{
	struct fixture *f = *state;
	const SipAgent__FromAgent *event;

	establish(f, "");
	peer_sends(f, "INVITE", 10, "", "");
	event = expect(f, SIP_AGENT__FROM_AGENT__BODY_CHANGE);
	assert_null(event->change->offer);
	answer_change(f, SIP_AGENT__DIRECTION__SENDRECV);
	assert_true(sip_peer_has(&f->peer, "m=audio 30000 RTP/AVP 8 101\r\n"));
	peer_sends(f, "ACK", 10, "", sip_peer_sdp("a=sendonly\r\n", f->sdp, sizeof(f->sdp)));
	event = expect(f, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
	assert_int_equal(event->confirmed->audio->direction, SIP_AGENT__DIRECTION__SENDONLY);
	hang_up(f);
}

/* As PBXs tell who it is that rings; with an offer it would be too early (RFC 3311 5.2). */
static void an_update_may_come_before_the_answer(void **state)
{
	struct fixture *f = *state;
	struct sip_peer *peer = &f->peer;
	char invite[sizeof(peer->text)];

	sip_driver_invite(f->driver, CALL, peer->port, SIP_AGENT__TRANSPORT__UDP);
	sip_peer_expect(peer, "INVITE ");
	memcpy(invite, peer->text, sizeof(invite));
	sip_peer_header(peer, "Call-ID", f->call_id, sizeof(f->call_id));
	snprintf(f->agent_tag, sizeof(f->agent_tag), "%s", peer->to_tag);
	sip_peer_reply(peer, 180, "pt", NULL, NULL);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_RINGING);
	peer_sends(f, "UPDATE", 10, "P-Asserted-Identity: <sip:102@pbx.test>\r\n", "");
	sip_peer_expect(peer, "SIP/2.0 200");
	peer_sends(f, "UPDATE", 11, "", f->sdp);
	sip_peer_expect(peer, "SIP/2.0 500");
	assert_true(sip_peer_has(peer, "Retry-After: "));
	memcpy(peer->text, invite, sizeof(invite));
	sip_peer_reply(peer, 200, "pt", "", f->sdp);
	sip_peer_expect(peer, "ACK ");
	expect(f, SIP_AGENT__FROM_AGENT__BODY_ANSWERED);
	hang_up(f);
}

static void an_offer_that_is_refused_leaves_the_call(void **state)
{
	struct fixture *f = *state;

	establish(f, NULL);
	reoffer(f, SIP_AGENT__DIRECTION__SENDONLY);
	sip_peer_expect(&f->peer, "INVITE ");
	sip_peer_reply(&f->peer, 488, NULL, NULL, NULL);
	sip_peer_expect(&f->peer, "ACK ");
	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_CHANGED)->changed->code, 488);
	hang_up(f);
}

/* What cannot be mended - credentials, a longer interval - ends the offer, not only its try. */
static void an_offer_is_not_made_again_where_nothing_would_be_different(void **state)
{
	static const struct {
		int status;
		const char *headers;
	} rows[] = {
		{ 401, NULL },
		{ 407, "Proxy-Authenticate: Basic realm=\"r\"\r\n" },
		{ 422, NULL },
	};
	struct fixture *f = *state;

	establish(f, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		reoffer(f, SIP_AGENT__DIRECTION__SENDONLY);
		sip_peer_expect(&f->peer, "INVITE ");
		sip_peer_reply(&f->peer, rows[i].status, NULL, rows[i].headers, NULL);
		sip_peer_expect(&f->peer, "ACK ");
		assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_CHANGED)->changed->code,
				 rows[i].status);
		assert_true(sip_peer_silent(&f->peer, 200));
	}
	hang_up(f);
}

/* RFC 3261 14.1: the owner of the Call-ID waits 2.1 to 4 seconds. */
static void offers_that_cross_are_made_again_later(void **state)
{
	struct fixture *f = *state;
	struct sip_peer ours;

	establish(f, NULL);
	reoffer(f, SIP_AGENT__DIRECTION__SENDONLY);
	sip_peer_expect(&f->peer, "INVITE ");
	ours = f->peer;
	peer_sends(f, "INVITE", 5, "", f->sdp);
	sip_peer_expect(&f->peer, "SIP/2.0 491");
	peer_sends(f, "ACK", 5, "", "");
	sip_peer_reply(&ours, 491, NULL, NULL, NULL);
	sip_peer_expect(&f->peer, "ACK ");
	assert_false(sip_peer_await(&f->peer, "INVITE ", 1900));
	sip_peer_expect(&f->peer, "INVITE ");
	assert_true(sip_peer_has(&f->peer, "a=sendonly\r\n"));
	sip_peer_reply(&f->peer, 200, NULL, NULL, f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_CHANGED)->changed->code, 200);
	hang_up(f);
}

/* Trap S14: a request that waits must be sent in the end. */
static void our_offer_waits_for_the_peers_to_be_answered(void **state)
{
	struct fixture *f = *state;
	SipAgent__ChangeAnswer answer = SIP_AGENT__CHANGE_ANSWER__INIT;
	struct wire_audio audio;

	establish(f, NULL);
	peer_sends(f, "INVITE", 5, "", f->sdp);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_CHANGE);
	reoffer(f, SIP_AGENT__DIRECTION__SENDONLY);
	sip_driver_audio(&audio, SIP_AGENT__DIRECTION__SENDRECV);
	answer.call = CALL;
	answer.audio = &audio.pb;
	sip_driver_send(f->driver, SIP_AGENT__TO_AGENT__BODY_CHANGE_ANSWER, &answer);
	expect(f, SIP_AGENT__FROM_AGENT__BODY_DIALOG_CHANGED);
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	peer_sends(f, "ACK", 5, "", "");
	expect(f, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED);
	sip_peer_expect(&f->peer, "INVITE ");
	sip_peer_reply(&f->peer, 200, NULL, NULL, f->sdp);
	sip_peer_expect(&f->peer, "ACK ");
	expect(f, SIP_AGENT__FROM_AGENT__BODY_CHANGED);
	hang_up(f);
}

static void a_bye_that_crosses_our_offer_ends_the_call(void **state)
{
	struct fixture *f = *state;

	establish(f, NULL);
	reoffer(f, SIP_AGENT__DIRECTION__SENDONLY);
	sip_peer_expect(&f->peer, "INVITE ");
	peer_sends(f, "BYE", 9, "", "");
	sip_peer_expect(&f->peer, "SIP/2.0 200");
	assert_int_equal(expect(f, SIP_AGENT__FROM_AGENT__BODY_ENDED)->ended->cause,
			 SIP_AGENT__CAUSE__PEER_BYE);
	assert_int_equal(sip_driver_counters(f->driver).calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_asked_for_by_default, start, stop),
		cmocka_unit_test_setup_teardown(a_hold_may_come_by_update, start, stop),
		cmocka_unit_test_setup_teardown(a_late_offer_may_come_within_a_call, start, stop),
		cmocka_unit_test_setup_teardown(an_update_may_come_before_the_answer, start, stop),
		cmocka_unit_test_setup_teardown(we_refresh_by_update_where_the_peer_takes_it,
						start_quick, stop),
		cmocka_unit_test_setup_teardown(we_refresh_by_the_same_offer_where_it_does_not,
						start_quick, stop),
		cmocka_unit_test_setup_teardown(a_refresh_that_meets_nobody_ends_the_call,
						start_quick, stop),
		cmocka_unit_test_setup_teardown(a_peer_that_does_not_refresh_is_hung_up_on,
						start_quick, stop),
		cmocka_unit_test_setup_teardown(a_refresh_that_is_refused_is_not_made_again_at_once,
						start_quick, stop),
		cmocka_unit_test_setup_teardown(
			where_update_is_not_known_after_all_we_refresh_by_invite, start_quick,
			stop),
		cmocka_unit_test_setup_teardown(
			an_offer_is_not_made_again_where_nothing_would_be_different, start, stop),
		cmocka_unit_test_setup_teardown(an_interval_of_a_hundred_days_is_no_short_one,
						start, stop),
		cmocka_unit_test_setup_teardown(a_refresh_of_the_peer_keeps_the_call, start_quick,
						stop),
		cmocka_unit_test_setup_teardown(what_we_ask_for_is_raised_by_422, start_asking,
						stop),
		cmocka_unit_test_setup_teardown(an_interval_too_small_is_refused_with_what_would_do,
						start, stop),
		cmocka_unit_test_setup_teardown(the_callers_wish_is_met, start, stop),
		cmocka_unit_test_setup_teardown(our_hold_and_its_end, start, stop),
		cmocka_unit_test_setup_teardown(an_offer_that_is_refused_leaves_the_call, start,
						stop),
		cmocka_unit_test_setup_teardown(offers_that_cross_are_made_again_later, start,
						stop),
		cmocka_unit_test_setup_teardown(our_offer_waits_for_the_peers_to_be_answered, start,
						stop),
		cmocka_unit_test_setup_teardown(a_bye_that_crosses_our_offer_ends_the_call, start,
						stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
