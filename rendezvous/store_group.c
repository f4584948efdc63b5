/* store_group.c - commands on their way: Redis flushes its file once for a group, and
 * while it does, the next group gathers.
 *
 * Redis reads 16 KiB of a connection at a time, runs the commands in it and flushes
 * before it reads on: 14 messages of 1 KiB, however many were sent together.  The commands
 * of a transaction run when its end is read, so one flush serves them all.
 */
#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/timer.h"
#include "rendezvous/store_priv.h"

enum { COUNT_TEXT = 24 }; /* '$' or '*', a number, CR LF */

static const struct slice multi = { (const uint8_t *)"*1\r\n$5\r\nMULTI\r\n", 15 };
static const struct slice exec = { (const uint8_t *)"*1\r\n$4\r\nEXEC\r\n", 14 };

/* ---- gathering ---- */

void store_flush_soon(struct store *store)
{
	/* One group at a time: what comes meanwhile is the next one, the larger the slower
	 * Redis is. */
	if (!store->waiting && store->group.commands >= store->gather)
		event_active(store->flush, EV_TIMEOUT, 1);
}

static int make_room(struct store_group *group, size_t n)
{
	size_t capacity = group->capacity ? group->capacity : 4096;
	uint8_t *p;

	while (capacity - group->n < n)
		capacity *= 2;
	if (capacity == group->capacity)
		return 0;
	p = realloc(group->octets, capacity);
	if (!p)
		return -ENOMEM;
	group->octets = p;
	group->capacity = capacity;
	return 0;
}

static void put(struct store_group *group, const void *p, size_t n)
{
	if (n)
		memcpy(group->octets + group->n, p, n);
	group->n += n;
}

/* Redis's protocol: '*' and the number of words, '$' and the octets of one. */
static void put_count(struct store_group *group, char kind, size_t count)
{
	char text[COUNT_TEXT], *at = text + sizeof(text);

	*--at = '\n';
	*--at = '\r';
	do {
		*--at = (char)('0' + count % 10);
		count /= 10;
	} while (count);
	*--at = kind;
	put(group, at, (size_t)(text + sizeof(text) - at));
}

static int write_command(struct store_group *group, const struct store_command *c)
{
	size_t n = COUNT_TEXT + c->tail.n;

	for (unsigned i = 0; i < c->n; i++)
		n += c->word[i].n + COUNT_TEXT + 2;
	if (make_room(group, n))
		return -ENOMEM;
	put_count(group, '*', c->n);
	for (unsigned i = 0; i < c->n; i++) {
		struct slice tail = i + 1 == c->n ? c->tail : (struct slice){ NULL, 0 };

		put_count(group, '$', c->word[i].n + tail.n);
		put(group, c->word[i].p, c->word[i].n);
		put(group, tail.p, tail.n);
		put(group, "\r\n", 2);
	}
	return 0;
}

/* wait is the group's if 0 is returned. */
static int append(struct store_group *group, const struct store_command *c, struct store_wait *wait)
{
	size_t before = group->n;

	if (write_command(group, c))
		return -ENOMEM;
	wait->next = NULL;
	wait->adds = c->adds;
	wait->octets = group->n - before;
	if (!group->first)
		group->last = &group->first;
	*group->last = wait;
	group->last = &wait->next;
	/* A group that only reads costs no flush, and takes no deletions along. */
	group->writes = group->writes || !c->reads;
	return 0;
}

static int append_new(struct store_group *group, const struct store_command *c,
		      const struct store_wait *model)
{
	struct store_wait *wait = calloc(1, sizeof(*wait));

	if (wait && model)
		*wait = *model;
	if (!wait || append(group, c, wait)) {
		free(wait);
		return -ENOMEM;
	}
	group->commands++;
	return 0;
}

int store_append(struct store *store, const struct store_command *c, struct store_wait *wait)
{
	return append(&store->group, c, wait);
}

/* Packs stand behind other additions, for whatever else they would come too late. */
int store_send(struct store *store, const struct store_command *c, const struct store_wait *model)
{
	int err;

	if (!store->up)
		return -EPIPE;
	/* Whatever is not an addition may be about messages in a pack: they have to stand
	 * before it. */
	if (!c->adds)
		store_close_packs(store);
	err = append_new(&store->group, c, model);
	if (!err)
		store_flush_soon(store);
	return err;
}

/* Moves all commands of a group behind those of another one.  Without memory they stay. */
static void move_all(struct store_group *to, struct store_group *from)
{
	if (!from->first || make_room(to, from->n))
		return;
	put(to, from->octets, from->n);
	if (!to->first)
		to->last = &to->first;
	*to->last = from->first;
	to->last = from->last;
	to->commands += from->commands;
	to->writes = true;
	from->first = NULL;
	from->n = 0;
	from->commands = 0;
}

void store_send_lazily(struct store *store, const struct store_command *c)
{
	/* Enough for a group of their own. */
	if (store->lazy.commands >= STORE_DELETES_COMMANDS) {
		move_all(&store->group, &store->lazy);
		store_flush_soon(store);
	}
	(void)append_new(&store->lazy, c,
			 NULL); /* what is not deleted is fetched and taken again */
}

static void add_deletes(struct store *store)
{
	store_end_deletes(store);
	move_all(&store->group, &store->lazy);
	/* Nothing waits any more, so no reader has to. */
	store->deleted_to = 0;
}

void store_hurry_deletes(struct store *store)
{
	add_deletes(store);
	if (store->group.commands)
		store_flush_soon(store);
}

/* ---- sending ---- */

/* An answer came: when it was the group's last one, the next group may go.  Under load
 * whoever was answered now will soon ask again. */
static void answered(struct store *store, bool connected)
{
	store->waiting--;
	store->progress_ms = clock_mono_ms();
	/* Without a connection store_fail_group() does the rest. */
	if (!connected || store->waiting)
		return;
	if (store->last >= STORE_GATHER_COMMANDS) {
		store->gather = store->last;
		timer_arm(store->flush, STORE_GATHER_MS);
	}
	if (store->group.commands)
		store_flush_soon(store);
}

static void on_reply(redisAsyncContext *redis, void *reply, void *wait)
{
	/* First, so that what is asked because of this answer is in the next group. */
	store_settle(redis->data, wait, reply);
	answered(redis->data, reply != NULL);
}

/* MULTI, or a command that waits for EXEC. */
static void on_queued(redisAsyncContext *redis, void *reply, void *nothing)
{
	(void)nothing;
	if (reply && store_error_of(reply))
		store_note_refusal(redis->data, reply);
}

/* The transaction's end: a list of all answers, or one error for all. */
static void on_executed(redisAsyncContext *redis, void *r, void *waits)
{
	const redisReply *reply = r;
	struct store_wait *wait = waits;

	for (size_t i = 0; wait; i++) {
		struct store_wait *next = wait->next;
		/* An error is everybody's. An answer that is missing counts as a lost connection:
		 * its message is posted again, and known if it is there. */
		const redisReply *own = reply;

		if (reply && reply->type != REDIS_REPLY_ERROR)
			own = reply->type == REDIS_REPLY_ARRAY && i < reply->elements
				      ? reply->element[i]
				      : NULL;
		store_settle(redis->data, wait, own);
		wait = next;
	}
	answered(redis->data, reply != NULL);
}

static void fail(struct store *store, struct store_wait *wait)
{
	while (wait) {
		struct store_wait *next = wait->next;

		store_settle(store, wait, NULL);
		wait = next;
	}
}

static bool write_to(struct store *store, redisCallbackFn *then, void *arg, struct slice command)
{
	return redisAsyncFormattedCommand(store->redis, then, arg, (const char *)command.p,
					  command.n) == REDIS_OK;
}

/* How many commands from wait on can be one transaction; a lone one needs none. */
static unsigned transaction_length(const struct store_wait *wait)
{
	unsigned commands = 0;
	size_t octets = 0;

	for (; wait && wait->adds && commands < STORE_TRANSACTION_COMMANDS; wait = wait->next) {
		octets += wait->octets;
		/* One that is too large for any transaction goes alone. */
		if (commands && octets > STORE_TRANSACTION_OCTETS)
			break;
		commands++;
	}
	return commands > 1 ? commands : 1;
}

/* The first n waits leave the list *from; returns them as a list of their own. */
static struct store_wait *cut(struct store_wait **from, unsigned n)
{
	struct store_wait *first = *from, *last = first;

	while (--n)
		last = last->next;
	*from = last->next;
	last->next = NULL;
	return first;
}

/* Sends the commands of waits, which stand at octets, alone or as a transaction. */
static bool send_run(struct store *store, struct store_wait *waits, const uint8_t *octets)
{
	bool good;

	if (!waits->next)
		return write_to(store, on_reply, waits, slice_of(octets, waits->octets));
	/* Three writes and more are one packet: hiredis gathers them until the loop writes. */
	good = write_to(store, on_queued, NULL, multi);
	for (const struct store_wait *wait = waits; good && wait; wait = wait->next) {
		good = write_to(store, on_queued, NULL, slice_of(octets, wait->octets));
		octets += wait->octets;
	}
	return good && write_to(store, on_executed, waits, exec);
}

void store_send_group(struct store *store)
{
	struct store_group group;
	size_t at = 0;

	if (!store->up || store->waiting)
		return;
	/* Packs first: they may be what makes this a group that writes, and takes the
	 * deletions along. */
	store_close_packs(store);
	if (store->group.writes)
		add_deletes(store);
	store->progress_ms = clock_mono_ms();
	group = store->group;
	store->last = group.commands;
	store->gather = 0;
	/* From here on what callbacks ask belongs to the next group. */
	store->group = (struct store_group){ .first = NULL };
	while (group.first) {
		struct store_wait *run = cut(&group.first, transaction_length(group.first));
		size_t octets = 0;

		for (const struct store_wait *wait = run; wait; wait = wait->next)
			octets += wait->octets;
		if (store->redis && send_run(store, run, group.octets + at)) {
			store->waiting++; /* run is the answer's from here on */
		} else {
			/* half a transaction must not stay open */
			if (store->redis)
				redisAsyncDisconnect(store->redis);
			fail(store, run);
		}
		at += octets;
	}
	/* The room is used again unless a callback has begun the next group, or a burst made
	 * it large. */
	if (!store->group.octets && group.capacity <= STORE_SPARE_OCTETS) {
		store->group.octets = group.octets;
		store->group.capacity = group.capacity;
	} else {
		free(group.octets);
	}
	store_settle_unsent(store);
}

void store_fail_group(struct store *store)
{
	struct store_wait *first = store->group.first, *lazy = store->lazy.first;

	free(store->group.octets);
	free(store->lazy.octets);
	store->group = store->lazy = (struct store_group){ .first = NULL };
	/* Deletions that are lost are made up for when the messages are fetched again. */
	store->deletes.n = store->deletes.n_noted = 0;
	store->deletes.to = store->deleted_to = 0;
	store_forget_partials(store);
	store->gather = store->last = 0;
	/* Last: who is told may ask again, and must find nothing half done. */
	fail(store, first);
	fail(store, lazy);
	store_fail_packs(store);
}
