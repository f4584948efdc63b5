/* test_store.c - the store against a redis-server of its own: the order of messages, deletions,
 * parts, and what is told when Redis is full or gone. */
#include "tests/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <hiredis/async.h>

#include "base/clock.h"
#include "tests/rendezvous/store_world.h"

enum { MESSAGES = 1500, FULL_OCTETS = 4096 };

/* More than one transaction takes, with other commands between. */
static void a_group_keeps_its_order(void **state)
{
	const struct store_page page = { .count = MESSAGES };
	struct world *world = world_begin("0");
	uint64_t first;
	char post[32];

	(void)state;
	for (int i = 0; i < MESSAGES; i++) {
		int n = snprintf(post, sizeof(post), "message %d", i);

		assert_int_equal(world_add(world, "tel:+2", post, (size_t)n), 0);
		if (i % 700 == 0)
			assert_int_equal(store_read(world->store, slice_str("tel:+2"), &page,
						    world_item, NULL, world),
					 0);
	}
	world_await(world, MESSAGES);
	assert_int_equal(world->failed, 0);
	assert_int_equal(world->items, 1 + 701 + 1401); /* what stood before each reading */
	world_read_all(world, "tel:+2");
	assert_int_equal(world->items, MESSAGES);
	assert_string_equal(world->kept, "message 1499");
	first = world->first;
	store_delete(world->store, slice_str("tel:+2"), world->last);
	store_delete(world->store, slice_str("tel:+2"), first);
	world_read_all(world, "tel:+2"); /* goes behind the deletions */
	assert_int_equal(world->items, MESSAGES - 2);
	assert_string_equal(world->kept, "message 1498");
	assert_true(world->first > first);
	world_end(world);
}

/* More than one command takes, of two users in turn; the last one of each stays. */
static void deletions_are_gathered_and_none_is_lost(void **state)
{
	static const char *const uris[] = { "tel:+2", "tel:+3" };
	enum { OF_EACH = 300 };
	struct world *world = world_begin("0");
	uint64_t numbers[2][OF_EACH];

	(void)state;
	for (int user = 0; user < 2; user++) {
		for (int i = 0; i < OF_EACH; i++) {
			assert_int_equal(world_add(world, uris[user], "x", 1), 0);
			world_await(world, 1);
			numbers[user][i] = world->number;
		}
		world->number = 0; /* each stream has its own */
	}
	for (int i = 0; i < OF_EACH / 2; i++) /* first one user's, then both in turn */
		store_delete(world->store, slice_str(uris[0]), numbers[0][i]);
	for (int i = 0; i + 1 < OF_EACH; i++) {
		store_delete(world->store, slice_str(uris[1]), numbers[1][i]);
		if (i >= OF_EACH / 2)
			store_delete(world->store, slice_str(uris[0]), numbers[0][i]);
	}
	for (int user = 0; user < 2; user++) {
		world_read_all(world, uris[user]);
		assert_int_equal(world->items, 1);
		assert_int_equal(world->last, numbers[user][OF_EACH - 1]);
	}
	world_end(world);
}

static void on_part(void *arg, uint32_t index, struct slice frame)
{
	struct world *world = arg;

	world->items++;
	assert_int_equal(frame.n, 3);
	assert_memory_equal(frame.p, index ? "two" : "one", 3);
}

static unsigned parts_of(struct world *world, const char *uri)
{
	world->items = 0;
	assert_int_equal(store_part_read(world->store, slice_str(uri), "key", 0, 10, on_part,
					 world_done, world),
			 0);
	world_await(world, 1);
	return world->items;
}

/* Of a post to a channel each member has parts of his own. */
static void parts_are_copied_and_what_is_not_there_is_told(void **state)
{
	struct world *world = world_begin("0");
	struct slice from = slice_str("urn:c"), to = slice_str("tel:+2");

	(void)state;
	store_part_add(world->store, from, "key", slice_str("one"), world_done, world);
	store_part_add(world->store, from, "key", slice_str("two"), world_done, world);
	store_part_add(world->store, to, "key", slice_str("old"), world_done, world);
	store_part_copy(world->store, from, to, "key", world_done, world);
	world_await(world, 4);
	assert_int_equal(world->failed, 0);
	assert_int_equal(parts_of(world, "tel:+2"), 2);
	store_part_delete(world->store, from, "key");
	assert_int_equal(parts_of(world, "urn:c"), 0);
	assert_int_equal(parts_of(world, "tel:+2"), 2);
	store_part_copy(world->store, from, slice_str("tel:+3"), "key", world_done, world);
	world_await(world, 1);
	assert_int_equal(world->failed, 1);
	assert_int_equal(world->err, -ENOENT);
	world_end(world);
}

/* All up to a number, and single ones before and behind it, in one turn. */
static void all_up_to_a_number_are_deleted_and_nothing_else(void **state)
{
	enum { OF_ALL = 20, UP_TO = 12, ALONE = 15 };
	struct world *world = world_begin("0");
	uint64_t numbers[OF_ALL];

	(void)state;
	for (int i = 0; i < OF_ALL; i++) {
		assert_int_equal(world_add(world, "tel:+3", "x", 1), 0);
		world_await(world, 1);
		world->number = 0; /* each stream has its own */
		assert_int_equal(world_add(world, "tel:+2", "x", 1), 0);
		world_await(world, 1);
		numbers[i] = world->number;
		world->number = 0;
	}
	store_delete(world->store, slice_str("tel:+2"), numbers[ALONE]);
	store_delete(world->store, slice_str("tel:+2"), numbers[UP_TO / 2]);
	for (int i = 0; i <= UP_TO; i++)
		store_delete_to(world->store, slice_str("tel:+2"), numbers[i]);
	world_read_all(world, "tel:+2");
	assert_int_equal(world->items, OF_ALL - UP_TO - 2);
	assert_true(world->first == numbers[UP_TO + 1]);
	assert_true(world->last == numbers[OF_ALL - 1]);
	world_read_all(world, "tel:+3");
	assert_int_equal(world->items, OF_ALL);
	world_end(world);
}

/* Nothing else is asked of the store: the deletions go when their time has come. */
static void deletions_do_not_wait_for_ever(void **state)
{
	struct world *world = world_begin("0");
	struct store *other;
	uint64_t before_last = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		before_last = world->number;
		assert_int_equal(world_add(world, "tel:+2", "x", 1), 0);
		world_await(world, 1);
	}
	store_delete_to(world->store, slice_str("tel:+2"), before_last);
	other = world->store; /* another connection sees what the first one did */
	world_connect(world);
	for (int64_t deadline = clock_mono_ms() + WORLD_PATIENCE_MS;
	     world->items != 1 && clock_mono_ms() < deadline;)
		world_read_all(world, "tel:+2");
	assert_int_equal(world->items, 1);
	assert_true(world->first == world->number);
	store_free(&other);
	world_end(world);
}

/* What Redis refuses for want of memory is refused as a whole; deleting still works. */
static void a_full_store_says_so_of_every_message(void **state)
{
	struct world *world = world_begin("2000000");
	char *post = calloc(1, FULL_OCTETS);
	unsigned posted = 0;

	(void)state;
	for (int round = 0; round < 100 && !world->failed; round++) {
		for (int i = 0; i < 20; i++, posted++)
			assert_int_equal(world_add(world, "tel:+2", post, FULL_OCTETS), 0);
		world_await(world, 20);
	}
	assert_int_equal(world->failed, 20);
	assert_int_equal(world->err, -ENOSPC);
	world_read_all(world, "tel:+2");
	assert_int_equal(world->items, posted - 20);
	for (uint64_t left = world->items; left > 0; left--) {
		store_delete(world->store, slice_str("tel:+2"), world->first);
		world_read_all(world, "tel:+2");
	}
	assert_int_equal(world_add(world, "tel:+2", post, FULL_OCTETS), 0);
	world_await(world, 1);
	assert_int_equal(world->err, 0);
	free(post);
	world_end(world);
}

static void whoever_waits_hears_that_the_store_is_gone(void **state)
{
	struct world *world = world_begin("0");

	(void)state;
	kill(world->redis, SIGKILL);
	for (int i = 0; i < 10; i++)
		assert_int_equal(world_add(world, "tel:+2", "x", 1), 0);
	world_until_up(world, false);
	assert_int_equal(world->done, 10);
	assert_int_equal(world->failed, 10);
	assert_int_equal(world->err, -EPIPE);
	assert_int_equal(world_add(world, "tel:+2", "x", 1), -EPIPE);
	waitpid(world->redis, NULL, 0);
	world_start_redis(world, "0");
	world_until_up(world, true);
	world->done = 0;
	assert_int_equal(world_add(world, "tel:+2", "x", 1), 0);
	world_await(world, 1);
	assert_int_equal(world->err, 0);
	world_end(world);
}

/* Which of the questions that a connection begins with finds no memory; 0: none. */
static unsigned refused_question;

int __wrap_redisAsyncCommand(redisAsyncContext *redis, redisCallbackFn *then, void *arg,
			     const char *format, ...);
int __wrap_redisAsyncCommand(redisAsyncContext *redis, redisCallbackFn *then, void *arg,
			     const char *format, ...)
{
	va_list words;
	int err;

	if (refused_question && --refused_question == 0)
		return REDIS_ERR;
	va_start(words, format);
	err = redisvAsyncCommand(redis, then, arg, format, words);
	va_end(words);
	return err;
}

/* It would stay connected, and never be up. */
static void a_connection_that_cannot_be_asked_is_made_anew(void **state)
{
	struct world *world = world_begin("0");

	(void)state;
	for (unsigned question = 1; question <= 2; question++) {
		store_free(&world->store);
		world->up = false;
		refused_question = question;
		world_connect(world);
		world_until_up(world, true);
		assert_true(world->up);
		assert_int_equal(refused_question, 0);
	}
	assert_int_equal(world_add(world, "tel:+2", "x", 1), 0);
	world_await(world, 1);
	assert_int_equal(world->failed, 0);
	world_end(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_keeps_its_order),
		cmocka_unit_test(deletions_are_gathered_and_none_is_lost),
		cmocka_unit_test(parts_are_copied_and_what_is_not_there_is_told),
		cmocka_unit_test(all_up_to_a_number_are_deleted_and_nothing_else),
		cmocka_unit_test(deletions_do_not_wait_for_ever),
		cmocka_unit_test(a_full_store_says_so_of_every_message),
		cmocka_unit_test(whoever_waits_hears_that_the_store_is_gone),
		cmocka_unit_test(a_connection_that_cannot_be_asked_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
