/* Load without load: figures and time are given. */
#include "tests/unit.h"

#include <string.h>

#include "gateway/relay/load.h"

enum { START_MS = 1000000 };

/* A period of a thread that used so much of a processor and was served so late. */
static struct load_figures period(struct load_meter *meter, int64_t *now_ms, unsigned percent,
				  unsigned late_ms)
{
	struct load_figures figures;
	int64_t cpu_ms = meter->cpu_ms + LOAD_PERIOD_MS * (int64_t)percent / 100;

	for (int i = 0; i < 100; i++)
		load_meter_tick(meter, late_ms);
	*now_ms += LOAD_PERIOD_MS;
	assert_true(load_meter_take(meter, *now_ms, cpu_ms, &figures));
	return figures;
}

static void figures_are_those_of_one_period(void **state)
{
	struct load_meter meter;
	struct load_figures figures;
	int64_t now_ms = START_MS;

	(void)state;
	load_meter_init(&meter, now_ms, 77);
	assert_false(load_meter_take(&meter, now_ms + LOAD_PERIOD_MS - 1, 100, &figures));
	figures = period(&meter, &now_ms, 30, 4);
	assert_int_equal(figures.cpu_percent, 30);
	assert_int_equal(figures.late_ms, 4);
	figures = period(&meter, &now_ms, 10, 0);
	assert_int_equal(figures.cpu_percent, 10);
	assert_int_equal(figures.late_ms, 0);
}

/* A timer may seem early by the rounding of clocks; a stopped thread counts as a second. */
static void odd_lateness_does_not_spoil_the_mean(void **state)
{
	struct load_meter meter;
	struct load_figures figures;

	(void)state;
	load_meter_init(&meter, START_MS, 0);
	load_meter_tick(&meter, -3);
	load_meter_tick(&meter, 3600000);
	assert_true(load_meter_take(&meter, START_MS + LOAD_PERIOD_MS, 0, &figures));
	assert_int_equal(figures.late_ms, 500);
	/* no tick at all: the thread was not asked to do anything by then */
	assert_true(load_meter_take(&meter, START_MS + 2 * LOAD_PERIOD_MS, 0, &figures));
	assert_int_equal(figures.late_ms, 0);
}

/* media.md 6: the Opus mode follows load, and does not swing. */
static void the_encoder_does_less_under_load_and_more_when_it_is_over(void **state)
{
	static const struct {
		unsigned percent, late_ms;
		int want;
	} steps[] = {
		{ 0, 0, LOAD_COMPLEXITY_IDLE },   { 50, 0, LOAD_COMPLEXITY_IDLE },
		{ 51, 0, LOAD_COMPLEXITY_BUSY },  { 75, 0, LOAD_COMPLEXITY_BUSY },
		{ 76, 0, LOAD_COMPLEXITY_FULL },  { 45, 0, LOAD_COMPLEXITY_FULL },
		{ 39, 0, LOAD_COMPLEXITY_BUSY },  { 25, 0, LOAD_COMPLEXITY_BUSY },
		{ 19, 0, LOAD_COMPLEXITY_IDLE },  { 30, 10, LOAD_COMPLEXITY_FULL },
		{ 60, 9, LOAD_COMPLEXITY_FULL },  { 10, 9, LOAD_COMPLEXITY_IDLE },
		{ 100, 0, LOAD_COMPLEXITY_FULL },
	};
	struct load_meter meter;
	int64_t now_ms = START_MS;

	(void)state;
	load_meter_init(&meter, now_ms, 0);
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct load_figures f = period(&meter, &now_ms, steps[i].percent, steps[i].late_ms);

		assert_int_equal(f.complexity, steps[i].want);
	}
}

struct view_case {
	struct load_figures before, now;
	unsigned calls, max_percent;
	int64_t age_ms;
	const char *why; /* how the reason begins or what it has; NULL: taken */
};

static void assert_decision(const struct view_case *c)
{
	struct load_view view = { 0 };
	char why[LOAD_TEXT] = "";
	bool refused;

	load_view_take(&view, &c->before, START_MS);
	load_view_take(&view, &c->now, START_MS + LOAD_PERIOD_MS);
	refused = load_refuses(&view, c->calls, c->max_percent,
			       START_MS + LOAD_PERIOD_MS + c->age_ms, why);
	assert_int_equal(refused, c->why != NULL);
	if (c->why && !strstr(why, c->why))
		fail_msg("\"%s\" is not about \"%s\"", why, c->why);
}

static void a_call_is_refused_before_it_harms_the_others(void **state)
{
	static const struct view_case cases[] = {
		/* by what it would cost: 3 thousandths while nobody knows better */
		{ { 0 }, { 0 }, 0, 85, 0, NULL },
		{ { 0 }, { .cpu_percent = 84, .talking = 300 }, 300, 85, 0, NULL },
		{ { 0 }, { .cpu_percent = 85, .talking = 300 }, 300, 85, 0, "more than 85 %" },
		{ { 0 }, { .cpu_percent = 100, .talking = 300 }, 300, 0, 0, NULL }, /* no limit is
										       wanted */
		/* what was taken and does not talk yet is paid for already */
		{ { 0 }, { .cpu_percent = 60, .talking = 250 }, 250 + 82, 85, 0, NULL },
		{ { 0 }, { .cpu_percent = 60, .talking = 250 }, 250 + 83, 85, 0, "more than 85 %" },
		{ { 0 }, { 0 }, 282, 85, 0, NULL }, /* a burst within one period */
		{ { 0 }, { 0 }, 283, 85, 0, "more than 85 %" },
		/* a machine on which each call costs a hundredth */
		{ { 0 }, { .cpu_percent = 80, .talking = 80 }, 84, 85, 0, NULL },
		{ { 0 }, { .cpu_percent = 80, .talking = 80 }, 85, 85, 0, "more than 85 %" },
		/* calls that ended since are no debt */
		{ { 0 }, { .cpu_percent = 80, .talking = 80 }, 70, 85, 0, NULL },
		/* by how late it is: twice, and not where it has few calls */
		{ { .late_ms = 20 },
		  { .cpu_percent = 30, .late_ms = 20 },
		  50,
		  85,
		  0,
		  "20 ms late" },
		{ { .late_ms = 19 }, { .cpu_percent = 30, .late_ms = 90 }, 50, 85, 0, NULL },
		{ { .late_ms = 90 }, { .cpu_percent = 30, .late_ms = 19 }, 50, 85, 0, NULL },
		{ { .late_ms = 90 },
		  { .cpu_percent = 30, .late_ms = 90 },
		  LOAD_FEW - 1,
		  85,
		  0,
		  NULL },
		/* by what the system dropped in the last period */
		{ { .dropped = 7 }, { .cpu_percent = 30, .dropped = 8 }, 50, 85, 0, "faster" },
		{ { .dropped = 8 }, { .cpu_percent = 30, .dropped = 8 }, 50, 85, 0, NULL },
		{ { .dropped = 7 },
		  { .cpu_percent = 30, .dropped = 8 },
		  LOAD_FEW - 1,
		  85,
		  0,
		  NULL },
		/* by silence */
		{ { 0 }, { 0 }, 50, 85, LOAD_SILENT_MS - 1, NULL },
		{ { 0 }, { 0 }, 50, 85, LOAD_SILENT_MS, "stuck" },
		{ { 0 }, { 0 }, LOAD_FEW - 1, 85, LOAD_SILENT_MS, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_decision(&cases[i]);
}

/* At the start no thread has told anything, and what the first figures say has not
 * happened just now. */
static void the_first_figures_are_compared_with_nothing(void **state)
{
	const struct load_figures figures = { .cpu_percent = 5, .dropped = 100 };
	struct load_view view = { 0 };
	char why[LOAD_TEXT];

	(void)state;
	assert_false(load_refuses(&view, 50, 85, START_MS, why));
	load_view_take(&view, &figures, START_MS);
	assert_false(load_refuses(&view, 50, 85, START_MS, why));
}

/* Calls that come for ever, on a machine where 100 of them fill a processor: the thread
 * reaches its limit, and never goes above it. */
static void a_flood_of_calls_fills_a_thread_to_its_limit_and_not_beyond(void **state)
{
	struct load_meter meter;
	struct load_view view = { 0 };
	struct load_figures f;
	unsigned calls = 0, talking = 0, most = 0;
	int64_t now_ms = START_MS;
	char why[LOAD_TEXT];

	(void)state;
	load_meter_init(&meter, now_ms, 0);
	for (int i = 0; i < 200; i++) {
		for (int offered = 0; offered < 25; offered++)
			calls += !load_refuses(&view, calls, LOAD_DEFAULT_PERCENT, now_ms, why);
		f = period(&meter, &now_ms, talking > 100 ? 100 : talking, 0);
		f.talking = talking;
		load_view_take(&view, &f, now_ms);
		talking = calls; /* they were ringing meanwhile */
		most = talking > most ? talking : most;
	}
	assert_in_range(most, 80, 85);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_are_those_of_one_period),
		cmocka_unit_test(odd_lateness_does_not_spoil_the_mean),
		cmocka_unit_test(the_encoder_does_less_under_load_and_more_when_it_is_over),
		cmocka_unit_test(a_call_is_refused_before_it_harms_the_others),
		cmocka_unit_test(the_first_figures_are_compared_with_nothing),
		cmocka_unit_test(a_flood_of_calls_fills_a_thread_to_its_limit_and_not_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
