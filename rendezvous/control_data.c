/* control_data.c - what clients have stored, over the control socket (CRS manual 5.4).
 *
 * The rows come by way of workers, later: a request waits meanwhile, and what is needed then is
 * copied, for it may be gone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/diag.h"
#include "keys/account.h"
#include "rendezvous/client_data.h"
#include "rendezvous/control_api_priv.h"

/* A request that waits for the rows of an account: name, account, URI, stored text. */
struct data_listing {
	struct control_api *api;
	struct control_request *request;
	char *uri;      /* only this one's, or NULL */
	bool of_client; /* it has to be named */
	/* Adds what it makes of a row to the list. */
	void (*add)(const struct data_listing *listing, json_t *list, const char *name,
		    const char *uri, json_t *data);
};

static json_t *member(const json_t *data, const char *name)
{
	json_t *value = json_object_get(json_object_get(data, "value"), name);

	return value ? json_incref(value) : json_string("");
}

/* How far the client's clock was from ours when it stored this: "+3 s".  The client says
 * any number: one that is no time has no offset. */
static json_t *clock_offset(const json_t *data)
{
	const json_t *time = json_object_get(json_object_get(data, "value"), "time");
	int64_t saved_s = json_integer_value(json_object_get(data, "saved")), offset_s;
	char text[32];

	if (!json_is_integer(time) ||
	    __builtin_sub_overflow((int64_t)json_integer_value(time), saved_s, &offset_s))
		return json_string("");
	snprintf(text, sizeof(text), "%+lld s", (long long)offset_s);
	return json_string(text);
}

static void add_info(const struct data_listing *listing, json_t *list, const char *name,
		     const char *uri, json_t *data)
{
	(void)listing;
	if (strcmp(name, "client-info") == 0)
		json_array_append_new(list,
				      json_pack("{s:s, s:O, s:o, s:o, s:o, s:o, s:o}", "uri", uri,
						"timestamp", json_object_get(data, "time"),
						"client-time", clock_offset(data), "scan-time",
						member(data, "scan_time"), "os", member(data, "os"),
						"os-version", member(data, "os_version"),
						"cca-version", member(data, "version")));
}

static void add_push(const struct data_listing *listing, json_t *list, const char *name,
		     const char *uri, json_t *data)
{
	(void)uri;
	(void)listing;
	if (strcmp(name, "push-token") == 0)
		json_array_append_new(list, json_pack("{s:o, s:O, s:O, s:O, s:o}", "created",
						      member(data, "created"), "saved",
						      json_object_get(data, "time"), "age",
						      json_object_get(data, "age"), "client-type",
						      json_object_get(data, "type"), "tokens",
						      member(data, "tokens")));
}

static void add_storage(const struct data_listing *listing, json_t *list, const char *name,
			const char *uri, json_t *data)
{
	const char *server = supervisor_options(listing->api->supervisor)->settings.name;

	json_array_append_new(list,
			      json_pack("{s:s, s:s, s:O, s:O, s:s}", "server", server, "uri", uri,
					"bytes", json_object_get(data, "bytes"), "updated",
					json_object_get(data, "time"), "type", name));
}

static void forget(struct data_listing *listing)
{
	free(listing->uri);
	free(listing);
}

static void on_rows(void *arg, json_t *rows)
{
	struct data_listing *listing = arg;
	json_t *list = json_array(), *cells;
	int64_t now_s = clock_wall_s();
	size_t i;

	json_array_foreach(rows, i, cells)
	{
		const char *name = json_string_value(json_array_get(cells, 0));
		const char *uri = json_string_value(json_array_get(cells, 2));
		const char *text = json_string_value(json_array_get(cells, 3));
		json_t *data;

		/* All of an account's rows come; there is no index by URI in the store, and an
		 * operator asks seldom. */
		if (!name || !uri || !text || (listing->uri && strcmp(listing->uri, uri) != 0))
			continue;
		data = client_data_parse(text, now_s);
		if (data)
			listing->add(listing, list, name, uri, data);
		json_decref(data);
	}
	json_decref(rows);
	control_answer_json(listing->request, 200, list);
	forget(listing);
}

static void list_data(struct control_api *api, struct control_request *request,
		      const struct data_listing *model)
{
	const char *account = control_arg(request, "account"), *uri = control_arg(request, "uri");
	struct data_listing *listing;
	struct supervisor_question question = { .kind = CRS_WORKER__QUERY_KIND__CLIENT_DATA,
						.only_first = true,
						.account = account };

	if (model->of_client ? !control_api_knows_client(api, request, account, uri)
			     : !control_api_knows(api, request, account))
		return;
	listing = malloc(sizeof(*listing));
	if (listing) {
		/* The model says what is wanted and lives on the caller's stack. */
		*listing = *model;
		listing->api = api;
		listing->request = request;
		listing->uri = uri ? strdup(uri) : NULL;
	}
	if (!listing || supervisor_query(api->supervisor, &question, on_rows, listing)) {
		if (listing)
			forget(listing);
		control_answer_error(request, 500, "no memory");
	}
}

void control_api_client_info(struct control_request *request, void *arg)
{
	list_data(arg, request, &(struct data_listing){ .add = add_info });
}

void control_api_push_token(struct control_request *request, void *arg)
{
	list_data(arg, request, &(struct data_listing){ .of_client = true, .add = add_push });
}

void control_api_client_storage(struct control_request *request, void *arg)
{
	list_data(arg, request, &(struct data_listing){ .add = add_storage });
}

/* A row is the store's word that it did it. */
static void on_forgotten(void *arg, json_t *rows)
{
	if (supervisor_rows_done(rows))
		control_answer_json(arg, 200, json_object());
	else
		control_answer_error(arg, 500,
				     "the store is not there, or refuses: nothing is forgotten");
	json_decref(rows);
}

/* {account, uri} */
void control_api_forget_info(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	struct supervisor_question question = { .kind = CRS_WORKER__QUERY_KIND__FORGET_CLIENT_INFO,
						.only_first = true };
	json_t *body;

	if (control_body_json(request, &body))
		return;
	question.account = control_api_member(body, "account");
	question.uri = control_api_member(body, "uri");
	if (control_api_knows_client(api, request, question.account, question.uri)) {
		control_api_audit(request, "delete client-info", question.uri, "begun");
		if (supervisor_query(api->supervisor, &question, on_forgotten, request))
			control_answer_error(request, 500, "no memory");
	}
	json_decref(body);
}

/* ---- wake-up (CRS manual 5.4, "wakeup client") ---- */

/* The rows that come are the whole account's: whose are meant is kept here. */
struct waking {
	struct control_api *api;
	struct control_request *request;
	char account[ACCOUNT_ID_MAX + 1];
	char uri[];
};

/* What the client stored as its push-token; malloc'd, NULL: nothing that can be read. */
static char *token_of(const json_t *rows, const char *uri)
{
	const json_t *cells;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)rows, i, cells)
	{
		const char *name = json_string_value(json_array_get(cells, 0));
		const char *of = json_string_value(json_array_get(cells, 2));
		const char *text = json_string_value(json_array_get(cells, 3));
		json_t *data;
		char *value;

		if (!name || !of || !text || strcmp(name, "push-token") != 0 ||
		    strcmp(of, uri) != 0)
			continue;
		data = client_data_parse(text, clock_wall_s());
		value = json_dumps(json_object_get(data, "value"), JSON_COMPACT | JSON_ENCODE_ANY);
		json_decref(data);
		return value;
	}
	return NULL;
}

/* Pushed from here, and not by the user's home, which would not where a device is there or was just
 * pushed: whoever is told that it was done must have seen it done. */
static void on_tokens(void *arg, json_t *rows)
{
	struct waking *waking = arg;
	struct supervisor *supervisor = waking->api->supervisor;
	struct diag *diag = diag_new();
	char *value = token_of(rows, waking->uri);
	json_t *result = NULL;
	int err = -ENOTSUP;

	if (!supervisor_options(supervisor)->settings.push) {
		diag_error(diag, NULL, "push is off: see features and push-config in crs.conf");
	} else if (!value && !supervisor_rows_done(rows)) {
		diag_error(diag, NULL, "the store is not there, or refuses: no token to push to");
	} else if (!value) {
		diag_error(diag, NULL, "%s has no push token", waking->uri);
		err = -ENOENT;
	} else if ((err = supervisor_wake(supervisor, waking->account, waking->uri, value)) > 0) {
		result = json_pack("{s:i}", "notifications", err);
		err = 0;
	} else if (err == -ENOTSUP) {
		diag_error(diag, NULL, "push-config in crs.conf is not complete");
	} else {
		diag_error(diag, NULL, "%s cannot be pushed: %s", waking->uri,
			   err == -EINVAL ? "its push token names no device" : strerror(-err));
	}
	control_api_answer(waking->api, waking->request, "wakeup client", waking->uri, err, diag,
			   result);
	diag_free(&diag);
	json_decref(rows);
	free(value);
	free(waking);
}

/* {account, uri} */
void control_api_wakeup(struct control_request *request, void *arg)
{
	struct supervisor_question question = { .kind = CRS_WORKER__QUERY_KIND__CLIENT_DATA,
						.only_first = true };
	struct control_api *api = arg;
	struct waking *waking;
	json_t *body;
	const char *uri;

	if (control_body_json(request, &body))
		return;
	question.account = control_api_member(body, "account");
	uri = control_api_member(body, "uri");
	if (control_api_knows_client(api, request, question.account, uri)) {
		waking = calloc(1, sizeof(*waking) + strlen(uri) + 1);
		if (waking) {
			waking->api = api;
			waking->request = request;
			snprintf(waking->account, sizeof(waking->account), "%s", question.account);
			memcpy(waking->uri, uri, strlen(uri));
		}
		if (!waking || supervisor_query(api->supervisor, &question, on_tokens, waking)) {
			free(waking);
			control_answer_error(request, 500, "no memory");
		}
	}
	json_decref(body);
}

/* ---- lookup (CRS manual 5.4, "lookup client") ---- */

/* What the home of a URI says of it, as one object; NULL: nobody has that URI. */
static json_t *lookup_row(const json_t *rows, const char *server)
{
	json_t *row = NULL, *cells;
	const char *token = "";
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)rows, i, cells)
	{
		const char *what = json_string_value(json_array_get(cells, 0));
		const char *text = json_string_value(json_array_get(cells, 3));

		if (!what || !text)
			continue;
		if (strcmp(what, "client-token") == 0)
			token = text;
		/* The home of the URI says so once; any other row is the client's token. */
		else if (!row)
			row = json_pack("{s:s, s:O, s:O, s:s}", "source",
					strcmp(what, "attached") == 0 ? server : "-", "uri",
					json_array_get(cells, 2), "domain",
					json_array_get(cells, 1), "domain-token", text);
	}
	if (row)
		json_object_set_new(row, "client-token", client_data_value(token));
	return row;
}

struct lookup {
	struct control_request *request;
	const char *server;
};

static void on_found(void *arg, json_t *rows)
{
	struct lookup *lookup = arg;
	json_t *row = lookup_row(rows, lookup->server);

	if (row)
		control_answer_json(lookup->request, 200, json_pack("[o]", row));
	else
		control_answer_error(lookup->request, 404, "nobody has this URI here");
	json_decref(rows);
	free(lookup);
}

void control_api_lookup(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *uri = control_arg(request, "uri");
	struct supervisor_question question = { .kind = CRS_WORKER__QUERY_KIND__LOOKUP,
						.uri = uri };
	struct lookup *lookup;

	if (!control_api_knows(api, request, control_arg(request, "account")))
		return;
	if (!uri || !*uri) {
		control_answer_error(request, 400, "which uri?");
		return;
	}
	lookup = malloc(sizeof(*lookup));
	if (lookup)
		*lookup = (struct lookup){ request,
					   supervisor_options(api->supervisor)->settings.name };
	if (!lookup || supervisor_query(api->supervisor, &question, on_found, lookup)) {
		free(lookup);
		control_answer_error(request, 500, "no memory");
	}
}
