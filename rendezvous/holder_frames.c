/* holder_frames.c - what clients say: checked, and passed on to homes.
 *
 * Everything that a home may rely on is checked here, once: the form of the frame, that its
 * sender is who authenticated, that he is registered, has keys of this month and asks for no
 * more than he may. Frames go on as the octets that came; what is packed anew is only what is
 * ours to say.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/net.h"
#include "rendezvous/allowances.h"
#include "rendezvous/holder_priv.h"
#include "rendezvous/home.h"
#include "umsg/frame_quick.h"

void client_send(struct client *client, Umsg__Frame *frame)
{
	uint8_t *octets;
	size_t n;

	if (!client->negotiated)
		return;
	/* What cannot be said ends the connection, for the client waits for it. */
	if (frame_encode(frame, &octets, &n)) {
		link_close(client->link, 1011);
		return;
	}
	/* Its result says nothing that the link's end does not say by itself (LINK_SLOW). */
	link_send(client->link, slice_of(octets, n));
	free(octets);
}

void client_error(struct client *client, uint64_t request, Umsg__ErrorCode code, const char *text,
		  uint32_t retry_after_s)
{
	struct frame_error error;

	frame_error_init(&error, request, code, text, retry_after_s);
	client_send(client, &error.frame);
}

void client_denied(struct client *client, uint64_t request)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Denied denied = UMSG__DENIED__INIT;

	denied.reason = client->deny_reason;
	if (client->deny_text)
		denied.text = client->deny_text;
	frame.request = request;
	frame.body_case = UMSG__FRAME__BODY_DENIED;
	frame.denied = &denied;
	client_send(client, &frame);
}

/* A peer that breaks the rules is cut off and logged once. */
static void misbehaves(struct client *client, const char *how)
{
	unsigned suppressed;

	worker_figure(client->holder->worker, FIGURE_CUT_OFF);
	if (holder_may_log(client->holder, how, client->uri, &suppressed))
		log_warn("attach", "uri=%s account=%s: %s: cut off (%u more not logged)",
			 client->uri, client->account, how, suppressed);
	link_close(client->link, 1008);
}

/* Passes the frame on to the home of uri.  Returns 0 or -errno; the client has then
 * been told to try again. */
static int send_up(struct client *client, const Umsg__Frame *frame, struct slice uri,
		   struct slice octets)
{
	struct worker *worker = client->holder->worker;
	struct passed_up up = { .connection = client_connection(client),
				.from = client->uri,
				.account = client->account,
				.frame = octets };
	char home_uri[ACCOUNT_URI_MAX + 1];
	int err;

	if (uri.n == 0 || uri.n > ACCOUNT_URI_MAX) {
		client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_MALFORMED,
			     "no receiver", 0);
		return -EINVAL;
	}
	memcpy(home_uri, uri.p, uri.n);
	home_uri[uri.n] = '\0';
	up.uri = home_uri;
	err = worker_pass_up(worker, worker_home_of(worker, uri), &up);
	if (err)
		client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_BUSY,
			     "a part of the server restarts", 2);
	return err;
}

int client_attach(struct client *client, bool again)
{
	struct worker *worker = client->holder->worker;
	CrsWorker__Peer message = CRS_WORKER__PEER__INIT;
	CrsWorker__Attach attach = CRS_WORKER__ATTACH__INIT;

	attach.connection = client_connection(client);
	attach.uri = client->uri;
	attach.account = client->account;
	attach.generation = client->generation;
	attach.device_id = frame_data(slice_of(client->said.device_id, FRAME_ID));
	attach.primary = client->said.primary;
	attach.updates_only = client->said.updates_only;
	attach.again = again;
	message.body_case = CRS_WORKER__PEER__BODY_ATTACH;
	message.attach = &attach;
	return worker_send(worker, worker_home_of(worker, slice_str(client->uri)), &message);
}

static void on_register(struct client *client, const Umsg__Frame *frame)
{
	const Umsg__Register *r = frame->register_;
	const struct client_claim before = client->said;
	char *software = strdup(r->software);

	/* The home answers each question once: with two under way nobody could say which answer
	 * belongs to which. */
	if (client->state == CLIENT_ASKED || !software) {
		free(software);
		client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_BUSY,
			     "registering already", 1);
		return;
	}
	free(client->software);
	client->software = software;
	memcpy(client->said.device_id, r->device_id.data, FRAME_ID);
	client->said.primary = r->role == UMSG__DEVICE_ROLE__PRIMARY;
	client->said.updates_only = !client_take_month(client, r);
	client->register_request = frame->request;
	/* With what the client says now, also where it was registered before: its earlier
	 * registration is the home's until it decides. */
	if (client_attach(client, false)) {
		client->said = before;
		client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_BUSY,
			     "a part of the server restarts", 2);
		return;
	}
	client->before = before;
	client->again = client->state == CLIENT_REGISTERED;
	client->state = CLIENT_ASKED;
}

/* One group call, however many it invites: their homes see one invitation each, only the
 * caller's home can know of all. */
static void count_group(struct client *client, struct slice id)
{
	struct worker *worker = client->holder->worker;
	CrsWorker__Peer message = CRS_WORKER__PEER__INIT;
	CrsWorker__GroupCall group = CRS_WORKER__GROUP_CALL__INIT;

	/* Only the last group is remembered: invitations to one come one behind the other, and
	 * the home drops repeats (home_group_call()). */
	if (id.n != FRAME_ID || slice_eq(id, slice_of(client->group_id, FRAME_ID)))
		return;
	memcpy(client->group_id, id.p, FRAME_ID);
	group.account = client->account;
	group.uri = client->uri;
	group.group_id = frame_data(id);
	message.body_case = CRS_WORKER__PEER__BODY_GROUP_CALL;
	message.group_call = &group;
	worker_send(worker, worker_home_of(worker, slice_str(client->uri)), &message);
}

/* The home's answer is noted by the request's number (home_answer()). */
static void ask_home(struct client *client, const Umsg__Frame *frame, struct slice uri,
		     struct slice octets)
{
	if (send_up(client, frame, uri, octets) == 0)
		client_note_request(client, worker_home_of(client->holder->worker, uri),
				    frame->request);
}

static void on_bang(struct client *client, const Umsg__Frame *frame, struct slice octets)
{
	struct slice id = frame_bytes(frame->bang->session_id), to = frame_bare(frame->to);
	bool fresh;

	if (client->n_sessions >= HOLDER_SESSIONS_MAX) {
		client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_BUSY,
			     "too many calls at once", 5);
		return;
	}
	count_group(client, frame_bytes(frame->bang->group_id));
	/* Noted before it goes: whether its home dies or this connection is lost before there is
	 * an answer, somebody has to tell the other one. */
	fresh = client_join_session(client, worker_home_of(client->holder->worker, to), id);
	if (send_up(client, frame, to, octets) && fresh)
		client_forget_session(client, id);
}

/* A session is at home with the callee: who is told by the sender's role. */
static void on_session(struct client *client, const Umsg__Frame *frame, struct slice octets)
{
	const Umsg__Session *session = frame_session(frame);
	bool caller = session && session->role == UMSG__CALL_ROLE__INITIATOR;

	if (!session)
		return;
	send_up(client, frame, caller ? frame_bare(frame->to) : slice_str(client->uri), octets);
	if (frame->body_case == UMSG__FRAME__BODY_HANGUP)
		client_forget_session(client, frame_bytes(session->session_id));
}

/* A post is at home with its receiver, whose home stores and acknowledges it. */
static void on_post(struct client *client, const Umsg__Frame *frame, struct slice octets)
{
	struct slice id = frame_bytes(frame->post->message_id), to = frame_bare(frame->to);
	struct client_post *post;

	if (client->n_posts >= HOLDER_POSTS_IN_FLIGHT) {
		client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_BUSY,
			     "too many messages at once", 1);
		return;
	}
	client_forget_post(client, id); /* sent again */
	post = client_add_post(client, worker_home_of(client->holder->worker, to), id, to,
			       frame->request);
	/* Noted before it goes: the home's answer could not be told from another otherwise, and
	 * without a home somebody has to refuse it. */
	if (!post)
		client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_BUSY, "no memory", 1);
	else if (send_up(client, frame, to, octets))
		client_drop_post(post);
}

static void on_part(struct client *client, const Umsg__Frame *frame, struct slice octets)
{
	const struct client_post *post =
		client_find_post(client, frame_bytes(frame->part->message_id));

	if (post)
		send_up(client, frame, slice_str(post->to), octets);
	else
		client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_NOT_FOUND,
			     "no such message is being posted", 0);
}

static void on_registered_frame(struct client *client, const Umsg__Frame *frame,
				struct slice octets)
{
	switch (frame->body_case) {
	case UMSG__FRAME__BODY_BANG:
		on_bang(client, frame, octets);
		break;
	case UMSG__FRAME__BODY_GROWL:
	case UMSG__FRAME__BODY_TALK:
	case UMSG__FRAME__BODY_HANGUP:
	case UMSG__FRAME__BODY_SIGNAL:
		on_session(client, frame, octets);
		break;
	case UMSG__FRAME__BODY_POST:
		on_post(client, frame, octets);
		break;
	case UMSG__FRAME__BODY_PART:
		on_part(client, frame, octets);
		break;
	case UMSG__FRAME__BODY_PART_ACK:
	case UMSG__FRAME__BODY_TAKEN:
		send_up(client, frame, slice_str(client->uri), octets);
		break;
	case UMSG__FRAME__BODY_CLIENT_DATA:
	case UMSG__FRAME__BODY_FETCH:
		ask_home(client, frame, slice_str(client->uri), octets);
		break;
	case UMSG__FRAME__BODY_LOOKUP:
		ask_home(client, frame, slice_str(frame->lookup->uri), octets);
		break;
	default:
		client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_UNKNOWN_BODY,
			     "not served here", 0);
	}
}

/* REQUEST_KINDS: it is not limited by rate. */
static enum request_kind kind_of(const Umsg__Frame *frame)
{
	switch (frame->body_case) {
	case UMSG__FRAME__BODY_REGISTER:
		return REQUEST_REGISTER;
	case UMSG__FRAME__BODY_BANG:
		return REQUEST_CALL;
	case UMSG__FRAME__BODY_LOOKUP:
		return REQUEST_LOOKUP;
	case UMSG__FRAME__BODY_CLIENT_DATA:
	case UMSG__FRAME__BODY_UPDATE_CONFIRM:
		return REQUEST_DATA;
	case UMSG__FRAME__BODY_FETCH:
		return REQUEST_FETCH;
	case UMSG__FRAME__BODY_POST:
	case UMSG__FRAME__BODY_PART:
		return REQUEST_POST;
	case UMSG__FRAME__BODY_UPDATE_GET:
		return REQUEST_UPDATE;
	default:
		return REQUEST_KINDS;
	}
}

/* Does the client ask for more than anybody needs?  Then it is told when to ask again. */
static bool too_much(struct client *client, const Umsg__Frame *frame)
{
	enum request_kind kind = kind_of(frame);
	struct request_limits *limits = &client->limits;
	struct request_rate rate;
	unsigned suppressed;

	if (kind == REQUEST_KINDS)
		return false;
	/* Every connection begins with a registration; how many come is for peer_limits.h. */
	if (kind != REQUEST_REGISTER && client->allowance)
		limits = allowance_limits(client->allowance);
	rate = kind == REQUEST_POST ? client->holder->post_rate : request_rate(kind);
	if (request_limits_take(limits, kind, rate, clock_mono_ms()))
		return false;
	worker_figure(client->holder->worker, FIGURE_LIMITED);
	if (holder_may_log(client->holder, request_kind_name(kind), client->uri, &suppressed))
		log_warn("attach", "uri=%s account=%s: too many %s: refused (%u more not logged)",
			 client->uri, client->account, request_kind_name(kind), suppressed);
	client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_BUSY, "too many requests",
		     1 + rate.each_ms / 1000);
	return true;
}

static void on_good_frame(struct client *client, const Umsg__Frame *frame, struct slice octets)
{
	bool update = frame->body_case == UMSG__FRAME__BODY_UPDATE_GET ||
		      frame->body_case == UMSG__FRAME__BODY_UPDATE_CONFIRM;

	/* First of all: who asks too often is told so at the least cost. */
	if (too_much(client, frame))
		return;
	if (frame->body_case == UMSG__FRAME__BODY_REGISTER) {
		if (client->state == CLIENT_DENIED)
			client->state = CLIENT_NEW; /* ask again: the reason may be gone */
		on_register(client, frame);
	} else if (client->state == CLIENT_DENIED) {
		client_denied(client, frame->request);
	} else if (!client_is_registered(client)) {
		client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_NOT_REGISTERED,
			     "not registered", 0);
	} else if (update) {
		if (frame->body_case == UMSG__FRAME__BODY_UPDATE_GET)
			client_update_get(client, frame->request, frame->update_get);
		else
			ask_home(client, frame, slice_str(client->uri), octets);
	} else if (client->said.updates_only) {
		client_error(client, frame->request, UMSG__ERROR_CODE__ERROR_NOT_ALLOWED,
			     "registered for updates only: no keys of this month", 0);
	} else {
		on_registered_frame(client, frame, octets);
	}
}

/* Is the frame's sender the one that the connection authenticated? */
static bool own_uri(const struct client *client, const Umsg__Frame *frame)
{
	/* No sender is the connection's own: a client need not repeat who it is. */
	return frame->from[0] == '\0' || slice_eq_str(frame_bare(frame->from), client->uri);
}

void client_frame(struct client *client, struct slice octets)
{
	Umsg__Frame *frame = NULL;
	struct frame_room room;
	int err = frame_decode_in(octets, FRAME_FROM_CLIENT, &room, &frame);

	worker_figure(client->holder->worker, FIGURE_FRAMES);
	/* A later version's client is answered, not cut off: it can do without what we do not
	 * know. */
	if (err == -ENOTSUP) {
		client_error(client, frame ? frame->request : 0,
			     UMSG__ERROR_CODE__ERROR_UNKNOWN_BODY, "unknown body or version", 0);
	} else if (err == -ENOMEM) {
		/* RFC 6455 7.4.1: an unexpected condition. The frame is lost, and a client that
		 * connects again repeats what was not answered. */
		link_close(client->link, 1011);
	} else if (err) {
		misbehaves(client, "a frame that breaks the rules");
	} else if (!own_uri(client, frame)) {
		misbehaves(client, "a frame in another's name");
	} else {
		on_good_frame(client, frame, octets);
	}
	frame_leave(&room, &frame);
}
