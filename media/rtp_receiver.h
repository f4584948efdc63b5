/* rtp_receiver.h - the hearing half of a leg: RTP packets in, audio and digits out. */
#ifndef MEDIA_RTP_RECEIVER_H
#define MEDIA_RTP_RECEIVER_H

#include "media/dtmf.h"
#include "media/leg.h"
#include "media/playout.h"
#include "media/reorder.h"
#include "media/rtp_source.h"

enum { RTP_NO_TYPE = 255 }; /* a payload type that is not used */

struct rtp_receiver_config {
	struct codec *codec;               /* not owned */
	uint32_t clock;                    /* of its RTP, Hz */
	uint8_t codec_pt, event_pt, cn_pt; /* or RTP_NO_TYPE */
	uint32_t event_clock;
};

struct rtp_receiver {
	struct rtp_receiver_config config;
	struct rtp_source source;
	struct reorder reorder;
	struct playout playout;
	struct dtmf_receiver dtmf;
	const struct leg_ops *ops;
	void *arg;
	uint64_t octets, late, malformed, ignored;
};

/* config is copied, its codec borrowed; ops are called with arg. */
void rtp_receiver_init(struct rtp_receiver *r, const struct rtp_receiver_config *config,
		       const struct leg_ops *ops, void *arg, int64_t now_ms);

/* Payload types and codec changed (a re-INVITE); counters and fill go on. */
void rtp_receiver_change(struct rtp_receiver *r, const struct rtp_receiver_config *config,
			 int64_t now_ms);

/* Does the receiver know the payload type? */
bool rtp_receiver_knows(const struct rtp_receiver *r, uint8_t payload_type);

/* Takes a parsed packet.  Returns 0, -ENOTSUP (a payload type that is not known), -EBADMSG or
 * -EALREADY; each is counted. */
int rtp_receiver_packet(struct rtp_receiver *r, const struct rtp *rtp, int64_t now_ms);

/* Every LEG_TICK_MS. */
void rtp_receiver_tick(struct rtp_receiver *r, int64_t now_ms);

/* Fills in the receiver's part. */
void rtp_receiver_stats(const struct rtp_receiver *r, struct leg_stats *stats);

#endif
