/* requests.h - runs what crs asks (relay_control.proto) on one thread's table. */
#ifndef RENDEZVOUS_RELAY_REQUESTS_H
#define RENDEZVOUS_RELAY_REQUESTS_H

#include "rendezvous/relay/table.h"
#include "rendezvous/relay_control.pb-c.h"

enum {
	RELAY_MAX_REQUEST = 4096,    /* octets of a packed request */
	RELAY_MAX_REPLY = 64 * 1024, /* octets of a packed reply */
	RELAY_LIST_CHUNK = 500,      /* relays in one reply */
};

/* Takes each packed reply; the last one for a request has more unset. */
typedef void relay_reply_fn(void *arg, struct slice reply, bool more);

/* Runs request, which was unpacked and whose body is one of add, keep_leg, remove,
 * get_statistics and list_relays, and hands each reply to reply_fn.  Sessions
 * that ended are counted into ended_out by type. */
void relay_request_run(struct relay_table *table, const CrsRelay__Request *request, uint16_t port,
		       int64_t now_ms, unsigned ended_out[RELAY_TYPE_COUNT],
		       relay_reply_fn *reply_fn, void *arg);

/* A reply that carries an error (positive errno) and a text for the log. */
size_t relay_reply_error(uint32_t number, int error, const char *text, uint8_t *out, size_t cap);

/* Adds what one thread counted to a sum. */
void relay_statistics_add(struct relay_stats *sum, const CrsRelay__Statistics *part);
/* Packs a statistics reply; returns its octets, 0 when it does not fit. */
size_t relay_reply_statistics(uint32_t number, const struct relay_stats *stats, uint8_t *out,
			      size_t cap);

#endif
