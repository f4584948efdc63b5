/* client_call_invite.c - invitations made and taken, ringing and answering. */
#include "umsg/client_call_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "keys/identity.h"
#include "keys/replay.h"
#include "keys/secret.h"

/* ---- outgoing ---- */

static int send_bang(struct umsg_call *call, const struct call_invitation *invitation)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Bang bang = UMSG__BANG__INIT;

	bang.session_id = frame_data(slice_of(call->secret.session_id, FRAME_ID));
	bang.i_message = frame_data(slice_of(invitation->i_message, invitation->i_message_n));
	bang.sealed = frame_data(slice_of(invitation->sealed, invitation->sealed_n));
	if (call->client->in_group)
		bang.group_id = frame_data(slice_of(call->client->group_id, FRAME_ID));
	bang.streams = (uint32_t)call->offer->n_streams;
	call->request = ++call->client->requests;
	frame.request = call->request;
	frame.to = call->secret.responder;
	frame.body_case = UMSG__FRAME__BODY_BANG;
	frame.bang = &bang;
	return client_send(call->client, &frame);
}

/* Seals the offer and sends it. */
static int invite(struct umsg_call *call, const struct domain *domain, const char *to,
		  const struct call_offer *offer)
{
	struct umsg_client *client = call->client;
	int64_t now_ms = clock_wall_ms();
	struct period_keys *own = client_own_keys(client, now_ms / 1000);
	struct call_invitation invitation;
	uint8_t id[FRAME_ID], *plain = NULL;
	struct call_wanted wanted = { .domain = domain,
				      .to = slice_str(to),
				      .session_id = id,
				      .n_streams = (uint8_t)offer->offer.n_streams,
				      .to_self = keystore_settings(client->keys.store).intercept };
	size_t n;
	int err = own ? 0 : -ENOKEY;

	if (!err)
		err = pack_write(&offer->offer.base, FRAME_SEALED_MAX - CALL_TAG, &plain, &n);
	if (!err && RAND_bytes(id, sizeof(id)) != 1)
		err = -EIO;
	if (!err) {
		wanted.offer = slice_of(plain, n);
		err = call_invite(own, &wanted, now_ms, &call->secret, &invitation);
	}
	period_keys_release(&own);
	if (!err) {
		/* Read back: as the peer reads it, and owned by the call. */
		call->offer = call_offer_read(wanted.offer);
		err = call->offer
			      ? call_channel_init(&call->secret, CALL_INITIATOR, NULL, &call->own)
			      : -ENOMEM;
	}
	free(plain);
	return err ? err : send_bang(call, &invitation);
}

void umsg_client_set_group(struct umsg_client *client, const uint8_t group_id[UMSG_ID_SIZE])
{
	client->in_group = group_id != NULL;
	if (group_id)
		memcpy(client->group_id, group_id, FRAME_ID);
}

int umsg_call_invite(struct umsg_client *client, const char *to, const char *called_extension,
		     const char *calling_extension, const struct umsg_audio_wish *wish, void *arg,
		     struct umsg_call **call_out)
{
	const struct domain *domain;
	enum identity_kind kind;
	struct call_offer offer;
	struct umsg_call *call;
	int err;

	if (!client_attached(client))
		return -ENOTCONN;
	if (identity_check(slice_str(to), &kind) < 0 || kind == IDENTITY_CHANNEL)
		return -EINVAL;
	err = call_offer_make(wish, called_extension, calling_extension, &offer);
	if (err)
		return err;
	domain = client_peer_domain(client, slice_str(to), (struct slice){ NULL, 0 });
	if (!domain)
		return -ENOKEY;
	call = client_call_new(client, false);
	if (!call)
		return -ENOMEM;
	call->arg = arg;
	strncpy(call->called, called_extension, sizeof(call->called) - 1);
	strncpy(call->calling, calling_extension, sizeof(call->calling) - 1);
	strncpy(call->domain, domain_name(domain), sizeof(call->domain) - 1);
	err = invite(call, domain, to, &offer);
	if (err) {
		client_call_free(call);
		return err;
	}
	call_add(call);
	call_step(call, CALL_EV_INVITED);
	*call_out = call;
	return 0;
}

/* A copy that outlives the frame. */
static Umsg__Leg *copy_leg(const Umsg__Leg *leg)
{
	return (Umsg__Leg *)(void *)pack_copy(&leg->base);
}

void client_on_bang_answer(struct umsg_client *client, const Umsg__BangAnswer *answer)
{
	struct umsg_call *call = call_find(client, frame_bytes(answer->session_id));

	/* The first answer counts: a second leg would mean another relay in the middle of a
	 * call. */
	if (!call || call->incoming || call->leg || call->state >= CALL_TALK ||
	    answer->leg->n_streams != call->offer->n_streams)
		return;
	call->leg = copy_leg(answer->leg);
	if (call->leg)
		call_tell(call, UMSG_CALL_PROGRESS);
	else
		call_hang_up(call, UMSG__END_REASON__END_CONGESTION);
}

/* The rendezvous does not take the invitation. */
void client_on_call_error(struct umsg_client *client, uint64_t request, Umsg__ErrorCode code)
{
	struct umsg_call *call = client->calls;

	while (call && (call->incoming || call->request != request))
		call = call->next;
	/* A call that rings was taken: then the error comes too late to be true. */
	if (call && call->state == CALL_BANG)
		call_finish(call,
			    code == UMSG__ERROR_CODE__ERROR_BUSY ? UMSG__END_REASON__END_CONGESTION
			    : code == UMSG__ERROR_CODE__ERROR_NOT_ALLOWED
				    ? UMSG__END_REASON__END_NOT_ALLOWED
				    : UMSG__END_REASON__END_FAILED,
			    UMSG__ENDED_BY__BY_RENDEZVOUS, false);
}

/* ---- incoming ---- */

/* Of a responder that cannot open the invitation: it has no key to seal with. */
static void refuse(struct umsg_client *client, const Umsg__Frame *bang, Umsg__EndReason reason)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Hangup hangup = UMSG__HANGUP__INIT;
	Umsg__Session session = UMSG__SESSION__INIT;
	struct slice from = frame_bare(bang->from);
	char to[IDENTITY_URI_MAX + 1] = "";
	/* A responder's frame needs one; no key comes of it. */
	uint8_t any[FRAME_ID];

	if (RAND_bytes(any, sizeof(any)) != 1)
		return;
	memcpy(to, from.p, from.n);
	session.session_id = bang->bang->session_id;
	session.role = UMSG__CALL_ROLE__RESPONDER;
	session.answer_rand = frame_data(slice_of(any, sizeof(any)));
	hangup.session = &session;
	hangup.reason = reason;
	hangup.who = UMSG__ENDED_BY__BY_RESPONDER;
	frame.to = to;
	frame.body_case = UMSG__FRAME__BODY_HANGUP;
	frame.hangup = &hangup;
	client_send(client, &frame);
}

static Umsg__EndReason why_refused(enum mikey_verdict verdict)
{
	switch (verdict) {
	case MIKEY_TOO_OLD:
	case MIKEY_TOO_NEW:
		return UMSG__END_REASON__END_WRONG_TIME;
	case MIKEY_NO_MEMORY:
		return UMSG__END_REASON__END_CONGESTION;
	default:
		return UMSG__END_REASON__END_UNDECRYPTABLE;
	}
}

static void log_refusal(struct umsg_client *client, const Umsg__Frame *frame, const char *why)
{
	unsigned suppressed;

	if (client_may_log(&client->refusals, &suppressed))
		log_warn(CLIENT_LOG, "%s: call from %s refused: %s (%u more)", client_uri(client),
			 frame->from, why, suppressed);
}

/* Takes an I_MESSAGE once.  Returns 0, -EEXIST, -ENOBUFS, -errno.  Kept until its time stamp is
 * out of the window anyway: then its age refuses it. */
static int take_once(struct umsg_client *client, struct slice from,
		     const struct mikey_message *message, int64_t now_s)
{
	return replay_take(client->replay, from, slice_of(message->rand, MIKEY_RAND), now_s,
			   mikey_time_s(message) + MIKEY_CALL_WINDOW_S + 1);
}

/* Verifies, looks for a repeat, opens. */
static enum mikey_verdict open_invitation(struct umsg_call *call, const Umsg__Frame *frame,
					  const struct domain *from_domain, struct period_keys *own,
					  bool *repeated_out)
{
	const Umsg__Bang *bang = frame->bang;
	const struct mikey_expect expect = {
		.from = frame_bare(frame->from),
		.from_domain = from_domain,
		.now_s = clock_wall_s(),
		.past_s = MIKEY_CALL_WINDOW_S,
		.future_s = MIKEY_CALL_WINDOW_S,
	};
	struct slice sealed = frame_bytes(bang->sealed);
	struct mikey_message message;
	uint8_t plain[FRAME_SEALED_MAX];
	size_t n = 0;
	enum mikey_verdict verdict;
	int err;

	verdict = call_verify(frame_bytes(bang->i_message), bang->session_id.data, sealed, &expect,
			      own, &message);
	if (verdict != MIKEY_OK)
		return verdict;
	/* Between the signature and the pairing: a forged message must not fill the memory of
	 * repeats, a repeated one must not cost a pairing. */
	err = take_once(call->client, expect.from, &message, expect.now_s);
	*repeated_out = err == -EEXIST;
	if (err)
		return MIKEY_NO_MEMORY;
	verdict = call_accept(&message, bang->session_id.data, sealed, &expect, own, &call->secret,
			      plain, &n);
	if (verdict == MIKEY_OK)
		call->offer = call_offer_read(slice_of(plain, n));
	wipe(plain, sizeof(plain));
	if (verdict != MIKEY_OK)
		return verdict;
	/* The number of streams is said three times; keys, relay and offer have to mean the
	 * same. */
	if (!call->offer || call->offer->n_streams != call->secret.keys.n_cs ||
	    call->offer->n_streams != bang->streams)
		return MIKEY_MALFORMED;
	return MIKEY_OK;
}

/* What an incoming call has once its invitation is open. */
static int prepare(struct umsg_call *call, const Umsg__Frame *frame, const struct domain *domain)
{
	strncpy(call->called, call->offer->called_extension, sizeof(call->called) - 1);
	strncpy(call->calling, call->offer->calling_extension, sizeof(call->calling) - 1);
	strncpy(call->domain, domain_name(domain), sizeof(call->domain) - 1);
	call->leg = copy_leg(frame->bang->leg);
	if (!call->leg || RAND_bytes(call->rand, sizeof(call->rand)) != 1 ||
	    call_channel_init(&call->secret, CALL_RESPONDER, call->rand, &call->own) < 0)
		return -ENOMEM;
	call->n_devices = 1;
	return call_channel_init(&call->secret, CALL_INITIATOR, NULL, &call->devices[0].channel);
}

/* The peer's domain and our keys for an I_MESSAGE; NULL with why: it is not for us, or not from
 * a domain that we trust for this sender. */
static struct period_keys *keys_for(struct umsg_client *client, const Umsg__Frame *frame,
				    const struct domain **domain_out, char why[CLIENT_WHY_SIZE])
{
	struct slice from = frame_bare(frame->from);
	struct mikey_message message;

	snprintf(why, CLIENT_WHY_SIZE, "no keys for it");
	if (mikey_parse(frame_bytes(frame->bang->i_message), &message) < 0 ||
	    !slice_eq_str(frame_bare(frame->to), client_uri(client)))
		return NULL;
	*domain_out = client_peer_domain(client, from, message.from_kms);
	if (!*domain_out)
		client_why_no_domain(client, from, message.from_kms, why);
	return *domain_out ? client_own_keys(client, mikey_time_s(&message)) : NULL;
}

static void take_invitation(struct umsg_client *client, const Umsg__Frame *frame,
			    struct umsg_call *call, const struct domain *domain,
			    struct period_keys *own)
{
	bool repeated = false;
	enum mikey_verdict verdict = open_invitation(call, frame, domain, own, &repeated);

	if (verdict == MIKEY_OK && prepare(call, frame, domain) < 0)
		verdict = MIKEY_NO_MEMORY;
	if (verdict == MIKEY_OK) {
		call_add(call);
		call_step(call, CALL_EV_INVITED);
		/* Pinned with a good signature only; before the call is told. */
		client_met(client, frame_bare(frame->from), domain);
		client->ops->incoming(client->arg, call);
		return;
	}
	log_refusal(client, frame, repeated ? "repeated" : mikey_verdict_name(verdict));
	/* The first copy of it is being answered, or was: a refusal would end that call. */
	if (!repeated)
		refuse(client, frame, why_refused(verdict));
	client_call_free(call);
}

void client_on_bang(struct umsg_client *client, const Umsg__Frame *frame)
{
	const struct domain *domain = NULL;
	struct period_keys *own;
	struct umsg_call *call;
	char why[CLIENT_WHY_SIZE];

	/* A repeat, or a session id taken from a call of ours. */
	if (call_find(client, frame_bytes(frame->bang->session_id)))
		return;
	if (!client_attached(client) || client->n_calls >= client->max_calls) {
		refuse(client, frame, UMSG__END_REASON__END_CONGESTION);
		return;
	}
	own = keys_for(client, frame, &domain, why);
	if (!own) {
		log_refusal(client, frame, why);
		refuse(client, frame, UMSG__END_REASON__END_UNDECRYPTABLE);
		return;
	}
	call = client_call_new(client, true);
	if (call)
		take_invitation(client, frame, call, domain, own);
	else
		refuse(client, frame, UMSG__END_REASON__END_CONGESTION);
	period_keys_release(&own);
}

int umsg_call_ring(struct umsg_call *call)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Ringing ringing = UMSG__RINGING__INIT;
	Umsg__Session session;
	int err;

	if (!call->incoming || call->state != CALL_BANG)
		return -EINVAL;
	call_fill_session(call, &session);
	frame.body_case = UMSG__FRAME__BODY_GROWL;
	frame.growl = &session;
	err = call_send_sealed(call, &frame, &session, &ringing.base);
	if (!err)
		call_step(call, CALL_EV_RINGING);
	return err;
}

/* Chooses from the offer and fills in the media, once: the answer repeats the early one. */
static int choose(struct umsg_call *call, const struct umsg_audio_wish *wish,
		  struct call_answer *answer_out)
{
	int err = call_answer_make(call->offer, wish, answer_out);

	if (!err)
		err = call_media_fill(&call->secret, false, call->rand, call->leg,
				      &answer_out->answer, &call->media);
	return err;
}

size_t umsg_call_offered(const struct umsg_call *call,
			 enum umsg_audio_codec codecs_out[UMSG_AUDIO_CODECS])
{
	return call->offer ? call_offer_codecs(call->offer, codecs_out) : 0;
}

int umsg_call_ring_early(struct umsg_call *call, const struct umsg_audio_wish *wish)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Ringing ringing = UMSG__RINGING__INIT;
	struct call_answer answer;
	Umsg__Session session;
	int err;

	if (!call->incoming || (call->state != CALL_BANG && call->state != CALL_GROWL))
		return -EINVAL;
	if (call->has_media)
		return 0;
	err = choose(call, wish, &answer);
	if (err)
		return err;
	ringing.answer = &answer.answer;
	call_fill_session(call, &session);
	frame.body_case = UMSG__FRAME__BODY_GROWL;
	frame.growl = &session;
	err = call_send_sealed(call, &frame, &session, &ringing.base);
	if (err)
		return err;
	/* The answer keeps to it, whatever is wished then: keys and codec are in use. */
	call->early = *wish;
	call->has_media = true;
	if (call->state == CALL_BANG)
		call_step(call, CALL_EV_RINGING);
	return 0;
}

int umsg_call_answer(struct umsg_call *call, const struct umsg_audio_wish *wish)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	struct call_answer answer;
	Umsg__Session session;
	int err;

	if (!call->incoming || (call->state != CALL_BANG && call->state != CALL_GROWL))
		return -EINVAL;
	err = choose(call, call->early.n_codecs ? &call->early : wish, &answer);
	if (err == -ENOTSUP)
		call_hang_up(call, UMSG__END_REASON__END_NO_COMMON_CODEC);
	if (err)
		return err;
	call_fill_session(call, &session);
	frame.body_case = UMSG__FRAME__BODY_TALK;
	frame.talk = &session;
	err = call_send_sealed(call, &frame, &session, &answer.answer.base);
	if (err)
		return err;
	call->has_media = true;
	call_step(call, CALL_EV_ANSWERED);
	return 0;
}
