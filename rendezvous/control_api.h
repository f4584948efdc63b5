/* control_api.h - what crs answers on its control socket.
 *
 * Every listing is an array of objects whose members are the columns in the manual's
 * order.  Whoever may open the socket may do everything; who it was stands in the
 * log.  Routes: GET / lists them.
 */
#ifndef RENDEZVOUS_CONTROL_API_H
#define RENDEZVOUS_CONTROL_API_H

#include "rendezvous/supervisor.h"

struct control_api;
struct diag;
struct event_base;

/* Serves the socket of the paths (0660).  Returns 0 or -errno with diag set. */
int control_api_new(struct event_base *base, struct supervisor *supervisor,
		    struct control_api **api_out, struct diag *diag);
/* Closes the socket and frees *apip; *apip may be NULL. */
void control_api_free(struct control_api **apip);

/* Each account with when its updates of this and the next month were made, as "show updates"
 * has it; NULL: no memory. */
json_t *control_api_updates(struct supervisor *supervisor);

/* An event of a worker, for whoever traces it. */
void control_api_trace(struct control_api *api, enum trace_element element,
		       const char *const *fields, size_t n);

#endif
