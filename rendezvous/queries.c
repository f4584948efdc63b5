/* queries.c - questions to all workers, answered as one.
 *
 * A query ends when all workers that were asked have answered or are gone, at the latest after
 * SUPERVISOR_QUERY_LIMIT_MS: operators would rather see a part than wait for a worker that
 * hangs. So done is called exactly once for each query, but for those that are dropped at the
 * end of the program.
 */
#include <errno.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/timer.h"
#include "rendezvous/supervisor_priv.h"

static void finish(struct query *query)
{
	TAILQ_REMOVE(&query->supervisor->queries, query, in_supervisor);
	if (query->waiting)
		log_warn("crs", "not all workers answered a query");
	/* The rows go over to done(), which may ask the next question: so this one is out of
	 * the list already. */
	query->done(query->arg, query->rows);
	event_free(query->limit);
	free(query);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg);
}

static void ask(struct query *query, const struct supervisor_question *question)
{
	struct supervisor *supervisor = query->supervisor;
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__Query body = CRS_WORKER__QUERY__INIT;

	body.number = query->number;
	body.kind = question->kind;
	/* protobuf-c knows no const; packing changes nothing. */
	if (question->account)
		body.account = (char *)(uintptr_t)question->account;
	if (question->uri)
		body.uri = (char *)(uintptr_t)question->uri;
	message.body_case = CRS_WORKER__CONTROL__BODY_QUERY;
	message.query = &body;
	for (unsigned i = 0; i < supervisor->options->settings.workers; i++) {
		if (question->only_first && query->waiting)
			return;
		if (supervisor->workers[i].ready &&
		    worker_process_send(&supervisor->workers[i], &message) == 0)
			/* A bit a worker: SETTINGS_WORKERS_MAX fits. */
			query->waiting |= UINT64_C(1) << i;
	}
}

int supervisor_query(struct supervisor *supervisor, const struct supervisor_question *question,
		     supervisor_rows_fn *done, void *arg)
{
	struct query *query = calloc(1, sizeof(*query));

	if (!query)
		return -ENOMEM;
	query->supervisor = supervisor;
	query->number = ++supervisor->query_number;
	query->done = done;
	query->arg = arg;
	query->rows = json_array();
	query->limit = evtimer_new(supervisor->base, on_limit, query);
	if (!query->rows || !query->limit) {
		json_decref(query->rows);
		if (query->limit)
			event_free(query->limit);
		free(query);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&supervisor->queries, query, in_supervisor);
	ask(query, question);
	/* Nobody asked: answered all the same, but never from within this call. */
	timer_arm(query->limit, query->waiting ? SUPERVISOR_QUERY_LIMIT_MS : 0);
	return 0;
}

bool supervisor_rows_done(const json_t *rows)
{
	const json_t *cells;
	size_t i;

	/* The account alone; all other rows have more cells. */
	json_array_foreach((json_t *)(uintptr_t)rows, i, cells)
	{
		if (json_array_size(cells) == 1)
			return true;
	}
	return false;
}

static void add_rows(struct query *query, const CrsWorker__QueryPart *part)
{
	for (size_t i = 0; i < part->n_rows; i++) {
		json_t *row = json_array();

		for (size_t c = 0; c < part->rows[i]->n_cell; c++)
			json_array_append_new(row, json_string(part->rows[i]->cell[c]));
		json_array_append_new(query->rows, row);
	}
}

void supervisor_query_part(struct supervisor *supervisor, unsigned worker,
			   const CrsWorker__QueryPart *part)
{
	struct query *query = TAILQ_FIRST(&supervisor->queries);

	while (query && query->number != part->number)
		query = TAILQ_NEXT(query, in_supervisor);
	/* An answer after the limit, or of a worker that was started anew and was not asked. */
	if (!query || !(query->waiting & UINT64_C(1) << worker))
		return;
	add_rows(query, part);
	/* Long answers come in pieces, so that no packet is larger than a channel takes. */
	if (part->more)
		return;
	query->waiting &= ~(UINT64_C(1) << worker);
	if (!query->waiting)
		finish(query);
}

void supervisor_worker_gone(struct supervisor *supervisor, unsigned worker)
{
	struct query *query = TAILQ_FIRST(&supervisor->queries), *next;

	for (; query; query = next) {
		/* finish() frees the query. */
		next = TAILQ_NEXT(query, in_supervisor);
		if (!(query->waiting & UINT64_C(1) << worker))
			continue;
		query->waiting &= ~(UINT64_C(1) << worker);
		if (!query->waiting)
			finish(query);
	}
}

/* The control port is gone: nobody waits. */
void supervisor_drop_queries(struct supervisor *supervisor)
{
	struct query *query;

	while ((query = TAILQ_FIRST(&supervisor->queries))) {
		TAILQ_REMOVE(&supervisor->queries, query, in_supervisor);
		json_decref(query->rows);
		event_free(query->limit);
		free(query);
	}
}
