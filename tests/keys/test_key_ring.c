/* test_key_ring.c - a store opened for use: it never changes, and what cannot be opened
 * leaves the ring that is in use as it was. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "keys/certificate.h"
#include "keys/key_ring.h"
#include "keys/keyset.h"
#include "keys/keystore_priv.h"
#include "tests/keys/world.h"
#include "tests/memory/scarce.h"

enum { YEAR_S = 366 * 86400 };

static struct key_ring *open_ring(struct world *w, size_t months)
{
	struct letter letter = world_letter(w, months);
	struct key_ring *ring;

	assert_int_equal(world_enrol(w, &letter), 0);
	assert_int_equal(key_ring_open(w->curves, w->path, clock_wall_s(), &ring, NULL), 0);
	return ring;
}

static void a_ring_holds_the_keys_of_every_month(void **state)
{
	struct key_ring *ring = open_ring(*state, 2);

	assert_true(keyset_has(ring->keyset, SAMPLE_MONTH));
	assert_true(keyset_has(ring->keyset, SAMPLE_MONTH + 1));
	assert_string_equal(keystore_uri(ring->store), WORLD_URI);
	key_ring_close(&ring);
	assert_null(ring);
	key_ring_close(&ring);
}

static void a_store_that_is_not_there_says_so(void **state)
{
	struct world *w = *state;
	struct key_ring *ring = NULL;
	struct diag *diag = diag_new();

	assert_int_equal(key_ring_open(w->curves, w->path, clock_wall_s(), &ring, diag), -ENOENT);
	assert_null(ring);
	diag_free(&diag);
}

static void what_is_not_past_is_neither_wiped_nor_opened_anew(void **state)
{
	struct world *w = *state;
	struct key_ring *ring = open_ring(w, 2), *next = NULL;
	struct snapshot before = world_snapshot(w);

	assert_int_equal(key_ring_expire(ring, WORLD_NOW, &next, NULL), 0);
	assert_int_equal(key_ring_accept(ring, "elsewhere:1", "nobody", WORLD_NOW, &next, NULL), 0);
	assert_null(next);
	world_check_unchanged(w, &before);
	key_ring_close(&ring);
}

static void past_keys_are_wiped_from_disk_and_the_old_ring_goes_on(void **state)
{
	struct world *w = *state;
	struct key_ring *ring = open_ring(w, 2), *next = NULL;

	assert_int_equal(key_ring_expire(ring, WORLD_NOW + YEAR_S, &next, NULL), 1);
	assert_non_null(next);
	assert_false(keyset_has(next->keyset, SAMPLE_MONTH));
	assert_true(keyset_has(ring->keyset, SAMPLE_MONTH));
	key_ring_close(&ring);
	key_ring_close(&next);
}

static void trust(struct update_domain *to, const struct domain *domain, int64_t from_s,
		  int64_t until_s)
{
	*to = (struct update_domain){ .name = "trusted",
				      .not_before = (uint64_t)from_s,
				      .not_after = (uint64_t)until_s };
	domain_pack(domain, to->kpak, to->z);
}

/* Two certificates, of which the second begins as the first ends: there is one at any time. */
static void a_certificate_that_follows_another_opens_the_ring_anew(void **state)
{
	struct world *w = *state;
	struct key_ring *ring = open_ring(w, 1), *next = NULL;
	const int64_t change_s = WORLD_NOW + 1000;
	struct store store;

	key_ring_close(&ring);
	assert_int_equal(store_read(w->path, &store, NULL), 0);
	free(store.common.domains);
	store.common.domains = calloc(2, sizeof(*store.common.domains));
	assert_non_null(store.common.domains);
	store.common.n_domains = 2;
	trust(&store.common.domains[0], w->domain, 0, change_s);
	trust(&store.common.domains[1], w->other_domain, change_s, 0);
	assert_int_equal(store_write(&store, w->path), 0);
	store_clear(&store);

	assert_int_equal(key_ring_open(w->curves, w->path, WORLD_NOW, &ring, NULL), 0);
	assert_int_equal(ring->n_trusted, 1);
	assert_memory_equal(domain_id(ring->trusted[0]), domain_id(w->domain), DOMAIN_ID);
	assert_int_equal(key_ring_expire(ring, change_s - 1, &next, NULL), 0);
	assert_int_equal(key_ring_expire(ring, change_s, &next, NULL), 1);
	assert_int_equal(next->n_trusted, 1);
	assert_memory_equal(domain_id(next->trusted[0]), domain_id(w->other_domain), DOMAIN_ID);
	key_ring_close(&ring);
	key_ring_close(&next);
}

static void what_is_no_update_changes_nothing(void **state)
{
	struct world *w = *state;
	struct key_ring *ring = open_ring(w, 1), *next = NULL;
	struct snapshot before = world_snapshot(w);
	struct diag *diag = diag_new();

	assert_true(key_ring_update(ring, SAMPLE_MONTH, 9, slice_str("no entry"),
				    slice_str("no shared part"), WORLD_NOW, &next, diag) < 0);
	assert_null(next);
	assert_true(diag_errors(diag) > 0);
	world_check_unchanged(w, &before);
	diag_free(&diag);
	key_ring_close(&ring);
}

static void one_at_a_time_changes_the_store(void **state)
{
	struct world *w = *state;
	struct key_ring *ring = open_ring(w, 1), *next = NULL;
	struct keystore *other = world_load(w, KEYSTORE_CHANGE);

	assert_int_equal(key_ring_expire(ring, WORLD_NOW + YEAR_S, &next, NULL), -EBUSY);
	assert_null(next);
	keystore_free(&other);
	key_ring_close(&ring);
}

static bool open_in_want(unsigned n, void *arg)
{
	struct world *w = arg;
	struct key_ring *ring = NULL;
	bool failed;
	int err;

	scarce_begin(n);
	err = key_ring_open(w->curves, w->path, clock_wall_s(), &ring, NULL);
	failed = scarce_end();
	assert_true((err == 0) == (ring != NULL));
	/* Not -EBADMSG: a good store must not be called damaged, to be enrolled anew. */
	assert_int_equal(err, failed ? -ENOMEM : 0);
	key_ring_close(&ring);
	return failed;
}

static void memory_that_runs_out_opens_nothing_or_all(void **state)
{
	struct key_ring *ring = open_ring(*state, 1);

	key_ring_close(&ring);
	assert_true(scarce_each(open_in_want, *state) > 5);
}

/* A letter, an update's two parts and a certificate, as their octets. */
struct papers {
	uint8_t letter[LETTER_OCTETS_MAX], certificate[CERTIFICATE_OCTETS_MAX];
	size_t letter_n, certificate_n;
	const uint8_t *update_key;
	struct world_parts parts;
	struct update_entry entry;
};

static bool read_in_want(unsigned n, void *arg)
{
	const struct papers *p = arg;
	struct letter letter;
	struct update_entry entry = { .n_channels = 0 };
	struct update_common common = { .n_users = 0 };
	struct update_domain domain;
	bool failed;
	int err;

	scarce_begin(n);
	err = letter_decode(slice_of(p->letter, p->letter_n), &letter, NULL);
	if (!err)
		err = update_entry_open(slice_of(p->parts.entry, p->parts.entry_n), p->update_key,
					slice_str(WORLD_URI), SAMPLE_MONTH, 5, &entry);
	if (!err)
		err = update_shared_open(slice_of(p->parts.shared, p->parts.shared_n), &entry,
					 &common);
	if (!err)
		err = certificate_decode(slice_of(p->certificate, p->certificate_n), &domain, NULL);
	failed = scarce_end();
	assert_int_equal(err, failed ? -ENOMEM : 0);
	update_common_free(&common);
	update_entry_free(&entry);
	letter_wipe(&letter);
	return failed;
}

static void without_memory_nothing_that_is_good_is_called_damaged(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	struct papers p = { .update_key = letter.update_key,
			    .entry = world_entry(w, SAMPLE_MONTH, 5) };
	struct update_domain domain;

	trust(&domain, w->other_domain, 0, 0);
	assert_int_equal(letter_encode(&letter, p.letter, &p.letter_n), 0);
	assert_int_equal(certificate_encode(&domain, p.certificate, &p.certificate_n), 0);
	p.parts = world_parts(&p.entry, letter.update_key);
	assert_true(scarce_each(read_in_want, &p) > 20);
	world_parts_free(&p.parts);
}

/* It was saved by a call that had no memory to open it, or by another program: refused as no news
 * it would never come into use. */
static void an_update_that_is_on_disk_already_comes_into_use(void **state)
{
	struct world *w = *state;
	struct key_ring *ring = open_ring(w, 1), *next = NULL;
	struct letter letter = world_letter(w, 1);
	struct update_entry entry = world_entry(w, SAMPLE_MONTH + 2, 1);
	struct world_parts parts = world_parts(&entry, letter.update_key);

	for (int i = 0; i < 2; i++) {
		assert_int_equal(key_ring_update(ring, SAMPLE_MONTH + 2, 1,
						 slice_of(parts.entry, parts.entry_n),
						 slice_of(parts.shared, parts.shared_n), WORLD_NOW,
						 &next, NULL),
				 0);
		assert_true(keyset_has(next->keyset, SAMPLE_MONTH + 2));
		assert_false(keyset_has(ring->keyset, SAMPLE_MONTH + 2));
		key_ring_close(&next);
	}
	world_parts_free(&parts);
	key_ring_close(&ring);
}

#define WORLD_TEST(test) cmocka_unit_test_setup(test, world_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_ring_holds_the_keys_of_every_month),
		WORLD_TEST(a_store_that_is_not_there_says_so),
		WORLD_TEST(what_is_not_past_is_neither_wiped_nor_opened_anew),
		WORLD_TEST(past_keys_are_wiped_from_disk_and_the_old_ring_goes_on),
		WORLD_TEST(a_certificate_that_follows_another_opens_the_ring_anew),
		WORLD_TEST(what_is_no_update_changes_nothing),
		WORLD_TEST(one_at_a_time_changes_the_store),
		WORLD_TEST(an_update_that_is_on_disk_already_comes_into_use),
		WORLD_TEST(without_memory_nothing_that_is_good_is_called_damaged),
		WORLD_TEST(memory_that_runs_out_opens_nothing_or_all),
	};

	return cmocka_run_group_tests(tests, world_make, world_end);
}
