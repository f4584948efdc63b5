#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keys/period.h"
#include "tests/keys/party.h"
#include "umsg/message_crypto.h"

static const char alice[] = "tel:+447700900123";
static const char bob[] = "tel:+447700900456";
static const int64_t first_of_june = 1780272000; /* 2026-06-01 00:00:00 UTC */

enum { DAY = 86400 };

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
	w.bob = realm_enrol(&w.realm, bob, w.may, 1); /* not June's */
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

static void seal_at(struct world *w, int64_t when_s, struct slice body, uint64_t store_until,
		    struct message_sealed *sealed)
{
	struct period_keys *own = keyset_hold(w->alice, period_of(when_s));

	memset(sealed, 0, sizeof(*sealed));
	sealed->id[0] = 42;
	sealed->kind = UMSG__MESSAGE_KIND__KIND_TEXT;
	sealed->store_until = store_until;
	assert_int_equal(message_seal(own, w->realm.domain, slice_str(bob), body, when_s * 1000,
				      false, sealed),
			 0);
	period_keys_release(&own);
}

static struct message_envelope envelope_of(const struct message_sealed *sealed)
{
	return (struct message_envelope){
		.from = slice_str(alice),
		.to = slice_str(bob),
		.id = sealed->id,
		.kind = sealed->kind,
		.store_until = sealed->store_until,
		.i_message = slice_of(sealed->i_message, sealed->i_message_n),
		.records = slice_of(sealed->records, sealed->records_n),
	};
}

static enum message_verdict verify_at(struct world *w, const struct message_envelope *envelope,
				      int64_t now_s, uint32_t longest, struct message_facts *facts)
{
	int64_t period = period_of(message_time_s(envelope->i_message));
	struct period_keys *own = keyset_hold(w->bob, period);
	enum message_verdict verdict =
		message_verify(envelope, w->realm.domain, own, period > keyset_newest(w->bob),
			       longest, now_s, facts);

	period_keys_release(&own);
	return verdict;
}

static enum message_verdict open_it(struct world *w, const struct message_envelope *envelope,
				    const struct message_facts *facts, uint8_t **body, size_t *n)
{
	struct period_keys *own = keyset_hold(w->bob, period_of(facts->sent_s));
	enum message_verdict verdict = message_open(envelope, facts, own, body, n);

	period_keys_release(&own);
	return verdict;
}

static void a_body_comes_out_as_it_went_in(void **state)
{
	static const size_t lengths[] = { 1, 100, FRAME_RECORD, FRAME_RECORD + 1, 200000 };
	static const size_t records[] = { 1, 1, 1, 2, 5 };
	struct world *w = *state;
	uint8_t *body = malloc(200000);

	for (size_t i = 0; i < 200000; i++)
		body[i] = (uint8_t)(i ^ i >> 9);
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct message_sealed sealed;
		struct message_envelope envelope;
		struct message_facts facts;
		uint8_t *out;
		size_t n;

		seal_at(w, first_of_june - DAY, slice_of(body, lengths[i]), 0, &sealed);
		assert_int_equal(sealed.records_n, lengths[i] + 16 * records[i]);
		assert_int_equal(message_records_count(sealed.records_n), records[i]);
		envelope = envelope_of(&sealed);
		assert_int_equal(verify_at(w, &envelope, first_of_june - DAY, 0, &facts),
				 MESSAGE_GOOD);
		assert_int_equal(open_it(w, &envelope, &facts, &out, &n), MESSAGE_GOOD);
		assert_int_equal(n, lengths[i]);
		assert_memory_equal(out, body, n);
		free(out);
		message_sealed_done(&sealed);
	}
	free(body);
}

static void what_was_signed_cannot_be_changed(void **state)
{
	static const uint8_t other_id[FRAME_ID] = { 43 };
	struct world *w = *state;
	struct message_sealed sealed;
	struct message_facts facts;
	struct message_envelope e[6];

	seal_at(w, first_of_june - DAY, slice_str("hello"), (uint64_t)first_of_june, &sealed);
	for (size_t i = 0; i < COUNT(e); i++)
		e[i] = envelope_of(&sealed);
	assert_int_equal(verify_at(w, &e[0], first_of_june - DAY, 0, &facts), MESSAGE_GOOD);
	e[1].id = other_id;
	e[2].kind = UMSG__MESSAGE_KIND__KIND_RECEIPT;
	e[3].store_until++;
	e[4].from = slice_str(bob);
	e[5].records.n--;
	for (size_t i = 1; i < COUNT(e); i++)
		assert_int_equal(verify_at(w, &e[i], first_of_june - DAY, 0, &facts), MESSAGE_BAD);
	sealed.records[3] ^= 1;
	assert_int_equal(verify_at(w, &e[0], first_of_june - DAY, 0, &facts), MESSAGE_BAD);
	assert_int_equal(facts.mikey, MIKEY_BAD_SIGNATURE);
	message_sealed_done(&sealed);
}

static const struct {
	const char *name;
	int64_t sent, now; /* seconds after the first of June */
	int64_t store_until;
	uint32_t longest;
	enum message_verdict want;
	int64_t end;
} lives[] = {
	{ "30 days", -DAY, 29 * DAY - 1, 0, 0, MESSAGE_GOOD, 29 * DAY },
	{ "no longer", -DAY, 29 * DAY, 0, 0, MESSAGE_EXPIRED, 29 * DAY },
	{ "the domain's maximum", -DAY, 3600 - DAY, 0, 3600, MESSAGE_EXPIRED, 3600 - DAY },
	{ "store_until", -DAY, 0, 1, 0, MESSAGE_GOOD, 1 },
	{ "no longer than that", -DAY, 1, 1, 0, MESSAGE_EXPIRED, 1 },
	{ "store_until beyond the maximum", -DAY, 3600 - DAY, 9 * DAY, 3600, MESSAGE_EXPIRED,
	  3600 - DAY },
	{ "ahead by five minutes", -DAY, -DAY - 300, 0, 0, MESSAGE_GOOD, 29 * DAY },
	{ "ahead by more", -DAY, -DAY - 301, 0, 0, MESSAGE_EARLY, 0 },
	{ "ahead by a day", -DAY, -2 * DAY, 0, 0, MESSAGE_EARLY, 0 },
	{ "ahead by more than a day", -DAY, -2 * DAY - 1, 0, 0, MESSAGE_BAD, 0 },
	{ "a month whose keys have not come", DAY, DAY, 0, 0, MESSAGE_KEYLESS, 0 },
};

/* CIG-085: what is past its end is not shown. */
static void a_message_lives_as_long_as_all_allow(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(lives); i++) {
		int64_t until = lives[i].store_until;
		struct message_sealed sealed;
		struct message_envelope envelope;
		struct message_facts facts;
		enum message_verdict verdict;

		seal_at(w, first_of_june + lives[i].sent, slice_str("hello"),
			until ? (uint64_t)(first_of_june + until) : 0, &sealed);
		envelope = envelope_of(&sealed);
		verdict = verify_at(w, &envelope, first_of_june + lives[i].now, lives[i].longest,
				    &facts);
		if (verdict != lives[i].want)
			fail_msg("%s: %d", lives[i].name, (int)verdict);
		if (lives[i].end)
			assert_int_equal(facts.end_s, first_of_june + lives[i].end);
		message_sealed_done(&sealed);
	}
}

/* A month that is past and whose keys were wiped. */
static void without_keys_of_a_past_month_it_is_undecryptable(void **state)
{
	struct world *w = *state;
	struct keyset *late = realm_enrol(&w->realm, bob, w->may + 1, 1);
	struct message_sealed sealed;
	struct message_envelope envelope;
	struct message_facts facts;

	seal_at(w, first_of_june - DAY, slice_str("hello"), 0, &sealed);
	envelope = envelope_of(&sealed);
	assert_int_equal(message_verify(&envelope, w->realm.domain, NULL,
					w->may > keyset_newest(late), 0, first_of_june, &facts),
			 MESSAGE_BAD);
	keyset_free(&late);
	message_sealed_done(&sealed);
}

static void an_empty_body_is_not_sealed(void **state)
{
	struct world *w = *state;
	struct period_keys *own = keyset_hold(w->alice, w->may);
	struct message_sealed sealed = { .kind = UMSG__MESSAGE_KIND__KIND_TEXT };

	assert_int_equal(message_seal(own, w->realm.domain, slice_str(bob),
				      (struct slice){ NULL, 0 }, (first_of_june - 9) * 1000, false,
				      &sealed),
			 -EINVAL);
	assert_int_equal(message_seal(own, w->realm.domain, slice_str("bob"), slice_str("x"),
				      (first_of_june - 9) * 1000, false, &sealed),
			 -EINVAL);
	assert_null(sealed.records);
	period_keys_release(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_comes_out_as_it_went_in),
		cmocka_unit_test(what_was_signed_cannot_be_changed),
		cmocka_unit_test(a_message_lives_as_long_as_all_allow),
		cmocka_unit_test(without_keys_of_a_past_month_it_is_undecryptable),
		cmocka_unit_test(an_empty_body_is_not_sealed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
