/* holder_priv.h - what the files of the holder share. */
#ifndef RENDEZVOUS_HOLDER_PRIV_H
#define RENDEZVOUS_HOLDER_PRIV_H

#include <sys/queue.h>

#include "base/idhash.h"
#include "base/idmap.h"
#include "base/log.h"
#include "keys/account.h"
#include "rendezvous/holder.h"
#include "rendezvous/request_limits.h"
#include "umsg/frame.h"
#include "umsg/link.h"

struct admin_upload;
struct allowance;
struct allowances;
struct complaints;
struct event;
struct peer;
struct peer_limits;

enum client_state {
	CLIENT_NEW,   /* not registered yet */
	CLIENT_ASKED, /* the home decides about its Register */
	CLIENT_REGISTERED,
	CLIENT_DENIED,       /* every request is answered by Denied */
	CLIENT_UNREGISTERED, /* another device took its place */
};

/* A call in which the client takes part.  A gateway has thousands of them. */
struct client_session {
	struct idmap_node node; /* in the holder, by id */
	TAILQ_ENTRY(client_session) in_client;
	struct client *client;
	unsigned home;
	uint8_t id[FRAME_ID];
};

/* A post that has no answer yet. */
struct client_post {
	struct idmap_node node; /* in the holder, by id */
	TAILQ_ENTRY(client_post) in_client;
	struct client *client;
	unsigned home;
	uint64_t request;
	uint8_t id[FRAME_ID];
	char to[];
};

/* Another request that a home has not answered: should the home die, nobody else would. */
struct client_request {
	TAILQ_ENTRY(client_request) in_client;
	unsigned home;
	uint64_t number;
};

TAILQ_HEAD(client_session_list, client_session);
TAILQ_HEAD(client_post_list, client_post);
TAILQ_HEAD(client_request_list, client_request);

/* What a client says of itself when it registers. */
struct client_claim {
	uint8_t device_id[FRAME_ID];
	int32_t newest_month; /* of which it holds keys (period.h) */
	bool primary, updates_only;
};

struct client {
	struct idmap_node node; /* by connection */
	TAILQ_ENTRY(client) in_holder;
	struct holder *holder;
	struct link *link;
	struct event *patience; /* limit of the time in which it is not registered, or NULL */
	enum client_state state;
	bool known;         /* its identity opened */
	bool authenticated; /* and it has the key that belongs to it */
	bool negotiated, complained;
	bool again; /* CLIENT_ASKED: it is registered, and registers anew */
	/* before: what its home holds of it, while it registers anew. */
	struct client_claim said, before;
	uint64_t register_request;
	uint32_t generation;
	int64_t since_s;
	char *uri, *account, *software;
	char *admin; /* name of a remote administrator, who has none of these; or NULL */
	struct admin_upload *upload;
	bool admin_waits; /* for the supervisor's answer to register_request */
	Umsg__DenyReason deny_reason;
	char *deny_text; /* NULL: none, or no memory for it */
	struct client_session_list sessions;
	struct client_post_list posts;
	struct client_request_list requests; /* oldest first */
	struct request_limits limits;        /* of this connection: registrations only */
	struct allowance *allowance;         /* the other limits, shared; NULL: not authenticated */
	uint8_t group_id[FRAME_ID];          /* of the group call to which it invited last */
	struct peer *peer;                   /* whose connection it is; NULL: our own host's */
	bool settled;                        /* registered once: half open no more */
	size_t n_sessions, n_posts, n_requests;
};

TAILQ_HEAD(client_list, client);

struct holder {
	struct worker *worker;
	struct link_context *links;
	struct listener *listener;
	struct idmap clients, sessions, posts;
	struct idhash ids; /* of sessions and messages */
	struct client_list all;
	size_t count;
	uint64_t next_connection;
	struct peer_limits *limits;
	struct request_rate post_rate; /* of one client */
	struct allowances *allowances;
	int64_t month; /* without keys of which, or later, nobody calls or posts; 0: not looked yet
			*/
	struct complaints *complaints;
};

static inline uint64_t client_connection(const struct client *client)
{
	return client->node.key;
}

/* After an update a client registers anew; meanwhile it is served as before. */
static inline bool client_is_registered(const struct client *client)
{
	return client->state == CLIENT_REGISTERED ||
	       (client->state == CLIENT_ASKED && client->again);
}

/* Closes, tells homes and frees. */
void client_end(struct client *client, const char *why);

/* Closes the connection unless the client is registered ms from now; -1: it may stay. */
void client_be_patient(struct client *client, long ms);

/* The client is denied or unregistered: what crs.conf says of such (CRS manual 4.12). */
void client_clean_up(struct client *client);

/* Sends a frame to the client; what cannot be sent ends the link by itself. */
void client_send(struct client *client, Umsg__Frame *frame);
/* The answer to the client's request of that number; retry_after_s 0 says nothing. */
void client_error(struct client *client, uint64_t request, Umsg__ErrorCode code, const char *text,
		  uint32_t retry_after_s);
/* The same for a registration that is not permitted. */
void client_denied(struct client *client, uint64_t request);
/* Tells the client that it is no longer registered, and why. */
void client_unregistered(struct client *client, Umsg__UnregisterReason reason, const char *text);

/* Tells the home that the client is no device of its user any more. */
void client_detach(struct client *client, const char *why);

/* One message of the client, its link being negotiated. */
void client_frame(struct client *client, struct slice octets);

/* Tells the home of the client's URI that it is here. */
int client_attach(struct client *client, bool again);

/* holder_months.c: what the client's Register says of its keys.  False: they are of past
 * months only, and it is registered for updates only. */
bool client_take_month(struct client *client, const Umsg__Register *r);
/* The client is registered now: did a month begin while its home was asked?  Then it is locked out,
 * as those were that were registered when it began. */
void client_check_month(struct client *client);

/* Events for crs-cli trace attach. */
void client_trace(const struct client *client, const char *state, const char *description);

/* May a line be logged that who did this?  Once a cause and client, with the number since. */
bool holder_may_log(struct holder *holder, const char *cause, const char *who,
		    unsigned *suppressed_out);

/* client_lists.c: calls, posts and requests of a client.  The forget functions take what is not
 * there. */
/* False: it was noted before, or there is no memory to note it. */
bool client_join_session(struct client *client, unsigned home, struct slice id);
/* The call is over. */
void client_forget_session(struct client *client, struct slice id);
/* NULL when memory is out. */
struct client_post *client_add_post(struct client *client, unsigned home, struct slice id,
				    struct slice to, uint64_t request);
/* The post without answer of that id, or NULL. */
const struct client_post *client_find_post(const struct client *client, struct slice id);
/* It was answered. */
void client_forget_post(struct client *client, struct slice id);
/* Unlinks and frees it. */
void client_drop_session(struct client_session *session);
/* Unlinks and frees it. */
void client_drop_post(struct client_post *post);
/* A request for that home, of which the client has an answer to hear; number 0: it wants none. */
void client_note_request(struct client *client, unsigned home, uint64_t number);
/* It was answered. */
void client_forget_request(struct client *client, uint64_t number);
/* Unlinks and frees it. */
void client_drop_request(struct client *client, struct client_request *request);

/* The updates that the client could fetch, this and the next month's: at most 2 names
 * with their texts in months.  Returns their number. */
struct update_offer {
	Umsg__UpdateName name[2];
	Umsg__UpdateName *list[2];
	char month[2][8];
};
/* The names in *offer point into it. */
size_t client_offers(const struct client *client, struct update_offer *offer);

/* holder_admin.c: one message of a remote administrator, and what the supervisor answers. */
void client_admin_frame(struct client *client, struct slice octets);
/* The supervisor's answer to a request of the administrator on this connection. */
void client_admin_reply(struct client *client, const CrsWorker__AdminReply *m);
/* Forgets an update that was half received, with its file. */
void client_drop_upload(struct client *client);
/* Removes what an earlier process of this worker left half received when it was killed. */
void holder_drop_old_uploads(const CrsWorker__Setup *setup);

/* Answers UpdateGet. */
void client_update_get(struct client *client, uint64_t request, const Umsg__UpdateGet *get);

#endif
