#include "tests/unit.h"

#include "gateway/call_phase.h"

/* Silence must end every call: no state but "up" may last for ever, and "up" is
 * ended by the media timeouts. */
static void silence_ends_a_call_from_any_state_but_up(void **state)
{
	(void)state;
	for (enum call_phase s = PHASE_OPENING; s < PHASE_GONE; s++) {
		enum call_phase at = s;

		if (s == PHASE_UP)
			continue;
		assert_true(call_phase_limit_ms(s) > 0);
		for (int hops = 0; at != PHASE_GONE; hops++) {
			assert_true(hops < 3);
			at = call_phase_next(at, PHASE_EV_TIMEOUT);
			assert_int_not_equal(at, PHASE_NONE);
		}
	}
}

static void every_call_can_be_ended_and_then_cleared(void **state)
{
	(void)state;
	for (enum call_phase s = PHASE_OPENING; s < PHASE_CLOSING; s++)
		assert_int_equal(call_phase_next(s, PHASE_EV_END), PHASE_CLOSING);
	assert_int_equal(call_phase_next(PHASE_CLOSING, PHASE_EV_CLEARED), PHASE_GONE);
}

static void a_call_takes_its_usual_way(void **state)
{
	static const struct {
		enum phase_event event;
		enum call_phase to;
	} way[] = {
		{ PHASE_EV_OPENED, PHASE_DIALLING }, { PHASE_EV_TRYING, PHASE_TRYING },
		{ PHASE_EV_TRYING, PHASE_TRYING },   { PHASE_EV_RINGING, PHASE_RINGING },
		{ PHASE_EV_RINGING, PHASE_RINGING }, { PHASE_EV_ANSWERED, PHASE_UP },
		{ PHASE_EV_END, PHASE_CLOSING },     { PHASE_EV_CLEARED, PHASE_GONE },
	};
	enum call_phase at = PHASE_OPENING;

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
		enum phase_event event;
	} crossed[] = {
		{ PHASE_UP, PHASE_EV_RINGING },       { PHASE_UP, PHASE_EV_ANSWERED },
		{ PHASE_RINGING, PHASE_EV_TRYING },   { PHASE_CLOSING, PHASE_EV_ANSWERED },
		{ PHASE_CLOSING, PHASE_EV_END },      { PHASE_GONE, PHASE_EV_END },
		{ PHASE_DIALLING, PHASE_EV_CLEARED }, { PHASE_OPENING, PHASE_EV_ANSWERED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(crossed); i++)
		assert_int_equal(call_phase_next(crossed[i].at, crossed[i].event), PHASE_NONE);
}

static void every_phase_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (enum call_phase s = PHASE_NONE; s < PHASE_COUNT; s++) {
		assert_non_null(call_phase_name(s));
		for (enum call_phase t = PHASE_NONE; t < s; t++)
			assert_string_not_equal(call_phase_name(s), call_phase_name(t));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_ends_a_call_from_any_state_but_up),
		cmocka_unit_test(every_call_can_be_ended_and_then_cleared),
		cmocka_unit_test(a_call_takes_its_usual_way),
		cmocka_unit_test(every_phase_has_a_name_of_its_own),
		cmocka_unit_test(events_that_crossed_another_have_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
