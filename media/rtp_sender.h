/* rtp_sender.h - the speaking half of a leg: PCM and digits in, RTP packets out.
 *
 * A FIFO makes frames of one ptime out of PCM of any length.  SSRC, sequence and
 * timestamp are the sender's own and continuous: time that is not sent (a digit
 * instead, hold, an owner who is silent) still passes in the timestamp, and the
 * marker follows it.
 */
#ifndef MEDIA_RTP_SENDER_H
#define MEDIA_RTP_SENDER_H

#include "media/dtmf.h"
#include "media/leg.h"
#include "media/rtp.h"

enum { RTP_SENDER_TRAILER = 32 }; /* room behind each packet, for SRTP */

/* Takes a packet of n octets; cap octets are there to be used. */
typedef void (*rtp_sender_fn)(void *arg, uint8_t *packet, size_t n, size_t cap);

struct rtp_sender_config {
	struct codec *codec; /* not owned */
	enum media_codec kind;
	uint8_t codec_pt, event_pt; /* event_pt RTP_NO_TYPE: none */
	uint32_t event_clock;
	size_t frame; /* samples a packet */
};

struct rtp_sender {
	struct rtp_sender_config config;
	uint32_t ssrc;
	uint16_t seq;
	uint32_t offset;  /* of all timestamps */
	uint64_t samples; /* of the frames so far */
	size_t idle;      /* samples of time since the last frame */
	bool mute;        /* hold: nothing is sent */
	bool gap;         /* the next audio packet gets the marker */
	struct dtmf_sender dtmf;
	size_t n; /* samples in fifo */
	int16_t fifo[MEDIA_MAX_FRAME];
	rtp_sender_fn emit;
	void *arg;
	uint64_t packets, octets;
};

/* Takes seq and timestamp offset at random (the first below 2^15, so that an SRTP
 * receiver cannot miss the first rollover).  Returns 0 or -EIO. */
int rtp_sender_init(struct rtp_sender *s, const struct rtp_sender_config *config, uint32_t ssrc,
		    rtp_sender_fn emit, void *arg);

/* Codec, payload types or ptime changed; numbers go on, waiting samples too. */
void rtp_sender_change(struct rtp_sender *s, const struct rtp_sender_config *config);

/* Takes n samples at 8 kHz; a packet leaves with each full frame. */
void rtp_sender_audio(struct rtp_sender *s, const int16_t *pcm, size_t n);

/* Every LEG_TICK_MS: sends the packet of a digit that is due. */
void rtp_sender_tick(struct rtp_sender *s);

/* The timestamp of the next frame. */
uint32_t rtp_sender_timestamp(const struct rtp_sender *s);

#endif
