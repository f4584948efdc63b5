/* store.c - commands to redis_low and their answers. */
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

enum { KEY_SIZE = 320, MAX_WORDS = 24, NUMBER_BITS = 20, NUMBER_TEXT = 48 };

struct store {
	struct event_base *base;
	char *path;
	redisAsyncContext *redis;
	struct event *again; /* to connect, or to see whether answers come */
	size_t waiting;      /* commands without answer */
	int64_t progress_ms; /* the last answer, or the first command after a pause */
	const struct store_ops *ops;
	void *arg;
	bool up;
	bool complained;
	bool ending; /* in store_free */
};

/* What one command waits for. */
struct wait {
	store_done_fn *done;
	store_item_fn *item;
	store_part_fn *part;
	store_field_fn *field;
	const char *what; /* a constant */
	char *account;    /* owned */
	void *arg;
	uint32_t from;
};

/* A command under construction: binary-safe words. */
struct command {
	const char *word[MAX_WORDS];
	size_t length[MAX_WORDS];
	int n;
};

static void add_word(struct command *c, struct slice word)
{
	c->word[c->n] = word.n ? (const char *)word.p : "";
	c->length[c->n] = word.n;
	c->n++;
}

static void add_text(struct command *c, const char *text)
{
	add_word(c, slice_str(text));
}

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
	    sscanf(reply->str, "%llu-%llu", &ms, &count) != 2 || ms >> 44 || count >> NUMBER_BITS)
		return 0;
	return ms << NUMBER_BITS | count;
}

static void write_number(uint64_t number, char out[NUMBER_TEXT])
{
	snprintf(out, NUMBER_TEXT, "%" PRIu64 "-%" PRIu64, number >> NUMBER_BITS,
		 number & ((1u << NUMBER_BITS) - 1));
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

static void hand_on_fields(const struct wait *wait, const redisReply *reply)
{
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		if (reply->element[i]->str && reply->element[i + 1]->str)
			wait->field(wait->arg, wait->what, wait->account, reply->element[i]->str,
				    reply->element[i + 1]->str);
	}
}

static void hand_on(const struct wait *wait, const redisReply *reply)
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

static void free_wait(struct wait *wait)
{
	if (wait)
		free(wait->account);
	free(wait);
}

static void on_reply(redisAsyncContext *redis, void *r, void *private)
{
	struct store *store = redis->data;
	struct wait *wait = private;
	const redisReply *reply = r;
	int err = error_of(reply);

	store->waiting--;
	store->progress_ms = clock_mono_ms();
	if (err == -EIO || err == -ENOSPC) {
		if (!store->complained)
			log_warn("store", "redis_low refused: %s", reply->str);
		store->complained = true;
	} else if (!err) {
		store->complained = false;
	}
	if (!wait)
		return;
	if (!err && reply->type == REDIS_REPLY_ARRAY)
		hand_on(wait, reply);
	if (wait->done)
		wait->done(wait->arg, err, err ? 0 : number_of(reply));
	free_wait(wait);
}

static int send_command(struct store *store, const struct command *c, const struct wait *model)
{
	struct wait *wait = NULL;

	if (!store->up)
		return -EPIPE;
	if (model) {
		wait = malloc(sizeof(*wait));
		if (!wait)
			return -ENOMEM;
		*wait = *model;
	}
	if (redisAsyncCommandArgv(store->redis, on_reply, wait, c->n, (const char **)c->word,
				  c->length) != REDIS_OK) {
		free(wait);
		return -EPIPE;
	}
	if (store->waiting++ == 0)
		store->progress_ms = clock_mono_ms();
	return 0;
}

static void try_connect(struct store *store);

static void try_again_later(struct store *store)
{
	struct timeval wait = { 0, STORE_CONNECT_AGAIN_MS * 1000 };

	event_add(store->again, &wait);
}

static void look_for_answers(struct store *store)
{
	struct timeval second = { 1, 0 };

	event_add(store->again, &second);
	if (store->waiting == 0 ||
	    clock_mono_ms() - store->progress_ms < STORE_ANSWER_LIMIT_S * 1000)
		return;
	log_warn("store", "redis_low does not answer");
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
	if (was_up) {
		log_warn("store", "connection to redis_low lost");
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
	log_info("store", "connected to redis_low");
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

struct store *store_new(struct event_base *base, const char *path, const struct store_ops *ops,
			void *arg)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->base = base;
	store->ops = ops;
	store->arg = arg;
	store->path = strdup(path);
	store->again = evtimer_new(base, on_again, store);
	if (!store->path || !store->again) {
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
	if (store->redis)
		redisAsyncFree(store->redis);
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

static int message_key(struct slice uri, char out[KEY_SIZE])
{
	struct buf b = buf_over(out, KEY_SIZE);

	buf_put_str(&b, "m:");
	buf_put_slice(&b, uri);
	return buf_ok(&b) ? 0 : -EINVAL;
}

static int part_key(struct slice uri, const char *key, char out[KEY_SIZE])
{
	struct buf b = buf_over(out, KEY_SIZE);

	buf_put_str(&b, "p:");
	buf_put_slice(&b, uri);
	buf_printf(&b, ":%s", key);
	return buf_ok(&b) ? 0 : -EINVAL;
}

static int expire_at(struct store *store, const char *key, int64_t time_s)
{
	struct command c = { .n = 0 };
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%" PRId64, time_s);
	add_text(&c, "EXPIREAT");
	add_text(&c, key);
	add_text(&c, seconds);
	return send_command(store, &c, NULL);
}

int store_add(struct store *store, struct slice uri, const struct store_item *item,
	      int64_t keep_until_s, store_done_fn *done, void *arg)
{
	struct wait wait = { .done = done, .arg = arg };
	struct command c = { .n = 0 };
	char key[KEY_SIZE], end[24], parts[12], kind[12];
	int err = message_key(uri, key);

	if (err)
		return err;
	snprintf(end, sizeof(end), "%" PRId64, item->end_s);
	snprintf(parts, sizeof(parts), "%" PRIu32, item->parts);
	snprintf(kind, sizeof(kind), "%d", item->kind);
	add_text(&c, "XADD");
	add_text(&c, key);
	add_text(&c, "*");
	add_text(&c, "s");
	add_word(&c, item->sender);
	add_text(&c, "i");
	add_word(&c, item->id);
	add_text(&c, "a");
	add_word(&c, item->account);
	add_text(&c, "k");
	add_text(&c, kind);
	add_text(&c, "e");
	add_text(&c, end);
	add_text(&c, "n");
	add_text(&c, parts);
	add_text(&c, "p");
	add_word(&c, item->post);
	err = send_command(store, &c, &wait);
	if (!err && keep_until_s)
		expire_at(store, key, keep_until_s);
	return err;
}

int store_delete(struct store *store, struct slice uri, uint64_t number)
{
	struct command c = { .n = 0 };
	char key[KEY_SIZE], entry[NUMBER_TEXT];
	int err = message_key(uri, key);

	if (err)
		return err;
	write_number(number, entry);
	add_text(&c, "XDEL");
	add_text(&c, key);
	add_text(&c, entry);
	return send_command(store, &c, NULL);
}

int store_read(struct store *store, struct slice uri, uint64_t after, uint32_t count,
	       store_item_fn *item, store_done_fn *done, void *arg)
{
	struct wait wait = { .done = done, .item = item, .arg = arg };
	struct command c = { .n = 0 };
	char key[KEY_SIZE], from[NUMBER_TEXT + 1] = "-", most[12];
	int err = message_key(uri, key);

	if (err)
		return err;
	if (after) {
		from[0] = '(';
		write_number(after, from + 1);
	}
	snprintf(most, sizeof(most), "%" PRIu32, count);
	add_text(&c, "XRANGE");
	add_text(&c, key);
	add_text(&c, from);
	add_text(&c, "+");
	add_text(&c, "COUNT");
	add_text(&c, most);
	return send_command(store, &c, &wait);
}

int store_part_add(struct store *store, struct slice uri, const char *key_text, struct slice frame,
		   store_done_fn *done, void *arg)
{
	struct wait wait = { .done = done, .arg = arg };
	struct command c = { .n = 0 }, expire = { .n = 0 };
	char key[KEY_SIZE], seconds[12];
	int err = part_key(uri, key_text, key);

	if (err)
		return err;
	add_text(&c, "RPUSH");
	add_text(&c, key);
	add_word(&c, frame);
	err = send_command(store, &c, &wait);
	if (err)
		return err;
	snprintf(seconds, sizeof(seconds), "%d", STORE_PART_IDLE_LIMIT_S);
	add_text(&expire, "EXPIRE");
	add_text(&expire, key);
	add_text(&expire, seconds);
	return send_command(store, &expire, NULL);
}

int store_part_keep(struct store *store, struct slice uri, const char *key_text,
		    int64_t keep_until_s)
{
	char key[KEY_SIZE];
	int err = part_key(uri, key_text, key);

	return err ? err : expire_at(store, key, keep_until_s);
}

int store_part_delete(struct store *store, struct slice uri, const char *key_text)
{
	struct command c = { .n = 0 };
	char key[KEY_SIZE];
	int err = part_key(uri, key_text, key);

	if (err)
		return err;
	add_text(&c, "DEL");
	add_text(&c, key);
	return send_command(store, &c, NULL);
}

int store_part_read(struct store *store, struct slice uri, const char *key_text, uint32_t from,
		    uint32_t count, store_part_fn *part, store_done_fn *done, void *arg)
{
	struct wait wait = { .done = done, .part = part, .arg = arg, .from = from };
	struct command c = { .n = 0 };
	char key[KEY_SIZE], first[12], last[12];
	int err = part_key(uri, key_text, key);

	if (err)
		return err;
	if (count == 0)
		return -EINVAL;
	snprintf(first, sizeof(first), "%" PRIu32, from);
	snprintf(last, sizeof(last), "%" PRIu32, from + count - 1);
	add_text(&c, "LRANGE");
	add_text(&c, key);
	add_text(&c, first);
	add_text(&c, last);
	return send_command(store, &c, &wait);
}

static int hash_command(struct store *store, const char *verb, const char *what,
			const char *account, const char *uri, const char *value)
{
	struct command c = { .n = 0 };
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "%s:%s", what, account);
	add_text(&c, verb);
	add_text(&c, key);
	add_text(&c, uri);
	add_text(&c, value);
	return send_command(store, &c, NULL);
}

int store_count(struct store *store, const char *what, const char *account, const char *uri,
		uint64_t delta)
{
	char value[24];

	snprintf(value, sizeof(value), "%" PRIu64, delta);
	return hash_command(store, "HINCRBY", what, account, uri, value);
}

int store_note_read(struct store *store, const char *account, const char *uri, int64_t time_s)
{
	char value[24];

	snprintf(value, sizeof(value), "%" PRId64, time_s);
	return hash_command(store, "HSET", "read", account, uri, value);
}

int store_note_confirm(struct store *store, const char *account, const char *uri, const char *month,
		       uint32_t revision, uint64_t created)
{
	char key[KEY_SIZE], value[64];

	snprintf(key, sizeof(key), "confirm-%s", month);
	snprintf(value, sizeof(value), "%" PRIu32 " %" PRIu64, revision, created);
	return hash_command(store, "HSET", key, account, uri, value);
}

int store_read_hash(struct store *store, const char *what, const char *account,
		    store_field_fn *field, store_done_fn *done, void *arg)
{
	struct wait wait = { .done = done, .field = field, .what = what, .arg = arg };
	struct command c = { .n = 0 };
	char key[KEY_SIZE];
	int err;

	wait.account = strdup(account);
	if (!wait.account)
		return -ENOMEM;
	snprintf(key, sizeof(key), "%s:%s", what, account);
	add_text(&c, "HGETALL");
	add_text(&c, key);
	err = send_command(store, &c, &wait);
	if (err)
		free(wait.account);
	return err;
}

int store_barrier(struct store *store, store_done_fn *done, void *arg)
{
	struct wait wait = { .done = done, .arg = arg };
	struct command c = { .n = 0 };

	add_text(&c, "PING");
	return send_command(store, &c, &wait);
}
