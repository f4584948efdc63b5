/* Two workers' ends of the mesh in one process, each with a loop of its own: so one of them can
 * stand still while the other sends.
 */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "rendezvous/mesh.h"
#include "tests/umsg/loop.h"

enum { WORKERS = 2, FRAME = 2000, PATIENCE = 200000 };

struct end {
	struct event_base *base;
	struct mesh *mesh;
	uint32_t heard; /* frames; each holds the number of those before it */
	bool in_order;
	unsigned ups, downs;
};

struct world {
	char dir[32];
	struct end end[WORKERS];
};

static void on_message(void *arg, unsigned from, const CrsWorker__Peer *message)
{
	(void)arg;
	(void)from;
	(void)message;
}

static void on_frame(void *arg, unsigned from, struct slice octets)
{
	struct end *end = arg;
	uint32_t number;

	(void)from;
	assert_int_equal(octets.n, FRAME);
	memcpy(&number, octets.p, sizeof(number));
	end->in_order = end->in_order && number == end->heard;
	end->heard++;
}

static void on_up(void *arg, unsigned peer)
{
	struct end *end = arg;

	(void)peer;
	end->ups++;
}

static void on_down(void *arg, unsigned peer)
{
	struct end *end = arg;

	(void)peer;
	end->downs++;
}

static const struct mesh_ops ops = { on_message, on_frame, on_up, on_down };

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->dir, sizeof(w->dir), "/tmp/mesh.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	for (unsigned i = 0; i < WORKERS; i++) {
		struct end *end = &w->end[i];

		end->in_order = true;
		end->base = event_base_new();
		assert_int_equal(mesh_new(end->base, w->dir, i, WORKERS, &ops, end, &end->mesh), 0);
	}
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < WORKERS; i++) {
		char path[64];

		mesh_free(&w->end[i].mesh);
		event_base_free(w->end[i].base);
		snprintf(path, sizeof(path), "%s/worker-%u.sock", w->dir, i);
		unlink(path);
	}
	rmdir(w->dir);
	free(w);
	return 0;
}

static int pass(struct end *end, unsigned to, uint32_t number)
{
	uint8_t octets[FRAME] = { 0 };

	memcpy(octets, &number, sizeof(number));
	return mesh_pass(end->mesh, to, slice_of(octets, sizeof(octets)), slice_of(NULL, 0));
}

static void turn(struct end *end)
{
	event_base_loop(end->base, EVLOOP_NONBLOCK);
}

static void what_is_said_to_oneself_is_heard_in_the_next_turn(void **state)
{
	struct world *w = *state;
	struct end *end = &w->end[0];

	assert_int_equal(pass(end, 0, 0), 0);
	assert_int_equal(pass(end, 0, 1), 0);
	assert_int_equal(end->heard, 0);
	turn(end);
	assert_int_equal(end->heard, 2);
	assert_true(end->in_order);
	assert_int_equal(pass(end, WORKERS, 0), -EMSGSIZE);
	assert_int_equal(pass(end, 1, 0), -EPIPE);
}

/* A turn's packet that the queue refused was dropped although each of its senders had heard 0: a
 * call's end or a registration among them, and nobody said it again. */
static void what_was_taken_for_a_worker_that_stands_still_is_heard_later(void **state)
{
	struct world *w = *state;
	struct end *from = &w->end[0], *to = &w->end[1];
	uint32_t sent = 0;
	int err;

	mesh_connect(from->mesh, 1);
	assert_int_equal(from->ups, 1);
	/* A packet a turn, until first the socket, then the queue and last the packet is full. */
	while (!(err = pass(from, 1, sent)) && sent < PATIENCE) {
		sent++;
		turn(from);
	}
	assert_int_equal(err, -ENOBUFS);
	assert_int_equal(from->downs, 0);
	/* It goes on, while nothing more is said to it. */
	for (int i = 0; i < PATIENCE && to->heard < sent; i++) {
		turn(to);
		turn(from);
	}
	assert_int_equal(to->heard, sent);
	assert_true(to->in_order);
}

static void the_end_of_a_worker_is_told(void **state)
{
	struct world *w = *state;
	struct end *from = &w->end[0];

	mesh_connect(from->mesh, 1);
	assert_true(mesh_is_up(from->mesh, 1));
	turn(&w->end[1]);
	mesh_free(&w->end[1].mesh);
	LOOP_UNTIL(from->base, from->downs == 1);
	assert_false(mesh_is_up(from->mesh, 1));
	assert_int_equal(pass(from, 1, 0), -EPIPE);
}

static void open_end(struct world *w, unsigned i)
{
	struct end *end = &w->end[i];

	assert_int_equal(mesh_new(end->base, w->dir, i, WORKERS, &ops, end, &end->mesh), 0);
}

/* Nobody tells a second time that it is ready: what failed for a moment would last. */
static void a_worker_that_cannot_be_reached_is_tried_again(void **state)
{
	struct world *w = *state;
	struct end *from = &w->end[0], *to = &w->end[1];

	mesh_free(&to->mesh);
	mesh_connect(from->mesh, 1);
	assert_int_equal(from->ups, 0);
	open_end(w, 1);
	LOOP_UNTIL(from->base, from->ups == 1);
	assert_int_equal(from->downs, 0);
	assert_int_equal(pass(from, 1, 0), 0);
	turn(from);
	LOOP_UNTIL(to->base, to->heard == 1);
}

static void a_connection_that_is_lost_is_made_again(void **state)
{
	struct world *w = *state;
	struct end *from = &w->end[0], *to = &w->end[1];

	mesh_connect(from->mesh, 1);
	turn(&w->end[1]);
	mesh_free(&to->mesh);
	LOOP_UNTIL(from->base, from->downs == 1);
	open_end(w, 1);
	LOOP_UNTIL(from->base, from->ups == 2);
	assert_int_equal(pass(from, 1, 0), 0);
	turn(from);
	LOOP_UNTIL(to->base, to->heard == 1);
}

/* Somebody tried again between its listen() and its being ready.  That connection is the one on
 * which it was told who is at home there: made anew, it would have to be told again. */
static void who_is_reached_before_it_is_said_to_be_ready_stays_reached(void **state)
{
	struct world *w = *state;
	struct end *from = &w->end[0], *to = &w->end[1];

	mesh_connect(from->mesh, 1);
	turn(to);
	mesh_free(&to->mesh);
	LOOP_UNTIL(from->base, from->downs == 1);
	open_end(w, 1);
	LOOP_UNTIL(from->base, from->ups == 2);
	mesh_connect(from->mesh, 1);
	assert_int_equal(from->ups, 2);
	assert_int_equal(from->downs, 1);
	assert_int_equal(pass(from, 1, 0), 0);
	turn(from);
	LOOP_UNTIL(to->base, to->heard == 1);
}

static void a_successor_is_reached_though_the_end_was_not_seen_yet(void **state)
{
	struct world *w = *state;
	struct end *from = &w->end[0], *to = &w->end[1];

	mesh_connect(from->mesh, 1);
	turn(to);
	mesh_free(&to->mesh);
	open_end(w, 1);
	mesh_connect(from->mesh, 1);
	assert_int_equal(from->downs, 1);
	assert_int_equal(from->ups, 2);
	assert_int_equal(pass(from, 1, 0), 0);
	turn(from);
	LOOP_UNTIL(to->base, to->heard == 1);
}

/* Behind "it is gone" and "it is there again" that would be taken for its successor's. */
static void what_a_worker_said_at_last_is_not_heard_behind_its_end(void **state)
{
	struct world *w = *state;
	struct end *from = &w->end[0], *to = &w->end[1];

	mesh_connect(from->mesh, 1);
	mesh_connect(to->mesh, 0);
	turn(to);
	turn(from); /* has accepted it */
	assert_int_equal(pass(to, 0, 7), 0);
	turn(to);
	mesh_free(&to->mesh);
	open_end(w, 1);
	mesh_connect(to->mesh, 0);
	assert_int_equal(pass(to, 0, 0), 0);
	turn(to);
	mesh_connect(from->mesh, 1);
	assert_int_equal(from->downs, 1);
	LOOP_UNTIL(from->base, from->heard > 0);
	turn(from);
	assert_int_equal(from->heard, 1);
	assert_true(from->in_order);
	assert_int_equal(from->downs, 1);
	assert_true(mesh_is_up(to->mesh, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_said_to_oneself_is_heard_in_the_next_turn,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_was_taken_for_a_worker_that_stands_still_is_heard_later, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(the_end_of_a_worker_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_a_worker_said_at_last_is_not_heard_behind_its_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_worker_that_cannot_be_reached_is_tried_again,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_connection_that_is_lost_is_made_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			who_is_reached_before_it_is_said_to_be_ready_stays_reached, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_successor_is_reached_though_the_end_was_not_seen_yet, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
