/* reorder.c - a handful of slots behind a gap, compared by 16-bit differences. */
#include "media/reorder.h"

#include <errno.h>

void reorder_init(struct reorder *r)
{
	r->started = r->suspicious = false;
	r->held = 0;
	for (size_t i = 0; i < REORDER_SLOTS; i++)
		r->slots[i].used = false;
}

/* A used slot with that number, or any free one: the slots are few, so they are looked through
 * rather than sorted. */
static struct reorder_slot *find_slot(struct reorder *r, bool used, uint16_t seq)
{
	for (size_t i = 0; i < REORDER_SLOTS; i++) {
		struct reorder_slot *slot = &r->slots[i];

		if (slot->used == used && (!used || slot->rtp.seq == seq))
			return slot;
	}
	return NULL;
}

/* The used slot that is nearest ahead.  All differences of sequence numbers are taken in 16
 * bits, so that 65535 is followed by 0. */
static struct reorder_slot *nearest_slot(struct reorder *r)
{
	struct reorder_slot *best = NULL;

	for (size_t i = 0; i < REORDER_SLOTS; i++) {
		struct reorder_slot *slot = &r->slots[i];

		if (slot->used && (!best || (uint16_t)(slot->rtp.seq - r->next) <
						    (uint16_t)(best->rtp.seq - r->next)))
			best = slot;
	}
	return best;
}

/* Copies the payload: the receive buffer is used again when the packet's turn comes. */
static int hold(struct reorder *r, const struct rtp *rtp, int64_t now_ms)
{
	struct reorder_slot *slot;

	if (rtp->payload.n > MEDIA_MAX_PAYLOAD)
		return -EMSGSIZE;
	if (find_slot(r, true, rtp->seq))
		return -EALREADY;
	slot = find_slot(r, false, 0);
	if (!slot)
		return -ENOSPC;
	slot->used = true;
	slot->came_ms = now_ms;
	slot->rtp = *rtp;
	memcpy(slot->octets, rtp->payload.p, rtp->payload.n);
	slot->rtp.payload = slice_of(slot->octets, rtp->payload.n);
	r->held++;
	return 0;
}

/* One stray packet moves nothing; a second one in its sequence is a peer that
 * started anew (RFC 3550 A.1). */
static int out_of_range(struct reorder *r, const struct rtp *rtp)
{
	if (!r->suspicious || rtp->seq != r->suspect) {
		r->suspicious = true;
		r->suspect = (uint16_t)(rtp->seq + 1);
		return -ERANGE;
	}
	reorder_init(r);
	r->started = true;
	r->next = (uint16_t)(rtp->seq + 1);
	return 1;
}

int reorder_push(struct reorder *r, const struct rtp *rtp, int64_t now_ms)
{
	uint16_t ahead = (uint16_t)(rtp->seq - r->next);
	uint16_t behind = (uint16_t)(r->next - rtp->seq);

	if (!r->started || ahead == 0) {
		r->started = true;
		r->suspicious = false;
		r->next = (uint16_t)(rtp->seq + 1);
		return 1;
	}
	/* Behind what was played already: late or repeated, there is nothing to be done with
	 * it.  Further away in either direction it belongs to no sequence that is known. */
	if (ahead > REORDER_MAX_AHEAD && behind > REORDER_MAX_BEHIND)
		return out_of_range(r, rtp);
	if (behind <= REORDER_MAX_BEHIND)
		return -EALREADY;
	r->suspicious = false;
	return hold(r, rtp, now_ms);
}

/* A hole is waited for until all slots are taken or the eldest packet behind it is due: what
 * does not come by then is lost, or would come too late to be played. */
static bool gives_up(const struct reorder *r, int64_t now_ms)
{
	if (r->held == REORDER_SLOTS)
		return true;
	for (size_t i = 0; i < REORDER_SLOTS; i++)
		if (r->slots[i].used && now_ms - r->slots[i].came_ms >= REORDER_HOLD_MS)
			return true;
	return false;
}

int reorder_pop(struct reorder *r, int64_t now_ms, struct reorder_item *item_out)
{
	struct reorder_slot *slot;

	if (r->held == 0)
		return 0;
	slot = nearest_slot(r);
	if (slot->rtp.seq != r->next && !gives_up(r, now_ms))
		return 0;
	/* Two packets held in sequence come out one by one: lost is 0 for the second. */
	item_out->lost = (uint16_t)(slot->rtp.seq - r->next);
	item_out->rtp = slot->rtp;
	slot->used = false;
	r->held--;
	r->next = (uint16_t)(slot->rtp.seq + 1);
	return 1;
}
