/* In which domain a URI is: what is asked, believed, remembered and pinned. */
#include "tests/unit.h"

#include <errno.h>

#include "tests/umsg/stage.h"

#define ALICE "tel:+46700000001"
#define BOB "tel:+46700000002"
#define CAROL "tel:+4580000001"

/* Two domains that Alice trusts, beside her own. */
struct others {
	struct realm friends, movers;
	const struct domain *trusted[2];
};

static void trust(struct party *p, struct others *others, size_t n)
{
	const struct umsg_keys keys = { .store = p->store,
					.domain = p->stage->realm.domain,
					.keyset = p->keyset,
					.trusted = others->trusted,
					.n_trusted = n };

	umsg_client_set_keys(p->client, &keys);
}

static struct party *enter(struct stage *stage, struct others *others)
{
	struct party *alice = stage_enter(stage, ALICE);

	realm_open(&others->friends, "Friends");
	realm_open(&others->movers, "Movers");
	others->trusted[0] = others->friends.domain;
	others->trusted[1] = others->movers.domain;
	trust(alice, others, 2);
	return alice;
}

static void close_others(struct party *alice, struct others *others)
{
	umsg_client_free(&alice->client);
	realm_close(&others->friends);
	realm_close(&others->movers);
}

static struct slice id_of(const struct domain *domain)
{
	return slice_of(domain_id(domain), DOMAIN_ID);
}

/* What comes of a look-up of Carol that the rendezvous answers so. */
static int look_up(struct party *p, bool found, struct slice id)
{
	unsigned before = p->looked_up;

	p->stage->found = found;
	p->stage->answered_id = id;
	assert_int_equal(umsg_client_lookup(p->client, CAROL), 0);
	STAGE_UNTIL(p->stage, p->looked_up > before);
	return p->lookup_err;
}

static void assert_pinned(const struct party *p, const struct domain *domain)
{
	const uint8_t *pin = keystore_pinned(p->store, slice_str(CAROL));

	assert_non_null(pin);
	assert_memory_equal(pin, domain_id(domain), DOMAIN_ID);
}

static void whose_domain_is_trusted_is_pinned_and_known(void **state)
{
	struct stage *stage = *state;
	struct others others;
	struct party *alice = enter(stage, &others);

	assert_int_equal(umsg_client_known(alice->client, ALICE), 0);
	assert_int_equal(
		umsg_client_known(alice->client, "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"),
		0);
	assert_int_equal(umsg_client_known(alice->client, CAROL), -EAGAIN);
	assert_int_equal(umsg_client_lookup(alice->client, "sip:nobody"), -EINVAL);
	assert_int_equal(umsg_client_lookup(alice->client, CAROL), 0); /* asked once for both */
	assert_int_equal(look_up(alice, true, id_of(others.friends.domain)), 0);
	assert_int_equal(stage->lookups, 1);
	assert_pinned(alice, others.friends.domain);
	assert_int_equal(umsg_client_known(alice->client, CAROL), 0);
	assert_int_equal(alice->repins, 0);
	close_others(alice, &others);
}

static void an_answer_counts_only_within_what_is_trusted(void **state)
{
	static const uint8_t unknown[DOMAIN_ID] = { 1 };
	struct stage *stage = *state;
	struct others others;
	struct party *alice = enter(stage, &others);
	const struct {
		bool found;
		struct slice id;
		int err;
	} cases[] = {
		{ false, { NULL, 0 }, -ENOENT },
		{ true, { NULL, 0 }, 0 }, /* of that account no update is there */
		{ true, id_of(stage->realm.domain), 0 },
		{ true, slice_of(unknown, sizeof(unknown)), -EKEYREJECTED },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(look_up(alice, cases[i].found, cases[i].id), cases[i].err);
		assert_int_equal(umsg_client_known(alice->client, CAROL), cases[i].err);
		assert_null(keystore_pinned(alice->store, slice_str(CAROL)));
		umsg_client_forget_answers(alice->client);
		assert_int_equal(umsg_client_known(alice->client, CAROL), -EAGAIN);
	}
	close_others(alice, &others);
}

static void a_pin_changes_only_where_the_owner_lets_it(void **state)
{
	struct stage *stage = *state;
	struct others others;
	struct party *alice = enter(stage, &others);

	assert_int_equal(look_up(alice, true, id_of(others.friends.domain)), 0);
	assert_int_equal(look_up(alice, true, id_of(others.movers.domain)), -EPERM);
	assert_int_equal(alice->repins, 1);
	assert_pinned(alice, others.friends.domain);
	assert_int_equal(umsg_client_known(alice->client, CAROL), -EPERM);
	assert_int_equal(look_up(alice, true, id_of(stage->realm.domain)), -EPERM);
	assert_int_equal(look_up(alice, true, (struct slice){ NULL, 0 }), 0); /* the pin holds */
	alice->moves = true;
	assert_int_equal(look_up(alice, true, id_of(others.movers.domain)), 0);
	assert_pinned(alice, others.movers.domain);
	/* the pin's domain is trusted no more */
	trust(alice, &others, 1);
	assert_int_equal(umsg_client_known(alice->client, CAROL), -EAGAIN);
	assert_int_equal(look_up(alice, true, id_of(others.movers.domain)), -EKEYREJECTED);
	assert_int_equal(look_up(alice, true, (struct slice){ NULL, 0 }), -EKEYREJECTED);
	assert_pinned(alice, others.movers.domain);
	close_others(alice, &others);
}

static void a_look_up_ends_with_its_connection(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	stage->silent = true;
	assert_int_equal(umsg_client_lookup(alice->client, CAROL), 0);
	STAGE_UNTIL(stage, stage->lookups == 1);
	stage_cut(stage);
	STAGE_UNTIL(stage, alice->looked_up == 1);
	assert_int_equal(alice->lookup_err, -EHOSTUNREACH);
	assert_int_equal(umsg_client_known(alice->client, CAROL), -EAGAIN);
}

static int64_t passed_ms; /* of monotonic time, by a step */
static int64_t stands_ms; /* where it stands still; 0: it goes on */

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
	return (stands_ms ? stands_ms : __real_clock_mono_ms()) + passed_ms;
}

/* The part of the rendezvous that was asked has died: else nobody could reach that URI before the
 * connection ends, which may be in weeks. */
static void a_look_up_that_is_never_answered_ends_and_may_be_made_again(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	stage->silent = true;
	assert_int_equal(umsg_client_lookup(alice->client, CAROL), 0);
	STAGE_UNTIL(stage, stage->lookups == 1);
	stage->silent = false;
	passed_ms += 4000;
	STAGE_UNTIL(stage, alice->looked_up == 1);
	assert_int_equal(alice->lookup_err, -EHOSTUNREACH);
	assert_int_equal(look_up(alice, false, (struct slice){ NULL, 0 }), -ENOENT);
	assert_int_equal(stage->lookups, 2);
}

/* Whoever asks again when he is told of the refusal must not be refused without a pause. */
static void a_look_up_that_is_refused_is_made_again_when_the_rendezvous_wants_it(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	stage->busy = true; /* for 3 s */
	alice->insists = true;
	stands_ms = __real_clock_mono_ms(); /* however long it takes another one to enter */
	assert_int_equal(umsg_client_lookup(alice->client, CAROL), 0);
	STAGE_UNTIL(stage, alice->looked_up == 1);
	assert_int_equal(alice->lookup_err, -EHOSTUNREACH);
	stage_enter(stage, BOB); /* some turns of the loop */
	assert_int_equal(stage->lookups, 1);
	stage->busy = false;
	stands_ms = 0;
	passed_ms += 3000;
	STAGE_UNTIL(stage, alice->looked_up == 2);
	assert_int_equal(alice->lookup_err, -ENOENT);
	assert_int_equal(stage->lookups, 2);
}

#define LOOKUP_TEST(test) cmocka_unit_test_setup_teardown(test, stage_set, stage_strike)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOKUP_TEST(whose_domain_is_trusted_is_pinned_and_known),
		LOOKUP_TEST(an_answer_counts_only_within_what_is_trusted),
		LOOKUP_TEST(a_pin_changes_only_where_the_owner_lets_it),
		LOOKUP_TEST(a_look_up_ends_with_its_connection),
		LOOKUP_TEST(a_look_up_that_is_never_answered_ends_and_may_be_made_again),
		LOOKUP_TEST(a_look_up_that_is_refused_is_made_again_when_the_rendezvous_wants_it),
	};

	return cmocka_run_group_tests(tests, stage_build, stage_raze);
}
