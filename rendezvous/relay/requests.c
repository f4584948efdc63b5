/* requests.c - the requests of crs, run on one thread's table, and their replies.
 *
 * Everything of a request was unpacked by protobuf, which checks its form alone: lengths of ids
 * and ranges of numbers are checked here or by the table. Replies are packed into buffers of the
 * caller; one that does not fit is empty, which the control loop logs as lost.
 */
#include "rendezvous/relay/requests.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "base/clock.h"

/* The octets stay where they are: protobuf only reads them, though its struct is for both ways. */
static ProtobufCBinaryData octets_of(const void *p, size_t n)
{
	return (ProtobufCBinaryData){ .len = n, .data = (uint8_t *)p };
}

static size_t pack_reply(const CrsRelay__Reply *reply, uint8_t *out, size_t cap)
{
	if (crs_relay__reply__get_packed_size(reply) > cap)
		return 0;
	return crs_relay__reply__pack(reply, out);
}

size_t relay_reply_error(uint32_t number, int error, const char *text, uint8_t *out, size_t cap)
{
	CrsRelay__Reply reply = CRS_RELAY__REPLY__INIT;

	reply.number = number;
	reply.error = (uint32_t)error;
	reply.text = (char *)text;
	return pack_reply(&reply, out, cap);
}

static void fill_leg(CrsRelay__Leg *out, const struct relay_leg *leg)
{
	crs_relay__leg__init(out);
	out->leg_id = octets_of(leg->id, sizeof(leg->id));
	out->leg_key = octets_of(leg->key, sizeof(leg->key));
}

static size_t reply_added(uint32_t number, uint16_t port, const struct relay_session *session,
			  uint8_t *out, size_t cap)
{
	CrsRelay__Leg initiator, legs[RELAY_MAX_RESPONDERS], *leg_at[RELAY_MAX_RESPONDERS];
	CrsRelay__Stream streams[RELAY_MAX_STREAMS], *stream_at[RELAY_MAX_STREAMS];
	CrsRelay__Reply reply = CRS_RELAY__REPLY__INIT;
	CrsRelay__Added added = CRS_RELAY__ADDED__INIT;

	/* Everything packed lies on the stack or in the session, which this thread alone can
	 * end: no allocation, and no free that an early return could forget. */
	fill_leg(&initiator, &session->initiator);
	for (size_t i = 0; i < session->n_responders; i++) {
		fill_leg(&legs[i], &session->responders[i]);
		leg_at[i] = &legs[i];
	}
	for (size_t i = 0; i < session->n_streams; i++) {
		crs_relay__stream__init(&streams[i]);
		streams[i].initiator_ssrc = session->ssrc[i][RELAY_INITIATOR].ssrc;
		streams[i].responder_ssrc = session->ssrc[i][RELAY_RESPONDER].ssrc;
		stream_at[i] = &streams[i];
	}
	added.port = port;
	added.initiator = &initiator;
	added.n_responders = session->n_responders;
	added.responders = leg_at;
	added.n_streams = session->n_streams;
	added.streams = stream_at;
	reply.number = number;
	reply.body_case = CRS_RELAY__REPLY__BODY_ADDED;
	reply.added = &added;
	return pack_reply(&reply, out, cap);
}

static size_t run_add(struct relay_table *table, const CrsRelay__Request *request, uint16_t port,
		      int64_t now_ms, uint8_t *out, size_t cap)
{
	const CrsRelay__Add *add = request->add;
	const struct relay_session *session;
	/* An unknown enum value comes out of protobuf as the number that it was (proto3 keeps
	 * it), also as a negative one. */
	int err = add->session_id.len != RELAY_SESSION_ID_SIZE || add->type < 0
			  ? -EINVAL
			  : relay_table_add(table, add->session_id.data, (enum relay_type)add->type,
					    add->streams, add->responder_legs, now_ms, &session);

	if (err)
		return relay_reply_error(request->number, -err, "cannot add the session", out, cap);
	return reply_added(request->number, port, session, out, cap);
}

static size_t run_keep_leg(struct relay_table *table, const CrsRelay__Request *request,
			   uint8_t *out, size_t cap)
{
	const CrsRelay__KeepLeg *keep = request->keep_leg;
	int err = keep->session_id.len != RELAY_SESSION_ID_SIZE
			  ? -EINVAL
			  : relay_table_keep_leg(table, keep->session_id.data,
						 slice_of(keep->leg_id.data, keep->leg_id.len));

	return relay_reply_error(request->number, -err, err ? "no such session or leg" : "", out,
				 cap);
}

static size_t run_remove(struct relay_table *table, const CrsRelay__Request *request,
			 unsigned *ended, uint8_t *out, size_t cap)
{
	const ProtobufCBinaryData *id = &request->remove->session_id;
	enum relay_type type;
	int err = id->len != RELAY_SESSION_ID_SIZE ? -EINVAL
						   : relay_table_remove(table, id->data, &type);

	/* Counted in ended, which goes with the reply: the limit has room again as soon as crs
	 * knows that the session is gone. */
	if (!err)
		ended[type]++;
	return relay_reply_error(request->number, -err, err ? "no such session" : "", out, cap);
}

size_t relay_reply_statistics(uint32_t number, const struct relay_stats *stats, uint8_t *out,
			      size_t cap)
{
	CrsRelay__TypeStatistics types[RELAY_TYPE_COUNT], *at[RELAY_TYPE_COUNT];
	CrsRelay__Statistics sum = CRS_RELAY__STATISTICS__INIT;
	CrsRelay__Reply reply = CRS_RELAY__REPLY__INIT;

	for (int i = 0; i < RELAY_TYPE_COUNT; i++) {
		crs_relay__type_statistics__init(&types[i]);
		types[i].type = (CrsRelay__RelayType)i;
		types[i].rx_packets = stats->type[i].rx_packets;
		types[i].rx_bytes = stats->type[i].rx_bytes;
		types[i].tx_packets = stats->type[i].tx_packets;
		types[i].tx_bytes = stats->type[i].tx_bytes;
		sum.sent_packets += stats->type[i].tx_packets;
		sum.sent_bytes += stats->type[i].tx_bytes;
		at[i] = &types[i];
	}
	sum.n_types = RELAY_TYPE_COUNT;
	sum.types = at;
	sum.sent_error_no_dest = stats->no_destination;
	sum.sent_error = stats->send_errors;
	sum.received_packets = stats->received_packets;
	sum.received_bytes = stats->received_bytes;
	sum.received_error_too_short = stats->too_short;
	sum.received_error_too_long = stats->too_long;
	sum.dropped_unbound = stats->dropped_unbound;
	sum.stun_bad = stats->stun_bad;
	sum.dropped_rate = stats->dropped_rate;
	reply.number = number;
	reply.body_case = CRS_RELAY__REPLY__BODY_STATISTICS;
	reply.statistics = &sum;
	return pack_reply(&reply, out, cap);
}

void relay_statistics_add(struct relay_stats *sum, const CrsRelay__Statistics *part)
{
	/* By position: each thread fills in all types in their order, and both ends are the same
	 * program. */
	for (size_t i = 0; i < part->n_types && i < RELAY_TYPE_COUNT; i++) {
		sum->type[i].rx_packets += part->types[i]->rx_packets;
		sum->type[i].rx_bytes += part->types[i]->rx_bytes;
		sum->type[i].tx_packets += part->types[i]->tx_packets;
		sum->type[i].tx_bytes += part->types[i]->tx_bytes;
	}
	sum->no_destination += part->sent_error_no_dest;
	sum->send_errors += part->sent_error;
	sum->received_packets += part->received_packets;
	sum->received_bytes += part->received_bytes;
	sum->too_short += part->received_error_too_short;
	sum->too_long += part->received_error_too_long;
	sum->dropped_unbound += part->dropped_unbound;
	sum->stun_bad += part->stun_bad;
	sum->dropped_rate += part->dropped_rate;
}

/* One part of a listing. The relays point into at and ssrcs, so it is filled again only when the
 * part is packed. */
struct listing {
	CrsRelay__Relay relays[RELAY_LIST_CHUNK], *at[RELAY_LIST_CHUNK];
	uint32_t ssrcs[RELAY_LIST_CHUNK][2 * RELAY_MAX_STREAMS];
	size_t n;
};

static void list_session(struct listing *list, const struct relay_session *session, int64_t now_ms)
{
	CrsRelay__Relay *relay = &list->relays[list->n];
	uint32_t *ssrcs = list->ssrcs[list->n];

	crs_relay__relay__init(relay);
	relay->type = (CrsRelay__RelayType)session->type;
	relay->nodes = (uint32_t)relay_session_nodes(session);
	relay->last_active =
		/* The table has monotonic time; people want the wall's. Seconds since 1970. */
		(uint64_t)(clock_wall_ms() - (now_ms - session->last_active_ms)) / 1000;
	relay->session_id = octets_of(session->id, sizeof(session->id));
	relay->identifiers = ssrcs;
	for (size_t i = 0; i < session->n_streams; i++) {
		ssrcs[relay->n_identifiers++] = session->ssrc[i][RELAY_INITIATOR].ssrc;
		ssrcs[relay->n_identifiers++] = session->ssrc[i][RELAY_RESPONDER].ssrc;
	}
	list->at[list->n++] = relay;
}

static void reply_listing(const struct listing *list, uint32_t number, bool more,
			  relay_reply_fn *reply_fn, void *arg)
{
	CrsRelay__Relays relays = CRS_RELAY__RELAYS__INIT;
	CrsRelay__Reply reply = CRS_RELAY__REPLY__INIT;
	uint8_t packed[RELAY_MAX_REPLY];

	relays.n_relays = list->n;
	relays.relays = (CrsRelay__Relay **)list->at;
	relays.more = more;
	reply.number = number;
	reply.body_case = CRS_RELAY__REPLY__BODY_RELAYS;
	reply.relays = &relays;
	reply_fn(arg, slice_of(packed, pack_reply(&reply, packed, sizeof(packed))), more);
}

static void run_list(const struct relay_table *table, uint32_t number, int64_t now_ms,
		     relay_reply_fn *reply_fn, void *arg)
{
	const struct relay_session *session = relay_table_first(table);
	struct listing *list = calloc(1, sizeof(*list));
	uint8_t packed[256];

	if (!list) {
		size_t n =
			relay_reply_error(number, ENOMEM, "out of memory", packed, sizeof(packed));

		reply_fn(arg, slice_of(packed, n), false);
		return;
	}
	/* Nothing ends a session meanwhile: this thread alone could. */
	for (; session; session = session->next) {
		if (list->n == RELAY_LIST_CHUNK) {
			reply_listing(list, number, true, reply_fn, arg);
			list->n = 0;
		}
		list_session(list, session, now_ms);
	}
	/* Also when it is empty: the last part is what says that the listing ends. */
	reply_listing(list, number, false, reply_fn, arg);
	free(list);
}

void relay_request_run(struct relay_table *table, const CrsRelay__Request *request, uint16_t port,
		       int64_t now_ms, unsigned ended_out[RELAY_TYPE_COUNT],
		       relay_reply_fn *reply_fn, void *arg)
{
	uint8_t packed[RELAY_MAX_REQUEST];
	size_t n;

	switch (request->body_case) {
	case CRS_RELAY__REQUEST__BODY_ADD:
		n = run_add(table, request, port, now_ms, packed, sizeof(packed));
		break;
	case CRS_RELAY__REQUEST__BODY_KEEP_LEG:
		n = run_keep_leg(table, request, packed, sizeof(packed));
		break;
	case CRS_RELAY__REQUEST__BODY_REMOVE:
		n = run_remove(table, request, ended_out, packed, sizeof(packed));
		break;
	case CRS_RELAY__REQUEST__BODY_GET_STATISTICS:
		n = relay_reply_statistics(request->number, relay_table_stats(table), packed,
					   sizeof(packed));
		break;
	case CRS_RELAY__REQUEST__BODY_LIST_RELAYS:
		run_list(table, request->number, now_ms, reply_fn, arg);
		return;
	default:
		n = relay_reply_error(request->number, EINVAL, "unknown request", packed,
				      sizeof(packed));
	}
	reply_fn(arg, slice_of(packed, n), false);
	OPENSSL_cleanse(packed, sizeof(packed)); /* an Added holds leg keys */
}
