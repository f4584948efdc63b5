/* leg_rtcp.h - the RTCP of a leg: a report every 5 s, and what the peer reports. */
#ifndef MEDIA_LEG_RTCP_H
#define MEDIA_LEG_RTCP_H

#include "media/rtp_sender.h"
#include "media/rtp_source.h"

enum { LEG_RTCP_INTERVAL_MS = 5000, LEG_RTCP_FIRST_MS = 1000, LEG_RTCP_CNAME = 8 };

struct leg_rtcp {
	int64_t next_ms;
	uint8_t cname[LEG_RTCP_CNAME]; /* random text (RFC 7022 4.2) */
	uint32_t peer_lost, peer_jitter_us;
	unsigned loss_percent; /* of what we send: rises at once, falls by half a report */
};

/* Returns 0 or -EIO. */
int leg_rtcp_init(struct leg_rtcp *rtcp, int64_t now_ms);

/* Writes the report that is due.  Returns its octets, or 0 when none is. */
size_t leg_rtcp_tick(struct leg_rtcp *rtcp, const struct rtp_sender *sender,
		     struct rtp_source *source, int64_t now_ms, uint8_t *out, size_t cap);

/* Takes a compound packet.  Returns as rtcp_parse(). */
int leg_rtcp_receive(struct leg_rtcp *rtcp, struct slice packet, const struct rtp_sender *sender,
		     struct rtp_source *source, int64_t now_ms);

#endif
