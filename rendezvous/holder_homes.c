/* holder_homes.c - what homes say to clients of this holder, and updates.
 *
 * Homes know connections by number, and messages about one may come when it is gone or asked
 * anew: each function looks whether the client is there and in the state that the message is
 * about.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/net.h"
#include "keys/period.h"
#include "keys/update.h"
#include "rendezvous/account_set.h"
#include "rendezvous/admin_set.h"
#include "rendezvous/holder_priv.h"
#include "rendezvous/mailboxes.h"
#include "rendezvous/peer_limits.h"
#include "rendezvous/updates.h"

/* As home_fetch.c hands out at most. */
enum { FETCH_FRAMES = 100 };

enum { HOME_UP_AGAIN_S = 2 }; /* a worker is started again within a second, mostly */

static struct client *find_client(const struct holder *holder, uint64_t connection)
{
	struct idmap_node *node = idmap_first(&holder->clients, connection);

	return node ? IDMAP_OWNER(node, struct client, node) : NULL;
}

static void set_denied(struct client *client, uint32_t reason, const char *text)
{
	client->state = CLIENT_DENIED;
	client->deny_reason = (Umsg__DenyReason)reason;
	free(client->deny_text);
	client->deny_text = strdup(text);
}

size_t client_offers(const struct client *client, struct update_offer *offer)
{
	const struct updates *updates = worker_updates(client->holder->worker);
	int64_t month = period_of(clock_wall_s());
	size_t n = 0;

	/* This month's update and the next one's: it comes before its month begins. */
	for (int64_t m = month; m <= month + 1; m++) {
		const struct update *update = updates_find(updates, client->account, m);
		struct update_user user;

		if (!update || !update_user_find(update, slice_str(client->uri), &user) ||
		    user.entry.n == 0)
			continue;
		umsg__update_name__init(&offer->name[n]);
		period_text(m, offer->month[n]);
		offer->name[n].month = offer->month[n];
		offer->name[n].revision = update_revision(update);
		offer->name[n].created = update_created(update);
		offer->list[n] = &offer->name[n];
		n++;
	}
	return n;
}

static void send_registered(struct client *client, const CrsWorker__Attached *m)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Registered registered = UMSG__REGISTERED__INIT;
	Umsg__Limits limits = UMSG__LIMITS__INIT;
	struct update_offer offer;

	limits.frame_octets = FRAME_MAX;
	limits.message_octets = MAIL_MAX_OCTETS;
	limits.parts_in_flight = MAIL_PARTS_IN_FLIGHT;
	limits.fetch_frames = FETCH_FRAMES;
	registered.role =
		client->said.primary ? UMSG__DEVICE_ROLE__PRIMARY : UMSG__DEVICE_ROLE__SECONDARY;
	registered.updates_only = client->said.updates_only;
	registered.epoch = m->epoch;
	registered.waiting = m->waiting;
	registered.server_time = (uint64_t)clock_wall_s();
	registered.limits = &limits;
	registered.n_updates = client_offers(client, &offer);
	registered.updates = offer.list;
	frame.request = client->register_request;
	frame.body_case = UMSG__FRAME__BODY_REGISTERED;
	frame.registered = &registered;
	client_send(client, &frame);
}

/* Refused without a reason is "not now": the client asks again.  Until then the registration that
 * it had holds, as its home has it; a month may have begun since. */
static void on_not_now(struct client *client, const char *reason)
{
	client_error(client, client->register_request, UMSG__ERROR_CODE__ERROR_BUSY, reason, 5);
	client->state = CLIENT_NEW;
	if (!client->again)
		return;
	client->state = CLIENT_REGISTERED;
	client->said = client->before;
	client_check_month(client);
}

void holder_attached(struct holder *holder, unsigned home, const CrsWorker__Attached *m)
{
	struct client *client = find_client(holder, m->connection);
	unsigned suppressed;

	(void)home;
	/* Gone meanwhile, or asked anew of a home that was started again. */
	if (!client || client->state != CLIENT_ASKED)
		return;
	if (!m->registered && !m->deny_reason) {
		on_not_now(client, m->reason);
	} else if (!m->registered) {
		worker_figure(holder->worker, FIGURE_DENIED);
		set_denied(client, m->deny_reason, m->reason);
		client_denied(client, client->register_request);
		client_trace(client, "denied", m->reason);
		if (holder_may_log(holder, m->reason, client->uri, &suppressed))
			log_info("attach",
				 "denied uri=%s account=%s reason=\"%s\" (%u more not logged)",
				 client->uri, client->account, m->reason, suppressed);
		client_clean_up(client);
	} else {
		/* From here on it is served with the others, no more behind them
		 * (client_be_patient()). */
		link_set_priority(client->link, WORKER_PRIORITY_LIVE);
		client->state = CLIENT_REGISTERED;
		/* Once in a connection: the address has one half-open connection less. */
		if (client->peer && !client->settled)
			peer_settled(client->peer);
		client->settled = true;
		client->since_s = clock_wall_s();
		send_registered(client, m);
		client_trace(client, "registered", client->said.updates_only ? "no keys" : "ok");
		client_be_patient(client, -1);
		client_check_month(client);
	}
}

void client_unregistered(struct client *client, Umsg__UnregisterReason reason, const char *text)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Unregistered gone = UMSG__UNREGISTERED__INIT;
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", text);
	gone.reason = reason;
	gone.text = copy;
	frame.body_case = UMSG__FRAME__BODY_UNREGISTERED;
	frame.unregistered = &gone;
	client_send(client, &frame);
}

static void unregister(struct client *client, uint32_t deny_reason, const char *reason, bool close)
{
	client_trace(client, "unregistered", reason);
	log_info("attach", "unregistered uri=%s account=%s reason=\"%s\"", client->uri,
		 client->account, reason);
	if (deny_reason) {
		set_denied(client, deny_reason, reason);
		client_unregistered(client, UMSG__UNREGISTER_REASON__UNREGISTER_DENIED, reason);
	} else {
		client->state = CLIENT_UNREGISTERED;
		if (!close)
			client_unregistered(client, UMSG__UNREGISTER_REASON__UNREGISTER_REPLACED,
					    reason);
	}
	if (close)
		link_close(client->link, 1001);
	else
		client_clean_up(client);
}

void holder_unregister(struct holder *holder, const CrsWorker__Unregister *m)
{
	struct client *client = find_client(holder, m->connection);

	if (!client || !client_is_registered(client))
		return;
	/* It registers anew, and the home had not heard so: what it answers to that holds, and it
	 * would have a device that is none if this did. */
	if (client->state == CLIENT_ASKED && m->close) {
		link_close(client->link, 1001);
	} else if (client->state == CLIENT_ASKED) {
		/* Nothing is left that would hold if the answer is "not now". */
		client->again = false;
		client_be_patient(client, HOLDER_REGISTER_MS);
	} else {
		unregister(client, m->deny_reason, m->reason, m->close);
	}
}

/* A device that left before it was rung, and whose call is not among those that were told of its
 * end. */
static void tell_nobody_there(struct holder *holder, unsigned home, const struct passed_down *m)
{
	CrsWorker__Peer message = CRS_WORKER__PEER__INIT;
	CrsWorker__SessionLost lost = CRS_WORKER__SESSION_LOST__INIT;

	lost.connection = m->connection;
	lost.session_id = frame_data(m->session_id);
	message.body_case = CRS_WORKER__PEER__BODY_SESSION_LOST;
	message.session_lost = &lost;
	worker_send(holder->worker, home, &message);
}

void holder_down(struct holder *holder, unsigned home, const struct passed_down *m)
{
	struct client *client = find_client(holder, m->connection);

	if (!client) {
		if (m->session_id.n && !m->session_over)
			tell_nobody_there(holder, home, m);
		return;
	}
	if (m->lost) {
		/* RFC 6455 7.4.1: an unexpected condition. */
		link_close(client->link, 1011);
		return;
	}
	/* Notes before the frame: the client's answer to it may come at once and refer to them. */
	if (m->session_id.n && m->session_over)
		client_forget_session(client, m->session_id);
	else if (m->session_id.n)
		client_join_session(client, home, m->session_id);
	if (m->post_answered.n)
		client_forget_post(client, m->post_answered);
	if (m->request_answered)
		client_forget_request(client, m->request_answered);
	/* A message of notes alone has no frame (home_session_frame()). */
	if (m->frame.n && client->negotiated)
		link_send(client->link, m->frame);
}

void holder_home_up(struct holder *holder, unsigned home)
{
	struct client *client;

	TAILQ_FOREACH(client, &holder->all, in_holder)
	{
		if ((client->state == CLIENT_REGISTERED || client->state == CLIENT_ASKED) &&
		    worker_home_of(holder->worker, slice_str(client->uri)) == home)
			/* A home keeps its users in memory alone: after a start its holders tell
			 * them anew.  Of whom it cannot be told, it would never know. */
			if (client_attach(client, client->state == CLIENT_REGISTERED))
				link_close(client->link, 1011);
	}
}

static void refuse_posts(struct client *client, unsigned home)
{
	struct client_post *post = TAILQ_FIRST(&client->posts);

	while (post) {
		struct client_post *next = TAILQ_NEXT(post, in_client);

		/* Nobody knows whether it was stored: the client posts again, and the home tells
		 * a repeat by sender and id. */
		if (post->home == home) {
			Umsg__Frame frame = UMSG__FRAME__INIT;
			Umsg__PostAck ack = UMSG__POST_ACK__INIT;
			char text[] = "a part of the server restarts";

			ack.message_id = frame_data(slice_of(post->id, FRAME_ID));
			ack.error = UMSG__ERROR_CODE__ERROR_BUSY;
			ack.text = text;
			ack.retry_after = HOME_UP_AGAIN_S;
			frame.request = post->request;
			frame.body_case = UMSG__FRAME__BODY_POST_ACK;
			frame.post_ack = &ack;
			client_send(client, &frame);
			client_drop_post(post);
		}
		post = next;
	}
}

static void refuse_requests(struct client *client, unsigned home)
{
	struct client_request *request = TAILQ_FIRST(&client->requests);

	while (request) {
		struct client_request *next = TAILQ_NEXT(request, in_client);

		if (request->home == home) {
			client_error(client, request->number, UMSG__ERROR_CODE__ERROR_BUSY,
				     "a part of the server restarts", HOME_UP_AGAIN_S);
			client_drop_request(client, request);
		}
		request = next;
	}
}

static void end_sessions(struct client *client, unsigned home)
{
	struct client_session *session = TAILQ_FIRST(&client->sessions);

	while (session) {
		struct client_session *next = TAILQ_NEXT(session, in_client);

		/* The home's calls went with it (home.h): no other process could end them for
		 * the client. */
		if (session->home == home) {
			Umsg__Frame frame = UMSG__FRAME__INIT;
			Umsg__Hangup hangup = UMSG__HANGUP__INIT;
			Umsg__Session of = UMSG__SESSION__INIT;

			of.session_id = frame_data(slice_of(session->id, FRAME_ID));
			hangup.session = &of;
			hangup.reason = UMSG__END_REASON__END_FAILED;
			hangup.who = UMSG__ENDED_BY__BY_RENDEZVOUS;
			frame.by_server = true;
			frame.body_case = UMSG__FRAME__BODY_HANGUP;
			frame.hangup = &hangup;
			client_send(client, &frame);
			client_drop_session(session);
		}
		session = next;
	}
}

void holder_home_down(struct holder *holder, unsigned home)
{
	struct client *client;

	TAILQ_FOREACH(client, &holder->all, in_holder)
	{
		refuse_posts(client, home);
		refuse_requests(client, home);
		end_sessions(client, home);
	}
}

void holder_accounts_changed(struct holder *holder)
{
	struct client *client, *next;

	for (client = TAILQ_FIRST(&holder->all); client; client = next) {
		bool known = true;

		next = TAILQ_NEXT(client, in_holder);
		if (!client->known)
			continue;
		if (client->admin)
			known = admin_set_has(worker_admins(holder->worker), client->admin);
		else
			account_set_secret(worker_accounts(holder->worker), client->account,
					   &known);
		if (!known)
			client_end(client, client->admin ? "admin deleted" : "account deleted");
	}
}

void holder_updates_changed(struct holder *holder)
{
	struct client *client;

	TAILQ_FOREACH(client, &holder->all, in_holder)
	{
		Umsg__Frame frame = UMSG__FRAME__INIT;
		Umsg__UpdateNews news = UMSG__UPDATE_NEWS__INIT;
		struct update_offer offer;

		/* The others see it at their next registration (CRS manual 5.4,
		 * "update-notification"). */
		if (!client_is_registered(client) ||
		    !account_set_notifies(worker_accounts(holder->worker), client->account))
			continue;
		news.n_updates = client_offers(client, &offer);
		news.updates = offer.list;
		frame.body_case = UMSG__FRAME__BODY_UPDATE_NEWS;
		frame.update_news = &news;
		if (news.n_updates > 0)
			client_send(client, &frame);
	}
}

void holder_expel(struct holder *holder, const CrsWorker__Expel *m)
{
	struct client *client, *next;

	for (client = TAILQ_FIRST(&holder->all); client; client = next) {
		next = TAILQ_NEXT(client, in_holder);
		if (client->known && strcmp(client->account, m->account) == 0 &&
		    (m->uri[0] == '\0' || strcmp(client->uri, m->uri) == 0))
			client_end(client, m->reason);
	}
}

void holder_admin_reply(struct holder *holder, const CrsWorker__AdminReply *m)
{
	struct client *client = find_client(holder, m->connection);

	if (client && client->admin)
		client_admin_reply(client, m);
}

/* The octets that UpdateGet names, or none. */
static struct slice part_of(const struct client *client, const struct update *update,
			    Umsg__UpdateWhat what)
{
	struct update_user user;

	if (!update || !update_user_find(update, slice_str(client->uri), &user))
		return (struct slice){ NULL, 0 };
	/* The shared part, too, is only for who is in the update. */
	return what == UMSG__UPDATE_WHAT__UPDATE_SHARED ? update_shared(update) : user.entry;
}

void client_update_get(struct client *client, uint64_t request, const Umsg__UpdateGet *get)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__UpdatePart part = UMSG__UPDATE_PART__INIT;
	Umsg__UpdateName name = UMSG__UPDATE_NAME__INIT;
	const struct update *update;
	struct slice whole;
	int64_t month;

	if (period_parse(slice_str(get->month), &month))
		return;
	update = updates_find(worker_updates(client->holder->worker), client->account, month);
	whole = part_of(client, update, get->what);
	if (whole.n == 0 || get->offset > whole.n) {
		client_error(client, request, UMSG__ERROR_CODE__ERROR_NOT_FOUND, "no such update",
			     0);
		return;
	}
	name.month = get->month;
	name.revision = update_revision(update);
	name.created = update_created(update);
	/* Pieces of two revisions do not make an update. */
	if (get->expected && *get->expected->month &&
	    (get->expected->revision != name.revision || get->expected->created != name.created)) {
		client_error(client, request, UMSG__ERROR_CODE__ERROR_CONFLICT,
			     "another update was applied meanwhile: begin again", 0);
		return;
	}
	part.name = &name;
	part.what = get->what;
	part.total = (uint32_t)whole.n;
	part.offset = get->offset;
	/* An offset at the very end is answered by no octets: the client sees the total and
	 * stops. */
	whole = slice_from(whole, get->offset);
	part.data = frame_data(
		slice_of(whole.p, whole.n < FRAME_UPDATE_DATA ? whole.n : FRAME_UPDATE_DATA));
	frame.request = request;
	frame.body_case = UMSG__FRAME__BODY_UPDATE_PART;
	frame.update_part = &part;
	client_send(client, &frame);
}

void holder_list(const struct holder *holder, struct worker_rows *rows)
{
	const char *server = worker_setup(holder->worker)->server;
	const struct client *client;
	int64_t now_s = clock_wall_s();

	TAILQ_FOREACH(client, &holder->all, in_holder)
	{
		char seconds[24], peer[NET_TEXT_SIZE];
		const char *cells[] = { client->uri, client->account, seconds, client->software,
					peer,        server };

		if (!client_is_registered(client))
			continue;
		snprintf(seconds, sizeof(seconds), "%" PRId64, now_s - client->since_s);
		net_format(link_peer(client->link), peer);
		worker_row(rows, cells, 6);
	}
}
