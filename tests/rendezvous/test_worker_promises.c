/* The two halves of a worker of crs when one of them goes at a bad moment: while a request is
 * under way, or what it would have said.  Whoever waits is told, and nothing is kept for who is
 * gone. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fake_clock.h"
#include "tests/fuzz/fake_link.h"
#include "tests/fuzz/fake_worker.h"
#include "tests/fuzz/quiet.h"
#include "tests/rendezvous/speech.h"

static const char caller[] = "tel:+1", callee[] = "tel:+2", away[] = "tel:+3";

/* What clients were sent. */
static struct heard {
	unsigned frames, errors, hangups, bangs, growls, registered;
	uint64_t request; /* of the last Error */
	uint64_t epoch;   /* of the last Registered, Notify or Fetched */
	unsigned notified, unregistered;
	Umsg__Error error;
	Umsg__EndReason reason;
} heard;

static void on_sent(void *arg, struct link *link, struct slice octets)
{
	Umsg__Frame *frame;

	(void)arg;
	(void)link;
	assert_int_equal(frame_decode(octets, FRAME_FROM_SERVER, &frame), 0);
	heard.frames++;
	heard.bangs += frame->body_case == UMSG__FRAME__BODY_BANG;
	heard.growls += frame->body_case == UMSG__FRAME__BODY_GROWL;
	heard.registered += frame->body_case == UMSG__FRAME__BODY_REGISTERED;
	if (frame->body_case == UMSG__FRAME__BODY_ERROR) {
		heard.errors++;
		heard.request = frame->request;
		heard.error.code = frame->error->code;
		heard.error.retry_after = frame->error->retry_after;
	} else if (frame->body_case == UMSG__FRAME__BODY_HANGUP) {
		heard.hangups++;
		heard.reason = frame->hangup->reason;
	} else if (frame->body_case == UMSG__FRAME__BODY_REGISTERED) {
		heard.epoch = frame->registered->epoch;
	} else if (frame->body_case == UMSG__FRAME__BODY_NOTIFY) {
		heard.notified++;
		heard.epoch = frame->notify->epoch;
	} else if (frame->body_case == UMSG__FRAME__BODY_FETCHED) {
		heard.epoch = frame->fetched->epoch;
	} else if (frame->body_case == UMSG__FRAME__BODY_UNREGISTERED) {
		heard.unregistered++;
	}
	frame_free(&frame);
}

/* ---- what clients say ---- */

/* Nothing happens yet: it is on its way. */
static void say(struct client *client, const char *to, uint64_t request, struct speech *s)
{
	uint8_t *octets;
	size_t n;

	s->frame.to = frame_text(to);
	s->frame.request = request;
	assert_int_equal(frame_encode(&s->frame, &octets, &n), 0);
	client_frame(client, slice_of(octets, n));
	free(octets);
}

static void say_body(struct client *client, const char *to, uint64_t request,
		     Umsg__Frame__BodyCase what)
{
	static struct speech s;

	speech_make(&s, what);
	s.frame.from = client->uri;
	if (strcmp(client->uri, caller) == 0) {
		s.session.role = UMSG__CALL_ROLE__INITIATOR;
		s.session.answer_rand.len = 0;
		s.hangup.who = UMSG__ENDED_BY__BY_INITIATOR;
	}
	say(client, to, request, &s);
}

static struct client *enter(struct worker *worker, const char *uri)
{
	struct client *client = fake_worker_client(worker, uri, "acme", 1);

	say_body(client, "", 1, UMSG__FRAME__BODY_REGISTER);
	fake_worker_run(worker);
	assert_int_equal(client->state, CLIENT_REGISTERED);
	memset(&heard, 0, sizeof(heard));
	return client;
}

static int open_worker(void **state)
{
	const struct roster_user users[] = { { slice_str(caller), 1, false },
					     { slice_str(callee), 1, false },
					     { slice_str(away), 1, false } };
	struct worker *worker;

	quiet();
	memset(&heard, 0, sizeof(heard));
	fake_clock_reset();
	fake_link_on_sent(on_sent, NULL);
	worker = fake_worker_new();
	assert_true(roster_apply(worker->roster, "acme", FAKE_CLOCK_START_S, users, 3) >= 0);
	*state = worker;
	return 0;
}

static int close_worker(void **state)
{
	struct worker *worker = *state;
	bool clean;

	fake_worker_leave(worker);
	clean = sessions_count(worker->home->sessions) == 0 &&
		relay_table_first(worker->relay_table) == NULL;
	fake_worker_free(&worker);
	return clean ? 0 : -1;
}

/* ---- a home dies ---- */

/* What a holder asks a home, and a client has an answer to hear. */
static const Umsg__Frame__BodyCase asks[] = {
	UMSG__FRAME__BODY_LOOKUP,
	UMSG__FRAME__BODY_FETCH,
	UMSG__FRAME__BODY_CLIENT_DATA,
	UMSG__FRAME__BODY_UPDATE_CONFIRM,
};

static void what_a_home_that_died_was_asked_is_refused_for_now(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller);

	for (size_t i = 0; i < COUNT(asks); i++) {
		memset(&heard, 0, sizeof(heard));
		say_body(client, "", 100 + i, asks[i]);
		holder_home_down(worker->holder, 1); /* another one */
		assert_int_equal(heard.frames, 0);
		holder_home_down(worker->holder, 0);
		assert_int_equal(heard.errors, 1);
		assert_int_equal(heard.request, 100 + i);
		assert_int_equal(heard.error.code, UMSG__ERROR_CODE__ERROR_BUSY);
		assert_true(heard.error.retry_after > 0);
		/* Once. */
		holder_home_down(worker->holder, 0);
		assert_int_equal(heard.frames, 1);
		fake_worker_run(worker);
	}
}

static void what_was_answered_is_not_refused_when_its_home_dies(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller);

	for (size_t i = 0; i < COUNT(asks); i++) {
		say_body(client, "", 100 + i, asks[i]);
		fake_worker_run(worker);
		assert_int_equal(client->n_requests, 0);
	}
	/* Nor is what was refused: the store is not there. */
	fake_worker_store(worker, false);
	for (size_t i = 1; i < COUNT(asks); i++) {
		say_body(client, "", 200 + i, asks[i]);
		fake_worker_run(worker);
		assert_int_equal(client->n_requests, 0);
	}
	fake_worker_store(worker, true);
	fake_worker_run(worker);
	memset(&heard, 0, sizeof(heard));
	holder_home_down(worker->holder, 0);
	assert_int_equal(heard.frames, 0);
}

static void no_more_requests_are_noted_than_anybody_asks(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller);

	for (uint64_t i = 1; i <= HOLDER_REQUESTS_NOTED + 5; i++)
		client_note_request(client, 0, i);
	client_note_request(client, 0, 0); /* who wants no answer gets none */
	assert_int_equal(client->n_requests, HOLDER_REQUESTS_NOTED);
	client_forget_request(client, 3); /* of those that made room */
	client_forget_request(client, 6);
	assert_int_equal(client->n_requests, HOLDER_REQUESTS_NOTED - 1);
	holder_home_down(worker->holder, 0);
	assert_int_equal(heard.errors, HOLDER_REQUESTS_NOTED - 1);
	assert_int_equal(client->n_requests, 0);
}

static void a_call_whose_home_died_before_it_answered_ends(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller);

	enter(worker, callee);
	say_body(client, callee, 7, UMSG__FRAME__BODY_BANG);
	holder_home_down(worker->holder, 0);
	assert_int_equal(heard.hangups, 1);
	assert_int_equal(heard.reason, UMSG__END_REASON__END_FAILED);
	assert_int_equal(client->n_sessions, 0);
}

/* ---- a connection is lost ---- */

static void nobody_is_rung_for_who_left_before_he_was_answered(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller);

	enter(worker, callee);
	say_body(client, callee, 7, UMSG__FRAME__BODY_BANG);
	client_end(client, "gone");
	fake_worker_run(worker);
	assert_int_equal(home_calls(worker->home), 0);
	assert_int_equal(heard.bangs, heard.hangups);
}

static void a_call_to_a_device_that_left_before_it_was_rung_ends(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller), *device = enter(worker, callee);

	say_body(client, callee, 7, UMSG__FRAME__BODY_BANG);
	fake_worker_turn(worker, 1); /* the home has it, and asks the relay */
	assert_int_equal(home_calls(worker->home), 1);
	client_end(device, "gone");
	fake_worker_run(worker);
	assert_int_equal(home_calls(worker->home), 0);
	assert_int_equal(heard.hangups, 1);
	assert_int_equal(client->n_sessions, 0);
}

static void a_holder_that_is_gone_leaves_nobody_to_be_woken_up_for(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller);

	worker->setup.push = true;
	say_body(client, away, 7, UMSG__FRAME__BODY_BANG);
	fake_worker_turn(worker, 1);
	assert_int_equal(worker->home->n_sleepers, 1);
	home_holder_down(worker->home, 1); /* another one */
	assert_int_equal(worker->home->n_sleepers, 1);
	home_holder_down(worker->home, 0);
	assert_int_equal(worker->home->n_sleepers, 0);
	fake_worker_run(worker);
	assert_int_equal(sessions_count(worker->home->sessions), 0);
}

/* ---- what crosses ---- */

/* The home has told that it is a call, and hears only then that it is over. */
static void a_caller_who_hangs_up_at_once_is_in_no_call(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller);

	enter(worker, callee);
	for (unsigned turns = 1; turns < 8; turns++) {
		say_body(client, callee, 7, UMSG__FRAME__BODY_BANG);
		fake_worker_turn(worker, turns);
		say_body(client, callee, 8, UMSG__FRAME__BODY_HANGUP);
		fake_worker_run(worker);
		assert_int_equal(home_calls(worker->home), 0);
		assert_int_equal(client->n_sessions, 0);
		fake_clock_add_ms(2 * SESSION_LINGER_MS); /* until the id is free again */
		home_tick(worker->home);
	}
}

static void who_hangs_up_while_the_other_side_rings_is_in_no_call(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller), *device = enter(worker, callee);

	say_body(client, callee, 7, UMSG__FRAME__BODY_BANG);
	fake_worker_run(worker);
	say_body(device, caller, 0, UMSG__FRAME__BODY_GROWL);
	fake_worker_turn(worker, 1); /* it is on its way to the caller */
	say_body(client, callee, 0, UMSG__FRAME__BODY_HANGUP);
	fake_worker_run(worker);
	assert_int_equal(heard.growls, 1);
	assert_int_equal(client->n_sessions, 0);
	assert_int_equal(device->n_sessions, 0);
}

static void an_invitation_that_is_refused_is_no_call(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller), *other = enter(worker, away);

	enter(worker, callee);
	say_body(client, callee, 7, UMSG__FRAME__BODY_BANG);
	fake_worker_run(worker);
	/* The repeat is, and its call goes on. */
	say_body(client, callee, 8, UMSG__FRAME__BODY_BANG);
	fake_worker_run(worker);
	assert_int_equal(heard.request, 8);
	assert_int_equal(client->n_sessions, 1);
	/* Another one's id is in use. */
	say_body(other, callee, 9, UMSG__FRAME__BODY_BANG);
	fake_worker_run(worker);
	assert_int_equal(heard.request, 9);
	assert_int_equal(other->n_sessions, 0);
	assert_int_equal(home_calls(worker->home), 1);
}

/* ---- what was taken, and did not come so far ---- */

static uint64_t epoch_of(struct worker *worker, struct client *client)
{
	say_body(client, "", 5, UMSG__FRAME__BODY_FETCH);
	fake_worker_run(worker);
	return heard.epoch;
}

static void away_has_a_message(struct worker *worker)
{
	struct client *sender = enter(worker, caller);

	say_body(sender, away, 3, UMSG__FRAME__BODY_POST);
	fake_worker_run(worker);
	assert_int_equal(worker->n_items, 1);
}

/* It is the same Redis, of which the connection was lost with what it was to delete: by the same
 * epoch the receiver would ask on behind it. */
static void a_store_that_is_there_again_has_clients_fetch_all_anew(void **state)
{
	struct worker *worker = *state;
	struct client *client;
	uint64_t before;

	away_has_a_message(worker);
	client = enter(worker, away);
	before = epoch_of(worker, client);
	assert_int_equal(before, epoch_of(worker, client));
	heard.notified = 0;
	home_store_down(worker->home);
	home_store_up(worker->home, 1);
	fake_worker_run(worker);
	assert_int_equal(heard.notified, 1);
	assert_int_not_equal(heard.epoch, before);
	assert_int_equal(heard.epoch, epoch_of(worker, client));
}

static void a_home_that_was_started_again_has_clients_fetch_all_anew(void **state)
{
	struct worker *worker = *state, *successor;
	uint64_t before = epoch_of(worker, enter(worker, caller));
	void *other;

	open_worker(&other);
	successor = other;
	assert_int_not_equal(epoch_of(successor, enter(successor, caller)), before);
	assert_int_equal(close_worker(&other), 0);
}

/* ---- registrations ---- */

/* The home has given its place to another one, and does not know yet that it asks anew. */
static void who_registers_anew_is_what_the_home_answers_to_that(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller);
	CrsWorker__Unregister gone = CRS_WORKER__UNREGISTER__INIT;

	gone.connection = client_connection(client);
	gone.reason = frame_text("replaced");
	say_body(client, "", 2, UMSG__FRAME__BODY_REGISTER);
	holder_unregister(worker->holder, &gone);
	fake_worker_run(worker);
	assert_int_equal(heard.registered, 1);
	assert_int_equal(heard.unregistered, 0);
	assert_int_equal(client->state, CLIENT_REGISTERED);
	assert_true(home_is_attached(worker->home, slice_str(caller)));
	/* The same device is there over another connection: then this one goes. */
	gone.close = true;
	say_body(client, "", 3, UMSG__FRAME__BODY_REGISTER);
	holder_unregister(worker->holder, &gone);
	fake_worker_run(worker);
	assert_int_equal(holder_count(worker->holder), 0);
	assert_false(home_is_attached(worker->home, slice_str(caller)));
}

static void pass_a_month(void)
{
	fake_clock_add_ms((int64_t)32 * 24 * 3600 * 1000);
}

static void who_registers_while_a_month_begins_is_locked_out_with_the_others(void **state)
{
	struct worker *worker = *state;
	struct client *client = fake_worker_client(worker, caller, "acme", 1);
	static struct speech s;

	holder_tick(worker->holder);
	speech_make(&s, UMSG__FRAME__BODY_REGISTER);
	say(client, "", 2, &s);
	pass_a_month();
	holder_tick(worker->holder);
	assert_int_equal(client->state, CLIENT_ASKED);
	fake_worker_run(worker);
	assert_int_equal(heard.unregistered, 1);
	assert_int_equal(client->state, CLIENT_UNREGISTERED);
	assert_false(home_is_attached(worker->home, slice_str(caller)));
}

/* What a home says that has no memory for the device just now. */
static void refuse_for_now(struct worker *worker, const struct client *client)
{
	CrsWorker__Attached refused = CRS_WORKER__ATTACHED__INIT;

	refused.connection = client_connection(client);
	refused.reason = frame_text("no memory");
	holder_attached(worker->holder, 0, &refused);
}

/* The month began between its question and the answer, or before the question: it had keys of the
 * former one, and its home would ring it still. */
static void who_is_refused_while_a_month_begins_is_locked_out_with_the_others(void **state)
{
	struct worker *worker = *state;
	struct client *asks_before = enter(worker, caller), *asks_behind = enter(worker, callee);
	static struct speech s;

	holder_tick(worker->holder);
	say_body(asks_before, "", 2, UMSG__FRAME__BODY_REGISTER);
	speech_make(&s, UMSG__FRAME__BODY_REGISTER);
	s.reg.newest = &s.name; /* this month */
	pass_a_month();
	say(asks_behind, "", 2, &s);
	holder_tick(worker->holder);
	refuse_for_now(worker, asks_before);
	refuse_for_now(worker, asks_behind);
	assert_int_equal(heard.errors, 2);
	assert_int_equal(heard.unregistered, 2);
	assert_int_equal(asks_before->state, CLIENT_UNREGISTERED);
	assert_int_equal(asks_behind->state, CLIENT_UNREGISTERED);
}

/* It had given its place to another one before it heard that he asks anew. */
static void who_lost_his_place_and_is_refused_has_none(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller);
	CrsWorker__Unregister gone = CRS_WORKER__UNREGISTER__INIT;

	gone.connection = client_connection(client);
	gone.reason = frame_text("replaced");
	say_body(client, "", 2, UMSG__FRAME__BODY_REGISTER);
	holder_unregister(worker->holder, &gone);
	refuse_for_now(worker, client);
	assert_int_equal(client->state, CLIENT_NEW);
	assert_non_null(client->patience);
	say_body(client, "", 3, UMSG__FRAME__BODY_REGISTER);
	fake_worker_run(worker);
	assert_int_equal(client->state, CLIENT_REGISTERED);
}

/* A floor that cannot be written, of somebody who is registered: there is no question to answer. */
static void whom_a_home_cannot_take_again_is_cut_off(void **state)
{
	struct worker *worker = *state;
	struct client *client = enter(worker, caller);
	CrsWorker__Attach attach = CRS_WORKER__ATTACH__INIT;

	attach.connection = client_connection(client);
	attach.uri = frame_text(caller);
	attach.account = frame_text("acme");
	attach.generation = 2;
	attach.device_id = frame_data(slice_of(client->said.device_id, FRAME_ID));
	attach.primary = attach.again = true;
	worker->floor_err = -EIO;
	home_holder_down(worker->home, 0);
	home_attach(worker->home, 0, &attach);
	fake_worker_run(worker);
	assert_int_equal(holder_count(worker->holder), 0);
}

/* Both floors are on their way before one of them is there: who comes second is denied, and not
 * told that nothing can be written. */
static void who_is_another_accounts_by_now_is_denied(void **state)
{
	struct worker *worker = *state;
	struct client *first = fake_worker_client(worker, "tel:+7", "acme", 1);
	struct client *second = fake_worker_client(worker, "tel:+7", "other", 1);

	say_body(first, "", 2, UMSG__FRAME__BODY_REGISTER);
	say_body(second, "", 2, UMSG__FRAME__BODY_REGISTER);
	fake_worker_run(worker);
	assert_int_equal(heard.registered, 1);
	assert_int_equal(heard.frames, 2);
	assert_int_equal(heard.errors, 0);
}

/* The supervisor knows the owner, of whom nobody told this worker.  To ask again would not help. */
static void whose_floor_is_another_accounts_is_denied(void **state)
{
	struct worker *worker = *state;
	struct client *client = fake_worker_client(worker, "tel:+7", "acme", 1);

	worker->floor_err = -EACCES;
	say_body(client, "", 2, UMSG__FRAME__BODY_REGISTER);
	fake_worker_run(worker);
	assert_int_equal(heard.frames, 1);
	assert_int_equal(heard.errors, 0);
	assert_int_equal(client->state, CLIENT_DENIED);
	assert_int_equal(client->deny_reason, UMSG__DENY_REASON__DENY_OTHER_ACCOUNT);
}

static void whose_floor_cannot_be_written_is_to_ask_again(void **state)
{
	struct worker *worker = *state;
	struct client *client = fake_worker_client(worker, "tel:+7", "acme", 1);

	worker->floor_err = -ENOSPC;
	say_body(client, "", 2, UMSG__FRAME__BODY_REGISTER);
	fake_worker_run(worker);
	assert_int_equal(heard.frames, 1);
	assert_int_equal(heard.errors, 1);
	assert_int_equal(client->state, CLIENT_NEW);
}

#define WORKER_TEST(name) cmocka_unit_test_setup_teardown(name, open_worker, close_worker)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORKER_TEST(what_a_home_that_died_was_asked_is_refused_for_now),
		WORKER_TEST(what_was_answered_is_not_refused_when_its_home_dies),
		WORKER_TEST(no_more_requests_are_noted_than_anybody_asks),
		WORKER_TEST(a_call_whose_home_died_before_it_answered_ends),
		WORKER_TEST(nobody_is_rung_for_who_left_before_he_was_answered),
		WORKER_TEST(a_call_to_a_device_that_left_before_it_was_rung_ends),
		WORKER_TEST(a_holder_that_is_gone_leaves_nobody_to_be_woken_up_for),
		WORKER_TEST(a_caller_who_hangs_up_at_once_is_in_no_call),
		WORKER_TEST(who_hangs_up_while_the_other_side_rings_is_in_no_call),
		WORKER_TEST(an_invitation_that_is_refused_is_no_call),
		WORKER_TEST(a_store_that_is_there_again_has_clients_fetch_all_anew),
		WORKER_TEST(a_home_that_was_started_again_has_clients_fetch_all_anew),
		WORKER_TEST(who_registers_anew_is_what_the_home_answers_to_that),
		WORKER_TEST(who_registers_while_a_month_begins_is_locked_out_with_the_others),
		WORKER_TEST(who_is_refused_while_a_month_begins_is_locked_out_with_the_others),
		WORKER_TEST(who_lost_his_place_and_is_refused_has_none),
		WORKER_TEST(whom_a_home_cannot_take_again_is_cut_off),
		WORKER_TEST(who_is_another_accounts_by_now_is_denied),
		WORKER_TEST(whose_floor_is_another_accounts_is_denied),
		WORKER_TEST(whose_floor_cannot_be_written_is_to_ask_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
