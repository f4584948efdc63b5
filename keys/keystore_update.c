/* keystore_update.c - takes a monthly update into a store. */
#include "keys/keystore.h"

#include <errno.h>

#include "base/diag.h"
#include "keys/domain.h"
#include "keys/keystore_priv.h"
#include "keys/period.h"
#include "keys/secret.h"

/* A rendezvous, or who took it over, may offer old updates again: none goes back, neither in
 * generation nor within a month. */
static int check_newer(struct store *store, const struct update_entry *entry, int64_t now_s,
		       struct diag *diag)
{
	const struct store_month *held = store_month_find(store, entry->keys.month);

	if (entry->generation < store->generation) {
		diag_error(diag, NULL, "the update is of an earlier generation of %s", store->uri);
		return -ESTALE;
	}
	if (store_month_gone(store, entry->keys.month, now_s)) {
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

/* The rendezvous cannot make keys; a damaged or foreign entry that opened all the same is found
 * here, before the good keys are replaced. */
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
	/* This month's file may be applied after next month's: settings are those of the newest
	 * one. */
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
	/* Cheap refusals come before the keys are loaded (some 30 ms, and as much for each
	 * channel). */
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
