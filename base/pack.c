/* pack.c - protobuf-c with bounds on the heap that a peer's octets may take.
 *
 * A few octets on the wire can ask for much memory (repeated fields double their arrays, empty
 * submessages cost a structure each), so the bound is on what is allocated.
 */
#include "base/pack.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>

enum {
	VIEW_FIXED = 768, /* what the structures of most messages take beside their octets */
	FIELD_NUMBER_MAX = (1 << 29) - 1,
};

struct budget {
	size_t left;
	bool exhausted; /* the heap, not the budget */
};

static void *take(void *arg, size_t n)
{
	struct budget *budget = arg;
	void *p;

	if (n > budget->left)
		return NULL;
	budget->left -= n;
	/* protobuf-c takes NULL for a failure, also where it asked for nothing. */
	p = malloc(n ? n : 1);
	if (!p)
		budget->exhausted = true;
	return p;
}

static void give(void *arg, void *p)
{
	(void)arg;
	free(p);
}

static bool fields_ok(const ProtobufCMessage *message);

/* The messages in one field, however many it holds. */
static bool members_ok(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const char *at = (const char *)message + field->offset;
	size_t n = 1;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		n = *(const uint32_t *)(const void *)((const char *)message +
						      field->quantifier_offset) == field->id;
	else if (field->label == PROTOBUF_C_LABEL_REPEATED)
		n = *(const size_t *)(const void *)((const char *)message +
						    field->quantifier_offset);
	if (n > 0 && field->label == PROTOBUF_C_LABEL_REPEATED)
		at = *(const char *const *)(const void *)at;
	for (size_t i = 0; i < n; i++) {
		const ProtobufCMessage *member =
			((const ProtobufCMessage *const *)(const void *)at)[i];

		if (member && !fields_ok(member))
			return false;
	}
	return true;
}

/* Has every field that we do not know a number that protobuf allows (1 to 2^29 - 1)?
 * The library takes others where they are spelled in more octets than it needs, and would
 * write what no reader takes: a message must mean the same to all who pass it on. */
static bool fields_ok(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;

	for (unsigned i = 0; i < message->n_unknown_fields; i++) {
		uint32_t number = message->unknown_fields[i].tag;

		if (number == 0 || number > FIELD_NUMBER_MAX)
			return false;
	}
	for (unsigned i = 0; i < descriptor->n_fields; i++)
		if (descriptor->fields[i].type == PROTOBUF_C_TYPE_MESSAGE &&
		    !members_ok(message, &descriptor->fields[i]))
			return false;
	return true;
}

ProtobufCMessage *pack_read(const ProtobufCMessageDescriptor *descriptor, struct slice octets,
			    size_t memory_max, int *err_out)
{
	struct budget budget = { memory_max, false };
	ProtobufCAllocator allocator = { take, give, &budget };
	ProtobufCMessage *message =
		protobuf_c_message_unpack(descriptor, &allocator, octets.n, octets.p);

	*err_out = message ? 0 : budget.exhausted ? -ENOMEM : -EBADMSG;
	if (message && !fields_ok(message)) {
		protobuf_c_message_free_unpacked(message, NULL);
		message = NULL;
		*err_out = -EBADMSG;
	}
	return message;
}

/* A view's memory: blocks that are used up one behind the other.  The first one begins
 * with the message itself. */
struct block {
	struct block *next;
	size_t used, size;
	alignas(max_align_t) uint8_t octets[];
};

struct view {
	struct budget budget;
	struct block *first, *last;
	size_t least; /* of the next block */
};

static struct block *add_block(struct view *view, size_t size)
{
	struct block *block = malloc(sizeof(*block) + size);

	if (!block) {
		view->budget.exhausted = true;
		return NULL;
	}
	block->next = NULL;
	block->used = 0;
	block->size = size;
	if (view->last)
		view->last->next = block;
	else
		view->first = block;
	view->last = block;
	return block;
}

static void *take_of_view(void *arg, size_t n)
{
	struct view *view = arg;
	struct block *block = view->last;
	size_t room;

	if (n > view->budget.left)
		return NULL;
	view->budget.left -= n;
	room = (n + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
	if (!block || room > block->size - block->used)
		block = add_block(view, room > view->least ? room : view->least);
	if (!block)
		return NULL;
	block->used += room;
	return block->octets + (block->used - room);
}

/* The library frees pieces when it gives up or an array grows; blocks go all together. */
static void keep_in_view(void *arg, void *p)
{
	(void)arg;
	(void)p;
}

static void free_blocks(struct block *block)
{
	while (block) {
		struct block *next = block->next;

		free(block);
		block = next;
	}
}

ProtobufCMessage *pack_view(const ProtobufCMessageDescriptor *descriptor, struct slice octets,
			    size_t memory_max, int *err_out)
{
	struct view view = { .budget = { memory_max, false }, .least = VIEW_FIXED + octets.n };
	ProtobufCAllocator allocator = { take_of_view, keep_in_view, &view };
	ProtobufCMessage *message =
		protobuf_c_message_unpack(descriptor, &allocator, octets.n, octets.p);

	*err_out = message ? 0 : view.budget.exhausted ? -ENOMEM : -EBADMSG;
	if (message && !fields_ok(message)) {
		message = NULL;
		*err_out = -EBADMSG;
	}
	if (!message)
		free_blocks(view.first);
	return message;
}

void pack_forget(ProtobufCMessage *message)
{
	if (message) /* protobuf-c takes the message's own structure first */
		free_blocks((struct block *)(void *)((uint8_t *)message -
						     offsetof(struct block, octets)));
}

int pack_write(const ProtobufCMessage *message, size_t max, uint8_t **octets_out, size_t *n_out)
{
	size_t n = protobuf_c_message_get_packed_size(message);

	if (n > max)
		return -EMSGSIZE;
	*octets_out = malloc(n ? n : 1);
	if (!*octets_out)
		return -ENOMEM;
	*n_out = protobuf_c_message_pack(message, *octets_out);
	return 0;
}

ProtobufCMessage *pack_copy(const ProtobufCMessage *message)
{
	ProtobufCMessage *copy;
	uint8_t *octets;
	size_t n;

	if (pack_write(message, SIZE_MAX, &octets, &n) < 0)
		return NULL;
	copy = protobuf_c_message_unpack(message->descriptor, NULL, n, octets);
	free(octets);
	return copy;
}
