/* frame_quick.h - reads the frames of which a rendezvous gets most, Post and Taken, where
 * they lie: protobuf-c takes 0.4 us and a copy for one, a twentieth of what a message costs.
 *
 * Only what every sender writes is read so: each field at most once and of the type that the
 * schema gives it, no unknown ones.  Everything else is left to frame_decode() and
 * frame_view(), which come to the same where both can read a frame.
 */
#ifndef UMSG_FRAME_QUICK_H
#define UMSG_FRAME_QUICK_H

#include "umsg/frame.h"

enum { FRAME_QUICK_TEXT = 1024 }; /* all strings of a frame with their NULs */

/* Where a frame is read into, on the caller's stack. */
struct frame_room {
	Umsg__Frame frame;
	Umsg__Post post;
	Umsg__Taken taken;
	struct slice body; /* of the frame's own octets: the packed Post or Taken */
	char text[FRAME_QUICK_TEXT];
	size_t text_n;
};

/* Returns a frame in room, of which octets and bytes fields share the memory, or NULL: to be
 * read by other means.  Nothing is to be freed.  The caller checks it (frame_check()). */
Umsg__Frame *frame_quick(struct slice octets, struct frame_room *room);

/* frame_decode() or frame_view(), by way of frame_quick() where that will do. */
int frame_decode_in(struct slice octets, enum frame_side side, struct frame_room *room,
		    Umsg__Frame **frame_out);
/* The same for one that another process of ours has checked. */
int frame_view_in(struct slice octets, struct frame_room *room, Umsg__Frame **frame_out);
/* frame_free() for both. */
void frame_leave(struct frame_room *room, Umsg__Frame **framep);

/* Is it a packed Post that any client can read? */
bool frame_is_post(struct slice packed);

#endif
