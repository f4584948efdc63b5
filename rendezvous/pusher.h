/* pusher.h - wakes devices up by push: which of them, and how often.
 *
 * Workers ask for a user who is away when a message or a call comes; a user is pushed once
 * in PUSHER_PAUSE_MS at most, as one look at the rendezvous shows everything.  Source: CRS
 * manual 4.8; row CRS-117.
 *
 * Threads: the supervisor's event loop.
 */
#ifndef RENDEZVOUS_PUSHER_H
#define RENDEZVOUS_PUSHER_H

#include <stdbool.h>
#include <stdint.h>

struct diag;
struct event_base;
struct push_settings;
struct pusher;

enum {
	PUSHER_PAUSE_MS = 5000,
	PUSHER_USERS_MAX = 20000, /* who wait for an answer, or for the pause to pass */
	PUSHER_TOKENS_MAX = 8,    /* devices of a user */
};

/* A device token is no longer valid since when_ms (Unix time): it may be forgotten unless it
 * was uploaded anew. */
typedef void pusher_gone_fn(void *arg, const char *account, const char *uri, int64_t when_ms);

/* Returns 0 or -errno with diag set. */
int pusher_new(struct event_base *base, const struct push_settings *settings, pusher_gone_fn *gone,
	       void *arg, struct pusher **pusher_out, struct diag *diag);
/* Pushes that are under way are given up; *pusherp may be NULL. */
void pusher_free(struct pusher **pusherp);

enum pusher_when {
	PUSHER_UNLESS_JUST_PUSHED, /* one push brings a device to all that came meanwhile */
	PUSHER_ALWAYS,             /* an operator's word: he wants to see it */
};

/* Wakes the devices with these tokens up: value is what the client stored as push-token
 * (client_data.h, { "tokens": [...] }).  Returns how many notifications are on their way, 0 where
 * he was pushed within the pause, or none is: -EINVAL (no token that can be pushed), -ENOBUFS
 * (too many under way) or -ENOMEM. */
int pusher_wake(struct pusher *pusher, const char *account, const char *uri, const char *value,
		enum pusher_when when);

/* As apns_clock_ahead(). */
bool pusher_clock_ahead(const struct pusher *pusher, int64_t *seconds_out);

#endif
