/* media_speech.h - speech that benchmarks of media say, in frames of 20 ms, as each codec sends it.
 */
#ifndef TESTS_BENCH_MEDIA_SPEECH_H
#define TESTS_BENCH_MEDIA_SPEECH_H

#include "media/codec.h"

enum {
	SPEECH_FRAME = 160,  /* samples: 20 ms at 8 kHz */
	SPEECH_FRAMES = 200, /* then it begins again */
};

struct media_speech {
	int16_t pcm[SPEECH_FRAMES][SPEECH_FRAME];
	uint8_t pcmu[SPEECH_FRAMES][SPEECH_FRAME], pcma[SPEECH_FRAMES][SPEECH_FRAME];
	uint8_t opus[SPEECH_FRAMES][MEDIA_MAX_PAYLOAD];
	int opus_length[SPEECH_FRAMES];
};

/* Never NULL; the caller frees it with free(). */
struct media_speech *media_speech_new(void);

/* Writes the payload of a frame (any number) at out, which has room for MEDIA_MAX_PAYLOAD.
 * Returns its octets. */
size_t media_speech_payload(const struct media_speech *speech, enum media_codec codec,
			    unsigned frame, uint8_t *out);

#endif
