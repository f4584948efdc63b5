/* control_api.c - routes of the control socket.
 *
 * Each request is answered once: here, or by what it was handed to (control_accounts.c,
 * control_listings.c and so on). A change goes to disk first and then to the workers by a
 * reload: a crash in between is made good by the next start, which reads the same files.
 * Whoever may open the socket is an operator; what he changes, and each look at secrets, is in
 * the audit log.
 */
#include "rendezvous/control_api.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/control_client.h"
#include "base/diag.h"
#include "base/encode.h"
#include "build-config.h"
#include "keys/period.h"
#include "keys/update.h"
#include "rendezvous/account_set.h"
#include "rendezvous/apply.h"
#include "rendezvous/audit.h"
#include "rendezvous/control_api_priv.h"
#include "rendezvous/floors.h"
#include "rendezvous/guests.h"
#include "rendezvous/slot.h"
#include "rendezvous/updates.h"

const char *control_api_member(const json_t *body, const char *name)
{
	/* Never NULL: what is missing fails where it is checked, as an empty text does. */
	const char *text = json_string_value(json_object_get(body, name));

	return text ? text : "";
}

void control_api_audit(const struct control_request *request, const char *what, const char *about,
		       const char *result)
{
	char buffer[1024], user[96] = "user=?";
	struct passwd entry, *found = NULL;
	pid_t pid;
	uid_t uid;

	/* The kernel's word for who connected (SO_PEERCRED): what the request says of itself is
	 * told behind it, as said. */
	if (control_peer(request, &pid, &uid) == 0) {
		snprintf(user, sizeof(user), "user=%u pid=%d", (unsigned)uid, (int)pid);
		if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 && found)
			snprintf(user, sizeof(user), "user=%s pid=%d", found->pw_name, (int)pid);
	}
	audit_write(user, what, about, result, control_header(request, CONTROL_SAYS));
}

/* A change that waits until all workers have it. */
struct change {
	struct control_request *request;
	json_t *result;
};

static void on_settled(void *arg, json_t *rows)
{
	struct change *change = arg;

	json_decref(rows);
	control_answer_json(change->request, 200, change->result);
	free(change);
}

void control_api_answer_settled(struct control_api *api, struct control_request *request,
				json_t *result)
{
	const struct supervisor_question question = { .kind = CRS_WORKER__QUERY_KIND__SETTLED };
	struct change *change = malloc(sizeof(*change));

	if (change)
		*change = (struct change){ .request = request, .result = result };
	if (change && supervisor_query(api->supervisor, &question, on_settled, change) == 0)
		return;
	/* It is done all the same, and workers get to it. */
	free(change);
	control_answer_json(request, 200, result);
}

void control_api_answer(struct control_api *api, struct control_request *request, const char *what,
			const char *about, int err, const struct diag *diag, json_t *result)
{
	const char *text = diag_errors(diag) ? diag_first_error(diag) : strerror(-err);
	/* An operator's mistake, or the state of things, is told from a fault of ours. */
	unsigned status = err == -EINVAL || err == -EBADMSG ? 400
			  : err == -ENOENT                  ? 404
			  : err == -EEXIST                  ? 409
							    : 500;

	/* Before the answer: what an operator has seen done is in the log. */
	control_api_audit(request, what, about, err ? text : "ok");
	if (err) {
		json_decref(result);
		control_answer_error(request, status, "%s", text);
		return;
	}
	control_api_answer_settled(api, request, result ? result : json_object());
}

bool control_api_knows(struct control_api *api, struct control_request *request,
		       const char *account)
{
	bool known = false;

	if (account)
		account_set_secret(supervisor_accounts(api->supervisor), account, &known);
	if (!known)
		control_answer_error(request, 404, "there is no account %s",
				     account ? account : "");
	return known;
}

bool control_api_knows_client(struct control_api *api, struct control_request *request,
			      const char *account, const char *uri)
{
	if (!control_api_knows(api, request, account))
		return false;
	if (uri && floors_has(supervisor_floors(api->supervisor), account, uri))
		return true;
	control_answer_error(request, 404, "account %s has no client %s", account, uri ? uri : "");
	return false;
}

static void get_version(struct control_request *request, void *arg)
{
	(void)arg;
	control_answer_json(
		request, 200,
		json_pack("[{s:s, s:s}]", "program", "crs", "version", PACKAGE_VERSION));
}

static void get_system(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *server = supervisor_options(api->supervisor)->settings.name;
	struct supervisor_process process;
	json_t *list = json_array();

	for (size_t i = 0; supervisor_process(api->supervisor, i, &process); i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i}", "server", server,
						      "process", process.name, "pid", process.pid,
						      "slots", (int)process.slots));
	control_answer_json(request, 200, list);
}

static void post_apply(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const struct apply_target into = supervisor_apply_target(api->supervisor);
	struct apply_source from = { .account = NULL };
	struct applied applied = { .account = "" };
	struct diag *diag;
	json_t *body, *result = NULL;
	int err;

	if (control_body_json(request, &body))
		return;
	diag = diag_new();
	from.path = control_api_member(body, "path");
	from.name = control_api_member(body, "name");
	if (!*from.name)
		from.name = from.path;
	from.partial = json_is_true(json_object_get(body, "partial"));
	err = apply_file(&into, &from, &applied, diag);
	if (!err) {
		result = json_pack("{s:s, s:s, s:i, s:I, s:I, s:I}", "account", applied.account,
				   "month", applied.month, "revision", (int)applied.revision,
				   "created", (json_int_t)applied.created, "users",
				   (json_int_t)applied.users, "damaged",
				   (json_int_t)applied.damaged);
		supervisor_reload(api->supervisor, diag);
	}
	control_api_answer(api, request, "apply", from.name, err, diag, result);
	json_decref(body);
	diag_free(&diag);
}

/* Answers the id under which the guests of a health check may enter, and how. */
static void post_guests(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const struct settings *settings = &supervisor_options(api->supervisor)->settings;
	uint8_t octets[GUESTS_ID / 2];
	char id[GUESTS_ID + 1];
	const char *account;
	json_t *body;

	if (control_body_json(request, &body))
		return;
	account = control_api_member(body, "account");
	/* The id is all that lets a guest in beside the account's secret: it must not be
	 * guessed. */
	if (RAND_bytes(octets, sizeof(octets)) != 1) {
		control_answer_error(request, 500, "no random numbers to be had");
	} else if (control_api_knows(api, request, account)) {
		hex_encode(slice_of(octets, sizeof(octets)), id);
		control_api_audit(request, "health-check", account, "ok");
		/* Before the answer: the guests connect as soon as crs-cli has it. */
		supervisor_announce_guests(api->supervisor, account, id);
		control_api_answer_settled(api, request,
					   json_pack("{s:s, s:s, s:s, s:i}", "id", id, "listen",
						     settings->listen_address, "public",
						     settings->ip, "port",
						     (int)settings->listen_port));
	}
	json_decref(body);
}

/* What crs-cli did by itself. */
static void post_audit(struct control_request *request, void *arg)
{
	json_t *body;

	(void)arg;
	if (control_body_json(request, &body))
		return;
	control_api_audit(request, control_api_member(body, "action"),
			  control_api_member(body, "about"), "ok");
	control_answer_json(request, 200, json_object());
	json_decref(body);
}

/* [{ "ahead": SECONDS }], or nothing where there is nothing to compare with. */
static void get_clock(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	int64_t ahead_s;

	if (supervisor_clock_ahead(api->supervisor, &ahead_s))
		control_answer_json(request, 200,
				    json_pack("[{s:I}]", "ahead", (json_int_t)ahead_s));
	else
		control_answer_json(request, 200, json_array());
}

static void get_slot(struct control_request *request, void *arg)
{
	const char *uri = control_arg(request, "uri");

	(void)arg;
	if (!uri || !*uri) {
		control_answer_error(request, 400, "which uri?");
		return;
	}
	control_answer_json(
		request, 200,
		json_pack("[{s:s, s:i}]", "uri", uri, "slot", (int)slot_of(slice_str(uri))));
}

static json_t *created_text(const struct update *update)
{
	char text[CLOCK_TEXT_SIZE];

	/* The manual's words, which cli_health.c looks for. */
	if (!update)
		return json_string("Not Available");
	clock_format((int64_t)update_created(update) * 1000, text);
	return json_string(text);
}

json_t *control_api_updates(struct supervisor *supervisor)
{
	const struct account_set *accounts = supervisor_accounts(supervisor);
	int64_t now_s = clock_wall_s(), month = period_of(now_s);
	struct updates *updates = NULL;
	json_t *list;

	/* Read from disk, not asked of the workers: what is applied counts, also while one of
	 * them is starting. */
	if (updates_load(supervisor_options(supervisor)->paths.accounts, accounts, now_s, &updates,
			 NULL))
		return NULL;
	list = json_array();
	for (size_t i = 0; i < account_set_count(accounts); i++) {
		const char *id = account_set_id(accounts, i);

		json_array_append_new(
			list, json_pack("{s:s, s:o, s:o}", "account", id, "current",
					created_text(updates_find(updates, id, month)), "next",
					created_text(updates_find(updates, id, month + 1))));
	}
	updates_free(&updates);
	return list;
}

static void get_updates(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	json_t *list = control_api_updates(api->supervisor);

	if (list)
		control_answer_json(request, 200, list);
	else
		control_answer_error(request, 500, "no memory");
}

static const struct control_route routes[] = {
	{ "GET", "/clock", get_clock, false, "how far our clock is ahead of the push service's" },
	{ "GET", "/version", get_version, false, "version of the server" },
	{ "GET", "/attach", control_api_attach, false, "attached users" },
	{ "GET", "/session", control_api_session, false, "calls" },
	{ "GET", "/message", control_api_message, false, "messages posted and delivered by user" },
	{ "GET", "/relay", control_api_relay, false, "statistics of crs-relay" },
	{ "GET", "/relays", control_api_relays, false, "active relay resources" },
	{ "GET", "/services", control_api_services, false, "services, active or inactive" },
	{ "GET", "/system", get_system, false, "processes and their slots" },
	{ "GET", "/accounts", control_api_accounts, false, "accounts with path and shared secret" },
	{ "GET", "/loaded", control_api_loaded, false, "accounts loaded by each worker" },
	{ "GET", "/updates", get_updates, false, "applied monthly updates" },
	{ "GET", "/blacklist", control_api_blacklist, false, "account=ID: blacklisted users" },
	{ "GET", "/admins", control_api_admins, false, "remote administrators" },
	{ "GET", "/admin", control_api_admin, false, "name=NAME: with the secret" },
	{ "GET", "/admin-accounts", control_api_admin_accounts, false,
	  "name=NAME: accounts and authorizations" },
	{ "GET", "/client-info", control_api_client_info, false, "account=ID: what clients say" },
	{ "GET", "/push-token", control_api_push_token, false, "account=ID uri=URI" },
	{ "GET", "/client-storage", control_api_client_storage, false,
	  "account=ID: how much is kept for whom" },
	{ "GET", "/lookup", control_api_lookup, false,
	  "account=ID uri=URI: where a user is, and whose" },
	{ "GET", "/slot", get_slot, false, "uri=URI: slot of a user" },
	{ "GET", "/stats", control_api_stats_export, false,
	  "account=ID, pseudonyms: statistics of its users" },
	{ "GET", "/trace", control_api_trace_open, false,
	  "element=NAME[,NAME...] json=1: events as they come" },
	{ "POST", "/account", control_api_account_create, false,
	  "{id, secret}: create an account" },
	{ "POST", "/account/delete", control_api_account_delete, false, "{id}: delete an account" },
	{ "POST", "/reload", control_api_reload, false,
	  "load accounts, blacklists, updates again" },
	{ "POST", "/apply", post_apply, false,
	  "{path, name, partial}: take a monthly update over" },
	{ "POST", "/blacklist", control_api_blacklist_change, false,
	  "{account, uri, add}: change a blacklist" },
	{ "POST", "/stats", control_api_stats_change, false,
	  "{account, action}: enable, disable or clear statistics" },
	{ "POST", "/update-notification", control_api_update_notification, false,
	  "{account, enable}: tell clients when an update is applied, or do not" },
	{ "POST", "/guests", post_guests, false, "{account}: let clients of a health check enter" },
	{ "POST", "/audit", post_audit, false, "{action, about}: note what was done" },
	{ "POST", "/admin", control_api_admin_change, false, "{name, create}: make or remove one" },
	{ "POST", "/admin/account", control_api_admin_account_change, false,
	  "{name, account, add}: give or take access" },
	{ "POST", "/admin/authorization", control_api_admin_authorize, false,
	  "{name, account, authorization, add}" },
	{ "POST", "/client-info/delete", control_api_forget_info, false, "{account, uri}" },
	{ "POST", "/purge/observed", control_api_purge_observed, false,
	  "{account}: forget users whom no update lists" },
	{ "POST", "/wakeup", control_api_wakeup, false, "{account, uri}: wake a user up by push" },
	{ "POST", "/purge", control_api_purge, false,
	  "{account, uri} or {account, all}: end connections" },
};

int control_api_new(struct event_base *base, struct supervisor *supervisor,
		    struct control_api **api_out, struct diag *diag)
{
	struct control_api *api = calloc(1, sizeof(*api));
	struct control_options options = {
		.address = supervisor_options(supervisor)->paths.control,
		/* crs's group may administer; nobody else gets as far as a request. */
		.mode = 0660,
		.gid = (gid_t)-1,
		.routes = routes,
		.route_count = sizeof(routes) / sizeof(routes[0]),
		.arg = api,
	};
	int err;

	if (!api)
		return -ENOMEM;
	api->supervisor = supervisor;
	TAILQ_INIT(&api->tracers);
	err = control_new(base, &options, &api->control, diag);
	if (err) {
		free(api);
		return err;
	}
	*api_out = api;
	return 0;
}

void control_api_free(struct control_api **apip)
{
	struct control_api *api = *apip;

	if (!api)
		return;
	/* First: it ends streams without a word, so that no tracer is dropped twice. */
	control_free(&api->control);
	control_api_drop_tracers(api);
	free(api);
	*apip = NULL;
}
