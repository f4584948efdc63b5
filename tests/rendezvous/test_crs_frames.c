/* A real crs under clients that have keys and break the rules above WebSocket: any frame at any
 * state, frames over every limit, replays, and objects that are somebody else's. */
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "keys/period.h"
#include "tests/rendezvous/cast.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"
#include "tests/rendezvous/update_file.h"

#define OTHER_SECRET "YWJjZGVmZ2hpamtsbW5vcA=="
#define DENIED_URI "tel:+46709000001"
#define KEYLESS_URI "tel:+46709000002"
#define MALLORY "tel:+46709000003"
#define NOBODY "tel:+46709000004"

static pid_t workers[2];

static int open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char output[SCENE_OUTPUT];

	*state = scene;
	cast_names(state);
	scene_open(scene, "");
	assert_int_equal(scene_cli(scene, "create account other -s " OTHER_SECRET, output), 0);
	scene_start(scene);
	scene_start_relay(scene);
	assert_int_equal(scene_cli(scene, "blacklist add acme " DENIED_URI, output), 0);
	workers[0] = scene_process(scene, "app: worker-0");
	workers[1] = scene_process(scene, "app: worker-1");
	return 0;
}

/* Whatever was said, it cost no worker its life. */
static int close_scene(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(scene_process(scene, "app: worker-0"), workers[0]);
	assert_int_equal(scene_process(scene, "app: worker-1"), workers[1]);
	scene_close(scene);
	free(scene);
	return 0;
}

/* ---- a frame of every body ---- */

/* Everything that a frame of any body points to; good as it is made. */
struct speech {
	Umsg__Frame frame;
	uint8_t id[FRAME_ID], filler[2 * FRAME_RECORD];
	char month[PERIOD_TEXT_SIZE], text[512];
	Umsg__UpdateName name;
	Umsg__Register reg;
	Umsg__ClientData data;
	Umsg__Lookup lookup;
	Umsg__Bang bang;
	Umsg__Session session;
	Umsg__Hangup hangup;
	Umsg__Post post;
	Umsg__Part part;
	Umsg__PartAck part_ack;
	Umsg__Taken taken;
	Umsg__Fetch fetch;
	Umsg__UpdateGet get;
	Umsg__UpdateConfirm confirm;
	Umsg__AdminRequest admin;
	/* of the server's side */
	Umsg__Registered registered;
	Umsg__Denied denied;
	Umsg__Unregistered unregistered;
	Umsg__Error error;
	Umsg__Done done;
	Umsg__LookupAnswer lookup_answer;
	Umsg__BangAnswer bang_answer;
	Umsg__PostAck post_ack;
	Umsg__Deliver deliver;
	Umsg__Notify notify;
	Umsg__Fetched fetched;
	Umsg__UpdatePart update_part;
	Umsg__UpdateNews update_news;
	Umsg__AdminAnswer admin_answer;
};

static ProtobufCBinaryData octets(struct speech *s, size_t n)
{
	return (ProtobufCBinaryData){ .len = n, .data = s->filler };
}

static void make_client_bodies(struct speech *s)
{
	s->reg = (Umsg__Register)UMSG__REGISTER__INIT;
	s->reg.device_id = frame_data(slice_of(s->id, FRAME_ID));
	s->reg.has_keys = true;
	s->data = (Umsg__ClientData)UMSG__CLIENT_DATA__INIT;
	s->data.name = frame_text("client-token");
	s->data.value = octets(s, 10);
	s->lookup = (Umsg__Lookup)UMSG__LOOKUP__INIT;
	s->lookup.uri = frame_text(NOBODY);
	s->bang = (Umsg__Bang)UMSG__BANG__INIT;
	s->bang.session_id = frame_data(slice_of(s->id, FRAME_ID));
	s->bang.i_message = s->bang.sealed = octets(s, 32);
	s->bang.streams = 1;
	s->session = (Umsg__Session)UMSG__SESSION__INIT;
	s->session.session_id = frame_data(slice_of(s->id, FRAME_ID));
	s->session.role = UMSG__CALL_ROLE__RESPONDER;
	s->session.answer_rand = octets(s, FRAME_ID);
	s->session.sealed = octets(s, 32);
	s->hangup = (Umsg__Hangup)UMSG__HANGUP__INIT;
	s->hangup.session = &s->session;
	s->hangup.reason = UMSG__END_REASON__END_HANGUP;
	s->hangup.who = UMSG__ENDED_BY__BY_RESPONDER;
	s->post = (Umsg__Post)UMSG__POST__INIT;
	s->post.message_id = frame_data(slice_of(s->id, FRAME_ID));
	s->post.kind = UMSG__MESSAGE_KIND__KIND_TEXT;
	s->post.i_message = octets(s, 32);
	s->post.total_length = 100;
	s->post.record = octets(s, 100);
	s->part = (Umsg__Part)UMSG__PART__INIT;
	s->part.message_id = s->post.message_id;
	s->part.index = 1;
	s->part.record = octets(s, 100);
	s->part_ack = (Umsg__PartAck)UMSG__PART_ACK__INIT;
	s->part_ack.message_id = s->post.message_id;
	s->part_ack.sender = frame_text(NOBODY);
	s->part_ack.next = 1;
	s->taken = (Umsg__Taken)UMSG__TAKEN__INIT;
	s->taken.message_id = s->post.message_id;
	s->taken.sender = frame_text(NOBODY);
	s->taken.number = 1;
	s->fetch = (Umsg__Fetch)UMSG__FETCH__INIT;
	s->name = (Umsg__UpdateName)UMSG__UPDATE_NAME__INIT;
	period_text(period_of(clock_wall_s()), s->month);
	s->name.month = s->month;
	s->get = (Umsg__UpdateGet)UMSG__UPDATE_GET__INIT;
	s->get.month = s->month;
	s->confirm = (Umsg__UpdateConfirm)UMSG__UPDATE_CONFIRM__INIT;
	s->confirm.name = &s->name;
	s->admin = (Umsg__AdminRequest)UMSG__ADMIN_REQUEST__INIT;
}

static void make_server_bodies(struct speech *s)
{
	s->registered = (Umsg__Registered)UMSG__REGISTERED__INIT;
	s->denied = (Umsg__Denied)UMSG__DENIED__INIT;
	s->unregistered = (Umsg__Unregistered)UMSG__UNREGISTERED__INIT;
	s->error = (Umsg__Error)UMSG__ERROR__INIT;
	s->error.code = UMSG__ERROR_CODE__ERROR_BUSY;
	s->done = (Umsg__Done)UMSG__DONE__INIT;
	s->lookup_answer = (Umsg__LookupAnswer)UMSG__LOOKUP_ANSWER__INIT;
	s->lookup_answer.uri = frame_text(NOBODY);
	s->bang_answer = (Umsg__BangAnswer)UMSG__BANG_ANSWER__INIT;
	s->bang_answer.session_id = s->bang.session_id;
	s->post_ack = (Umsg__PostAck)UMSG__POST_ACK__INIT;
	s->post_ack.message_id = s->post.message_id;
	s->deliver = (Umsg__Deliver)UMSG__DELIVER__INIT;
	s->deliver.post = &s->post;
	s->notify = (Umsg__Notify)UMSG__NOTIFY__INIT;
	s->fetched = (Umsg__Fetched)UMSG__FETCHED__INIT;
	s->update_part = (Umsg__UpdatePart)UMSG__UPDATE_PART__INIT;
	s->update_part.name = &s->name;
	s->update_news = (Umsg__UpdateNews)UMSG__UPDATE_NEWS__INIT;
	s->admin_answer = (Umsg__AdminAnswer)UMSG__ADMIN_ANSWER__INIT;
}

/* The member of a oneof is a pointer, whatever its type: this is what points to it. */
static void *body_of(struct speech *s, Umsg__Frame__BodyCase what)
{
	const struct {
		Umsg__Frame__BodyCase what;
		void *body;
	} bodies[] = {
		{ UMSG__FRAME__BODY_REGISTER, &s->reg },
		{ UMSG__FRAME__BODY_REGISTERED, &s->registered },
		{ UMSG__FRAME__BODY_DENIED, &s->denied },
		{ UMSG__FRAME__BODY_UNREGISTERED, &s->unregistered },
		{ UMSG__FRAME__BODY_ERROR, &s->error },
		{ UMSG__FRAME__BODY_DONE, &s->done },
		{ UMSG__FRAME__BODY_CLIENT_DATA, &s->data },
		{ UMSG__FRAME__BODY_LOOKUP, &s->lookup },
		{ UMSG__FRAME__BODY_LOOKUP_ANSWER, &s->lookup_answer },
		{ UMSG__FRAME__BODY_BANG, &s->bang },
		{ UMSG__FRAME__BODY_BANG_ANSWER, &s->bang_answer },
		{ UMSG__FRAME__BODY_GROWL, &s->session },
		{ UMSG__FRAME__BODY_TALK, &s->session },
		{ UMSG__FRAME__BODY_HANGUP, &s->hangup },
		{ UMSG__FRAME__BODY_SIGNAL, &s->session },
		{ UMSG__FRAME__BODY_POST, &s->post },
		{ UMSG__FRAME__BODY_POST_ACK, &s->post_ack },
		{ UMSG__FRAME__BODY_PART, &s->part },
		{ UMSG__FRAME__BODY_PART_ACK, &s->part_ack },
		{ UMSG__FRAME__BODY_DELIVER, &s->deliver },
		{ UMSG__FRAME__BODY_TAKEN, &s->taken },
		{ UMSG__FRAME__BODY_NOTIFY, &s->notify },
		{ UMSG__FRAME__BODY_FETCH, &s->fetch },
		{ UMSG__FRAME__BODY_FETCHED, &s->fetched },
		{ UMSG__FRAME__BODY_UPDATE_GET, &s->get },
		{ UMSG__FRAME__BODY_UPDATE_PART, &s->update_part },
		{ UMSG__FRAME__BODY_UPDATE_CONFIRM, &s->confirm },
		{ UMSG__FRAME__BODY_UPDATE_NEWS, &s->update_news },
		{ UMSG__FRAME__BODY_ADMIN_REQUEST, &s->admin },
		{ UMSG__FRAME__BODY_ADMIN_ANSWER, &s->admin_answer },
	};

	for (size_t i = 0; i < COUNT(bodies); i++)
		if (bodies[i].what == what)
			return bodies[i].body;
	fail_msg("body %d is not made here", (int)what);
	return NULL;
}

/* A good frame of this body, which the caller may bend. */
static void make(struct speech *s, Umsg__Frame__BodyCase what)
{
	memset(s, 0, sizeof(*s));
	memset(s->id, 'f', sizeof(s->id));
	make_client_bodies(s);
	make_server_bodies(s);
	s->frame = (Umsg__Frame)UMSG__FRAME__INIT;
	s->frame.to = frame_text(NOBODY);
	s->frame.body_case = what;
	s->frame.register_ = body_of(s, what);
}

/* ---- any frame at any state ---- */

enum stage { NEW, DENIED, UPDATES_ONLY, REGISTERED, STAGES };

static const struct {
	const char *uri;
	bool do_not_register, no_keys;
	const char *first; /* what is heard before the frames */
} stages[STAGES] = {
	[NEW] = { NOBODY, true, false, "negotiated" },
	[DENIED] = { DENIED_URI, false, false, "denied 1" },
	[UPDATES_ONLY] = { KEYLESS_URI, false, true, "registered primary updates only" },
	[REGISTERED] = { MALLORY, false, false, "registered primary" },
};

/* What a client may say, and what it then hears.  NULL: nothing. */
static const struct {
	Umsg__Frame__BodyCase what;
	const char *heard[STAGES];
} from_clients[] = {
	{ UMSG__FRAME__BODY_CLIENT_DATA, { "error 4", "denied 1", "error 9", "done" } },
	{ UMSG__FRAME__BODY_LOOKUP, { "error 4", "denied 1", "error 9", "lookup " NOBODY } },
	{ UMSG__FRAME__BODY_BANG, { "error 4", "denied 1", "error 9", "hangup 5 by 2" } },
	{ UMSG__FRAME__BODY_GROWL, { "error 4", "denied 1", "error 9", "error 5" } },
	{ UMSG__FRAME__BODY_TALK, { "error 4", "denied 1", "error 9", "error 5" } },
	{ UMSG__FRAME__BODY_HANGUP, { "error 4", "denied 1", "error 9", NULL } },
	{ UMSG__FRAME__BODY_SIGNAL, { "error 4", "denied 1", "error 9", "error 5" } },
	{ UMSG__FRAME__BODY_POST, { "error 4", "denied 1", "error 9", "post_ack f 5" } },
	{ UMSG__FRAME__BODY_PART, { "error 4", "denied 1", "error 9", "error 5" } },
	{ UMSG__FRAME__BODY_PART_ACK, { "error 4", "denied 1", "error 9", NULL } },
	{ UMSG__FRAME__BODY_TAKEN, { "error 4", "denied 1", "error 9", NULL } },
	{ UMSG__FRAME__BODY_FETCH, { "error 4", "denied 1", "error 9", "fetched" } },
	{ UMSG__FRAME__BODY_UPDATE_GET, { "error 4", "denied 1", "error 5", "error 5" } },
	{ UMSG__FRAME__BODY_UPDATE_CONFIRM, { "error 4", "denied 1", "done", "done" } },
	{ UMSG__FRAME__BODY_ADMIN_REQUEST, { "error 4", "denied 1", "error 9", "error 3" } },
};

static void open_at(struct party *party, struct scene *scene, enum stage stage)
{
	party_open(party, scene,
		   &(struct party_options){ .uri = stages[stage].uri,
					    .generation = 1,
					    .device = 9,
					    .no_keys = stages[stage].no_keys,
					    .do_not_register = stages[stage].do_not_register });
	assert_true(party_hears(party, "negotiated"));
	if (stage != NEW)
		assert_true(party_hears(party, stages[stage].first));
}

/* A fetch is answered in every state: once it is, all before it were. */
static void assert_still_served(struct party *party, enum stage stage, struct speech *s)
{
	static const char *const wanted[STAGES] = { "error 4", "denied 1", "error 9", "fetched" };

	make(s, UMSG__FRAME__BODY_FETCH);
	party_send(party, &s->frame);
	assert_true(party_hears(party, wanted[stage]));
}

static void any_frame_of_a_client_has_its_answer_in_any_state(void **state)
{
	static struct speech s;
	static struct party p;

	for (int stage = NEW; stage < STAGES; stage++) {
		open_at(&p, *state, (enum stage)stage);
		for (size_t i = 0; i < COUNT(from_clients); i++) {
			size_t before = strlen(p.heard);

			make(&s, from_clients[i].what);
			party_send(&p, &s.frame);
			if (from_clients[i].heard[stage])
				assert_true(party_hears(&p, from_clients[i].heard[stage]));
			else
				assert_true(p.looked == before);
		}
		assert_still_served(&p, (enum stage)stage, &s);
		party_close(&p);
	}
}

/* Nobody but the rendezvous may say them: the connection ends, in any state. */
static void a_frame_of_the_server_ends_a_clients_connection(void **state)
{
	static const Umsg__Frame__BodyCase bodies[] = {
		UMSG__FRAME__BODY_REGISTERED,   UMSG__FRAME__BODY_DENIED,
		UMSG__FRAME__BODY_UNREGISTERED, UMSG__FRAME__BODY_ERROR,
		UMSG__FRAME__BODY_DONE,         UMSG__FRAME__BODY_LOOKUP_ANSWER,
		UMSG__FRAME__BODY_BANG_ANSWER,  UMSG__FRAME__BODY_POST_ACK,
		UMSG__FRAME__BODY_DELIVER,      UMSG__FRAME__BODY_NOTIFY,
		UMSG__FRAME__BODY_FETCHED,      UMSG__FRAME__BODY_UPDATE_PART,
		UMSG__FRAME__BODY_UPDATE_NEWS,  UMSG__FRAME__BODY_ADMIN_ANSWER,
	};
	static struct speech s;
	static struct party p;

	for (size_t i = 0; i < COUNT(bodies); i++) {
		open_at(&p, *state, (enum stage)(i % STAGES));
		make(&s, bodies[i]);
		party_send(&p, &s.frame);
		assert_true(party_hears(&p, "closed"));
		party_close(&p);
	}
}

/* A frame in another's name, whatever it says, in any state. */
static void a_forged_sender_ends_the_connection(void **state)
{
	static struct speech s;
	static struct party p;

	for (size_t i = 0; i < COUNT(from_clients); i++) {
		open_at(&p, *state, (enum stage)(i % STAGES));
		make(&s, from_clients[i].what);
		s.frame.from = alice;
		party_send(&p, &s.frame);
		assert_true(party_hears(&p, "closed"));
		party_close(&p);
	}
}

/* ---- limits ---- */

static void long_device(struct speech *s)
{
	s->reg.device_id = octets(s, 17);
}
static void short_device(struct speech *s)
{
	s->reg.device_id = octets(s, 15);
}
static void odd_role(struct speech *s)
{
	s->reg.role = 7;
}
static void odd_text(struct speech *s)
{
	s->reg.software = frame_text("a\x01");
}
static void no_utf8(struct speech *s)
{
	s->reg.software = frame_text("\xc0\xaf");
}
static void long_data(struct speech *s)
{
	s->data.value = octets(s, FRAME_CLIENT_DATA + 1);
}
static void odd_name(struct speech *s)
{
	s->data.name = frame_text("../passwd");
}
static void no_name(struct speech *s)
{
	s->data.name = frame_text("");
}
static void odd_lookup(struct speech *s)
{
	s->lookup.uri = frame_text("sip:a@b");
}
static void long_i_message(struct speech *s)
{
	s->bang.i_message = octets(s, FRAME_I_MESSAGE_MAX + 1);
}
static void long_sealed(struct speech *s)
{
	s->bang.sealed = octets(s, FRAME_SEALED_MAX + 1);
}
static void no_streams(struct speech *s)
{
	s->bang.streams = 0;
}
static void many_streams(struct speech *s)
{
	s->bang.streams = 9;
}
static void nobody_called(struct speech *s)
{
	s->frame.to = frame_text("");
}
static void counted_bang(struct speech *s)
{
	s->bang.counter = 1;
}
static void by_server(struct speech *s)
{
	s->frame.by_server = true;
}
static void no_rand(struct speech *s)
{
	s->session.answer_rand.len = 0;
}
static void short_seal(struct speech *s)
{
	s->session.sealed.len = 15;
}
static void wrong_who(struct speech *s)
{
	s->hangup.who = UMSG__ENDED_BY__BY_INITIATOR;
}
static void no_kind(struct speech *s)
{
	s->post.kind = UMSG__MESSAGE_KIND__KIND_NONE;
}
static void odd_kind(struct speech *s)
{
	s->post.kind = 77;
}
static void short_total(struct speech *s)
{
	s->post.total_length = 99;
}
static void long_total(struct speech *s)
{
	s->post.total_length = 101;
}
static void huge_total(struct speech *s)
{
	s->post.total_length = UINT32_MAX;
}
static void tag_only(struct speech *s)
{
	s->post.total_length = 16, s->post.record.len = 16;
}
static void long_record(struct speech *s)
{
	s->part.record = octets(s, FRAME_RECORD + FRAME_RECORD_TAG + 1);
}
static void part_0(struct speech *s)
{
	s->part.index = 0;
}
static void odd_sender(struct speech *s)
{
	s->taken.sender = frame_text("nobody");
}
static void odd_month(struct speech *s)
{
	s->get.month = frame_text("2026-13");
}
static void offset_of_nothing(struct speech *s)
{
	s->get.offset = 1;
}
static void odd_what(struct speech *s)
{
	s->get.what = 9;
}
static void no_update(struct speech *s)
{
	s->confirm.name = NULL;
}

static void long_text(struct speech *s)
{
	memset(s->text, 'x', FRAME_TEXT_MAX + 1);
	s->reg.software = s->text;
}

static void long_uri(struct speech *s)
{
	snprintf(s->text, sizeof(s->text), "%s;%0250d", NOBODY, 1);
	s->frame.to = s->text;
}

/* Each is one more than what a frame may hold, or what it must not hold. */
static const struct {
	Umsg__Frame__BodyCase what;
	void (*bend)(struct speech *s);
} bent[] = {
	{ UMSG__FRAME__BODY_REGISTER, long_device },
	{ UMSG__FRAME__BODY_REGISTER, short_device },
	{ UMSG__FRAME__BODY_REGISTER, odd_role },
	{ UMSG__FRAME__BODY_REGISTER, odd_text },
	{ UMSG__FRAME__BODY_REGISTER, no_utf8 },
	{ UMSG__FRAME__BODY_REGISTER, long_text },
	{ UMSG__FRAME__BODY_CLIENT_DATA, long_data },
	{ UMSG__FRAME__BODY_CLIENT_DATA, odd_name },
	{ UMSG__FRAME__BODY_CLIENT_DATA, no_name },
	{ UMSG__FRAME__BODY_LOOKUP, odd_lookup },
	{ UMSG__FRAME__BODY_BANG, long_i_message },
	{ UMSG__FRAME__BODY_BANG, long_sealed },
	{ UMSG__FRAME__BODY_BANG, no_streams },
	{ UMSG__FRAME__BODY_BANG, many_streams },
	{ UMSG__FRAME__BODY_BANG, nobody_called },
	{ UMSG__FRAME__BODY_BANG, long_uri },
	{ UMSG__FRAME__BODY_BANG, counted_bang },
	{ UMSG__FRAME__BODY_BANG, by_server },
	{ UMSG__FRAME__BODY_TALK, no_rand },
	{ UMSG__FRAME__BODY_SIGNAL, short_seal },
	{ UMSG__FRAME__BODY_HANGUP, wrong_who },
	{ UMSG__FRAME__BODY_HANGUP, by_server },
	{ UMSG__FRAME__BODY_POST, no_kind },
	{ UMSG__FRAME__BODY_POST, odd_kind },
	{ UMSG__FRAME__BODY_POST, short_total },
	{ UMSG__FRAME__BODY_POST, long_total },
	{ UMSG__FRAME__BODY_POST, huge_total },
	{ UMSG__FRAME__BODY_POST, tag_only },
	{ UMSG__FRAME__BODY_PART, long_record },
	{ UMSG__FRAME__BODY_PART, part_0 },
	{ UMSG__FRAME__BODY_TAKEN, odd_sender },
	{ UMSG__FRAME__BODY_UPDATE_GET, odd_month },
	{ UMSG__FRAME__BODY_UPDATE_GET, offset_of_nothing },
	{ UMSG__FRAME__BODY_UPDATE_GET, odd_what },
	{ UMSG__FRAME__BODY_UPDATE_CONFIRM, no_update },
};

static void a_frame_over_a_limit_ends_the_connection(void **state)
{
	static struct speech s;
	static struct party p;

	for (size_t i = 0; i < COUNT(bent); i++) {
		open_at(&p, *state, REGISTERED);
		make(&s, bent[i].what);
		bent[i].bend(&s);
		party_send(&p, &s.frame);
		if (!party_hears(&p, "closed"))
			fail_msg("row %zu", i);
		party_close(&p);
	}
}

/* ---- what is somebody else's ---- */

static void open_mallory(struct party *party, struct scene *scene, const char *uri)
{
	party_open(party, scene,
		   &(struct party_options){ .uri = uri,
					    .account = "other",
					    .secret = OTHER_SECRET,
					    .generation = 1,
					    .device = 7 });
}

/* A URI belongs to one account: another one's keys for it open the link and nothing else. */
static void a_uri_of_another_account_is_denied(void **state)
{
	static struct party owner, thief;

	cast_attach(&owner, *state, alice, 1);
	open_mallory(&thief, *state, alice);
	assert_true(party_hears(&thief, "denied 5"));
	party_fetch(&thief, 0);
	assert_true(party_hears(&thief, "denied 5"));
	assert_false(party_heard(&owner, "unregistered"));
	party_close(&owner);
	party_close(&thief);
}

static void a_message_is_taken_by_its_receiver_only(void **state)
{
	static struct speech s;
	static struct party a, b, mallory;

	open_mallory(&mallory, *state, "tel:+46708000001");
	assert_true(party_hears(&mallory, "registered"));
	cast_attach(&b, *state, bob, 1);
	party_close(&b);
	cast_attach(&a, *state, alice, 1);
	party_post(&a, bob, 'z', 2000);
	assert_true(party_hears(&a, "post_ack z 0"));
	for (uint64_t number = 0; number < 20; number++) {
		mallory.number = number;
		party_taken(&mallory, alice, 'z');
	}
	make(&s, UMSG__FRAME__BODY_PART_ACK);
	memset(s.id, 'z', sizeof(s.id));
	s.part_ack.sender = alice;
	s.part_ack.next = 0;
	party_send(&mallory, &s.frame);
	party_taken(&a, alice, 'z'); /* nor by its sender */
	assert_still_served(&mallory, REGISTERED, &s);
	assert_false(party_heard(&mallory, "part"));
	assert_false(party_heard(&mallory, "deliver"));
	cast_attach(&b, *state, bob, 1);
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "deliver z from"));
	party_taken(&b, alice, 'z');
	assert_still_served(&b, REGISTERED, &s);
	party_close(&a);
	party_close(&b);
	party_close(&mallory);
}

/* Who is no party of a call cannot ring, take, end or disturb it, even with its id. */
static void a_call_is_its_parties_only(void **state)
{
	static struct speech s;
	static struct party a, b, mallory;

	open_mallory(&mallory, *state, "tel:+46708000001");
	assert_true(party_hears(&mallory, "registered"));
	cast_attach(&a, *state, alice, 1);
	cast_attach(&b, *state, bob, 1);
	party_bang(&a, bob, 'c');
	assert_true(party_hears(&b, "bang from"));
	party_answer(&mallory, alice, 'c', UMSG__FRAME__BODY_TALK);
	assert_true(party_hears(&mallory, "error 5"));
	party_hangup(&mallory, bob, 'c'); /* at bob's home */
	party_answer(&mallory, alice, 'c', UMSG__FRAME__BODY_HANGUP);
	make(&s, UMSG__FRAME__BODY_SIGNAL);
	memset(s.id, 'c', sizeof(s.id));
	s.session.role = UMSG__CALL_ROLE__INITIATOR;
	s.session.answer_rand.len = 0;
	s.frame.to = bob;
	party_send(&mallory, &s.frame);
	assert_true(party_hears(&mallory, "error 5"));
	party_bang(&mallory, bob, 'c'); /* under the same id */
	assert_true(party_hears(&mallory, "error 10"));
	party_answer(&b, alice, 'c', UMSG__FRAME__BODY_TALK);
	assert_true(party_hears(&a, "talk from"));
	party_answer(&b, alice, 'c', UMSG__FRAME__BODY_SIGNAL);
	assert_true(party_hears(&a, "signal from"));
	assert_false(party_heard(&a, "hangup"));
	assert_false(party_heard(&b, "hangup"));
	assert_false(party_heard(&b, "signal"));
	party_hangup(&a, bob, 'c');
	assert_true(party_hears(&b, "hangup 1"));
	party_close(&a);
	party_close(&b);
	party_close(&mallory);
}

/* Its update is nobody's who is not in it. */
static void an_update_is_its_users_only(void **state)
{
	const struct update_file_user users[] = { { alice, 1 }, { bob, 1 } };
	static struct speech s;
	static struct party a, mallory;

	open_mallory(&mallory, *state, "tel:+46708000001");
	assert_true(party_hears(&mallory, "registered"));
	assert_int_equal(update_file_apply(*state, &(struct update_file){ .revision = 1,
									  .users = users,
									  .n_users = 2 }),
			 0);
	make(&s, UMSG__FRAME__BODY_UPDATE_GET);
	party_send(&mallory, &s.frame);
	assert_true(party_hears(&mallory, "error 5"));
	make(&s, UMSG__FRAME__BODY_UPDATE_GET);
	s.get.what = UMSG__UPDATE_WHAT__UPDATE_SHARED;
	party_send(&mallory, &s.frame);
	assert_true(party_hears(&mallory, "error 5"));
	assert_false(party_heard(&mallory, "update_news"));
	cast_attach(&a, *state, alice, 1);
	make(&s, UMSG__FRAME__BODY_UPDATE_GET);
	party_send(&a, &s.frame);
	assert_true(party_hears(&a, "update_part"));
	party_close(&a);
	party_close(&mallory);
}

/* ---- replays ---- */

static size_t times(const struct party *party, const char *text)
{
	size_t n = 0;

	for (const char *p = party->heard; (p = strstr(p, text)); p++)
		n++;
	return n;
}

/* A post that comes again, over the same connection and another one, is answered again and
 * stored once.  One that was taken is known by its receiver's client, which takes it again. */
static void a_repeated_post_is_acknowledged_and_stored_once(void **state)
{
	static struct party a, b;

	cast_attach(&b, *state, bob, 1);
	party_close(&b);
	cast_attach(&a, *state, alice, 1);
	for (int i = 0; i < 3; i++) {
		party_post(&a, bob, 'r', 300);
		assert_true(party_hears(&a, "post_ack r 0"));
	}
	party_close(&a);
	cast_attach(&a, *state, alice, 1);
	party_post(&a, bob, 'r', 300);
	assert_true(party_hears(&a, "post_ack r 0"));
	cast_attach(&b, *state, bob, 1);
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "fetched"));
	assert_int_equal(times(&b, "deliver r from"), 1);
	party_taken(&b, alice, 'r');
	party_taken(&b, alice, 'r');
	party_post(&a, bob, 'r', 300);
	assert_true(party_hears(&b, "deliver r from"));
	party_taken(&b, alice, 'r');
	assert_true(party_hears(&a, "post_ack r 0"));
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "fetched"));
	assert_int_equal(times(&b, "deliver r from"), 2);
	party_close(&a);
	party_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_frame_of_a_client_has_its_answer_in_any_state),
		cmocka_unit_test(a_frame_of_the_server_ends_a_clients_connection),
		cmocka_unit_test(a_forged_sender_ends_the_connection),
		cmocka_unit_test(a_frame_over_a_limit_ends_the_connection),
		cmocka_unit_test(a_uri_of_another_account_is_denied),
		cmocka_unit_test(a_message_is_taken_by_its_receiver_only),
		cmocka_unit_test(a_call_is_its_parties_only),
		cmocka_unit_test(an_update_is_its_users_only),
		cmocka_unit_test(a_repeated_post_is_acknowledged_and_stored_once),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, open_scene, close_scene);
}
