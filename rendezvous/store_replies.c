/* store_replies.c - what Redis answers. */
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/log.h"
#include "rendezvous/store_priv.h"

enum { HEAD_VERSION = 1, CHANNEL_BIT = 0x80, ID_SIZE = 16 };

int store_error_of(struct slice reply)
{
	/* EXECABORT: a transaction of which a command was refused; only such as need room
	 * stand in one. */
	static const char *const no_room[] = { "OOM", "MISCONF", "NOSPACE", "EXECABORT" };
	struct resp_value value;

	if (resp_take(&reply, &value) <= 0)
		return -EPIPE;
	if (value.kind != RESP_ERROR)
		return 0;
	for (size_t i = 0; i < sizeof(no_room) / sizeof(*no_room); i++)
		if (slice_starts(value.text, no_room[i]))
			return -ENOSPC;
	return -EIO;
}

void store_note_refusal(struct store *store, struct slice reply)
{
	struct resp_value value;

	if (!store->complained && resp_take(&reply, &value) > 0)
		log_warn("store", "%s refused: %.*s", store->name, (int)value.text.n,
			 (const char *)value.text.p);
	store->complained = true;
}

/* Takes a text off reply, which holds one; empty where it does not. */
static struct slice take_text(struct slice *reply)
{
	struct resp_value value;

	if (resp_take(reply, &value) <= 0 || value.kind != RESP_TEXT)
		return slice_of(NULL, 0);
	return value.text;
}

/* Takes the digits at the beginning of text; false: none, or too many. */
static bool take_digits(struct slice *text, uint64_t *number_out)
{
	size_t n = 0;

	*number_out = 0;
	for (; n < text->n && text->p[n] >= '0' && text->p[n] <= '9'; n++)
		*number_out = *number_out * 10 + (uint64_t)(text->p[n] - '0');
	*text = slice_from(*text, n);
	return n > 0 && n < 20;
}

/* "MILLISECONDS-COUNT", or 0. */
static uint64_t number_of(struct slice text)
{
	uint64_t ms, count;

	if (!take_digits(&text, &ms) || text.n == 0 || text.p[0] != '-')
		return 0;
	text = slice_from(text, 1);
	if (!take_digits(&text, &count) || text.n > 0 || ms >> (64 - STORE_NUMBER_BITS) ||
	    count >> STORE_NUMBER_BITS)
		return 0;
	return ms << STORE_NUMBER_BITS | count;
}

int store_write_head(const struct store_item *item, uint8_t out[STORE_HEAD_MAX],
		     struct slice *head_out)
{
	struct buf b = buf_over(out, STORE_HEAD_MAX);

	buf_put_u8(&b, HEAD_VERSION);
	/* Messages of before channels have no such bit, and no such field. */
	buf_put_u8(&b, (uint8_t)(item->kind | (item->channel.n ? CHANNEL_BIT : 0)));
	buf_put_u32(&b, item->parts);
	buf_put_u64(&b, (uint64_t)item->end_s);
	buf_put_slice(&b, item->id);
	buf_put_l16(&b, item->sender);
	buf_put_l16(&b, item->account);
	if (item->channel.n)
		buf_put_l16(&b, item->channel);
	*head_out = buf_slice(&b);
	return buf_ok(&b) && item->id.n == ID_SIZE ? 0 : -EINVAL;
}

static bool read_head(struct slice octets, struct store_item *item)
{
	struct cursor c = cursor_of(octets);

	if (cursor_u8(&c) != HEAD_VERSION)
		return false;
	uint8_t kind = cursor_u8(&c);

	item->kind = kind & ~CHANNEL_BIT;
	item->parts = cursor_u32(&c);
	item->end_s = (int64_t)cursor_u64(&c);
	item->id = cursor_take(&c, ID_SIZE);
	item->sender = cursor_l16(&c);
	item->account = cursor_l16(&c);
	if (kind & CHANNEL_BIT)
		item->channel = cursor_l16(&c);
	item->post = slice_of(c.p, c.left);
	return cursor_ok(&c) && item->sender.n > 0;
}

/* Takes the head of a list; 0: it is none. */
static size_t take_list(struct slice *reply)
{
	struct resp_value value;

	if (resp_take(reply, &value) <= 0 || value.kind != RESP_LIST)
		return 0;
	return (size_t)value.number;
}

/* One entry of XRANGE: [ id, [ "m", message ] ]. */
static bool read_entry(struct slice entry, struct store_item *item)
{
	memset(item, 0, sizeof(*item));
	if (take_list(&entry) != 2)
		return false;
	item->number = number_of(take_text(&entry));
	if (!item->number || take_list(&entry) != 2)
		return false;
	take_text(&entry);
	return read_head(take_text(&entry), item);
}

static void hand_on_field(const struct store_wait *wait, struct slice name, struct slice value)
{
	char *name_text = strndup((const char *)name.p, name.n);
	char *value_text = strndup((const char *)value.p, value.n);

	if (name_text && value_text)
		wait->field(wait->arg, wait->what, wait->account, name_text, value_text);
	free(name_text);
	free(value_text);
}

/* HGETALL: names and values in turn; HMGET: the value of the one that was asked for. */
static void hand_on_fields(const struct store_wait *wait, struct slice list, size_t n)
{
	for (size_t i = 0; i + !wait->only < n; i += wait->only ? 1 : 2) {
		struct slice name = wait->only ? slice_str(wait->only) : take_text(&list);
		struct slice value = take_text(&list);

		if (name.p && value.p)
			hand_on_field(wait, name, value);
	}
}

static void hand_on(const struct store_wait *wait, struct slice reply)
{
	size_t n = take_list(&reply);

	if (wait->field) {
		hand_on_fields(wait, reply, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct slice entry;
		struct store_item item;

		if (!resp_take_whole(&reply, &entry))
			return;
		if (wait->item && read_entry(entry, &item))
			wait->item(wait->arg, &item);
		else if (wait->part)
			wait->part(wait->arg, wait->from + (uint32_t)i, take_text(&entry));
	}
}

void store_free_wait(struct store_wait *wait)
{
	free(wait->account);
	free(wait->only);
	free(wait);
}

void store_settle(struct store *store, struct store_wait *wait, struct slice reply)
{
	int err = store_error_of(reply);

	if (err == -EIO || err == -ENOSPC)
		store_note_refusal(store, reply);
	else if (!err)
		store->complained = false;
	if (!err && wait->must_act && slice_starts(reply, ":0\r"))
		err = -ENOENT;
	if (!err)
		hand_on(wait, reply);
	if (wait->done)
		wait->done(wait->arg, err, err ? 0 : number_of(take_text(&reply)));
	store_free_wait(wait);
}
