/* events.c - notices of a media thread as messages.  Everything that a message points
 * to lies on the stack until it is packed. */
#include "gateway/relay/events.h"

/* channel_send_packed() copies: nothing of event is needed afterwards. */
#include "base/channel_pack.h"

int events_send(struct channel *channel, const Relay__Event *event)
{
	return channel_send_packed(channel, &event->base);
}

int events_failed(struct channel *channel, uint64_t call_id, Relay__Failed__Reason reason,
		  const char *text)
{
	Relay__Failed failed = RELAY__FAILED__INIT;
	Relay__Event event = RELAY__EVENT__INIT;

	failed.call_id = call_id;
	failed.reason = reason;
	failed.text = (char *)(uintptr_t)text; /* packing only reads it */
	event.of_case = RELAY__EVENT__OF_FAILED;
	event.failed = &failed;
	return events_send(channel, &event);
}

int events_digit(struct channel *channel, uint64_t call_id, const struct notice *notice)
{
	char text[2] = { notice->digit, '\0' };
	Relay__Digit digit = RELAY__DIGIT__INIT;
	Relay__Event event = RELAY__EVENT__INIT;

	digit.call_id = call_id;
	digit.from = notice->from == BRIDGE_PLAIN ? RELAY__SIDE__PLAIN : RELAY__SIDE__SECURE;
	digit.digit = text;
	digit.duration_ms = notice->duration_ms;
	event.of_case = RELAY__EVENT__OF_DIGIT;
	event.digit = &digit;
	return events_send(channel, &event);
}

/* remote is the caller's room for the text. */
static Relay__LegStats side_of(const struct notice_side *side, char remote[NET_TEXT_SIZE])
{
	const struct leg_stats *s = &side->stats;
	Relay__LegStats out = RELAY__LEG_STATS__INIT;

	out.packets_sent = s->packets_sent;
	out.octets_sent = s->octets_sent;
	out.packets_received = s->packets_received;
	out.octets_received = s->octets_received;
	out.lost = s->lost;
	out.dropped = side->dropped;
	out.late = s->late;
	out.concealed_ms = s->concealed_ms;
	out.auth_failures = s->auth_failures;
	out.replays = s->replays;
	out.malformed = s->malformed;
	out.ignored = s->ignored;
	out.strangers = s->strangers;
	out.jitter_us = s->jitter_us;
	out.peer_lost = s->peer_lost;
	out.peer_jitter_us = s->peer_jitter_us;
	remote[0] = '\0';
	if (side->remote.len)
		net_format(&side->remote, remote);
	out.remote = remote;
	/* side->codec is NULL where the call never came to fill its figures. */
	out.codec = (char *)(uintptr_t)(side->codec ? side->codec : "");
	return out;
}

struct packed_stats {
	char plain_remote[NET_TEXT_SIZE], secure_remote[NET_TEXT_SIZE];
	Relay__LegStats plain, secure;
	Relay__Stats stats;
};

static void fill(struct packed_stats *p, uint64_t call_id, const struct notice *notice)
{
	p->plain = side_of(&notice->plain, p->plain_remote);
	p->secure = side_of(&notice->secure, p->secure_remote);
	relay__stats__init(&p->stats);
	p->stats.call_id = call_id;
	p->stats.plain = &p->plain;
	p->stats.secure = &p->secure;
}

int events_stats(struct channel *channel, uint64_t call_id, const struct notice *notice)
{
	Relay__Event event = RELAY__EVENT__INIT;
	struct packed_stats p;

	fill(&p, call_id, notice);
	event.of_case = RELAY__EVENT__OF_STATS;
	event.stats = &p.stats;
	return events_send(channel, &event);
}

/* By close_reason: what cig-server is told, and what the log says. */
static const struct {
	Relay__Closed__Reason wire;
	const char *text;
} reasons[] = {
	[CLOSE_REQUESTED] = { RELAY__CLOSED__REASON__REQUESTED, "requested" },
	[CLOSE_PLAIN_TIMEOUT] = { RELAY__CLOSED__REASON__PLAIN_TIMEOUT, "no media from the PBX" },
	[CLOSE_SECURE_TIMEOUT] = { RELAY__CLOSED__REASON__SECURE_TIMEOUT,
				   "no media from the caller" },
	[CLOSE_NOT_BOUND] = { RELAY__CLOSED__REASON__NOT_BOUND,
			      "the relay of the rendezvous does not answer" },
	[CLOSE_FAULT] = { RELAY__CLOSED__REASON__FAULT, "out of memory or descriptors" },
};

const char *events_reason(enum close_reason reason)
{
	return reasons[reason].text;
}

int events_closed(struct channel *channel, uint64_t call_id, const struct notice *notice)
{
	Relay__Closed closed = RELAY__CLOSED__INIT;
	Relay__Event event = RELAY__EVENT__INIT;
	struct packed_stats p;

	fill(&p, call_id, notice);
	closed.call_id = call_id;
	closed.reason = reasons[notice->reason].wire;
	closed.stats = &p.stats;
	event.of_case = RELAY__EVENT__OF_CLOSED;
	event.closed = &closed;
	return events_send(channel, &event);
}

int events_bound(struct channel *channel, uint64_t call_id)
{
	Relay__SecureBound bound = RELAY__SECURE_BOUND__INIT;
	Relay__Event event = RELAY__EVENT__INIT;

	bound.call_id = call_id;
	event.of_case = RELAY__EVENT__OF_SECURE_BOUND;
	event.secure_bound = &bound;
	/* Only traces show it: not worth waking cig-server, which polls once a second. */
	return channel_send_packed_lazily(channel, &event.base);
}
