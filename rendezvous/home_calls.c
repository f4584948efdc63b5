/* home_calls.c - calls: frames in and out of the sessions, and the relay.
 *
 * sessions.c decides and knows no frame; here its words become frames, and frames events for it.
 * Invitations and answers are sealed between the clients: what is added is a leg, the way to the
 * relay, for each its own.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "rendezvous/home_priv.h"
#include "rendezvous/relay_client.h"
#include "rendezvous/roster.h"
#include "rendezvous/store.h"

static struct slice id_of(const struct session *s)
{
	return slice_of(s->id, SESSION_ID_SIZE);
}

/* The legs as protobuf-c wants them: pointers into one object. */
struct leg_message {
	Umsg__Leg leg;
	Umsg__StreamIds ids[SESSION_MAX_STREAMS];
	Umsg__StreamIds *list[SESSION_MAX_STREAMS];
};

static void fill_leg(const struct home *home, const struct session *s,
		     const struct session_leg *leg, struct leg_message *out)
{
	const CrsWorker__Setup *setup = worker_setup(home->worker);

	umsg__leg__init(&out->leg);
	out->leg.leg_id = frame_data(slice_of(leg->id, leg->id_n));
	out->leg.leg_key = frame_data(slice_of(leg->key, leg->key_n));
	out->leg.relay_host = setup->relay_host;
	/* As the configuration has them: behind a NAT the clients see another address than
	 * crs-relay. */
	out->leg.relay_port = setup->relay_port ? setup->relay_port : s->relay->port;
	for (size_t i = 0; i < s->relay->n_streams; i++) {
		umsg__stream_ids__init(&out->ids[i]);
		out->ids[i].initiator_ssrc = s->relay->ssrc[i].initiator;
		out->ids[i].responder_ssrc = s->relay->ssrc[i].responder;
		out->list[i] = &out->ids[i];
	}
	out->leg.n_streams = s->relay->n_streams;
	out->leg.streams = out->list;
}

static bool copy_leg(const CrsRelay__Leg *from, struct session_leg *to)
{
	if (!from || from->leg_id.len == 0 || from->leg_id.len > sizeof(to->id) ||
	    from->leg_key.len == 0 || from->leg_key.len > sizeof(to->key))
		return false;
	to->id_n = from->leg_id.len;
	to->key_n = from->leg_key.len;
	memcpy(to->id, from->leg_id.data, to->id_n);
	memcpy(to->key, from->leg_key.data, to->key_n);
	return true;
}

static bool copy_relay(const CrsRelay__Added *added, struct session_relay *relay)
{
	/* Another program's answer: bounded before it is copied into arrays. */
	bool fine = added->n_responders <= SESSION_MAX_DEVICES &&
		    added->n_streams <= SESSION_MAX_STREAMS &&
		    copy_leg(added->initiator, &relay->initiator);

	if (!fine)
		return false;
	relay->port = added->port;
	relay->n_responders = added->n_responders;
	relay->n_streams = added->n_streams;
	for (size_t i = 0; i < added->n_responders; i++)
		fine = fine && copy_leg(added->responders[i], &relay->responder[i]);
	for (size_t i = 0; i < added->n_streams; i++) {
		relay->ssrc[i].initiator = added->streams[i]->initiator_ssrc;
		relay->ssrc[i].responder = added->streams[i]->responder_ssrc;
	}
	return fine;
}

static void on_added(void *arg, struct slice id, const CrsRelay__Reply *reply)
{
	struct home *home = arg;
	struct session_relay relay;

	/* Also what is not filled in: sessions copies the whole. */
	memset(&relay, 0, sizeof(relay));
	if (reply && !reply->error && reply->body_case == CRS_RELAY__REPLY__BODY_ADDED &&
	    copy_relay(reply->added, &relay)) {
		sessions_relay_added(home->sessions, id, &relay, clock_mono_ms());
		return;
	}
	/* Without an answer the relay is gone, which its connection has logged once for all
	 * calls. */
	if (reply)
		log_warn("session", "crs-relay refused a call: %s", reply->text);
	sessions_relay_refused(home->sessions, id,
			       /* No port is free: later there may be one. */
			       reply && reply->error == ENOSPC ? UMSG__END_REASON__END_CONGESTION
							       : UMSG__END_REASON__END_NO_RELAY,
			       clock_mono_ms());
}

static int relay_add(void *arg, const struct session *s)
{
	struct home *home = arg;
	CrsRelay__Request request = CRS_RELAY__REQUEST__INIT;
	CrsRelay__Add add = CRS_RELAY__ADD__INIT;

	add.session_id = frame_data(id_of(s));
	add.type = CRS_RELAY__RELAY_TYPE__RTP;
	add.streams = (uint32_t)s->n_streams;
	/* A leg for each device that rings: whichever answers has its way ready. */
	add.responder_legs = (uint32_t)s->n_devices;
	request.body_case = CRS_RELAY__REQUEST__BODY_ADD;
	request.add = &add;
	return relay_client_send(worker_relay(home->worker), &request, id_of(s), on_added, home);
}

/* Nobody waits for the answer: a relay that missed it merely holds legs that nobody uses. */
static void relay_keep(void *arg, const struct session *s, size_t device)
{
	struct home *home = arg;
	CrsRelay__Request request = CRS_RELAY__REQUEST__INIT;
	CrsRelay__KeepLeg keep = CRS_RELAY__KEEP_LEG__INIT;
	const struct session_leg *leg = &s->relay->responder[device];

	keep.session_id = frame_data(id_of(s));
	keep.leg_id = frame_data(slice_of(leg->id, leg->id_n));
	request.body_case = CRS_RELAY__REQUEST__BODY_KEEP_LEG;
	request.keep_leg = &keep;
	relay_client_send(worker_relay(home->worker), &request, id_of(s), NULL, NULL);
}

/* Notes in the cache that the relay carries this call, or (an empty value) no longer. */
static void note_relay(struct home *home, const struct session *s, const char *value)
{
	char id[HEX_TEXT_SIZE(SESSION_ID_SIZE)], worker[12];

	hex_encode(id_of(s), id);
	snprintf(worker, sizeof(worker), "%u", worker_setup(home->worker)->index);
	/* Nobody waits for it: without the cache a lost call ends by the relay's own idle limit. */
	store_set_field(worker_cache(home->worker), "relay", worker, id, value, NULL, NULL);
}

static void relay_remove(void *arg, const struct session *s)
{
	struct home *home = arg;
	CrsRelay__Request request = CRS_RELAY__REQUEST__INIT;
	CrsRelay__Remove remove = CRS_RELAY__REMOVE__INIT;

	remove.session_id = frame_data(id_of(s));
	request.body_case = CRS_RELAY__REQUEST__BODY_REMOVE;
	request.remove = &remove;
	relay_client_send(worker_relay(home->worker), &request, id_of(s), NULL, NULL);
	/* Behind the request: a crash in between leaves an entry of a call that the relay no
	 * longer has, and its removal is asked for once more. */
	note_relay(home, s, "");
}

static void answer(void *arg, const struct session *s)
{
	struct home *home = arg;
	struct home_note note = { .session_id = id_of(s) };
	Umsg__Frame frame = UMSG__FRAME__INIT, *bang = NULL;
	Umsg__BangAnswer body = UMSG__BANG_ANSWER__INIT;
	struct leg_message leg;

	fill_leg(home, s, &s->relay->initiator, &leg);
	body.session_id = frame_data(id_of(s));
	body.leg = &leg.leg;
	body.ringing = (uint32_t)s->n_devices;
	if (frame_view(slice_of(s->bang, s->bang_n), &bang) == 0)
		frame.request = bang->request;
	frame_free(&bang);
	frame.body_case = UMSG__FRAME__BODY_BANG_ANSWER;
	frame.bang_answer = &body;
	home_send_noted(home, &s->from, &frame, &note);
	/* From now on a crash of this worker would leave the call at the relay: its successor
	 * reads this and takes it off. */
	note_relay(home, s, "1");
}

static void ring(void *arg, const struct session *s, size_t device)
{
	struct home *home = arg;
	struct home_note note = { .session_id = id_of(s) };
	Umsg__Frame *bang = NULL;
	struct leg_message leg;

	if (frame_view(slice_of(s->bang, s->bang_n), &bang))
		return;
	fill_leg(home, s, &s->relay->responder[device], &leg);
	bang->bang->leg = &leg.leg;
	/* The number was the caller's, for its answer; the callee asked for nothing. */
	bang->request = 0;
	home_send_noted(home, &s->device[device].at, bang, &note);
	bang->bang->leg = NULL; /* it is not on the heap */
	frame_free(&bang);
}

static void forward(void *arg, const struct session *s, const struct endpoint *to,
		    struct slice frame, bool last)
{
	struct home_note note = { .session_id = id_of(s), .over = last };

	home_send_octets(arg, to, frame, &note);
}

static void hangup(void *arg, const struct session *s, const struct endpoint *to,
		   Umsg__EndReason reason)
{
	struct home_note note = { .session_id = id_of(s), .over = true };
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Hangup body = UMSG__HANGUP__INIT;
	Umsg__Session session = UMSG__SESSION__INIT;

	session.session_id = frame_data(id_of(s));
	body.session = &session;
	body.reason = reason;
	body.who = UMSG__ENDED_BY__BY_RENDEZVOUS;
	frame.by_server = true;
	frame.body_case = UMSG__FRAME__BODY_HANGUP;
	frame.hangup = &body;
	home_send_noted(arg, to, &frame, &note);
}

static void changed(void *arg, const struct session *s)
{
	struct home *home = arg;
	char state[64], id[BASE64_TEXT_SIZE(SESSION_ID_SIZE)];
	const char *fields[] = { s->caller, s->callee, state, s->account, id };

	if (s->state == SESSION_TALK)
		worker_figure(home->worker, FIGURE_CALLS_ANSWERED);
	session_state_text(s, "; ", state, sizeof(state));
	base64_encode(BASE64_STANDARD, id_of(s), id); /* as cig-cli and cca print it */
	log_debug("session", "%s caller=%s callee=%s session=%s", state, s->caller, s->callee, id);
	if (worker_traces(home->worker, TRACE_SESSION))
		worker_trace(home->worker, TRACE_SESSION, fields, 5);
}

/* A worker that died left calls at the relay, which its successor knows from the cache only.
 * What is not among the calls of now goes. */
static void on_old_relay(void *arg, const char *what, const char *worker, const char *id,
			 const char *value)
{
	struct home *home = arg;
	struct session old = { .callee = NULL };
	const struct session *now;
	size_t n = 0;

	(void)what;
	(void)worker;
	(void)value;
	if (hex_decode(slice_str(id), old.id, sizeof(old.id), &n) || n != sizeof(old.id))
		return;
	now = sessions_find(home->sessions, id_of(&old));
	if (!now || !now->relay)
		relay_remove(home, &old);
}

void home_forget_old_relays(struct home *home)
{
	struct store *cache = worker_cache(home->worker);
	struct relay_client *relay = worker_relay(home->worker);
	char worker[12];

	if (!cache || !store_is_up(cache) || !relay || !relay_client_is_up(relay))
		return;
	snprintf(worker, sizeof(worker), "%u", worker_setup(home->worker)->index);
	store_read_hash(cache, "relay", worker, on_old_relay, NULL, home);
}

const struct sessions_ops home_sessions_ops = {
	.relay_add = relay_add,
	.relay_keep = relay_keep,
	.relay_remove = relay_remove,
	.answer = answer,
	.ring = ring,
	.forward = forward,
	.hangup = hangup,
	.changed = changed,
};

/* The callee's devices that may ring: all with keys but the one that calls. */
static size_t ringing_devices(const struct home *home, struct slice callee,
			      const struct endpoint *caller,
			      struct endpoint out[SESSION_MAX_DEVICES])
{
	const struct user *user = home_find_user(home, callee);
	size_t n = 0;

	for (const struct device *d = user ? user->devices : NULL; d; d = d->next) {
		if (n < SESSION_MAX_DEVICES && !d->updates_only && !endpoint_equal(&d->at, caller))
			out[n++] = d->at;
	}
	return n;
}

static void count_invited(struct home *home, const struct session_invite *invite,
			  const struct passed_up *up)
{
	const char *account = home_account_of(home, invite->callee);

	home_count(home, COUNTER_SESSION_OUT, up->account, up->from);
	if (invite->n_streams > 1)
		home_count(home, COUNTER_MULTI_OUT, up->account, up->from);
	if (invite->group)
		home_count(home, COUNTER_GROUP_OUT, up->account, up->from);
	if (account)
		home_count(home, COUNTER_SESSION_IN, account, up->uri);
}

void home_refuse_call(struct home *home, const struct endpoint *from, const Umsg__Frame *frame,
		      Umsg__ErrorCode code, const char *text, uint32_t retry_after_s)
{
	struct slice id = frame_session_id(frame);
	const struct session *session = sessions_find(home->sessions, id);
	struct home_note note = { .request_answered = frame->request };
	struct frame_error error;

	/* Its holder took it for a call.  Not so the repeat of an invitation: that call goes on. */
	if (!session || !session->caller_there || !endpoint_equal(&session->from, from)) {
		note.session_id = id;
		note.over = true;
	}
	frame_error_init(&error, frame->request, code, text, retry_after_s);
	home_send_noted(home, from, &error.frame, &note);
}

void home_invite(struct home *home, const struct endpoint *from, const struct passed_up *up,
		 const Umsg__Frame *frame)
{
	struct endpoint devices[SESSION_MAX_DEVICES];
	struct slice callee = slice_str(up->uri);
	struct session_invite invite = {
		.id = frame_session_id(frame),
		.caller = slice_str(up->from),
		.callee = callee,
		.account = slice_str(up->account),
		.from = *from,
		.n_streams = frame->bang->streams,
		.group = frame->bang->group_id.len > 0,
		.frame = up->frame,
		/* Not found and not connected are two ends of a call (END_NOT_FOUND,
		 * END_NOT_CONNECTED). */
		.known = home_account_of(home, callee) != NULL,
		.devices = devices,
	};
	int err;

	/* Looked up now, not when the caller began: behind a sleep other devices may be there. */
	invite.n_devices = ringing_devices(home, callee, from, devices);
	err = sessions_invite(home->sessions, &invite, clock_mono_ms());
	if (err == -EEXIST)
		home_refuse_call(home, from, frame, UMSG__ERROR_CODE__ERROR_CONFLICT,
				 "this session id is in use", 0);
	else if (err == -EINVAL)
		home_refuse_call(home, from, frame, UMSG__ERROR_CODE__ERROR_MALFORMED,
				 "no call can be made of this", 0);
	else if (err)
		home_refuse_call(home, from, frame, UMSG__ERROR_CODE__ERROR_BUSY,
				 "no memory for another call", 5);
	else
		count_invited(home, &invite, up);
}

void home_bang(struct home *home, const struct endpoint *from, const struct passed_up *up,
	       const Umsg__Frame *frame)
{
	struct endpoint devices[SESSION_MAX_DEVICES];
	bool away = ringing_devices(home, slice_str(up->uri), from, devices) == 0;

	worker_figure(home->worker, FIGURE_CALLS);
	if (!away || !home_let_sleep(home, from, up, frame))
		home_invite(home, from, up, frame);
}

static void count_accepted(struct home *home, struct slice id, const struct passed_up *up)
{
	const struct session *session = sessions_find(home->sessions, id);

	if (session && session->n_streams > 1)
		home_count(home, COUNTER_MULTI_IN, up->account, up->from);
	if (session && session->group)
		home_count(home, COUNTER_GROUP_IN, up->account, up->from);
}

static enum session_frame frame_type(const Umsg__Frame *frame)
{
	switch (frame->body_case) {
	case UMSG__FRAME__BODY_GROWL:
		return SESSION_FRAME_GROWL;
	case UMSG__FRAME__BODY_TALK:
		return SESSION_FRAME_TALK;
	case UMSG__FRAME__BODY_HANGUP:
		return SESSION_FRAME_HANGUP;
	default:
		return SESSION_FRAME_SIGNAL;
	}
}

/* Whoever hung up has left the call.  What was said to him before he was heard has his holder take
 * him for one of its parties again: so this goes behind it. */
static void note_left(struct home *home, const struct endpoint *from, struct slice id)
{
	const struct home_note note = { .session_id = id, .over = true };

	home_send_octets(home, from, slice_str(""), &note);
}

void home_session_frame(struct home *home, const struct endpoint *from, const struct passed_up *up,
			const Umsg__Frame *frame)
{
	Umsg__EndReason reason = UMSG__END_REASON__END_UNSPECIFIED;
	int err;

	if (frame->body_case == UMSG__FRAME__BODY_HANGUP) {
		reason = frame->hangup->reason;
		note_left(home, from, frame_session_id(frame));
		if (home_forget_sleeper(home, from, frame_session_id(frame)))
			return;
	}
	/* The frame is passed on as it came: its body is sealed and none of ours. */
	err = sessions_frame(home->sessions, frame_session_id(frame), from, frame_type(frame),
			     up->frame, reason, clock_mono_ms());

	if (!err && frame->body_case == UMSG__FRAME__BODY_TALK)
		count_accepted(home, frame_session_id(frame), up);
	/* Hangups of both sides cross: the later one is no mistake of its sender. */
	if (err && frame->body_case != UMSG__FRAME__BODY_HANGUP)
		home_error(home, from, frame->request, UMSG__ERROR_CODE__ERROR_NOT_FOUND,
			   err == -EPROTO ? "not in this state of the call" : "no such call", 0);
}

void home_list_sessions(const struct home *home, struct worker_rows *rows)
{
	int64_t now_ms = clock_mono_ms();

	for (const struct session *s = sessions_first(home->sessions); s; s = s->next) {
		char seconds[24], state[64];
		const char *cells[] = { s->caller, s->callee, seconds, state };

		snprintf(seconds, sizeof(seconds), "%" PRId64, session_seconds(s, now_ms));
		session_state_text(s, ", ", state, sizeof(state));
		worker_row(rows, cells, 4);
	}
}
