#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "keys/period.h"
#include "keys/secret.h"
#include "tests/keys/party.h"
#include "umsg/call_crypto.h"

static const char alice[] = "tel:+447700900123";
static const char bob[] = "tel:+447700900456";
static const int64_t first_of_june = 1780272000; /* 2026-06-01 00:00:00 UTC */

struct world {
	struct realm realm;
	struct keyset *alice, *bob;
	int64_t may;
};

static int set_up(void **state)
{
	static struct world w;

	realm_open(&w.realm, "Example");
	w.may = period_of(first_of_june - 1);
	w.alice = realm_enrol(&w.realm, alice, w.may, 2);
	w.bob = realm_enrol(&w.realm, bob, w.may, 2);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	keyset_free(&w->alice);
	keyset_free(&w->bob);
	realm_close(&w->realm);
	return 0;
}

static const uint8_t session_id[FRAME_ID] = { 5, 6, 7 };

struct exchange {
	struct call_secret ours, theirs;
	struct call_invitation invitation;
	uint8_t offer[FRAME_SEALED_MAX];
	size_t offer_n;
};

static void invite_at(struct world *w, int64_t when_s, struct exchange *x)
{
	struct period_keys *own = keyset_hold(w->alice, period_of(when_s));
	const struct call_wanted wanted = { .domain = w->realm.domain,
					    .to = slice_str(bob),
					    .session_id = session_id,
					    .offer = slice_str("an offer"),
					    .n_streams = 2 };

	assert_non_null(own);
	assert_int_equal(call_invite(own, &wanted, when_s * 1000, &x->ours, &x->invitation), 0);
	period_keys_release(&own);
}

/* What bob says of it at now_s, with his keys of the month of T. */
static enum mikey_verdict receive(struct world *w, struct exchange *x, int64_t now_s)
{
	const struct mikey_expect expect = { slice_str(alice), w->realm.domain, now_s,
					     MIKEY_CALL_WINDOW_S, MIKEY_CALL_WINDOW_S };
	struct slice i_message = slice_of(x->invitation.i_message, x->invitation.i_message_n);
	struct slice sealed = slice_of(x->invitation.sealed, x->invitation.sealed_n);
	struct mikey_message message;
	struct period_keys *own;
	enum mikey_verdict verdict;

	if (mikey_parse(i_message, &message) < 0)
		return MIKEY_MALFORMED;
	own = keyset_hold(w->bob, period_of(mikey_time_s(&message)));
	if (!own)
		return MIKEY_WRONG_PERIOD;
	verdict = call_verify(i_message, session_id, sealed, &expect, own, &message);
	if (verdict == MIKEY_OK)
		verdict = call_accept(&message, session_id, sealed, &expect, own, &x->theirs,
				      x->offer, &x->offer_n);
	period_keys_release(&own);
	return verdict;
}

static void both_ends_open_each_others_signals(void **state)
{
	const uint8_t rand[FRAME_ID] = { 1 }, other_rand[FRAME_ID] = { 2 };
	struct world *w = *state;
	struct call_channel writer, reader, stranger;
	struct exchange x;
	uint8_t sealed[64], plain[64];
	uint64_t counter;
	size_t n;

	invite_at(w, first_of_june + 1000, &x);
	assert_int_equal(receive(w, &x, first_of_june + 1010), MIKEY_OK);
	assert_int_equal(x.offer_n, 8);
	assert_memory_equal(x.offer, "an offer", 8);
	assert_int_equal(call_channel_init(&x.theirs, CALL_RESPONDER, rand, &writer), 0);
	assert_int_equal(call_channel_init(&x.ours, CALL_RESPONDER, rand, &reader), 0);
	assert_int_equal(call_channel_init(&x.ours, CALL_RESPONDER, other_rand, &stranger), 0);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(
			call_seal(&x.theirs, &writer, 32, slice_str("ring"), sealed, &counter), 0);
		assert_int_equal(counter, i);
		assert_int_equal(
			call_open(&x.ours, &stranger, 32, counter, slice_of(sealed, 20), plain, &n),
			-EBADMSG);
		assert_int_equal(
			call_open(&x.ours, &reader, 33, counter, slice_of(sealed, 20), plain, &n),
			-EBADMSG);
		assert_int_equal(call_open(&x.ours, &reader, 32, counter + 1, slice_of(sealed, 20),
					   plain, &n),
				 -EBADMSG);
		assert_int_equal(
			call_open(&x.ours, &reader, 32, counter, slice_of(sealed, 20), plain, &n),
			0);
		assert_int_equal(n, 4);
		assert_memory_equal(plain, "ring", 4);
		assert_int_equal(
			call_open(&x.ours, &reader, 32, counter, slice_of(sealed, 20), plain, &n),
			-EALREADY);
	}
	assert_int_equal(call_open(&x.ours, &reader, 32, 9, slice_of(sealed, 15), plain, &n),
			 -EBADMSG);
}

/* What one end sends the other hears, and no two keys are the same. */
static void every_stream_and_direction_has_a_key_of_its_own(void **state)
{
	const uint8_t rand[FRAME_ID] = { 1 }, other_rand[FRAME_ID] = { 2 };
	struct world *w = *state;
	struct call_srtp keys[6], again;
	struct exchange x;

	invite_at(w, first_of_june + 1000, &x);
	assert_int_equal(receive(w, &x, first_of_june + 1000), MIKEY_OK);
	for (uint8_t stream = 1; stream <= 2; stream++) {
		struct call_srtp *k = &keys[3 * (stream - 1)];

		assert_int_equal(call_srtp_initiator(&x.ours, stream, 0, &k[0]), 0);
		assert_int_equal(call_srtp_responder(&x.ours, rand, stream, 0, &k[1]), 0);
		assert_int_equal(call_srtp_responder(&x.ours, other_rand, stream, 0, &k[2]), 0);
		assert_int_equal(call_srtp_initiator(&x.theirs, stream, 0, &again), 0);
		assert_memory_equal(&again, &k[0], sizeof(again));
		assert_int_equal(call_srtp_responder(&x.theirs, rand, stream, 0, &again), 0);
		assert_memory_equal(&again, &k[1], sizeof(again));
	}
	for (size_t i = 0; i < COUNT(keys); i++) {
		assert_int_equal(keys[i].salt_n, 14);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(keys[i].key, keys[j].key, CALL_SRTP_KEY);
	}
	assert_int_equal(
		call_srtp_initiator(&x.ours, 1, UMSG__SRTP_PROFILE__AEAD_AES_128_GCM, &again), 0);
	assert_int_equal(again.salt_n, 12);
	assert_int_equal(call_srtp_initiator(&x.ours, 3, 0, &again), -EINVAL);
	assert_int_equal(call_srtp_responder(&x.ours, rand, 0, 0, &again), -EINVAL);
	assert_int_equal(call_srtp_responder(&x.ours, rand, 1, (Umsg__SrtpProfile)9, &again),
			 -EINVAL);
}

static const struct {
	const char *name;
	int64_t sent, now; /* seconds after the first of June */
	enum mikey_verdict want;
} times[] = {
	{ "at once", 1000, 1000, MIKEY_OK },
	{ "five minutes late", 1000, 1300, MIKEY_OK },
	{ "later than that", 1000, 1301, MIKEY_TOO_OLD },
	{ "five minutes early", 1300, 1000, MIKEY_OK },
	{ "earlier than that", 1301, 1000, MIKEY_TOO_NEW },
	{ "last month's, in the first five minutes", -1, 299, MIKEY_OK },
	{ "last month's, after them", -1, 300, MIKEY_TOO_OLD },
	{ "next month's, in the last five minutes", 0, -300, MIKEY_OK },
	{ "next month's, before them", 0, -301, MIKEY_TOO_NEW },
};

static void an_invitation_is_good_for_five_minutes(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(times); i++) {
		struct exchange x;
		enum mikey_verdict verdict;

		invite_at(w, first_of_june + times[i].sent, &x);
		verdict = receive(w, &x, first_of_june + times[i].now);
		if (verdict != times[i].want)
			fail_msg("%s: %s", times[i].name, mikey_verdict_name(verdict));
	}
}

static void nothing_of_an_invitation_can_be_changed(void **state)
{
	struct world *w = *state;
	struct exchange x;

	invite_at(w, first_of_june + 1000, &x);
	for (size_t i = 0; i < x.invitation.sealed_n; i += 7) {
		x.invitation.sealed[i] ^= 1;
		assert_int_equal(receive(w, &x, first_of_june + 1000), MIKEY_BAD_SIGNATURE);
		x.invitation.sealed[i] ^= 1;
	}
	for (size_t i = 0; i < x.invitation.i_message_n; i += 29) {
		x.invitation.i_message[i] ^= 1;
		assert_int_not_equal(receive(w, &x, first_of_june + 1000), MIKEY_OK);
		x.invitation.i_message[i] ^= 1;
	}
	assert_int_equal(receive(w, &x, first_of_june + 1000), MIKEY_OK);
}

/* The I_MESSAGE of one call does not sign for another session. */
static void an_i_message_belongs_to_one_session(void **state)
{
	static const uint8_t another[FRAME_ID] = { 5, 6, 8 };
	struct world *w = *state;
	const struct mikey_expect expect = { slice_str(alice), w->realm.domain,
					     first_of_june + 1000, MIKEY_CALL_WINDOW_S,
					     MIKEY_CALL_WINDOW_S };
	struct period_keys *own = keyset_hold(w->bob, w->may + 1);
	struct mikey_message message;
	struct exchange x;

	invite_at(w, first_of_june + 1000, &x);
	assert_int_equal(call_verify(slice_of(x.invitation.i_message, x.invitation.i_message_n),
				     another, slice_of(x.invitation.sealed, x.invitation.sealed_n),
				     &expect, own, &message),
			 MIKEY_BAD_SIGNATURE);
	period_keys_release(&own);
}

static void an_offer_that_is_too_long_is_not_sent(void **state)
{
	static uint8_t much[FRAME_SEALED_MAX - CALL_TAG + 1];
	struct world *w = *state;
	struct period_keys *own = keyset_hold(w->alice, w->may);
	const struct call_wanted wanted = { .domain = w->realm.domain,
					    .to = slice_str(bob),
					    .session_id = session_id,
					    .offer = slice_of(much, sizeof(much)),
					    .n_streams = 1 };
	struct exchange x;

	assert_int_equal(
		call_invite(own, &wanted, (first_of_june - 9) * 1000, &x.ours, &x.invitation),
		-EMSGSIZE);
	period_keys_release(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_open_each_others_signals),
		cmocka_unit_test(every_stream_and_direction_has_a_key_of_its_own),
		cmocka_unit_test(an_invitation_is_good_for_five_minutes),
		cmocka_unit_test(nothing_of_an_invitation_can_be_changed),
		cmocka_unit_test(an_i_message_belongs_to_one_session),
		cmocka_unit_test(an_offer_that_is_too_long_is_not_sent),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
