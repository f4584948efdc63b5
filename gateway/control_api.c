/* control_api.c - the control port's routes: requests in, JSON of the parts' reports
 * out. */
#include "gateway/control_api.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/control.h"
#include "base/diag.h"
#include "base/json_text.h"
#include "base/text.h"
#include "base/timer.h"
#include "gateway/call_trace.h"
#include "gateway/calls.h"
#include "gateway/route_report.h"
#include "gateway/texts_smpp.h"
#include "gateway/secure_side.h"
#include "gateway/status_report.h"
#include "gateway/texts.h"

/* Requests that wait for one round of figures, and how long: cig-relay answers within one of its
 * loop's turns, or hangs. */
enum { MAX_WAITING = 16, MEDIA_LIMIT_MS = 500 };

struct control_api {
	struct control_api_parts parts;
	struct control *control;
	struct control_request *wait[MAX_WAITING]; /* for the media figures of calls */
	unsigned waiting;
	struct event *media_limit;
};

static void get_echo(struct control_request *request, void *arg)
{
	const char *text = control_arg(request, "text");

	(void)arg;
	control_answer_json(request, 200, json_pack("{s:o}", "text", json_text(text)));
}

/* ---- calls, with the figures of their media where they are asked for ---- */

static void answer_calls(struct control_api *api, struct control_request *request)
{
	control_answer_json(request, 200,
			    json_pack("{s:o}", "calls", calls_report(api->parts.calls)));
}

static void answer_waiting(struct control_api *api)
{
	event_del(api->media_limit);
	while (api->waiting > 0)
		answer_calls(api, api->wait[--api->waiting]);
}

static void on_media_told(void *arg)
{
	answer_waiting(arg);
}

/* cig-relay does not answer in time: the last figures must do. */
static void on_media_limit(evutil_socket_t fd, short what, void *arg)
{
	struct control_api *api = arg;

	(void)fd;
	(void)what;
	calls_forget_media(api->parts.calls);
	answer_waiting(api);
}

/* One round of questions to cig-relay serves everybody who asks meanwhile. */
static void get_calls(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	int err = -ENOENT;

	if (control_arg(request, "media") && api->waiting < MAX_WAITING)
		err = calls_ask_media(api->parts.calls, on_media_told, api);
	if (err && err != -EALREADY) {
		answer_calls(api, request);
		return;
	}
	api->wait[api->waiting++] = request;
	if (!err)
		timer_arm(api->media_limit, MEDIA_LIMIT_MS);
}

static void get_trace(struct control_request *request, void *arg)
{
	struct control_api *api = arg;

	call_trace_open(calls_world(api->parts.calls)->trace, request,
			control_arg(request, "match"));
}

static void get_centers(struct control_request *request, void *arg)
{
	const struct control_api *api = arg;

	control_answer_json(request, 200,
			    json_pack("{s:o}", "centers", texts_smpp_report(api->parts.smpp)));
}

/* The manual's descriptor for messages is always there (CIG-102). */
static void get_umsg(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	json_t *sessions = calls_umsg_report(api->parts.calls);

	json_array_append_new(
		sessions,
		json_pack("{s:s, s:s, s:s, s:I, s:s}", "from", "", "to", "", "state", "ZERO",
			  "time_s", (json_int_t)((clock_mono_ms() - api->parts.started_ms) / 1000),
			  "id", "umsg"));
	control_answer_json(request, 200, json_pack("{s:o}", "sessions", sessions));
}

/* CIG manual 2.9, "status"; what is beyond its page is in status_report.h. */
static void get_status(struct control_request *request, void *arg)
{
	const struct control_api *api = arg;

	control_answer_json(request, 200, status_report(&api->parts));
}

/* As the running gateway routes; cig-cli itself asks a file, for a server that is not there
 * cannot be asked. */
static void get_route(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	const char *to = control_arg(request, "to");

	if (!to || !*to)
		control_answer_error(request, 400, "to: a sip or tel URI is missing");
	else
		control_answer_json(request, 200,
				    route_report(cig_config_router(calls_config(api->parts.calls)),
						 to, control_arg(request, "from")));
}

/* Every fault, a line each: an administrator mends them all at once. */
static void answer_faults(struct control_request *request, int err, const struct diag *diag)
{
	char text[4096];
	struct buf b = BUF_OF(text);
	struct diag_item item;

	for (size_t i = 0; diag_get(diag, i, &item); i++) {
		if (item.severity != DIAG_ERROR)
			continue;
		if (b.len)
			buf_put_char(&b, '\n');
		if (item.place.file)
			buf_printf(&b, "%s:%u:%u: ", item.place.file, item.place.line,
				   item.place.column);
		buf_put_str(&b, item.text);
	}
	control_answer_error(request, 409, "%s", b.len ? text : strerror(-err));
}

/* The server's own words, whether it changed something or why not (reload.h). */
static void post_reload(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	struct diag *diag = diag_new();
	json_t *report = NULL;
	int err = api->parts.reload(api->parts.arg, &report, diag);

	if (err)
		answer_faults(request, err, diag);
	else
		control_answer_json(request, 200, report);
	diag_free(&diag);
}

/* After set-key, which has written the key store itself: no letter crosses this port. */
static void post_reload_keys(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	struct diag *diag = diag_new();
	int err = secure_side_reload(api->parts.secure, diag);

	if (err)
		answer_faults(request, err, diag);
	else
		control_answer_json(request, 200, json_pack("{s:b}", "done", 1));
	diag_free(&diag);
}

/* ---- texts that are queued ---- */

enum { MESSAGES_LISTED = 1000, MAX_MESSAGES_LISTED = 100000 };

static void get_messages(struct control_request *request, void *arg)
{
	const struct control_api *api = arg;
	const char *text = control_arg(request, "limit");
	unsigned long limit = MESSAGES_LISTED;

	if (text && !text_number(slice_str(text), 1, MAX_MESSAGES_LISTED, &limit))
		control_answer_error(request, 400, "limit: expected a number from 1 to %d",
				     MAX_MESSAGES_LISTED);
	else
		control_answer_json(request, 200, texts_list(api->parts.texts, limit));
}

static void act_on_message(struct control_request *request, struct texts *texts,
			   int (*act)(struct texts *texts, const char *id))
{
	const char *id = control_arg(request, "id");
	int err = id ? act(texts, id) : -EINVAL;

	if (err == -EINVAL)
		control_answer_error(request, 400,
				     "id: expected a message's id as the list has it");
	else if (err == -ENOENT)
		control_answer_error(request, 404, "no message with this id is queued");
	else if (err == -EBUSY)
		control_answer_error(request, 409, "it is being delivered just now");
	else if (err)
		control_answer_error(request, 500, "%s", strerror(-err));
	else
		control_answer_json(request, 200, json_pack("{s:b}", "done", 1));
}

static void post_message_retry(struct control_request *request, void *arg)
{
	const struct control_api *api = arg;

	act_on_message(request, api->parts.texts, texts_retry);
}

static void post_message_drop(struct control_request *request, void *arg)
{
	const struct control_api *api = arg;

	act_on_message(request, api->parts.texts, texts_drop);
}

/* Reading needs no token: whoever may use the host's loopback sees numbers of calls, and
 * never a key, a password or a digit.  What changes something does need it. */
static const struct control_route routes[] = {
	{ "GET", "/echo", get_echo, false, "text: gives it back" },
	{ "GET", "/calls", get_calls, false,
	  "the calls; media: with fresh figures of their media" },
	{ "GET", "/centers", get_centers, false, "the message centers" },
	{ "GET", "/umsg", get_umsg, false, "the sessions on the secure side" },
	{ "GET", "/status", get_status, false, "the state of the gateway" },
	{ "GET", "/trace/call", get_trace, false,
	  "match: what happens to calls, live, to all or to those with this number or URI" },
	{ "GET", "/route", get_route, false, "to, from: where a call would go, and why" },
	{ "GET", "/messages", get_messages, false,
	  "limit: the texts that are queued, where, and why" },
	{ "POST", "/message/retry", post_message_retry, true, "id: tries a queued text at once" },
	{ "POST", "/message/drop", post_message_drop, true,
	  "id: gives a queued text up, and tells its sender" },
	{ "POST", "/reload", post_reload, true, "reads the configuration again" },
	{ "POST", "/reload-keys", post_reload_keys, true, "loads the key store again" },
};

static int listen_on(struct control_api *api, const struct control_token *token, struct diag *diag)
{
	const struct cig_config *config = calls_config(api->parts.calls);
	char address[64];
	struct control_options options = { .address = address,
					   .routes = routes,
					   .route_count = sizeof(routes) / sizeof(routes[0]),
					   .arg = api,
					   .token = token };

	snprintf(address, sizeof(address), strchr(config->control_bind, ':') ? "[%s]:%u" : "%s:%u",
		 config->control_bind, config->control_port);
	return control_new(api->parts.base, &options, &api->control, diag);
}

int control_api_new(const struct control_api_parts *parts, struct control_api **api_out,
		    struct diag *diag)
{
	struct control_api *api = calloc(1, sizeof(*api));
	struct control_token token;
	char path[PATH_MAX];
	int err;

	if (!api)
		return -ENOMEM;
	api->parts = *parts;
	api->media_limit = evtimer_new(parts->base, on_media_limit, api);
	/* New at each start, so that one that leaked is worth nothing afterwards. */
	snprintf(path, sizeof(path), "%s/.control-token", calls_config(parts->calls)->userdata);
	err = api->media_limit ? control_token_create(path, &token) : -ENOMEM;
	if (err)
		diag_error(diag, NULL, "%s: %s", path, strerror(-err));
	else
		err = listen_on(api, &token, diag);
	if (err)
		control_api_free(&api);
	else
		*api_out = api;
	return err;
}

void control_api_free(struct control_api **apip)
{
	struct control_api *api = *apip;

	if (!api)
		return;
	*apip = NULL;
	if (api->waiting)
		calls_forget_media(api->parts.calls);
	control_free(&api->control); /* and with it the requests that wait */
	if (api->media_limit)
		event_free(api->media_limit);
	free(api);
}
