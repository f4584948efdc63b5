#include "tests/keys/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/file.h"
#include "keys/update_priv.h"

int world_make(void **state)
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
	SET_TEXT(w->dir, "/tmp/keystore.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(keystore_path(w->dir, WORLD_URI, w->path, sizeof(w->path)), 0);
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

int world_end(void **state)
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
int world_clean(void **state)
{
	remove_files(*state);
	return 0;
}

void world_issue(const struct master *master, const char *uri, int64_t month, uint8_t *packed)
{
	struct issued_keys keys;
	size_t n;

	assert_int_equal(master_issue(master, slice_str(uri), month, &keys), 0);
	assert_int_equal(issued_pack(&keys, packed, &n), 0);
	issued_wipe(&keys);
}

struct letter world_letter(const struct world *w, size_t n_months)
{
	struct letter letter = sample_letter();

	letter.n_months = n_months;
	domain_pack(w->domain, letter.kpak, letter.z);
	for (size_t i = 0; i < n_months; i++)
		world_issue(w->master, WORLD_URI, letter.months[i].month, letter.months[i].packed);
	return letter;
}

int world_enrol(const struct world *w, const struct letter *letter)
{
	uint8_t octets[LETTER_OCTETS_MAX];
	size_t n;

	assert_int_equal(letter_encode(letter, octets, &n), 0);
	return keystore_enrol(w->curves, slice_of(octets, n), w->path, NULL);
}

struct keystore *world_load(const struct world *w, enum keystore_mode mode)
{
	struct keystore *ks = NULL;

	assert_int_equal(keystore_load(w->path, mode, &ks, NULL), 0);
	return ks;
}

struct snapshot world_snapshot(const struct world *w)
{
	struct snapshot s;

	assert_int_equal(file_read(w->path, 1 << 24, &s.p, &s.n), 0);
	return s;
}

void world_check_unchanged(const struct world *w, struct snapshot *before)
{
	struct snapshot after = world_snapshot(w);

	assert_true(slice_eq(slice_of(before->p, before->n), slice_of(after.p, after.n)));
	free(before->p);
	free(after.p);
}

void world_parts_free(struct world_parts *parts)
{
	free(parts->entry);
	free(parts->shared);
}

/* The shared part has no trusted domains, and two users. */
struct world_parts world_parts(struct update_entry *entry, const uint8_t *update_key)
{
	static char a[] = "tel:+1", b[] = WORLD_URI;
	static char *users[] = { a, b };
	struct update_common common = { users, 2, NULL, 0 };
	struct update_head head = { .month = entry->keys.month,
				    .revision = entry->keys.revision,
				    .created = entry->keys.created };
	struct world_parts parts;

	sample_fill(entry->shared_key, sizeof(entry->shared_key), 77);
	assert_int_equal(update_shared_seal(&common, &head, entry->shared_key, &parts.shared,
					    &parts.shared_n),
			 0);
	SHA256(parts.shared, parts.shared_n, entry->shared_sha256);
	assert_int_equal(update_entry_seal(entry, update_key, slice_str(WORLD_URI), &parts.entry,
					   &parts.entry_n),
			 0);
	return parts;
}

struct update_entry world_entry(const struct world *w, int64_t month, uint32_t revision)
{
	struct update_entry entry = sample_entry(3);

	entry.keys.month = month;
	entry.keys.revision = revision;
	entry.keys.created = SAMPLE_TIME + 10;
	world_issue(w->master, WORLD_URI, month, entry.keys.packed);
	return entry;
}
