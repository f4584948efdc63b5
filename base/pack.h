/* pack.h - reads, writes and copies protobuf messages, with bounded memory. */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <protobuf-c/protobuf-c.h>

#include "base/slice.h"

/* Unpacks octets into a message that takes at most memory_max octets of the heap,
 * whatever they say; free it with protobuf_c_message_free_unpacked(m, NULL).
 * Returns NULL: malformed, a field's number out of range, or too much of it (*err_out
 * -EBADMSG), or -ENOMEM. */
ProtobufCMessage *pack_read(const ProtobufCMessageDescriptor *descriptor, struct slice octets,
			    size_t memory_max, int *err_out);

/* The same, but the message is one piece of memory, which is quicker to take and to give
 * back: for messages that are read, looked at and forgotten.  Nothing of it can be freed
 * by itself, or outlive it; free it with pack_forget(). */
ProtobufCMessage *pack_view(const ProtobufCMessageDescriptor *descriptor, struct slice octets,
			    size_t memory_max, int *err_out);

/* Frees a message of pack_view(), which may be NULL. */
void pack_forget(ProtobufCMessage *message);

/* Frees *messagep, a pointer to an unpacked message, and sets it to NULL. */
#define PACK_FREE(messagep)                                                                        \
	(*(messagep) ? protobuf_c_message_free_unpacked(&(*(messagep))->base, NULL) : (void)0,     \
	 *(messagep) = NULL)

/* Packs into malloc'd octets.  Returns 0, -EMSGSIZE (more than max), -ENOMEM. */
int pack_write(const ProtobufCMessage *message, size_t max, uint8_t **octets_out, size_t *n_out);

/* A copy that owns all that it points to; free it like one that was read.  NULL when
 * memory is out. */
ProtobufCMessage *pack_copy(const ProtobufCMessage *message);

#endif
