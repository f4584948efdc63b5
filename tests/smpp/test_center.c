/* test_center.c - a message center on loopback: what it is told, and what it tells. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "smpp/center.h"
#include "smpp/note.h"
#include "tests/smpp/fake_center.h"

struct world {
	struct event_base *base;
	struct fake_center *fake;
	uint16_t port;
	struct smpp_center *center;
	char log[20000]; /* events as words */
	char note[SMPP_NOTE_SIZE];
	char why[SMPP_WHY_SIZE];
	struct smpp_handle handle;
	struct smpp_incoming incoming;
	char content[400];
	unsigned n_taken, n_ready, n_incoming, n_receipts;
	bool up, refuses; /* refuses: incoming texts get ESME_RX_T_APPN */
};

static void add(struct world *w, const char *word, const uint8_t *key)
{
	size_t n = strlen(w->log);

	snprintf(w->log + n, sizeof(w->log) - n, "%s%s%.*s", n ? " " : "", word, key ? 4 : 0,
		 key ? (const char *)key : "");
}

static void on_event(void *arg, const struct smpp_center_event *event)
{
	struct world *w = arg;

	switch (event->kind) {
	case SMPP_STATE:
		w->up = event->up;
		snprintf(w->why, sizeof(w->why), "%s", event->why);
		break;
	case SMPP_READY:
		w->n_ready++;
		break;
	case SMPP_PROGRESS:
		snprintf(w->note, sizeof(w->note), "%s", event->note);
		add(w, "progress:", event->key);
		break;
	case SMPP_TAKEN:
		snprintf(w->note, sizeof(w->note), "%s", event->note);
		w->n_taken++;
		add(w, "taken:", event->key);
		break;
	case SMPP_REFUSED:
	case SMPP_LATER:
	case SMPP_LOST:
		snprintf(w->why, sizeof(w->why), "%s", event->why);
		add(w,
		    event->kind == SMPP_REFUSED ? "refused:"
		    : event->kind == SMPP_LATER ? "later:"
						: "lost:",
		    event->key);
		break;
	case SMPP_RECEIPT:
		w->n_receipts++;
		w->handle = event->handle;
		snprintf(w->why, sizeof(w->why), "%s", event->why);
		add(w, event->delivered ? "delivered:" : "failed:", event->key);
		smpp_center_answer(w->center, &event->handle, SMPP_OK);
		break;
	case SMPP_INCOMING:
		w->n_incoming++;
		w->incoming = *event->incoming;
		snprintf(w->content, sizeof(w->content), "%.*s",
			 (int)event->incoming->part.content.n,
			 (const char *)event->incoming->part.content.p);
		add(w, event->incoming->maybe_repeated ? "repeat" : "incoming", NULL);
		smpp_center_answer(w->center, &event->incoming->handle,
				   w->refuses ? SMPP_RX_T_APPN : SMPP_OK);
		break;
	}
}

static struct smpp_center_options usual(const struct world *w)
{
	struct smpp_center_options o = {
		.name = "test",
		.hosts = { { "127.0.0.1", w->port } },
		.n_hosts = 1,
		.session = { .system_id = "tandem", .password = "s3cret" },
		.source = { -1, -1, false },
		.dest = { -1, -1, false },
	};

	return o;
}

static void start(struct world *w, const struct smpp_center_options *o)
{
	assert_int_equal(smpp_center_new(w->base, o, on_event, w, &w->center, NULL), 0);
}

/* Runs the loop until ok holds, at most ten seconds. */
#define RUN_UNTIL(w, ok)                                                                           \
	for (int64_t end_ = clock_mono_ms() + 10000; !(ok);) {                                     \
		struct timeval tick_ = { 0, 20000 };                                               \
		assert_true(clock_mono_ms() < end_);                                               \
		event_base_loopexit((w)->base, &tick_);                                            \
		event_base_loop((w)->base, EVLOOP_ONCE);                                           \
	}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	log_set_verbose(-2);
	w->base = event_base_new();
	w->fake = fake_center_new(w->base, &w->port);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	smpp_center_free(&w->center);
	fake_center_free(&w->fake);
	event_base_loop(w->base, EVLOOP_NONBLOCK);
	event_base_free(w->base);
	free(w);
	return 0;
}

static int submit_noted(struct world *w, const char *key, const char *text, const char *note)
{
	struct smpp_text t = { .from = "+8888", .to = "+46701234567", .text = text, .note = note };
	char why[SMPP_WHY_SIZE];

	snprintf((char *)t.key, sizeof(t.key), "%s", key);
	return smpp_center_submit(w->center, &t, why);
}

static int submit(struct world *w, const char *key, const char *text)
{
	return submit_noted(w, key, text, "");
}

static void bound(struct world *w, const struct smpp_center_options *o)
{
	start(w, o);
	RUN_UNTIL(w, w->up);
}

static void a_text_is_submitted_and_taken(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	const struct fake_submit *s;

	o.receipts = false;
	assert_int_equal((start(w, &o), submit(w, "aaaa", "hello")), -EAGAIN);
	RUN_UNTIL(w, w->up && w->n_ready);
	assert_int_equal(submit(w, "aaaa", "hello"), 0);
	RUN_UNTIL(w, w->n_taken);
	assert_string_equal(w->log, "taken:aaaa");
	s = fake_submit(w->fake, 0);
	assert_memory_equal(s->octets, "hello", 5);
	assert_string_equal(s->source, "8888");
	assert_string_equal(s->dest, "46701234567"); /* CIG-092: with TON international */
	assert_int_equal(s->ton, 1);
	assert_int_equal(s->coding, 0);
	assert_int_equal(s->registered, 0);
}

static void a_long_text_goes_in_parts_with_progress(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	char text[401];

	memset(text, 'x', 400);
	text[400] = '\0';
	bound(w, &o);
	assert_int_equal(submit(w, "long", text), 0);
	RUN_UNTIL(w, w->n_taken);
	assert_string_equal(w->log, "progress:long progress:long taken:long");
	assert_int_equal(fake_submits(w->fake), 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct fake_submit *s = fake_submit(w->fake, i);

		assert_int_equal(s->esm_class, SMPP_ESM_UDH);
		assert_int_equal(s->octets[4], 3);
		assert_int_equal(s->octets[5], i + 1);
		assert_int_equal(s->octets[3], fake_submit(w->fake, 0)->octets[3]);
	}
}

static void a_note_lets_a_long_text_go_on_where_it_was(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	char text[401];

	memset(text, 'x', 400);
	text[400] = '\0';
	bound(w, &o);
	assert_int_equal(submit_noted(w, "long", text, "udh8 gsm 77 3 46701234567 A1,~,A3"), 0);
	RUN_UNTIL(w, w->n_taken);
	assert_int_equal(fake_submits(w->fake), 1);
	assert_int_equal(fake_submit(w->fake, 0)->octets[3], 77);
	assert_int_equal(fake_submit(w->fake, 0)->octets[5], 2);
	assert_string_equal(w->note, "udh8 gsm 77 3 46701234567 A1,A01,A3");
	/* a note of another cut is not believed */
	assert_int_equal(submit_noted(w, "othr", text, "udh16 gsm 77 3 46701234567 A1,~,A3"), 0);
	RUN_UNTIL(w, w->n_taken == 2);
	assert_int_equal(fake_submits(w->fake), 4);
}

static void receipts_are_told_whenever_they_come(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	uint32_t status;

	o.receipts = true;
	bound(w, &o);
	fake_behaviour(w->fake)->receipts = true;
	assert_int_equal(submit(w, "aaaa", "one"), 0);
	RUN_UNTIL(w, w->n_receipts == 1);
	assert_string_equal(w->log, "taken:aaaa delivered:aaaa");
	fake_behaviour(w->fake)->receipts = false;
	fake_behaviour(w->fake)->receipts_first = true;
	assert_int_equal(submit(w, "bbbb", "two"), 0);
	RUN_UNTIL(w, w->n_receipts == 2);
	assert_string_equal(w->log, "taken:aaaa delivered:aaaa taken:bbbb delivered:bbbb");
	RUN_UNTIL(w, fake_answers(w->fake, &status) == 2);
	assert_int_equal(status, SMPP_OK);
	assert_int_equal(fake_submit(w->fake, 0)->registered, 1);
}

static void a_receipt_of_an_earlier_run_is_known_by_its_note(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	struct smpp_pdu receipt = { .command = SMPP_DELIVER_SM,
				    .esm_class = SMPP_ESM_RECEIPT,
				    .source = { 1, 1, slice_str("46701234567") },
				    .short_message = slice_str("id:31 stat:UNDELIV err:011") };
	uint32_t status;

	o.receipts = true;
	bound(w, &o);
	assert_int_equal(smpp_center_await(w->center, (const uint8_t *)"old!............",
					   "udh8 gsm 7 1 46701234567 1F"),
			 0);
	assert_int_equal(smpp_center_await(w->center, (const uint8_t *)"bad.............", "what"),
			 -EINVAL);
	fake_send(w->fake, &receipt); /* 0x1F is 31 */
	RUN_UNTIL(w, w->n_receipts);
	assert_string_equal(w->log, "failed:old!");
	assert_string_equal(w->why, "the message center reports: undeliverable, error 011");
	/* once more: nobody awaits it, but the center must not repeat it for ever */
	fake_send(w->fake, &receipt);
	RUN_UNTIL(w, fake_answers(w->fake, &status) == 2);
	assert_int_equal(status, SMPP_OK);
	assert_int_equal(w->n_incoming, 0);
}

static void throttling_pauses_in_order(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	char key[5];

	o.session.window = 1;
	o.throttle_ms = 50;
	bound(w, &o);
	fake_behaviour(w->fake)->throttle = 3;
	for (unsigned i = 0; i < 5; i++) {
		snprintf(key, sizeof(key), "k%03u", i);
		RUN_UNTIL(w, submit(w, key, key) == 0);
	}
	RUN_UNTIL(w, w->n_taken == 5);
	assert_string_equal(w->log, "taken:k000 taken:k001 taken:k002 taken:k003 taken:k004");
	assert_int_equal(fake_seen(w->fake), 8);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(fake_submit(w->fake, i)->octets[3], '0' + i);
}

static void refusals_are_told_apart(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);

	bound(w, &o);
	fake_behaviour(w->fake)->refuse = SMPP_RINVDSTADR;
	assert_int_equal(submit(w, "aaaa", "x"), 0);
	RUN_UNTIL(w, strlen(w->log));
	assert_string_equal(w->log, "refused:aaaa");
	assert_string_equal(w->why, "the message center refused it: ESME_RINVDSTADR");
	fake_behaviour(w->fake)->refuse = SMPP_RSYSERR;
	assert_int_equal(submit(w, "bbbb", "x"), 0);
	RUN_UNTIL(w, strlen(w->log) > 12);
	assert_string_equal(w->log, "refused:aaaa later:bbbb");
	fake_behaviour(w->fake)->refuse = 0x455; /* a vendor's */
	assert_int_equal(submit(w, "cccc", "x"), 0);
	RUN_UNTIL(w, strlen(w->log) > 24);
	assert_string_equal(w->why, "the message center refused it: 0x00000455");
}

static void a_rule_of_the_center_comes_before_the_protocols(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);

	o.throttle_ms = 50;
	o.rules[0] = (struct smpp_status_rule){ SMPP_RSYSERR, SMPP_FATE_FAIL };
	o.rules[1] = (struct smpp_status_rule){ SMPP_RTHROTTLED, SMPP_FATE_RETRY };
	o.rules[2] = (struct smpp_status_rule){ 0x455, SMPP_FATE_PAUSE };
	o.n_rules = 3;
	bound(w, &o);
	fake_behaviour(w->fake)->refuse = SMPP_RSYSERR;
	assert_int_equal(submit(w, "aaaa", "x"), 0);
	RUN_UNTIL(w, strlen(w->log));
	fake_behaviour(w->fake)->refuse = SMPP_RTHROTTLED;
	assert_int_equal(submit(w, "bbbb", "x"), 0);
	RUN_UNTIL(w, strlen(w->log) > 12);
	assert_string_equal(w->log, "refused:aaaa later:bbbb");
	fake_behaviour(w->fake)->refuse = 0x455;
	assert_int_equal(submit(w, "cccc", "x"), 0);
	RUN_UNTIL(w, fake_seen(w->fake) == 4); /* once more, after the pause */
	fake_behaviour(w->fake)->refuse = SMPP_OK;
	RUN_UNTIL(w, w->n_taken == 1);
	assert_string_equal(w->log, "refused:aaaa later:bbbb taken:cccc");
}

static void what_can_never_go_is_refused_at_once(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	struct smpp_text t = {
		.from = "+8888", .to = "a receiver of more than 20", .text = "x", .note = ""
	};
	char why[SMPP_WHY_SIZE];
	static char text[255 * 153 + 2];

	bound(w, &o);
	assert_int_equal(smpp_center_submit(w->center, &t, why), -EINVAL);
	assert_string_equal(why, "the receiver's address is longer than 20 characters");
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(submit(w, "aaaa", text), -EINVAL);
}

static void a_lost_connection_repeats_what_is_unanswered(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);

	bound(w, &o);
	fake_behaviour(w->fake)->drop_after_submit = true;
	assert_int_equal(submit(w, "aaaa", "one"), 0);
	assert_int_equal(submit(w, "bbbb", "two"), 0);
	RUN_UNTIL(w, w->n_taken == 2);
	assert_int_equal(fake_binds(w->fake), 2);
	assert_string_equal(w->log, "taken:aaaa taken:bbbb");
	assert_memory_equal(fake_submit(w->fake, 0)->octets, "one", 3);
}

static void or_gives_it_back_where_that_is_wanted(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);

	o.give_back = true;
	bound(w, &o);
	fake_behaviour(w->fake)->drop_after_submit = true;
	assert_int_equal(submit(w, "aaaa", "one"), 0);
	RUN_UNTIL(w, strlen(w->log));
	assert_string_equal(w->log, "lost:aaaa");
	assert_int_equal(fake_submits(w->fake), 0);
}

static void a_stopped_center_gives_back_what_is_unanswered(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	char why[SMPP_WHY_SIZE];
	struct smpp_text t = { .from = "1", .to = "2", .text = "x", .note = "" };

	o.give_back = true;
	bound(w, &o);
	fake_behaviour(w->fake)->silent = true;
	assert_int_equal(submit(w, "aaaa", "one"), 0);
	RUN_UNTIL(w, fake_seen(w->fake) == 1);
	smpp_center_stop(w->center);
	assert_string_equal(w->log, "lost:aaaa");
	assert_int_equal(smpp_center_submit(w->center, &t, why), -EAGAIN);
	RUN_UNTIL(w, fake_unbinds(w->fake) == 1);
}

static void a_center_that_never_answers_is_left(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);

	o.session.response_ms = 100;
	bound(w, &o);
	fake_behaviour(w->fake)->silent = true;
	assert_int_equal(submit(w, "aaaa", "one"), 0);
	RUN_UNTIL(w, !w->up);
	assert_string_equal(w->why, "no response to submit_sm");
	fake_behaviour(w->fake)->silent = false;
	RUN_UNTIL(w, w->n_taken);
	assert_int_equal(fake_binds(w->fake), 2);
}

static void garbage_ends_the_connection_and_not_the_center(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);

	bound(w, &o);
	fake_behaviour(w->fake)->garbage = true;
	assert_int_equal(submit(w, "aaaa", "one"), 0);
	RUN_UNTIL(w, w->n_taken);
	assert_int_equal(fake_binds(w->fake), 2);
}

static void a_wrong_password_is_told_and_not_tried_again_soon(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	struct smpp_center_figures figures;

	o.session.password = "wrong";
	start(w, &o);
	RUN_UNTIL(w, w->why[0]);
	assert_string_equal(w->why, "the bind was refused: ESME_RINVPASWD");
	for (int i = 0; i < 20; i++) {
		struct timeval tick = { 0, 20000 };

		event_base_loopexit(w->base, &tick);
		event_base_loop(w->base, 0);
	}
	assert_int_equal(fake_binds(w->fake), 1);
	smpp_center_figures(w->center, &figures);
	assert_string_equal(figures.state, "WAITING");
}

static void the_next_host_is_tried(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	struct fake_center *other;
	uint16_t dead;

	other = fake_center_new(w->base, &dead);
	fake_center_free(&other); /* nobody listens there now */
	o.hosts[1] = o.hosts[0];
	o.hosts[0] = (struct smpp_host){ "127.0.0.1", dead };
	o.n_hosts = 2;
	bound(w, &o);
}

static void a_name_is_a_host_too(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);

	o.hosts[0].host = "localhost"; /* CIG-093 */
	bound(w, &o);
}

static void a_pair_of_connections_sends_and_receives(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	struct smpp_pdu deliver = { .command = SMPP_DELIVER_SM,
				    .source = { 1, 1, slice_str("4670") },
				    .dest = { 0, 1, slice_str("8888") },
				    .short_message = slice_str("in") };

	o.pair = true;
	bound(w, &o);
	assert_int_equal(fake_binds(w->fake), 2);
	assert_int_equal(submit(w, "aaaa", "out"), 0);
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, w->n_taken && w->n_incoming);
	assert_string_equal(w->incoming.from, "+4670");
	assert_string_equal(w->content, "in");
}

static void an_incoming_text_is_answered_by_its_owner(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	struct smpp_pdu deliver = { .command = SMPP_DELIVER_SM,
				    .source = { 1, 1, slice_str("4670") },
				    .dest = { 0, 1, slice_str("8888") },
				    .short_message = slice_str("text") };
	uint32_t status;

	bound(w, &o);
	w->refuses = true;
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, fake_answers(w->fake, &status) == 1);
	assert_int_equal(status, SMPP_RX_T_APPN);
	deliver.coding = 4; /* octets */
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, fake_answers(w->fake, &status) == 2);
	assert_int_equal(status, SMPP_RX_P_APPN);
	assert_int_equal(w->n_incoming, 1);
}

static void the_same_words_are_a_repeat_only_after_a_lost_connection(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);
	struct smpp_pdu deliver = { .command = SMPP_DELIVER_SM,
				    .source = { 1, 1, slice_str("4670") },
				    .dest = { 0, 1, slice_str("8888") },
				    .short_message = slice_str("ok") };

	bound(w, &o);
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, w->n_incoming == 1);
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, w->n_incoming == 2);
	assert_string_equal(w->log, "incoming incoming");
	fake_drop(w->fake);
	RUN_UNTIL(w, !w->up);
	RUN_UNTIL(w, w->up);
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, w->n_incoming == 3);
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, w->n_incoming == 4);
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, w->n_incoming == 5);
	assert_string_equal(w->log, "incoming incoming repeat repeat incoming");
}

static void a_forgotten_text_is_not_told(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);

	bound(w, &o);
	assert_int_equal(submit(w, "aaaa", "one"), 0);
	smpp_center_forget(w->center, (const uint8_t *)"aaaa\0\0\0\0\0\0\0\0\0\0\0\0");
	assert_int_equal(submit(w, "bbbb", "two"), 0);
	RUN_UNTIL(w, w->n_taken);
	assert_string_equal(w->log, "taken:bbbb");
}

static void freeing_says_goodbye(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = usual(w);

	bound(w, &o);
	smpp_center_free(&w->center);
	RUN_UNTIL(w, fake_unbinds(w->fake) == 1);
}

static void notes_read_back(void **state)
{
	static const char *const good[] = { "udh8 gsm 4660 3 46701234567 1A,,~",
					    "payload ucs2 0 1 Tandem id%2Cwith%25signs" };
	static const char *const bad[] = { "",
					   "udh8",
					   "udh9 gsm 1 1 a x",
					   "udh8 gsm 70000 1 a x",
					   "udh8 gsm 1 0 a x",
					   "udh8 gsm 1 256 a x",
					   "udh8 gsm 1 1 a x,y",
					   "udh8 gsm 1 1 a %4",
					   "udh8 gsm 1 1 a %00" };
	struct smpp_note *note = malloc(sizeof(*note));
	char out[SMPP_NOTE_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(smpp_note_read(good[i], note), 0);
		assert_int_equal(smpp_note_write(note, out, sizeof(out)), 0);
		assert_string_equal(out, good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(smpp_note_read(bad[i], note), -EINVAL);
	free(note);
}

#define ON_LOOPBACK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_LOOPBACK(a_text_is_submitted_and_taken),
		ON_LOOPBACK(a_long_text_goes_in_parts_with_progress),
		ON_LOOPBACK(a_note_lets_a_long_text_go_on_where_it_was),
		ON_LOOPBACK(receipts_are_told_whenever_they_come),
		ON_LOOPBACK(a_receipt_of_an_earlier_run_is_known_by_its_note),
		ON_LOOPBACK(throttling_pauses_in_order),
		ON_LOOPBACK(a_rule_of_the_center_comes_before_the_protocols),
		ON_LOOPBACK(refusals_are_told_apart),
		ON_LOOPBACK(what_can_never_go_is_refused_at_once),
		ON_LOOPBACK(a_lost_connection_repeats_what_is_unanswered),
		ON_LOOPBACK(or_gives_it_back_where_that_is_wanted),
		ON_LOOPBACK(a_stopped_center_gives_back_what_is_unanswered),
		ON_LOOPBACK(a_center_that_never_answers_is_left),
		ON_LOOPBACK(garbage_ends_the_connection_and_not_the_center),
		ON_LOOPBACK(a_wrong_password_is_told_and_not_tried_again_soon),
		ON_LOOPBACK(the_next_host_is_tried),
		ON_LOOPBACK(a_name_is_a_host_too),
		ON_LOOPBACK(a_pair_of_connections_sends_and_receives),
		ON_LOOPBACK(an_incoming_text_is_answered_by_its_owner),
		ON_LOOPBACK(the_same_words_are_a_repeat_only_after_a_lost_connection),
		ON_LOOPBACK(a_forgotten_text_is_not_told),
		ON_LOOPBACK(freeing_says_goodbye),
		cmocka_unit_test(notes_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
