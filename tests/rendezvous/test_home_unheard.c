/* Clients to whom a home could not say an answer: their connections end, if not now, then later. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rendezvous/home_priv.h"

enum { HOLDER = 3, MOST = 200 };

/* What the mesh was asked to end, in this order, and what it says to it; worker_pass_down() has no
 * argument of the test's. */
static struct {
	int err;
	uint64_t fails; /* only for this connection; 0: for all */
	uint64_t ended[MOST];
	size_t n;
} mesh;

int worker_pass_down(struct worker *worker, unsigned to, const struct passed_down *down)
{
	int err = !mesh.fails || mesh.fails == down->connection ? mesh.err : 0;

	(void)worker;
	assert_int_equal(to, HOLDER);
	assert_true(down->lost);
	if (!err) {
		assert_true(mesh.n < MOST);
		mesh.ended[mesh.n++] = down->connection;
	}
	return err;
}

static int set_up(void **state)
{
	memset(&mesh, 0, sizeof(mesh));
	*state = calloc(1, sizeof(struct home));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void miss(struct home *home, uint64_t connection)
{
	home_unheard(home, &(struct endpoint){ .holder = HOLDER, .connection = connection });
}

static void who_heard_nothing_is_hung_up_at_once(void **state)
{
	struct home *home = *state;

	miss(home, 7);
	assert_int_equal(mesh.n, 1);
	assert_int_equal(mesh.ended[0], 7);
	home_end_unheard(home);
	assert_int_equal(mesh.n, 1); /* and not once more: the number may be another's by then */
}

static void without_memory_for_that_it_is_done_with_a_later_tick(void **state)
{
	struct home *home = *state;

	mesh.err = -ENOMEM;
	for (uint64_t i = 1; i <= 3; i++)
		miss(home, i);
	home_end_unheard(home);
	assert_int_equal(mesh.n, 0);
	mesh.fails = 2;
	home_end_unheard(home);
	assert_int_equal(mesh.n, 2);
	assert_int_equal(mesh.ended[0], 1);
	assert_int_equal(mesh.ended[1], 3);
	mesh.err = 0;
	home_end_unheard(home);
	home_end_unheard(home);
	assert_int_equal(mesh.n, 3);
	assert_int_equal(mesh.ended[2], 2);
}

/* All its connections have ended, and the numbers begin anew. */
static void of_a_holder_that_is_gone_nobody_is_left(void **state)
{
	struct home *home = *state;

	mesh.err = -EPIPE;
	miss(home, 7);
	mesh.err = 0;
	home_end_unheard(home);
	assert_int_equal(mesh.n, 0);
}

/* Room is there for so many; the first of more are left to their own limits. */
static void of_too_many_the_latest_are_kept(void **state)
{
	struct home *home = *state;

	mesh.err = -ENOMEM;
	for (uint64_t i = 1; i <= HOME_UNHEARD_MAX + 2; i++)
		miss(home, i);
	mesh.err = 0;
	home_end_unheard(home);
	assert_int_equal(mesh.n, HOME_UNHEARD_MAX);
	assert_int_equal(mesh.ended[0], 3);
	assert_int_equal(mesh.ended[HOME_UNHEARD_MAX - 1], HOME_UNHEARD_MAX + 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_heard_nothing_is_hung_up_at_once),
		TEST(without_memory_for_that_it_is_done_with_a_later_tick),
		TEST(of_a_holder_that_is_gone_nobody_is_left),
		TEST(of_too_many_the_latest_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
