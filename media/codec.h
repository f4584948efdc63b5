/* codec.h - the audio codecs of both sides, to and from 8 kHz mono PCM.
 *
 * A codec is one direction-pair of one stream: it encodes what we send and
 * decodes what we hear.  Nothing is allocated after codec_new.
 */
#ifndef MEDIA_CODEC_H
#define MEDIA_CODEC_H

#include "base/slice.h"

enum media_codec { MEDIA_PCMU = 0, MEDIA_PCMA = 8, MEDIA_OPUS = 96 };

enum {
	MEDIA_RATE = 8000, /* samples a second, everywhere in media/ */
	MEDIA_SAMPLES_PER_MS = 8,
	MEDIA_MAX_FRAME = 960,    /* samples: 120 ms, the longest Opus packet */
	MEDIA_MAX_PAYLOAD = 1276, /* octets of one frame */
};

struct codec;

/* Opus: 24 kbit/s VBR, narrowband, no DTX.  Returns NULL when memory is out. */
struct codec *codec_new(enum media_codec kind);
/* Frees *codecp and sets it to NULL; *codecp may be NULL. */
void codec_free(struct codec **codecp);

/* "opus", "PCMU", "PCMA". */
const char *codec_name(enum media_codec kind);

/* RTP clock in Hz: 48,000 for Opus (RFC 7587 4.1), else 8,000. */
uint32_t codec_clock(enum media_codec kind);

/* May n samples be one frame?  Opus: 80, 160, 320, 480 (10 to 60 ms); G.711: 1 to 960. */
bool codec_takes_frame(enum media_codec kind, size_t n);

/* How much work encoding may be, and how much loss it must bear (opus_codec.h);
 * nothing to G.711. */
void codec_tune(struct codec *codec, int complexity, int loss_percent);

/* Encodes n samples to out.  Returns the octets, or -EINVAL, -ENOBUFS. */
int codec_encode(struct codec *codec, const int16_t *pcm, size_t n, uint8_t *out, size_t cap);

/* Samples that a payload holds, 1 to MEDIA_MAX_FRAME, or -EBADMSG. */
int codec_payload_samples(const struct codec *codec, struct slice payload);

/* Decodes one payload.  Returns the samples written or -EBADMSG. */
int codec_decode(struct codec *codec, struct slice payload, int16_t pcm_out[MEDIA_MAX_FRAME]);

/* Fills n samples (1 to MEDIA_MAX_FRAME) that were lost just before payload next, from
 * its in-band FEC where there is some; next may be empty.  Opus decodes or conceals,
 * G.711 repeats the pitch (conceal.h). */
void codec_conceal(struct codec *codec, struct slice next, size_t n, int16_t *pcm_out);

#endif
