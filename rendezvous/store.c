/* store.c - the connection to redis_low. */
#include "rendezvous/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "rendezvous/store_priv.h"

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	store_send_group(arg);
}

static void on_lazy_due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	store_hurry_deletes(arg);
}

static void try_connect(struct store *store);

static void try_again_later(struct store *store)
{
	timer_arm(store->again, STORE_CONNECT_AGAIN_MS);
}

/* The connection is gone, or no good. */
static void lose(struct store *store)
{
	bool was_up = store->up;

	store->up = store->greeted = false;
	store_wire_close(&store->wire);
	store_fail_group(store);
	if (was_up) {
		log_warn("store", "connection to %s lost", store->name);
		store->ops->down(store->arg);
	}
	try_again_later(store);
}

static void on_lost(void *arg)
{
	lose(arg);
}

static void look_for_answers(struct store *store)
{
	timer_arm(store->again, STORE_LOOK_MS);
	if (store->waiting == 0 ||
	    clock_mono_ms() - store->progress_ms < STORE_ANSWER_LIMIT_S * 1000)
		return;
	log_warn("store", "%s does not answer", store->name);
	lose(store);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct store *store = arg;

	(void)fd;
	(void)what;
	if (store->wire.fd >= 0)
		look_for_answers(store);
	else
		try_connect(store);
}

/* Epoch: the first 16 digits of Redis's run id, which is random at each start. */
static bool find_epoch(struct slice info, uint64_t *epoch_out)
{
	static const char name[] = "run_id:";
	const uint8_t *at = info.n ? memmem(info.p, info.n, name, strlen(name)) : NULL;
	char digits[17] = "", *end;

	if (!at)
		return false;
	info = slice_from(info, (size_t)(at - info.p) + strlen(name));
	for (size_t i = 0; i < 16 && i < info.n && info.p[i] != '\r'; i++)
		digits[i] = (char)info.p[i];
	*epoch_out = strtoull(digits, &end, 16);
	return *digits && !*end;
}

/* Answers to what try_connect() asked: LOADING while it still reads its data. */
static void greet(struct store *store, struct slice reply)
{
	struct resp_value value;
	uint64_t epoch;

	if (resp_take(&reply, &value) <= 0 || value.kind == RESP_ERROR) {
		lose(store);
		return;
	}
	if (!store->greeted) {
		store->greeted = true;
		return;
	}
	if (!find_epoch(value.text, &epoch)) {
		lose(store);
		return;
	}
	store->up = true;
	store->waiting = 0;
	store->progress_ms = clock_mono_ms();
	look_for_answers(store);
	log_info("store", "connected to %s", store->name);
	store->ops->up(store->arg, epoch);
}

static void on_reply(void *arg, struct slice reply)
{
	struct store *store = arg;

	if (store->up)
		store_take_reply(store, reply);
	else
		greet(store, reply);
}

/* Silence is noticed as when it is up. */
static void try_connect(struct store *store)
{
	static const char hello[] = "*2\r\n$6\r\nEXISTS\r\n$2\r\nm:\r\n"
				    "*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n";

	if (store_wire_open(&store->wire, store->base, store->path)) {
		try_again_later(store);
		return;
	}
	store->progress_ms = clock_mono_ms();
	store->waiting = 1;
	if (store_wire_put(&store->wire, slice_str(hello)) || store_wire_flush(&store->wire))
		lose(store);
	else
		timer_arm(store->again, STORE_LOOK_MS);
}

struct store *store_new(struct event_base *base, const char *run_dir, const char *name,
			const struct store_ops *ops, void *arg)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->base = base;
	store->ops = ops;
	store->arg = arg;
	store->name = name;
	store->wire =
		(struct store_wire){ .fd = -1, .reply = on_reply, .lost = on_lost, .arg = store };
	store->last_run = &store->run;
	if (asprintf(&store->path, "%s/%s.sock", run_dir, name) < 0)
		store->path = NULL;
	store->again = evtimer_new(base, on_again, store);
	store->flush = event_new(base, -1, 0, on_flush, store);
	store->lazy_due = evtimer_new(base, on_lazy_due, store);
	if (!store->path || !store->again || !store->flush || !store->lazy_due) {
		store_free(&store);
		return NULL;
	}
	try_connect(store);
	return store;
}

void store_free(struct store **storep)
{
	struct store *store = *storep;

	if (!store)
		return;
	store->up = false;
	store_wire_close(&store->wire);
	store_fail_group(store);
	if (store->lazy_due)
		event_free(store->lazy_due);
	if (store->flush)
		event_free(store->flush);
	if (store->again)
		event_free(store->again);
	free(store->path);
	free(store);
	*storep = NULL;
}

bool store_is_up(const struct store *store)
{
	return store->up;
}
