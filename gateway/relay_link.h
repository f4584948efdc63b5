/* relay_link.h - cig-server's connection to cig-relay, which is a service of its
 * own.  What the two say to each other is gateway/relay_control.proto.
 *
 * Connects to RUN_DIR/cig-relay.sock, greets, polls, and connects again when the
 * relay is gone or silent.
 */
#ifndef GATEWAY_RELAY_LINK_H
#define GATEWAY_RELAY_LINK_H

#include <stdbool.h>

#include "gateway/relay_control.pb-c.h"

struct event_base;
struct relay_link;

enum { RELAY_LINK_POLL_MS = 1000, RELAY_LINK_POLLS = 5, RELAY_LINK_QUEUE = 4096 };

struct relay_link_ops {
	/* The relay has answered our greeting. */
	void (*up)(void *arg, const Relay__Welcome *welcome);
	/* It is gone, and with it the media of every call. */
	void (*down)(void *arg);
	/* Anything about a call; valid until it returns. */
	void (*event)(void *arg, const Relay__Event *event);
};

/* run_dir is copied.  Returns 0, -ENAMETOOLONG or -ENOMEM; a relay that is not
 * there yet is no error. */
int relay_link_new(struct event_base *base, const char *run_dir, const struct relay_link_ops *ops,
		   void *arg, struct relay_link **link_out);
/* Closes the connection and frees *linkp; *linkp may be NULL. */
void relay_link_free(struct relay_link **linkp);

/* Has the relay answered our greeting? */
bool relay_link_is_up(const struct relay_link *link);

/* How it is, as of its last answer to our poll, at most RELAY_LINK_POLL_MS ago; NULL while
 * it is down and before the first answer.  Valid until the loop goes on. */
const Relay__Polled *relay_link_load(const struct relay_link *link);

/* Does its Opus encoder work with less than its full complexity, or does it refuse calls? */
bool relay_link_is_loaded(const struct relay_link *link);

/* Calls that it takes at most; 0 while it is down. */
unsigned relay_link_capacity(const struct relay_link *link);

/* The relay's "cig-relay VERSION", "" while it is down. */
const char *relay_link_program(const struct relay_link *link);

/* Returns 0, -EPIPE (down), -ENOBUFS or -ENOMEM. */
int relay_link_send(struct relay_link *link, const Relay__Command *command);

#endif
