/* Texts through the gateway, between real mailboxes and a client that is played here. */
#include "tests/gateway/text_scene.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "gateway/texts_port.h"

/* ---- from the secure side ---- */

static void a_message_is_taken_filed_and_receipted(void **state)
{
	struct scene *scene = *state;

	scene_message_comes(scene, 1, clock_wall_s() + AN_HOUR);
	assert_int_equal(scene->client.taken, 0); /* not durable yet */
	LOOP_UNTIL(scene->base, scene->client.receipts);
	assert_int_equal(scene->client.taken, 1);
	assert_int_equal(scene->client.receipt, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED);
	assert_int_equal(scene_files_in(scene->out, "new"), 1);
}

static void many_messages_are_filed_in_batches(void **state)
{
	struct scene *scene = *state;

	for (uint8_t id = 1; id <= 100; id++)
		scene_message_comes(scene, id, clock_wall_s() + AN_HOUR);
	LOOP_UNTIL(scene->base, scene->client.receipts == 100);
	assert_int_equal(scene->client.taken, 100);
	assert_int_equal(scene_files_in(scene->out, "new"), 100);
}

/* A month has begun and its keys come later: a sender hears of what was delivered all the same. */
static void a_receipt_waits_for_keys(void **state)
{
	struct scene *scene = *state;

	scene->client.state = UMSG_UPDATES_ONLY;
	scene->client.receipt_fails = -ENOKEY;
	scene_message_comes(scene, 1, clock_wall_s() + AN_HOUR);
	LOOP_UNTIL(scene->base, scene->client.receipts == 1);
	assert_int_equal(scene_files_in(scene->out, "new"), 1);
	scene->client.state = UMSG_ATTACHED;
	scene->client.receipt_fails = 0;
	LOOP_UNTIL(scene->base, scene->client.n_posted == 1);
	assert_int_equal(texts_gauges(scene->texts).inward, 0);
	/* To a domain that is not trusted any more there is no way, and nothing to wait for. */
	scene->client.receipt_fails = -ENOKEY;
	scene_message_comes(scene, 2, clock_wall_s() + AN_HOUR);
	LOOP_UNTIL(scene->base, scene->client.taken == 2 && !texts_gauges(scene->texts).inward);
}

/* Each delivery of it is taken, but it is one file and one receipt. */
static void a_repeat_is_taken_and_not_filed_again(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 3; i++)
		scene_message_comes(scene, 1, clock_wall_s() + AN_HOUR);
	LOOP_UNTIL(scene->base, scene->client.taken == 3);
	LOOP_UNTIL(scene->base, scene->client.receipts);
	scene_message_comes(scene, 1, clock_wall_s() + AN_HOUR);
	LOOP_UNTIL(scene->base, scene->client.taken == 4);
	assert_int_equal(scene->client.receipts, 1);
	assert_int_equal(scene_files_in(scene->out, "new"), 1);
}

static void a_message_waits_for_its_mailbox(void **state)
{
	struct scene *scene = *state;
	char away[128];

	snprintf(away, sizeof(away), "%s.away", scene->out);
	assert_int_equal(rename(scene->out, away), 0);
	scene_message_comes(scene, 1, clock_wall_s() + AN_HOUR);
	LOOP_UNTIL(scene->base, scene->client.taken);
	assert_int_equal(scene->client.receipts, 0);
	scene_end(scene);
	scene_begin(scene); /* without it, as well */
	assert_int_equal(scene->client.receipts, 0);
	assert_int_equal(rename(away, scene->out), 0);
	LOOP_UNTIL(scene->base, scene->client.receipts);
	assert_int_equal(scene->client.receipt, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED);
	assert_int_equal(scene_files_in(scene->out, "new"), 1);
}

static void a_message_past_its_end_is_not_filed(void **state)
{
	struct scene *scene = *state;

	scene_message_comes(scene, 1, clock_wall_s() - 1);
	LOOP_UNTIL(scene->base, scene->client.receipts);
	assert_int_equal(scene->client.receipt, UMSG__RECEIPT_STATE__RECEIPT_EXPIRED);
	assert_int_equal(scene_files_in(scene->out, "new"), 0);
}

/* ---- from a mailbox ---- */

static void many_files_are_sent_without_waiting_for_a_rescan(void **state)
{
	struct scene *scene = *state;
	int64_t begun_ms = clock_mono_ms();

	scene->client.answers = true;
	for (unsigned i = 0; i < 150; i++)
		scene_drop_file(scene, i);
	LOOP_UNTIL(scene->base, scene->client.n_posted == 150 && !scene_files_in(scene->in, "new"));
	assert_true(clock_mono_ms() - begun_ms < 9000); /* the rescan comes every ten seconds */
}

/* As many as may wait for the rendezvous are for one whose mailbox there is full, for an hour. */
static void files_that_are_put_off_keep_no_others_waiting(void **state)
{
	struct scene *scene = *state;

	scene->client.answers = true;
	scene->client.answer = UMSG__ERROR_CODE__ERROR_QUOTA;
	scene->client.answer_again_s = AN_HOUR;
	for (unsigned i = 0; i < 70; i++)
		scene_drop_file(scene, i);
	LOOP_UNTIL(scene->base, scene->client.n_answered == 70);
	scene->client.answer = UMSG__ERROR_CODE__OK;
	scene_drop_file(scene, 70);
	LOOP_UNTIL(scene->base, scene_files_in(scene->in, "new") == 70);
	/* Also behind a restart, which knows nothing of the hour. */
	scene_end(scene);
	scene_begin(scene);
	scene->client.answers = true;
	LOOP_UNTIL(scene->base, !scene_files_in(scene->in, "new"));
	assert_int_equal(texts_gauges(scene->texts).posts, 0);
}

static void a_refused_file_is_moved_aside(void **state)
{
	struct scene *scene = *state;

	scene->client.answers = true;
	scene->client.answer = UMSG__ERROR_CODE__ERROR_NOT_FOUND;
	scene_drop_file(scene, 1);
	LOOP_UNTIL(scene->base, scene_files_in(scene->in, ".failed") == 2); /* and its reason */
	assert_int_equal(scene_files_in(scene->in, "new"), 0);
}

/* "A file that cannot be sent is moved aside, never deleted": not after a restart either. */
static void a_refused_file_outlives_a_restart(void **state)
{
	struct scene *scene = *state;
	char failed[128], reason[128];

	snprintf(failed, sizeof(failed), "%s/.failed", scene->in);
	snprintf(reason, sizeof(reason), "%s/.failed/1.reason", scene->in);
	assert_int_equal(rmdir(failed), 0);
	assert_int_equal(file_write_atomic(failed, 0600, slice_str("in the way")), 0);
	scene->client.answers = true;
	scene->client.answer = UMSG__ERROR_CODE__ERROR_NOT_FOUND;
	scene_drop_file(scene, 1);
	LOOP_UNTIL(scene->base, scene->client.n_answered);
	scene_end(scene);
	assert_int_equal(unlink(failed), 0);
	assert_int_equal(mkdir(failed, 0770), 0);
	scene_begin(scene);
	LOOP_UNTIL(scene->base, !scene_files_in(scene->in, "new"));
	assert_int_equal(scene_files_in(scene->in, ".failed"), 2);
	assert_int_equal(access(reason, F_OK), 0);
	assert_int_equal(scene->client.n_posted, 0);
}

static void a_sent_file_is_not_sent_again_after_a_restart(void **state)
{
	struct scene *scene = *state;

	scene_drop_file(scene, 1);
	LOOP_UNTIL(scene->base, scene->client.n_posted == 1);
	scene_end(scene);
	scene_begin(scene);
	scene->client.answers = true;
	LOOP_UNTIL(scene->base, !scene_files_in(scene->in, "new"));
	assert_int_equal(scene->client.n_posted, 1); /* the same octets, journaled before */
	assert_int_equal(scene->client.posted[0][0], 1);
}

static void what_can_never_be_posted_is_moved_aside(void **state)
{
	struct scene *scene = *state;

	scene->client.post_fails = -EBADMSG;
	scene_drop_file(scene, 1);
	LOOP_UNTIL(scene->base, scene_files_in(scene->in, ".failed") == 2);
	scene->client.post_fails = -EMSGSIZE; /* more than the rendezvous takes */
	scene_drop_file(scene, 2);
	LOOP_UNTIL(scene->base, scene_files_in(scene->in, ".failed") == 4);
}

static void a_file_for_another_domain_waits_for_the_look_up(void **state)
{
	struct scene *scene = *state;

	scene->client.answers = true;
	scene->client.domain = -EAGAIN;
	scene_drop_file(scene, 1);
	LOOP_UNTIL(scene->base, scene->client.lookups > 0);
	scene->client.domain = 0;
	texts_looked_up(scene->texts);
	LOOP_UNTIL(scene->base, scene->client.n_posted == 1 && !scene_files_in(scene->in, "new"));
}

static void a_file_for_a_domain_that_is_not_taken_is_moved_aside(void **state)
{
	struct scene *scene = *state;

	scene->client.domain = -EPERM;
	scene_drop_file(scene, 1);
	LOOP_UNTIL(scene->base, scene_files_in(scene->in, ".failed") == 2);
	assert_int_equal(scene->client.n_posted, 0);
}

static void a_mailbox_that_comes_late_is_read(void **state)
{
	struct scene *scene = *state;

	scene_end(scene);
	scene_remove_tree(scene->in);
	scene_begin(scene);
	scene_make_mailbox(scene->in);
	scene_drop_file(scene, 1);
	LOOP_UNTIL(scene->base, scene->client.n_posted == 1);
}

static void note_first_trouble(void *arg, const struct texts_port_state *state)
{
	char *trouble = arg;

	if (strcmp(state->kind, "read") == 0 && !*trouble)
		snprintf(trouble, TEXT_WHY_SIZE, "%s", state->trouble);
}

static bool files_have_trouble(const struct scene *scene)
{
	char trouble[TEXT_WHY_SIZE] = "";

	texts_each_port(scene->texts, note_first_trouble, trouble);
	return strstr(trouble, "No space left") != NULL;
}

static void touch(const char *box)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/new/once", box);
	assert_int_equal(file_write_atomic(path, 0600, slice_str("")), 0);
	unlink(path);
}

static void count_complaints(void *arg, enum log_type type, const char *module, const char *text)
{
	unsigned *n = arg;

	(void)type;
	(void)module;
	*n += strstr(text, "until there is room") != NULL;
}

/* Another mailbox, which has nothing to send, knows nothing of the disk.  It is the one that is
 * looked at first, each time that the journal is to be asked again. */
static void that_files_wait_for_the_journals_disk_is_told_once(void **state)
{
	struct scene *scene = *state;
	int64_t begun_ms = clock_mono_ms();
	unsigned complaints = 0;

	log_set_tap(count_complaints, &complaints);
	scene->client.answers = true;
	scene->client.seal_fails = -ENOSPC;
	scene_drop_file(scene, 1);
	LOOP_UNTIL(scene->base, files_have_trouble(scene));
	/* Over the next two times at which the journal is asked again. */
	while (clock_mono_ms() - begun_ms < 2200) {
		touch(scene->second);
		assert_true(event_base_loop(scene->base, EVLOOP_ONCE) == 0);
		assert_true(files_have_trouble(scene));
	}
	assert_int_equal(complaints, 1);
	scene->client.seal_fails = 0;
	LOOP_UNTIL(scene->base, !files_have_trouble(scene) && !scene_files_in(scene->in, "new"));
	assert_int_equal(scene->client.n_posted, 1);
	log_set_tap(NULL, NULL);
}

/* What memory alone knows to be over would be posted once more after a restart. */
static void a_file_stays_until_the_journal_has_the_end_of_its_post(void **state)
{
	struct scene *scene = *state;

	scene_drop_file(scene, 1);
	LOOP_UNTIL(scene->base, scene->client.n_posted == 1);
	scene_fill_disk(scene, true);
	texts_post_ack(scene->texts, scene->client.posted[0], UMSG__ERROR_CODE__OK, "", 0);
	for (int i = 0; i < 5; i++)
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
	assert_int_equal(scene_files_in(scene->in, "new"), 1);
	assert_int_equal(texts_gauges(scene->texts).posts, 1);
	scene_fill_disk(scene, false);
	LOOP_UNTIL(scene->base, !scene_files_in(scene->in, "new"));
	scene_end(scene);
	scene_begin(scene);
	assert_int_equal(texts_gauges(scene->texts).posts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_message_is_taken_filed_and_receipted),
		SCENE_TEST(many_messages_are_filed_in_batches),
		SCENE_TEST(a_receipt_waits_for_keys),
		SCENE_TEST(a_repeat_is_taken_and_not_filed_again),
		SCENE_TEST(a_message_waits_for_its_mailbox),
		SCENE_TEST(a_message_past_its_end_is_not_filed),
		SCENE_TEST(many_files_are_sent_without_waiting_for_a_rescan),
		SCENE_TEST(files_that_are_put_off_keep_no_others_waiting),
		SCENE_TEST(a_refused_file_is_moved_aside),
		SCENE_TEST(a_refused_file_outlives_a_restart),
		SCENE_TEST(a_sent_file_is_not_sent_again_after_a_restart),
		SCENE_TEST(that_files_wait_for_the_journals_disk_is_told_once),
		SCENE_TEST(a_file_stays_until_the_journal_has_the_end_of_its_post),
		SCENE_TEST(what_can_never_be_posted_is_moved_aside),
		SCENE_TEST(a_file_for_another_domain_waits_for_the_look_up),
		SCENE_TEST(a_file_for_a_domain_that_is_not_taken_is_moved_aside),
		SCENE_TEST(a_mailbox_that_comes_late_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
