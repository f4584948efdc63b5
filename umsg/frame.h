/* frame.h - UMSG frames: bounded decoding with every field checked, encoding.
 *
 * What frame_decode() hands out can be used as it is: the version is ours, from
 * and to are URIs where the body needs them, ids have their length, texts are
 * UTF-8 without controls, and enum values are of the schema.  The schema is
 * umsg/umsg.proto; the rules stand in docs/umsg.md "Frames".
 */
#ifndef UMSG_FRAME_H
#define UMSG_FRAME_H

#include "base/slice.h"
#include "umsg/umsg.pb-c.h"

enum {
	FRAME_VERSION = 1,
	FRAME_MAX = 65536,     /* octets of a frame */
	FRAME_RECORD = 49152,  /* octets of a record's plain text (48 KiB) */
	FRAME_RECORD_TAG = 16, /* what sealing adds to a record */
	FRAME_ID = 16,         /* octets of device, session and message ids, of answer_rand */
	FRAME_I_MESSAGE_MAX = 4096,
	FRAME_SEALED_MAX = 8192, /* octets of a call's sealed part */
	FRAME_UPDATE_DATA = 49152,
	FRAME_CLIENT_DATA = 4096,
	FRAME_TEXT_MAX = 255,
	FRAME_STREAMS_MAX = 8,
};

/* Who made a frame: decides which bodies it may have. */
enum frame_side { FRAME_FROM_CLIENT, FRAME_FROM_SERVER };

/* Reads one frame and checks it.  Memory is bounded by a small multiple of
 * FRAME_MAX, whatever the octets say.  Returns 0 and a frame to be given to
 * frame_free(), or
 *   -EMSGSIZE  longer than FRAME_MAX
 *   -EBADMSG   not a frame, a field is missing, too long or wrong, or that side
 *              does not send it
 *   -ENOTSUP   a body (or version) that we do not know: to be ignored, or
 *              answered by ERROR_UNKNOWN_BODY; *frame_out is set, and is to be
 *              freed, where the rest could be read (else NULL)
 *   -ENOMEM
 * *frame_out is NULL in all other cases. */
int frame_decode(struct slice octets, enum frame_side side, Umsg__Frame **frame_out);

/* Reads a frame that passed frame_decode() before, in another process of ours.  Returns 0,
 * -EBADMSG or -ENOMEM, and then *frame_out is NULL. */
int frame_view(struct slice octets, Umsg__Frame **frame_out);

/* For both; a frame is one piece of memory, no field of it can be kept. */
void frame_free(Umsg__Frame **framep);

/* What frame_decode() checks, for frames that were made here (and for tests).
 * Returns 0, -EBADMSG or -ENOTSUP. */
int frame_check(const Umsg__Frame *frame, enum frame_side side);

/* Sets version and writes the frame into out, malloc'd; the caller frees.
 * Returns 0, -EMSGSIZE when it would exceed FRAME_MAX, or -ENOMEM. */
int frame_encode(Umsg__Frame *frame, uint8_t **octets_out, size_t *len_out);

/* An Error in answer to a request; frame points into the rest. */
struct frame_error {
	Umsg__Frame frame;
	Umsg__Error error;
	char text[FRAME_TEXT_MAX + 1];
};

/* text is copied, and cut where it is too long; retry_after_s 0 says nothing of that. */
void frame_error_init(struct frame_error *e, uint64_t request, Umsg__ErrorCode code,
		      const char *text, uint32_t retry_after_s);

/* The URI without what follows ";" (frames name bare URIs, the rest is ignored). */
struct slice frame_bare(const char *uri);

/* The body's name as in the schema ("bang"), for logs. */
const char *frame_name(const Umsg__Frame *frame);

/* The session id of a call's frame, the message id of a message's: FRAME_ID octets,
 * or empty where the body has none. */
struct slice frame_session_id(const Umsg__Frame *frame);
/* Of Post, Deliver and what speaks of them. */
struct slice frame_message_id(const Umsg__Frame *frame);

/* The part that a party sealed and signed with, of a call's frame: by whom, and
 * NULL where there is none (other bodies, a hangup by the rendezvous). */
const Umsg__Session *frame_session(const Umsg__Frame *frame);

static inline struct slice frame_bytes(ProtobufCBinaryData b)
{
	return slice_of(b.data, b.len);
}

/* For fields of a frame to be encoded: protobuf-c does not write through them. */
static inline ProtobufCBinaryData frame_data(struct slice s)
{
	return (ProtobufCBinaryData){ .len = s.n, .data = (uint8_t *)(uintptr_t)s.p };
}

static inline char *frame_text(const char *s)
{
	return (char *)(uintptr_t)s;
}

#endif
