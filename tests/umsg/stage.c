#include "tests/umsg/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "keys/issued.h"
#include "keys/letter.h"
#include "keys/period.h"

#define ACCOUNT "acme"

/* ---- the rendezvous ---- */

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
	Umsg__UpdateName *names[] = { &stage->offered };

	stage->registers++;
	answer.request = frame->request;
	answer.by_server = 1;
	if (stage->deny) {
		denied.text = frame_text("blacklisted");
		answer.body_case = UMSG__FRAME__BODY_DENIED;
		answer.denied = &denied;
		send_frame(c, &answer);
		return;
	}
	c->registered = true;
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

static bool deliver(struct stage *stage, const struct stored *stored)
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
	out.from = frame->from;
	out.to = frame->to;
	out.body_case = UMSG__FRAME__BODY_DELIVER;
	out.deliver = &body;
	hand_on(stage, &out);
	frame_free(&frame);
	return there;
}

static void on_post(struct connection *c, Umsg__Frame *frame)
{
	struct stage *stage = c->stage;
	Umsg__Frame answer = UMSG__FRAME__INIT;
	Umsg__PostAck ack = UMSG__POST_ACK__INIT;
	struct stored *stored = stage->store;

	while (stored->octets)
		stored++;
	assert_true(stored < stage->store + STAGE_STORE);
	snprintf(stored->to, sizeof(stored->to), "%s", frame->to);
	memcpy(stored->id, frame->post->message_id.data, UMSG_ID_SIZE);
	stored->number = ++stage->number;
	assert_int_equal(frame_encode(frame, &stored->octets, &stored->n), 0);
	ack.message_id = frame->post->message_id;
	answer.by_server = 1;
	answer.body_case = UMSG__FRAME__BODY_POST_ACK;
	answer.post_ack = &ack;
	send_frame(c, &answer);
	deliver(stage, stored);
}

static void on_fetch(struct connection *c, const Umsg__Frame *frame)
{
	struct stage *stage = c->stage;
	Umsg__Frame answer = UMSG__FRAME__INIT;
	Umsg__Fetched fetched = UMSG__FETCHED__INIT;

	fetched.last = frame->fetch->after;
	fetched.epoch = stage->epoch;
	for (size_t i = 0; i < STAGE_STORE; i++) {
		const struct stored *s = &stage->store[i];

		if (s->octets && s->number > frame->fetch->after &&
		    strcmp(s->to, c->hello.uri) == 0 && deliver(stage, s))
			fetched.last = s->number;
	}
	answer.by_server = 1;
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
			s->octets = NULL;
		}
	}
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
	part.name = &stage->offered;
	part.what = frame->update_get->what;
	part.total = (uint32_t)whole.n;
	part.offset = frame->update_get->offset;
	part.data = frame_data(slice_of(rest.p, rest.n < 1000 ? rest.n : 1000));
	answer.request = frame->request;
	answer.by_server = 1;
	answer.body_case = UMSG__FRAME__BODY_UPDATE_PART;
	answer.update_part = &part;
	send_frame(c, &answer);
}

static void serve(struct connection *c, Umsg__Frame *frame)
{
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
	case UMSG__FRAME__BODY_FETCH:
		on_fetch(c, frame);
		break;
	case UMSG__FRAME__BODY_TAKEN:
		on_taken(c, frame->taken);
		break;
	case UMSG__FRAME__BODY_UPDATE_GET:
		on_update_get(c, frame);
		break;
	case UMSG__FRAME__BODY_UPDATE_CONFIRM:
		c->stage->confirms++;
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

static void on_accept(evutil_socket_t listening, short what, void *arg)
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

/* ---- parties ---- */

static void on_state(void *arg, enum umsg_state state, const char *text)
{
	struct party *p = arg;

	p->state = state;
	snprintf(p->text, sizeof(p->text), "%s", text);
}

static void on_incoming(void *arg, struct umsg_call *call)
{
	struct party *p = arg;

	p->incoming++;
	p->call = call;
	snprintf(p->called, sizeof(p->called), "%s", umsg_call_called_extension(call));
	snprintf(p->calling, sizeof(p->calling), "%s", umsg_call_calling_extension(call));
	snprintf(p->from, sizeof(p->from), "%s", umsg_call_from(call));
	if (p->declines) {
		umsg_call_hangup(call, UMSG__END_REASON__END_DECLINED);
		return;
	}
	if (p->rings)
		assert_int_equal(umsg_call_ring(call), 0);
	if (p->answers && umsg_call_answer(call, &p->wish) == 0)
		p->media = *umsg_call_media(call);
}

static void on_call(void *arg, struct umsg_call *call, enum umsg_call_event event)
{
	struct party *p = arg;

	p->progress += event == UMSG_CALL_PROGRESS;
	p->ringing += event == UMSG_CALL_RINGING;
	if (event == UMSG_CALL_ANSWERED) {
		p->answered++;
		p->media = *umsg_call_media(call);
	}
	if (event == UMSG_CALL_DIGIT) {
		p->digits++;
		p->digit = umsg_call_digit(call);
	}
	if (event == UMSG_CALL_ENDED) {
		p->ended++;
		p->end = umsg_call_end(call);
		p->call = NULL;
	}
}

static void on_message(void *arg, const struct umsg_message *message)
{
	struct party *p = arg;

	p->messages++;
	snprintf(p->body, sizeof(p->body), "%s", message->body->text);
	snprintf(p->from, sizeof(p->from), "%s", message->from);
	snprintf(p->domain, sizeof(p->domain), "%s", message->from_domain);
	memcpy(p->id, message->id, UMSG_ID_SIZE);
	p->number = message->number;
	if (!p->keeps)
		assert_int_equal(
			umsg_client_taken(p->client, message->id, message->from, message->number),
			0);
}

static void on_post_ack(void *arg, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
			const char *text, unsigned retry_after_s)
{
	struct party *p = arg;

	(void)id;
	(void)text;
	(void)retry_after_s;
	p->acks++;
	p->ack = error;
}

static bool on_receipt(void *arg, const char *from, const uint8_t id[UMSG_ID_SIZE],
		       Umsg__ReceiptState state, const char *reason)
{
	struct party *p = arg;

	p->receipts++;
	p->receipt = state;
	memcpy(p->receipt_id, id, UMSG_ID_SIZE);
	snprintf(p->receipt_from, sizeof(p->receipt_from), "%s", from);
	snprintf(p->reason, sizeof(p->reason), "%s", reason);
	return true;
}

static bool on_update(void *arg, int64_t month, uint32_t revision, struct slice entry,
		      struct slice shared)
{
	struct party *p = arg;
	const struct slice *parts = p->stage->parts;

	assert_int_equal(month, p->stage->month);
	assert_int_equal(revision, p->stage->offered.revision);
	assert_true(slice_eq(entry, parts[0]));
	assert_true(slice_eq(shared, parts[1]));
	p->updates++;
	return true;
}

static const struct umsg_client_ops client_ops = {
	.state = on_state,
	.incoming = on_incoming,
	.call = on_call,
	.message = on_message,
	.post_ack = on_post_ack,
	.receipt = on_receipt,
	.update = on_update,
};

static void issue(struct stage *stage, const char *uri, struct month_keys *keys)
{
	struct issued_keys issued;
	size_t n;

	assert_int_equal(master_issue(stage->realm.master, slice_str(uri), keys->month, &issued),
			 0);
	assert_int_equal(issued_pack(&issued, keys->packed, &n), 0);
	issued_wipe(&issued);
}

static void enrol(struct party *p, const struct account_secret *secret)
{
	struct stage *stage = p->stage;
	struct letter letter = { .generation = 1,
				 .created = (uint64_t)clock_wall_s(),
				 .account = ACCOUNT,
				 .domain = "Example",
				 .n_months = 2 };
	uint8_t octets[LETTER_OCTETS_MAX];
	size_t n;

	snprintf(letter.uri, sizeof(letter.uri), "%s", p->uri);
	net_format(&stage->addr, letter.address);
	assert_int_equal(account_psk(secret, slice_str(p->uri), ACCOUNT, 1, letter.tls_key), 0);
	assert_int_equal(
		account_identity_make(secret, slice_str(p->uri), ACCOUNT, 1, letter.tls_identity),
		0);
	domain_pack(stage->realm.domain, letter.kpak, letter.z);
	for (size_t i = 0; i < 2; i++) {
		letter.months[i].month = stage->month + (int64_t)i;
		letter.months[i].revision = 1;
		letter.months[i].created = letter.created;
		issue(stage, p->uri, &letter.months[i]);
	}
	assert_int_equal(letter_encode(&letter, octets, &n), 0);
	assert_int_equal(keystore_enrol(stage->realm.curves, slice_of(octets, n), p->path, NULL),
			 0);
}

void stage_client(struct party *p)
{
	const struct umsg_client_options options = {
		.base = p->stage->base,
		.links = p->stage->links,
		.keys = { p->store, p->stage->realm.domain, p->keyset, NULL, 0, NULL, 0 },
		.replay = p->replay,
		.seen = p->seen,
		.software = "test 1",
		.ops = &client_ops,
		.arg = p,
	};

	assert_int_equal(umsg_client_new(&options, &p->client), 0);
}

struct party *stage_enter_with(struct stage *stage, const char *uri,
			       const struct account_secret *secret)
{
	struct party *p = &stage->parties[stage->n_parties];

	p->stage = stage;
	p->uri = uri;
	p->wish = (struct umsg_audio_wish){ { UMSG_OPUS, UMSG_PCMU }, 2, 0 };
	snprintf(p->path, sizeof(p->path), "%s/%zu", stage->dir, stage->n_parties++);
	enrol(p, secret);
	assert_int_equal(keystore_load(p->path, KEYSTORE_READ, &p->store, NULL), 0);
	assert_int_equal(
		keystore_keyset(p->store, stage->realm.curves, stage->realm.domain, &p->keyset), 0);
	assert_int_equal(replay_new(100, &p->replay), 0);
	assert_int_equal(umsg_seen_new(100, &p->seen), 0);
	stage_client(p);
	return p;
}

struct party *stage_enter(struct stage *stage, const char *uri)
{
	struct party *p = stage_enter_with(stage, uri, &stage->secret);

	STAGE_UNTIL(stage, p->state == UMSG_ATTACHED);
	return p;
}

static void leave(struct party *p)
{
	char lock[160];

	umsg_client_free(&p->client);
	umsg_seen_free(&p->seen);
	replay_free(&p->replay);
	keyset_free(&p->keyset);
	keystore_free(&p->store);
	unlink(p->path);
	snprintf(lock, sizeof(lock), "%s.lock", p->path);
	unlink(lock);
}

/* ---- the stage ---- */

int stage_set(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	stage->base = event_base_new();
	assert_int_equal(link_context_new(stage->base, NULL, &stage->links), 0);
	realm_open(&stage->realm, "Example");
	assert_int_equal(account_secret_random(&stage->secret), 0);
	snprintf(stage->dir, sizeof(stage->dir), "/tmp/stage.XXXXXX");
	assert_non_null(mkdtemp(stage->dir));
	stage->month = period_of(clock_wall_s());
	stage->epoch = 7;
	umsg__update_name__init(&stage->offered);
	assert_int_equal(net_parse("127.0.0.1:0", 0, &stage->addr), 0);
	stage->listening = net_tcp_listen(&stage->addr, false);
	assert_true(stage->listening >= 0);
	assert_int_equal(net_local(stage->listening, &stage->addr), 0);
	stage->accepting =
		event_new(stage->base, stage->listening, EV_READ | EV_PERSIST, on_accept, stage);
	event_add(stage->accepting, NULL);
	*state = stage;
	return 0;
}

int stage_strike(void **state)
{
	struct stage *stage = *state;

	for (size_t i = 0; i < stage->n_parties; i++)
		leave(&stage->parties[i]);
	stage_cut(stage);
	for (size_t i = 0; i < STAGE_STORE; i++)
		free(stage->store[i].octets);
	event_free(stage->accepting);
	close(stage->listening);
	rmdir(stage->dir);
	realm_close(&stage->realm);
	link_context_free(&stage->links);
	event_base_free(stage->base);
	free(stage);
	return 0;
}
