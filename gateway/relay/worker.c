/* worker.c - a turn of the loop is: wait, packets, timer, orders, flush (see
 * run_turn). */
#include "gateway/relay/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "gateway/relay/call.h"
#include "media/rtp.h"

enum {
	WHEEL_SLOTS = 4, /* calls are spread over them, so that not all are due at once */
	SLOT_MS = LEG_TICK_MS / WHEEL_SLOTS,
	EVENTS = 256,
	BATCHES_PER_WAKE = 8, /* of one socket, before the others get their turn */
	MANY_CALLS = 50,      /* from here on packets are taken two milliseconds' worth at a time */
	GATHER_NS = 2000000,
};

struct worker {
	pthread_t thread;
	struct queue orders, *notices;
	struct order *stop; /* the last order; made at the start, so that it can always be given */
	struct watch queue_watch, timer_watch;
	int epoll_fd;
	bool stopping;
	int64_t now_ms;
	struct udp_inbox *inbox;
	struct trunk trunks[WORKER_MAX_TRUNKS];
	size_t n_trunks;
	struct idmap by_serial, by_own_ssrc, by_peer_ssrc;
	struct relay_call *wheel[WHEEL_SLOTS];
	uint64_t slot;          /* the next one that is due */
	uint64_t due;           /* how often the timer has gone off */
	int64_t slots_since_ms; /* when it did so for the first time */
	size_t n_calls;
	unsigned index;
	struct load_meter meter;
	uint64_t dropped; /* on the plain side, of calls that may have ended */
};

static int watch(struct worker *w, struct watch *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, what->fd, &event) < 0 ? -errno : 0;
}

/* The trunk with that socket; made at its first use.  The main thread opened it and does not
 * touch it any more. */
static struct trunk *find_trunk(struct worker *w, int fd)
{
	struct trunk *t = w->trunks;

	for (; t < w->trunks + w->n_trunks; t++)
		if (t->watch.fd == fd)
			return t;
	if (w->n_trunks == WORKER_MAX_TRUNKS)
		return NULL;
	t->watch = (struct watch){ WATCH_TRUNK, fd, t };
	t->outbox = udp_outbox_new(fd);
	if (!t->outbox || watch(w, &t->watch)) {
		udp_outbox_free(&t->outbox);
		return NULL;
	}
	w->n_trunks++;
	return t;
}

static void into_wheel(struct worker *w, struct relay_call *call)
{
	/* Serial numbers are consecutive: the calls spread evenly. */
	struct relay_call **slot = &w->wheel[call->serial % WHEEL_SLOTS];

	call->next = *slot;
	call->link = slot;
	if (call->next)
		call->next->link = &call->next;
	*slot = call;
}

static void close_call(struct worker *w, struct relay_call *call, enum close_reason reason)
{
	w->n_calls--;
	w->dropped += relay_call_new_drops(call);
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	idmap_remove(&w->by_serial, &call->by_serial);
	if (call->has_ssrcs) {
		idmap_remove(&w->by_own_ssrc, &call->by_own_ssrc);
		idmap_remove(&w->by_peer_ssrc, &call->by_peer_ssrc);
	}
	relay_call_end(&call, reason);
}

static void open_call(struct worker *w, uint64_t serial, const struct order_open *open)
{
	struct trunk *trunk = find_trunk(w, open->trunk_fd);
	struct relay_call *call = relay_call_new(serial, open, trunk, w->notices);

	if (!call)
		return;
	idmap_put(&w->by_serial, &call->by_serial, serial);
	into_wheel(w, call);
	w->n_calls++;
	/* An open that fails ends like a call: the main thread has one way to learn of an end. */
	if (!trunk || watch(w, &call->rtp) || watch(w, &call->rtcp))
		close_call(w, call, CLOSE_FAULT);
}

static int set_secure(struct worker *w, struct relay_call *call, const struct order_secure *secure)
{
	int err = relay_call_set_secure(call, secure, w->now_ms);

	if (err)
		return err;
	idmap_put(&w->by_own_ssrc, &call->by_own_ssrc, secure->leg.own_ssrc);
	idmap_put(&w->by_peer_ssrc, &call->by_peer_ssrc, secure->leg.peer_ssrc);
	call->has_ssrcs = true;
	return 0;
}

static int carry_out(struct worker *w, struct relay_call *call, const struct order *order)
{
	switch (order->kind) {
	case ORDER_SET_PLAIN:
		return relay_call_set_plain(call, &order->plain, w->now_ms);
	case ORDER_SET_SECURE:
		return set_secure(w, call, &order->secure);
	case ORDER_ANSWERED:
		relay_call_answered(call, w->now_ms);
		return 0;
	case ORDER_DIGIT:
		return relay_call_send_digit(call, &order->digit);
	case ORDER_STATS:
		relay_call_tell_stats(call);
		return 0;
	case ORDER_CLOSE:
		close_call(w, call, CLOSE_REQUESTED);
		return 0;
	case ORDER_OPEN:
	case ORDER_STOP:
		break;
	}
	return -EINVAL;
}

static void tell_failed(struct worker *w, const struct order *order, int err)
{
	struct notice *notice = calloc(1, sizeof(*notice));

	if (!notice)
		return;
	notice->kind = NOTICE_FAILED;
	notice->serial = order->serial;
	notice->err = err;
	notice->only_digit = order->kind == ORDER_DIGIT;
	queue_put(w->notices, &notice->node);
}

static void take_order(struct worker *w, const struct order *order)
{
	struct idmap_node *node;
	int err;

	if (order->kind == ORDER_OPEN) {
		open_call(w, order->serial, &order->open);
		return;
	}
	if (order->kind == ORDER_STOP) {
		w->stopping = true;
		return;
	}
	node = idmap_first(&w->by_serial, order->serial);
	if (!node)
		return; /* it ended by itself; NOTICE_CLOSED is on its way */
	err = carry_out(w, IDMAP_OWNER(node, struct relay_call, by_serial), order);
	if (err)
		tell_failed(w, order, err);
}

static void take_orders(struct worker *w)
{
	struct queue_node *node = queue_take(&w->orders);

	while (node) {
		struct order *order = (struct order *)node;

		node = node->next;
		take_order(w, order);
		OPENSSL_cleanse(order, sizeof(*order)); /* keys */
		free(order);
	}
}

/* The call to whose leg a packet from the rendezvous belongs: STUN answers carry
 * our SSRC, media the peer's. */
static struct relay_call *find_by_ssrc(const struct worker *w, const struct trunk *trunk,
				       struct slice packet, const struct net_addr *from)
{
	bool own = packet_kind(packet) == PACKET_STUN;
	struct idmap_node *node =
		idmap_first(own ? &w->by_own_ssrc : &w->by_peer_ssrc, packet_ssrc(packet));

	for (; node; node = idmap_next(node)) {
		struct relay_call *call = own ? IDMAP_OWNER(node, struct relay_call, by_own_ssrc)
					      : IDMAP_OWNER(node, struct relay_call, by_peer_ssrc);

		/* A relay gives each SSRC once, but two relays know nothing of each other: the
		 * address tells their calls apart. */
		if (call->trunk == trunk && net_equal(&call->relay, from))
			return call;
	}
	return NULL;
}

static void receive_trunk(struct worker *w, struct trunk *trunk)
{
	/* Bounded: a flood on the trunk must not keep the PBXs' packets and the timer waiting. */
	for (int batch = 0; batch < BATCHES_PER_WAKE; batch++) {
		/* An error of a datagram socket is that of a packet that was sent (ICMP): it is
		 * over with the call that told it. */
		int n = udp_receive(w->inbox, trunk->watch.fd);

		for (int i = 0; i < n; i++) {
			struct relay_call *call;
			struct net_addr from;
			size_t octets;
			uint8_t *packet = udp_packet(w->inbox, i, &octets, &from);

			/* A packet of no call: of one that has just ended, mostly. */
			call = find_by_ssrc(w, trunk, slice_of(packet, octets), &from);
			if (call)
				relay_call_from_secure(call, packet, octets, w->now_ms);
		}
		if (n < UDP_BATCH)
			return;
	}
}

/* Where more than one packet waits, epoll says so again. */
static void receive_call(struct worker *w, struct relay_call *call, int fd)
{
	struct net_addr from;
	const uint8_t *packet;
	size_t octets;

	if (udp_receive_one(w->inbox, fd) != 1)
		return;
	packet = udp_packet(w->inbox, 0, &octets, &from);
	relay_call_from_plain(call, slice_of(packet, octets), &from, w->now_ms);
}

static void tick_slot(struct worker *w, struct relay_call *call)
{
	while (call) {
		/* The tick may end the call and free it. */
		struct relay_call *next = call->next;
		enum close_reason reason;

		relay_call_set_complexity(call, w->meter.complexity);
		if (relay_call_tick(call, w->now_ms, &reason))
			close_call(w, call, reason);
		call = next;
	}
}

static int64_t thread_cpu_ms(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* Walks the calls, so once a period only. */
static void count_calls(struct worker *w, struct load_figures *figures)
{
	for (int slot = 0; slot < WHEEL_SLOTS; slot++) {
		for (struct relay_call *call = w->wheel[slot]; call; call = call->next) {
			figures->talking += relay_call_talks(call);
			w->dropped += relay_call_new_drops(call);
		}
	}
	figures->dropped = w->dropped;
	for (size_t i = 0; i < w->n_trunks; i++)
		figures->dropped += udp_dropped(w->trunks[i].watch.fd);
}

static void weigh_load(struct worker *w)
{
	struct load_figures figures;
	struct notice *notice;

	if (!load_meter_take(&w->meter, w->now_ms, thread_cpu_ms(), &figures))
		return;
	count_calls(w, &figures);
	notice = calloc(1, sizeof(*notice));
	if (!notice)
		return; /* the figures before these stand for as long */
	notice->kind = NOTICE_LOAD;
	notice->thread = w->index;
	notice->load = figures;
	queue_put(w->notices, &notice->node);
}

static void on_timer(struct worker *w)
{
	uint64_t times = 0;

	if (read(w->timer_watch.fd, &times, sizeof(times)) != sizeof(times))
		return;
	/* From when the oldest of these slots was due; times says it in whole slots only. */
	load_meter_tick(&w->meter, w->now_ms - w->slots_since_ms - (int64_t)w->due * SLOT_MS);
	w->due += times;
	/* A whole turn at most: each leg is ticked once and makes up for the rest by now_ms. */
	if (times > WHEEL_SLOTS)
		times = WHEEL_SLOTS; /* we were stopped: legs catch up by the clock */
	/* Before the ticks, so that they use the complexity it decides. */
	weigh_load(w);
	for (; times > 0; times--)
		tick_slot(w, w->wheel[w->slot++ % WHEEL_SLOTS]);
}

static void serve(struct worker *w, const struct watch *what)
{
	switch (what->kind) {
	case WATCH_TIMER:
		on_timer(w);
		break;
	case WATCH_TRUNK:
		receive_trunk(w, what->owner);
		break;
	case WATCH_CALL:
		receive_call(w, what->owner, what->fd);
		break;
	case WATCH_QUEUE:
		break; /* run() takes the orders last */
	}
}

static void flush(struct worker *w)
{
	for (size_t i = 0; i < w->n_trunks; i++)
		udp_flush(w->trunks[i].outbox);
}

/* Calls are freed by orders and by the timer, so these two come when no event of
 * this turn is left that may point to a call. */
static void run_turn(struct worker *w)
{
	const struct timespec gather = { 0, GATHER_NS };
	struct epoll_event events[EVENTS];
	const struct watch *timer = NULL;
	int n;

	if (w->n_calls >= MANY_CALLS) /* fewer wake-ups halve the cost of a packet */
		(void)nanosleep(&gather, NULL);
	n = epoll_wait(w->epoll_fd, events, EVENTS, -1);
	w->now_ms = clock_mono_ms();
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == &w->timer_watch)
			timer = &w->timer_watch;
		else
			serve(w, events[i].data.ptr);
	}
	if (timer)
		serve(w, timer);
	take_orders(w);
	flush(w);
}

static void *run(void *arg)
{
	struct worker *w = arg;

	while (!w->stopping)
		run_turn(w);
	/* ORDER_STOP is the last: what came before it has been carried out. */
	for (int slot = 0; slot < WHEEL_SLOTS; slot++)
		while (w->wheel[slot])
			close_call(w, w->wheel[slot], CLOSE_REQUESTED);
	return NULL;
}

static int open_watches(struct worker *w)
{
	const struct itimerspec every = { { 0, SLOT_MS * 1000000 }, { 0, SLOT_MS * 1000000 } };
	int err;

	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll_fd < 0)
		return -errno;
	w->timer_watch =
		(struct watch){ WATCH_TIMER,
				timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), NULL };
	if (w->timer_watch.fd < 0 || timerfd_settime(w->timer_watch.fd, 0, &every, NULL) < 0)
		return -errno;
	w->slots_since_ms = clock_mono_ms() + SLOT_MS;
	err = queue_init(&w->orders);
	if (err)
		return err;
	w->queue_watch = (struct watch){ WATCH_QUEUE, w->orders.wake_fd, NULL };
	err = watch(w, &w->queue_watch);
	return err ? err : watch(w, &w->timer_watch);
}

static void destroy(struct worker *w)
{
	for (size_t i = 0; i < w->n_trunks; i++) {
		udp_outbox_free(&w->trunks[i].outbox);
		close(w->trunks[i].watch.fd);
	}
	free(w->stop);
	if (w->queue_watch.fd >= 0)
		queue_done(&w->orders);
	if (w->timer_watch.fd >= 0)
		close(w->timer_watch.fd);
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	idmap_done(&w->by_serial);
	idmap_done(&w->by_own_ssrc);
	idmap_done(&w->by_peer_ssrc);
	udp_inbox_free(&w->inbox);
	free(w);
}

int worker_start(struct queue *notices, unsigned index, struct worker **worker_out)
{
	struct worker *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->notices = notices;
	w->index = index;
	load_meter_init(&w->meter, clock_mono_ms(), 0);
	w->epoll_fd = w->timer_watch.fd = w->queue_watch.fd = -1;
	w->inbox = udp_inbox_new();
	w->stop = calloc(1, sizeof(*w->stop));
	err = idmap_init(&w->by_serial);
	if (!err)
		err = idmap_init(&w->by_own_ssrc);
	if (!err)
		err = idmap_init(&w->by_peer_ssrc);
	if (!err)
		err = w->inbox && w->stop ? open_watches(w) : -ENOMEM;
	if (!err)
		err = -pthread_create(&w->thread, NULL, run, w);
	if (err) {
		destroy(w);
		return err;
	}
	*worker_out = w;
	return 0;
}

void worker_order(struct worker *worker, struct order *order)
{
	queue_put(&worker->orders, &order->node);
}

void worker_stop(struct worker **workerp)
{
	struct worker *w = *workerp;
	struct order *stop;

	if (!w)
		return;
	*workerp = NULL;
	stop = w->stop;
	w->stop = NULL; /* the thread's from here on, which frees it */
	stop->kind = ORDER_STOP;
	worker_order(w, stop);
	pthread_join(w->thread, NULL);
	destroy(w);
}
