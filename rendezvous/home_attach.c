/* home_attach.c - devices: who may register, and in whose place.
 *
 * A registration is judged by the roster, waits where it raises its user's floor until that is
 * durable, and then takes the place of an earlier connection of the same device or, as primary,
 * of another primary. A user is kept while he has a device; mailboxes are kept apart
 * (mailboxes.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/pack.h"
#include "rendezvous/home_priv.h"
#include "rendezvous/roster.h"

static void free_pending(struct home *home, struct pending_attach *pending)
{
	idmap_remove(&home->pending, &pending->node);
	TAILQ_REMOVE(&home->waiting, pending, in_home);
	home->n_pending--;
	crs_worker__attach__free_unpacked(pending->attach, NULL);
	free(pending);
}

static void free_user(struct home *home, struct user *user)
{
	while (user->devices) {
		struct device *device = user->devices;

		user->devices = device->next;
		free(device);
	}
	idmap_remove(&home->users, &user->node);
	TAILQ_REMOVE(&home->all, user, in_home);
	free(user->account);
	free(user);
}

void home_free_users(struct home *home)
{
	struct user *user;
	struct pending_attach *pending;

	while ((user = TAILQ_FIRST(&home->all)))
		free_user(home, user);
	while ((pending = TAILQ_FIRST(&home->waiting)))
		free_pending(home, pending);
}

static struct user *need_user(struct home *home, const char *uri, const char *account)
{
	struct user *user = home_find_user(home, slice_str(uri));
	size_t n = strlen(uri);

	if (user)
		return user;
	user = calloc(1, sizeof(*user) + n + 1);
	if (!user)
		return NULL;
	user->account = strdup(account);
	if (!user->account) {
		free(user);
		return NULL;
	}
	memcpy(user->uri, uri, n);
	idmap_put(&home->users, &user->node, keyhash_of(&home->hash, slice_str(uri)));
	TAILQ_INSERT_TAIL(&home->all, user, in_home);
	return user;
}

static void drop_device(struct home *home, struct user *user, struct device *device)
{
	struct device **at = &user->devices;

	while (*at != device)
		at = &(*at)->next;
	*at = device->next;
	user->n_devices--;
	free(device);
	if (!user->devices)
		free_user(home, user);
}

static uint32_t deny_reason(enum roster_verdict verdict)
{
	switch (verdict) {
	case ROSTER_DENY_ACCOUNT:
		return UMSG__DENY_REASON__DENY_OTHER_ACCOUNT;
	case ROSTER_DENY_DELETED:
		return UMSG__DENY_REASON__DENY_DELETED;
	case ROSTER_DENY_UNLISTED:
		return UMSG__DENY_REASON__DENY_NOT_LISTED;
	case ROSTER_DENY_OLD:
		return UMSG__DENY_REASON__DENY_OLD_GENERATION;
	case ROSTER_DENY_BLACKLISTED:
		return UMSG__DENY_REASON__DENY_BLACKLISTED;
	/* No reason to deny; named so that the compiler tells when a verdict is added. */
	case ROSTER_ADMIT:
	case ROSTER_ADMIT_RAISE:
		break;
	}
	return UMSG__DENY_REASON__DENY_UNSPECIFIED;
}

static void answer_attach(struct home *home, unsigned holder, uint64_t connection,
			  const char *deny_text, uint32_t reason, uint32_t waiting)
{
	CrsWorker__Peer message = CRS_WORKER__PEER__INIT;
	CrsWorker__Attached attached = CRS_WORKER__ATTACHED__INIT;
	char text[64];

	snprintf(text, sizeof(text), "%s", deny_text ? deny_text : "");
	attached.connection = connection;
	attached.registered = !deny_text;
	attached.deny_reason = reason;
	attached.reason = text;
	attached.waiting = waiting;
	/* By it the client knows whether its numbers of messages are still good. */
	attached.epoch = home->epoch;
	message.body_case = CRS_WORKER__PEER__BODY_ATTACHED;
	message.attached = &attached;
	worker_send(home->worker, holder, &message);
}

static void unregister(struct home *home, const struct endpoint *at, uint32_t reason,
		       const char *why, bool close)
{
	CrsWorker__Peer message = CRS_WORKER__PEER__INIT;
	CrsWorker__Unregister gone = CRS_WORKER__UNREGISTER__INIT;
	char text[64];

	snprintf(text, sizeof(text), "%s", why);
	gone.connection = at->connection;
	gone.deny_reason = reason;
	gone.reason = text;
	gone.close = close;
	message.body_case = CRS_WORKER__PEER__BODY_UNREGISTER;
	message.unregister = &gone;
	worker_send(home->worker, at->holder, &message);
}

/* Makes room for a new device: the same device's earlier connection goes, and where
 * it is primary any other primary, too. */
static void replace_devices(struct home *home, struct user *user, const CrsWorker__Attach *m,
			    const struct endpoint *at)
{
	struct slice id = frame_bytes(m->device_id);
	struct device *device = user->devices;

	while (device) {
		struct device *next = device->next;
		bool same = slice_eq(id, slice_of(device->id, FRAME_ID));
		bool primaries = m->primary && device->primary;

		if (same || primaries) {
			struct device **link = &user->devices;

			/* The same connection registers anew, after an update: it is not to be
			 * told that it was replaced. */
			if (!endpoint_equal(&device->at, at))
				unregister(home, &device->at, 0,
					   same ? "connected again" : "replaced", same);
			while (*link != device)
				link = &(*link)->next;
			*link = next;
			user->n_devices--;
			free(device);
		}
		device = next;
	}
}

/* Not now.  again: the client is registered and has not asked, so that no answer reaches it; its
 * connection ends, and it registers over another one. */
static void refuse_for_now(struct home *home, unsigned holder, const CrsWorker__Attach *m,
			   const char *why)
{
	const struct endpoint at = { .holder = holder, .connection = m->connection };

	if (m->again)
		home_unheard(home, &at);
	else
		answer_attach(home, holder, m->connection, why, 0, 0);
}

static void add_device(struct home *home, unsigned holder, const CrsWorker__Attach *m)
{
	struct user *user = need_user(home, m->uri, m->account);
	struct endpoint at = { .holder = holder, .connection = m->connection };
	struct device *device = user ? calloc(1, sizeof(*device)) : NULL;
	uint32_t waiting = 0;

	if (!device || m->device_id.len != FRAME_ID) {
		free(device);
		if (user && !user->devices)
			free_user(home, user);
		refuse_for_now(home, holder, m, "no memory");
		return;
	}
	/* Before they are counted: a device that comes back must not be refused for its own
	 * earlier connection. */
	replace_devices(home, user, m, &at);
	if (user->n_devices >= HOME_MAX_DEVICES) {
		free(device);
		refuse_for_now(home, holder, m, "too many devices");
		return;
	}
	device->at = at;
	device->generation = m->generation;
	device->primary = m->primary;
	device->updates_only = m->updates_only;
	memcpy(device->id, m->device_id.data, FRAME_ID);
	device->next = user->devices;
	user->devices = device;
	user->n_devices++;
	/* The primary alone takes messages; what waits is counted in the answer, so that the
	 * client fetches at once. */
	if (device->primary && !device->updates_only)
		waiting = mailboxes_attached(home->mailboxes, slice_str(user->uri), &at,
					     clock_mono_ms());
	/* again: the holder tells a home that was started anew of devices that are registered
	 * already. */
	if (!m->again)
		answer_attach(home, holder, m->connection, NULL, 0, waiting);
	if (!device->updates_only)
		/* Behind the answer: the holder has to know the device before it rings. */
		home_awake(home, user->uri);
}

/* The registration goes on when its floor is durable. */
static void wait_for_floor(struct home *home, unsigned holder, const CrsWorker__Attach *m)
{
	struct pending_attach *pending = NULL;
	uint64_t ticket = ++home->ticket;

	/* Bounded: a disk that hangs must not take all memory with it. */
	if (home->n_pending < HOME_MAX_PENDING)
		pending = calloc(1, sizeof(*pending));
	if (pending)
		pending->attach = (CrsWorker__Attach *)(void *)pack_copy(&m->base);
	if (!pending || !pending->attach ||
	    worker_raise_floor(home->worker, ticket, m->account, m->uri, m->generation)) {
		if (pending && pending->attach)
			crs_worker__attach__free_unpacked(pending->attach, NULL);
		free(pending);
		refuse_for_now(home, holder, m, "server busy");
		return;
	}
	pending->holder = holder;
	idmap_put(&home->pending, &pending->node, ticket);
	/* The ticket is out already, but its answer cannot come before this turn of the loop
	 * ends. */
	TAILQ_INSERT_TAIL(&home->waiting, pending, in_home);
	home->n_pending++;
}

/* Guests of a health check have no row in the roster, and nobody else has such a name. */
static enum roster_verdict check(const struct home *home, const char *account, const char *uri,
				 uint32_t generation)
{
	const char *host = guests_account_of(home->guests, slice_str(uri));

	if (!guests_is_name(slice_str(uri)))
		return roster_check(worker_roster(home->worker), account, slice_str(uri),
				    generation);
	return host && strcmp(host, account) == 0 ? ROSTER_ADMIT : ROSTER_DENY_UNLISTED;
}

static void deny(struct home *home, unsigned holder, const CrsWorker__Attach *m,
		 enum roster_verdict verdict)
{
	struct endpoint at = { .holder = holder, .connection = m->connection };

	/* again: the client is registered, and waits for no answer. */
	if (m->again)
		unregister(home, &at, deny_reason(verdict), roster_verdict_text(verdict), false);
	else
		answer_attach(home, holder, m->connection, roster_verdict_text(verdict),
			      deny_reason(verdict), 0);
}

void home_attach(struct home *home, unsigned holder, const CrsWorker__Attach *m)
{
	enum roster_verdict verdict = check(home, m->account, m->uri, m->generation);

	if (verdict == ROSTER_ADMIT)
		add_device(home, holder, m);
	else if (verdict == ROSTER_ADMIT_RAISE)
		wait_for_floor(home, holder, m);
	else
		deny(home, holder, m, verdict);
}

void home_floor_done(struct home *home, uint64_t ticket, int err)
{
	struct idmap_node *node = idmap_first(&home->pending, ticket);
	struct pending_attach *pending;
	CrsWorker__Attach *m;

	if (!node)
		return;
	pending = IDMAP_OWNER(node, struct pending_attach, node);
	m = pending->attach;
	if (err == 0)
		err = roster_raise(worker_roster(home->worker), m->account, slice_str(m->uri),
				   m->generation);
	if (err == 0)
		/* Judged once more: the roster may have changed meanwhile. */
		home_attach(home, pending->holder, m);
	else if (err == -EACCES)
		/* Not judged by the roster here: whoever he belongs to may have left while his
		 * floor was written, and this worker hears of it with the next reload only. */
		deny(home, pending->holder, m, ROSTER_DENY_ACCOUNT);
	else
		refuse_for_now(home, pending->holder, m, "accounts not writable");
	free_pending(home, pending);
}

static void drop_pending(struct home *home, unsigned holder, uint64_t connection)
{
	struct pending_attach *pending = TAILQ_FIRST(&home->waiting);

	while (pending) {
		struct pending_attach *next = TAILQ_NEXT(pending, in_home);

		/* Connection 0: all of the holder's. */
		if (pending->holder == holder &&
		    (connection == 0 || pending->attach->connection == connection))
			free_pending(home, pending);
		pending = next;
	}
}

void home_detach(struct home *home, unsigned holder, const CrsWorker__Detach *m)
{
	struct endpoint at = { .holder = holder, .connection = m->connection };
	struct user *user = home_find_user(home, slice_str(m->uri));
	struct device *device = user ? user->devices : NULL;

	while (device && !endpoint_equal(&device->at, &at))
		device = device->next;
	if (device)
		drop_device(home, user, device);
	else
		/* It went while its floor was written; the floor stays raised, for the key was
		 * shown to be there. */
		drop_pending(home, holder, m->connection);
}

void home_holder_down(struct home *home, unsigned holder)
{
	struct user *user = TAILQ_FIRST(&home->all), *next_user;

	for (; user; user = next_user) {
		struct device *device = user->devices, *next;

		next_user = TAILQ_NEXT(user, in_home);
		for (; device; device = next) {
			next = device->next;
			if (device->at.holder == holder)
				drop_device(home, user, device); /* the last one: user, too */
		}
	}
	drop_pending(home, holder, 0);
	/* Else they would wake somebody up, and ring, for nobody. */
	home_forget_sleepers_of(home, holder);
	/* Calls last: a device that is gone must not be rung again on the way. */
	sessions_holder_lost(home->sessions, holder, clock_mono_ms());
}

void home_roster_changed(struct home *home)
{
	struct user *user = TAILQ_FIRST(&home->all), *next_user;

	for (; user; user = next_user) {
		struct device *device = user->devices, *next;

		next_user = TAILQ_NEXT(user, in_home);
		for (; device; device = next) {
			enum roster_verdict verdict =
				check(home, user->account, user->uri, device->generation);

			next = device->next;
			/* One that would raise the floor is in already: nothing new is shown by
			 * it. */
			if (verdict == ROSTER_ADMIT || verdict == ROSTER_ADMIT_RAISE)
				continue;
			unregister(home, &device->at, deny_reason(verdict),
				   roster_verdict_text(verdict), false);
			drop_device(home, user, device);
		}
	}
}
