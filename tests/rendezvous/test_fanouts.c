#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rendezvous/fanouts.h"

enum { MEMBERS = 100, NOW_MS = 1000 };

struct world {
	struct fanouts *fanouts;
	char told[512];
	size_t passed;
	uint64_t number;
	int pass_err;
	char uris[MEMBERS][16];
	const char *members[MEMBERS];
};

static int pass(void *arg, const struct fanout *fanout, const char *member)
{
	struct world *world = arg;

	assert_string_not_equal(member, "tel:+0"); /* the sender */
	assert_string_equal(fanout->channel, "urn:c");
	world->passed++;
	world->number = fanout->number;
	return world->pass_err;
}

static void done(void *arg, const struct fanout *fanout, Umsg__ErrorCode error, const char *text,
		 uint32_t retry_after_s)
{
	struct world *world = arg;

	(void)text;
	snprintf(world->told, sizeof(world->told), "done %llu %d retry %u left out %zu",
		 (unsigned long long)fanout->origin.connection, (int)error, retry_after_s,
		 fanout->left_out);
}

static const struct fanouts_ops ops = { .pass = pass, .done = done };

static int open_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	*state = world;
	for (int i = 0; i < MEMBERS; i++) {
		snprintf(world->uris[i], sizeof(world->uris[i]), "tel:+%d", i);
		world->members[i] = world->uris[i];
	}
	world->fanouts = fanouts_new(&ops, world);
	return world->fanouts ? 0 : -1;
}

static int close_world(void **state)
{
	struct world *world = *state;

	fanouts_free(&world->fanouts);
	assert_null(world->fanouts);
	free(world);
	return 0;
}

/* To the first n members, of whom the sender is one. */
static int post_of(struct world *world, char id, uint64_t connection, size_t n, bool is_long)
{
	uint8_t octets[FANOUT_ID_SIZE];
	struct fanout_post p = {
		.channel = slice_str("urn:c"),
		.sender = slice_str("tel:+0"),
		.account = slice_str("acme"),
		.id = slice_of(octets, sizeof(octets)),
		.frame = slice_str("frame"),
		.origin = { 0, connection },
		.is_long = is_long,
		.members = world->members,
		.n_members = n,
	};

	memset(octets, id, sizeof(octets));
	return fanouts_post(world->fanouts, &p, NOW_MS);
}

static int post(struct world *world, char id, uint64_t connection, size_t n)
{
	return post_of(world, id, connection, n, false);
}

static void answer(struct world *world, Umsg__ErrorCode error, uint32_t retry_s)
{
	fanouts_answer(world->fanouts, world->number, error, retry_s, NOW_MS);
}

static void the_sender_is_answered_when_every_copy_is(void **state)
{
	struct world *world = *state;

	assert_int_equal(post(world, 'a', 7, MEMBERS), 0);
	assert_int_equal(world->passed, FANOUT_AT_ONCE); /* the others wait */
	for (int i = 1; i < MEMBERS - 1; i++)
		answer(world, UMSG__ERROR_CODE__OK, 0);
	assert_int_equal(world->passed, MEMBERS - 1);
	assert_string_equal(world->told, "");
	answer(world, UMSG__ERROR_CODE__OK, 0);
	assert_string_equal(world->told, "done 7 0 retry 0 left out 0");
	answer(world, UMSG__ERROR_CODE__OK, 0); /* one too many: nobody waits */
}

static void copies_of_a_long_post_are_made_a_few_at_a_time(void **state)
{
	struct world *world = *state;

	assert_int_equal(post_of(world, 'a', 7, 6, true), 0);
	assert_int_equal(world->passed, FANOUT_LONG_AT_ONCE);
	for (size_t i = 1; i < 5; i++) {
		answer(world, UMSG__ERROR_CODE__OK, 0);
		assert_int_equal(world->passed,
				 i + FANOUT_LONG_AT_ONCE < 5 ? i + FANOUT_LONG_AT_ONCE : 5);
	}
	assert_string_equal(world->told, "");
	answer(world, UMSG__ERROR_CODE__OK, 0);
	assert_string_equal(world->told, "done 7 0 retry 0 left out 0");
}

static void a_sender_alone_in_a_channel_is_answered_at_once(void **state)
{
	struct world *world = *state;

	assert_int_equal(post(world, 'a', 7, 1), 0);
	assert_string_equal(world->told, "done 7 0 retry 0 left out 0");
	assert_int_equal(world->passed, 0);
}

/* What a copy met, and what the sender hears of it. */
static void one_copy_decides_only_what_a_repeat_can_mend(void **state)
{
	static const struct {
		Umsg__ErrorCode copy;
		uint32_t retry_s;
		const char *told;
	} cases[] = {
		{ UMSG__ERROR_CODE__ERROR_STORE_FULL, 15, "done 7 6 retry 15 left out 0" },
		{ UMSG__ERROR_CODE__ERROR_BUSY, 0, "done 7 12 retry 2 left out 0" },
		{ UMSG__ERROR_CODE__ERROR_EXPIRED, 0, "done 7 11 retry 0 left out 0" },
		{ UMSG__ERROR_CODE__ERROR_QUOTA, 3600, "done 7 0 retry 0 left out 1" },
		{ UMSG__ERROR_CODE__ERROR_NOT_FOUND, 0, "done 7 0 retry 0 left out 1" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(post(world, (char)('a' + i), 7, 4), 0);
		answer(world, UMSG__ERROR_CODE__OK, 0);
		answer(world, cases[i].copy, cases[i].retry_s);
		answer(world, UMSG__ERROR_CODE__OK, 0);
		assert_string_equal(world->told, cases[i].told);
	}
}

static void a_home_that_is_gone_means_try_again(void **state)
{
	struct world *world = *state;

	world->pass_err = -EPIPE;
	assert_int_equal(post(world, 'a', 7, 4), 0);
	assert_string_equal(world->told, "done 7 12 retry 2 left out 0");
	world->told[0] = '\0';
	world->pass_err = 0;
	assert_int_equal(post(world, 'b', 7, 4), 0);
	fanouts_tick(world->fanouts, NOW_MS + FANOUT_LIMIT_MS - 1);
	assert_string_equal(world->told, "");
	fanouts_tick(world->fanouts, NOW_MS + FANOUT_LIMIT_MS);
	assert_string_equal(world->told, "done 7 12 retry 2 left out 0");
	answer(world, UMSG__ERROR_CODE__OK, 0); /* too late */
}

static void a_repeat_is_answered_where_it_came_from_and_sends_no_more(void **state)
{
	struct world *world = *state;

	assert_int_equal(post(world, 'a', 7, 3), 0);
	assert_int_equal(post(world, 'a', 8, 3), 0);
	assert_int_equal(world->passed, 2);
	answer(world, UMSG__ERROR_CODE__OK, 0);
	answer(world, UMSG__ERROR_CODE__OK, 0);
	assert_string_equal(world->told, "done 8 0 retry 0 left out 0");
}

static void posts_beyond_the_limit_are_refused(void **state)
{
	struct world *world = *state;
	uint8_t octets[FANOUT_ID_SIZE] = { 0 };
	struct fanout_post p = { .channel = slice_str("urn:c"),
				 .sender = slice_str("tel:+0"),
				 .account = slice_str("acme"),
				 .id = slice_of(octets, sizeof(octets)),
				 .frame = slice_str("frame"),
				 .members = world->members,
				 .n_members = 2 };

	for (int i = 0; i < FANOUTS_MAX; i++) {
		memcpy(octets, &i, sizeof(i));
		assert_int_equal(fanouts_post(world->fanouts, &p, NOW_MS), 0);
	}
	octets[15] = 1;
	assert_int_equal(fanouts_post(world->fanouts, &p, NOW_MS), -ENOBUFS);
}

/* A repeat of what has expired, or is too large, is refused by everybody anew. */
static void a_member_that_is_busy_does_not_hide_that_a_repeat_is_useless(void **state)
{
	static const Umsg__ErrorCode others[] = { UMSG__ERROR_CODE__ERROR_BUSY,
						  UMSG__ERROR_CODE__ERROR_STORE_FULL,
						  UMSG__ERROR_CODE__OK };
	struct world *world = *state;

	for (size_t i = 0; i < COUNT(others); i++) {
		assert_int_equal(post(world, (char)('a' + i), 7, 3), 0);
		answer(world, UMSG__ERROR_CODE__ERROR_EXPIRED, 0);
		answer(world, others[i], 9);
		assert_string_equal(world->told, "done 7 11 retry 0 left out 0");
	}
	/* nor one that does not answer */
	assert_int_equal(post(world, 'z', 8, 3), 0);
	answer(world, UMSG__ERROR_CODE__ERROR_EXPIRED, 0);
	fanouts_tick(world->fanouts, NOW_MS + FANOUT_LIMIT_MS);
	assert_string_equal(world->told, "done 8 11 retry 0 left out 0");
}

/* A worker that was started again gets what homes have to say to the one before it. */
static void what_an_earlier_process_asked_answers_no_post_of_this_one(void **state)
{
	struct world *world = *state;
	uint64_t before;

	assert_int_equal(post(world, 'a', 7, 3), 0);
	before = world->number;
	fanouts_free(&world->fanouts);
	world->fanouts = fanouts_new(&ops, world);
	assert_non_null(world->fanouts);
	assert_int_equal(post(world, 'a', 8, 3), 0);
	for (int i = 0; i < 2; i++)
		fanouts_answer(world->fanouts, before, UMSG__ERROR_CODE__OK, 0, NOW_MS);
	assert_string_equal(world->told, "");
	answer(world, UMSG__ERROR_CODE__ERROR_STORE_FULL, 3);
	answer(world, UMSG__ERROR_CODE__OK, 0);
	assert_string_equal(world->told, "done 8 6 retry 3 left out 0");
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)
	const struct CMUnitTest tests[] = {
		ONE(the_sender_is_answered_when_every_copy_is),
		ONE(copies_of_a_long_post_are_made_a_few_at_a_time),
		ONE(a_sender_alone_in_a_channel_is_answered_at_once),
		ONE(one_copy_decides_only_what_a_repeat_can_mend),
		ONE(a_member_that_is_busy_does_not_hide_that_a_repeat_is_useless),
		ONE(a_home_that_is_gone_means_try_again),
		ONE(a_repeat_is_answered_where_it_came_from_and_sends_no_more),
		ONE(posts_beyond_the_limit_are_refused),
		ONE(what_an_earlier_process_asked_answers_no_post_of_this_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
