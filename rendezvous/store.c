/* store.c - the connection to redis_low, and its answers. */
#include "rendezvous/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <hiredis/adapters/libevent.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "rendezvous/store_priv.h"

/* A command that waits for the group before it to be answered. */
struct held {
	struct held *next;
	struct store_wait *wait; /* may be NULL */
	char *octets;
	int n;
};

struct store {
	struct event_base *base;
	const char *name;
	char *path;
	redisAsyncContext *redis;
	struct held *first, **last; /* the next group */
	struct event *flush;
	struct event *again; /* to connect, or to see whether answers come */
	size_t waiting;      /* commands without answer */
	int64_t progress_ms; /* the last answer, or the first command after a pause */
	const struct store_ops *ops;
	void *arg;
	bool up;
	bool complained;
	bool ending; /* in store_free */
};

static int error_of(const redisReply *reply)
{
	if (!reply)
		return -EPIPE;
	if (reply->type != REDIS_REPLY_ERROR)
		return 0;
	if (!strncmp(reply->str, "OOM", 3) || !strncmp(reply->str, "MISCONF", 7) ||
	    !strncmp(reply->str, "NOSPACE", 7))
		return -ENOSPC;
	return -EIO;
}

static int64_t field_number(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
}

static struct slice text_of(const redisReply *reply)
{
	return slice_of(reply->str, reply->len);
}

/* "MILLISECONDS-COUNT", or 0. */
static uint64_t number_of(const redisReply *reply)
{
	unsigned long long ms, count;

	if (reply->type != REDIS_REPLY_STRING ||
	    sscanf(reply->str, "%llu-%llu", &ms, &count) != 2 || ms >> 44 ||
	    count >> STORE_NUMBER_BITS)
		return 0;
	return ms << STORE_NUMBER_BITS | count;
}

/* One entry of XRANGE: [ id, [ field, value, ... ] ]. */
static bool read_entry(const redisReply *entry, struct store_item *item)
{
	const redisReply *fields;

	memset(item, 0, sizeof(*item));
	if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2)
		return false;
	item->number = number_of(entry->element[0]);
	fields = entry->element[1];
	if (!item->number || fields->type != REDIS_REPLY_ARRAY)
		return false;
	for (size_t i = 0; i + 1 < fields->elements; i += 2) {
		const redisReply *value = fields->element[i + 1];

		switch (fields->element[i]->str[0]) {
		case 's':
			item->sender = text_of(value);
			break;
		case 'i':
			item->id = text_of(value);
			break;
		case 'e':
			item->end_s = field_number(value);
			break;
		case 'n':
			item->parts = (uint32_t)field_number(value);
			break;
		case 'a':
			item->account = text_of(value);
			break;
		case 'k':
			item->kind = (int)field_number(value);
			break;
		case 'p':
			item->post = text_of(value);
			break;
		}
	}
	return item->sender.n > 0 && item->id.n > 0;
}

static void hand_on_fields(const struct store_wait *wait, const redisReply *reply)
{
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		if (reply->element[i]->str && reply->element[i + 1]->str)
			wait->field(wait->arg, wait->what, wait->account, reply->element[i]->str,
				    reply->element[i + 1]->str);
	}
}

static void hand_on(const struct store_wait *wait, const redisReply *reply)
{
	if (wait->field) {
		hand_on_fields(wait, reply);
		return;
	}
	for (size_t i = 0; i < reply->elements; i++) {
		struct store_item item;

		if (wait->item && read_entry(reply->element[i], &item))
			wait->item(wait->arg, &item);
		else if (wait->part)
			wait->part(wait->arg, wait->from + (uint32_t)i, text_of(reply->element[i]));
	}
}

static void free_wait(struct store_wait *wait)
{
	if (wait)
		free(wait->account);
	free(wait);
}

static void on_reply(redisAsyncContext *redis, void *r, void *private)
{
	struct store *store = redis->data;
	struct store_wait *wait = private;
	const redisReply *reply = r;
	int err = error_of(reply);

	store->waiting--;
	store->progress_ms = clock_mono_ms();
	if (err == -EIO || err == -ENOSPC) {
		if (!store->complained)
			log_warn("store", "%s refused: %s", store->name, reply->str);
		store->complained = true;
	} else if (!err) {
		store->complained = false;
	}
	if (wait && !err && reply->type == REDIS_REPLY_ARRAY)
		hand_on(wait, reply);
	if (wait && wait->done)
		wait->done(wait->arg, err, err ? 0 : number_of(reply));
	free_wait(wait);
	if (reply && store->first && !store->waiting)
		event_active(store->flush, EV_TIMEOUT, 1);
}

static void free_held(struct held *held)
{
	free_wait(held->wait);
	redisFreeCommand(held->octets);
	free(held);
}

static struct held *take_held(struct store *store)
{
	struct held *held = store->first;

	if (held) {
		store->first = held->next;
		if (!store->first)
			store->last = &store->first;
	}
	return held;
}

/* The connection is gone: nobody will answer. */
static void fail_held(struct store *store)
{
	struct held *held;

	while ((held = take_held(store))) {
		if (held->wait && held->wait->done)
			held->wait->done(held->wait->arg, -EPIPE, 0);
		free_held(held);
	}
}

/* Sends everything that is held as one group: Redis flushes its file once for all of
 * it, and while it does, the next group gathers. */
static void send_group(struct store *store)
{
	struct held *held;

	if (!store->up || store->waiting)
		return;
	store->progress_ms = clock_mono_ms();
	while ((held = take_held(store))) {
		if (redisAsyncFormattedCommand(store->redis, on_reply, held->wait, held->octets,
					       (size_t)held->n) == REDIS_OK) {
			store->waiting++;
			held->wait = NULL; /* on_reply's from here on */
		} else if (held->wait && held->wait->done) {
			held->wait->done(held->wait->arg, -EPIPE, 0);
		}
		free_held(held);
	}
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	send_group(arg);
}

int store_send(struct store *store, const struct store_command *c, const struct store_wait *model)
{
	struct held *held;

	if (!store->up)
		return -EPIPE;
	held = calloc(1, sizeof(*held));
	if (!held)
		return -ENOMEM;
	held->n = redisFormatCommandArgv(&held->octets, c->n, (const char **)(uintptr_t)c->word,
					 c->length);
	if (model)
		held->wait = malloc(sizeof(*held->wait));
	if (held->n < 0 || (model && !held->wait)) {
		free(held->wait);
		if (held->n >= 0)
			redisFreeCommand(held->octets);
		free(held);
		return -ENOMEM;
	}
	if (model)
		*held->wait = *model;
	if (!store->first && !store->waiting)
		event_active(store->flush, EV_TIMEOUT, 1);
	*store->last = held;
	store->last = &held->next;
	return 0;
}

static void try_connect(struct store *store);

static void try_again_later(struct store *store)
{
	timer_arm(store->again, STORE_CONNECT_AGAIN_MS);
}

static void look_for_answers(struct store *store)
{
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
	if (store->ending)
		return;
	store->redis = NULL; /* hiredis frees it */
	store->up = false;
	fail_held(store);
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
	redisAsyncCommand(redis, on_info, NULL, "INFO server");
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
	redisAsyncCommand(redis, on_ping, NULL, "EXISTS m:");
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
	store->last = &store->first;
	store->again = evtimer_new(base, on_again, store);
	store->flush = event_new(base, -1, 0, on_flush, store);
	if (!store->path || !store->again || !store->flush) {
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
	store->ending = true;
	store->up = false;
	if (store->redis)
		redisAsyncFree(store->redis);
	fail_held(store);
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
