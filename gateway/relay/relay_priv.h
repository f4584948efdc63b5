/* relay_priv.h - what relay.c (threads, notices) and peer.c (connections, commands)
 * share.
 */
#ifndef GATEWAY_RELAY_RELAY_PRIV_H
#define GATEWAY_RELAY_RELAY_PRIV_H

#include <event2/event.h>

#include "base/channel.h"
#include "base/idmap.h"
#include "gateway/relay/relay.h"
#include "gateway/relay/sockets.h"
#include "gateway/relay/worker.h"

/* One connection of a cig-server. */
struct peer {
	struct peer *next, **link;
	struct relay *relay;
	struct channel *channel;
	struct idmap calls; /* by call id */
	struct call *first;
	bool greeted;
	int64_t heard_ms;
};

/* What the main thread knows of a call. */
struct call {
	struct idmap_node by_serial, by_id;
	struct call *next, **link; /* among the peer's */
	struct peer *peer;         /* NULL: the connection is gone, the call is ending */
	unsigned worker;
	struct order
		*close; /* made with the call, so that it can always end; NULL: it was told to */
	struct call_sockets sockets;
};

struct thread {
	struct worker *worker;
	unsigned calls;
	struct load_view load;
};

struct relay {
	struct event_base *base;
	struct listener *listener;
	char path[108];
	struct event *notice_event, *check_event;
	struct queue notices;
	bool has_queue;
	struct thread *threads;
	unsigned n_threads, n_calls, max_calls, max_load;
	char busy[LOAD_TEXT]; /* why the last call was refused, while that holds; else "" */
	uint64_t refused;     /* calls, for that */
	struct sockets *sockets;
	struct idmap by_serial;
	uint64_t last_serial;
	struct peer *peers;
};

/* A connection was accepted; fd becomes the peer's, or is closed. */
void peer_new(struct relay *relay, int fd);

/* Ends the connection and the calls that belong to it, and frees it. */
void peer_drop(struct peer *peer, const char *why);

/* Says that a command was refused, in the log and to the peer.  Errors as
 * channel_send. */
int peer_refuse(struct peer *peer, uint64_t id, Relay__Failed__Reason reason, const char *text);

/* The call leaves its connection; it is freed when its thread has let go of it. */
void peer_detach(struct call *call);

#endif
