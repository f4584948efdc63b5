/* Memory runs out while a call is set up, or a message sent, on either side: each allocation
 * in turn fails.  The call is refused or ended, or goes on; nothing is left of it. */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "keys/issued.h"
#include "keys/keystore.h"
#include "keys/period.h"
#include "keys/replay.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/fuzz/fake_link.h"
#include "tests/fuzz/quiet.h"
#include "tests/keys/party.h"
#include "tests/memory/scarce.h"
#include "umsg/client.h"
#include "umsg/frame.h"
#include "umsg/seen.h"

#define ALICE "tel:+1"
#define BOB "tel:+2"

struct side {
	struct keystore *store;
	struct keyset *keyset;
	struct replay *replay;
	struct umsg_seen *seen;
	struct umsg_client *client;
	struct link *link;
	struct umsg_call *call;
	unsigned incoming, answered, ended, messages, taken;
	/* What it sent last: frames of calls and posts */
	uint8_t *sent;
	size_t sent_n;
};

struct scene {
	struct realm realm;
	struct event_base *base;
	struct link_context *links;
	struct side alice, bob;
};

/* ---- the clients' owners ---- */

static const struct umsg_audio_wish wish = { { UMSG_OPUS }, 1, 20 };

static void on_state(void *arg, enum umsg_state state, const char *text)
{
	(void)arg;
	(void)state;
	(void)text;
}

static void on_incoming(void *arg, struct umsg_call *call)
{
	struct side *side = arg;

	side->incoming++;
	side->call = call;
	if (umsg_call_ring(call) == 0)
		umsg_call_answer(call, &wish);
}

static void on_call(void *arg, struct umsg_call *call, enum umsg_call_event event)
{
	struct side *side = arg;

	(void)call;
	side->answered += event == UMSG_CALL_ANSWERED;
	if (event == UMSG_CALL_ENDED) {
		side->ended++;
		side->call = NULL;
	}
}

static void on_message(void *arg, const struct umsg_message *message)
{
	struct side *side = arg;

	side->messages++;
	umsg_client_taken(side->client, message->id, message->from, message->number);
}

static void on_post_ack(void *arg, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
			const char *text, unsigned retry_after_s)
{
	(void)arg;
	(void)id;
	(void)error;
	(void)text;
	(void)retry_after_s;
}

static bool on_receipt(void *arg, const char *from, const uint8_t id[UMSG_ID_SIZE],
		       Umsg__ReceiptState state, const char *reason)
{
	(void)arg;
	(void)from;
	(void)id;
	(void)state;
	(void)reason;
	return true;
}

static const struct umsg_client_ops ops = {
	.state = on_state,
	.incoming = on_incoming,
	.call = on_call,
	.message = on_message,
	.post_ack = on_post_ack,
	.receipt = on_receipt,
};

/* ---- the scene ---- */

static void on_sent(void *arg, struct link *link, struct slice octets)
{
	struct scene *scene = arg;
	struct side *side = link == scene->alice.link ? &scene->alice : &scene->bob;
	Umsg__Frame *frame;

	scarce_pause();
	assert_int_equal(frame_decode(octets, FRAME_FROM_CLIENT, &frame), 0);
	side->taken += frame->body_case == UMSG__FRAME__BODY_TAKEN;
	if (frame->body_case == UMSG__FRAME__BODY_BANG ||
	    frame->body_case == UMSG__FRAME__BODY_TALK ||
	    frame->body_case == UMSG__FRAME__BODY_POST) {
		free(side->sent);
		side->sent = malloc(octets.n);
		assert_non_null(side->sent);
		memcpy(side->sent, octets.p, octets.n);
		side->sent_n = octets.n;
	}
	frame_free(&frame);
	scarce_resume();
}

static void enrol(struct scene *scene, struct side *side, const char *uri, const char *path)
{
	struct letter letter = { .generation = 1,
				 .created = FAKE_CLOCK_START_S,
				 .account = "acme",
				 .address = "192.0.2.1:5223",
				 .domain = "Example",
				 .tls_identity = "someone",
				 .n_months = 1 };
	uint8_t octets[LETTER_OCTETS_MAX];
	struct issued_keys issued;
	size_t n;

	snprintf(letter.uri, sizeof(letter.uri), "%s", uri);
	domain_pack(scene->realm.domain, letter.kpak, letter.z);
	letter.months[0].month = period_of(FAKE_CLOCK_START_S);
	letter.months[0].revision = 1;
	letter.months[0].created = letter.created;
	assert_int_equal(
		master_issue(scene->realm.master, slice_str(uri), letter.months[0].month, &issued),
		0);
	assert_int_equal(issued_pack(&issued, letter.months[0].packed, &n), 0);
	issued_wipe(&issued);
	assert_int_equal(letter_encode(&letter, octets, &n), 0);
	assert_int_equal(keystore_enrol(scene->realm.curves, slice_of(octets, n), path, NULL), 0);
	assert_int_equal(keystore_load(path, KEYSTORE_READ, &side->store, NULL), 0);
	assert_int_equal(keystore_keyset(side->store, scene->realm.curves, scene->realm.domain,
					 &side->keyset),
			 0);
}

static void attach(struct scene *scene, struct side *side)
{
	Umsg__Registered registered = UMSG__REGISTERED__INIT;
	Umsg__Limits limits = UMSG__LIMITS__INIT;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	const struct umsg_client_options options = {
		.base = scene->base,
		.links = scene->links,
		.keys = { side->store, scene->realm.domain, side->keyset, NULL, 0, NULL, 0 },
		.replay = side->replay,
		.seen = side->seen,
		.software = "test 1",
		.ops = &ops,
		.arg = side,
	};
	uint8_t *octets;
	size_t n;

	assert_int_equal(umsg_client_new(&options, &side->client), 0);
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	side->link = fake_link_youngest();
	assert_non_null(side->link);
	fake_link_negotiated(side->link);
	registered.server_time = FAKE_CLOCK_START_S;
	registered.epoch = 1;
	limits.frame_octets = limits.message_octets = 65536;
	registered.limits = &limits;
	frame.by_server = 1;
	frame.request = 1;
	frame.body_case = UMSG__FRAME__BODY_REGISTERED;
	frame.registered = &registered;
	assert_int_equal(frame_encode(&frame, &octets, &n), 0);
	fake_link_frame(side->link, slice_of(octets, n));
	free(octets);
	assert_int_equal(umsg_client_state(side->client), UMSG_ATTACHED);
}

/* With caches of its own each time: what was refused for want of memory is no repeat. */
static void open_side(struct scene *scene, struct side *side)
{
	assert_int_equal(replay_new(100, &side->replay), 0);
	assert_int_equal(umsg_seen_new(100, &side->seen), 0);
	attach(scene, side);
}

static void close_side(struct scene *scene, struct side *side)
{
	umsg_client_free(&side->client);
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
	assert_null(side->call);
	replay_free(&side->replay);
	umsg_seen_free(&side->seen);
	free(side->sent);
	side->sent = NULL;
	side->link = NULL;
	side->sent_n = 0;
	side->incoming = side->answered = side->ended = side->messages = side->taken = 0;
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char dir[] = "/tmp/test_client_memory.XXXXXX", path[64];

	assert_non_null(scene);
	quiet();
	fake_clock_reset();
	fake_link_on_sent(on_sent, scene);
	realm_open(&scene->realm, "Example");
	scene->base = event_base_new();
	assert_int_equal(link_context_new(scene->base, NULL, &scene->links), 0);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a", dir);
	enrol(scene, &scene->alice, ALICE, path);
	unlink(path);
	snprintf(path, sizeof(path), "%s/b", dir);
	enrol(scene, &scene->bob, BOB, path);
	unlink(path);
	snprintf(path, sizeof(path), "%s/a.lock", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/b.lock", dir);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	keyset_free(&scene->alice.keyset);
	keyset_free(&scene->bob.keyset);
	keystore_free(&scene->alice.store);
	keystore_free(&scene->bob.store);
	link_context_free(&scene->links);
	event_base_free(scene->base);
	realm_close(&scene->realm);
	free(scene);
	return 0;
}

/* ---- what the rendezvous does in between ---- */

/* The last frame of one side as the other gets it: a Bang with a leg, a Post in a Deliver. */
static void make_frame(const struct side *from, uint8_t **octets_out, size_t *n_out)
{
	Umsg__StreamIds ids = UMSG__STREAM_IDS__INIT, *streams[] = { &ids };
	Umsg__Deliver deliver = UMSG__DELIVER__INIT;
	Umsg__Leg leg = UMSG__LEG__INIT;
	uint8_t id[16] = { 1 }, key[32] = { 2 };
	Umsg__Frame *frame;
	Umsg__Post *post = NULL;
	Umsg__Frame copy;

	ids.initiator_ssrc = 3;
	ids.responder_ssrc = 4;
	leg.leg_id = frame_data(slice_of(id, sizeof(id)));
	leg.leg_key = frame_data(slice_of(key, sizeof(key)));
	leg.relay_host = frame_text("192.0.2.1");
	leg.relay_port = 146;
	leg.n_streams = 1;
	leg.streams = streams;
	assert_int_equal(
		frame_decode(slice_of(from->sent, from->sent_n), FRAME_FROM_CLIENT, &frame), 0);
	copy = *frame;
	if (frame->body_case == UMSG__FRAME__BODY_BANG) {
		frame->bang->leg = &leg;
	} else if (frame->body_case == UMSG__FRAME__BODY_POST) {
		post = frame->post;
		deliver.post = post;
		deliver.number = 7;
		deliver.epoch = 1;
		copy.body_case = UMSG__FRAME__BODY_DELIVER;
		copy.deliver = &deliver;
	}
	assert_int_equal(frame_encode(&copy, octets_out, n_out), 0);
	if (frame->body_case == UMSG__FRAME__BODY_BANG)
		frame->bang->leg = NULL;
	frame_free(&frame);
}

/* The rendezvous's own answer to Alice's Bang. */
static void make_bang_answer(const struct umsg_call *call, uint8_t **octets_out, size_t *n_out)
{
	Umsg__StreamIds ids = UMSG__STREAM_IDS__INIT, *streams[] = { &ids };
	Umsg__BangAnswer answer = UMSG__BANG_ANSWER__INIT;
	Umsg__Leg leg = UMSG__LEG__INIT;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	uint8_t id[16] = { 5 }, key[32] = { 6 };

	ids.initiator_ssrc = 3;
	ids.responder_ssrc = 4;
	leg.leg_id = frame_data(slice_of(id, sizeof(id)));
	leg.leg_key = frame_data(slice_of(key, sizeof(key)));
	leg.relay_host = frame_text("192.0.2.1");
	leg.relay_port = 146;
	leg.n_streams = 1;
	leg.streams = streams;
	answer.session_id = frame_data(slice_of(umsg_call_id(call), UMSG_ID_SIZE));
	answer.leg = &leg;
	answer.ringing = 1;
	frame.by_server = 1;
	frame.body_case = UMSG__FRAME__BODY_BANG_ANSWER;
	frame.bang_answer = &answer;
	assert_int_equal(frame_encode(&frame, octets_out, n_out), 0);
}

static void deliver(struct side *from, struct side *to)
{
	uint8_t *octets;
	size_t n;

	scarce_pause();
	if (!from->sent) {
		scarce_resume();
		return;
	}
	make_frame(from, &octets, &n);
	scarce_resume();
	if (to->link)
		fake_link_frame(to->link, slice_of(octets, n));
	scarce_pause();
	free(octets);
	scarce_resume();
}

static void answer_bang(struct side *alice)
{
	uint8_t *octets;
	size_t n;

	scarce_pause();
	make_bang_answer(alice->call, &octets, &n);
	scarce_resume();
	fake_link_frame(alice->link, slice_of(octets, n));
	scarce_pause();
	free(octets);
	scarce_resume();
}

/* ---- tests ---- */

static bool call(unsigned n, void *arg)
{
	struct scene *scene = arg;
	struct side *alice = &scene->alice, *bob = &scene->bob;
	bool failed;

	open_side(scene, alice);
	open_side(scene, bob);
	scarce_begin(n);
	if (umsg_call_invite(alice->client, BOB, "", "", &wish, NULL, &alice->call) == 0) {
		answer_bang(alice);
		deliver(alice, bob);
		if (alice->call)
			deliver(bob, alice); /* the TALK */
	}
	failed = scarce_end();
	if (!failed) {
		assert_int_equal(bob->incoming, 1);
		assert_int_equal(alice->answered, 1);
		assert_int_equal(alice->ended + bob->ended, 0);
	}
	/* Whoever said that it is up has all it needs. */
	if (alice->answered && alice->call)
		assert_non_null(umsg_call_media(alice->call));
	close_side(scene, alice);
	close_side(scene, bob);
	return failed;
}

static void a_call_is_refused_or_goes_on(void **state)
{
	assert_true(scarce_each(call, *state) > 20);
}

static bool send_text(unsigned n, void *arg)
{
	struct scene *scene = arg;
	struct side *alice = &scene->alice, *bob = &scene->bob;
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	struct umsg_sealed sealed = { .octets = NULL };
	bool failed;

	body.text = frame_text("hello");
	open_side(scene, alice);
	open_side(scene, bob);
	scarce_begin(n);
	if (umsg_client_seal(alice->client, BOB, &body, 0, &sealed) == 0 &&
	    umsg_client_post(alice->client, slice_of(sealed.octets, sealed.n)) == 0)
		deliver(alice, bob);
	failed = scarce_end();
	assert_true(bob->messages == 1 || (failed && bob->messages == 0));
	/* The rendezvous keeps it until it is taken, and hands it over again. */
	if (alice->sent && !bob->taken)
		deliver(alice, bob);
	if (alice->sent && (bob->messages != 1 || bob->taken != 1))
		fail_msg("allocation %u: shown %u times", n, bob->messages);
	umsg_sealed_clear(&sealed);
	close_side(scene, alice);
	close_side(scene, bob);
	return failed;
}

static void a_text_is_not_sent_or_shown_once(void **state)
{
	assert_true(scarce_each(send_text, *state) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_refused_or_goes_on),
		cmocka_unit_test(a_text_is_not_sent_or_shown_once),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
