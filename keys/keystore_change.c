/* keystore_change.c - what changes a store: letters, updates, time and pins. */
#include "keys/keystore.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "base/diag.h"
#include "keys/domain.h"
#include "keys/keystore_priv.h"
#include "keys/period.h"
#include "keys/secret.h"

/* ---- months and logins ---- */

struct store_month *store_month_find(struct store *store, int64_t month)
{
	for (size_t i = 0; i < store->n_months; i++)
		if (store->months[i].keys.month == month)
			return &store->months[i];
	return NULL;
}

/* Takes the first month off; the others move up. */
static void drop_first_month(struct store *store)
{
	store_month_clear(&store->months[0]);
	store->n_months--;
	memmove(&store->months[0], &store->months[1], store->n_months * sizeof(store->months[0]));
	wipe(&store->months[store->n_months], sizeof(store->months[0]));
}

struct store_month *store_month_make(struct store *store, int64_t month)
{
	struct store_month *there = store_month_find(store, month);
	size_t at = 0;

	if (there)
		return there;
	if (store->n_months == STORE_MONTHS_MAX) {
		if (month < store->months[0].keys.month)
			return NULL;
		drop_first_month(store);
	}
	while (at < store->n_months && store->months[at].keys.month < month)
		at++;
	memmove(&store->months[at + 1], &store->months[at],
		(store->n_months - at) * sizeof(store->months[0]));
	store->n_months++;
	store->months[at] = (struct store_month){ .keys.month = month };
	return &store->months[at];
}

static bool login_same(const struct store_login *a, const struct store_login *b)
{
	return strcmp(a->address, b->address) == 0 && strcmp(a->account, b->account) == 0 &&
	       strcmp(a->tls_identity, b->tls_identity) == 0 &&
	       secret_eq(slice_of(a->tls_key, sizeof(a->tls_key)),
			 slice_of(b->tls_key, sizeof(b->tls_key)));
}

void store_login_add(struct store *store, const struct store_login *login)
{
	size_t at = 0;

	while (at < store->n_logins && store->logins[at].month > login->month)
		at++;
	/* The one that holds at that time anyway says the same? */
	if (at < store->n_logins && login_same(login, &store->logins[at]))
		return;
	if (at == STORE_LOGINS_MAX)
		return;
	if (store->n_logins == STORE_LOGINS_MAX)
		store->n_logins--;
	memmove(&store->logins[at + 1], &store->logins[at],
		(store->n_logins - at) * sizeof(store->logins[0]));
	store->logins[at] = *login;
	store->n_logins++;
}

/* ---- enrolment ---- */

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
	lock = store_lock(path, diag);
	err = lock < 0 ? lock : enrol_at(curves, &letter, path, diag);
	if (lock >= 0)
		close(lock);
	letter_wipe(&letter);
	return err;
}

/* ---- updates ---- */

static int64_t lifetime_of(const struct store *store)
{
	return store->settings.max_message_lifetime ? (int64_t)store->settings.max_message_lifetime
						    : KEYSTORE_LIFETIME_S;
}

/* Is a month so long past that its keys are of no more use? */
static bool month_gone(const struct store *store, int64_t month, int64_t now_s)
{
	return period_start(month + 1) + lifetime_of(store) <= now_s;
}

static int check_newer(struct store *store, const struct update_entry *entry, int64_t now_s,
		       struct diag *diag)
{
	const struct store_month *held = store_month_find(store, entry->keys.month);

	if (entry->generation < store->generation) {
		diag_error(diag, NULL, "the update is of an earlier generation of %s", store->uri);
		return -ESTALE;
	}
	if (month_gone(store, entry->keys.month, now_s)) {
		diag_error(diag, NULL, "the update is of a month long past");
		return -ESTALE;
	}
	if (held && !update_newer(entry->keys.revision, entry->keys.created, held->keys.revision,
				  held->keys.created)) {
		diag_error(diag, NULL, "the update is not newer than what %s holds", store->uri);
		return -ESTALE;
	}
	return 0;
}

static int check_entry_keys(const struct store *store, const struct curves *curves,
			    const struct update_entry *entry, struct diag *diag)
{
	struct store_month month = { entry->keys, ISSUED_PACKED, entry->channels,
				     entry->n_channels };
	struct domain *domain;
	int err = domain_new(curves, store->domain.name,
			     slice_of(store->domain.kpak, sizeof(store->domain.kpak)),
			     slice_of(store->domain.z, sizeof(store->domain.z)), &domain);

	if (!err) {
		err = store_check_month(store, curves, domain, &month);
		domain_free(&domain);
	}
	wipe(&month, sizeof(month));
	if (err == -EKEYREJECTED)
		diag_error(diag, NULL, "the update's keys are not those of %s", store->uri);
	return err;
}

static void take_settings(struct store *store, const struct update_entry *entry)
{
	store->settings_created = entry->keys.created;
	store->engines = entry->engines;
	store->settings = (struct keystore_settings){ entry->max_message_lifetime,
						      entry->default_message_lifetime,
						      entry->intercept, entry->multipath };
}

static void take_entry_login(struct store *store, const struct update_entry *entry)
{
	struct store_login login = { .month = entry->keys.month, .generation = entry->generation };

	memcpy(login.address, entry->address, sizeof(login.address));
	memcpy(login.account, entry->account, sizeof(login.account));
	memcpy(login.tls_identity, entry->tls_identity, sizeof(login.tls_identity));
	memcpy(login.tls_key, entry->tls_key, sizeof(login.tls_key));
	store_login_add(store, &login);
	wipe(&login, sizeof(login));
}

/* Takes entry and common, whose lists go over to the store. */
static int take_entry(struct store *store, struct update_entry *entry, struct update_common *common,
		      bool have_common)
{
	struct store_month *month = store_month_make(store, entry->keys.month);

	if (!month)
		return -ESTALE;
	store_month_clear(month);
	*month = (struct store_month){ entry->keys, ISSUED_PACKED, entry->channels,
				       entry->n_channels };
	entry->channels = NULL;
	entry->n_channels = 0;
	store->generation = entry->generation;
	take_entry_login(store, entry);
	if (entry->keys.created < store->settings_created)
		return 0;
	take_settings(store, entry);
	if (have_common) {
		update_common_free(&store->common);
		store->common = *common;
		*common = (struct update_common){ 0 };
	}
	return 0;
}

/* Changes a copy, writes that, and only then puts it in the store's place. */
static int replace(struct keystore *ks, struct update_entry *entry, struct update_common *common,
		   bool have_common, struct diag *diag)
{
	struct store copy;
	int err = store_copy(&ks->store, &copy);

	if (err)
		return err;
	err = take_entry(&copy, entry, common, have_common);
	if (!err) {
		err = store_write(&copy, ks->path);
		if (err)
			diag_error(diag, NULL, "%s: %s", ks->path, strerror(-err));
	}
	if (err) {
		store_clear(&copy);
		return err;
	}
	store_clear(&ks->store);
	ks->store = copy;
	wipe(&copy, sizeof(copy));
	return 0;
}

static int open_entry(const struct store *store, int64_t month, uint32_t revision,
		      struct slice sealed, struct update_entry *entry, struct diag *diag)
{
	int err = update_entry_open(sealed, store->update_key, slice_str(store->uri), month,
				    revision, entry);

	if (err == -EACCES)
		diag_error(diag, NULL,
			   "the update's entry is not for %s with the keys it has now, or it is "
			   "damaged",
			   store->uri);
	else if (err == -EBADMSG)
		diag_error(diag, NULL, "the update's entry cannot be read");
	return err;
}

int keystore_apply_update(struct keystore *ks, const struct curves *curves, int64_t month,
			  uint32_t revision, struct slice entry_box, struct slice shared,
			  int64_t now_s, struct diag *diag)
{
	struct update_common common = { 0 };
	struct update_entry entry;
	int err;

	if (ks->mode != KEYSTORE_CHANGE)
		return -EROFS;
	if (month < 0 || month > PERIOD_MAX)
		return -EBADMSG;
	err = open_entry(&ks->store, month, revision, entry_box, &entry, diag);
	if (err)
		return err;
	err = check_newer(&ks->store, &entry, now_s, diag);
	if (!err && shared.n) {
		err = update_shared_open(shared, &entry, &common);
		if (err)
			diag_error(diag, NULL, "the update's shared part is damaged");
	}
	if (!err)
		err = check_entry_keys(&ks->store, curves, &entry, diag);
	if (!err)
		err = replace(ks, &entry, &common, shared.n > 0, diag);
	update_common_free(&common);
	update_entry_free(&entry);
	return err;
}

/* ---- time ---- */

/* Leaves the receiver key alone: the last part of the packed keys. */
static void drop_signing_key(struct store_month *month)
{
	uint8_t rsk[ISSUED_PACKED_RECEIVER];

	memcpy(rsk, month->keys.packed + ISSUED_PACKED - sizeof(rsk), sizeof(rsk));
	wipe(month->keys.packed, sizeof(month->keys.packed));
	memcpy(month->keys.packed, rsk, sizeof(rsk));
	month->packed_n = sizeof(rsk);
	wipe(rsk, sizeof(rsk));
}

bool keystore_expire(struct keystore *ks, int64_t now_s)
{
	struct store *store = &ks->store;
	bool changed = false;

	while (store->n_months && month_gone(store, store->months[0].keys.month, now_s)) {
		drop_first_month(store);
		changed = true;
	}
	for (size_t i = 0; i < store->n_months; i++) {
		struct store_month *month = &store->months[i];

		if (month->packed_n == ISSUED_PACKED &&
		    period_start(month->keys.month + 1) <= now_s) {
			drop_signing_key(month);
			changed = true;
		}
	}
	return changed;
}

/* ---- pins ---- */

int keystore_pin(struct keystore *ks, struct slice uri, const uint8_t *domain_id)
{
	struct store *store = &ks->store;
	struct store_pin *pin = NULL, *more;

	if (identity_check(uri, NULL))
		return -EINVAL;
	for (size_t i = 0; i < store->n_pins; i++)
		if (slice_eq_str(uri, store->pins[i].uri))
			pin = &store->pins[i];
	if (!pin) {
		if (store->n_pins == STORE_PINS_MAX)
			return -ENOSPC;
		more = realloc(store->pins, (store->n_pins + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		store->pins = more;
		pin = &store->pins[store->n_pins++];
		*pin = (struct store_pin){ 0 };
		memcpy(pin->uri, uri.p, uri.n);
	}
	memcpy(pin->domain, domain_id, STORE_DOMAIN_ID);
	return 0;
}
