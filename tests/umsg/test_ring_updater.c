/* test_ring_updater.c - an update is applied beside the loop, which turns meanwhile. */
#include "tests/unit.h"

#include <event2/event.h>

#include "base/clock.h"
#include "base/timer.h"
#include "keys/keyset.h"
#include "keys/period.h"
#include "tests/keys/world.h"
#include "umsg/ring_updater.h"

enum { TICK_MS = 1, PATIENCE_MS = 60000 };

struct bench {
	struct world *w;
	struct event_base *base;
	struct key_ring *ring, *before;
	struct umsg_client *client; /* none: what it is told is test_client_messages.c's matter */
	struct ring_updater *updater;
	struct event *tick, *patience;
	unsigned ticks;
	int64_t month;
	struct world_parts parts;
};

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct bench *b = arg;

	(void)fd;
	(void)what;
	b->ticks++;
	if (b->ring != b->before) {
		event_base_loopbreak(b->base);
		return;
	}
	timer_arm(b->tick, TICK_MS);
}

static void on_impatient(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("the update is not applied within %d ms", PATIENCE_MS);
}

/* A device with a letter of long ago, and this month's update for it. */
static void set_up(struct bench *b, struct world *w)
{
	struct letter letter = world_letter(w, 1);
	struct update_entry entry;

	*b = (struct bench){ .w = w, .month = period_of(clock_wall_s()) };
	entry = world_entry(w, b->month, 5);
	b->parts = world_parts(&entry, letter.update_key);
	assert_int_equal(world_enrol(w, &letter), 0);
	assert_int_equal(key_ring_open(w->curves, w->path, clock_wall_s(), &b->ring, NULL), 0);
	b->before = b->ring;
	b->base = event_base_new();
	assert_non_null(b->base);
	b->tick = evtimer_new(b->base, on_tick, b);
	b->patience = evtimer_new(b->base, on_impatient, b);
	timer_arm(b->patience, PATIENCE_MS);
	assert_int_equal(ring_updater_new(b->base, &b->ring, &b->client, &b->updater), 0);
}

static void tear_down(struct bench *b)
{
	ring_updater_free(&b->updater);
	assert_null(b->updater);
	ring_updater_free(&b->updater);
	key_ring_close(&b->ring);
	event_free(b->tick);
	event_free(b->patience);
	event_base_free(b->base);
	world_parts_free(&b->parts);
}

static enum umsg_update_outcome begin(struct bench *b)
{
	return ring_updater_update(b->updater, b->month, 5,
				   slice_of(b->parts.entry, b->parts.entry_n),
				   slice_of(b->parts.shared, b->parts.shared_n));
}

static bool on_disk(struct bench *b)
{
	struct keystore *store = world_load(b->w, KEYSTORE_READ);
	uint32_t revision;
	uint64_t created;
	bool found = keystore_month(store, b->month, &revision, &created) && revision == 5;

	keystore_free(&store);
	return found;
}

/* The keys are another ring's only in a later turn of the loop, which has turned in between. */
static void the_loop_turns_while_an_update_is_applied(void **state)
{
	struct bench b;

	set_up(&b, *state);
	assert_int_equal(begin(&b), UMSG_UPDATE_LATER);
	assert_ptr_equal(b.ring, b.before);
	assert_int_equal(begin(&b), UMSG_UPDATE_REFUSED); /* one at a time */
	timer_arm(b.tick, 0);
	event_base_dispatch(b.base);
	assert_true(b.ticks > 1);
	assert_true(keyset_has(b.ring->keyset, b.month));
	assert_true(on_disk(&b));
	tear_down(&b);
}

static void an_update_in_hand_is_in_the_store_at_the_end(void **state)
{
	struct bench b;

	set_up(&b, *state);
	assert_int_equal(begin(&b), UMSG_UPDATE_LATER);
	tear_down(&b);
	assert_true(on_disk(&b));
}

/* Whoever is met meanwhile is pinned in the ring in use, in the one to come, and on disk. */
static void who_is_met_meanwhile_is_pinned_everywhere(void **state)
{
	static const uint8_t other[DOMAIN_ID] = { 7 };
	struct keystore *stores[3];
	struct bench b;

	set_up(&b, *state);
	assert_int_equal(begin(&b), UMSG_UPDATE_LATER);
	ring_updater_met(b.updater, "tel:+4790000001", other);
	assert_ptr_equal(b.ring, b.before);
	stores[0] = b.ring->store;
	assert_non_null(keystore_pinned(stores[0], slice_str("tel:+4790000001")));
	timer_arm(b.tick, 0);
	event_base_dispatch(b.base);
	stores[1] = b.ring->store;
	stores[2] = world_load(b.w, KEYSTORE_READ);
	for (int i = 1; i < 3; i++)
		assert_memory_equal(keystore_pinned(stores[i], slice_str("tel:+4790000001")), other,
				    DOMAIN_ID);
	keystore_free(&stores[2]);
	assert_true(on_disk(&b));
	tear_down(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_loop_turns_while_an_update_is_applied, world_clean),
		cmocka_unit_test_teardown(an_update_in_hand_is_in_the_store_at_the_end,
					  world_clean),
		cmocka_unit_test_teardown(who_is_met_meanwhile_is_pinned_everywhere, world_clean),
	};

	return cmocka_run_group_tests(tests, world_make, world_end);
}
