/* server.h - cig-server: the one context in which its parts are tied together. */
#ifndef GATEWAY_SERVER_H
#define GATEWAY_SERVER_H

#include "gateway/call_figures.h"
#include "gateway/calls.h"
#include "gateway/cig_config.h"
#include "gateway/pbx_door.h"
#include "gateway/secure_side.h"
#include "gateway/sip_texts.h"
#include "gateway/texts.h"
#include "gateway/texts_smpp.h"

struct call_records;
struct call_trace;
struct control_api;
struct diag;
struct metrics;
struct resolver;
struct session_log;

struct server {
	struct event_base *base;
	const struct cig_config *config; /* held */
	struct session_log *session_log;
	struct call_records *records;
	struct call_trace *trace;
	struct call_figures figures;
	struct resolver *resolver;
	struct pbxs *pbxs;
	struct pbx_door door;
	struct sip_link *sip;
	struct relay_link *relay;
	struct calls *calls;
	struct texts *texts;
	struct sip_texts *sip_texts;
	struct texts_smpp *smpp;
	struct secure_side *secure;
	struct control_api *control;
	struct metrics *metrics; /* NULL: not wanted */
	int64_t started_ms;
	bool leaving;
	bool broken; /* the loop was stopped by a fault: start anew */
};

/* Starts every part.  Returns NULL with the reason in diag. */
struct server *server_new(struct event_base *base, const struct cig_config *config,
			  struct diag *diag);

/* Tells the PBXs with which the gateway is registered that it goes, then stops the loop; at
 * once where there is none, or when asked again. */
void server_leave(struct server *server);

/* Ends calls, then the parts in the reverse order. */
void server_free(struct server **serverp);

/* Reads the configuration again; new calls use it, calls in progress keep theirs.  A file
 * with faults, or with changes that need a restart, changes nothing.  Returns 0 with a
 * report of what changed (reload.h; the caller's), or -errno with diag set. */
int server_reload(struct server *server, json_t **report_out, struct diag *diag);

/* Opens cig.log, session.log and the call records again, after logrotate has moved them. */
void server_reopen_logs(struct server *server);

#endif
