/* What the key manager issues is taken by devices and rendezvous as they would. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "keys/curves.h"
#include "keys/domain.h"
#include "keys/keystore.h"
#include "keys/period.h"
#include "keys/update.h"
#include "keys/certificate.h"
#include "management/channel.h"
#include "management/issue.h"
#include "management/peer.h"

/* Sets an array of characters. */
#define SET_TEXT(array, text) snprintf((array), sizeof(array), "%s", (text))

enum { NOW = 1795260000 }; /* in 2026-11 */

static const char secret_text[] = "AAECAwQFBgcICQoLDA0ODw==";

struct world {
	char dir[64], path[128];
	sqlite3 *db;
	struct vault vault;
	struct curves *curves;
	struct account_secret secret;
};

static void describe(struct world *w, const struct master *master, struct settings *s)
{
	struct domain *domain;

	assert_int_equal(domain_new(w->curves, "Example",
				    slice_of(master_kpak(master), KPAK_OCTETS),
				    slice_of(master_z(master), Z_OCTETS), &domain),
			 0);
	domain_pack(domain, s->kpak, s->z);
	SET_TEXT(s->domain, "Example");
	SET_TEXT(s->fingerprint,
		 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
	SET_TEXT(s->address, "crs.example.net:5223");
	SET_TEXT(s->account, "ACME-1");
	domain_free(&domain);
}

/* A key manager with Al (+1) and a gateway (+8888), and no store. */
static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct person al = { .uri = "tel:+1", .name = "Al" };
	struct person gateway = { .uri = "tel:+8888", .name = "PBX", .engines = 4 };
	struct settings settings = { .max_message_lifetime = 86400 };
	struct master *master;

	assert_non_null(w);
	SET_TEXT(w->dir, "/tmp/issue.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(keystore_path(w->dir, "tel:+1", w->path, sizeof(w->path)), 0);
	w->curves = curves_new();
	assert_non_null(w->curves);
	memset(&w->vault, 7, sizeof(w->vault)); /* scrypt is tested elsewhere */
	assert_int_equal(database_create(w->dir, &w->db, NULL), 0);
	assert_int_equal(master_generate(w->curves, &master), 0);
	describe(w, master, &settings);
	assert_int_equal(settings_save(w->db, &settings, NULL), 0);
	assert_int_equal(settings_set_master(w->db, &w->vault, master, NULL), 0);
	assert_int_equal(settings_set_secret(w->db, &w->vault, slice_str(secret_text), NULL), 0);
	assert_int_equal(person_add(w->db, &w->vault, &al, 1, NOW, NULL), 0);
	assert_int_equal(person_add(w->db, &w->vault, &gateway, 1, NOW, NULL), 0);
	assert_int_equal(account_secret_from_text(slice_str(secret_text), "ACME-1", &w->secret), 0);
	master_free(&master);
	*state = w;
	return 0;
}

static int end_world(void **state)
{
	struct world *w = *state;
	char path[192];

	database_close(&w->db);
	unlink(w->path);
	snprintf(path, sizeof(path), "%s.lock", w->path);
	unlink(path);
	snprintf(path, sizeof(path), "%s/cms.db", w->dir);
	unlink(path);
	rmdir(w->dir);
	curves_free(&w->curves);
	free(w);
	return 0;
}

static struct issuer open_issuer(struct world *w, int64_t now_s)
{
	struct issuer issuer;

	assert_int_equal(issuer_open(w->db, &w->vault, now_s, &issuer, NULL), 0);
	return issuer;
}

static int enrol(struct world *w, const char *uri)
{
	struct issuer issuer = open_issuer(w, NOW);
	uint8_t octets[LETTER_OCTETS_MAX];
	struct person person;
	struct letter letter;
	size_t n;
	int err;

	assert_int_equal(person_find_any(w->db, uri, &person, NULL), 0);
	assert_int_equal(issue_letter(&issuer, &person, &letter, NULL), 0);
	assert_int_equal(letter_encode(&letter, octets, &n), 0);
	assert_true(n <= LETTER_OCTETS_MAX);
	err = keystore_enrol(w->curves, slice_of(octets, n), w->path, NULL);
	issuer_close(&issuer);
	return err;
}

static void count_progress(void *arg, size_t done, size_t total)
{
	assert_true(done <= total);
	++*(size_t *)arg;
}

/* The next update of this month, opened as the rendezvous does; file is to be freed. */
static struct update *update_now(struct world *w, struct issued_update *issued)
{
	struct issuer issuer = open_issuer(w, NOW);
	struct update *update;
	size_t steps = 0;

	assert_int_equal(issue_update(&issuer, issuer.month, count_progress, &steps, issued, NULL),
			 0);
	assert_int_equal(steps, issued->people);
	issuer_close(&issuer);
	assert_int_equal(
		update_open(slice_of(issued->file, issued->n), "ACME-1", &w->secret, &update, NULL),
		0);
	assert_int_equal(update_damaged(update), 0);
	return update;
}

static void end_update(struct update **update, struct issued_update *issued)
{
	update_free(update);
	free(issued->file);
}

/* Does the device take its entry of this update? */
static int apply(struct world *w, const struct update *update)
{
	struct update_user user;
	struct keystore *ks;
	int err;

	assert_int_equal(keystore_load(w->path, KEYSTORE_CHANGE, &ks, NULL), 0);
	assert_true(update_user_find(update, slice_str(keystore_uri(ks)), &user));
	err = keystore_apply_update(ks, w->curves, update_month(update), update_revision(update),
				    user.entry, update_shared(update), NOW, NULL);
	keystore_free(&ks);
	return err;
}

static void a_letter_attaches_and_its_update_is_taken(void **state)
{
	struct world *w = *state;
	struct issued_update issued;
	struct account_identity identity;
	struct account_hello hello;
	struct keystore_login login;
	struct update *update;
	struct keystore *ks;

	assert_int_equal(enrol(w, "tel:+1"), 0);
	assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, NULL), 0);
	assert_true(keystore_login_at(ks, NOW, 0, &login));
	/* CMS-051: the rendezvous derives the same key from the account's secret. */
	assert_int_equal(account_identity_parse(slice_str(login.identity), &identity), 0);
	assert_int_equal(account_identity_open(&identity, &w->secret, &hello), 0);
	assert_string_equal(hello.uri, "tel:+1");
	assert_memory_equal(hello.psk, login.key, ACCOUNT_PSK_SIZE);
	keystore_free(&ks);
	update = update_now(w, &issued);
	assert_int_equal(update_users(update), 2);
	assert_int_equal(update_max_message_lifetime(update), 86400);
	assert_int_equal(apply(w, update), 0);
	assert_int_equal(apply(w, update), -ESTALE); /* a second time it is not newer */
	assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, NULL), 0);
	assert_true(keystore_own_user(ks, slice_str("tel:+8888")));
	keystore_free(&ks);
	end_update(&update, &issued);
}

/* A letter made after an update still takes that, for what else is in it. */
static void a_later_letter_takes_the_update_that_is_out(void **state)
{
	struct world *w = *state;
	struct issued_update issued;
	struct update *update;

	update = update_now(w, &issued);
	assert_int_equal(enrol(w, "tel:+1"), 0);
	assert_int_equal(apply(w, update), 0);
	end_update(&update, &issued);
}

static void a_gateways_letter_has_its_crypto_engines(void **state)
{
	struct world *w = *state;
	struct keystore *ks;

	assert_int_equal(keystore_path(w->dir, "tel:+8888", w->path, sizeof(w->path)), 0);
	assert_int_equal(enrol(w, "tel:+8888"), 0);
	assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, NULL), 0);
	assert_int_equal(keystore_engines(ks), 4);
	keystore_free(&ks);
}

/* CMS-019: with its keys destroyed the old device cannot rekey, and the rendezvous
 * learns the generation below which nobody may enter. */
static void a_device_whose_keys_were_destroyed_is_out(void **state)
{
	struct world *w = *state;
	struct issued_update issued;
	struct update_user user;
	struct update *update;
	struct person al;

	assert_int_equal(enrol(w, "tel:+1"), 0);
	assert_int_equal(person_find(w->db, "tel:+1", false, &al, NULL), 0);
	assert_int_equal(person_rekey(w->db, &w->vault, &al, NULL), 0);
	assert_int_equal(al.generation, 2);
	update = update_now(w, &issued);
	assert_true(update_user_find(update, slice_str("tel:+1"), &user));
	assert_int_equal(user.generation, 2);
	assert_int_equal(apply(w, update), -EACCES);
	assert_int_equal(enrol(w, "tel:+1"), 0); /* the new letter, and it is in again */
	assert_int_equal(apply(w, update), 0);
	end_update(&update, &issued);
}

/* CMS-021: deleted users are in no update, those who had a letter are named. */
static void a_deleted_user_leaves_a_tombstone_if_it_had_a_letter(void **state)
{
	struct world *w = *state;
	struct issued_update issued;
	struct person person;
	struct update *update;

	assert_int_equal(enrol(w, "tel:+1"), 0);
	assert_int_equal(person_find_any(w->db, "tel:+1", &person, NULL), 0);
	assert_int_equal(person_delete(w->db, &person, NOW, NULL), 0);
	assert_int_equal(person_find_any(w->db, "tel:+8888", &person, NULL), 0);
	assert_int_equal(person_delete(w->db, &person, NOW, NULL), 0);
	update = update_now(w, &issued);
	assert_int_equal(update_users(update), 0);
	assert_int_equal(update_tombstones(update), 1);
	assert_string_equal(update_tombstone_at(update, 0), "tel:+1");
	end_update(&update, &issued);
	person = (struct person){ .uri = "tel:+1", .name = "Al" };
	assert_int_equal(person_add(w->db, &w->vault, &person, 1, NOW, NULL), 0);
	update = update_now(w, &issued);
	assert_int_equal(update_tombstones(update), 0);
	assert_int_equal(update_user_at(update, 0).generation, 2);
	end_update(&update, &issued);
}

/* CMS-032 and CMS-033: members get name and key, the rendezvous who they are. */
static void a_channel_reaches_its_members_and_no_one_else_its_name(void **state)
{
	struct world *w = *state;
	struct issued_update issued;
	struct channel channel;
	struct update *update;
	struct keystore *ks;
	const char *uri, *name;

	assert_int_equal(channel_add(w->db, "Board Room", NULL), 0);
	assert_int_equal(channel_add(w->db, "Board Room", NULL), -EEXIST);
	assert_int_equal(channel_add(w->db, "Others", NULL), 0);
	assert_int_equal(channel_find(w->db, "Board Room", &channel, NULL), 0);
	assert_int_equal(channel_join(w->db, &channel, "tel:+1", NULL), 0);
	assert_int_equal(channel_join(w->db, &channel, "tel:+1", NULL), 0);
	assert_int_equal(enrol(w, "tel:+1"), 0);
	update = update_now(w, &issued);
	assert_null(memmem(issued.file, issued.n, "Board", 5));
	assert_int_equal(update_channels(update), 2);
	assert_string_equal(update_channel_at(update, 0).channel, channel.uri);
	assert_int_equal(update_channel_at(update, 0).n, 1);
	assert_string_equal(update_channel_at(update, 0).uris[0], "tel:+1");
	assert_int_equal(update_channel_at(update, 1).n, 0);
	assert_int_equal(apply(w, update), 0); /* its receiver key is checked there */
	end_update(&update, &issued);
	assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, NULL), 0);
	assert_int_equal(keystore_channels(ks, NOW), 1);
	assert_int_equal(keystore_channel_at(ks, NOW, 0, &uri, &name), 0);
	assert_string_equal(uri, channel.uri);
	assert_string_equal(name, "Board Room");
	keystore_free(&ks);
	assert_int_equal(channel_leave(w->db, &channel, "tel:+1", NULL), 0);
	update = update_now(w, &issued);
	assert_int_equal(apply(w, update), 0);
	assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, NULL), 0);
	assert_int_equal(keystore_channels(ks, NOW), 0);
	keystore_free(&ks);
	end_update(&update, &issued);
}

static void a_deleted_user_or_channel_takes_its_memberships_along(void **state)
{
	struct world *w = *state;
	struct channel channel;
	struct person person;
	bool member;

	assert_int_equal(channel_add(w->db, "Board", NULL), 0);
	assert_int_equal(channel_find(w->db, "Board", &channel, NULL), 0);
	assert_int_equal(channel_join(w->db, &channel, "tel:+1", NULL), 0);
	assert_int_equal(person_find_any(w->db, "tel:+1", &person, NULL), 0);
	assert_int_equal(person_delete(w->db, &person, NOW, NULL), 0);
	assert_int_equal(channel_has(w->db, channel.uri, "tel:+1", &member, NULL), 0);
	assert_false(member);
	assert_int_equal(channel_delete(w->db, &channel, NULL), 0);
	assert_int_equal(channel_find(w->db, "Board", &channel, NULL), -ENOENT);
}

static size_t other_certificate(struct world *w, uint8_t *octets)
{
	struct update_domain other = { .name = "Friends", .not_before = NOW };
	struct master *master;
	struct domain *domain;
	size_t n;

	assert_int_equal(master_generate(w->curves, &master), 0);
	assert_int_equal(domain_new(w->curves, "Friends",
				    slice_of(master_kpak(master), KPAK_OCTETS),
				    slice_of(master_z(master), Z_OCTETS), &domain),
			 0);
	domain_pack(domain, other.kpak, other.z);
	domain_free(&domain);
	master_free(&master);
	assert_int_equal(certificate_encode(&other, octets, &n), 0);
	return n;
}

/* CMS-045 and CMS-046: a trusted domain comes and goes with the updates. */
static void a_trusted_domain_reaches_the_devices(void **state)
{
	struct world *w = *state;
	uint8_t octets[CERTIFICATE_OCTETS_MAX];
	size_t n = other_certificate(w, octets);
	struct issued_update issued;
	struct settings settings;
	struct domain *domain;
	struct update *update;
	struct keystore *ks;
	uint64_t from, until;
	struct peer peer;

	assert_int_equal(settings_load(w->db, &settings, NULL), 0);
	assert_int_equal(peer_read(slice_of(octets, n - 1), &peer, NULL), -EBADMSG);
	assert_int_equal(peer_read(slice_of(octets, n), &peer, NULL), 0);
	assert_int_equal(peer_add(w->db, &settings, &peer, NOW, NULL), 0);
	assert_int_equal(peer_add(w->db, &settings, &peer, NOW, NULL), -EEXIST);
	assert_int_equal(enrol(w, "tel:+1"), 0);
	update = update_now(w, &issued);
	assert_int_equal(apply(w, update), 0);
	end_update(&update, &issued);
	assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, NULL), 0);
	assert_int_equal(keystore_trusted_domain(ks, w->curves, 0, &domain, &from, &until), 0);
	assert_string_equal(domain_id_text(domain), peer.id);
	assert_int_equal(from, NOW);
	assert_int_equal(until, 0);
	domain_free(&domain);
	assert_int_equal(keystore_trusted_domain(ks, w->curves, 1, &domain, &from, &until),
			 -ENOENT);
	keystore_free(&ks);
	assert_int_equal(peer_delete(w->db, "Friends", NULL), 0);
	assert_int_equal(peer_delete(w->db, "Friends", NULL), -ENOENT);
	update = update_now(w, &issued);
	assert_int_equal(apply(w, update), 0);
	end_update(&update, &issued);
	assert_int_equal(keystore_load(w->path, KEYSTORE_READ, &ks, NULL), 0);
	assert_int_equal(keystore_trusted_domain(ks, w->curves, 0, &domain, &from, &until),
			 -ENOENT);
	keystore_free(&ks);
}

static void there_are_no_more_trusted_domains_than_updates_hold(void **state)
{
	static const char fill[] =
		"WITH RECURSIVE other (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM other "
		"WHERE i < ?) INSERT INTO domains (id, name, certificate, added) "
		"SELECT i, 'domain ' || i, x'00', 0 FROM other";
	const struct db_value count[] = { db_integer(UPDATE_DOMAINS_MAX) };
	struct world *w = *state;
	uint8_t octets[CERTIFICATE_OCTETS_MAX];
	size_t n = other_certificate(w, octets);
	struct settings settings;
	struct peer peer;

	assert_int_equal(settings_load(w->db, &settings, NULL), 0);
	assert_int_equal(peer_read(slice_of(octets, n), &peer, NULL), 0);
	assert_int_equal(database_run(w->db, fill, count, 1, NULL), 0);
	assert_int_equal(peer_add(w->db, &settings, &peer, NOW, NULL), -ENOSPC);
	assert_int_equal(peer_delete(w->db, "domain 7", NULL), 0);
	assert_int_equal(peer_add(w->db, &settings, &peer, NOW, NULL), 0);
}

/* CMS-031 */
static void there_are_at_most_fifty_channels(void **state)
{
	struct world *w = *state;
	char name[20];

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "channel %d", i);
		assert_int_equal(channel_add(w->db, name, NULL), 0);
	}
	assert_int_equal(channel_add(w->db, "one more", NULL), -ENOSPC);
	assert_int_equal(channel_add(w->db, "", NULL), -EINVAL);
	assert_int_equal(channel_add(w->db, "two\nlines", NULL), -EINVAL);
}

static void creation_times_only_rise(void **state)
{
	struct world *w = *state;
	struct issued_update first, second;
	struct update *a = update_now(w, &first), *b = update_now(w, &second);
	struct issuer issuer;

	assert_true(update_newer(update_revision(b), update_created(b), update_revision(a),
				 update_created(a)));
	assert_true(update_created(b) > update_created(a));
	assert_int_equal(issuer_open(w->db, &w->vault, NOW - 400, &issuer, NULL), -ERANGE);
	end_update(&a, &first);
	end_update(&b, &second);
}

static void nothing_is_issued_with_another_vault(void **state)
{
	struct world *w = *state;
	struct vault other = { .key = { 1 } };
	struct issuer issuer;

	assert_int_equal(issuer_open(w->db, &other, NOW, &issuer, NULL), -EBADMSG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, end_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_letter_attaches_and_its_update_is_taken),
		TEST(a_later_letter_takes_the_update_that_is_out),
		TEST(a_gateways_letter_has_its_crypto_engines),
		TEST(a_device_whose_keys_were_destroyed_is_out),
		TEST(a_deleted_user_leaves_a_tombstone_if_it_had_a_letter),
		TEST(a_channel_reaches_its_members_and_no_one_else_its_name),
		TEST(a_deleted_user_or_channel_takes_its_memberships_along),
		TEST(a_trusted_domain_reaches_the_devices),
		TEST(there_are_no_more_trusted_domains_than_updates_hold),
		TEST(there_are_at_most_fifty_channels),
		TEST(creation_times_only_rise),
		TEST(nothing_is_issued_with_another_vault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
