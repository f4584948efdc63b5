/* ring_updater.h - applies monthly updates to a key store beside the event loop.
 *
 * To apply an update is to load every month's keys twice: once to check them before anything is
 * written (RFC 6507 5.1.2, RFC 6508 6.1.2), once to use them.  That takes a few tenths of a second,
 * more with channels and trusted domains, in which a program with media in its loop would be
 * deaf.  So a thread of its own does it, and the loop only goes over to what it made.
 *
 * One update at a time, as the client fetches them.  What else changes the key store goes through
 * here, too, so that it does not meet the thread.  All functions belong to the loop's thread.
 */
#ifndef UMSG_RING_UPDATER_H
#define UMSG_RING_UPDATER_H

#include "keys/key_ring.h"
#include "umsg/client.h"

struct event_base;
struct ring_updater;

/* ringp and clientp are the owner's and stay where they are as long as the updater; *clientp may
 * be NULL.  *ringp is replaced, in the loop, when an update was applied.  Returns 0 or -errno. */
int ring_updater_new(struct event_base *base, struct key_ring **ringp, struct umsg_client **clientp,
		     struct ring_updater **updater_out);

/* Waits for the update in hand, which stays in the store on disk.  To be called behind
 * umsg_client_free() and before key_ring_close(); *updaterp may be NULL. */
void ring_updater_free(struct ring_updater **updaterp);

/* For the client's update callback (umsg/client.h).  Copies both parts.  UMSG_UPDATE_LATER, then
 * the client is told by umsg_client_update_done(); UMSG_UPDATE_REFUSED while another update is
 * in hand, or without memory or a thread: the rendezvous offers it again. */
enum umsg_update_outcome ring_updater_update(struct ring_updater *updater, int64_t month,
					     uint32_t revision, struct slice entry,
					     struct slice shared);

/* For the client's accepted callback: client_ring_accepted(); while an update is in hand nothing,
 * as the next registration tells the same again. */
void ring_updater_accepted(struct ring_updater *updater, const char *address, const char *identity);

/* For the client's met callback: client_ring_met(), behind the update in hand, for which it waits:
 * a pin that is not on disk when a call begins could be another one tomorrow. */
void ring_updater_met(struct ring_updater *updater, const char *uri, const uint8_t *domain_id);

#endif
