/* relay.h - the main thread of cig-relay: connections of cig-server, their calls,
 * and the media threads that carry them.
 */
#ifndef GATEWAY_RELAY_RELAY_H
#define GATEWAY_RELAY_RELAY_H

struct diag;
struct event_base;
struct relay;

enum { RELAY_DEFAULT_CALLS = 350 }; /* a thread: what one core transcodes (media.transcode) */

struct relay_config {
	const char *run_dir; /* holds the socket cig-relay.sock */
	unsigned threads;    /* at least 1 */
	unsigned max_calls;  /* at least 1 */
	unsigned max_load;   /* percent of a processor a thread (load.h); 0: any */
};

/* Listens at DIR/cig-relay.sock (0600) and starts the media threads.  Returns 0, or
 * -errno with diag set: -EADDRINUSE when another cig-relay answers there. */
int relay_new(struct event_base *base, const struct relay_config *config, struct diag *diag,
	      struct relay **relay_out);

/* Ends every call and thread, closes and removes the socket. */
void relay_free(struct relay **relayp);

#endif
