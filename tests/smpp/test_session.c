/* test_session.c - the session towards a message center, with time and octets by hand. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smpp/session.h"

/* What came out of a session: the PDUs, and the events as words. */
struct seen {
	struct smpp_session *session;
	uint8_t out[1 << 18];
	size_t n, read;
	char events[4096];
	uint64_t tokens[64];
	unsigned n_tokens;
	uint32_t deliver_sequence;
	uint32_t ended_status;
	enum smpp_end reason;
};

static void on_send(void *arg, struct slice octets)
{
	struct seen *seen = arg;

	assert_true(seen->n + octets.n <= sizeof(seen->out));
	memcpy(seen->out + seen->n, octets.p, octets.n);
	seen->n += octets.n;
}

static void add_event(struct seen *seen, const char *text)
{
	size_t n = strlen(seen->events);

	snprintf(seen->events + n, sizeof(seen->events) - n, "%s%s", n ? " " : "", text);
}

static void on_event(void *arg, const struct smpp_session_event *event)
{
	struct seen *seen = arg;
	char text[80];

	switch (event->kind) {
	case SMPP_IS_BOUND:
		add_event(seen, "bound");
		break;
	case SMPP_ANSWERED:
		snprintf(text, sizeof(text), "answered:%u:%u:%.*s", (unsigned)event->token,
			 event->status, (int)event->id.n, (const char *)event->id.p);
		add_event(seen, text);
		break;
	case SMPP_UNANSWERED:
		snprintf(text, sizeof(text), "unanswered:%u", (unsigned)event->token);
		add_event(seen, text);
		break;
	case SMPP_DELIVERED:
		snprintf(text, sizeof(text), "delivered:%.*s", (int)smpp_pdu_message(event->pdu).n,
			 (const char *)smpp_pdu_message(event->pdu).p);
		add_event(seen, text);
		seen->deliver_sequence = event->pdu->sequence;
		break;
	case SMPP_ROOM:
		add_event(seen, "room");
		break;
	case SMPP_ODD:
		add_event(seen, "odd");
		break;
	case SMPP_ENDED:
		add_event(seen, "ended");
		seen->reason = event->reason;
		seen->ended_status = event->status;
		break;
	}
}

static const struct smpp_session_ops ops = { on_send, on_event };

static struct seen *start_with(struct smpp_session_options options)
{
	struct seen *seen = calloc(1, sizeof(*seen));

	assert_int_equal(smpp_session_new(&options, &ops, seen, &seen->session), 0);
	return seen;
}

static struct smpp_session_options usual(void)
{
	return (struct smpp_session_options){ .system_id = "tandem", .password = "s3cret" };
}

static void finish(struct seen *seen)
{
	smpp_session_free(&seen->session);
	assert_null(seen->session);
	free(seen);
}

/* The next PDU that was sent; command 0 when there is none. */
static struct smpp_pdu sent(struct seen *seen)
{
	struct slice rest = slice_of(seen->out + seen->read, seen->n - seen->read);
	struct smpp_pdu pdu = { .command = 0 };
	size_t n;

	if (smpp_pdu_frame(rest, &n) != 1)
		return pdu;
	assert_int_equal(smpp_pdu_decode(slice_of(rest.p, n), &pdu, NULL), 0);
	seen->read += n;
	return pdu;
}

static void come(struct seen *seen, const struct smpp_pdu *pdu, int64_t now_ms)
{
	uint8_t octets[2048];
	struct buf b = BUF_OF(octets);

	assert_int_equal(smpp_pdu_pack(pdu, &b), 0);
	smpp_session_input(seen->session, buf_slice(&b), now_ms);
}

static void respond(struct seen *seen, uint32_t command, uint32_t sequence, uint32_t status,
		    const char *id, int64_t now_ms)
{
	const struct smpp_pdu pdu = { .command = command | SMPP_RESPONSE,
				      .sequence = sequence,
				      .status = status,
				      .message_id = slice_str(id) };

	come(seen, &pdu, now_ms);
}

/* A session that is bound at time 0. */
static struct seen *bound(struct smpp_session_options options)
{
	struct seen *seen = start_with(options);
	struct smpp_pdu bind;

	smpp_session_connected(seen->session, 0);
	bind = sent(seen);
	respond(seen, bind.command, bind.sequence, 0, "", 0);
	assert_string_equal(seen->events, "bound");
	seen->events[0] = '\0';
	return seen;
}

static int submit(struct seen *seen, uint64_t token, int64_t now_ms)
{
	const struct smpp_pdu pdu = { .dest = { 1, 1, slice_str("4670") },
				      .short_message = slice_str("hi") };

	return smpp_session_submit(seen->session, &pdu, token, now_ms);
}

/* ---- binding --------------------------------------------------------------------- */

static void each_role_binds_with_its_command(void **state)
{
	static const uint32_t commands[] = { SMPP_BIND_TRANSCEIVER, SMPP_BIND_TRANSMITTER,
					     SMPP_BIND_RECEIVER };

	(void)state;
	for (unsigned role = 0; role < 3; role++) {
		struct smpp_session_options options = usual();
		struct seen *seen;
		struct smpp_pdu bind;

		options.role = (enum smpp_role)role;
		seen = start_with(options);
		smpp_session_connected(seen->session, 0);
		bind = sent(seen);
		assert_int_equal(bind.command, commands[role]);
		assert_int_equal(bind.interface_version, SMPP_INTERFACE_VERSION);
		assert_true(slice_eq_str(bind.system_id, "tandem"));
		assert_true(slice_eq_str(bind.password, "s3cret"));
		finish(seen);
	}
}

static void a_refused_bind_tells_the_status(void **state)
{
	static const uint32_t commands[] = { SMPP_BIND_TRANSCEIVER, SMPP_GENERIC_NACK };

	(void)state;
	for (size_t i = 0; i < COUNT(commands); i++) {
		struct seen *seen = start_with(usual());
		struct smpp_pdu bind;

		smpp_session_connected(seen->session, 0);
		bind = sent(seen);
		respond(seen, commands[i], bind.sequence, SMPP_RINVPASWD, "", 5);
		assert_string_equal(seen->events, "ended");
		assert_int_equal(seen->reason, SMPP_END_REFUSED);
		assert_int_equal(seen->ended_status, SMPP_RINVPASWD);
		assert_int_equal(smpp_session_due_ms(seen->session), -1);
		finish(seen);
	}
}

static void a_bind_without_a_response_ends(void **state)
{
	struct seen *seen = start_with(usual());

	(void)state;
	assert_int_equal(smpp_session_due_ms(seen->session), -1);
	smpp_session_connected(seen->session, 100);
	assert_int_equal(smpp_session_due_ms(seen->session), 10100);
	smpp_session_tick(seen->session, 10099);
	assert_string_equal(seen->events, "");
	smpp_session_tick(seen->session, 10100);
	assert_string_equal(seen->events, "ended");
	assert_int_equal(seen->reason, SMPP_END_TIMEOUT);
	finish(seen);
}

static void texts_that_are_too_long_are_refused(void **state)
{
	struct smpp_session_options options = usual();
	struct seen seen;

	(void)state;
	options.password = "123456789";
	assert_int_equal(smpp_session_new(&options, &ops, &seen, &seen.session), -EINVAL);
	options = usual();
	options.system_id = "1234567890123456";
	assert_int_equal(smpp_session_new(&options, &ops, &seen, &seen.session), -EINVAL);
}

/* ---- submits --------------------------------------------------------------------- */

static void nothing_is_submitted_before_the_bind(void **state)
{
	struct seen *seen = start_with(usual());

	(void)state;
	assert_int_equal(submit(seen, 1, 0), -ENOTCONN);
	smpp_session_connected(seen->session, 0);
	assert_int_equal(submit(seen, 1, 0), -ENOTCONN);
	finish(seen);
}

static void answers_come_in_any_order(void **state)
{
	struct seen *seen = bound(usual());
	uint32_t sequence[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(submit(seen, i + 10, 1), 0);
		sequence[i] = sent(seen).sequence;
	}
	assert_int_equal(smpp_session_outstanding(seen->session), 3);
	respond(seen, SMPP_SUBMIT_SM, sequence[2], 0, "c", 2);
	respond(seen, SMPP_SUBMIT_SM, sequence[0], 0, "a", 2);
	respond(seen, SMPP_SUBMIT_SM, sequence[1], SMPP_RTHROTTLED, "", 2);
	assert_string_equal(seen->events, "answered:12:0:c answered:10:0:a answered:11:88:");
	assert_int_equal(smpp_session_outstanding(seen->session), 0);
	finish(seen);
}

static void a_full_window_waits_for_room(void **state)
{
	struct smpp_session_options options = usual();
	struct seen *seen;
	uint32_t first;

	(void)state;
	options.window = 2;
	seen = bound(options);
	assert_int_equal(submit(seen, 1, 0), 0);
	first = sent(seen).sequence;
	assert_int_equal(submit(seen, 2, 0), 0);
	assert_int_equal(submit(seen, 3, 0), -EAGAIN);
	respond(seen, SMPP_SUBMIT_SM, first, 0, "", 1);
	assert_string_equal(seen->events, "answered:1:0: room");
	assert_int_equal(submit(seen, 3, 1), 0);
	finish(seen);
}

static void the_rate_is_kept(void **state)
{
	struct smpp_session_options options = usual();
	struct seen *seen;
	unsigned n = 0;

	(void)state;
	options.rate_per_s = 50;
	options.window = 1000;
	seen = bound(options);
	for (int64_t now_ms = 1000; now_ms < 3000; now_ms++) {
		smpp_session_tick(seen->session, now_ms);
		while (submit(seen, 1, now_ms) == 0)
			n++;
		assert_true(smpp_session_due_ms(seen->session) > now_ms);
	}
	assert_in_range(n, 98, 106); /* two seconds, and the tenth that was saved up */
	finish(seen);
}

static void wrong_sequence_numbers_answer_nothing(void **state)
{
	struct seen *seen = bound(usual());

	(void)state;
	assert_int_equal(submit(seen, 1, 0), 0);
	respond(seen, SMPP_SUBMIT_SM, 0, 0, "", 1);
	respond(seen, SMPP_SUBMIT_SM, 999, 0, "", 1);
	respond(seen, SMPP_SUBMIT_SM, sent(seen).sequence + 16, 0, "", 1);
	assert_string_equal(seen->events, "odd odd odd");
	assert_int_equal(smpp_session_outstanding(seen->session), 1);
	finish(seen);
}

static void an_unanswered_submit_ends_the_session(void **state)
{
	struct seen *seen = bound(usual());

	(void)state;
	assert_int_equal(submit(seen, 7, 100), 0);
	assert_int_equal(submit(seen, 8, 200), 0);
	assert_int_equal(smpp_session_due_ms(seen->session), 10100);
	smpp_session_tick(seen->session, 10100);
	assert_string_equal(seen->events, "unanswered:7 unanswered:8 ended");
	assert_int_equal(seen->reason, SMPP_END_TIMEOUT);
	finish(seen);
}

static void a_lost_connection_gives_back_what_is_unanswered_in_order(void **state)
{
	struct seen *seen = bound(usual());
	uint32_t second;

	(void)state;
	for (unsigned i = 1; i <= 5; i++)
		assert_int_equal(submit(seen, i, 0), 0);
	sent(seen);
	second = sent(seen).sequence;
	respond(seen, SMPP_SUBMIT_SM, second, 0, "", 1);
	seen->events[0] = '\0';
	smpp_session_lost(seen->session, "reset");
	assert_string_equal(seen->events,
			    "unanswered:1 unanswered:3 unanswered:4 unanswered:5 ended");
	assert_int_equal(submit(seen, 6, 2), -ENOTCONN);
	finish(seen);
}

static void generic_nack_answers_a_submit(void **state)
{
	struct seen *seen = bound(usual());

	(void)state;
	assert_int_equal(submit(seen, 3, 0), 0);
	respond(seen, SMPP_GENERIC_NACK, sent(seen).sequence, SMPP_RINVCMDID, "", 1);
	assert_string_equal(seen->events, "answered:3:3:");
	respond(seen, SMPP_GENERIC_NACK, 0, SMPP_RINVCMDLEN, "", 1);
	assert_string_equal(seen->events, "answered:3:3: odd");
	finish(seen);
}

/* ---- what the center asks -------------------------------------------------------- */

static void a_delivery_is_answered_when_the_owner_says_so(void **state)
{
	const struct smpp_pdu deliver = { .command = SMPP_DELIVER_SM,
					  .sequence = 0xFFFFFFFF,
					  .short_message = slice_str("text") };
	struct seen *seen = bound(usual());
	struct smpp_pdu answer;

	(void)state;
	come(seen, &deliver, 1);
	assert_string_equal(seen->events, "delivered:text");
	assert_int_equal(sent(seen).command, 0);
	smpp_session_answer(seen->session, SMPP_DELIVER_SM, seen->deliver_sequence, SMPP_RX_T_APPN);
	answer = sent(seen);
	assert_int_equal(answer.command, SMPP_DELIVER_SM | SMPP_RESPONSE);
	assert_int_equal(answer.sequence, 0xFFFFFFFF);
	assert_int_equal(answer.status, SMPP_RX_T_APPN);
	finish(seen);
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
		struct seen *seen = bound(usual());
		struct smpp_pdu answer;

		come(seen, &cases[i].ask, 1);
		answer = sent(seen);
		assert_int_equal(answer.command, cases[i].command);
		assert_int_equal(answer.status, cases[i].status);
		if (answer.command)
			assert_int_equal(answer.sequence, 5);
		finish(seen);
	}
}

/* A vendor's command, by octets. */
static void an_unknown_command_gets_generic_nack(void **state)
{
	struct seen *seen = bound(usual());
	uint8_t octets[] = {
		0, 0, 0, 20, 0, 1, 2, 0x10, 0, 0, 0, 0, 0, 0, 0, 9, 'a', 'b', 'c', 'd'
	};
	struct smpp_pdu answer;

	(void)state;
	smpp_session_input(seen->session, slice_of(octets, sizeof(octets)), 1);
	answer = sent(seen);
	assert_int_equal(answer.command, SMPP_GENERIC_NACK);
	assert_int_equal(answer.status, SMPP_RINVCMDID);
	assert_int_equal(answer.sequence, 9);
	/* an unknown response is not answered: nacks would go back and forth */
	octets[4] = 0x80;
	smpp_session_input(seen->session, slice_of(octets, sizeof(octets)), 1);
	assert_int_equal(sent(seen).command, 0);
	assert_int_equal(smpp_session_state(seen->session), SMPP_BOUND);
	finish(seen);
}

static void a_malformed_delivery_is_answered_with_what_is_wrong(void **state)
{
	struct seen *seen = bound(usual());
	const uint8_t octets[] = { 0, 0, 0, 19, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9, 'a', 'b', 'c' };
	struct smpp_pdu answer;

	(void)state;
	smpp_session_input(seen->session, slice_of(octets, sizeof(octets)), 1);
	answer = sent(seen);
	assert_int_equal(answer.command, SMPP_DELIVER_SM | SMPP_RESPONSE);
	assert_int_equal(answer.status, SMPP_RINVCMDLEN);
	assert_int_equal(smpp_session_state(seen->session), SMPP_BOUND);
	finish(seen);
}

static void lengths_that_cannot_be_end_the_session(void **state)
{
	static const uint8_t garbage[][4] = {
		{ 0, 0, 0, 0 }, { 0, 0, 0, 15 }, { 'H', 'T', 'T', 'P' }, { 0xFF, 0xFF, 0xFF, 0xFF }
	};

	(void)state;
	for (size_t i = 0; i < COUNT(garbage); i++) {
		struct seen *seen = bound(usual());
		struct smpp_pdu answer;

		assert_int_equal(submit(seen, 1, 0), 0);
		sent(seen);
		smpp_session_input(seen->session, slice_of(garbage[i], 4), 1);
		answer = sent(seen);
		assert_int_equal(answer.command, SMPP_GENERIC_NACK);
		assert_int_equal(answer.status, SMPP_RINVCMDLEN);
		assert_string_equal(seen->events, "unanswered:1 ended");
		assert_int_equal(seen->reason, SMPP_END_BROKEN);
		finish(seen);
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
		struct seen *seen = bound(usual());

		for (size_t at = 0; at < b.len; at += piece)
			smpp_session_input(
				seen->session,
				slice_of(octets + at, at + piece < b.len ? piece : b.len - at), 1);
		assert_int_equal(strncmp(seen->events, "delivered:small delivered:xxx", 29), 0);
		assert_string_equal(seen->events + strlen(seen->events) - 15, "delivered:small");
		finish(seen);
	}
}

/* ---- silence and the end --------------------------------------------------------- */

static void a_silent_link_is_tested_and_ended(void **state)
{
	struct seen *seen = bound(usual());
	struct smpp_pdu enquire;

	(void)state;
	assert_int_equal(smpp_session_due_ms(seen->session), 30000);
	smpp_session_tick(seen->session, 30000);
	enquire = sent(seen);
	assert_int_equal(enquire.command, SMPP_ENQUIRE_LINK);
	respond(seen, SMPP_ENQUIRE_LINK, enquire.sequence, 0, "", 30001);
	assert_int_equal(smpp_session_due_ms(seen->session), 60001);
	smpp_session_tick(seen->session, 60001);
	assert_int_equal(sent(seen).command, SMPP_ENQUIRE_LINK);
	smpp_session_tick(seen->session, 70001);
	assert_string_equal(seen->events, "ended");
	assert_int_equal(seen->reason, SMPP_END_TIMEOUT);
	finish(seen);
}

static void unbind_waits_for_its_response(void **state)
{
	struct seen *seen = bound(usual());

	(void)state;
	smpp_session_unbind(seen->session, 5);
	assert_int_equal(submit(seen, 1, 5), -ENOTCONN);
	respond(seen, SMPP_UNBIND, sent(seen).sequence, 0, "", 6);
	assert_string_equal(seen->events, "ended");
	assert_int_equal(seen->reason, SMPP_END_UNBOUND);
	finish(seen);

	seen = bound(usual());
	smpp_session_unbind(seen->session, 5);
	smpp_session_tick(seen->session, 10005);
	assert_int_equal(seen->reason, SMPP_END_TIMEOUT);
	finish(seen);
}

static void a_receiver_submits_nothing_and_a_transmitter_takes_nothing(void **state)
{
	const struct smpp_pdu deliver = { .command = SMPP_DELIVER_SM, .sequence = 4 };
	struct smpp_session_options options = usual();
	struct seen *seen;

	(void)state;
	options.role = SMPP_RECEIVER;
	seen = bound(options);
	assert_int_equal(submit(seen, 1, 0), -ENOTCONN);
	finish(seen);
	options.role = SMPP_TRANSMITTER;
	seen = bound(options);
	come(seen, &deliver, 1);
	assert_int_equal(sent(seen).status, SMPP_RINVBNDSTS);
	assert_string_equal(seen->events, "");
	finish(seen);
}

static void sequence_numbers_stay_positive(void **state)
{
	struct smpp_session_options options = usual();
	struct seen *seen;
	uint32_t before = 0;

	(void)state;
	options.window = 4;
	seen = bound(options);
	for (unsigned i = 0; i < 1000; i++) {
		struct smpp_pdu pdu;

		assert_int_equal(submit(seen, i, i), 0);
		pdu = sent(seen);
		assert_true(pdu.sequence > before && pdu.sequence <= 0x7FFFFFFF);
		before = pdu.sequence;
		respond(seen, SMPP_SUBMIT_SM, pdu.sequence, 0, "", i);
		seen->events[0] = '\0';
		seen->n = seen->read = 0;
	}
	finish(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_role_binds_with_its_command),
		cmocka_unit_test(a_refused_bind_tells_the_status),
		cmocka_unit_test(a_bind_without_a_response_ends),
		cmocka_unit_test(texts_that_are_too_long_are_refused),
		cmocka_unit_test(nothing_is_submitted_before_the_bind),
		cmocka_unit_test(answers_come_in_any_order),
		cmocka_unit_test(a_full_window_waits_for_room),
		cmocka_unit_test(the_rate_is_kept),
		cmocka_unit_test(wrong_sequence_numbers_answer_nothing),
		cmocka_unit_test(an_unanswered_submit_ends_the_session),
		cmocka_unit_test(a_lost_connection_gives_back_what_is_unanswered_in_order),
		cmocka_unit_test(generic_nack_answers_a_submit),
		cmocka_unit_test(a_delivery_is_answered_when_the_owner_says_so),
		cmocka_unit_test(requests_have_their_answers),
		cmocka_unit_test(an_unknown_command_gets_generic_nack),
		cmocka_unit_test(a_malformed_delivery_is_answered_with_what_is_wrong),
		cmocka_unit_test(lengths_that_cannot_be_end_the_session),
		cmocka_unit_test(pdus_come_in_any_pieces),
		cmocka_unit_test(a_silent_link_is_tested_and_ended),
		cmocka_unit_test(unbind_waits_for_its_response),
		cmocka_unit_test(a_receiver_submits_nothing_and_a_transmitter_takes_nothing),
		cmocka_unit_test(sequence_numbers_stay_positive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
