/* holder.h - the clients' connections of one worker.
 *
 * Accepts, authenticates, checks that a client speaks for its own URI only, and
 * carries frames between clients and the homes of URIs.  Source: docs/umsg.md
 * "Link" and "Who speaks".
 */
#ifndef RENDEZVOUS_HOLDER_H
#define RENDEZVOUS_HOLDER_H

#include "rendezvous/passing.h"
#include "rendezvous/worker.h"

struct diag;
struct holder;

enum {
	HOLDER_HANDSHAKE_MS = 10 * 1000,
	HOLDER_REGISTER_MS = 20 * 1000, /* from the upgrade to the first Register */
	/* Last month's keys open calls for so long (docs/umsg.md "Taking an invitation"). */
	HOLDER_MONTH_GRACE_S = 300,
	HOLDER_ADMIN_IDLE_MS = 120 * 1000, /* of a remote administrator */
	HOLDER_POSTS_IN_FLIGHT = 1024,     /* of one client */
	HOLDER_SESSIONS_MAX = 20000,       /* of one client: a gateway's calls */
	HOLDER_REQUESTS_NOTED = 1024,      /* of one client, without answer, that are not posts */
	HOLDER_CONNECTIONS_MAX = 500000,
};

/* Listens (setup's address).  Returns 0 or -errno with diag set. */
int holder_new(struct worker *worker, struct holder **holder_out, struct diag *diag);
/* Closes every connection and frees *holderp; *holderp may be NULL. */
void holder_free(struct holder **holderp);

/* Accepts nobody any more and closes all connections in order: "the server stops". */
void holder_stop(struct holder *holder);

/* Looks whether a month has begun: clients without its keys are unregistered, and may
 * register for updates only.  Call it now and then. */
void holder_tick(struct holder *holder);

/* Connections that are not closed yet. */
size_t holder_count(const struct holder *holder);
/* Of these: of registered clients. */
size_t holder_registered(const struct holder *holder);

/* Messages of homes, for connections of this holder. */
void holder_attached(struct holder *holder, unsigned home, const CrsWorker__Attached *m);
/* The client is told why, and its connection is not at home any more. */
void holder_unregister(struct holder *holder, const CrsWorker__Unregister *m);
/* A frame for a client; one for a connection that is gone is dropped. */
void holder_down(struct holder *holder, unsigned home, const struct passed_down *m);

/* A home is there (again): tell it of the clients that belong to it. */
void holder_home_up(struct holder *holder, unsigned home);
/* A home is gone: posts and other requests are answered "try again", calls end. */
void holder_home_down(struct holder *holder, unsigned home);

/* Accounts were loaded again: identities that no longer open are cut off. */
void holder_accounts_changed(struct holder *holder);
/* Another update was applied: clients of accounts that notify hear of it. */
void holder_updates_changed(struct holder *holder);

/* Ends the connections of an account, or (m->uri not empty) of one of its URIs, and tells
 * them m->reason. */
void holder_expel(struct holder *holder, const CrsWorker__Expel *m);

/* What the supervisor answers a remote administrator. */
void holder_admin_reply(struct holder *holder, const CrsWorker__AdminReply *m);

/* A row for each registered client, for `crs-cli show`. */
void holder_list(const struct holder *holder, struct worker_rows *rows);

#endif
