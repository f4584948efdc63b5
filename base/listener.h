/* listener.h - a socket that others connect to, on the event loop.
 *
 * When the process or the system has no descriptor or memory for another connection, the one that
 * waits stays in the socket's queue, and the socket stays readable.  The listener then rests
 * instead of asking for it again and again, says so in the log (once a minute at most), and
 * goes on by itself.
 */
#ifndef BASE_LISTENER_H
#define BASE_LISTENER_H

#include <event2/event.h>

#include "base/net.h"

enum {
	LISTENER_PER_TURN = 16, /* connections taken before others on the loop have their turn */
	LISTENER_REST_MS = 100,
};

struct listener;

/* fd is non-blocking and close-on-exec, and is the callee's now.  from is the peer's address; for
 * a socket of the file system it has only a family.  The listener may be freed in here. */
typedef void listener_fn(void *arg, int fd, const struct net_addr *from);

/* fd, a listening socket, is closed by listener_free(); name says in the log whose it is, and
 * stays the caller's (a literal).  Returns NULL without memory: fd is then still the caller's. */
struct listener *listener_new(struct event_base *base, int fd, const char *name, listener_fn *taken,
			      void *arg);

/* One of the loop's priorities, instead of the one in the middle. */
void listener_set_priority(struct listener *listener, int priority);

/* Closes the socket, and sets *listenerp to NULL.  Those who wait in its queue are refused. */
void listener_free(struct listener **listenerp);

#endif
