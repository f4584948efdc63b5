/* control_api_priv.h - what the files of the control socket share. */
#ifndef RENDEZVOUS_CONTROL_API_PRIV_H
#define RENDEZVOUS_CONTROL_API_PRIV_H

#include <sys/queue.h>

#include "rendezvous/control_api.h"

struct control;
struct control_request;

/* Somebody who looks at traces. */
struct tracer {
	TAILQ_ENTRY(tracer) in_api;
	struct control_api *api;
	struct control_stream *stream;
	unsigned elements; /* bits of trace_element */
	bool json;
};

TAILQ_HEAD(tracer_list, tracer);

struct control_api {
	struct supervisor *supervisor;
	struct control *control;
	struct tracer_list tracers;
};

/* control_traces.c */
void control_api_trace_open(struct control_request *request, void *arg);
void control_api_drop_tracers(struct control_api *api);

/* control_listings.c */
void control_api_attach(struct control_request *request, void *arg);
void control_api_session(struct control_request *request, void *arg);
void control_api_message(struct control_request *request, void *arg);
void control_api_services(struct control_request *request, void *arg);
void control_api_relay(struct control_request *request, void *arg);
void control_api_relays(struct control_request *request, void *arg);

/* accounts_json.c: the accounts on disk as { id, path, secret }; crs-cli uses it, too,
 * while crs does not run.  Returns 0 or -errno with diag set. */
int accounts_json(const char *dir, json_t **list_out, struct diag *diag);

#endif
