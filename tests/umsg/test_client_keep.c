/* test_client_keep.c - what the rendezvous keeps for a client: one value at a time, each told. */
#include "tests/unit.h"

#include <errno.h>
#include <string.h>

#include "tests/umsg/stage.h"

#define ALICE "tel:+46700000001"

static int keep(struct party *p, const char *name, const char *value)
{
	return umsg_client_keep(p->client, name, "text/plain", slice_str(value));
}

static void a_value_is_kept_and_told(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	assert_int_equal(keep(alice, "client-info", "os 1"), 0);
	STAGE_UNTIL(stage, alice->kept == 1);
	assert_int_equal(alice->kept_error, UMSG__ERROR_CODE__OK);
	assert_string_equal(stage->data_name, "client-info");
	assert_string_equal(stage->data_value, "os 1");
	assert_int_equal(keep(alice, "client-info", ""), 0); /* gone again */
	STAGE_UNTIL(stage, alice->kept == 2);
	assert_string_equal(stage->data_value, "");
}

static void one_goes_at_a_time_and_a_refusal_ends_it(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	stage->busy = true;
	assert_int_equal(keep(alice, "client-info", "1"), 0);
	assert_int_equal(keep(alice, "client-info", "2"), -EBUSY);
	STAGE_UNTIL(stage, alice->kept == 1);
	assert_int_equal(alice->kept_error, UMSG__ERROR_CODE__ERROR_BUSY);
	stage->busy = false;
	assert_int_equal(keep(alice, "client-info", "3"), 0);
	STAGE_UNTIL(stage, alice->kept == 2);
	assert_string_equal(stage->data_value, "3");
}

/* One that the rules of frames forbid would cost the connection: it never leaves. */
static void what_no_rendezvous_takes_is_not_sent(void **state)
{
	static const char *const names[] = { "", "Client", "client_info", "a/b",
					     "abcdefghijklmnopqrstuvwxyz-abcdef" };
	static uint8_t much[FRAME_CLIENT_DATA + 1];
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(keep(alice, names[i], "x"), -EINVAL);
	assert_int_equal(umsg_client_keep(alice->client, "a", "\x1b", slice_str("x")), -EINVAL);
	assert_int_equal(umsg_client_keep(alice->client, "a", "t", slice_of(much, sizeof(much))),
			 -EMSGSIZE);
	assert_int_equal(
		umsg_client_keep(alice->client, "a", "t", slice_of(much, FRAME_CLIENT_DATA)), 0);
	STAGE_UNTIL(stage, alice->kept == 1);
	assert_int_equal(stage->client_data, 1);
}

/* Whether it was kept is not known: the owner is told so, and may ask again. */
static void a_value_ends_with_its_connection(void **state)
{
	struct stage *stage = *state;
	struct party *alice = stage_enter(stage, ALICE);

	stage->silent = true;
	assert_int_equal(keep(alice, "client-info", "1"), 0);
	STAGE_UNTIL(stage, stage->client_data == 1);
	stage_cut(stage);
	STAGE_UNTIL(stage, alice->state != UMSG_ATTACHED);
	assert_int_equal(keep(alice, "client-info", "2"), -ENOTCONN);
	stage->silent = false;
	STAGE_UNTIL(stage, alice->state == UMSG_ATTACHED);
	assert_int_equal(keep(alice, "client-info", "3"), 0);
	STAGE_UNTIL(stage, alice->kept_error == UMSG__ERROR_CODE__OK && alice->kept > 0 &&
				   stage->client_data == 2);
	assert_string_equal(stage->data_value, "3");
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, stage_set, stage_strike)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_STAGE(a_value_is_kept_and_told),
		ON_STAGE(one_goes_at_a_time_and_a_refusal_ends_it),
		ON_STAGE(what_no_rendezvous_takes_is_not_sent),
		ON_STAGE(a_value_ends_with_its_connection),
	};

	return cmocka_run_group_tests(tests, stage_build, stage_raze);
}
