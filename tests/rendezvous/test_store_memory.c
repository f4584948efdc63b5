/* Memory runs out while a command is given to the store: each allocation in turn fails.  A command
 * that was refused is never answered, for whoever gave it has freed what waits; any other is
 * answered once. */
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "rendezvous/store_priv.h"
#include "tests/fuzz/quiet.h"
#include "tests/memory/scarce.h"

struct asked {
	struct store *store;
	unsigned answered;
};

static void on_done(void *arg, int err, uint64_t number)
{
	struct asked *asked = arg;

	assert_int_equal(err, -EPIPE);
	assert_int_equal(number, 0);
	asked->answered++;
}

static void on_item(void *arg, const struct store_item *item)
{
	(void)arg;
	(void)item;
}

static void on_part(void *arg, uint32_t index, struct slice record)
{
	(void)arg;
	(void)index;
	(void)record;
}

static void on_field(void *arg, const char *what, const char *account, const char *uri,
		     const char *value)
{
	(void)arg;
	(void)what;
	(void)account;
	(void)uri;
	(void)value;
}

/* ---- the commands that somebody waits for ---- */

#define BOB slice_str("tel:+2")

static int add(struct asked *asked)
{
	const struct store_item item = { .sender = slice_str("tel:+1"),
					 .id = slice_str("0123456789abcdef"),
					 .account = slice_str("acme"),
					 .parts = 1,
					 .post = slice_str("post") };

	return store_add(asked->store, BOB, &item, 4000000000, on_done, asked);
}

static int read_page(struct asked *asked)
{
	const struct store_page page = { .count = 5 };

	return store_read(asked->store, BOB, &page, on_item, on_done, asked);
}

static int part_add(struct asked *asked)
{
	return store_part_add(asked->store, BOB, "key", slice_str("record"), on_done, asked);
}

static int part_copy(struct asked *asked)
{
	return store_part_copy(asked->store, slice_str("urn:c"), BOB, "key", on_done, asked);
}

static int part_read(struct asked *asked)
{
	return store_part_read(asked->store, BOB, "key", 1, 4, on_part, on_done, asked);
}

static int set_field(struct asked *asked)
{
	return store_set_field(asked->store, "what", "acme", "tel:+2", "value", on_done, asked);
}

static int read_hash(struct asked *asked)
{
	return store_read_hash(asked->store, "what", "acme", on_field, on_done, asked);
}

static int read_field(struct asked *asked)
{
	return store_read_field(asked->store, "what", "acme", "tel:+2", on_field, on_done, asked);
}

static int drop_hash(struct asked *asked)
{
	return store_drop_hash(asked->store, "what", "acme", on_done, asked);
}

static int barrier(struct asked *asked)
{
	return store_barrier(asked->store, on_done, asked);
}

static const struct {
	const char *name;
	int (*give)(struct asked *asked);
} commands[] = {
	{ "add", add },
	{ "read", read_page },
	{ "part add", part_add },
	{ "part copy", part_copy },
	{ "part read", part_read },
	{ "set field", set_field },
	{ "read hash", read_hash },
	{ "read field", read_field },
	{ "drop hash", drop_hash },
	{ "barrier", barrier },
};

/* A store without a Redis that counts as up: commands wait in its group until it is freed. */
static bool give(unsigned n, void *arg)
{
	const size_t *which = arg;
	struct event_base *base = event_base_new();
	struct asked asked = { .store = store_new(base, "/nowhere", "redis_low", NULL, NULL) };
	bool failed;
	int err;

	assert_non_null(asked.store);
	asked.store->up = true;
	scarce_begin(n);
	err = commands[*which].give(&asked);
	failed = scarce_end();
	assert_true(failed || err == 0);
	assert_int_equal(asked.answered, 0); /* never from within */
	store_free(&asked.store);
	if (asked.answered != (err == 0))
		fail_msg("%s, allocation %u: returned %d, answered %u times", commands[*which].name,
			 n, err, asked.answered);
	event_base_free(base);
	return failed;
}

static void a_command_is_refused_or_answered_once(void **state)
{
	(void)state;
	quiet();
	for (size_t i = 0; i < COUNT(commands); i++)
		assert_true(scarce_each(give, &i) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_refused_or_answered_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
