/* Texts of the secure side to message centers whose connections are played: each goes once, is
 * kept until its center took it, and its sender hears what became of it. */
#include "tests/gateway/played_center.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "tests/fuzz/fake_clock.h"

static void comes(struct center_scene *scene, uint8_t id)
{
	scene_message_comes(scene->texts, id, clock_wall_s() + AN_HOUR);
}

/* With a file of that name; comes() has none. */
static void comes_with_attachment(struct center_scene *scene, uint8_t id, const char *name)
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	Umsg__Attachment file = UMSG__ATTACHMENT__INIT, *files[] = { &file };
	struct umsg_message message = { .from = "tel:+46701234567",
					.to = "tel:+8888",
					.from_domain = "Demonstration",
					.body = &body };

	memset(message.id, id, sizeof(message.id));
	message.sent_s = clock_wall_s();
	message.end_s = message.sent_s + AN_HOUR;
	body.version = 1;
	body.text = (char *)"Look";
	body.called_extension = (char *)"101";
	file.name = (char *)(uintptr_t)name;
	file.type = (char *)"image/png";
	body.attachments = files;
	body.n_attachments = 1;
	texts_message(scene->texts->texts, &message);
}

static struct smpp_center *first(void)
{
	return center_made(0);
}

/* The text with that id was given to the center; what it says of it is for the caller. */
static void goes(struct center_scene *scene, struct smpp_center *center, uint8_t id)
{
	unsigned before = center->submits;

	comes(scene, id);
	LOOP_UNTIL(scene->texts->base, center->submits == before + 1);
	assert_int_equal(center->key[0], id);
}

static void assert_told(struct center_scene *scene, Umsg__ReceiptState state, const char *reason)
{
	const struct umsg_client *client = &scene->texts->client;

	LOOP_UNTIL(scene->texts->base, client->receipts == 1);
	assert_int_equal(client->receipt, state);
	assert_string_equal(client->reason, reason);
}

static size_t waiting(const struct center_scene *scene)
{
	return texts_gauges(scene->texts->texts).inward;
}

/* CIG-089. The receipt is answered when what it says is durable, not before. */
static void a_text_goes_once_and_its_receipt_is_the_senders(void **state)
{
	struct center_scene *scene = *state;
	struct umsg_client *client = &scene->texts->client;
	struct smpp_center *center = first();

	goes(scene, center, 1);
	assert_string_equal(center->from, "+46701234567");
	assert_string_equal(center->to, "101");
	assert_string_equal(center->text, "Hello");
	center_tells(center, SMPP_TAKEN, 1, "id=4711");
	center_tick(scene);
	assert_int_equal(client->receipts, 0); /* the center has it, its subscriber not yet */
	assert_int_equal(waiting(scene), 1);
	center_receipt(center, 5, 1, true, "");
	assert_int_equal(center->answered[5], 0);
	assert_told(scene, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED, "");
	LOOP_UNTIL(scene->texts->base, center->answered[5]);
	assert_int_equal(center->status[5], SMPP_OK);
	assert_int_equal(center->submits, 1);
	assert_int_equal(waiting(scene), 0);
}

static void what_the_center_says_of_a_text_is_what_its_sender_hears(void **state)
{
	static const struct {
		enum smpp_center_event_kind kind;
		const char *word, *reason;
		Umsg__ReceiptState state;
	} cases[] = {
		/* without a receipt to come it is delivered when the center has it */
		{ SMPP_TAKEN, "", "", UMSG__RECEIPT_STATE__RECEIPT_DELIVERED },
		{ SMPP_REFUSED, "no such subscriber", "no such subscriber",
		  UMSG__RECEIPT_STATE__RECEIPT_FAILED },
		{ SMPP_LOST, "the line was cut",
		  "the message center did not answer, and it is not sent twice",
		  UMSG__RECEIPT_STATE__RECEIPT_FAILED },
	};
	struct center_scene *scene = *state;

	for (uint8_t i = 0; i < COUNT(cases); i++) {
		goes(scene, first(), (uint8_t)(i + 1));
		center_tells(first(), cases[i].kind, (uint8_t)(i + 1), cases[i].word);
		assert_told(scene, cases[i].state, cases[i].reason);
		scene->texts->client.receipts = 0;
	}
	assert_int_equal(first()->submits, COUNT(cases));
}

static void a_receipt_that_tells_of_a_failure_fails_the_text(void **state)
{
	struct center_scene *scene = *state;

	goes(scene, first(), 1);
	center_tells(first(), SMPP_TAKEN, 1, "id=4711");
	center_receipt(first(), 5, 1, false, "EXPIRED at the center");
	assert_told(scene, UMSG__RECEIPT_STATE__RECEIPT_FAILED, "EXPIRED at the center");
	LOOP_UNTIL(scene->texts->base, first()->answered[5]); /* it has done its part */
	assert_int_equal(first()->status[5], SMPP_OK);
}

static void a_center_without_room_gets_the_text_when_it_has(void **state)
{
	struct center_scene *scene = *state;

	first()->submit_err = -EAGAIN;
	goes(scene, first(), 1);
	assert_int_equal(waiting(scene), 1);
	first()->submit_err = 0;
	center_tells(first(), SMPP_READY, 0, "");
	LOOP_UNTIL(scene->texts->base, first()->submits == 2);
	assert_int_equal(first()->key[0], 1);
	first()->submit_err = -EINVAL; /* the text's own fault: nobody else's turn is lost */
	comes(scene, 2);
	assert_told(scene, UMSG__RECEIPT_STATE__RECEIPT_FAILED, "the window is full");
}

/* A connection that ends is told once, with its reason; what waits goes when it is up. */
static void a_center_that_is_away_holds_its_texts_back(void **state)
{
	struct center_scene *scene = *state;
	json_t *list;

	center_tells(first(), SMPP_STATE, 0, "connection refused");
	comes(scene, 1);
	event_base_loop(scene->texts->base, EVLOOP_NONBLOCK);
	assert_int_equal(first()->submits, 0);
	list = texts_list(scene->texts->texts, 5);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(list, "messages"), 0), "why")),
			    "connection refused");
	json_decref(list);
	center_tells(first(), SMPP_STATE, 0, "");
	LOOP_UNTIL(scene->texts->base, first()->submits == 1);
}

static void a_text_refused_for_now_lets_others_pass(void **state)
{
	struct center_scene *scene = *state;

	goes(scene, first(), 1);
	center_tells(first(), SMPP_LATER, 1, "ESME_RSYSERR");
	goes(scene, first(), 2);
	center_tells(first(), SMPP_TAKEN, 2, "");
	assert_told(scene, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED, "");
	assert_int_equal(waiting(scene), 1);
}

/* What the center has is not sent again by another run, and its receipt is known. */
static void a_text_whose_receipt_is_awaited_outlives_a_restart(void **state)
{
	struct center_scene *scene = *state;

	goes(scene, first(), 1);
	center_tells(first(), SMPP_PROGRESS, 1, "1 of 2");
	center_tells(first(), SMPP_TAKEN, 1, "id=4711");
	goes(scene, first(), 2);
	center_tells(first(), SMPP_PROGRESS, 2, "1 of 2");
	event_base_loop(scene->texts->base, EVLOOP_NONBLOCK);
	center_restart(scene, CENTER_BLOCK());
	assert_int_equal(center_made(1)->awaits, 1);
	assert_string_equal(center_made(1)->awaited, "id=4711");
	/* The other one goes on where it was, with the note that says which parts went. */
	LOOP_UNTIL(scene->texts->base, center_made(1)->submits == 1);
	assert_int_equal(center_made(1)->key[0], 2);
	assert_string_equal(center_made(1)->note, "1 of 2");
	center_receipt(center_made(1), 1, 1, true, "");
	assert_told(scene, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED, "");
}

static void a_receipt_that_never_comes_counts_as_delivered_in_the_end(void **state)
{
	struct center_scene *scene = *state;

	center_reconfigure(scene, CENTER_BLOCK("receipt_timeout_s 60;"), 0);
	goes(scene, first(), 1);
	center_tells(first(), SMPP_TAKEN, 1, "id=1");
	fake_clock_add_ms(59000);
	center_tick(scene);
	assert_int_equal(first()->forgets, 0);
	fake_clock_add_ms(1000);
	center_tick(scene);
	assert_int_equal(first()->forgets, 1);
	assert_told(scene, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED, "");
}

/* "unanswered fail": the mark is durable before the only submit, so a crash in between means
 * that the text is given up, and never sent twice. */
static void a_text_that_may_go_once_is_marked_before_it_goes(void **state)
{
	static const char once[] = CENTER_BLOCK("unanswered fail;");
	struct center_scene *scene = *state;

	center_restart(scene, once);
	goes(scene, center_made(1), 1);
	assert_memory_equal(center_made(1)->note, "once ", 5);
	/* Which parts have gone is of no use here: the mark stays. */
	center_tells(center_made(1), SMPP_PROGRESS, 1, "1 of 2");
	event_base_loop(scene->texts->base, EVLOOP_NONBLOCK);
	center_restart(scene, once);
	assert_told(scene, UMSG__RECEIPT_STATE__RECEIPT_FAILED,
		    "it was on its way when the gateway stopped, and is not sent twice");
	assert_int_equal(center_made(2)->submits, 0);
}

static void attachments_are_lines_or_left_out_or_no_text_at_all(void **state)
{
	static const struct {
		const char *block, *text; /* NULL: it is refused */
	} cases[] = {
		{ CENTER_BLOCK("attachments placeholder;"), "Look\n[attachment: a cat.png]" },
		{ CENTER_BLOCK("attachments drop;"), "Look" },
		{ CENTER_BLOCK("attachments refuse;"), NULL },
	};
	struct center_scene *scene = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		center_reconfigure(scene, cases[i].block, 0);
		comes_with_attachment(scene, (uint8_t)(i + 1), "a cat.png");
		if (!cases[i].text) {
			assert_told(scene, UMSG__RECEIPT_STATE__RECEIPT_FAILED,
				    "the message center takes no attachments");
			continue;
		}
		LOOP_UNTIL(scene->texts->base, first()->submits == i + 1);
		assert_string_equal(first()->text, cases[i].text);
		center_tells(first(), SMPP_TAKEN, (uint8_t)(i + 1), "");
		assert_told(scene, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED, "");
		scene->texts->client.receipts = 0;
	}
	assert_int_equal(first()->submits, 2);
}

/* A text that is over while it is in hand is forgotten there, too. */
static void a_text_whose_end_comes_is_forgotten_by_the_center(void **state)
{
	struct center_scene *scene = *state;

	goes(scene, first(), 1);
	center_tells(first(), SMPP_TAKEN, 1, "id=1");
	fake_clock_add_ms((int64_t)AN_HOUR * 1000);
	LOOP_UNTIL(scene->texts->base, first()->forgets);
	assert_told(scene, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED, "");
}

/* ---- the configuration ---- */

static void a_reload_keeps_the_connections_that_stay_as_they_are(void **state)
{
	static const char *const changes[] = {
		CENTER_BLOCK("window 3;"),
		CENTER_BLOCK("window 3; alternative \"b.test:2776\";"),
		CENTER_BLOCK("window 3; alternative \"b.test:2777\";"),
		CENTER_BLOCK("window 3; on_status ESME_RSYSERR fail;"),
		CENTER_BLOCK("window 3; on_status ESME_RSYSERR pause;"),
		CENTER_BLOCK("window 3; on_status ESME_RSUBMITFAIL pause;"),
	};
	struct center_scene *scene = *state;

	center_reconfigure(scene, CENTER_BLOCK(), 0);
	/* What is asked of each text anew needs no new connection. */
	center_reconfigure(scene, CENTER_BLOCK("attachments drop; receipt_timeout_s 9;"), 0);
	assert_int_equal(centers_made(), 1);
	assert_int_equal(first()->stops, 0);
	for (unsigned i = 0; i < COUNT(changes); i++) {
		center_reconfigure(scene, changes[i], 0);
		assert_int_equal(centers_made(), i + 2);
		assert_int_equal(center_made(i)->stops, 1); /* with a goodbye */
		assert_null(center_made(i)->event);
	}
}

static void what_a_status_means_here_is_known_to_the_connection(void **state)
{
	struct center_scene *scene = *state;

	assert_int_equal(first()->rules, 0);
	center_reconfigure(scene, CENTER_BLOCK("on_status ESME_RSYSERR pause;"), 0);
	assert_int_equal(center_made(1)->rules, 1);
	assert_int_equal(center_made(1)->rule.status, SMPP_RSYSERR);
	assert_int_equal(center_made(1)->rule.fate, SMPP_FATE_PAUSE);
}

/* A text in hand of the connection that goes is not lost with it. */
static void a_changed_center_goes_on_with_what_waits(void **state)
{
	struct center_scene *scene = *state;

	goes(scene, first(), 1);
	center_reconfigure(scene, CENTER_BLOCK("window 3;"), 0);
	LOOP_UNTIL(scene->texts->base, center_made(1)->submits == 1);
	assert_int_equal(center_made(1)->key[0], 1);
	center_reconfigure(scene, "", 0);
	assert_int_equal(center_made(1)->stops, 1);
	assert_int_equal(waiting(scene), 1); /* for a center of that name */
	center_reconfigure(scene, CENTER_BLOCK(), 0);
	LOOP_UNTIL(scene->texts->base, center_made(2)->submits == 1);
}

/* CIG-086, CIG-090. */
static void two_blocks_of_one_center_have_names_of_their_own(void **state)
{
	struct center_scene *scene = *state;
	json_t *report;

	center_reconfigure(scene, CENTER_BLOCK() CENTER_BLOCK("window 3;"), 0);
	assert_int_equal(centers_made(), 2);
	assert_string_equal(center_made(1)->name, "smpp://gw@sms.test:2775#2");
	comes(scene, 1); /* both match */
	LOOP_UNTIL(scene->texts->base, first()->submits == 1 && center_made(1)->submits == 1);
	report = texts_smpp_report(scene->smpp);
	assert_int_equal(json_array_size(report), 2);
	for (size_t i = 0; i < 2; i++) {
		json_t *row = json_array_get(report, i);

		assert_string_equal(json_string_value(json_object_get(row, "name")),
				    center_made((unsigned)i)->name);
		assert_string_equal(json_string_value(json_object_get(row, "state")), "BOUND");
		assert_int_equal(json_integer_value(json_object_get(row, "since_s")), 3);
		assert_int_equal(json_integer_value(json_object_get(row, "submitted")), 1);
	}
	json_decref(report);
}

static void a_center_that_cannot_be_made_leaves_the_others_alone(void **state)
{
	struct center_scene *scene = *state;

	centers_fail(-EINVAL);
	center_reconfigure(scene,
			   CENTER_BLOCK() "smpp { hostname \"c\"; port 1; user \"u\"; "
					  "password \"p\"; tls { ca \"/none\"; } }\n",
			   -EINVAL);
	goes(scene, first(), 1);
	centers_fail(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CENTER_TEST(a_text_goes_once_and_its_receipt_is_the_senders),
		CENTER_TEST(what_the_center_says_of_a_text_is_what_its_sender_hears),
		CENTER_TEST(a_receipt_that_tells_of_a_failure_fails_the_text),
		CENTER_TEST(a_center_without_room_gets_the_text_when_it_has),
		CENTER_TEST(a_center_that_is_away_holds_its_texts_back),
		CENTER_TEST(a_text_refused_for_now_lets_others_pass),
		CENTER_TEST(a_text_whose_receipt_is_awaited_outlives_a_restart),
		CENTER_TEST(a_receipt_that_never_comes_counts_as_delivered_in_the_end),
		CENTER_TEST(a_text_that_may_go_once_is_marked_before_it_goes),
		CENTER_TEST(attachments_are_lines_or_left_out_or_no_text_at_all),
		CENTER_TEST(a_text_whose_end_comes_is_forgotten_by_the_center),
		CENTER_TEST(a_reload_keeps_the_connections_that_stay_as_they_are),
		CENTER_TEST(what_a_status_means_here_is_known_to_the_connection),
		CENTER_TEST(a_changed_center_goes_on_with_what_waits),
		CENTER_TEST(two_blocks_of_one_center_have_names_of_their_own),
		CENTER_TEST(a_center_that_cannot_be_made_leaves_the_others_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
