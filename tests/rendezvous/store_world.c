#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "tests/rendezvous/store_world.h"
#include "tests/tools/redis_spawn.h"

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

void world_done(void *arg, int err, uint64_t number)
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

void world_item(void *arg, const struct store_item *item)
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

void world_start_redis(struct world *world, const char *max_octets)
{
	char socket[96];

	snprintf(socket, sizeof(socket), "%s/redis_low.sock", world->dir);
	world->redis = redis_spawn(world->dir, socket, max_octets);
	assert_true(world->redis > 0);
}

void world_until_up(struct world *world, bool up)
{
	int64_t deadline = clock_mono_ms() + WORLD_PATIENCE_MS;
	struct timeval often = { 0, 10000 };

	while (world->up != up && clock_mono_ms() < deadline) {
		event_base_loopexit(world->base, &often);
		event_base_dispatch(world->base);
	}
	assert_int_equal(world->up, up);
}

void world_await(struct world *world, unsigned done)
{
	int64_t deadline = clock_mono_ms() + WORLD_PATIENCE_MS;

	while (world->done < done && clock_mono_ms() < deadline)
		event_base_loop(world->base, EVLOOP_ONCE);
	assert_int_equal(world->done, done);
	world->done = 0;
}

void world_connect(struct world *world)
{
	world->up = false;
	world->store = store_new(world->base, world->dir, "redis_low", &ops, world);
	assert_non_null(world->store);
	world_until_up(world, true);
}

struct world *world_begin(const char *max_octets)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	snprintf(world->dir, sizeof(world->dir), "/tmp/crs-store-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	world_start_redis(world, max_octets);
	world->base = event_base_new();
	world_connect(world);
	return world;
}

void world_end(struct world *world)
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

int world_add(struct world *world, const char *uri, const char *post, size_t n)
{
	const struct store_item item = { .sender = slice_str("tel:+1"),
					 .id = slice_str("0123456789abcdef"),
					 .account = slice_str("acme"),
					 .kind = 1,
					 .end_s = 4000000000,
					 .parts = 3,
					 .post = slice_of(post, n) };

	return store_add(world->store, slice_str(uri), &item, 4000000000, world_done, world);
}

void world_read_all(struct world *world, const char *uri)
{
	const struct store_page page = { .count = WORLD_ITEMS_MAX };

	world->items = 0;
	assert_int_equal(
		store_read(world->store, slice_str(uri), &page, world_item, world_done, world), 0);
	world_await(world, 1);
	assert_int_equal(world->err, 0);
}
