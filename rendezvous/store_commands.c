/* store_commands.c - the commands that redis_low gets.
 *
 * None of these functions waits: a command becomes octets of the next group (store_group.c), so
 * that whatever its words point to may go when the function returns. Only what needs room in
 * Redis is marked `adds`: such commands share transactions, and are refused together when Redis
 * is full.
 */
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
	/* 2^64 has 20 digits. */
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
	uint64_t entry = store_entry_of(number);
	char *at = write_decimal(entry >> STORE_COUNT_BITS, out);

	*at++ = '-';
	at = write_decimal(entry & ((1u << STORE_COUNT_BITS) - 1), at);
	*at = '\0';
}

int store_message_key(struct slice uri, char out[KEY_SIZE])
{
	struct buf b = buf_over(out, KEY_SIZE);

	buf_put_str(&b, "m:");
	buf_put_slice(&b, uri);
	return buf_ok(&b) ? 0 : -EINVAL;
}

/* The key of the notes about a stream. */
static void note_key(const char *key, char out[KEY_SIZE])
{
	/* "m:URI" becomes "t:URI". */
	snprintf(out, KEY_SIZE, "t%s", key + 1);
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

int store_write_pack(struct store *store, const char *key, struct slice octets,
		     int64_t keep_until_s, struct store_wait *wait)
{
	struct store_command c = { .adds = true };
	char notes[KEY_SIZE];
	int err;

	add_text(&c, "XADD");
	add_text(&c, key);
	/* Redis makes the number, which rises whatever becomes of the clock. */
	add_text(&c, "*");
	add_text(&c, "m");
	add_word(&c, octets);
	err = store_append(store, &c, wait);
	if (err || !keep_until_s)
		return err;
	/* Behind the entry: a key that is not there yet has no end to be set. */
	expire_at(store, key, keep_until_s);
	note_key(key, notes);
	expire_at(store, notes, keep_until_s);
	return 0;
}

int store_add(struct store *store, struct slice uri, const struct store_item *item,
	      int64_t keep_until_s, store_done_fn *done, void *arg)
{
	struct store_message message = {
		.post = item->post, .keep_until_s = keep_until_s, .done = done, .arg = arg
	};
	uint8_t octets[STORE_HEAD_MAX];
	char key[KEY_SIZE];
	int err = store_message_key(uri, key);

	if (!err)
		err = store_write_head(item, octets, &message.head);
	if (!err && !store_is_up(store))
		err = -EPIPE;
	if (!err)
		err = store_pack_add(store, key, &message);
	if (!err)
		store_flush_soon(store);
	return err;
}

/* XTRIM drops whole nodes of a stream, and stands in Redis's file with one number for all. */
void store_write_trim(struct store *store, const char *key, uint64_t to)
{
	struct store_command c = { .n = 0 };
	char kept[NUMBER_TEXT]; /* the lowest number that may stay */

	write_number(to + 1, kept);
	add_text(&c, "XTRIM");
	add_text(&c, key);
	/* By number and exactly: what is newer must stay, however many messages there are. */
	add_text(&c, "MINID");
	add_text(&c, kept);
	store_send_lazily(store, &c);
}

/* Notes go behind the entry that they are about: without it they harm nobody. */
static void write_noted(struct store *store, const struct store_deletes *deletes)
{
	struct store_command c = { .n = 0 };
	char key[KEY_SIZE], text[STORE_DELETES_MAX][NUMBER_TEXT];

	note_key(deletes->key, key);
	add_text(&c, "HDEL");
	add_text(&c, key);
	for (unsigned i = 0; i < deletes->n_noted; i++) {
		*write_decimal(deletes->noted[i], text[i]) = '\0';
		add_text(&c, text[i]);
	}
	if (c.n > 2)
		store_send_lazily(store, &c);
}

void store_write_deletes(struct store *store, const struct store_deletes *deletes)
{
	char text[STORE_DELETES_MAX][NUMBER_TEXT];
	struct store_command c = { .n = 0 };

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
	write_noted(store, deletes);
}

void store_write_note(struct store *store, const char *stream, uint64_t entry, uint64_t taken)
{
	struct store_command c = { .n = 0 }, expire = { .n = 0 };
	char key[KEY_SIZE], field[NUMBER_TEXT], value[NUMBER_TEXT], seconds[12];

	note_key(stream, key);
	*write_decimal(entry, field) = '\0';
	*write_decimal(taken, value) = '\0';
	add_text(&c, "HSET");
	add_text(&c, key);
	add_text(&c, field);
	add_text(&c, value);
	store_send_lazily(store, &c);
	/* A note that outlives its entry harms nobody, but must not stay for ever. */
	snprintf(seconds, sizeof(seconds), "%d", STORE_NOTES_KEEP_S);
	add_text(&expire, "EXPIRE");
	add_text(&expire, key);
	add_text(&expire, seconds);
	store_send_lazily(store, &expire);
}

static int read_notes(struct store *store, const char *stream)
{
	struct store_wait wait = { .notes = true };
	struct store_command c = { .reads = true };
	char key[KEY_SIZE];
	int err;

	wait.stream = strdup(stream);
	if (!wait.stream)
		return -ENOMEM;
	note_key(stream, key);
	add_text(&c, "HGETALL");
	add_text(&c, key);
	/* Answered before the stream that is asked for next: who reads it knows by then what
	 * is taken. */
	err = store_send(store, &c, &wait);
	if (err)
		free(wait.stream);
	return err;
}

/* The entry of the number after is read again unless it was its last message. */
static void write_range(const struct store_page *page, char from[NUMBER_TEXT + 1],
			char to[NUMBER_TEXT])
{
	snprintf(from, NUMBER_TEXT + 1, "-");
	snprintf(to, NUMBER_TEXT, "+");
	if (page->after && store_ends_entry(page->after)) {
		from[0] = '(';
		write_number(page->after, from + 1);
	} else if (page->after) {
		write_number(page->after, from);
	}
	if (page->to)
		write_number(page->to, to);
}

int store_read(struct store *store, struct slice uri, const struct store_page *page,
	       store_item_fn *item, store_done_fn *done, void *arg)
{
	struct store_wait wait = { .done = done, .item = item, .arg = arg, .page = *page };
	struct store_command c = { .reads = true };
	char key[KEY_SIZE], from[NUMBER_TEXT + 1], to[NUMBER_TEXT], most[12];
	int err = store_message_key(uri, key);

	if (err)
		return err;
	if (page->after < store->deleted_to) /* what is taken must not be read any more */
		store_hurry_deletes(store);
	err = read_notes(store, key);
	if (err)
		return err;
	wait.stream = strdup(key);
	if (!wait.stream)
		return -ENOMEM;
	write_range(page, from, to);
	snprintf(most, sizeof(most), "%" PRIu32, page->count);
	add_text(&c, "XRANGE");
	add_text(&c, key);
	add_text(&c, from);
	add_text(&c, to);
	add_text(&c, "COUNT");
	add_text(&c, most);
	err = store_send(store, &c, &wait);
	if (err)
		free(wait.stream);
	return err;
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
	/* With each part anew; a sender who stops leaves nothing behind for longer than that.
	 * Without memory for it the next part sets it: the part itself is on its way, and will be
	 * answered. */
	add_text(&expire, "EXPIRE");
	add_text(&expire, key);
	add_text(&expire, seconds);
	(void)store_send(store, &expire, NULL);
	return 0;
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
	char notes[KEY_SIZE];
	int err = store_message_key(uri, key);

	if (err)
		return err;
	/* Before the command: a note that is written behind it would be of a stream that is no
	 * more. */
	store_forget_stream(store, key);
	note_key(key, notes);
	add_text(&c, "DEL");
	add_text(&c, key);
	add_text(&c, notes);
	return store_send(store, &c, NULL);
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
	/* Within Redis: a long message to a channel is not read and written again for each
	 * member. */
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
	/* Nobody waits: what may be lost here are counts, no messages. */
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

int store_note_confirm(struct store *store, const char *account, const char *uri,
		       const struct store_confirm *confirm)
{
	char what[24], key[KEY_SIZE], value[64];
	int err;

	/* A hash a month, so that whoever asks about an update reads no older ones. */
	snprintf(what, sizeof(what), "confirm-%.7s", confirm->month);
	snprintf(value, sizeof(value), "%" PRIu32 " %" PRIu64, confirm->revision, confirm->created);
	err = hash_command(store, "HSET", what, account, uri, value);
	if (err)
		return err;
	snprintf(key, sizeof(key), "%s:%s", what, account);
	return expire_at(store, key, confirm->keep_until_s);
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
	/* An empty value is no value: no field stays behind for each user who once had one. */
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

	/* The caller's text may be gone by the answer; what is a constant. */
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
	/* Not HGET: an answer that is an array is read where HGETALL's is. */
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

	/* Answers come in the order of commands, so any command would do; this one costs no
	 * flush. */
	add_text(&c, "PING");
	return store_send(store, &c, &wait);
}
