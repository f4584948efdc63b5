/* worker.c - one worker process: its parts, put together.
 *
 * A worker has two halves: the holder has the connections of clients that the kernel gave it,
 * the home has the state of the URIs whose slots are its own (slot.h). They speak over the mesh
 * even where both are in one worker, so that there is one way only.
 *
 * It begins with a channel to the supervisor and nothing else; Setup says who it is. When that
 * channel closes the supervisor is gone, and the worker ends: nobody would start it again or
 * write its floors.
 */
#include "rendezvous/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <event2/event.h>

#include "base/channel.h"
#include "base/channel_pack.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "rendezvous/account_set.h"
#include "rendezvous/admin_set.h"
#include "rendezvous/client_policy.h"
#include "rendezvous/holder.h"
#include "rendezvous/home.h"
#include "rendezvous/mailboxes.h"
#include "rendezvous/mesh.h"
#include "rendezvous/passing.h"
#include "rendezvous/relay_client.h"
#include "rendezvous/roster.h"
#include "rendezvous/slot.h"
#include "rendezvous/store.h"
#include "rendezvous/updates.h"
#include "rendezvous/worker_priv.h"
#include "rendezvous/worker_queries.h"

enum {
	CONTROL_QUEUE = 65536, /* messages to the supervisor */
	STOP_LIMIT_MS = 3000,
};

struct event_base *worker_base(const struct worker *worker)
{
	return worker->base;
}

const CrsWorker__Setup *worker_setup(const struct worker *worker)
{
	return worker->setup;
}

const struct account_set *worker_accounts(const struct worker *worker)
{
	return worker->accounts;
}

const struct admin_set *worker_admins(const struct worker *worker)
{
	return worker->admins;
}

const struct client_policy *worker_policy(const struct worker *worker)
{
	return worker->policy;
}

struct roster *worker_roster(const struct worker *worker)
{
	return worker->roster;
}

struct updates *worker_updates(const struct worker *worker)
{
	return worker->updates;
}

struct store *worker_store(const struct worker *worker)
{
	return worker->store;
}

struct store *worker_cache(const struct worker *worker)
{
	return worker->cache;
}

struct relay_client *worker_relay(const struct worker *worker)
{
	return worker->relay;
}

const struct holder *worker_holder(const struct worker *worker)
{
	return worker->holder;
}

struct home *worker_home(const struct worker *worker)
{
	return worker->home;
}

void worker_figure(struct worker *worker, enum worker_figure figure)
{
	worker->figures[figure]++;
}

uint64_t worker_figure_value(const struct worker *worker, enum worker_figure figure)
{
	return worker->figures[figure];
}

unsigned worker_home_of(const struct worker *worker, struct slice uri)
{
	return slot_home(uri, worker->setup->workers);
}

int worker_send(struct worker *worker, unsigned to, const CrsWorker__Peer *message)
{
	return mesh_send(worker->mesh, to, message);
}

int worker_pass_up(struct worker *worker, unsigned to, const struct passed_up *up)
{
	uint8_t octets[PASSING_HEAD_MAX];
	struct slice head;
	int err = passing_write_up(up, octets, &head);

	return err ? err : mesh_pass(worker->mesh, to, head, up->frame);
}

int worker_pass_down(struct worker *worker, unsigned to, const struct passed_down *down)
{
	uint8_t octets[PASSING_HEAD_MAX];
	struct slice head;
	int err = passing_write_down(down, octets, &head);

	return err ? err : mesh_pass(worker->mesh, to, head, down->frame);
}

/* --- to the supervisor --- */

int worker_tell(struct worker *worker, const CrsWorker__Control *message)
{
	return channel_send_packed(worker->control, &message->base);
}

int worker_raise_floor(struct worker *worker, uint64_t ticket, const char *account, const char *uri,
		       uint32_t generation)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__FloorRaise raise = CRS_WORKER__FLOOR_RAISE__INIT;

	raise.ticket = ticket;
	raise.account = (char *)(uintptr_t)account;
	raise.uri = (char *)(uintptr_t)uri;
	raise.generation = generation;
	message.body_case = CRS_WORKER__CONTROL__BODY_FLOOR_RAISE;
	message.floor_raise = &raise;
	return worker_tell(worker, &message);
}

/* --- between workers --- */

static void on_peer_message(void *arg, unsigned from, const CrsWorker__Peer *m)
{
	struct worker *worker = arg;

	switch (m->body_case) {
	case CRS_WORKER__PEER__BODY_ATTACH:
		home_attach(worker->home, from, m->attach);
		break;
	case CRS_WORKER__PEER__BODY_ATTACHED:
		holder_attached(worker->holder, from, m->attached);
		break;
	case CRS_WORKER__PEER__BODY_DETACH:
		home_detach(worker->home, from, m->detach);
		break;
	case CRS_WORKER__PEER__BODY_UNREGISTER:
		holder_unregister(worker->holder, m->unregister);
		break;
	case CRS_WORKER__PEER__BODY_GROUP_CALL:
		home_group_call(worker->home, m->group_call);
		break;
	case CRS_WORKER__PEER__BODY_SESSION_LOST:
		home_session_lost(worker->home, from, m->session_lost);
		break;
	default:
		break;
	}
}

static void on_peer_frame(void *arg, unsigned from, struct slice octets)
{
	struct worker *worker = arg;
	struct passed_up up;
	struct passed_down down;

	switch (passing_read(octets, &up, &down)) {
	case PASSING_UP:
		home_up(worker->home, from, &up);
		break;
	case PASSING_DOWN:
		/* Copies for the members of a channel are posted by a home: the answers are
		 * its own, no client's. */
		if (home_is_copy(down.connection))
			home_copy_answered(worker->home, &down);
		else
			holder_down(worker->holder, from, &down);
		break;
	case PASSING_BAD:
		log_warn("worker", "worker %u: a frame that cannot be read", from);
	}
}

static void on_peer_up(void *arg, unsigned peer)
{
	struct worker *worker = arg;

	holder_home_up(worker->holder, peer);
}

static void on_peer_down(void *arg, unsigned peer)
{
	struct worker *worker = arg;

	log_warn("worker", "worker %u is gone", peer);
	/* Both halves of that worker: connections that it held, and the home that it was of
	 * ours. */
	home_holder_down(worker->home, peer);
	holder_home_down(worker->holder, peer);
}

static const struct mesh_ops mesh_ops = {
	.message = on_peer_message,
	.frame = on_peer_frame,
	.up = on_peer_up,
	.down = on_peer_down,
};

static void on_store_up(void *arg, uint64_t epoch)
{
	struct worker *worker = arg;

	/* Before anything that belongs to an account of the same name is written. */
	worker_forget_owed(worker);
	home_store_up(worker->home, epoch);
}

static void on_store_down(void *arg)
{
	struct worker *worker = arg;

	home_store_down(worker->home);
}

static const struct store_ops store_ops = { .up = on_store_up, .down = on_store_down };

static void on_cache_up(void *arg, uint64_t epoch)
{
	struct worker *worker = arg;

	(void)epoch;
	home_forget_old_relays(worker->home);
}

static void on_cache_down(void *arg)
{
	(void)arg; /* it is only a cache */
}

static const struct store_ops cache_ops = { .up = on_cache_up, .down = on_cache_down };

static void on_relay_up(void *arg)
{
	struct worker *worker = arg;

	/* Legs of calls that this worker's predecessor had: needs relay and cache, so both
	 * tell when they are there. */
	home_forget_old_relays(worker->home);
}

static void on_relay_down(void *arg)
{
	struct worker *worker = arg;

	home_relay_down(worker->home);
}

static const struct relay_client_ops relay_ops = { .up = on_relay_up, .down = on_relay_down };

/* --- life --- */

static void stop(struct worker *worker)
{
	if (worker->stop_ms)
		return;
	worker->stop_ms = clock_mono_ms();
	/* While the store is still connected: what is only counted here would be lost. */
	if (worker->home)
		home_flush_counters(worker->home);
	if (worker->holder)
		holder_stop(worker->holder);
	else
		event_base_loopbreak(worker->base);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;

	(void)fd;
	(void)what;
	home_tick(worker->home);
	holder_tick(worker->holder);
	worker_tick_accounts(worker);
	/* Clients are told before, and get a moment to go. */
	if (worker->stop_ms && (holder_count(worker->holder) == 0 ||
				clock_mono_ms() - worker->stop_ms > STOP_LIMIT_MS))
		event_base_loopbreak(worker->base);
}

static void on_term(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	stop(arg);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		/* If it fails, fewer clients fit: the listener copes with that. */
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int start_parts(struct worker *worker, struct diag *diag)
{
	const CrsWorker__Setup *setup = worker->setup;
	struct timeval tick = { 0, MAIL_TICK_MS * 1000 };
	int err = worker_load_accounts(worker);

	worker->policy = client_policy_unpack(setup);
	if (!err && !worker->policy)
		err = -ENOMEM;
	if (err) {
		diag_error(diag, NULL, "cannot load the accounts: %s", strerror(-err));
		return err;
	}
	/* The home first: everything else may call it as soon as the loop runs. */
	err = home_new(worker, &worker->home);
	if (!err)
		err = mesh_new(worker->base, setup->run_dir, setup->index, setup->workers,
			       &mesh_ops, worker, &worker->mesh);
	if (err)
		return err;
	worker->store = store_new(worker->base, setup->run_dir, "redis_low", &store_ops, worker);
	worker->cache = store_new(worker->base, setup->run_dir, "redis_high", &cache_ops, worker);
	worker->relay = relay_client_new(worker->base, setup->relay_socket, &relay_ops, worker);
	worker->tick = event_new(worker->base, -1, EV_PERSIST, on_tick, worker);
	if (!worker->store || !worker->cache || !worker->relay || !worker->tick)
		return -ENOMEM;
	event_add(worker->tick, &tick);
	/* Last: from here on clients come in. */
	return holder_new(worker, &worker->holder, diag);
}

static void say_pong(struct worker *worker)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Pong pong = CRS_WORKER__PONG__INIT;

	message.body_case = CRS_WORKER__CONTROL__BODY_PONG;
	message.pong = &pong;
	worker_tell(worker, &message);
}

static void say_ready(struct worker *worker)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Ready ready = CRS_WORKER__READY__INIT;

	message.body_case = CRS_WORKER__CONTROL__BODY_READY;
	message.ready = &ready;
	worker_tell(worker, &message);
}

/* Takes the setup over. */
static void start(struct worker *worker, CrsWorker__Setup *setup)
{
	struct diag *diag = diag_new();
	struct diag_item item;
	int err;

	worker->setup = setup;
	/* Without its log file the worker is still of use. */
	log_open(LOG_STYLE_CRS, setup->log_path[0] ? setup->log_path : NULL, NULL);
	log_set_verbose(setup->verbose);
	err = start_parts(worker, diag);
	if (err) {
		for (size_t i = 0; diag_get(diag, i, &item); i++)
			log_warn("worker", "%s", item.text);
		log_warn("worker", "worker %u cannot start: %s", setup->index, strerror(-err));
		worker->status = 1;
		event_base_loopbreak(worker->base);
	} else {
		say_ready(worker);
	}
	diag_free(&diag);
}

/* As floors_done_fn() was told. */
static int floor_error(const CrsWorker__FloorDone *done)
{
	if (!done->failed)
		return 0;
	return done->other_account ? -EACCES : -EIO;
}

/* What a worker that has its setup is told. */
static void obey(struct worker *worker, const CrsWorker__Control *m)
{
	switch (m->body_case) {
	case CRS_WORKER__CONTROL__BODY_PING:
		say_pong(worker);
		break;
	case CRS_WORKER__CONTROL__BODY_WORKER_UP:
		mesh_connect(worker->mesh, m->worker_up->index);
		break;
	case CRS_WORKER__CONTROL__BODY_RELOAD:
		worker_reload(worker);
		break;
	case CRS_WORKER__CONTROL__BODY_FORGET:
		worker_forget_account(worker, m->forget->account);
		break;
	case CRS_WORKER__CONTROL__BODY_REOPEN_LOG:
		log_reopen();
		break;
	case CRS_WORKER__CONTROL__BODY_STORE_ROOM:
		home_store_room(worker->home, m->store_room->refuse ? m->store_room->reason : NULL);
		break;
	case CRS_WORKER__CONTROL__BODY_TRACE_ON:
		worker_set_traced(worker, m->trace_on->elements);
		break;
	case CRS_WORKER__CONTROL__BODY_QUERY:
		worker_answer(worker, m->query);
		break;
	case CRS_WORKER__CONTROL__BODY_FLOOR_DONE:
		home_floor_done(worker->home, m->floor_done->ticket, floor_error(m->floor_done));
		break;
	case CRS_WORKER__CONTROL__BODY_EXPEL:
		holder_expel(worker->holder, m->expel);
		break;
	case CRS_WORKER__CONTROL__BODY_ADMIN_REPLY:
		holder_admin_reply(worker->holder, m->admin_reply);
		break;
	case CRS_WORKER__CONTROL__BODY_PUSH_GONE:
		if (worker_home_of(worker, slice_str(m->push_gone->uri)) == worker->setup->index)
			home_push_gone(worker->home, m->push_gone->account, m->push_gone->uri,
				       m->push_gone->when_ms);
		break;
	case CRS_WORKER__CONTROL__BODY_GUESTS:
		home_announce_guests(worker->home, m->guests->account, m->guests->id);
		break;
	default:
		break;
	}
}

static void on_control(void *arg, struct slice octets)
{
	struct worker *worker = arg;
	CrsWorker__Control *m = crs_worker__control__unpack(NULL, octets.n, octets.p);

	/* Of the same binary: only memory can be the reason, and one message is left out. */
	if (!m)
		return;
	/* Nothing else has a meaning before it. */
	if (!worker->setup) {
		if (m->body_case == CRS_WORKER__CONTROL__BODY_SETUP) {
			CrsWorker__Setup *setup = m->setup;

			/* Kept: it must not be freed with the message. */
			m->setup = NULL;
			m->body_case = CRS_WORKER__CONTROL__BODY__NOT_SET;
			start(worker, setup);
		}
	} else if (worker->holder) {
		obey(worker, m);
	}
	crs_worker__control__free_unpacked(m, NULL);
}

static void on_control_closed(void *arg, int err)
{
	(void)err;
	/* The supervisor is gone: connections are ended as in order, and its successor starts
	 * new workers. */
	stop(arg);
}

static const struct channel_ops control_ops = { .message = on_control,
						.closed = on_control_closed };

static void free_parts(struct worker *worker)
{
	log_set_tap(NULL, NULL);
	/* Whoever calls back goes before whom it calls. */
	holder_free(&worker->holder);
	store_free(&worker->store);
	store_free(&worker->cache);
	relay_client_free(&worker->relay);
	mesh_free(&worker->mesh);
	home_free(&worker->home);
	worker_drop_owed(worker);
	updates_free(&worker->updates);
	roster_free(&worker->roster);
	client_policy_free(&worker->policy);
	admin_set_free(&worker->admins);
	account_set_free(&worker->accounts);
	channel_free(&worker->control);
	if (worker->tick)
		event_free(worker->tick);
	if (worker->term)
		event_free(worker->term);
	if (worker->setup)
		crs_worker__setup__free_unpacked(worker->setup, NULL);
	if (worker->base)
		event_base_free(worker->base);
}

static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	/* From WORKER_PRIORITY_NEW on the loop looks for events of a higher rank after so many
	 * callbacks: a flood of new clients costs a call no more than those. */
	if (config && event_config_set_max_dispatch_interval(config, NULL, WORKER_NEW_PER_TURN,
							     WORKER_PRIORITY_NEW) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	if (base)
		event_base_priority_init(base, WORKER_PRIORITIES);
	return base;
}

int worker_run(int fd)
{
	struct worker worker = { .status = 0 };

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* Ctrl-C at the supervisor: it tells us */
	raise_descriptor_limit();
	worker.base = new_base();
	if (worker.base) {
		worker.control = channel_new(worker.base, fd, CONTROL_QUEUE, &control_ops, &worker);
		worker.term = evsignal_new(worker.base, SIGTERM, on_term, &worker);
	}
	if (!worker.control || !worker.term) {
		free_parts(&worker);
		return 1;
	}
	event_add(worker.term, NULL);
	event_base_dispatch(worker.base);
	free_parts(&worker);
	return worker.status;
}
