/* control_priv.h - what control.c (the port) and control_answer.c (answers and
 * streams) share.
 */
#ifndef BASE_CONTROL_PRIV_H
#define BASE_CONTROL_PRIV_H

#include <event2/event.h>
#include <microhttpd.h>

#include "base/control.h"

/* Two sides hold a request: libmicrohttpd until it is done with it, and the program
 * from the call of the handler to its answer.  It is freed when both let go. */
struct control_request {
	struct control *control;
	struct control_request *next, **link; /* in control->requests */
	struct MHD_Connection *connection;
	const struct control_route *route;
	char *target; /* path and query as sent */
	uint8_t *body;
	size_t body_n;
	struct event *limit; /* answers 504 for a program that does not */

	struct MHD_Response *response; /* waits until the connection runs again */
	unsigned status;
	struct control_stream *stream;

	bool started;    /* method, path and Host were looked at */
	bool asked;      /* the handler was called */
	bool http_holds; /* see above */
	bool program_holds;
	bool suspended;
};

/* Frees the request if nobody holds it any more. */
void control_request_release(struct control_request *request);

/* Gives the response to libmicrohttpd, now or when the connection is resumed. */
void control_settle(struct control_request *request, unsigned status,
		    struct MHD_Response *response);

/* Lets a suspended connection go on, in the loop's next turn. */
void control_resume(struct control_request *request);

/* An answer made by the port itself, in the form of control_answer_error. */
struct MHD_Response *control_error_response(const char *text);
/* 200 with the text of json as its body, whose reference it takes.  NULL when memory is out
 * (or json is NULL). */
struct MHD_Response *control_json_response(json_t *json); /* takes json over */

/* The connection is gone or done: tells the program and frees the stream. */
void control_stream_closed(struct control_request *request);
/* The same without telling. */
void control_stream_drop(struct control_request *request);
/* Lets a stream that waits for lines run to its end. */
void control_stream_wake(struct control_stream *stream);

/* The loop that the port runs in; the port's owner's. */
struct event_base *control_event_base(const struct control *control);

#endif
