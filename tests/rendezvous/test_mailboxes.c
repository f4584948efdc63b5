#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rendezvous/mailboxes.h"
#include "umsg/frame.h"

/* Everything that the mailboxes ask for, as text; the store answers when told to. */
struct world {
	char told[4096];
	bool online;
	int store_error, load_error;
	struct endpoint primary;
	struct mailboxes *mailboxes;
	int64_t now_ms, now_s;
};

enum { NOW_S = 1000000 };

static void tell(struct world *world, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct world *world, const char *fmt, ...)
{
	size_t n = strlen(world->told);
	va_list args;

	va_start(args, fmt);
	vsnprintf(world->told + n, sizeof(world->told) - n, fmt, args);
	va_end(args);
	n = strlen(world->told);
	snprintf(world->told + n, sizeof(world->told) - n, "\n");
}

static int load(void *arg, const char *uri, uint64_t after)
{
	struct world *world = arg;

	if (!world->load_error)
		tell(world, "load %s %d", uri, (int)after);
	return world->load_error;
}

static int store(void *arg, const char *uri, const struct mail *mail)
{
	struct world *world = arg;

	(void)uri;
	if (!world->store_error)
		tell(world, "store %c", mail->id[0]);
	return world->store_error;
}

static void discard(void *arg, const char *uri, const struct mail *mail)
{
	(void)uri;
	tell(arg, "discard %c %d", mail->id[0], (int)mail->number);
}

static int store_part(void *arg, const char *uri, const struct mail *mail, uint32_t index,
		      struct slice record)
{
	struct world *world = arg;

	(void)uri;
	if (!world->store_error)
		tell(world, "part %c %u %.*s", mail->id[0], index, (int)record.n,
		     (const char *)record.p);
	return world->store_error;
}

static bool hand(void *arg, const char *uri, const struct mail *mail, struct endpoint *primary_out)
{
	struct world *world = arg;

	(void)uri;
	if (!world->online)
		return false;
	tell(world, "hand %c %d", mail->id[0], (int)mail->number);
	*primary_out = world->primary;
	return true;
}

static void notify(void *arg, const char *uri, uint64_t number)
{
	(void)uri;
	tell(arg, "notify %d", (int)number);
}

static void ack(void *arg, const struct mail *mail, Umsg__ErrorCode code, const char *text,
		uint32_t retry_after_s)
{
	if (mail->origin.connection)
		tell(arg, "ack %c %d %s%s%u", mail->id[0], (int)code, text, *text ? " " : "",
		     retry_after_s);
}

static void part_ack(void *arg, const struct mail *mail, uint32_t next)
{
	tell(arg, "want %c %u", mail->id[0], next);
}

static void event(void *arg, const char *uri, const struct mail *mail, enum mail_event what)
{
	(void)uri;
	tell(arg, "%s %c", what == MAIL_POSTED ? "posted" : "delivered", mail->id[0]);
}

static void whole(void *arg, const char *uri, const struct mail *mail)
{
	tell(arg, "whole %c to %s", mail->id[0], uri);
}

static const struct mailboxes_ops ops = {
	.load = load,
	.store = store,
	.discard = discard,
	.store_part = store_part,
	.hand = hand,
	.notify = notify,
	.ack = ack,
	.part_ack = part_ack,
	.whole = whole,
	.event = event,
};

static const char bob[] = "tel:+2", alice[] = "tel:+1", channel[] = "urn:c";

static int make_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	world->mailboxes = mailboxes_new(&ops, world);
	world->primary = (struct endpoint){ 1, 9 };
	world->now_ms = 1000;
	world->now_s = NOW_S;
	*state = world;
	return world->mailboxes ? 0 : -1;
}

static int drop_world(void **state)
{
	struct world *world = *state;

	mailboxes_free(&world->mailboxes);
	free(world);
	return 0;
}

static void expect(struct world *world, const char *want)
{
	assert_string_equal(world->told, want);
	world->told[0] = '\0';
}

/* A message id of one letter. */
static struct slice id(char c)
{
	static uint8_t octets[MAIL_ID_SIZE];

	memset(octets, c, sizeof(octets));
	return slice_of(octets, sizeof(octets));
}

static void post_from(struct world *world, const char *sender, char c, uint32_t total,
		      uint32_t record, size_t octets)
{
	uint8_t *packed = calloc(1, octets);
	struct mail_post post = {
		.to = slice_str(bob),
		.max_lifetime_s = MAIL_MAX_LIFETIME_S,
		.sender = slice_str(sender),
		.account = slice_str("acme"),
		.id = id(c),
		.kind = UMSG__MESSAGE_KIND__KIND_TEXT,
		.total_length = total,
		.record_length = record,
		.post = packed,
		.post_n = octets,
		.origin = { 0, 5 },
		.request = 1,
	};

	assert_int_equal(mailboxes_post(world->mailboxes, &post, world->now_ms, world->now_s), 0);
}

static void post_sized(struct world *world, char c, uint32_t total, uint32_t record, size_t octets)
{
	post_from(world, alice, c, total, record, octets);
}

static void post(struct world *world, char c)
{
	post_sized(world, c, 10, 10, 10);
}

static void loaded(struct world *world)
{
	mailboxes_loaded(world->mailboxes, slice_str(bob), 0, false, world->now_ms, world->now_s);
}

static void stored(struct world *world, char c, int err, uint64_t number)
{
	mailboxes_stored(world->mailboxes, slice_str(bob), slice_str(alice), id(c), err, number,
			 world->now_ms);
}

static int taken(struct world *world, char c)
{
	return mailboxes_taken(world->mailboxes, slice_str(bob), slice_str(alice), id(c),
			       world->now_ms);
}

static void tick(struct world *world, int ms)
{
	world->now_ms += ms;
	mailboxes_tick(world->mailboxes, world->now_ms, world->now_s);
}

/* An empty mailbox whose index is known. */
static void ready(struct world *world, bool online)
{
	world->online = online;
	mailboxes_attached(world->mailboxes, slice_str(bob), &world->primary, world->now_ms);
	loaded(world);
	world->told[0] = '\0';
}

static void what_is_taken_at_once_is_never_written(void **state)
{
	struct world *world = *state;

	ready(world, true);
	post(world, 'a');
	expect(world, "posted a\nhand a 0\n");
	assert_int_equal(taken(world, 'a'), 0);
	expect(world, "delivered a\nack a 0 0\n");
	tick(world, 2 * MAIL_HANDED_LIMIT_MS);
	expect(world, "");
	assert_int_equal(taken(world, 'a'), -ENOENT);
}

static void what_is_not_taken_in_time_is_stored_and_then_acknowledged(void **state)
{
	struct world *world = *state;

	ready(world, true);
	post(world, 'a');
	tick(world, MAIL_HANDED_LIMIT_MS - 1);
	expect(world, "posted a\nhand a 0\n");
	tick(world, 1);
	expect(world, "store a\n");
	stored(world, 'a', 0, 7);
	expect(world, "ack a 0 0\n");
	assert_int_equal(taken(world, 'a'), 0);
	expect(world, "delivered a\ndiscard a 7\n");
}

static void an_absent_recipients_message_is_stored_at_once(void **state)
{
	struct world *world = *state;

	post(world, 'a');
	expect(world, "load tel:+2 0\n");
	loaded(world);
	expect(world, "posted a\nstore a\n");
	stored(world, 'a', 0, 7);
	expect(world, "ack a 0 0\nnotify 7\n");
	world->online = true;
	assert_int_equal(mailboxes_attached(world->mailboxes, slice_str(bob), &world->primary, 0),
			 1);
	expect(world, "");
}

/* Posts are known by (sender, message id). */
static void a_repeat_gets_its_answer_and_is_not_kept_twice(void **state)
{
	struct world *world = *state;

	ready(world, false);
	post(world, 'a');
	post(world, 'a'); /* while it is being stored */
	expect(world, "posted a\nstore a\n");
	stored(world, 'a', 0, 7);
	expect(world, "ack a 0 0\nnotify 7\n");
	post(world, 'a');
	expect(world, "ack a 0 0\n");
}

static void a_repeat_after_a_restart_is_found_in_the_store(void **state)
{
	struct world *world = *state;
	struct mail_item item = { .sender = slice_str(alice),
				  .account = slice_str("acme"),
				  .number = 7,
				  .end_s = NOW_S + 100,
				  .parts = 1 };

	post(world, 'a');
	item.id = id('a');
	mailboxes_loaded_item(world->mailboxes, slice_str(bob), &item);
	item.id = id('b');
	item.number = 8;
	mailboxes_loaded_item(world->mailboxes, slice_str(bob), &item);
	loaded(world);
	expect(world, "load tel:+2 0\nack a 0 0\n");
	assert_int_equal(taken(world, 'b'), 0);
	expect(world, "delivered b\ndiscard b 8\n");
}

static void a_message_taken_while_it_is_stored_leaves_nothing(void **state)
{
	struct world *world = *state;

	ready(world, true);
	post(world, 'a');
	tick(world, MAIL_HANDED_LIMIT_MS);
	world->told[0] = '\0';
	assert_int_equal(taken(world, 'a'), 0);
	expect(world, "delivered a\nack a 0 0\n");
	assert_int_equal(taken(world, 'a'), -ENOENT);
	stored(world, 'a', 0, 7);
	expect(world, "discard a 7\n");
}

static void a_store_that_is_full_or_down_refuses_by_name(void **state)
{
	struct world *world = *state;

	ready(world, false);
	world->store_error = -EPIPE;
	post(world, 'a');
	expect(world, "posted a\nack a 6 store not available 5\n");
	world->store_error = -ENOSPC;
	post(world, 'b');
	expect(world, "posted b\nack b 6 store full 15\n");
	world->store_error = 0;
	mailboxes_refuse(world->mailboxes, "no space");
	post(world, 'c');
	expect(world, "posted c\nack c 6 no space 15\n");
	mailboxes_refuse(world->mailboxes, NULL);
	post(world, 'd');
	stored(world, 'd', -ENOSPC, 0);
	expect(world, "posted d\nstore d\nack d 6 store full 15\n");
	post(world, 'd');
	expect(world, "posted d\nstore d\n");
}

static void an_online_recipient_is_served_while_the_store_is_down(void **state)
{
	struct world *world = *state;

	world->load_error = world->store_error = -EPIPE;
	world->online = true;
	post(world, 'a');
	expect(world, "posted a\nhand a 0\n");
	mailboxes_store_lost(world->mailboxes);
	expect(world, "");
	assert_int_equal(taken(world, 'a'), 0);
	expect(world, "delivered a\nack a 0 0\n");
}

static void what_was_being_stored_when_the_store_went_is_refused(void **state)
{
	struct world *world = *state;

	ready(world, false);
	post(world, 'a');
	stored(world, 'a', 0, 7);
	post(world, 'b');
	world->told[0] = '\0';
	mailboxes_store_lost(world->mailboxes);
	expect(world, "ack b 6 store not available 5\n");
	stored(world, 'b', 0, 8); /* too late: nobody waits */
	expect(world, "");
	post(world, 'a'); /* nothing is known now: it is looked up again */
	expect(world, "load tel:+2 0\n");
}

static void a_message_whose_life_is_over_is_refused_or_dropped(void **state)
{
	struct world *world = *state;
	struct mail_post p = { .to = slice_str(bob),
			       .max_lifetime_s = MAIL_MAX_LIFETIME_S,
			       .sender = slice_str(alice),
			       .account = slice_str("acme"),
			       .id = id('a'),
			       .total_length = 1,
			       .record_length = 1,
			       .store_until_s = NOW_S,
			       .post = calloc(1, 1),
			       .post_n = 1,
			       .origin = { 0, 5 } };

	ready(world, false);
	assert_int_equal(mailboxes_post(world->mailboxes, &p, world->now_ms, world->now_s), 0);
	expect(world, "ack a 11 its lifetime is over 0\n");
	p.store_until_s = NOW_S + 10;
	p.post = calloc(1, 1);
	assert_int_equal(mailboxes_post(world->mailboxes, &p, world->now_ms, world->now_s), 0);
	stored(world, 'a', 0, 7);
	world->told[0] = '\0';
	tick(world, 60000);
	expect(world, "");
	world->now_s += 10;
	tick(world, 60000);
	expect(world, "discard a 7\n");
	assert_int_equal(taken(world, 'a'), -ENOENT);
}

/* The smaller maximum of both domains ends it, whatever the sender wished. */
static void a_domains_maximum_lifetime_ends_a_message(void **state)
{
	struct world *world = *state;
	struct mail_post p = { .to = slice_str(bob),
			       .sender = slice_str(alice),
			       .account = slice_str("acme"),
			       .id = id('a'),
			       .total_length = 1,
			       .record_length = 1,
			       .store_until_s = NOW_S + 100,
			       .max_lifetime_s = 20,
			       .post = calloc(1, 1),
			       .post_n = 1,
			       .origin = { 0, 5 } };

	ready(world, false);
	assert_int_equal(mailboxes_post(world->mailboxes, &p, world->now_ms, world->now_s), 0);
	stored(world, 'a', 0, 7);
	world->now_s += 19;
	world->told[0] = '\0';
	tick(world, 60000);
	expect(world, "");
	world->now_s++;
	tick(world, 60000);
	expect(world, "discard a 7\n");
}

static void a_mailbox_has_room_for_so_many_octets_and_messages(void **state)
{
	struct world *world = *state;

	ready(world, false);
	mailboxes_set_quota(world->mailboxes, 2, 1000);
	post_sized(world, 'a', 600, 600, 600);
	stored(world, 'a', 0, 7);
	world->told[0] = '\0';
	post_sized(world, 'b', 600, 600, 600);
	expect(world, "posted b\nack b 7 the recipient's mailbox is full 3600\n");
	post_sized(world, 'c', 10, 10, 10);
	stored(world, 'c', 0, 8);
	world->told[0] = '\0';
	post_sized(world, 'd', 10, 10, 10);
	expect(world, "posted d\nack d 7 the recipient's mailbox is full 3600\n");
	taken(world, 'a');
	world->told[0] = '\0';
	post_sized(world, 'd', 10, 10, 10);
	stored(world, 'd', 0, 9);
}

static void a_new_device_is_handed_what_the_old_one_did_not_take(void **state)
{
	const struct endpoint other = { 2, 10 };
	struct world *world = *state;

	ready(world, true);
	post(world, 'a');
	world->told[0] = '\0';
	mailboxes_attached(world->mailboxes, slice_str(bob), &world->primary, 0);
	expect(world, "");
	world->primary = other;
	mailboxes_attached(world->mailboxes, slice_str(bob), &other, 0);
	expect(world, "hand a 0\n");
}

/* Nobody can fill up another's connection. */
static void what_is_handed_at_once_is_bounded(void **state)
{
	struct world *world = *state;

	ready(world, true);
	for (int i = 0; i < MAIL_HANDED_OCTETS / 32768; i++)
		post_sized(world, (char)('a' + i), 10, 10, 32768);
	world->told[0] = '\0';
	post(world, 'z');
	expect(world, "posted z\nstore z\n");
	stored(world, 'z', 0, 7);
	expect(world, "ack z 0 0\nnotify 7\n");
	tick(world, MAIL_HANDED_LIMIT_MS); /* stored, but still not taken */
	world->told[0] = '\0';
	post(world, 'y');
	expect(world, "posted y\nstore y\n");
	stored(world, 'a', 0, 8);
	assert_int_equal(taken(world, 'a'), 0);
	world->told[0] = '\0';
	post(world, 'x');
	expect(world, "posted x\nhand x 0\n");
}

static void a_long_message_is_stored_part_by_part(void **state)
{
	struct world *world = *state;
	struct slice to = slice_str(bob), from = slice_str(alice);

	ready(world, true);
	post_sized(world, 'a', 25, 10, 10);
	expect(world, "want a 1\n");
	assert_int_equal(mailboxes_part(world->mailboxes, to, from, id('a'), 2, slice_str("two"),
					world->now_ms),
			 0);
	expect(world, "want a 1\n");
	assert_int_equal(mailboxes_part(world->mailboxes, to, from, id('a'), 1, slice_str("one"),
					world->now_ms),
			 0);
	expect(world, "part a 1 one\nwant a 2\n");
	post_sized(world, 'a', 25, 10, 10); /* interrupted: goes on where it was */
	expect(world, "want a 2\n");
	mailboxes_part_stored(world->mailboxes, to, from, id('a'), 1, 0, world->now_ms);
	assert_int_equal(mailboxes_part(world->mailboxes, to, from, id('a'), 2, slice_str("two"),
					world->now_ms),
			 0);
	expect(world, "part a 2 two\nwant a 3\n");
	mailboxes_part_stored(world->mailboxes, to, from, id('a'), 2, 0, world->now_ms);
	expect(world, "posted a\nstore a\n");
	stored(world, 'a', 0, 7);
	expect(world, "ack a 0 0\nhand a 7\n");
	assert_int_equal(taken(world, 'a'), 0);
	expect(world, "delivered a\ndiscard a 7\n");
	assert_int_equal(mailboxes_part(world->mailboxes, to, from, id('a'), 1, slice_str("x"), 0),
			 -ENOENT);
}

static void an_unfinished_long_message_is_dropped_in_the_end(void **state)
{
	struct world *world = *state;

	ready(world, false);
	post_sized(world, 'a', 25, 10, 10);
	world->told[0] = '\0';
	tick(world, MAIL_PARTS_IDLE_LIMIT_MS - 1);
	expect(world, "");
	tick(world, 1);
	expect(world, "discard a 0\n");
	post_sized(world, 'b', MAIL_MAX_OCTETS + 1, 10, 10);
	expect(world, "ack b 8 too large 0\n");
}

static void one_sender_cannot_take_the_room_of_all_for_long_messages(void **state)
{
	struct world *world = *state;

	ready(world, false);
	for (int i = 0; i < MAIL_MAX_UNFINISHED_EACH; i++) {
		world->told[0] = '\0';
		post_sized(world, (char)i, 25, 10, 10);
		assert_null(strstr(world->told, "too many"));
	}
	world->told[0] = '\0';
	post_sized(world, (char)200, 25, 10, 10);
	assert_non_null(strstr(world->told, " 12 too many long messages at once 5\n"));
	world->told[0] = '\0';
	post_sized(world, (char)201, 10, 10, 10);          /* short ones go on ... */
	post_from(world, "tel:+3", (char)202, 25, 10, 10); /* ... and everybody else's */
	assert_null(strstr(world->told, "too many"));
}

/* A post of three records in a channel: to the channel itself, or a member's copy of it. */
static void channel_post(struct world *world, char c, bool copy)
{
	struct mail_post post = {
		.to = slice_str(copy ? bob : channel),
		.channel = slice_str(copy ? channel : ""),
		.fan_out = !copy,
		.max_lifetime_s = MAIL_MAX_LIFETIME_S,
		.sender = slice_str(alice),
		.account = slice_str("acme"),
		.id = id(c),
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
	assert_int_equal(mailboxes_part(world->mailboxes, slice_str(channel), slice_str(alice),
					id(c), index, slice_str("p"), world->now_ms),
			 0);
	mailboxes_part_stored(world->mailboxes, slice_str(channel), slice_str(alice), id(c), index,
			      0, world->now_ms);
}

static void a_long_post_to_a_channel_is_collected_whole_and_not_kept(void **state)
{
	struct world *world = *state;

	channel_post(world, 'a', false);
	mailboxes_loaded(world->mailboxes, slice_str(channel), 0, false, world->now_ms,
			 world->now_s);
	expect(world, "load urn:c 0\nwant a 1\n");
	channel_part(world, 'a', 1);
	channel_post(world, 'a', false); /* interrupted: goes on where it was */
	channel_part(world, 'a', 2);
	expect(world, "part a 1 p\nwant a 2\nwant a 2\npart a 2 p\nwant a 3\nwhole a to urn:c\n");
	assert_int_equal(mailboxes_messages(world->mailboxes), 0);
}

/* Nobody is asked for the parts of a copy; it is no copy before it is stored. */
static void a_members_copy_of_a_long_post_is_stored_at_once(void **state)
{
	struct world *world = *state;

	ready(world, true);
	for (int i = 0; i < MAIL_MAX_UNFINISHED_EACH; i++)
		post_sized(world, (char)i, 25, 10, 10); /* in no way of a copy */
	world->told[0] = '\0';
	channel_post(world, (char)200, true);
	expect(world, "posted \xc8\nstore \xc8\n");
	stored(world, (char)200, 0, 7);
	expect(world, "ack \xc8 0 0\nhand \xc8 7\n");
	channel_post(world, (char)200, true); /* again, by another fan-out */
	expect(world, "ack \xc8 0 0\n");
}

static void a_long_message_for_which_there_is_no_room_is_refused_at_its_beginning(void **state)
{
	struct world *world = *state;

	ready(world, true);
	mailboxes_set_quota(world->mailboxes, 100, 2 * FRAME_RECORD);
	post_sized(world, 'a', 25, 10, 10); /* further records count as whole ones */
	expect(world, "ack a 7 the recipient's mailbox is full 3600\n");
	mailboxes_loaded(world->mailboxes, slice_str(channel), 0, false, world->now_ms,
			 world->now_s);
	channel_post(world, 'b', false);
	mailboxes_loaded(world->mailboxes, slice_str(channel), 0, false, world->now_ms,
			 world->now_s);
	expect(world, "load urn:c 0\nack b 12 too many long messages at once 5\n");
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

static void an_idle_mailbox_is_forgotten_and_read_again(void **state)
{
	struct world *world = *state;

	ready(world, false);
	tick(world, MAILBOX_IDLE_LIMIT_MS + 60000);
	post(world, 'a');
	expect(world, "load tel:+2 0\n");
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
		ONE(a_message_taken_while_it_is_stored_leaves_nothing),
		ONE(a_store_that_is_full_or_down_refuses_by_name),
		ONE(an_online_recipient_is_served_while_the_store_is_down),
		ONE(what_was_being_stored_when_the_store_went_is_refused),
		ONE(a_message_whose_life_is_over_is_refused_or_dropped),
		ONE(a_domains_maximum_lifetime_ends_a_message),
		ONE(a_mailbox_has_room_for_so_many_octets_and_messages),
		ONE(a_new_device_is_handed_what_the_old_one_did_not_take),
		ONE(what_is_handed_at_once_is_bounded),
		ONE(a_long_message_is_stored_part_by_part),
		ONE(an_unfinished_long_message_is_dropped_in_the_end),
		ONE(one_sender_cannot_take_the_room_of_all_for_long_messages),
		ONE(a_long_post_to_a_channel_is_collected_whole_and_not_kept),
		ONE(a_members_copy_of_a_long_post_is_stored_at_once),
		ONE(a_long_message_for_which_there_is_no_room_is_refused_at_its_beginning),
		ONE(parts_are_sent_once_and_a_window_ahead),
		ONE(an_idle_mailbox_is_forgotten_and_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
