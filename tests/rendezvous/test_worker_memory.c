/* Memory runs out in a worker of crs while clients register, call and post: each allocation
 * in turn fails.  Whoever asked is told, or cut off; others go on, and in the end nothing is
 * left of it, at the relay neither.  And what memory would not mend is not asked for again. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fake_clock.h"
#include "tests/fuzz/fake_link.h"
#include "tests/fuzz/fake_worker.h"
#include "tests/fuzz/quiet.h"
#include "tests/memory/scarce.h"

enum { ASKED = 9 }; /* the number of what a client says */

static const uint8_t id[FRAME_ID] = "a session's id!", rand_of[FRAME_ID] = { 7 },
		     sealed[64] = { 1 };

/* What clients were sent. */
static struct heard {
	unsigned registered, bangs, talks, acks, delivered, errors, hangups, answers;
	uint64_t fetched_to;
} heard;

static void on_sent(void *arg, struct link *link, struct slice octets)
{
	Umsg__Frame *frame;

	(void)arg;
	(void)link;
	scarce_pause();
	assert_int_equal(frame_decode(octets, FRAME_FROM_SERVER, &frame), 0);
	heard.registered += frame->body_case == UMSG__FRAME__BODY_REGISTERED;
	heard.bangs += frame->body_case == UMSG__FRAME__BODY_BANG;
	heard.talks += frame->body_case == UMSG__FRAME__BODY_TALK;
	heard.acks += frame->body_case == UMSG__FRAME__BODY_POST_ACK;
	heard.delivered += frame->body_case == UMSG__FRAME__BODY_DELIVER;
	heard.hangups += frame->body_case == UMSG__FRAME__BODY_HANGUP;
	heard.errors += frame->body_case == UMSG__FRAME__BODY_ERROR;
	heard.answers += frame->request == ASKED && frame->body_case != UMSG__FRAME__BODY_DELIVER;
	if (frame->body_case == UMSG__FRAME__BODY_FETCHED)
		heard.fetched_to = frame->fetched->last;
	frame_free(&frame);
	scarce_resume();
}

/* ---- what clients say ---- */

/* By their URI, for a connection that was cut off is gone. */
static struct client *client_of(struct worker *worker, const char *uri)
{
	struct client *client;

	TAILQ_FOREACH(client, &worker->holder->all, in_holder)
	if (strcmp(client->uri, uri) == 0)
		break;
	return client;
}

static void say(struct worker *worker, const char *uri, Umsg__Frame *frame)
{
	struct client *client = client_of(worker, uri);
	uint8_t *octets;
	size_t n;

	if (!client)
		return;
	scarce_pause();
	frame->from = frame_text(uri);
	frame->request = ASKED;
	assert_int_equal(frame_encode(frame, &octets, &n), 0);
	scarce_resume();
	client_frame(client, slice_of(octets, n));
	free(octets);
	fake_worker_run(worker);
}

static void say_register(struct worker *worker, const char *uri)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Register reg = UMSG__REGISTER__INIT;

	reg.device_id = frame_data(slice_of(id, FRAME_ID));
	reg.has_keys = true;
	frame.body_case = UMSG__FRAME__BODY_REGISTER;
	frame.register_ = &reg;
	say(worker, uri, &frame);
}

static void say_bang(struct worker *worker)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Bang bang = UMSG__BANG__INIT;

	bang.session_id = frame_data(slice_of(id, FRAME_ID));
	bang.i_message = bang.sealed = frame_data(slice_of(sealed, sizeof(sealed)));
	bang.streams = 1;
	frame.to = frame_text("tel:+2");
	frame.body_case = UMSG__FRAME__BODY_BANG;
	frame.bang = &bang;
	say(worker, "tel:+1", &frame);
}

static void say_talk(struct worker *worker)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Session session = UMSG__SESSION__INIT;

	session.session_id = frame_data(slice_of(id, FRAME_ID));
	session.role = UMSG__CALL_ROLE__RESPONDER;
	session.answer_rand = frame_data(slice_of(rand_of, FRAME_ID));
	session.sealed = frame_data(slice_of(sealed, sizeof(sealed)));
	frame.to = frame_text("tel:+1");
	frame.body_case = UMSG__FRAME__BODY_TALK;
	frame.talk = &session;
	say(worker, "tel:+2", &frame);
}

static void say_post(struct worker *worker, const char *to)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Post post = UMSG__POST__INIT;

	post.message_id = frame_data(slice_of(id, FRAME_ID));
	post.kind = UMSG__MESSAGE_KIND__KIND_TEXT;
	post.i_message = post.record = frame_data(slice_of(sealed, sizeof(sealed)));
	post.total_length = sizeof(sealed);
	frame.to = frame_text(to);
	frame.body_case = UMSG__FRAME__BODY_POST;
	frame.post = &post;
	say(worker, "tel:+1", &frame);
}

/* ---- the scene ---- */

static struct worker *open_worker(void)
{
	const struct roster_user users[] = { { slice_str("tel:+1"), 1, false },
					     { slice_str("tel:+2"), 1, false },
					     { slice_str("tel:+3"), 1, false } };
	struct worker *worker;

	quiet();
	fake_clock_reset();
	fake_link_on_sent(on_sent, NULL);
	memset(&heard, 0, sizeof(heard));
	worker = fake_worker_new();
	assert_true(roster_apply(worker->roster, "acme", FAKE_CLOCK_START_S, users, 3) >= 0);
	fake_worker_client(worker, "tel:+1", "acme", 1);
	fake_worker_client(worker, "tel:+2", "acme", 1);
	return worker;
}

/* Everybody leaves, time passes: nothing is left. */
static void close_worker(struct worker **workerp)
{
	struct worker *worker = *workerp;

	fake_worker_leave(worker);
	assert_int_equal(sessions_count(worker->home->sessions), 0);
	assert_null(relay_table_first(worker->relay_table));
	fake_worker_free(workerp);
}

/* ---- tests ---- */

/* Whoever was not answered is cut off when the holder's patience ends (HOLDER_REGISTER_MS),
 * and connects again. */
static void register_anew(struct worker *worker)
{
	struct client *client = client_of(worker, "tel:+1");

	if (client && client->state == CLIENT_ASKED)
		client_end(client, "impatient");
	fake_worker_run(worker);
	if (!client_of(worker, "tel:+1"))
		fake_worker_client(worker, "tel:+1", "acme", 1);
	say_register(worker, "tel:+1");
}

static bool registers(unsigned n, void *arg)
{
	struct worker *worker = open_worker();
	bool failed;

	(void)arg;
	scarce_begin(n);
	say_register(worker, "tel:+1");
	failed = scarce_end();
	assert_true(failed || heard.registered == 1);
	if (!heard.registered)
		register_anew(worker);
	assert_int_equal(heard.registered, 1);
	close_worker(&worker);
	return failed;
}

static void a_registration_is_refused_or_done_the_next_time(void **state)
{
	(void)state;
	assert_true(scarce_each(registers, NULL) > 3);
}

static bool call(unsigned n, void *arg)
{
	struct worker *worker = open_worker();
	bool failed;

	(void)arg;
	say_register(worker, "tel:+1");
	say_register(worker, "tel:+2");
	scarce_begin(n);
	say_bang(worker);
	say_talk(worker);
	failed = scarce_end();
	assert_true(failed || (heard.bangs == 1 && heard.talks == 1));
	/* The caller is not left waiting: the callee rings, or it was told, or there is a
	 * limit that ends it (close_worker() sees to that). */
	close_worker(&worker);
	return failed;
}

static void a_call_is_refused_or_goes_on_and_leaves_nothing_behind(void **state)
{
	(void)state;
	assert_true(scarce_each(call, NULL) > 10);
}

static bool post(unsigned n, void *arg)
{
	const char *to = arg;
	struct worker *worker = open_worker();
	bool failed;

	say_register(worker, "tel:+1");
	say_register(worker, "tel:+2");
	scarce_begin(n);
	say_post(worker, to);
	for (int i = 0; i < 15; i++) { /* longer than a receiver may take to say Taken */
		fake_clock_add_ms(100);
		home_tick(worker->home);
		fake_worker_run(worker);
	}
	failed = scarce_end();
	/* Never both lost and acknowledged as stored. */
	if (heard.acks == 1 && heard.errors == 0 && worker->n_items == 0)
		assert_true(failed);
	assert_true(failed || (heard.acks == 1 && worker->n_items == 1));
	close_worker(&worker);
	return failed;
}

static void a_post_is_refused_or_stored(void **state)
{
	(void)state;
	assert_true(scarce_each(post, (void *)"tel:+2") > 10); /* who is there */
	assert_true(scarce_each(post, (void *)"tel:+3") > 5);  /* who is not */
}

/* A home was started again, and its holders tell it who is there. */
static bool is_known_again(unsigned n, void *arg)
{
	struct worker *worker = open_worker();
	bool failed;

	(void)arg;
	say_register(worker, "tel:+1");
	home_holder_down(worker->home, 0);
	assert_false(home_is_attached(worker->home, slice_str("tel:+1")));
	scarce_begin(n);
	holder_home_up(worker->holder, 0);
	fake_worker_run(worker);
	home_tick(worker->home);
	fake_worker_run(worker);
	failed = scarce_end();
	if (client_of(worker, "tel:+1") && !home_is_attached(worker->home, slice_str("tel:+1")))
		fail_msg("allocation %u: registered, and not known to its home", n);
	assert_true(failed || client_of(worker, "tel:+1"));
	close_worker(&worker);
	return failed;
}

static void whoever_a_home_cannot_be_told_of_is_cut_off(void **state)
{
	(void)state;
	assert_true(scarce_each(is_known_again, NULL) > 3);
}

/* ---- what is asked is answered, or the connection ends ---- */

static void fetch_as(struct worker *worker, const char *uri)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Fetch fetch = UMSG__FETCH__INIT;

	frame.body_case = UMSG__FRAME__BODY_FETCH;
	frame.fetch = &fetch;
	say(worker, uri, &frame);
}

static void say_fetch(struct worker *worker)
{
	fetch_as(worker, "tel:+1");
}

static void say_lookup(struct worker *worker)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Lookup lookup = UMSG__LOOKUP__INIT;

	lookup.uri = frame_text("tel:+2");
	frame.body_case = UMSG__FRAME__BODY_LOOKUP;
	frame.lookup = &lookup;
	say(worker, "tel:+1", &frame);
}

static void say_data(struct worker *worker)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__ClientData data = UMSG__CLIENT_DATA__INIT;

	data.name = frame_text("client-info");
	data.type = frame_text("x");
	data.value = frame_data(slice_str("{}"));
	frame.body_case = UMSG__FRAME__BODY_CLIENT_DATA;
	frame.client_data = &data;
	say(worker, "tel:+1", &frame);
}

static void say_post_to_nobody(struct worker *worker)
{
	say_post(worker, "tel:+9");
}

static void let_time_pass(struct worker *worker)
{
	for (int i = 0; i < 3; i++) {
		fake_clock_add_ms(100);
		home_tick(worker->home);
		fake_worker_run(worker);
	}
}

static bool is_answered(unsigned n, void *arg)
{
	void (*const *say_it)(struct worker *) = arg;
	struct worker *worker = open_worker();
	bool failed;

	say_register(worker, "tel:+1");
	heard.answers = 0;
	scarce_begin(n);
	(*say_it)(worker);
	let_time_pass(worker);
	failed = scarce_end();
	if (heard.answers == 0 && client_of(worker, "tel:+1"))
		fail_msg("allocation %u: neither an answer nor an end", n);
	assert_true(failed || heard.answers > 0);
	close_worker(&worker);
	return failed;
}

static void whoever_asks_is_answered_or_cut_off(void **state)
{
	static void (*const asks[])(struct worker *) = { say_fetch, say_lookup, say_data,
							 say_post_to_nobody };

	(void)state;
	for (size_t i = 0; i < COUNT(asks); i++)
		assert_true(scarce_each(is_answered, (void *)(uintptr_t)&asks[i]) > 2);
}

/* What the page says it ends with is what the client asks on behind. */
static bool fetches(unsigned n, void *arg)
{
	struct worker *worker = open_worker();
	bool failed;

	(void)arg;
	say_register(worker, "tel:+1");
	say_post(worker, "tel:+3");
	fake_worker_client(worker, "tel:+3", "acme", 1);
	say_register(worker, "tel:+3");
	heard.delivered = 0;
	scarce_begin(n);
	fetch_as(worker, "tel:+3");
	let_time_pass(worker);
	failed = scarce_end();
	assert_true(failed || heard.delivered == 1);
	if (heard.fetched_to > 0 && heard.delivered == 0)
		fail_msg("allocation %u: the client goes on behind what it did not get", n);
	close_worker(&worker);
	return failed;
}

static void no_page_ends_behind_a_message_that_was_not_handed_out(void **state)
{
	(void)state;
	assert_true(scarce_each(fetches, NULL) > 3);
}

static void say_long_post(struct worker *worker, const char *to)
{
	static const uint8_t record[FRAME_RECORD + FRAME_RECORD_TAG];
	Umsg__Frame frame = UMSG__FRAME__INIT, more = UMSG__FRAME__INIT;
	Umsg__Post post = UMSG__POST__INIT;
	Umsg__Part part = UMSG__PART__INIT;

	post.message_id = part.message_id = frame_data(slice_of(id, FRAME_ID));
	post.kind = UMSG__MESSAGE_KIND__KIND_TEXT;
	post.i_message = part.record = frame_data(slice_of(sealed, sizeof(sealed)));
	post.record = frame_data(slice_of(record, sizeof(record)));
	post.total_length = sizeof(record) + sizeof(sealed);
	part.index = 1;
	frame.to = more.to = frame_text(to);
	frame.body_case = UMSG__FRAME__BODY_POST;
	frame.post = &post;
	more.body_case = UMSG__FRAME__BODY_PART;
	more.part = &part;
	say(worker, "tel:+1", &frame);
	say(worker, "tel:+1", &more);
}

static void ask_for_part(struct worker *worker, const char *uri)
{
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__PartAck ack = UMSG__PART_ACK__INIT;

	ack.message_id = frame_data(slice_of(id, FRAME_ID));
	ack.sender = frame_text("tel:+1");
	ack.next = 1;
	frame.body_case = UMSG__FRAME__BODY_PART_ACK;
	frame.part_ack = &ack;
	say(worker, uri, &frame);
}

static bool reads_parts(unsigned n, void *arg)
{
	struct worker *worker = open_worker();
	bool failed;

	(void)arg;
	say_register(worker, "tel:+1");
	say_long_post(worker, "tel:+3");
	assert_int_equal(worker->n_items, 1);
	fake_worker_client(worker, "tel:+3", "acme", 1);
	say_register(worker, "tel:+3");
	heard.answers = 0;
	scarce_begin(n);
	ask_for_part(worker, "tel:+3");
	let_time_pass(worker);
	failed = scarce_end();
	assert_true(failed || worker->part_reads == 1);
	if (worker->part_reads == 0 && heard.answers == 0 && client_of(worker, "tel:+3"))
		fail_msg("allocation %u: neither parts nor an end", n);
	close_worker(&worker);
	return failed;
}

static void whoever_asks_for_parts_gets_them_or_is_cut_off(void **state)
{
	(void)state;
	assert_true(scarce_each(reads_parts, NULL) > 3);
}

/* A post that just fits into its frame, with octets of a later version in it, which readers pass
 * over: in a Deliver it does not fit. */
static void say_widest_post(struct worker *worker, const char *to)
{
	enum { LATER_FIELD = 99, LENGTH_OCTETS = 3 };
	static uint8_t later[FRAME_MAX];
	const uint8_t other_id[FRAME_ID] = "another message";
	ProtobufCMessageUnknownField field = {
		.tag = LATER_FIELD,
		.wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
		.len = FRAME_MAX - 1024,
		.data = later,
	};
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Post post = UMSG__POST__INIT;
	size_t n;

	post.base.n_unknown_fields = 1;
	post.base.unknown_fields = &field;
	post.message_id = frame_data(slice_of(other_id, FRAME_ID));
	post.kind = UMSG__MESSAGE_KIND__KIND_TEXT;
	post.i_message = post.record = frame_data(slice_of(sealed, sizeof(sealed)));
	post.total_length = sizeof(sealed);
	frame.version = FRAME_VERSION;
	frame.request = ASKED;
	frame.from = frame_text("tel:+1");
	frame.to = frame_text(to);
	frame.body_case = UMSG__FRAME__BODY_POST;
	frame.post = &post;
	field.len += FRAME_MAX - umsg__frame__get_packed_size(&frame);
	assert_int_equal(umsg__frame__get_packed_size(&frame), FRAME_MAX);
	n = field.len - LENGTH_OCTETS;
	later[0] = (uint8_t)(n | 0x80);
	later[1] = (uint8_t)(n >> 7 | 0x80);
	later[2] = (uint8_t)(n >> 14);
	say(worker, "tel:+1", &frame);
}

/* Nobody can get it by asking again, and so it must not stand before those behind it. */
static void a_post_that_no_frame_can_deliver_holds_up_no_other(void **state)
{
	struct worker *worker = open_worker();

	(void)state;
	say_register(worker, "tel:+1");
	say_widest_post(worker, "tel:+3");
	say_post(worker, "tel:+3");
	assert_int_equal(heard.acks, 2);
	fake_worker_client(worker, "tel:+3", "acme", 1);
	say_register(worker, "tel:+3");
	heard.delivered = 0;
	fetch_as(worker, "tel:+3");
	let_time_pass(worker);
	assert_int_equal(heard.delivered, 1);
	assert_true(heard.fetched_to > 0);
	close_worker(&worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_registration_is_refused_or_done_the_next_time),
		cmocka_unit_test(a_call_is_refused_or_goes_on_and_leaves_nothing_behind),
		cmocka_unit_test(a_post_is_refused_or_stored),
		cmocka_unit_test(whoever_a_home_cannot_be_told_of_is_cut_off),
		cmocka_unit_test(whoever_asks_is_answered_or_cut_off),
		cmocka_unit_test(no_page_ends_behind_a_message_that_was_not_handed_out),
		cmocka_unit_test(whoever_asks_for_parts_gets_them_or_is_cut_off),
		cmocka_unit_test(a_post_that_no_frame_can_deliver_holds_up_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
