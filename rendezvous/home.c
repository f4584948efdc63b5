/* home.c - what comes to a home, and where it goes.
 *
 * Frames come from holders, which have checked them; here they are opened once and handed to the
 * file that the body belongs to. Every answer goes to an endpoint, a holder and its connection's
 * number: the holder drops what comes for one that is gone.
 */
#include "rendezvous/home.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "keys/domain.h"
#include "keys/period.h"
#include "rendezvous/account_set.h"
#include "rendezvous/home_priv.h"
#include "rendezvous/pusher.h"
#include "rendezvous/relay_client.h"
#include "rendezvous/roster.h"
#include "rendezvous/store.h"
#include "rendezvous/updates.h"
#include "umsg/frame_quick.h"

int home_new(struct worker *worker, struct home **home_out)
{
	struct home *home = calloc(1, sizeof(*home));

	if (!home)
		return -ENOMEM;
	home->worker = worker;
	TAILQ_INIT(&home->all);
	TAILQ_INIT(&home->waiting);
	TAILQ_INIT(&home->sleepers);
	home->sessions = sessions_new(&home_sessions_ops, home);
	home->mailboxes = mailboxes_new(&home_mailboxes_ops, home);
	home->fanouts = fanouts_new(&home_fanouts_ops, home);
	home->counters = counters_new();
	home->guests = guests_new();
	home->groups = recent_new(HOME_GROUP_CALL_MS);
	if (!home->sessions || !home->mailboxes || !home->fanouts || !home->counters ||
	    !home->guests || !home->groups || keyhash_init(&home->hash) ||
	    idmap_init(&home->users) || idmap_init(&home->pending)) {
		home_free(&home);
		return -ENOMEM;
	}
	if (worker_setup(worker)->push)
		home->pushed = recent_new(PUSHER_PAUSE_MS); /* without it the store is asked more */
	if (worker_setup(worker)->quota_messages)
		mailboxes_set_quota(home->mailboxes, worker_setup(worker)->quota_messages,
				    worker_setup(worker)->quota_octets);
	*home_out = home;
	return 0;
}

void home_free(struct home **homep)
{
	struct home *home = *homep;

	if (!home)
		return;
	/* Mailboxes, calls and posts tell nobody any more (their free functions): clients hear
	 * by their holders that this worker is gone. */
	home_free_users(home);
	home_free_sleepers(home);
	idmap_done(&home->users);
	idmap_done(&home->pending);
	sessions_free(&home->sessions);
	mailboxes_free(&home->mailboxes);
	fanouts_free(&home->fanouts);
	counters_free(&home->counters);
	guests_free(&home->guests);
	recent_free(&home->groups);
	recent_free(&home->pushed);
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

int home_send_octets(struct home *home, const struct endpoint *to, struct slice octets,
		     const struct home_note *note)
{
	struct passed_down down = { .connection = to->connection, .frame = octets };

	if (note) {
		down.session_id = note->session_id;
		down.session_over = note->over;
		down.post_answered = note->post_answered;
		down.request_answered = note->request_answered;
	}
	return worker_pass_down(home->worker, to->holder, &down);
}

void home_send_noted(struct home *home, const struct endpoint *to, Umsg__Frame *frame,
		     const struct home_note *note)
{
	uint8_t *octets = NULL;
	size_t n;
	int err = frame_encode(frame, &octets, &n);

	if (err)
		log_warn("home", "cannot write a %s: %s", frame_name(frame), strerror(-err));
	else
		err = home_send_octets(home, to, slice_of(octets, n), note);
	if (err)
		home_unheard(home, to);
	free(octets);
}

void home_send(struct home *home, const struct endpoint *to, Umsg__Frame *frame)
{
	home_send_noted(home, to, frame, NULL);
}

void home_answer(struct home *home, const struct endpoint *to, Umsg__Frame *frame)
{
	const struct home_note note = { .request_answered = frame->request };

	home_send_noted(home, to, frame, &note);
}

void home_error(struct home *home, const struct endpoint *to, uint64_t request,
		Umsg__ErrorCode code, const char *text, uint32_t retry_after_s)
{
	struct frame_error error;

	frame_error_init(&error, request, code, text, retry_after_s);
	home_answer(home, to, &error.frame);
}

const uint8_t *home_domain_of(const struct home *home, const char *account)
{
	return updates_domain_id(worker_updates(home->worker), account, period_of(clock_wall_s()));
}

bool home_is_attached(const struct home *home, struct slice uri)
{
	return home_find_user(home, uri) != NULL;
}

static void on_lookup(struct home *home, const struct endpoint *from, const Umsg__Frame *request)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__LookupAnswer answer = UMSG__LOOKUP_ANSWER__INIT;

	const uint8_t *domain;
	const char *account = home_account_of(home, slice_str(request->lookup->uri));

	worker_figure(home->worker, FIGURE_LOOKUPS);
	answer.uri = request->lookup->uri;
	answer.found = account != NULL;
	domain = account ? home_domain_of(home, account) : NULL;
	if (domain)
		answer.domain_id = frame_data(slice_of(domain, DOMAIN_ID));
	frame.request = request->request;
	frame.body_case = UMSG__FRAME__BODY_LOOKUP_ANSWER;
	frame.lookup_answer = &answer;
	home_answer(home, from, &frame);
}

/* Updates are offered of this month and the next one, and confirmed a moment later: of the month
 * before, too, when that just ended.  Any other month would be a key in the store that nobody asks
 * for, and clients could make as many as there are months. */
static bool is_offered(const char *text, int64_t *month_out)
{
	int64_t now = period_of(clock_wall_s());

	return period_parse(slice_str(text), month_out) == 0 && *month_out >= now - 1 &&
	       *month_out <= now + 1;
}

/* The month that a client installed is kept for the statistics of its account. */
static void on_update_confirm(struct home *home, const struct endpoint *from,
			      const struct passed_up *up, const Umsg__Frame *request)
{
	const Umsg__UpdateName *name = request->update_confirm->name;
	struct store_confirm confirm = { name->month, name->revision, name->created, 0 };
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Done done = UMSG__DONE__INIT;
	int64_t month;

	if (!is_offered(name->month, &month)) {
		home_error(home, from, request->request, UMSG__ERROR_CODE__ERROR_NOT_FOUND,
			   "no update of that month is offered", 0);
		return;
	}
	/* A month longer than anybody asks for it: clocks may differ. */
	confirm.keep_until_s = period_start(month + 2);
	if (store_note_confirm(worker_store(home->worker), up->account, up->from, &confirm)) {
		home_error(home, from, request->request, UMSG__ERROR_CODE__ERROR_BUSY,
			   "store not available", MAIL_RETRY_DOWN_S);
		return;
	}
	home_count(home, COUNTER_SYSTEM_IN, up->account, up->from);
	frame.request = request->request;
	frame.body_case = UMSG__FRAME__BODY_DONE;
	frame.done = &done;
	home_answer(home, from, &frame);
}

void home_up(struct home *home, unsigned holder, const struct passed_up *m)
{
	struct endpoint from = { .holder = holder, .connection = m->connection };
	Umsg__Frame *frame = NULL;
	struct frame_room room;

	if (frame_view_in(m->frame, &room, &frame)) {
		/* Out of memory: the holder let nothing but good frames through. */
		home_unheard(home, &from);
		return;
	}
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
	/* The octets of the body go along where the frame was read in place: a post is stored as
	 * it came, not packed anew. */
	case UMSG__FRAME__BODY_POST:
		home_post(home, &from, m, frame, frame == &room.frame ? &room.body : NULL);
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
	case UMSG__FRAME__BODY_CLIENT_DATA:
		home_client_data(home, &from, m, frame);
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
	frame_leave(&room, &frame);
}

void home_session_lost(struct home *home, unsigned holder, const CrsWorker__SessionLost *m)
{
	struct endpoint at = { .holder = holder, .connection = m->connection };

	/* A call that waits for a sleeper has no session yet. */
	if (!home_forget_sleeper(home, &at, frame_bytes(m->session_id)))
		sessions_lost(home->sessions, frame_bytes(m->session_id), &at, clock_mono_ms());
}

/* The store counts its own starts only.  What clients have taken may not have come so far, also
 * where it was this worker that began anew, or the connection was lost: with the same epoch they
 * would ask on behind it, and it would stay.  Under the key of this process none comes twice. */
static uint64_t new_epoch(struct home *home, uint64_t of_store)
{
	const uint64_t parts[] = { of_store, ++home->store_ups };

	return keyhash_of(&home->hash, slice_of(parts, sizeof(parts)));
}

void home_store_up(struct home *home, uint64_t epoch)
{
	struct user *user;

	/* Before anybody is told anything: the numbers that follow are of this epoch. */
	home->epoch = new_epoch(home, epoch);
	TAILQ_FOREACH(user, &home->all, in_home)
	{
		const struct device *primary = user_primary(user);

		if (primary)
			/* As if it attached anew: what came meanwhile is told to it. */
			mailboxes_attached(home->mailboxes, slice_str(user->uri), &primary->at,
					   clock_mono_ms());
	}
}

void home_store_down(struct home *home)
{
	mailboxes_store_lost(home->mailboxes);
}

void home_forget_user(struct home *home, struct slice uri)
{
	/* What is in memory first: no message of it may be written behind the deletion. */
	mailboxes_forget(home->mailboxes, uri);
	(void)store_forget(worker_store(home->worker), uri); /* else it goes when it has expired */
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

const char *home_account_of(const struct home *home, struct slice uri)
{
	const char *account = guests_account_of(home->guests, uri);

	return account ? account : roster_account_of(worker_roster(home->worker), uri);
}

void home_announce_guests(struct home *home, const char *account, const char *id)
{
	guests_announce(home->guests, account, id, clock_mono_ms());
}

void home_count(struct home *home, enum counter what, const char *account, const char *uri)
{
	const char *fields[] = { counter_name(what), uri, account };

	/* Health checks do not count. */
	if (guests_is_name(slice_str(uri)))
		return;
	if (counter_is_statistic(what)) {
		if (!account_set_has_statistics(worker_accounts(home->worker), account))
			return;
		if (worker_traces(home->worker, TRACE_STATISTICS))
			worker_trace(home->worker, TRACE_STATISTICS, fields, 3);
	}
	counters_add(home->counters, what, account, uri);
}

/* The first error ends it: the store is gone then, or memory is out. What was given to the store
 * must not be counted again with the next flush. */
static int write_counted(void *arg, struct counted *counted)
{
	struct home *home = arg;
	struct store *store = worker_store(home->worker);
	int err = store_is_up(store) ? 0 : -EPIPE;

	/* The store adds: what is handed over here is the growth since the last flush. */
	for (int i = 0; !err && i < COUNTER_COUNT; i++) {
		if (counted->count[i])
			err = store_count(store, counter_name((enum counter)i), counted->account,
					  counted->uri, counted->count[i]);
		if (!err)
			counted->count[i] = 0;
	}
	if (!err && counted->read_s)
		err = store_note_read(store, counted->account, counted->uri, counted->read_s);
	return err;
}

void home_flush_counters(struct home *home)
{
	counters_flush(home->counters, write_counted, home);
}

void home_group_call(struct home *home, const CrsWorker__GroupCall *m)
{
	char id[HEX_TEXT_SIZE(FRAME_ID)], who[ACCOUNT_URI_MAX + sizeof(id) + 1];

	if (m->group_id.len != FRAME_ID)
		return;
	hex_encode(frame_bytes(m->group_id), id);
	snprintf(who, sizeof(who), "%s %s", id, m->uri);
	/* Once a user and group, however many of them it calls. */
	if (!recent_has(home->groups, who, clock_mono_ms()))
		home_count(home, COUNTER_CONFERENCE, m->account, m->uri);
	/* Noted again each time: the day begins anew with each invitation of a call that goes
	 * on. */
	recent_note(home->groups, who, clock_mono_ms());
}

size_t home_calls(const struct home *home)
{
	size_t n = 0;

	for (const struct session *s = sessions_first(home->sessions); s; s = s->next)
		/* Those behind it only wait to be forgotten. */
		n += s->state <= SESSION_TALK;
	return n;
}

size_t home_messages(const struct home *home)
{
	return mailboxes_messages(home->mailboxes);
}

void home_tick(struct home *home)
{
	int64_t now_ms = clock_mono_ms();

	home_end_unheard(home);
	mailboxes_tick(home->mailboxes, now_ms, clock_wall_s());
	fanouts_tick(home->fanouts, now_ms);
	/* Those whose time is over; they end as calls to somebody who is not connected. */
	home_awake(home, NULL);
	if (guests_expire(home->guests, now_ms))
		/* A guest's registration ends with his check. */
		home_roster_changed(home);
	if (now_ms - home->sessions_tick_ms >= 1000) {
		home->sessions_tick_ms = now_ms;
		sessions_tick(home->sessions, now_ms);
	}
	if (now_ms - home->flushed_ms >= HOME_COUNTERS_FLUSH_MS) {
		home->flushed_ms = now_ms;
		home_flush_counters(home);
	}
}
