/* control_accounts.c - accounts on the control socket: made, deleted, loaded again, and who of
 * their clients is kept out or cut off.
 *
 * What changes here is on disk before the workers hear of it, by the reload.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/control.h"
#include "base/diag.h"
#include "base/log.h"
#include "rendezvous/account_set.h"
#include "rendezvous/accounts.h"
#include "rendezvous/control_api_priv.h"
#include "rendezvous/floors.h"

/* A reload that found faults has worked all the same: what was wrong with one account is told,
 * not counted as an error. */
static json_t *warnings_of(const struct diag *diag)
{
	json_t *list = json_array();
	struct diag_item item;

	for (size_t i = 0; diag_get(diag, i, &item); i++) {
		char line[512];

		snprintf(line, sizeof(line), "%s%s%s", item.place.file ? item.place.file : "",
			 item.place.file ? ": " : "", item.text);
		json_array_append_new(list, json_string(line));
	}
	return list;
}

void control_api_accounts(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *dir = supervisor_options(api->supervisor)->paths.accounts;
	struct diag *diag = diag_new();
	json_t *list = NULL;
	int err = accounts_json(dir, &list, diag);
	struct diag_item item;

	for (size_t i = 0; !err && diag_get(diag, i, &item); i++)
		log_warn("account", "%s%s%s", item.place.file ? item.place.file : "",
			 item.place.file ? ": " : "", item.text);
	if (err)
		control_answer_error(request, 500, "%s", diag_first_error(diag));
	else
		control_answer_json(request, 200, list);
	control_api_audit(request, "list account", "", err ? diag_first_error(diag) : "ok");
	diag_free(&diag);
}

void control_api_loaded(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const struct account_set *accounts = supervisor_accounts(api->supervisor);
	struct supervisor_process process;
	json_t *list = json_array();

	/* The first three are crs itself and its two Redis servers (supervisor_process()). */
	for (size_t i = 3; supervisor_process(api->supervisor, i, &process); i++) {
		json_t *ids = json_array();

		for (size_t a = 0; a < account_set_count(accounts); a++)
			json_array_append_new(ids, json_string(account_set_id(accounts, a)));
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:i, s:o}", "server",
						supervisor_options(api->supervisor)->settings.name,
						"module", process.name, "pid", process.pid,
						"accounts", ids));
	}
	control_answer_json(request, 200, list);
}

void control_api_account_create(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *dir = supervisor_options(api->supervisor)->paths.accounts;
	char secret[ACCOUNTS_SECRET_TEXT];
	struct diag *diag;
	json_t *body, *result = NULL;
	const char *id;
	int err;

	if (control_body_json(request, &body))
		return;
	diag = diag_new();
	id = control_api_member(body, "id");
	/* A longer one is refused by its length: what is cut here is longer than any that may
	 * be. */
	snprintf(secret, sizeof(secret), "%s", control_api_member(body, "secret"));
	err = accounts_create(dir, id, slice_str(secret), diag);
	if (!err) {
		result = json_pack("{s:s, s:s}", "id", id, "secret", secret);
		supervisor_reload(api->supervisor, diag);
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	control_api_answer(api, request, "create account", id, err, diag, result);
	json_decref(body);
	diag_free(&diag);
}

void control_api_account_delete(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *dir = supervisor_options(api->supervisor)->paths.accounts;
	struct diag *diag;
	json_t *body, *result = NULL;
	const char *id;
	int err;

	if (control_body_json(request, &body))
		return;
	diag = diag_new();
	id = control_api_member(body, "id");
	err = accounts_delete(dir, id, diag);
	if (!err)
		supervisor_forget_account(api->supervisor, id, diag);
	if (!err)
		result = json_pack("{s:o}", "warnings", warnings_of(diag));
	control_api_answer(api, request, "delete account", id, err, diag, result);
	json_decref(body);
	diag_free(&diag);
}

void control_api_reload(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	struct diag *diag = diag_new();
	int err = supervisor_reload(api->supervisor, diag);
	json_t *result = json_pack("{s:o}", "warnings", warnings_of(diag));

	control_api_answer(api, request, "reload account", "", err, diag, result);
	diag_free(&diag);
}

void control_api_blacklist_change(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *dir = supervisor_options(api->supervisor)->paths.accounts;
	char about[256];
	struct diag *diag;
	json_t *body;
	bool add;
	int err;

	if (control_body_json(request, &body))
		return;
	diag = diag_new();
	add = json_is_true(json_object_get(body, "add"));
	snprintf(about, sizeof(about), "%s@%s", control_api_member(body, "uri"),
		 control_api_member(body, "account"));
	err = accounts_blacklist(dir, control_api_member(body, "account"),
				 control_api_member(body, "uri"), add, diag);
	if (!err)
		supervisor_reload(api->supervisor, diag);
	control_api_answer(api, request, add ? "blacklist add" : "blacklist remove", about, err,
			   diag, NULL);
	json_decref(body);
	diag_free(&diag);
}

void control_api_blacklist(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *id = control_arg(request, "account");
	char *text = NULL, *line, *rest;
	json_t *list;

	if (!control_api_knows(api, request, id))
		return;
	if (accounts_read_blacklist(supervisor_options(api->supervisor)->paths.accounts, id,
				    &text)) {
		control_answer_error(request, 500, "cannot read the blacklist of %s", id);
		return;
	}
	list = json_array();
	/* Our own copy of a file of ours: strtok_r() may write into it, and empty lines are
	 * passed over. */
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		json_array_append_new(list, json_pack("{s:s}", "uri", line));
	free(text);
	control_answer_json(request, 200, list);
}

/* {account, uri} or {account, all: true}: an empty uri is a mistake, not everybody. */
void control_api_purge(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *account, *uri;
	char about[256];
	struct diag *diag;
	json_t *body;
	bool all, known;

	if (control_body_json(request, &body))
		return;
	account = control_api_member(body, "account");
	uri = control_api_member(body, "uri");
	all = json_is_true(json_object_get(body, "all"));
	known = all ? control_api_knows(api, request, account)
		    : control_api_knows_client(api, request, account, uri);
	if (known) {
		diag = diag_new();
		snprintf(about, sizeof(about), "%s%s%s", all ? "" : uri, all ? "" : "@", account);
		supervisor_expel(api->supervisor, account, all ? "" : uri, "purged");
		control_api_answer(api, request, all ? "purge clients" : "purge client", about, 0,
				   diag, NULL);
		diag_free(&diag);
	}
	json_decref(body);
}

static void expel(void *arg, const char *account, const char *uri)
{
	supervisor_expel(arg, account, uri, "purged");
}

void control_api_purge_observed(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *account;
	struct diag *diag;
	json_t *body;
	int n;

	if (control_body_json(request, &body))
		return;
	account = control_api_member(body, "account");
	if (control_api_knows(api, request, account)) {
		diag = diag_new();
		n = floors_purge_observed(supervisor_floors(api->supervisor), account, expel,
					  api->supervisor);
		/* Workers have the roster as they loaded it: only the reload makes them forget,
		 * too. */
		if (n >= 0)
			supervisor_reload(api->supervisor, diag);
		control_api_answer(api, request, "purge observed", account, n < 0 ? n : 0, diag,
				   json_pack("{s:i}", "purged", n));
		diag_free(&diag);
	}
	json_decref(body);
}
