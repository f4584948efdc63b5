/* What a PBX may still say of a call that it has: another address for its sound, an answer that
 * comes late, somebody else to ring instead. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gateway/calls_scene.h"

enum { HERE = 4000, THERE = 4100 };

/* The PBX's side of the sound: G.711 A-law at a port, or (codec false) nothing that we speak. */
struct sound {
	SipAgent__Format pcma, *formats[1];
	SipAgent__Audio audio;
};

static SipAgent__Audio *sound(struct sound *s, unsigned port, bool codec)
{
	s->pcma = (SipAgent__Format)SIP_AGENT__FORMAT__INIT;
	s->audio = (SipAgent__Audio)SIP_AGENT__AUDIO__INIT;
	s->pcma.encoding = SIP_AGENT__ENCODING__PCMA;
	s->pcma.payload_type = 8;
	s->formats[0] = &s->pcma;
	s->audio.formats = s->formats;
	s->audio.n_formats = codec;
	s->audio.port = port;
	return &s->audio;
}

static void pbx_changes(struct scene *scene, SipAgent__Audio *offer)
{
	SipAgent__Change change = SIP_AGENT__CHANGE__INIT;

	change.call = sip_number(scene);
	change.offer = offer;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_CHANGE, &change);
}

static void pbx_confirms(struct scene *scene, SipAgent__Audio *answer)
{
	SipAgent__Confirmed confirmed = SIP_AGENT__CONFIRMED__INIT;
	SipAgent__Dialog dialog = SIP_AGENT__DIALOG__INIT;

	dialog.call_id = (char *)"an-id";
	confirmed.call = sip_number(scene);
	confirmed.dialog = &dialog;
	confirmed.audio = answer;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_CONFIRMED, &confirmed);
}

static void run(struct scene *scene, scene_fn *const *steps)
{
	for (size_t i = 0; i < SCENE_STEPS; i++)
		steps[i](scene);
}

static void end(struct scene *scene)
{
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

/* ---- changes ---- */

static void a_pbx_may_move_its_sound(void **state)
{
	struct scene *scene = *state;
	struct sound there;
	unsigned sets;

	run(scene, from_secure);
	assert_int_equal(scene->relay.plain_port, HERE);
	sets = scene->relay.plain_sets;
	pbx_changes(scene, sound(&there, THERE, true));
	assert_int_equal(scene->sip.change_answers, 1);
	assert_int_equal(scene->relay.plain_sets, sets + 1);
	assert_int_equal(scene->relay.plain_port, THERE);
	end(scene);
}

/* RFC 3261 14.2: a change that cannot be taken leaves the call as it was. */
static void a_change_to_what_we_do_not_speak_changes_nothing(void **state)
{
	struct scene *scene = *state;
	struct sound there;
	unsigned sets;

	run(scene, from_secure);
	sets = scene->relay.plain_sets;
	pbx_changes(scene, sound(&there, THERE, false));
	assert_int_equal(scene->sip.change_answers, 0);
	assert_int_equal(scene->sip.change_rejects, 1);
	assert_int_equal(scene->relay.plain_sets, sets);
	assert_false(scene->client.call->ended);
	end(scene);
}

/* It wants our offer: its answer comes with the ACK, and counts then. */
static void a_change_without_an_offer_waits_for_its_answer(void **state)
{
	struct scene *scene = *state;
	struct sound there;
	unsigned sets;

	run(scene, from_secure);
	sets = scene->relay.plain_sets;
	pbx_changes(scene, NULL);
	assert_int_equal(scene->sip.change_answers, 1);
	assert_int_equal(scene->relay.plain_sets, sets);
	/* An answer that we cannot take does not cost the call, which has its sound. */
	pbx_confirms(scene, sound(&there, THERE, false));
	assert_int_equal(scene->relay.plain_sets, sets);
	assert_false(scene->client.call->ended);
	pbx_confirms(scene, sound(&there, THERE, true));
	assert_int_equal(scene->relay.plain_port, THERE);
	end(scene);
}

/* A call from the PBX without an offer: there is no sound before its ACK. */
static void a_late_answer_brings_the_sound_or_ends_the_call(void **state)
{
	struct scene *scene = *state;
	struct sound there;

	run(scene, from_pbx);
	assert_int_equal(scene->relay.plain_sets, 0);
	pbx_confirms(scene, NULL);
	assert_int_equal(scene->relay.plain_sets, 0);
	pbx_confirms(scene, sound(&there, THERE, true));
	assert_int_equal(scene->relay.plain_sets, 1);
	assert_int_equal(scene->relay.plain_port, THERE);
	end(scene);
	free(scene->client.call);
	scene->client.call = NULL;

	run(scene, from_pbx);
	pbx_confirms(scene, sound(&there, THERE, false));
	assert_true(scene->client.call->ended);
	assert_int_equal(scene->client.call->end.reason, UMSG__END_REASON__END_NO_COMMON_CODEC);
	all_confirm(scene);
	assert_all_ended(scene);
}

/* ---- digits by INFO ---- */

static void a_pbx_that_takes_no_digits_keeps_its_call(void **state)
{
	struct scene *scene = *state;
	SipAgent__DigitRefused refused = SIP_AGENT__DIGIT_REFUSED__INIT;
	SipAgent__DigitIn digit = SIP_AGENT__DIGIT_IN__INIT;

	secure_user_calls(scene);
	relay_opens(scene);
	digit.call = refused.call = sip_number(scene);
	digit.digit = (char *)"5";
	refused.code = 415;
	/* Before the call is up there is nobody to press one for. */
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_DIGIT_IN, &digit);
	pbx_rings(scene);
	pbx_answers(scene);
	resolves(scene);
	assert_string_equal(scene->relay.digits, "");
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_DIGIT_REFUSED, &refused);
	assert_false(scene->client.call->ended);
	assert_int_equal(scene->sip.hangups, 0);
	end(scene);
}

/* ---- redirections ---- */

static void pbx_redirects_to(struct scene *scene, const char *contact)
{
	SipAgent__Ended ended = SIP_AGENT__ENDED__INIT;

	ended.call = sip_number(scene);
	ended.code = 302;
	ended.phrase = (char *)"Moved";
	ended.contact = (char *)(uintptr_t)contact;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_ENDED, &ended);
	finds(scene, 1);
}

static void secure_user_calls_the_pbx(struct scene *scene)
{
	secure_user_calls(scene);
	finds(scene, 1);
	relay_opens(scene);
	assert_string_equal(scene->sip.invited, "sip:101@127.0.0.1");
}

/* The contact's user is a name to be called, its host is not: that is the map's. */
static void a_redirection_is_followed_by_the_maps(void **state)
{
	struct scene *scene = *state;

	secure_user_calls_the_pbx(scene);
	pbx_redirects_to(scene, "sip:102@evil.example");
	assert_int_equal(scene->sip.invites, 2);
	assert_string_equal(scene->sip.invited, "sip:102@127.0.0.1");
	pbx_rings(scene);
	pbx_answers(scene);
	resolves(scene);
	assert_false(scene->client.call->ended);
	end(scene);
}

static void so_many_redirections_are_followed_and_no_more(void **state)
{
	struct scene *scene = *state;

	secure_user_calls_the_pbx(scene);
	for (unsigned i = 0; i < CALL_MAX_REDIRECTS; i++) {
		pbx_redirects_to(scene, i % 2 ? "sip:101@127.0.0.1" : "sip:102@127.0.0.1");
		assert_int_equal(scene->sip.invites, i + 2);
	}
	pbx_redirects_to(scene, "sip:103@127.0.0.1");
	assert_int_equal(scene->sip.invites, CALL_MAX_REDIRECTS + 1);
	assert_int_equal(scene->client.call->end.reason, UMSG__END_REASON__END_FAILED);
	relay_closes(scene);
	assert_all_ended(scene);
}

/* Nowhere that the caller could not have called. */
static void a_redirection_that_leads_nowhere_ends_the_call(void **state)
{
	static const char *const contacts[] = {
		"",          "tel:+46702", "sip:127.0.0.1",
		"sip:a b@c", "mailto:x@y", "sip:1%40evil@127.0.0.1"
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(contacts); i++) {
		unsigned invites = scene->sip.invites;

		secure_user_calls_the_pbx(scene);
		pbx_redirects_to(scene, contacts[i]);
		if (scene->sip.invites != invites + 1)
			fail_msg("%s is followed to %s", contacts[i], scene->sip.invited);
		assert_true(scene->client.call->ended);
		relay_closes(scene);
		assert_all_ended(scene);
		free(scene->client.call);
		scene->client.call = NULL;
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define REDIRECT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up_redirects, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pbx_may_move_its_sound),
		TEST(a_change_to_what_we_do_not_speak_changes_nothing),
		TEST(a_change_without_an_offer_waits_for_its_answer),
		TEST(a_late_answer_brings_the_sound_or_ends_the_call),
		TEST(a_pbx_that_takes_no_digits_keeps_its_call),
		REDIRECT_TEST(a_redirection_is_followed_by_the_maps),
		REDIRECT_TEST(so_many_redirections_are_followed_and_no_more),
		REDIRECT_TEST(a_redirection_that_leads_nowhere_ends_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
