/* apns.h - direct push: notifications to Apple's push service over one HTTP/2 connection
 * (CRS manual 4.8).
 *
 * The payload names nobody: a device that wakes up learns from the rendezvous, over its own
 * link, what there is.  Source: Apple, "Sending notification requests to APNs".
 *
 * Threads: one event loop.
 */
#ifndef RENDEZVOUS_APNS_H
#define RENDEZVOUS_APNS_H

#include <stdbool.h>
#include <stdint.h>

struct apns;
struct diag;
struct event_base;

enum {
	APNS_QUEUE = 10000,      /* notifications under way; more are refused */
	APNS_LIMIT_MS = 30000,   /* for an answer, whatever was tried until then */
	APNS_DEAD_MS = 5000,     /* without a sign of the peer's system: the connection is dead */
	APNS_AGAIN_MS = 1000,    /* after a connection that could not be made */
	APNS_DEVICE_TOKEN = 200, /* hexadecimal digits at most; our limit */
};

/* Texts are copied. */
struct apns_options {
	const char *url;     /* "https://api.push.apple.com" */
	const char *topic;   /* of the application */
	const char *ca_file; /* whom to trust; NULL: the system's authorities */
	const char *key_file, *key_id, *team_id;
	unsigned dead_ms; /* 0: APNS_DEAD_MS */
};

enum apns_outcome {
	APNS_SENT,
	APNS_GONE,      /* the device has the application no more, since when_ms */
	APNS_BAD_TOKEN, /* no such token; for all of them: our topic or the service is wrong */
	APNS_FAILED,    /* text; it may work later */
};

struct apns_ops {
	/* About a notification of apns_push(); cookie is its own. */
	void (*done)(void *arg, uint64_t cookie, const char *device_token,
		     enum apns_outcome outcome, int64_t when_ms, const char *text);
};

/* Reads the key.  Returns 0 or -errno with diag set. */
int apns_new(struct event_base *base, const struct apns_options *options,
	     const struct apns_ops *ops, void *arg, struct apns **apns_out, struct diag *diag);
/* What is under way is forgotten. */
void apns_free(struct apns **apnsp);

/* Wakes a device up.  What a connection took with it that ended or died (APNS_DEAD_MS) is sent on
 * another one, once; what never left for want of a connection is tried until APNS_LIMIT_MS have
 * passed.  done follows, never from within.  Returns 0, -EINVAL (no device token),
 * -ENOBUFS (too many under way) or -ENOMEM. */
int apns_push(struct apns *apns, const char *device_token, uint64_t cookie);

/* By how many seconds our clock was ahead of the service's at its last answer: provider tokens of a
 * clock that is far off are refused (CRS manual 4.8, step 3).  Returns false before the first one.
 */
bool apns_clock_ahead(const struct apns *apns, int64_t *seconds_out);

#endif
