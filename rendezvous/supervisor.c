/* supervisor.c - what the supervisor of crs keeps and tells its workers while it runs.
 *
 * The supervisor writes whatever is durable outside Redis (accounts, floors, updates) and serves
 * operators; workers serve clients, and have nothing that a restart may not lose. So a worker
 * that crashes takes its own connections and calls with it, no more, and is started again
 * (worker_process.c).
 */
#include "rendezvous/supervisor.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/log.h"
#include "base/notifier.h"
#include "rendezvous/account_set.h"
#include "rendezvous/accounts.h"
#include "rendezvous/apply.h"
#include "rendezvous/floors.h"
#include "rendezvous/pusher.h"
#include "rendezvous/redis_server.h"
#include "rendezvous/slot.h"
#include "rendezvous/supervisor_priv.h"

const struct supervisor_options *supervisor_options(const struct supervisor *supervisor)
{
	return supervisor->options;
}

const struct account_set *supervisor_accounts(const struct supervisor *supervisor)
{
	return supervisor->accounts;
}

struct floors *supervisor_floors(struct supervisor *supervisor)
{
	return supervisor->floors;
}

struct apply_target supervisor_apply_target(const struct supervisor *supervisor)
{
	return (struct apply_target){ .dir = supervisor->options->paths.accounts,
				      .accounts = supervisor->accounts,
				      .floors = supervisor->floors };
}

struct relay_client *supervisor_relay(struct supervisor *supervisor)
{
	return supervisor->relay;
}

bool supervisor_clock_ahead(const struct supervisor *supervisor, int64_t *seconds_out)
{
	return supervisor->pusher && pusher_clock_ahead(supervisor->pusher, seconds_out);
}

bool supervisor_process(const struct supervisor *supervisor, size_t i,
			struct supervisor_process *out)
{
	const struct redis_server *redis[] = { supervisor->redis_high, supervisor->redis_low };

	memset(out, 0, sizeof(*out));
	if (i == 0) {
		out->name = "crs";
		out->pid = getpid();
		return true;
	}
	if (i <= 2) {
		out->name = redis_server_name(redis[i - 1]);
		out->pid = redis_server_pid(redis[i - 1]);
		return true;
	}
	i -= 3;
	if (i >= supervisor->options->settings.workers)
		return false;
	out->name = supervisor->workers[i].name;
	/* One that runs but is not ready serves nobody yet: shown as not running. */
	out->pid = supervisor->workers[i].ready ? supervisor->workers[i].pid : 0;
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		out->slots += slot % supervisor->options->settings.workers == i;
	return true;
}

/* --- accounts --- */

static int load_folders(struct supervisor *supervisor, struct diag *diag)
{
	const struct apply_target into = supervisor_apply_target(supervisor);
	int err = 0;

	for (size_t i = 0; !err && i < account_set_count(supervisor->accounts); i++)
		err = apply_folder(&into, account_set_id(supervisor->accounts, i), diag);
	return err;
}

/* What a crash left of accounts that were being made or deleted. */
static void tidy(const char *dir)
{
	struct diag *diag = diag_new();
	struct diag_item item;

	accounts_tidy(dir, diag);
	for (size_t i = 0; diag_get(diag, i, &item); i++)
		log_warn("account", "%s", item.text);
	diag_free(&diag);
}

int supervisor_load_accounts(struct supervisor *supervisor, struct diag *diag)
{
	const char *dir = supervisor->options->paths.accounts;
	int err = file_mkdirs(dir, 0750);

	if (err) {
		diag_error(diag, NULL, "cannot make %s: %s", dir, strerror(-err));
		return err;
	}
	tidy(dir);
	err = account_set_load(dir, NULL, &supervisor->accounts, diag);
	/* Before the folders: updates that lie there raise floors, which have to be
	 * known. */
	for (size_t i = 0; !err && i < account_set_count(supervisor->accounts); i++)
		err = floors_load(supervisor->floors, account_set_id(supervisor->accounts, i));
	return err ? err : load_folders(supervisor, diag);
}

/* Those of accounts that were not there: put back from elsewhere, or not readable for a while.  An
 * update that raises floors writes all that are known, and would lower what is not. */
static int load_new_floors(struct supervisor *supervisor, const struct account_set *accounts,
			   struct diag *diag)
{
	for (size_t i = 0; i < account_set_count(accounts); i++) {
		const char *id = account_set_id(accounts, i);
		bool known;
		int err;

		account_set_secret(supervisor->accounts, id, &known);
		err = known ? 0 : floors_load(supervisor->floors, id);
		if (err) {
			diag_error(diag, NULL, "cannot read the floors of account %s: %s", id,
				   strerror(-err));
			return err;
		}
	}
	return 0;
}

static void drop_old_floors(struct supervisor *supervisor, const struct account_set *accounts)
{
	for (size_t i = 0; i < account_set_count(supervisor->accounts); i++) {
		const char *id = account_set_id(supervisor->accounts, i);
		bool known;

		account_set_secret(accounts, id, &known);
		/* An account of that name that is made later must not inherit floors. */
		if (!known)
			floors_drop(supervisor->floors, id);
	}
}

int supervisor_reload(struct supervisor *supervisor, struct diag *diag)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Reload reload = CRS_WORKER__RELOAD__INIT;
	struct account_set *accounts = NULL;
	int err = account_set_load(supervisor->options->paths.accounts, supervisor->accounts,
				   &accounts, diag);

	if (!err)
		err = load_new_floors(supervisor, accounts, diag);
	/* What is there cannot be read: the accounts that were loaded stay in force. */
	if (err) {
		account_set_free(&accounts);
		return err;
	}
	drop_old_floors(supervisor, accounts);
	account_set_free(&supervisor->accounts);
	supervisor->accounts = accounts;
	err = load_folders(supervisor, diag);
	message.body_case = CRS_WORKER__CONTROL__BODY_RELOAD;
	message.reload = &reload;
	/* Also after a fault in a folder: the accounts that are in order count. */
	supervisor_broadcast(supervisor, &message);
	return err;
}

/* --- told to all workers --- */

void supervisor_forget_account(struct supervisor *supervisor, const char *account,
			       struct diag *diag)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Forget forget = CRS_WORKER__FORGET__INIT;

	/* Before the reload: workers find the users in the rosters that they have. */
	forget.account = (char *)(uintptr_t)account;
	message.body_case = CRS_WORKER__CONTROL__BODY_FORGET;
	message.forget = &forget;
	supervisor_broadcast(supervisor, &message);
	supervisor_reload(supervisor, diag);
}

void supervisor_announce_guests(struct supervisor *supervisor, const char *account, const char *id)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Guests guests = CRS_WORKER__GUESTS__INIT;

	guests.account = (char *)(uintptr_t)account;
	guests.id = (char *)(uintptr_t)id;
	message.body_case = CRS_WORKER__CONTROL__BODY_GUESTS;
	message.guests = &guests;
	supervisor_broadcast(supervisor, &message);
}

int supervisor_wake(struct supervisor *supervisor, const char *account, const char *uri,
		    const char *value)
{
	if (!supervisor->pusher)
		return -ENOTSUP;
	return pusher_wake(supervisor->pusher, account, uri, value, PUSHER_ALWAYS);
}

void supervisor_expel(struct supervisor *supervisor, const char *account, const char *uri,
		      const char *reason)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Expel expel = CRS_WORKER__EXPEL__INIT;

	expel.account = (char *)(uintptr_t)account;
	expel.uri = (char *)(uintptr_t)uri;
	expel.reason = (char *)(uintptr_t)reason;
	message.body_case = CRS_WORKER__CONTROL__BODY_EXPEL;
	message.expel = &expel;
	supervisor_broadcast(supervisor, &message);
}

/* --- room for messages --- */

void supervisor_tell_room(struct supervisor *supervisor, struct worker_process *worker)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__StoreRoom room = CRS_WORKER__STORE_ROOM__INIT;
	char reason[] = "store full: no space on the disk";

	room.refuse = supervisor->disk_full;
	room.reason = reason;
	message.body_case = CRS_WORKER__CONTROL__BODY_STORE_ROOM;
	message.store_room = &room;
	if (worker)
		worker_process_send(worker, &message);
	else
		supervisor_broadcast(supervisor, &message);
}

bool supervisor_has_room(const struct supervisor *supervisor)
{
	return !supervisor->disk_full;
}

void supervisor_look_for_room(struct supervisor *supervisor)
{
	struct statvfs fs;
	uint64_t free_mib;
	bool full;

	/* Not known: what was said last holds. */
	if (statvfs(supervisor->options->paths.data, &fs))
		return;
	free_mib = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
	full = free_mib < SETTINGS_MIN_FREE_MIB;
	if (full == supervisor->disk_full)
		return;
	supervisor->disk_full = full;
	if (full)
		notifier_warn(supervisor->notifier, "store",
			      "only %llu MiB free in %s: no messages are stored",
			      (unsigned long long)free_mib, supervisor->options->paths.data);
	else
		notifier_init(supervisor->notifier, "store", "room again in %s",
			      supervisor->options->paths.data);
	supervisor_tell_room(supervisor, NULL);
}
