/* peer.c - a connection of a cig-server and its commands.  A call belongs to the
 * connection that opened it, and ends with it. */
#include "gateway/relay/relay_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/log.h"
#include "build-config.h"
#include "gateway/relay/command.h"
#include "gateway/relay/events.h"

enum {
	PROTOCOL_VERSION = 2, /* of gateway/relay_control.proto */
	PEER_QUEUE = 4096,    /* events that may wait for a slow cig-server */
};

static const char module[] = "Relay";

static void give_order(struct relay *relay, const struct call *call, struct order *order)
{
	worker_order(relay->threads[call->worker].worker, order);
}

/* Once: NOTICE_CLOSED follows.  A call that was opened and no more has no timeout of its own. */
static void close_call(struct relay *relay, struct call *call)
{
	if (call->close)
		give_order(relay, call, call->close);
	call->close = NULL;
}

/* The id is free from here on.  The thread still has the call, and NOTICE_CLOSED finds it by its
 * serial number. */
void peer_detach(struct call *call)
{
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	idmap_remove(&call->peer->calls, &call->by_id);
	call->peer = NULL;
}

void peer_drop(struct peer *peer, const char *why)
{
	struct relay *relay = peer->relay;
	unsigned ended = 0;

	while (peer->first) {
		struct call *call = peer->first;

		peer_detach(call);
		close_call(relay, call);
		ended++;
	}
	log_info(module, "connection closed: %s; calls ended: %u", why, ended);
	*peer->link = peer->next;
	if (peer->next)
		peer->next->link = peer->link;
	channel_free(&peer->channel);
	idmap_done(&peer->calls);
	free(peer);
}

static struct call *find_call(const struct peer *peer, uint64_t id)
{
	struct idmap_node *node = idmap_first(&peer->calls, id);

	return node ? IDMAP_OWNER(node, struct call, by_id) : NULL;
}

/* A look at each thread for a call: they are as few as processors. */
static unsigned idlest_thread(const struct relay *relay)
{
	unsigned best = 0;

	for (unsigned i = 1; i < relay->n_threads; i++)
		if (relay->threads[i].calls < relay->threads[best].calls)
			best = i;
	return best;
}

/* Would a further call harm those that are up?  The threads share the calls evenly, so the
 * idlest one speaks for all. */
static bool is_busy(struct relay *relay)
{
	const struct thread *thread = &relay->threads[idlest_thread(relay)];
	bool was_busy = relay->busy[0];

	if (!load_refuses(&thread->load, thread->calls, relay->max_load, clock_mono_ms(),
			  relay->busy))
		return false;
	relay->refused++;
	if (!was_busy)
		log_warn(module, "calls are refused: %s", relay->busy);
	return true;
}

static void add_call(struct peer *peer, struct call *call, uint64_t id)
{
	struct relay *relay = peer->relay;

	call->peer = peer;
	call->next = peer->first;
	call->link = &peer->first;
	if (call->next)
		call->next->link = &call->next;
	peer->first = call;
	idmap_put(&peer->calls, &call->by_id, id);
	/* Serial numbers are never used again: a late notice cannot meet another call. */
	idmap_put(&relay->by_serial, &call->by_serial, ++relay->last_serial);
	relay->threads[call->worker].calls++;
	relay->n_calls++;
}

/* Takes sockets of the idlest thread; of another one where a range has no port
 * left for a further thread's own socket. */
static int take_sockets(struct relay *relay, const struct command_open *open, struct call *call)
{
	unsigned first = idlest_thread(relay);
	int err = -EADDRINUSE;

	for (unsigned i = 0; i < relay->n_threads && err == -EADDRINUSE; i++) {
		call->worker = (first + i) % relay->n_threads;
		err = sockets_take(relay->sockets, call->worker, open, &call->sockets);
	}
	return err;
}

static int send_opened(struct peer *peer, uint64_t id, const struct call *call)
{
	Relay__Opened opened = RELAY__OPENED__INIT;
	Relay__Event event = RELAY__EVENT__INIT;

	opened.call_id = id;
	opened.plain_port = call->sockets.rtp_port;
	opened.secure_port = call->sockets.trunk_port;
	event.of_case = RELAY__EVENT__OF_OPENED;
	event.opened = &opened;
	return events_send(peer->channel, &event);
}

int peer_refuse(struct peer *peer, uint64_t id, Relay__Failed__Reason reason, const char *text)
{
	log_warn(module, "call=%016" PRIx64 " refused: %s", id, text);
	return events_failed(peer->channel, id, reason, text);
}

/* Everything that may fail is done before the call exists. */
static int start_call(struct peer *peer, uint64_t id, const struct command_open *open,
		      int *sockets_err_out)
{
	struct relay *relay = peer->relay;
	struct call *call = calloc(1, sizeof(*call));
	struct order *order = calloc(1, sizeof(*order));
	struct notice *closed = calloc(1, sizeof(*closed));
	struct order *close = calloc(1, sizeof(*close));
	bool have_all = call && order && closed && close;

	*sockets_err_out = have_all ? take_sockets(relay, open, call) : -ENOMEM;
	if (*sockets_err_out) {
		free(close);
		free(call);
		free(order);
		free(closed);
		return 0;
	}
	add_call(peer, call, id);
	closed->kind = NOTICE_CLOSED;
	closed->serial = call->by_serial.key;
	close->kind = ORDER_CLOSE;
	close->serial = call->by_serial.key;
	call->close = close;
	order->kind = ORDER_OPEN;
	order->serial = call->by_serial.key;
	order->open = (struct order_open){ .rtp_fd = call->sockets.rtp_fd,
					   .rtcp_fd = call->sockets.rtcp_fd,
					   .trunk_fd = call->sockets.trunk_fd,
					   .timeout_ms = open->timeout_ms,
					   .closed = closed };
	give_order(relay, call, order);
	log_info(module, "call=%016" PRIx64 " opened port=%u thread=%u", id, call->sockets.rtp_port,
		 call->worker);
	return send_opened(peer, id, call);
}

static int on_open(struct peer *peer, const Relay__Open *in)
{
	struct command_open open;
	char text[COMMAND_TEXT];
	int sockets_err, err;

	if (find_call(peer, in->call_id))
		return peer_refuse(peer, in->call_id, RELAY__FAILED__REASON__ALREADY,
				   "call_id: in use");
	if (peer->relay->n_calls >= peer->relay->max_calls)
		return peer_refuse(peer, in->call_id, RELAY__FAILED__REASON__FULL,
				   "too many calls");
	if (is_busy(peer->relay))
		return events_failed(peer->channel, in->call_id, RELAY__FAILED__REASON__BUSY,
				     peer->relay->busy);
	if (command_open(in, &open, text))
		return peer_refuse(peer, in->call_id, RELAY__FAILED__REASON__BAD_COMMAND, text);
	err = start_call(peer, in->call_id, &open, &sockets_err);
	if (sockets_err == 0)
		return err;
	sockets_say(sockets_err, text);
	return peer_refuse(peer, in->call_id,
			   sockets_err == -EADDRINUSE ? RELAY__FAILED__REASON__PORTS_EXHAUSTED
			   : sockets_err == -EINVAL   ? RELAY__FAILED__REASON__BAD_COMMAND
						      : RELAY__FAILED__REASON__FULL,
			   text);
}

/* Fills in an order's content. */
static int fill_order(const Relay__Command *in, struct order *order, char text[COMMAND_TEXT])
{
	switch (in->of_case) {
	case RELAY__COMMAND__OF_SET_PLAIN:
		order->kind = ORDER_SET_PLAIN;
		return command_set_plain(in->set_plain, &order->plain, text);
	case RELAY__COMMAND__OF_SET_SECURE:
		order->kind = ORDER_SET_SECURE;
		return command_set_secure(in->set_secure, &order->secure, text);
	case RELAY__COMMAND__OF_SEND_DIGIT:
		order->kind = ORDER_DIGIT;
		return command_send_digit(in->send_digit, &order->digit, text);
	case RELAY__COMMAND__OF_ANSWERED:
		order->kind = ORDER_ANSWERED;
		return 0;
	case RELAY__COMMAND__OF_STATS_REQUEST:
		order->kind = ORDER_STATS;
		return 0;
	default: /* on_command() and on_call_command() have the others */
		snprintf(text, COMMAND_TEXT, "no order for a call");
		return -EINVAL;
	}
}

static int on_call_command(struct peer *peer, const Relay__Command *in)
{
	uint64_t id = command_call_id(in);
	struct call *call = find_call(peer, id);
	char text[COMMAND_TEXT];
	struct order *order;

	if (!call)
		return events_failed(peer->channel, id, RELAY__FAILED__REASON__UNKNOWN_CALL,
				     "call_id: unknown");
	if (in->of_case == RELAY__COMMAND__OF_CLOSE) {
		close_call(peer->relay, call);
		return 0;
	}
	order = calloc(1, sizeof(*order));
	if (!order)
		return peer_refuse(peer, id, RELAY__FAILED__REASON__FULL, "out of memory");
	order->serial = call->by_serial.key;
	if (fill_order(in, order, text)) {
		OPENSSL_cleanse(order, sizeof(*order)); /* keys, where a later field was wrong */
		free(order);
		return peer_refuse(peer, id, RELAY__FAILED__REASON__BAD_COMMAND, text);
	}
	give_order(peer->relay, call, order);
	return 0;
}

static int on_hello(struct peer *peer, const Relay__Hello *in)
{
	Relay__Welcome welcome = RELAY__WELCOME__INIT;
	Relay__Event event = RELAY__EVENT__INIT;
	char program[] = "cig-relay " PACKAGE_VERSION;

	if (peer->greeted || in->version != PROTOCOL_VERSION)
		/* There is one version: the two programs come from one package. */
		return -EPROTO;
	peer->greeted = true;
	log_info(module, "connection from %s", in->program);
	welcome.version = PROTOCOL_VERSION;
	welcome.program = program;
	welcome.pid = (uint32_t)getpid();
	welcome.capacity = peer->relay->max_calls;
	welcome.threads = peer->relay->n_threads;
	event.of_case = RELAY__EVENT__OF_WELCOME;
	event.welcome = &welcome;
	return events_send(peer->channel, &event);
}

/* The worst of all threads: a call may be in any of them. */
static void tell_load(const struct relay *relay, Relay__Polled *polled)
{
	for (unsigned i = 0; i < relay->n_threads; i++) {
		const struct load_figures *load = &relay->threads[i].load.now;

		if (load->cpu_percent > polled->cpu_percent)
			polled->cpu_percent = load->cpu_percent;
		if (load->late_ms > polled->late_ms)
			polled->late_ms = load->late_ms;
		if (i == 0 || (uint32_t)load->complexity < polled->complexity)
			polled->complexity = (uint32_t)load->complexity;
		polled->talking += load->talking;
		polled->dropped += load->dropped;
	}
}

static int on_poll(struct peer *peer, const Relay__Poll *in)
{
	Relay__Polled polled = RELAY__POLLED__INIT;
	Relay__Event event = RELAY__EVENT__INIT;

	polled.number = in->number;
	polled.calls = peer->relay->n_calls;
	polled.refused = peer->relay->refused;
	polled.busy = peer->relay->busy;
	tell_load(peer->relay, &polled);
	event.of_case = RELAY__EVENT__OF_POLLED;
	event.polled = &polled;
	return events_send(peer->channel, &event);
}

static int on_command(struct peer *peer, const Relay__Command *in)
{
	if (in->of_case == RELAY__COMMAND__OF_HELLO)
		return on_hello(peer, in->hello);
	if (!peer->greeted)
		return -EPROTO;
	switch (in->of_case) {
	case RELAY__COMMAND__OF_OPEN:
		return on_open(peer, in->open);
	case RELAY__COMMAND__OF_POLL:
		return on_poll(peer, in->poll);
	case RELAY__COMMAND__OF__NOT_SET:
		return 0; /* of a later version */
	default:
		return on_call_command(peer, in);
	}
}

static void on_message(void *arg, struct slice message)
{
	struct peer *peer = arg;
	Relay__Command *in = relay__command__unpack(NULL, message.n, message.p);
	/* A message that is no protobuf of ours ends the connection: what follows it cannot be
	 * trusted to be a message, either. */
	int err = in ? on_command(peer, in) : -EBADMSG;

	peer->heard_ms = clock_mono_ms();
	/* As soon as the order has its copy: the keys lie nowhere else. */
	if (in) {
		command_wipe(in);
		relay__command__free_unpacked(in, NULL);
	}
	/* Last: nothing may look at peer behind it.  Other errors were answered. */
	if (err == -EPROTO || err == -EBADMSG)
		peer_drop(peer, "it does not speak this protocol");
	else if (err == -ENOBUFS)
		peer_drop(peer, "it does not read what it is told");
}

static void on_closed(void *arg, int err)
{
	peer_drop(arg, err ? strerror(-err) : "ended by cig-server");
}

static const struct channel_ops channel_ops = { on_message, on_closed };

void peer_new(struct relay *relay, int fd)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer || idmap_init(&peer->calls)) {
		free(peer);
		close(fd);
		return;
	}
	peer->relay = relay;
	peer->heard_ms = clock_mono_ms();
	peer->channel = channel_new(relay->base, fd, PEER_QUEUE, &channel_ops, peer);
	if (!peer->channel) {
		idmap_done(&peer->calls);
		free(peer);
		close(fd);
		return;
	}
	/* Commands come in bursts, and so do answers: one write for each turn of the loop. */
	channel_gather(peer->channel);
	peer->next = relay->peers;
	peer->link = &relay->peers;
	if (peer->next)
		peer->next->link = &peer->next;
	relay->peers = peer;
}
