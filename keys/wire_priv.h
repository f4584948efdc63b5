/* wire_priv.h - what letter, update and key store files share in reading and
 * writing their protobuf messages.
 */
#ifndef KEYS_WIRE_PRIV_H
#define KEYS_WIRE_PRIV_H

#include <protobuf-c/protobuf-c.h>

#include "base/slice.h"

/* An allocator for unpacking: bounded, for an octet of input may become a hundred
 * of memory, and wiping what it frees, for there are keys among it. */
struct wire_memory {
	ProtobufCAllocator allocator;
	size_t left;        /* octets it may still give out */
	bool out_of_memory; /* of the system's, not of that bound */
};

/* For input of n octets.  The object must stay where it is. */
void wire_memory_init(struct wire_memory *memory, size_t n);

/* Why unpacking with it gave nothing: -ENOMEM, or -EBADMSG.  A good file that cannot be read just
 * now must not be called damaged. */
int wire_unpack_error(const struct wire_memory *memory);

/* Packs message behind room octets into malloc'd *out (the caller wipes and frees).
 * Returns 0 or -ENOMEM. */
int wire_pack(const ProtobufCMessage *message, size_t room, uint8_t **out, size_t *len_out);

/* Copies text of at most cap - 1 octets; false when longer, or not UTF-8, or with
 * control characters. */
bool wire_text(char *out, size_t cap, const char *text);

/* Copies octets of exactly n. */
bool wire_octets(uint8_t *out, size_t n, const ProtobufCBinaryData *data);

/* Octets as a message holds them; what they are of stays the caller's. */
ProtobufCBinaryData wire_data(const void *p, size_t n);

/* Do p[0] and the form of a compressed point agree: 02 or 03? */
bool wire_point_valid(const uint8_t *p);

/* Have packed keys (ISSUED_PACKED octets) the form that issued.h says? */
bool wire_keys_valid(const uint8_t *packed);

#endif
