/* stage_rendezvous.c - the rendezvous of a stage: forwards, stores, and decides nothing. */
#include "tests/umsg/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { STAGE_RECORD = FRAME_RECORD + FRAME_RECORD_TAG };

static void send_frame(struct connection *c, Umsg__Frame *frame)
{
	uint8_t *octets;
	size_t n;

	assert_int_equal(frame_encode(frame, &octets, &n), 0);
	link_send(c->link, slice_of(octets, n));
	free(octets);
}

void stage_send(struct stage *stage, const char *uri, Umsg__Frame *frame)
{
	for (size_t i = 0; i < STAGE_CONNECTIONS; i++) {
		struct connection *c = &stage->connections[i];

		if (c->registered && strcmp(c->hello.uri, uri) == 0)
			send_frame(c, frame);
	}
}

void stage_unregister(struct stage *stage, const char *uri, Umsg__UnregisterReason reason)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Unregistered body = UMSG__UNREGISTERED__INIT;

	body.reason = reason;
	frame.by_server = 1;
	frame.body_case = UMSG__FRAME__BODY_UNREGISTERED;
	frame.unregistered = &body;
	stage_send(stage, uri, &frame);
}

static size_t devices(const struct stage *stage, const char *uri)
{
	size_t n = 0;

	for (size_t i = 0; i < STAGE_CONNECTIONS; i++)
		n += stage->connections[i].registered &&
		     strcmp(stage->connections[i].hello.uri, uri) == 0;
	return n;
}

/* Hands a frame on, if the test lets it. */
static void hand_on(struct stage *stage, Umsg__Frame *frame)
{
	if (!stage->tamper || stage->tamper(stage, frame))
		stage_send(stage, frame->to, frame);
}

static void on_register(struct connection *c, const Umsg__Frame *frame)
{
	struct stage *stage = c->stage;
	Umsg__Frame answer = UMSG__FRAME__INIT;
	Umsg__Registered registered = UMSG__REGISTERED__INIT;
	Umsg__Denied denied = UMSG__DENIED__INIT;
	Umsg__Error error = UMSG__ERROR__INIT;
	Umsg__UpdateName *names[] = { &stage->offered };
	Umsg__Limits limits = UMSG__LIMITS__INIT;

	stage->registers++;
	if (stage->forgets_registers) {
		stage->forgets_registers--;
		return;
	}
	answer.request = frame->request;
	answer.by_server = 1;
	if (stage->deny) {
		denied.text = frame_text("blacklisted");
		answer.body_case = UMSG__FRAME__BODY_DENIED;
		answer.denied = &denied;
		send_frame(c, &answer);
		return;
	}
	if (stage->refuse) {
		stage->refuse--;
		error.code = UMSG__ERROR_CODE__ERROR_BUSY;
		error.text = frame_text("a part of the server restarts");
		error.retry_after = 1;
		answer.body_case = UMSG__FRAME__BODY_ERROR;
		answer.error = &error;
		send_frame(c, &answer);
		return;
	}
	c->registered = true;
	limits.parts_in_flight = 3;
	registered.limits = &limits;
	registered.epoch = stage->epoch;
	registered.updates_only = !frame->register_->has_keys;
	registered.server_time = (uint64_t)clock_wall_s();
	for (size_t i = 0; i < STAGE_STORE; i++)
		registered.waiting +=
			stage->store[i].octets && strcmp(stage->store[i].to, c->hello.uri) == 0;
	if (stage->offered.month && stage->offered.month[0]) {
		registered.n_updates = 1;
		registered.updates = names;
	}
	answer.body_case = UMSG__FRAME__BODY_REGISTERED;
	answer.registered = &registered;
	send_frame(c, &answer);
}

static void server_hangup(struct connection *c, ProtobufCBinaryData session_id,
			  Umsg__EndReason reason)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Hangup hangup = UMSG__HANGUP__INIT;
	Umsg__Session session = UMSG__SESSION__INIT;

	session.session_id = session_id;
	hangup.session = &session;
	hangup.reason = reason;
	hangup.who = UMSG__ENDED_BY__BY_RENDEZVOUS;
	frame.by_server = 1;
	frame.body_case = UMSG__FRAME__BODY_HANGUP;
	frame.hangup = &hangup;
	send_frame(c, &frame);
}

static void on_bang(struct connection *c, Umsg__Frame *frame)
{
	static uint8_t leg_id[8] = { 1, 2 }, leg_key[32] = { 3, 4 };
	struct stage *stage = c->stage;
	Umsg__Leg leg = UMSG__LEG__INIT;
	Umsg__StreamIds ids = UMSG__STREAM_IDS__INIT, *streams[] = { &ids };
	Umsg__Frame frame_back = UMSG__FRAME__INIT;
	Umsg__BangAnswer answer = UMSG__BANG_ANSWER__INIT;

	stage->bangs++;
	if (devices(stage, frame->to) == 0) {
		server_hangup(c, frame->bang->session_id, UMSG__END_REASON__END_NOT_CONNECTED);
		return;
	}
	ids.initiator_ssrc = 0x11111111;
	ids.responder_ssrc = 0x22222222;
	leg.leg_id = frame_data(slice_of(leg_id, sizeof(leg_id)));
	leg.leg_key = frame_data(slice_of(leg_key, sizeof(leg_key)));
	leg.relay_host = frame_text("192.0.2.1");
	leg.relay_port = 146;
	leg.n_streams = 1;
	leg.streams = streams;
	answer.session_id = frame->bang->session_id;
	answer.leg = &leg;
	answer.ringing = 1;
	frame_back.by_server = 1;
	frame_back.body_case = UMSG__FRAME__BODY_BANG_ANSWER;
	frame_back.bang_answer = &answer;
	send_frame(c, &frame_back);
	frame->bang->leg = &leg;
	hand_on(stage, frame);
	frame->bang->leg = NULL;
}

/* The first one wins; the other devices of the callee are told. */
static void on_talk(struct connection *c, Umsg__Frame *frame)
{
	struct stage *stage = c->stage;

	stage->talks++;
	hand_on(stage, frame);
	for (size_t i = 0; i < STAGE_CONNECTIONS; i++) {
		struct connection *other = &stage->connections[i];

		if (other->registered && other != c && strcmp(other->hello.uri, c->hello.uri) == 0)
			server_hangup(other, frame->talk->session_id,
				      UMSG__END_REASON__END_ANSWERED_ELSEWHERE);
	}
}

/* request: of the Fetch that it answers, or 0. */
static bool deliver(struct stage *stage, const struct stored *stored, uint64_t request)
{
	Umsg__Frame *frame;
	Umsg__Deliver body = UMSG__DELIVER__INIT;
	Umsg__Frame out = UMSG__FRAME__INIT;
	bool there = devices(stage, stored->to) > 0;

	assert_int_equal(
		frame_decode(slice_of(stored->octets, stored->n), FRAME_FROM_CLIENT, &frame), 0);
	body.post = frame->post;
	body.number = stored->number;
	body.epoch = stage->epoch;
	out.request = request;
	out.from = frame->from;
	out.to = frame->to;
	out.body_case = UMSG__FRAME__BODY_DELIVER;
	out.deliver = &body;
	hand_on(stage, &out);
	frame_free(&frame);
	return there;
}

static void post_ack(struct connection *c, ProtobufCBinaryData id)
{
	Umsg__Frame answer = UMSG__FRAME__INIT;
	Umsg__PostAck ack = UMSG__POST_ACK__INIT;

	ack.message_id = id;
	answer.by_server = 1;
	answer.body_case = UMSG__FRAME__BODY_POST_ACK;
	answer.post_ack = &ack;
	send_frame(c, &answer);
}

static bool whole(const struct stored *s)
{
	return s->more_n == s->total;
}

static void part_ack(struct connection *c, const struct stored *s)
{
	Umsg__Frame answer = UMSG__FRAME__INIT;
	Umsg__PartAck ack = UMSG__PART_ACK__INIT;

	ack.message_id = frame_data(slice_of(s->id, UMSG_ID_SIZE));
	ack.next = (uint32_t)(1 + s->more_n / STAGE_RECORD);
	answer.body_case = UMSG__FRAME__BODY_PART_ACK;
	answer.part_ack = &ack;
	send_frame(c, &answer);
}

static struct stored *find_stored(struct stage *stage, ProtobufCBinaryData id)
{
	for (size_t i = 0; i < STAGE_STORE; i++)
		if (stage->store[i].octets &&
		    memcmp(stage->store[i].id, id.data, UMSG_ID_SIZE) == 0)
			return &stage->store[i];
	return NULL;
}

static struct stored *keep(struct stage *stage, Umsg__Frame *frame)
{
	struct stored *stored = stage->store;

	while (stored->octets)
		stored++;
	assert_true(stored < stage->store + STAGE_STORE);
	snprintf(stored->to, sizeof(stored->to), "%s", frame->to);
	memcpy(stored->id, frame->post->message_id.data, UMSG_ID_SIZE);
	stored->number = ++stage->number;
	stored->total = frame->post->total_length - frame->post->record.len;
	stored->more = malloc(stored->total + 1);
	stored->more_n = 0;
	assert_int_equal(frame_encode(frame, &stored->octets, &stored->n), 0);
	return stored;
}

static void on_post(struct connection *c, Umsg__Frame *frame)
{
	struct stored *stored = NULL;

	if (c->stage->forgets_posts) {
		c->stage->forgets_posts--;
		return;
	}
	if (frame->post->total_length > frame->post->record.len)
		stored = find_stored(c->stage, frame->post->message_id);
	if (!stored)
		stored = keep(c->stage, frame);
	if (!whole(stored)) {
		part_ack(c, stored);
		return;
	}
	post_ack(c, frame->post->message_id);
	deliver(c->stage, stored, 0);
}

static void on_part(struct connection *c, const Umsg__Part *part)
{
	struct stage *stage = c->stage;
	struct stored *s = find_stored(stage, part->message_id);

	assert_non_null(s);
	assert_int_equal(part->index, 1 + s->more_n / STAGE_RECORD);
	assert_true(part->record.len <= s->total - s->more_n);
	memcpy(s->more + s->more_n, part->record.data, part->record.len);
	s->more_n += part->record.len;
	if (++stage->parts_seen == stage->cut_at_part) {
		stage_cut(stage);
	} else if (whole(s)) {
		post_ack(c, part->message_id);
		deliver(stage, s, 0);
	} else {
		part_ack(c, s);
	}
}

/* The part that a recipient wants next, one at a time. */
static void on_part_ack(struct connection *c, const Umsg__PartAck *ack)
{
	struct stored *s = find_stored(c->stage, ack->message_id);
	size_t at = (size_t)(ack->next - 1) * STAGE_RECORD;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Part part = UMSG__PART__INIT;

	assert_non_null(s);
	assert_true(ack->next >= 1 && at < s->total);
	part.message_id = ack->message_id;
	part.sender = ack->sender;
	part.index = ack->next;
	part.record = frame_data(slice_of(
		s->more + at, s->total - at < STAGE_RECORD ? s->total - at : STAGE_RECORD));
	frame.body_case = UMSG__FRAME__BODY_PART;
	frame.part = &part;
	if (++c->stage->parts_seen == c->stage->cut_at_part)
		stage_cut(c->stage);
	else if (!c->stage->tamper || c->stage->tamper(c->stage, &frame))
		send_frame(c, &frame);
}

static void on_fetch(struct connection *c, const Umsg__Frame *frame)
{
	struct stage *stage = c->stage;
	Umsg__Frame answer = UMSG__FRAME__INIT;
	Umsg__Fetched fetched = UMSG__FETCHED__INIT;
	unsigned given = 0;

	fetched.last = frame->fetch->after;
	fetched.epoch = stage->epoch;
	fetched.more = stage->always_more;
	stage->fetches++;
	for (size_t i = 0; i < STAGE_STORE; i++) {
		const struct stored *s = &stage->store[i];

		if (!s->octets || !whole(s) || s->number <= frame->fetch->after ||
		    strcmp(s->to, c->hello.uri) != 0)
			continue;
		if (given++ == STAGE_PAGE) {
			fetched.more = true;
			break;
		}
		if (deliver(stage, s, frame->request))
			fetched.last = s->number;
	}
	if (stage->forgets_fetches)
		return;
	answer.by_server = 1;
	answer.request = frame->request;
	answer.body_case = UMSG__FRAME__BODY_FETCHED;
	answer.fetched = &fetched;
	send_frame(c, &answer);
}

static void on_taken(struct connection *c, const Umsg__Taken *taken)
{
	struct stage *stage = c->stage;

	stage->takens++;
	for (size_t i = 0; i < STAGE_STORE; i++) {
		struct stored *s = &stage->store[i];

		if (s->octets && strcmp(s->to, c->hello.uri) == 0 &&
		    memcmp(s->id, taken->message_id.data, UMSG_ID_SIZE) == 0) {
			free(s->octets);
			free(s->more);
			s->octets = NULL;
			s->more = NULL;
		}
	}
}

static void send_busy(struct connection *c, const Umsg__Frame *frame, uint32_t rest_s)
{
	Umsg__Frame answer = UMSG__FRAME__INIT;
	Umsg__Error error = UMSG__ERROR__INIT;

	error.code = c->stage->because ? c->stage->because : UMSG__ERROR_CODE__ERROR_BUSY;
	error.retry_after = c->stage->because ? 0 : rest_s;
	answer.request = frame->request;
	answer.by_server = 1;
	answer.body_case = UMSG__FRAME__BODY_ERROR;
	answer.error = &error;
	send_frame(c, &answer);
}

/* In pieces of 1,000 octets. */
static void on_update_get(struct connection *c, const Umsg__Frame *frame)
{
	struct stage *stage = c->stage;
	Umsg__Frame answer = UMSG__FRAME__INIT;
	Umsg__UpdatePart part = UMSG__UPDATE_PART__INIT;
	struct slice whole = stage->parts[frame->update_get->what];
	struct slice rest = slice_from(whole, frame->update_get->offset);

	stage->update_gets++;
	if (stage->conflicts) {
		stage->conflicts--;
		send_busy(c, frame, stage->conflicts_rest_s ? stage->conflicts_rest_s : 3);
		return;
	}
	part.name = &stage->offered;
	part.what = frame->update_get->what;
	part.total = (uint32_t)whole.n;
	part.offset = frame->update_get->offset;
	part.data = frame_data(slice_of(rest.p, rest.n < 1000 ? rest.n : 1000));
	answer.by_server = 1;
	answer.body_case = UMSG__FRAME__BODY_UPDATE_PART;
	answer.update_part = &part;
	if (stage->forgets_piece) {
		stage->forgets_piece = false;
		stage->forgotten_piece = frame->request;
		return;
	}
	if (stage->forgotten_piece) {
		answer.request = stage->forgotten_piece;
		stage->forgotten_piece = 0;
		send_frame(c, &answer);
	}
	answer.request = frame->request;
	send_frame(c, &answer);
}

static void on_lookup(struct connection *c, const Umsg__Frame *frame)
{
	Umsg__Frame answer = UMSG__FRAME__INIT;
	Umsg__LookupAnswer body = UMSG__LOOKUP_ANSWER__INIT;

	c->stage->lookups++;
	if (c->stage->silent)
		return;
	body.uri = frame->lookup->uri;
	body.found = c->stage->found;
	body.domain_id = frame_data(c->stage->answered_id);
	answer.request = frame->request;
	answer.by_server = 1;
	answer.body_case = UMSG__FRAME__BODY_LOOKUP_ANSWER;
	answer.lookup_answer = &body;
	send_frame(c, &answer);
}

static void send_done(struct connection *c, const Umsg__Frame *frame)
{
	Umsg__Frame answer = UMSG__FRAME__INIT;
	Umsg__Done done = UMSG__DONE__INIT;

	if (c->stage->silent)
		return;
	answer.request = frame->request;
	answer.by_server = 1;
	answer.body_case = UMSG__FRAME__BODY_DONE;
	answer.done = &done;
	send_frame(c, &answer);
}

static void on_client_data(struct connection *c, const Umsg__Frame *frame)
{
	const Umsg__ClientData *data = frame->client_data;

	c->stage->client_data++;
	snprintf(c->stage->data_name, sizeof(c->stage->data_name), "%s", data->name);
	snprintf(c->stage->data_value, sizeof(c->stage->data_value), "%.*s", (int)data->value.len,
		 data->value.data ? (const char *)data->value.data : "");
	send_done(c, frame);
}

static void serve(struct connection *c, Umsg__Frame *frame)
{
	c->stage->lookups += c->stage->busy && frame->body_case == UMSG__FRAME__BODY_LOOKUP;
	if (c->stage->busy && (frame->body_case == UMSG__FRAME__BODY_BANG ||
			       frame->body_case == UMSG__FRAME__BODY_LOOKUP ||
			       frame->body_case == UMSG__FRAME__BODY_POST ||
			       frame->body_case == UMSG__FRAME__BODY_CLIENT_DATA)) {
		send_busy(c, frame, c->stage->busy_s ? c->stage->busy_s : 3);
		return;
	}
	switch (frame->body_case) {
	case UMSG__FRAME__BODY_REGISTER:
		on_register(c, frame);
		break;
	case UMSG__FRAME__BODY_BANG:
		on_bang(c, frame);
		break;
	case UMSG__FRAME__BODY_TALK:
		on_talk(c, frame);
		break;
	case UMSG__FRAME__BODY_HANGUP:
		c->stage->hangups++;
		hand_on(c->stage, frame);
		break;
	case UMSG__FRAME__BODY_GROWL:
	case UMSG__FRAME__BODY_SIGNAL:
		hand_on(c->stage, frame);
		break;
	case UMSG__FRAME__BODY_POST:
		on_post(c, frame);
		break;
	case UMSG__FRAME__BODY_PART:
		on_part(c, frame->part);
		break;
	case UMSG__FRAME__BODY_PART_ACK:
		on_part_ack(c, frame->part_ack);
		break;
	case UMSG__FRAME__BODY_FETCH:
		on_fetch(c, frame);
		break;
	case UMSG__FRAME__BODY_TAKEN:
		on_taken(c, frame->taken);
		break;
	case UMSG__FRAME__BODY_UPDATE_GET:
		on_update_get(c, frame);
		break;
	case UMSG__FRAME__BODY_LOOKUP:
		on_lookup(c, frame);
		break;
	case UMSG__FRAME__BODY_CLIENT_DATA:
		on_client_data(c, frame);
		break;
	case UMSG__FRAME__BODY_UPDATE_CONFIRM:
		c->stage->confirms++;
		send_done(c, frame);
		break;
	default:
		fail_msg("the client sent %s", frame_name(frame));
	}
}

static void on_link(void *arg, struct link *link, const struct link_event *event)
{
	struct connection *c = arg;
	Umsg__Frame *frame;

	(void)link;
	if (event->kind == LINK_FRAME) {
		assert_int_equal(frame_decode(event->octets, FRAME_FROM_CLIENT, &frame), 0);
		assert_string_equal(frame->from, c->hello.uri);
		serve(c, frame);
		frame_free(&frame);
	} else if (event->kind == LINK_CLOSED) {
		link_free(&c->link);
		c->registered = false;
	}
}

static void on_psk(void *arg, struct link *link, struct slice identity, uint8_t psk_out[LINK_PSK])
{
	struct connection *c = arg;
	struct account_identity parsed;

	(void)link;
	account_identity_parse(identity, &parsed);
	account_identity_open(&parsed, &c->stage->secret, &c->hello);
	memcpy(psk_out, c->hello.psk, LINK_PSK);
}

static const struct link_ops link_ops = { on_link, on_psk };

void stage_accept(evutil_socket_t listening, short what, void *arg)
{
	struct stage *stage = arg;
	int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *c = stage->connections;

	(void)what;
	if (fd < 0)
		return;
	while (c->link)
		c++;
	assert_true(c < stage->connections + STAGE_CONNECTIONS);
	c->stage = stage;
	assert_int_equal(link_accept(stage->links, fd, &link_ops, c, &c->link), 0);
}

void stage_cut(struct stage *stage)
{
	for (size_t i = 0; i < STAGE_CONNECTIONS; i++) {
		link_free(&stage->connections[i].link);
		stage->connections[i].registered = false;
	}
}
