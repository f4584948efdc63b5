/* client_priv.h - the inside of a client, for umsg/client*.c.
 *
 *	client.c           life, keys, frames in and out
 *	client_keep.c      what the rendezvous keeps for us
 *	client_lookup.c    whose domain a URI is of
 *	client_link.c      connecting, registering, connecting again
 *	client_call*.c     calls (see client_call_priv.h)
 *	client_messages.c  deliveries, and what becomes of them
 *	client_parts.c     long bodies, part by part
 *	client_posts.c     sealing and posting
 *	client_updates.c   monthly updates
 *	client_watch.c     what of all that is not answered
 */
#ifndef UMSG_CLIENT_PRIV_H
#define UMSG_CLIENT_PRIV_H

#include <event2/event.h>

#include "base/dns.h"
#include "base/idmap.h"
#include "base/log.h"
#include "base/net.h"
#include "keys/account.h"
#include "keys/domain.h"
#include "keys/keyset.h"
#include "keys/keystore.h"
#include "umsg/call.h"
#include "umsg/call_crypto.h"
#include "umsg/client.h"
#include "umsg/link.h"
#include "umsg/seen.h"

struct client_answer;
struct client_lookup;
struct update_fetch;

enum {
	CLIENT_ADDRESSES_MAX = 8, /* of a name */
	CLIENT_RINGING_MAX = 16,  /* devices of a callee: as many as a rendezvous takes */
	CLIENT_PENDING_MAX = 4096,
	CLIENT_POSTS_MAX = 4096, /* under way */
	CLIENT_LONGS_MAX = 4,    /* long messages that come at once */
	CLIENT_APPLIED = 4,
	CLIENT_LOOKUPS_MAX = 500,  /* at once; what the rendezvous answers in one burst */
	CLIENT_ANSWERS = 256,      /* of look-ups, remembered; more URIs are asked for again */
	CLIENT_ANSWER_MS = 600000, /* that a URI's domain is known */
	CLIENT_REFUSAL_MS = 10000, /* that it is not: an update may come, or the pin be allowed */
	CLIENT_TRY_AGAIN_S = 5,    /* for want of memory, or where a refusal does not say */
	CLIENT_LOOK_MS = 1000,     /* between two looks at what is not answered, or not due */
	/* Then it is asked again, as far as it can be: a fetch, a part of a message, a value to be
	 * kept; and a post or a piece of an update, which may take its time on the way. */
	CLIENT_SILENCE_MS = 20000,
	CLIENT_LONG_SILENCE_MS = 60000,
	CLIENT_REST_MAX_S = 3600, /* behind a refusal, whatever the rendezvous wants */
};

#define CLIENT_LOG "Umsg"

/* Where a client tries to connect, one after the other. */
struct client_route {
	size_t login; /* of keystore_login_at() */
	/* The login with which it connected last, as the key store has it. */
	char address[LETTER_ADDRESS_MAX + 1], identity[ACCOUNT_IDENTITY_MAX + 1];
	struct net_addr addresses[CLIENT_ADDRESSES_MAX];
	size_t n_addresses, next;
	char host[LETTER_ADDRESS_MAX + 1]; /* HOST:PORT as it was given */
	uint16_t port;
};

/* A post that the rendezvous has not answered. */
struct client_post {
	struct client_post *next;
	uint64_t request;
	uint8_t id[FRAME_ID];
	char to[IDENTITY_URI_MAX + 1];
	uint8_t *more; /* the records behind the first one; owned */
	size_t more_n;
	uint32_t part;    /* the next index to send */
	int64_t heard_ms; /* monotonic; when it was sent, or the last PartAck came */
};

/* A long message whose parts still come. */
struct client_long {
	struct client_long *next;
	Umsg__Frame *frame; /* its Deliver, owned */
	uint8_t *records;   /* of all, as far as they are here; owned */
	size_t got;
	int64_t heard_ms, asked_ms; /* monotonic */
};

/* A message that the owner was told of and has not taken. */
struct client_pending {
	struct client_pending *next;
	uint8_t id[FRAME_ID];
	uint8_t hash[32];
	char from[IDENTITY_URI_MAX + 1];
	int64_t end_s;
	uint64_t connection; /* it was told in that one */
};

struct umsg_client {
	struct event_base *base;
	struct link_context *links;
	struct umsg_keys keys;
	struct replay *replay;
	struct umsg_seen *seen;
	const struct umsg_client_ops *ops;
	void *arg;
	char *address, *software; /* owned */
	bool secondary;
	unsigned max_calls;

	/* The connection: client_link.c */
	enum umsg_state state;
	struct link *link;
	struct dns *dns; /* NULL until a name has to be asked for */
	struct dns_question *resolving;
	struct event *timer; /* the next attempt, or registration */
	struct client_route route;
	unsigned failures;
	bool refused;        /* the last attempt, by its TLS */
	uint64_t connection; /* counts them */
	uint64_t requests, registering;
	bool said_keys;      /* in the last registration: we hold keys of this month */
	int64_t anew_ms;     /* monotonic; the next one, whatever we hold; 0: one is under way */
	uint64_t keeping;    /* the request of umsg_client_keep() under way; 0: none */
	int64_t kept_ms;     /* monotonic; when that was sent */
	struct event *watch; /* while something is not answered (client_watch.c) */

	/* Calls */
	uint8_t group_id[FRAME_ID];
	bool in_group; /* calls are invitations to that group call */
	struct umsg_call *calls, *dead;
	struct event *bury;
	unsigned n_calls;

	/* Messages */
	struct client_post *posts;
	size_t n_posts;
	struct client_long *longs;
	size_t n_longs;
	bool long_skipped;  /* for want of room: fetch again */
	uint64_t long_last; /* numbers up to that have had their turn (client_on_long()) */
	uint32_t parts_in_flight, message_octets; /* what the rendezvous allows */
	struct client_pending *pending;
	size_t n_pending;
	bool pending_skipped;  /* for want of room: fetch again */
	uint64_t fetching;     /* number of the request under way; 0: none */
	bool fetch_again;      /* behind it, onwards */
	bool fetch_from_start; /* or from 0: what was left, too */
	uint64_t fetched, epoch;
	uint64_t fetch_after;   /* what the last one asked for: numbers above this */
	int64_t fetch_heard_ms; /* monotonic; the last frame of its answer */
	int64_t fetch_due_s;    /* by the wall clock; 0: none is early */
	int64_t fetch_again_ms; /* monotonic; 0: no fetch was refused */

	/* Updates; the ring holds names of those that were applied. */
	struct update_fetch *update;
	struct client_applied {
		char month[8];
		uint32_t revision;
		uint64_t created;
		uint64_t confirming; /* the request that says so; 0: it was answered */
	} applied[CLIENT_APPLIED];
	unsigned n_applied;

	struct client_lookup *lookups;
	size_t n_lookups;
	struct client_answer *answers; /* CLIENT_ANSWERS, NULL before the first one */
	size_t next_answer;

	struct log_limit malformed, refusals, strangers, odd; /* strangers: their messages */
};

/* ---- client.c ---- */

/* Sets version and from, and sends.  Returns 0, -ENOTCONN, -EMSGSIZE, -ENOBUFS, -ENOMEM. */
int client_send(struct umsg_client *client, Umsg__Frame *frame);

/* Our own URI; of the present keys. */
const char *client_uri(const struct umsg_client *client);
/* Did the rendezvous accept our registration on this connection? */
bool client_attached(const struct umsg_client *client);
/* Octets that came as one message: checked (umsg/frame.h), then handed to whom they concern. */
void client_frame(struct umsg_client *client, struct slice octets);

/* Our keys of the period that holds a wall time; NULL when there are none.  Release
 * them. */
struct period_keys *client_own_keys(const struct umsg_client *client, int64_t wall_s);

/* Whose domain a peer belongs to: for sending NULL kms; for receiving the IDRkmsi that
 * it names.  NULL: none that we trust for this URI. */
const struct domain *client_peer_domain(const struct umsg_client *client, struct slice uri,
					struct slice kms);
/* Why that was NULL for the IDRkmsi that a sender named, for people. */
enum { CLIENT_WHY_SIZE = 256 };
const char *client_why_no_domain(const struct umsg_client *client, struct slice uri,
				 struct slice kms, char why[CLIENT_WHY_SIZE]);

/* Is a line due under this limit?  Adds what was left out to the counter it returns. */
bool client_may_log(struct log_limit *limit, unsigned *suppressed_out);

/* ---- client_watch.c ---- */

/* Something was asked, or is not due yet: the client_look_at_...() below are called until all of
 * them return false. */
void client_watch(struct umsg_client *client);
/* It is time for the next look. */
void client_look(struct umsg_client *client);
/* For how long nothing is asked again where the rendezvous refused it for so long. */
unsigned client_rest_s(uint32_t wanted_s);

/* ---- client_link.c ---- */

/* Begins the next attempt, by the next address of the route. */
void client_connect(struct umsg_client *client);
/* Ends the connection, the resolution and what was under way on them. */
void client_disconnect(struct umsg_client *client);
/* Says who we are and what keys we hold; Registered or Denied follows. */
void client_register(struct umsg_client *client);
/* The same when it is time: what has changed here, or there, may be due. */
void client_register_again(struct umsg_client *client);
/* Registers in that time at the latest: what leads to it before stays as it is. */
void client_register_in(struct umsg_client *client, unsigned ms);
/* Tells the owner when state or text is new. */
void client_set_state(struct umsg_client *client, enum umsg_state state, const char *text);
/* What the rendezvous answered, or says of itself. */
void client_on_registered(struct umsg_client *client, const Umsg__Frame *frame);
void client_on_register_error(struct umsg_client *client, uint64_t request,
			      const Umsg__Error *error);
void client_on_denied(struct umsg_client *client, const Umsg__Frame *frame);
/* Another device took over, we are not permitted any more, or the rendezvous goes: calls
 * end. */
void client_on_unregistered(struct umsg_client *client, const Umsg__Unregistered *unregistered);

/* ---- client_call*.c ---- */

/* An invitation: verified, opened, and told to the owner, or hung up at once. */
void client_on_bang(struct umsg_client *client, const Umsg__Frame *frame);
/* The rendezvous's share of our invitation: the media leg, where there is one. */
void client_on_bang_answer(struct umsg_client *client, const Umsg__BangAnswer *answer);
/* growl, talk, signal, hangup */
void client_on_session(struct umsg_client *client, const Umsg__Frame *frame);
void client_on_call_error(struct umsg_client *client, uint64_t request, Umsg__ErrorCode code);
/* Ends all; say_so sends a hang-up for each, where there is still a connection. */
void client_end_calls(struct umsg_client *client, Umsg__EndReason reason, bool say_so);
/* Frees those that are over: not at once, for callbacks that still run may hold them. */
void client_bury_calls(struct umsg_client *client);

/* ---- client_messages.c ---- */

/* A message: opened and told if it is whole, fetched part by part if it is long.  The frame
 * may be taken over (*framep is NULL then). */
void client_on_deliver(struct umsg_client *client, Umsg__Frame **framep);
/* The post is stored, or refused for good or for a while: its owner is told and it is
 * forgotten. */
void client_on_post_ack(struct umsg_client *client, const Umsg__PostAck *ack);
/* The same by the number of its request, where the rendezvous understood no more. */
void client_on_post_error(struct umsg_client *client, uint64_t request, const Umsg__Error *error);
/* The connection is gone: what was under way has to be posted again. */
void client_forget_posts(struct umsg_client *client);
/* What is not answered has to be posted again. */
bool client_look_at_posts(struct umsg_client *client);
void client_on_notify(struct umsg_client *client, const Umsg__Notify *notify);
/* A Fetch was refused: again a little later. */
void client_on_fetch_error(struct umsg_client *client, uint64_t request, const Umsg__Error *error);
/* One batch came, the answer to that request: the next, all from the start (the mailbox was made
 * anew: another epoch), or enough. */
void client_on_fetched(struct umsg_client *client, uint64_t request, const Umsg__Fetched *fetched);
/* From the first one again; behind the Fetch under way, if there is one. */
void client_fetch_all(struct umsg_client *client);
/* The same CLIENT_TRY_AGAIN_S later. */
void client_fetch_later(struct umsg_client *client);
/* The same for long ones that were left for want of room, if there are: others do not begin
 * anew. */
void client_fetch_skipped(struct umsg_client *client);
/* Early messages, or a Fetch that was refused or is not answered, may be due. */
bool client_look_at_fetch(struct umsg_client *client);
/* Early messages, which the next fetch brings again. */
void client_forget_pending(struct umsg_client *client);

/* Judges a message that is whole. */
void client_message(struct umsg_client *client, const Umsg__Frame *frame, struct slice records);
/* The post under way with that message id, or NULL. */
struct client_post *client_find_post(const struct umsg_client *client, struct slice id);

/* ---- client_parts.c ---- */

/* Sends parts of a post: from index on, as many as may be under way. */
void client_on_part_ack(struct umsg_client *client, const Umsg__PartAck *ack);
/* The first record of a long message; the frame may be taken over (*framep is NULL then). */
void client_on_long(struct umsg_client *client, Umsg__Frame **framep);
/* The next record of a long message; one of another size ends its fetching. */
void client_on_part(struct umsg_client *client, const Umsg__Part *part);
/* Parts may have to be asked for again. */
bool client_look_at_longs(struct umsg_client *client);
/* Those half fetched, which the next fetch brings again. */
void client_forget_longs(struct umsg_client *client);

/* ---- client_keep.c ---- */

/* A request was answered, by Done (error OK) or Error: is it the one of umsg_client_keep()? */
void client_on_kept(struct umsg_client *client, uint64_t request, Umsg__ErrorCode error,
		    const char *text);
/* Whose answer does not come, he is told so. */
bool client_look_at_kept(struct umsg_client *client);

/* ---- client_lookup.c ---- */

/* Pins the URI to the domain that it is said to be of, if we trust that, and tells who asked. */
void client_on_lookup_answer(struct umsg_client *client, const Umsg__Frame *frame);
/* A request failed: is it a lookup's?  It is told, and not sent again before the rendezvous wants
 * it. */
void client_on_lookup_error(struct umsg_client *client, uint64_t request, const Umsg__Error *error);
/* Some may have waited long enough for an answer, or for their turn. */
bool client_look_at_lookups(struct umsg_client *client);
/* The connection is gone, or the client: they will not be answered. */
void client_forget_lookups(struct umsg_client *client, bool tell);
/* uri has proved that it is of this domain. */
void client_met(struct umsg_client *client, struct slice uri, const struct domain *domain);
/* May uri, which is pinned to the domain of that id, be of this one from now on? */
bool client_may_repin(const struct umsg_client *client, struct slice uri, const uint8_t *pin,
		      const struct domain *domain);

/* ---- client_updates.c ---- */

/* Names of update files that the rendezvous has for us: the first that is newer than ours is
 * asked for, the others by the next offer. */
void client_offer_updates(struct umsg_client *client, Umsg__UpdateName *const *names, size_t n);
/* The next piece of the update that was asked for; the last one hands it to the owner. */
void client_on_update_part(struct umsg_client *client, uint64_t request,
			   const Umsg__UpdatePart *part);
/* A piece may have to be asked for again. */
bool client_look_at_update(struct umsg_client *client);
/* A request failed: is it the update's?  Then its fetching begins again a little later. */
void client_on_update_error(struct umsg_client *client, uint64_t request, const Umsg__Error *error);
/* A request was answered, by Done (error OK) or Error: is it the confirmation of an update?  One
 * that was not answered is repeated when that update is offered again. */
void client_on_confirmed(struct umsg_client *client, uint64_t request, Umsg__ErrorCode error);
/* Forgets what has come of it. */
void client_drop_update(struct umsg_client *client);

#endif
