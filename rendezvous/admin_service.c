/* admin_service.c - the requests of remote administrators.
 *
 * The worker that holds the connection says who asks; whether he may is decided here, by what is
 * on disk at that moment. What is done and what is refused has its line in the audit log.
 */
#include "rendezvous/admin_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/diag.h"
#include "base/log.h"
#include "rendezvous/account_set.h"
#include "rendezvous/accounts.h"
#include "rendezvous/admins.h"
#include "rendezvous/apply.h"
#include "rendezvous/audit.h"
#include "rendezvous/control_api.h"
#include "rendezvous/pseudonyms.h"
#include "rendezvous/statistics.h"
#include "rendezvous/supervisor_priv.h"
#include "umsg/frame.h"

static const char *const actions[] = {
	[UMSG__ADMIN_ACTION__ADMIN_ACCOUNTS] = "accounts",
	[UMSG__ADMIN_ACTION__ADMIN_APPLY] = "apply",
	[UMSG__ADMIN_ACTION__ADMIN_STATISTICS_EXPORT] = "stats export",
	[UMSG__ADMIN_ACTION__ADMIN_STATISTICS_ENABLE] = "stats enable",
	[UMSG__ADMIN_ACTION__ADMIN_STATISTICS_DISABLE] = "stats disable",
	[UMSG__ADMIN_ACTION__ADMIN_STATISTICS_CLEAR] = "stats clear",
	[UMSG__ADMIN_ACTION__ADMIN_STATISTICS_PSEUDONYMS] = "stats export --pseudonyms",
};

/* A request that waits for the workers' counts.  The worker that asked may be another
 * process by then: it does not know the connection, and drops the reply. */
struct asked {
	struct supervisor *supervisor;
	struct worker_process *worker;
	uint64_t connection;
};

static void reply(struct worker_process *worker, uint64_t connection, Umsg__ErrorCode error,
		  const char *text, struct slice data, bool more)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__AdminReply body = CRS_WORKER__ADMIN_REPLY__INIT;
	char copy[FRAME_TEXT_MAX + 1];

	snprintf(copy, sizeof(copy), "%s", text);
	body.connection = connection;
	body.error = error;
	body.text = copy;
	body.data = frame_data(data);
	body.more = more;
	message.body_case = CRS_WORKER__CONTROL__BODY_ADMIN_REPLY;
	message.admin_reply = &body;
	worker_process_send(worker, &message);
}

/* Takes answer over; sent in parts as large as a frame takes. */
static void reply_json(struct worker_process *worker, uint64_t connection, json_t *answer)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	struct slice rest = slice_str(text ? text : "");

	json_decref(answer);
	if (!text) {
		reply(worker, connection, UMSG__ERROR_CODE__ERROR_BUSY,
		      "no memory, or the store is not there", rest, false);
		return;
	}
	/* At least once: an empty text is an answer, too, and only a part without more ends it. */
	do {
		size_t n = rest.n < FRAME_UPDATE_DATA ? rest.n : FRAME_UPDATE_DATA;

		reply(worker, connection, UMSG__ERROR_CODE__OK, "", slice_of(rest.p, n),
		      n < rest.n);
		rest = slice_from(rest, n);
	} while (rest.n > 0);
	free(text);
}

static void audit(const CrsWorker__AdminAsk *ask, const char *result)
{
	char who[AUDIT_TEXT_MAX];

	snprintf(who, sizeof(who), "admin=%s peer=%s", ask->admin, ask->peer);
	audit_write(who, actions[ask->action], ask->account, result, NULL);
}

static void refuse(struct worker_process *worker, const CrsWorker__AdminAsk *ask,
		   Umsg__ErrorCode error, const char *why)
{
	audit(ask, why);
	reply(worker, ask->connection, error, why, slice_str(""), false);
}

/* ---- what can be asked ---- */

/* The accounts that he has access to, with what he may do and which updates there are. */
static void tell_accounts(struct supervisor *supervisor, struct worker_process *worker,
			  const CrsWorker__AdminAsk *ask)
{
	json_t *admin = NULL, *updates = control_api_updates(supervisor), *list, *row, *own;
	size_t i;

	if (!updates || admins_read(supervisor->options->paths.admins, ask->admin, &admin, NULL)) {
		json_decref(updates);
		refuse(worker, ask, UMSG__ERROR_CODE__ERROR_BUSY, "accounts are not readable");
		return;
	}
	list = json_array();
	json_array_foreach(updates, i, row)
	{
		own = json_object_get(json_object_get(admin, "accounts"),
				      json_string_value(json_object_get(row, "account")));
		if (!own)
			continue;
		json_object_set(row, "authorizations", own);
		json_array_append(list, row);
	}
	json_decref(updates);
	json_decref(admin);
	audit(ask, "ok");
	reply_json(worker, ask->connection, list);
}

/* A change that waits until all workers have it; so has the one that asked. */
struct change {
	struct worker_process *worker;
	uint64_t connection;
	json_t *answer;
};

static void on_settled(void *arg, json_t *rows)
{
	struct change *change = arg;

	json_decref(rows);
	reply_json(change->worker, change->connection, change->answer);
	free(change);
}

/* Takes answer over. */
static void reply_settled(struct supervisor *supervisor, struct worker_process *worker,
			  uint64_t connection, json_t *answer)
{
	const struct supervisor_question question = { .kind = CRS_WORKER__QUERY_KIND__SETTLED };
	struct change *change = malloc(sizeof(*change));

	if (change)
		*change = (struct change){ worker, connection, answer };
	if (change && supervisor_query(supervisor, &question, on_settled, change) == 0)
		return;
	free(change);
	reply_json(worker, connection, answer);
}

static void apply(struct supervisor *supervisor, struct worker_process *worker,
		  const CrsWorker__AdminAsk *ask)
{
	const struct apply_target into = supervisor_apply_target(supervisor);
	const struct apply_source from = { .path = ask->path,
					   .name = ask->path,
					   .account = ask->account };
	struct applied applied = { .account = "" };
	struct diag *diag = diag_new();
	int err = apply_file(&into, &from, &applied, diag);

	if (err) {
		refuse(worker, ask, UMSG__ERROR_CODE__ERROR_MALFORMED, diag_first_error(diag));
	} else {
		audit(ask, "ok");
		/* The update is on disk and stays applied, whatever the reload says: its result
		 * is no answer to him. */
		supervisor_reload(supervisor, diag);
		reply_settled(supervisor, worker, ask->connection,
			      json_pack("{s:s, s:s, s:i, s:I}", "account", applied.account, "month",
					applied.month, "revision", (int)applied.revision, "users",
					(json_int_t)applied.users));
	}
	diag_free(&diag);
}

static void switch_statistics(struct supervisor *supervisor, struct worker_process *worker,
			      const CrsWorker__AdminAsk *ask, bool on)
{
	struct diag *diag = diag_new();
	int err = accounts_set_mark(supervisor->options->paths.accounts, ask->account,
				    ACCOUNT_MARK_STATISTICS, on, diag);

	if (!err)
		err = supervisor_reload(supervisor, diag);
	if (err) {
		refuse(worker, ask, UMSG__ERROR_CODE__ERROR_BUSY, diag_first_error(diag));
	} else {
		audit(ask, "ok");
		reply_settled(supervisor, worker, ask->connection, json_object());
	}
	diag_free(&diag);
}

static void on_counted(void *arg, json_t *rows)
{
	struct asked *asked = arg;

	reply_json(asked->worker, asked->connection, rows);
	free(asked);
}

/* statistics_collect(), or what else has done called with counts. */
typedef int counts_fn(struct supervisor *supervisor, const char *account, statistics_done_fn *done,
		      void *arg);

static void ask_counts(struct supervisor *supervisor, struct worker_process *worker,
		       const CrsWorker__AdminAsk *ask, counts_fn *begin)
{
	struct asked *asked = malloc(sizeof(*asked));
	int err = asked ? 0 : -ENOMEM;

	if (!err) {
		*asked = (struct asked){ supervisor, worker, ask->connection };
		err = begin(supervisor, ask->account, on_counted, asked);
	}
	if (!err) {
		audit(ask, "ok");
		return;
	}
	free(asked);
	/* Other than memory it is the pseudonyms' key, which the operator has to look at. */
	refuse(worker, ask, UMSG__ERROR_CODE__ERROR_BUSY,
	       err == -ENOMEM ? "no memory" : "the pseudonyms' key is not readable");
}

/* ---- who may ---- */

static bool may(const struct supervisor *supervisor, const CrsWorker__AdminAsk *ask)
{
	enum admin_authorization needed =
		ask->action == UMSG__ADMIN_ACTION__ADMIN_APPLY ? ADMIN_UPDATE : ADMIN_STATISTICS;
	bool known;

	/* Asked for what it says beside the secret: whether the account is there. */
	account_set_secret(supervisor->accounts, ask->account, &known);
	return known &&
	       admins_may(supervisor->options->paths.admins, ask->admin, ask->account, needed);
}

void admin_service_ask(struct supervisor *supervisor, struct worker_process *worker,
		       const CrsWorker__AdminAsk *ask)
{
	if (ask->action >= sizeof(actions) / sizeof(actions[0]))
		return; /* no worker of ours passes that on */
	if (ask->action == UMSG__ADMIN_ACTION__ADMIN_ACCOUNTS) {
		tell_accounts(supervisor, worker, ask);
		return;
	}
	/* An account that is not there and one without access look alike. */
	if (!may(supervisor, ask)) {
		refuse(worker, ask, UMSG__ERROR_CODE__ERROR_NOT_ALLOWED,
		       "not authorized for this account");
		return;
	}
	switch (ask->action) {
	case UMSG__ADMIN_ACTION__ADMIN_APPLY:
		if (*ask->path)
			apply(supervisor, worker, ask);
		else /* its first part has come, and he may send the others */
			reply(worker, ask->connection, UMSG__ERROR_CODE__OK, "", slice_str(""),
			      false);
		break;
	case UMSG__ADMIN_ACTION__ADMIN_STATISTICS_ENABLE:
		switch_statistics(supervisor, worker, ask, true);
		break;
	case UMSG__ADMIN_ACTION__ADMIN_STATISTICS_DISABLE:
		switch_statistics(supervisor, worker, ask, false);
		break;
	case UMSG__ADMIN_ACTION__ADMIN_STATISTICS_CLEAR:
		ask_counts(supervisor, worker, ask, statistics_clear);
		break;
	case UMSG__ADMIN_ACTION__ADMIN_STATISTICS_PSEUDONYMS:
		ask_counts(supervisor, worker, ask, pseudonyms_collect);
		break;
	default:
		ask_counts(supervisor, worker, ask, statistics_collect);
	}
}
