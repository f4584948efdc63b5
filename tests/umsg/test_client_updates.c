/* test_client_updates.c - monthly updates: fetched, handed to the owner, and confirmed. */
#include "tests/unit.h"

#include "base/clock.h"
#include "keys/period.h"
#include "tests/umsg/stage.h"

#define ALICE "tel:+46700000001"
#define BOB "tel:+46700000002"

static void offer(struct stage *stage, struct slice entry, struct slice shared)
{
	static char month[PERIOD_TEXT_SIZE];

	period_text(stage->month, month);
	stage->offered.month = month;
	stage->offered.revision = 2;
	stage->offered.created = (uint64_t)clock_wall_s();
	stage->parts[0] = entry;
	stage->parts[1] = shared;
}

/* CCA-008: fetched in pieces, applied, confirmed; and not again. */
static void a_newer_update_is_fetched_and_confirmed(void **state)
{
	static uint8_t entry[2048] = { 1 }, shared[4500] = { 2 };
	struct stage *stage = *state;
	struct party *alice;

	offer(stage, slice_of(entry, sizeof(entry)), slice_of(shared, sizeof(shared)));
	alice = stage_enter(stage, ALICE);
	STAGE_UNTIL(stage, stage->confirms == 1);
	assert_int_equal(alice->updates, 1);
	assert_int_equal(stage->update_gets, 3 + 5);
	STAGE_UNTIL(stage, stage->registers == 2);
	stage_cut(stage);
	STAGE_UNTIL(stage, stage->registers == 3);
	assert_int_equal(alice->updates, 1);
	stage->offered.month = NULL;
}

/* As when the program was killed behind the update's last octet: no fetch, and told once. */
static void what_is_held_already_is_confirmed_once(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	offer(stage, slice_of(NULL, 0), slice_of(NULL, 0));
	stage->offered.revision = 1;
	stage->offered.created = alice->letter_created;
	stage_cut(stage);
	STAGE_UNTIL(stage, stage->confirms == 1);
	stage_cut(stage);
	STAGE_UNTIL(stage, stage->registers == 3);
	stage_cut(stage);
	STAGE_UNTIL(stage, stage->registers == 4);
	assert_int_equal(stage->confirms, 1);
	assert_int_equal(alice->updates, 0);
	stage->offered.month = NULL;
}

/* Alice has fetched an update, and will say later what came of it. */
static struct party *enter_with_update_in_hand(struct stage *stage)
{
	static uint8_t entry[100] = { 1 }, shared[100] = { 2 };
	struct party *alice;

	offer(stage, slice_of(entry, sizeof(entry)), slice_of(shared, sizeof(shared)));
	alice = stage_enter_with(stage, ALICE, &stage->secret);
	alice->update = UMSG_UPDATE_LATER;
	STAGE_UNTIL(stage, alice->updates == 1);
	return alice;
}

/* Whoever applies it beside its loop says so, and is not asked again meanwhile. */
static void an_update_that_takes_its_time_is_confirmed_when_it_is_applied(void **state)
{
	struct stage *stage = *state;
	struct party *alice = enter_with_update_in_hand(stage);

	/* It registers anew when the keys change: the same update is offered, and not fetched. */
	assert_int_equal(stage->registers, 1);
	assert_int_equal(stage->confirms, 0);
	umsg_client_update_done(alice->client, false); /* in vain */
	stage_cut(stage);
	STAGE_UNTIL(stage, alice->updates == 2);
	assert_int_equal(stage->confirms, 0);
	umsg_client_update_done(alice->client, true);
	STAGE_UNTIL(stage, stage->confirms == 1 && stage->registers == 3);
	assert_int_equal(alice->updates, 2);
	stage->offered.month = NULL;
}

/* The connection is still there: a registration would throw out the device that took over. */
static void who_was_replaced_stays_away_also_when_its_update_is_applied(void **state)
{
	struct stage *stage = *state;
	struct party *alice = enter_with_update_in_hand(stage);

	stage_unregister(stage, ALICE, UMSG__UNREGISTER_REASON__UNREGISTER_REPLACED);
	STAGE_UNTIL(stage, alice->state == UMSG_REPLACED);
	stage->offered.month = NULL;
	umsg_client_update_done(alice->client, true);
	STAGE_UNTIL(stage, stage->confirms == 1);
	stage_enter(stage, BOB); /* behind all that she sent */
	assert_int_equal(stage->registers, 2);
}

/* What was in hand when the connection was lost is fetched anew, where it was not applied by
 * then; its end means nothing to that fetch. */
static void an_update_in_hand_outlives_its_connection(void **state)
{
	struct stage *stage = *state;
	struct party *alice = enter_with_update_in_hand(stage);

	stage_cut(stage);
	STAGE_UNTIL(stage, alice->state != UMSG_ATTACHED);
	umsg_client_update_done(alice->client, true);
	STAGE_UNTIL(stage, alice->updates == 2);
	assert_int_equal(stage->confirms, 0);
	umsg_client_update_done(alice->client, true);
	STAGE_UNTIL(stage, stage->confirms == 1);
	stage->offered.month = NULL;
}

static bool hasty; /* waits of five seconds take a tenth of one */

int __real_event_add(struct event *event, const struct timeval *wait);
int __wrap_event_add(struct event *event, const struct timeval *wait);
int __wrap_event_add(struct event *event, const struct timeval *wait)
{
	const struct timeval sooner = { 0, 100000 };

	return __real_event_add(event, hasty && wait && wait->tv_sec == 5 ? &sooner : wait);
}

/* docs/umsg.md, "Updates": a new one takes the place of the one that is being fetched, and nobody
 * tells of it. */
static void a_fetch_that_is_refused_begins_again(void **state)
{
	static uint8_t entry[2048] = { 1 }, shared[100] = { 2 };
	struct stage *stage = *state;
	struct party *alice;

	offer(stage, slice_of(entry, sizeof(entry)), slice_of(shared, sizeof(shared)));
	stage->conflicts = 1;
	hasty = true;
	alice = stage_enter(stage, ALICE);
	STAGE_UNTIL(stage, stage->confirms == 1);
	hasty = false;
	assert_int_equal(alice->updates, 1);
	stage->offered.month = NULL;
}

/* The home that is to note it may be gone just then. */
static void a_confirmation_that_is_not_answered_is_repeated(void **state)
{
	static uint8_t entry[100] = { 1 }, shared[100] = { 2 };
	struct stage *stage = *state;
	struct party *alice;

	offer(stage, slice_of(entry, sizeof(entry)), slice_of(shared, sizeof(shared)));
	stage->silent = true;
	alice = stage_enter(stage, ALICE);
	/* Which follows it and names the same update: it may be under way yet, and is repeated. */
	STAGE_UNTIL(stage, stage->registers == 2 && stage->confirms == 2);
	stage->silent = false;
	stage_cut(stage);
	STAGE_UNTIL(stage, stage->confirms == 3);
	stage_cut(stage);
	STAGE_UNTIL(stage, stage->registers == 4);
	stage_enter(stage, BOB); /* behind all that she sent */
	assert_int_equal(stage->confirms, 3);
	assert_int_equal(alice->updates, 1);
	stage->offered.month = NULL;
}

int main(void)
{
#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_set, stage_strike)
	const struct CMUnitTest tests[] = {
		ON_STAGE(a_newer_update_is_fetched_and_confirmed),
		ON_STAGE(what_is_held_already_is_confirmed_once),
		ON_STAGE(an_update_that_takes_its_time_is_confirmed_when_it_is_applied),
		ON_STAGE(who_was_replaced_stays_away_also_when_its_update_is_applied),
		ON_STAGE(an_update_in_hand_outlives_its_connection),
		ON_STAGE(a_fetch_that_is_refused_begins_again),
		ON_STAGE(a_confirmation_that_is_not_answered_is_repeated),
	};

	return cmocka_run_group_tests(tests, stage_build, stage_raze);
}
