/* control_api.c - what cig-server answers on its control port. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/diag.h"
#include "build-config.h"
#include "gateway/route_report.h"
#include "gateway/server.h"

static void get_echo(struct control_request *request, void *arg)
{
	const char *text = control_arg(request, "text");

	(void)arg;
	control_answer_json(request, 200, json_pack("{s:s}", "text", text ? text : ""));
}

static void get_calls(struct control_request *request, void *arg)
{
	struct server *server = arg;

	control_answer_json(request, 200, json_pack("{s:o}", "calls", calls_report(server->calls)));
}

/* The manual's descriptor for messages is always there (CIG-102). */
static void get_umsg(struct control_request *request, void *arg)
{
	struct server *server = arg;
	json_t *sessions = calls_umsg_report(server->calls);

	json_array_append_new(sessions,
			      json_pack("{s:s, s:s, s:s, s:I, s:s}", "from", "", "to", "", "state",
					"ZERO", "time_s",
					(json_int_t)((clock_mono_ms() - server->started_ms) / 1000),
					"id", "umsg"));
	control_answer_json(request, 200, json_pack("{s:o}", "sessions", sessions));
}

static void add_text_problems(const struct server *server, json_t *list)
{
	json_t *texts = texts_report(server->texts), *box;
	const char *journal = json_string_value(json_object_get(texts, "journal"));
	size_t i;

	if (*journal)
		json_array_append_new(
			list, json_sprintf("messages are left at the rendezvous: %s", journal));

	json_array_foreach(json_object_get(texts, "mailboxes"), i, box)
	{
		const char *reason = json_string_value(json_object_get(box, "reason"));

		if (*reason)
			json_array_append_new(
				list, json_sprintf("mailbox %s: %s",
						   json_string_value(json_object_get(box, "path")),
						   reason));
	}
	json_decref(texts);
}

static json_t *problems(const struct server *server)
{
	const struct calls_world *world = calls_world(server->calls);
	json_t *list = json_array();

	if (!world->umsg)
		json_array_append_new(list, json_string("no keys: run \"cig-cli set-key\""));
	else if (umsg_client_state(world->umsg) != UMSG_ATTACHED)
		json_array_append_new(list, json_string("not attached to the rendezvous"));
	if (!relay_link_is_up(server->relay))
		json_array_append_new(list, json_string("cig-relay is not connected"));
	if (!sip_link_is_ready(server->sip))
		json_array_append_new(list, json_string("cig-sip is not running"));
	add_text_problems(server, list);
	return list;
}

static json_t *sip_report(const struct server *server)
{
	const SipAgent__Counters *counters = sip_link_counters(server->sip);
	json_t *sip = json_pack("{s:s, s:s}", "bind", server->config->sip.common.bind, "state",
				sip_link_is_ready(server->sip) ? "READY" : "DOWN");

	json_object_set_new(sip, "address", json_string(sip_link_address(server->sip)));
	if (counters)
		json_object_update_new(sip, json_pack("{s:I, s:I, s:I}", "requests",
						      (json_int_t)counters->requests, "malformed",
						      (json_int_t)counters->malformed, "strangers",
						      (json_int_t)counters->strangers));
	return sip;
}

static void get_status(struct control_request *request, void *arg)
{
	struct server *server = arg;
	const struct calls_world *world = calls_world(server->calls);
	unsigned active = calls_active(server->calls);
	char config[512];
	json_t *relay = json_pack("{s:s, s:s}", "state",
				  relay_link_is_up(server->relay) ? "CONNECTED" : "DISCONNECTED",
				  "program", relay_link_program(server->relay));
	json_t *engines = json_pack("{s:i, s:i}", "available",
				    world->engines > active ? (int)(world->engines - active) : 0,
				    "total", (int)world->engines);

	cig_config_summary(server->config, config, sizeof(config));
	control_answer_json(request, 200,
			    json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "version",
				      PACKAGE_VERSION, "uptime_s",
				      (json_int_t)((clock_mono_ms() - server->started_ms) / 1000),
				      "relay", relay, "engines", engines, "umsg",
				      secure_side_report(server->secure), "sip", sip_report(server),
				      "texts", texts_report(server->texts), "config", config,
				      "problems", problems(server)));
}

static void get_route(struct control_request *request, void *arg)
{
	struct server *server = arg;
	const char *to = control_arg(request, "to");

	if (!to || !*to)
		control_answer_error(request, 400, "to: a sip or tel URI is missing");
	else
		control_answer_json(request, 200,
				    route_report(cig_config_router(server->config), to,
						 control_arg(request, "from")));
}

/* Answers what a change came to. */
static void answer_change(struct control_request *request, int err, const struct diag *diag)
{
	if (err)
		control_answer_error(request, 409, "%s",
				     diag_errors(diag) ? diag_first_error(diag) : strerror(-err));
	else
		control_answer_json(request, 200, json_pack("{s:b}", "done", 1));
}

static void post_reload(struct control_request *request, void *arg)
{
	struct diag *diag = diag_new();

	answer_change(request, server_reload(arg, diag), diag);
	diag_free(&diag);
}

static void post_reload_keys(struct control_request *request, void *arg)
{
	struct server *server = arg;
	struct diag *diag = diag_new();

	answer_change(request, secure_side_reload(server->secure, diag), diag);
	diag_free(&diag);
}

static const struct control_route routes[] = {
	{ "GET", "/echo", get_echo, false, "text: gives it back" },
	{ "GET", "/calls", get_calls, false, "the calls" },
	{ "GET", "/umsg", get_umsg, false, "the sessions on the secure side" },
	{ "GET", "/status", get_status, false, "the state of the gateway" },
	{ "GET", "/route", get_route, false, "to, from: where a call would go, and why" },
	{ "POST", "/reload", post_reload, true, "reads the configuration again" },
	{ "POST", "/reload-keys", post_reload_keys, true, "loads the key store again" },
};

int control_api_start(struct server *server, struct diag *diag)
{
	const struct cig_config *config = server->config;
	struct control_token token;
	struct control_options options = { .routes = routes,
					   .route_count = sizeof(routes) / sizeof(routes[0]),
					   .arg = server,
					   .token = &token };
	char path[PATH_MAX], address[64];
	int err;

	snprintf(path, sizeof(path), "%s/.control-token", config->userdata);
	err = control_token_create(path, &token);
	if (err) {
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
		return err;
	}
	snprintf(address, sizeof(address), strchr(config->control_bind, ':') ? "[%s]:%u" : "%s:%u",
		 config->control_bind, config->control_port);
	options.address = address;
	return control_new(server->base, &options, &server->control, diag);
}
