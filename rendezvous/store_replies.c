/* store_replies.c - what Redis answers. */
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/log.h"
#include "rendezvous/store_priv.h"

enum { HEAD_VERSION = 1, CHANNEL_BIT = 0x80, ID_SIZE = 16 };

int store_error_of(const redisReply *reply)
{
	/* EXECABORT: a transaction of which a command was refused; only such as need room
	 * stand in one. */
	static const char *const no_room[] = { "OOM", "MISCONF", "NOSPACE", "EXECABORT" };

	if (!reply)
		return -EPIPE;
	if (reply->type != REDIS_REPLY_ERROR)
		return 0;
	for (size_t i = 0; i < sizeof(no_room) / sizeof(*no_room); i++)
		if (strncmp(reply->str, no_room[i], strlen(no_room[i])) == 0)
			return -ENOSPC;
	return -EIO;
}

void store_note_refusal(struct store *store, const redisReply *reply)
{
	if (!store->complained)
		log_warn("store", "%s refused: %s", store->name, reply->str);
	store->complained = true;
}

static struct slice text_of(const redisReply *reply)
{
	return slice_of(reply->str, reply->len);
}

/* "MILLISECONDS-COUNT", or 0. */
static uint64_t number_of(const redisReply *reply)
{
	unsigned long long ms, count;
	char *end;

	if (reply->type != REDIS_REPLY_STRING || reply->len == 0)
		return 0;
	ms = strtoull(reply->str, &end, 10);
	if (*end != '-')
		return 0;
	count = strtoull(end + 1, &end, 10);
	if (*end || ms >> (64 - STORE_NUMBER_BITS) || count >> STORE_NUMBER_BITS)
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

/* One entry of XRANGE: [ id, [ "m", message ] ]. */
static bool read_entry(const redisReply *entry, struct store_item *item)
{
	const redisReply *fields;

	memset(item, 0, sizeof(*item));
	if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2)
		return false;
	item->number = number_of(entry->element[0]);
	fields = entry->element[1];
	return item->number && fields->type == REDIS_REPLY_ARRAY && fields->elements == 2 &&
	       fields->element[1]->type == REDIS_REPLY_STRING &&
	       read_head(text_of(fields->element[1]), item);
}

static void hand_on_fields(const struct store_wait *wait, const redisReply *reply)
{
	if (wait->only) {
		if (reply->elements == 1 && reply->element[0]->str)
			wait->field(wait->arg, wait->what, wait->account, wait->only,
				    reply->element[0]->str);
		return;
	}
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

void store_free_wait(struct store_wait *wait)
{
	free(wait->account);
	free(wait->only);
	free(wait);
}

void store_settle(struct store *store, struct store_wait *wait, const redisReply *reply)
{
	int err = store_error_of(reply);

	if (err == -EIO || err == -ENOSPC)
		store_note_refusal(store, reply);
	else if (!err)
		store->complained = false;
	if (!err && wait->must_act && reply->type == REDIS_REPLY_INTEGER && reply->integer == 0)
		err = -ENOENT;
	if (!err && reply->type == REDIS_REPLY_ARRAY)
		hand_on(wait, reply);
	if (wait->done)
		wait->done(wait->arg, err, err ? 0 : number_of(reply));
	store_free_wait(wait);
}
