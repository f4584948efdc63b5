/* leg_core.h - what both kinds of leg are made of: a codec, the speaking and the hearing half,
 * RTCP, and SRTP where there is any; and what is counted alike.
 *
 * Whose packets are taken, and where they go, is the business of plain_leg.c and secure_leg.c.
 */
#ifndef MEDIA_LEG_CORE_H
#define MEDIA_LEG_CORE_H

#include "media/leg_rtcp.h"
#include "media/rtp_receiver.h"
#include "media/rtp_sender.h"
#include "media/srtp.h"

struct leg_core {
	const struct leg_ops *ops; /* of the owner */
	void *arg;
	struct codec *codec;   /* owned */
	struct srtp *out, *in; /* owned; NULL: in clear */
	struct rtp_sender sender;
	struct rtp_receiver receiver;
	struct leg_rtcp rtcp;
	int64_t heard_ms; /* when a packet of the peer was last taken */
	uint64_t auth_failures, replays, malformed, ignored;
};

/* How a leg speaks and hears. */
struct leg_format {
	enum media_codec codec;
	uint32_t clock, event_clock;
	uint8_t codec_pt, event_pt, cn_pt; /* the last two RTP_NO_TYPE: none */
	unsigned ptime_ms;
};

/* Begins both halves and RTCP; core has its codec, ops, arg and SRTP.  What is heard goes to
 * heard_ops with heard_arg.  Returns 0, -EIO or -ENOMEM; leg_core_done() is due in any case. */
int leg_core_start(struct leg_core *core, const struct leg_format *format, uint32_t ssrc,
		   const struct leg_ops *heard_ops, void *heard_arg, int64_t now_ms);
/* Another format, perhaps another codec: numbers and statistics go on. */
void leg_core_change(struct leg_core *core, const struct leg_format *format, int64_t now_ms);
/* Frees what core owns. */
void leg_core_done(struct leg_core *core);

/* Counts what became of a packet: -EACCES, -EALREADY (a replay), -ENOMSG, other errors, or 0, which
 * counts as nothing.  Returns err. */
int leg_core_count(struct leg_core *core, int err);

/* Every LEG_TICK_MS: a digit's packet, the filling of holes, the report that is due. */
void leg_core_tick(struct leg_core *core, int64_t now_ms);

/* All but strangers, which only a plain leg knows. */
void leg_core_stats(const struct leg_core *core, struct leg_stats *stats_out);

#endif
