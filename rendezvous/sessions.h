/* sessions.h - the calls of the URIs that are at home in this worker.
 *
 * Pure: what happens comes in as function calls, what is to be done goes out
 * through struct sessions_ops; time is an argument.  A call rings all devices of
 * the callee; the first TALK wins, the others are told "answered elsewhere".
 * A session ends at the first HANGUP that leaves nobody to talk to, when the
 * caller's or the last responder's connection is lost, when the relay is lost,
 * or when a time limit of its state passes.  It stays visible for
 * SESSION_LINGER_MS.  Source: CRS manual 5.4 "show session"; docs/umsg.md
 * "Calls".
 *
 * An ops function may not call back into the sessions.
 */
#ifndef RENDEZVOUS_SESSIONS_H
#define RENDEZVOUS_SESSIONS_H

#include "base/idmap.h"
#include "base/slice.h"
#include "rendezvous/keyhash.h"
#include "umsg/umsg.pb-c.h"

enum {
	SESSION_ID_SIZE = 16,
	SESSION_MAX_DEVICES = 32, /* what crs-relay gives legs to */
	SESSION_MAX_STREAMS = 8,
	SESSION_LEG_MAX = 64,            /* octets of a leg's id, and of its key */
	SESSION_SETUP_LIMIT_MS = 5000,   /* for the relay's answer */
	SESSION_INVITE_LIMIT_MS = 32000, /* until a device rings */
	SESSION_RINGING_LIMIT_MS = 180000,
	SESSION_LINGER_MS = 10000,
};

enum session_state {
	SESSION_SETUP, /* the relay is asked; shown as invite */
	SESSION_INVITE,
	SESSION_RINGING,
	SESSION_TALK,
	SESSION_NOT_FOUND,
	SESSION_NOT_CONNECTED,
	SESSION_HANGUP,
	SESSION_STATE_COUNT
};

/* A client's connection: the worker that holds it, and its number. */
struct endpoint {
	unsigned holder;
	uint64_t connection;
};

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->holder == b->holder && a->connection == b->connection;
}

struct session_leg {
	uint8_t id[SESSION_LEG_MAX], key[SESSION_LEG_MAX];
	size_t id_n, key_n;
};

/* What the relay gave to the session. */
struct session_relay {
	unsigned port;
	struct session_leg initiator;
	struct session_leg responder[SESSION_MAX_DEVICES];
	size_t n_responders, n_streams;
	struct {
		uint32_t initiator, responder;
	} ssrc[SESSION_MAX_STREAMS];
};

struct session_device {
	struct endpoint at;
	bool there; /* still rings, or is the one that talks */
};

struct session {
	struct idmap_node node;
	struct session *next;
	uint8_t id[SESSION_ID_SIZE];
	enum session_state state;
	char *caller, *callee, *account; /* account: the caller's */
	struct endpoint from;
	bool caller_there;
	struct session_device *device; /* n_devices */
	size_t n_devices;
	bool group; /* an invitation to a group call */
	int winner; /* index of the device that talks, or -1 */
	size_t n_streams;
	uint8_t *bang; /* the frame, until it is passed on */
	size_t bang_n;
	struct session_relay *relay; /* NULL: the relay has nothing of this call */
	int64_t start_ms, limit_ms;  /* limit_ms: when the state ends; INT64_MAX: never */
	int64_t end_ms;              /* when it was over; 0: it is not */
	Umsg__EndReason reason;
	const char *who; /* "caller", "callee" or "server", once it is over */
};

struct sessions_ops {
	/* Ask for s->n_streams streams and s->n_devices legs.  Returns 0 (the answer
	 * comes by sessions_relay_added or _refused) or -errno: no relay. */
	int (*relay_add)(void *arg, const struct session *s);
	void (*relay_keep)(void *arg, const struct session *s, size_t device);
	void (*relay_remove)(void *arg, const struct session *s);
	/* Tell the caller its leg. */
	void (*answer)(void *arg, const struct session *s);
	/* Pass s->bang to a device with its own leg. */
	void (*ring)(void *arg, const struct session *s, size_t device);
	void (*forward)(void *arg, const struct session *s, const struct endpoint *to,
			struct slice frame, bool last);
	/* A HANGUP of ours; it is the last frame of the session to this endpoint. */
	void (*hangup)(void *arg, const struct session *s, const struct endpoint *to,
		       Umsg__EndReason reason);
	/* The session got a new state: trace it. */
	void (*changed)(void *arg, const struct session *s);
};

struct sessions;

/* ops and arg are borrowed.  Returns NULL when memory or randomness is out. */
struct sessions *sessions_new(const struct sessions_ops *ops, void *arg);
/* Nobody is told; *sessionsp may be NULL. */
void sessions_free(struct sessions **sessionsp);

struct session_invite {
	struct slice id, caller, callee, account;
	struct endpoint from;
	size_t n_streams;
	bool group;
	struct slice frame;
	bool known;                     /* is the callee anybody's user? */
	const struct endpoint *devices; /* those of the callee, without the caller */
	size_t n_devices;
};

/* A BANG.  Returns 0, -EEXIST for an id in use, -EINVAL or -ENOMEM; on failure
 * nobody has been told anything. */
int sessions_invite(struct sessions *sessions, const struct session_invite *invite, int64_t now_ms);

/* The relay has legs for the call: the caller gets his, and the devices ring. */
void sessions_relay_added(struct sessions *sessions, struct slice id,
			  const struct session_relay *relay, int64_t now_ms);
/* The relay has none: the call ends for that reason. */
void sessions_relay_refused(struct sessions *sessions, struct slice id, Umsg__EndReason reason,
			    int64_t now_ms);
/* The relay is gone: every session that has legs ends. */
void sessions_relay_lost(struct sessions *sessions, int64_t now_ms);

enum session_frame {
	SESSION_FRAME_GROWL,
	SESSION_FRAME_TALK,
	SESSION_FRAME_HANGUP,
	SESSION_FRAME_SIGNAL
};

/* A frame of one of the parties; reason is read for HANGUP.  Returns 0, -ENOENT (no
 * such session, or not this endpoint's), or -EPROTO (not now). */
int sessions_frame(struct sessions *sessions, struct slice id, const struct endpoint *from,
		   enum session_frame type, struct slice frame, Umsg__EndReason reason,
		   int64_t now_ms);

/* A connection that took part in this call is gone. */
void sessions_lost(struct sessions *sessions, struct slice id, const struct endpoint *who,
		   int64_t now_ms);
/* A holder is gone with all its connections. */
void sessions_holder_lost(struct sessions *sessions, unsigned holder, int64_t now_ms);

/* Ends what waited too long, forgets what ended long enough ago.  Call it once a
 * second. */
void sessions_tick(struct sessions *sessions, int64_t now_ms);

/* The call of that id, ended ones for a while too; or NULL. */
const struct session *sessions_find(const struct sessions *sessions, struct slice id);
/* The first of a list that goes on by the session's next. */
const struct session *sessions_first(const struct sessions *sessions);
/* How many there are, with those just ended. */
size_t sessions_count(const struct sessions *sessions);

/* The manual's TIME of a listed call: how long it has lasted, or did last, in seconds. */
int64_t session_seconds(const struct session *s, int64_t now_ms);

/* "invite" to "hangup(reason; who)"; sep is ", " in lists and "; " in traces
 * (whose fields are separated by commas). */
void session_state_text(const struct session *s, const char *sep, char *out, size_t cap);

#endif
