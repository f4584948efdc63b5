/* rtp_source.h - what a receiver counts about one stream (RFC 3550 A.1, A.3, A.8). */
#ifndef MEDIA_RTP_SOURCE_H
#define MEDIA_RTP_SOURCE_H

#include "media/rtp.h"

struct rtp_source {
	bool started;
	uint32_t ssrc, clock; /* clock in Hz */
	uint16_t newest;
	bool suspicious;        /* the last packet was far out of sequence, */
	uint16_t suspect;       /* and this number would go on with it */
	uint32_t cycles, first; /* sequence numbers; cycles counts in 65,536s */
	uint64_t received;
	uint64_t expected_before, received_before; /* at the last report */
	uint64_t lost_earlier, received_earlier;   /* in earlier sequences */
	int64_t transit;                           /* of the last packet, clock units */
	uint32_t jitter16;                         /* jitter in clock units, times 16 */
	uint32_t last_sr; /* middle 32 bits of the last SR's NTP time; 0: none */
	int64_t last_sr_ms;
};

/* clock_hz: of the timestamps. */
void rtp_source_init(struct rtp_source *source, uint32_t clock_hz);

/* Counts a packet; a new SSRC starts afresh, and so do two packets in sequence that are far from
 * the rest (RFC 3550 A.1): a sender that was restarted has lost nothing.  timed: its timestamp
 * tells when it was sent (an event's does not). */
void rtp_source_packet(struct rtp_source *source, const struct rtp *rtp, bool timed,
		       int64_t now_ms);

/* Remembers a sender report, for the round trip of the other side. */
void rtp_source_report(struct rtp_source *source, const struct rtcp_report *report, int64_t now_ms);

/* The block for the next report; the interval for fraction_lost starts anew. */
struct rtcp_block rtp_source_block(struct rtp_source *source, int64_t now_ms);

/* Packets that came, over all SSRCs. */
uint64_t rtp_source_received(const struct rtp_source *source);

/* Packets that were never seen, over all SSRCs; late ones are not lost. */
uint64_t rtp_source_lost(const struct rtp_source *source);
/* Interarrival jitter (RFC 3550 6.4.1) in microseconds. */
uint32_t rtp_source_jitter_us(const struct rtp_source *source);

#endif
