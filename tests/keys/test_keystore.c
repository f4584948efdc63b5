/* test_keystore.c - enrolment, and the file. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "keys/key_ring.h"
#include "keys/keyset.h"
#include "keys/period.h"
#include "tests/keys/world.h"

static void a_letter_makes_a_store_that_is_ready_to_use(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 2);
	struct keystore_login login;
	struct keystore *ks;
	struct keyset *keyset;
	struct domain *domain;
	struct stat st;
	uint32_t revision;
	uint64_t created;

	/* CCA-001: enrolled from the letter alone, it has what it attaches with. */
	assert_int_equal(world_enrol(w, &letter), 0);
	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ks = world_load(w, KEYSTORE_READ);
	assert_string_equal(keystore_uri(ks), WORLD_URI);
	assert_string_equal(keystore_account(ks), "ACME-1");
	assert_string_equal(keystore_domain_name(ks), letter.domain);
	assert_int_equal(keystore_generation(ks), 1);
	assert_int_equal(keystore_letter_created(ks), SAMPLE_TIME);
	assert_int_equal(keystore_engines(ks), 0);
	assert_int_equal(keystore_settings(ks).max_message_lifetime, 86400);
	assert_true(keystore_login_at(ks, WORLD_NOW, 0, &login));
	assert_string_equal(login.address, letter.address);
	assert_string_equal(login.identity, letter.tls_identity);
	assert_memory_equal(login.key, letter.tls_key, ACCOUNT_PSK_SIZE);
	assert_false(keystore_login_at(ks, WORLD_NOW, 1, &login));
	assert_true(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	assert_int_equal(revision, 4);
	assert_false(keystore_month(ks, SAMPLE_MONTH + 2, &revision, &created));
	assert_int_equal(keystore_newest_month(ks), SAMPLE_MONTH + 1);
	assert_true(keystore_own_user(ks, slice_str(WORLD_URI)));
	assert_false(keystore_own_user(ks, slice_str("tel:+1")));
	assert_int_equal(keystore_domain(ks, w->curves, &domain), 0);
	assert_memory_equal(domain_id(domain), domain_id(w->domain), DOMAIN_ID);
	assert_int_equal(keystore_keyset(ks, w->curves, domain, &keyset), 0);
	assert_true(keyset_has(keyset, SAMPLE_MONTH) && keyset_has(keyset, SAMPLE_MONTH + 1));
	keyset_free(&keyset);
	domain_free(&domain);
	keystore_free(&ks);
	assert_null(ks);
}

static void a_gateways_letter_brings_its_crypto_engines(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	struct keystore *ks;

	letter.engines = 5;
	assert_int_equal(world_enrol(w, &letter), 0);
	ks = world_load(w, KEYSTORE_READ);
	assert_int_equal(keystore_engines(ks), 5);
	keystore_free(&ks);
}

static void a_letter_that_is_older_or_for_another_is_refused(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1), other;
	struct snapshot before;

	letter.generation = 3;
	assert_int_equal(world_enrol(w, &letter), 0);
	before = world_snapshot(w);
	other = letter;
	other.generation = 2;
	other.created += 10;
	assert_int_equal(world_enrol(w, &other), -ESTALE);
	other = letter;
	other.created--;
	assert_int_equal(world_enrol(w, &other), -ESTALE);
	other = letter;
	SET_TEXT(other.uri, "tel:+1");
	assert_int_equal(world_enrol(w, &other), -EPERM);
	world_check_unchanged(w, &before);
	assert_int_equal(world_enrol(w, &letter), 0); /* the same once more is none of these */
}

static void a_letter_whose_keys_do_not_fit_is_refused(void **state)
{
	struct world *w = *state;
	const struct letter good = world_letter(w, 2);
	struct letter bad = good;

	world_issue(w->other, WORLD_URI, SAMPLE_MONTH, bad.months[0].packed); /* another master's */
	assert_int_equal(world_enrol(w, &bad), -EKEYREJECTED);
	bad = good;
	world_issue(w->master, "tel:+1", SAMPLE_MONTH, bad.months[0].packed);
	assert_int_equal(world_enrol(w, &bad), -EKEYREJECTED);
	bad = good;
	world_issue(w->master, WORLD_URI, SAMPLE_MONTH, bad.months[1].packed); /* another month's */
	assert_int_equal(world_enrol(w, &bad), -EKEYREJECTED);
	bad = good;
	memset(bad.z + 1, 0xff, sizeof(bad.z) - 1);
	assert_int_equal(world_enrol(w, &bad), -EKEYREJECTED);
	assert_int_equal(access(w->path, F_OK), -1);
}

static void a_damaged_letter_leaves_no_store(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	uint8_t octets[LETTER_OCTETS_MAX];
	size_t n;

	assert_int_equal(letter_encode(&letter, octets, &n), 0);
	octets[n / 2] ^= 1;
	assert_int_equal(keystore_enrol(w->curves, slice_of(octets, n), w->path, NULL), -EBADMSG);
	assert_int_equal(access(w->path, F_OK), -1);
}

static bool pinned(const struct keystore *ks, unsigned number, uint8_t domain)
{
	uint8_t id[DOMAIN_ID] = { domain };
	const uint8_t *pin;
	char uri[32];

	snprintf(uri, sizeof(uri), "tel:+%u", number);
	pin = keystore_pinned(ks, slice_str(uri));
	return pin && memcmp(pin, id, sizeof(id)) == 0;
}

static void pin(struct keystore *ks, unsigned number, uint8_t domain)
{
	uint8_t id[DOMAIN_ID] = { domain };
	char uri[32];

	snprintf(uri, sizeof(uri), "tel:+%u", number);
	assert_int_equal(keystore_pin(ks, slice_str(uri), id), 0);
	assert_true(pinned(ks, number, domain));
}

/* Whoever comes when all places are taken is met all the same; and no domain can make us forget
 * whose users another one's are, by vouching for many. */
static void beyond_ten_thousand_pins_a_domain_pushes_out_its_own(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	struct keystore *ks;

	assert_int_equal(world_enrol(w, &letter), 0);
	ks = world_load(w, KEYSTORE_CHANGE);
	pin(ks, 1, 'b');
	for (unsigned i = 0; i < 9999; i++)
		pin(ks, 1000000 + i, 'a');
	pin(ks, 2000000, 'a');
	assert_false(pinned(ks, 1000000, 'a')); /* the oldest */
	assert_true(pinned(ks, 1000001, 'a'));
	assert_true(pinned(ks, 1, 'b')); /* though it is older */
	pin(ks, 1000001, 'b');           /* in its place: nobody goes */
	assert_true(pinned(ks, 1000002, 'a'));
	assert_true(pinned(ks, 1, 'b'));
	pin(ks, 3000000, 'c'); /* a domain without any */
	assert_false(pinned(ks, 1, 'b'));
	pin(ks, 3000001, 'c');
	assert_false(pinned(ks, 3000000, 'c'));
	assert_true(pinned(ks, 1000002, 'a'));
	assert_true(pinned(ks, 2000000, 'a'));
	keystore_free(&ks);
}

static void a_new_letter_keeps_the_device_and_its_pins(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	uint8_t device[KEYSTORE_DEVICE_ID_SIZE];
	struct keystore *ks;

	assert_int_equal(world_enrol(w, &letter), 0);
	ks = world_load(w, KEYSTORE_CHANGE);
	memcpy(device, keystore_device_id(ks), sizeof(device));
	assert_int_equal(keystore_pin(ks, slice_str("tel:+99"), domain_id(w->other_domain)), 0);
	assert_int_equal(keystore_pin(ks, slice_str("nobody"), domain_id(w->domain)), -EINVAL);
	assert_int_equal(keystore_save(ks), 0);
	keystore_free(&ks);
	letter.generation++;
	assert_int_equal(world_enrol(w, &letter), 0);
	ks = world_load(w, KEYSTORE_READ);
	assert_int_equal(keystore_generation(ks), 2);
	assert_memory_equal(keystore_device_id(ks), device, sizeof(device));
	assert_memory_equal(keystore_pinned(ks, slice_str("tel:+99")), domain_id(w->other_domain),
			    DOMAIN_ID);
	assert_null(keystore_pinned(ks, slice_str("tel:+98")));
	keystore_free(&ks);
}

/* After the key manager itself was compromised all letters come from a new one. */
static void a_letter_of_another_domain_begins_anew(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	uint8_t device[KEYSTORE_DEVICE_ID_SIZE];
	struct keystore *ks;

	letter.generation = 7;
	assert_int_equal(world_enrol(w, &letter), 0);
	ks = world_load(w, KEYSTORE_READ);
	memcpy(device, keystore_device_id(ks), sizeof(device));
	keystore_free(&ks);
	domain_pack(w->other_domain, letter.kpak, letter.z);
	letter.generation = 1;
	letter.created--;
	world_issue(w->other, WORLD_URI, SAMPLE_MONTH, letter.months[0].packed);
	assert_int_equal(world_enrol(w, &letter), 0);
	ks = world_load(w, KEYSTORE_READ);
	assert_int_equal(keystore_generation(ks), 1);
	assert_int_equal(keystore_newest_month(ks), SAMPLE_MONTH);
	assert_memory_equal(keystore_device_id(ks), device, sizeof(device));
	keystore_free(&ks);
}

/* ---- the file ---- */

static void a_damaged_store_is_refused_and_never_overwritten(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	struct diag *diag = diag_new();
	struct keystore *ks = NULL;
	struct snapshot before;

	assert_int_equal(world_enrol(w, &letter), 0);
	before = world_snapshot(w);
	before.p[before.n / 2] ^= 1;
	assert_int_equal(file_write_atomic(w->path, 0600, slice_of(before.p, before.n)), 0);
	assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, diag), -EBADMSG);
	assert_non_null(strstr(diag_first_error(diag), "damaged"));
	assert_null(ks);
	letter.generation++;
	assert_int_equal(world_enrol(w, &letter), -EBADMSG);
	world_check_unchanged(w, &before);
	diag_free(&diag);
}

static void a_store_cut_anywhere_or_of_a_newer_version_is_refused(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	struct keystore *ks;
	struct snapshot s;

	assert_int_equal(world_enrol(w, &letter), 0);
	s = world_snapshot(w);
	for (size_t n = 0; n < s.n; n += 31) {
		assert_int_equal(file_write_atomic(w->path, 0600, slice_of(s.p, n)), 0);
		assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, NULL), -EBADMSG);
	}
	assert_int_equal(file_write_atomic(w->path, 0600, slice_of(s.p, s.n - 1)), 0);
	assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, NULL), -EBADMSG);
	assert_int_equal(file_write_atomic(w->path, 0644, slice_of(s.p, s.n)), 0);
	assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, NULL), -EPERM);
	unlink(w->path);
	assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, NULL), -ENOENT);
	free(s.p);
}

static void one_program_at_a_time_changes_a_store(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	struct keystore *ks, *second = NULL;

	assert_int_equal(world_enrol(w, &letter), 0);
	ks = world_load(w, KEYSTORE_CHANGE);
	assert_int_equal(keystore_load(w->path, KEYSTORE_CHANGE, &second, NULL), -EBUSY);
	assert_int_equal(world_enrol(w, &letter), -EBUSY);
	second = world_load(w, KEYSTORE_READ);
	assert_int_equal(keystore_save(second), -EROFS);
	keystore_free(&second);
	keystore_free(&ks);
	ks = world_load(w, KEYSTORE_CHANGE);
	keystore_free(&ks);
}

static void a_path_is_made_of_an_identity_only(void **state)
{
	char path[40];

	(void)state;
	assert_int_equal(keystore_path("/d", "tel:+8888", path, sizeof(path)), 0);
	assert_string_equal(path, "/d/.ks.tel:+8888"); /* CIG-049 */
	assert_int_equal(keystore_path("/d", "../x", path, sizeof(path)), -EINVAL);
	assert_int_equal(keystore_path("/a/very/long/directory", "tel:+46706764287", path, 20),
			 -ENAMETOOLONG);
}

static void a_directory_holds_one_store_whatever_else_lies_there(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 1);
	char found[128], other[160];

	assert_int_equal(keystore_find("/nonexistent", found, sizeof(found), NULL), -ENOENT);
	assert_int_equal(keystore_find(w->dir, found, sizeof(found), NULL), -ENOENT);
	assert_int_equal(world_enrol(w, &letter), 0); /* leaves a lock file, too */
	snprintf(other, sizeof(other), "%s.a8Gf2Q", w->path);
	assert_int_equal(file_write_atomic(other, 0600, slice_str("cut off by a crash")), 0);
	assert_int_equal(keystore_find(w->dir, found, sizeof(found), NULL), 0);
	assert_string_equal(found, w->path);
	assert_int_equal(keystore_find(w->dir, found, 20, NULL), -ENAMETOOLONG);
	unlink(other);
	assert_int_equal(keystore_path(w->dir, "tel:+1", other, sizeof(other)), 0);
	assert_int_equal(file_write_atomic(other, 0600, slice_str("another's")), 0);
	assert_int_equal(keystore_find(w->dir, found, sizeof(found), NULL), -EEXIST);
	unlink(other);
}

/* A program that runs for months goes over to what is left when a month has ended, and
 * the disk holds no more than that. */
static void a_ring_is_opened_anew_when_a_month_is_over(void **state)
{
	struct world *w = *state;
	struct letter letter = world_letter(w, 2);
	int64_t end = period_start(SAMPLE_MONTH + 1);
	struct key_ring *ring, *left = NULL;
	struct period_keys *keys;

	assert_int_equal(world_enrol(w, &letter), 0);
	assert_int_equal(key_ring_open(w->curves, w->path, clock_wall_s(), &ring, NULL), 0);
	assert_int_equal(key_ring_expire(ring, end - 1, &left, NULL), 0);
	assert_null(left);
	assert_int_equal(key_ring_expire(ring, end + 86400, &left, NULL), 1);
	assert_true(keyset_has(ring->keyset, SAMPLE_MONTH)); /* whoever uses it goes on */
	assert_false(keyset_has(left->keyset, SAMPLE_MONTH));
	keys = keyset_hold(left->keyset, SAMPLE_MONTH + 1);
	assert_non_null(keys);
	period_keys_release(&keys);
	key_ring_close(&ring);
	key_ring_close(&left);
	assert_null(left);
}

#define TEST(name) cmocka_unit_test_setup(name, world_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_letter_makes_a_store_that_is_ready_to_use),
		TEST(a_gateways_letter_brings_its_crypto_engines),
		TEST(a_letter_that_is_older_or_for_another_is_refused),
		TEST(a_letter_whose_keys_do_not_fit_is_refused),
		TEST(a_damaged_letter_leaves_no_store),
		TEST(a_new_letter_keeps_the_device_and_its_pins),
		TEST(beyond_ten_thousand_pins_a_domain_pushes_out_its_own),
		TEST(a_letter_of_another_domain_begins_anew),
		TEST(a_damaged_store_is_refused_and_never_overwritten),
		TEST(a_store_cut_anywhere_or_of_a_newer_version_is_refused),
		TEST(one_program_at_a_time_changes_a_store),
		TEST(a_path_is_made_of_an_identity_only),
		TEST(a_directory_holds_one_store_whatever_else_lies_there),
		TEST(a_ring_is_opened_anew_when_a_month_is_over),
	};

	return cmocka_run_group_tests(tests, world_make, world_end);
}
