/* control.h - the relay's Unix socket: crs asks, the threads answer.
 *
 * Requests that name a session go to the thread that its id chooses; statistics
 * and listings go to all and come back as one.  The limits of crs-relay.conf
 * are kept here, over all threads.
 */
#ifndef RENDEZVOUS_RELAY_CONTROL_H
#define RENDEZVOUS_RELAY_CONTROL_H

#include "rendezvous/relay/thread.h"

struct event_base;
struct relay_control;

struct relay_limits {
	unsigned max[RELAY_TYPE_COUNT]; /* sessions at once; UINT_MAX: no limit */
};

/* Listens at socket_path and talks to the n threads over pair_fds, which it owns
 * from here on (on success).  Returns 0 or -errno. */
int relay_control_new(struct event_base *base, const char *socket_path, const int *pair_fds,
		      size_t n, const struct relay_limits *limits,
		      struct relay_control **control_out);

/* Closes every connection and the pairs, which ends the threads. */
void relay_control_free(struct relay_control **controlp);

#endif
