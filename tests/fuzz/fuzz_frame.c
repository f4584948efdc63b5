/* fuzz_frame.c - a frame: from a client where the first octet is even, else from
 * the rendezvous.  What is accepted must be so again after encoding. */
#include <stdlib.h>

#include "umsg/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(Umsg__Frame *frame, enum frame_side side)
{
	Umsg__Frame *second;
	uint8_t *octets;
	size_t n;

	if (frame_encode(frame, &octets, &n) < 0)
		return; /* longer, by integers that came without their leading octets */
	if (frame_decode(slice_of(octets, n), side, &second) != 0)
		abort();
	if (!slice_eq(frame_session_id(frame), frame_session_id(second)))
		abort();
	frame_free(&second);
	free(octets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum frame_side side = size && data[0] & 1 ? FRAME_FROM_SERVER : FRAME_FROM_CLIENT;
	Umsg__Frame *frame;

	if (size == 0)
		return 0;
	if (frame_decode(slice_of(data + 1, size - 1), side, &frame) == 0)
		again(frame, side);
	frame_free(&frame);
	return 0;
}
