/* home.h - the URIs that are at home in one worker: their devices, calls and
 * messages.
 *
 * The home decides who may register and under which role, rings devices, stores
 * messages and answers for all of it.  Its state is memory only: after a restart
 * holders tell it again of their clients, messages are in redis_low, floors in the
 * accounts' folders; calls end.  Source: docs/umsg.md.
 */
#ifndef RENDEZVOUS_HOME_H
#define RENDEZVOUS_HOME_H

#include "rendezvous/passing.h"
#include "rendezvous/worker.h"

struct home;

enum {
	HOME_MAX_DEVICES = 16,     /* of one URI */
	HOME_MAX_PENDING = 100000, /* registrations that wait for a floor */
	HOME_COUNTERS_FLUSH_MS = 5000,
	HOME_WAKE_MS = 20000,                  /* for a device to wake up and attach */
	HOME_GROUP_CALL_MS = 24 * 3600 * 1000, /* as long as any call */
	HOME_SLEEPERS_MAX = 1000,              /* calls that wait for that */
	/* What all members' copies of a long post to a channel may take: 32 MiB for 32 members,
	 * 1 MiB for 1,000. */
	HOME_CHANNEL_COPIES_OCTETS = 1 << 30,
};

/* The home of this worker's slots.  Returns 0 or -ENOMEM. */
int home_new(struct worker *worker, struct home **home_out);
/* Frees *homep with its users, calls and mailboxes; *homep may be NULL. */
void home_free(struct home **homep);

/* Messages of holders. */
void home_attach(struct home *home, unsigned holder, const CrsWorker__Attach *m);
/* A connection is gone; its calls hear of it by home_session_lost(). */
void home_detach(struct home *home, unsigned holder, const CrsWorker__Detach *m);
/* A frame of a client, whose sender its holder has checked. */
void home_up(struct home *home, unsigned holder, const struct passed_up *m);
/* What a home answers to a copy of a post to a channel goes to the home of the channel, by the
 * number of its connection. */
bool home_is_copy(uint64_t connection);
/* A PostAck to such a copy counts for the post to the channel; anything else is dropped. */
void home_copy_answered(struct home *home, const struct passed_down *down);
/* A connection that took part in a call is gone. */
void home_session_lost(struct home *home, unsigned holder, const CrsWorker__SessionLost *m);
/* A holder is gone with all its connections. */
void home_holder_down(struct home *home, unsigned holder);

/* The supervisor made a floor durable, or could not: -EACCES, the user belongs to another account,
 * of which this worker need not have heard yet; or another -errno. */
void home_floor_done(struct home *home, uint64_t ticket, int err);
/* The account of a URI that is at home here was deleted: nothing is kept for it any longer. */
void home_forget_user(struct home *home, struct slice uri);

/* The worker has a new roster: whoever may not stay is unregistered. */
void home_roster_changed(struct home *home);

/* redis_low answers (again); epoch is another one when it was started anew.  Clients fetch all anew
 * that is there. */
void home_store_up(struct home *home, uint64_t epoch);
/* What was to be stored is refused until it is back. */
void home_store_down(struct home *home);
/* Whether there is room for messages; NULL: yes, else why not. */
void home_store_room(struct home *home, const char *refuse_reason);
/* crs-relay is gone, and all media with it. */
void home_relay_down(struct home *home);

/* Gives back to the relay what calls of an earlier life of this worker still hold there;
 * redis_high knows them.  Does nothing unless both can be reached. */
void home_forget_old_relays(struct home *home);

/* Time limits; call it every 100 ms. */
void home_tick(struct home *home);

/* Writes what was counted to redis_low. */
void home_flush_counters(struct home *home);
/* The account of a URI that is at home here and can be called, or NULL. */
const char *home_account_of(const struct home *home, struct slice uri);
/* The domain id of an account (DOMAIN_ID octets), or NULL where no update says it. */
const uint8_t *home_domain_of(const struct home *home, const char *account);
/* Is a device of uri registered? */
bool home_is_attached(const struct home *home, struct slice uri);

/* A row for each call, for "show session". */
void home_list_sessions(const struct home *home, struct worker_rows *rows);

/* A user who is at home here invites to a group call: counted once, however many are invited, and
 * over however many connections. */
void home_group_call(struct home *home, const CrsWorker__GroupCall *m);

/* Calls that are not over, and messages in memory. */
size_t home_calls(const struct home *home);
/* Those that are looked at now; the store has the others. */
size_t home_messages(const struct home *home);

/* A health check begins: its guests may enter for a while (guests.h). */
void home_announce_guests(struct home *home, const char *account, const char *id);

/* Wakes a user up by push who is at home here and away.  home_awake() follows where there is
 * no token.  Returns 0, or -errno: nobody will be woken up. */
int home_wake(struct home *home, const char *uri);
/* The same for a message: nothing happens within the pause after a push, in which the supervisor
 * would send none. */
void home_wake_for_message(struct home *home, const char *uri);
/* A device token of this user is gone since when_ms: it is forgotten unless it is newer. */
void home_push_gone(struct home *home, const char *account, const char *uri, int64_t when_ms);

#endif
