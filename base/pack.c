#include "base/pack.h"

#include <errno.h>
#include <stdlib.h>

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

ProtobufCMessage *pack_read(const ProtobufCMessageDescriptor *descriptor, struct slice octets,
			    size_t memory_max, int *err_out)
{
	struct budget budget = { memory_max, false };
	ProtobufCAllocator allocator = { take, give, &budget };
	ProtobufCMessage *message =
		protobuf_c_message_unpack(descriptor, &allocator, octets.n, octets.p);

	*err_out = message ? 0 : budget.exhausted ? -ENOMEM : -EBADMSG;
	return message;
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
