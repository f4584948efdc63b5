/* test_client_messages.c - messages between clients; how they are fetched: test_client_fetch.c. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "keys/period.h"
#include "tests/umsg/stage.h"
#include "umsg/message_crypto.h"

#define ALICE "tel:+46700000001"
#define BOB "tel:+46700000002"

/* CCA-007: fetched, taken, and a receipt to its sender. */
static void a_message_is_posted_told_taken_and_receipted(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	struct umsg_sealed receipt;

	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, bob->messages && alice->acks && stage->takens == 1);
	assert_int_equal(alice->ack, UMSG__ERROR_CODE__OK);
	assert_string_equal(bob->body, "hello,\nworld");
	assert_string_equal(bob->from, ALICE);
	assert_string_equal(bob->domain, "Example");
	assert_int_equal(umsg_client_seal_receipt(bob->client, ALICE, bob->id,
						  UMSG__RECEIPT_STATE__RECEIPT_DELIVERED, "",
						  &receipt),
			 0);
	assert_int_equal(umsg_client_post(bob->client, slice_of(receipt.octets, receipt.n)), 0);
	umsg_sealed_clear(&receipt);
	STAGE_UNTIL(stage, alice->receipts && stage->takens == 2);
	assert_int_equal(alice->receipt, UMSG__RECEIPT_STATE__RECEIPT_DELIVERED);
	assert_memory_equal(alice->receipt_id, bob->id, UMSG_ID_SIZE);
	assert_string_equal(alice->receipt_from, BOB);
}

static bool deliver_twice(struct stage *stage, Umsg__Frame *frame)
{
	if (frame->body_case == UMSG__FRAME__BODY_DELIVER)
		stage_send(stage, frame->to, frame);
	return true;
}

static void a_repeat_is_taken_again_and_not_told(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	stage->tamper = deliver_twice;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, stage->takens == 2);
	assert_int_equal(bob->messages, 1);
}

static bool bend_record(struct stage *stage, Umsg__Frame *frame)
{
	(void)stage;
	if (frame->body_case == UMSG__FRAME__BODY_DELIVER &&
	    frame->deliver->post->kind == UMSG__MESSAGE_KIND__KIND_TEXT)
		frame->deliver->post->record.data[0] ^= 1;
	return true;
}

static void a_forged_message_is_not_told_but_receipted(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	stage->tamper = bend_record;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, alice->receipts);
	assert_int_equal(alice->receipt, UMSG__RECEIPT_STATE__RECEIPT_UNDECRYPTABLE);
	assert_int_equal(bob->messages, 0);
}

static bool change_sender(struct stage *stage, Umsg__Frame *frame)
{
	(void)stage;
	if (frame->body_case == UMSG__FRAME__BODY_DELIVER)
		frame->from = frame_text("tel:+46700000003");
	return true;
}

static void a_message_is_its_signers_only(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	stage->tamper = change_sender;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, stage->takens);
	assert_int_equal(bob->messages, 0);
}

static void a_message_past_its_end_is_not_told(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	struct umsg_sealed sealed;

	body.text = frame_text("old");
	assert_int_equal(umsg_client_seal(alice->client, BOB, &body, clock_wall_s() - 1, &sealed),
			 0);
	assert_int_equal(umsg_client_post(alice->client, slice_of(sealed.octets, sealed.n)), 0);
	umsg_sealed_clear(&sealed);
	STAGE_UNTIL(stage, alice->receipts);
	assert_int_equal(alice->receipt, UMSG__RECEIPT_STATE__RECEIPT_EXPIRED);
	assert_int_equal(bob->messages, 0);
}

static void a_post_that_is_refused_is_answered(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	stage->busy = true;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, alice->acks);
	assert_int_equal(alice->ack, UMSG__ERROR_CODE__ERROR_BUSY);
	assert_int_equal(alice->again_s, 3);
}

/* As at the beginning of a month, when a post crosses the word that its sender is not registered
 * any more.  Of a frame that has a fault the next try would be no better. */
static void an_error_that_finds_no_fault_with_a_post_is_not_its_end(void **state)
{
	static const struct {
		Umsg__ErrorCode code;
		bool final;
	} rows[] = { { UMSG__ERROR_CODE__ERROR_NOT_REGISTERED, false },
		     { UMSG__ERROR_CODE__ERROR_NOT_ALLOWED, false },
		     { UMSG__ERROR_CODE__ERROR_STORE_FULL, false },
		     { UMSG__ERROR_CODE__ERROR_MALFORMED, true },
		     { UMSG__ERROR_CODE__ERROR_TOO_LARGE, true } };
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	stage->busy = true;
	for (size_t i = 0; i < COUNT(rows); i++) {
		stage->because = rows[i].code;
		stage_post_hello(alice, BOB);
		STAGE_UNTIL(stage, alice->acks == i + 1);
		assert_int_equal(alice->ack, rows[i].code);
		assert_int_equal(alice->again_s == 0, rows[i].final);
	}
}

static void only_whole_posts_of_our_own_are_posted(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	struct umsg_sealed sealed;

	stage_seal_hello(alice, BOB, &sealed);
	assert_int_equal(umsg_client_post(alice->client, slice_of(sealed.octets, sealed.n - 1)),
			 -EBADMSG);
	assert_int_equal(umsg_client_post(bob->client, slice_of(sealed.octets, sealed.n)),
			 -EBADMSG);
	umsg_sealed_clear(&sealed);
}

static void a_body_has_limits(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	Umsg__Attachment attachment = UMSG__ATTACHMENT__INIT, *attachments[] = { &attachment };
	static uint8_t much[UMSG_BODY_MAX];
	struct umsg_sealed sealed;

	body.n_attachments = 1;
	body.attachments = attachments;
	attachment.name = frame_text("a.png");
	attachment.type = frame_text("image/png");
	attachment.data = frame_data(slice_of(much, sizeof(much)));
	assert_int_equal(umsg_client_seal(alice->client, BOB, &body, 0, &sealed), -EMSGSIZE);
	attachment.data.len = 1000;
	attachment.name = frame_text("../a.png");
	assert_int_equal(umsg_client_seal(alice->client, BOB, &body, 0, &sealed), -EINVAL);
	attachment.name = frame_text("a.png");
	body.called_extension = frame_text("1;2");
	assert_int_equal(umsg_client_seal(alice->client, BOB, &body, 0, &sealed), -EINVAL);
	body.called_extension = frame_text("12");
	assert_int_equal(umsg_client_seal(alice->client, "bob", &body, 0, &sealed), -EINVAL);
	assert_int_equal(umsg_client_seal(alice->client, BOB, &body, 0, &sealed), 0);
	umsg_sealed_clear(&sealed);
}

/* Posts what alice seals under an id of the test's choice, as of when_s. */
static void post_under(struct party *alice, const uint8_t id[UMSG_ID_SIZE], const char *text,
		       int64_t when_s)
{
	Umsg__TextBody body = UMSG__TEXT_BODY__INIT;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Post post = UMSG__POST__INIT;
	struct message_sealed sealed = { .kind = UMSG__MESSAGE_KIND__KIND_TEXT };
	struct period_keys *own = keyset_hold(alice->keyset, period_of(when_s));
	Umsg__SealedPost kept = UMSG__SEALED_POST__INIT;
	uint8_t plain[256], whole[4096], *octets;
	size_t n;

	assert_non_null(own);
	body.version = 1;
	body.text = frame_text(text);
	n = umsg__text_body__pack(&body, plain);
	memcpy(sealed.id, id, UMSG_ID_SIZE);
	assert_int_equal(message_seal(own, keyset_domain(alice->keyset), slice_str(BOB),
				      slice_of(plain, n), when_s * 1000, false, &sealed),
			 0);
	period_keys_release(&own);
	post.message_id = frame_data(slice_of(id, UMSG_ID_SIZE));
	post.kind = sealed.kind;
	post.i_message = frame_data(slice_of(sealed.i_message, sealed.i_message_n));
	post.record = frame_data(slice_of(sealed.records, sealed.records_n));
	post.total_length = (uint32_t)sealed.records_n;
	frame.from = frame_text(ALICE);
	frame.to = frame_text(BOB);
	frame.body_case = UMSG__FRAME__BODY_POST;
	frame.post = &post;
	assert_int_equal(frame_encode(&frame, &octets, &n), 0);
	kept.frame = frame_data(slice_of(octets, n));
	n = umsg__sealed_post__pack(&kept, whole);
	assert_int_equal(umsg_client_post(alice->client, slice_of(whole, n)), 0);
	free(octets);
	message_sealed_done(&sealed);
}

static void one_id_for_two_messages_is_a_conflict(void **state)
{
	const uint8_t id[UMSG_ID_SIZE] = { 77 };
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	post_under(alice, id, "one", clock_wall_s());
	STAGE_UNTIL(stage, bob->messages == 1 && stage->takens == 1);
	post_under(alice, id, "two", clock_wall_s());
	STAGE_UNTIL(stage, alice->receipts == 1);
	assert_int_equal(alice->receipt, UMSG__RECEIPT_STATE__RECEIPT_FAILED);
	assert_string_equal(alice->reason, "conflict");
	assert_int_equal(bob->messages, 1);
	assert_string_equal(bob->body, "one");
}

/* Its T is ten minutes ahead: neither told nor taken until then. */
static void a_message_from_the_future_is_kept(void **state)
{
	const uint8_t id[UMSG_ID_SIZE] = { 78 };
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	post_under(alice, id, "soon", clock_wall_s() + 600);
	stage_post_hello(alice, BOB); /* behind it */
	STAGE_UNTIL(stage, bob->messages == 1 && stage->takens == 1);
	assert_string_equal(bob->body, "hello,\nworld");
	assert_int_equal(alice->receipts, 0);
}

int main(void)
{
#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_set, stage_strike)
	const struct CMUnitTest tests[] = {
		ON_STAGE(a_message_is_posted_told_taken_and_receipted),
		ON_STAGE(a_repeat_is_taken_again_and_not_told),
		ON_STAGE(a_forged_message_is_not_told_but_receipted),
		ON_STAGE(a_message_is_its_signers_only),
		ON_STAGE(a_message_past_its_end_is_not_told),
		ON_STAGE(a_post_that_is_refused_is_answered),
		ON_STAGE(an_error_that_finds_no_fault_with_a_post_is_not_its_end),
		ON_STAGE(only_whole_posts_of_our_own_are_posted),
		ON_STAGE(a_body_has_limits),
		ON_STAGE(one_id_for_two_messages_is_a_conflict),
		ON_STAGE(a_message_from_the_future_is_kept),
	};

	return cmocka_run_group_tests(tests, stage_build, stage_raze);
}
