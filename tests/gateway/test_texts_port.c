/* The delivery core with ports that are played here, beside a real mailbox: texts that go out. */
#include "tests/gateway/played_port.h"

#include <errno.h>

/* CIG-065: one message, a file and a center; each gets it once. */
static void every_port_gets_its_own_copy_once(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND };

	add(scene, &played);
	comes(scene, 1);
	LOOP_UNTIL(scene->base, scene->client.receipts == 1);
	assert_int_equal(scene->client.receipt, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED);
	assert_string_equal(scene->client.reason, "");
	assert_int_equal(played.offers, 1);
	assert_true(played.flushes >= 1);
	assert_int_equal(scene_files_in(scene->out, "new"), 1);
	texts_remove_port(&played.port);
}

static void a_port_that_is_away_delays_itself_alone(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_WAIT };

	add(scene, &played);
	for (uint8_t id = 1; id <= 3; id++)
		comes(scene, id);
	LOOP_UNTIL(scene->base, scene_files_in(scene->out, "new") == 3);
	assert_int_equal(played.offers, 1); /* the first, and then it waits */
	assert_int_equal(scene->client.receipts, 0);
	restart(scene, &played);
	played.answer = TEXT_IN_HAND;
	add(scene, &played);
	LOOP_UNTIL(scene->base, scene->client.receipts == 3);
	assert_int_equal(played.offers, 4);
	assert_memory_equal(played.ids + 1, "\1\2\3", 3);       /* in order */
	assert_int_equal(scene_files_in(scene->out, "new"), 3); /* and not there again */
	texts_remove_port(&played.port);
}

static void a_final_refusal_is_told_to_the_sender(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_NEVER };

	add(scene, &played);
	comes(scene, 1);
	LOOP_UNTIL(scene->base, scene->client.receipts == 1);
	assert_int_equal(scene->client.receipt, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED);
	assert_string_equal(scene->client.reason, "not everywhere: the line is cut");
	texts_remove_port(&played.port);
}

static void what_goes_later_lets_others_pass_and_comes_back(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND, .keeps = true };

	add(scene, &played);
	comes(scene, 1);
	comes(scene, 2);
	LOOP_UNTIL(scene->base, played.offers == 2);
	text_port_later(played.port, id_of(1), 0, "throttled");
	text_port_delivered(played.port, id_of(2));
	played.keeps = false;
	LOOP_UNTIL(scene->base, scene->client.receipts == 2);
	assert_int_equal(played.offers, 3);
	assert_int_equal(played.ids[2], 1);
	texts_remove_port(&played.port);
}

static void notes_and_what_is_sent_outlive_a_restart(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND, .keeps = true };

	add(scene, &played);
	comes(scene, 1);
	comes(scene, 2);
	LOOP_UNTIL(scene->base, played.offers == 2);
	assert_int_equal(text_port_keep(played.port, id_of(1), "part 2 of 3"), 0);
	assert_int_equal(text_port_keep(played.port, id_of(9), "x"), -ENOENT);
	assert_int_equal(text_port_sent(played.port, id_of(2), "id=4711"), 0);
	assert_int_equal(played.kept, 0); /* not durable yet */
	LOOP_UNTIL(scene->base, played.kept == 1);
	restart(scene, &played);
	add(scene, &played);
	assert_int_equal(played.restored, 2);
	assert_string_equal(played.restored_note, "id=4711");
	LOOP_UNTIL(scene->base, played.offers == 3); /* what is sent is not offered again */
	assert_int_equal(played.ids[2], 1);
	assert_string_equal(played.note, "part 2 of 3");
	text_port_delivered(played.port, id_of(1));
	text_port_failed(played.port, id_of(2), "unknown subscriber");
	LOOP_UNTIL(scene->base, scene->client.receipts == 2);
	texts_remove_port(&played.port);
}

/* CIG-085: a message is not delivered after its end. */
static void a_text_that_waits_expires(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_WAIT };

	add(scene, &played);
	scene_message_comes(scene, 1, clock_wall_s() + 2);
	LOOP_UNTIL(scene->base, played.offers == 1);
	played.answer = TEXT_IN_HAND;
	/* It is offered every two seconds at the most: its end comes before. */
	text_port_trouble(played.port, "the line is cut");
	LOOP_UNTIL(scene->base, scene->client.receipts == 1);
	assert_int_equal(played.offers, 1);
	assert_string_equal(scene->client.reason, "not everywhere: the line is cut");
	assert_int_equal(texts_counters(scene->texts)->delivered, 1); /* by the mailbox */
	texts_remove_port(&played.port);
}

static void what_is_sent_counts_as_delivered_at_its_end(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND, .keeps = true };

	add(scene, &played);
	scene_message_comes(scene, 1, clock_wall_s() + 2);
	LOOP_UNTIL(scene->base, played.offers == 1);
	assert_int_equal(text_port_sent(played.port, id_of(1), "id=1"), 0);
	LOOP_UNTIL(scene->base, scene->client.receipts == 1);
	assert_int_equal(played.forgotten, 1);
	assert_int_equal(scene->client.receipt, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED);
	texts_remove_port(&played.port);
}

/* ---- the list ---- */

static void what_waits_is_listed_with_its_reason_and_dropped_by_order(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_WAIT };

	add(scene, &played);
	comes(scene, 1);
	LOOP_UNTIL(scene->base, scene_files_in(scene->out, "new") == 1);
	assert_string_equal(listed(scene, "id"), text_id(1));
	assert_string_equal(listed(scene, "direction"), "out");
	assert_string_equal(listed(scene, "where"), "smpp://a@center:2775");
	assert_string_equal(listed(scene, "state"), "waiting");
	assert_string_equal(listed(scene, "why"), "the line is cut");
	assert_string_equal(listed(scene, "from"), "tel:+46701234567");
	assert_string_equal(listed(scene, "to"), "tel:+8888;101");
	assert_int_equal(texts_retry(scene->texts, text_id(1)), 0);
	LOOP_UNTIL(scene->base, played.offers >= 2);
	assert_int_equal(texts_drop(scene->texts, "no id"), -EINVAL);
	assert_int_equal(texts_drop(scene->texts, text_id(2)), -ENOENT);
	assert_int_equal(texts_retry(scene->texts, text_id(2)), -ENOENT);
	assert_int_equal(texts_drop(scene->texts, text_id(1)), 0);
	LOOP_UNTIL(scene->base, scene->client.receipts == 1);
	assert_string_equal(scene->client.reason,
			    "not everywhere: given up by the gateway's administrator");
	texts_remove_port(&played.port);
}

/* However many wait: only what is shown is read from the journal. */
static void a_list_has_the_oldest_and_counts_the_rest(void **state)
{
	static const struct {
		size_t limit, rows;
		int more;
	} cases[] = { { 2, 2, 3 }, { 5, 5, 0 }, { 10, 5, 0 }, { 0, 0, 5 } };
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_WAIT };
	json_t *list, *rows, *id;

	add(scene, &played);
	for (uint8_t i = 1; i <= 5; i++)
		comes(scene, i);
	LOOP_UNTIL(scene->base, scene_files_in(scene->out, "new") == 5);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		list = texts_list(scene->texts, cases[i].limit);
		rows = json_object_get(list, "messages");
		assert_int_equal(json_array_size(rows), cases[i].rows);
		assert_int_equal(json_integer_value(json_object_get(list, "more")), cases[i].more);
		id = json_object_get(json_array_get(rows, 0), "id");
		assert_string_equal(cases[i].rows ? json_string_value(id) : text_id(1), text_id(1));
		json_decref(list);
	}
	texts_remove_port(&played.port);
}

static void texts_of_a_port_that_is_gone_are_listed_as_such(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_WAIT };

	add(scene, &played);
	comes(scene, 1);
	LOOP_UNTIL(scene->base, played.offers == 1);
	restart(scene, &played);
	LOOP_UNTIL(scene->base, scene_files_in(scene->out, "new") == 1);
	assert_string_equal(listed(scene, "why"), "it is not configured any more");
	assert_int_equal(texts_drop(scene->texts, text_id(1)), 0);
	LOOP_UNTIL(scene->base, scene->client.receipts == 1);
}

static void what_a_port_has_in_hand_is_not_dropped(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND, .keeps = true };

	add(scene, &played);
	comes(scene, 1);
	LOOP_UNTIL(scene->base, played.offers == 1);
	assert_int_equal(texts_drop(scene->texts, text_id(1)), -EBUSY);
	text_port_delivered(played.port, id_of(1));
	LOOP_UNTIL(scene->base, scene->client.receipts == 1);
	texts_remove_port(&played.port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(every_port_gets_its_own_copy_once),
		SCENE_TEST(a_port_that_is_away_delays_itself_alone),
		SCENE_TEST(a_final_refusal_is_told_to_the_sender),
		SCENE_TEST(what_goes_later_lets_others_pass_and_comes_back),
		SCENE_TEST(notes_and_what_is_sent_outlive_a_restart),
		SCENE_TEST(a_text_that_waits_expires),
		SCENE_TEST(what_is_sent_counts_as_delivered_at_its_end),
		SCENE_TEST(what_waits_is_listed_with_its_reason_and_dropped_by_order),
		SCENE_TEST(a_list_has_the_oldest_and_counts_the_rest),
		SCENE_TEST(texts_of_a_port_that_is_gone_are_listed_as_such),
		SCENE_TEST(what_a_port_has_in_hand_is_not_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
