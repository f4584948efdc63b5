/* wire.c - bounded and wiping memory for protobuf-c, and the checks that every file's reader
 * does. */
#include "keys/wire_priv.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>

#include "base/text.h"
#include "keys/issued.h"
#include "keys/secret.h"

enum {
	ROOM = alignof(max_align_t), /* before each block, for its size */
	/* An empty text in a list is two octets here, and there a pointer and a block. */
	MEMORY_PER_OCTET = 64,
	MEMORY_MIN = 64 * 1024,
};

/* protobuf-c asks for what the message's lengths say: a small message must not cost more
 * memory than a multiple of its own size.  Blocks remember theirs, to be wiped. */
static void *wire_alloc(void *arg, size_t n)
{
	struct wire_memory *memory = arg;
	uint8_t *block;

	if (n > memory->left)
		return NULL;
	block = malloc(ROOM + n);
	memory->out_of_memory = memory->out_of_memory || !block;
	if (!block)
		return NULL;
	memory->left -= n;
	memcpy(block, &n, sizeof(n));
	return block + ROOM;
}

/* Unpacked messages hold keys. */
static void wire_free(void *arg, void *p)
{
	uint8_t *block;
	size_t n;

	(void)arg;
	if (!p)
		return;
	block = (uint8_t *)p - ROOM;
	memcpy(&n, block, sizeof(n));
	wipe(p, n);
	free(block);
}

void wire_memory_init(struct wire_memory *memory, size_t n)
{
	memory->allocator = (ProtobufCAllocator){ wire_alloc, wire_free, memory };
	memory->left = MEMORY_MIN + MEMORY_PER_OCTET * n;
	memory->out_of_memory = false;
}

int wire_unpack_error(const struct wire_memory *memory)
{
	return memory->out_of_memory ? -ENOMEM : -EBADMSG;
}

/* room octets in front stay free for a head. */
int wire_pack(const ProtobufCMessage *message, size_t room, uint8_t **out, size_t *len_out)
{
	size_t n = protobuf_c_message_get_packed_size(message);
	uint8_t *octets = malloc(room + n + 1);

	if (!octets)
		return -ENOMEM;
	protobuf_c_message_pack(message, octets + room);
	*out = octets;
	*len_out = room + n;
	return 0;
}

/* Protobuf texts end at their NUL, but may hold controls and need not be UTF-8. */
bool wire_text(char *out, size_t cap, const char *text)
{
	size_t n = strlen(text);

	if (n >= cap || !text_is_clean(slice_of(text, n)))
		return false;
	memcpy(out, text, n + 1);
	return true;
}

bool wire_octets(uint8_t *out, size_t n, const ProtobufCBinaryData *data)
{
	if (data->len != n)
		return false;
	memcpy(out, data->data, n);
	return true;
}

ProtobufCBinaryData wire_data(const void *p, size_t n)
{
	return (ProtobufCBinaryData){ n, (uint8_t *)(uintptr_t)p };
}

/* Compressed form; whether it is on a curve is seen where it is used. */
bool wire_point_valid(const uint8_t *p)
{
	return p[0] == 2 || p[0] == 3;
}

/* SSK || PVT || RSK: docs/key-management.md, "Packed keys". */
bool wire_keys_valid(const uint8_t *packed)
{
	return wire_point_valid(packed + SSK_OCTETS) &&
	       wire_point_valid(packed + SSK_OCTETS + P256_COMPRESSED);
}
