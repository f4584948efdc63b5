/* "cca call" and "cca answer" between a rendezvous and a sound that are played: what the command
 * does at each event, and the status that it ends with, which scripts rely on. */
#include "tests/caller/played_cca.h"

#include <errno.h>
#include <string.h>

#include "tests/tools/quick_timers.h"
#include "tests/umsg/loop.h"

static struct umsg_call a_call(void)
{
	return (struct umsg_call){ .from = "tel:+4670",
				   .to = "tel:+8888",
				   .extension = "101",
				   .media = { .codec = UMSG_PCMA, .peer_ssrc = 1 } };
}

struct scene {
	struct played_cca played;
	struct umsg_call call, second;
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	scene->call = scene->second = a_call();
	scene->played.client.made = &scene->call;
	quick_timers_reset();
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

/* The scene of the run that goes on. */
static struct scene *of(struct played_cca *played)
{
	return (struct scene *)(void *)played; /* its first member */
}

static void up(struct played_cca *played)
{
	played_attached(played);
	played_call(played, played->client.made, UMSG_CALL_RINGING);
	played_call(played, played->client.made, UMSG_CALL_ANSWERED);
}

/* ---- call ---- */

static void talks_until_the_other_hangs_up(struct played_cca *played)
{
	up(played);
	assert_true(played->media.runs);
	assert_string_equal(played->job->peer(played->arg), "tel:+8888");
	played_attached(played); /* anew, while the call goes on: no second invitation */
	played->client.made->digit = '5';
	played_call(played, played->client.made, UMSG_CALL_DIGIT);
	played->media.options.digit(played->media.options.arg, '7', 120);
	played_call(played, &of(played)->second, UMSG_CALL_ENDED); /* is none of ours */
	assert_false(played->ended);
	played_ended(played, played->client.made, UMSG__END_REASON__END_HANGUP);
}

static void a_call_that_was_up_ends_well(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(
		played_run(played, cca_call, "call +8888;101", talks_until_the_other_hangs_up),
		CCA_OK);
	assert_string_equal(played->client.invited, "tel:+8888");
	assert_string_equal(played->client.extension, "101");
	assert_int_equal(played->client.n_codecs, 3);
	assert_int_equal(played->client.codecs[0], UMSG_OPUS);
	assert_string_equal(played->told,
			    "calling to=tel:+8888 extension=101\n"
			    "ringing\n"
			    "talk from=tel:+4670 to=tel:+8888 codec=PCMA domain=Example\n"
			    "digit digit=5 ms=0\n"
			    "digit digit=7 ms=120\n"
			    "media sent=1 received=0 lost=0 concealed_ms=0 "
			    "auth_failures=0 jitter_ms=0\n"
			    "ended reason=hangup by=responder\n");
}

static void is_refused(struct played_cca *played)
{
	played_attached(played);
	played_ended(played, played->client.made, UMSG__END_REASON__END_BUSY);
}

static void a_call_that_was_never_up_fails(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_call, "call +8888", is_refused), CCA_FAILED);
	assert_non_null(strstr(played->told, "ended reason=busy by=responder"));
	assert_int_equal(played->media.starts, 0);
	played->client.invite_fails = -ENOTCONN;
	assert_int_equal(played_run(played, cca_call, "call +8888", played_attached), CCA_FAILED);
	assert_true(played->ended);
}

static void is_answered_by_another_device_behind_early_media(struct played_cca *played)
{
	played_attached(played);
	played_call(played, played->client.made, UMSG_CALL_EARLY);
	assert_int_equal(played->media.runs, true);
	played->client.made->media.peer_ssrc = 2;
	played_call(played, played->client.made, UMSG_CALL_ANSWERED);
	assert_int_equal(played->media.starts, 2);
	played_ended(played, played->client.made, UMSG__END_REASON__END_HANGUP);
}

static void is_answered_by_the_device_that_rang(struct played_cca *played)
{
	played_attached(played);
	played_call(played, played->client.made, UMSG_CALL_EARLY);
	played_call(played, played->client.made, UMSG_CALL_ANSWERED);
	assert_int_equal(played->media.starts, 1);
	played_ended(played, played->client.made, UMSG__END_REASON__END_HANGUP);
}

/* What is played would be lost on somebody who has not answered, unless it was asked for. */
static void early_media_is_heard_where_it_is_asked_for(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_call, "call --early +8888",
				    is_answered_by_another_device_behind_early_media),
			 CCA_OK);
	assert_int_equal(played->media.stops, 2);
	assert_int_equal(played_run(played, cca_call, "call --early +8888",
				    is_answered_by_the_device_that_rang),
			 CCA_OK);
	assert_int_equal(
		played_run(played, cca_call, "call +8888", is_answered_by_the_device_that_rang),
		CCA_OK);
	assert_null(strstr(played->told, "early"));
}

static void waits_for_the_hangup(struct played_cca *played)
{
	up(played);
	LOOP_UNTIL(played->cca.base, played->ended);
}

static void a_call_ends_when_it_was_told_to(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(
		played_run(played, cca_call, "call --hangup 3 +8888", waits_for_the_hangup),
		CCA_OK);
	assert_true(quick_timers_had(3000));
	assert_int_equal(of(played)->call.hangup, UMSG__END_REASON__END_HANGUP);
}

static void has_played_all(struct played_cca *played)
{
	up(played);
	played->media.options.played(played->media.options.arg);
	LOOP_UNTIL(played->cca.base, played->ended);
}

/* What was said last is still on its way. */
static void a_call_ends_a_second_behind_what_it_plays(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_call, "call +8888", has_played_all), CCA_OK);
	assert_true(quick_timers_had(1000));
}

static void has_no_relay(struct played_cca *played)
{
	up(played);
	played->media.options.lost(played->media.options.arg);
	LOOP_UNTIL(played->cca.base, played->ended);
}

static void a_call_without_a_relay_ends(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_call, "call +8888", has_no_relay), CCA_OK);
	assert_int_equal(of(played)->call.hangup, UMSG__END_REASON__END_MEDIA_LOST);
	assert_false(played->media.runs);
}

static void sends_its_digits(struct played_cca *played)
{
	up(played);
	played->media.options.played(played->media.options.arg);
	LOOP_UNTIL(played->cca.base, played->client.made->holds == 2);
	played_ended(played, played->client.made, UMSG__END_REASON__END_HANGUP);
}

/* "," is a pause and "!" holds and goes on; by signalling where the peer takes no events. */
static void digits_go_as_events_or_by_signalling(void **state)
{
	static const char command[] = "call --hangup 3600 --dtmf 1,2!#! +8888";
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_call, command, sends_its_digits), CCA_OK);
	assert_string_equal(played->media.digits, "12#");
	assert_false(of(played)->call.held);
	assert_true(quick_timers_had(250));
	of(played)->call = a_call();
	played->media.digit_fails = -ENOTSUP;
	assert_int_equal(played_run(played, cca_call, command, sends_its_digits), CCA_OK);
	assert_string_equal(of(played)->call.signalled, "12#");
}

static void a_call_without_sound_is_hung_up(void **state)
{
	struct played_cca *played = *state;

	played->media.start_fails = -EADDRINUSE;
	assert_int_equal(played_run(played, cca_call, "call +8888", up), CCA_OK);
	assert_int_equal(of(played)->call.hangup, UMSG__END_REASON__END_MEDIA_LOST);
}

static void is_stopped_in_the_call(struct played_cca *played)
{
	up(played);
	played->job->stop(&played->cca, played->arg);
	assert_int_equal(played->client.made->hangups, 1);
}

static void is_stopped_before_it(struct played_cca *played)
{
	played->job->stop(&played->cca, played->arg);
}

/* SIGTERM: the other party is told. */
static void a_signal_hangs_up_first(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_call, "call +8888", is_stopped_in_the_call),
			 CCA_OK);
	assert_int_equal(played_run(played, cca_call, "call +8888", is_stopped_before_it), CCA_OK);
	assert_string_equal(played->told, "");
}

static void options_reach_the_invitation(void **state)
{
	static const uint8_t group[UMSG_ID_SIZE] = {
		0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
		0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef
	};
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_call,
				    "call --codec pcmu --codec opus --codec PCMU "
				    "--group 0123456789abcdef0123456789abcdef --record /out.wav "
				    "+8888w7",
				    is_answered_by_the_device_that_rang),
			 CCA_OK);
	assert_int_equal(played->client.n_codecs, 2);
	assert_int_equal(played->client.codecs[0], UMSG_PCMU);
	assert_int_equal(played->client.codecs[1], UMSG_OPUS);
	assert_true(played->client.grouped);
	assert_memory_equal(played->client.group_id, group, UMSG_ID_SIZE);
	assert_string_equal(played->media.record, "/out.wav");
	assert_string_equal(played->client.extension, "7");
}

static void what_makes_no_sense_is_not_begun(void **state)
{
	static const struct {
		played_command *command;
		const char *arguments;
	} cases[] = {
		{ cca_call, "call" },
		{ cca_call, "call +8888 +8889" },
		{ cca_call, "call 8888" },
		{ cca_call, "call +8888x" },
		{ cca_call, "call +8888;1'2" },
		{ cca_call, "call +1234567890123456" },
		{ cca_call, "call --codec g729 +8888" },
		{ cca_call, "call --group 0123 +8888" },
		{ cca_call, "call --dtmf 12E +8888" },
		{ cca_call, "call --hangup 0 +8888" },
		{ cca_call, "call --hangup soon +8888" },
		{ cca_call, "call --play /nonexistent.wav +8888" },
		{ cca_call, "call --nonsense +8888" },
		{ cca_answer, "answer +8888" },
		{ cca_answer, "answer --reject no" },
		{ cca_answer, "answer --count -1" },
		{ cca_answer, "answer --ring x" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
			played_run(*state, cases[i].command, cases[i].arguments, played_never),
			CCA_USAGE);
}

/* ---- answer ---- */

static void answers_one_and_is_busy_for_another(struct played_cca *played)
{
	struct scene *scene = of(played);

	played_incoming(played, &scene->call);
	assert_int_equal(scene->call.answers, 1);
	assert_true(played->media.runs);
	played_incoming(played, &scene->second);
	assert_int_equal(scene->second.hangup, UMSG__END_REASON__END_BUSY);
	assert_int_equal(scene->second.rings, 0);
	assert_false(played->ended);
	played_ended(played, &scene->call, UMSG__END_REASON__END_HANGUP);
	assert_false(played->ended); /* --count 2 */
	played_incoming(played, &scene->second);
	assert_int_equal(scene->second.answers, 1);
	played_ended(played, &scene->second, UMSG__END_REASON__END_HANGUP);
}

static void calls_are_answered_one_at_a_time(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_answer, "answer --count 2 --codec PCMA",
				    answers_one_and_is_busy_for_another),
			 CCA_OK);
	assert_true(played->ended);
	assert_int_equal(of(played)->call.n_codecs, 1);
	assert_int_equal(of(played)->call.codecs[0], UMSG_PCMA);
	assert_non_null(strstr(played->told, "incoming from=tel:+4670 extension=101 "
					     "domain=Example\n"));
}

static void is_called(struct played_cca *played)
{
	played_incoming(played, &of(played)->call);
}

/* Refused ones count, too. */
static void calls_are_refused_as_it_was_told_to(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(
		played_run(played, cca_answer, "answer --count 1 --reject declined", is_called),
		CCA_OK);
	assert_true(played->ended);
	assert_int_equal(of(played)->call.hangup, UMSG__END_REASON__END_DECLINED);
	assert_int_equal(of(played)->call.answers, 0);
	assert_int_equal(of(played)->call.rings, 0);
}

static void rings_before_it_answers(struct played_cca *played)
{
	struct scene *scene = of(played);

	played_incoming(played, &scene->call);
	assert_int_equal(scene->call.rings, 1);
	assert_int_equal(scene->call.answers, 0);
	LOOP_UNTIL(played->cca.base, scene->call.answers);
	played_ended(played, &scene->call, UMSG__END_REASON__END_HANGUP);
}

static void rings_in_vain(struct played_cca *played)
{
	struct scene *scene = of(played);

	played_incoming(played, &scene->call);
	played_ended(played, &scene->call, UMSG__END_REASON__END_NO_ANSWER);
	played_incoming(played, &scene->second);
	assert_int_equal(scene->second.answers, 0);
	played_ended(played, &scene->second, UMSG__END_REASON__END_NO_ANSWER);
}

static void a_call_may_ring_first(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_answer, "answer --count 1 --ring 2",
				    rings_before_it_answers),
			 CCA_OK);
	assert_true(quick_timers_had(2000));
	of(played)->call = a_call();
	assert_int_equal(played_run(played, cca_answer, "answer --count 2 --ring 2", rings_in_vain),
			 CCA_OK);
	assert_int_equal(of(played)->call.answers, 0);
}

static void what_cannot_be_answered_is_hung_up(void **state)
{
	struct played_cca *played = *state;

	of(played)->call.answer_fails = -ENOTCONN;
	assert_int_equal(played_run(played, cca_answer, "answer --count 1", is_called), CCA_OK);
	assert_int_equal(of(played)->call.hangup, UMSG__END_REASON__END_FAILED);
	assert_int_equal(played->media.starts, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_that_was_up_ends_well),
		TEST(a_call_that_was_never_up_fails),
		TEST(early_media_is_heard_where_it_is_asked_for),
		TEST(a_call_ends_when_it_was_told_to),
		TEST(a_call_ends_a_second_behind_what_it_plays),
		TEST(a_call_without_a_relay_ends),
		TEST(digits_go_as_events_or_by_signalling),
		TEST(a_call_without_sound_is_hung_up),
		TEST(a_signal_hangs_up_first),
		TEST(options_reach_the_invitation),
		TEST(what_makes_no_sense_is_not_begun),
		TEST(calls_are_answered_one_at_a_time),
		TEST(calls_are_refused_as_it_was_told_to),
		TEST(a_call_may_ring_first),
		TEST(what_cannot_be_answered_is_hung_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
