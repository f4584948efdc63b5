/* worker_queries.c - rows for the listings of crs-cli.
 *
 * Rows are gathered and sent ROWS_PER_PART at a time, so that a listing of all clients is never
 * one message. rows lives until the last command to the store has its answer, and is finished
 * exactly once: at once where nothing was asked of the store, else by the last answer.
 */
#include "rendezvous/worker_queries.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/pack.h"
#include "keys/account.h"
#include "keys/domain.h"
#include "keys/period.h"
#include "rendezvous/account_set.h"
#include "rendezvous/client_data.h"
#include "rendezvous/counters.h"
#include "rendezvous/holder.h"
#include "rendezvous/home.h"
#include "rendezvous/relay_client.h"
#include "rendezvous/store.h"

enum { ROWS_PER_PART = 200 };

struct worker_rows {
	struct worker *worker;
	uint32_t number;
	size_t commands;                  /* to the store, that have no answer yet */
	bool failed;                      /* the store did not do one of them */
	char account[ACCOUNT_ID_MAX + 1]; /* of the last row, if all were done; or "" */
	char confirm[2][24];              /* names of hashes that were asked for */
	CrsWorker__Row *row[ROWS_PER_PART];
	size_t n;
};

static void send_rows(struct worker_rows *rows, bool more)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__QueryPart part = CRS_WORKER__QUERY_PART__INIT;

	part.number = rows->number;
	part.n_rows = rows->n;
	part.rows = rows->row;
	part.more = more;
	message.body_case = CRS_WORKER__CONTROL__BODY_QUERY_PART;
	message.query_part = &part;
	/* If that fails nobody can be told: the supervisor's limit ends the query. */
	worker_tell(rows->worker, &message);
	for (size_t i = 0; i < rows->n; i++)
		crs_worker__row__free_unpacked(rows->row[i], NULL);
	rows->n = 0;
}

/* A row of the account alone says that the store did all that it was asked for: without it a
 * figure that is missing could not be told from one that is 0, and what was refused from what was
 * cleared. */
static void finish(struct worker_rows *rows)
{
	const char *account = rows->account;

	if (*account && !rows->failed)
		worker_row(rows, &account, 1);
	send_rows(rows, false);
	free(rows);
}

/* A copy made by packing, so that it is freed in one call. */
static CrsWorker__Row *copy_row(const char *const *cells, size_t n)
{
	CrsWorker__Row row = CRS_WORKER__ROW__INIT;

	row.n_cell = n;
	row.cell = (char **)(uintptr_t)cells;
	return (CrsWorker__Row *)(void *)pack_copy(&row.base);
}

void worker_row(struct worker_rows *rows, const char *const *cells, size_t n)
{
	CrsWorker__Row *row = copy_row(cells, n);

	/* A listing lacks a row rather than the worker its memory; where that matters, it is not
	 * called whole (finish()). */
	if (!row) {
		rows->failed = true;
		return;
	}
	rows->row[rows->n++] = row;
	if (rows->n == ROWS_PER_PART)
		send_rows(rows, true);
}

static void status_row(struct worker_rows *rows)
{
	const struct worker *worker = rows->worker;
	char index[12], clients[24];
	const char *cells[] = { index, clients, store_is_up(worker_store(worker)) ? "up" : "down",
				relay_client_is_up(worker_relay(worker)) ? "up" : "down" };

	snprintf(index, sizeof(index), "%u", worker_setup(worker)->index);
	snprintf(clients, sizeof(clients), "%zu", holder_count(worker_holder(worker)));
	worker_row(rows, cells, 4);
}

static void on_command_done(void *arg, int err, uint64_t number)
{
	struct worker_rows *rows = arg;

	/* What the store could not say is missing in the listing. */
	rows->failed = rows->failed || err;
	(void)number;
	if (--rows->commands == 0)
		finish(rows);
}

static void on_field(void *arg, const char *what, const char *account, const char *uri,
		     const char *value)
{
	const char *cells[] = { what, account, uri, value };

	worker_row(arg, cells, 4);
}

/* A command was given to the store, or (err) could not be. */
static void note_command(struct worker_rows *rows, int err)
{
	/* Answers come from the loop, never from within: counting behind the call is in time. */
	if (err)
		rows->failed = true;
	else
		rows->commands++;
}

static void ask_counters(struct worker_rows *rows)
{
	static const char *const names[] = { "post", "deliv", "read" };
	const struct account_set *accounts = worker_accounts(rows->worker);
	struct store *store = worker_store(rows->worker);

	for (size_t i = 0; i < account_set_count(accounts); i++) {
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
			note_command(rows,
				     store_read_hash(store, names[k], account_set_id(accounts, i),
						     on_field, on_command_done, rows));
		}
	}
}

static void ask_statistics(struct worker_rows *rows, const char *account)
{
	struct store *store = worker_store(rows->worker);
	int64_t month = period_of(clock_wall_s());

	for (int i = COUNTER_SESSION_OUT; i < COUNTER_COUNT; i++) {
		note_command(rows, store_read_hash(store, counter_name((enum counter)i), account,
						   on_field, on_command_done, rows));
	}
	for (int i = 0; i < 2; i++) {
		char text[PERIOD_TEXT_SIZE];

		period_text(month + i, text);
		/* The store keeps the pointer until the answer, and so long rows is there. */
		snprintf(rows->confirm[i], sizeof(rows->confirm[i]), "confirm-%s", text);
		note_command(rows, store_read_hash(store, rows->confirm[i], account, on_field,
						   on_command_done, rows));
	}
}

static void clear_statistics(struct worker_rows *rows, const char *account)
{
	struct store *store = worker_store(rows->worker);

	for (int i = COUNTER_SESSION_OUT; i < COUNTER_COUNT; i++)
		note_command(rows, store_drop_hash(store, counter_name((enum counter)i), account,
						   on_command_done, rows));
}

static void ask_client_data(struct worker_rows *rows, const char *account)
{
	const char *name;

	for (size_t i = 0; (name = client_data_name(i)); i++) {
		note_command(rows, store_read_hash(worker_store(rows->worker), name, account,
						   on_field, on_command_done, rows));
	}
}

static void forget_client_info(struct worker_rows *rows, const CrsWorker__Query *query)
{
	/* An empty value removes the field. */
	note_command(rows, store_set_field(worker_store(rows->worker), "client-info",
					   query->account, query->uri, "", on_command_done, rows));
}

static void flush_counters(struct worker_rows *rows)
{
	home_flush_counters(worker_home(rows->worker));
	/* The answer means that all counts before it are written. */
	note_command(rows, store_barrier(worker_store(rows->worker), on_command_done, rows));
}

static uint64_t figure_value(const struct worker *worker, enum worker_figure figure)
{
	switch (figure) {
	case FIGURE_CONNECTIONS:
		return holder_count(worker_holder(worker));
	case FIGURE_REGISTERED:
		return holder_registered(worker_holder(worker));
	case FIGURE_SESSIONS:
		return home_calls(worker_home(worker));
	case FIGURE_MESSAGES_HELD:
		return home_messages(worker_home(worker));
	case FIGURE_STORE_UP:
		return store_is_up(worker_store(worker));
	default:
		return worker_figure_value(worker, figure);
	}
}

static void figure_rows(struct worker_rows *rows)
{
	char index[12], value[24];

	snprintf(index, sizeof(index), "%u", worker_setup(rows->worker)->index);
	for (int i = 0; i < FIGURE_COUNT; i++) {
		enum worker_figure figure = (enum worker_figure)i;
		const char *cells[] = { index, worker_figure_name(figure), value };

		snprintf(value, sizeof(value), "%" PRIu64, figure_value(rows->worker, figure));
		worker_row(rows, cells, 3);
	}
}

/* The answer ends with the row of finish(). */
static void tell_whether_done(struct worker_rows *rows, const char *account)
{
	snprintf(rows->account, sizeof(rows->account), "%s", account);
}

/* Only the home of a user answers, and only for one that it knows. */
static void ask_lookup(struct worker_rows *rows, const char *uri)
{
	struct worker *worker = rows->worker;
	const struct home *home = worker_home(worker);
	const char *account = NULL;
	char domain[HEX_TEXT_SIZE(DOMAIN_ID)] = "";
	const uint8_t *id;

	if (worker_home_of(worker, slice_str(uri)) == worker_setup(worker)->index)
		account = home_account_of(home, slice_str(uri));
	if (!account)
		return;
	id = home_domain_of(home, account);
	if (id)
		hex_encode(slice_of(id, DOMAIN_ID), domain);
	worker_row(
		rows,
		(const char *const[]){ home_is_attached(home, slice_str(uri)) ? "attached" : "away",
				       account, uri, domain },
		4);
	/* Whether there is a device to be woken up; a second row. */
	note_command(rows, store_read_field(worker_store(worker), "client-token", account, uri,
					    on_field, on_command_done, rows));
}

void worker_answer(struct worker *worker, const CrsWorker__Query *query)
{
	struct worker_rows *rows = calloc(1, sizeof(*rows));

	/* An answer all the same: nobody shall wait for what will not come. */
	if (!rows) {
		struct worker_rows none = { .worker = worker, .number = query->number };

		send_rows(&none, false);
		return;
	}
	rows->worker = worker;
	rows->number = query->number;
	switch (query->kind) {
	case CRS_WORKER__QUERY_KIND__ATTACH:
		holder_list(worker_holder(worker), rows);
		break;
	case CRS_WORKER__QUERY_KIND__SESSION:
		home_list_sessions(worker_home(worker), rows);
		break;
	case CRS_WORKER__QUERY_KIND__FLUSH_COUNTERS:
		flush_counters(rows);
		break;
	case CRS_WORKER__QUERY_KIND__STATUS:
		status_row(rows);
		break;
	case CRS_WORKER__QUERY_KIND__COUNTERS:
		ask_counters(rows);
		break;
	case CRS_WORKER__QUERY_KIND__STATISTICS:
		tell_whether_done(rows, query->account);
		ask_statistics(rows, query->account);
		break;
	case CRS_WORKER__QUERY_KIND__CLIENT_DATA:
		tell_whether_done(rows, query->account);
		ask_client_data(rows, query->account);
		break;
	case CRS_WORKER__QUERY_KIND__FORGET_CLIENT_INFO:
		tell_whether_done(rows, query->account);
		forget_client_info(rows, query);
		break;
	case CRS_WORKER__QUERY_KIND__FIGURES:
		figure_rows(rows);
		break;
	case CRS_WORKER__QUERY_KIND__LOOKUP:
		ask_lookup(rows, query->uri);
		break;
	case CRS_WORKER__QUERY_KIND__CLEAR_STATISTICS:
		tell_whether_done(rows, query->account);
		clear_statistics(rows, query->account);
		break;
	default:
		break;
	}
	if (rows->commands == 0)
		finish(rows);
}
