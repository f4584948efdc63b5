/* opus_codec.c - an encoder and a decoder of libopus, both at 8 kHz, the rate of the
 * PBX's side. */
#include "media/opus_codec.h"

#include <errno.h>
#include <stdlib.h>

#include <opus.h>

/* The PBX's side is narrow-band, so nothing above 4 kHz is worth coding; the clock of RTP stays
 * 48 kHz all the same (RFC 7587 4.1). 24 kbit/s leave room for in-band correction. */
enum {
	RATE = 8000,
	CHANNELS = 1,
	BITRATE = 24000,
	COMPLEXITY = 5,
};

struct opus_codec {
	OpusEncoder *encoder;
	OpusDecoder *decoder;
};

struct opus_codec *opus_codec_new(void)
{
	struct opus_codec *c = calloc(1, sizeof(*c));
	int encoder_err, decoder_err;

	/* The two take some 62 kB and 0.15 ms to make, so they are made with the leg, not with a
	 * packet. */
	if (!c)
		return NULL;
	c->encoder = opus_encoder_create(RATE, CHANNELS, OPUS_APPLICATION_VOIP, &encoder_err);
	c->decoder = opus_decoder_create(RATE, CHANNELS, &decoder_err);
	if (!c->encoder || !c->decoder) {
		opus_codec_free(&c);
		return NULL;
	}
	opus_encoder_ctl(c->encoder, OPUS_SET_BITRATE(BITRATE));
	opus_encoder_ctl(c->encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	/* Every frame is sent: silence that is left out would show on the wire who speaks when. */
	opus_encoder_ctl(c->encoder, OPUS_SET_DTX(0));
	opus_codec_tune(c, COMPLEXITY, 0);
	return c;
}

void opus_codec_free(struct opus_codec **codecp)
{
	struct opus_codec *c = *codecp;

	if (!c)
		return;
	*codecp = NULL;
	if (c->encoder)
		opus_encoder_destroy(c->encoder);
	if (c->decoder)
		opus_decoder_destroy(c->decoder);
	free(c);
}

void opus_codec_tune(struct opus_codec *c, int complexity, int loss_percent)
{
	opus_encoder_ctl(c->encoder, OPUS_SET_COMPLEXITY(complexity));
	opus_encoder_ctl(c->encoder, OPUS_SET_INBAND_FEC(loss_percent > 0));
	opus_encoder_ctl(c->encoder, OPUS_SET_PACKET_LOSS_PERC(loss_percent));
}

int opus_codec_encode(struct opus_codec *c, const int16_t *pcm, size_t n, uint8_t *out, size_t cap)
{
	int octets = opus_encode(c->encoder, pcm, (int)n, out, (opus_int32)cap);

	if (octets == OPUS_BUFFER_TOO_SMALL)
		return -ENOBUFS;
	return octets < 0 ? -EINVAL : octets;
}

/* Reads the TOC octet and the frame count only (RFC 6716 3.1, 3.2.5): a packet that is broken
 * further on is found by the decoder. */
int opus_codec_samples(struct slice packet)
{
	int n = packet.n ? opus_packet_get_nb_samples(packet.p, (opus_int32)packet.n, RATE) : 0;

	return n > 0 ? n : -EBADMSG;
}

int opus_codec_decode(struct opus_codec *c, struct slice packet, int16_t *pcm_out, size_t cap)
{
	int n = opus_codec_samples(packet);

	if (n < 0 || (size_t)n > cap)
		return -EBADMSG;
	n = opus_decode(c->decoder, packet.p, (opus_int32)packet.n, pcm_out, (int)cap, 0);
	return n > 0 ? n : -EBADMSG;
}

/* What is lost is in the packet behind it, coarsely, where its sender added FEC (RFC 6716
 * 2.1.7); without one the decoder goes on with what it heard. */
int opus_codec_conceal(struct opus_codec *c, struct slice next, size_t n, int16_t *pcm_out)
{
	int got = next.n ? opus_decode(c->decoder, next.p, (opus_int32)next.n, pcm_out, (int)n, 1)
			 : opus_decode(c->decoder, NULL, 0, pcm_out, (int)n, 0);

	return got == (int)n ? 0 : -EINVAL;
}
