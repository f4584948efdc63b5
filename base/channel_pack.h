/* channel_pack.h - sends protobuf messages through a channel. */
#ifndef BASE_CHANNEL_PACK_H
#define BASE_CHANNEL_PACK_H

#include <protobuf-c/protobuf-c.h>

struct channel;

/* Packs message and sends it; the packed octets, which may hold keys, are wiped.
 * Returns 0, -ENOMEM or as channel_send(). */
int channel_send_packed(struct channel *channel, const ProtobufCMessage *message);
/* The same, as channel_send_lazily(). */
int channel_send_packed_lazily(struct channel *channel, const ProtobufCMessage *message);

#endif
