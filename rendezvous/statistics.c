/* statistics.c - collects what workers counted for the users of an account.
 *
 * Two questions one behind the other: first every worker writes what it has counted to the
 * store, then one of them reads the sums. Read without that, an export would lack the counts of
 * the last moments; cleared without it, they would come back.
 */
#include "rendezvous/statistics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "keys/period.h"
#include "keys/update.h"
#include "rendezvous/counters.h"
#include "rendezvous/updates.h"

const char *const statistics_columns[STATISTICS_COLUMNS] = {
	"tel-uri",
	"session-outgoing",
	"session-incoming",
	"message-outgoing",
	"message-incoming",
	"system-outgoing",
	"system-incoming",
	"conference-calls",
	"initiated-multi-session",
	"accepted-multi-session",
	"sent-group-call-invite",
	"accepted-group-call-invite",
	"current-offered",
	"current-confirmed",
	"next-offered",
	"next-confirmed",
};

struct collection {
	struct supervisor *supervisor;
	char *account;
	CrsWorker__QueryKind kind; /* of the second question */
	statistics_done_fn *done;
	void *arg;
};

static void finish(struct collection *collection, json_t *rows)
{
	collection->done(collection->arg, rows);
	free(collection->account);
	free(collection);
}

/* The user's row; of a user seen for the first time with nothing counted. */
static json_t *row_of(json_t *users, const char *uri)
{
	json_t *row = json_object_get(users, uri);

	if (row)
		return row;
	row = json_object();
	/* All columns from the beginning, so that rows without a value print as 0 or false. */
	json_object_set_new(row, statistics_columns[0], json_string(uri));
	for (int i = COUNTER_SESSION_OUT; i < COUNTER_COUNT; i++)
		json_object_set_new(row, counter_name((enum counter)i), json_integer(0));
	for (int i = STATISTICS_COLUMNS - 4; i < STATISTICS_COLUMNS; i++)
		json_object_set_new(row, statistics_columns[i], json_false());
	json_object_set_new(users, uri, row);
	return row;
}

/* What the store says that a user installed: "REVISION CREATED", is it this update? */
static bool is_installed(const struct update *update, const char *value)
{
	uint32_t revision = 0;
	uint64_t created = 0;

	return update && sscanf(value, "%" SCNu32 " %" SCNu64, &revision, &created) == 2 &&
	       revision == update_revision(update) && created == update_created(update);
}

/* An update as it stands behind two of the columns. */
struct offered {
	const struct update *update; /* NULL: there is none */
	char confirm[24];            /* the store's name of who installed it */
	const char *offered, *confirmed;
};

static void find_offered(const struct updates *updates, const char *account, int64_t month,
			 const char *const *columns, struct offered *offered)
{
	char text[PERIOD_TEXT_SIZE];

	period_text(month, text);
	snprintf(offered->confirm, sizeof(offered->confirm), "confirm-%s", text);
	offered->update = updates_find(updates, account, month);
	offered->offered = columns[0];
	offered->confirmed = columns[1];
}

static void add_users(json_t *users, const struct offered *offered)
{
	for (size_t i = 0; offered->update && i < update_users(offered->update); i++) {
		struct update_user user = update_user_at(offered->update, i);

		/* A user without an entry of keys is listed, but nothing is offered to him. */
		json_object_set_new(row_of(users, user.uri), offered->offered,
				    json_boolean(user.entry.n > 0));
	}
}

/* A row of the workers: what, account, URI, value. */
static void add_value(json_t *users, const struct offered offered[2], const json_t *cells)
{
	const char *what = json_string_value(json_array_get(cells, 0));
	const char *uri = json_string_value(json_array_get(cells, 2));
	const char *value = json_string_value(json_array_get(cells, 3));

	if (!what || !uri || !value)
		return;
	for (int i = 0; i < 2; i++) {
		if (strcmp(what, offered[i].confirm) != 0)
			continue;
		/* An older revision of the same month is no confirmation of what is offered
		 * now. */
		if (is_installed(offered[i].update, value))
			json_object_set_new(row_of(users, uri), offered[i].confirmed, json_true());
		return;
	}
	json_object_set_new(row_of(users, uri), what, json_integer(strtoll(value, NULL, 10)));
}

static json_t *values_of(json_t *users)
{
	json_t *list = json_array(), *row;
	const char *uri;

	json_object_foreach(users, uri, row) json_array_append(list, row);
	/* The list has references of its own. */
	json_decref(users);
	return list;
}

static void on_values(void *arg, json_t *rows)
{
	struct collection *collection = arg;
	int64_t now_s = clock_wall_s(), month = period_of(now_s);
	struct updates *updates = NULL;
	struct offered offered[2];
	json_t *users = json_object(), *cells;
	size_t i;

	/* Read each time: an export is rare, and updates are large. */
	if (!supervisor_rows_done(rows) ||
	    updates_load(supervisor_options(collection->supervisor)->paths.accounts,
			 supervisor_accounts(collection->supervisor), now_s, &updates, NULL)) {
		json_decref(users);
		json_decref(rows);
		finish(collection, NULL);
		return;
	}
	for (int m = 0; m < 2; m++) {
		find_offered(updates, collection->account, month + m,
			     &statistics_columns[STATISTICS_COLUMNS - 4 + 2 * m], &offered[m]);
		add_users(users, &offered[m]);
	}
	json_array_foreach(rows, i, cells) add_value(users, offered, cells);
	json_decref(rows);
	updates_free(&updates);
	finish(collection, values_of(users));
}

static void on_cleared(void *arg, json_t *rows)
{
	bool cleared = supervisor_rows_done(rows); /* and not: nobody could */

	json_decref(rows);
	finish(arg, cleared ? json_array() : NULL);
}

/* Every worker has written what it counted: now the store has all of it. */
static void on_flushed(void *arg, json_t *rows)
{
	struct collection *collection = arg;
	const struct supervisor_question question = { .kind = collection->kind,
						      .only_first = true,
						      .account = collection->account };
	bool clear = collection->kind == CRS_WORKER__QUERY_KIND__CLEAR_STATISTICS;

	json_decref(rows);
	if (supervisor_query(collection->supervisor, &question, clear ? on_cleared : on_values,
			     collection))
		finish(collection, NULL);
}

static int begin(struct supervisor *supervisor, const char *account, CrsWorker__QueryKind kind,
		 statistics_done_fn *done, void *arg)
{
	const struct supervisor_question flush = { .kind = CRS_WORKER__QUERY_KIND__FLUSH_COUNTERS };
	struct collection *collection = calloc(1, sizeof(*collection));

	if (collection) {
		*collection = (struct collection){ .supervisor = supervisor,
						   .account = strdup(account),
						   .kind = kind,
						   .done = done,
						   .arg = arg };
	}
	/* An answer never comes from within the call (queries.c), so collection is still whole
	 * here. */
	if (collection && collection->account &&
	    supervisor_query(supervisor, &flush, on_flushed, collection) == 0)
		return 0;
	if (collection)
		free(collection->account);
	free(collection);
	return -ENOMEM;
}

int statistics_collect(struct supervisor *supervisor, const char *account, statistics_done_fn *done,
		       void *arg)
{
	return begin(supervisor, account, CRS_WORKER__QUERY_KIND__STATISTICS, done, arg);
}

int statistics_clear(struct supervisor *supervisor, const char *account, statistics_done_fn *done,
		     void *arg)
{
	return begin(supervisor, account, CRS_WORKER__QUERY_KIND__CLEAR_STATISTICS, done, arg);
}
