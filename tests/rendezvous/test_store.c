/* test_store.c - the store against a redis-server of its own. */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/process.h"
#include "rendezvous/store.h"

enum { PATIENCE_MS = 10000, MESSAGES = 1500, FULL_OCTETS = 4096 };

struct world {
	char dir[64];
	pid_t redis;
	struct event_base *base;
	struct store *store;
	bool up;
	unsigned done, failed;
	int err; /* of the last command */
	uint64_t number;
	uint64_t numbers[128]; /* of what was added, in that order */
	unsigned n_numbers;
	unsigned items;
	uint64_t first, last; /* numbers of what was read */
	char kept[64];        /* of the last item */
};

static void on_up(void *arg, uint64_t epoch)
{
	struct world *world = arg;

	(void)epoch;
	world->up = true;
}

static void on_down(void *arg)
{
	struct world *world = arg;

	world->up = false;
}

static const struct store_ops ops = { on_up, on_down };

static void on_done(void *arg, int err, uint64_t number)
{
	struct world *world = arg;

	world->done++;
	world->failed += err != 0;
	world->err = err;
	if (number) {
		assert_true(number > world->number); /* in the order of the calls */
		world->number = number;
		if (world->n_numbers < sizeof(world->numbers) / sizeof(*world->numbers))
			world->numbers[world->n_numbers++] = number;
	}
}

static void on_item(void *arg, const struct store_item *item)
{
	struct world *world = arg;

	if (world->items++ == 0)
		world->first = item->number;
	world->last = item->number;
	assert_true(slice_eq_str(item->sender, "tel:+1"));
	assert_true(slice_eq_str(item->account, "acme"));
	assert_int_equal(item->kind, 1);
	assert_int_equal(item->parts, 3);
	assert_int_equal(item->end_s, 4000000000);
	snprintf(world->kept, sizeof(world->kept), "%.*s", (int)item->post.n, item->post.p);
}

/* A program of the system, as crs starts it. */
static pid_t start_redis(const struct world *world, const char *max_octets)
{
	char socket[96];
	const char *argv[] = { "/usr/bin/env",
			       "redis-server",
			       "--port",
			       "0",
			       "--unixsocket",
			       socket,
			       "--dir",
			       world->dir,
			       "--save",
			       "",
			       "--appendonly",
			       "yes",
			       "--appendfsync",
			       "always",
			       "--maxmemory",
			       max_octets,
			       NULL };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid;

	snprintf(socket, sizeof(socket), "%s/redis_low.sock", world->dir);
	pid = process_spawn(
		&(struct process_spec){ .argv = argv, .pass_fd = -1, .output_fd = null });
	close(null);
	assert_true(pid > 0);
	return pid;
}

static void run_until(struct world *world, const bool *flag, bool value)
{
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;
	struct timeval often = { 0, 10000 };

	while (*flag != value && clock_mono_ms() < deadline) {
		event_base_loopexit(world->base, &often);
		event_base_dispatch(world->base);
	}
	assert_int_equal(*flag, value);
}

static void await(struct world *world, unsigned done)
{
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;

	while (world->done < done && clock_mono_ms() < deadline)
		event_base_loop(world->base, EVLOOP_ONCE);
	assert_int_equal(world->done, done);
	world->done = 0;
}

static struct world *begin(const char *max_octets)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	snprintf(world->dir, sizeof(world->dir), "/tmp/crs-store-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	world->redis = start_redis(world, max_octets);
	world->base = event_base_new();
	world->store = store_new(world->base, world->dir, "redis_low", &ops, world);
	assert_non_null(world->store);
	run_until(world, &world->up, true);
	return world;
}

static void end(struct world *world)
{
	char command[96];

	store_free(&world->store);
	event_base_free(world->base);
	kill(world->redis, SIGKILL);
	waitpid(world->redis, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf '%s'", world->dir);
	assert_int_equal(system(command), 0);
	free(world);
}

static int add(struct world *world, const char *uri, const char *post, size_t n)
{
	const struct store_item item = { .sender = slice_str("tel:+1"),
					 .id = slice_str("0123456789abcdef"),
					 .account = slice_str("acme"),
					 .kind = 1,
					 .end_s = 4000000000,
					 .parts = 3,
					 .post = slice_of(post, n) };

	return store_add(world->store, slice_str(uri), &item, 4000000000, on_done, world);
}

static void read_all(struct world *world, const char *uri)
{
	const struct store_page page = { .count = 2 * MESSAGES };

	world->items = 0;
	assert_int_equal(store_read(world->store, slice_str(uri), &page, on_item, on_done, world),
			 0);
	await(world, 1);
	assert_int_equal(world->err, 0);
}

/* More than one transaction takes, with other commands between. */
static void a_group_keeps_its_order(void **state)
{
	const struct store_page page = { .count = MESSAGES };
	struct world *world = begin("0");
	uint64_t first;
	char post[32];

	(void)state;
	for (int i = 0; i < MESSAGES; i++) {
		int n = snprintf(post, sizeof(post), "message %d", i);

		assert_int_equal(add(world, "tel:+2", post, (size_t)n), 0);
		if (i % 700 == 0)
			assert_int_equal(store_read(world->store, slice_str("tel:+2"), &page,
						    on_item, NULL, world),
					 0);
	}
	await(world, MESSAGES);
	assert_int_equal(world->failed, 0);
	assert_int_equal(world->items, 1 + 701 + 1401); /* what stood before each reading */
	read_all(world, "tel:+2");
	assert_int_equal(world->items, MESSAGES);
	assert_string_equal(world->kept, "message 1499");
	first = world->first;
	store_delete(world->store, slice_str("tel:+2"), world->last);
	store_delete(world->store, slice_str("tel:+2"), first);
	read_all(world, "tel:+2"); /* goes behind the deletions */
	assert_int_equal(world->items, MESSAGES - 2);
	assert_string_equal(world->kept, "message 1498");
	assert_true(world->first > first);
	end(world);
}

/* More than one command takes, of two users in turn; the last one of each stays. */
static void deletions_are_gathered_and_none_is_lost(void **state)
{
	static const char *const uris[] = { "tel:+2", "tel:+3" };
	enum { OF_EACH = 300 };
	struct world *world = begin("0");
	uint64_t numbers[2][OF_EACH];

	(void)state;
	for (int user = 0; user < 2; user++) {
		for (int i = 0; i < OF_EACH; i++) {
			assert_int_equal(add(world, uris[user], "x", 1), 0);
			await(world, 1);
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
		read_all(world, uris[user]);
		assert_int_equal(world->items, 1);
		assert_int_equal(world->last, numbers[user][OF_EACH - 1]);
	}
	end(world);
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
					 on_done, world),
			 0);
	await(world, 1);
	return world->items;
}

/* Of a post to a channel each member has parts of his own. */
static void parts_are_copied_and_what_is_not_there_is_told(void **state)
{
	struct world *world = begin("0");
	struct slice from = slice_str("urn:c"), to = slice_str("tel:+2");

	(void)state;
	store_part_add(world->store, from, "key", slice_str("one"), on_done, world);
	store_part_add(world->store, from, "key", slice_str("two"), on_done, world);
	store_part_add(world->store, to, "key", slice_str("old"), on_done, world);
	store_part_copy(world->store, from, to, "key", on_done, world);
	await(world, 4);
	assert_int_equal(world->failed, 0);
	assert_int_equal(parts_of(world, "tel:+2"), 2);
	store_part_delete(world->store, from, "key");
	assert_int_equal(parts_of(world, "urn:c"), 0);
	assert_int_equal(parts_of(world, "tel:+2"), 2);
	store_part_copy(world->store, from, slice_str("tel:+3"), "key", on_done, world);
	await(world, 1);
	assert_int_equal(world->failed, 1);
	assert_int_equal(world->err, -ENOENT);
	end(world);
}

/* All up to a number, and single ones before and behind it, in one turn. */
static void all_up_to_a_number_are_deleted_and_nothing_else(void **state)
{
	enum { OF_ALL = 20, UP_TO = 12, ALONE = 15 };
	struct world *world = begin("0");
	uint64_t numbers[OF_ALL];

	(void)state;
	for (int i = 0; i < OF_ALL; i++) {
		assert_int_equal(add(world, "tel:+3", "x", 1), 0);
		await(world, 1);
		world->number = 0; /* each stream has its own */
		assert_int_equal(add(world, "tel:+2", "x", 1), 0);
		await(world, 1);
		numbers[i] = world->number;
		world->number = 0;
	}
	store_delete(world->store, slice_str("tel:+2"), numbers[ALONE]);
	store_delete(world->store, slice_str("tel:+2"), numbers[UP_TO / 2]);
	for (int i = 0; i <= UP_TO; i++)
		store_delete_to(world->store, slice_str("tel:+2"), numbers[i]);
	read_all(world, "tel:+2");
	assert_int_equal(world->items, OF_ALL - UP_TO - 2);
	assert_true(world->first == numbers[UP_TO + 1]);
	assert_true(world->last == numbers[OF_ALL - 1]);
	read_all(world, "tel:+3");
	assert_int_equal(world->items, OF_ALL);
	end(world);
}

/* Nothing else is asked of the store: the deletions go when their time has come. */
static void deletions_do_not_wait_for_ever(void **state)
{
	struct world *world = begin("0");
	struct store *other;
	uint64_t before_last = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		before_last = world->number;
		assert_int_equal(add(world, "tel:+2", "x", 1), 0);
		await(world, 1);
	}
	store_delete_to(world->store, slice_str("tel:+2"), before_last);
	other = world->store; /* another connection sees what the first one did */
	world->up = false;
	world->store = store_new(world->base, world->dir, "redis_low", &ops, world);
	run_until(world, &world->up, true);
	for (int64_t deadline = clock_mono_ms() + PATIENCE_MS;
	     world->items != 1 && clock_mono_ms() < deadline;)
		read_all(world, "tel:+2");
	assert_int_equal(world->items, 1);
	assert_true(world->first == world->number);
	store_free(&other);
	end(world);
}

/* What Redis refuses for want of memory is refused as a whole; deleting still works. */
static void a_full_store_says_so_of_every_message(void **state)
{
	struct world *world = begin("2000000");
	char *post = calloc(1, FULL_OCTETS);
	unsigned posted = 0;

	(void)state;
	for (int round = 0; round < 100 && !world->failed; round++) {
		for (int i = 0; i < 20; i++, posted++)
			assert_int_equal(add(world, "tel:+2", post, FULL_OCTETS), 0);
		await(world, 20);
	}
	assert_int_equal(world->failed, 20);
	assert_int_equal(world->err, -ENOSPC);
	read_all(world, "tel:+2");
	assert_int_equal(world->items, posted - 20);
	for (uint64_t left = world->items; left > 0; left--) {
		store_delete(world->store, slice_str("tel:+2"), world->first);
		read_all(world, "tel:+2");
	}
	assert_int_equal(add(world, "tel:+2", post, FULL_OCTETS), 0);
	await(world, 1);
	assert_int_equal(world->err, 0);
	free(post);
	end(world);
}

static void whoever_waits_hears_that_the_store_is_gone(void **state)
{
	struct world *world = begin("0");

	(void)state;
	kill(world->redis, SIGKILL);
	for (int i = 0; i < 10; i++)
		assert_int_equal(add(world, "tel:+2", "x", 1), 0);
	run_until(world, &world->up, false);
	assert_int_equal(world->done, 10);
	assert_int_equal(world->failed, 10);
	assert_int_equal(world->err, -EPIPE);
	assert_int_equal(add(world, "tel:+2", "x", 1), -EPIPE);
	waitpid(world->redis, NULL, 0);
	world->redis = start_redis(world, "0");
	run_until(world, &world->up, true);
	world->done = 0;
	assert_int_equal(add(world, "tel:+2", "x", 1), 0);
	await(world, 1);
	assert_int_equal(world->err, 0);
	end(world);
}

/* ---- several messages in an entry ---- */

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
	world->up = false;
	world->store = store_new(world->base, world->dir, "redis_low", &ops, world);
	run_until(world, &world->up, true);
	world->done = 0;
}

/* Adds n at once, so that they become one entry, as long as it may be so large. */
static void add_together(struct world *world, unsigned n)
{
	char post[16];

	world->n_numbers = 0;
	for (unsigned i = 0; i < n; i++) {
		int length = snprintf(post, sizeof(post), "message %u", i);

		assert_int_equal(add(world, "tel:+2", post, (size_t)length), 0);
	}
	await(world, n);
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
	struct world *world = begin("0");
	struct store_page page = { .count = 10 };

	(void)state;
	add_together(world, TOGETHER);
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 3); /* 50 in one at most */
	read_all(world, "tel:+2");
	assert_int_equal(world->items, TOGETHER);
	assert_string_equal(world->kept, "message 119");
	for (unsigned i = 0; i < TOGETHER; i += 7) { /* behind any of them */
		page.after = world->numbers[i];
		world->items = 0;
		store_read(world->store, slice_str("tel:+2"), &page, on_item, on_done, world);
		await(world, 1);
		assert_int_equal(world->items, TOGETHER - 1 - i);
	}
	page.after = world->numbers[2];
	page.to = world->numbers[60]; /* in the second entry, which is read whole */
	world->items = 0;
	world->number = 0;
	store_read(world->store, slice_str("tel:+2"), &page, on_item, on_done, world);
	await(world, 1);
	assert_int_equal(world->items, 97);
	assert_true(world->number > world->numbers[99] && world->number < world->numbers[100]);
	end(world);
}

/* Each of them is gone for good as soon as it was deleted, in whatever order; the entry goes with
 * the last one. */
static void messages_of_an_entry_are_deleted_one_by_one_and_stay_so(void **state)
{
	static const unsigned order[] = { 4, 0, 7, 1, 2, 9, 3, 8, 6, 5 };
	enum { TOGETHER = 10 };
	struct world *world = begin("0");

	(void)state;
	add_together(world, TOGETHER);
	for (unsigned i = 0; i < TOGETHER; i++) {
		delete_one(world, world->numbers[order[i]]);
		read_all(world, "tel:+2");
		assert_int_equal(world->items, TOGETHER - 1 - i);
		connect_anew(world);
		read_all(world, "tel:+2");
		assert_int_equal(world->items, TOGETHER - 1 - i);
	}
	assert_int_equal(ask(world, "EXISTS m:tel:+2 t:tel:+2"), 1); /* an empty stream */
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 0);
	end(world);
}

/* In order, up to the middle of an entry, and then to its end. */
static void all_up_to_one_of_an_entry_are_deleted(void **state)
{
	enum { TOGETHER = 100, UP_TO = 70 };
	struct world *world = begin("0");

	(void)state;
	add_together(world, TOGETHER);
	for (unsigned i = 0; i <= UP_TO; i++)
		store_delete_to(world->store, slice_str("tel:+2"), world->numbers[i]);
	read_all(world, "tel:+2");
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 1);
	assert_int_equal(ask(world, "HLEN t:tel:+2"), 1);
	connect_anew(world);
	read_all(world, "tel:+2");
	assert_int_equal(world->items, TOGETHER - UP_TO - 1);
	assert_true(world->first == world->numbers[UP_TO + 1]);
	store_delete_to(world->store, slice_str("tel:+2"), world->last);
	read_all(world, "tel:+2");
	assert_int_equal(world->items, 0);
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 0);
	assert_int_equal(ask(world, "EXISTS t:tel:+2"), 0);
	end(world);
}

/* The last deletion of an entry was lost with the connection, its notes were not. */
static void an_entry_of_which_all_is_taken_goes_when_it_is_read(void **state)
{
	struct world *world = begin("0");

	(void)state;
	add_together(world, 3);
	ask(world, "HSET t:tel:+2 %s 7", "1"); /* of another one, which is no more */
	ask(world, "HSET t:tel:+2 %llu 7", (unsigned long long)store_entry_of(world->numbers[0]));
	read_all(world, "tel:+2");
	assert_int_equal(world->items, 0);
	read_all(world, "tel:+2"); /* goes behind the deletion */
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 0);
	end(world);
}

/* A user who is deleted leaves nothing that a later one of that name would miss. */
static void a_stream_that_is_forgotten_leaves_no_notes(void **state)
{
	struct world *world = begin("0");

	(void)state;
	add_together(world, 3);
	delete_one(world, world->numbers[1]);
	read_all(world, "tel:+2");
	assert_int_equal(ask(world, "EXISTS t:tel:+2"), 1);
	store_forget(world->store, slice_str("tel:+2"));
	read_all(world, "tel:+2");
	assert_int_equal(ask(world, "EXISTS m:tel:+2 t:tel:+2"), 0);
	end(world);
}

/* Releases before this one wrote an entry for each message. */
static void entries_of_one_message_are_read_as_before(void **state)
{
	static const uint8_t old[] = "\1\1\0\0\0\3\0\0\0\0\356\153\50\0"
				     "0123456789abcdef\0\6tel:+1\0\4acmean old message";
	struct world *world = begin("0");

	(void)state;
	ask(world, "XADD m:tel:+2 1700000000000-0 m %b", old, sizeof(old) - 1);
	ask(world, "XADD m:tel:+2 1700000000000-1 m %b", old, sizeof(old) - 1);
	add_together(world, 4);
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 3);
	read_all(world, "tel:+2");
	assert_int_equal(world->items, 6);
	assert_true(world->first < world->numbers[0]);
	delete_one(world, world->first);
	read_all(world, "tel:+2");
	assert_int_equal(world->items, 5);
	assert_int_equal(ask(world, "XLEN m:tel:+2"), 2);
	assert_int_equal(ask(world, "EXISTS t:tel:+2"), 0);
	end(world);
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
		cmocka_unit_test(what_is_added_together_is_one_entry_and_read_one_by_one),
		cmocka_unit_test(messages_of_an_entry_are_deleted_one_by_one_and_stay_so),
		cmocka_unit_test(all_up_to_one_of_an_entry_are_deleted),
		cmocka_unit_test(an_entry_of_which_all_is_taken_goes_when_it_is_read),
		cmocka_unit_test(a_stream_that_is_forgotten_leaves_no_notes),
		cmocka_unit_test(entries_of_one_message_are_read_as_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
