/* fake_store.c - store.h in the memory of a fake worker: what was stored last, and answers
 * that come when the worker's turn does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fake_worker.h"

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void free_item(struct fake_item *item)
{
	free(item->uri);
	free(item->sender);
	free(item->account);
	free(item->post);
}

void fake_store_free(struct worker *worker)
{
	for (size_t i = 0; i < worker->n_items; i++)
		free_item(&worker->items[i]);
	worker->n_items = 0;
}

void fake_store_read(struct worker *worker, struct fake_event *event)
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
	event = fake_worker_add_event(worker);
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
	struct fake_item kept = { .uri = fake_worker_copy(uri),
				  .sender = fake_worker_copy(item->sender),
				  .account = fake_worker_copy(item->account),
				  .post = (uint8_t *)fake_worker_copy(item->post),
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

int store_delete_to(struct store *store, struct slice uri, uint64_t number)
{
	struct worker *worker = of_store(store);

	for (size_t i = 0; i < worker->n_items; i++)
		if (worker->items[i].item.number <= number &&
		    slice_eq_str(uri, worker->items[i].uri))
			worker->items[i].item.number = 0;
	return worker->store_up ? 0 : -EPIPE;
}

int store_read(struct store *store, struct slice uri, const struct store_page *page,
	       store_item_fn *item, store_done_fn *done, void *arg)
{
	struct worker *worker = of_store(store);
	struct fake_event *event;
	char *uri_text;

	if (!worker->store_up)
		return -EPIPE;
	uri_text = fake_worker_copy(uri);
	event = uri_text ? fake_worker_add_event(worker) : NULL;
	if (!event) {
		free(uri_text);
		return -ENOMEM;
	}
	event->item = item;
	event->done = done;
	event->arg = arg;
	event->err = worker->store_err;
	event->number = page->after;
	event->count = page->count;
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
	int err = answer(store, done, arg, 0);

	of_store(store)->part_reads += !err;
	return err;
}

int store_count(struct store *store, const char *what, const char *account, const char *uri,
		uint64_t delta)
{
	struct worker *worker = of_store(store);

	(void)what;
	(void)account;
	(void)uri;
	if (worker->counts_until && --worker->counts_until == 0)
		return -ENOMEM;
	worker->counted += delta;
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
	struct worker *worker = of_store(store);

	if (worker->kept)
		field(arg, what, account, "tel:+1", worker->kept);
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

int store_note_confirm(struct store *store, const char *account, const char *uri,
		       const struct store_confirm *confirm)
{
	(void)account;
	(void)uri;
	(void)confirm;
	return answer(store, NULL, NULL, 0);
}
