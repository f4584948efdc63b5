/* test_center_faults.c - a message center that goes, is silent, talks nonsense, or refuses. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "tests/smpp/center_world.h"

static void a_lost_connection_repeats_what_is_unanswered(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);

	world_bound(w, &o);
	fake_behaviour(w->fake)->drop_after_submit = true;
	assert_int_equal(world_submit(w, "aaaa", "one"), 0);
	assert_int_equal(world_submit(w, "bbbb", "two"), 0);
	RUN_UNTIL(w, w->n_taken == 2);
	assert_int_equal(fake_binds(w->fake), 2);
	assert_string_equal(w->log, "taken:aaaa taken:bbbb");
	assert_memory_equal(fake_submit(w->fake, 0)->octets, "one", 3);
}

static void or_gives_it_back_where_that_is_wanted(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);

	o.give_back = true;
	world_bound(w, &o);
	fake_behaviour(w->fake)->drop_after_submit = true;
	assert_int_equal(world_submit(w, "aaaa", "one"), 0);
	RUN_UNTIL(w, strlen(w->log));
	assert_string_equal(w->log, "lost:aaaa");
	assert_int_equal(fake_submits(w->fake), 0);
}

static void a_stopped_center_gives_back_what_is_unanswered(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	char why[SMPP_WHY_SIZE];
	struct smpp_text t = { .from = "1", .to = "2", .text = "x", .note = "" };

	o.give_back = true;
	world_bound(w, &o);
	fake_behaviour(w->fake)->silent = true;
	assert_int_equal(world_submit(w, "aaaa", "one"), 0);
	RUN_UNTIL(w, fake_seen(w->fake) == 1);
	smpp_center_stop(w->center);
	assert_string_equal(w->log, "lost:aaaa");
	assert_int_equal(smpp_center_submit(w->center, &t, why), -EAGAIN);
	RUN_UNTIL(w, fake_unbinds(w->fake) == 1);
}

static void a_center_that_never_answers_is_left(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);

	o.session.response_ms = 100;
	world_bound(w, &o);
	fake_behaviour(w->fake)->silent = true;
	assert_int_equal(world_submit(w, "aaaa", "one"), 0);
	RUN_UNTIL(w, !w->up);
	assert_string_equal(w->why, "no response to submit_sm");
	fake_behaviour(w->fake)->silent = false;
	RUN_UNTIL(w, w->n_taken);
	assert_int_equal(fake_binds(w->fake), 2);
}

static void garbage_ends_the_connection_and_not_the_center(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);

	world_bound(w, &o);
	fake_behaviour(w->fake)->garbage = true;
	assert_int_equal(world_submit(w, "aaaa", "one"), 0);
	RUN_UNTIL(w, w->n_taken);
	assert_int_equal(fake_binds(w->fake), 2);
}

static void a_wrong_password_is_told_and_not_tried_again_soon(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	struct smpp_center_figures figures;

	o.session.password = "wrong";
	world_start(w, &o);
	RUN_UNTIL(w, w->why[0]);
	assert_string_equal(w->why, "the bind was refused: ESME_RINVPASWD");
	for (int i = 0; i < 20; i++) {
		struct timeval tick = { 0, 20000 };

		event_base_loopexit(w->base, &tick);
		event_base_loop(w->base, 0);
	}
	assert_int_equal(fake_binds(w->fake), 1);
	smpp_center_figures(w->center, &figures);
	assert_string_equal(figures.state, "WAITING");
}

static void the_next_host_is_tried(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	struct fake_center *other;
	uint16_t dead;

	other = fake_center_new(w->base, &dead);
	fake_center_free(&other); /* nobody listens there now */
	o.hosts[1] = o.hosts[0];
	o.hosts[0] = (struct smpp_host){ "127.0.0.1", dead };
	o.n_hosts = 2;
	world_bound(w, &o);
}

static void a_name_is_a_host_too(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);

	o.hosts[0].host = "localhost"; /* CIG-093 */
	world_bound(w, &o);
}

static void the_same_words_are_a_repeat_only_after_a_lost_connection(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	struct smpp_pdu deliver = { .command = SMPP_DELIVER_SM,
				    .source = { 1, 1, slice_str("4670") },
				    .dest = { 0, 1, slice_str("8888") },
				    .short_message = slice_str("ok") };

	world_bound(w, &o);
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, w->n_incoming == 1);
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, w->n_incoming == 2);
	assert_string_equal(w->log, "incoming incoming");
	fake_drop(w->fake);
	RUN_UNTIL(w, !w->up);
	RUN_UNTIL(w, w->up);
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, w->n_incoming == 3);
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, w->n_incoming == 4);
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, w->n_incoming == 5);
	assert_string_equal(w->log, "incoming incoming repeat repeat incoming");
}

static int64_t passed_ms; /* of monotonic time, by a step */

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
	return __real_clock_mono_ms() + passed_ms;
}

/* In hand it could neither expire nor be dropped, for as long as the center is away. */
static void while_a_center_stays_away_texts_are_given_back(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	char words[401] = "";

	for (size_t i = 0; i < sizeof(words) - 1; i += 10)
		memcpy(words + i, "ten chars ", 10);
	world_bound(w, &o);
	fake_behaviour(w->fake)->silent = true;
	assert_int_equal(world_submit_noted(w, "long", words, ""), 0);
	assert_int_equal(world_submit(w, "aaaa", "one"), 0);
	RUN_UNTIL(w, fake_seen(w->fake) >= 2);
	fake_center_free(&w->fake);
	w->fake = fake_center_new(w->base, &w->port); /* at another port */
	RUN_UNTIL(w, !w->up);
	assert_string_equal(w->log, "");
	passed_ms = SMPP_GIVE_BACK_MS;
	RUN_UNTIL(w, strstr(w->log, "later:aaaa"));
	passed_ms = 0;
	assert_string_equal(w->log, "later:long later:aaaa");
	assert_string_not_equal(w->why, "");
}

/* Also where it is in hand since before: its receiver must not get it then. */
static void what_waits_past_its_end_is_not_submitted(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	struct smpp_text t = {
		.key = "aaaa", .from = "+8888", .to = "+46701234567", .text = "one", .note = ""
	};
	char why[SMPP_WHY_SIZE];

	o.throttle_ms = 50;
	world_bound(w, &o);
	fake_behaviour(w->fake)->throttle = 1000;
	t.end_s = clock_wall_s() + 1;
	assert_int_equal(smpp_center_submit(w->center, &t, why), 0);
	RUN_UNTIL(w, strlen(w->log));
	assert_string_equal(w->log, "later:aaaa");
	assert_true(clock_wall_s() >= t.end_s);
	assert_true(fake_seen(w->fake) > 1);
}

/* The center has it, and its answer says what became of it. */
static void what_is_all_on_its_way_at_its_end_is_not_given_back(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	struct smpp_text t = {
		.key = "aaaa", .from = "+8888", .to = "+46701234567", .text = "one", .note = ""
	};
	char why[SMPP_WHY_SIZE];

	world_bound(w, &o);
	fake_behaviour(w->fake)->silent = true;
	t.end_s = clock_wall_s() + 1;
	assert_int_equal(smpp_center_submit(w->center, &t, why), 0);
	RUN_UNTIL(w, fake_seen(w->fake) == 1);
	RUN_UNTIL(w, clock_wall_s() >= t.end_s);
	fake_behaviour(w->fake)->silent = false;
	assert_int_equal(world_submit(w, "bbbb", "two"), 0); /* all in hand are looked at */
	RUN_UNTIL(w, w->n_taken == 1);
	fake_answer_late(w->fake);
	RUN_UNTIL(w, strstr(w->log, "aaaa"));
	assert_string_equal(w->log, "taken:bbbb taken:aaaa");
}

#define ON_LOOPBACK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LOOPBACK(a_lost_connection_repeats_what_is_unanswered),
		ON_LOOPBACK(or_gives_it_back_where_that_is_wanted),
		ON_LOOPBACK(a_stopped_center_gives_back_what_is_unanswered),
		ON_LOOPBACK(a_center_that_never_answers_is_left),
		ON_LOOPBACK(garbage_ends_the_connection_and_not_the_center),
		ON_LOOPBACK(a_wrong_password_is_told_and_not_tried_again_soon),
		ON_LOOPBACK(the_next_host_is_tried),
		ON_LOOPBACK(a_name_is_a_host_too),
		ON_LOOPBACK(the_same_words_are_a_repeat_only_after_a_lost_connection),
		ON_LOOPBACK(while_a_center_stays_away_texts_are_given_back),
		ON_LOOPBACK(what_waits_past_its_end_is_not_submitted),
		ON_LOOPBACK(what_is_all_on_its_way_at_its_end_is_not_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
