/* rtp.c - RTP headers and RTCP reports (RFC 3550) between octets and structs; nothing
 * is remembered. */
#include "media/rtp.h"

#include <errno.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "media/stun.h"

enum {
	VERSION = 2,
	RTCP_FIRST = 192, /* RFC 5761 4: packet types 192 to 223 are RTCP */
	RTCP_LAST = 223,
	RTCP_SR = 200,
	RTCP_RR = 201,
	RTCP_SDES = 202,
	RTCP_BYE = 203,
	SDES_CNAME = 1,
};

/* What shares a port is told apart by its first octets (RFC 7983 7, RFC 5761 4). */
enum packet_kind packet_kind(struct slice packet)
{
	if (stun_is(packet))
		return PACKET_STUN;
	if (packet.n < 8 || packet.p[0] >> 6 != VERSION)
		return PACKET_UNKNOWN;
	if (packet.p[1] >= RTCP_FIRST && packet.p[1] <= RTCP_LAST)
		return PACKET_RTCP;
	return packet.n >= RTP_HEADER_SIZE ? PACKET_RTP : PACKET_UNKNOWN;
}

uint32_t packet_ssrc(struct slice packet)
{
	enum packet_kind kind = packet_kind(packet);
	/* RTP has it behind sequence number and timestamp, RTCP behind its first word. */
	struct cursor c = cursor_of(slice_from(packet, kind == PACKET_RTCP ? 4 : 8));

	if (kind == PACKET_STUN)
		return stun_packet_ssrc(packet);
	return kind == PACKET_UNKNOWN ? 0 : cursor_u32(&c);
}

/* RFC 3550 5.1: twelve octets, four a contributing source, and an extension whose length counts
 * 32-bit words.  Each length is checked before what it promises is looked at. */
size_t rtp_header_size(struct slice packet)
{
	size_t n = RTP_HEADER_SIZE;

	if (packet.n < n || packet.p[0] >> 6 != VERSION)
		return 0;
	n += 4 * (size_t)(packet.p[0] & 0x0f);
	if (packet.p[0] & 0x10) {
		if (packet.n < n + 4)
			return 0;
		n += 4 + 4 * (size_t)(packet.p[n + 2] << 8 | packet.p[n + 3]);
	}
	return packet.n < n ? 0 : n;
}

int rtp_parse(struct slice packet, struct rtp *rtp_out)
{
	size_t header_len = rtp_header_size(packet), padding = 0;
	struct cursor c = cursor_of(packet);
	uint8_t first = cursor_u8(&c);
	uint8_t second = cursor_u8(&c);

	if (header_len == 0)
		return -EBADMSG;
	/* The last octet counts the padding, and itself (RFC 3550 5.1): none, or more than
	 * there is, is nonsense. */
	if (first & 0x20) {
		padding = packet.p[packet.n - 1];
		if (padding == 0 || padding > packet.n - header_len)
			return -EBADMSG;
	}
	rtp_out->payload_type = second & 0x7f;
	rtp_out->marker = second >> 7;
	rtp_out->seq = cursor_u16(&c);
	rtp_out->timestamp = cursor_u32(&c);
	rtp_out->ssrc = cursor_u32(&c);
	rtp_out->header_len = header_len;
	rtp_out->payload = slice_of(packet.p + header_len, packet.n - header_len - padding);
	return 0;
}

void rtp_write_header(const struct rtp *rtp, uint8_t out[RTP_HEADER_SIZE])
{
	out[0] = VERSION << 6;
	out[1] = (uint8_t)(rtp->marker << 7 | rtp->payload_type);
	out[2] = (uint8_t)(rtp->seq >> 8);
	out[3] = (uint8_t)rtp->seq;
	for (int i = 0; i < 4; i++) {
		out[4 + i] = (uint8_t)(rtp->timestamp >> (24 - 8 * i));
		out[8 + i] = (uint8_t)(rtp->ssrc >> (24 - 8 * i));
	}
}

/* Its length counts 32-bit words less one (RFC 3550 6.4.1). */
static void put_rtcp_header(struct buf *b, unsigned count, unsigned type, size_t octets)
{
	buf_put_u8(b, (uint8_t)(VERSION << 6 | count));
	buf_put_u8(b, (uint8_t)type);
	buf_put_u16(b, (uint16_t)(octets / 4 - 1));
}

/* RFC 3550 6.4.1: fraction and count of the lost share a word, 8 and 24 bits. */
static void put_block(struct buf *b, const struct rtcp_block *block)
{
	buf_put_u32(b, block->ssrc);
	buf_put_u32(b, (uint32_t)block->fraction_lost << 24 | ((uint32_t)block->lost & 0xffffff));
	buf_put_u32(b, block->highest_seq);
	buf_put_u32(b, block->jitter);
	buf_put_u32(b, block->last_sr);
	buf_put_u32(b, block->delay_since_sr);
}

/* SDES items end with at least one zero octet, the chunk at a multiple of four. */
static void put_cname(struct buf *b, uint32_t ssrc, struct slice cname)
{
	static const uint8_t zeros[4];
	size_t item = 2 + cname.n, chunk = (4 + item + 4) / 4 * 4;

	put_rtcp_header(b, 1, RTCP_SDES, 4 + chunk);
	buf_put_u32(b, ssrc);
	buf_put_u8(b, SDES_CNAME);
	buf_put_u8(b, (uint8_t)cname.n);
	buf_put_slice(b, cname);
	buf_put(b, zeros, chunk - 4 - item);
}

size_t rtcp_build(const struct rtcp_report *report, struct slice cname, uint8_t *out, size_t cap)
{
	/* One octet more than any report has, so that too much is seen as overflow and never
	 * cut. */
	uint8_t packet[RTCP_MAX_REPORT + 1];
	struct buf b = BUF_OF(packet);
	size_t octets = 8u + (report->is_sender ? 20 : 0) + (report->has_block ? 24 : 0);

	if (cname.n == 0 || cname.n > 16)
		return 0;
	put_rtcp_header(&b, report->has_block, report->is_sender ? RTCP_SR : RTCP_RR, octets);
	buf_put_u32(&b, report->ssrc);
	if (report->is_sender) {
		buf_put_u64(&b, report->ntp);
		buf_put_u32(&b, report->rtp_timestamp);
		buf_put_u32(&b, report->packets);
		buf_put_u32(&b, report->octets);
	}
	if (report->has_block)
		put_block(&b, &report->block);
	put_cname(&b, report->ssrc, cname);
	if (!buf_ok(&b) || b.len > cap)
		return 0;
	memcpy(out, packet, b.len);
	return b.len;
}

static struct rtcp_block take_block(struct cursor *c)
{
	struct rtcp_block block;
	uint32_t lost;

	block.ssrc = cursor_u32(c);
	block.fraction_lost = cursor_u8(c);
	lost = (uint32_t)cursor_uint(c, 3);
	/* 24 bits with a sign: duplicates make it negative. */
	block.lost = (int32_t)(lost << 8) >> 8;
	block.highest_seq = cursor_u32(c);
	block.jitter = cursor_u32(c);
	block.last_sr = cursor_u32(c);
	block.delay_since_sr = cursor_u32(c);
	return block;
}

/* c ends with this part: a count that promises more blocks than there are does not reach into the
 * next. */
static int parse_report(struct cursor *c, unsigned type, unsigned count, uint32_t own_ssrc,
			struct rtcp_report *r)
{
	r->ssrc = cursor_u32(c);
	r->is_sender = type == RTCP_SR;
	if (r->is_sender) {
		r->ntp = cursor_u64(c);
		r->rtp_timestamp = cursor_u32(c);
		r->packets = cursor_u32(c);
		r->octets = cursor_u32(c);
	}
	for (unsigned i = 0; i < count; i++) {
		struct rtcp_block block = take_block(c);

		/* A conference reports on all of its sources; only ours is of interest. */
		if (cursor_ok(c) && block.ssrc == own_ssrc && !r->has_block) {
			r->has_block = true;
			r->block = block;
		}
	}
	return cursor_ok(c) ? 0 : -EBADMSG;
}

/* A compound packet (RFC 3550 6.1): each part says how long it is, types that are not known are
 * stepped over.  A report has to be among them; the first one counts. */
int rtcp_parse(struct slice packet, uint32_t own_ssrc, struct rtcp_report *report_out)
{
	struct cursor c = cursor_of(packet);
	struct rtcp_report r = { 0 };
	bool seen = false;

	while (cursor_ok(&c) && c.left > 0) {
		uint8_t first = cursor_u8(&c);
		uint8_t type = cursor_u8(&c);
		size_t octets = 4 * (size_t)cursor_u16(&c);
		struct cursor body = cursor_of(cursor_take(&c, octets));

		if (!cursor_ok(&c) || first >> 6 != VERSION)
			return -EBADMSG;
		if (!seen && (type == RTCP_SR || type == RTCP_RR)) {
			if (parse_report(&body, type, first & 0x1f, own_ssrc, &r))
				return -EBADMSG;
			seen = true;
		} else if (type == RTCP_BYE) {
			r.bye = true;
		} else if (type < RTCP_FIRST || type > RTCP_LAST) {
			return -EBADMSG;
		}
	}
	if (!cursor_ok(&c) || packet.n == 0)
		return -EBADMSG;
	/* RFC 3550 6.1 wants a report first, RFC 5506 does not: baresip opens a NAT's way by an APP
	 * that stands alone. */
	if (!seen)
		return -ENOMSG;
	*report_out = r;
	return 0;
}
