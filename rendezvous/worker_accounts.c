/* worker_accounts.c - who may enter: loaded at the start, and again at a reload.
 *
 * All is loaded beside what is in use and put in its place at the end, so that a reload that
 * fails leaves the worker as it was. Floors are written by the supervisor alone; workers read
 * them, each the URIs of its own slots.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	FORGOTTEN_FIRST = 16, /* users; doubled as needed */
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

/* --- accounts that were deleted --- */

/* One of which the store has yet to hear, or to say that it has. */
struct forgotten {
	SLIST_ENTRY(forgotten) in_worker;
	struct worker *worker;
	char **uris; /* of its users at home here, from the roster that is gone by then */
	size_t n, cap;
	char account[];
};

static void forget_user(void *arg, struct slice uri)
{
	struct worker *worker = arg;

	home_forget_user(worker->home, uri);
}

/* Without memory it is left out, and goes when it has expired. */
static void note_user(void *arg, struct slice uri)
{
	struct forgotten *forgotten = arg;

	if (forgotten->n == forgotten->cap) {
		size_t cap = forgotten->cap ? 2 * forgotten->cap : FORGOTTEN_FIRST;
		char **uris = reallocarray(forgotten->uris, cap, sizeof(*uris));

		if (!uris)
			return;
		forgotten->uris = uris;
		forgotten->cap = cap;
	}
	forgotten->uris[forgotten->n] = strndup((const char *)uri.p, uri.n);
	if (forgotten->uris[forgotten->n])
		forgotten->n++;
}

static void drop(struct forgotten *forgotten)
{
	SLIST_REMOVE(&forgotten->worker->forgotten, forgotten, forgotten, in_worker);
	for (size_t i = 0; i < forgotten->n; i++)
		free(forgotten->uris[i]);
	free(forgotten->uris);
	free(forgotten);
}

/* Answers come in the order of commands: with the last one all are done. */
static void on_dropped(void *arg, int err, uint64_t number)
{
	(void)number;
	/* Of a connection that was lost nobody knows how far the store came; until there is
	 * another one it keeps nothing new of that name.  What it refused is not tried again: by
	 * then it might. */
	if (err != -EPIPE)
		drop(arg);
}

/* Each worker drops all that is kept by account, after it has written what it had counted itself:
 * then nobody's counts come behind the last one's.  While the store is away this does nothing. */
static void drop_hashes(struct forgotten *forgotten)
{
	struct store *store = forgotten->worker->store;
	int64_t month = period_of(clock_wall_s());
	const char *name, *account = forgotten->account;
	int err = 0;

	home_flush_counters(forgotten->worker->home);
	for (int i = 0; i < COUNTER_COUNT; i++)
		(void)store_drop_hash(store, counter_name((enum counter)i), account, NULL, NULL);
	(void)store_drop_hash(store, "read", account, NULL, NULL);
	for (size_t i = 0; (name = client_data_name(i)); i++)
		(void)store_drop_hash(store, name, account, NULL, NULL);
	/* Of earlier months, too: releases before this one noted them without an end. */
	for (int64_t m = month - CONFIRMED_MONTHS; m <= month + 1; m++) {
		char what[24], text[PERIOD_TEXT_SIZE];

		period_text(m, text);
		snprintf(what, sizeof(what), "confirm-%s", text);
		err = store_drop_hash(store, what, account, m > month ? on_dropped : NULL,
				      forgotten);
	}
	if (err) /* of the last one: on_dropped() is not called */
		on_dropped(forgotten, err, 0);
}

/* Kept until the store has done it: it may be away, not there yet as the worker starts, or end
 * before it has read so far. */
void worker_forget_account(struct worker *worker, const char *account)
{
	size_t n = strlen(account) + 1;
	struct forgotten *forgotten = calloc(1, sizeof(*forgotten) + n);

	/* By the roster that is still in use: the reload behind this message takes it away. */
	roster_each(worker->roster, account, forget_user, worker);
	if (!forgotten) {
		log_warn("account", "%s: no memory to forget all that is kept of it", account);
		return;
	}
	forgotten->worker = worker;
	memcpy(forgotten->account, account, n);
	roster_each(worker->roster, account, note_user, forgotten);
	SLIST_INSERT_HEAD(&worker->forgotten, forgotten, in_worker);
	drop_hashes(forgotten);
}

/* An account of that name that was made meanwhile loses nothing: there was no store to keep it. */
void worker_forget_owed(struct worker *worker)
{
	struct forgotten *forgotten = SLIST_FIRST(&worker->forgotten), *next;

	for (; forgotten; forgotten = next) {
		next = SLIST_NEXT(forgotten, in_worker);
		for (size_t i = 0; i < forgotten->n; i++)
			(void)store_forget(worker->store, slice_str(forgotten->uris[i]));
		drop_hashes(forgotten);
	}
}

void worker_drop_owed(struct worker *worker)
{
	while (SLIST_FIRST(&worker->forgotten))
		drop(SLIST_FIRST(&worker->forgotten));
}
