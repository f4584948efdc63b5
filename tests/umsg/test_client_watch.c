/* What was asked of the rendezvous and is never answered, while the connection lives on: asked
 * again, or told to who waits for it. */
#include "tests/unit.h"

#include <errno.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "tests/umsg/stage.h"
#include "umsg/client_priv.h"

#define ALICE "tel:+46700000001"
#define BOB "tel:+46700000002"

static int64_t passed_ms; /* of monotonic time, by a step */

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
	return __real_clock_mono_ms() + passed_ms;
}

/* The question that was thought lost is answered, too: then the other answer is one too many, and
 * no reason to begin anew. */
static void a_piece_of_an_update_that_does_not_come_is_asked_for_again(void **state)
{
	struct stage *stage = *state;
	struct party *alice;

	for (unsigned late = 0; late < 2; late++) {
		alice = stage_enter(stage, late ? BOB : ALICE);
		stage_offer_update(stage, 2048, 4500);
		stage->update_gets = stage->registers = stage->confirms = 0;
		stage->forgets_piece = true;
		umsg_client_free(&alice->client);
		stage_client(alice, NULL);
		STAGE_UNTIL(stage, stage->update_gets == 1);
		if (!late)
			stage->forgotten_piece = 0;
		passed_ms += 60000;
		STAGE_UNTIL(stage, stage->confirms == 1);
		assert_int_equal(alice->updates, 1);
		assert_int_equal(stage->update_gets, 1 + 3 + 5);
		STAGE_UNTIL(stage, stage->registers == 2);
		stage->offered.month = NULL;
	}
}

static void a_post_that_is_never_answered_is_to_be_posted_again(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);
	struct umsg_sealed sealed;

	stage_seal_hello(alice, BOB, &sealed);
	stage->forgets_posts = 1;
	assert_int_equal(umsg_client_post(alice->client, slice_of(sealed.octets, sealed.n)), 0);
	STAGE_UNTIL(stage, stage->forgets_posts == 0);
	passed_ms += 60000;
	STAGE_UNTIL(stage, alice->acks == 1);
	assert_int_equal(alice->ack, UMSG__ERROR_CODE__ERROR_BUSY);
	assert_true(alice->again_s > 0);
	assert_int_equal(umsg_client_post(alice->client, slice_of(sealed.octets, sealed.n)), 0);
	STAGE_UNTIL(stage, alice->acks == 2 && bob->messages == 1);
	assert_int_equal(alice->ack, UMSG__ERROR_CODE__OK);
	umsg_sealed_clear(&sealed);
}

static void a_value_that_is_never_answered_makes_way_for_the_next_one(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	stage->silent = true;
	assert_int_equal(umsg_client_keep(alice->client, "settings", "t", slice_str("1")), 0);
	STAGE_UNTIL(stage, stage->client_data == 1);
	assert_int_equal(umsg_client_keep(alice->client, "settings", "t", slice_str("2")), -EBUSY);
	passed_ms += 20000;
	STAGE_UNTIL(stage, alice->kept == 1);
	assert_int_equal(alice->kept_error, UMSG__ERROR_CODE__ERROR_BUSY);
	stage->silent = false;
	assert_int_equal(umsg_client_keep(alice->client, "settings", "t", slice_str("3")), 0);
	STAGE_UNTIL(stage, alice->kept == 2);
	assert_int_equal(alice->kept_error, UMSG__ERROR_CODE__OK);
}

/* A number that is out of all proportion must not put off for good what waits here. */
static void whatever_is_refused_is_tried_again_within_an_hour(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Error error = UMSG__ERROR__INIT;

	stage->busy = true;
	stage->busy_s = UINT32_MAX;
	stage_post_hello(alice, BOB);
	STAGE_UNTIL(stage, alice->acks == 1);
	assert_int_equal(alice->again_s, 3600);
	stage->forgets_fetches = true;
	umsg_client_fetch(alice->client);
	error.code = UMSG__ERROR_CODE__ERROR_BUSY;
	error.retry_after = UINT32_MAX;
	frame.by_server = 1;
	frame.request = alice->client->fetching;
	frame.body_case = UMSG__FRAME__BODY_ERROR;
	frame.error = &error;
	stage_send(stage, ALICE, &frame);
	STAGE_UNTIL(stage, !alice->client->fetching);
	assert_true(alice->client->fetch_again_ms - clock_mono_ms() <= 3600 * 1000);
}

static bool waits(const struct party *p)
{
	return evtimer_pending(p->client->watch, NULL);
}

static void who_waits_for_nothing_looks_for_nothing(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE), *bob = stage_enter(stage, BOB);

	assert_false(waits(alice));
	umsg_client_fetch(bob->client);
	stage_post_hello(alice, BOB);
	assert_int_equal(umsg_client_lookup(alice->client, BOB), 0);
	assert_int_equal(umsg_client_keep(alice->client, "settings", "t", slice_str("1")), 0);
	assert_true(waits(alice));
	assert_true(waits(bob));
	STAGE_UNTIL(stage, bob->messages && alice->acks && alice->looked_up && alice->kept);
	STAGE_UNTIL(stage, !waits(alice) && !waits(bob));
}

/* Whatever is asked then is denied, too.  It registers again in its time all the same. */
static void who_is_denied_does_not_put_off_its_registration(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Denied denied = UMSG__DENIED__INIT;
	struct timeval due;

	stage->deny = true;
	stage_unregister(stage, ALICE, UMSG__UNREGISTER_REASON__UNREGISTER_DENIED);
	STAGE_UNTIL(stage, alice->state == UMSG_DENIED);
	assert_true(evtimer_pending(alice->client->timer, NULL));
	due = alice->client->timer->ev_timeout;
	assert_string_equal(alice->text, "denied");
	frame.by_server = 1;
	frame.request = 12345;
	frame.body_case = UMSG__FRAME__BODY_DENIED;
	frame.denied = &denied;
	denied.text = frame_text("again");
	stage_send(stage, ALICE, &frame);
	stage->deny = false;
	stage_enter(stage, BOB); /* behind it */
	assert_true(evtimer_pending(alice->client->timer, NULL));
	assert_true(evutil_timercmp(&due, &alice->client->timer->ev_timeout, ==));
	assert_string_equal(alice->text, "denied");
}

int main(void)
{
#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_set, stage_strike)
	const struct CMUnitTest tests[] = {
		ON_STAGE(a_piece_of_an_update_that_does_not_come_is_asked_for_again),
		ON_STAGE(a_post_that_is_never_answered_is_to_be_posted_again),
		ON_STAGE(a_value_that_is_never_answered_makes_way_for_the_next_one),
		ON_STAGE(whatever_is_refused_is_tried_again_within_an_hour),
		ON_STAGE(who_waits_for_nothing_looks_for_nothing),
		ON_STAGE(who_is_denied_does_not_put_off_its_registration),
	};

	return cmocka_run_group_tests(tests, stage_build, stage_raze);
}
