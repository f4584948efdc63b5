/* call_codec.c - which codec spares the most work; nobody is asked to transcode G.711
 * into G.711. */
#include "gateway/call_codec.h"

static enum umsg_audio_codec same_law(enum pbx_codec law)
{
	return law == PBX_PCMU ? UMSG_PCMU : UMSG_PCMA;
}

static bool is_offered(const enum umsg_audio_codec *offered, size_t n, enum umsg_audio_codec codec)
{
	for (size_t i = 0; i < n; i++)
		if (offered[i] == codec)
			return true;
	return false;
}

struct umsg_audio_wish call_codec_answer(const enum umsg_audio_codec *offered, size_t n,
					 enum pbx_codec law, bool loaded)
{
	enum umsg_audio_codec own = same_law(law);
	struct umsg_audio_wish wish = { .n_codecs = n > 0 };

	if (n == 0)
		return wish;
	/* One law of G.711 is as good as the other to whoever put either first, and only one
	 * of them is not transcoded. */
	if ((loaded || offered[0] != UMSG_OPUS) && is_offered(offered, n, own))
		wish.codecs[0] = own;
	else
		wish.codecs[0] = offered[0];
	return wish;
}

struct umsg_audio_wish call_codec_offer(enum pbx_codec law, bool loaded)
{
	enum umsg_audio_codec own = same_law(law);
	struct umsg_audio_wish wish = { .n_codecs = 3 };

	/* Loaded: G.711 first, since cig-relay then encodes nothing (docs/performance.md).  Opus
	 * first otherwise: it survives loss, and takes less than half the rate. */
	wish.codecs[loaded ? 0 : 1] = own;
	wish.codecs[loaded ? 1 : 0] = UMSG_OPUS;
	wish.codecs[2] = own == UMSG_PCMU ? UMSG_PCMA : UMSG_PCMU;
	return wish;
}
