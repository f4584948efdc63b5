/* rtp.h - RTP headers and the RTCP reports we make and read (RFC 3550).
 *
 * Pure parsing and building; who counts what is in rtp_source.h.
 */
#ifndef MEDIA_RTP_H
#define MEDIA_RTP_H

#include "base/slice.h"

enum { RTP_HEADER_SIZE = 12, RTP_MAX_HEADER = 12 + 15 * 4 };

struct rtp {
	uint8_t payload_type; /* 0 to 127 */
	bool marker;
	uint16_t seq;
	uint32_t timestamp, ssrc;
	size_t header_len;    /* octets before the payload: CSRCs and extension, too */
	struct slice payload; /* in the packet, without padding */
};

enum packet_kind { PACKET_UNKNOWN, PACKET_STUN, PACKET_RTP, PACKET_RTCP };

/* What a packet on a port of ours is, by its first octets (RFC 7983, RFC 5761). */
enum packet_kind packet_kind(struct slice packet);

/* The SSRC of which a packet speaks, as its kind has it: RTP and RTCP, the
 * sender's; STUN, the end of the transaction id.  0 for others. */
uint32_t packet_ssrc(struct slice packet);

/* Octets of the header of an RTP packet that may be encrypted: CSRCs and
 * extension are counted, payload and padding are not looked at.  Returns 0 when
 * packet is no RTP or is shorter than its header says. */
size_t rtp_header_size(struct slice packet);

/* Returns 0 or -EBADMSG. */
int rtp_parse(struct slice packet, struct rtp *rtp_out);

/* Writes the 12 octets of a header without CSRCs and extension; header_len and
 * payload are not looked at. */
void rtp_write_header(const struct rtp *rtp, uint8_t out[RTP_HEADER_SIZE]);

/* One report block (RFC 3550 6.4.1). */
struct rtcp_block {
	uint32_t ssrc; /* whose stream it is about */
	uint8_t fraction_lost;
	int32_t lost; /* cumulative, 24 bits signed */
	uint32_t highest_seq, jitter, last_sr, delay_since_sr;
};

struct rtcp_report {
	uint32_t ssrc;  /* of the sender of the report */
	bool is_sender; /* the five fields below are there */
	uint64_t ntp;
	uint32_t rtp_timestamp, packets, octets;
	bool has_block;
	struct rtcp_block block;
	bool bye; /* parsing only */
};

enum { RTCP_MAX_REPORT = 28 + 24 + 8 + 2 + 16 + 4 };

/* Writes a compound packet: SR or RR with at most one block, and SDES with a
 * CNAME (1 to 16 octets, RFC 7022).  Returns its octets or 0 when it does not fit. */
size_t rtcp_build(const struct rtcp_report *report, struct slice cname, uint8_t *out, size_t cap);

/* Reads a compound packet: the first report, and of its blocks the one about
 * own_ssrc.  Other packet types are passed over.  Returns 0, -ENOMSG (no report, and
 * nothing wrong) or -EBADMSG. */
int rtcp_parse(struct slice packet, uint32_t own_ssrc, struct rtcp_report *report_out);

#endif
