/* test_session.c - the session towards a message center, with time and octets by hand. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "tests/smpp/session_seen.h"

/* ---- binding --------------------------------------------------------------------- */

static void each_role_binds_with_its_command(void **state)
{
	static const uint32_t commands[] = { SMPP_BIND_TRANSCEIVER, SMPP_BIND_TRANSMITTER,
					     SMPP_BIND_RECEIVER };

	(void)state;
	for (unsigned role = 0; role < 3; role++) {
		struct smpp_session_options options = seen_usual();
		struct seen *seen;
		struct smpp_pdu bind;

		options.role = (enum smpp_role)role;
		seen = seen_start(options);
		smpp_session_connected(seen->session, 0);
		bind = seen_sent(seen);
		assert_int_equal(bind.command, commands[role]);
		assert_int_equal(bind.interface_version, SMPP_INTERFACE_VERSION);
		assert_true(slice_eq_str(bind.system_id, "tandem"));
		assert_true(slice_eq_str(bind.password, "s3cret"));
		seen_finish(seen);
	}
}

static void a_refused_bind_tells_the_status(void **state)
{
	static const uint32_t commands[] = { SMPP_BIND_TRANSCEIVER, SMPP_GENERIC_NACK };

	(void)state;
	for (size_t i = 0; i < COUNT(commands); i++) {
		struct seen *seen = seen_start(seen_usual());
		struct smpp_pdu bind;

		smpp_session_connected(seen->session, 0);
		bind = seen_sent(seen);
		seen_respond(seen, commands[i], bind.sequence, SMPP_RINVPASWD, "", 5);
		assert_string_equal(seen->events, "ended");
		assert_int_equal(seen->reason, SMPP_END_REFUSED);
		assert_int_equal(seen->ended_status, SMPP_RINVPASWD);
		assert_int_equal(smpp_session_due_ms(seen->session), -1);
		seen_finish(seen);
	}
}

static void a_bind_without_a_response_ends(void **state)
{
	struct seen *seen = seen_start(seen_usual());

	(void)state;
	assert_int_equal(smpp_session_due_ms(seen->session), -1);
	smpp_session_connected(seen->session, 100);
	assert_int_equal(smpp_session_due_ms(seen->session), 10100);
	smpp_session_tick(seen->session, 10099);
	assert_string_equal(seen->events, "");
	smpp_session_tick(seen->session, 10100);
	assert_string_equal(seen->events, "ended");
	assert_int_equal(seen->reason, SMPP_END_TIMEOUT);
	seen_finish(seen);
}

static void texts_that_are_too_long_are_refused(void **state)
{
	struct smpp_session_options options = seen_usual();
	struct seen seen;

	(void)state;
	options.password = "123456789";
	assert_int_equal(smpp_session_new(&options, &seen_ops, &seen, &seen.session), -EINVAL);
	options = seen_usual();
	options.system_id = "1234567890123456";
	assert_int_equal(smpp_session_new(&options, &seen_ops, &seen, &seen.session), -EINVAL);
}

/* ---- submits --------------------------------------------------------------------- */

static void nothing_is_submitted_before_the_bind(void **state)
{
	struct seen *seen = seen_start(seen_usual());

	(void)state;
	assert_int_equal(seen_submit(seen, 1, 0), -ENOTCONN);
	smpp_session_connected(seen->session, 0);
	assert_int_equal(seen_submit(seen, 1, 0), -ENOTCONN);
	seen_finish(seen);
}

static void answers_come_in_any_order(void **state)
{
	struct seen *seen = seen_bound(seen_usual());
	uint32_t sequence[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(seen_submit(seen, i + 10, 1), 0);
		sequence[i] = seen_sent(seen).sequence;
	}
	assert_int_equal(smpp_session_outstanding(seen->session), 3);
	seen_respond(seen, SMPP_SUBMIT_SM, sequence[2], 0, "c", 2);
	seen_respond(seen, SMPP_SUBMIT_SM, sequence[0], 0, "a", 2);
	seen_respond(seen, SMPP_SUBMIT_SM, sequence[1], SMPP_RTHROTTLED, "", 2);
	assert_string_equal(seen->events, "answered:12:0:c answered:10:0:a answered:11:88:");
	assert_int_equal(smpp_session_outstanding(seen->session), 0);
	seen_finish(seen);
}

static void a_full_window_waits_for_room(void **state)
{
	struct smpp_session_options options = seen_usual();
	struct seen *seen;
	uint32_t first;

	(void)state;
	options.window = 2;
	seen = seen_bound(options);
	assert_int_equal(seen_submit(seen, 1, 0), 0);
	first = seen_sent(seen).sequence;
	assert_int_equal(seen_submit(seen, 2, 0), 0);
	assert_int_equal(seen_submit(seen, 3, 0), -EAGAIN);
	seen_respond(seen, SMPP_SUBMIT_SM, first, 0, "", 1);
	assert_string_equal(seen->events, "answered:1:0: room");
	assert_int_equal(seen_submit(seen, 3, 1), 0);
	seen_finish(seen);
}

static void the_rate_is_kept(void **state)
{
	struct smpp_session_options options = seen_usual();
	struct seen *seen;
	unsigned n = 0;

	(void)state;
	options.rate_per_s = 50;
	options.window = 1000;
	seen = seen_bound(options);
	for (int64_t now_ms = 1000; now_ms < 3000; now_ms++) {
		smpp_session_tick(seen->session, now_ms);
		while (seen_submit(seen, 1, now_ms) == 0)
			n++;
		assert_true(smpp_session_due_ms(seen->session) > now_ms);
	}
	assert_in_range(n, 98, 106); /* two seconds, and the tenth that was saved up */
	seen_finish(seen);
}

static void wrong_sequence_numbers_answer_nothing(void **state)
{
	struct seen *seen = seen_bound(seen_usual());

	(void)state;
	assert_int_equal(seen_submit(seen, 1, 0), 0);
	seen_respond(seen, SMPP_SUBMIT_SM, 0, 0, "", 1);
	seen_respond(seen, SMPP_SUBMIT_SM, 999, 0, "", 1);
	seen_respond(seen, SMPP_SUBMIT_SM, seen_sent(seen).sequence + 16, 0, "", 1);
	assert_string_equal(seen->events, "odd odd odd");
	assert_int_equal(smpp_session_outstanding(seen->session), 1);
	seen_finish(seen);
}

static void an_unanswered_submit_ends_the_session(void **state)
{
	struct seen *seen = seen_bound(seen_usual());

	(void)state;
	assert_int_equal(seen_submit(seen, 7, 100), 0);
	assert_int_equal(seen_submit(seen, 8, 200), 0);
	assert_int_equal(smpp_session_due_ms(seen->session), 10100);
	smpp_session_tick(seen->session, 10100);
	assert_string_equal(seen->events, "unanswered:7 unanswered:8 ended");
	assert_int_equal(seen->reason, SMPP_END_TIMEOUT);
	seen_finish(seen);
}

static void a_lost_connection_gives_back_what_is_unanswered_in_order(void **state)
{
	struct seen *seen = seen_bound(seen_usual());
	uint32_t second;

	(void)state;
	for (unsigned i = 1; i <= 5; i++)
		assert_int_equal(seen_submit(seen, i, 0), 0);
	seen_sent(seen);
	second = seen_sent(seen).sequence;
	seen_respond(seen, SMPP_SUBMIT_SM, second, 0, "", 1);
	seen->events[0] = '\0';
	smpp_session_lost(seen->session, "reset");
	assert_string_equal(seen->events,
			    "unanswered:1 unanswered:3 unanswered:4 unanswered:5 ended");
	assert_int_equal(seen_submit(seen, 6, 2), -ENOTCONN);
	seen_finish(seen);
}

static void generic_nack_answers_a_submit(void **state)
{
	struct seen *seen = seen_bound(seen_usual());

	(void)state;
	assert_int_equal(seen_submit(seen, 3, 0), 0);
	seen_respond(seen, SMPP_GENERIC_NACK, seen_sent(seen).sequence, SMPP_RINVCMDID, "", 1);
	assert_string_equal(seen->events, "answered:3:3:");
	seen_respond(seen, SMPP_GENERIC_NACK, 0, SMPP_RINVCMDLEN, "", 1);
	assert_string_equal(seen->events, "answered:3:3: odd");
	seen_finish(seen);
}

/* ---- silence and the end --------------------------------------------------------- */

static void a_silent_link_is_tested_and_ended(void **state)
{
	struct seen *seen = seen_bound(seen_usual());
	struct smpp_pdu enquire;

	(void)state;
	assert_int_equal(smpp_session_due_ms(seen->session), 30000);
	smpp_session_tick(seen->session, 30000);
	enquire = seen_sent(seen);
	assert_int_equal(enquire.command, SMPP_ENQUIRE_LINK);
	seen_respond(seen, SMPP_ENQUIRE_LINK, enquire.sequence, 0, "", 30001);
	assert_int_equal(smpp_session_due_ms(seen->session), 60001);
	smpp_session_tick(seen->session, 60001);
	assert_int_equal(seen_sent(seen).command, SMPP_ENQUIRE_LINK);
	smpp_session_tick(seen->session, 70001);
	assert_string_equal(seen->events, "ended");
	assert_int_equal(seen->reason, SMPP_END_TIMEOUT);
	seen_finish(seen);
}

static void unbind_waits_for_its_response(void **state)
{
	struct seen *seen = seen_bound(seen_usual());

	(void)state;
	smpp_session_unbind(seen->session, 5);
	assert_int_equal(seen_submit(seen, 1, 5), -ENOTCONN);
	seen_respond(seen, SMPP_UNBIND, seen_sent(seen).sequence, 0, "", 6);
	assert_string_equal(seen->events, "ended");
	assert_int_equal(seen->reason, SMPP_END_UNBOUND);
	seen_finish(seen);

	seen = seen_bound(seen_usual());
	smpp_session_unbind(seen->session, 5);
	smpp_session_tick(seen->session, 10005);
	assert_int_equal(seen->reason, SMPP_END_TIMEOUT);
	seen_finish(seen);
}

static void sequence_numbers_stay_positive(void **state)
{
	struct smpp_session_options options = seen_usual();
	struct seen *seen;
	uint32_t before = 0;

	(void)state;
	options.window = 4;
	seen = seen_bound(options);
	for (unsigned i = 0; i < 1000; i++) {
		struct smpp_pdu pdu;

		assert_int_equal(seen_submit(seen, i, i), 0);
		pdu = seen_sent(seen);
		assert_true(pdu.sequence > before && pdu.sequence <= 0x7FFFFFFF);
		before = pdu.sequence;
		seen_respond(seen, SMPP_SUBMIT_SM, pdu.sequence, 0, "", i);
		seen->events[0] = '\0';
		seen->n = seen->read = 0;
	}
	seen_finish(seen);
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
		cmocka_unit_test(a_silent_link_is_tested_and_ended),
		cmocka_unit_test(unbind_waits_for_its_response),
		cmocka_unit_test(sequence_numbers_stay_positive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
