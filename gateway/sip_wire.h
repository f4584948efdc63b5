/* sip_wire.h - sip_agent.proto's structures from and to those of sdp.h and digest.h. */
#ifndef GATEWAY_SIP_WIRE_H
#define GATEWAY_SIP_WIRE_H

#include "gateway/digest.h"
#include "gateway/sdp.h"
#include "gateway/sip_agent.pb-c.h"

/* A message with the arrays that it points to. */
struct wire_audio {
	SipAgent__Audio pb;
	SipAgent__Format formats[SDP_MAX_FORMATS];
	SipAgent__Format *list[SDP_MAX_FORMATS];
	SipAgent__Crypto crypto[SDP_MAX_CRYPTO];
	SipAgent__Crypto *crypto_list[SDP_MAX_CRYPTO];
};

/* What a peer's SDP says. */
struct wire_sdp {
	struct wire_audio audio, secured;
};

/* w->pb refers to w and to audio, which must stay. */
void wire_audio_put(const struct sdp_audio *audio, struct wire_audio *w);

/* w->audio.pb is the whole, and refers to w and to sdp, which must stay. */
void wire_sdp_put(const struct sdp *sdp, struct wire_sdp *w);

/* secured is not looked at: it is the peer's only.
 * Returns 0 or -EINVAL (a value out of range, no usable format). */
int wire_audio_get(const SipAgent__Audio *pb, struct sdp_audio *out);

/* pb refers to challenge, which must stay. */
void wire_challenge_put(const struct digest_challenge *challenge, SipAgent__Challenge *pb);

/* Returns 0 or -E2BIG. */
int wire_challenge_get(const SipAgent__Challenge *pb, struct digest_challenge *out);

#endif
