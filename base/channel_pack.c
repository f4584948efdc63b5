/* channel_pack.c - channel_send() for protobuf-c's messages; the packed copy is wiped. */
#include "base/channel_pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/channel.h"
#include "base/pack.h"

typedef int send_fn(struct channel *channel, struct slice message);

static int send_by(send_fn *send, struct channel *channel, const ProtobufCMessage *message)
{
	uint8_t *octets;
	size_t n;
	int err = pack_write(message, CHANNEL_MAX_MESSAGE, &octets, &n);

	if (err)
		return err;
	err = send(channel, slice_of(octets, n));
	explicit_bzero(octets, n);
	free(octets);
	return err;
}

int channel_send_packed(struct channel *channel, const ProtobufCMessage *message)
{
	return send_by(channel_send, channel, message);
}

int channel_send_packed_lazily(struct channel *channel, const ProtobufCMessage *message)
{
	return send_by(channel_send_lazily, channel, message);
}
