/* The store is tested with keys that a master really issued. */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/diag.h"
#include "base/file.h"
#include "keys/curves.h"
#include "keys/domain.h"
#include "keys/keyset.h"
#include "keys/keystore_priv.h"
#include "keys/master.h"
#include "keys/period.h"
#include "keys/update_priv.h"
#include "tests/keys/sample.h"

#define URI "tel:+46706764287"

static const char channel_uri[] = "urn:uuid:01234567-89ab-cdef-0123-456789abcdef";
static const int64_t now = SAMPLE_TIME + 60;

struct world {
	struct curves *curves;
	struct master *master, *other;
	struct domain *domain, *other_domain;
	char dir[64];
	char path[128];
};

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->curves = curves_new();
	assert_non_null(w->curves);
	assert_int_equal(master_generate(w->curves, &w->master), 0);
	assert_int_equal(master_generate(w->curves, &w->other), 0);
	assert_int_equal(domain_new(w->curves, "Example",
				    slice_of(master_kpak(w->master), KPAK_OCTETS),
				    slice_of(master_z(w->master), Z_OCTETS), &w->domain),
			 0);
	assert_int_equal(domain_new(w->curves, "Other",
				    slice_of(master_kpak(w->other), KPAK_OCTETS),
				    slice_of(master_z(w->other), Z_OCTETS), &w->other_domain),
			 0);
	strcpy(w->dir, "/tmp/keystore.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(keystore_path(w->dir, URI, w->path, sizeof(w->path)), 0);
	*state = w;
	return 0;
}

static void remove_files(const struct world *w)
{
	char lock[160];

	unlink(w->path);
	snprintf(lock, sizeof(lock), "%s.lock", w->path);
	unlink(lock);
}

static int end_world(void **state)
{
	struct world *w = *state;

	remove_files(w);
	assert_int_equal(rmdir(w->dir), 0); /* no temporary file is left */
	domain_free(&w->domain);
	domain_free(&w->other_domain);
	master_free(&w->master);
	master_free(&w->other);
	curves_free(&w->curves);
	free(w);
	return 0;
}

/* Each test begins without a store. */
static int clean(void **state)
{
	remove_files(*state);
	return 0;
}

static void issue(const struct master *master, const char *uri, int64_t month, uint8_t *packed)
{
	struct issued_keys keys;
	size_t n;

	assert_int_equal(master_issue(master, slice_str(uri), month, &keys), 0);
	assert_int_equal(issued_pack(&keys, packed, &n), 0);
	issued_wipe(&keys);
}

static struct letter real_letter_of(const struct world *w, size_t n_months)
{
	struct letter letter = sample_letter();

	letter.n_months = n_months;
	domain_pack(w->domain, letter.kpak, letter.z);
	for (size_t i = 0; i < n_months; i++)
		issue(w->master, URI, letter.months[i].month, letter.months[i].packed);
	return letter;
}

/* Each month more takes its time. */
static struct letter real_letter(const struct world *w)
{
	return real_letter_of(w, 1);
}

static int enrol(const struct world *w, const struct letter *letter)
{
	uint8_t octets[LETTER_OCTETS_MAX];
	size_t n;

	assert_int_equal(letter_encode(letter, octets, &n), 0);
	return keystore_enrol(w->curves, slice_of(octets, n), w->path, NULL);
}

static struct keystore *load(const struct world *w, enum keystore_mode mode)
{
	struct keystore *ks = NULL;

	assert_int_equal(keystore_load(w->path, mode, &ks, NULL), 0);
	return ks;
}

/* What lies at path, to see that it stays so. */
struct snapshot {
	uint8_t *p;
	size_t n;
};

static struct snapshot snapshot_of(const struct world *w)
{
	struct snapshot s;

	assert_int_equal(file_read(w->path, 1 << 24, &s.p, &s.n), 0);
	return s;
}

static void check_unchanged(const struct world *w, struct snapshot *before)
{
	struct snapshot after = snapshot_of(w);

	assert_true(slice_eq(slice_of(before->p, before->n), slice_of(after.p, after.n)));
	free(before->p);
	free(after.p);
}

/* ---- enrolment ---- */

static void a_letter_makes_a_store_that_is_ready_to_use(void **state)
{
	struct world *w = *state;
	struct letter letter = real_letter_of(w, 2);
	struct keystore_login login;
	struct keystore *ks;
	struct keyset *keyset;
	struct domain *domain;
	struct stat st;
	uint32_t revision;
	uint64_t created;

	/* CCA-001: enrolled from the letter alone, it has what it attaches with. */
	assert_int_equal(enrol(w, &letter), 0);
	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	ks = load(w, KEYSTORE_READ);
	assert_string_equal(keystore_uri(ks), URI);
	assert_string_equal(keystore_account(ks), "ACME-1");
	assert_string_equal(keystore_domain_name(ks), letter.domain);
	assert_int_equal(keystore_generation(ks), 1);
	assert_int_equal(keystore_letter_created(ks), SAMPLE_TIME);
	assert_int_equal(keystore_engines(ks), 0);
	assert_int_equal(keystore_settings(ks).max_message_lifetime, 86400);
	assert_true(keystore_login_at(ks, now, 0, &login));
	assert_string_equal(login.address, letter.address);
	assert_string_equal(login.identity, letter.tls_identity);
	assert_memory_equal(login.key, letter.tls_key, ACCOUNT_PSK_SIZE);
	assert_false(keystore_login_at(ks, now, 1, &login));
	assert_true(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	assert_int_equal(revision, 4);
	assert_false(keystore_month(ks, SAMPLE_MONTH + 2, &revision, &created));
	assert_int_equal(keystore_newest_month(ks), SAMPLE_MONTH + 1);
	assert_true(keystore_own_user(ks, slice_str(URI)));
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
	struct letter letter = real_letter(w);
	struct keystore *ks;

	letter.engines = 5;
	assert_int_equal(enrol(w, &letter), 0);
	ks = load(w, KEYSTORE_READ);
	assert_int_equal(keystore_engines(ks), 5);
	keystore_free(&ks);
}

static void a_letter_that_is_older_or_for_another_is_refused(void **state)
{
	struct world *w = *state;
	struct letter letter = real_letter(w), other;
	struct snapshot before;

	letter.generation = 3;
	assert_int_equal(enrol(w, &letter), 0);
	before = snapshot_of(w);
	other = letter;
	other.generation = 2;
	other.created += 10;
	assert_int_equal(enrol(w, &other), -ESTALE);
	other = letter;
	other.created--;
	assert_int_equal(enrol(w, &other), -ESTALE);
	other = letter;
	strcpy(other.uri, "tel:+1");
	assert_int_equal(enrol(w, &other), -EPERM);
	check_unchanged(w, &before);
	assert_int_equal(enrol(w, &letter), 0); /* the same once more is none of these */
}

static void a_letter_whose_keys_do_not_fit_is_refused(void **state)
{
	struct world *w = *state;
	const struct letter good = real_letter_of(w, 2);
	struct letter bad = good;

	issue(w->other, URI, SAMPLE_MONTH, bad.months[0].packed); /* another master's */
	assert_int_equal(enrol(w, &bad), -EKEYREJECTED);
	bad = good;
	issue(w->master, "tel:+1", SAMPLE_MONTH, bad.months[0].packed);
	assert_int_equal(enrol(w, &bad), -EKEYREJECTED);
	bad = good;
	issue(w->master, URI, SAMPLE_MONTH, bad.months[1].packed); /* another month's */
	assert_int_equal(enrol(w, &bad), -EKEYREJECTED);
	bad = good;
	memset(bad.z + 1, 0xff, sizeof(bad.z) - 1);
	assert_int_equal(enrol(w, &bad), -EKEYREJECTED);
	assert_int_equal(access(w->path, F_OK), -1);
}

static void a_damaged_letter_leaves_no_store(void **state)
{
	struct world *w = *state;
	struct letter letter = real_letter(w);
	uint8_t octets[LETTER_OCTETS_MAX];
	size_t n;

	assert_int_equal(letter_encode(&letter, octets, &n), 0);
	octets[n / 2] ^= 1;
	assert_int_equal(keystore_enrol(w->curves, slice_of(octets, n), w->path, NULL), -EBADMSG);
	assert_int_equal(access(w->path, F_OK), -1);
}

static void a_new_letter_keeps_the_device_and_its_pins(void **state)
{
	struct world *w = *state;
	struct letter letter = real_letter(w);
	uint8_t device[KEYSTORE_DEVICE_ID_SIZE];
	struct keystore *ks;

	assert_int_equal(enrol(w, &letter), 0);
	ks = load(w, KEYSTORE_CHANGE);
	memcpy(device, keystore_device_id(ks), sizeof(device));
	assert_int_equal(keystore_pin(ks, slice_str("tel:+99"), domain_id(w->other_domain)), 0);
	assert_int_equal(keystore_pin(ks, slice_str("nobody"), domain_id(w->domain)), -EINVAL);
	assert_int_equal(keystore_save(ks), 0);
	keystore_free(&ks);
	letter.generation++;
	assert_int_equal(enrol(w, &letter), 0);
	ks = load(w, KEYSTORE_READ);
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
	struct letter letter = real_letter(w);
	uint8_t device[KEYSTORE_DEVICE_ID_SIZE];
	struct keystore *ks;

	letter.generation = 7;
	assert_int_equal(enrol(w, &letter), 0);
	ks = load(w, KEYSTORE_READ);
	memcpy(device, keystore_device_id(ks), sizeof(device));
	keystore_free(&ks);
	domain_pack(w->other_domain, letter.kpak, letter.z);
	letter.generation = 1;
	letter.created--;
	issue(w->other, URI, SAMPLE_MONTH, letter.months[0].packed);
	assert_int_equal(enrol(w, &letter), 0);
	ks = load(w, KEYSTORE_READ);
	assert_int_equal(keystore_generation(ks), 1);
	assert_int_equal(keystore_newest_month(ks), SAMPLE_MONTH);
	assert_memory_equal(keystore_device_id(ks), device, sizeof(device));
	keystore_free(&ks);
}

/* ---- the file ---- */

static void a_damaged_store_is_refused_and_never_overwritten(void **state)
{
	struct world *w = *state;
	struct letter letter = real_letter(w);
	struct diag *diag = diag_new();
	struct keystore *ks = NULL;
	struct snapshot before;

	assert_int_equal(enrol(w, &letter), 0);
	before = snapshot_of(w);
	before.p[before.n / 2] ^= 1;
	assert_int_equal(file_write_atomic(w->path, 0600, slice_of(before.p, before.n)), 0);
	assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, diag), -EBADMSG);
	assert_non_null(strstr(diag_first_error(diag), "damaged"));
	assert_null(ks);
	letter.generation++;
	assert_int_equal(enrol(w, &letter), -EBADMSG);
	check_unchanged(w, &before);
	diag_free(&diag);
}

static void a_store_cut_anywhere_or_of_a_newer_version_is_refused(void **state)
{
	struct world *w = *state;
	struct letter letter = real_letter(w);
	struct keystore *ks;
	struct snapshot s;

	assert_int_equal(enrol(w, &letter), 0);
	s = snapshot_of(w);
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
	struct letter letter = real_letter(w);
	struct keystore *ks, *second = NULL;

	assert_int_equal(enrol(w, &letter), 0);
	ks = load(w, KEYSTORE_CHANGE);
	assert_int_equal(keystore_load(w->path, KEYSTORE_CHANGE, &second, NULL), -EBUSY);
	assert_int_equal(enrol(w, &letter), -EBUSY);
	second = load(w, KEYSTORE_READ);
	assert_int_equal(keystore_save(second), -EROFS);
	keystore_free(&second);
	keystore_free(&ks);
	ks = load(w, KEYSTORE_CHANGE);
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

/* ---- updates ---- */

/* A file's parts for one user. */
struct parts {
	uint8_t *entry, *shared;
	size_t entry_n, shared_n;
};

static void free_parts(struct parts *parts)
{
	free(parts->entry);
	free(parts->shared);
}

/* Seals entry and a shared part as an update of (month, revision, created) would. */
static struct parts make_parts(struct update_entry *entry, const uint8_t *update_key)
{
	static char a[] = "tel:+1", b[] = URI;
	static char *users[] = { a, b };
	struct update_common common = { users, 2, NULL, 0 };
	struct update_head head = { .month = entry->keys.month,
				    .revision = entry->keys.revision,
				    .created = entry->keys.created };
	struct parts parts;

	sample_fill(entry->shared_key, sizeof(entry->shared_key), 77);
	assert_int_equal(update_shared_seal(&common, &head, entry->shared_key, &parts.shared,
					    &parts.shared_n),
			 0);
	SHA256(parts.shared, parts.shared_n, entry->shared_sha256);
	assert_int_equal(
		update_entry_seal(entry, update_key, slice_str(URI), &parts.entry, &parts.entry_n),
		0);
	return parts;
}

static struct update_entry real_entry(const struct world *w, int64_t month, uint32_t revision)
{
	struct update_entry entry = sample_entry(3);

	entry.keys.month = month;
	entry.keys.revision = revision;
	entry.keys.created = SAMPLE_TIME + 10;
	issue(w->master, URI, month, entry.keys.packed);
	return entry;
}

static int apply(const struct world *w, struct keystore *ks, struct update_entry *entry,
		 const uint8_t *update_key)
{
	struct parts parts = make_parts(entry, update_key);
	int err = keystore_apply_update(ks, w->curves, entry->keys.month, entry->keys.revision,
					slice_of(parts.entry, parts.entry_n),
					slice_of(parts.shared, parts.shared_n), now, NULL);

	free_parts(&parts);
	return err;
}

static void an_update_brings_keys_users_settings_and_channels(void **state)
{
	struct world *w = *state;
	struct letter letter = real_letter(w);
	struct update_channel channel = { .name = "Board" };
	struct update_entry entry = real_entry(w, SAMPLE_MONTH, 5);
	const char *uri, *name;
	struct keyset *keyset;
	struct keystore *ks;
	uint32_t revision;
	uint64_t created;

	strcpy(channel.uri, channel_uri);
	issue(w->master, channel_uri, SAMPLE_MONTH, channel.rsk);
	entry.channels = &channel;
	entry.n_channels = 1;
	assert_int_equal(enrol(w, &letter), 0);
	ks = load(w, KEYSTORE_CHANGE);
	assert_int_equal(apply(w, ks, &entry, letter.update_key), 0);
	keystore_free(&ks);
	ks = load(w, KEYSTORE_READ); /* it was saved */
	assert_true(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	assert_int_equal(revision, 5);
	assert_int_equal(created, SAMPLE_TIME + 10);
	assert_true(keystore_own_user(ks, slice_str("tel:+1")));
	assert_false(keystore_own_user(ks, slice_str("tel:+2")));
	assert_int_equal(keystore_own_users(ks), 2);
	assert_int_equal(keystore_settings(ks).default_message_lifetime, 3600);
	assert_true(keystore_settings(ks).multipath);
	assert_int_equal(keystore_channels(ks, now), 1);
	assert_int_equal(keystore_channel_at(ks, now, 0, &uri, &name), 0);
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
	struct letter letter = real_letter(w);
	struct update_entry entry;
	struct update_channel channel = { .name = "Board" };
	uint8_t wrong_key[UPDATE_KEY_SIZE] = { 1 };
	struct snapshot before;
	struct keystore *ks;
	uint32_t revision;
	uint64_t created;

	letter.generation = 2;
	assert_int_equal(enrol(w, &letter), 0);
	before = snapshot_of(w);
	ks = load(w, KEYSTORE_CHANGE);
	entry = real_entry(w, SAMPLE_MONTH, 5);
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
	issue(w->master, "tel:+1", SAMPLE_MONTH, entry.keys.packed);
	assert_int_equal(apply(w, ks, &entry, letter.update_key), -EKEYREJECTED);
	issue(w->master, URI, SAMPLE_MONTH, entry.keys.packed);
	strcpy(channel.uri, channel_uri);
	issue(w->other, channel_uri, SAMPLE_MONTH, channel.rsk);
	entry.channels = &channel;
	entry.n_channels = 1;
	assert_int_equal(apply(w, ks, &entry, letter.update_key), -EKEYREJECTED);
	entry = real_entry(w, SAMPLE_MONTH - 3, 1);
	entry.generation = 2;
	assert_int_equal(apply(w, ks, &entry, letter.update_key), -ESTALE); /* long past */
	assert_true(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	assert_int_equal(revision, 4);
	assert_int_equal(keystore_own_users(ks), 0);
	keystore_free(&ks);
	check_unchanged(w, &before);
}

static void an_update_with_a_damaged_part_is_refused_whole(void **state)
{
	struct world *w = *state;
	struct letter letter = real_letter(w);
	struct update_entry entry = real_entry(w, SAMPLE_MONTH, 5);
	struct parts parts = make_parts(&entry, letter.update_key);
	struct slice box = slice_of(parts.entry, parts.entry_n);
	struct slice shared = slice_of(parts.shared, parts.shared_n);
	struct snapshot before;
	struct keystore *ks;

	assert_int_equal(enrol(w, &letter), 0);
	before = snapshot_of(w);
	ks = load(w, KEYSTORE_CHANGE);
	parts.shared[20] ^= 1;
	assert_int_equal(
		keystore_apply_update(ks, w->curves, SAMPLE_MONTH, 5, box, shared, now, NULL),
		-EACCES);
	parts.shared[20] ^= 1;
	for (size_t n = 0; n < box.n; n += 61)
		assert_int_equal(keystore_apply_update(ks, w->curves, SAMPLE_MONTH, 5,
						       slice_of(box.p, n), shared, now, NULL),
				 -EACCES);
	assert_int_equal(
		keystore_apply_update(ks, w->curves, SAMPLE_MONTH + 1, 5, box, shared, now, NULL),
		-EACCES);
	assert_int_equal(keystore_apply_update(ks, w->curves, -1, 5, box, shared, now, NULL),
			 -EBADMSG);
	check_unchanged(w, &before);
	/* Without its shared part it is taken, and the users known stay. */
	assert_int_equal(keystore_apply_update(ks, w->curves, SAMPLE_MONTH, 5, box,
					       (struct slice){ 0 }, now, NULL),
			 0);
	assert_int_equal(keystore_own_users(ks), 0);
	keystore_free(&ks);
	ks = load(w, KEYSTORE_READ);
	assert_int_equal(
		keystore_apply_update(ks, w->curves, SAMPLE_MONTH, 6, box, shared, now, NULL),
		-EROFS);
	keystore_free(&ks);
	free_parts(&parts);
}

static void an_update_that_cannot_be_written_changes_nothing(void **state)
{
	struct world *w = *state;
	struct letter letter = real_letter(w);
	struct update_entry entry = real_entry(w, SAMPLE_MONTH, 5);
	struct keystore *ks;
	uint32_t revision;
	uint64_t created;
	char moved[80];

	assert_int_equal(enrol(w, &letter), 0);
	ks = load(w, KEYSTORE_CHANGE);
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
	struct letter letter = real_letter(w);
	struct update_entry entry = real_entry(w, SAMPLE_MONTH + 1, 5);
	int64_t next = period_start(SAMPLE_MONTH + 1);
	struct keystore_login login;
	struct keystore *ks;

	strcpy(entry.address, "new.example.net:5223");
	assert_int_equal(enrol(w, &letter), 0);
	ks = load(w, KEYSTORE_CHANGE);
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
	strcpy(login.address, "next:1");
	store_login_add(&store, &login);
	login.month--;
	strcpy(login.address, "now:1");
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
	struct letter letter = real_letter_of(w, 2);
	int64_t end = period_start(SAMPLE_MONTH + 1);
	struct keystore *ks;
	uint32_t revision;
	uint64_t created;

	assert_int_equal(enrol(w, &letter), 0); /* messages live for a day */
	ks = load(w, KEYSTORE_CHANGE);
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
	ks = load(w, KEYSTORE_CHANGE); /* what was saved before: the receiver key alone */
	assert_false(can_sign(w, ks, SAMPLE_MONTH));
	assert_true(keystore_expire(ks, end + 100 * INT64_C(86400)));
	assert_int_equal(keystore_newest_month(ks), -1);
	assert_int_equal(keystore_save(ks), 0);
	keystore_free(&ks);
	ks = load(w, KEYSTORE_READ);
	assert_int_equal(keystore_channels(ks, now), 0);
	keystore_free(&ks);
}

static void months_are_kept_for_the_protocols_lifetime_where_none_is_set(void **state)
{
	struct world *w = *state;
	struct letter letter = real_letter(w);
	int64_t end = period_start(SAMPLE_MONTH + 1);
	struct keystore *ks;
	uint32_t revision;
	uint64_t created;

	letter.max_message_lifetime = 0;
	assert_int_equal(enrol(w, &letter), 0);
	ks = load(w, KEYSTORE_CHANGE);
	keystore_expire(ks, end + KEYSTORE_LIFETIME_S - 1);
	assert_true(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	keystore_expire(ks, end + KEYSTORE_LIFETIME_S);
	assert_false(keystore_month(ks, SAMPLE_MONTH, &revision, &created));
	keystore_free(&ks);
}

#define TEST(name) cmocka_unit_test_setup(name, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_letter_makes_a_store_that_is_ready_to_use),
		TEST(a_gateways_letter_brings_its_crypto_engines),
		TEST(a_letter_that_is_older_or_for_another_is_refused),
		TEST(a_letter_whose_keys_do_not_fit_is_refused),
		TEST(a_damaged_letter_leaves_no_store),
		TEST(a_new_letter_keeps_the_device_and_its_pins),
		TEST(a_letter_of_another_domain_begins_anew),
		TEST(a_damaged_store_is_refused_and_never_overwritten),
		TEST(a_store_cut_anywhere_or_of_a_newer_version_is_refused),
		TEST(one_program_at_a_time_changes_a_store),
		TEST(a_path_is_made_of_an_identity_only),
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

	return cmocka_run_group_tests(tests, make_world, end_world);
}
