/* A real crs with two accounts: what a client can do to URIs, messages, calls and updates that
 * are somebody else's, and with what it has said before. */
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rendezvous/cast.h"
#include "tests/rendezvous/party.h"
#include "tests/rendezvous/scene.h"
#include "tests/rendezvous/speech.h"
#include "tests/rendezvous/update_file.h"

#define OTHER_SECRET "YWJjZGVmZ2hpamtsbW5vcA=="
#define MALLORY "tel:+46708000001"

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
	scene_note_workers(scene);
	return 0;
}

/* A fetch is answered when all that was said before it is done. */
static void assert_still_served(struct party *party)
{
	party_fetch(party, 0);
	assert_true(party_hears(party, "fetched"));
}

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

	open_mallory(&mallory, *state, MALLORY);
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
	speech_make(&s, UMSG__FRAME__BODY_PART_ACK);
	memset(s.id, 'z', sizeof(s.id));
	s.part_ack.sender = frame_text(alice);
	s.part_ack.next = 1;
	party_send(&mallory, &s.frame);
	party_taken(&a, alice, 'z'); /* nor by its sender */
	assert_still_served(&mallory);
	/* There is no part for it: an empty one says so, as of a message that is gone. */
	assert_true(party_heard(&mallory, "part z 1 0"));
	assert_false(party_heard(&mallory, "deliver"));
	cast_attach(&b, *state, bob, 1);
	party_fetch(&b, 0);
	assert_true(party_hears(&b, "deliver z from"));
	party_taken(&b, alice, 'z');
	assert_still_served(&b);
	party_close(&a);
	party_close(&b);
	party_close(&mallory);
}

/* Who is no party of a call cannot ring, take, end or disturb it, even with its id. */
static void a_call_is_its_parties_only(void **state)
{
	static struct speech s;
	static struct party a, b, mallory;

	open_mallory(&mallory, *state, MALLORY);
	assert_true(party_hears(&mallory, "registered"));
	cast_attach(&a, *state, alice, 1);
	cast_attach(&b, *state, bob, 1);
	party_bang(&a, bob, 'c');
	assert_true(party_hears(&b, "bang from"));
	party_answer(&mallory, alice, 'c', UMSG__FRAME__BODY_TALK);
	assert_true(party_hears(&mallory, "error 5"));
	party_hangup(&mallory, bob, 'c'); /* at bob's home */
	party_answer(&mallory, alice, 'c', UMSG__FRAME__BODY_HANGUP);
	speech_make(&s, UMSG__FRAME__BODY_SIGNAL);
	memset(s.id, 'c', sizeof(s.id));
	s.session.role = UMSG__CALL_ROLE__INITIATOR;
	s.session.answer_rand.len = 0;
	s.frame.to = frame_text(bob);
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

	open_mallory(&mallory, *state, MALLORY);
	assert_true(party_hears(&mallory, "registered"));
	assert_int_equal(update_file_apply(*state, &(struct update_file){ .revision = 1,
									  .users = users,
									  .n_users = 2 }),
			 0);
	speech_make(&s, UMSG__FRAME__BODY_UPDATE_GET);
	party_send(&mallory, &s.frame);
	assert_true(party_hears(&mallory, "error 5"));
	speech_make(&s, UMSG__FRAME__BODY_UPDATE_GET);
	s.get.what = UMSG__UPDATE_WHAT__UPDATE_SHARED;
	party_send(&mallory, &s.frame);
	assert_true(party_hears(&mallory, "error 5"));
	assert_false(party_heard(&mallory, "update_news"));
	cast_attach(&a, *state, alice, 1);
	speech_make(&s, UMSG__FRAME__BODY_UPDATE_GET);
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
	party_fetch(&b, 0); /* answered after what was sent before it */
	assert_true(party_hears(&b, "fetched"));
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
		cmocka_unit_test(a_uri_of_another_account_is_denied),
		cmocka_unit_test(a_message_is_taken_by_its_receiver_only),
		cmocka_unit_test(a_call_is_its_parties_only),
		cmocka_unit_test(an_update_is_its_users_only),
		cmocka_unit_test(a_repeated_post_is_acknowledged_and_stored_once),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, open_scene, cast_close_unharmed);
}
