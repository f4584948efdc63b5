/* server.h - cig-server: the one context in which its parts are tied together. */
#ifndef GATEWAY_SERVER_H
#define GATEWAY_SERVER_H

#include "gateway/calls.h"
#include "gateway/cig_config.h"
#include "gateway/secure_side.h"
#include "gateway/texts.h"

struct control;
struct diag;
struct resolver;
struct session_log;

struct server {
	struct event_base *base;
	const struct cig_config *config; /* held */
	struct session_log *session_log;
	struct resolver *resolver;
	struct sip_link *sip;
	struct relay_link *relay;
	struct calls *calls;
	struct texts *texts;
	struct secure_side *secure;
	struct control *control;
	int64_t started_ms;
	bool broken; /* the loop was stopped by a fault: start anew */
};

/* Starts every part.  Returns NULL with the reason in diag. */
struct server *server_new(struct event_base *base, const struct cig_config *config,
			  struct diag *diag);

/* Ends calls, then the parts in the reverse order. */
void server_free(struct server **serverp);

/* Reads the configuration again; new calls use it.  A file with faults changes
 * nothing.  Returns 0 or -errno with diag set. */
int server_reload(struct server *server, struct diag *diag);

/* gateway/control_api.c: listens on the control port. */
int control_api_start(struct server *server, struct diag *diag);

#endif
