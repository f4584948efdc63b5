/* mesh.h - what the workers of one crs say to each other (worker.proto, Peer).
 *
 * Every worker listens at run/worker-N.sock and connects to every other; it sends
 * on the connections it made and hears on those it took.  A message to itself goes
 * through a queue, so that no message is handled within the sending of another.
 * What is sent in one turn of the loop travels together, at its end.
 * Threads: one event loop.
 */
#ifndef RENDEZVOUS_MESH_H
#define RENDEZVOUS_MESH_H

#include "base/slice.h"
#include "rendezvous/worker.pb-c.h"

struct event_base;
struct mesh;

struct mesh_ops {
	void (*message)(void *arg, unsigned from, const CrsWorker__Peer *message);
	/* What mesh_pass() was given, head and frame in one. */
	void (*frame)(void *arg, unsigned from, struct slice octets);
	/* Messages to this worker arrive from now on. */
	void (*up)(void *arg, unsigned peer);
	/* This worker is gone, and with it what it held. */
	void (*down)(void *arg, unsigned peer);
};

/* Listens for the others.  Returns 0 or -errno. */
int mesh_new(struct event_base *base, const char *run_dir, unsigned index, unsigned workers,
	     const struct mesh_ops *ops, void *arg, struct mesh **mesh_out);
/* Closes all and frees *meshp; *meshp may be NULL. */
void mesh_free(struct mesh **meshp);

/* That worker is ready: connect to it (again), unless we are already; from now on also whenever the
 * connection is lost or cannot be made. */
void mesh_connect(struct mesh *mesh, unsigned peer);

/* Can something be sent to it?  To oneself always. */
bool mesh_is_up(const struct mesh *mesh, unsigned peer);

/* Returns 0, -EPIPE (that worker is not there), -ENOBUFS (it cannot keep up: told in the
 * log, too), -EMSGSIZE or -ENOMEM.  What was taken with 0 is lost only with the worker. */
int mesh_send(struct mesh *mesh, unsigned to, const CrsWorker__Peer *message);

/* The same for a frame and what stands before it. */
int mesh_pass(struct mesh *mesh, unsigned to, struct slice head, struct slice frame);

#endif
