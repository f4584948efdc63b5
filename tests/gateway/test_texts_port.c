/* The delivery core with ports that are played here, beside a real mailbox. */
#include "tests/gateway/text_scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encode.h"
#include "gateway/texts_port.h"

enum { MANY = 64 };

/* ---- a port that is played ---- */

struct played {
	struct text_port *port;
	enum text_answer answer;
	bool keeps; /* answers TEXT_IN_HAND, and says the rest later */
	unsigned offers, flushes, kept, forgotten, restored, stored, posted;
	uint8_t ids[MANY]; /* the first octet of each that was offered */
	char note[64], restored_note[64], refusal[160];
	bool hears; /* of a refusal by an answer of its own */
	char body[256], sender[128];
	Umsg__AutoSubmitted auto_submitted;
};

static int on_match(void *arg, const char *sender, const char *receiver,
		    struct cig_addresses *addresses_out)
{
	(void)arg;
	snprintf(addresses_out->from, sizeof(addresses_out->from), "from %s", sender);
	snprintf(addresses_out->to, sizeof(addresses_out->to), "to %s", receiver);
	return 1;
}

static enum text_answer on_offer(void *arg, const struct text_offer *offer, char why[TEXT_WHY_SIZE])
{
	struct played *played = arg;

	if (played->offers < MANY)
		played->ids[played->offers] = offer->id[0];
	played->offers++;
	snprintf(played->note, sizeof(played->note), "%s", offer->note);
	snprintf(played->body, sizeof(played->body), "%s", offer->body->text);
	snprintf(played->sender, sizeof(played->sender), "%s", offer->sender);
	played->auto_submitted = offer->body->auto_submitted;
	if (played->answer != TEXT_IN_HAND)
		snprintf(why, TEXT_WHY_SIZE, "the line is cut");
	else if (!played->keeps)
		text_port_delivered(played->port, offer->id);
	return played->answer;
}

static void on_flush(void *arg)
{
	struct played *played = arg;

	played->flushes++;
}

static void on_kept(void *arg)
{
	struct played *played = arg;

	played->kept++;
}

static void on_restored(void *arg, const uint8_t id[UMSG_ID_SIZE], const char *note)
{
	struct played *played = arg;

	played->restored += id[0];
	snprintf(played->restored_note, sizeof(played->restored_note), "%s", note);
}

static void on_forget(void *arg, const uint8_t id[UMSG_ID_SIZE])
{
	struct played *played = arg;

	played->forgotten += id[0];
}

static void on_stored(void *arg, const uint8_t key[TEXT_KEY_SIZE])
{
	struct played *played = arg;

	played->stored += key[0];
}

static bool on_posted(void *arg, const uint8_t key[TEXT_KEY_SIZE], const char *refusal)
{
	struct played *played = arg;

	assert_int_equal(played->stored, key[0]); /* always before */
	played->posted++;
	snprintf(played->refusal, sizeof(played->refusal), "%s", refusal);
	return played->hears;
}

static const struct text_port_ops ops = {
	.match = on_match,
	.offer = on_offer,
	.flush = on_flush,
	.kept = on_kept,
	.restored = on_restored,
	.forget = on_forget,
	.stored = on_stored,
	.posted = on_posted,
};

static void add(struct scene *scene, struct played *played)
{
	assert_int_equal(texts_add_port(scene->texts, "smpp://a@center:2775", "center", &ops,
					played, &played->port),
			 0);
}

/* The gateway is started anew; the port comes back when its owner says so. */
static void restart(struct scene *scene, struct played *played)
{
	texts_remove_port(&played->port);
	assert_null(played->port);
	scene_end(scene);
	scene_begin(scene);
}

static uint8_t *id_of(uint8_t octet)
{
	static uint8_t id[UMSG_ID_SIZE];

	memset(id, octet, sizeof(id));
	return id;
}

static const char *text_id(uint8_t octet)
{
	static char text[BASE64_TEXT_SIZE(UMSG_ID_SIZE)];

	base64_encode(BASE64_STANDARD, slice_of(id_of(octet), UMSG_ID_SIZE), text);
	return text;
}

/* A member of the only row of the list, "" where there is not one row. */
static const char *listed(const struct scene *scene, const char *member)
{
	static char text[256];
	json_t *list = texts_list(scene->texts, 10);
	json_t *rows = json_object_get(list, "messages");
	const char *value =
		json_array_size(rows) == 1
			? json_string_value(json_object_get(json_array_get(rows, 0), member))
			: "";

	snprintf(text, sizeof(text), "%s", value ? value : "");
	json_decref(list);
	return text;
}

static void comes(struct scene *scene, uint8_t id)
{
	scene_message_comes(scene, id, clock_wall_s() + AN_HOUR);
}

/* ---- out ---- */

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

/* ---- in ---- */

static int submit(struct played *played, uint8_t key, Umsg__AutoSubmitted auto_submitted)
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	struct text_in in = { .from = "tel:+8888;101",
			      .to = "tel:+46701234567",
			      .outer_from = "+101",
			      .outer_to = "+46701234567",
			      .body = &body };
	char why[TEXT_WHY_SIZE];

	body.text = (char *)"from outside";
	body.auto_submitted = auto_submitted;
	in.key[0] = key;
	return texts_submit(played->port, &in, why);
}

static void a_submitted_text_is_stored_then_posted(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND };

	add(scene, &played);
	scene->client.answers = true;
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), 0);
	assert_int_equal(played.stored, 0);
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), -EAGAIN);
	LOOP_UNTIL(scene->base, played.posted == 1);
	assert_string_equal(played.refusal, "");
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), -EALREADY);
	restart(scene, &played);
	add(scene, &played);
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), -EALREADY);
	assert_int_equal(scene->client.n_posted, 0);
	texts_remove_port(&played.port);
}

static void a_stored_text_is_posted_after_a_restart_with_the_same_octets(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND };

	add(scene, &played);
	scene->client.state = UMSG_CONNECTING;
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), 0);
	LOOP_UNTIL(scene->base, played.stored == 1);
	assert_int_equal(scene->client.n_posted, 0);
	restart(scene, &played);
	scene->client.answers = true;
	LOOP_UNTIL(scene->base, scene->client.n_posted == 1);
	assert_int_equal(scene->client.posted[0][0], 1); /* sealed in the first run */
}

/* Nobody is told that it is stored before it is known under whose keys it goes. */
static void a_text_to_another_domain_waits_for_the_look_up(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND };

	add(scene, &played);
	scene->client.answers = true;
	scene->client.domain = -EAGAIN;
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), 0);
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), -EAGAIN);
	assert_int_equal(scene->client.lookups, 1);
	assert_int_equal(scene->client.seals, 0);
	texts_looked_up(scene->texts); /* of somebody else */
	assert_int_equal(texts_gauges(scene->texts).posts, 0);
	scene->client.domain = 0;
	texts_looked_up(scene->texts);
	LOOP_UNTIL(scene->base, played.posted == 1);
	assert_string_equal(played.refusal, "");
	assert_int_equal(scene->client.n_posted, 1);
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), -EALREADY);
	texts_remove_port(&played.port);
}

static void a_text_to_a_domain_that_is_not_taken_is_refused(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND, .hears = true };

	add(scene, &played);
	scene->client.domain = -EKEYREJECTED; /* known at once */
	assert_int_equal(submit(&played, 9, UMSG__AUTO_SUBMITTED__BY_HAND), -EINVAL);
	scene->client.domain = -EAGAIN;
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), 0);
	scene->client.domain = -EKEYREJECTED;
	texts_looked_up(scene->texts);
	LOOP_UNTIL(scene->base, played.posted == 1);
	assert_string_equal(played.refusal, "the receiver is of a domain that is not trusted");
	assert_int_equal(scene->client.n_posted, 0);
	assert_int_equal(texts_gauges(scene->texts).journaled, 0);
	texts_remove_port(&played.port);
}

/* Nothing of it was promised: it is forgotten with its port, and asked for when it comes again. */
static void a_text_that_waits_for_a_look_up_goes_with_its_port(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND };

	add(scene, &played);
	scene->client.domain = -EAGAIN;
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), 0);
	texts_remove_port(&played.port);
	scene->client.domain = 0;
	texts_looked_up(scene->texts);
	assert_int_equal(texts_gauges(scene->texts).posts, 0);
	add(scene, &played);
	scene->client.domain = -EAGAIN;
	scene->client.state = UMSG_CONNECTING; /* and nobody can be asked */
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), -EAGAIN);
	scene->client.state = UMSG_ATTACHED;
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), 0);
	texts_remove_port(&played.port);
}

/* The port's peer still waits for its answer: no notice. */
static void a_refusal_that_the_peer_hears_of_makes_no_notice(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND, .hears = true };

	add(scene, &played);
	scene->client.answers = true;
	scene->client.answer = UMSG__ERROR_CODE__ERROR_NOT_FOUND;
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), 0);
	LOOP_UNTIL(scene->base, played.posted == 1);
	assert_string_equal(played.refusal, "no such user");
	assert_int_equal(texts_counters(scene->texts)->notices, 0);
	assert_int_equal(played.offers, 0);
	texts_remove_port(&played.port);
}

/* CIG-077: a notice is "auto-notified", and goes by the way by which the text came. */
static void a_refusal_comes_back_as_a_notice(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND };

	add(scene, &played);
	scene->client.answers = true;
	scene->client.answer = UMSG__ERROR_CODE__ERROR_NOT_FOUND;
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), 0);
	LOOP_UNTIL(scene->base, played.offers == 1);
	assert_string_equal(played.body, "Your message to tel:+46701234567 was not delivered: "
					 "no such user");
	assert_string_equal(played.sender, "tel:+46701234567");
	assert_int_equal(played.auto_submitted, UMSG__AUTO_SUBMITTED__AUTO_NOTIFIED);
	LOOP_UNTIL(scene->base, texts_gauges(scene->texts).inward == 0);
	assert_int_equal(scene_files_in(scene->out, "new"), 0); /* not by another way */
	assert_int_equal(scene->client.receipts, 0);            /* nobody is told of a notice */
	texts_remove_port(&played.port);
}

static void a_receipt_of_failure_comes_back_as_a_notice(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND };
	uint8_t *id = scene->client.posted[0];

	add(scene, &played);
	scene->client.answers = true;
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), 0);
	LOOP_UNTIL(scene->base, played.posted == 1);
	/* Only of the one to whom it went. */
	texts_receipt(scene->texts, "tel:+46709999999", id, UMSG__RECEIPT_STATE__RECEIPT_FAILED,
		      "forged");
	texts_receipt(scene->texts, "tel:+46701234567", id, UMSG__RECEIPT_STATE__RECEIPT_EXPIRED,
		      "phone off");
	texts_receipt(scene->texts, "tel:+46701234567", id, UMSG__RECEIPT_STATE__RECEIPT_FAILED,
		      "a second one");
	LOOP_UNTIL(scene->base, played.offers == 1);
	LOOP_UNTIL(scene->base, texts_gauges(scene->texts).inward == 0);
	assert_int_equal(played.offers, 1);
	assert_string_equal(played.body, "Your message to tel:+46701234567 was not delivered: "
					 "expired: phone off");
	texts_remove_port(&played.port);
}

/* RFC 3834, section 2: two machines do not answer each other for ever. */
static void what_no_person_sent_makes_no_notice(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND };

	add(scene, &played);
	scene->client.answers = true;
	scene->client.answer = UMSG__ERROR_CODE__ERROR_NOT_FOUND;
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__AUTO_REPLIED), 0);
	LOOP_UNTIL(scene->base, played.posted == 1);
	assert_int_equal(texts_counters(scene->texts)->notices, 0);
	assert_int_equal(texts_counters(scene->texts)->refused, 1);
	texts_remove_port(&played.port);
}

static void a_receipt_about_a_file_comes_back_to_the_mailbox(void **state)
{
	struct scene *scene = *state;

	scene->client.answers = true;
	scene_drop_file(scene, 1);
	LOOP_UNTIL(scene->base, !scene_files_in(scene->in, "new"));
	texts_receipt(scene->texts, "tel:+46701234567", scene->client.posted[0],
		      UMSG__RECEIPT_STATE__RECEIPT_UNDECRYPTABLE, "");
	LOOP_UNTIL(scene->base, scene_files_in(scene->out, "new") == 1);
	assert_int_equal(texts_counters(scene->texts)->notices, 1);
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
		SCENE_TEST(a_submitted_text_is_stored_then_posted),
		SCENE_TEST(a_stored_text_is_posted_after_a_restart_with_the_same_octets),
		SCENE_TEST(a_text_to_another_domain_waits_for_the_look_up),
		SCENE_TEST(a_text_to_a_domain_that_is_not_taken_is_refused),
		SCENE_TEST(a_text_that_waits_for_a_look_up_goes_with_its_port),
		SCENE_TEST(a_refusal_that_the_peer_hears_of_makes_no_notice),
		SCENE_TEST(a_refusal_comes_back_as_a_notice),
		SCENE_TEST(a_receipt_of_failure_comes_back_as_a_notice),
		SCENE_TEST(what_no_person_sent_makes_no_notice),
		SCENE_TEST(a_receipt_about_a_file_comes_back_to_the_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
