/* home_data.c - what clients have kept for them.
 *
 * A request is answered when its value is durable: a client that has heard "done" need not store
 * it again. An empty value removes what was there. One worker has all requests of a URI, so that
 * the store sees them in their order.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "rendezvous/client_data.h"
#include "rendezvous/home_priv.h"
#include "rendezvous/store.h"

/* Whose request waits until the value is durable. */
struct data_wait {
	struct home *home;
	struct endpoint to;
	uint64_t request;
};

static void on_stored(void *arg, int err, uint64_t number)
{
	struct data_wait *wait = arg;
	Umsg__Frame frame = UMSG__FRAME__INIT;
	Umsg__Done done = UMSG__DONE__INIT;

	(void)number;
	frame.request = wait->request;
	frame.body_case = UMSG__FRAME__BODY_DONE;
	frame.done = &done;
	if (err)
		home_error(wait->home, &wait->to, wait->request,
			   err == -ENOSPC ? UMSG__ERROR_CODE__ERROR_STORE_FULL
					  : UMSG__ERROR_CODE__ERROR_BUSY,
			   "not stored", MAIL_RETRY_DOWN_S);
	else
		home_answer(wait->home, &wait->to, &frame);
	free(wait);
}

/* "update client_token" (CRS manual 5.4, "trace object"). */
static void trace(struct home *home, const char *uri, const Umsg__ClientData *data)
{
	char event[64];
	const char *fields[] = { uri, event };
	size_t n;

	if (!worker_traces(home->worker, TRACE_OBJECT))
		return;
	n = (size_t)snprintf(event, sizeof(event), "%s %s", data->value.len ? "update" : "remove",
			     data->name);
	for (size_t i = 0; i < n && i < sizeof(event); i++) {
		/* The manual's traces have names with underscores, those of the store have
		 * dashes. */
		if (event[i] == '-')
			event[i] = '_';
	}
	worker_trace(home->worker, TRACE_OBJECT, fields, 2);
}

void home_client_data(struct home *home, const struct endpoint *from, const struct passed_up *up,
		      const Umsg__Frame *frame)
{
	const Umsg__ClientData *data = frame->client_data;
	struct data_wait *wait;
	char *text;

	/* The name becomes part of a key in the store: only known ones, however harmless another
	 * may look. */
	if (!client_data_is_name(data->name)) {
		home_error(home, from, frame->request, UMSG__ERROR_CODE__ERROR_NOT_ALLOWED,
			   "nothing is kept under this name", 0);
		return;
	}
	text = data->value.len
		       ? client_data_text(clock_wall_s(), data->type, frame_bytes(data->value))
		       : strdup("");
	wait = malloc(sizeof(*wait));
	if (wait)
		*wait = (struct data_wait){ home, *from, frame->request };
	if (!wait || !text ||
	    store_set_field(worker_store(home->worker), data->name, up->account, up->from, text,
			    on_stored, wait)) {
		free(wait);
		home_error(home, from, frame->request, UMSG__ERROR_CODE__ERROR_BUSY,
			   "store not available", MAIL_RETRY_DOWN_S);
	} else {
		trace(home, up->from, data);
	}
	free(text);
}
