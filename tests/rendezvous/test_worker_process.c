/* A worker that starts, as its supervisor sees it. */
#include "tests/unit.h"

#include <stdlib.h>

#include "base/pack.h"
#include "tests/rendezvous/desk.h"

static int open_desk(void **state)
{
	struct desk *desk = malloc(sizeof(*desk));

	desk_open(desk, NULL);
	*state = desk;
	return 0;
}

static int close_desk(void **state)
{
	desk_close(*state);
	free(*state);
	return 0;
}

static void start_anew(struct desk *desk, unsigned worker)
{
	desk_hang_up(desk, worker);
	worker_process_start(&desk->supervisor.workers[worker]);
	desk->supervisor.workers[worker].pid = 0;
}

static void say_ready(struct desk *desk, unsigned worker)
{
	CrsWorker__Control ready = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Ready body = CRS_WORKER__READY__INIT;

	ready.body_case = CRS_WORKER__CONTROL__BODY_READY;
	ready.ready = &body;
	desk_say(desk, worker, &ready);
}

/* It loads the accounts before it is ready, and hears of changes from then on only. */
static void what_changed_while_a_worker_started_is_told_to_it(void **state)
{
	struct desk *desk = *state;
	CrsWorker__Control *told;

	start_anew(desk, 1);
	assert_int_equal(supervisor_reload(&desk->supervisor, NULL), 0);
	say_ready(desk, 1);
	told = desk_hear_kind(desk, 1, CRS_WORKER__CONTROL__BODY_RELOAD);
	assert_non_null(told);
	PACK_FREE(&told);
	/* Once; and not where nothing has changed. */
	assert_null(desk_hear_kind(desk, 1, CRS_WORKER__CONTROL__BODY_RELOAD));
	start_anew(desk, 1);
	say_ready(desk, 1);
	assert_null(desk_hear_kind(desk, 1, CRS_WORKER__CONTROL__BODY_RELOAD));
}

/* It would wait for its setup, and nobody for its end. */
static void a_worker_that_cannot_be_set_up_is_let_go(void **state)
{
	struct desk *desk = *state;
	struct worker_process *worker = &desk->supervisor.workers[1];

	desk->options.settings.listen_address[0] = '\0';
	start_anew(desk, 1);
	assert_null(worker->channel);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(what_changed_while_a_worker_started_is_told_to_it),
		DESK_TEST(a_worker_that_cannot_be_set_up_is_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
