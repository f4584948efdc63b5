/* The rendezvous's figures: the supervisor's own, and those of all workers, asked at each scrape
 * and of nobody twice.  The workers and the port are played. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pack.h"
#include "rendezvous/metrics.h"
#include "rendezvous/worker_figures.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/rendezvous/desk.h"
#include "tests/tools/played_figures.h"

static int open_desk(void **state)
{
	struct desk *desk = malloc(sizeof(*desk));

	assert_non_null(desk);
	desk_open(desk, NULL);
	played_figures_reset();
	*state = desk;
	return 0;
}

static int close_desk(void **state)
{
	played_figures_reset();
	desk_close(*state);
	free(*state);
	return 0;
}

static struct crs_metrics *begin(struct desk *desk)
{
	struct settings *settings = &desk->options.settings;
	struct crs_metrics *metrics;

	snprintf(settings->metrics_address, sizeof(settings->metrics_address), "192.0.2.1");
	settings->metrics_port = 9100;
	assert_int_equal(crs_metrics_new(NULL, &desk->supervisor, &metrics, NULL), 0);
	assert_non_null(metrics);
	return metrics;
}

/* A worker answers with its frames and connections. */
static void answer(struct desk *desk, unsigned worker, const char *frames, const char *connections)
{
	CrsWorker__Control *query = desk_hear_kind(desk, worker, CRS_WORKER__CONTROL__BODY_QUERY);
	CrsWorker__Control control = CRS_WORKER__CONTROL__INIT;
	CrsWorker__QueryPart body = CRS_WORKER__QUERY_PART__INIT;
	CrsWorker__Row rows[2] = { CRS_WORKER__ROW__INIT, CRS_WORKER__ROW__INIT };
	CrsWorker__Row *list[] = { &rows[0], &rows[1] };
	char name[16];
	char *cells[2][3] = {
		{ name, (char *)(uintptr_t)worker_figure_name(FIGURE_FRAMES),
		  (char *)(uintptr_t)frames },
		{ name, (char *)(uintptr_t)worker_figure_name(FIGURE_CONNECTIONS),
		  (char *)(uintptr_t)connections },
	};

	assert_non_null(query);
	assert_int_equal(query->query->kind, CRS_WORKER__QUERY_KIND__FIGURES);
	snprintf(name, sizeof(name), "%u", worker);
	for (size_t i = 0; i < COUNT(rows); i++) {
		rows[i].cell = cells[i];
		rows[i].n_cell = 3;
	}
	body.number = query->query->number;
	body.rows = list;
	body.n_rows = COUNT(list);
	control.body_case = CRS_WORKER__CONTROL__BODY_QUERY_PART;
	control.query_part = &body;
	desk_say(desk, worker, &control);
	PACK_FREE(&query);
	desk_turn(desk);
}

static void assert_figure(const char *sample, const char *want)
{
	const char *value = figure_in(played_figures()->text, sample);

	if (!value != !want || (want && strcmp(value, want) != 0))
		fail_msg("%s is %s, not %s", sample, value ? value : "missing",
			 want ? want : "missing");
}

static void each_scrape_asks_all_workers_and_answers_with_theirs(void **state)
{
	struct desk *desk = *state;
	struct crs_metrics *metrics = begin(desk);

	played_figures_ask();
	desk_turn(desk);
	fake_clock_add_ms(61999);
	answer(desk, 0, "18446744073709551615", "3");
	assert_null(played_figures()->text); /* not before the last one has answered */
	answer(desk, 1, "5", "0");
	assert_non_null(played_figures()->text);
	assert_figures(played_figures()->text);
	assert_figure("crs_frames_total{worker=\"0\"}", "18446744073709551615");
	assert_figure("crs_frames_total{worker=\"1\"}", "5");
	assert_figure("crs_connections{worker=\"0\"}", "3");
	assert_figure("crs_calls_total{worker=\"0\"}", NULL); /* it did not say */
	assert_figure("crs_uptime_seconds", "61");
	assert_figure("crs_relay_up", "0");
	assert_figure("crs_store_room", "1");
	assert_figure("crs_accounts", "0");
	played_figures_ask();
	desk_turn(desk);
	answer(desk, 0, "7", "4");
	answer(desk, 1, "6", "1");
	assert_figure("crs_frames_total{worker=\"0\"}", "7"); /* it was started anew */
	assert_figure("crs_connections{worker=\"1\"}", "1");
	crs_metrics_free(&metrics);
}

/* By name, not by pid: a process that was started anew is the same line of a graph. */
static void processes_are_there_by_their_names(void **state)
{
	struct desk *desk = *state;
	struct crs_metrics *metrics = begin(desk);
	struct supervisor_process process;
	char sample[160];

	played_figures_ask();
	desk_turn(desk);
	answer(desk, 0, "1", "1");
	answer(desk, 1, "1", "1");
	for (size_t i = 0; supervisor_process(&desk->supervisor, i, &process); i++) {
		snprintf(sample, sizeof(sample), "crs_process_up{process=\"%s\"}", process.name);
		assert_figure(sample, process.pid > 0 ? "1" : "0");
	}
	crs_metrics_free(&metrics);
}

/* A worker that dies in between takes no scrape with it. */
static void a_worker_that_dies_is_missing_and_no_more(void **state)
{
	struct desk *desk = *state;
	struct crs_metrics *metrics = begin(desk);

	played_figures_ask();
	desk_turn(desk);
	answer(desk, 1, "5", "2");
	assert_null(played_figures()->text);
	desk_hang_up(desk, 0);
	desk_turn(desk);
	assert_non_null(played_figures()->text);
	assert_figures(played_figures()->text);
	assert_figure("crs_frames_total{worker=\"0\"}", NULL);
	assert_figure("crs_frames_total{worker=\"1\"}", "5");
	crs_metrics_free(&metrics);
}

static void there_is_a_port_where_the_settings_want_one(void **state)
{
	struct desk *desk = *state;
	struct crs_metrics *metrics = NULL;

	assert_int_equal(crs_metrics_new(NULL, &desk->supervisor, &metrics, NULL), 0);
	assert_null(metrics);
	crs_metrics_free(&metrics);
	metrics = begin(desk);
	assert_string_equal(played_figures()->address, "192.0.2.1");
	assert_int_equal(played_figures()->number, 9100);
	crs_metrics_free(&metrics);
	assert_null(metrics);
	assert_false(played_figures()->open);
	played_figures()->open_err = -EADDRINUSE;
	assert_int_equal(crs_metrics_new(NULL, &desk->supervisor, &metrics, NULL), -EADDRINUSE);
	assert_null(metrics);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_scrape_asks_all_workers_and_answers_with_theirs),
		TEST(processes_are_there_by_their_names),
		TEST(a_worker_that_dies_is_missing_and_no_more),
		TEST(there_is_a_port_where_the_settings_want_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
