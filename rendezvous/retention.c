/* retention.c - clears the statistics of accounts whose days are over.
 *
 * The new day is written when the account is cleared, not before: a crash between clearing and
 * writing leaves an account to be cleared again, of which little was counted meanwhile. A file
 * that is lost or damaged lets all days begin anew: that forgets late, never too early.
 */
#include "rendezvous/retention.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "rendezvous/account_set.h"
#include "rendezvous/paths.h"
#include "rendezvous/statistics.h"

#define MODULE "statistics"

struct retention {
	struct supervisor *supervisor;
	unsigned days;
	char path[CRS_PATH_SIZE];
	json_t *since;
	char *clearing; /* the account that is being cleared, or NULL */
	int64_t looked_s;
};

static bool is_there(const struct account_set *accounts, const char *id)
{
	for (size_t i = 0; i < account_set_count(accounts); i++) {
		if (strcmp(account_set_id(accounts, i), id) == 0)
			return true;
	}
	return false;
}

bool retention_review(json_t *since, const struct account_set *accounts, unsigned days,
		      int64_t now_s, const char **due_out)
{
	bool changed = false;
	const char *id;
	json_t *value;
	void *next;

	*due_out = NULL;
	/* Accounts that are gone: their days begin anew should they come back. */
	json_object_foreach_safe(since, next, id, value)
	{
		if (is_there(accounts, id))
			continue;
		json_object_del(since, id);
		changed = true;
	}
	for (size_t i = 0; i < account_set_count(accounts); i++) {
		id = account_set_id(accounts, i);
		value = json_object_get(since, id);
		/* In the future: the clock was ahead when it was noted. It must not keep the
		 * data longer than the days. */
		if (!json_is_integer(value) || json_integer_value(value) > now_s) {
			json_object_set_new(since, id, json_integer(now_s));
			changed = true;
		} else if (now_s - json_integer_value(value) >= (int64_t)days * RETENTION_DAY_S) {
			/* One at a time, whichever: clearing asks the store, and the next look
			 * has the others. */
			*due_out = id;
		}
	}
	return changed;
}

static void write_since(const struct retention *retention)
{
	char *text = json_dumps(retention->since, JSON_INDENT(2) | JSON_SORT_KEYS);
	int err = text ? file_write_atomic(retention->path, 0640, slice_str(text)) : -ENOMEM;

	if (err)
		log_warn(MODULE, "%s: %s", retention->path, strerror(-err));
	free(text);
}

int retention_new(struct supervisor *supervisor, struct retention **retention_out)
{
	const struct supervisor_options *options = supervisor_options(supervisor);
	struct retention *retention;
	json_error_t error;

	*retention_out = NULL;
	if (!options->settings.statistics_days)
		return 0;
	retention = calloc(1, sizeof(*retention));
	if (!retention)
		return -ENOMEM;
	retention->supervisor = supervisor;
	retention->days = (unsigned)options->settings.statistics_days;
	if (crs_path_join(retention->path, sizeof(retention->path), options->paths.data,
			  "statistics-since")) {
		free(retention);
		return -ENOMEM;
	}
	retention->since = json_load_file(retention->path, 0, &error);
	if (!retention->since && json_error_code(&error) != json_error_cannot_open_file)
		log_warn(MODULE, "%s:%d: %s: the days of all accounts begin anew", retention->path,
			 error.line, error.text);
	/* json_load_file() takes arrays as well. */
	if (!json_is_object(retention->since)) {
		json_decref(retention->since);
		retention->since = json_object();
	}
	*retention_out = retention;
	return 0;
}

void retention_free(struct retention **retentionp)
{
	struct retention *retention = *retentionp;

	if (!retention)
		return;
	*retentionp = NULL;
	json_decref(retention->since);
	free(retention->clearing);
	free(retention);
}

static void on_cleared(void *arg, json_t *rows)
{
	struct retention *retention = arg;

	/* NULL: the store was not there; the account is due again at the next look. */
	if (rows) {
		log_info(MODULE, "%s: what was counted is forgotten after %u days",
			 retention->clearing, retention->days);
		json_object_set_new(retention->since, retention->clearing,
				    json_integer(clock_wall_s()));
		write_since(retention);
	}
	json_decref(rows);
	free(retention->clearing);
	retention->clearing = NULL;
	retention->looked_s = 0; /* there may be another one */
}

void retention_look(struct retention *retention)
{
	int64_t now_s = clock_wall_s();
	const char *due;

	/* A clock that was set back is no reason to wait. */
	if (!retention || retention->clearing ||
	    (now_s >= retention->looked_s && now_s - retention->looked_s < RETENTION_LOOK_S))
		return;
	retention->looked_s = now_s;
	if (retention_review(retention->since, supervisor_accounts(retention->supervisor),
			     retention->days, now_s, &due))
		write_since(retention);
	/* A copy: the account may be deleted before the answer comes. */
	retention->clearing = due ? strdup(due) : NULL;
	if (!retention->clearing)
		return;
	if (statistics_clear(retention->supervisor, retention->clearing, on_cleared, retention)) {
		free(retention->clearing);
		retention->clearing = NULL;
	}
}
