/* client_call_signals.c - what comes from the other end of a call, and digits to it. */
#include "umsg/client_call_priv.h"

#include <errno.h>

#include "keys/secret.h"

enum { DIGIT_MAX_MS = 10000 };

int umsg_call_send_digit(struct umsg_call *call, char digit, unsigned duration_ms)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Signal signal = UMSG__SIGNAL__INIT;
	Umsg__Digit body = UMSG__DIGIT__INIT;
	char text[2] = { digit, '\0' };
	Umsg__Session session;

	if (call->state != CALL_TALK || !digit || !strchr("0123456789*#ABCD", digit))
		return -EINVAL;
	body.digit = text;
	body.duration_ms = duration_ms < DIGIT_MAX_MS ? duration_ms : DIGIT_MAX_MS;
	signal.of_case = UMSG__SIGNAL__OF_DIGIT;
	signal.digit = &body;
	call_fill_session(call, &session);
	frame.body_case = UMSG__FRAME__BODY_SIGNAL;
	frame.signal = &session;
	return call_send_sealed(call, &frame, &session, &signal.base);
}

int umsg_call_hold(struct umsg_call *call, bool hold)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Signal signal = UMSG__SIGNAL__INIT;
	Umsg__Session session;

	if (call->state != CALL_TALK)
		return -EINVAL;
	signal.of_case = UMSG__SIGNAL__OF_HOLD;
	signal.hold = hold;
	call_fill_session(call, &session);
	frame.body_case = UMSG__FRAME__BODY_SIGNAL;
	frame.signal = &session;
	return call_send_sealed(call, &frame, &session, &signal.base);
}

/* The channel on which a frame came.  A device that is not known yet is filled in at
 * *fresh, to be kept when its frame has opened. */
static struct call_device *sender_of(struct umsg_call *call, const Umsg__Session *session,
				     struct call_device *fresh)
{
	struct slice rand = frame_bytes(session->answer_rand);

	if (call->incoming)
		return session->role == UMSG__CALL_ROLE__INITIATOR ? &call->devices[0] : NULL;
	if (session->role != UMSG__CALL_ROLE__RESPONDER)
		return NULL;
	for (size_t i = 0; i < call->n_devices; i++)
		if (slice_eq(rand, slice_of(call->devices[i].rand, FRAME_ID)))
			return &call->devices[i];
	/* Bounded; and a call that is up takes no more of them. */
	if (call->n_devices == CLIENT_RINGING_MAX || call->talker)
		return NULL;
	memcpy(fresh->rand, rand.p, FRAME_ID);
	if (call_channel_init(&call->secret, CALL_RESPONDER, fresh->rand, &fresh->channel) < 0)
		return NULL;
	return fresh;
}

/* Opens what a party sealed.  NULL: it is not to be believed. */
static struct call_device *open_session(struct umsg_call *call, const Umsg__Frame *frame,
					const Umsg__Session *session,
					uint8_t plain[FRAME_SEALED_MAX], size_t *n_out)
{
	struct call_device fresh, *device = sender_of(call, session, &fresh);
	unsigned suppressed;
	int err = -EBADMSG;

	/* The key would tell as well; this costs no decryption. */
	if (device && slice_eq_str(frame_bare(frame->from), call_peer(call)))
		err = call_open(&call->secret, &device->channel, (uint8_t)frame->body_case,
				session->counter, frame_bytes(session->sealed), plain, n_out);
	if (err) {
		if (client_may_log(&call->client->odd, &suppressed))
			log_warn(CLIENT_LOG, "%s: a %s of a call was ignored: %s (%u more)",
				 client_uri(call->client), frame_name(frame),
				 err == -EALREADY ? "repeated" : "not authentic", suppressed);
		device = NULL;
	} else if (device == &fresh) {
		call->devices[call->n_devices] = fresh;
		device = &call->devices[call->n_devices++];
	}
	wipe(&fresh, sizeof(fresh)); /* a channel's key, perhaps of nobody */
	return device;
}

/* Early media of the first device that offers it; what does not fit is no reason to end. */
static bool take_early(struct umsg_call *call, const struct call_device *device, struct slice plain)
{
	int err;
	Umsg__Ringing *ringing = (Umsg__Ringing *)(void *)pack_read(
		&umsg__ringing__descriptor, plain, CALL_SIGNAL_MEMORY, &err);
	bool taken = ringing && ringing->answer && call->leg && !call->has_media &&
		     call_answer_ok(ringing->answer, call->offer) &&
		     call_media_fill(&call->secret, true, device->rand, call->leg, ringing->answer,
				     &call->media) == 0;

	PACK_FREE(&ringing);
	call->has_media = call->has_media || taken;
	return taken;
}

static void on_growl(struct umsg_call *call, const struct call_device *device, struct slice plain)
{
	bool first = call->state == CALL_BANG;

	if (call->incoming || !call_step(call, CALL_EV_RINGING))
		return;
	if (first)
		call_tell(call, UMSG_CALL_RINGING);
	if (call->state == CALL_GROWL && take_early(call, device, plain))
		call_tell(call, UMSG_CALL_EARLY);
}

static void on_talk(struct umsg_call *call, struct call_device *device, struct slice plain)
{
	Umsg__Answer *answer;
	int err;

	if (call->incoming || call->state >= CALL_TALK)
		return;
	answer = call_answer_read(plain, call->offer);
	if (!answer) {
		call_hang_up(call, UMSG__END_REASON__END_UNDECRYPTABLE);
		return;
	}
	if (!call->leg) {
		PACK_FREE(&answer);
		call_hang_up(call, UMSG__END_REASON__END_NO_RELAY);
		return;
	}
	/* Points into the call: no device is added from now on. */
	call->talker = device;
	memcpy(call->rand, device->rand, FRAME_ID);
	err = call_media_fill(&call->secret, true, call->rand, call->leg, answer, &call->media);
	PACK_FREE(&answer);
	if (err) {
		call_hang_up(call, UMSG__END_REASON__END_FAILED);
		return;
	}
	call->has_media = true;
	call_step(call, CALL_EV_ANSWERED);
	call_tell(call, UMSG_CALL_ANSWERED);
}

static void on_signal(struct umsg_call *call, struct slice plain)
{
	int err;
	Umsg__Signal *signal = (Umsg__Signal *)(void *)pack_read(&umsg__signal__descriptor, plain,
								 CALL_SIGNAL_MEMORY, &err);

	if (!signal || call->state != CALL_TALK) {
		PACK_FREE(&signal);
		return;
	}
	if (signal->of_case == UMSG__SIGNAL__OF_HOLD) {
		call->held = signal->hold;
		call_tell(call, UMSG_CALL_HOLD);
	} else if (signal->of_case == UMSG__SIGNAL__OF_DIGIT && signal->digit->digit[0] &&
		   strchr("0123456789*#ABCD", signal->digit->digit[0])) {
		call->digit = signal->digit->digit[0];
		call_tell(call, UMSG_CALL_DIGIT);
	}
	PACK_FREE(&signal);
}

static void on_goodbye(struct umsg_call *call, struct slice plain)
{
	int err;
	Umsg__Goodbye *goodbye = (Umsg__Goodbye *)(void *)pack_read(
		&umsg__goodbye__descriptor, plain, CALL_SIGNAL_MEMORY, &err);
	Umsg__EndReason reason = goodbye ? goodbye->reason : UMSG__END_REASON__END_UNSPECIFIED;

	PACK_FREE(&goodbye);
	call_finish(call, reason,
		    call->incoming ? UMSG__ENDED_BY__BY_INITIATOR : UMSG__ENDED_BY__BY_RESPONDER,
		    false);
}

/* A hangup without a sealed part: by the rendezvous, or by a device that could not open
 * the invitation, which we believe no more than the rendezvous. */
static void on_unsealed_hangup(struct umsg_call *call, const Umsg__Frame *frame)
{
	if (frame->by_server)
		call_finish(call, frame->hangup->reason, UMSG__ENDED_BY__BY_RENDEZVOUS, false);
	else if (!call->incoming && call->state < CALL_TALK)
		call_finish(call, frame->hangup->reason, UMSG__ENDED_BY__BY_RESPONDER, false);
}

/* What a party said, once it is believed. */
static void take_signal(struct umsg_call *call, const Umsg__Frame *frame,
			struct call_device *device, struct slice plain)
{
	if (call->talker && device != call->talker)
		return; /* of a device that lost */
	if (frame->body_case == UMSG__FRAME__BODY_GROWL)
		on_growl(call, device, plain);
	else if (frame->body_case == UMSG__FRAME__BODY_TALK)
		on_talk(call, device, plain);
	else if (frame->body_case == UMSG__FRAME__BODY_SIGNAL)
		on_signal(call, plain);
	else
		on_goodbye(call, plain);
}

void client_on_session(struct umsg_client *client, const Umsg__Frame *frame)
{
	const Umsg__Session *session = frame_session(frame);
	struct umsg_call *call = call_find(client, frame_bytes(session->session_id));
	uint8_t plain[FRAME_SEALED_MAX];
	struct call_device *device;
	size_t n = 0;

	if (!call)
		return;
	if (session->sealed.len == 0) {
		on_unsealed_hangup(call, frame);
		return;
	}
	device = open_session(call, frame, session, plain, &n);
	if (!device) {
		/* The peer believes that it talks: it must hear that it does not. */
		if (frame->body_case == UMSG__FRAME__BODY_TALK && call->state < CALL_TALK)
			call_hang_up(call, UMSG__END_REASON__END_UNDECRYPTABLE);
		return;
	}
	take_signal(call, frame, device, slice_of(plain, n));
	wipe(plain, sizeof(plain));
}
