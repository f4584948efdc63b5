#include "tests/unit.h"

#include "gateway/texts_queue.h"

enum { ITEMS = 8, START_MS = 1000000 };

struct world {
	struct texts_queue queue;
	struct queued items[ITEMS];
};

static int setup(void **state)
{
	static struct world world;

	world = (struct world){ .items = { { 0 } } };
	texts_queue_init(&world.queue, START_MS);
	*state = &world;
	return 0;
}

/* The number of the next item that is due, -1: none. */
static int take(struct world *w, int64_t now_ms)
{
	const struct queued *item = texts_queue_take(&w->queue, now_ms);

	return item ? (int)(item - w->items) : -1;
}

static void append(struct world *w, int n)
{
	for (int i = 0; i < n; i++)
		texts_queue_append(&w->queue, &w->items[i]);
}

static void first_come_first_served(void **state)
{
	struct world *w = *state;

	append(w, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(w, START_MS), i);
	assert_int_equal(take(w, START_MS), -1);
}

static void what_is_returned_has_its_old_place(void **state)
{
	struct world *w = *state;

	append(w, 4);
	for (int i = 0; i < 3; i++)
		take(w, START_MS);
	texts_queue_return(&w->queue, &w->items[2]);
	texts_queue_return(&w->queue, &w->items[0]);
	texts_queue_return(&w->queue, &w->items[1]);
	for (int i = 0; i < 4; i++)
		assert_int_equal(take(w, START_MS), i);
}

static void what_is_put_off_comes_when_it_is_due_and_not_before(void **state)
{
	static const int64_t waits[] = { 1, 999, 1000, 1500, 59000, 64000, 200000, 3600000 };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(waits); i++) {
		setup(state);
		append(w, 1);
		take(w, START_MS);
		texts_queue_put_off(&w->queue, &w->items[0], START_MS + waits[i]);
		assert_int_equal(w->queue.put_off, 1);
		for (int64_t ms = 0; ms < waits[i]; ms += 250)
			assert_int_equal(take(w, START_MS + ms), -1);
		assert_int_equal(take(w, START_MS + waits[i] + 1000), 0);
		assert_int_equal(w->queue.put_off, 0);
	}
}

static void after_a_long_pause_all_that_was_due_comes_in_order(void **state)
{
	struct world *w = *state;

	append(w, ITEMS);
	for (int i = 0; i < ITEMS; i++)
		take(w, START_MS);
	for (int i = 0; i < ITEMS; i++)
		texts_queue_put_off(&w->queue, &w->items[i], START_MS + 90000 - 10000 * i);
	assert_true(texts_queue_is_due(&w->queue, START_MS + 1000000));
	for (int i = 0; i < ITEMS; i++)
		assert_int_equal(take(w, START_MS + 1000000), i);
}

static void what_is_removed_does_not_come(void **state)
{
	struct world *w = *state;

	append(w, 4);
	texts_queue_remove(&w->queue, &w->items[0]);
	texts_queue_remove(&w->queue, &w->items[3]);
	texts_queue_remove(&w->queue, &w->items[3]); /* it is in no queue */
	assert_int_equal(take(w, START_MS), 1);
	texts_queue_put_off(&w->queue, &w->items[1], START_MS + 1000);
	texts_queue_remove(&w->queue, &w->items[1]);
	assert_int_equal(take(w, START_MS + 5000), 2);
	texts_queue_append(&w->queue, &w->items[3]);
	assert_int_equal(take(w, START_MS + 5000), 3);
	assert_int_equal(w->queue.waiting + w->queue.put_off, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(first_come_first_served, setup),
		cmocka_unit_test_setup(what_is_returned_has_its_old_place, setup),
		cmocka_unit_test_setup(what_is_put_off_comes_when_it_is_due_and_not_before, setup),
		cmocka_unit_test_setup(after_a_long_pause_all_that_was_due_comes_in_order, setup),
		cmocka_unit_test_setup(what_is_removed_does_not_come, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
