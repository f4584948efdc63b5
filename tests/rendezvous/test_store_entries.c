/* test_store_entries.c - several messages in one entry of a Redis stream: what is kept, read and
 * deleted of it, against a redis-server. */
#include "tests/unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "tests/rendezvous/store_world.h"

/* What redis-cli would be answered. */
static long long ask(const struct world *world, const char *format, ...)
{
	char socket[96];
	redisContext *redis;
	redisReply *reply;
	long long answer;
	va_list words;

	snprintf(socket, sizeof(socket), "%s/redis_low.sock", world->dir);
	redis = redisConnectUnix(socket);
	assert_true(redis && !redis->err);
	va_start(words, format);
	reply = redisvCommand(redis, format, words);
	va_end(words);
	assert_non_null(reply);
	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	answer = reply->integer;
	freeReplyObject(reply);
	redisFree(redis);
	return answer;
}

/* As after a crash of its worker: what was not written is not known any more. */
static void connect_anew(struct world *world)
{
	store_free(&world->store);
	world_connect(world);
	world->done = 0;
}

/* Adds n at once, so that they become one entry, as long as it may be so large. */
static void add_together(struct world *world, unsigned n)
{
	char post[16];

	world->n_numbers = 0;
	for (unsigned i = 0; i < n; i++) {
		int length = snprintf(post, sizeof(post), "message %u", i);

		assert_int_equal(world_add(world, "tel:+2", post, (size_t)length), 0);
	}
	world_await(world, n);
	assert_int_equal(world->failed, 0);
	assert_int_equal(world->n_numbers, n);
}

static void delete_one(struct world *world, uint64_t number)
{
	assert_int_equal(store_delete(world->store, slice_str("tel:+2"), number), 0);
}

static void what_is_added_together_is_one_entry_and_read_one_by_one(void **state)
{
	enum { TOGETHER = 120 };
	struct world *world = world_begin("0");
	struct store_page page = { .count = 10 };

	(void)state;
	add_together(world, TOGETHER);
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 3); /* 50 in one at most */
	world_read_all(world, "tel:+2");
	assert_int_equal(world->items, TOGETHER);
	assert_string_equal(world->kept, "message 119");
	for (unsigned i = 0; i < TOGETHER; i += 7) { /* behind any of them */
		page.after = world->numbers[i];
		world->items = 0;
		store_read(world->store, slice_str("tel:+2"), &page, world_item, world_done, world);
		world_await(world, 1);
		assert_int_equal(world->items, TOGETHER - 1 - i);
	}
	page.after = world->numbers[2];
	page.to = world->numbers[60]; /* in the second entry, which is read whole */
	world->items = 0;
	world->number = 0;
	store_read(world->store, slice_str("tel:+2"), &page, world_item, world_done, world);
	world_await(world, 1);
	assert_int_equal(world->items, 97);
	assert_true(world->number > world->numbers[99] && world->number < world->numbers[100]);
	world_end(world);
}

/* Each of them is gone for good as soon as it was deleted, in whatever order; the entry goes with
 * the last one. */
static void messages_of_an_entry_are_deleted_one_by_one_and_stay_so(void **state)
{
	static const unsigned order[] = { 4, 0, 7, 1, 2, 9, 3, 8, 6, 5 };
	enum { TOGETHER = 10 };
	struct world *world = world_begin("0");

	(void)state;
	add_together(world, TOGETHER);
	for (unsigned i = 0; i < TOGETHER; i++) {
		delete_one(world, world->numbers[order[i]]);
		world_read_all(world, "tel:+2");
		assert_int_equal(world->items, TOGETHER - 1 - i);
		connect_anew(world);
		world_read_all(world, "tel:+2");
		assert_int_equal(world->items, TOGETHER - 1 - i);
	}
	assert_int_equal(ask(world, "EXISTS m:tel:+2 t:tel:+2"), 1); /* an empty stream */
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 0);
	world_end(world);
}

/* In order, up to the middle of an entry, and then to its end. */
static void all_up_to_one_of_an_entry_are_deleted(void **state)
{
	enum { TOGETHER = 100, UP_TO = 70 };
	struct world *world = world_begin("0");

	(void)state;
	add_together(world, TOGETHER);
	for (unsigned i = 0; i <= UP_TO; i++)
		store_delete_to(world->store, slice_str("tel:+2"), world->numbers[i]);
	world_read_all(world, "tel:+2");
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 1);
	assert_int_equal(ask(world, "HLEN t:tel:+2"), 1);
	connect_anew(world);
	world_read_all(world, "tel:+2");
	assert_int_equal(world->items, TOGETHER - UP_TO - 1);
	assert_true(world->first == world->numbers[UP_TO + 1]);
	store_delete_to(world->store, slice_str("tel:+2"), world->last);
	world_read_all(world, "tel:+2");
	assert_int_equal(world->items, 0);
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 0);
	assert_int_equal(ask(world, "EXISTS t:tel:+2"), 0);
	world_end(world);
}

/* The last deletion of an entry was lost with the connection, its notes were not. */
static void an_entry_of_which_all_is_taken_goes_when_it_is_read(void **state)
{
	struct world *world = world_begin("0");

	(void)state;
	add_together(world, 3);
	ask(world, "HSET t:tel:+2 %s 7", "1"); /* of another one, which is no more */
	ask(world, "HSET t:tel:+2 %llu 7", (unsigned long long)store_entry_of(world->numbers[0]));
	world_read_all(world, "tel:+2");
	assert_int_equal(world->items, 0);
	world_read_all(world, "tel:+2"); /* goes behind the deletion */
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 0);
	world_end(world);
}

/* A user who is deleted leaves nothing that a later one of that name would miss. */
static void a_stream_that_is_forgotten_leaves_no_notes(void **state)
{
	struct world *world = world_begin("0");

	(void)state;
	add_together(world, 3);
	delete_one(world, world->numbers[1]);
	world_read_all(world, "tel:+2");
	assert_int_equal(ask(world, "EXISTS t:tel:+2"), 1);
	store_forget(world->store, slice_str("tel:+2"));
	world_read_all(world, "tel:+2");
	assert_int_equal(ask(world, "EXISTS m:tel:+2 t:tel:+2"), 0);
	world_end(world);
}

/* Releases before this one wrote an entry for each message. */
static void entries_of_one_message_are_read_as_before(void **state)
{
	static const uint8_t old[] = "\1\1\0\0\0\3\0\0\0\0\356\153\50\0"
				     "0123456789abcdef\0\6tel:+1\0\4acmean old message";
	struct world *world = world_begin("0");

	(void)state;
	ask(world, "XADD m:tel:+2 1700000000000-0 m %b", old, sizeof(old) - 1);
	ask(world, "XADD m:tel:+2 1700000000000-1 m %b", old, sizeof(old) - 1);
	add_together(world, 4);
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 3);
	world_read_all(world, "tel:+2");
	assert_int_equal(world->items, 6);
	assert_true(world->first < world->numbers[0]);
	delete_one(world, world->first);
	world_read_all(world, "tel:+2");
	assert_int_equal(world->items, 5);
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 2);
	assert_int_equal(ask(world, "EXISTS t:tel:+2"), 0);
	world_end(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_together_is_one_entry_and_read_one_by_one),
		cmocka_unit_test(messages_of_an_entry_are_deleted_one_by_one_and_stay_so),
		cmocka_unit_test(all_up_to_one_of_an_entry_are_deleted),
		cmocka_unit_test(an_entry_of_which_all_is_taken_goes_when_it_is_read),
		cmocka_unit_test(a_stream_that_is_forgotten_leaves_no_notes),
		cmocka_unit_test(entries_of_one_message_are_read_as_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
