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

/* control_api.c: the text member of a request's body, or "". */
const char *control_api_member(const json_t *body, const char *name);

/* Who did what, with what result, goes to the audit log. */
void control_api_audit(const struct control_request *request, const char *what, const char *about,
		       const char *result);

/* Answers 200 with result (taken over) as soon as all workers have done what they were told
 * before, or SUPERVISOR_QUERY_LIMIT_MS later: what an operator sees done holds at each of them. */
void control_api_answer_settled(struct control_api *api, struct control_request *request,
				json_t *result);

/* Answers a request that changes something, and audits it: result (taken over; NULL: an
 * empty object), as control_api_answer_settled(), or where err is not 0 what diag says, at once. */
void control_api_answer(struct control_api *api, struct control_request *request, const char *what,
			const char *about, int err, const struct diag *diag, json_t *result);

/* Is there such an account?  If not, the request is answered. */
bool control_api_knows(struct control_api *api, struct control_request *request,
		       const char *account);

/* Has it such a client, attached or not?  If not, the request is answered. */
bool control_api_knows_client(struct control_api *api, struct control_request *request,
			      const char *account, const char *uri);

/* control_accounts.c */
void control_api_accounts(struct control_request *request, void *arg);
/* The accounts that each worker has loaded. */
void control_api_loaded(struct control_request *request, void *arg);
void control_api_account_create(struct control_request *request, void *arg);
/* With all its users, who are cut off. */
void control_api_account_delete(struct control_request *request, void *arg);
void control_api_reload(struct control_request *request, void *arg);
void control_api_blacklist(struct control_request *request, void *arg);
void control_api_blacklist_change(struct control_request *request, void *arg);
/* Ends the connections of a client, or of all of an account. */
void control_api_purge(struct control_request *request, void *arg);
/* Forgets the users whom no update lists. */
void control_api_purge_observed(struct control_request *request, void *arg);

/* control_admins.c */
void control_api_admins(struct control_request *request, void *arg);
/* One administrator, by name. */
void control_api_admin(struct control_request *request, void *arg);
/* The accounts of one, with what is authorized there. */
void control_api_admin_accounts(struct control_request *request, void *arg);
void control_api_admin_change(struct control_request *request, void *arg);
void control_api_admin_account_change(struct control_request *request, void *arg);
void control_api_admin_authorize(struct control_request *request, void *arg);

/* control_data.c */
void control_api_client_info(struct control_request *request, void *arg);
/* The push tokens of a user's devices. */
void control_api_push_token(struct control_request *request, void *arg);
/* What is kept for the devices of an account's users. */
void control_api_client_storage(struct control_request *request, void *arg);
/* What the rendezvous knows of a URI, asked of its home. */
void control_api_lookup(struct control_request *request, void *arg);
void control_api_forget_info(struct control_request *request, void *arg);
/* Wakes a user up by push, if there is a token to do so. */
void control_api_wakeup(struct control_request *request, void *arg);

/* control_statistics.c */
void control_api_stats_export(struct control_request *request, void *arg);
/* Enables, disables or clears the statistics of an account. */
void control_api_stats_change(struct control_request *request, void *arg);
void control_api_update_notification(struct control_request *request, void *arg);

/* control_traces.c */
void control_api_trace_open(struct control_request *request, void *arg);
/* Closes all traces: the port goes. */
void control_api_drop_tracers(struct control_api *api);

/* control_listings.c */
void control_api_attach(struct control_request *request, void *arg);
/* The calls of all workers. */
void control_api_session(struct control_request *request, void *arg);
/* What was counted of messages, by user; what workers hold back is written first. */
void control_api_message(struct control_request *request, void *arg);
void control_api_services(struct control_request *request, void *arg);
/* The media relay's own figures. */
void control_api_relay(struct control_request *request, void *arg);
/* Its sessions. */
void control_api_relays(struct control_request *request, void *arg);

/* accounts_json.c: the accounts on disk as { id, path, secret }; crs-cli uses it, too,
 * while crs does not run.  The secret of one that cannot be read is "", and diag says why.
 * Returns 0 or -errno with diag set. */
int accounts_json(const char *dir, json_t **list_out, struct diag *diag);

#endif
