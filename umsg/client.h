/* client.h - a party of UMSG: attached to a rendezvous, it calls and is called,
 * sends messages and receives them, and fetches its monthly updates.
 *
 * The reference caller and the gateway are both this and little more.  Sockets,
 * TLS and WebSocket are umsg/link.h's; frames, sealing and call states are pure
 * modules that this one drives.  Source: docs/umsg.md.
 *
 * Threads: everything in the thread of its event loop.  A callback may call any
 * function of the client but umsg_client_free().
 */
#ifndef UMSG_CLIENT_H
#define UMSG_CLIENT_H

#include "base/slice.h"
#include "umsg/umsg.pb-c.h"

struct domain;
struct event_base;
struct keyset;
struct keystore;
struct link_context;
struct replay;
struct umsg_call;
struct umsg_client;
struct umsg_seen;

enum {
	UMSG_ID_SIZE = 16,                      /* of a session, a message, a device */
	UMSG_URI_SIZE = 128,                    /* a bare URI with its NUL */
	UMSG_EXTENSION_SIZE = 65,               /* with its NUL */
	UMSG_TEXT_SIZE = 160,                   /* of a reason, with its NUL */
	UMSG_BODY_MAX = 32 << 20,               /* octets of a message's body */
	UMSG_SEALED_MAX = UMSG_BODY_MAX + 80000 /* of a sealed post as kept by the sender */
};

/* ---- the client ---------------------------------------------------------------- */

enum umsg_state {
	UMSG_OFFLINE,      /* no connection; another attempt follows by itself */
	UMSG_CONNECTING,   /* TCP, TLS, upgrade, registration */
	UMSG_ATTACHED,     /* registered: calls and messages pass */
	UMSG_UPDATES_ONLY, /* registered without keys of this month */
	UMSG_DENIED,       /* the rendezvous refuses us: text says why */
	UMSG_REPLACED,     /* another device of this user took over: no new attempt */
};

/* "CONNECTED" and so on, as `cig-cli status` prints it. */
const char *umsg_state_name(enum umsg_state state);

/* What the keys are: borrowed, and replaced together by umsg_client_set_keys(). */
struct umsg_keys {
	const struct keystore *store; /* address, TLS login, device id, domain, users */
	const struct domain *domain;  /* of keystore_domain() */
	struct keyset *keyset;        /* of keystore_keyset() */
	/* Of other domains, for URIs that are no users of the own one; may be none. */
	const struct domain *const *trusted;
	size_t n_trusted;
	/* Receiver keys of channels, of keystore_channel_keyset(); may be none. */
	struct keyset *const *channels;
	size_t n_channels;
};

/* A message that arrived, opened and verified. */
struct umsg_message {
	uint8_t id[UMSG_ID_SIZE];
	const char *from, *to;      /* bare URIs that the signature names; to: or a channel */
	const char *from_domain;    /* the sender's security domain, by name */
	int64_t sent_s, end_s;      /* UTC; end_s: not shown from then on */
	const Umsg__TextBody *body; /* text, attachments, extensions */
	uint64_t number;            /* for umsg_client_taken(); opaque */
};

enum umsg_call_event {
	UMSG_CALL_PROGRESS, /* outgoing: the rendezvous has passed the invitation on */
	UMSG_CALL_RINGING,  /* outgoing: a device rings */
	UMSG_CALL_EARLY,    /* outgoing: and it sends media already: umsg_call_media() is there */
	UMSG_CALL_ANSWERED, /* outgoing: umsg_call_media() is complete; the same as the early
			     * one where the same device answers */
	UMSG_CALL_DIGIT,    /* a digit came as a signal: umsg_call_digit() */
			    /* Does the other side hold the call? */
	UMSG_CALL_HOLD,     /* the peer holds or resumes: umsg_call_held() */
			    /* Why and by whom it ended; from UMSG_CALL_ENDED on. */
	UMSG_CALL_ENDED,    /* the last one; umsg_call_end() says why; the call is freed when
			     * the callback returns */
};

/* What became of an update that was handed over. */
enum umsg_update_outcome {
	UMSG_UPDATE_REFUSED, /* it stays unconfirmed, and is offered again */
	UMSG_UPDATE_APPLIED,
	UMSG_UPDATE_LATER, /* somebody is at it */
};

struct umsg_client_ops {
	/* text may be "". */
	void (*state)(void *arg, enum umsg_state state, const char *text);

	/* A call has come: its offer is open.  The owner rings, answers or hangs up, now or
	 * later, and may attach something by umsg_call_set_arg(). */
	void (*incoming)(void *arg, struct umsg_call *call);
	void (*call)(void *arg, struct umsg_call *call, enum umsg_call_event event);

	/* A message has come.  Once it is durable call umsg_client_taken(), in here or
	 * later; it is delivered again until then.  Everything is valid until it returns. */
	void (*message)(void *arg, const struct umsg_message *message);
	/* The rendezvous has the post (error OK), or refuses it; retry_after_s 0 with an
	 * error: never again. */
	void (*post_ack)(void *arg, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
			 const char *text, unsigned retry_after_s);
	/* The identity to which message id went says what became of it.  Taken by itself
	 * when this returns true (the owner knew the message, durably done with it). */
	bool (*receipt)(void *arg, const char *from, const uint8_t id[UMSG_ID_SIZE],
			Umsg__ReceiptState state, const char *reason);

	/* A month's update has been fetched: apply it (keystore_apply_update), replace the
	 * keys, and return UMSG_UPDATE_APPLIED, which confirms it to the rendezvous.  Or
	 * return UMSG_UPDATE_LATER and call umsg_client_update_done() once that is done or
	 * in vain; entry and shared are valid until the callback returns. */
	enum umsg_update_outcome (*update)(void *arg, int64_t month, uint32_t revision,
					   struct slice entry, struct slice shared);

	/* What became of umsg_client_lookup(): err 0, the domain of uri is known now; -ENOENT,
	 * nobody has that URI; -EKEYREJECTED, it is of a domain that we do not trust; -EPERM,
	 * it is pinned to one domain and said to be of another; -EIO, it cannot be pinned;
	 * -EHOSTUNREACH, there is no answer.  domain_id: what was answered, NULL where no domain
	 * was.  May be NULL. */
	void (*looked_up)(void *arg, const char *uri, const uint8_t *domain_id, int err);
	/* A URI of a trusted domain was met for the first time, or in another one than before
	 * (repin): pin it in the key store that was given (client_ring_met()).  May be NULL. */
	void (*met)(void *arg, const char *uri, const uint8_t *domain_id);
	/* A URI that is pinned to domain `from` shows up in the trusted domain `to`: may the pin
	 * change?  Asked before that is proved, perhaps again and again: met() follows if it is.
	 * NULL: it never may. */
	bool (*repin)(void *arg, const char *uri, const uint8_t *from, const uint8_t *to);
	/* The value of the last umsg_client_keep() is durable at the rendezvous (error OK), or
	 * was refused.  Not told when the connection ends before.  May be NULL. */
	void (*kept)(void *arg, Umsg__ErrorCode error, const char *text);

	/* The login of this address and TLS identity was accepted while the key store still
	 * has former ones behind it: they are not needed any more (keystore_login_accepted).
	 * May replace the keys; may be NULL. */
	void (*accepted)(void *arg, const char *address, const char *identity);
};

struct umsg_client_options {
	struct event_base *base;
	struct link_context *links;
	struct umsg_keys keys;
	struct replay *replay;  /* I_MESSAGEs of calls; borrowed */
	struct umsg_seen *seen; /* messages that were shown; borrowed (umsg/seen.h) */
	const char *address;    /* HOST:PORT instead of the key store's; NULL; copied */
	const char *software;   /* "cca 1.0.0"; copied */
	bool secondary;         /* the wished role */
	unsigned max_calls;     /* incoming ones beyond it are busy; 0: 1,000 */
	const struct umsg_client_ops *ops;
	void *arg;
};

/* Makes the client and begins to connect, and to connect again (back-off with
 * jitter, 0.25 to 30 s) whenever the connection is lost.  Returns 0, -EINVAL, -ENOMEM. */
int umsg_client_new(const struct umsg_client_options *options, struct umsg_client **client_out);

/* Hangs up every call (UMSG_CALL_ENDED comes) and closes the connection.  A name that was
 * being asked for goes with the loop's next turn: before the loop itself is freed, run it
 * once more with EVLOOP_NONBLOCK (base/dns.h). */
void umsg_client_free(struct umsg_client **clientp);

/* The update that was answered by UMSG_UPDATE_LATER is applied, and the keys are replaced; or it is
 * not.  Not from within a callback.  Does nothing but register where the connection has ended
 * meanwhile: the registration names what is held. */
void umsg_client_update_done(struct umsg_client *client, bool applied);

/* New keys after an update or set-key; calls go on.  A changed login takes effect at
 * the next connection; a URI must not change. */
void umsg_client_set_keys(struct umsg_client *client, const struct umsg_keys *keys);

/* As the state callback told last. */
enum umsg_state umsg_client_state(const struct umsg_client *client);

/* HOST:PORT to which it is, or was last, connected. */
const char *umsg_client_address(const struct umsg_client *client);

/* ---- other domains --------------------------------------------------------------- */

/* Is it known whose keys are for uri?  0: it is a user of the own domain, a channel, or one
 * whose domain was seen in the last ten minutes.  -EAGAIN: the rendezvous is to be asked; what
 * is sealed to it meanwhile goes under the keys of the domain to which it is pinned, else under
 * the own domain's.  -ENOENT, -EKEYREJECTED, -EPERM, -EIO: what looked_up() told in the last ten
 * seconds. */
int umsg_client_known(const struct umsg_client *client, const char *uri);

/* Asks the rendezvous in which domain uri is; looked_up() follows, later, once for all who ask
 * meanwhile.  Returns 0, -ENOTCONN, -EINVAL (no identity), -ENOBUFS (too many at once),
 * -ENOMEM. */
int umsg_client_lookup(struct umsg_client *client, const char *uri);

/* Forgets what look-ups told: repin() would say something else now. */
void umsg_client_forget_answers(struct umsg_client *client);

/* ---- calls --------------------------------------------------------------------- */

/* What a party can do with audio, in the order of preference. */
enum umsg_audio_codec { UMSG_OPUS, UMSG_PCMU, UMSG_PCMA, UMSG_AUDIO_CODECS };

struct umsg_audio_wish {
	enum umsg_audio_codec codecs[UMSG_AUDIO_CODECS];
	size_t n_codecs;
	unsigned ptime_ms; /* 0: 20 */
};

/* Invites `to` (a bare URI).  Returns 0, -ENOTCONN (not attached), -EINVAL (no
 * identity, or an extension with other than [0-9*#A-Za-z._-]), -ENOKEY (no keys of
 * this month, or of that domain), -ENOMEM, -EIO.  Costs some 1 ms. */
int umsg_call_invite(struct umsg_client *client, const char *to, const char *called_extension,
		     const char *calling_extension, const struct umsg_audio_wish *wish, void *arg,
		     struct umsg_call **call_out);

/* The codecs of an incoming call's offer that we know, in the caller's order.  Returns how
 * many there are. */
size_t umsg_call_offered(const struct umsg_call *call,
			 enum umsg_audio_codec codecs_out[UMSG_AUDIO_CODECS]);

/* Calls that are made from now on are invitations to this group call, which only the rendezvous's
 * statistics see; NULL: to none. */
void umsg_client_set_group(struct umsg_client *client, const uint8_t group_id[UMSG_ID_SIZE]);

/* For incoming calls.  Answering picks the first codec of the caller's offer that wish
 * names.  umsg_call_media() is complete after it.  Return 0, -EINVAL (not in this
 * state), -ENOTSUP (no common codec: the call is hung up with that reason), -ENOTCONN. */
int umsg_call_ring(struct umsg_call *call);
/* Rings, perhaps again, with an answer for early media; the answer that follows repeats it
 * whatever its own wish.  A codec that they do not share is -ENOTSUP and does no harm. */
int umsg_call_ring_early(struct umsg_call *call, const struct umsg_audio_wish *wish);
/* After umsg_call_ring_early() wish means nothing: what was answered then is repeated. */
int umsg_call_answer(struct umsg_call *call, const struct umsg_audio_wish *wish);

/* Ends the call in any state; UMSG_CALL_ENDED comes before this returns. */
void umsg_call_hangup(struct umsg_call *call, Umsg__EndReason reason);

/* Sends a digit as a signal, for calls without telephone events. */
int umsg_call_send_digit(struct umsg_call *call, char digit, unsigned duration_ms);

/* Says that we expect no media and send none, or that this is over.  In a call that is
 * answered: else -EINVAL. */
int umsg_call_hold(struct umsg_call *call, bool hold);

/* Whatever the owner ties to the call; NULL at first for incoming ones. */
void umsg_call_set_arg(struct umsg_call *call, void *arg);
/* What umsg_call_set_arg() or umsg_call_invite() gave. */
void *umsg_call_arg(const struct umsg_call *call);

/* Were we called? */
bool umsg_call_is_incoming(const struct umsg_call *call);
/* The session's id, which both ends and the rendezvous know. */
const uint8_t *umsg_call_id(const struct umsg_call *call); /* UMSG_ID_SIZE octets */
/* Who calls. */
const char *umsg_call_from(const struct umsg_call *call); /* bare URIs of initiator ... */
/* Who is called; never a gateway's extension. */
const char *umsg_call_to(const struct umsg_call *call); /* ... and responder */
/* The extension behind a gateway's number that was dialled. */
const char *umsg_call_called_extension(const struct umsg_call *call); /* "" without one */
/* The one that calls, behind the number of a gateway. */
const char *umsg_call_calling_extension(const struct umsg_call *call);
/* The other party's security domain. */
const char *umsg_call_peer_domain(const struct umsg_call *call); /* by name */

/* CREATE, BANG, GROWL, TALK, HANGUP (CIG manual 2.9, "show umsg"). */
const char *umsg_call_state_word(const struct umsg_call *call);
/* When the invitation was made or came. */
int64_t umsg_call_started_ms(const struct umsg_call *call); /* monotonic */

/* Everything that media/secure_leg.h needs; owned by the call, and wiped with it. */
struct umsg_media {
	char relay_host[256]; /* numeric or a name */
	uint16_t relay_port;
	uint8_t leg_id[64], leg_key[64];
	size_t leg_id_len, leg_key_len;
	uint32_t own_ssrc, peer_ssrc;
	Umsg__SrtpProfile profile;
	uint8_t own_key[16], peer_key[16];
	uint8_t own_salt[14], peer_salt[14];
	size_t salt_len; /* 14, or 12 for AEAD */
	enum umsg_audio_codec codec;
	uint8_t codec_pt;
	uint8_t event_pt; /* telephone-event; 0: none */
	uint32_t event_clock;
	unsigned ptime_ms;
};
/* NULL before the call is answered, early media apart. */
const struct umsg_media *umsg_call_media(const struct umsg_call *call);

/* Of the event that was just told. */
char umsg_call_digit(const struct umsg_call *call);
bool umsg_call_held(const struct umsg_call *call);

struct umsg_call_end {
	Umsg__EndReason reason;
	Umsg__EndedBy by;
	bool by_us;
};
struct umsg_call_end umsg_call_end(const struct umsg_call *call);

/* ---- what the rendezvous keeps ------------------------------------------------- */

/* Has the rendezvous keep value (at most FRAME_CLIENT_DATA octets; none: removes it) under one
 * of the names of docs/umsg.md "Frames", such as "client-info"; kept() tells the outcome.
 * Returns 0, -ENOTCONN (not attached), -EBUSY (another one is under way), -EMSGSIZE,
 * -EINVAL (name is not 1 to 32 of a-z and -, or type no clean text), -ENOBUFS or -ENOMEM. */
int umsg_client_keep(struct umsg_client *client, const char *name, const char *type,
		     struct slice value);

/* ---- messages ------------------------------------------------------------------ */

/* A sealed post as its sender keeps it until the PostAck: every retry sends the same
 * octets.  octets (malloc'd) hold the receiver, the id and the sealed content. */
struct umsg_sealed {
	uint8_t id[UMSG_ID_SIZE];
	uint8_t *octets;
	size_t n;
};
/* Frees the octets. */
void umsg_sealed_clear(struct umsg_sealed *sealed);

/* Seals body to `to` under a fresh id.  end_s: the lifetime's end, 0 for the domain's
 * default.  Needs no connection.  Returns 0, -EMSGSIZE (more than UMSG_BODY_MAX),
 * -EINVAL, -ENOKEY, -ENOMEM, -EIO. */
int umsg_client_seal(struct umsg_client *client, const char *to, const Umsg__TextBody *body,
		     int64_t end_s, struct umsg_sealed *sealed_out);

/* The same for a receipt about message id to its sender. */
int umsg_client_seal_receipt(struct umsg_client *client, const char *to,
			     const uint8_t id[UMSG_ID_SIZE], Umsg__ReceiptState state,
			     const char *reason, struct umsg_sealed *sealed_out);

/* Posts what was sealed; post_ack tells the outcome.  While not attached -ENOTCONN:
 * post again after UMSG_ATTACHED.  Else 0, -EBADMSG (not such octets), -EMSGSIZE (more
 * than the rendezvous takes), -ENOBUFS, -ENOMEM. */
int umsg_client_post(struct umsg_client *client, struct slice sealed);

/* Asks for everything anew that was told and not taken, for an owner who could not keep
 * it then and can now: it is told again.  Attaching does the same. */
void umsg_client_fetch(struct umsg_client *client);

/* The message is durable here: the rendezvous may delete it. */
int umsg_client_taken(struct umsg_client *client, const uint8_t id[UMSG_ID_SIZE], const char *from,
		      uint64_t number);

#endif
