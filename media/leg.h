/* leg.h - what both kinds of leg have in common. */
#ifndef MEDIA_LEG_H
#define MEDIA_LEG_H

#include "media/codec.h"
#include "media/dtmf.h"

enum {
	LEG_TICK_MS = 20,      /* call *_leg_tick this often */
	LEG_MAX_PACKET = 1500, /* octets of any packet that is taken or made */
};

/* What a leg asks of its owner.  Nothing may free the leg from within. */
struct leg_ops {
	/* A packet for the peer (rtcp: for its RTCP port, where it has one); the
	 * octets are valid until this returns. */
	void (*send)(void *arg, struct slice packet, bool rtcp);
	/* n samples (1 to MEDIA_MAX_FRAME), 8 kHz, in playing order and without
	 * holes: lost and silent stretches come filled. */
	void (*audio)(void *arg, const int16_t *pcm, size_t n);
	/* A digit of the peer begins or ends. */
	void (*digit)(void *arg, const struct dtmf_event *event);
};

struct leg_stats {
	uint64_t packets_sent, octets_sent; /* RTP packets, payload octets */
	uint64_t packets_received, octets_received;
	uint64_t lost;          /* never came, of those expected */
	uint64_t late;          /* came after they had been given up, or twice */
	uint64_t concealed_ms;  /* filled by FEC or concealment */
	uint64_t auth_failures; /* SRTP, SRTCP or STUN integrity */
	uint64_t replays;       /* SRTP indexes seen before */
	uint64_t malformed;     /* not parsed */
	uint64_t ignored;       /* RTP of no agreed type or empty, RTCP without a report: no harm */
	uint64_t strangers;     /* from an address that is not the peer's */
	uint32_t jitter_us;     /* interarrival jitter, RFC 3550 6.4.1 */
	uint32_t peer_lost;     /* of what we sent, as the peer reports */
	uint32_t peer_jitter_us;
};

#endif
