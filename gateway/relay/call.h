/* call.h - one call in a media thread: its bridge, sockets and timeouts. */
#ifndef GATEWAY_RELAY_CALL_H
#define GATEWAY_RELAY_CALL_H

#include "base/idmap.h"
#include "gateway/relay/order.h"
#include "media/udp_batch.h"

enum { CALL_DEFAULT_TIMEOUT_MS = 30000 };

/* What epoll gives back. */
enum watch_kind { WATCH_QUEUE, WATCH_TIMER, WATCH_TRUNK, WATCH_CALL };

struct watch {
	enum watch_kind kind;
	int fd;
	void *owner;
};

/* A socket towards the rendezvous, shared by the calls of a thread. */
struct trunk {
	struct watch watch;
	struct udp_outbox *outbox;
};

struct relay_call {
	uint64_t serial;
	struct idmap_node by_serial;
	struct idmap_node by_own_ssrc, by_peer_ssrc; /* while has_ssrcs */
	bool has_ssrcs;
	struct relay_call *next, **link; /* in its slot of the timer wheel */
	struct watch rtp, rtcp;
	struct trunk *trunk;
	struct bridge bridge;
	struct net_addr relay;
	struct order_plain plain; /* as it was set last */
	enum media_codec secure_codec;
	int64_t timeout_ms;
	int complexity;
	bool answered, bound_told;
	int64_t answered_ms, plain_since_ms; /* from when silence counts */
	int64_t secure_set_ms, checked_ms;
	uint64_t dropped; /* as it was told last */
	struct queue *notices;
	struct notice *closed; /* waits for the call's end */
};

/* The sockets and the notice in open become the call's.  When memory is out they
 * are closed, the notice is sent, and NULL is returned. */
struct relay_call *relay_call_new(uint64_t serial, const struct order_open *open,
				  struct trunk *trunk, struct queue *notices);

/* Ends the call: closes its sockets, wipes its keys, frees *callp, sets it to NULL, and only
 * then sends NOTICE_CLOSED with the final figures: who hears it may use the ports again. */
void relay_call_end(struct relay_call **callp, enum close_reason reason);

/* Return 0, or -errno for a NOTICE_FAILED. */
int relay_call_set_plain(struct relay_call *call, const struct order_plain *plain, int64_t now_ms);
/* The keys in it are copied into the leg. */
int relay_call_set_secure(struct relay_call *call, const struct order_secure *secure,
			  int64_t now_ms);
/* To the side that the order names. */
int relay_call_send_digit(struct relay_call *call, const struct order_digit *digit);
/* From now on silence of both sides ends the call. */
void relay_call_answered(struct relay_call *call, int64_t now_ms);

/* A packet from the PBX side, or from the rendezvous's relay. */
void relay_call_from_plain(struct relay_call *call, struct slice packet,
			   const struct net_addr *from, int64_t now_ms);
/* packet is decrypted in place. */
void relay_call_from_secure(struct relay_call *call, uint8_t *packet, size_t n, int64_t now_ms);

/* How much work encoding may be (secure_leg.h). */
void relay_call_set_complexity(struct relay_call *call, int complexity);

/* Do both of its legs work? */
bool relay_call_talks(const struct relay_call *call);

/* Packets that the system has dropped on the PBX side since the last time. */
uint64_t relay_call_new_drops(struct relay_call *call);

/* Every LEG_TICK_MS.  Returns true, with the reason, when the call must end. */
bool relay_call_tick(struct relay_call *call, int64_t now_ms, enum close_reason *reason_out);

/* Sends NOTICE_STATS. */
void relay_call_tell_stats(const struct relay_call *call);

#endif
