#include "tests/unit.h"

#include "rendezvous/heartbeat.h"

enum { LIMIT = 30 };

/* Looks n times; each time nothing may be to be done. */
static void look_in_vain(struct heartbeat *beat, bool ready, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(heartbeat_look(beat, ready, LIMIT), HEARTBEAT_NOTHING);
}

static void one_that_answers_is_asked_on_and_on(void **state)
{
	struct heartbeat beat;

	(void)state;
	heartbeat_start(&beat);
	for (int i = 0; i < 10 * LIMIT; i++) {
		assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_ASK);
		heartbeat_heard(&beat);
	}
}

static void one_that_is_silent_is_aborted_once_and_then_killed_once(void **state)
{
	struct heartbeat beat;

	(void)state;
	heartbeat_start(&beat);
	assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_ASK);
	look_in_vain(&beat, true, LIMIT - 1);
	assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_ABORT);
	look_in_vain(&beat, true, LIMIT / HEARTBEAT_ABORT_PART - 1);
	assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_KILL);
	look_in_vain(&beat, true, 3 * LIMIT);
	/* its successor */
	heartbeat_start(&beat);
	assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_ASK);
}

/* Its answer may be lost: its channel is full while it has much to say (a trace, say). */
static void a_word_is_as_good_as_the_answer_which_may_be_lost(void **state)
{
	struct heartbeat beat;

	(void)state;
	heartbeat_start(&beat);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_ASK);
		look_in_vain(&beat, true, LIMIT - 1);
		heartbeat_heard(&beat);
	}
}

static void a_question_that_could_not_be_sent_is_asked_again_and_the_silence_counts(void **state)
{
	struct heartbeat beat;

	(void)state;
	heartbeat_start(&beat);
	for (int i = 0; i < LIMIT; i++) {
		assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_ASK);
		heartbeat_not_asked(&beat);
	}
	assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_ABORT);
}

static void what_it_said_before_its_end_does_not_save_it(void **state)
{
	struct heartbeat beat;

	(void)state;
	heartbeat_start(&beat);
	assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_ASK);
	look_in_vain(&beat, true, LIMIT - 1);
	assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_ABORT);
	look_in_vain(&beat, true, LIMIT / HEARTBEAT_ABORT_PART - 1);
	heartbeat_heard(&beat);
	assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_KILL);
}

/* It reads all accounts, perhaps from a disk that is busy with the others' reading. */
static void one_that_starts_has_longer(void **state)
{
	struct heartbeat beat;

	(void)state;
	heartbeat_start(&beat);
	assert_int_equal(heartbeat_look(&beat, false, LIMIT), HEARTBEAT_ASK);
	look_in_vain(&beat, false, LIMIT * HEARTBEAT_START_TIMES - 1);
	assert_int_equal(heartbeat_look(&beat, false, LIMIT), HEARTBEAT_ABORT);
}

/* Its end would come when the disk goes on, and so does it. */
static void one_that_waits_for_a_disk_is_excused_but_not_for_ever(void **state)
{
	struct heartbeat beat;

	(void)state;
	heartbeat_start(&beat);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_ASK);
		look_in_vain(&beat, true, LIMIT - 1);
		for (int k = 0; k < LIMIT * HEARTBEAT_WAIT_TIMES; k++)
			assert_true(heartbeat_excuses(&beat, LIMIT));
		assert_false(heartbeat_excuses(&beat, LIMIT));
		heartbeat_heard(&beat);
	}
	assert_true(heartbeat_excuses(&beat, LIMIT));
	assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_ASK);
	look_in_vain(&beat, true, LIMIT - 1);
	assert_int_equal(heartbeat_look(&beat, true, LIMIT), HEARTBEAT_ABORT);
	assert_false(heartbeat_excuses(&beat, LIMIT));
}

/* crs.conf, hang-limit 0 */
static void without_a_limit_nothing_happens_ever(void **state)
{
	struct heartbeat beat;

	(void)state;
	heartbeat_start(&beat);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(heartbeat_look(&beat, true, 0), HEARTBEAT_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_answers_is_asked_on_and_on),
		cmocka_unit_test(one_that_is_silent_is_aborted_once_and_then_killed_once),
		cmocka_unit_test(a_word_is_as_good_as_the_answer_which_may_be_lost),
		cmocka_unit_test(
			a_question_that_could_not_be_sent_is_asked_again_and_the_silence_counts),
		cmocka_unit_test(what_it_said_before_its_end_does_not_save_it),
		cmocka_unit_test(one_that_starts_has_longer),
		cmocka_unit_test(one_that_waits_for_a_disk_is_excused_but_not_for_ever),
		cmocka_unit_test(without_a_limit_nothing_happens_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
