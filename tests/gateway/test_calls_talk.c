/* test_calls_talk.c - what passes between the sides of a call: digits, hold, early media; and
 * which of a PBX's servers gets it. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/gateway/calls_scene.h"

static void pbx_sends_digit(struct scene *scene, const char *digit)
{
	SipAgent__DigitIn in = SIP_AGENT__DIGIT_IN__INIT;

	in.call = sip_number(scene);
	in.digit = (char *)digit;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_DIGIT_IN, &in);
}

/* CIG-005: by INFO, while the media relay's name is still being looked up. */
static void digits_before_the_secure_leg_wait_for_it(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i + 1 < COUNT(from_pbx); i++)
		from_pbx[i](scene);
	pbx_sends_digit(scene, "");
	pbx_sends_digit(scene, "4");
	pbx_sends_digit(scene, "#");
	assert_string_equal(scene->relay.digits, "");
	resolves(scene);
	assert_string_equal(scene->relay.digits, "4#");
	pbx_sends_digit(scene, "2");
	assert_string_equal(scene->relay.digits, "4#2");
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void more_early_digits_than_wait_are_dropped(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i + 1 < COUNT(from_pbx); i++)
		from_pbx[i](scene);
	for (unsigned i = 0; i < 100; i++)
		pbx_sends_digit(scene, "9");
	resolves(scene);
	assert_string_equal(scene->relay.digits, "9999999999999999");
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void server_fails(struct scene *scene, unsigned code)
{
	SipAgent__Ended ended = SIP_AGENT__ENDED__INIT;

	ended.call = sip_number(scene);
	ended.cause = SIP_AGENT__CAUSE__FAILED;
	ended.code = code;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_ENDED, &ended);
}

static void a_server_that_fails_is_followed_by_the_next_one(void **state)
{
	struct scene *scene = *state;

	secure_user_calls(scene);
	finds(scene, 3);
	relay_opens(scene);
	assert_int_equal(scene->sip.invites, 1);
	server_fails(scene, 503);
	assert_int_equal(scene->pbxs.met, 503);
	assert_int_equal(scene->sip.invites, 2);
	server_fails(scene, 408);
	assert_int_equal(scene->sip.invites, 3);
	assert_false(scene->client.call->ended);
	server_fails(scene, 503); /* the last one */
	assert_int_equal(scene->sip.invites, 3);
	assert_true(scene->client.call->ended);
	relay_closes(scene);
	assert_all_ended(scene);
}

/* It said something about the callee, not about itself. */
static void a_server_that_says_no_is_not_followed(void **state)
{
	static const unsigned codes[] = { 404, 486, 488, 603, 403 };
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		unsigned before = scene->sip.invites;

		secure_user_calls(scene);
		finds(scene, 2);
		relay_opens(scene);
		server_fails(scene, codes[i]);
		assert_int_equal(scene->sip.invites, before + 1);
		assert_true(scene->client.call->ended);
		relay_closes(scene);
		free(scene->client.call);
		scene->client.call = NULL;
	}
}

static void nobody_is_called_twice_that_has_rung(void **state)
{
	struct scene *scene = *state;

	secure_user_calls(scene);
	finds(scene, 2);
	relay_opens(scene);
	pbx_rings(scene);
	server_fails(scene, 503);
	assert_int_equal(scene->sip.invites, 1);
	assert_true(scene->client.call->ended);
	relay_closes(scene);
}

/* "(null)" stood there once for ringing with early media. */
static void every_event_of_the_secure_side_has_its_words_in_a_trace(void **state)
{
	static const struct {
		enum umsg_call_event event;
		const char *words;
	} cases[] = {
		{ UMSG_CALL_PROGRESS, "the invitation is passed on" },
		{ UMSG_CALL_RINGING, "ringing" },
		{ UMSG_CALL_EARLY, "ringing, with early media" },
		{ UMSG_CALL_ANSWERED, "answered" },
		{ UMSG_CALL_DIGIT, "a digit" },
		{ UMSG_CALL_HOLD, "hold or resume" },
	};
	struct scene *scene = *state;

	pbx_calls(scene);
	relay_opens(scene);
	scene->client.call->digit = '5';
	for (size_t i = 0; i < COUNT(cases); i++) {
		calls_secure_event(scene->calls, scene->client.call, cases[i].event);
		assert_string_equal(scene->trace.secure, cases[i].words);
	}
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

/* A call that is up, from the secure side, with the PBX's G.711. */
static void bring_up(struct scene *scene)
{
	secure_user_calls(scene);
	relay_opens(scene);
	pbx_rings(scene);
	pbx_answers(scene);
	resolves(scene);
}

struct digit_lines {
	unsigned told, lost;
};

static void count_line(void *arg, enum log_type type, const char *module, const char *text)
{
	struct digit_lines *lines = arg;

	(void)type;
	(void)module;
	lines->told += strstr(text, " digit from=") != NULL;
	lines->lost += strstr(text, " a digit is lost: ") != NULL;
}

/* An event is twelve octets, and a peer may send any number: the log has a line a second of them.
 */
static void a_flood_of_digits_is_told_in_few_lines(void **state)
{
	enum { DIGITS = 1000 };
	struct scene *scene = *state;
	Relay__Digit digit = RELAY__DIGIT__INIT;
	Relay__Event event = RELAY__EVENT__INIT;
	struct digit_lines lines = { 0 };
	int64_t begun_ms = clock_mono_ms();
	unsigned most;

	bring_up(scene);
	digit.call_id = calls_total(scene->calls);
	digit.from = RELAY__SIDE__PLAIN;
	digit.digit = (char *)"7";
	event.of_case = RELAY__EVENT__OF_DIGIT;
	event.digit = &digit;
	log_set_tap(count_line, &lines);
	for (unsigned i = 0; i < DIGITS; i++) {
		calls_relay_event(scene->calls, &event);
		pbx_sends_digit(scene, "7");
		relay_refuses(scene, RELAY__FAILED__REASON__DIGIT);
	}
	log_set_tap(NULL, NULL);
	most = 1 + (unsigned)((clock_mono_ms() - begun_ms) / 1000);
	assert_in_range(lines.told, 1, most);
	assert_in_range(lines.lost, 1, most);
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void a_hold_by_the_secure_side_reaches_the_pbx_and_the_relay(void **state)
{
	struct scene *scene = *state;
	struct umsg_call *secure;

	bring_up(scene);
	secure = scene->client.call;
	for (unsigned i = 1; i <= 4; i++) {
		secure->held = i % 2 != 0;
		calls_secure_event(scene->calls, secure, UMSG_CALL_HOLD);
		calls_secure_event(scene->calls, secure, UMSG_CALL_HOLD); /* again: nothing */
		assert_int_equal(scene->sip.reoffers, i);
		assert_int_equal(scene->relay.held, secure->held);
	}
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void a_digit_that_comes_as_a_signal_reaches_the_pbx(void **state)
{
	struct scene *scene = *state;

	bring_up(scene);
	scene->client.call->digit = '5';
	calls_secure_event(scene->calls, scene->client.call, UMSG_CALL_DIGIT);
	assert_int_equal(scene->relay.to_pbx, 1);
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void early_media_is_passed_on_and_joined_once(void **state)
{
	struct scene *scene = *state;
	SipAgent__Ringing ringing = SIP_AGENT__RINGING__INIT;
	SipAgent__Audio audio = SIP_AGENT__AUDIO__INIT;
	SipAgent__Format format = SIP_AGENT__FORMAT__INIT, *formats[] = { &format };

	secure_user_calls(scene);
	finds(scene, 1);
	relay_opens(scene);
	format.encoding = SIP_AGENT__ENCODING__PCMA;
	format.payload_type = 8;
	audio.address = (char *)"127.0.0.1";
	audio.port = 4000;
	audio.formats = formats;
	audio.n_formats = 1;
	ringing.call = sip_number(scene);
	ringing.code = 183;
	ringing.audio = &audio;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_RINGING, &ringing);
	assert_true(scene->client.call->early);
	resolves(scene);
	assert_true(scene->relay.secure_set);
	scene->relay.secure_set = false;
	sip_says(scene, SIP_AGENT__FROM_AGENT__BODY_RINGING, &ringing);
	pbx_answers(scene);
	assert_null(scene->resolver.waiting);
	assert_false(scene->relay.secure_set); /* its keys are used once */
	secure_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void a_pbx_without_an_address_ends_the_call(void **state)
{
	struct scene *scene = *state;

	secure_user_calls(scene);
	finds(scene, 0);
	relay_opens(scene);
	assert_true(scene->client.call->ended);
	relay_closes(scene);
	assert_all_ended(scene);
}

/* ---- what the control port shows ---- */

static void count(void *arg)
{
	++*(unsigned *)arg;
}

static void relay_tells_figures(struct scene *scene, uint64_t call)
{
	Relay__Stats stats = RELAY__STATS__INIT;
	Relay__LegStats leg = RELAY__LEG_STATS__INIT;
	Relay__Event event = RELAY__EVENT__INIT;

	leg.codec = (char *)"PCMA";
	leg.lost = 3;
	stats.call_id = call;
	stats.plain = stats.secure = &leg;
	event.of_case = RELAY__EVENT__OF_STATS;
	event.stats = &stats;
	calls_relay_event(scene->calls, &event);
}

static json_t *first_row(json_t *rows)
{
	json_t *row = json_incref(json_array_get(rows, 0));

	assert_int_equal(json_array_size(rows), 1);
	json_decref(rows);
	return row;
}

static void figures_are_asked_for_once_and_told_when_all_are_there(void **state)
{
	struct scene *scene = *state;
	unsigned told = 0;
	json_t *row;

	assert_int_equal(calls_ask_media(scene->calls, count, &told), -ENOENT); /* no call */
	bring_up(scene);
	assert_int_equal(calls_ask_media(scene->calls, count, &told), 0);
	assert_int_equal(calls_ask_media(scene->calls, count, &told), -EALREADY);
	relay_tells_figures(scene, 999); /* of no call */
	assert_int_equal(told, 0);
	relay_tells_figures(scene, calls_total(scene->calls));
	assert_int_equal(told, 1);
	relay_tells_figures(scene, calls_total(scene->calls)); /* of itself */
	assert_int_equal(told, 1);
	row = first_row(calls_report(scene->calls));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(row, "pbx"), "lost")),
			 3);
	assert_string_equal(json_string_value(json_object_get(row, "in_to")), "tel:+8888;101");
	json_decref(row);

	/* A wait that was given up is told nothing, and the next one asks only what is new. */
	assert_int_equal(calls_ask_media(scene->calls, count, &told), 0);
	calls_forget_media(scene->calls);
	relay_tells_figures(scene, calls_total(scene->calls));
	assert_int_equal(told, 1);
	/* A call that ends tells by its end. */
	assert_int_equal(calls_ask_media(scene->calls, count, &told), 0);
	secure_ends(scene);
	all_confirm(scene);
	assert_int_equal(told, 2);
	assert_all_ended(scene);
}

static void without_the_relay_the_last_figures_must_do(void **state)
{
	struct scene *scene = *state;
	unsigned told = 0;

	bring_up(scene);
	scene->relay.up = false;
	assert_int_equal(calls_ask_media(scene->calls, count, &told), -ENOENT);
	scene->relay.up = true;
	assert_int_equal(calls_ask_media(scene->calls, count, &told), 0);
	relay_dies(scene);
	assert_int_equal(told, 1);
	pbx_ends(scene);
}

static void a_call_to_the_secure_side_is_listed_there_before_it_is_sent(void **state)
{
	struct scene *scene = *state;
	json_t *row;

	pbx_calls(scene);
	row = first_row(calls_umsg_report(scene->calls));
	assert_string_equal(json_string_value(json_object_get(row, "state")), "CREATE");
	assert_string_equal(json_string_value(json_object_get(row, "to")), "tel:+46701");
	json_decref(row);
	pbx_ends(scene);
	relay_closes(scene);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_server_that_fails_is_followed_by_the_next_one),
		SCENE_TEST(a_server_that_says_no_is_not_followed),
		SCENE_TEST(nobody_is_called_twice_that_has_rung),
		SCENE_TEST(a_pbx_without_an_address_ends_the_call),
		SCENE_TEST(a_hold_by_the_secure_side_reaches_the_pbx_and_the_relay),
		SCENE_TEST(a_digit_that_comes_as_a_signal_reaches_the_pbx),
		SCENE_TEST(early_media_is_passed_on_and_joined_once),
		SCENE_TEST(every_event_of_the_secure_side_has_its_words_in_a_trace),
		SCENE_TEST(figures_are_asked_for_once_and_told_when_all_are_there),
		SCENE_TEST(without_the_relay_the_last_figures_must_do),
		SCENE_TEST(a_call_to_the_secure_side_is_listed_there_before_it_is_sent),
		SCENE_TEST(digits_before_the_secure_leg_wait_for_it),
		SCENE_TEST(more_early_digits_than_wait_are_dropped),
		SCENE_TEST(a_flood_of_digits_is_told_in_few_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
