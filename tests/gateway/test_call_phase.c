#include "tests/unit.h"

#include "gateway/call_phase.h"

/* Silence must end every call: no state but "up" may last for ever, and "up" is
 * ended by the media timeouts. */
static void silence_ends_a_call_from_any_state_but_up(void **state)
{
	(void)state;
	for (enum call_phase s = CALL_OPENING; s < CALL_GONE; s++) {
		enum call_phase at = s;

		if (s == CALL_UP)
			continue;
		assert_true(call_phase_limit_ms(s) > 0);
		for (int hops = 0; at != CALL_GONE; hops++) {
			assert_true(hops < 3);
			at = call_phase_next(at, CALL_EV_TIMEOUT);
			assert_int_not_equal(at, CALL_NONE);
		}
	}
}

static void every_call_can_be_ended_and_then_cleared(void **state)
{
	(void)state;
	for (enum call_phase s = CALL_OPENING; s < CALL_CLOSING; s++)
		assert_int_equal(call_phase_next(s, CALL_EV_END), CALL_CLOSING);
	assert_int_equal(call_phase_next(CALL_CLOSING, CALL_EV_CLEARED), CALL_GONE);
}

static void a_call_takes_its_usual_way(void **state)
{
	static const struct {
		enum call_event event;
		enum call_phase to;
	} way[] = {
		{ CALL_EV_OPENED, CALL_DIALLING }, { CALL_EV_TRYING, CALL_TRYING },
		{ CALL_EV_TRYING, CALL_TRYING },   { CALL_EV_RINGING, CALL_RINGING },
		{ CALL_EV_RINGING, CALL_RINGING }, { CALL_EV_ANSWERED, CALL_UP },
		{ CALL_EV_END, CALL_CLOSING },     { CALL_EV_CLEARED, CALL_GONE },
	};
	enum call_phase at = CALL_OPENING;

	(void)state;
	for (size_t i = 0; i < COUNT(way); i++) {
		at = call_phase_next(at, way[i].event);
		assert_int_equal(at, way[i].to);
	}
}

static void events_that_crossed_another_have_no_place(void **state)
{
	static const struct {
		enum call_phase at;
		enum call_event event;
	} crossed[] = {
		{ CALL_UP, CALL_EV_RINGING },       { CALL_UP, CALL_EV_ANSWERED },
		{ CALL_RINGING, CALL_EV_TRYING },   { CALL_CLOSING, CALL_EV_ANSWERED },
		{ CALL_CLOSING, CALL_EV_END },      { CALL_GONE, CALL_EV_END },
		{ CALL_DIALLING, CALL_EV_CLEARED }, { CALL_OPENING, CALL_EV_ANSWERED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(crossed); i++)
		assert_int_equal(call_phase_next(crossed[i].at, crossed[i].event), CALL_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_ends_a_call_from_any_state_but_up),
		cmocka_unit_test(every_call_can_be_ended_and_then_cleared),
		cmocka_unit_test(a_call_takes_its_usual_way),
		cmocka_unit_test(events_that_crossed_another_have_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
