/* test_session_in.c - what a message center asks of a session, and how its octets come. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/smpp/session_seen.h"

static void a_delivery_is_answered_when_the_owner_says_so(void **state)
{
	const struct smpp_pdu deliver = { .command = SMPP_DELIVER_SM,
					  .sequence = 0xFFFFFFFF,
					  .short_message = slice_str("text") };
	struct seen *seen = seen_bound(seen_usual());
	struct smpp_pdu answer;

	(void)state;
	seen_come(seen, &deliver, 1);
	assert_string_equal(seen->events, "delivered:text");
	assert_int_equal(seen_sent(seen).command, 0);
	smpp_session_answer(seen->session, SMPP_DELIVER_SM, seen->deliver_sequence, SMPP_RX_T_APPN);
	answer = seen_sent(seen);
	assert_int_equal(answer.command, SMPP_DELIVER_SM | SMPP_RESPONSE);
	assert_int_equal(answer.sequence, 0xFFFFFFFF);
	assert_int_equal(answer.status, SMPP_RX_T_APPN);
	seen_finish(seen);
}

static void requests_have_their_answers(void **state)
{
	static const struct {
		struct smpp_pdu ask;
		uint32_t command, status;
	} cases[] = {
		{ { .command = SMPP_ENQUIRE_LINK, .sequence = 5 },
		  SMPP_ENQUIRE_LINK | SMPP_RESPONSE,
		  SMPP_OK },
		{ { .command = SMPP_QUERY_SM, .sequence = 5 }, SMPP_GENERIC_NACK, SMPP_RINVCMDID },
		{ { .command = SMPP_SUBMIT_SM, .sequence = 5 }, SMPP_GENERIC_NACK, SMPP_RINVCMDID },
		{ { .command = SMPP_ALERT_NOTIFICATION, .sequence = 5 }, 0, 0 },
		{ { .command = SMPP_OUTBIND, .sequence = 5 }, 0, 0 },
		{ { .command = SMPP_UNBIND, .sequence = 5 }, SMPP_UNBIND | SMPP_RESPONSE, SMPP_OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct seen *seen = seen_bound(seen_usual());
		struct smpp_pdu answer;

		seen_come(seen, &cases[i].ask, 1);
		answer = seen_sent(seen);
		assert_int_equal(answer.command, cases[i].command);
		assert_int_equal(answer.status, cases[i].status);
		if (answer.command)
			assert_int_equal(answer.sequence, 5);
		seen_finish(seen);
	}
}

/* A vendor's command, by octets. */
static void an_unknown_command_gets_generic_nack(void **state)
{
	struct seen *seen = seen_bound(seen_usual());
	uint8_t octets[] = {
		0, 0, 0, 20, 0, 1, 2, 0x10, 0, 0, 0, 0, 0, 0, 0, 9, 'a', 'b', 'c', 'd'
	};
	struct smpp_pdu answer;

	(void)state;
	smpp_session_input(seen->session, slice_of(octets, sizeof(octets)), 1);
	answer = seen_sent(seen);
	assert_int_equal(answer.command, SMPP_GENERIC_NACK);
	assert_int_equal(answer.status, SMPP_RINVCMDID);
	assert_int_equal(answer.sequence, 9);
	/* an unknown response is not answered: nacks would go back and forth */
	octets[4] = 0x80;
	smpp_session_input(seen->session, slice_of(octets, sizeof(octets)), 1);
	assert_int_equal(seen_sent(seen).command, 0);
	assert_int_equal(smpp_session_state(seen->session), SMPP_BOUND);
	seen_finish(seen);
}

static void a_malformed_delivery_is_answered_with_what_is_wrong(void **state)
{
	struct seen *seen = seen_bound(seen_usual());
	const uint8_t octets[] = { 0, 0, 0, 19, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9, 'a', 'b', 'c' };
	struct smpp_pdu answer;

	(void)state;
	smpp_session_input(seen->session, slice_of(octets, sizeof(octets)), 1);
	answer = seen_sent(seen);
	assert_int_equal(answer.command, SMPP_DELIVER_SM | SMPP_RESPONSE);
	assert_int_equal(answer.status, SMPP_RINVCMDLEN);
	assert_int_equal(smpp_session_state(seen->session), SMPP_BOUND);
	seen_finish(seen);
}

static void lengths_that_cannot_be_end_the_session(void **state)
{
	static const uint8_t garbage[][4] = {
		{ 0, 0, 0, 0 }, { 0, 0, 0, 15 }, { 'H', 'T', 'T', 'P' }, { 0xFF, 0xFF, 0xFF, 0xFF }
	};

	(void)state;
	for (size_t i = 0; i < COUNT(garbage); i++) {
		struct seen *seen = seen_bound(seen_usual());
		struct smpp_pdu answer;

		assert_int_equal(seen_submit(seen, 1, 0), 0);
		seen_sent(seen);
		smpp_session_input(seen->session, slice_of(garbage[i], 4), 1);
		answer = seen_sent(seen);
		assert_int_equal(answer.command, SMPP_GENERIC_NACK);
		assert_int_equal(answer.status, SMPP_RINVCMDLEN);
		assert_string_equal(seen->events, "unanswered:1 ended");
		assert_int_equal(seen->reason, SMPP_END_BROKEN);
		seen_finish(seen);
	}
}

/* 64 kB of payload behind a short one, an octet at a time, and then all in one piece. */
static void pdus_come_in_any_pieces(void **state)
{
	static uint8_t octets[70000], tlv[65600], text[65535];
	const struct smpp_pdu small = { .command = SMPP_DELIVER_SM,
					.sequence = 1,
					.short_message = slice_str("small") };
	struct smpp_pdu large = { .command = SMPP_DELIVER_SM, .sequence = 2 };
	struct buf b = BUF_OF(octets), t = BUF_OF(tlv);

	(void)state;
	memset(text, 'x', sizeof(text));
	smpp_tlv_put(&t, SMPP_TAG_MESSAGE_PAYLOAD, slice_of(text, sizeof(text)));
	large.tlvs = buf_slice(&t);
	assert_int_equal(smpp_pdu_pack(&small, &b), 0);
	assert_int_equal(smpp_pdu_pack(&large, &b), 0);
	assert_int_equal(smpp_pdu_pack(&small, &b), 0);
	for (size_t piece = 1; piece <= sizeof(octets); piece = piece * 7 + 1) {
		struct seen *seen = seen_bound(seen_usual());

		for (size_t at = 0; at < b.len; at += piece)
			smpp_session_input(
				seen->session,
				slice_of(octets + at, at + piece < b.len ? piece : b.len - at), 1);
		assert_int_equal(strncmp(seen->events, "delivered:small delivered:xxx", 29), 0);
		assert_string_equal(seen->events + strlen(seen->events) - 15, "delivered:small");
		seen_finish(seen);
	}
}

static void a_receiver_submits_nothing_and_a_transmitter_takes_nothing(void **state)
{
	const struct smpp_pdu deliver = { .command = SMPP_DELIVER_SM, .sequence = 4 };
	struct smpp_session_options options = seen_usual();
	struct seen *seen;

	(void)state;
	options.role = SMPP_RECEIVER;
	seen = seen_bound(options);
	assert_int_equal(seen_submit(seen, 1, 0), -ENOTCONN);
	seen_finish(seen);
	options.role = SMPP_TRANSMITTER;
	seen = seen_bound(options);
	seen_come(seen, &deliver, 1);
	assert_int_equal(seen_sent(seen).status, SMPP_RINVBNDSTS);
	assert_string_equal(seen->events, "");
	seen_finish(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delivery_is_answered_when_the_owner_says_so),
		cmocka_unit_test(requests_have_their_answers),
		cmocka_unit_test(an_unknown_command_gets_generic_nack),
		cmocka_unit_test(a_malformed_delivery_is_answered_with_what_is_wrong),
		cmocka_unit_test(lengths_that_cannot_be_end_the_session),
		cmocka_unit_test(pdus_come_in_any_pieces),
		cmocka_unit_test(a_receiver_submits_nothing_and_a_transmitter_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
