/* test_client_ring.c - a key store and its client in step: what an update, a month that is over
 * and a domain that was met do, and that what fails leaves the keys in use. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "keys/keyset.h"
#include "tests/keys/world.h"
#include "umsg/client_ring.h"

static struct key_ring *open_ring(struct world *w)
{
	struct letter letter = world_letter(w, 1);
	struct key_ring *ring;

	assert_int_equal(world_enrol(w, &letter), 0);
	assert_int_equal(key_ring_open(w->curves, w->path, WORLD_NOW, &ring, NULL), 0);
	return ring;
}

static void a_client_gets_the_rings_keys(void **state)
{
	struct key_ring *ring = open_ring(*state), *next;
	struct umsg_keys keys = client_ring_keys(ring);
	struct world *w = *state;

	assert_ptr_equal(keys.store, ring->store);
	assert_ptr_equal(keys.domain, ring->domain);
	assert_ptr_equal(keys.keyset, ring->keyset);
	assert_int_equal(keys.n_trusted, 0);
	assert_int_equal(key_ring_open(w->curves, w->path, WORLD_NOW, &next, NULL), 0);
	client_ring_replace(&ring, next, NULL); /* no client yet; the old one is closed */
	assert_ptr_equal(ring, next);
	key_ring_close(&ring);
}

/* false: not confirmed, so that the rendezvous offers it again. */
static void what_is_no_update_is_not_confirmed(void **state)
{
	struct key_ring *ring = open_ring(*state), *before = ring;
	struct snapshot store = world_snapshot(*state);

	assert_false(client_ring_update(&ring, NULL, SAMPLE_MONTH, 9, slice_str("no entry"),
					slice_str("no shared part")));
	assert_false(client_ring_update(&ring, NULL, SAMPLE_MONTH, 9, slice_of(NULL, 0),
					slice_of(NULL, 0)));
	assert_ptr_equal(ring, before);
	world_check_unchanged(*state, &store);
	key_ring_close(&ring);
}

static void a_store_that_somebody_changes_is_left_as_it_is(void **state)
{
	struct key_ring *ring = open_ring(*state), *before = ring;
	struct keystore *other = world_load(*state, KEYSTORE_CHANGE);
	struct snapshot store = world_snapshot(*state);

	client_ring_expire(&ring, NULL);
	client_ring_accepted(&ring, NULL, "elsewhere:1", "nobody");
	client_ring_met(ring, "tel:+4580000001", domain_id(((struct world *)*state)->other_domain));
	assert_ptr_equal(ring, before);
	world_check_unchanged(*state, &store);
	keystore_free(&other);
	key_ring_close(&ring);
}

static void who_was_met_is_pinned_on_disk(void **state)
{
	struct world *w = *state;
	struct key_ring *ring = open_ring(w);
	struct keystore *again;

	client_ring_met(ring, "tel:+4580000001", domain_id(w->other_domain));
	assert_memory_equal(keystore_pinned(ring->store, slice_str("tel:+4580000001")),
			    domain_id(w->other_domain), DOMAIN_ID);
	again = world_load(w, KEYSTORE_READ);
	assert_non_null(keystore_pinned(again, slice_str("tel:+4580000001")));
	assert_null(keystore_pinned(again, slice_str("tel:+4580000002")));
	keystore_free(&again);
	key_ring_close(&ring);
}

#define WORLD_TEST(test) cmocka_unit_test_setup(test, world_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_client_gets_the_rings_keys),
		WORLD_TEST(what_is_no_update_is_not_confirmed),
		WORLD_TEST(a_store_that_somebody_changes_is_left_as_it_is),
		WORLD_TEST(who_was_met_is_pinned_on_disk),
	};

	return cmocka_run_group_tests(tests, world_make, world_end);
}
