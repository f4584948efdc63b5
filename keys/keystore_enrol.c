/* keystore_enrol.c - takes a letter into a store. */
#include "keys/keystore.h"

#include <errno.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "base/diag.h"
#include "keys/domain.h"
#include "keys/keystore_priv.h"
#include "keys/secret.h"

static bool same_domain(const struct store *store, const struct letter *letter)
{
	return memcmp(store->domain.kpak, letter->kpak, sizeof(letter->kpak)) == 0 &&
	       memcmp(store->domain.z, letter->z, sizeof(letter->z)) == 0;
}

/* When the latest of what the store holds was made. */
static uint64_t latest_created(const struct store *store)
{
	uint64_t latest = store->letter_created;

	for (size_t i = 0; i < store->n_months; i++)
		if (store->months[i].keys.created > latest)
			latest = store->months[i].keys.created;
	return latest;
}

/* May the letter replace what the store holds?  A letter of another domain may:
 * whoever enrols with it decides so, and its generations count anew. */
static int check_letter(const struct store *store, const struct letter *letter, struct diag *diag)
{
	if (strcmp(store->uri, letter->uri) != 0) {
		diag_error(diag, NULL, "the letter is for %s, this key store belongs to %s",
			   letter->uri, store->uri);
		return -EPERM;
	}
	if (!same_domain(store, letter))
		return 0;
	if (letter->generation < store->generation ||
	    (letter->generation == store->generation && letter->created < latest_created(store))) {
		diag_error(diag, NULL, "the letter is older than what %s already holds",
			   store->uri);
		return -ESTALE;
	}
	return 0;
}

static void take_login(struct store *store, const struct letter *letter)
{
	struct store_login login = { .month = letter->months[0].month,
				     .generation = letter->generation };

	memcpy(login.address, letter->address, sizeof(login.address));
	memcpy(login.account, letter->account, sizeof(login.account));
	memcpy(login.tls_identity, letter->tls_identity, sizeof(login.tls_identity));
	memcpy(login.tls_key, letter->tls_key, sizeof(login.tls_key));
	/* All former ones go: a letter is newer than they are, and its user is at hand if it is
	 * wrong. */
	wipe(store->logins, sizeof(store->logins));
	store->n_logins = 0;
	store_login_add(store, &login);
	wipe(&login, sizeof(login));
}

/* A month that the store has by a later update of the same generation stays. */
static int take_month(struct store *store, const struct month_keys *keys, bool same_generation)
{
	struct store_month *month = store_month_make(store, keys->month);

	if (!month)
		return -ESTALE;
	if (same_generation && month->packed_n &&
	    !update_newer(keys->revision, keys->created, month->keys.revision, month->keys.created))
		return 0;
	month->keys = *keys;
	month->packed_n = ISSUED_PACKED;
	return 0;
}

static void take_domain(struct store *store, const struct letter *letter)
{
	store->domain = (struct update_domain){ 0 };
	memcpy(store->domain.name, letter->domain, sizeof(store->domain.name));
	memcpy(store->domain.kpak, letter->kpak, sizeof(store->domain.kpak));
	memcpy(store->domain.z, letter->z, sizeof(store->domain.z));
}

/* Empties the store but for what belongs to the device. */
static void forget_domain(struct store *store)
{
	uint8_t device[STORE_DEVICE_ID];

	memcpy(device, store->device, sizeof(device));
	store_clear(store);
	memcpy(store->device, device, sizeof(device));
}

static int take_letter(struct store *store, const struct letter *letter)
{
	bool same_generation = store->generation == letter->generation;
	int err = 0;

	memcpy(store->uri, letter->uri, sizeof(store->uri));
	memcpy(store->update_key, letter->update_key, sizeof(store->update_key));
	store->generation = letter->generation;
	store->letter_created = letter->created;
	take_domain(store, letter);
	take_login(store, letter);
	/* An update that is younger than the letter knows better. */
	if (letter->created > store->settings_created) {
		store->engines = letter->engines;
		store->settings.max_message_lifetime = letter->max_message_lifetime;
	}
	for (size_t i = 0; !err && i < letter->n_months; i++)
		err = take_month(store, &letter->months[i], same_generation);
	return err;
}

/* Are the letter's keys those of its identity, months and domain? */
static int check_keys(const struct curves *curves, const struct letter *letter, struct diag *diag)
{
	struct slice kpak = slice_of(letter->kpak, sizeof(letter->kpak));
	struct slice z = slice_of(letter->z, sizeof(letter->z));
	struct domain *domain;
	struct store store = { 0 };
	int err = domain_new(curves, letter->domain, kpak, z, &domain);

	if (!err) {
		memcpy(store.uri, letter->uri, sizeof(store.uri));
		for (size_t i = 0; !err && i < letter->n_months; i++) {
			struct store_month month = { letter->months[i], ISSUED_PACKED, NULL, 0 };

			err = store_check_month(&store, curves, domain, &month);
			wipe(&month, sizeof(month));
		}
		domain_free(&domain);
	}
	if (err == -EINVAL || err == -EKEYREJECTED) {
		diag_error(diag, NULL,
			   "the letter's keys are not those of %s in its months and domain",
			   letter->uri);
		err = -EKEYREJECTED;
	}
	return err;
}

/* Merges the letter into what lies at path, and writes that. */
static int enrol_at(const struct curves *curves, const struct letter *letter, const char *path,
		    struct diag *diag)
{
	struct store store = { 0 };
	bool fresh = access(path, F_OK) < 0 && errno == ENOENT;
	int err = 0;

	if (fresh && RAND_bytes(store.device, sizeof(store.device)) != 1)
		return -EIO;
	if (!fresh)
		err = store_read(path, &store, diag);
	/* The order is that of the reasons: whose letter it is, whether it is new, whether its
	 * keys are good; and nothing is forgotten before all three are known. */
	if (!err && !fresh)
		err = check_letter(&store, letter, diag);
	if (!err)
		err = check_keys(curves, letter, diag);
	if (!err && !fresh && !same_domain(&store, letter))
		forget_domain(&store);
	if (!err)
		err = take_letter(&store, letter);
	if (!err) {
		err = store_write(&store, path);
		if (err)
			diag_error(diag, NULL, "%s: %s", path, strerror(-err));
	}
	store_clear(&store);
	return err;
}

int keystore_enrol(const struct curves *curves, struct slice octets, const char *path,
		   struct diag *diag)
{
	struct letter letter;
	int lock, err = letter_decode(octets, &letter, diag);

	if (err)
		return err;
	/* Also where no store is yet: of two that enrol at once the second finds the first one's.
	 */
	lock = store_lock(path, diag);
	err = lock < 0 ? lock : enrol_at(curves, &letter, path, diag);
	if (lock >= 0)
		close(lock);
	letter_wipe(&letter);
	return err;
}
