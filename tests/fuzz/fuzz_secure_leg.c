/* fuzz_secure_leg.c - what comes to the secure leg of a call: from the relay, from anyone
 * who writes its address, and from a caller that holds the keys and obeys no rule.
 *
 * Input: an octet that chooses codec and profile, then packets, each behind an octet that
 * says what becomes of it and an octet of length:
 *   0  handed in as it is           2  an RTCP packet, sealed under the caller's key
 *   1  an RTP packet, the same      3  answer to the leg's own binding request
 * Bit 2: 20 ms pass before it.  Bit 3: audio is sent, too.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "media/rtp.h"
#include "media/secure_leg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OWN_SSRC = 111, PEER_SSRC = 222, PACKETS = 300 };

struct scene {
	struct secure_leg *leg;
	struct srtp *peer;
	int64_t now_ms;
	uint8_t request[STUN_MAX_MESSAGE]; /* the leg's latest */
	size_t request_n;
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void on_send(void *arg, struct slice packet, bool rtcp)
{
	struct scene *s = arg;

	(void)rtcp;
	expect(packet.n <= LEG_MAX_PACKET);
	if (stun_is(packet)) {
		expect(packet.n <= sizeof(s->request));
		memcpy(s->request, packet.p, packet.n);
		s->request_n = packet.n;
	}
}

static void on_audio(void *arg, const int16_t *pcm, size_t n)
{
	(void)arg;
	(void)pcm;
	expect(n > 0 && n <= MEDIA_MAX_FRAME);
}

static void on_digit(void *arg, const struct dtmf_event *event)
{
	(void)arg;
	expect(dtmf_is_digit(event->digit));
}

static const struct leg_ops ops = { on_send, on_audio, on_digit };

static const struct slice leg_key = { (const uint8_t *)"sixteen octets k", 16 };

static void open_scene(struct scene *s, unsigned how)
{
	enum media_codec codec = how & 1 ? MEDIA_OPUS : MEDIA_PCMU;
	struct secure_leg_config config = {
		.own_ssrc = OWN_SSRC,
		.peer_ssrc = PEER_SSRC,
		.profile = how & 2 ? SRTP_AEAD_AES_128_GCM : SRTP_AES128_CM_SHA1_80,
		.own_key = { { 1 }, { 1 } },
		.peer_key = { { 2 }, { 2 } },
		.codec = codec,
		.codec_pt = codec == MEDIA_OPUS ? 96 : 0,
		.event_pt = how & 4 ? 101 : 0,
		.event_clock = how & 8 ? 48000 : 8000,
		.leg_id = slice_str("leg-0123456789ab"),
		.leg_key = leg_key,
	};

	s->now_ms = 1000;
	expect(secure_leg_new(&config, &ops, s, s->now_ms, &s->leg) == 0);
	expect(srtp_new(config.profile, SRTP_SEND, &config.peer_key, PEER_SSRC, &s->peer) == 0);
}

static void hand_sealed(struct scene *s, struct slice plain, bool rtcp)
{
	uint8_t packet[512 + SRTP_MAX_TRAILER];
	size_t n = plain.n;

	if (n < 12)
		return;
	memcpy(packet, plain.p, n);
	packet[0] = (uint8_t)(0x80 | (packet[0] & 0x3f)); /* RTP version 2 */
	packet[rtcp ? 4 : 8] = 0;
	packet[rtcp ? 5 : 9] = 0;
	packet[rtcp ? 6 : 10] = 0;
	packet[rtcp ? 7 : 11] = PEER_SSRC;
	if ((rtcp ? srtcp_seal : srtp_seal)(s->peer, packet, &n, sizeof(packet)) == 0)
		(void)secure_leg_receive(s->leg, packet, n, s->now_ms);
}

static void answer_binding(struct scene *s, unsigned how)
{
	uint8_t out[STUN_MAX_MESSAGE];
	struct stun_message m;
	struct net_addr mapped;
	size_t n;

	if (s->request_n == 0)
		return;
	expect(stun_parse(slice_of(s->request, s->request_n), &m) == 0);
	expect(net_parse("192.0.2.1:1000", 0, &mapped) == 0);
	if (how & 1)
		n = stun_build_error(m.transaction, STUN_STALE_NONCE, slice_str("noncenon"),
				     leg_key, out, sizeof(out));
	else
		n = stun_build_success(m.transaction, &mapped, leg_key, out, sizeof(out));
	(void)secure_leg_receive(s->leg, out, n, s->now_ms);
}

static void step(struct scene *s, struct cursor *c)
{
	static const int16_t silence[160];
	uint8_t how = cursor_u8(c);
	struct slice octets = cursor_take(c, cursor_u8(c));
	uint8_t packet[256];

	if (how & 4)
		secure_leg_tick(s->leg, s->now_ms += 20);
	if (how & 8)
		secure_leg_send_audio(s->leg, silence, 160);
	switch (how & 3) {
	case 0:
		if (octets.n)
			memcpy(packet, octets.p, octets.n);
		/* nobody without the key is believed */
		expect(secure_leg_receive(s->leg, packet, octets.n, s->now_ms) != 0);
		break;
	case 3:
		answer_binding(s, how >> 4);
		break;
	default:
		hand_sealed(s, octets, (how & 3) == 2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_of(slice_of(data, size));
	struct scene s = { 0 };

	open_scene(&s, cursor_u8(&c));
	for (int i = 0; i < PACKETS && c.left > 0 && cursor_ok(&c); i++)
		step(&s, &c);
	secure_leg_free(&s.leg);
	srtp_free(&s.peer);
	return 0;
}
