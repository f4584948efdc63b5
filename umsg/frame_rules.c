/* frame_rules.c - what each frame must look like (docs/umsg.md "Frames"), as a table:
 * whoever reads a frame behind frame_check() need not look again. */
#include "umsg/frame_rules.h"

#include <errno.h>

#include "base/text.h"
#include "keys/identity.h"
#include "keys/period.h"

enum {
	NAMES_MAX = 4,  /* updates that one frame names */
	HOST_MAX = 255, /* RFC 1035 2.3.4 */
	LEG_TEXT_MAX = 64,
	LEG_KEY_MIN = 16,
	TOTAL_MAX = 1 << 30, /* of a message; the rendezvous has limits of its own */
	SEALED_RECORD = FRAME_RECORD + FRAME_RECORD_TAG,
	TAG = 16,
};

static bool is_id(ProtobufCBinaryData b)
{
	return b.len == FRAME_ID;
}

static bool is_text(const char *text)
{
	struct slice s = slice_str(text);

	return s.n <= FRAME_TEXT_MAX && text_is_clean(s);
}

static bool is_enum(const ProtobufCEnumDescriptor *schema, int value)
{
	return protobuf_c_enum_descriptor_get_value(schema, value) != NULL;
}

static bool is_uri(const char *uri)
{
	return identity_check(slice_str(uri), NULL) == 0;
}

static bool is_month(const char *text)
{
	int64_t month;

	return period_parse(slice_str(text), &month) == 0;
}

static bool is_name(const Umsg__UpdateName *name)
{
	return name && is_month(name->month);
}

static bool are_names(Umsg__UpdateName *const *names, size_t n)
{
	if (n > NAMES_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_name(names[i]))
			return false;
	return true;
}

/* ---- the connection ---- */

static bool check_register(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__Register *r = frame->register_;

	(void)side;
	return is_id(r->device_id) && is_enum(&umsg__device_role__descriptor, (int)r->role) &&
	       (!r->newest || is_name(r->newest)) && is_text(r->software) &&
	       are_names(r->confirmed, r->n_confirmed);
}

static bool check_registered(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__Registered *r = frame->registered;

	(void)side;
	return is_enum(&umsg__device_role__descriptor, (int)r->role) &&
	       are_names(r->updates, r->n_updates);
}

static bool check_denied(const Umsg__Frame *frame, enum frame_side side)
{
	(void)side;
	return is_text(frame->denied->text);
}

static bool check_unregistered(const Umsg__Frame *frame, enum frame_side side)
{
	(void)side;
	return is_text(frame->unregistered->text);
}

static bool check_error(const Umsg__Frame *frame, enum frame_side side)
{
	(void)side;
	return is_text(frame->error->text) && frame->error->code != UMSG__ERROR_CODE__OK;
}

static bool check_nothing(const Umsg__Frame *frame, enum frame_side side)
{
	(void)frame;
	(void)side;
	return true;
}

static bool check_client_data(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__ClientData *d = frame->client_data;
	size_t n = strspn(d->name, "abcdefghijklmnopqrstuvwxyz-");

	(void)side;
	return n >= 1 && n <= 32 && d->name[n] == '\0' && is_text(d->type) &&
	       d->value.len <= FRAME_CLIENT_DATA;
}

static bool check_lookup(const Umsg__Frame *frame, enum frame_side side)
{
	(void)side;
	return is_uri(frame->lookup->uri);
}

static bool check_lookup_answer(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__LookupAnswer *a = frame->lookup_answer;

	(void)side;
	return is_uri(a->uri) && (a->domain_id.len == 0 || is_id(a->domain_id));
}

/* ---- calls ---- */

/* No SSRC is 0, and all of a call differ. */
static bool are_ssrcs(Umsg__StreamIds *const *streams, size_t n)
{
	uint32_t seen[2 * FRAME_STREAMS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		seen[count++] = streams[i]->initiator_ssrc;
		seen[count++] = streams[i]->responder_ssrc;
	}
	for (size_t i = 0; i < count; i++) {
		if (seen[i] == 0)
			return false;
		/* Quadratic: over 2 * FRAME_STREAMS_MAX numbers. */
		for (size_t k = 0; k < i; k++)
			if (seen[k] == seen[i])
				return false;
	}
	return true;
}

static bool is_host(const char *host)
{
	size_t n =
		strspn(host, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.:-");

	return n >= 1 && n <= HOST_MAX && host[n] == '\0';
}

static bool is_leg(const Umsg__Leg *leg)
{
	return leg && leg->leg_id.len >= 1 && leg->leg_id.len <= LEG_TEXT_MAX &&
	       leg->leg_key.len >= LEG_KEY_MIN && leg->leg_key.len <= LEG_TEXT_MAX &&
	       is_host(leg->relay_host) && leg->relay_port >= 1 && leg->relay_port <= 65535 &&
	       leg->n_streams >= 1 && leg->n_streams <= FRAME_STREAMS_MAX &&
	       are_ssrcs(leg->streams, leg->n_streams);
}

static bool check_bang(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__Bang *b = frame->bang;

	/* The rendezvous puts the leg in; a caller cannot name a relay. */
	if (side == FRAME_FROM_CLIENT ? b->leg != NULL : !is_leg(b->leg))
		return false;
	return is_id(b->session_id) && b->i_message.len >= 1 &&
	       b->i_message.len <= FRAME_I_MESSAGE_MAX && b->counter == 0 && b->sealed.len >= TAG &&
	       b->sealed.len <= FRAME_SEALED_MAX && b->streams >= 1 &&
	       (b->group_id.len == 0 || b->group_id.len == FRAME_ID) &&
	       b->streams <= FRAME_STREAMS_MAX && (!b->leg || b->leg->n_streams == b->streams);
}

static bool check_bang_answer(const Umsg__Frame *frame, enum frame_side side)
{
	(void)side;
	return is_id(frame->bang_answer->session_id) && is_leg(frame->bang_answer->leg);
}

/* Only a responder has an answer_rand. */
static bool is_session(const Umsg__Session *s)
{
	return s && is_id(s->session_id) && is_enum(&umsg__call_role__descriptor, (int)s->role) &&
	       s->answer_rand.len == (s->role == UMSG__CALL_ROLE__RESPONDER ? FRAME_ID : 0) &&
	       s->sealed.len >= TAG && s->sealed.len <= FRAME_SEALED_MAX;
}

static bool check_from_responder(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__Session *s = frame_session(frame);

	(void)side;
	return is_session(s) && s->role == UMSG__CALL_ROLE__RESPONDER;
}

static bool check_signal(const Umsg__Frame *frame, enum frame_side side)
{
	(void)side;
	return is_session(frame->signal);
}

/* A responder that could not open the invitation has no key to seal with. */
static bool is_keyless(const Umsg__Session *s)
{
	return s && is_id(s->session_id) && s->role == UMSG__CALL_ROLE__RESPONDER &&
	       is_id(s->answer_rand) && s->sealed.len == 0;
}

/* By the rendezvous: nothing sealed.  By a party: who is the party. */
static bool check_hangup(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__Hangup *h = frame->hangup;
	const Umsg__Session *s = h->session;

	(void)side;
	if (frame->by_server)
		return s && is_id(s->session_id) && s->sealed.len == 0 &&
		       h->who == UMSG__ENDED_BY__BY_RENDEZVOUS;
	return (is_session(s) || is_keyless(s)) &&
	       h->who == (s->role == UMSG__CALL_ROLE__RESPONDER ? UMSG__ENDED_BY__BY_RESPONDER
								: UMSG__ENDED_BY__BY_INITIATOR);
}

/* ---- messages ---- */

static bool is_record(ProtobufCBinaryData record, bool last)
{
	return last ? record.len > FRAME_RECORD_TAG && record.len <= SEALED_RECORD
		    : record.len == SEALED_RECORD;
}

static bool is_post(const Umsg__Post *p)
{
	return p && is_id(p->message_id) && p->kind != UMSG__MESSAGE_KIND__KIND_NONE &&
	       is_enum(&umsg__message_kind__descriptor, (int)p->kind) && p->i_message.len >= 1 &&
	       p->i_message.len <= FRAME_I_MESSAGE_MAX && p->total_length <= TOTAL_MAX &&
	       p->total_length >= p->record.len &&
	       is_record(p->record, p->total_length <= SEALED_RECORD) &&
	       (p->total_length > SEALED_RECORD || p->total_length == p->record.len);
}

static bool check_post(const Umsg__Frame *frame, enum frame_side side)
{
	(void)side;
	return is_post(frame->post);
}

static bool check_post_ack(const Umsg__Frame *frame, enum frame_side side)
{
	(void)side;
	return is_id(frame->post_ack->message_id) && is_text(frame->post_ack->text);
}

/* A recipient has to know whose message it is; a sender is who it is. */
static bool is_sender(const char *uri, enum frame_side side)
{
	return side == FRAME_FROM_CLIENT && uri[0] == '\0' ? true : is_uri(uri);
}

/* The rendezvous says without a record that there is no such message. */
static bool check_part(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__Part *p = frame->part;

	return is_id(p->message_id) && is_sender(p->sender, side) && p->index >= 1 &&
	       (is_record(p->record, true) || (side == FRAME_FROM_SERVER && p->record.len == 0));
}

static bool check_part_ack(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__PartAck *a = frame->part_ack;

	(void)side;
	return is_id(a->message_id) && (a->sender[0] == '\0' || is_uri(a->sender));
}

static bool check_deliver(const Umsg__Frame *frame, enum frame_side side)
{
	(void)side;
	return is_post(frame->deliver->post);
}

static bool check_taken(const Umsg__Frame *frame, enum frame_side side)
{
	(void)side;
	return is_id(frame->taken->message_id) && is_uri(frame->taken->sender);
}

/* ---- updates ---- */

/* Some encoders write a message that was never set as one without fields. */
static bool is_unset(const Umsg__UpdateName *name)
{
	return !name || (!*name->month && !name->revision && !name->created);
}

static bool check_update_get(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__UpdateGet *g = frame->update_get;

	(void)side;
	return is_month(g->month) && is_enum(&umsg__update_what__descriptor, (int)g->what) &&
	       (is_unset(g->expected) ? g->offset == 0 : is_name(g->expected));
}

static bool check_update_part(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__UpdatePart *p = frame->update_part;

	(void)side;
	return is_name(p->name) && is_enum(&umsg__update_what__descriptor, (int)p->what) &&
	       p->data.len <= FRAME_UPDATE_DATA && p->offset <= p->total &&
	       p->data.len <= p->total - p->offset && (p->data.len > 0 || p->offset == p->total);
}

static bool check_update_confirm(const Umsg__Frame *frame, enum frame_side side)
{
	(void)side;
	return is_name(frame->update_confirm->name);
}

static bool check_update_news(const Umsg__Frame *frame, enum frame_side side)
{
	(void)side;
	return are_names(frame->update_news->updates, frame->update_news->n_updates);
}

static bool check_admin_request(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__AdminRequest *r = frame->admin_request;

	(void)side;
	return is_enum(&umsg__admin_action__descriptor, (int)r->action) && is_text(r->account) &&
	       r->data.len <= FRAME_UPDATE_DATA;
}

static bool check_admin_answer(const Umsg__Frame *frame, enum frame_side side)
{
	const Umsg__AdminAnswer *a = frame->admin_answer;

	(void)side;
	return is_enum(&umsg__error_code__descriptor, (int)a->error) && is_text(a->text) &&
	       a->data.len <= FRAME_UPDATE_DATA;
}

enum {
	BOTH = RULE_CLIENT | RULE_SERVER,
	CALL = BOTH | RULE_PARTIES | RULE_CALL | RULE_SEALED,
};

static const struct frame_rule rules[] = {
	{ UMSG__FRAME__BODY_REGISTER, "register", RULE_CLIENT, check_register },
	{ UMSG__FRAME__BODY_REGISTERED, "registered", RULE_SERVER, check_registered },
	{ UMSG__FRAME__BODY_DENIED, "denied", RULE_SERVER, check_denied },
	{ UMSG__FRAME__BODY_UNREGISTERED, "unregistered", RULE_SERVER, check_unregistered },
	{ UMSG__FRAME__BODY_ERROR, "error", RULE_SERVER, check_error },
	{ UMSG__FRAME__BODY_DONE, "done", RULE_SERVER, check_nothing },
	{ UMSG__FRAME__BODY_CLIENT_DATA, "client_data", RULE_CLIENT, check_client_data },
	{ UMSG__FRAME__BODY_LOOKUP, "lookup", RULE_CLIENT, check_lookup },
	{ UMSG__FRAME__BODY_LOOKUP_ANSWER, "lookup_answer", RULE_SERVER, check_lookup_answer },
	{ UMSG__FRAME__BODY_BANG, "bang", CALL, check_bang },
	{ UMSG__FRAME__BODY_BANG_ANSWER, "bang_answer", RULE_SERVER, check_bang_answer },
	{ UMSG__FRAME__BODY_GROWL, "growl", CALL, check_from_responder },
	{ UMSG__FRAME__BODY_TALK, "talk", CALL, check_from_responder },
	{ UMSG__FRAME__BODY_HANGUP, "hangup", BOTH, check_hangup },
	{ UMSG__FRAME__BODY_SIGNAL, "signal", CALL, check_signal },
	{ UMSG__FRAME__BODY_POST, "post", RULE_CLIENT | RULE_PARTIES | RULE_SEALED, check_post },
	{ UMSG__FRAME__BODY_POST_ACK, "post_ack", RULE_SERVER, check_post_ack },
	{ UMSG__FRAME__BODY_PART, "part", BOTH, check_part },
	{ UMSG__FRAME__BODY_PART_ACK, "part_ack", BOTH, check_part_ack },
	{ UMSG__FRAME__BODY_DELIVER, "deliver", RULE_SERVER | RULE_PARTIES | RULE_SEALED,
	  check_deliver },
	{ UMSG__FRAME__BODY_TAKEN, "taken", RULE_CLIENT, check_taken },
	{ UMSG__FRAME__BODY_NOTIFY, "notify", RULE_SERVER, check_nothing },
	{ UMSG__FRAME__BODY_FETCH, "fetch", RULE_CLIENT, check_nothing },
	{ UMSG__FRAME__BODY_FETCHED, "fetched", RULE_SERVER, check_nothing },
	{ UMSG__FRAME__BODY_UPDATE_GET, "update_get", RULE_CLIENT, check_update_get },
	{ UMSG__FRAME__BODY_UPDATE_PART, "update_part", RULE_SERVER, check_update_part },
	{ UMSG__FRAME__BODY_UPDATE_CONFIRM, "update_confirm", RULE_CLIENT, check_update_confirm },
	{ UMSG__FRAME__BODY_UPDATE_NEWS, "update_news", RULE_SERVER, check_update_news },
	{ UMSG__FRAME__BODY_ADMIN_REQUEST, "admin_request", RULE_CLIENT, check_admin_request },
	{ UMSG__FRAME__BODY_ADMIN_ANSWER, "admin_answer", RULE_SERVER, check_admin_answer },
};

const struct frame_rule *frame_rule(Umsg__Frame__BodyCase body)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].body == body)
			return &rules[i];
	return NULL;
}

/* A bare URI, with a part behind ";" that is ignored, or nothing at all. */
static bool is_party(const char *uri, bool needed, bool no_channel)
{
	enum identity_kind kind;
	struct slice whole = slice_str(uri);

	if (whole.n == 0)
		return !needed;
	if (whole.n > FRAME_TEXT_MAX || !text_is_clean(whole) ||
	    identity_check(frame_bare(uri), &kind) < 0)
		return false;
	return !no_channel || kind != IDENTITY_CHANNEL;
}

int frame_check(const Umsg__Frame *frame, enum frame_side side)
{
	const struct frame_rule *rule = frame_rule(frame->body_case);
	unsigned flags;

	/* proto3's default: nobody set it. */
	if (frame->version == 0)
		return -EBADMSG;
	/* Of a later version: answered or ignored, but the connection stays. */
	if (frame->version != FRAME_VERSION || !rule)
		return -ENOTSUP;
	flags = rule->flags;
	if (!(flags & (side == FRAME_FROM_CLIENT ? RULE_CLIENT : RULE_SERVER)))
		return -EBADMSG;
	/* A client cannot speak for the rendezvous, nor the rendezvous for a party. */
	if (frame->by_server && (side == FRAME_FROM_CLIENT || flags & RULE_SEALED))
		return -EBADMSG;
	if (rule->body == UMSG__FRAME__BODY_HANGUP && !frame->by_server)
		flags |= RULE_PARTIES | RULE_CALL;
	if (!is_party(frame->from, flags & RULE_PARTIES, true) ||
	    !is_party(frame->to, flags & RULE_PARTIES, flags & RULE_CALL) ||
	    !rule->check(frame, side))
		return -EBADMSG;
	return 0;
}
