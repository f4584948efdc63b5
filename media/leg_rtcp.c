/* leg_rtcp.c - when a report is due, what it says, and what is learned from the
 * peer's. */
#include "media/leg_rtcp.h"

#include <errno.h>

#include <openssl/rand.h>

#include "base/encode.h"

/* The CNAME is random (RFC 7022 4.2): it says nothing of the host, and nothing of another call. */
int leg_rtcp_init(struct leg_rtcp *rtcp, int64_t now_ms)
{
	uint8_t random[6];
	char text[BASE64_TEXT_SIZE(sizeof(random))];

	if (RAND_bytes(random, sizeof(random)) != 1)
		return -EIO;
	*rtcp = (struct leg_rtcp){ .next_ms = now_ms + LEG_RTCP_FIRST_MS };
	base64_encode(BASE64_URL, slice_of(random, sizeof(random)), text);
	memcpy(rtcp->cname, text, sizeof(rtcp->cname));
	return 0;
}

/* Time since some start as NTP writes it: RFC 3550 6.4.1 allows that. */
static uint64_t ntp_time(int64_t now_ms)
{
	uint64_t s = (uint64_t)now_ms / 1000, ms = (uint64_t)now_ms % 1000;

	return s << 32 | (ms << 32) / 1000;
}

size_t leg_rtcp_tick(struct leg_rtcp *rtcp, const struct rtp_sender *sender,
		     struct rtp_source *source, int64_t now_ms, uint8_t *out, size_t cap)
{
	struct rtcp_report report = { .ssrc = sender->ssrc };

	if (now_ms < rtcp->next_ms)
		return 0;
	rtcp->next_ms = now_ms + LEG_RTCP_INTERVAL_MS;
	/* RFC 3550 6.2's least interval, without its random part: that keeps the reports of many
	 * members apart, and here there are two.  Who has sent nothing makes a receiver report
	 * (RFC 3550 6.4). */
	report.is_sender = sender->packets > 0;
	if (report.is_sender) {
		report.ntp = ntp_time(now_ms);
		report.rtp_timestamp = rtp_sender_timestamp(sender);
		report.packets = (uint32_t)sender->packets;
		report.octets = (uint32_t)sender->octets;
	}
	report.has_block = source->started;
	if (report.has_block)
		report.block = rtp_source_block(source, now_ms);
	return rtcp_build(&report, slice_of(rtcp->cname, sizeof(rtcp->cname)), out, cap);
}

int leg_rtcp_receive(struct leg_rtcp *rtcp, struct slice packet, const struct rtp_sender *sender,
		     struct rtp_source *source, int64_t now_ms)
{
	struct rtcp_report report;
	uint64_t clock = codec_clock(sender->config.kind);
	int err = rtcp_parse(packet, sender->ssrc, &report);

	if (err)
		return err;
	rtp_source_report(source, &report, now_ms);
	if (report.has_block) {
		rtcp->peer_lost = report.block.lost < 0 ? 0 : (uint32_t)report.block.lost;
		/* The encoder's idea of the loss rises with a bad report at once and halves
		 * with each good one: correction that is switched off between two bursts misses
		 * the second. */
		rtcp->loss_percent /= 2;
		if (report.block.fraction_lost * 100u / 255 > rtcp->loss_percent)
			rtcp->loss_percent = report.block.fraction_lost * 100u / 255;
		rtcp->peer_jitter_us = (uint32_t)(report.block.jitter * 1000000ull / clock);
	}
	return 0;
}
