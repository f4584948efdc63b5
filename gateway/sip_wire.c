/* sip_wire.c - SDP and challenges between our structs and protobuf's.  The enums
 * have the same numbers; what comes back is checked, for the agent reads from the
 * network. */
#include "gateway/sip_wire.h"

#include <errno.h>
#include <stdio.h>

/* Text of ours that a message only reads: protobuf-c has no const strings. */
static char *unconst(const char *text)
{
	return (char *)(uintptr_t)text;
}

void wire_audio_put(const struct sdp_audio *audio, struct wire_audio *w)
{
	sip_agent__audio__init(&w->pb);
	for (size_t i = 0; i < audio->nformats; i++) {
		sip_agent__format__init(&w->formats[i]);
		w->formats[i].payload_type = audio->formats[i].payload_type;
		w->formats[i].encoding = (SipAgent__Encoding)audio->formats[i].encoding;
		w->list[i] = &w->formats[i];
	}
	w->pb.address = unconst(audio->address);
	w->pb.port = audio->port;
	w->pb.n_formats = audio->nformats;
	w->pb.formats = w->list;
	w->pb.direction = (SipAgent__Direction)audio->direction;
	w->pb.ptime_ms = audio->ptime_ms;
	w->pb.maxptime_ms = audio->maxptime_ms;
	w->pb.savp = audio->savp;
	w->pb.feedback = audio->feedback;
	w->pb.rtcp_port = audio->rtcp_port;
	w->pb.rtcp_address = unconst(audio->rtcp_address);
	for (size_t i = 0; i < audio->ncrypto; i++) {
		sip_agent__crypto__init(&w->crypto[i]);
		w->crypto[i].tag = audio->crypto[i].tag;
		w->crypto[i].suite = (SipAgent__Suite)audio->crypto[i].suite;
		w->crypto[i].key.data = (uint8_t *)(uintptr_t)audio->crypto[i].key;
		w->crypto[i].key.len = sdp_key_size(audio->crypto[i].suite);
		w->crypto_list[i] = &w->crypto[i];
	}
	w->pb.n_crypto = audio->ncrypto;
	w->pb.crypto = w->crypto_list;
}

void wire_sdp_put(const struct sdp *sdp, struct wire_sdp *w)
{
	wire_audio_put(&sdp->audio, &w->audio);
	if (!sdp->has_secured)
		return;
	wire_audio_put(&sdp->secured, &w->secured);
	w->audio.pb.secured = &w->secured.pb;
}

static int get_text(const char *text, char *out, size_t outsz)
{
	int n = snprintf(out, outsz, "%s", text);

	return n < 0 || (size_t)n >= outsz ? -E2BIG : 0;
}

static int get_crypto(const SipAgent__Audio *pb, struct sdp_audio *out)
{
	if (pb->n_crypto > SDP_MAX_CRYPTO)
		return -EINVAL;
	for (size_t i = 0; i < pb->n_crypto; i++) {
		const SipAgent__Crypto *crypto = pb->crypto[i];

		if (crypto->suite == SIP_AGENT__SUITE__NO_SUITE ||
		    (unsigned)crypto->suite > SDP_AES_CM_256_HMAC_SHA1_32 ||
		    crypto->key.len != sdp_key_size((enum sdp_suite)crypto->suite))
			return -EINVAL;
		out->crypto[i].tag = crypto->tag;
		out->crypto[i].suite = (enum sdp_suite)crypto->suite;
		memcpy(out->crypto[i].key, crypto->key.data, crypto->key.len);
	}
	out->ncrypto = pb->n_crypto;
	return 0;
}

int wire_audio_get(const SipAgent__Audio *pb, struct sdp_audio *out)
{
	*out = (struct sdp_audio){ .port = (uint16_t)pb->port,
				   .direction = (enum sdp_direction)pb->direction,
				   .ptime_ms = pb->ptime_ms,
				   .maxptime_ms = pb->maxptime_ms,
				   .savp = pb->savp,
				   .feedback = pb->feedback,
				   .rtcp_port = (uint16_t)pb->rtcp_port };
	/* The casts above have cut nothing: what was longer is refused here. */
	if (pb->port > 65535 || pb->rtcp_port > 65535 || pb->n_formats == 0 ||
	    pb->n_formats > SDP_MAX_FORMATS || (unsigned)pb->direction > SDP_INACTIVE ||
	    get_text(pb->address, out->address, sizeof(out->address)) ||
	    get_text(pb->rtcp_address, out->rtcp_address, sizeof(out->rtcp_address)))
		return -EINVAL;
	for (size_t i = 0; i < pb->n_formats; i++) {
		const SipAgent__Format *f = pb->formats[i];

		if (f->payload_type > 127 || f->encoding == SIP_AGENT__ENCODING__OTHER ||
		    (unsigned)f->encoding > SDP_COMFORT_NOISE)
			return -EINVAL;
		out->formats[i].payload_type = (uint8_t)f->payload_type;
		out->formats[i].encoding = (enum sdp_encoding)f->encoding;
	}
	out->nformats = pb->n_formats;
	return get_crypto(pb, out);
}

void wire_challenge_put(const struct digest_challenge *challenge, SipAgent__Challenge *pb)
{
	sip_agent__challenge__init(pb);
	pb->proxy = challenge->proxy;
	pb->realm = unconst(challenge->realm);
	pb->nonce = unconst(challenge->nonce);
	pb->opaque = unconst(challenge->opaque);
	pb->has_opaque = challenge->has_opaque;
	pb->stale = challenge->stale;
	pb->algorithm = unconst(challenge->algorithm);
	pb->qop = unconst(challenge->qop);
}

int wire_challenge_get(const SipAgent__Challenge *pb, struct digest_challenge *out)
{
	*out = (struct digest_challenge){ .proxy = pb->proxy,
					  .has_opaque = pb->has_opaque,
					  .stale = pb->stale };
	if (get_text(pb->realm, out->realm, sizeof(out->realm)) ||
	    get_text(pb->nonce, out->nonce, sizeof(out->nonce)) ||
	    get_text(pb->opaque, out->opaque, sizeof(out->opaque)) ||
	    get_text(pb->algorithm, out->algorithm, sizeof(out->algorithm)) ||
	    get_text(pb->qop, out->qop, sizeof(out->qop)))
		return -E2BIG;
	return 0;
}
