/* events.h - what cig-relay tells cig-server, packed and sent. */
#ifndef GATEWAY_RELAY_EVENTS_H
#define GATEWAY_RELAY_EVENTS_H

#include "base/channel.h"
#include "gateway/relay/order.h"
#include "gateway/relay_control.pb-c.h"

/* Packs one event.  Returns 0, -ENOMEM or as channel_send. */
int events_send(struct channel *channel, const Relay__Event *event);

/* Each of these sends one event; errors as events_send. */
int events_failed(struct channel *channel, uint64_t call_id, Relay__Failed__Reason reason,
		  const char *text);
/* A digit that was heard. */
int events_digit(struct channel *channel, uint64_t call_id, const struct notice *notice);
/* A call's figures, which were asked for. */
int events_stats(struct channel *channel, uint64_t call_id, const struct notice *notice);
/* A call's end, with its last figures. */
int events_closed(struct channel *channel, uint64_t call_id, const struct notice *notice);
/* The rendezvous's relay has accepted the secure leg. */
int events_bound(struct channel *channel, uint64_t call_id);

/* "requested", "plain timeout" ...: for the log. */
const char *events_reason(enum close_reason reason);

#endif
