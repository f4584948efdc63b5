/* fuzz_rtp.c - RTP, RTCP and telephone events from a PBX, packet after packet.
 *
 * Input: packets, each behind an octet of flags (bit 0: later by 20 ms) and an
 * octet of length.
 */
#include <stdlib.h>

#include "base/cursor.h"
#include "media/plain_leg.h"
#include "media/rtp.h"
#include "media/srtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_send(void *arg, struct slice packet, bool rtcp)
{
	(void)arg;
	(void)rtcp;
	if (packet.n > LEG_MAX_PACKET)
		abort();
}

static void on_audio(void *arg, const int16_t *pcm, size_t n)
{
	(void)arg;
	(void)pcm;
	if (n == 0 || n > MEDIA_MAX_FRAME)
		abort();
}

static void on_digit(void *arg, const struct dtmf_event *event)
{
	(void)arg;
	if (!dtmf_is_digit(event->digit))
		abort();
}

static const struct leg_ops ops = { on_send, on_audio, on_digit };

/* No packet that was not protected by the key may be taken. */
static void try_srtp(struct slice packet)
{
	static const struct srtp_key key = { { 1 }, { 2 } };
	uint8_t copy[256];
	struct srtp *in;
	size_t n = packet.n < sizeof(copy) ? packet.n : sizeof(copy);

	if (srtp_new(SRTP_AES128_CM_SHA1_80, SRTP_RECEIVE, &key, 1, &in))
		abort();
	memcpy(copy, packet.p, n);
	if (srtp_open(in, copy, &n) == 0 || srtcp_open(in, copy, &n) == 0)
		abort();
	srtp_free(&in);
}

static void take(struct plain_leg *leg, struct slice packet, const struct net_addr *from,
		 int64_t now_ms)
{
	struct rtcp_report report;
	struct rtp rtp;

	if (rtp_parse(packet, &rtp) == 0 && rtp.header_len + rtp.payload.n > packet.n)
		abort();
	(void)rtcp_parse(packet, 1, &report);
	(void)packet_ssrc(packet);
	(void)plain_leg_receive(leg, packet, from, now_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plain_leg_config config = { .codec = MEDIA_PCMA, .codec_pt = 8, .event_pt = 101 };
	struct cursor c = cursor_of(slice_of(data, size));
	struct plain_leg *leg;
	int64_t now_ms = 1000;

	if (net_parse("192.0.2.1:4000", 0, &config.remote) ||
	    plain_leg_new(&config, &ops, NULL, now_ms, &leg))
		abort();
	try_srtp(slice_of(data, size));
	while (c.left > 0 && cursor_ok(&c)) {
		uint8_t flags = cursor_u8(&c);
		struct slice packet = cursor_take(&c, cursor_u8(&c));

		if (flags & 1)
			plain_leg_tick(leg, now_ms += 20);
		take(leg, packet, &config.remote, now_ms);
	}
	plain_leg_free(&leg);
	return 0;
}
