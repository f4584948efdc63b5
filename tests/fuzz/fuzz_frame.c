/* fuzz_frame.c - a frame: from a client where the first octet is even, else from
 * the rendezvous.  What is accepted must be so again after encoding; what is read where it
 * lies is what protobuf-c makes of it. */
#include <stdlib.h>
#include <string.h>

#include "umsg/frame_quick.h"

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

static void same(const Umsg__Frame *a, const Umsg__Frame *b)
{
	size_t n = umsg__frame__get_packed_size(a);
	uint8_t *p = malloc(n + 1), *q = malloc(n + 1);

	if (umsg__frame__get_packed_size(b) != n || !p || !q || umsg__frame__pack(a, p) != n ||
	    umsg__frame__pack(b, q) != n || memcmp(p, q, n) != 0)
		abort();
	free(p);
	free(q);
}

static void read_quickly(struct slice octets)
{
	struct frame_room room;
	Umsg__Frame *frame = frame_quick(octets, &room), *other;

	if (!frame)
		return;
	if (frame_view(octets, &other) < 0)
		abort();
	same(frame, other);
	frame_free(&other);
	if (frame->body_case == UMSG__FRAME__BODY_POST && !frame_is_post(room.body))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum frame_side side = size && data[0] & 1 ? FRAME_FROM_SERVER : FRAME_FROM_CLIENT;
	Umsg__Frame *frame;

	if (size == 0)
		return 0;
	read_quickly(slice_of(data + 1, size - 1));
	if (frame_decode(slice_of(data + 1, size - 1), side, &frame) == 0)
		again(frame, side);
	frame_free(&frame);
	return 0;
}
