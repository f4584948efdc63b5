/* store_commands.c - the commands that redis_low gets. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/timer.h"
#include "rendezvous/store_priv.h"

enum { KEY_SIZE = STORE_KEY_SIZE, NUMBER_TEXT = STORE_NUMBER_TEXT };

static void add_word(struct store_command *c, struct slice word)
{
	c->word[c->n++] = word;
}

static void add_text(struct store_command *c, const char *text)
{
	add_word(c, slice_str(text));
}

static char *write_decimal(uint64_t number, char *out)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (n)
		*out++ = digits[--n];
	return out;
}

/* As Redis has them: "MILLISECONDS-COUNT". */
static void write_number(uint64_t number, char out[NUMBER_TEXT])
{
	char *at = write_decimal(number >> STORE_NUMBER_BITS, out);

	*at++ = '-';
	at = write_decimal(number & ((1u << STORE_NUMBER_BITS) - 1), at);
	*at = '\0';
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
	buf_put_char(&b, ':');
	buf_put_str(&b, key);
	return buf_ok(&b) ? 0 : -EINVAL;
}

static int expire_at(struct store *store, const char *key, int64_t time_s)
{
	struct store_command c = { .adds = true };
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%" PRId64, time_s);
	add_text(&c, "EXPIREAT");
	add_text(&c, key);
	add_text(&c, seconds);
	return store_send(store, &c, NULL);
}

int store_add(struct store *store, struct slice uri, const struct store_item *item,
	      int64_t keep_until_s, store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .arg = arg };
	struct store_command c = { .adds = true, .tail = item->post };
	uint8_t octets[STORE_HEAD_MAX];
	char key[KEY_SIZE];
	struct slice head;
	int err = message_key(uri, key);

	if (!err)
		err = store_write_head(item, octets, &head);
	if (err)
		return err;
	add_text(&c, "XADD");
	add_text(&c, key);
	add_text(&c, "*");
	add_text(&c, "m");
	add_word(&c, head);
	err = store_send(store, &c, &wait);
	if (!err && keep_until_s)
		expire_at(store, key, keep_until_s);
	return err;
}

/* XTRIM drops whole nodes of a stream, and stands in Redis's file with one number for all. */
static void trim(struct store *store, const struct store_deletes *deletes)
{
	struct store_command c = { .n = 0 };
	char kept[NUMBER_TEXT]; /* the lowest number that may stay */

	write_number(deletes->to + 1, kept);
	add_text(&c, "XTRIM");
	add_text(&c, deletes->key);
	add_text(&c, "MINID");
	add_text(&c, kept);
	store_send_lazily(store, &c);
}

void store_end_deletes(struct store *store)
{
	struct store_deletes *deletes = &store->deletes;
	char text[STORE_DELETES_MAX][NUMBER_TEXT];
	struct store_command c = { .n = 0 };

	if (deletes->to)
		trim(store, deletes);
	add_text(&c, "XDEL");
	add_text(&c, deletes->key);
	for (unsigned i = 0; i < deletes->n; i++) {
		if (deletes->number[i] <= deletes->to)
			continue;
		write_number(deletes->number[i], text[i]);
		add_text(&c, text[i]);
	}
	if (c.n > 2)
		store_send_lazily(store, &c);
	deletes->to = 0;
	deletes->n = 0;
}

/* Whoever fetched many messages takes them one behind the other: one command for all. */
static int gather(struct store *store, struct slice uri, uint64_t number)
{
	struct store_deletes *deletes = &store->deletes;
	char key[KEY_SIZE];
	int err = message_key(uri, key);

	if (err)
		return err;
	if (!store_is_up(store))
		return -EPIPE;
	if (deletes->n == STORE_DELETES_MAX || strcmp(deletes->key, key) != 0)
		store_end_deletes(store);
	memcpy(deletes->key, key, sizeof(key));
	if (number > store->deleted_to)
		store->deleted_to = number;
	if (!event_pending(store->lazy_due, EV_TIMEOUT, NULL))
		timer_arm(store->lazy_due, STORE_DELETES_WAIT_MS);
	return 0;
}

int store_delete(struct store *store, struct slice uri, uint64_t number)
{
	int err = gather(store, uri, number);

	if (!err)
		store->deletes.number[store->deletes.n++] = number;
	return err;
}

int store_delete_to(struct store *store, struct slice uri, uint64_t number)
{
	int err = gather(store, uri, number);

	if (!err && number > store->deletes.to)
		store->deletes.to = number;
	return err;
}

int store_read(struct store *store, struct slice uri, uint64_t after, uint32_t count,
	       store_item_fn *item, store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .item = item, .arg = arg };
	struct store_command c = { .reads = true };
	char key[KEY_SIZE], from[NUMBER_TEXT + 1] = "-", most[12];
	int err = message_key(uri, key);

	if (err)
		return err;
	if (after < store->deleted_to) /* what is taken must not be read any more */
		store_hurry_deletes(store);
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
	return store_send(store, &c, &wait);
}

int store_part_add(struct store *store, struct slice uri, const char *key_text, struct slice frame,
		   store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .arg = arg };
	struct store_command c = { .adds = true }, expire = { .adds = true };
	char key[KEY_SIZE], seconds[12];
	int err = part_key(uri, key_text, key);

	if (err)
		return err;
	add_text(&c, "RPUSH");
	add_text(&c, key);
	add_word(&c, frame);
	err = store_send(store, &c, &wait);
	if (err)
		return err;
	snprintf(seconds, sizeof(seconds), "%d", STORE_PART_IDLE_LIMIT_S);
	add_text(&expire, "EXPIRE");
	add_text(&expire, key);
	add_text(&expire, seconds);
	return store_send(store, &expire, NULL);
}

int store_part_keep(struct store *store, struct slice uri, const char *key_text,
		    int64_t keep_until_s)
{
	char key[KEY_SIZE];
	int err = part_key(uri, key_text, key);

	return err ? err : expire_at(store, key, keep_until_s);
}

int store_forget(struct store *store, struct slice uri)
{
	struct store_command c = { .n = 0 };
	char key[KEY_SIZE];
	int err = message_key(uri, key);

	add_text(&c, "DEL");
	add_text(&c, key);
	return err ? err : store_send(store, &c, NULL);
}

int store_part_copy(struct store *store, struct slice from_uri, struct slice uri,
		    const char *key_text, store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .arg = arg, .must_act = true };
	struct store_command c = { .adds = true };
	char from[KEY_SIZE], key[KEY_SIZE];
	int err = part_key(from_uri, key_text, from);

	if (!err)
		err = part_key(uri, key_text, key);
	if (err)
		return err;
	add_text(&c, "COPY");
	add_text(&c, from);
	add_text(&c, key);
	add_text(&c, "REPLACE"); /* what an attempt left that failed half-way */
	return store_send(store, &c, &wait);
}

int store_part_delete(struct store *store, struct slice uri, const char *key_text)
{
	struct store_command c = { .n = 0 };
	char key[KEY_SIZE];
	int err = part_key(uri, key_text, key);

	if (err)
		return err;
	add_text(&c, "DEL");
	add_text(&c, key);
	return store_send(store, &c, NULL);
}

int store_part_read(struct store *store, struct slice uri, const char *key_text, uint32_t from,
		    uint32_t count, store_part_fn *part, store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .part = part, .arg = arg, .from = from };
	struct store_command c = { .reads = true };
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
	return store_send(store, &c, &wait);
}

static int hash_command(struct store *store, const char *verb, const char *what,
			const char *account, const char *uri, const char *value)
{
	struct store_command c = { .n = 0 };
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "%s:%s", what, account);
	add_text(&c, verb);
	add_text(&c, key);
	add_text(&c, uri);
	add_text(&c, value);
	return store_send(store, &c, NULL);
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

int store_set_field(struct store *store, const char *what, const char *account, const char *field,
		    const char *value, store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .arg = arg };
	struct store_command c = { .n = 0 };
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "%s:%s", what, account);
	add_text(&c, *value ? "HSET" : "HDEL");
	add_text(&c, key);
	add_text(&c, field);
	if (*value)
		add_text(&c, value);
	return store_send(store, &c, &wait);
}

int store_read_hash(struct store *store, const char *what, const char *account,
		    store_field_fn *field, store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .field = field, .what = what, .arg = arg };
	struct store_command c = { .reads = true };
	char key[KEY_SIZE];
	int err;

	wait.account = strdup(account);
	if (!wait.account)
		return -ENOMEM;
	snprintf(key, sizeof(key), "%s:%s", what, account);
	add_text(&c, "HGETALL");
	add_text(&c, key);
	err = store_send(store, &c, &wait);
	if (err)
		free(wait.account);
	return err;
}

int store_read_field(struct store *store, const char *what, const char *account, const char *name,
		     store_field_fn *field, store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .field = field, .what = what, .arg = arg };
	struct store_command c = { .reads = true };
	char key[KEY_SIZE];
	int err;

	wait.account = strdup(account);
	wait.only = strdup(name);
	snprintf(key, sizeof(key), "%s:%s", what, account);
	add_text(&c, "HMGET");
	add_text(&c, key);
	add_text(&c, name);
	err = wait.account && wait.only ? store_send(store, &c, &wait) : -ENOMEM;
	if (err) {
		free(wait.account);
		free(wait.only);
	}
	return err;
}

int store_drop_hash(struct store *store, const char *what, const char *account, store_done_fn *done,
		    void *arg)
{
	struct store_wait wait = { .done = done, .arg = arg };
	struct store_command c = { .n = 0 };
	char key[KEY_SIZE];

	snprintf(key, sizeof(key), "%s:%s", what, account);
	add_text(&c, "DEL");
	add_text(&c, key);
	return store_send(store, &c, &wait);
}

int store_barrier(struct store *store, store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .arg = arg };
	struct store_command c = { .reads = true };

	add_text(&c, "PING");
	return store_send(store, &c, &wait);
}
