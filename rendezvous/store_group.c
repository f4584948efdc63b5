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

static int append(struct store_group *group, const struct store_command *c,
		  const struct store_wait *model)
{
	struct store_wait *wait = calloc(1, sizeof(*wait));
	size_t before = group->n;

	if (!wait || write_command(group, c)) {
		free(wait);
		return -ENOMEM;
	}
	if (model)
		*wait = *model;
	wait->next = NULL;
	wait->adds = c->adds;
	wait->octets = group->n - before;
	if (!group->first)
		group->last = &group->first;
	*group->last = wait;
	group->last = &wait->next;
	group->commands++;
	group->writes = group->writes || !c->reads;
	return 0;
}

int store_send(struct store *store, const struct store_command *c, const struct store_wait *model)
{
	int err = store->up ? append(&store->group, c, model) : -EPIPE;

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
	if (store->lazy.commands >= STORE_DELETES_COMMANDS) {
		move_all(&store->group, &store->lazy);
		store_flush_soon(store);
	}
	(void)append(&store->lazy, c, NULL); /* what is not deleted is fetched and taken again */
}

static void add_deletes(struct store *store)
{
	store_end_deletes(store);
	move_all(&store->group, &store->lazy);
	store->deleted_to = 0;
}

void store_hurry_deletes(struct store *store)
{
	add_deletes(store);
	if (store->group.first)
		store_flush_soon(store);
}

/* ---- sending ---- */

/* An answer came: when it was the group's last one, the next group may go.  Under load
 * whoever was answered now will soon ask again. */
static void answered(struct store *store)
{
	store->waiting--;
	store->progress_ms = clock_mono_ms();
	if (store->waiting)
		return;
	if (store->last >= STORE_GATHER_COMMANDS) {
		store->gather = store->last;
		timer_arm(store->flush, STORE_GATHER_MS);
	}
	if (store->group.first)
		store_flush_soon(store);
}

/* The transaction's end: a list of all answers, or one error for all. */
static void executed(struct store *store, struct store_wait *wait, struct slice reply)
{
	struct slice rest = reply;
	struct resp_value head;
	bool list = resp_take(&rest, &head) > 0 && head.kind == RESP_LIST;

	while (wait) {
		struct store_wait *next = wait->next;
		struct slice own = reply;

		/* what is missing counts as lost */
		if (list && !resp_take_whole(&rest, &own))
			own = slice_of(NULL, 0);
		store_settle(store, wait, own);
		wait = next;
	}
}

void store_take_reply(struct store *store, struct slice reply)
{
	struct store_run *run = store->run;

	if (!run)
		return;
	if (run->quiet) {
		run->quiet--;
		if (store_error_of(reply))
			store_note_refusal(store, reply);
		return;
	}
	store->run = run->next;
	if (!store->run)
		store->last_run = &store->run;
	if (run->waits->next)
		executed(store, run->waits, reply);
	else
		store_settle(store, run->waits, reply);
	free(run);
	answered(store);
}

static void fail(struct store_wait *wait)
{
	while (wait) {
		struct store_wait *next = wait->next;

		if (wait->done)
			wait->done(wait->arg, -EPIPE, 0);
		store_free_wait(wait);
		wait = next;
	}
}

/* How many commands from wait on can be one transaction; a lone one needs none. */
static unsigned transaction_length(const struct store_wait *wait)
{
	unsigned commands = 0;
	size_t octets = 0;

	for (; wait && wait->adds && commands < STORE_TRANSACTION_COMMANDS; wait = wait->next) {
		octets += wait->octets;
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

/* Puts the commands of waits, which stand at octets, on the wire, alone or as a transaction;
 * the answer is theirs from here on.  0 or -errno. */
static int send_run(struct store *store, struct store_wait *waits, struct slice octets)
{
	struct store_run *run = calloc(1, sizeof(*run));
	int err = 0;

	if (!run) {
		fail(waits);
		return -ENOMEM;
	}
	run->waits = waits;
	*store->last_run = run;
	store->last_run = &run->next;
	store->waiting++;
	if (!waits->next)
		return store_wire_put(&store->wire, octets);
	run->quiet = 1;
	for (const struct store_wait *wait = waits; wait; wait = wait->next)
		run->quiet++;
	err = store_wire_put(&store->wire, multi);
	if (!err)
		err = store_wire_put(&store->wire, octets);
	return err ? err : store_wire_put(&store->wire, exec);
}

/* Sends all commands of the group, as few transactions as can be.  0 or -errno. */
static int send_runs(struct store *store, struct store_group *group)
{
	size_t at = 0;
	int err = 0;

	while (group->first && !err) {
		struct store_wait *run = cut(&group->first, transaction_length(group->first));
		size_t octets = 0;

		for (const struct store_wait *wait = run; wait; wait = wait->next)
			octets += wait->octets;
		err = send_run(store, run, slice_of(group->octets + at, octets));
		at += octets;
	}
	return err ? err : store_wire_flush(&store->wire);
}

/* Its room may serve the next group. */
static void give_back(struct store *store, const struct store_group *group)
{
	if (!store->group.octets && group->capacity <= STORE_SPARE_OCTETS) {
		store->group.octets = group->octets;
		store->group.capacity = group->capacity;
	} else {
		free(group->octets);
	}
}

void store_send_group(struct store *store)
{
	struct store_group group;
	int err;

	if (!store->up || store->waiting)
		return;
	if (store->group.writes)
		add_deletes(store);
	store->progress_ms = clock_mono_ms();
	group = store->group;
	store->last = group.commands;
	store->gather = 0;
	store->group = (struct store_group){ .first = NULL };
	err = send_runs(store, &group);
	fail(group.first);
	give_back(store, &group);
	if (err) /* half a transaction must not stay open */
		store->wire.lost(store->wire.arg);
}

static void fail_runs(struct store_run *run)
{
	while (run) {
		struct store_run *next = run->next;

		fail(run->waits);
		free(run);
		run = next;
	}
}

void store_fail_group(struct store *store)
{
	struct store_wait *first = store->group.first, *lazy = store->lazy.first;
	struct store_run *run = store->run;

	free(store->group.octets);
	free(store->lazy.octets);
	store->group = store->lazy = (struct store_group){ .first = NULL };
	store->deletes.n = 0;
	store->deletes.to = store->deleted_to = 0;
	store->gather = store->last = store->waiting = 0;
	store->run = NULL;
	store->last_run = &store->run;
	fail_runs(run);
	fail(first);
	fail(lazy);
}
