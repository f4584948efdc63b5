/* client_calls.c - what is known of calls, their life, and what they send. */
#include "umsg/client_call_priv.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/timer.h"
#include "keys/secret.h"

/* ---- what is known of a call ---- */

void umsg_call_set_arg(struct umsg_call *call, void *arg)
{
	call->arg = arg;
}

void *umsg_call_arg(const struct umsg_call *call)
{
	return call->arg;
}

bool umsg_call_is_incoming(const struct umsg_call *call)
{
	return call->incoming;
}

const uint8_t *umsg_call_id(const struct umsg_call *call)
{
	return call->secret.session_id;
}

const char *umsg_call_from(const struct umsg_call *call)
{
	return call->secret.initiator;
}

const char *umsg_call_to(const struct umsg_call *call)
{
	return call->secret.responder;
}

const char *umsg_call_called_extension(const struct umsg_call *call)
{
	return call->called;
}

const char *umsg_call_calling_extension(const struct umsg_call *call)
{
	return call->calling;
}

const char *umsg_call_peer_domain(const struct umsg_call *call)
{
	return call->domain;
}

const char *umsg_call_state_word(const struct umsg_call *call)
{
	return call_state_word(call->state);
}

int64_t umsg_call_started_ms(const struct umsg_call *call)
{
	return call->started_ms;
}

const struct umsg_media *umsg_call_media(const struct umsg_call *call)
{
	return call->has_media ? &call->media : NULL;
}

char umsg_call_digit(const struct umsg_call *call)
{
	return call->digit;
}

bool umsg_call_held(const struct umsg_call *call)
{
	return call->held;
}

struct umsg_call_end umsg_call_end(const struct umsg_call *call)
{
	return call->end;
}

/* ---- life ---- */

void client_call_free(struct umsg_call *call)
{
	if (call->timer)
		event_free(call->timer);
	PACK_FREE(&call->offer);
	PACK_FREE(&call->leg);
	wipe(call, sizeof(*call));
	free(call);
}

void client_bury_calls(struct umsg_client *client)
{
	while (client->dead) {
		struct umsg_call *call = client->dead;

		client->dead = call->next;
		client_call_free(call);
	}
}

void call_tell(struct umsg_call *call, enum umsg_call_event event)
{
	call->client->ops->call(call->client->arg, call, event);
}

static void send_hangup(struct umsg_call *call, Umsg__EndReason reason);

void call_finish(struct umsg_call *call, Umsg__EndReason reason, Umsg__EndedBy by, bool by_us)
{
	struct umsg_client *client = call->client;
	struct umsg_call **at = &client->calls;

	if (call->state == CALL_GONE)
		return;
	/* First: what is told below may call back in. */
	call->state = CALL_GONE;
	call->end = (struct umsg_call_end){ reason, by, by_us };
	event_del(call->timer);
	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	client->n_calls--;
	call->next = client->dead;
	client->dead = call;
	/* Freed by the loop: whoever is calling us may still look at it. */
	event_active(client->bury, EV_TIMEOUT, 0);
	call_tell(call, UMSG_CALL_ENDED);
}

void call_hang_up(struct umsg_call *call, Umsg__EndReason reason)
{
	if (call->state == CALL_GONE)
		return;
	call->state = CALL_HANGUP;
	/* Its failure is no matter: the peer's own limits end the call then. */
	send_hangup(call, reason);
	call_finish(call, reason,
		    call->incoming ? UMSG__ENDED_BY__BY_RESPONDER : UMSG__ENDED_BY__BY_INITIATOR,
		    true);
}

void umsg_call_hangup(struct umsg_call *call, Umsg__EndReason reason)
{
	call_hang_up(call, reason);
}

void client_end_calls(struct umsg_client *client, Umsg__EndReason reason, bool say_so)
{
	while (client->calls) {
		struct umsg_call *call = client->calls;

		if (say_so)
			call_hang_up(call, reason);
		else
			call_finish(call, reason, UMSG__ENDED_BY__BY_RENDEZVOUS, false);
	}
}

/* An event that the state does not expect changes nothing: frames may cross on the wire. */
bool call_step(struct umsg_call *call, enum call_event event)
{
	enum call_state next = call_state_next(call->state, event);

	if (next == CALL_NONE)
		return false;
	if (next == call->state)
		return true; /* its time runs on */
	call->state = next;
	timer_arm(call->timer, call_state_limit_ms(next));
	return true;
}

/* Each state has its limit (call.c): a peer that has vanished leaves no call behind. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct umsg_call *call = arg;

	(void)fd;
	(void)what;
	call_hang_up(call, call->state == CALL_TALK ? UMSG__END_REASON__END_HANGUP
						    : UMSG__END_REASON__END_NO_ANSWER);
}

struct umsg_call *client_call_new(struct umsg_client *client, bool incoming)
{
	struct umsg_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->client = client;
	call->incoming = incoming;
	call->state = CALL_CREATE;
	call->started_ms = clock_mono_ms();
	call->timer = event_new(client->base, -1, 0, on_timer, call);
	if (!call->timer) {
		free(call);
		return NULL;
	}
	return call;
}

void call_add(struct umsg_call *call)
{
	call->next = call->client->calls;
	call->client->calls = call;
	call->client->n_calls++;
}

struct umsg_call *call_find(const struct umsg_client *client, struct slice session_id)
{
	/* Linear: max_calls at most. */
	for (struct umsg_call *call = client->calls; call; call = call->next)
		if (slice_eq(session_id, slice_of(call->secret.session_id, FRAME_ID)))
			return call;
	return NULL;
}

/* ---- sending ---- */

void call_fill_session(const struct umsg_call *call, Umsg__Session *session)
{
	umsg__session__init(session);
	session->session_id = frame_data(slice_of(call->secret.session_id, FRAME_ID));
	if (call->incoming) {
		session->role = UMSG__CALL_ROLE__RESPONDER;
		session->answer_rand = frame_data(slice_of(call->rand, FRAME_ID));
	}
}

const char *call_peer(const struct umsg_call *call)
{
	return call->incoming ? call->secret.initiator : call->secret.responder;
}

int call_send_sealed(struct umsg_call *call, Umsg__Frame *frame, Umsg__Session *session,
		     const ProtobufCMessage *body)
{
	uint8_t sealed[FRAME_SEALED_MAX], *plain = NULL;
	size_t n = 0;
	int err = body ? pack_write(body, FRAME_SEALED_MAX - CALL_TAG, &plain, &n) : 0;

	if (!err)
		err = call_seal(&call->secret, &call->own, (uint8_t)frame->body_case,
				slice_of(plain, n), sealed, &session->counter);
	free(plain);
	if (err)
		return err;
	session->sealed = frame_data(slice_of(sealed, n + CALL_TAG));
	frame->to = frame_text(call_peer(call));
	return client_send(call->client, frame);
}

static void send_hangup(struct umsg_call *call, Umsg__EndReason reason)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Hangup hangup = UMSG__HANGUP__INIT;
	Umsg__Goodbye goodbye = UMSG__GOODBYE__INIT;
	Umsg__Session session;

	call_fill_session(call, &session);
	goodbye.reason = reason;
	hangup.session = &session;
	hangup.reason = reason;
	hangup.who = call->incoming ? UMSG__ENDED_BY__BY_RESPONDER : UMSG__ENDED_BY__BY_INITIATOR;
	frame.body_case = UMSG__FRAME__BODY_HANGUP;
	frame.hangup = &hangup;
	call_send_sealed(call, &frame, &session, &goodbye.base);
}
