/* store.c - the connection to redis_low.
 *
 * A connection counts as up when Redis has read its data and told its run id; what is sent
 * earlier would be refused with LOADING. hiredis frees a context after on_disconnect(), so that
 * store->redis must not be used behind any call that may disconnect.
 */
#include "rendezvous/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>
#include <hiredis/adapters/libevent.h>

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
	/* No group that writes came in time to take them along. */
	store_hurry_deletes(arg);
}

static void try_connect(struct store *store);

static void try_again_later(struct store *store)
{
	timer_arm(store->again, STORE_CONNECT_AGAIN_MS);
}

static void look_for_answers(struct store *store)
{
	/* First, as the timer has another time when the connection is found lost below. */
	timer_arm(store->again, STORE_LOOK_MS);
	if (store->waiting == 0 ||
	    clock_mono_ms() - store->progress_ms < STORE_ANSWER_LIMIT_S * 1000)
		return;
	log_warn("store", "%s does not answer", store->name);
	redisAsyncFree(store->redis); /* on_disconnect follows from within */
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct store *store = arg;

	(void)fd;
	(void)what;
	if (store->redis)
		look_for_answers(store);
	else
		try_connect(store);
}

static void on_disconnect(const redisAsyncContext *redis, int status)
{
	struct store *store = redis->data;
	bool was_up = store->up;

	(void)status;
	/* store_free() does the rest, and down() is not called. */
	if (store->ending)
		return;
	store->redis = NULL; /* hiredis frees it */
	store->up = false;
	/* Before down(), as promised: who hears of the loss has no command under way any more. */
	store_fail_group(store);
	if (was_up) {
		log_warn("store", "connection to %s lost", store->name);
		store->ops->down(store->arg);
	}
	try_again_later(store);
}

static void on_connect(const redisAsyncContext *redis, int status)
{
	if (status != REDIS_OK)
		on_disconnect(redis, status);
}

/* Epoch: the first 16 digits of Redis's run id, which is random at each start. */
static bool find_epoch(const char *info, uint64_t *epoch_out)
{
	const char *at = strstr(info, "run_id:");
	char digits[17] = "", *end;

	if (!at)
		return false;
	at += strlen("run_id:");
	for (size_t i = 0; i < 16 && at[i] && at[i] != '\r'; i++)
		digits[i] = at[i];
	/* 64 bits of it: enough to tell one start from another. */
	*epoch_out = strtoull(digits, &end, 16);
	return *digits && !*end;
}

static void on_info(redisAsyncContext *redis, void *r, void *private)
{
	struct store *store = redis->data;
	const redisReply *reply = r;
	uint64_t epoch;

	(void)private;
	if (!reply || store->ending)
		return; /* the disconnect follows */
	if (reply->type != REDIS_REPLY_STRING || !find_epoch(reply->str, &epoch)) {
		/* still loading its data: ask again */
		redisAsyncDisconnect(redis);
		return;
	}
	store->up = true;
	/* What was answered before this connection does not count. */
	store->progress_ms = clock_mono_ms();
	look_for_answers(store);
	log_info("store", "connected to %s", store->name);
	store->ops->up(store->arg, epoch);
}

static void on_ping(redisAsyncContext *redis, void *r, void *private)
{
	const redisReply *reply = r;

	(void)private;
	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR) { /* LOADING: it reads its data yet */
		redisAsyncDisconnect(redis);
		return;
	}
	/* Without the question there is no answer, and nothing else on this connection. */
	if (redisAsyncCommand(redis, on_info, NULL, "INFO server") != REDIS_OK)
		redisAsyncDisconnect(redis);
}

static void try_connect(struct store *store)
{
	redisAsyncContext *redis = redisAsyncConnectUnix(store->path);

	if (!redis || redis->err) {
		if (redis)
			redisAsyncFree(redis);
		try_again_later(store);
		return;
	}
	redis->data = store;
	if (redisLibeventAttach(redis, store->base) != REDIS_OK) {
		redisAsyncFree(redis);
		try_again_later(store);
		return;
	}
	store->redis = redis;
	redisAsyncSetConnectCallback(redis, on_connect);
	redisAsyncSetDisconnectCallback(redis, on_disconnect);
	/* INFO is answered while Redis still reads its data, a command about a key is not. The
	 * key need not be there. */
	if (redisAsyncCommand(redis, on_ping, NULL, "EXISTS m:") == REDIS_OK)
		return;
	store->redis = NULL;
	redisAsyncFree(redis);
	try_again_later(store);
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
	if (asprintf(&store->path, "%s/%s.sock", run_dir, name) < 0)
		store->path = NULL;
	store->again = evtimer_new(base, on_again, store);
	store->flush = event_new(base, -1, 0, on_flush, store);
	store->lazy_due = evtimer_new(base, on_lazy_due, store);
	if (!store->path || !store->again || !store->flush || !store->lazy_due ||
	    keyhash_init(&store->hash) || idmap_init(&store->partials)) {
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
	/* First: hiredis calls back from redisAsyncFree(). */
	store->ending = true;
	store->up = false;
	if (store->redis)
		redisAsyncFree(store->redis);
	store_fail_group(store);
	store_free_packs(store);
	idmap_done(&store->partials);
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
