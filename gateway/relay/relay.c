/* relay.c - the main thread: it owns connections, calls' ports and numbers, and knows
 * of the threads only what their notices say. */
#include "gateway/relay/relay_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/listener.h"
#include "base/log.h"
#include "gateway/relay/events.h"

enum {
	/* A cig-server that has ended is known at once: its socket closes.  One that is silent may
	 * stand in a flush of a disk that stalls, and the system gives a disk minutes (30 s a try,
	 * and five of them again); its calls talk on meanwhile, and those whose people hung up end
	 * by lost media.  Who is silent for longer hangs. */
	PEER_SILENCE_MS = 300000,
	PEER_CHECK_MS = 1000,
};

static const char module[] = "Relay";

static void forget_call(struct relay *relay, struct call *call)
{
	/* The one place where a call ends for the main thread: its socket descriptors are closed
	 * by then. */
	relay->threads[call->worker].calls--;
	relay->n_calls--;
	sockets_give(&call->sockets);
	idmap_remove(&relay->by_serial, &call->by_serial);
	if (call->peer)
		peer_detach(call);
	free(call->close);
	free(call);
}

static Relay__Failed__Reason failure_of(const struct notice *n)
{
	if (n->only_digit)
		return RELAY__FAILED__REASON__DIGIT;
	if (n->err == -EALREADY)
		return RELAY__FAILED__REASON__ALREADY;
	return n->err == -ENOMEM || n->err == -ENOBUFS ? RELAY__FAILED__REASON__FULL
						       : RELAY__FAILED__REASON__BAD_COMMAND;
}

static const char *text_of(const struct notice *n)
{
	if (n->only_digit && n->err == -ENOBUFS)
		return "too many digits wait already";
	if (n->only_digit && n->err == -ENOTSUP)
		return "that side takes no digits";
	return strerror(-n->err);
}

static void log_end(uint64_t id, const struct notice *n)
{
	log_info(module,
		 "call=%016" PRIx64 " closed: %s; plain %s rx=%" PRIu64 " tx=%" PRIu64
		 " lost=%" PRIu64 "; secure %s rx=%" PRIu64 " tx=%" PRIu64 " lost=%" PRIu64
		 " auth-failures=%" PRIu64,
		 id, events_reason(n->reason), n->plain.codec ? n->plain.codec : "",
		 n->plain.stats.packets_received, n->plain.stats.packets_sent, n->plain.stats.lost,
		 n->secure.codec ? n->secure.codec : "", n->secure.stats.packets_received,
		 n->secure.stats.packets_sent, n->secure.stats.lost, n->secure.stats.auth_failures);
}

/* A notice for a connection that is gone goes nowhere.  One that cig-server does
 * not read is lost; on_message then finds its queue full and drops it. */
static void tell_peer(const struct call *call, const struct notice *n)
{
	struct channel *channel = call->peer->channel;
	uint64_t id = call->by_id.key;

	switch (n->kind) {
	case NOTICE_FAILED:
		(void)peer_refuse(call->peer, id, failure_of(n), text_of(n));
		break;
	case NOTICE_DIGIT:
		(void)events_digit(channel, id, n);
		break;
	case NOTICE_BOUND:
		(void)events_bound(channel, id);
		break;
	case NOTICE_STATS:
		(void)events_stats(channel, id, n);
		break;
	case NOTICE_CLOSED:
		(void)events_closed(channel, id, n);
		break;
	case NOTICE_LOAD: /* of no call: take_notice has it */
		break;
	}
}

static void take_notice(struct relay *relay, const struct notice *notice)
{
	struct idmap_node *node;
	struct call *call;

	if (notice->kind == NOTICE_LOAD) {
		load_view_take(&relay->threads[notice->thread].load, &notice->load,
			       clock_mono_ms());
		return;
	}
	node = idmap_first(&relay->by_serial, notice->serial);
	call = node ? IDMAP_OWNER(node, struct call, by_serial) : NULL;
	if (!call)
		return;
	if (call->peer)
		tell_peer(call, notice);
	if (notice->kind == NOTICE_CLOSED) {
		log_end(call->by_id.key, notice);
		forget_call(relay, call);
	}
}

static void take_notices(struct relay *relay)
{
	struct queue_node *node = queue_take(&relay->notices);

	while (node) {
		struct notice *notice = (struct notice *)node;

		node = node->next;
		take_notice(relay, notice);
		free(notice);
	}
}

static void on_notices(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	take_notices(arg);
}

/* After a refusal every thread must have some room again, not one call's: so it is told
 * once, not with each call that comes and goes. */
static void end_of_busy(struct relay *relay, int64_t now_ms)
{
	/* A sixteenth below the limit: at the limit itself every call that ends would let one in
	 * and be told as relief. */
	unsigned limit = relay->max_load - relay->max_load / LOAD_RELIEF_PART;
	char why[LOAD_TEXT];

	if (!relay->busy[0])
		return;
	for (unsigned i = 0; i < relay->n_threads; i++)
		if (load_refuses(&relay->threads[i].load, relay->threads[i].calls, limit, now_ms,
				 why))
			return;
	relay->busy[0] = '\0';
	log_info(module, "calls are taken again");
}

static void on_check(evutil_socket_t fd, short what, void *arg)
{
	struct relay *relay = arg;
	int64_t now_ms = clock_mono_ms();
	struct peer *peer = relay->peers;

	(void)fd;
	(void)what;
	end_of_busy(relay, now_ms);
	while (peer) {
		struct peer *next = peer->next;

		if (now_ms - peer->heard_ms >= PEER_SILENCE_MS)
			peer_drop(peer, "nothing came for five minutes");
		peer = next;
	}
}

static void on_connection(void *arg, int fd, const struct net_addr *from)
{
	(void)from;
	peer_new(arg, fd);
}

static int listen_at(struct relay *relay, const char *run_dir, struct diag *diag)
{
	int n = snprintf(relay->path, sizeof(relay->path), "%s/cig-relay.sock", run_dir);
	int fd;

	if (n < 0 || (size_t)n >= sizeof(relay->path)) {
		diag_error(diag, NULL, "%s: the path of the socket would be too long", run_dir);
		return -ENAMETOOLONG;
	}
	/* A socket file is left behind by a process that was killed: only one that answers is in
	 * use. */
	fd = channel_connect(relay->path);
	if (fd >= 0) {
		close(fd);
		relay->path[0] = '\0'; /* not ours to remove */
		diag_error(diag, NULL, "another cig-relay answers in %s", run_dir);
		return -EADDRINUSE;
	}
	fd = channel_listen(relay->path, 0600);
	if (fd < 0) {
		diag_error(diag, NULL, "%s: %s", relay->path, strerror(-fd));
		return fd;
	}
	relay->listener = listener_new(relay->base, fd, "Relay", on_connection, relay);
	if (!relay->listener) {
		close(fd);
		unlink(relay->path);
		return -ENOMEM;
	}
	return 0;
}

static int add_events(struct relay *relay)
{
	const struct timeval every = { PEER_CHECK_MS / 1000, 0 };

	relay->notice_event = event_new(relay->base, relay->notices.wake_fd, EV_READ | EV_PERSIST,
					on_notices, relay);
	relay->check_event = event_new(relay->base, -1, EV_PERSIST, on_check, relay);
	if (!relay->notice_event || !relay->check_event || event_add(relay->notice_event, NULL) ||
	    event_add(relay->check_event, &every))
		return -ENOMEM;
	return 0;
}

static int start_threads(struct relay *relay, unsigned threads)
{
	int err = queue_init(&relay->notices);

	if (err)
		return err;
	relay->has_queue = true;
	relay->threads = calloc(threads, sizeof(*relay->threads));
	relay->sockets = sockets_new(threads);
	err = relay->threads && relay->sockets ? idmap_init(&relay->by_serial) : -ENOMEM;
	while (!err && relay->n_threads < threads) {
		err = worker_start(&relay->notices, relay->n_threads,
				   &relay->threads[relay->n_threads].worker);
		relay->n_threads += !err;
	}
	return err;
}

int relay_new(struct event_base *base, const struct relay_config *config, struct diag *diag,
	      struct relay **relay_out)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	int err;

	if (!relay)
		return -ENOMEM;
	relay->base = base;
	relay->max_calls = config->max_calls;
	relay->max_load = config->max_load;
	err = listen_at(relay, config->run_dir, diag);
	if (!err) {
		err = start_threads(relay, config->threads);
		if (!err)
			err = add_events(relay);
		if (err)
			diag_error(diag, NULL, "cannot start: %s", strerror(-err));
	}
	if (err) {
		relay_free(&relay);
		return err;
	}
	*relay_out = relay;
	return 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void relay_free(struct relay **relayp)
{
	struct relay *relay = *relayp;

	if (!relay)
		return;
	*relayp = NULL;
	/* In this order: connections give up their calls, the threads end them and tell it, and
	 * what they told is taken while the calls' ports can still be given back. */
	while (relay->peers)
		peer_drop(relay->peers, "cig-relay ends");
	for (unsigned i = 0; i < relay->n_threads; i++)
		worker_stop(&relay->threads[i].worker);
	free_event(relay->notice_event);
	free_event(relay->check_event);
	if (relay->has_queue) {
		take_notices(relay);
		queue_done(&relay->notices);
	}
	idmap_done(&relay->by_serial);
	sockets_free(&relay->sockets);
	free(relay->threads);
	if (relay->listener)
		unlink(relay->path);
	listener_free(&relay->listener);
	free(relay);
}
