/* worker_accounts.c - who may enter: loaded at the start, and again at a reload.
 *
 * All is loaded beside what is in use and put in its place at the end, so that a reload that
 * fails leaves the worker as it was. Floors are written by the supervisor alone; workers read
 * them, each the URIs of its own slots.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/log.h"
#include "keys/period.h"
#include "rendezvous/account_set.h"
#include "rendezvous/accounts.h"
#include "rendezvous/admin_set.h"
#include "rendezvous/client_data.h"
#include "rendezvous/counters.h"
#include "rendezvous/holder.h"
#include "rendezvous/home.h"
#include "rendezvous/roster.h"
#include "rendezvous/store.h"
#include "rendezvous/updates.h"
#include "rendezvous/worker_priv.h"

enum {
	FLOORS_MAX = 512 << 20,
	CONFIRMED_MONTHS = 24, /* looked back for what was noted of updates */
	RELOAD_AGAIN_FIRST_MS = 1000,
	RELOAD_AGAIN_LAST_MS = 60 * 1000,
};

static bool at_home_here(void *arg, struct slice uri)
{
	const struct worker *worker = arg;

	return worker_home_of(worker, uri) == worker->setup->index;
}

static void log_diag(const struct diag *diag)
{
	struct diag_item item;

	for (size_t i = 0; diag_get(diag, i, &item); i++)
		log_warn("account", "%s%s%s", item.place.file ? item.place.file : "",
			 item.place.file ? ": " : "", item.text);
}

static int load_floors(struct worker *worker, struct roster *roster, const char *id)
{
	char path[ACCOUNTS_PATH], *blacklist = NULL;
	uint8_t *text = NULL;
	size_t n = 0;
	int err = accounts_path(worker->setup->accounts_dir, id, "floors", path);

	if (!err)
		err = file_read(path, FLOORS_MAX, &text, &n);
	if (!err) {
		int bad = roster_load(roster, id, slice_of(text, n));

		if (bad > 0)
			log_warn("account", "%s: %d lines that make no sense", path, bad);
		err = bad < 0 ? bad : 0;
	}
	free(text);
	/* No file: nobody of the account was ever seen. */
	if (err && err != -ENOENT)
		return err;
	err = accounts_read_blacklist(worker->setup->accounts_dir, id, &blacklist);
	if (!err)
		err = roster_set_blacklist(roster, id, slice_str(blacklist));
	free(blacklist);
	return err;
}

int worker_load_accounts(struct worker *worker)
{
	const char *dir = worker->setup->accounts_dir;
	struct account_set *accounts = NULL;
	struct admin_set *admins = NULL;
	struct updates *updates = NULL;
	struct roster *roster = roster_new(at_home_here, worker);
	struct diag *diag = diag_new();
	int err = roster && diag ? 0 : -ENOMEM;

	/* The present set goes along, as secrets that did not change are taken from
	 * it. */
	if (!err)
		err = account_set_load(dir, worker->accounts, &accounts, diag);
	for (size_t i = 0; !err && i < account_set_count(accounts); i++)
		err = load_floors(worker, roster, account_set_id(accounts, i));
	if (!err)
		err = updates_load(dir, accounts, clock_wall_s(), &updates, diag);
	if (!err)
		err = admin_set_load(worker->setup->admins_dir, &admins, diag);
	if (worker->setup->index == 0) /* one of the workers is enough to complain */
		log_diag(diag);
	diag_free(&diag);
	if (err) {
		roster_free(&roster);
		account_set_free(&accounts);
		updates_free(&updates);
		return err;
	}
	account_set_free(&worker->accounts);
	admin_set_free(&worker->admins);
	roster_free(&worker->roster);
	updates_free(&worker->updates);
	worker->accounts = accounts;
	worker->admins = admins;
	worker->roster = roster;
	worker->updates = updates;
	return 0;
}

/* Nobody tells a second time that something has changed; and who may enter here is not who may
 * enter at the other workers until then. */
static void reload_later(struct worker *worker, int err)
{
	/* Said once a change, however long it lasts. */
	if (!worker->reload_pause_ms)
		log_warn("account", "cannot load the accounts again: %s; trying on",
			 strerror(-err));
	worker->reload_pause_ms =
		worker->reload_pause_ms ? 2 * worker->reload_pause_ms : RELOAD_AGAIN_FIRST_MS;
	if (worker->reload_pause_ms > RELOAD_AGAIN_LAST_MS)
		worker->reload_pause_ms = RELOAD_AGAIN_LAST_MS;
	worker->reload_ms = clock_mono_ms() + worker->reload_pause_ms;
}

void worker_tick_accounts(struct worker *worker)
{
	if (worker->reload_ms && clock_mono_ms() >= worker->reload_ms)
		worker_reload(worker);
}

void worker_reload(struct worker *worker)
{
	int err = worker_load_accounts(worker);

	if (err) {
		reload_later(worker, err);
		return;
	}
	worker->reload_ms = worker->reload_pause_ms = 0;
	/* Whoever may not enter any more goes first; then connections learn what changed for
	 * those who stay. */
	home_roster_changed(worker->home);
	holder_accounts_changed(worker->holder);
	holder_updates_changed(worker->holder);
}

static void forget_user(void *arg, struct slice uri)
{
	struct worker *worker = arg;

	home_forget_user(worker->home, uri);
}

static void drop_hash(struct worker *worker, const char *what, const char *account)
{
	(void)store_drop_hash(worker->store, what, account, NULL, NULL);
}

/* Each worker drops all that is kept by account, after it has written what it had counted itself:
 * then nobody's counts come behind the last one's. */
void worker_forget_account(struct worker *worker, const char *account)
{
	int64_t month = period_of(clock_wall_s());
	const char *name;

	/* By the roster that is still in use: the reload behind this message takes it away. */
	roster_each(worker->roster, account, forget_user, worker);
	home_flush_counters(worker->home);
	for (int i = 0; i < COUNTER_COUNT; i++)
		drop_hash(worker, counter_name((enum counter)i), account);
	drop_hash(worker, "read", account);
	for (size_t i = 0; (name = client_data_name(i)); i++)
		drop_hash(worker, name, account);
	/* Of earlier months, too: releases before this one noted them without an end. */
	for (int64_t m = month - CONFIRMED_MONTHS; m <= month + 1; m++) {
		char what[24], text[PERIOD_TEXT_SIZE];

		period_text(m, text);
		snprintf(what, sizeof(what), "confirm-%s", text);
		drop_hash(worker, what, account);
	}
}
