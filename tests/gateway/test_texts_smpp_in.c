/* Texts and parts from message centers whose connections are played: each is answered once, with
 * yes only when it is durable, and a repeat is neither lost nor doubled. */
#include "tests/gateway/played_center.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "tests/fuzz/fake_clock.h"

enum { FIRST = 1, SECOND, THIRD, FOURTH };

static const char closed[] =
	"smpp { hostname \"sms.test\"; port 2775; user \"gw\"; password \"secret\"; "
	"read { map_from translate_map closed; map_to translate_map c2users; } }\n";

static struct smpp_center *first(void)
{
	return center_made(0);
}

/* Number n is answered, once, with that status. */
static void assert_answered(struct center_scene *scene, struct smpp_center *center, unsigned n,
			    uint32_t status)
{
	LOOP_UNTIL(scene->texts->base, center->answered[n]);
	assert_int_equal(center->answered[n], 1);
	assert_int_equal(center->status[n], status);
}

static const struct umsg_client *client(const struct center_scene *scene)
{
	return &scene->texts->client;
}

/* CIG-088 */
static void a_text_is_answered_when_it_is_stored(void **state)
{
	struct center_scene *scene = *state;

	center_brings(first(), &(struct played_text){ .number = FIRST, .text = "good day" });
	assert_int_equal(first()->answered[FIRST], 0);
	assert_answered(scene, first(), FIRST, SMPP_OK);
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
	assert_string_equal(client(scene)->sealed, "good day");
}

/* CIG-091 */
static void what_cannot_pass_is_refused_with_the_status_that_fits(void **state)
{
	static const struct {
		const char *block, *from, *to;
		uint32_t status;
	} cases[] = {
		{ CENTER_BLOCK(), "201", NULL, SMPP_RINVSRCADR },
		{ CENTER_BLOCK(), NULL, "nobody", SMPP_RINVDSTADR },
		{ CENTER_BLOCK(), NULL, "+4670x", SMPP_RINVDSTADR }, /* no tel URI */
		{ closed, NULL, NULL, SMPP_RINVSRCADR },
		{ "smpp { hostname \"sms.test\"; port 2775; user \"gw\"; password \"secret\"; }\n",
		  NULL, NULL, SMPP_RX_R_APPN },
	};
	struct center_scene *scene = *state;

	for (unsigned i = 0; i < COUNT(cases); i++) {
		center_reconfigure(scene, cases[i].block, 0);
		center_brings(first(), &(struct played_text){ .number = i,
							      .from = cases[i].from,
							      .to = cases[i].to });
		assert_answered(scene, first(), i, cases[i].status);
	}
	assert_int_equal(centers_made(), 1); /* maps need no new connection */
	assert_int_equal(texts_gauges(scene->texts->texts).posts, 0);
}

/* A center repeats what got ESME_RX_T_APPN. */
static void without_keys_a_text_is_to_come_again(void **state)
{
	struct center_scene *scene = *state;

	texts_set_client(scene->texts->texts, NULL, "");
	center_brings(first(), &(struct played_text){ .number = FIRST });
	assert_answered(scene, first(), FIRST, SMPP_RX_T_APPN);
	texts_set_client(scene->texts->texts, &scene->texts->client, "tel:+8888");
	center_brings(first(), &(struct played_text){ .number = SECOND });
	assert_answered(scene, first(), SECOND, SMPP_OK);
}

static void the_texts_own_refusal_is_the_centers(void **state)
{
	static const struct {
		int err;
		uint32_t status;
	} cases[] = {
		{ -EMSGSIZE, SMPP_RINVMSGLEN }, /* longer than a message may be */
		{ -EINVAL, SMPP_RX_P_APPN },    /* never to be sealed to */
		{ -EIO, SMPP_RX_T_APPN },       /* another time, perhaps */
	};
	struct center_scene *scene = *state;

	for (unsigned i = 0; i < COUNT(cases); i++) {
		scene->texts->client.seal_fails = cases[i].err;
		center_brings(first(), &(struct played_text){ .number = SECOND + i });
		assert_answered(scene, first(), SECOND + i, cases[i].status);
	}
	scene->texts->client.seal_fails = 0;
	assert_int_equal(client(scene)->n_posted, 0);
	scene->texts->client.state = UMSG_CONNECTING;
	scene->texts->client.domain = -EKEYREJECTED;
	center_brings(first(), &(struct played_text){ .number = FIRST });
	assert_answered(scene, first(), FIRST, SMPP_RX_P_APPN);
}

/* Without an id of the text's own, only a broken connection makes it a repeat. */
static void a_repeat_is_answered_again_and_sent_once(void **state)
{
	struct center_scene *scene = *state;
	struct played_text text = { .number = FIRST };

	center_brings(first(), &text);
	assert_answered(scene, first(), FIRST, SMPP_OK);
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
	text.number = SECOND;
	text.maybe_repeated = true;
	center_brings(first(), &text);
	assert_answered(scene, first(), SECOND, SMPP_OK);
	center_tick(scene);
	assert_int_equal(client(scene)->n_posted, 1);
	text.number = THIRD; /* somebody wrote the same words again */
	text.maybe_repeated = false;
	center_brings(first(), &text);
	assert_answered(scene, first(), THIRD, SMPP_OK);
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 2);
}

/* A center that hears nothing sends the text again, as another one. */
static void a_text_waits_for_a_look_up_for_less_time_than_its_center(void **state)
{
	struct center_scene *scene = *state;

	scene->texts->client.domain = -EAGAIN;
	center_brings(first(), &(struct played_text){ .number = FIRST });
	center_tick(scene);
	fake_clock_add_ms(4000);
	texts_looked_up(scene->texts->texts); /* of somebody else */
	assert_int_equal(first()->answered[FIRST], 0);
	fake_clock_add_ms(1000);
	scene->texts->client.domain = 0; /* too late */
	texts_looked_up(scene->texts->texts);
	assert_answered(scene, first(), FIRST, SMPP_RX_T_APPN);
	assert_int_equal(texts_gauges(scene->texts->texts).posts, 0);
	center_brings(first(), &(struct played_text){ .number = SECOND });
	assert_answered(scene, first(), SECOND, SMPP_OK);
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
}

/* Another run knows what the last one took. */
static void a_repeat_behind_a_restart_is_known(void **state)
{
	struct center_scene *scene = *state;
	struct played_text text = { .number = FIRST };

	center_brings(first(), &text);
	assert_answered(scene, first(), FIRST, SMPP_OK);
	center_restart(scene, CENTER_BLOCK());
	assert_int_equal(center_made(1)->suspects, 1);
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1); /* the stored one */
	text.maybe_repeated = true;
	center_brings(center_made(1), &text);
	assert_answered(scene, center_made(1), FIRST, SMPP_OK);
	center_tick(scene);
	assert_int_equal(client(scene)->n_posted, 1);
}

/* ---- parts ---- */

static void part(struct smpp_center *center, unsigned number, unsigned index, const char *text)
{
	center_brings(center, &(struct played_text){ .number = number,
						     .text = text,
						     .index = index,
						     .total = 2,
						     .reference = 77 });
}

static void parts_in_any_order_make_one_text(void **state)
{
	struct center_scene *scene = *state;

	part(first(), FIRST, 2, "afternoon");
	assert_int_equal(first()->answered[FIRST], 0); /* not before it is durable */
	assert_answered(scene, first(), FIRST, SMPP_OK);
	part(first(), SECOND, 2, "afternoon"); /* once more: answered, kept once */
	assert_answered(scene, first(), SECOND, SMPP_OK);
	assert_int_equal(texts_gauges(scene->texts->texts).posts, 0);
	part(first(), THIRD, 1, "good ");
	assert_answered(scene, first(), THIRD, SMPP_OK);
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
	assert_string_equal(client(scene)->sealed, "good afternoon");
	part(first(), FOURTH, 1, "good "); /* late: its text is done */
	assert_answered(scene, first(), FOURTH, SMPP_OK);
	center_tick(scene);
	assert_int_equal(client(scene)->n_posted, 1);
}

/* Its center was told that it is here, and sends it no more. */
static void a_text_in_parts_waits_for_a_look_up_as_long_as_it_takes(void **state)
{
	struct center_scene *scene = *state;

	scene->texts->client.domain = -EAGAIN;
	part(first(), FIRST, 1, "good ");
	part(first(), SECOND, 2, "night");
	assert_answered(scene, first(), SECOND, SMPP_OK);
	center_tick(scene);
	fake_clock_add_ms(3600 * 1000);
	texts_looked_up(scene->texts->texts);
	assert_int_equal(client(scene)->n_posted, 0);
	scene->texts->client.domain = 0;
	texts_looked_up(scene->texts->texts);
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
	assert_string_equal(client(scene)->sealed, "good night");
}

/* The center did not see our answer.  Taken for one of another text, it would go on with a gap. */
static void a_part_comes_again_while_its_text_waits_for_a_look_up(void **state)
{
	struct center_scene *scene = *state;

	scene->texts->client.domain = -EAGAIN;
	part(first(), FIRST, 1, "good ");
	part(first(), SECOND, 2, "night");
	assert_answered(scene, first(), SECOND, SMPP_OK);
	center_tick(scene);
	part(first(), THIRD, 2, "night");
	assert_answered(scene, first(), THIRD, SMPP_OK);
	scene->texts->client.domain = 0;
	texts_looked_up(scene->texts->texts);
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
	assert_string_equal(client(scene)->sealed, "good night");
	fake_clock_add_ms(86400 * 1000);
	center_tick(scene);
	assert_int_equal(texts_gauges(scene->texts->texts).posts, 1);
	assert_int_equal(client(scene)->n_posted, 1);
}

/* Another text with the number of one that is not whole: the center is to send it later. */
static void a_number_in_use_holds_the_other_text_back(void **state)
{
	struct center_scene *scene = *state;

	part(first(), FIRST, 1, "good ");
	assert_answered(scene, first(), FIRST, SMPP_OK);
	part(first(), SECOND, 1, "bad ");
	assert_answered(scene, first(), SECOND, SMPP_RX_T_APPN);
	part(first(), THIRD, 2, "day");
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
	assert_string_equal(client(scene)->sealed, "good day");
}

static void parts_outlive_a_restart(void **state)
{
	struct center_scene *scene = *state;

	part(first(), FIRST, 1, "good ");
	assert_answered(scene, first(), FIRST, SMPP_OK);
	center_restart(scene, CENTER_BLOCK());
	part(center_made(1), FIRST, 1, "good "); /* the center did not see our answer */
	assert_answered(scene, center_made(1), FIRST, SMPP_OK);
	part(center_made(1), SECOND, 2, "morning");
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
	assert_string_equal(client(scene)->sealed, "good morning");
}

/* The wait does not begin anew with a restart, and what was taken is not thrown away. */
static void what_never_becomes_whole_goes_on_with_a_gap(void **state)
{
	static const char hour[] = CENTER_BLOCK("join_timeout_s 3600;");
	struct center_scene *scene = *state;

	center_restart(scene, hour);
	part(center_made(1), FIRST, 2, "afternoon");
	assert_answered(scene, center_made(1), FIRST, SMPP_OK);
	fake_clock_add_ms(1800 * 1000);
	center_restart(scene, hour);
	fake_clock_add_ms(1799 * 1000);
	center_tick(scene);
	assert_int_equal(texts_gauges(scene->texts->texts).posts, 0);
	fake_clock_add_ms(1000);
	center_tick(scene);
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
	assert_string_equal(client(scene)->sealed, "[...]afternoon");
}

static void parts_wait_for_keys_that_are_not_there(void **state)
{
	struct center_scene *scene = *state;

	part(first(), FIRST, 1, "good ");
	assert_answered(scene, first(), FIRST, SMPP_OK);
	part(first(), SECOND, 2, "evening");
	texts_set_client(scene->texts->texts, NULL, ""); /* in between */
	assert_answered(scene, first(), SECOND, SMPP_OK);
	center_tick(scene);
	assert_int_equal(texts_gauges(scene->texts->texts).posts, 0);
	texts_set_client(scene->texts->texts, &scene->texts->client, "tel:+8888");
	center_tick(scene);
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
	assert_string_equal(client(scene)->sealed, "good evening");
}

/* Neither the housekeeping nor a restart forgets what the center was told is here. */
static void parts_wait_longer_than_their_repeats(void **state)
{
	static const char hour[] = CENTER_BLOCK("join_timeout_s 3600;");
	struct center_scene *scene = *state;

	center_restart(scene, hour);
	part(center_made(1), FIRST, 1, "good ");
	assert_answered(scene, center_made(1), FIRST, SMPP_OK);
	texts_set_client(scene->texts->texts, NULL, ""); /* in between */
	fake_clock_add_ms((3600 + CENTER_SEEN_S + 1) * 1000);
	for (unsigned i = 0; i < 2; i++)
		center_tick(scene);
	center_restart(scene, hour);
	texts_set_client(scene->texts->texts, &scene->texts->client, "tel:+8888");
	center_tick(scene);
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
	assert_string_equal(client(scene)->sealed, "good [...]");
	center_restart(scene, hour); /* and it is done with */
	center_tick(scene);
	assert_int_equal(client(scene)->n_posted, 1);
}

/* A program that always counts its long texts from one, and has the same to say again. */
static void the_same_long_text_is_another_one_later(void **state)
{
	struct center_scene *scene = *state;

	part(first(), FIRST, 1, "disk ");
	part(first(), SECOND, 2, "full");
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
	for (unsigned i = 0; i < 2; i++) {
		fake_clock_add_ms((CENTER_SEEN_S / 2 + 1) * 1000);
		center_tick(scene);
	}
	part(first(), THIRD, 1, "disk ");
	part(first(), FOURTH, 2, "full");
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 2);
	assert_string_equal(client(scene)->sealed, "disk full");
}

static bool finish_fails;

int __real_journal_finish(struct journal *journal, const struct journal_key *key);
int __wrap_journal_finish(struct journal *journal, const struct journal_key *key);
int __wrap_journal_finish(struct journal *journal, const struct journal_key *key)
{
	return finish_fails ? -ENOSPC : __real_journal_finish(journal, key);
}

/* Else the next text of the same words would be taken for a repeat of theirs, and get lost. */
static void parts_are_done_with_when_a_full_disk_has_room(void **state)
{
	struct center_scene *scene = *state;

	finish_fails = true;
	part(first(), FIRST, 1, "disk ");
	part(first(), SECOND, 2, "full");
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 1);
	center_tick(scene);
	finish_fails = false;
	for (unsigned i = 0; i < 2; i++) {
		fake_clock_add_ms((CENTER_SEEN_S / 2 + 1) * 1000);
		center_tick(scene);
	}
	part(first(), THIRD, 1, "disk ");
	part(first(), FOURTH, 2, "full");
	LOOP_UNTIL(scene->texts->base, client(scene)->n_posted == 2);
}

/* The maps changed while a text came: its parts do not stay for ever. */
static void parts_that_may_not_pass_any_more_are_done_with(void **state)
{
	struct center_scene *scene = *state;

	part(first(), FIRST, 1, "good ");
	part(first(), SECOND, 2, "evening");
	center_reconfigure(scene, closed, 0);
	assert_answered(scene, first(), SECOND, SMPP_OK);
	center_reconfigure(scene, CENTER_BLOCK(), 0);
	center_tick(scene);
	assert_int_equal(texts_gauges(scene->texts->texts).posts, 0);
	part(first(), THIRD, 2, "evening"); /* answered as what it is: known */
	assert_answered(scene, first(), THIRD, SMPP_OK);
}

/* ---- too much, and a disk that fails ---- */

static void each_of_too_many_gets_an_answer(void **state)
{
	struct center_scene *scene = *state;
	unsigned stored = 0;

	scene->texts->client.state = UMSG_CONNECTING; /* nothing leaves */
	for (unsigned i = 0; i <= CENTER_FRESH_MAX; i++)
		center_brings(first(), &(struct played_text){ .number = i });
	assert_int_equal(first()->answered[CENTER_FRESH_MAX], 1); /* at once */
	assert_int_equal(first()->status[CENTER_FRESH_MAX], SMPP_RMSGQFUL);
	LOOP_UNTIL(scene->texts->base, first()->answered[0]);
	for (unsigned i = 0; i < CENTER_FRESH_MAX; i++) {
		assert_int_equal(first()->answered[i], 1);
		stored += first()->status[i] == SMPP_OK;
		if (first()->status[i] != SMPP_OK)
			assert_int_equal(first()->status[i], SMPP_RX_T_APPN);
	}
	assert_int_equal(texts_gauges(scene->texts->texts).posts, stored);
	assert_true(stored > 0);
}

/* What stands for it is not durable: nothing is answered, the center keeps it, and the program is
 * to start anew, for nothing else would let the journal be written again. */
static void nothing_is_taken_when_the_journal_cannot_be_written(void **state)
{
	struct center_scene *scene = *state;

	scene->texts->may_break = true;
	centers_journal_fails(true);
	center_brings(first(), &(struct played_text){ .number = FIRST });
	part(first(), SECOND, 1, "good ");
	center_tick(scene);
	center_tick(scene);
	centers_journal_fails(false);
	center_tick(scene); /* what the kernel dropped does not come back */
	assert_int_equal(first()->answered[FIRST], 0);
	assert_int_equal(first()->answered[SECOND], 0);
	assert_int_equal(texts_gauges(scene->texts->texts).posts, 0);
	assert_true(scene->texts->broken > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CENTER_TEST(a_text_is_answered_when_it_is_stored),
		CENTER_TEST(what_cannot_pass_is_refused_with_the_status_that_fits),
		CENTER_TEST(without_keys_a_text_is_to_come_again),
		CENTER_TEST(the_texts_own_refusal_is_the_centers),
		CENTER_TEST(a_repeat_is_answered_again_and_sent_once),
		CENTER_TEST(a_repeat_behind_a_restart_is_known),
		CENTER_TEST(a_text_waits_for_a_look_up_for_less_time_than_its_center),
		CENTER_TEST(parts_in_any_order_make_one_text),
		CENTER_TEST(a_number_in_use_holds_the_other_text_back),
		CENTER_TEST(a_text_in_parts_waits_for_a_look_up_as_long_as_it_takes),
		CENTER_TEST(a_part_comes_again_while_its_text_waits_for_a_look_up),
		CENTER_TEST(parts_outlive_a_restart),
		CENTER_TEST(what_never_becomes_whole_goes_on_with_a_gap),
		CENTER_TEST(parts_wait_for_keys_that_are_not_there),
		CENTER_TEST(parts_wait_longer_than_their_repeats),
		CENTER_TEST(the_same_long_text_is_another_one_later),
		CENTER_TEST(parts_are_done_with_when_a_full_disk_has_room),
		CENTER_TEST(parts_that_may_not_pass_any_more_are_done_with),
		CENTER_TEST(each_of_too_many_gets_an_answer),
		CENTER_TEST(nothing_is_taken_when_the_journal_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
