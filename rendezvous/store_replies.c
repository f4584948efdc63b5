/* store_replies.c - what Redis answers.
 *
 * Nothing of an answer is believed but its type: what lies in Redis may be of an older release,
 * or damaged. A message that cannot be read is left out, and its entry stays until its time is
 * over.
 */
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

/* Of "MILLISECONDS-COUNT" the number of the entry's first message, or 0. */
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
	/* What does not fit into a number's bits could be taken for another message. */
	if (*end || ms >> (64 - STORE_COUNT_BITS - STORE_ENTRY_SHIFT) || count >> STORE_COUNT_BITS)
		return 0;
	return (ms << STORE_COUNT_BITS | count) << STORE_ENTRY_SHIFT;
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

	/* Of a later release: left to that one. */
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

/* An entry on its way to who reads the stream. */
struct entry {
	struct store *store;
	const struct store_wait *wait;
	uint64_t first; /* its number */
	uint64_t taken; /* of its messages */
};

static uint64_t number_in(uint64_t first, unsigned index, bool last)
{
	return first | (uint64_t)index << 1 | last;
}

static void hand_on_message(void *arg, struct slice octets, unsigned index, bool last)
{
	const struct entry *entry = arg;
	const struct store_wait *wait = entry->wait;
	struct store_item item = { .number = number_in(entry->first, index, last) };

	/* An entry is read as a whole though the page begins within it, and although some of
	 * it is taken. */
	if (item.number > wait->page.after && !(entry->taken >> index & 1) &&
	    read_head(octets, &item))
		wait->item(wait->arg, &item);
}

/* One entry of XRANGE: [ id, [ "m", messages ] ].  Returns its number, 0: a strange one. */
static uint64_t hand_on_entry(struct store *store, const struct store_wait *wait,
			      const redisReply *reply)
{
	const redisReply *fields;
	struct entry entry = { .store = store, .wait = wait };
	int n;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return 0;
	entry.first = number_of(reply->element[0]);
	fields = reply->element[1];
	if (!entry.first || fields->type != REDIS_REPLY_ARRAY || fields->elements != 2 ||
	    fields->element[1]->type != REDIS_REPLY_STRING)
		return entry.first;
	entry.taken = store_taken_of(store, wait->stream, store_entry_of(entry.first));
	/* Its number is returned even if nothing in it can be read: the next page must go on
	 * behind it. */
	n = store_read_pack(text_of(fields->element[1]), hand_on_message, &entry);
	if (n > 1 && entry.taken)
		store_found_entry(store, wait->stream,
				  number_in(entry.first, (unsigned)n - 1, true));
	return entry.first;
}

/* Returns the number behind which to go on; 0: there was all. */
static uint64_t hand_on_stream(struct store *store, const struct store_wait *wait,
			       const redisReply *reply)
{
	uint64_t last = 0;

	for (size_t i = 0; i < reply->elements; i++) {
		uint64_t number = hand_on_entry(store, wait, reply->element[i]);

		if (number)
			last = number | STORE_ENTRY_END;
	}
	if (wait->page.to > last) /* there may be more, even if nothing is left up to there */
		last = wait->page.to | STORE_ENTRY_END;
	/* A page that is not full was the last one, unless it was asked to end early. */
	return reply->elements >= wait->page.count || wait->page.to ? last : 0;
}

/* HGETALL of what store_write_note() wrote. */
static void hand_on_notes(struct store *store, const struct store_wait *wait,
			  const redisReply *reply)
{
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		const char *entry = reply->element[i]->str, *taken = reply->element[i + 1]->str;

		if (entry && taken)
			store_note_taken(store, wait->stream, strtoull(entry, NULL, 10),
					 strtoull(taken, NULL, 10));
	}
}

static void hand_on_fields(const struct store_wait *wait, const redisReply *reply)
{
	if (wait->only) {
		/* HMGET answers NIL for a field that is not there: nobody is called. */
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

/* Returns the number for who waits. */
static uint64_t hand_on(struct store *store, const struct store_wait *wait, const redisReply *reply)
{
	if (wait->notes)
		hand_on_notes(store, wait, reply);
	else if (wait->item)
		return hand_on_stream(store, wait, reply);
	else if (wait->field)
		hand_on_fields(wait, reply);
	for (size_t i = 0; wait->part && i < reply->elements; i++)
		wait->part(wait->arg, wait->from + (uint32_t)i, text_of(reply->element[i]));
	return 0;
}

void store_free_wait(struct store_wait *wait)
{
	free(wait->account);
	free(wait->only);
	free(wait->stream);
	free(wait);
}

/* A number that cannot be had (32,768 entries in a millisecond, or since a clock was set back)
 * would be of a message that nobody finds: its sender is to post it again. */
static void tell_packed(const struct store_wait *wait, int err, uint64_t first)
{
	if (!err && !first)
		err = -ENOSPC;
	for (unsigned i = 0; i < wait->n_packed; i++) {
		const struct store_packed *packed = &wait->packed[i];

		if (packed->done)
			packed->done(packed->arg, err,
				     err ? 0 : number_in(first, i, i + 1 == wait->n_packed));
	}
}

void store_settle(struct store *store, struct store_wait *wait, const redisReply *reply)
{
	int err = store_error_of(reply);
	uint64_t number = 0;

	if (err == -EIO || err == -ENOSPC)
		store_note_refusal(store, reply);
	else if (!err && wait->adds) /* there is room again */
		store->complained = false;
	/* COPY answers 0 where there is nothing to copy. */
	if (!err && wait->must_act && reply->type == REDIS_REPLY_INTEGER && reply->integer == 0)
		err = -ENOENT;
	if (!err && reply->type == REDIS_REPLY_ARRAY)
		number = hand_on(store, wait, reply);
	if (wait->n_packed)
		tell_packed(wait, err, err ? 0 : number_of(reply));
	else if (wait->done)
		wait->done(wait->arg, err, number);
	store_free_wait(wait);
}
