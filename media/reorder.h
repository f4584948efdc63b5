/* reorder.h - puts packets in order without delaying those that are.
 *
 * While packets come in order they pass at once.  Behind a gap they are held
 * until it is filled, REORDER_HOLD_MS passed or the slots are full; then the gap
 * is given up.  Nothing is allocated.
 */
#ifndef MEDIA_REORDER_H
#define MEDIA_REORDER_H

#include "media/codec.h"
#include "media/rtp.h"

enum {
	REORDER_SLOTS = 4,
	REORDER_HOLD_MS = 20,
	REORDER_MAX_AHEAD = 1000, /* a longer jump is a new start of the stream */
	REORDER_MAX_BEHIND = 100,
};

struct reorder_slot {
	bool used;
	struct rtp rtp; /* its payload points to octets */
	int64_t came_ms;
	uint8_t octets[MEDIA_MAX_PAYLOAD];
};

struct reorder {
	bool started;
	uint16_t next;    /* wanted */
	uint16_t suspect; /* one behind a packet that was out of range */
	bool suspicious;
	unsigned held;
	struct reorder_slot slots[REORDER_SLOTS];
};

/* One step of the output. */
struct reorder_item {
	unsigned lost;  /* packets given up just before rtp */
	struct rtp rtp; /* valid until the next reorder_push */
};

/* Nothing is held, and the next packet is the first. */
void reorder_init(struct reorder *r);

/* Takes a packet.  Returns 1 when it is the wanted one (use it now, then pop),
 * 0 when it is held (pop), -EALREADY when it is late or a repeat, -ERANGE when it
 * is far out of range (two such in sequence begin a new stream), or -EMSGSIZE. */
int reorder_push(struct reorder *r, const struct rtp *rtp, int64_t now_ms);

/* The next held packet that is due.  Returns 1 and the item, or 0. */
int reorder_pop(struct reorder *r, int64_t now_ms, struct reorder_item *item_out);

#endif
