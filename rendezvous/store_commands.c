/* store_commands.c - the commands that redis_low gets. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "rendezvous/store_priv.h"

enum { KEY_SIZE = 320, NUMBER_TEXT = 48 };

static void add_word(struct store_command *c, struct slice word)
{
	c->word[c->n] = word.n ? (const char *)word.p : "";
	c->length[c->n] = word.n;
	c->n++;
}

static void add_text(struct store_command *c, const char *text)
{
	add_word(c, slice_str(text));
}

static void write_number(uint64_t number, char out[NUMBER_TEXT])
{
	snprintf(out, NUMBER_TEXT, "%" PRIu64 "-%" PRIu64, number >> STORE_NUMBER_BITS,
		 number & ((1u << STORE_NUMBER_BITS) - 1));
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
	struct store_command c = { .n = 0 };
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
	struct store_command c = { .n = 0 };
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
	err = store_send(store, &c, &wait);
	if (!err && keep_until_s)
		expire_at(store, key, keep_until_s);
	return err;
}

int store_delete(struct store *store, struct slice uri, uint64_t number)
{
	struct store_command c = { .n = 0 };
	char key[KEY_SIZE], entry[NUMBER_TEXT];
	int err = message_key(uri, key);

	if (err)
		return err;
	write_number(number, entry);
	add_text(&c, "XDEL");
	add_text(&c, key);
	add_text(&c, entry);
	return store_send(store, &c, NULL);
}

int store_read(struct store *store, struct slice uri, uint64_t after, uint32_t count,
	       store_item_fn *item, store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .item = item, .arg = arg };
	struct store_command c = { .n = 0 };
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
	return store_send(store, &c, &wait);
}

int store_part_add(struct store *store, struct slice uri, const char *key_text, struct slice frame,
		   store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .arg = arg };
	struct store_command c = { .n = 0 }, expire = { .n = 0 };
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
	struct store_command c = { .n = 0 };
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
		    const char *value)
{
	struct store_command c = { .n = 0 };
	char key[KEY_SIZE];

	if (*value)
		return hash_command(store, "HSET", what, account, field, value);
	snprintf(key, sizeof(key), "%s:%s", what, account);
	add_text(&c, "HDEL");
	add_text(&c, key);
	add_text(&c, field);
	return store_send(store, &c, NULL);
}

int store_read_hash(struct store *store, const char *what, const char *account,
		    store_field_fn *field, store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .field = field, .what = what, .arg = arg };
	struct store_command c = { .n = 0 };
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
	struct store_command c = { .n = 0 };

	add_text(&c, "PING");
	return store_send(store, &c, &wait);
}
