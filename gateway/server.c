/* server.c - the parts of cig-server in the order in which they need each other, and
 * their events handed to the one whom they concern. */
#include "gateway/server.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "gateway/call_record.h"
#include "gateway/call_trace.h"
#include "gateway/control_api.h"
#include "gateway/metrics.h"
#include "gateway/pbxs.h"
#include "gateway/relay_link.h"
#include "gateway/reload.h"
#include "gateway/resolver.h"
#include "gateway/session_log.h"
#include "gateway/sip_link.h"

#define MODULE "server"

/* The links outlive the calls: what they tell while the server stops is for nobody. */

/* ---- the SIP agent ---- */

static void sip_ready(void *arg)
{
	struct server *server = arg;

	if (server->calls)
		calls_sip_ready(server->calls);
	if (server->pbxs)
		pbxs_sip_ready(server->pbxs);
	if (server->sip_texts)
		sip_texts_ready(server->sip_texts);
}

static void sip_lost(void *arg, const char *text)
{
	struct server *server = arg;

	(void)text;
	if (server->calls)
		calls_sip_lost(server->calls);
	if (server->sip_texts)
		sip_texts_lost(server->sip_texts);
}

static void sip_event(void *arg, const SipAgent__FromAgent *event)
{
	struct server *server = arg;

	if (server->sip_texts && sip_texts_event(server->sip_texts, event))
		return;
	if (server->calls)
		calls_sip_event(server->calls, event);
	if (server->pbxs)
		pbxs_sip_event(server->pbxs, event);
}

static const struct sip_link_ops sip_ops = { sip_ready, sip_lost, sip_event };

/* ---- the media relay ---- */

static void relay_up(void *arg, const Relay__Welcome *welcome)
{
	(void)arg;
	(void)welcome;
}

static void relay_down(void *arg)
{
	struct server *server = arg;

	if (server->calls)
		calls_relay_down(server->calls);
}

static void relay_event(void *arg, const Relay__Event *event)
{
	struct server *server = arg;

	if (server->calls)
		calls_relay_event(server->calls, event);
}

static const struct relay_link_ops relay_ops = { relay_up, relay_down, relay_event };

/* ---- the secure side ---- */

static void secure_client(void *arg, struct umsg_client *client, const char *own_uri,
			  unsigned engines)
{
	struct server *server = arg;
	struct calls_world *world = calls_world(server->calls);

	world->umsg = client;
	snprintf(world->own_uri, sizeof(world->own_uri), "%s", own_uri);
	world->engines = engines;
	texts_set_client(server->texts, client, own_uri);
}

static void secure_attached(void *arg)
{
	struct server *server = arg;

	texts_attached(server->texts);
}

static void secure_looked_up(void *arg, const char *uri)
{
	struct server *server = arg;

	calls_looked_up(server->calls, uri);
	texts_looked_up(server->texts);
}

static void secure_incoming(void *arg, struct umsg_call *call)
{
	struct server *server = arg;

	calls_secure_incoming(server->calls, call);
}

static void secure_call(void *arg, struct umsg_call *call, enum umsg_call_event event)
{
	struct server *server = arg;

	calls_secure_event(server->calls, call, event);
}

static void secure_message(void *arg, const struct umsg_message *message)
{
	struct server *server = arg;

	texts_message(server->texts, message);
}

static void secure_post_ack(void *arg, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
			    const char *text, unsigned retry_after_s)
{
	struct server *server = arg;

	texts_post_ack(server->texts, id, error, text, retry_after_s);
}

static bool secure_receipt(void *arg, const char *from, const uint8_t id[UMSG_ID_SIZE],
			   Umsg__ReceiptState state, const char *reason)
{
	struct server *server = arg;

	return texts_receipt(server->texts, from, id, state, reason);
}

static const struct secure_side_ops secure_ops = {
	.client = secure_client,
	.attached = secure_attached,
	.looked_up = secure_looked_up,
	.incoming = secure_incoming,
	.call = secure_call,
	.message = secure_message,
	.post_ack = secure_post_ack,
	.receipt = secure_receipt,
};

/* ---- texts ---- */

static void texts_broken(void *arg)
{
	struct server *server = arg;

	server->broken = true;
	event_base_loopbreak(server->base);
}

static const struct texts_ops texts_ops = { texts_broken };

/* ---- life ---- */

static int open_logs(struct server *server, struct diag *diag)
{
	const char *dir = server->config->log_dir;
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/session.log", dir);
	err = session_log_open(path, &server->session_log, diag);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/calls.jsonl", dir);
	return call_records_open(path, &server->records, diag);
}

static int start_links(struct server *server, struct diag *diag)
{
	int err = sip_link_new(server->base, server->config, &sip_ops, server, &server->sip);

	if (err) {
		diag_error(diag, NULL, "cig-sip cannot be started: %s", strerror(-err));
		return err;
	}
	err = relay_link_new(server->base, server->config->run_dir, &relay_ops, server,
			     &server->relay);
	if (err)
		diag_error(diag, NULL, "run_dir %s: %s", server->config->run_dir, strerror(-err));
	return err;
}

static int make_calls(struct server *server)
{
	struct calls_world world = { .base = server->base,
				     .sip = server->sip,
				     .relay = server->relay,
				     .resolver = server->resolver,
				     .pbxs = server->pbxs,
				     .door = &server->door,
				     .session_log = server->session_log,
				     .trace = server->trace,
				     .records = server->records,
				     .figures = &server->figures };

	server->calls = calls_new(&world, server->config);
	return server->calls ? 0 : -ENOMEM;
}

static int reload(void *arg, json_t **report_out, struct diag *diag)
{
	return server_reload(arg, report_out, diag);
}

static int start_ports(struct server *server, struct diag *diag)
{
	const struct control_api_parts parts = { .base = server->base,
						 .calls = server->calls,
						 .relay = server->relay,
						 .sip = server->sip,
						 .pbxs = server->pbxs,
						 .secure = server->secure,
						 .texts = server->texts,
						 .smpp = server->smpp,
						 .started_ms = server->started_ms,
						 .reload = reload,
						 .arg = server };

	const struct metrics_parts counted = { .figures = &server->figures,
					       .calls = server->calls,
					       .relay = server->relay,
					       .sip = server->sip,
					       .pbxs = server->pbxs,
					       .secure = server->secure,
					       .texts = server->texts,
					       .started_ms = server->started_ms };
	int err = metrics_new(server->base, server->config, &counted, &server->metrics, diag);

	return err ? err : control_api_new(&parts, &server->control, diag);
}

/* The journal with the mailboxes first: the other ports are added to it. */
static int make_texts(struct server *server, struct diag *diag)
{
	struct sip_texts_world world = { .base = server->base,
					 .link = server->sip,
					 .pbxs = server->pbxs,
					 .door = &server->door };
	int err = texts_new(server->base, server->config, &texts_ops, server, &server->texts, diag);

	world.texts = server->texts;
	return err ? err : sip_texts_new(&world, server->config, &server->sip_texts);
}

/* A full disk must not keep calls from the new configuration. */
static void keep_live(const struct cig_config *config)
{
	int err = reload_keep_live(config);

	if (err)
		log_warn(MODULE, "no copy of %s in %s: %s", config->path, config->userdata,
			 strerror(-err));
}

/* The links call back from the loop only, so calls may be made after them. */
static int start(struct server *server, struct diag *diag)
{
	int err = open_logs(server, diag);

	server->resolver = resolver_new(server->base);
	server->trace = call_trace_new();
	if (!err && (!server->resolver || !server->trace))
		err = -ENOMEM;
	if (!err)
		err = start_links(server, diag);
	if (!err) {
		server->pbxs = pbxs_new(server->base, server->sip, server->config);
		err = server->pbxs ? 0 : -ENOMEM;
	}
	if (!err)
		err = pbx_door_init(&server->door);
	if (!err)
		err = make_calls(server);
	if (!err)
		err = make_texts(server, diag);
	if (!err)
		err = texts_smpp_new(server->base, server->texts, server->config, &server->smpp,
				     diag);
	if (!err)
		err = secure_side_new(server->base, server->config, &secure_ops, server,
				      &server->secure, diag);
	if (!err)
		err = start_ports(server, diag);
	if (err && !diag_errors(diag))
		diag_error(diag, NULL, "%s", strerror(-err));
	return err;
}

struct server *server_new(struct event_base *base, const struct cig_config *config,
			  struct diag *diag)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server) {
		diag_error(diag, NULL, "out of memory");
		return NULL;
	}
	server->base = base;
	server->config = cig_config_hold(config);
	server->started_ms = clock_mono_ms();
	if (start(server, diag))
		server_free(&server);
	else
		/* After everything has started: the copy is of a configuration that works. */
		keep_live(config);
	return server;
}

static void on_left(void *arg)
{
	struct server *server = arg;

	event_base_loopbreak(server->base);
}

void server_leave(struct server *server)
{
	if (server->leaving || !pbxs_leave(server->pbxs, on_left, server))
		event_base_loopbreak(server->base);
	server->leaving = true;
}

void server_free(struct server **serverp)
{
	struct server *server = *serverp;

	if (!server)
		return;
	*serverp = NULL;
	call_trace_free(&server->trace); /* its streams are the control port's */
	if (server->calls)
		calls_world(server->calls)->trace = NULL;
	control_api_free(&server->control);
	metrics_free(&server->metrics);
	secure_side_free(&server->secure); /* hangs up, which ends the calls */
	calls_free(&server->calls);
	sip_texts_free(&server->sip_texts);
	texts_smpp_free(&server->smpp);
	texts_free(&server->texts);
	pbxs_free(&server->pbxs);
	sip_link_free(&server->sip);
	relay_link_free(&server->relay);
	resolver_free(&server->resolver);
	session_log_close(&server->session_log);
	call_records_close(&server->records);
	cig_config_release(&server->config);
	free(server);
}

void server_reopen_logs(struct server *server)
{
	log_reopen();
	session_log_reopen(server->session_log);
	call_records_reopen(server->records);
}

/* Calls in progress hold the configuration that they began with.  Each part takes its own hold;
 * ours moves last. */
static void use_config(struct server *server, const struct cig_config *config)
{
	calls_set_config(server->calls, config);
	secure_side_set_config(server->secure, config);
	sip_link_set_config(server->sip, config);
	pbxs_set_config(server->pbxs, config);
	if (texts_set_config(server->texts, config) ||
	    sip_texts_set_config(server->sip_texts, config))
		log_warn(MODULE,
			 "out of memory: mailboxes change when cig-server is started again");
	texts_smpp_set_config(server->smpp, config); /* tells what it cannot use */
	cig_config_release(&server->config);
	server->config = config;
	keep_live(config);
}

/* What people see, of warnings, too: an entry that is shadowed is not refused. */
static void log_reload(const struct cig_config *config, const json_t *report,
		       const struct diag *diag)
{
	struct diag_item item;

	log_info(MODULE, "new calls use %s: %s; %d added, %d changed, %d removed", config->path,
		 json_string_value(json_object_get(report, "summary")),
		 (int)json_integer_value(json_object_get(report, "added")),
		 (int)json_integer_value(json_object_get(report, "changed")),
		 (int)json_integer_value(json_object_get(report, "removed")));
	for (size_t i = 0; diag_get(diag, i, &item); i++)
		log_warn(MODULE, "%s:%u:%u: %s", item.place.file ? item.place.file : config->path,
			 item.place.line, item.place.column, item.text);
}

int server_reload(struct server *server, json_t **report_out, struct diag *diag)
{
	const struct cig_config *config;
	int err = cig_config_read(server->config->path, diag, &config);

	if (err)
		return err;
	/* Compared before anything is changed: what needs a restart is refused as a whole. */
	err = reload_compare(server->config, config, report_out, diag);
	if (err) {
		cig_config_release(&config);
		return err;
	}
	log_reload(config, *report_out, diag);
	use_config(server, config);
	return 0;
}
