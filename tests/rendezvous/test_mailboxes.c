#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rendezvous/mailbox_world.h"

static void what_is_taken_at_once_is_never_written(void **state)
{
	struct world *world = *state;

	world_ready(world, true);
	world_post(world, 'a');
	world_expect(world, "posted a\nhand a 0\n");
	assert_int_equal(world_taken(world, 'a'), 0);
	world_expect(world, "delivered a\nack a 0 0\n");
	world_tick(world, 2 * MAIL_HANDED_LIMIT_MS);
	world_expect(world, "");
	assert_int_equal(world_taken(world, 'a'), -ENOENT);
}

static void what_is_not_taken_in_time_is_stored_and_then_acknowledged(void **state)
{
	struct world *world = *state;

	world_ready(world, true);
	world_post(world, 'a');
	world_tick(world, MAIL_HANDED_LIMIT_MS - 1);
	world_expect(world, "posted a\nhand a 0\n");
	world_tick(world, 1);
	world_expect(world, "store a\n");
	world_stored(world, 'a', 0, 7);
	world_expect(world, "ack a 0 0\n");
	assert_int_equal(world_taken(world, 'a'), 0);
	world_expect(world, "delivered a\ndiscard a 7\n");
}

static void an_absent_recipients_message_is_stored_at_once(void **state)
{
	struct world *world = *state;

	world_post(world, 'a');
	world_expect(world, "load tel:+2 0\n");
	world_loaded(world);
	world_expect(world, "posted a\nstore a\n");
	world_stored(world, 'a', 0, 7);
	world_expect(world, "ack a 0 0\nnotify 7\n");
	world->online = true;
	assert_int_equal(
		mailboxes_attached(world->mailboxes, slice_str(world_bob), &world->primary, 0), 1);
	world_expect(world, "");
}

/* Posts are known by (sender, message id). */
static void a_repeat_gets_its_answer_and_is_not_kept_twice(void **state)
{
	struct world *world = *state;

	world_ready(world, false);
	world_post(world, 'a');
	world_post(world, 'a'); /* while it is being stored */
	world_expect(world, "posted a\nstore a\n");
	world_stored(world, 'a', 0, 7);
	world_expect(world, "ack a 0 0\nnotify 7\n");
	world_post(world, 'a');
	world_expect(world, "ack a 0 0\n");
}

static void a_repeat_after_a_restart_is_found_in_the_store(void **state)
{
	struct world *world = *state;
	struct mail_item item = { .sender = slice_str(world_alice),
				  .account = slice_str("acme"),
				  .number = 7,
				  .end_s = WORLD_NOW_S + 100,
				  .parts = 1 };

	world_post(world, 'a');
	item.id = world_id('a');
	mailboxes_loaded_item(world->mailboxes, slice_str(world_bob), &item);
	item.id = world_id('b');
	item.number = 8;
	mailboxes_loaded_item(world->mailboxes, slice_str(world_bob), &item);
	world_loaded(world);
	world_expect(world, "load tel:+2 0\nack a 0 0\n");
	assert_int_equal(world_taken(world, 'b'), 0);
	world_expect(world, "delivered b\ndiscard b 8\n");
}

static void load_item(struct world *world, char letter, uint64_t number)
{
	const struct mail_item item = { .sender = slice_str(world_alice),
					.account = slice_str("acme"),
					.id = world_id(letter),
					.number = number,
					.end_s = WORLD_NOW_S + 100,
					.parts = 1 };

	mailboxes_loaded_item(world->mailboxes, slice_str(world_bob), &item);
}

/* Whoever says that one is the oldest lets the store drop all before it. */
static void only_the_first_of_what_is_stored_is_the_oldest(void **state)
{
	struct world *world = *state;

	world_post(world, 'x');
	load_item(world, 'a', 7);
	load_item(world, 'b', 8);
	load_item(world, 'c', 9);
	assert_int_equal(world_taken(world, 'a'), 0);
	assert_false(world->oldest); /* the index is not whole yet */
	world_loaded(world);
	assert_int_equal(world_taken(world, 'c'), 0);
	assert_false(world->oldest);
	assert_int_equal(world_taken(world, 'b'), 0);
	assert_true(world->oldest);
	world_stored(world, 'x', 0, 10);
	assert_int_equal(world_taken(world, 'x'), 0);
	assert_true(world->oldest);
}

/* It was handed while the store was down, and is stored before the index is read. */
static void what_is_stored_while_the_index_is_read_is_not_the_oldest(void **state)
{
	struct world *world = *state;

	world_ready(world, true);
	mailboxes_store_lost(world->mailboxes);
	world->load_error = -EPIPE;
	world_post(world, 'x');
	world->load_error = 0;
	mailboxes_attached(world->mailboxes, slice_str(world_bob), &world->primary, world->now_ms);
	load_item(world, 'a', 7);
	world_tick(world, MAIL_HANDED_LIMIT_MS);
	world_stored(world, 'x', 0, 10);
	assert_int_equal(world_taken(world, 'a'), 0);
	assert_int_equal(world_taken(world, 'x'), 0);
	assert_false(world->oldest); /* "b" is not known yet */
	load_item(world, 'b', 8);
	world_loaded(world);
	assert_int_equal(world_taken(world, 'b'), 0);
	assert_true(world->oldest);
}

/* A page that cannot be asked for leaves messages in the store that nobody here knows: "all up
 * to this one" would delete them unread. */
static void of_an_index_read_in_part_none_is_the_oldest(void **state)
{
	struct world *world = *state;

	world_post(world, 'x');
	load_item(world, 'a', 7);
	world->load_error = -ENOMEM;
	mailboxes_loaded(world->mailboxes, slice_str(world_bob), 0, 7, world->now_ms, world->now_s);
	world->load_error = 0;
	world_stored(world, 'x', 0, 200);
	assert_int_equal(world_taken(world, 'a'), 0);
	assert_false(world->oldest);
	assert_int_equal(world_taken(world, 'x'), 0);
	assert_false(world->oldest);
	world->told[0] = '\0';
	world_post(world, 'y');
	world_expect(world, "load tel:+2 0\n"); /* it is read anew, from the beginning */
}

static void a_message_taken_while_it_is_stored_leaves_nothing(void **state)
{
	struct world *world = *state;

	world_ready(world, true);
	world_post(world, 'a');
	world_tick(world, MAIL_HANDED_LIMIT_MS);
	world->told[0] = '\0';
	assert_int_equal(world_taken(world, 'a'), 0);
	world_expect(world, "delivered a\nack a 0 0\n");
	assert_int_equal(world_taken(world, 'a'), -ENOENT);
	world_stored(world, 'a', 0, 7);
	world_expect(world, "discard a 7\n");
}

static void a_store_that_is_full_or_down_refuses_by_name(void **state)
{
	struct world *world = *state;

	world_ready(world, false);
	world->store_error = -EPIPE;
	world_post(world, 'a');
	world_expect(world, "posted a\nack a 6 store not available 5\n");
	world->store_error = -ENOSPC;
	world_post(world, 'b');
	world_expect(world, "posted b\nack b 6 store full 15\n");
	world->store_error = 0;
	mailboxes_refuse(world->mailboxes, "no space");
	world_post(world, 'c');
	world_expect(world, "posted c\nack c 6 no space 15\n");
	mailboxes_refuse(world->mailboxes, NULL);
	world_post(world, 'd');
	world_stored(world, 'd', -ENOSPC, 0);
	world_expect(world, "posted d\nstore d\nack d 6 store full 15\n");
	world_post(world, 'd');
	world_expect(world, "posted d\nstore d\n");
}

static void how_long_a_mailbox_is_kept_is_told_until_it_was_heard(void **state)
{
	struct world *world = *state;
	int64_t until_s;

	world_ready(world, false);
	world_post(world, 'a');
	until_s = world->keep_until_s;
	assert_true(until_s > WORLD_NOW_S);
	world_stored(world, 'a', -ENOSPC, 0);
	world_post(world, 'b');
	assert_int_equal(world->keep_until_s, until_s);
	world_stored(world, 'b', 0, 7);
	world_post(world, 'c');
	assert_int_equal(world->keep_until_s, 0);
	world_stored(world, 'c', 0, 8);
}

static void an_online_recipient_is_served_while_the_store_is_down(void **state)
{
	struct world *world = *state;

	world->load_error = world->store_error = -EPIPE;
	world->online = true;
	world_post(world, 'a');
	world_expect(world, "posted a\nhand a 0\n");
	mailboxes_store_lost(world->mailboxes);
	world_expect(world, "");
	assert_int_equal(world_taken(world, 'a'), 0);
	world_expect(world, "delivered a\nack a 0 0\n");
}

static void what_was_being_stored_when_the_store_went_is_refused(void **state)
{
	struct world *world = *state;

	world_ready(world, false);
	world_post(world, 'a');
	world_stored(world, 'a', 0, 7);
	world_post(world, 'b');
	world->told[0] = '\0';
	mailboxes_store_lost(world->mailboxes);
	world_expect(world, "ack b 6 store not available 5\n");
	world_stored(world, 'b', 0, 8); /* too late: nobody waits */
	world_expect(world, "");
	world_post(world, 'a'); /* nothing is known now: it is looked up again */
	world_expect(world, "load tel:+2 0\n");
}

/* CRS-045: a user whose account is deleted leaves nothing, and whoever waits is told. */
static void a_user_who_is_forgotten_leaves_nothing(void **state)
{
	struct world *world = *state;

	world_ready(world, false);
	world_post(world, 'a');
	world_stored(world, 'a', 0, 7);
	world_post(world, 'b');
	world->told[0] = '\0';
	mailboxes_forget(world->mailboxes, slice_str(world_bob));
	world_expect(world, "ack b 5 the account was deleted 0\n");
	assert_int_equal(mailboxes_messages(world->mailboxes), 0);
	world_stored(world, 'b', 0, 8); /* too late */
	world_expect(world, "");
	mailboxes_forget(world->mailboxes, slice_str(world_bob)); /* nobody any more */
	world_post(world, 'c');
	world_expect(world, "load tel:+2 0\n");
}

static void a_message_whose_life_is_over_is_refused_or_dropped(void **state)
{
	struct world *world = *state;
	struct mail_post p = { .to = slice_str(world_bob),
			       .max_lifetime_s = MAIL_MAX_LIFETIME_S,
			       .sender = slice_str(world_alice),
			       .account = slice_str("acme"),
			       .id = world_id('a'),
			       .total_length = 1,
			       .record_length = 1,
			       .store_until_s = WORLD_NOW_S,
			       .post = calloc(1, 1),
			       .post_n = 1,
			       .origin = { 0, 5 } };

	world_ready(world, false);
	assert_int_equal(mailboxes_post(world->mailboxes, &p, world->now_ms, world->now_s), 0);
	world_expect(world, "ack a 11 its lifetime is over 0\n");
	p.store_until_s = WORLD_NOW_S + 10;
	p.post = calloc(1, 1);
	assert_int_equal(mailboxes_post(world->mailboxes, &p, world->now_ms, world->now_s), 0);
	world_stored(world, 'a', 0, 7);
	world->told[0] = '\0';
	world_tick(world, 60000);
	world_expect(world, "");
	world->now_s += 10;
	world_tick(world, 60000);
	world_expect(world, "discard a 7\n");
	assert_int_equal(world_taken(world, 'a'), -ENOENT);
}

/* The smaller maximum of both domains ends it, whatever the sender wished. */
static void a_domains_maximum_lifetime_ends_a_message(void **state)
{
	struct world *world = *state;
	struct mail_post p = { .to = slice_str(world_bob),
			       .sender = slice_str(world_alice),
			       .account = slice_str("acme"),
			       .id = world_id('a'),
			       .total_length = 1,
			       .record_length = 1,
			       .store_until_s = WORLD_NOW_S + 100,
			       .max_lifetime_s = 20,
			       .post = calloc(1, 1),
			       .post_n = 1,
			       .origin = { 0, 5 } };

	world_ready(world, false);
	assert_int_equal(mailboxes_post(world->mailboxes, &p, world->now_ms, world->now_s), 0);
	world_stored(world, 'a', 0, 7);
	world->now_s += 19;
	world->told[0] = '\0';
	world_tick(world, 60000);
	world_expect(world, "");
	world->now_s++;
	world_tick(world, 60000);
	world_expect(world, "discard a 7\n");
}

static void a_mailbox_has_room_for_so_many_octets_and_messages(void **state)
{
	struct world *world = *state;

	world_ready(world, false);
	mailboxes_set_quota(world->mailboxes, 2, 1000);
	world_post_sized(world, 'a', 600, 600, 600);
	world_stored(world, 'a', 0, 7);
	world->told[0] = '\0';
	world_post_sized(world, 'b', 600, 600, 600);
	world_expect(world, "posted b\nack b 7 the recipient's mailbox is full 3600\n");
	world_post_sized(world, 'c', 10, 10, 10);
	world_stored(world, 'c', 0, 8);
	world->told[0] = '\0';
	world_post_sized(world, 'd', 10, 10, 10);
	world_expect(world, "posted d\nack d 7 the recipient's mailbox is full 3600\n");
	world_taken(world, 'a');
	world->told[0] = '\0';
	world_post_sized(world, 'd', 10, 10, 10);
	world_stored(world, 'd', 0, 9);
}

static void a_new_device_is_handed_what_the_old_one_did_not_take(void **state)
{
	const struct endpoint other = { 2, 10 };
	struct world *world = *state;

	world_ready(world, true);
	world_post(world, 'a');
	world->told[0] = '\0';
	mailboxes_attached(world->mailboxes, slice_str(world_bob), &world->primary, 0);
	world_expect(world, "");
	world->primary = other;
	mailboxes_attached(world->mailboxes, slice_str(world_bob), &other, 0);
	world_expect(world, "hand a 0\n");
}

/* Nobody can fill up another's connection. */
static void what_is_handed_at_once_is_bounded(void **state)
{
	struct world *world = *state;

	world_ready(world, true);
	for (int i = 0; i < MAIL_HANDED_OCTETS / 32768; i++)
		world_post_sized(world, (char)('a' + i), 10, 10, 32768);
	world->told[0] = '\0';
	world_post(world, 'z');
	world_expect(world, "posted z\nstore z\n");
	world_stored(world, 'z', 0, 7);
	world_expect(world, "ack z 0 0\nnotify 7\n");
	world_tick(world, MAIL_HANDED_LIMIT_MS); /* stored, but still not taken */
	world->told[0] = '\0';
	world_post(world, 'y');
	world_expect(world, "posted y\nstore y\n");
	world_stored(world, 'a', 0, 8);
	assert_int_equal(world_taken(world, 'a'), 0);
	world->told[0] = '\0';
	world_post(world, 'x');
	world_expect(world, "posted x\nhand x 0\n");
}

static void an_idle_mailbox_is_forgotten_and_read_again(void **state)
{
	struct world *world = *state;

	world_ready(world, false);
	world_tick(world, MAILBOX_IDLE_LIMIT_MS + 60000);
	world_post(world, 'a');
	world_expect(world, "load tel:+2 0\n");
}

/* What is taken, and whose parts are asked for, is found by the index. */
static void a_fetch_has_the_index_read_again(void **state)
{
	struct world *world = *state;
	struct slice bob = slice_str(world_bob);

	world_ready(world, false);
	world_tick(world, MAILBOX_IDLE_LIMIT_MS + 60000);
	mailboxes_fetching(world->mailboxes, bob, world->now_ms);
	world_expect(world, "load tel:+2 0\n");
	load_item(world, 'a', 7);
	assert_int_equal(world_taken(world, 'a'), 0);
	load_item(world, 'b', 8);
	world_loaded(world);
	/* Slow reading is use, too. */
	world_tick(world, MAILBOX_IDLE_LIMIT_MS);
	assert_non_null(mailboxes_find(world->mailboxes, bob, slice_str(world_alice), world_id('b'),
				       world->now_ms));
	world_tick(world, 60000);
	assert_non_null(mailboxes_find(world->mailboxes, bob, slice_str(world_alice), world_id('b'),
				       world->now_ms));
}

/* The device left it for the moment: its clock was wrong, its keys were missing. */
static void what_was_handed_is_notified_when_stored_if_its_device_fetched_meanwhile(void **state)
{
	struct world *world = *state;

	world_ready(world, true);
	world_post(world, 'a');
	mailboxes_fetching(world->mailboxes, slice_str(world_bob), world->now_ms);
	world_tick(world, MAIL_HANDED_LIMIT_MS);
	world->told[0] = '\0';
	world_stored(world, 'a', 0, 7);
	world_expect(world, "ack a 0 0\nnotify 7\n");
}

/* Else they would hear of what waits with the next post only. */
static void an_index_that_could_not_be_read_is_read_later_for_who_is_there(void **state)
{
	struct world *world = *state;
	struct slice bob = slice_str(world_bob);

	world->online = true;
	mailboxes_attached(world->mailboxes, bob, &world->primary, world->now_ms);
	mailboxes_loaded(world->mailboxes, bob, -EIO, 0, world->now_ms, world->now_s);
	world->told[0] = '\0';
	world_tick(world, 60000);
	world_expect(world, "load tel:+2 0\n");
	load_item(world, 'a', 7);
	world->told[0] = '\0';
	world_loaded(world);
	world_expect(world, "notify 7\n");
	world_tick(world, 60000);
	world_expect(world, "");
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(what_is_taken_at_once_is_never_written),
		ONE(what_is_not_taken_in_time_is_stored_and_then_acknowledged),
		ONE(an_absent_recipients_message_is_stored_at_once),
		ONE(a_repeat_gets_its_answer_and_is_not_kept_twice),
		ONE(a_repeat_after_a_restart_is_found_in_the_store),
		ONE(only_the_first_of_what_is_stored_is_the_oldest),
		ONE(what_is_stored_while_the_index_is_read_is_not_the_oldest),
		ONE(of_an_index_read_in_part_none_is_the_oldest),
		ONE(a_message_taken_while_it_is_stored_leaves_nothing),
		ONE(a_store_that_is_full_or_down_refuses_by_name),
		ONE(how_long_a_mailbox_is_kept_is_told_until_it_was_heard),
		ONE(an_online_recipient_is_served_while_the_store_is_down),
		ONE(what_was_being_stored_when_the_store_went_is_refused),
		ONE(a_user_who_is_forgotten_leaves_nothing),
		ONE(a_message_whose_life_is_over_is_refused_or_dropped),
		ONE(a_domains_maximum_lifetime_ends_a_message),
		ONE(a_mailbox_has_room_for_so_many_octets_and_messages),
		ONE(a_new_device_is_handed_what_the_old_one_did_not_take),
		ONE(what_is_handed_at_once_is_bounded),
		ONE(an_idle_mailbox_is_forgotten_and_read_again),
		ONE(a_fetch_has_the_index_read_again),
		ONE(what_was_handed_is_notified_when_stored_if_its_device_fetched_meanwhile),
		ONE(an_index_that_could_not_be_read_is_read_later_for_who_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
