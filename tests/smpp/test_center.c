/* test_center.c - a message center on loopback: what it is told, and what it tells. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "smpp/center_priv.h"
#include "tests/smpp/center_world.h"

static void a_text_is_submitted_and_taken(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	const struct fake_submit *s;

	o.receipts = false;
	assert_int_equal((world_start(w, &o), world_submit(w, "aaaa", "hello")), -EAGAIN);
	RUN_UNTIL(w, w->up && w->n_ready);
	assert_int_equal(world_submit(w, "aaaa", "hello"), 0);
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
	struct smpp_center_options o = world_usual(w);
	char text[401];

	memset(text, 'x', 400);
	text[400] = '\0';
	world_bound(w, &o);
	assert_int_equal(world_submit(w, "long", text), 0);
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
	struct smpp_center_options o = world_usual(w);
	char text[401];

	memset(text, 'x', 400);
	text[400] = '\0';
	world_bound(w, &o);
	assert_int_equal(world_submit_noted(w, "long", text, "udh8 gsm 77 3 46701234567 A1,~,A3"),
			 0);
	RUN_UNTIL(w, w->n_taken);
	assert_int_equal(fake_submits(w->fake), 1);
	assert_int_equal(fake_submit(w->fake, 0)->octets[3], 77);
	assert_int_equal(fake_submit(w->fake, 0)->octets[5], 2);
	assert_string_equal(w->note, "udh8 gsm 77 3 46701234567 A1,A01,A3");
	/* a note of another cut is not believed */
	assert_int_equal(world_submit_noted(w, "othr", text, "udh16 gsm 77 3 46701234567 A1,~,A3"),
			 0);
	RUN_UNTIL(w, w->n_taken == 2);
	assert_int_equal(fake_submits(w->fake), 4);
}

static void receipts_are_told_whenever_they_come(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	uint32_t status;

	o.receipts = true;
	world_bound(w, &o);
	fake_behaviour(w->fake)->receipts = true;
	assert_int_equal(world_submit(w, "aaaa", "one"), 0);
	RUN_UNTIL(w, w->n_receipts == 1);
	assert_string_equal(w->log, "taken:aaaa delivered:aaaa");
	fake_behaviour(w->fake)->receipts = false;
	fake_behaviour(w->fake)->receipts_first = true;
	assert_int_equal(world_submit(w, "bbbb", "two"), 0);
	RUN_UNTIL(w, w->n_receipts == 2);
	assert_string_equal(w->log, "taken:aaaa delivered:aaaa taken:bbbb delivered:bbbb");
	RUN_UNTIL(w, fake_answers(w->fake, &status) == 2);
	assert_int_equal(status, SMPP_OK);
	assert_int_equal(fake_submit(w->fake, 0)->registered, 1);
}

static void a_receipt_of_an_earlier_run_is_known_by_its_note(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	struct smpp_pdu receipt = { .command = SMPP_DELIVER_SM,
				    .esm_class = SMPP_ESM_RECEIPT,
				    .source = { 1, 1, slice_str("46701234567") },
				    .short_message = slice_str("id:31 stat:UNDELIV err:011") };
	uint32_t status;

	o.receipts = true;
	world_bound(w, &o);
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

/* Keys come from the senders of texts, and may be chosen. */
static void keys_with_one_beginning_do_not_come_to_one_place(void **state)
{
	enum { TEXTS = 200 };
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	const struct idmap *map;
	size_t seen = 0;

	world_start(w, &o);
	map = &w->center->waiting;
	for (unsigned i = 0; i < TEXTS; i++) {
		uint8_t key[SMPP_KEY_SIZE] = { 0 };

		key[SMPP_KEY_SIZE - 1] = (uint8_t)i;
		assert_int_equal(smpp_center_await(w->center, key, "udh8 gsm 7 1 46701234567 1F"),
				 0);
	}
	for (size_t i = 0; i < (size_t)1 << map->bits; i++)
		for (const struct idmap_node *n = map->buckets[i]; n; n = n->next, seen++)
			assert_null(idmap_next(idmap_first(map, n->key)));
	assert_int_equal(seen, TEXTS);
}

static void throttling_pauses_in_order(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	char key[5];

	o.session.window = 1;
	o.throttle_ms = 50;
	world_bound(w, &o);
	fake_behaviour(w->fake)->throttle = 3;
	for (unsigned i = 0; i < 5; i++) {
		snprintf(key, sizeof(key), "k%03u", i);
		RUN_UNTIL(w, world_submit(w, key, key) == 0);
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
	struct smpp_center_options o = world_usual(w);

	world_bound(w, &o);
	fake_behaviour(w->fake)->refuse = SMPP_RINVDSTADR;
	assert_int_equal(world_submit(w, "aaaa", "x"), 0);
	RUN_UNTIL(w, strlen(w->log));
	assert_string_equal(w->log, "refused:aaaa");
	assert_string_equal(w->why, "the message center refused it: ESME_RINVDSTADR");
	fake_behaviour(w->fake)->refuse = SMPP_RSYSERR;
	assert_int_equal(world_submit(w, "bbbb", "x"), 0);
	RUN_UNTIL(w, strlen(w->log) > 12);
	assert_string_equal(w->log, "refused:aaaa later:bbbb");
	fake_behaviour(w->fake)->refuse = 0x455; /* a vendor's */
	assert_int_equal(world_submit(w, "cccc", "x"), 0);
	RUN_UNTIL(w, strlen(w->log) > 24);
	assert_string_equal(w->why, "the message center refused it: 0x00000455");
}

static void a_rule_of_the_center_comes_before_the_protocols(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);

	o.throttle_ms = 50;
	o.rules[0] = (struct smpp_status_rule){ SMPP_RSYSERR, SMPP_FATE_FAIL };
	o.rules[1] = (struct smpp_status_rule){ SMPP_RTHROTTLED, SMPP_FATE_RETRY };
	o.rules[2] = (struct smpp_status_rule){ 0x455, SMPP_FATE_PAUSE };
	o.n_rules = 3;
	world_bound(w, &o);
	fake_behaviour(w->fake)->refuse = SMPP_RSYSERR;
	assert_int_equal(world_submit(w, "aaaa", "x"), 0);
	RUN_UNTIL(w, strlen(w->log));
	fake_behaviour(w->fake)->refuse = SMPP_RTHROTTLED;
	assert_int_equal(world_submit(w, "bbbb", "x"), 0);
	RUN_UNTIL(w, strlen(w->log) > 12);
	assert_string_equal(w->log, "refused:aaaa later:bbbb");
	fake_behaviour(w->fake)->refuse = 0x455;
	assert_int_equal(world_submit(w, "cccc", "x"), 0);
	RUN_UNTIL(w, fake_seen(w->fake) == 4); /* once more, after the pause */
	fake_behaviour(w->fake)->refuse = SMPP_OK;
	RUN_UNTIL(w, w->n_taken == 1);
	assert_string_equal(w->log, "refused:aaaa later:bbbb taken:cccc");
}

static void what_can_never_go_is_refused_at_once(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	struct smpp_text t = {
		.from = "+8888", .to = "a receiver of more than 20", .text = "x", .note = ""
	};
	char why[SMPP_WHY_SIZE];
	static char text[255 * 153 + 2];

	world_bound(w, &o);
	assert_int_equal(smpp_center_submit(w->center, &t, why), -EINVAL);
	assert_string_equal(why, "the receiver's address is longer than 20 characters");
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(world_submit(w, "aaaa", text), -EINVAL);
}

static void a_pair_of_connections_sends_and_receives(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	struct smpp_pdu deliver = { .command = SMPP_DELIVER_SM,
				    .source = { 1, 1, slice_str("4670") },
				    .dest = { 0, 1, slice_str("8888") },
				    .short_message = slice_str("in") };

	o.pair = true;
	world_bound(w, &o);
	assert_int_equal(fake_binds(w->fake), 2);
	assert_int_equal(world_submit(w, "aaaa", "out"), 0);
	fake_send(w->fake, &deliver);
	RUN_UNTIL(w, w->n_taken && w->n_incoming);
	assert_string_equal(w->incoming.from, "+4670");
	assert_string_equal(w->content, "in");
}

static void an_incoming_text_is_answered_by_its_owner(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);
	struct smpp_pdu deliver = { .command = SMPP_DELIVER_SM,
				    .source = { 1, 1, slice_str("4670") },
				    .dest = { 0, 1, slice_str("8888") },
				    .short_message = slice_str("text") };
	uint32_t status;

	world_bound(w, &o);
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

static void a_forgotten_text_is_not_told(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);

	world_bound(w, &o);
	assert_int_equal(world_submit(w, "aaaa", "one"), 0);
	smpp_center_forget(w->center, (const uint8_t *)"aaaa\0\0\0\0\0\0\0\0\0\0\0\0");
	assert_int_equal(world_submit(w, "bbbb", "two"), 0);
	RUN_UNTIL(w, w->n_taken);
	assert_string_equal(w->log, "taken:bbbb");
}

static void freeing_says_goodbye(void **state)
{
	struct world *w = *state;
	struct smpp_center_options o = world_usual(w);

	world_bound(w, &o);
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
		ON_LOOPBACK(keys_with_one_beginning_do_not_come_to_one_place),
		ON_LOOPBACK(throttling_pauses_in_order),
		ON_LOOPBACK(a_rule_of_the_center_comes_before_the_protocols),
		ON_LOOPBACK(refusals_are_told_apart),
		ON_LOOPBACK(what_can_never_go_is_refused_at_once),
		ON_LOOPBACK(a_pair_of_connections_sends_and_receives),
		ON_LOOPBACK(an_incoming_text_is_answered_by_its_owner),
		ON_LOOPBACK(a_forgotten_text_is_not_told),
		ON_LOOPBACK(freeing_says_goodbye),
		cmocka_unit_test(notes_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
