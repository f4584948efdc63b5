/* relay_client.c - requests to crs-relay and their answers.
 *
 * A request is known by its number until its answer comes, and all of them end with an answer,
 * if it is NULL, so that no call waits for ever. Numbers are not used again on a new connection:
 * an answer can never be taken for another's.
 */
#include "rendezvous/relay_client.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/idmap.h"
#include "base/log.h"
#include "base/timer.h"

enum { REQUEST_OCTETS = 512, QUEUE_MESSAGES = 8192, PROTOCOL_VERSION = 1 };

struct pending {
	struct idmap_node node; /* by number */
	struct pending *next;
	int64_t sent_ms;
	relay_answer_fn *answer;
	void *arg;
	size_t key_n;
	uint8_t key[RELAY_KEY_MAX];
};

struct relay_client {
	struct event_base *base;
	char *path;
	struct channel *channel; /* NULL: not connected */
	bool up;                 /* the relay said hello */
	struct event *timer;
	struct idmap by_number;
	struct pending *oldest, **newest; /* in the order of sending */
	size_t waiting;
	uint32_t number;
	const struct relay_client_ops *ops;
	void *arg;
};

static void unlink_pending(struct relay_client *client, struct pending *pending)
{
	struct pending **at = &client->oldest;

	while (*at != pending)
		at = &(*at)->next;
	*at = pending->next;
	if (client->newest == &pending->next)
		client->newest = at;
	idmap_remove(&client->by_number, &pending->node);
	client->waiting--;
}

static void answer_all_by_null(struct relay_client *client)
{
	while (client->oldest) {
		struct pending *pending = client->oldest;

		unlink_pending(client, pending);
		if (pending->answer)
			pending->answer(pending->arg, slice_of(pending->key, pending->key_n), NULL);
		free(pending);
	}
}

static void lose(struct relay_client *client, const char *why)
{
	bool was_up = client->up;

	channel_free(&client->channel);
	client->up = false;
	if (was_up)
		log_warn("relay", "connection to crs-relay lost: %s", why);
	/* After the channel is gone: an answer may lead to another request, which must fail. */
	answer_all_by_null(client);
	if (was_up)
		client->ops->down(client->arg);
	/* Never at once: a relay that refuses us would be asked without end. */
	timer_arm(client->timer, RELAY_CONNECT_AGAIN_MS);
}

/* Only a list of relays comes in several replies. */
static bool last_reply(const CrsRelay__Reply *reply)
{
	return reply->body_case != CRS_RELAY__REPLY__BODY_RELAYS || !reply->relays->more;
}

static void take_reply(struct relay_client *client, const CrsRelay__Reply *reply)
{
	struct idmap_node *node = idmap_first(&client->by_number, reply->number);
	struct pending *pending;

	/* Nobody asked, or nobody waits any more: nothing of it can be used. */
	if (!node)
		return;
	pending = IDMAP_OWNER(node, struct pending, node);
	if (!last_reply(reply)) {
		if (pending->answer)
			pending->answer(pending->arg, slice_of(pending->key, pending->key_n),
					reply);
		return;
	}
	unlink_pending(client, pending);
	if (pending->answer)
		pending->answer(pending->arg, slice_of(pending->key, pending->key_n), reply);
	free(pending);
}

static void on_message(void *arg, struct slice message)
{
	struct relay_client *client = arg;
	CrsRelay__Reply *reply = crs_relay__reply__unpack(NULL, message.n, message.p);

	if (!reply) {
		lose(client, "an answer that cannot be read");
		return;
	}
	take_reply(client, reply);
	crs_relay__reply__free_unpacked(reply, NULL);
}

static void on_closed(void *arg, int err)
{
	lose(arg, err ? strerror(-err) : "closed");
}

static const struct channel_ops channel_ops = { .message = on_message, .closed = on_closed };

static void on_hello(void *arg, struct slice key, const CrsRelay__Reply *reply)
{
	struct relay_client *client = arg;

	(void)key;
	if (!reply)
		return;
	/* Another version: the connection stays as it is, and up stays false, until the relay
	 * is replaced. */
	if (reply->error) {
		log_warn("relay", "crs-relay refused: %s", reply->text);
		return;
	}
	if (reply->body_case != CRS_RELAY__REPLY__BODY_HELLO ||
	    reply->hello->version != PROTOCOL_VERSION) {
		log_warn("relay", "crs-relay speaks version %u, not %d: restart it",
			 reply->body_case == CRS_RELAY__REPLY__BODY_HELLO ? reply->hello->version
									  : 0,
			 PROTOCOL_VERSION);
		return;
	}
	client->up = true;
	log_info("relay", "connected to crs-relay");
	client->ops->up(client->arg);
}

static void greet(struct relay_client *client)
{
	CrsRelay__Request request = CRS_RELAY__REQUEST__INIT;
	CrsRelay__Hello hello = CRS_RELAY__HELLO__INIT;

	hello.version = PROTOCOL_VERSION;
	request.body_case = CRS_RELAY__REQUEST__BODY_HELLO;
	request.hello = &hello;
	/* Without it nothing else may be said, and nobody would ever say it again. */
	if (relay_client_send(client, &request, slice_str(""), on_hello, client))
		lose(client, "no hello");
}

static void try_connect(struct relay_client *client)
{
	int fd = channel_connect(client->path);

	if (fd >= 0) {
		client->channel =
			channel_new(client->base, fd, QUEUE_MESSAGES, &channel_ops, client);
		if (!client->channel)
			close(fd);
	}
	/* Before greet(), which may lose the connection and then sets the timer anew. */
	timer_arm(client->timer, client->channel ? RELAY_POLL_MS : RELAY_CONNECT_AGAIN_MS);
	if (client->channel)
		greet(client);
}

static void poll_relay(struct relay_client *client)
{
	CrsRelay__Request request = CRS_RELAY__REQUEST__INIT;
	CrsRelay__Poll poll = CRS_RELAY__POLL__INIT;

	/* The oldest is enough: they are in the order of sending. */
	if (client->oldest && clock_mono_ms() - client->oldest->sent_ms > RELAY_ANSWER_LIMIT_MS) {
		lose(client, "no answer");
		return;
	}
	request.body_case = CRS_RELAY__REQUEST__BODY_POLL;
	request.poll = &poll;
	/* Nobody waits for what it says: any answer shows that the relay lives. */
	if (client->up)
		relay_client_send(client, &request, slice_str(""), NULL, NULL);
	/* Sending may have found the end of the connection; lose() has set the timer then. */
	if (client->channel)
		timer_arm(client->timer, RELAY_POLL_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct relay_client *client = arg;

	(void)fd;
	(void)what;
	if (client->channel)
		poll_relay(client);
	else
		try_connect(client);
}

struct relay_client *relay_client_new(struct event_base *base, const char *path,
				      const struct relay_client_ops *ops, void *arg)
{
	struct relay_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	if (idmap_init(&client->by_number)) {
		free(client);
		return NULL;
	}
	client->base = base;
	client->ops = ops;
	client->arg = arg;
	client->newest = &client->oldest;
	client->path = strdup(path);
	client->timer = evtimer_new(base, on_timer, client);
	if (!client->path || !client->timer) {
		relay_client_free(&client);
		return NULL;
	}
	try_connect(client);
	return client;
}

void relay_client_free(struct relay_client **clientp)
{
	struct relay_client *client = *clientp;

	if (!client)
		return;
	while (client->oldest) {
		struct pending *pending = client->oldest;

		unlink_pending(client, pending);
		/* Without an answer: whoever asked is being freed, too. */
		free(pending);
	}
	channel_free(&client->channel);
	idmap_done(&client->by_number);
	if (client->timer)
		event_free(client->timer);
	free(client->path);
	free(client);
	*clientp = NULL;
}

bool relay_client_is_up(const struct relay_client *client)
{
	return client->up;
}

static struct pending *remember(struct relay_client *client, struct slice key,
				relay_answer_fn *answer, void *arg)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return NULL;
	pending->sent_ms = clock_mono_ms();
	pending->answer = answer;
	pending->arg = arg;
	pending->key_n = key.n < RELAY_KEY_MAX ? key.n : RELAY_KEY_MAX;
	if (pending->key_n)
		memcpy(pending->key, key.p, pending->key_n);
	/* 0 is what a reply without number has. */
	if (++client->number == 0)
		client->number = 1;
	idmap_put(&client->by_number, &pending->node, client->number);
	*client->newest = pending;
	client->newest = &pending->next;
	client->waiting++;
	return pending;
}

int relay_client_send(struct relay_client *client, CrsRelay__Request *request, struct slice key,
		      relay_answer_fn *answer, void *arg)
{
	uint8_t octets[REQUEST_OCTETS];
	struct pending *pending;
	int err;

	/* Nothing goes before the hello is answered: a relay of another version would
	 * misunderstand it. */
	if (!client->channel ||
	    (!client->up && request->body_case != CRS_RELAY__REQUEST__BODY_HELLO))
		return -EPIPE;
	if (client->waiting >= RELAY_REQUESTS_MAX)
		return -ENOBUFS;
	pending = remember(client, key, answer, arg);
	if (!pending)
		return -ENOMEM;
	request->number = client->number;
	if (crs_relay__request__get_packed_size(request) > sizeof(octets))
		err = -EMSGSIZE;
	else
		err = channel_send(client->channel,
				   slice_of(octets, crs_relay__request__pack(request, octets)));
	/* Told by the return value, so not by answer(). */
	if (err) {
		unlink_pending(client, pending);
		free(pending);
	}
	return err;
}
