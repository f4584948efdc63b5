/* control_statistics.c - statistics and what else is switched on for an account, over the
 * control socket. */
#include <errno.h>
#include <string.h>

#include "base/control.h"
#include "base/diag.h"
#include "rendezvous/accounts.h"
#include "rendezvous/control_api_priv.h"
#include "rendezvous/pseudonyms.h"
#include "rendezvous/statistics.h"

static void on_exported(void *arg, json_t *rows)
{
	struct control_request *request = arg;

	if (rows)
		control_answer_json(request, 200, rows);
	else
		control_answer_error(request, 500, "the store is not there, or no memory");
}

static void export_hidden(struct control_api *api, struct control_request *request,
			  const char *account)
{
	int err = pseudonyms_collect(api->supervisor, account, on_exported, request);

	if (err)
		control_answer_error(request, 500, "%s/pseudonyms-key: %s",
				     supervisor_options(api->supervisor)->paths.data,
				     err == -EINVAL ? "damaged" : strerror(-err));
}

void control_api_stats_export(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *account = control_arg(request, "account");
	bool hidden;

	if (!control_api_knows(api, request, account))
		return;
	/* Noted before it is done: an export that fails half way may have told something
	 * already. */
	hidden = control_arg(request, "pseudonyms") != NULL;
	control_api_audit(request, hidden ? "stats export --pseudonyms" : "stats export", account,
			  "ok");
	if (hidden)
		export_hidden(api, request, account);
	else if (statistics_collect(api->supervisor, account, on_exported, request))
		control_answer_error(request, 500, "no memory");
}

/* NULL for rows is the word that it was not done. */
static void on_cleared(void *arg, json_t *rows)
{
	struct control_request *request = arg;

	json_decref(rows);
	if (rows)
		control_answer_json(request, 200, json_object());
	else
		control_answer_error(request, 500,
				     "the store is not there, or refuses: not all is cleared");
}

/* Workers learn of the mark by the reload. */
static void switch_mark(struct control_api *api, struct control_request *request,
			const char *account, const char *action, enum account_mark mark, bool on)
{
	const char *dir = supervisor_options(api->supervisor)->paths.accounts;
	struct diag *diag = diag_new();
	int err = accounts_set_mark(dir, account, mark, on, diag);

	/* All is read again, as at a start: there is but one way in which workers learn of
	 * marks. */
	if (!err)
		err = supervisor_reload(api->supervisor, diag);
	control_api_answer(api, request, action, account, err, diag, NULL);
	diag_free(&diag);
}

void control_api_stats_change(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *account, *action;
	json_t *body;

	if (control_body_json(request, &body))
		return;
	account = control_api_member(body, "account");
	action = control_api_member(body, "action");
	if (!control_api_knows(api, request, account)) {
		json_decref(body);
		return;
	}
	if (strcmp(action, "enable") == 0) {
		switch_mark(api, request, account, "stats enable", ACCOUNT_MARK_STATISTICS, true);
	} else if (strcmp(action, "disable") == 0) {
		switch_mark(api, request, account, "stats disable", ACCOUNT_MARK_STATISTICS, false);
	} else if (strcmp(action, "clear") == 0) {
		control_api_audit(request, "stats clear", account, "begun");
		if (statistics_clear(api->supervisor, account, on_cleared, request))
			control_answer_error(request, 500, "no memory");
	} else {
		control_answer_error(request, 400, "action: expected enable, disable or clear");
	}
	json_decref(body);
}

/* {account, enable} (CRS manual 5.4, "update-notification"). */
void control_api_update_notification(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *account;
	json_t *body;
	bool on;

	if (control_body_json(request, &body))
		return;
	account = control_api_member(body, "account");
	on = json_is_true(json_object_get(body, "enable"));
	if (control_api_knows(api, request, account))
		switch_mark(api, request, account,
			    on ? "update-notification enable" : "update-notification disable",
			    ACCOUNT_MARK_UPDATE_NOTIFICATION, on);
	json_decref(body);
}
