/* Calls that cannot be: where the maps say no, where somebody is missing, and what PBX and media
 * relay may answer instead of yes.  Both sides hear of it with the reason that fits. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gateway/calls_scene.h"

static Umsg__EndReason secure_end(const struct scene *scene)
{
	assert_true(scene->client.call && scene->client.call->ended);
	return scene->client.call->end.reason;
}

static void forget_call(struct scene *scene)
{
	free(scene->client.call);
	scene->client.call = NULL;
}

static void pbx_calls_from_to(struct scene *scene, const char *from, const char *to)
{
	SipAgent__Incoming incoming = SIP_AGENT__INCOMING__INIT;
	SipAgent__Target source = SIP_AGENT__TARGET__INIT;

	source.address = (char *)"127.0.0.1";
	incoming.source = &source;
	incoming.call = sip_number(scene);
	incoming.call_id = (char *)"an-id";
	incoming.from_uri = (char *)(uintptr_t)from;
	incoming.request_uri = (char *)(uintptr_t)to;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_INCOMING, &incoming);
}

/* ---- the maps ---- */

static void what_no_map_takes_is_refused_with_its_code(void **state)
{
	static const struct {
		const char *from, *to;
		unsigned code;
	} cases[] = {
		{ "sip:101@127.0.0.1", "sip:no-number@127.0.0.1", 484 },
		{ "sip:101@127.0.0.1", "tel:+46701", 416 },
		{ "tel:+101", "sip:46701@127.0.0.1", 403 },
	};
	struct scene *scene = *state;

	for (unsigned i = 0; i < COUNT(cases); i++) {
		pbx_calls_from_to(scene, cases[i].from, cases[i].to);
		assert_int_equal(scene->sip.rejects, i + 1);
		assert_int_equal(scene->sip.code, cases[i].code);
		pbx_ends(scene);
		assert_all_ended(scene);
	}
	assert_int_equal(scene->relay.closes, 0); /* no media was asked for */
	assert_null(scene->client.call);
}

static void assert_refused(const struct scene *scene, const char *why)
{
	if (!strstr(scene->trace.refused, why))
		fail_msg("\"%s\" is not in \"%s\"", why, scene->trace.refused);
}

/* The secure side hears no code: who has no name on the other side may not call, and what nobody
 * has cannot be reached. */
static void the_secure_side_hears_why_the_maps_refuse_it(void **state)
{
	static const struct {
		const char *caller, *extension, *why;
		Umsg__EndReason end;
	} cases[] = {
		{ "tel:46701", NULL, "code=403: no source map of interface sip matches",
		  UMSG__END_REASON__END_NOT_ALLOWED },
		{ NULL, "a b", "code=484: ", UMSG__END_REASON__END_NO_ROUTE },
		{ NULL, "", "code=404: no extension map", UMSG__END_REASON__END_NO_ROUTE },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		scene->client.caller = cases[i].caller;
		scene->client.extension = cases[i].extension;
		secure_user_calls(scene);
		assert_refused(scene, cases[i].why);
		assert_int_equal(secure_end(scene), cases[i].end);
		assert_all_ended(scene);
		forget_call(scene);
	}
	assert_int_equal(scene->sip.invites, 0);
}

/* Nobody of our side calls by another number than ours. */
static void a_number_that_is_not_ours_calls_nobody(void **state)
{
	struct scene *scene = *state;

	snprintf(calls_world(scene->calls)->own_uri, UMSG_URI_SIZE, "tel:+9999");
	pbx_calls(scene);
	assert_int_equal(scene->sip.code, 403);
	pbx_ends(scene);
	assert_all_ended(scene);
	assert_null(scene->client.call);
}

/* Not forbidden: the PBX may have another gateway. */
static void without_keys_nobody_can_be_called(void **state)
{
	struct scene *scene = *state;

	calls_world(scene->calls)->own_uri[0] = '\0';
	pbx_calls(scene);
	assert_int_equal(scene->sip.code, 503);
	pbx_ends(scene);
	assert_refused(scene, "the gateway has no keys");
	assert_all_ended(scene);
	assert_null(scene->client.call);
}

/* ---- who it is ---- */

/* A call of the PBX from that address, with that offer. */
static void pbx_calls_at(struct scene *scene, const char *address, SipAgent__Audio *offer)
{
	SipAgent__Incoming incoming = SIP_AGENT__INCOMING__INIT;
	SipAgent__Target source = SIP_AGENT__TARGET__INIT;

	source.address = (char *)(uintptr_t)address;
	incoming.source = address ? &source : NULL;
	incoming.call = sip_number(scene);
	incoming.call_id = (char *)"an-id";
	incoming.from_uri = (char *)"sip:101@127.0.0.1";
	incoming.request_uri = (char *)"sip:46701@127.0.0.1";
	incoming.offer = offer;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_INCOMING, &incoming);
}

static void who_must_prove_itself_is_asked_before_there_is_a_call(void **state)
{
	struct scene *scene = *state;

	pbx_calls_at(scene, "127.0.0.1", NULL);
	assert_int_equal(scene->sip.rejects, 1);
	assert_int_equal(scene->sip.code, 401);
	assert_all_ended(scene);
	assert_string_equal(scene->trace.refused, "");
}

/* Our own agent would not say that: it is an error of ours, not of the PBX. */
static void a_call_from_nowhere_is_an_error_of_ours(void **state)
{
	static const char *const addresses[] = { NULL, "", "pbx.example" };
	struct scene *scene = *state;

	for (unsigned i = 0; i < COUNT(addresses); i++) {
		pbx_calls_at(scene, addresses[i], NULL);
		assert_int_equal(scene->sip.rejects, i + 1);
		assert_int_equal(scene->sip.code, 500);
		assert_all_ended(scene);
	}
}

static void who_must_use_srtp_may_not_send_its_keys_in_clear(void **state)
{
	struct scene *scene = *state;

	pbx_calls_at(scene, "127.0.0.2", NULL);
	assert_int_equal(scene->sip.rejects, 1);
	assert_int_equal(scene->sip.code, 488);
	pbx_ends(scene);
	assert_all_ended(scene);
	assert_int_equal(scene->relay.closes, 0);
}

static void an_offer_without_audio_that_we_know_is_not_acceptable(void **state)
{
	struct scene *scene = *state;
	SipAgent__Audio offer = SIP_AGENT__AUDIO__INIT;

	pbx_calls_at(scene, "127.0.0.1", &offer);
	assert_int_equal(scene->sip.rejects, 1);
	assert_int_equal(scene->sip.code, 488);
	pbx_ends(scene);
	assert_all_ended(scene);
	assert_null(scene->client.call);
}

/* ---- somebody is missing ---- */

static void lose_client(struct scene *scene)
{
	scene->client.state = UMSG_CONNECTING;
}

static void lose_agent(struct scene *scene)
{
	scene->sip.ready = false;
}

static void lose_relay(struct scene *scene)
{
	scene->relay.up = false;
}

static void lose_engines(struct scene *scene)
{
	calls_world(scene->calls)->engines = 0;
}

/* 503 and "congestion": both may try again. */
static void a_call_is_refused_while_somebody_is_missing(void **state)
{
	static const struct {
		scene_fn *lose;
		const char *why;
	} losses[] = {
		{ lose_client, "code=503: not connected to the rendezvous" },
		{ lose_agent, "code=503: the SIP agent is not running" },
		{ lose_relay, "code=503: cig-relay is not connected" },
		{ lose_engines, "code=503: no crypto engine is free" },
	};
	struct scene *scene = *state;

	for (unsigned i = 0; i < COUNT(losses); i++) {
		scene->client.state = UMSG_ATTACHED;
		scene->sip.ready = scene->relay.up = true;
		calls_world(scene->calls)->engines = 1;
		losses[i].lose(scene);
		secure_user_calls(scene);
		assert_refused(scene, losses[i].why);
		assert_int_equal(secure_end(scene), UMSG__END_REASON__END_CONGESTION);
		assert_all_ended(scene);
		forget_call(scene);
	}
	scene->client.state = UMSG_CONNECTING;
	calls_world(scene->calls)->engines = 1;
	pbx_calls(scene);
	assert_int_equal(scene->sip.code, 503);
	pbx_ends(scene);
	assert_all_ended(scene);
	assert_int_equal(scene->sip.invites, 0);
}

/* ---- the media relay ---- */

static void close_media(struct scene *scene, Relay__Closed__Reason reason)
{
	Relay__Closed closed = RELAY__CLOSED__INIT;
	Relay__Event event = RELAY__EVENT__INIT;

	closed.call_id = calls_total(scene->calls);
	closed.reason = reason;
	event.of_case = RELAY__EVENT__OF_CLOSED;
	event.closed = &closed;
	calls_relay_event(scene->calls, &event);
}

/* Also those of a later cig-relay, which are behind ours. */
static void a_call_without_media_ends_on_both_sides(void **state)
{
	static const Relay__Closed__Reason reasons[] = {
		RELAY__CLOSED__REASON__PLAIN_TIMEOUT,
		RELAY__CLOSED__REASON__SECURE_TIMEOUT,
		RELAY__CLOSED__REASON__NOT_BOUND,
		RELAY__CLOSED__REASON__FAULT,
		(Relay__Closed__Reason)99,
	};
	struct scene *scene = *state;

	for (unsigned i = 0; i < COUNT(reasons); i++) {
		for (size_t k = 0; k < SCENE_STEPS; k++)
			from_secure[k](scene);
		close_media(scene, reasons[i]);
		assert_int_equal(secure_end(scene), UMSG__END_REASON__END_MEDIA_LOST);
		assert_int_equal(scene->sip.hangups, i + 1);
		assert_int_equal(scene->relay.closes, 0); /* it is closed already */
		pbx_ends(scene);
		assert_all_ended(scene);
		forget_call(scene);
	}
}

static void a_relay_without_room_is_congestion_one_that_forgot_is_not(void **state)
{
	static const struct {
		Relay__Failed__Reason reason;
		Umsg__EndReason end;
	} cases[] = {
		{ RELAY__FAILED__REASON__PORTS_EXHAUSTED, UMSG__END_REASON__END_CONGESTION },
		{ RELAY__FAILED__REASON__FULL, UMSG__END_REASON__END_CONGESTION },
		{ RELAY__FAILED__REASON__BUSY, UMSG__END_REASON__END_CONGESTION },
		{ RELAY__FAILED__REASON__UNKNOWN_CALL, UMSG__END_REASON__END_MEDIA_LOST },
		{ RELAY__FAILED__REASON__ALREADY, UMSG__END_REASON__END_FAILED },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		secure_user_calls(scene);
		relay_refuses(scene, cases[i].reason);
		assert_int_equal(secure_end(scene), cases[i].end);
		finds(scene, 1);
		relay_closes(scene);
		assert_all_ended(scene);
		forget_call(scene);
	}
}

/* The same behind its yes: then it has the call, and is told of the end. */
static void a_relay_that_cannot_go_on_is_congestion_too(void **state)
{
	struct scene *scene = *state;

	secure_user_calls(scene);
	relay_opens(scene);
	relay_refuses(scene, RELAY__FAILED__REASON__BUSY);
	assert_int_equal(secure_end(scene), UMSG__END_REASON__END_CONGESTION);
	assert_int_equal(scene->relay.closes, 1);
	all_confirm(scene);
	assert_all_ended(scene);
}

/* ---- the PBX ---- */

static void secure_user_calls_as_far_as_the_pbx(struct scene *scene)
{
	secure_user_calls(scene);
	relay_opens(scene);
	assert_true(scene->sip.invites > 0);
}

static void a_pbx_that_speaks_nothing_we_know_is_hung_up(void **state)
{
	struct scene *scene = *state;
	SipAgent__Answered answered = SIP_AGENT__ANSWERED__INIT;
	SipAgent__Dialog dialog = SIP_AGENT__DIALOG__INIT;
	SipAgent__Audio audio = SIP_AGENT__AUDIO__INIT;

	secure_user_calls_as_far_as_the_pbx(scene);
	dialog.call_id = (char *)"an-id";
	answered.call = sip_number(scene);
	answered.dialog = &dialog;
	answered.audio = &audio; /* without a format */
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_ANSWERED, &answered);
	assert_int_equal(secure_end(scene), UMSG__END_REASON__END_NO_COMMON_CODEC);
	assert_int_equal(scene->sip.hangups, 1); /* it has answered: BYE */
	all_confirm(scene);
	assert_all_ended(scene);
}

/* The agent has no passwords; this entry names no account, so there is none here either. */
static void a_pbx_that_asks_for_a_password_is_refused_without_an_account(void **state)
{
	struct scene *scene = *state;
	SipAgent__Challenged challenged = SIP_AGENT__CHALLENGED__INIT;
	unsigned hangups;

	secure_user_calls_as_far_as_the_pbx(scene);
	challenged.call = sip_number(scene);
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_CHALLENGED, &challenged);
	assert_int_equal(secure_end(scene), UMSG__END_REASON__END_NOT_ALLOWED);
	/* So is the BYE: it is sent without, and the call ends all the same. */
	hangups = scene->sip.hangups;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_CHALLENGED, &challenged);
	assert_int_equal(scene->sip.hangups, hangups + 1);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void what_the_pbx_refuses_is_told_with_its_reason(void **state)
{
	static const struct {
		unsigned code;
		Umsg__EndReason end;
	} cases[] = {
		{ 486, UMSG__END_REASON__END_BUSY },
		{ 603, UMSG__END_REASON__END_DECLINED },
		{ 404, UMSG__END_REASON__END_NO_ROUTE },
		{ 403, UMSG__END_REASON__END_NOT_ALLOWED },
		{ 408, UMSG__END_REASON__END_NO_ANSWER },
		{ 488, UMSG__END_REASON__END_NO_COMMON_CODEC },
		{ 503, UMSG__END_REASON__END_CONGESTION },
		{ 302,
		  UMSG__END_REASON__END_FAILED }, /* it is not followed: no pbx block says so */
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		SipAgent__Ended ended = SIP_AGENT__ENDED__INIT;

		secure_user_calls_as_far_as_the_pbx(scene);
		ended.call = sip_number(scene);
		ended.code = cases[i].code;
		ended.contact = (char *)"sip:102@127.0.0.1";
		sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_ENDED, &ended);
		if (secure_end(scene) != cases[i].end)
			fail_msg("%u ends with %d", cases[i].code, (int)secure_end(scene));
		relay_closes(scene);
		assert_all_ended(scene);
		forget_call(scene);
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_no_map_takes_is_refused_with_its_code),
		TEST(the_secure_side_hears_why_the_maps_refuse_it),
		TEST(a_number_that_is_not_ours_calls_nobody),
		TEST(without_keys_nobody_can_be_called),
		cmocka_unit_test_setup_teardown(
			who_must_prove_itself_is_asked_before_there_is_a_call, set_up_guarded,
			tear_down),
		TEST(a_call_from_nowhere_is_an_error_of_ours),
		cmocka_unit_test_setup_teardown(who_must_use_srtp_may_not_send_its_keys_in_clear,
						set_up_guarded, tear_down),
		TEST(an_offer_without_audio_that_we_know_is_not_acceptable),
		TEST(a_call_is_refused_while_somebody_is_missing),
		TEST(a_call_without_media_ends_on_both_sides),
		TEST(a_relay_without_room_is_congestion_one_that_forgot_is_not),
		TEST(a_relay_that_cannot_go_on_is_congestion_too),
		TEST(a_pbx_that_speaks_nothing_we_know_is_hung_up),
		TEST(a_pbx_that_asks_for_a_password_is_refused_without_an_account),
		TEST(what_the_pbx_refuses_is_told_with_its_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
