/* client_call_priv.h - the inside of a call, for umsg/client_call*.c.
 *
 *	client_calls.c        what is known of calls, their life, what they send
 *	client_call_invite.c  invitations made and taken, ringing, answering
 *	client_call_signals.c what comes from the other end
 */
#ifndef UMSG_CLIENT_CALL_PRIV_H
#define UMSG_CLIENT_CALL_PRIV_H

#include "umsg/call_media.h"
#include "umsg/client_priv.h"
#include "base/pack.h"

enum { CALL_SIGNAL_MEMORY = 16384 }; /* of a sealed part, unpacked */

/* A device of the callee, known by its answer_rand. */
struct call_device {
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
	uint64_t request; /* outgoing: of the invitation */
	void *arg;
	char called[UMSG_EXTENSION_SIZE], calling[UMSG_EXTENSION_SIZE];
	char domain[DOMAIN_NAME_MAX + 1];
	struct call_secret secret; /* names and session id, too */
	struct call_channel own;
	uint8_t rand[FRAME_ID]; /* our answer_rand; outgoing: of the device that answered */
	/* Whom we hear: the initiator, or the devices that ring. */
	struct call_device devices[CLIENT_RINGING_MAX];
	size_t n_devices;
	struct call_device *talker; /* outgoing: which one answered */
	Umsg__Offer *offer;
	Umsg__Leg *leg;
	struct umsg_media media;
	bool has_media, held;
	struct umsg_audio_wish early; /* incoming: what was answered early; n_codecs 0: nothing */
	char digit;
	struct umsg_call_end end;
};

/* ---- client_calls.c ---- */

/* A call that is not on the client's list yet; NULL when memory is out. */
struct umsg_call *client_call_new(struct umsg_client *client, bool incoming);
/* For one that did not get there. */
void client_call_free(struct umsg_call *call);
/* Puts it on the client's list, which owns it until call_finish(). */
void call_add(struct umsg_call *call);
/* The live call of that session, or NULL. */
struct umsg_call *call_find(const struct umsg_client *client, struct slice session_id);

/* Makes a step; false when it does not fit the state. */
bool call_step(struct umsg_call *call, enum call_event event);
/* Tells the owner.  It may end the call: look at the state afterwards. */
void call_tell(struct umsg_call *call, enum umsg_call_event event);

/* Takes the call off the list, tells the owner, and leaves it to be freed when the loop
 * gets to it: callers further up may still hold it. */
void call_finish(struct umsg_call *call, Umsg__EndReason reason, Umsg__EndedBy by, bool by_us);

/* Ends it on our side and says so to the other. */
void call_hang_up(struct umsg_call *call, Umsg__EndReason reason);

/* The other party's URI. */
const char *call_peer(const struct umsg_call *call);

/* Session id, role and answer_rand of what we send. */
void call_fill_session(const struct umsg_call *call, Umsg__Session *session);

/* Seals body and sends it as the frame whose other fields are set; session is part of
 * the frame.  Returns 0 or -errno. */
int call_send_sealed(struct umsg_call *call, Umsg__Frame *frame, Umsg__Session *session,
		     const ProtobufCMessage *body);

#endif
