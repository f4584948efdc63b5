/* plain_leg.h - the PBX side of a call: RTP with G.711 and telephone events.
 *
 * The peer is where its SDP says.  At most its port is learned, once, from the
 * first good packet that comes from that address within PLAIN_LEARN_MS of the SDP (or, where both
 * are loopback addresses, from any loopback address: phones bound to all addresses send from
 * 127.0.0.1); then the leg is locked, and packets from elsewhere are counted as
 * strangers and dropped.  A new SDP unlocks it; where that moves the peer, what still comes from
 * where it was is heard for PLAIN_LATE_MS and teaches nothing.  What is sent never stops, hold
 * apart: silence of the other side is filled before it comes here.
 *
 * With keys (RFC 4568) it is SRTP and SRTCP, both ways: then only a packet that authenticates
 * teaches anything.  Rollover counters survive a new SDP with the same keys; a context
 * is made once for a key and never again.
 *
 * Threads: one leg, one thread.  Nothing is allocated after plain_leg_new and
 * plain_leg_set.
 */
#ifndef MEDIA_PLAIN_LEG_H
#define MEDIA_PLAIN_LEG_H

#include "base/net.h"
#include "media/leg.h"
#include "media/srtp.h"

struct plain_leg;

/* From then on only the announced port will do: who has been silent for so long may be
 * anybody who has found the port since. */
enum { PLAIN_LEARN_MS = 10000 };

/* A PBX leaves its old port when it has our answer: a way there and back, and a resent 200. */
enum { PLAIN_LATE_MS = 2000 };

enum plain_dtmf {
	PLAIN_DTMF_EVENTS, /* RFC 4733; tones where event_pt is 0 */
	PLAIN_DTMF_TONES,  /* in the audio, both ways */
	PLAIN_DTMF_NONE,   /* not sent to the PBX (SIP INFO does it); events are heard */
};

/* From the PBX's SDP. */
struct plain_leg_config {
	struct net_addr remote;      /* RTP */
	struct net_addr remote_rtcp; /* a=rtcp (RFC 3605); len 0: the RTP address, port + 1 */
	enum media_codec codec;      /* MEDIA_PCMU or MEDIA_PCMA */
	uint8_t codec_pt;
	uint8_t event_pt;  /* of telephone-event/8000; 0: none */
	uint8_t cn_pt;     /* 0: 13 */
	unsigned ptime_ms; /* 10 to 60, a multiple of 10; 0: 20; others: the nearest below */
	enum plain_dtmf dtmf;
	bool no_send;           /* hold: nothing is sent */
	enum srtp_profile srtp; /* SRTP_NONE: in clear */
	struct srtp_key own_key, peer_key;
};

/* Returns 0, -EINVAL, -ENOMEM or -EIO. */
int plain_leg_new(const struct plain_leg_config *config, const struct leg_ops *ops, void *arg,
		  int64_t now_ms, struct plain_leg **leg_out);
/* Frees *legp and sets it to NULL; *legp may be NULL.  Sends nothing more. */
void plain_leg_free(struct plain_leg **legp);

/* A new SDP: may change everything, keeps SSRC, sequence, timestamp and counters.
 * Returns 0, -EINVAL or -ENOMEM; the leg is unchanged then. */
int plain_leg_set(struct plain_leg *leg, const struct plain_leg_config *config, int64_t now_ms);

/* A packet that came from source to the RTP or the RTCP port (RTCP on the RTP
 * port is understood as well).  Returns 0, -EACCES (a stranger, or no
 * authentication), -EBADMSG, -ENOTSUP (a payload type that was not agreed), -ENOMSG (RTCP
 * without a report) or -EALREADY; all are counted. */
int plain_leg_receive(struct plain_leg *leg, struct slice packet, const struct net_addr *source,
		      int64_t now_ms);

/* Every LEG_TICK_MS. */
void plain_leg_tick(struct plain_leg *leg, int64_t now_ms);

/* As secure_leg.h has them. */
void plain_leg_send_audio(struct plain_leg *leg, const int16_t *pcm, size_t n);
/* As RTP events or as tones in the audio, as the configuration says. */
int plain_leg_send_digit(struct plain_leg *leg, char digit, unsigned duration_ms);
/* A tone is played from the start on, with a length of its own. */
int plain_leg_pass_digit(struct plain_leg *leg, const struct dtmf_event *event);
/* When the peer was last heard, in the now_ms of its packets. */
int64_t plain_leg_heard_ms(const struct plain_leg *leg);
/* Counters since the leg was made. */
void plain_leg_stats(const struct plain_leg *leg, struct leg_stats *stats_out);

/* Where packets go now. */
const struct net_addr *plain_leg_remote(const struct plain_leg *leg);
/* The same for RTCP. */
const struct net_addr *plain_leg_remote_rtcp(const struct plain_leg *leg);

#endif
