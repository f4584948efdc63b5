#include "tests/fuzz/fake_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/pack.h"
#include "rendezvous/updates.h"
#include "tests/fuzz/fake_link.h"

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* NULL when memory is out. */
static char *copy(struct slice s)
{
	char *text = calloc(1, s.n + 1);

	if (text && s.n)
		memcpy(text, s.p, s.n);
	return text;
}

static void free_item(struct fake_item *item)
{
	free(item->uri);
	free(item->sender);
	free(item->account);
	free(item->post);
}

/* ---- what is to come ---- */

/* NULL when memory is out. */
static struct fake_event *add_event(struct worker *worker)
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

static void read_items(struct worker *worker, struct fake_event *event)
{
	for (size_t i = 0; i < worker->n_items && event->count > 0 && !event->err; i++) {
		const struct fake_item *kept = &worker->items[i];

		if (kept->item.number > event->number && strcmp(kept->uri, event->uri) == 0) {
			event->item(event->arg, &kept->item);
			event->count--;
		}
	}
	event->done(event->arg, event->err, 0);
	free(event->uri);
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
		home_floor_done(worker->home, event->ticket, false);
	} else if (event->item) {
		read_items(worker, event);
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
	for (size_t i = 0; i < worker->n_items; i++)
		free_item(&worker->items[i]);
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
	idmap_put(&holder->clients, &client->node, ++holder->next_connection);
	TAILQ_INSERT_TAIL(&holder->all, client, in_holder);
	holder->count++;
	client->since_s = clock_wall_s();
	client->uri = copy(slice_str(uri));
	client->account = copy(slice_str(account));
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
	struct fake_event *event = copied ? add_event(worker) : NULL;

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
	struct fake_event *event = octets ? add_event(worker) : NULL;

	if (!event) {
		free(octets);
		return err ? err : -ENOMEM;
	}
	memcpy(octets, head.p, head.n);
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

/* The supervisor has made it durable as soon as it is asked. */
int worker_raise_floor(struct worker *worker, uint64_t ticket, const char *account, const char *uri,
		       uint32_t generation)
{
	struct fake_event *event = add_event(worker);

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

struct home *worker_home(const struct worker *worker)
{
	return worker->home;
}

int worker_tell(struct worker *worker, const CrsWorker__Control *message)
{
	(void)worker;
	(void)message;
	return -EPIPE;
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

void worker_row(struct worker_rows *rows, const char *const *cells, size_t n)
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

/* ---- store.h ---- */

static struct worker *of_store(const struct store *store)
{
	return (struct worker *)(uintptr_t)store;
}

bool store_is_up(const struct store *store)
{
	return of_store(store)->store_up;
}

static int answer(struct store *store, store_done_fn *done, void *arg, uint64_t number)
{
	struct worker *worker = of_store(store);
	struct fake_event *event;

	if (!worker->store_up)
		return -EPIPE;
	if (!done)
		return 0;
	event = add_event(worker);
	if (!event)
		return -ENOMEM;
	event->done = done;
	event->arg = arg;
	event->err = worker->store_err;
	event->number = event->err ? 0 : number;
	worker->store_err = 0;
	return 0;
}

static int keep_item(struct worker *worker, struct slice uri, const struct store_item *item)
{
	struct fake_item kept = { .uri = copy(uri),
				  .sender = copy(item->sender),
				  .account = copy(item->account),
				  .post = (uint8_t *)copy(item->post),
				  .post_n = item->post.n,
				  .item = *item };
	struct fake_item *at = &worker->items[worker->n_items];

	if (!kept.uri || !kept.sender || !kept.account || !kept.post) {
		free_item(&kept);
		return -ENOMEM;
	}
	expect(item->id.n == sizeof(kept.id));
	memcpy(kept.id, item->id.p, item->id.n);
	*at = kept;
	at->item.sender = slice_str(at->sender);
	at->item.account = slice_str(at->account);
	at->item.id = slice_of(at->id, sizeof(at->id));
	at->item.post = slice_of(at->post, at->post_n);
	at->item.number = ++worker->number;
	worker->n_items++;
	return 0;
}

int store_add(struct store *store, struct slice uri, const struct store_item *item,
	      int64_t keep_until_s, store_done_fn *done, void *arg)
{
	struct worker *worker = of_store(store);

	(void)keep_until_s;
	if (!worker->store_up)
		return -EPIPE;
	if (worker->n_items == FAKE_ITEMS)
		worker->store_err = -ENOSPC;
	if (!worker->store_err && keep_item(worker, uri, item))
		return -ENOMEM;
	return answer(store, done, arg, worker->number);
}

int store_delete(struct store *store, struct slice uri, uint64_t number)
{
	struct worker *worker = of_store(store);

	for (size_t i = 0; i < worker->n_items; i++)
		if (worker->items[i].item.number == number &&
		    slice_eq_str(uri, worker->items[i].uri))
			worker->items[i].item.number = 0;
	return worker->store_up ? 0 : -EPIPE;
}

int store_read(struct store *store, struct slice uri, uint64_t after, uint32_t count,
	       store_item_fn *item, store_done_fn *done, void *arg)
{
	struct worker *worker = of_store(store);
	struct fake_event *event;
	char *uri_text;

	if (!worker->store_up)
		return -EPIPE;
	uri_text = copy(uri);
	event = uri_text ? add_event(worker) : NULL;
	if (!event) {
		free(uri_text);
		return -ENOMEM;
	}
	event->item = item;
	event->done = done;
	event->arg = arg;
	event->err = worker->store_err;
	event->number = after;
	event->count = count;
	event->uri = uri_text;
	worker->store_err = 0;
	return 0;
}

int store_part_add(struct store *store, struct slice uri, const char *key, struct slice frame,
		   store_done_fn *done, void *arg)
{
	(void)uri;
	(void)key;
	(void)frame;
	return answer(store, done, arg, 0);
}

int store_part_keep(struct store *store, struct slice uri, const char *key, int64_t keep_until_s)
{
	(void)uri;
	(void)key;
	(void)keep_until_s;
	return answer(store, NULL, NULL, 0);
}

int store_part_delete(struct store *store, struct slice uri, const char *key)
{
	(void)uri;
	(void)key;
	return answer(store, NULL, NULL, 0);
}

int store_part_read(struct store *store, struct slice uri, const char *key, uint32_t from,
		    uint32_t count, store_part_fn *part, store_done_fn *done, void *arg)
{
	(void)uri;
	(void)key;
	(void)from;
	(void)count;
	(void)part;
	return answer(store, done, arg, 0);
}

int store_count(struct store *store, const char *what, const char *account, const char *uri,
		uint64_t delta)
{
	(void)what;
	(void)account;
	(void)uri;
	(void)delta;
	return answer(store, NULL, NULL, 0);
}

int store_note_read(struct store *store, const char *account, const char *uri, int64_t time_s)
{
	(void)account;
	(void)uri;
	(void)time_s;
	return answer(store, NULL, NULL, 0);
}

int store_set_field(struct store *store, const char *what, const char *account, const char *field,
		    const char *value, store_done_fn *done, void *arg)
{
	(void)what;
	(void)account;
	(void)field;
	(void)value;
	return answer(store, done, arg, 0);
}

int store_read_hash(struct store *store, const char *what, const char *account,
		    store_field_fn *field, store_done_fn *done, void *arg)
{
	(void)what;
	(void)account;
	(void)field;
	return answer(store, done, arg, 0);
}

int store_read_field(struct store *store, const char *what, const char *account, const char *name,
		     store_field_fn *field, store_done_fn *done, void *arg)
{
	(void)what;
	(void)account;
	(void)name;
	(void)field;
	return answer(store, done, arg, 0);
}

int store_drop_hash(struct store *store, const char *what, const char *account, store_done_fn *done,
		    void *arg)
{
	(void)what;
	(void)account;
	return answer(store, done, arg, 0);
}

int store_note_confirm(struct store *store, const char *account, const char *uri, const char *month,
		       uint32_t revision, uint64_t created)
{
	(void)account;
	(void)uri;
	(void)month;
	(void)revision;
	(void)created;
	return answer(store, NULL, NULL, 0);
}

/* ---- relay_client.h ---- */

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
	event = add_event(worker);
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
