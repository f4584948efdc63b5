/* playout.h - makes one continuous 8 kHz stream of what arrives.
 *
 * Output is driven by arrivals: a packet in order is decoded and out at once.
 * Holes are filled: lost packets by in-band FEC of the next one or by concealment
 * for up to 60 ms, then by comfort noise; a peer that rests (DTX, hold, events)
 * by the tick, in real time.  A burst behind a stall is put out as far as a
 * receiver may want it and dropped beyond that, so that delay does not pile up.
 * Design 8.
 */
#ifndef MEDIA_PLAYOUT_H
#define MEDIA_PLAYOUT_H

#include "media/codec.h"
#include "media/noise.h"

enum {
	PLAYOUT_CONCEAL_MS = 60, /* longer holes become comfort noise */
	PLAYOUT_GRACE_MS = 40,   /* how late a packet may be before its time is filled */
	PLAYOUT_AHEAD_MS = 120,  /* how far a burst may run ahead before packets are dropped */
};

typedef void (*playout_audio_fn)(void *arg, const int16_t *pcm, size_t n);

struct playout {
	struct codec *codec; /* not owned */
	uint32_t ratio;      /* RTP clock units a sample */
	playout_audio_fn audio;
	void *arg;
	struct noise noise;
	bool started;       /* expected is valid */
	bool quiet;         /* the peer said that it rests: noise at once */
	uint32_t expected;  /* timestamp of the next sample, if nothing is missing */
	size_t frame;       /* samples of the last packet */
	size_t filled;      /* samples filled since the last packet */
	uint64_t concealed; /* samples in all */
	int64_t dry_ms;     /* when what was put out is used up */
};

/* codec (borrowed) decodes; clock_hz is that of the RTP timestamps, a multiple of
 * MEDIA_RATE; audio is called with each piece of the stream. */
void playout_init(struct playout *p, struct codec *codec, uint32_t clock_hz, int64_t now_ms,
		  playout_audio_fn audio, void *arg);

/* The stream begins anew (SSRC changed): timestamps mean nothing until the next packet. */
void playout_restart(struct playout *p);

/* A packet in order; lost says that packets just before it were given up.
 * Returns 0 or -EBADMSG (not decodable; nothing was put out). */
int playout_packet(struct playout *p, uint32_t timestamp, bool lost, struct slice payload,
		   int64_t now_ms);

/* The peer rests: level is that of its CN packet in -dBov, or -1. */
void playout_rest(struct playout *p, int level);

/* Every 20 ms: fills what is due. */
void playout_tick(struct playout *p, int64_t now_ms);

#endif
