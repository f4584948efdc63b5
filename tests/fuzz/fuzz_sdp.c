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
	if (offer.has_secured) {
		assert(offer.chosen_secured < offer.nlines && offer.secured.ncrypto == 1);
		assert(offer.secured.crypto[0].suite != SDP_NO_SUITE);
		assert(sdp_write(&local, &offer.secured, &offer) == 0);
		assert(sdp_parse(slice_str(local.text), &back, NULL) == 0 && back.has_secured);
		assert(memcmp(back.secured.crypto[0].key, offer.secured.crypto[0].key,
			      SDP_MAX_KEY) == 0);
	}
	assert(!offer.audio.savp || offer.has_secured);
	assert(sdp_write(&local, &offer.audio, &offer) == 0);
	assert(sdp_parse(slice_str(local.text), &back, NULL) == 0);
	assert(back.nlines == offer.nlines && back.chosen == offer.chosen);
	assert(back.audio.port == offer.audio.port);
	return 0;
}
