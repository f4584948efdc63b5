/* fuzz_sdp.c - no description crashes the reader, and what is read can be answered. */
#include <assert.h>

#include "gateway/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sdp_local local = { .session = 1 };
	struct sdp offer, back;

	if (sdp_parse(slice_of(data, size), &offer, NULL) != 0)
		return 0;
	assert(offer.chosen < offer.nlines && offer.nlines <= SDP_MAX_LINES);
	assert(offer.audio.nformats > 0 && offer.audio.nformats <= SDP_MAX_FORMATS);
	assert(sdp_write(&local, &offer.audio, &offer) == 0);
	assert(sdp_parse(slice_str(local.text), &back, NULL) == 0);
	assert(back.nlines == offer.nlines && back.chosen == offer.chosen);
	assert(back.audio.port == offer.audio.port);
	return 0;
}
