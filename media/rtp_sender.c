/* rtp_sender.c - frames of one ptime out of audio of any length, numbered without a
 * jump. */
#include "media/rtp_sender.h"

#include <errno.h>

#include <openssl/rand.h>

#include "media/rtp_receiver.h"

/* In samples: without audio for that long, time passes by itself. */
enum { TICK = LEG_TICK_MS * MEDIA_SAMPLES_PER_MS, IDLE = 10 * TICK };

int rtp_sender_init(struct rtp_sender *s, const struct rtp_sender_config *config, uint32_t ssrc,
		    rtp_sender_fn emit, void *arg)
{
	uint8_t random[6];

	if (RAND_bytes(random, sizeof(random)) != 1)
		return -EIO;
	*s = (struct rtp_sender){ .ssrc = ssrc, .gap = true, .emit = emit, .arg = arg };
	/* Both begin at random (RFC 3550 5.1).  The sequence begins in the lower half, so that
	 * SRTP's receiver sees no roll-over before it has seen a packet (RFC 3711 3.3.1). */
	s->seq = (uint16_t)((random[0] & 0x7f) << 8 | random[1]);
	memcpy(&s->offset, random + 2, sizeof(s->offset));
	s->config = *config;
	dtmf_sender_init(&s->dtmf, config->event_clock);
	return 0;
}

/* The clock may be another one (Opus has 48 kHz, G.711 8 kHz), the timestamp goes on from where
 * it was: the receiver knows one SSRC and one sequence. */
void rtp_sender_change(struct rtp_sender *s, const struct rtp_sender_config *config)
{
	uint32_t now = rtp_sender_timestamp(s);

	if (config->kind != s->config.kind)
		s->gap = true;
	s->config = *config;
	s->offset += now - rtp_sender_timestamp(s);
	s->dtmf.clock = config->event_clock;
}

static uint32_t timestamp_at(const struct rtp_sender *s, uint32_t clock)
{
	return s->offset + (uint32_t)(s->samples * (clock / MEDIA_RATE));
}

uint32_t rtp_sender_timestamp(const struct rtp_sender *s)
{
	return timestamp_at(s, codec_clock(s->config.kind));
}

/* packet has its payload of n octets behind the header's room already.  The sequence number is
 * used up even where the packet is not sealed or sent: SRTP must never see it twice. */
static void emit(struct rtp_sender *s, struct rtp *rtp, uint8_t *packet, size_t n, size_t cap)
{
	rtp->seq = s->seq++;
	rtp->ssrc = s->ssrc;
	rtp_write_header(rtp, packet);
	s->packets++;
	s->octets += n;
	s->emit(s->arg, packet, RTP_HEADER_SIZE + n, cap);
}

/* The packet has the time of its first sample (RFC 3550 5.1), so the timestamp is taken before
 * the frame's time passes. */
static void send_frame(struct rtp_sender *s)
{
	uint8_t packet[RTP_HEADER_SIZE + MEDIA_MAX_PAYLOAD + RTP_SENDER_TRAILER];
	struct rtp rtp = { .payload_type = s->config.codec_pt,
			   .marker = s->gap,
			   .timestamp = rtp_sender_timestamp(s) };
	int n;

	s->samples += s->config.frame;
	/* Time passes whether or not anything is sent: a receiver tells a pause from a loss by
	 * the timestamp. */
	s->idle = 0;
	if (s->mute || dtmf_sender_busy(&s->dtmf)) {
		s->gap = true;
		return;
	}
	n = codec_encode(s->config.codec, s->fifo, s->config.frame, packet + RTP_HEADER_SIZE,
			 MEDIA_MAX_PAYLOAD);
	if (n <= 0) {
		s->gap = true;
		return;
	}
	s->gap = false;
	emit(s, &rtp, packet, (size_t)n, sizeof(packet));
}

void rtp_sender_audio(struct rtp_sender *s, const int16_t *pcm, size_t n)
{
	while (n > 0) {
		size_t room = s->config.frame > s->n ? s->config.frame - s->n : 0;
		size_t part = n < room ? n : room;

		memcpy(s->fifo + s->n, pcm, part * sizeof(*pcm));
		s->n += part;
		pcm += part;
		n -= part;
		if (s->n < s->config.frame)
			return;
		send_frame(s);
		s->n -= s->config.frame; /* a shorter ptime may have left more than a frame */
		memmove(s->fifo, s->fifo + s->config.frame, s->n * sizeof(*pcm));
	}
}

/* Nobody gives us audio any more: from IDLE on, time passes by the tick. */
static void pass_time(struct rtp_sender *s)
{
	s->idle += TICK;
	if (s->idle < IDLE)
		return;
	/* At first all the time that was waited for, from then on tick by tick. */
	s->samples += s->idle == IDLE ? IDLE : TICK;
	s->gap = true;
}

void rtp_sender_tick(struct rtp_sender *s)
{
	uint8_t packet[RTP_HEADER_SIZE + DTMF_PAYLOAD_SIZE + RTP_SENDER_TRAILER];
	struct dtmf_packet event;
	struct rtp rtp;

	pass_time(s);
	/* Asked before mute is looked at: a digit that is due during hold is used up, not kept
	 * for later. */
	if (s->config.event_pt == RTP_NO_TYPE ||
	    !dtmf_sender_next(&s->dtmf, timestamp_at(s, s->config.event_clock), &event) || s->mute)
		return;
	rtp = (struct rtp){ .payload_type = s->config.event_pt,
			    .marker = event.marker,
			    .timestamp = event.timestamp };
	memcpy(packet + RTP_HEADER_SIZE, event.payload, sizeof(event.payload));
	emit(s, &rtp, packet, sizeof(event.payload), sizeof(packet));
}
