/* home.c - devices and their registration. */
#include "rendezvous/home.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "rendezvous/home_priv.h"
#include "rendezvous/relay_client.h"
#include "rendezvous/roster.h"
#include "rendezvous/store.h"

int home_new(struct worker *worker, struct home **home_out)
{
	struct home *home = calloc(1, sizeof(*home));

	if (!home)
		return -ENOMEM;
	home->worker = worker;
	TAILQ_INIT(&home->all);
	TAILQ_INIT(&home->waiting);
	home->sessions = sessions_new(&home_sessions_ops, home);
	home->mailboxes = mailboxes_new(&home_mailboxes_ops, home);
	home->counters = counters_new();
	if (!home->sessions || !home->mailboxes || !home->counters || keyhash_init(&home->hash) ||
	    idmap_init(&home->users) || idmap_init(&home->pending)) {
		home_free(&home);
		return -ENOMEM;
	}
	*home_out = home;
	return 0;
}

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

void home_free(struct home **homep)
{
	struct home *home = *homep;
	struct user *user;
	struct pending_attach *pending;

	if (!home)
		return;
	while ((user = TAILQ_FIRST(&home->all)))
		free_user(home, user);
	while ((pending = TAILQ_FIRST(&home->waiting)))
		free_pending(home, pending);
	idmap_done(&home->users);
	idmap_done(&home->pending);
	sessions_free(&home->sessions);
	mailboxes_free(&home->mailboxes);
	counters_free(&home->counters);
	free(home);
	*homep = NULL;
}

struct user *home_find_user(const struct home *home, struct slice uri)
{
	struct idmap_node *node = idmap_first(&home->users, keyhash_of(&home->hash, uri));

	for (; node; node = idmap_next(node)) {
		struct user *user = IDMAP_OWNER(node, struct user, node);

		if (slice_eq_str(uri, user->uri))
			return user;
	}
	return NULL;
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

const struct device *user_primary(const struct user *user)
{
	const struct device *device = user ? user->devices : NULL;

	while (device && (!device->primary || device->updates_only))
		device = device->next;
	return device;
}

const struct device *user_device(const struct user *user, const struct endpoint *at)
{
	const struct device *device = user ? user->devices : NULL;

	while (device && !endpoint_equal(&device->at, at))
		device = device->next;
	return device;
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

void home_send_octets(struct home *home, const struct endpoint *to, struct slice octets,
		      const struct home_note *note)
{
	CrsWorker__Peer message = CRS_WORKER__PEER__INIT;
	CrsWorker__Down down = CRS_WORKER__DOWN__INIT;

	down.connection = to->connection;
	down.frame = frame_data(octets);
	if (note) {
		down.session_id = frame_data(note->session_id);
		down.session_over = note->over;
		down.post_answered = frame_data(note->post_answered);
	}
	message.body_case = CRS_WORKER__PEER__BODY_DOWN;
	message.down = &down;
	worker_send(home->worker, to->holder, &message);
}

void home_send_noted(struct home *home, const struct endpoint *to, Umsg__Frame *frame,
		     const struct home_note *note)
{
	uint8_t *octets;
	size_t n;
	int err = frame_encode(frame, &octets, &n);

	if (err) {
		log_warn("home", "cannot write a %s: %s", frame_name(frame), strerror(-err));
		return;
	}
	home_send_octets(home, to, slice_of(octets, n), note);
	free(octets);
}

void home_send(struct home *home, const struct endpoint *to, Umsg__Frame *frame)
{
	home_send_noted(home, to, frame, NULL);
}

void home_error(struct home *home, const struct endpoint *to, uint64_t request,
		Umsg__ErrorCode code, const char *text, uint32_t retry_after_s)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Error error = UMSG__ERROR__INIT;
	char copy[FRAME_TEXT_MAX];

	snprintf(copy, sizeof(copy), "%s", text);
	error.code = code;
	error.text = copy;
	error.retry_after = retry_after_s;
	frame.request = request;
	frame.body_case = UMSG__FRAME__BODY_ERROR;
	frame.error = &error;
	home_send(home, to, &frame);
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
		answer_attach(home, holder, m->connection, "no memory", 0, 0);
		return;
	}
	replace_devices(home, user, m, &at);
	if (user->n_devices >= HOME_MAX_DEVICES) {
		free(device);
		answer_attach(home, holder, m->connection, "too many devices", 0, 0);
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
	if (device->primary && !device->updates_only)
		waiting = mailboxes_attached(home->mailboxes, slice_str(user->uri), &at,
					     clock_mono_ms());
	if (!m->again)
		answer_attach(home, holder, m->connection, NULL, 0, waiting);
}

static CrsWorker__Attach *copy_attach(const CrsWorker__Attach *m)
{
	size_t n = crs_worker__attach__get_packed_size(m);
	uint8_t *octets = malloc(n ? n : 1);
	CrsWorker__Attach *copy = NULL;

	if (octets) {
		crs_worker__attach__pack(m, octets);
		copy = crs_worker__attach__unpack(NULL, n, octets);
	}
	free(octets);
	return copy;
}

/* The registration goes on when its floor is durable. */
static void wait_for_floor(struct home *home, unsigned holder, const CrsWorker__Attach *m)
{
	struct pending_attach *pending = NULL;
	uint64_t ticket = ++home->ticket;

	if (home->n_pending < HOME_MAX_PENDING)
		pending = calloc(1, sizeof(*pending));
	if (pending)
		pending->attach = copy_attach(m);
	if (!pending || !pending->attach ||
	    worker_raise_floor(home->worker, ticket, m->account, m->uri, m->generation)) {
		if (pending && pending->attach)
			crs_worker__attach__free_unpacked(pending->attach, NULL);
		free(pending);
		answer_attach(home, holder, m->connection, "server busy", 0, 0);
		return;
	}
	pending->holder = holder;
	idmap_put(&home->pending, &pending->node, ticket);
	TAILQ_INSERT_TAIL(&home->waiting, pending, in_home);
	home->n_pending++;
}

void home_attach(struct home *home, unsigned holder, const CrsWorker__Attach *m)
{
	enum roster_verdict verdict = roster_check(worker_roster(home->worker), m->account,
						   slice_str(m->uri), m->generation);
	struct endpoint at = { .holder = holder, .connection = m->connection };

	if (verdict == ROSTER_ADMIT)
		add_device(home, holder, m);
	else if (verdict == ROSTER_ADMIT_RAISE)
		wait_for_floor(home, holder, m);
	else if (m->again)
		unregister(home, &at, deny_reason(verdict), roster_verdict_text(verdict), false);
	else
		answer_attach(home, holder, m->connection, roster_verdict_text(verdict),
			      deny_reason(verdict), 0);
}

void home_floor_done(struct home *home, uint64_t ticket, bool failed)
{
	struct idmap_node *node = idmap_first(&home->pending, ticket);
	struct pending_attach *pending;
	CrsWorker__Attach *m;

	if (!node)
		return;
	pending = IDMAP_OWNER(node, struct pending_attach, node);
	m = pending->attach;
	if (!failed && roster_raise(worker_roster(home->worker), m->account, slice_str(m->uri),
				    m->generation) == 0)
		home_attach(home, pending->holder, m);
	else
		answer_attach(home, pending->holder, m->connection, "accounts not writable", 0, 0);
	free_pending(home, pending);
}

static void drop_pending(struct home *home, unsigned holder, uint64_t connection)
{
	struct pending_attach *pending = TAILQ_FIRST(&home->waiting);

	while (pending) {
		struct pending_attach *next = TAILQ_NEXT(pending, in_home);

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
	sessions_holder_lost(home->sessions, holder, clock_mono_ms());
}

void home_roster_changed(struct home *home)
{
	const struct roster *roster = worker_roster(home->worker);
	struct user *user = TAILQ_FIRST(&home->all), *next_user;

	for (; user; user = next_user) {
		struct device *device = user->devices, *next;

		next_user = TAILQ_NEXT(user, in_home);
		for (; device; device = next) {
			enum roster_verdict verdict = roster_check(
				roster, user->account, slice_str(user->uri), device->generation);

			next = device->next;
			if (verdict == ROSTER_ADMIT || verdict == ROSTER_ADMIT_RAISE)
				continue;
			unregister(home, &device->at, deny_reason(verdict),
				   roster_verdict_text(verdict), false);
			drop_device(home, user, device);
		}
	}
}

static void on_lookup(struct home *home, const struct endpoint *from, const Umsg__Frame *request)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__LookupAnswer answer = UMSG__LOOKUP_ANSWER__INIT;

	answer.uri = request->lookup->uri;
	answer.found = roster_account_of(worker_roster(home->worker),
					 slice_str(request->lookup->uri)) != NULL;
	frame.request = request->request;
	frame.body_case = UMSG__FRAME__BODY_LOOKUP_ANSWER;
	frame.lookup_answer = &answer;
	home_send(home, from, &frame);
}

/* The month that a client installed is kept for the statistics of its account. */
static void on_update_confirm(struct home *home, const struct endpoint *from,
			      const CrsWorker__Up *up, const Umsg__Frame *request)
{
	const Umsg__UpdateName *name = request->update_confirm->name;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Done done = UMSG__DONE__INIT;

	if (store_note_confirm(worker_store(home->worker), up->account, up->from, name->month,
			       name->revision, name->created)) {
		home_error(home, from, request->request, UMSG__ERROR_CODE__ERROR_BUSY,
			   "store not available", MAIL_RETRY_DOWN_S);
		return;
	}
	frame.request = request->request;
	frame.body_case = UMSG__FRAME__BODY_DONE;
	frame.done = &done;
	home_send(home, from, &frame);
}

void home_up(struct home *home, unsigned holder, const CrsWorker__Up *m)
{
	struct endpoint from = { .holder = holder, .connection = m->connection };
	Umsg__Frame *frame = NULL;

	if (frame_decode(frame_bytes(m->frame), FRAME_FROM_CLIENT, &frame))
		return; /* the holder let nothing but good frames through */
	switch (frame->body_case) {
	case UMSG__FRAME__BODY_BANG:
		home_bang(home, &from, m, frame);
		break;
	case UMSG__FRAME__BODY_GROWL:
	case UMSG__FRAME__BODY_TALK:
	case UMSG__FRAME__BODY_HANGUP:
	case UMSG__FRAME__BODY_SIGNAL:
		home_session_frame(home, &from, m, frame);
		break;
	case UMSG__FRAME__BODY_POST:
		home_post(home, &from, m, frame);
		break;
	case UMSG__FRAME__BODY_PART:
		home_part(home, &from, m, frame);
		break;
	case UMSG__FRAME__BODY_PART_ACK:
		home_part_ack(home, &from, m, frame);
		break;
	case UMSG__FRAME__BODY_TAKEN:
		home_taken(home, &from, m, frame);
		break;
	case UMSG__FRAME__BODY_FETCH:
		home_fetch(home, &from, m, frame);
		break;
	case UMSG__FRAME__BODY_LOOKUP:
		on_lookup(home, &from, frame);
		break;
	case UMSG__FRAME__BODY_UPDATE_CONFIRM:
		on_update_confirm(home, &from, m, frame);
		break;
	default:
		break;
	}
	frame_free(&frame);
}

void home_session_lost(struct home *home, unsigned holder, const CrsWorker__SessionLost *m)
{
	struct endpoint at = { .holder = holder, .connection = m->connection };

	sessions_lost(home->sessions, frame_bytes(m->session_id), &at, clock_mono_ms());
}

void home_store_up(struct home *home, uint64_t epoch)
{
	struct user *user;

	home->epoch = epoch;
	TAILQ_FOREACH(user, &home->all, in_home)
	{
		const struct device *primary = user_primary(user);

		if (primary)
			mailboxes_attached(home->mailboxes, slice_str(user->uri), &primary->at,
					   clock_mono_ms());
	}
}

void home_store_down(struct home *home)
{
	mailboxes_store_lost(home->mailboxes);
}

void home_store_room(struct home *home, const char *refuse_reason)
{
	snprintf(home->refuse_reason, sizeof(home->refuse_reason), "%s",
		 refuse_reason ? refuse_reason : "");
	mailboxes_refuse(home->mailboxes, refuse_reason ? home->refuse_reason : NULL);
}

void home_relay_down(struct home *home)
{
	sessions_relay_lost(home->sessions, clock_mono_ms());
}

static int write_counted(void *arg, const struct counted *counted)
{
	static const char *const names[COUNTER_COUNT] = { "post", "deliv" };
	struct home *home = arg;
	struct store *store = worker_store(home->worker);
	int err = store_is_up(store) ? 0 : -EPIPE;

	for (int i = 0; !err && i < COUNTER_COUNT; i++) {
		if (counted->count[i])
			err = store_count(store, names[i], counted->account, counted->uri,
					  counted->count[i]);
	}
	if (!err && counted->read_s)
		err = store_note_read(store, counted->account, counted->uri, counted->read_s);
	return err;
}

void home_flush_counters(struct home *home)
{
	counters_flush(home->counters, write_counted, home);
}

void home_tick(struct home *home)
{
	int64_t now_ms = clock_mono_ms();

	mailboxes_tick(home->mailboxes, now_ms, clock_wall_s());
	if (now_ms - home->sessions_tick_ms >= 1000) {
		home->sessions_tick_ms = now_ms;
		sessions_tick(home->sessions, now_ms);
	}
	if (now_ms - home->flushed_ms >= HOME_COUNTERS_FLUSH_MS) {
		home->flushed_ms = now_ms;
		home_flush_counters(home);
	}
}
