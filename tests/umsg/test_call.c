#include "tests/unit.h"

#include "umsg/call.h"

/* No state may wait for ever, and silence must end every call. */
static void silence_ends_a_call_from_any_state(void **state)
{
	(void)state;
	for (int s = CALL_CREATE; s < CALL_GONE; s++) {
		enum call_state at = (enum call_state)s;

		assert_true(call_state_limit_ms(at) > 0);
		for (int hops = 0; at != CALL_GONE; hops++) {
			assert_true(hops < 3);
			at = call_state_next(at, CALL_EV_TIMEOUT);
			assert_int_not_equal(at, CALL_NONE);
		}
	}
}

static void a_call_can_be_ended_until_it_is(void **state)
{
	(void)state;
	for (int s = CALL_CREATE; s < CALL_HANGUP; s++)
		assert_int_equal(call_state_next((enum call_state)s, CALL_EV_ENDED), CALL_HANGUP);
	for (int e = 0; e < CALL_EVENTS; e++)
		assert_int_equal(call_state_next(CALL_GONE, (enum call_event)e), CALL_NONE);
	assert_int_equal(call_state_next(CALL_TALK, CALL_EV_RINGING), CALL_NONE);
	assert_int_equal(call_state_next(CALL_TALK, CALL_EV_ANSWERED), CALL_NONE);
}

/* CIG manual 2.9, "show umsg". */
static void the_words_are_the_manuals(void **state)
{
	(void)state;
	assert_string_equal(call_state_word(CALL_CREATE), "CREATE");
	assert_string_equal(call_state_word(CALL_BANG), "BANG");
	assert_string_equal(call_state_word(CALL_GROWL), "GROWL");
	assert_string_equal(call_state_word(CALL_TALK), "TALK");
	assert_string_equal(call_state_word(CALL_HANGUP), "HANGUP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_ends_a_call_from_any_state),
		cmocka_unit_test(a_call_can_be_ended_until_it_is),
		cmocka_unit_test(the_words_are_the_manuals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
