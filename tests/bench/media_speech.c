#include "tests/bench/media_speech.h"

#include <stdlib.h>
#include <string.h>

#include "media/g711.h"
#include "tests/bench/bench.h"
#include "tests/media/speech.h"

struct media_speech *media_speech_new(void)
{
	struct media_speech *speech = calloc(1, sizeof(*speech));
	struct codec *opus = codec_new(MEDIA_OPUS);

	bench_must(speech && opus, "memory");
	speech_make(1, speech->pcm[0], SPEECH_FRAMES * SPEECH_FRAME);
	for (size_t i = 0; i < SPEECH_FRAMES; i++) {
		speech->opus_length[i] =
			codec_encode(opus, speech->pcm[i], SPEECH_FRAME, speech->opus[i], 400);
		bench_must(speech->opus_length[i] > 0, "codec_encode");
		g711_law_encode(g711_mu_law(), speech->pcm[i], SPEECH_FRAME, speech->pcmu[i]);
		g711_law_encode(g711_a_law(), speech->pcm[i], SPEECH_FRAME, speech->pcma[i]);
	}
	codec_free(&opus);
	return speech;
}

size_t media_speech_payload(const struct media_speech *speech, enum media_codec codec,
			    unsigned frame, uint8_t *out)
{
	unsigned at = frame % SPEECH_FRAMES;

	if (codec == MEDIA_OPUS) {
		memcpy(out, speech->opus[at], (size_t)speech->opus_length[at]);
		return (size_t)speech->opus_length[at];
	}
	memcpy(out, codec == MEDIA_PCMA ? speech->pcma[at] : speech->pcmu[at], SPEECH_FRAME);
	return SPEECH_FRAME;
}
