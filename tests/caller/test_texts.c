/* "cca send", "cca listen" and "cca keep" with a rendezvous that is played: what is sent, told and
 * confirmed, in which order, and the status that the command ends with. */
#include "tests/caller/played_cca.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct played_cca));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

/* The rendezvous's word on the text or receipt that was sealed as that number. */
static void ack(struct played_cca *played, unsigned number, Umsg__ErrorCode error, const char *text)
{
	uint8_t id[UMSG_ID_SIZE];

	memset(id, (int)number, sizeof(id));
	played->job->post_ack(&played->cca, played->arg, id, error, text);
}

static bool receipt(struct played_cca *played, unsigned number, Umsg__ReceiptState state,
		    const char *reason)
{
	uint8_t id[UMSG_ID_SIZE];

	memset(id, (int)number, sizeof(id));
	return played->job->receipt(&played->cca, played->arg, "tel:+8888", id, state, reason);
}

/* ---- send ---- */

static void is_posted(struct played_cca *played)
{
	assert_string_equal(played->job->peer(played->arg), "tel:+8888");
	played_attached(played);
	ack(played, 9, UMSG__ERROR_CODE__OK, ""); /* of somebody else's */
	assert_false(played->ended);
	played_attached(played); /* the connection was lost: the same octets again */
	ack(played, 1, UMSG__ERROR_CODE__OK, "");
	assert_true(played->ended);
	played_attached(played); /* it is posted already */
}

static void a_text_is_sealed_once_and_posted_until_it_is_acknowledged(void **state)
{
	struct played_cca *played = *state;
	int64_t now_s = clock_wall_s();

	assert_int_equal(played_run(played, cca_send,
				    "send --lifetime 60 --auto replied +8888;101 good'day",
				    is_posted),
			 CCA_OK);
	assert_int_equal(played->client.seals, 1);
	assert_int_equal(played->client.posts, 2);
	assert_string_equal(played->client.to, "tel:+8888");
	assert_string_equal(played->client.called_extension, "101");
	assert_string_equal(played->client.text, "good day");
	assert_int_equal(played->client.auto_submitted, UMSG__AUTO_SUBMITTED__AUTO_REPLIED);
	assert_int_equal(played->client.responder, UMSG__RESPONDER_TYPE__RESPONDER_TEL_URI);
	assert_true(played->client.end_s >= now_s + 60 &&
		    played->client.end_s <= clock_wall_s() + 60);
	assert_string_equal(played->told, "posted id=AQEBAQEBAQEBAQEBAQEBAQ==\n");
}

static void is_refused(struct played_cca *played)
{
	played_attached(played);
	ack(played, 1, UMSG__ERROR_CODE__ERROR_NOT_FOUND, "no such user");
}

static void a_text_that_is_refused_fails(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_send, "send +8888 x", is_refused), CCA_FAILED);
	assert_non_null(strstr(played->told, "refused id=AQEBAQEBAQEBAQEBAQEBAQ== "
					     "reason=no such user\n"));
	assert_true(played->ended);
	played->client.post_fails = -ENOTCONN;
	assert_int_equal(played_run(played, cca_send, "send +8888 x", played_attached), CCA_FAILED);
	assert_true(played->ended);
}

static void is_delivered(struct played_cca *played)
{
	played_attached(played);
	ack(played, 1, UMSG__ERROR_CODE__OK, "");
	assert_false(played->ended); /* the receipt is waited for */
	assert_true(receipt(played, 7, UMSG__RECEIPT_STATE__RECEIPT_FAILED, "of an earlier run"));
	assert_false(played->ended);
	receipt(played, 1, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED, "");
}

static void expires(struct played_cca *played)
{
	played_attached(played);
	ack(played, 1, UMSG__ERROR_CODE__OK, "");
	receipt(played, 1, UMSG__RECEIPT_STATE__RECEIPT_EXPIRED, "too late");
}

static void the_receiver_is_quicker(struct played_cca *played)
{
	played_attached(played);
	receipt(played, 1, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED, "");
	ack(played, 1, UMSG__ERROR_CODE__OK, "");
}

/* PostAck and what the receiver answers come by ways of their own. */
static void a_text_is_posted_before_it_is_delivered_whoever_tells_first(void **state)
{
	static const char *const words[] = { "send +8888 x", "send --receipt +8888 x" };
	struct played_cca *played = *state;

	for (size_t i = 0; i < COUNT(words); i++) {
		assert_int_equal(played_run(played, cca_send, words[i], the_receiver_is_quicker),
				 CCA_OK);
		assert_true(strncmp(played->told, "posted ", 7) == 0);
		assert_non_null(strstr(played->told, "\ndelivered "));
		assert_null(strstr(played->told, "\nposted "));
	}
}

static void with_a_receipt_its_word_is_the_status(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_send, "send --receipt +8888 x", is_delivered),
			 CCA_OK);
	assert_int_equal(played_run(played, cca_send, "send --receipt +8888 x", expires),
			 CCA_FAILED);
	assert_non_null(strstr(played->told, "expired id=AQEBAQEBAQEBAQEBAQEBAQ== by=tel:+8888 "
					     "reason=too late\n"));
}

static void is_posted_to_a_channel(struct played_cca *played)
{
	assert_null(played->job->peer(played->arg)); /* nothing to look up */
	played_attached(played);
	ack(played, 1, UMSG__ERROR_CODE__OK, "");
}

static void a_channel_is_named_or_refused(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_send, "send --channel Red'team hello",
				    is_posted_to_a_channel),
			 CCA_OK);
	assert_string_equal(played->client.to, "channel:red");
	assert_int_equal(played->client.responder, UMSG__RESPONDER_TYPE__RESPONDER_CHANNEL);
	assert_int_equal(played_run(played, cca_send, "send --channel Blue hello", played_attached),
			 CCA_FAILED);
	assert_int_equal(played->client.posts, 0);
}

static void what_makes_no_sense_is_not_begun(void **state)
{
	static const struct {
		played_command *command;
		const char *arguments;
	} cases[] = {
		{ cca_send, "send" },
		{ cca_send, "send +8888" },
		{ cca_send, "send 8888 text" },
		{ cca_send, "send +8888 a text" },
		{ cca_send, "send --auto never +8888 x" },
		{ cca_send, "send --lifetime 0 +8888 x" },
		{ cca_send, "send --attach /nonexistent +8888 x" },
		{ cca_send, "send --channel Red'team --receipt x" },
		{ cca_send, "send --channel Red'team +8888 x" },
		{ cca_listen, "listen now" },
		{ cca_listen, "listen --count 0" },
		{ cca_listen, "listen --nonsense" },
		{ cca_keep, "keep name" },
		{ cca_keep, "keep --nonsense name /etc/hosts" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
			played_run(*state, cases[i].command, cases[i].arguments, played_never),
			CCA_USAGE);
}

/* ---- listen ---- */

static void comes(struct played_cca *played, const char *to, const char *text)
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	struct umsg_message message = { .id = { 5 },
					.from = "tel:+8888",
					.to = to,
					.from_domain = "Example",
					.sent_s = 1000,
					.body = &body };

	body.text = (char *)(uintptr_t)text;
	body.calling_extension = (char *)"101";
	played->job->message(&played->cca, played->arg, &message);
}

static void two_come_and_a_third(struct played_cca *played)
{
	comes(played, "tel:+4670", "one");
	assert_int_equal(played->client.taken, 1);
	assert_int_equal(played->client.receipts, 1);
	assert_string_equal(played->client.to, "tel:+8888");
	comes(played, "tel:+4670", "two");
	assert_false(played->ended); /* the receipt is still on its way */
	assert_int_equal(played->awaits, 1);
	comes(played, "tel:+4670", "three");
	assert_int_equal(played->client.taken, 2); /* it stays for the next run */
	ack(played, 1, UMSG__ERROR_CODE__OK, "");
	assert_false(played->ended);
	ack(played, 2, UMSG__ERROR_CODE__OK, "");
}

static void a_counted_run_ends_behind_its_last_receipt(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_listen, "listen --count 2", two_come_and_a_third),
			 CCA_OK);
	assert_true(played->ended);
	assert_non_null(strstr(played->told, "message from=tel:+8888 extension=101 domain=Example "
					     "sent=1000 text=one id=BQAAAAAAAAAAAAAAAAAAAA==\n"));
	assert_null(strstr(played->told, "three"));
}

static void comes_by_a_channel(struct played_cca *played)
{
	comes(played, "channel:red", "all");
}

/* A post to a channel gets no Receipt. */
static void what_comes_by_a_channel_is_told_as_such(void **state)
{
	struct played_cca *played = *state;

	assert_int_equal(played_run(played, cca_listen, "listen --count 1", comes_by_a_channel),
			 CCA_OK);
	assert_true(played->ended);
	assert_non_null(strstr(played->told, " channel=Red team\n"));
	assert_int_equal(played->client.taken, 1);
	assert_int_equal(played->client.receipts, 0);
}

static void comes_to_nobody(struct played_cca *played)
{
	comes(played, "tel:+4670", "lost?");
}

/* Shown is delivered: what was not shown is not taken, and stays with the rendezvous. */
static void what_cannot_be_shown_is_not_taken(void **state)
{
	struct played_cca *played = *state;

	played->mute = true;
	assert_int_equal(played_run(played, cca_listen, "listen", comes_to_nobody), CCA_FAILED);
	assert_int_equal(played->client.taken, 0);
	assert_int_equal(played->client.receipts, 0);
	assert_true(played->ended);
}

static void hears_a_receipt(struct played_cca *played)
{
	assert_true(receipt(played, 1, UMSG__RECEIPT_STATE__RECEIPT_UNDECRYPTABLE, "no keys"));
	assert_true(receipt(played, 1, (Umsg__ReceiptState)77, ""));
}

static void receipts_are_told_also_those_of_a_newer_kind(void **state)
{
	struct played_cca *played = *state;

	played_run(played, cca_listen, "listen", hears_a_receipt);
	assert_string_equal(
		played->told,
		"undecryptable id=AQEBAQEBAQEBAQEBAQEBAQ== by=tel:+8888 reason=no keys\n"
		"unknown id=AQEBAQEBAQEBAQEBAQEBAQ== by=tel:+8888 reason=\n");
}

/* ---- keep ---- */

static void is_kept(struct played_cca *played)
{
	played_attached(played);
	assert_true(played->awaits > 0);
	played->job->kept(&played->cca, played->arg, UMSG__ERROR_CODE__OK, "");
}

/* Attached twice over one connection, and the first question is under way still. */
static void is_kept_late(struct played_cca *played)
{
	played->client.keep_fails = -EBUSY;
	is_kept(played);
	played->client.keep_fails = 0;
}

static void is_too_much(struct played_cca *played)
{
	played_attached(played);
	played->job->kept(&played->cca, played->arg, UMSG__ERROR_CODE__ERROR_QUOTA, "no more");
}

static void a_file_is_kept_or_taken_away(void **state)
{
	char dir[] = "/tmp/cca-test.XXXXXX", path[64], typed[160], plain[160];
	struct played_cca *played = *state;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/value", dir);
	snprintf(typed, sizeof(typed), "keep --type application/json push-token %s", path);
	snprintf(plain, sizeof(plain), "keep note %s", path);
	assert_int_equal(file_write_atomic(path, 0600, slice_str("{}")), 0);
	assert_int_equal(played_run(played, cca_keep, typed, is_kept), CCA_OK);
	assert_string_equal(played->client.name, "push-token");
	assert_string_equal(played->client.type, "application/json");
	assert_string_equal(played->client.value, "{}");
	assert_string_equal(played->told, "kept name=push-token\n");
	assert_int_equal(played_run(played, cca_keep, plain, is_too_much), CCA_FAILED);
	assert_string_equal(played->told, "refused name=note reason=no more\n");
	assert_int_equal(played_run(played, cca_keep, plain, is_kept_late), CCA_OK);
	played->client.keep_fails = -EINVAL;
	assert_int_equal(played_run(played, cca_keep, plain, played_attached), CCA_FAILED);
	played->client.keep_fails = 0;
	assert_int_equal(file_write_atomic(path, 0600, slice_str("")), 0);
	assert_int_equal(played_run(played, cca_keep, plain, is_kept), CCA_OK);
	assert_string_equal(played->told, "removed name=note\n");
	unlink(path);
	rmdir(dir);
	assert_int_equal(played_run(played, cca_keep, plain, played_never), CCA_FAILED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_text_is_sealed_once_and_posted_until_it_is_acknowledged),
		TEST(a_text_that_is_refused_fails),
		TEST(with_a_receipt_its_word_is_the_status),
		TEST(a_text_is_posted_before_it_is_delivered_whoever_tells_first),
		TEST(a_channel_is_named_or_refused),
		TEST(what_makes_no_sense_is_not_begun),
		TEST(a_counted_run_ends_behind_its_last_receipt),
		TEST(what_comes_by_a_channel_is_told_as_such),
		TEST(what_cannot_be_shown_is_not_taken),
		TEST(receipts_are_told_also_those_of_a_newer_kind),
		TEST(a_file_is_kept_or_taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
