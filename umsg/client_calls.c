/* client_calls.c - calls: invitations made and taken, and what becomes of them. */
#include "umsg/client_priv.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "keys/identity.h"
#include "keys/replay.h"
#include "keys/secret.h"
#include "umsg/call_media.h"
#include "umsg/pack.h"

enum { SIGNAL_MEMORY = 16384, DIGIT_MAX_MS = 10000 };

/* A device of the callee, known by its answer_rand. */
struct device {
	uint8_t rand[FRAME_ID];
	struct call_channel channel;
};

struct umsg_call {
	struct umsg_client *client;
	struct umsg_call *next;
	bool incoming;
	enum call_state state;
	struct event *timer;
	int64_t started_ms;
	void *arg;
	char called[UMSG_EXTENSION_SIZE], calling[UMSG_EXTENSION_SIZE];
	char domain[DOMAIN_NAME_MAX + 1];
	struct call_secret secret; /* names and session id, too */
	struct call_channel own;
	uint8_t rand[FRAME_ID]; /* our answer_rand; outgoing: of the device that answered */
	/* Whom we hear: the initiator, or the devices that ring. */
	struct device devices[CLIENT_RINGING_MAX];
	size_t n_devices;
	struct device *talker; /* outgoing: which one answered */
	Umsg__Offer *offer;
	Umsg__Leg *leg;
	struct umsg_media media;
	bool has_media, held;
	char digit;
	struct umsg_call_end end;
};

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

const char *umsg_end_reason_text(Umsg__EndReason reason)
{
	static const char *const texts[] = {
		[UMSG__END_REASON__END_UNSPECIFIED] = "ended",
		[UMSG__END_REASON__END_HANGUP] = "hangup",
		[UMSG__END_REASON__END_BUSY] = "busy",
		[UMSG__END_REASON__END_DECLINED] = "declined",
		[UMSG__END_REASON__END_NO_ANSWER] = "no answer",
		[UMSG__END_REASON__END_NOT_FOUND] = "responder not found",
		[UMSG__END_REASON__END_NOT_CONNECTED] = "responder not connected",
		[UMSG__END_REASON__END_ANSWERED_ELSEWHERE] = "answered elsewhere",
		[UMSG__END_REASON__END_MEDIA_LOST] = "media lost",
		[UMSG__END_REASON__END_UNDECRYPTABLE] = "undecryptable",
		[UMSG__END_REASON__END_NO_COMMON_CODEC] = "no common codec",
		[UMSG__END_REASON__END_FAILED] = "failed",
		[UMSG__END_REASON__END_CONGESTION] = "congestion",
		[UMSG__END_REASON__END_NO_RELAY] = "no relay",
		[UMSG__END_REASON__END_NOT_ALLOWED] = "not allowed",
		[UMSG__END_REASON__END_NO_ROUTE] = "no route",
		[UMSG__END_REASON__END_LOST_CONNECTION] = "connection lost",
		[UMSG__END_REASON__END_WRONG_TIME] = "wrong time",
	};

	if ((unsigned)reason >= sizeof(texts) / sizeof(texts[0]))
		return texts[UMSG__END_REASON__END_UNSPECIFIED];
	return texts[reason];
}

/* ---- life ---- */

static void call_free(struct umsg_call *call)
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
		call_free(call);
	}
}

static void tell(struct umsg_call *call, enum umsg_call_event event)
{
	call->client->ops->call(call->client->arg, call, event);
}

static void send_hangup(struct umsg_call *call, Umsg__EndReason reason);

/* Takes the call off the list, tells the owner, and leaves it to be freed when the loop
 * gets to it: callers further up may still hold it. */
static void finish(struct umsg_call *call, Umsg__EndReason reason, Umsg__EndedBy by, bool by_us)
{
	struct umsg_client *client = call->client;
	struct umsg_call **at = &client->calls;

	if (call->state == CALL_GONE)
		return;
	call->state = CALL_GONE;
	call->end = (struct umsg_call_end){ reason, by, by_us };
	event_del(call->timer);
	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	client->n_calls--;
	call->next = client->dead;
	client->dead = call;
	event_active(client->bury, EV_TIMEOUT, 0);
	tell(call, UMSG_CALL_ENDED);
}

/* Ends it on our side and says so to the other. */
static void hang_up(struct umsg_call *call, Umsg__EndReason reason)
{
	if (call->state == CALL_GONE)
		return;
	call->state = CALL_HANGUP;
	send_hangup(call, reason);
	finish(call, reason,
	       call->incoming ? UMSG__ENDED_BY__BY_RESPONDER : UMSG__ENDED_BY__BY_INITIATOR, true);
}

void umsg_call_hangup(struct umsg_call *call, Umsg__EndReason reason)
{
	hang_up(call, reason);
}

void client_end_calls(struct umsg_client *client, Umsg__EndReason reason, bool say_so)
{
	while (client->calls) {
		struct umsg_call *call = client->calls;

		if (say_so)
			hang_up(call, reason);
		else
			finish(call, reason, UMSG__ENDED_BY__BY_RENDEZVOUS, false);
	}
}

/* Makes a step, unless it does not fit the state. */
static bool step(struct umsg_call *call, enum call_event event)
{
	enum call_state next = call_state_next(call->state, event);
	uint32_t ms;
	struct timeval tv;

	if (next == CALL_NONE)
		return false;
	if (next == call->state)
		return true; /* its time runs on */
	call->state = next;
	ms = call_state_limit_ms(next);
	tv = (struct timeval){ (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };
	event_add(call->timer, &tv);
	return true;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct umsg_call *call = arg;

	(void)fd;
	(void)what;
	hang_up(call, call->state == CALL_TALK ? UMSG__END_REASON__END_HANGUP
					       : UMSG__END_REASON__END_NO_ANSWER);
}

static struct umsg_call *new_call(struct umsg_client *client, bool incoming)
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

static void add_call(struct umsg_call *call)
{
	call->next = call->client->calls;
	call->client->calls = call;
	call->client->n_calls++;
}

static struct umsg_call *find(const struct umsg_client *client, struct slice session_id)
{
	for (struct umsg_call *call = client->calls; call; call = call->next)
		if (slice_eq(session_id, slice_of(call->secret.session_id, FRAME_ID)))
			return call;
	return NULL;
}

/* ---- sending ---- */

static void fill_session(const struct umsg_call *call, Umsg__Session *session)
{
	umsg__session__init(session);
	session->session_id = frame_data(slice_of(call->secret.session_id, FRAME_ID));
	if (call->incoming) {
		session->role = UMSG__CALL_ROLE__RESPONDER;
		session->answer_rand = frame_data(slice_of(call->rand, FRAME_ID));
	}
}

static const char *peer(const struct umsg_call *call)
{
	return call->incoming ? call->secret.initiator : call->secret.responder;
}

/* Seals body (NULL: nothing) and sends it as the frame whose other fields are set;
 * session is part of the frame. */
static int send_sealed(struct umsg_call *call, Umsg__Frame *frame, Umsg__Session *session,
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
	frame->to = frame_text(peer(call));
	return client_send(call->client, frame);
}

static void send_hangup(struct umsg_call *call, Umsg__EndReason reason)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Hangup hangup = UMSG__HANGUP__INIT;
	Umsg__Goodbye goodbye = UMSG__GOODBYE__INIT;
	Umsg__Session session;

	fill_session(call, &session);
	goodbye.reason = reason;
	hangup.session = &session;
	hangup.reason = reason;
	hangup.who = call->incoming ? UMSG__ENDED_BY__BY_RESPONDER : UMSG__ENDED_BY__BY_INITIATOR;
	frame.body_case = UMSG__FRAME__BODY_HANGUP;
	frame.hangup = &hangup;
	send_sealed(call, &frame, &session, &goodbye.base);
}

/* Of a responder that cannot open the invitation: it has no key to seal with. */
static void refuse(struct umsg_client *client, const Umsg__Frame *bang, Umsg__EndReason reason)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Hangup hangup = UMSG__HANGUP__INIT;
	Umsg__Session session = UMSG__SESSION__INIT;
	struct slice from = frame_bare(bang->from);
	char to[IDENTITY_URI_MAX + 1] = "";
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

/* ---- outgoing ---- */

static int send_bang(struct umsg_call *call, const struct call_invitation *invitation)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Bang bang = UMSG__BANG__INIT;

	bang.session_id = frame_data(slice_of(call->secret.session_id, FRAME_ID));
	bang.i_message = frame_data(slice_of(invitation->i_message, invitation->i_message_n));
	bang.sealed = frame_data(slice_of(invitation->sealed, invitation->sealed_n));
	bang.streams = (uint32_t)call->offer->n_streams;
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
	size_t n;
	int err = own ? 0 : -ENOKEY;

	if (!err)
		err = pack_write(&offer->offer.base, FRAME_SEALED_MAX - CALL_TAG, &plain, &n);
	if (!err && RAND_bytes(id, sizeof(id)) != 1)
		err = -EIO;
	if (!err)
		err = call_invite(own, domain, slice_str(to), id, slice_of(plain, n),
				  (uint8_t)offer->offer.n_streams, now_ms,
				  keystore_settings(client->keys.store).intercept, &call->secret,
				  &invitation);
	period_keys_release(&own);
	if (!err) {
		call->offer = call_offer_read(slice_of(plain, n));
		err = call->offer
			      ? call_channel_init(&call->secret, CALL_INITIATOR, NULL, &call->own)
			      : -ENOMEM;
	}
	free(plain);
	return err ? err : send_bang(call, &invitation);
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
	call = new_call(client, false);
	if (!call)
		return -ENOMEM;
	call->arg = arg;
	strncpy(call->called, called_extension, sizeof(call->called) - 1);
	strncpy(call->calling, calling_extension, sizeof(call->calling) - 1);
	strncpy(call->domain, domain_name(domain), sizeof(call->domain) - 1);
	err = invite(call, domain, to, &offer);
	if (err) {
		call_free(call);
		return err;
	}
	add_call(call);
	step(call, CALL_EV_INVITED);
	*call_out = call;
	return 0;
}

/* A copy that outlives the frame. */
static Umsg__Leg *copy_leg(const Umsg__Leg *leg)
{
	ProtobufCMessage *copy = NULL;
	uint8_t *octets;
	size_t n;
	int err;

	if (pack_write(&leg->base, FRAME_MAX, &octets, &n) < 0)
		return NULL;
	copy = pack_read(&umsg__leg__descriptor, slice_of(octets, n), SIGNAL_MEMORY, &err);
	free(octets);
	return (Umsg__Leg *)(void *)copy;
}

void client_on_bang_answer(struct umsg_client *client, const Umsg__BangAnswer *answer)
{
	struct umsg_call *call = find(client, frame_bytes(answer->session_id));

	if (!call || call->incoming || call->leg || call->state >= CALL_TALK ||
	    answer->leg->n_streams != call->offer->n_streams)
		return;
	call->leg = copy_leg(answer->leg);
	if (call->leg)
		tell(call, UMSG_CALL_PROGRESS);
	else
		hang_up(call, UMSG__END_REASON__END_CONGESTION);
}

/* ---- incoming ---- */

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

/* Takes an I_MESSAGE once.  Returns 0, -EEXIST, -ENOBUFS, -errno. */
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

/* The peer's domain and our keys for an I_MESSAGE; NULL: it is not for us, or not from a
 * domain that we trust for this sender. */
static struct period_keys *keys_for(struct umsg_client *client, const Umsg__Frame *frame,
				    const struct domain **domain_out)
{
	struct mikey_message message;

	if (mikey_parse(frame_bytes(frame->bang->i_message), &message) < 0 ||
	    !slice_eq_str(frame_bare(frame->to), client_uri(client)))
		return NULL;
	*domain_out = client_peer_domain(client, frame_bare(frame->from), message.from_kms);
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
		add_call(call);
		step(call, CALL_EV_INVITED);
		client->ops->incoming(client->arg, call);
		return;
	}
	log_refusal(client, frame, repeated ? "repeated" : mikey_verdict_name(verdict));
	if (!repeated)
		refuse(client, frame, why_refused(verdict));
	call_free(call);
}

void client_on_bang(struct umsg_client *client, const Umsg__Frame *frame)
{
	const struct domain *domain = NULL;
	struct period_keys *own;
	struct umsg_call *call;

	if (find(client, frame_bytes(frame->bang->session_id)))
		return;
	if (!client_attached(client) || client->n_calls >= client->max_calls) {
		refuse(client, frame, UMSG__END_REASON__END_CONGESTION);
		return;
	}
	own = keys_for(client, frame, &domain);
	if (!own) {
		log_refusal(client, frame, "no keys for it");
		refuse(client, frame, UMSG__END_REASON__END_UNDECRYPTABLE);
		return;
	}
	call = new_call(client, true);
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
	fill_session(call, &session);
	frame.body_case = UMSG__FRAME__BODY_GROWL;
	frame.growl = &session;
	err = send_sealed(call, &frame, &session, &ringing.base);
	if (!err)
		step(call, CALL_EV_RINGING);
	return err;
}

int umsg_call_answer(struct umsg_call *call, const struct umsg_audio_wish *wish)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	struct call_answer answer;
	Umsg__Session session;
	int err;

	if (!call->incoming || (call->state != CALL_BANG && call->state != CALL_GROWL))
		return -EINVAL;
	err = call_answer_make(call->offer, wish, &answer);
	if (err) {
		hang_up(call, UMSG__END_REASON__END_NO_COMMON_CODEC);
		return err;
	}
	err = call_media_fill(&call->secret, false, call->rand, call->leg, &answer.answer,
			      &call->media);
	if (err)
		return err;
	fill_session(call, &session);
	frame.body_case = UMSG__FRAME__BODY_TALK;
	frame.talk = &session;
	err = send_sealed(call, &frame, &session, &answer.answer.base);
	if (err)
		return err;
	call->has_media = true;
	step(call, CALL_EV_ANSWERED);
	return 0;
}

/* ---- signals ---- */

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
	fill_session(call, &session);
	frame.body_case = UMSG__FRAME__BODY_SIGNAL;
	frame.signal = &session;
	return send_sealed(call, &frame, &session, &signal.base);
}

/* The channel on which a frame came.  A device that is not known yet is filled in at
 * *fresh, to be kept when its frame has opened. */
static struct device *sender_of(struct umsg_call *call, const Umsg__Session *session,
				struct device *fresh)
{
	struct slice rand = frame_bytes(session->answer_rand);

	if (call->incoming)
		return session->role == UMSG__CALL_ROLE__INITIATOR ? &call->devices[0] : NULL;
	if (session->role != UMSG__CALL_ROLE__RESPONDER)
		return NULL;
	for (size_t i = 0; i < call->n_devices; i++)
		if (slice_eq(rand, slice_of(call->devices[i].rand, FRAME_ID)))
			return &call->devices[i];
	if (call->n_devices == CLIENT_RINGING_MAX || call->talker)
		return NULL;
	memcpy(fresh->rand, rand.p, FRAME_ID);
	if (call_channel_init(&call->secret, CALL_RESPONDER, fresh->rand, &fresh->channel) < 0)
		return NULL;
	return fresh;
}

/* Opens what a party sealed.  NULL: it is not to be believed. */
static struct device *open_session(struct umsg_call *call, const Umsg__Frame *frame,
				   const Umsg__Session *session, uint8_t plain[FRAME_SEALED_MAX],
				   size_t *n_out)
{
	struct device fresh, *device = sender_of(call, session, &fresh);
	unsigned suppressed;
	int err = -EBADMSG;

	if (device && slice_eq_str(frame_bare(frame->from), peer(call)))
		err = call_open(&call->secret, &device->channel, (uint8_t)frame->body_case,
				session->counter, frame_bytes(session->sealed), plain, n_out);
	if (err) {
		if (client_may_log(&call->client->odd, &suppressed))
			log_warn(CLIENT_LOG, "%s: a %s of a call was ignored: %s (%u more)",
				 client_uri(call->client), frame_name(frame),
				 err == -EALREADY ? "repeated" : "not authentic", suppressed);
		return NULL;
	}
	if (device == &fresh) {
		call->devices[call->n_devices] = fresh;
		device = &call->devices[call->n_devices++];
	}
	return device;
}

static void on_growl(struct umsg_call *call)
{
	bool first = call->state == CALL_BANG;

	if (!call->incoming && step(call, CALL_EV_RINGING) && first)
		tell(call, UMSG_CALL_RINGING);
}

static void on_talk(struct umsg_call *call, struct device *device, struct slice plain)
{
	Umsg__Answer *answer;
	int err;

	if (call->incoming || call->state >= CALL_TALK)
		return;
	answer = call_answer_read(plain, call->offer);
	if (!answer) {
		hang_up(call, UMSG__END_REASON__END_UNDECRYPTABLE);
		return;
	}
	if (!call->leg) {
		PACK_FREE(&answer);
		hang_up(call, UMSG__END_REASON__END_NO_RELAY);
		return;
	}
	call->talker = device;
	memcpy(call->rand, device->rand, FRAME_ID);
	err = call_media_fill(&call->secret, true, call->rand, call->leg, answer, &call->media);
	PACK_FREE(&answer);
	if (err) {
		hang_up(call, UMSG__END_REASON__END_FAILED);
		return;
	}
	call->has_media = true;
	step(call, CALL_EV_ANSWERED);
	tell(call, UMSG_CALL_ANSWERED);
}

static void on_signal(struct umsg_call *call, struct slice plain)
{
	int err;
	Umsg__Signal *signal = (Umsg__Signal *)(void *)pack_read(&umsg__signal__descriptor, plain,
								 SIGNAL_MEMORY, &err);

	if (!signal || call->state != CALL_TALK) {
		PACK_FREE(&signal);
		return;
	}
	if (signal->of_case == UMSG__SIGNAL__OF_HOLD) {
		call->held = signal->hold;
		tell(call, UMSG_CALL_HOLD);
	} else if (signal->of_case == UMSG__SIGNAL__OF_DIGIT && signal->digit->digit[0] &&
		   strchr("0123456789*#ABCD", signal->digit->digit[0])) {
		call->digit = signal->digit->digit[0];
		tell(call, UMSG_CALL_DIGIT);
	}
	PACK_FREE(&signal);
}

static void on_goodbye(struct umsg_call *call, struct slice plain)
{
	int err;
	Umsg__Goodbye *goodbye = (Umsg__Goodbye *)(void *)pack_read(&umsg__goodbye__descriptor,
								    plain, SIGNAL_MEMORY, &err);
	Umsg__EndReason reason = goodbye ? goodbye->reason : UMSG__END_REASON__END_UNSPECIFIED;

	PACK_FREE(&goodbye);
	finish(call, reason,
	       call->incoming ? UMSG__ENDED_BY__BY_INITIATOR : UMSG__ENDED_BY__BY_RESPONDER, false);
}

/* A hangup without a sealed part: by the rendezvous, or by a device that could not open
 * the invitation, which we believe no more than the rendezvous. */
static void on_unsealed_hangup(struct umsg_call *call, const Umsg__Frame *frame)
{
	if (frame->by_server)
		finish(call, frame->hangup->reason, UMSG__ENDED_BY__BY_RENDEZVOUS, false);
	else if (!call->incoming && call->state < CALL_TALK)
		finish(call, frame->hangup->reason, UMSG__ENDED_BY__BY_RESPONDER, false);
}

void client_on_session(struct umsg_client *client, const Umsg__Frame *frame)
{
	const Umsg__Session *session = frame_session(frame);
	struct umsg_call *call = find(client, frame_bytes(session->session_id));
	uint8_t plain[FRAME_SEALED_MAX];
	struct device *device;
	size_t n = 0;

	if (!call)
		return;
	if (session->sealed.len == 0) {
		on_unsealed_hangup(call, frame);
		return;
	}
	device = open_session(call, frame, session, plain, &n);
	if (!device) {
		if (frame->body_case == UMSG__FRAME__BODY_TALK && call->state < CALL_TALK)
			hang_up(call, UMSG__END_REASON__END_UNDECRYPTABLE);
		return;
	}
	if (call->talker && device != call->talker)
		return; /* of a device that lost */
	if (frame->body_case == UMSG__FRAME__BODY_GROWL)
		on_growl(call);
	else if (frame->body_case == UMSG__FRAME__BODY_TALK)
		on_talk(call, device, slice_of(plain, n));
	else if (frame->body_case == UMSG__FRAME__BODY_SIGNAL)
		on_signal(call, slice_of(plain, n));
	else
		on_goodbye(call, slice_of(plain, n));
	wipe(plain, sizeof(plain));
}
