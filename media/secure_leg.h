/* secure_leg.h - the secure side of a call: SRTP through the rendezvous's relay.
 *
 * Used by the gateway's relay and by the reference caller.  Bytes, PCM and time
 * go in; packets, PCM and digits come out through leg_ops.  All packets go to
 * and come from one address, the relay's, RTCP on the same port (RFC 5761);
 * sockets are the owner's.  Every leg owns SSRC, sequence and timestamp of what
 * it sends, continuous whatever its input does.
 *
 * Threads: one leg, one thread.  Nothing is allocated after secure_leg_new.
 */
#ifndef MEDIA_SECURE_LEG_H
#define MEDIA_SECURE_LEG_H

#include "media/leg.h"
#include "media/srtp.h"
#include "media/stun.h"

struct secure_leg;

struct secure_leg_config {
	uint32_t own_ssrc, peer_ssrc; /* as the rendezvous gave them; not 0, not equal */
	enum srtp_profile profile;
	struct srtp_key own_key;  /* for what we send */
	struct srtp_key peer_key; /* for what we hear */
	enum media_codec codec;
	uint8_t codec_pt;     /* RTP payload type of the codec, 0 to 127 */
	uint8_t event_pt;     /* of telephone-event; 0: not negotiated */
	uint32_t event_clock; /* 8,000 or 48,000; ignored where event_pt is 0 */
	unsigned ptime_ms;    /* of what we send: 10, 20, 40 or 60; 0: 20 */
	struct slice leg_id;  /* STUN USERNAME, 1 to 64 octets, copied */
	struct slice leg_key; /* 1 to 64 octets, copied */
};

/* The keys in config are copied into the SRTP contexts; wipe config afterwards.
 * A key pair must be used for one leg only, ever (see srtp.h).
 * Returns 0, -EINVAL (a field out of its range), -ENOMEM or -EIO. */
int secure_leg_new(const struct secure_leg_config *config, const struct leg_ops *ops, void *arg,
		   int64_t now_ms, struct secure_leg **leg_out);

/* Wipes the keys. */
void secure_leg_free(struct secure_leg **legp);

/* Takes one packet that came from the relay's address: STUN, SRTP or SRTCP.  It
 * is decrypted in place.  Returns 0, or why it was dropped (it is counted):
 * -EBADMSG, -EACCES, -EALREADY, as srtp.h, stun.h and rtcp_parse(). */
int secure_leg_receive(struct secure_leg *leg, uint8_t *packet, size_t n, int64_t now_ms);

/* To be called every LEG_TICK_MS: binds and refreshes at the relay, fills
 * silence, sends digits and RTCP. */
void secure_leg_tick(struct secure_leg *leg, int64_t now_ms);

/* Sends n samples, 8 kHz; n is free, packets leave when a ptime is full.  Audio
 * given while a digit is sent is dropped (its time passes nevertheless). */
void secure_leg_send_audio(struct secure_leg *leg, const int16_t *pcm, size_t n);

/* Queues a digit (dtmf.h).  Returns 0, -EINVAL, -ENOBUFS, or -ENOTSUP where
 * telephone events were not negotiated. */
int secure_leg_send_digit(struct secure_leg *leg, char digit, unsigned duration_ms);

/* Passes on a digit as it happens elsewhere: start, then end. */
int secure_leg_pass_digit(struct secure_leg *leg, const struct dtmf_event *event);

/* Has every queued digit been sent? */
bool secure_leg_digits_sent(const struct secure_leg *leg);

/* How much work encoding may be: Opus complexity, 0 to 10; 5 at first. */
void secure_leg_set_complexity(struct secure_leg *leg, int complexity);

/* The own network changed: bind again at once. */
void secure_leg_rebind(struct secure_leg *leg, int64_t now_ms);

/* Has the relay bound us? */
bool secure_leg_bound(const struct secure_leg *leg);

/* When the last authenticated RTP or RTCP packet came (now_ms of secure_leg_new
 * before the first one). */
int64_t secure_leg_heard_ms(const struct secure_leg *leg);

/* Counters since the leg was made. */
void secure_leg_stats(const struct secure_leg *leg, struct leg_stats *stats_out);

#endif
