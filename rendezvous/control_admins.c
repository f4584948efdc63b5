/* control_admins.c - remote administrators over the control socket (CRS manual 4.9, 5.4).
 *
 * Who may connect to the socket is an operator already: nothing is asked here but whether names
 * are good. Each change is in the audit log, and so is each look at a secret.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/control.h"
#include "base/diag.h"
#include "rendezvous/admins.h"
#include "rendezvous/control_api_priv.h"

static const char *folder(const struct control_api *api)
{
	return supervisor_options(api->supervisor)->paths.admins;
}

/* Names and their accounts; secrets are told one at a time. */
void control_api_admins(struct control_request *request, void *arg)
{
	struct diag *diag = diag_new();
	json_t *list = NULL, *admin;
	size_t i;

	if (admins_list(folder(arg), &list, diag)) {
		control_answer_error(request, 500, "%s", diag_first_error(diag));
		diag_free(&diag);
		return;
	}
	json_array_foreach(list, i, admin)
	{
		json_t *ids = json_array(), *authorizations;
		const char *id;

		json_object_foreach(json_object_get(admin, "accounts"), id, authorizations)
			json_array_append_new(ids, json_string(id));
		json_object_set_new(admin, "accounts", ids);
		/* Taken out rather than left out: what else an administrator has is shown as it
		 * is. */
		json_object_del(admin, "secret");
	}
	control_answer_json(request, 200, list);
	diag_free(&diag);
}

/* name=NAME, or NULL: then the request is answered. */
static json_t *named(const struct control_api *api, struct control_request *request)
{
	const char *name = control_arg(request, "name");
	struct diag *diag = diag_new();
	json_t *admin = NULL;
	int err = admins_read(folder(api), name ? name : "", &admin, diag);

	if (err)
		control_answer_error(request, err == -ENOENT ? 404 : 400, "%s",
				     diag_first_error(diag));
	diag_free(&diag);
	return err ? NULL : admin;
}

void control_api_admin(struct control_request *request, void *arg)
{
	json_t *admin = named(arg, request);

	if (!admin)
		return;
	control_api_audit(request, "show admin", control_arg(request, "name"), "ok");
	control_answer_json(request, 200,
			    json_pack("[{s:O, s:O}]", "name", json_object_get(admin, "name"),
				      "secret", json_object_get(admin, "secret")));
	json_decref(admin);
}

void control_api_admin_accounts(struct control_request *request, void *arg)
{
	json_t *admin = named(arg, request), *list, *authorizations;
	const char *id;

	if (!admin)
		return;
	list = json_array();
	json_object_foreach(json_object_get(admin, "accounts"), id, authorizations)
		json_array_append_new(list, json_pack("{s:s, s:O}", "account", id, "authorizations",
						      authorizations));
	control_answer_json(request, 200, list);
	json_decref(admin);
}

/* {name, create}: makes or removes one.  Workers learn of it by a reload. */
void control_api_admin_change(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	char secret[ADMINS_SECRET_TEXT] = "";
	json_t *body, *result = NULL;
	struct diag *diag;
	const char *name;
	bool create;
	int err;

	if (control_body_json(request, &body))
		return;
	diag = diag_new();
	name = control_api_member(body, "name");
	create = json_is_true(json_object_get(body, "create"));
	err = create ? admins_create(folder(api), name, secret, diag)
		     : admins_delete(folder(api), name, diag);
	if (!err)
		supervisor_reload(api->supervisor, diag);
	if (!err && create)
		result = json_pack("{s:s, s:s}", "name", name, "secret", secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	control_api_answer(api, request, create ? "create admin" : "delete admin", name, err, diag,
			   result);
	json_decref(body);
	diag_free(&diag);
}

/* {name, account, add} */
void control_api_admin_account_change(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *name, *account;
	struct diag *diag;
	char about[128];
	json_t *body;
	bool add;
	int err;

	if (control_body_json(request, &body))
		return;
	name = control_api_member(body, "name");
	account = control_api_member(body, "account");
	add = json_is_true(json_object_get(body, "add"));
	/* Access to an account that is no more can be taken off, too. */
	if (!add || control_api_knows(api, request, account)) {
		diag = diag_new();
		err = admins_set_account(folder(api), name, account, add, diag);
		snprintf(about, sizeof(about), "%s %s", name, account);
		control_api_answer(api, request, add ? "add admin-account" : "delete admin-account",
				   about, err, diag, NULL);
		diag_free(&diag);
	}
	json_decref(body);
}

/* {name, account, authorization, add} */
void control_api_admin_authorize(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *name, *account, *authorization;
	struct diag *diag;
	char about[160];
	json_t *body;
	bool add;
	int err;

	if (control_body_json(request, &body))
		return;
	diag = diag_new();
	name = control_api_member(body, "name");
	account = control_api_member(body, "account");
	authorization = control_api_member(body, "authorization");
	add = json_is_true(json_object_get(body, "add"));
	/* No reload: admins_may() reads the file at each question. */
	err = admins_authorize(folder(api), name, account, authorization, add, diag);
	snprintf(about, sizeof(about), "%s %s %s", name, account, authorization);
	control_api_answer(api, request,
			   add ? "add admin-account-authorization"
			       : "delete admin-account-authorization",
			   about, err, diag, NULL);
	json_decref(body);
	diag_free(&diag);
}
