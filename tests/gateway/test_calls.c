/* Calls through the gateway, between a SIP agent, a media relay and a secure side that
 * are played here: whatever a side does, and whenever, the call ends on all sides. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gateway/calls_scene.h"
#include "tests/memory/scarce.h"
#include "tests/umsg/loop.h"

/* What may end it anywhere on the way; some do not concern it yet, then a hangup of
 * either side does. */
static scene_fn *const endings[] = { pbx_ends, secure_ends, agent_dies, relay_dies };

static void run_way(scene_fn *const *way, size_t steps, scene_fn *ending)
{
	struct scene *scene;
	void *state = NULL;

	set_up(&state);
	scene = state;
	for (size_t i = 0; i < steps; i++)
		way[i](scene);
	assert_int_equal(calls_active(scene->calls), 1);
	ending(scene);
	secure_ends(scene);
	pbx_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
	tear_down(&state);
}

static void a_call_ends_on_all_sides_whoever_leaves_and_when(void **state)
{
	(void)state;
	for (size_t e = 0; e < COUNT(endings); e++) {
		for (size_t steps = 1; steps <= COUNT(from_pbx); steps++)
			run_way(from_pbx, steps, endings[e]);
		for (size_t steps = 1; steps <= COUNT(from_secure); steps++)
			run_way(from_secure, steps, endings[e]);
	}
}

/* A call for which there is no memory is refused on the side that it came from, one that
 * has begun ends on all sides, and where it was not needed the call goes on. */
static bool run_way_while_memory_runs_out(unsigned n, void *arg)
{
	scene_fn *const *way = arg;
	struct scene *scene;
	void *state = NULL;
	bool failed;

	set_up(&state);
	scene = state;
	scarce_begin(n);
	for (size_t i = 0; i < COUNT(from_pbx); i++)
		way[i](scene);
	failed = scarce_end();
	if (calls_active(scene->calls) == 0) {
		assert_true(failed);
		assert_true(!scene->client.call || scene->client.call->ended);
		assert_true(way == from_secure || scene->sip.rejects + scene->sip.hangups > 0);
	}
	secure_ends(scene);
	pbx_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
	tear_down(&state);
	return failed;
}

static void memory_that_runs_out_at_any_step_ends_the_call_or_nothing(void **state)
{
	(void)state;
	assert_true(scarce_each(run_way_while_memory_runs_out, (void *)from_pbx) > 5);
	assert_true(scarce_each(run_way_while_memory_runs_out, (void *)from_secure) > 5);
}

/* A call of which nobody hangs up, a forgotten one or a fraud, ends on both sides. */
static void a_call_lasts_no_longer_than_it_may(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(from_pbx); i++)
		from_pbx[i](scene);
	assert_int_equal(scene->sip.hangups, 0);
	LOOP_UNTIL(scene->base, scene->sip.hangups > 0);
	assert_true(scene->client.call->ended);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void a_call_from_the_pbx_is_rung_answered_and_hung_up(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(from_pbx); i++)
		from_pbx[i](scene);
	assert_int_equal(scene->sip.rings, 1);
	assert_int_equal(scene->sip.answers, 1);
	secure_ends(scene);
	assert_int_equal(scene->sip.hangups, 1);
	assert_int_equal(scene->relay.closes, 1);
	assert_int_equal(calls_active(scene->calls), 1); /* their last words are awaited */
	all_confirm(scene);
	assert_all_ended(scene);
}

static void what_cannot_be_invited_is_rejected(void **state)
{
	struct scene *scene = *state;

	scene->client.invite_fails = -ENOKEY;
	pbx_calls(scene);
	relay_opens(scene);
	assert_int_equal(scene->sip.rejects, 1);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void a_callee_of_no_known_domain_is_looked_up_first(void **state)
{
	static const int outcomes[] = { 0, -ENOENT };
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(outcomes); i++) {
		scene->client.domain = -EAGAIN;
		scene->client.lookups = 0;
		pbx_calls(scene);
		relay_opens(scene);
		assert_int_equal(scene->client.lookups, 1);
		assert_null(scene->client.call);
		calls_looked_up(scene->calls, "tel:+46702"); /* of no concern to it */
		assert_null(scene->client.call);
		scene->client.domain = outcomes[i];
		calls_looked_up(scene->calls, "tel:+46701");
		assert_non_null(scene->client.call);
		calls_looked_up(scene->calls, "tel:+46701"); /* another call's */
		secure_ends(scene);
		all_confirm(scene);
		assert_all_ended(scene);
		free(scene->client.call);
		scene->client.call = NULL;
	}
}

/* The first code of a pair is what is known at once, the second what the look-up brings. */
static void a_callee_whose_domain_is_not_taken_is_refused(void **state)
{
	static const struct {
		int known, lookup_fails, told;
	} cases[] = {
		{ -EKEYREJECTED, 0, 0 },         { -EPERM, 0, 0 },       { -EIO, 0, 0 },
		{ -EAGAIN, 0, -EKEYREJECTED },   { -EAGAIN, 0, -EPERM }, { -EAGAIN, -ENOBUFS, 0 },
		{ -EAGAIN, -ENOTCONN, -EAGAIN },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		scene->client.domain = cases[i].known;
		scene->client.lookup_fails = cases[i].lookup_fails;
		scene->sip.rejects = 0;
		pbx_calls(scene);
		relay_opens(scene);
		scene->client.domain = cases[i].told;
		calls_looked_up(scene->calls, "tel:+46701");
		assert_null(scene->client.call);
		assert_int_equal(scene->sip.rejects, 1);
		all_confirm(scene);
		assert_all_ended(scene);
	}
}

static void a_look_up_may_come_after_the_call_has_ended(void **state)
{
	struct scene *scene = *state;

	scene->client.domain = -EAGAIN;
	pbx_calls(scene);
	relay_opens(scene);
	pbx_ends(scene);
	scene->client.domain = 0;
	calls_looked_up(scene->calls, "tel:+46701");
	assert_null(scene->client.call);
	all_confirm(scene);
	assert_all_ended(scene);
}

/* Neither a call that got no ports nor one whose keys were not taken goes on. */
static void what_the_relay_refuses_ends_the_call(void **state)
{
	struct scene *scene = *state;

	pbx_calls(scene);
	relay_refuses(scene, RELAY__FAILED__REASON__PORTS_EXHAUSTED);
	assert_int_equal(scene->sip.rejects, 1);
	assert_int_equal(scene->relay.closes, 0); /* there is nothing to close */
	pbx_ends(scene);
	assert_all_ended(scene);
	for (size_t i = 0; i < COUNT(from_pbx); i++)
		from_pbx[i](scene);
	relay_refuses(scene, RELAY__FAILED__REASON__BAD_COMMAND);
	assert_int_equal(scene->sip.hangups, 1);
	assert_int_equal(scene->relay.closes, 1);
	all_confirm(scene);
	assert_all_ended(scene);
}

/* The other side takes none, or not so many at once: its peer must not end a call by them. */
static void a_digit_that_cannot_be_sent_is_lost_and_nothing_else(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(from_pbx); i++)
		from_pbx[i](scene);
	relay_refuses(scene, RELAY__FAILED__REASON__DIGIT);
	assert_int_equal(scene->sip.hangups + scene->relay.closes, 0);
	assert_false(scene->client.call->ended);
	pbx_ends(scene);
	all_confirm(scene);
	assert_all_ended(scene);
}

/* Else its ports would stay taken: before the answer it has no timeout. */
static void a_call_that_the_relay_has_is_closed_when_it_lacks_memory(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT(from_pbx); i++)
		from_pbx[i](scene);
	relay_refuses(scene, RELAY__FAILED__REASON__FULL);
	assert_int_equal(scene->sip.hangups, 1);
	assert_int_equal(scene->relay.closes, 1);
	all_confirm(scene);
	assert_all_ended(scene);
}

/* The secure leg ends while it is told to ring or to answer: from within that step. */
static void a_leg_may_end_while_it_is_spoken_to(void **state)
{
	struct scene *scene = *state;

	scene->client.ends_when_rung = true;
	for (size_t i = 0; i < 3; i++)
		from_secure[i](scene);
	assert_int_equal(scene->sip.hangups, 1);
	all_confirm(scene);
	assert_all_ended(scene);
	free(scene->client.call);
	scene->client.ends_when_rung = false;
	scene->client.answer_fails = -ENOTSUP;
	for (size_t i = 0; i < 4; i++)
		from_secure[i](scene);
	assert_int_equal(scene->sip.hangups, 2);
	all_confirm(scene);
	assert_all_ended(scene);
}

static void more_calls_than_engines_are_refused(void **state)
{
	struct scene *scene = *state;
	struct umsg_call *calls[4];

	for (size_t i = 0; i < COUNT(calls); i++) {
		secure_user_calls(scene);
		calls[i] = scene->client.call;
		resolves(scene);
	}
	assert_false(calls[2]->ended);
	assert_true(calls[3]->ended);
	assert_int_equal(calls[3]->end.reason, UMSG__END_REASON__END_CONGESTION);
	assert_int_equal(calls_active(scene->calls), 3);
	calls_free(&scene->calls);
	for (size_t i = 0; i < COUNT(calls); i++) {
		assert_true(calls[i]->ended);
		free(calls[i]);
	}
	scene->client.call = NULL;
}

static size_t listed(const struct scene *scene)
{
	json_t *report = calls_report(scene->calls);
	size_t n = json_array_size(report);

	json_decref(report);
	return n;
}

/* The dialog of an answered call outlives its child: the next one, however long it
 * takes to come, ends it, once.  Others are forgotten meanwhile. */
static void the_next_agent_ends_what_the_dead_one_left(void **state)
{
	struct scene *scene = *state;
	const struct timeval a_while = { CALL_LINGER_MS / 1000, 500000 };

	for (size_t i = 0; i < 2; i++) {
		pbx_calls(scene);
		pbx_ends(scene);
		relay_closes(scene);
	}
	assert_int_equal(calls_active(scene->calls), 0);
	assert_int_equal(listed(scene), 2);
	for (size_t i = 0; i < COUNT(from_secure); i++)
		from_secure[i](scene);
	agent_dies(scene);
	calls_sip_ready(scene->calls); /* and died again */
	assert_int_equal(scene->sip.orphans, 0);
	relay_closes(scene);
	event_base_loopexit(scene->base, &a_while); /* longer than others are listed */
	event_base_dispatch(scene->base);
	assert_int_equal(listed(scene), 1);
	scene->sip.ready = true;
	calls_sip_ready(scene->calls);
	assert_int_equal(scene->sip.orphans, 1);
	calls_sip_ready(scene->calls);
	assert_int_equal(scene->sip.orphans, 1);
	assert_all_ended(scene);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_ends_on_all_sides_whoever_leaves_and_when),
		cmocka_unit_test(memory_that_runs_out_at_any_step_ends_the_call_or_nothing),
		cmocka_unit_test_setup_teardown(a_call_lasts_no_longer_than_it_may, set_up_brief,
						tear_down),
		SCENE_TEST(a_call_from_the_pbx_is_rung_answered_and_hung_up),
		SCENE_TEST(what_cannot_be_invited_is_rejected),
		SCENE_TEST(a_callee_of_no_known_domain_is_looked_up_first),
		SCENE_TEST(a_callee_whose_domain_is_not_taken_is_refused),
		SCENE_TEST(a_look_up_may_come_after_the_call_has_ended),
		SCENE_TEST(what_the_relay_refuses_ends_the_call),
		SCENE_TEST(a_digit_that_cannot_be_sent_is_lost_and_nothing_else),
		SCENE_TEST(a_call_that_the_relay_has_is_closed_when_it_lacks_memory),
		SCENE_TEST(a_leg_may_end_while_it_is_spoken_to),
		SCENE_TEST(more_calls_than_engines_are_refused),
		SCENE_TEST(the_next_agent_ends_what_the_dead_one_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
