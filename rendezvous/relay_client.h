/* relay_client.h - a connection to crs-relay's Unix socket (relay_control.proto).
 *
 * Connects again whenever it is lost; polls every RELAY_POLL_MS, and a poll
 * without answer within RELAY_ANSWER_LIMIT_MS counts as a loss (row REL-012).
 * Threads: one event loop.
 */
#ifndef RENDEZVOUS_RELAY_CLIENT_H
#define RENDEZVOUS_RELAY_CLIENT_H

#include "base/slice.h"
#include "rendezvous/relay_control.pb-c.h"

struct event_base;
struct relay_client;

enum {
	RELAY_CONNECT_AGAIN_MS = 250,
	RELAY_POLL_MS = 1000,
	RELAY_ANSWER_LIMIT_MS = 5000,
	RELAY_REQUESTS_MAX = 65536, /* that wait for an answer */
};

struct relay_client_ops {
	void (*up)(void *arg);
	/* Gone; every request that had no answer yet was answered by NULL before. */
	void (*down)(void *arg);
};

/* Connects to path (copied), and again whenever the relay goes.  Returns NULL when memory is
 * out. */
struct relay_client *relay_client_new(struct event_base *base, const char *path,
				      const struct relay_client_ops *ops, void *arg);
/* No callback is called any more. */
void relay_client_free(struct relay_client **clientp);

/* Between ops->up and ops->down. */
bool relay_client_is_up(const struct relay_client *client);

/* An answer, valid until the function returns; NULL when the relay is gone.  For
 * ListRelays it is called once a chunk, the last one with relays->more unset.
 * key is what the request was sent with. */
typedef void relay_answer_fn(void *arg, struct slice key, const CrsRelay__Reply *reply);

enum { RELAY_KEY_MAX = 16 };

/* Sends a request; its number is filled in.  key, at most RELAY_KEY_MAX octets, is
 * copied and handed back.  answer may be NULL.  Returns 0, -EPIPE (no relay),
 * -ENOBUFS (too much waits) or -ENOMEM; then answer is not called. */
int relay_client_send(struct relay_client *client, CrsRelay__Request *request, struct slice key,
		      relay_answer_fn *answer, void *arg);

#endif
