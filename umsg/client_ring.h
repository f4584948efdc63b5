/* client_ring.h - keeps a client and its key store (keys/key_ring.h) in step: what a
 * gateway and a caller do alike with updates, new letters and months that are over.
 *
 * The owner holds the ring; every function here may replace *ringp.
 */
#ifndef UMSG_CLIENT_RING_H
#define UMSG_CLIENT_RING_H

#include "keys/key_ring.h"
#include "umsg/client.h"

/* The ring as the client takes it; valid as long as the ring. */
struct umsg_keys client_ring_keys(const struct key_ring *ring);

/* The client (NULL: none yet) goes over to ring; the old one is closed. */
void client_ring_replace(struct key_ring **ringp, struct key_ring *ring,
			 struct umsg_client *client);

/* What the client's update callback has to do: applies the update to the store on disk
 * and goes over to it; the log tells the outcome.  Returns whether it is in the store, also by
 * an earlier one: it can be confirmed. */
bool client_ring_update(struct key_ring **ringp, struct umsg_client *client, int64_t month,
			uint32_t revision, struct slice entry, struct slice shared);

/* The second half of it, for whoever called key_ring_update() elsewhere (umsg/ring_updater.h): err,
 * ring (taken over where err is 0) and diag are what that gave. */
bool client_ring_updated(struct key_ring **ringp, struct umsg_client *client, int64_t month,
			 uint32_t revision, int err, struct key_ring *ring,
			 const struct diag *diag);

/* Wipes what is past from the store (keystore_expire) and goes over to what is left.  Call
 * it at the start, and every CLIENT_RING_EXPIRE_MS. */
enum { CLIENT_RING_EXPIRE_MS = 3600000 };
/* *ringp is replaced where something was past; on failure the old one stays and the log
 * tells. */
void client_ring_expire(struct key_ring **ringp, struct umsg_client *client);

/* What the client's accepted callback has to do: former logins are wiped from the store. */
void client_ring_accepted(struct key_ring **ringp, struct umsg_client *client, const char *address,
			  const char *identity);

/* What the client's met callback has to do: the URI is pinned to that trusted domain, in the
 * store on disk, too. */
void client_ring_met(struct key_ring *ring, const char *uri, const uint8_t *domain_id);

#endif
