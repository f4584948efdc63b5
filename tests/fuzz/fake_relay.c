/* fake_relay.c - relay_client.h around a relay's own table: its true answers, which come when
 * the fake worker's turn does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/fuzz/fake_worker.h"

static void expect(bool holds)
{
	if (!holds)
		abort();
}

bool relay_client_is_up(const struct relay_client *client)
{
	return ((const struct worker *)(const void *)client)->relay_up;
}

static void keep_reply(void *arg, struct slice reply, bool more)
{
	struct fake_event *event = arg;

	(void)more;
	expect(reply.n <= sizeof(event->reply));
	memcpy(event->reply, reply.p, reply.n);
	event->reply_n = reply.n;
}

/* A relay's true answer. */
int relay_client_send(struct relay_client *client, CrsRelay__Request *request, struct slice key,
		      relay_answer_fn *answer_fn, void *arg)
{
	struct worker *worker = (struct worker *)(void *)client;
	unsigned ended[RELAY_TYPE_COUNT] = { 0 };
	struct fake_event *event;

	if (!worker->relay_up)
		return -EPIPE;
	event = fake_worker_add_event(worker);
	if (!event)
		return -ENOMEM;
	expect(key.n <= sizeof(event->key));
	if (key.n)
		memcpy(event->key, key.p, key.n);
	event->key_n = key.n;
	relay_request_run(worker->relay_table, request, 146, clock_mono_ms(), ended, keep_reply,
			  event);
	event->answer = answer_fn;
	event->arg = arg;
	return 0;
}
