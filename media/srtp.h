/* srtp.h - SRTP and SRTCP (RFC 3711; AES-256: RFC 6188; AES-GCM: RFC 7714), in place.
 *
 * A context holds one master key and one direction.  Each SSRC under it has its
 * own rollover counter and replay window; all live as long as the context.  The
 * key derivation rate is 0 and there is no MKI.
 *
 * A sender context is created once per key and never again: a second one would
 * repeat packet indexes, and with them the key stream.
 *
 * Threads: one context, one thread.
 */
#ifndef MEDIA_SRTP_H
#define MEDIA_SRTP_H

#include "base/slice.h"

enum srtp_profile { /* the numbers of RFC 5764 and RFC 7714 */
		    SRTP_NONE = 0,
		    SRTP_AES128_CM_SHA1_80 = 1,
		    SRTP_AES128_CM_SHA1_32 = 2, /* short tags of RTP; RTCP has long ones */
		    SRTP_AEAD_AES_128_GCM = 7,
		    /* of SDES alone, and so without a number there */
		    SRTP_AES256_CM_SHA1_80 = 0x100,
		    SRTP_AES256_CM_SHA1_32 = 0x101,
};

enum {
	SRTP_KEY_SIZE = 16,     /* of the profiles with AES-128 */
	SRTP_MAX_KEY = 32,      /* AES-256 */
	SRTP_MAX_SALT = 14,     /* 14 for AES-CM, 12 for GCM */
	SRTP_MAX_STREAMS = 8,   /* SSRCs per receiver context, at once */
	SRTP_MAX_TRAILER = 20,  /* room that protecting needs behind a packet */
	SRTP_MAX_PACKET = 1500, /* octets, protected */
};

struct srtp_key {
	uint8_t key[SRTP_MAX_KEY];   /* AES-128 uses the first 16 */
	uint8_t salt[SRTP_MAX_SALT]; /* GCM uses the first 12 */
};

enum srtp_direction { SRTP_SEND, SRTP_RECEIVE };

struct srtp;

/* Octets of key that a profile takes: 16, 32, or 0 for an unknown profile. */
size_t srtp_key_size(enum srtp_profile profile);

/* Octets of salt that a profile takes: 14, 12, or 0 for an unknown profile. */
size_t srtp_salt_size(enum srtp_profile profile);

/* Derives the session keys; key is not kept.  A sender knows only ssrc, a
 * receiver starts with it and takes SSRCs as they authenticate; of more than
 * SRTP_MAX_STREAMS the one that was silent longest gives way, and is refused
 * from then on (of the last 64).  Returns 0, -EINVAL (profile), -ENOMEM or -EIO (cipher). */
int srtp_new(enum srtp_profile profile, enum srtp_direction direction, const struct srtp_key *key,
	     uint32_t ssrc, struct srtp **srtp_out);

/* Wipes every key. */
void srtp_free(struct srtp **srtpp);

/* Protects the RTP packet of *np octets at packet, which has room for cap.
 * Returns 0 and the new length in *np, or -EINVAL (not RTP, another SSRC),
 * -ENOBUFS (cap), -EOVERFLOW (2^48 packets: the key is used up), -EALREADY (an
 * index that was already sent), -EIO. */
int srtp_seal(struct srtp *srtp, uint8_t *packet, size_t *np, size_t cap);

/* Checks and decrypts.  Returns 0 and the shorter length in *np, or -EBADMSG
 * (malformed), -EACCES (authentication), -EALREADY (replayed, older than the
 * window, or of an SSRC that gave way).  On failure packet is not to be used. */
int srtp_open(struct srtp *srtp, uint8_t *packet, size_t *np);

/* The same for compound RTCP packets; protecting appends index and tag. */
int srtcp_seal(struct srtp *srtp, uint8_t *packet, size_t *np, size_t cap);
/* Checks and removes index and tag. */
int srtcp_open(struct srtp *srtp, uint8_t *packet, size_t *np);

#endif
