/* A real crs under clients that have keys and break the rules above WebSocket: any frame at any
 * state, frames in another's name, frames over every limit. */
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rendezvous/cast.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"
#include "tests/rendezvous/speech.h"

#define DENIED_URI "tel:+46709000001"
#define KEYLESS_URI "tel:+46709000002"
#define MALLORY "tel:+46709000003"

static int open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char output[SCENE_OUTPUT];

	*state = scene;
	cast_names(state);
	scene_open(scene, "");
	scene_start(scene);
	scene_start_relay(scene);
	assert_int_equal(scene_cli(scene, "blacklist add acme " DENIED_URI, output), 0);
	scene_note_workers(scene);
	return 0;
}

/* ---- any frame at any state ---- */

enum stage { NEW, DENIED, UPDATES_ONLY, REGISTERED, STAGES };

static const struct {
	const char *uri;
	bool do_not_register, no_keys;
	const char *first; /* what is heard before the frames */
} stages[STAGES] = {
	[NEW] = { SPEECH_NOBODY, true, false, "negotiated" },
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
	{ UMSG__FRAME__BODY_LOOKUP, { "error 4", "denied 1", "error 9", "lookup " SPEECH_NOBODY } },
	{ UMSG__FRAME__BODY_BANG, { "error 4", "denied 1", "error 9", "hangup 5 by 2" } },
	{ UMSG__FRAME__BODY_GROWL, { "error 4", "denied 1", "error 9", "error 5" } },
	{ UMSG__FRAME__BODY_TALK, { "error 4", "denied 1", "error 9", "error 5" } },
	{ UMSG__FRAME__BODY_HANGUP, { "error 4", "denied 1", "error 9", NULL } },
	{ UMSG__FRAME__BODY_SIGNAL, { "error 4", "denied 1", "error 9", "error 5" } },
	{ UMSG__FRAME__BODY_POST, { "error 4", "denied 1", "error 9", "post_ack f 5" } },
	{ UMSG__FRAME__BODY_PART, { "error 4", "denied 1", "error 9", "error 5" } },
	{ UMSG__FRAME__BODY_PART_ACK, { "error 4", "denied 1", "error 9", "part f 1 0" } },
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

	speech_make(s, UMSG__FRAME__BODY_FETCH);
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

			speech_make(&s, from_clients[i].what);
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
		speech_make(&s, bodies[i]);
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
		speech_make(&s, from_clients[i].what);
		s.frame.from = frame_text(alice);
		party_send(&p, &s.frame);
		assert_true(party_hears(&p, "closed"));
		party_close(&p);
	}
}

/* ---- limits ---- */

static void long_device(struct speech *s)
{
	s->reg.device_id = speech_octets(s, 17);
}
static void short_device(struct speech *s)
{
	s->reg.device_id = speech_octets(s, 15);
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
	s->data.value = speech_octets(s, FRAME_CLIENT_DATA + 1);
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
	s->bang.i_message = speech_octets(s, FRAME_I_MESSAGE_MAX + 1);
}
static void long_sealed(struct speech *s)
{
	s->bang.sealed = speech_octets(s, FRAME_SEALED_MAX + 1);
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
	s->part.record = speech_octets(s, FRAME_RECORD + FRAME_RECORD_TAG + 1);
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
	snprintf(s->text, sizeof(s->text), "%s;%0250d", SPEECH_NOBODY, 1);
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
		speech_make(&s, bent[i].what);
		bent[i].bend(&s);
		party_send(&p, &s.frame);
		if (!party_hears(&p, "closed"))
			fail_msg("row %zu", i);
		party_close(&p);
	}
}

/* What is well-formed and more than the rendezvous takes is refused by its own answer, and the
 * connection stays. */
static void a_message_over_the_limit_is_refused(void **state)
{
	enum { MOST = 32 << 20 };
	static struct speech s;
	static struct party p;

	cast_attach(&p, *state, alice, 1); /* somebody to write to */
	party_close(&p);
	open_at(&p, *state, REGISTERED);
	speech_make(&s, UMSG__FRAME__BODY_POST);
	s.frame.to = frame_text(alice);
	s.post.total_length = MOST + 1;
	s.post.record = speech_octets(&s, FRAME_RECORD + FRAME_RECORD_TAG);
	party_send(&p, &s.frame);
	assert_true(party_hears(&p, "post_ack f 8"));
	s.post.total_length = MOST;
	party_send(&p, &s.frame);
	assert_true(party_hears(&p, "part_ack f 1"));
	speech_make(&s, UMSG__FRAME__BODY_PART); /* and a part that is none of it */
	s.frame.to = frame_text(alice);
	s.part.index = 5000;
	party_send(&p, &s.frame);
	assert_still_served(&p, REGISTERED, &s);
	party_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_frame_of_a_client_has_its_answer_in_any_state),
		cmocka_unit_test(a_frame_of_the_server_ends_a_clients_connection),
		cmocka_unit_test(a_forged_sender_ends_the_connection),
		cmocka_unit_test(a_frame_over_a_limit_ends_the_connection),
		cmocka_unit_test(a_message_over_the_limit_is_refused),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, open_scene, cast_close_unharmed);
}
