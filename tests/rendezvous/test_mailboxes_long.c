/* test_mailboxes_long.c - long messages, which come in parts, and posts to channels. */
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rendezvous/mailbox_world.h"

static void a_long_message_is_stored_part_by_part(void **state)
{
	struct world *world = *state;
	struct slice to = slice_str(world_bob), from = slice_str(world_alice);

	world_ready(world, true);
	world_post_sized(world, 'a', 25, 10, 10);
	world_expect(world, "want a 1\n");
	assert_int_equal(mailboxes_part(world->mailboxes, to, from, world_id('a'), 2,
					slice_str("two"), world->now_ms),
			 0);
	world_expect(world, "want a 1\n");
	assert_int_equal(mailboxes_part(world->mailboxes, to, from, world_id('a'), 1,
					slice_str("one"), world->now_ms),
			 0);
	world_expect(world, "part a 1 one\nwant a 2\n");
	world_post_sized(world, 'a', 25, 10, 10); /* interrupted: goes on where it was */
	world_expect(world, "want a 2\n");
	mailboxes_part_stored(world->mailboxes, to, from, world_id('a'), 1, 0, world->now_ms);
	assert_int_equal(mailboxes_part(world->mailboxes, to, from, world_id('a'), 2,
					slice_str("two"), world->now_ms),
			 0);
	world_expect(world, "part a 2 two\nwant a 3\n");
	mailboxes_part_stored(world->mailboxes, to, from, world_id('a'), 2, 0, world->now_ms);
	world_expect(world, "posted a\nstore a\n");
	world_stored(world, 'a', 0, 7);
	world_expect(world, "ack a 0 0\nhand a 7\n");
	assert_int_equal(world_taken(world, 'a'), 0);
	world_expect(world, "delivered a\ndiscard a 7\n");
	assert_int_equal(
		mailboxes_part(world->mailboxes, to, from, world_id('a'), 1, slice_str("x"), 0),
		-ENOENT);
}

static void an_unfinished_long_message_is_refused_in_the_end(void **state)
{
	struct world *world = *state;

	world_ready(world, false);
	world_post_sized(world, 'a', 25, 10, 10);
	world->told[0] = '\0';
	world_tick(world, MAIL_PARTS_IDLE_LIMIT_MS - 1);
	world_expect(world, "");
	world_tick(world, 1);
	/* Its sender may wait for an answer yet. */
	world_expect(world, "discard a 0\nack a 12 no further part came: begin again 5\n");
	world_post_sized(world, 'b', MAIL_MAX_OCTETS + 1, 10, 10);
	world_expect(world, "ack b 8 too large 0\n");
}

static void one_sender_cannot_take_the_room_of_all_for_long_messages(void **state)
{
	struct world *world = *state;

	world_ready(world, false);
	for (int i = 0; i < MAIL_MAX_UNFINISHED_EACH; i++) {
		world->told[0] = '\0';
		world_post_sized(world, (char)i, 25, 10, 10);
		assert_null(strstr(world->told, "too many"));
	}
	world->told[0] = '\0';
	world_post_sized(world, (char)200, 25, 10, 10);
	assert_non_null(strstr(world->told, " 12 too many long messages at once 5\n"));
	world->told[0] = '\0';
	world_post_sized(world, (char)201, 10, 10, 10);          /* short ones go on ... */
	world_post_from(world, "tel:+3", (char)202, 25, 10, 10); /* ... and everybody else's */
	assert_null(strstr(world->told, "too many"));
}

/* A post of three records in a channel: to the channel itself, or a member's copy of it. */
static void channel_post(struct world *world, char c, bool copy)
{
	struct mail_post post = {
		.to = slice_str(copy ? world_bob : world_channel),
		.channel = slice_str(copy ? world_channel : ""),
		.fan_out = !copy,
		.max_lifetime_s = MAIL_MAX_LIFETIME_S,
		.sender = slice_str(world_alice),
		.account = slice_str("acme"),
		.id = world_id(c),
		.kind = UMSG__MESSAGE_KIND__KIND_CHANNEL,
		.total_length = 25,
		.record_length = 10,
		.post = calloc(1, 10),
		.post_n = 10,
		.origin = { 0, 5 },
	};

	assert_int_equal(mailboxes_post(world->mailboxes, &post, world->now_ms, world->now_s), 0);
}

static void channel_part(struct world *world, char c, uint32_t index)
{
	assert_int_equal(mailboxes_part(world->mailboxes, slice_str(world_channel),
					slice_str(world_alice), world_id(c), index, slice_str("p"),
					world->now_ms),
			 0);
	mailboxes_part_stored(world->mailboxes, slice_str(world_channel), slice_str(world_alice),
			      world_id(c), index, 0, world->now_ms);
}

static void a_long_post_to_a_channel_is_collected_whole_and_not_kept(void **state)
{
	struct world *world = *state;

	channel_post(world, 'a', false);
	mailboxes_loaded(world->mailboxes, slice_str(world_channel), 0, false, world->now_ms,
			 world->now_s);
	world_expect(world, "load urn:c 0\nwant a 1\n");
	channel_part(world, 'a', 1);
	channel_post(world, 'a', false); /* interrupted: goes on where it was */
	channel_part(world, 'a', 2);
	world_expect(world,
		     "part a 1 p\nwant a 2\nwant a 2\npart a 2 p\nwant a 3\nwhole a to urn:c\n");
	assert_int_equal(mailboxes_messages(world->mailboxes), 0);
}

/* Nobody is asked for the parts of a copy; it is no copy before it is stored. */
static void a_members_copy_of_a_long_post_is_stored_at_once(void **state)
{
	struct world *world = *state;

	world_ready(world, true);
	for (int i = 0; i < MAIL_MAX_UNFINISHED_EACH; i++)
		world_post_sized(world, (char)i, 25, 10, 10); /* in no way of a copy */
	world->told[0] = '\0';
	channel_post(world, (char)200, true);
	world_expect(world, "posted \xc8\nstore \xc8\n");
	world_stored(world, (char)200, 0, 7);
	world_expect(world, "ack \xc8 0 0\nhand \xc8 7\n");
	channel_post(world, (char)200, true); /* again, by another fan-out */
	world_expect(world, "ack \xc8 0 0\n");
}

static void a_long_message_for_which_there_is_no_room_is_refused_at_its_beginning(void **state)
{
	struct world *world = *state;

	world_ready(world, true);
	mailboxes_set_quota(world->mailboxes, 100, 2 * FRAME_RECORD);
	world_post_sized(world, 'a', 25, 10, 10); /* further records count as whole ones */
	world_expect(world, "ack a 7 the recipient's mailbox is full 3600\n");
	mailboxes_loaded(world->mailboxes, slice_str(world_channel), 0, false, world->now_ms,
			 world->now_s);
	channel_post(world, 'b', false);
	mailboxes_loaded(world->mailboxes, slice_str(world_channel), 0, false, world->now_ms,
			 world->now_s);
	world_expect(world, "load urn:c 0\nack b 12 too many long messages at once 5\n");
}

static void parts_are_sent_once_and_a_window_ahead(void **state)
{
	static const struct endpoint one = { 0, 1 }, two = { 0, 2 };
	static const struct {
		const struct endpoint *reader;
		uint32_t next, count, from;
	} steps[] = {
		{ &one, 1, 4, 1 }, { &one, 2, 1, 5 },  { &one, 2, 0, 6 }, { &one, 5, 3, 6 },
		{ &two, 3, 4, 3 }, { &two, 10, 0, 0 }, { &two, 0, 0, 0 }, { &two, 9, 1, 9 },
	};
	struct mail mail = { .parts = 10 };

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		uint32_t from = 0;

		assert_int_equal(mail_parts_wanted(&mail, steps[i].reader, steps[i].next, &from),
				 steps[i].count);
		if (steps[i].count)
			assert_int_equal(from, steps[i].from);
	}
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(a_long_message_is_stored_part_by_part),
		ONE(an_unfinished_long_message_is_refused_in_the_end),
		ONE(one_sender_cannot_take_the_room_of_all_for_long_messages),
		ONE(a_long_post_to_a_channel_is_collected_whole_and_not_kept),
		ONE(a_members_copy_of_a_long_post_is_stored_at_once),
		ONE(a_long_message_for_which_there_is_no_room_is_refused_at_its_beginning),
		ONE(parts_are_sent_once_and_a_window_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
