/* What a worker answers its supervisor when its store refuses, and when memory is out. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "rendezvous/worker_queries.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/fuzz/fake_worker.h"
#include "tests/fuzz/quiet.h"
#include "tests/memory/scarce.h"

enum { NUMBER = 7 };

static int open_worker(void **state)
{
	struct worker *worker;

	quiet();
	fake_clock_reset();
	worker = fake_worker_new();
	worker->supervisor_up = true;
	*state = worker;
	return 0;
}

static int close_worker(void **state)
{
	fake_worker_free((struct worker **)state);
	return 0;
}

static void say(struct worker *worker, CrsWorker__QueryKind kind)
{
	CrsWorker__Query query = CRS_WORKER__QUERY__INIT;
	char account[] = "acme", uri[] = "tel:+1";

	query.number = NUMBER;
	query.kind = kind;
	query.account = account;
	query.uri = uri;
	worker_answer(worker, &query);
	fake_worker_run(worker);
}

/* Asks, and returns the last part of the answer; the worker's. */
static const CrsWorker__QueryPart *ask(struct worker *worker, CrsWorker__QueryKind kind)
{
	say(worker, kind);
	assert_non_null(worker->told);
	assert_int_equal(worker->told->body_case, CRS_WORKER__CONTROL__BODY_QUERY_PART);
	assert_int_equal(worker->told->query_part->number, NUMBER);
	assert_false(worker->told->query_part->more);
	return worker->told->query_part;
}

static bool says_done(const CrsWorker__QueryPart *part)
{
	const CrsWorker__Row *last = part->n_rows ? part->rows[part->n_rows - 1] : NULL;

	return last && last->n_cell == 1 && strcmp(last->cell[0], "acme") == 0;
}

static const CrsWorker__QueryKind changes[] = { CRS_WORKER__QUERY_KIND__CLEAR_STATISTICS,
						CRS_WORKER__QUERY_KIND__FORGET_CLIENT_INFO,
						CRS_WORKER__QUERY_KIND__CLIENT_DATA,
						CRS_WORKER__QUERY_KIND__STATISTICS };

static void what_the_store_did_is_called_done(void **state)
{
	for (size_t i = 0; i < COUNT(changes); i++)
		assert_true(says_done(ask(*state, changes[i])));
}

static void what_the_store_refused_is_not_called_done(void **state)
{
	struct worker *worker = *state;

	for (size_t i = 0; i < COUNT(changes); i++) {
		worker->store_err = -ENOSPC; /* of one command, its first */
		assert_false(says_done(ask(worker, changes[i])));
	}
}

static void without_a_store_nothing_is_called_done(void **state)
{
	struct worker *worker = *state;

	fake_worker_store(worker, false);
	for (size_t i = 0; i < COUNT(changes); i++)
		assert_false(says_done(ask(worker, changes[i])));
}

/* Else whoever asked would wait until its limit. */
static void an_answer_comes_without_memory_too(void **state)
{
	const CrsWorker__QueryPart *part;

	scarce_begin(1);
	part = ask(*state, CRS_WORKER__QUERY_KIND__CLEAR_STATISTICS);
	assert_true(scarce_end());
	assert_int_equal(part->n_rows, 0);
}

/* How many rows the whole of it has. */
static size_t whole;

static bool tells_kept(unsigned n, void *arg)
{
	struct worker *worker = arg;
	const CrsWorker__QueryPart *part;
	bool failed;

	scarce_begin(n);
	say(worker, CRS_WORKER__QUERY_KIND__STATISTICS);
	failed = scarce_end();
	if (!worker->told) /* the answer found no memory: its limit ends the query */
		return failed;
	part = worker->told->query_part;
	assert_true(failed || part->n_rows == whole);
	if (says_done(part) && part->n_rows != whole)
		fail_msg("allocation %u: called whole without a row", n);
	return failed;
}

static void what_lacks_a_row_for_want_of_memory_is_not_called_whole(void **state)
{
	struct worker *worker = *state;

	worker->kept = "1";
	whole = ask(worker, CRS_WORKER__QUERY_KIND__STATISTICS)->n_rows;
	assert_true(scarce_each(tells_kept, worker) > whole);
}

/* The store adds: what it was given once must not come again. */
static void nothing_is_counted_twice_when_the_store_fails_in_between(void **state)
{
	struct worker *worker = *state;

	home_count(worker->home, COUNTER_POST, "acme", "tel:+1");
	home_count(worker->home, COUNTER_POST, "acme", "tel:+1");
	home_count(worker->home, COUNTER_DELIV, "acme", "tel:+1");
	worker->counts_until = 2; /* the first one goes */
	home_flush_counters(worker->home);
	assert_int_equal(worker->counted, 2);
	home_flush_counters(worker->home);
	assert_int_equal(worker->counted, 3);
	home_flush_counters(worker->home);
	assert_int_equal(worker->counted, 3);
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, open_worker, close_worker)
	const struct CMUnitTest tests[] = {
		ONE(what_the_store_did_is_called_done),
		ONE(what_the_store_refused_is_not_called_done),
		ONE(without_a_store_nothing_is_called_done),
		ONE(an_answer_comes_without_memory_too),
		ONE(what_lacks_a_row_for_want_of_memory_is_not_called_whole),
		ONE(nothing_is_counted_twice_when_the_store_fails_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
