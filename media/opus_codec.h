/* opus_codec.h - Opus between 8 kHz PCM and packets, thin over libopus.
 *
 * Encodes at 8 kHz (what comes from a PBX has no more), 24 kbit/s VBR, voice, no
 * DTX; in-band FEC only while the peer reports loss, because it costs a third of
 * the encoder's time.  Decodes any Opus stream straight to 8 kHz.
 */
#ifndef MEDIA_OPUS_CODEC_H
#define MEDIA_OPUS_CODEC_H

#include "base/slice.h"

struct opus_codec;

/* Returns NULL when memory is out. */
struct opus_codec *opus_codec_new(void);
/* Frees *codecp and sets it to NULL; *codecp may be NULL. */
void opus_codec_free(struct opus_codec **codecp);

/* complexity 0 to 10 (5 at first); above 1 speech-match hears no difference.  FEC
 * for loss_percent is made at complexity 1 and above; 0 (at first): none. */
void opus_codec_tune(struct opus_codec *codec, int complexity, int loss_percent);

/* n is 80, 160, 320 or 480.  Returns the octets or -EINVAL, -ENOBUFS. */
int opus_codec_encode(struct opus_codec *codec, const int16_t *pcm, size_t n, uint8_t *out,
		      size_t cap);

/* Samples at 8 kHz that a packet holds, 20 to 960, or -EBADMSG. */
int opus_codec_samples(struct slice packet);

/* Returns the samples written or -EBADMSG; cap is at least what the packet holds. */
int opus_codec_decode(struct opus_codec *codec, struct slice packet, int16_t *pcm_out, size_t cap);

/* Fills n lost samples, a multiple of 20, from next's FEC or by concealment. */
int opus_codec_conceal(struct opus_codec *codec, struct slice next, size_t n, int16_t *pcm_out);

#endif
