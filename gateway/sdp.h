/* sdp.h - session descriptions as the gateway needs them: one audio stream.
 *
 * Reads an offer or answer of the PBX network (RFC 8866) and writes ours (RFC
 * 3264).  The first m=audio line over RTP/AVP with a port, a numeric address and
 * G.711 is the call's, and so may be the first one whose SRTP keys stand beside it (RFC
 * 4568); all other lines are answered with port 0.  The profiles with feedback, RTP/AVPF (RFC
 * 4585) and RTP/SAVPF (RFC 5124), count as those without: an answer repeats the profile and
 * names no feedback, so that none is sent.  No I/O; the input is untrusted.
 */
#ifndef GATEWAY_SDP_H
#define GATEWAY_SDP_H

#include "base/slice.h"

enum {
	SDP_MAX_INPUT = 16384, /* octets of a description that we read */
	SDP_MAX_FORMATS = 16,  /* kept of the call's line; later ones are left out */
	SDP_MAX_LINES = 8,     /* m= lines; more are malformed */
	SDP_TEXT_SIZE = 2048,  /* of a description that we write, with its NUL */
	SDP_ADDRESS_SIZE = 46, /* INET6_ADDRSTRLEN */
};

enum sdp_encoding {
	SDP_OTHER, /* never among sdp_audio's formats */
	SDP_PCMU,
	SDP_PCMA,
	SDP_TELEPHONE_EVENT, /* RFC 4733, 8000 Hz */
	SDP_COMFORT_NOISE,   /* RFC 3389, 8000 Hz */
};

/* Seen from the party whose description it is. */
enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

/* Of a=crypto (RFC 4568 6.2, RFC 6188): all have a salt of 14 octets, those of AES-256 a key of
 * 32, the others one of 16. */
enum sdp_suite {
	SDP_NO_SUITE,
	SDP_AES_CM_128_HMAC_SHA1_80,
	SDP_AES_CM_128_HMAC_SHA1_32,
	SDP_AES_256_CM_HMAC_SHA1_80,
	SDP_AES_256_CM_HMAC_SHA1_32,
	/* The same two, as the drafts of RFC 6188 and some PBXs spell them: an answer has to
	 * repeat the offer's word (sipwise/rtpengine#736), so each spelling is a suite. */
	SDP_AES_CM_256_HMAC_SHA1_80,
	SDP_AES_CM_256_HMAC_SHA1_32,
};

enum {
	SDP_MAX_KEY = 46,   /* octets of key and salt */
	SDP_MAX_CRYPTO = 4, /* lines of an offer of ours; of the peer's the first usable counts */
};

/* How the party protects what it sends.  A secret: sdp_wipe(). */
struct sdp_crypto {
	uint32_t tag; /* 1 to 9 digits */
	enum sdp_suite suite;
	uint8_t key[SDP_MAX_KEY]; /* the first sdp_key_size(suite) octets */
};

struct sdp_format {
	uint8_t payload_type; /* 0 to 127 */
	enum sdp_encoding encoding;
};

/* One party's side of the call's audio stream. */
struct sdp_audio {
	char address[SDP_ADDRESS_SIZE]; /* numeric; "" while held by c=0.0.0.0 */
	uint16_t port;
	struct sdp_format formats[SDP_MAX_FORMATS]; /* in its order of preference */
	size_t nformats;
	enum sdp_direction direction;
	unsigned ptime_ms, maxptime_ms; /* 0: not given */
	bool savp;     /* over RTP/SAVP; RTP/AVP with keys is SRTP, too, if the other side wants */
	bool feedback; /* over RTP/AVPF or RTP/SAVPF */
	uint16_t rtcp_port;                  /* a=rtcp (RFC 3605); 0: port + 1 */
	char rtcp_address[SDP_ADDRESS_SIZE]; /* the same; "": address */
	struct sdp_crypto crypto[SDP_MAX_CRYPTO];
	size_t ncrypto; /* 0: no SRTP */
};

/* What an answer must repeat of each m= line. */
struct sdp_line {
	char media[16];
	char proto[32];
	char format[32]; /* the first one */
};

struct sdp {
	struct sdp_audio audio;   /* without keys where there is such a line, else secured */
	struct sdp_audio secured; /* the same, or another line, with its keys */
	bool has_secured;
	struct sdp_line lines[SDP_MAX_LINES];
	size_t nlines;
	size_t chosen; /* the line of audio */
	size_t chosen_secured;
};

/* Reads text.  c=0.0.0.0 (the hold of RFC 2543) leaves the address empty and
 * turns sendrecv into sendonly, recvonly into inactive.
 * Returns 0, or with *why_out (a static text, why_out may be NULL) set
 *   -EINVAL   malformed
 *   -EMSGSIZE more than SDP_MAX_INPUT octets
 *   -ENOTSUP  well-formed, but no line that the gateway can use (488). */
int sdp_parse(struct slice text, struct sdp *out, const char **why_out);

/* Our own descriptions in one dialog: zero it, then set session. */
struct sdp_local {
	uint64_t session;         /* o= session id */
	uint64_t version;         /* raised whenever the text differs from the last */
	char text[SDP_TEXT_SIZE]; /* the last one written */
};

/* Writes local->text: an answer to offer, or an offer where offer is NULL.  An
 * address that is empty is written as 0.0.0.0.  With keys an offer is over RTP/SAVP if
 * ours->savp says so, with feedback as ours->feedback has it, and an answer over what the line
 * was offered over.  Our RTCP is at port + 1, and a=rtcp-mux is never repeated: without it the
 * offerer has to keep two ports (RFC 5761 5.1.1).
 * Returns 0, -EINVAL (no format, no address family, keys that were not offered), -ENOBUFS;
 * text is unchanged on failure. */
int sdp_write(struct sdp_local *local, const struct sdp_audio *ours, const struct sdp *offer);

/* Overwrites the keys. */
void sdp_wipe(struct sdp *sdp);

/* The name of a suite as a=crypto has it. */
const char *sdp_suite_name(enum sdp_suite suite);

/* Octets of key and salt that a suite has: 30 or 46; 0 for SDP_NO_SUITE. */
size_t sdp_key_size(enum sdp_suite suite);

/* The direction that answers d when nothing on our side restricts it. */
enum sdp_direction sdp_reverse(enum sdp_direction d);

/* The first format of audio with that encoding, or NULL. */
const struct sdp_format *sdp_find(const struct sdp_audio *audio, enum sdp_encoding encoding);

#endif
