/* test_keystore_update.c - what updates and time do to a store. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "keys/keyset.h"
#include "keys/keystore_priv.h"
#include "keys/period.h"
#include "keys/update_priv.h"
#include "tests/keys/world.h"

static const char channel_uri[] = "urn:uuid:01234567-89ab-cdef-0123-456789abcdef";

static int apply(const struct world *w, struct keystore *ks, struct update_entry *entry,
		 const uint8_t *update_key)
{
	struct world_parts parts = world_parts(entry, update_key);
	int err = keystore_apply_update(ks, w->curves, entry->keys.month, entry->keys.revision,
					slice_of(parts.entry, parts.entry_n),
					slice_of(parts.shared, parts.shared_n), WORLD_NOW, NULL);

	world_parts_free(&parts);
	return err;
}

static void an_update_brings_keys_users_settings_and_channels(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	struct update_channel channel = { .name = "Board" };
	struct update_entry entry = world_entry(w, SAMPLE_MONTH, 5);
	const char *uri, *name;
	struct keyset *keyset;
	struct keystore *ks;
	uint32_t revision;
	uint64_t created;

	SET_TEXT(channel.uri, channel_uri);
	world_issue(w->master, channel_uri, SAMPLE_MONTH, channel.rsk);
	entry.channels = &channel;
	entry.n_channels = 1;
	assert_int_equal(world_enrol(w, &letter), 0);
	ks = world_load(w, KEYSTORE_CHANGE);
	assert_int_equal(apply(w, ks, &entry, letter.update_key), 0);
	keystore_free(&ks);
	ks = world_load(w, KEYSTORE_READ); /* it was saved */
	assert_true(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	assert_int_equal(revision, 5);
	assert_int_equal(created, SAMPLE_TIME + 10);
	assert_true(keystore_own_user(ks, slice_str("tel:+1")));
	assert_false(keystore_own_user(ks, slice_str("tel:+2")));
	assert_int_equal(keystore_own_users(ks), 2);
	assert_int_equal(keystore_settings(ks).default_message_lifetime, 3600);
	assert_true(keystore_settings(ks).multipath);
	assert_int_equal(keystore_channels(ks, WORLD_NOW), 1);
	assert_int_equal(keystore_channel_at(ks, WORLD_NOW, 0, &uri, &name), 0);
	assert_string_equal(uri, channel_uri);
	assert_string_equal(name, "Board");
	assert_int_equal(keystore_channel_keyset(ks, w->curves, w->domain, slice_str(uri), &keyset),
			 0);
	assert_true(keyset_has(keyset, SAMPLE_MONTH));
	keyset_free(&keyset);
	assert_int_equal(keystore_channel_keyset(ks, w->curves, w->domain,
						 slice_str("urn:uuid:01234567-89ab-cdef-0123-"
							   "000000000000"),
						 &keyset),
			 -ENOENT);
	keystore_free(&ks);
}

/* Each refused update leaves the store as it was, in memory and on disk. */
static void a_refused_update_leaves_the_store_untouched(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	struct update_entry entry;
	struct update_channel channel = { .name = "Board" };
	uint8_t wrong_key[UPDATE_KEY_SIZE] = { 1 };
	struct snapshot before;
	struct keystore *ks;
	uint32_t revision;
	uint64_t created;

	letter.generation = 2;
	assert_int_equal(world_enrol(w, &letter), 0);
	before = world_snapshot(w);
	ks = world_load(w, KEYSTORE_CHANGE);
	entry = world_entry(w, SAMPLE_MONTH, 5);
	entry.generation = 2;
	assert_int_equal(apply(w, ks, &entry, wrong_key), -EACCES); /* another's, CMS-047 */
	entry.keys.revision = 3;                                    /* older than the letter's 4 */
	assert_int_equal(apply(w, ks, &entry, letter.update_key), -ESTALE);
	entry.keys.revision = 4;
	entry.keys.created = SAMPLE_TIME;
	assert_int_equal(apply(w, ks, &entry, letter.update_key), -ESTALE); /* not newer */
	entry.keys.revision = 5;
	entry.generation = 1;
	assert_int_equal(apply(w, ks, &entry, letter.update_key), -ESTALE);
	entry.generation = 2;
	world_issue(w->master, "tel:+1", SAMPLE_MONTH, entry.keys.packed);
	assert_int_equal(apply(w, ks, &entry, letter.update_key), -EKEYREJECTED);
	world_issue(w->master, WORLD_URI, SAMPLE_MONTH, entry.keys.packed);
	SET_TEXT(channel.uri, channel_uri);
	world_issue(w->other, channel_uri, SAMPLE_MONTH, channel.rsk);
	entry.channels = &channel;
	entry.n_channels = 1;
	assert_int_equal(apply(w, ks, &entry, letter.update_key), -EKEYREJECTED);
	entry = world_entry(w, SAMPLE_MONTH - 3, 1);
	entry.generation = 2;
	assert_int_equal(apply(w, ks, &entry, letter.update_key), -ESTALE); /* long past */
	assert_true(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	assert_int_equal(revision, 4);
	assert_int_equal(keystore_own_users(ks), 0);
	keystore_free(&ks);
	world_check_unchanged(w, &before);
}

static void an_update_with_a_damaged_part_is_refused_whole(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	struct update_entry entry = world_entry(w, SAMPLE_MONTH, 5);
	struct world_parts parts = world_parts(&entry, letter.update_key);
	struct slice box = slice_of(parts.entry, parts.entry_n);
	struct slice shared = slice_of(parts.shared, parts.shared_n);
	struct snapshot before;
	struct keystore *ks;

	assert_int_equal(world_enrol(w, &letter), 0);
	before = world_snapshot(w);
	ks = world_load(w, KEYSTORE_CHANGE);
	parts.shared[20] ^= 1;
	assert_int_equal(
		keystore_apply_update(ks, w->curves, SAMPLE_MONTH, 5, box, shared, WORLD_NOW, NULL),
		-EACCES);
	parts.shared[20] ^= 1;
	for (size_t n = 0; n < box.n; n += 61)
		assert_int_equal(keystore_apply_update(ks, w->curves, SAMPLE_MONTH, 5,
						       slice_of(box.p, n), shared, WORLD_NOW, NULL),
				 -EACCES);
	assert_int_equal(keystore_apply_update(ks, w->curves, SAMPLE_MONTH + 1, 5, box, shared,
					       WORLD_NOW, NULL),
			 -EACCES);
	assert_int_equal(keystore_apply_update(ks, w->curves, -1, 5, box, shared, WORLD_NOW, NULL),
			 -EBADMSG);
	world_check_unchanged(w, &before);
	/* Without its shared part it is taken, and the users known stay. */
	assert_int_equal(keystore_apply_update(ks, w->curves, SAMPLE_MONTH, 5, box,
					       (struct slice){ 0 }, WORLD_NOW, NULL),
			 0);
	assert_int_equal(keystore_own_users(ks), 0);
	keystore_free(&ks);
	ks = world_load(w, KEYSTORE_READ);
	assert_int_equal(
		keystore_apply_update(ks, w->curves, SAMPLE_MONTH, 6, box, shared, WORLD_NOW, NULL),
		-EROFS);
	keystore_free(&ks);
	world_parts_free(&parts);
}

static void an_update_that_cannot_be_written_changes_nothing(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	struct update_entry entry = world_entry(w, SAMPLE_MONTH, 5);
	struct keystore *ks;
	uint32_t revision;
	uint64_t created;
	char moved[80];

	assert_int_equal(world_enrol(w, &letter), 0);
	ks = world_load(w, KEYSTORE_CHANGE);
	snprintf(moved, sizeof(moved), "%s.away", w->dir);
	assert_int_equal(rename(w->dir, moved), 0);
	assert_int_equal(apply(w, ks, &entry, letter.update_key), -ENOENT);
	assert_true(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	assert_int_equal(revision, 4);
	assert_int_equal(rename(moved, w->dir), 0);
	keystore_free(&ks);
}

/* The next month's address and TLS key hold from its start, and until they were
 * accepted once the former ones are tried, too. */
static void a_login_is_used_from_its_month_and_the_former_kept_for_a_while(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	struct update_entry entry = world_entry(w, SAMPLE_MONTH + 1, 5);
	int64_t next = period_start(SAMPLE_MONTH + 1);
	struct keystore_login login;
	struct keystore *ks;

	SET_TEXT(entry.address, "new.example.net:5223");
	assert_int_equal(world_enrol(w, &letter), 0);
	ks = world_load(w, KEYSTORE_CHANGE);
	assert_int_equal(apply(w, ks, &entry, letter.update_key), 0);
	assert_true(keystore_login_at(ks, next - 1, 0, &login));
	assert_string_equal(login.address, "crs.example.net:5223");
	assert_false(keystore_login_at(ks, next - 1, 1, &login));
	assert_true(keystore_login_at(ks, next, 0, &login));
	assert_string_equal(login.address, "new.example.net:5223");
	assert_true(keystore_login_at(ks, next, 1, &login));
	assert_string_equal(login.address, "crs.example.net:5223");
	assert_false(keystore_login_accepted(ks, next, 1)); /* the old one: nothing to forget */
	assert_true(keystore_login_accepted(ks, next, 0));
	assert_false(keystore_login_at(ks, next, 1, &login));
	assert_true(keystore_login_at(ks, next - 1, 0, &login)); /* better than none */
	assert_int_equal(keystore_save(ks), 0);
	keystore_free(&ks);
}

static void logins_are_kept_once_each_and_in_bounds(void **state)
{
	struct store store = { 0 };
	struct store_login login = { .month = SAMPLE_MONTH };

	(void)state;
	for (unsigned i = 0; i < 2 * STORE_LOGINS_MAX; i++) {
		snprintf(login.address, sizeof(login.address), "a%u:5223", i);
		store_login_add(&store, &login);
		store_login_add(&store, &login);
		assert_int_equal(store.n_logins, i < STORE_LOGINS_MAX ? i + 1 : STORE_LOGINS_MAX);
		assert_string_equal(store.logins[0].address, login.address);
	}
	login.month++;
	store_login_add(&store, &login); /* what holds then anyway */
	assert_int_equal(store.logins[0].month, SAMPLE_MONTH);
	SET_TEXT(login.address, "next:1");
	store_login_add(&store, &login);
	login.month--;
	SET_TEXT(login.address, "now:1");
	store_login_add(&store, &login);
	assert_string_equal(store.logins[0].address, "next:1");
	assert_string_equal(store.logins[1].address, "now:1");
	assert_int_equal(store.n_logins, STORE_LOGINS_MAX);
}

static void months_stand_in_order_and_in_bounds(void **state)
{
	struct store store = { 0 };

	(void)state;
	for (int64_t i = 0; i < 2 * STORE_MONTHS_MAX; i++) {
		int64_t month = 2 * (i % STORE_MONTHS_MAX) + i / STORE_MONTHS_MAX;

		struct store_month *made = store_month_make(&store, month);

		assert_ptr_equal(made, store_month_find(&store, month));
		for (size_t j = 1; j < store.n_months; j++)
			assert_true(store.months[j - 1].keys.month < store.months[j].keys.month);
		assert_true(store.n_months <= STORE_MONTHS_MAX);
		if (month < store.months[0].keys.month)
			break;
	}
	assert_int_equal(store.n_months, STORE_MONTHS_MAX);
	assert_null(store_month_make(&store, store.months[0].keys.month - 1));
	store_clear(&store);
}

/* ---- time ---- */

static bool can_sign(const struct world *w, const struct keystore *ks, int64_t month)
{
	struct period_keys *keys;
	struct keyset *keyset;
	bool can;

	assert_int_equal(keystore_keyset(ks, w->curves, w->domain, &keyset), 0);
	keys = keyset_hold(keyset, month);
	assert_non_null(keys);
	can = period_keys_can_sign(keys);
	period_keys_release(&keys);
	keyset_free(&keyset);
	return can;
}

static void keys_are_wiped_when_nothing_can_need_them_any_more(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 2);
	int64_t end = period_start(SAMPLE_MONTH + 1);
	struct keystore *ks;
	uint32_t revision;
	uint64_t created;

	assert_int_equal(world_enrol(w, &letter), 0); /* messages live for a day */
	ks = world_load(w, KEYSTORE_CHANGE);
	assert_false(keystore_expire(ks, end - 1));
	assert_true(can_sign(w, ks, SAMPLE_MONTH));
	assert_true(keystore_expire(ks, end));
	assert_false(can_sign(w, ks, SAMPLE_MONTH));
	assert_true(can_sign(w, ks, SAMPLE_MONTH + 1));
	assert_false(keystore_expire(ks, end + 86399));
	assert_true(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	assert_int_equal(keystore_save(ks), 0);
	assert_true(keystore_expire(ks, end + 86400));
	assert_false(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	keystore_free(&ks);
	ks = world_load(w, KEYSTORE_CHANGE); /* what was saved before: the receiver key alone */
	assert_false(can_sign(w, ks, SAMPLE_MONTH));
	assert_true(keystore_expire(ks, end + 100 * INT64_C(86400)));
	assert_int_equal(keystore_newest_month(ks), -1);
	assert_int_equal(keystore_save(ks), 0);
	keystore_free(&ks);
	ks = world_load(w, KEYSTORE_READ);
	assert_int_equal(keystore_channels(ks, WORLD_NOW), 0);
	keystore_free(&ks);
}

static void months_are_kept_for_the_protocols_lifetime_where_none_is_set(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	int64_t end = period_start(SAMPLE_MONTH + 1);
	struct keystore *ks;
	uint32_t revision;
	uint64_t created;

	letter.max_message_lifetime = 0;
	assert_int_equal(world_enrol(w, &letter), 0);
	ks = world_load(w, KEYSTORE_CHANGE);
	keystore_expire(ks, end + KEYSTORE_LIFETIME_S - 1);
	assert_true(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	keystore_expire(ks, end + KEYSTORE_LIFETIME_S);
	assert_false(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	keystore_free(&ks);
}

#define TEST(name) cmocka_unit_test_setup(name, world_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_update_brings_keys_users_settings_and_channels),
		TEST(a_refused_update_leaves_the_store_untouched),
		TEST(an_update_with_a_damaged_part_is_refused_whole),
		TEST(an_update_that_cannot_be_written_changes_nothing),
		TEST(a_login_is_used_from_its_month_and_the_former_kept_for_a_while),
		TEST(logins_are_kept_once_each_and_in_bounds),
		TEST(months_stand_in_order_and_in_bounds),
		TEST(keys_are_wiped_when_nothing_can_need_them_any_more),
		TEST(months_are_kept_for_the_protocols_lifetime_where_none_is_set),
	};

	return cmocka_run_group_tests(tests, world_make, world_end);
}
