#include "tests/fuzz/fake_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/pack.h"
#include "rendezvous/updates.h"
#include "tests/fuzz/fake_clock.h"
#include "tests/fuzz/fake_link.h"

static void expect(bool holds)
{
	if (!holds)
		abort();
}

char *fake_worker_copy(struct slice s)
{
	char *text = calloc(1, s.n + 1);

	if (text && s.n)
		memcpy(text, s.p, s.n);
	return text;
}

/* ---- what is to come ---- */

struct fake_event *fake_worker_add_event(struct worker *worker)
{
	struct fake_event *event = calloc(1, sizeof(*event));

	if (!event)
		return NULL;
	expect(worker->queued++ < FAKE_QUEUE);
	*worker->last = event;
	worker->last = &event->next;
	return event;
}

static void hand_over(struct worker *worker, const CrsWorker__Peer *m)
{
	switch (m->body_case) {
	case CRS_WORKER__PEER__BODY_ATTACH:
		home_attach(worker->home, 0, m->attach);
		break;
	case CRS_WORKER__PEER__BODY_ATTACHED:
		holder_attached(worker->holder, 0, m->attached);
		break;
	case CRS_WORKER__PEER__BODY_DETACH:
		home_detach(worker->home, 0, m->detach);
		break;
	case CRS_WORKER__PEER__BODY_UNREGISTER:
		holder_unregister(worker->holder, m->unregister);
		break;
	case CRS_WORKER__PEER__BODY_SESSION_LOST:
		home_session_lost(worker->home, 0, m->session_lost);
		break;
	default:
		abort();
	}
}

static void pass(struct worker *worker, struct slice octets)
{
	struct passed_up up;
	struct passed_down down;

	switch (passing_read(octets, &up, &down)) {
	case PASSING_UP:
		home_up(worker->home, 0, &up);
		break;
	case PASSING_DOWN:
		if (home_is_copy(down.connection))
			home_copy_answered(worker->home, &down);
		else
			holder_down(worker->holder, 0, &down);
		break;
	case PASSING_BAD:
		abort(); /* the holder and the home wrote it themselves */
	}
}

static void happen(struct worker *worker, struct fake_event *event)
{
	if (event->peer) {
		hand_over(worker, event->peer);
		PACK_FREE(&event->peer);
	} else if (event->passed) {
		pass(worker, slice_of(event->passed, event->passed_n));
		free(event->passed);
	} else if (event->ticket) {
		home_floor_done(worker->home, event->ticket, worker->floor_err);
	} else if (event->item) {
		fake_store_read(worker, event);
	} else if (event->done) {
		event->done(event->arg, event->err, event->number);
	} else if (event->answer) {
		CrsRelay__Reply *reply =
			event->reply_n
				? crs_relay__reply__unpack(NULL, event->reply_n, event->reply)
				: NULL;

		event->answer(event->arg, slice_of(event->key, event->key_n), reply);
		if (reply)
			crs_relay__reply__free_unpacked(reply, NULL);
	}
	free(event);
}

/* Links that were asked to close come to their end, as the loop would let them. */
static bool end_one(struct worker *worker)
{
	struct client *client;

	TAILQ_FOREACH(client, &worker->holder->all, in_holder)
	{
		if (fake_link_is_closing(client->link)) {
			client_end(client, "cut off");
			return true;
		}
	}
	return false;
}

void fake_worker_turn(struct worker *worker, unsigned events)
{
	while (worker->first && events-- > 0) {
		struct fake_event *event = worker->first;

		worker->first = event->next;
		if (!worker->first)
			worker->last = &worker->first;
		worker->queued--;
		happen(worker, event);
	}
	while (end_one(worker))
		;
}

void fake_worker_run(struct worker *worker)
{
	while (worker->first)
		fake_worker_turn(worker, 1);
	fake_worker_turn(worker, 0);
}

/* ---- its life ---- */

struct worker *fake_worker_new(void)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	struct diag *diag = diag_new();

	expect(worker && diag);
	worker->base = event_base_new();
	crs_worker__setup__init(&worker->setup);
	worker->setup.workers = 1;
	worker->setup.listen = (char *)(uintptr_t) "127.0.0.1:0";
	worker->setup.server = worker->setup.relay_host = (char *)(uintptr_t) "crs.example";
	worker->last = &worker->first;
	worker->roster = roster_new(NULL, NULL);
	worker->policy = client_policy_new("crs.conf");
	worker->relay_table = relay_table_new(0);
	worker->store_up = worker->relay_up = true;
	expect(worker->base && worker->roster && worker->policy && worker->relay_table);
	expect(home_new(worker, &worker->home) == 0);
	expect(holder_new(worker, &worker->holder, diag) == 0);
	home_store_up(worker->home, 1);
	diag_free(&diag);
	return worker;
}

void fake_worker_free(struct worker **workerp)
{
	struct worker *worker = *workerp;

	fake_worker_run(worker);
	holder_free(&worker->holder);
	home_free(&worker->home);
	fake_store_free(worker);
	PACK_FREE(&worker->told);
	relay_table_free(&worker->relay_table);
	roster_free(&worker->roster);
	client_policy_free(&worker->policy);
	event_base_free(worker->base);
	free(worker);
	*workerp = NULL;
}

/* As holder.c does it when the TLS handshake has named the user. */
struct client *fake_worker_client(struct worker *worker, const char *uri, const char *account,
				  uint32_t generation)
{
	struct holder *holder = worker->holder;
	struct client *client = calloc(1, sizeof(*client));

	expect(client != NULL);
	client->holder = holder;
	TAILQ_INIT(&client->sessions);
	TAILQ_INIT(&client->posts);
	TAILQ_INIT(&client->requests);
	idmap_put(&holder->clients, &client->node, ++holder->next_connection);
	TAILQ_INSERT_TAIL(&holder->all, client, in_holder);
	holder->count++;
	client->since_s = clock_wall_s();
	client->uri = fake_worker_copy(slice_str(uri));
	client->account = fake_worker_copy(slice_str(account));
	expect(client->uri && client->account);
	client->generation = generation;
	client->known = client->authenticated = client->negotiated = true;
	client->link = fake_link_new(NULL, client);
	expect(client->link != NULL);
	return client;
}

/* Whoever waits for the store (or the relay) hears first that nothing will come. */
static void fail_waiting(struct worker *worker, bool store)
{
	for (struct fake_event *e = worker->first; e; e = e->next) {
		if (store && e->done)
			e->err = -EPIPE;
		else if (!store && e->answer)
			e->reply_n = 0;
	}
	fake_worker_run(worker);
}

void fake_worker_leave(struct worker *worker)
{
	struct client *client;

	fake_worker_run(worker);
	while ((client = TAILQ_FIRST(&worker->holder->all)))
		client_end(client, "gone");
	fake_worker_run(worker);
	for (int i = 0; i < 20; i++) {
		fake_clock_add_ms(60000);
		home_tick(worker->home);
		fake_worker_run(worker);
	}
}

void fake_worker_store(struct worker *worker, bool up)
{
	if (worker->store_up == up)
		return;
	worker->store_up = up;
	if (up) {
		home_store_up(worker->home, 2);
	} else {
		fail_waiting(worker, true);
		home_store_down(worker->home);
	}
}

void fake_worker_relay(struct worker *worker, bool up)
{
	if (worker->relay_up == up)
		return;
	worker->relay_up = up;
	if (up)
		return;
	fail_waiting(worker, false);
	relay_table_free(&worker->relay_table);
	worker->relay_table = relay_table_new(0);
	home_relay_down(worker->home);
}

/* ---- worker.h ---- */

struct event_base *worker_base(const struct worker *worker)
{
	return worker->base;
}

const CrsWorker__Setup *worker_setup(const struct worker *worker)
{
	return &worker->setup;
}

const struct account_set *worker_accounts(const struct worker *worker)
{
	(void)worker;
	return NULL;
}

/* One without lines: every client gets the default. */
const struct client_policy *worker_policy(const struct worker *worker)
{
	return worker->policy;
}

/* None: who attaches is no administrator. */
const struct admin_set *worker_admins(const struct worker *worker)
{
	(void)worker;
	return NULL;
}

struct roster *worker_roster(const struct worker *worker)
{
	return worker->roster;
}

struct updates *worker_updates(const struct worker *worker)
{
	(void)worker;
	return NULL;
}

struct store *worker_store(const struct worker *worker)
{
	return (struct store *)(uintptr_t)worker;
}

struct store *worker_cache(const struct worker *worker)
{
	return (struct store *)(uintptr_t)worker;
}

struct relay_client *worker_relay(const struct worker *worker)
{
	return (struct relay_client *)(uintptr_t)worker;
}

unsigned worker_home_of(const struct worker *worker, struct slice uri)
{
	(void)worker;
	(void)uri;
	return 0;
}

int worker_send(struct worker *worker, unsigned to, const CrsWorker__Peer *message)
{
	CrsWorker__Peer *copied = (CrsWorker__Peer *)pack_copy(&message->base);
	struct fake_event *event = copied ? fake_worker_add_event(worker) : NULL;

	expect(to == 0);
	if (!event) {
		PACK_FREE(&copied);
		return -ENOMEM;
	}
	event->peer = copied;
	return 0;
}

/* Returns 0, -ENOMEM, or why the head could not be written. */
static int keep_passed(struct worker *worker, int err, struct slice head, struct slice frame)
{
	uint8_t *octets = err ? NULL : malloc(head.n + frame.n + 1);
	struct fake_event *event = octets ? fake_worker_add_event(worker) : NULL;

	if (!event) {
		free(octets);
		return err ? err : -ENOMEM;
	}
	memcpy(octets, head.p, head.n);
	if (frame.n)
		memcpy(octets + head.n, frame.p, frame.n);
	event->passed = octets;
	event->passed_n = head.n + frame.n;
	return 0;
}

int worker_pass_up(struct worker *worker, unsigned to, const struct passed_up *up)
{
	uint8_t octets[PASSING_HEAD_MAX];
	struct slice head;
	int err = passing_write_up(up, octets, &head);

	expect(to == 0);
	return keep_passed(worker, err, head, up->frame);
}

int worker_pass_down(struct worker *worker, unsigned to, const struct passed_down *down)
{
	uint8_t octets[PASSING_HEAD_MAX];
	struct slice head;
	int err = passing_write_down(down, octets, &head);

	expect(to == 0);
	return keep_passed(worker, err, head, down->frame);
}

/* The supervisor has made it durable as soon as it is asked, or says why not. */
int worker_raise_floor(struct worker *worker, uint64_t ticket, const char *account, const char *uri,
		       uint32_t generation)
{
	struct fake_event *event = fake_worker_add_event(worker);

	(void)account;
	(void)uri;
	(void)generation;
	if (!event)
		return -ENOMEM;
	event->ticket = ticket;
	return 0;
}

/* There is no supervisor. */
void worker_figure(struct worker *worker, enum worker_figure figure)
{
	(void)worker;
	(void)figure;
}

uint64_t worker_figure_value(const struct worker *worker, enum worker_figure figure)
{
	(void)worker;
	(void)figure;
	return 0;
}

struct home *worker_home(const struct worker *worker)
{
	return worker->home;
}

const struct holder *worker_holder(const struct worker *worker)
{
	return worker->holder;
}

int worker_tell(struct worker *worker, const CrsWorker__Control *message)
{
	if (!worker->supervisor_up)
		return -EPIPE;
	PACK_FREE(&worker->told);
	worker->told = (CrsWorker__Control *)pack_copy(&message->base);
	return worker->told ? 0 : -ENOMEM;
}

bool worker_traces(const struct worker *worker, enum trace_element element)
{
	(void)worker;
	(void)element;
	return true;
}

void worker_trace(struct worker *worker, enum trace_element element, const char *const *fields,
		  size_t n)
{
	(void)worker;
	(void)element;
	for (size_t i = 0; i < n; i++)
		expect(strchr(fields[i], '\n') == NULL);
}

/* Weak: a test that asks worker_answer() has the real one. */
__attribute__((weak)) void worker_row(struct worker_rows *rows, const char *const *cells, size_t n)
{
	(void)rows;
	(void)cells;
	(void)n;
}

/* ---- updates.h ---- */

const struct update *updates_find(const struct updates *updates, const char *account, int64_t month)
{
	(void)updates;
	(void)account;
	(void)month;
	return NULL;
}
