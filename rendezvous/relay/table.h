/* table.h - the sessions of one relay thread: who may send, and where it goes.
 *
 * Pure: packets, addresses and time in, destinations and answers out.  A leg is
 * a party's way in, bound to an address by a STUN binding request; RTP, RTCP
 * and opaque packets are forwarded by their SSRC, unmodified, and only from an
 * address that is bound to a leg of that SSRC's side.  Design: docs/umsg.md,
 * "Relay legs".  Threads: each thread has its own table.
 */
#ifndef RENDEZVOUS_RELAY_TABLE_H
#define RENDEZVOUS_RELAY_TABLE_H

#include "base/idmap.h"
#include "base/net.h"
#include "base/slice.h"
#include "rendezvous/relay/rate.h"

enum {
	RELAY_SESSION_ID_SIZE = 16,
	RELAY_LEG_ID_SIZE = 16, /* long enough that a 438 is no longer than its request */
	RELAY_LEG_KEY_SIZE = 32,
	RELAY_MAX_STREAMS = 8,
	RELAY_MAX_RESPONDERS = 32,
	RELAY_MAX_PACKET = 2048,  /* octets; longer ones are counted and dropped */
	RELAY_IDLE_LIMIT_S = 300, /* a session without packets ends (row REL-015) */
};

/* CRS manual 4.1.2.3; in the order of RelayType in relay_control.proto. */
enum relay_type {
	RELAY_RTP,
	RELAY_RTP_PROXY,
	RELAY_OPAQUE,
	RELAY_OPAQUE_PROXY,
	RELAY_OPAQUE_MULTICAST,
	RELAY_TYPE_COUNT
};

enum relay_side { RELAY_INITIATOR, RELAY_RESPONDER };

struct relay_leg {
	struct idmap_node node; /* by leg id */
	struct relay_session *session;
	enum relay_side side;
	uint8_t id[RELAY_LEG_ID_SIZE];
	uint8_t key[RELAY_LEG_KEY_SIZE];
	struct net_addr bound; /* len 0: not yet */
};

struct relay_ssrc {
	struct idmap_node node; /* by SSRC */
	struct relay_session *session;
	enum relay_side side; /* of the sender */
	uint32_t ssrc;
};

struct relay_session {
	struct idmap_node node;             /* by session id, mixed with the table's secret */
	struct relay_session *next, **link; /* the table's list; link points to us */
	uint8_t id[RELAY_SESSION_ID_SIZE];
	enum relay_type type;
	uint64_t owner; /* relay_table_own(); 0: nobody's */
	int64_t last_active_ms;
	struct relay_bucket left[2]; /* by the sender's side */
	bool was_capped;             /* and that was told */
	struct relay_leg initiator;
	struct relay_leg *responders; /* n_responders; a removed leg has session NULL */
	size_t n_responders, n_streams;
	struct relay_ssrc ssrc[RELAY_MAX_STREAMS][2]; /* [stream][side of the sender] */
};

struct relay_type_stats {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
};

/* CRS manual 5.4, "show relay". */
struct relay_stats {
	struct relay_type_stats type[RELAY_TYPE_COUNT];
	uint64_t received_packets, received_bytes, too_short, too_long;
	uint64_t dropped_unbound; /* no such SSRC, or not from a bound address */
	uint64_t dropped_rate;    /* from a side that sends more than its session may */
	uint64_t stun_bad;        /* unknown leg or bad integrity: no answer */
	uint64_t no_destination;  /* nobody bound on the other side */
	uint64_t send_errors;     /* the socket refused */
};

/* What to send because of one packet: octets to each of the n addresses, which
 * stay valid until the next call on the table. */
struct relay_output {
	struct slice octets;
	const struct net_addr *to[RELAY_MAX_RESPONDERS];
	size_t n;
	const struct relay_session *capped; /* NULL, or it just went over its rate for the first
					     * time */
};

struct relay_table;

/* lane: the value that the low 8 bits of every SSRC of this table get, by which
 * the kernel steers packets to the thread.  NULL when memory or randomness is
 * out. */
struct relay_table *relay_table_new(uint8_t lane);
/* Frees *tablep with its sessions; *tablep may be NULL. */
void relay_table_free(struct relay_table **tablep);

/* What each side of a session may send from now on; without a cap until this is called.  Sessions
 * that are there grow into it. */
void relay_table_set_rate(struct relay_table *table, const struct relay_rate *rate);

/* Makes a session with fresh legs, keys and SSRCs.  Returns 0 and the session,
 * which the table owns, or -EEXIST, -EINVAL (counts out of range), -ENOMEM. */
int relay_table_add(struct relay_table *table, const uint8_t id[RELAY_SESSION_ID_SIZE],
		    enum relay_type type, size_t n_streams, size_t n_responders, int64_t now_ms,
		    const struct relay_session **session_out);

/* Removes every responder's leg but leg_id.  Returns 0 or -ENOENT. */
int relay_table_keep_leg(struct relay_table *table, const uint8_t id[RELAY_SESSION_ID_SIZE],
			 struct slice leg_id);

/* Returns 0 and the removed session's type, or -ENOENT. */
int relay_table_remove(struct relay_table *table, const uint8_t id[RELAY_SESSION_ID_SIZE],
		       enum relay_type *type_out);

/* Ties a session to who asked for it first (not 0); an unknown id is ignored. */
void relay_table_own(struct relay_table *table, struct slice id, uint64_t owner);

/* The owner is gone, and with it the calls: removes all its sessions, counting by type
 * into ended_out. */
void relay_table_disown(struct relay_table *table, uint64_t owner,
			unsigned ended_out[RELAY_TYPE_COUNT]);

/* One packet of n octets from an address.  Fills out (n 0: nothing to send); a
 * forwarded packet is the input itself, an answer lies in the table. */
void relay_table_packet(struct relay_table *table, const struct net_addr *from, uint8_t *packet,
			size_t n, int64_t now_ms, struct relay_output *out);

/* Removes what was idle for RELAY_IDLE_LIMIT_S, counting by type into
 * expired_out, which the caller has zeroed. */
void relay_table_expire(struct relay_table *table, int64_t now_ms,
			unsigned expired_out[RELAY_TYPE_COUNT]);

/* Since the start; for the table's own thread. */
const struct relay_stats *relay_table_stats(const struct relay_table *table);

/* The owner of the socket tells how many datagrams it refused. */
void relay_table_count_send_errors(struct relay_table *table, size_t n);

/* The sessions, in no order; NULL at the end. */
const struct relay_session *relay_table_first(const struct relay_table *table);

/* Legs of the session that are bound. */
size_t relay_session_nodes(const struct relay_session *session);

#endif
