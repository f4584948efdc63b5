/* Texts that come in by a port that is played here, and the notices about them. */
#include "tests/gateway/played_port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "gateway/texts_priv.h"

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

/* It is put and finished by two records, and a crash may come between them. */
static void a_refusal_that_was_left_open_is_forgotten_at_its_end(void **state)
{
	const struct journal_key key = { .id = { 1 }, .kind = TEXTS_REFUSED };
	struct scene *scene = *state;
	struct journal_entry entry;

	assert_int_equal(
		journal_put(scene->texts->journal, &key, clock_wall_s() - 1, 0, slice_str("")), 0);
	LOOP_UNTIL(scene->base,
		   journal_find(scene->texts->journal, &key, &entry) && entry.finished);
	scene_end(scene); /* gone with the next start */
	scene_begin(scene);
	assert_int_equal(journal_find(scene->texts->journal, &key, NULL), 0);
}

/* A kill between its record and that of its post, which is sealed anew under another id: nobody may
 * be told at its end that it was lost. */
static void a_receipt_is_not_awaited_of_what_was_never_queued(void **state)
{
	const struct journal_key orphan = { .id = { 9 }, .kind = TEXTS_SENT };
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND };
	struct journal_key sent = { .kind = TEXTS_SENT };
	struct journal_entry entry;

	add(scene, &played);
	scene->client.answers = true;
	assert_int_equal(submit(&played, 1, UMSG__AUTO_SUBMITTED__BY_HAND), 0);
	LOOP_UNTIL(scene->base, scene->client.n_posted == 1);
	memcpy(sent.id, scene->client.posted[0], sizeof(sent.id));
	assert_int_equal(journal_put(scene->texts->journal, &orphan, clock_wall_s() + AN_HOUR, 0,
				     slice_str("")),
			 0);
	restart(scene, &played);
	assert_int_equal(journal_find(scene->texts->journal, &orphan, &entry), 1);
	assert_true(entry.finished);
	assert_int_equal(journal_find(scene->texts->journal, &sent, &entry), 1);
	assert_false(entry.finished);
}

/* A gateway that was off, or had nothing to do, since: the end of its post, which is as late, is
 * forgotten then, and the wait is the last in the journal.  It was queued for all that. */
static void
a_text_without_a_receipt_is_told_of_though_its_end_passed_while_nothing_ran(void **state)
{
	const struct journal_key key = { .id = { 9 }, .kind = TEXTS_SENT };
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND };
	Texts__Sent sent = TEXTS__SENT__INIT;
	uint8_t packed[256];
	size_t n;

	sent.to = sent.receiver = (char *)"tel:+46701234567";
	sent.from = (char *)"tel:+8888;101";
	sent.kind = (char *)"center";
	sent.port = (char *)"smpp://a@center:2775";
	sent.by_hand = true;
	assert_true(texts__sent__get_packed_size(&sent) <= sizeof(packed));
	n = texts__sent__pack(&sent, packed);
	add(scene, &played);
	assert_int_equal(journal_put(scene->texts->journal, &key, clock_wall_s() - 1, 0,
				     slice_of(packed, n)),
			 0);
	restart(scene, &played);
	add(scene, &played);
	LOOP_UNTIL(scene->base, played.offers == 1);
	assert_non_null(strstr(played.body, "no receipt came"));
	texts_remove_port(&played.port);
}

static bool note_end(void *arg, const struct journal_entry *entry)
{
	int64_t *ends = arg;

	ends[entry->key.kind == TEXTS_SENT] = entry->end_s;
	return true;
}

/* Else the wait would be the last in the journal one day, and taken for one without a post. */
static void a_post_is_known_for_as_long_as_its_receipt_is_awaited(void **state)
{
	struct scene *scene = *state;
	struct played played = { .answer = TEXT_IN_HAND };
	int64_t ends[2] = { 0, 0 };
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	struct text_in in = { .from = "tel:+8888;101",
			      .to = "tel:+46701234567",
			      .outer_from = "+101",
			      .outer_to = "+46701234567",
			      .body = &body,
			      .end_s = clock_wall_s() + 2 * TEXTS_LIFETIME_S };
	char why[TEXT_WHY_SIZE];

	add(scene, &played);
	assert_int_equal(texts_submit(played.port, &in, why), 0);
	journal_each(scene->texts->journal, note_end, ends);
	assert_int_equal(ends[1], in.end_s);
	assert_true(ends[0] >= ends[1]);
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

/* Taken and forgotten, they would be missed at the messages' end: their senders would be told that
 * none came, of one that was delivered, too. */
static void a_receipt_that_the_journal_does_not_take_stays_at_the_rendezvous(void **state)
{
	static const Umsg__ReceiptState states[] = { UMSG__RECEIPT_STATE__RECEIPT_DELIVERED,
						     UMSG__RECEIPT_STATE__RECEIPT_FAILED };
	struct scene *scene = *state;
	const struct texts_counters *counters = texts_counters(scene->texts);
	const char alice[] = "tel:+46701234567";

	scene->client.answers = true;
	for (unsigned i = 0; i < COUNT(states); i++) {
		const uint8_t *id = scene->client.posted[i];

		scene_drop_file(scene, i);
		LOOP_UNTIL(scene->base,
			   scene->client.n_answered == i + 1 && !scene_files_in(scene->in, "new"));
		scene_fill_disk(scene, true);
		assert_false(texts_receipt(scene->texts, alice, id, states[i], ""));
		scene_fill_disk(scene, false);
		assert_int_equal(counters->receipts[states[i]], 0);
		assert_true(texts_receipt(scene->texts, alice, id, states[i], ""));
		assert_int_equal(counters->receipts[states[i]], 1);
	}
	assert_int_equal(counters->notices, 1);
	LOOP_UNTIL(scene->base, scene_files_in(scene->out, "new") == 1);
}

/* A disk with room for the notice and not for the end of the wait: the Receipt comes again. */
static void a_receipt_that_comes_again_makes_no_second_notice(void **state)
{
	struct scene *scene = *state;
	bool taken = false;

	scene->client.answers = true;
	scene_drop_file(scene, 1);
	LOOP_UNTIL(scene->base, scene->client.n_answered == 1 && !scene_files_in(scene->in, "new"));
	/* By every room there can be: some of them has the notice alone. */
	for (unsigned room = 0; room < 2000 && !taken; room++) {
		scene_leave_room(scene, room);
		taken = texts_receipt(scene->texts, "tel:+46701234567", scene->client.posted[0],
				      UMSG__RECEIPT_STATE__RECEIPT_FAILED, "");
	}
	scene_fill_disk(scene, false);
	assert_true(taken);
	assert_int_equal(texts_gauges(scene->texts).inward, 1);
	assert_int_equal(texts_counters(scene->texts)->notices, 1);
	LOOP_UNTIL(scene->base, scene_files_in(scene->out, "new") == 1);
}

/* Lines that tell what became of texts. */
static void count_line(void *arg, enum log_type type, const char *module, const char *text)
{
	unsigned *lines = arg;

	(void)type;
	*lines += strcmp(module, "texts") == 0 && strstr(text, "message=");
}

/* Each round through the journal comes by them again, every two seconds. */
static void ends_that_a_full_disk_does_not_take_are_told_once(void **state)
{
	struct scene *scene = *state;
	struct journal_entry entry = { .key.kind = TEXTS_SENT };
	unsigned lines = 0;

	scene->client.answers = true;
	for (unsigned i = 0; i < 2; i++) {
		scene_drop_file(scene, i);
		LOOP_UNTIL(scene->base,
			   scene->client.n_answered == i + 1 && !scene_files_in(scene->in, "new"));
	}
	log_set_tap(count_line, &lines);
	scene_fill_disk(scene, true);
	for (unsigned i = 0; i < 6; i++) {
		memcpy(entry.key.id, scene->client.posted[i % 2], sizeof(entry.key.id));
		texts_no_receipt(scene->texts, &entry);
	}
	scene_fill_disk(scene, false);
	assert_int_equal(lines, 1);
	for (unsigned i = 0; i < 4; i++) {
		memcpy(entry.key.id, scene->client.posted[i % 2], sizeof(entry.key.id));
		texts_no_receipt(scene->texts, &entry);
	}
	log_set_tap(NULL, NULL);
	assert_int_equal(lines, 1 + 2 * 2); /* each: its notice, and that no Receipt came */
	assert_int_equal(texts_counters(scene->texts)->notices, 2);
}

/* Writes over every place of the journal where that number stands. */
static void damage(const struct scene *scene, const char *number)
{
	char path[160];
	uint8_t *octets, *at;
	size_t n;
	FILE *file;

	snprintf(path, sizeof(path), "%s/messages.journal", scene->root);
	assert_int_equal(file_read(path, 1 << 20, &octets, &n), 0);
	file = fopen(path, "r+");
	assert_non_null(file);
	for (at = octets; (at = memmem(at, (size_t)(octets + n - at), number, strlen(number)));
	     at++) {
		assert_int_equal(fseek(file, at - octets, SEEK_SET), 0);
		assert_int_equal(fputc('x', file), 'x');
	}
	assert_int_equal(fclose(file), 0);
	free(octets);
}

/* Nobody is known who could be told; it must not stay awaited for ever. */
static void a_text_whose_record_is_damaged_ends_all_the_same(void **state)
{
	struct scene *scene = *state;
	struct journal_entry entry = { .key.kind = TEXTS_SENT };

	scene->client.answers = true;
	scene_drop_file(scene, 1);
	LOOP_UNTIL(scene->base, !scene_files_in(scene->in, "new"));
	assert_int_equal(texts_gauges(scene->texts).journaled, 1);
	memcpy(entry.key.id, scene->client.posted[0], sizeof(entry.key.id));
	damage(scene, "46701234567");
	texts_no_receipt(scene->texts, &entry);
	assert_int_equal(texts_gauges(scene->texts).journaled, 0);
	assert_int_equal(texts_counters(scene->texts)->notices, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_submitted_text_is_stored_then_posted),
		SCENE_TEST(a_stored_text_is_posted_after_a_restart_with_the_same_octets),
		SCENE_TEST(a_text_to_another_domain_waits_for_the_look_up),
		SCENE_TEST(a_text_to_a_domain_that_is_not_taken_is_refused),
		SCENE_TEST(a_text_that_waits_for_a_look_up_goes_with_its_port),
		SCENE_TEST(a_refusal_that_was_left_open_is_forgotten_at_its_end),
		SCENE_TEST(a_receipt_is_not_awaited_of_what_was_never_queued),
		SCENE_TEST(
			a_text_without_a_receipt_is_told_of_though_its_end_passed_while_nothing_ran),
		SCENE_TEST(a_post_is_known_for_as_long_as_its_receipt_is_awaited),
		SCENE_TEST(a_refusal_that_the_peer_hears_of_makes_no_notice),
		SCENE_TEST(a_refusal_comes_back_as_a_notice),
		SCENE_TEST(a_receipt_of_failure_comes_back_as_a_notice),
		SCENE_TEST(what_no_person_sent_makes_no_notice),
		SCENE_TEST(a_receipt_that_the_journal_does_not_take_stays_at_the_rendezvous),
		SCENE_TEST(a_receipt_that_comes_again_makes_no_second_notice),
		SCENE_TEST(ends_that_a_full_disk_does_not_take_are_told_once),
		SCENE_TEST(a_text_whose_record_is_damaged_ends_all_the_same),
		SCENE_TEST(a_receipt_about_a_file_comes_back_to_the_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
