/* control_traces.c - live traces over the control socket.
 *
 * Workers send events only of elements that somebody looks at: with no tracer a trace costs them
 * a comparison. What a tracer does not read fast enough is the stream's affair (base/control.h);
 * the supervisor never waits for one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/control.h"
#include "rendezvous/control_api_priv.h"

static void tell_workers(struct control_api *api)
{
	const struct tracer *tracer;
	unsigned elements = 0;

	TAILQ_FOREACH(tracer, &api->tracers, in_api)
	/* All tracers' together; who wanted which is sorted out as the events come. */
	elements |= tracer->elements;
	supervisor_set_traced(api->supervisor, elements);
}

static void forget(struct tracer *tracer)
{
	TAILQ_REMOVE(&tracer->api->tracers, tracer, in_api);
	free(tracer);
}

static void on_closed(void *arg)
{
	struct tracer *tracer = arg;
	struct control_api *api = tracer->api;

	forget(tracer);
	tell_workers(api);
}

/* "attach,session"; false for an unknown name. */
static bool parse_elements(const char *text, unsigned *elements_out)
{
	unsigned elements = 0;

	while (text && *text) {
		size_t n = strcspn(text, ",");
		enum trace_element element;
		char name[16];
		struct buf b = BUF_OF(name);

		buf_put(&b, text, n);
		if (!buf_ok(&b) || trace_element_parse(name, &element))
			return false;
		elements |= 1u << element;
		text += n + (text[n] == ',');
	}
	*elements_out = elements;
	return elements != 0;
}

void control_api_trace_open(struct control_request *request, void *arg)
{
	struct control_api *api = arg;
	struct tracer *tracer;
	unsigned elements;

	if (!parse_elements(control_arg(request, "element"), &elements)) {
		control_answer_error(request, 400,
				     "element: expected attach, session, message, connection, "
				     "statistics, object, event");
		return;
	}
	tracer = calloc(1, sizeof(*tracer));
	if (!tracer) {
		control_answer_error(request, 500, "no memory");
		return;
	}
	tracer->api = api;
	tracer->elements = elements;
	tracer->json = control_arg(request, "json") != NULL;
	tracer->stream =
		control_stream_open(request, "text/plain; charset=utf-8", on_closed, tracer);
	/* control_stream_open() has answered. */
	if (!tracer->stream) {
		free(tracer);
		return;
	}
	TAILQ_INSERT_TAIL(&api->tracers, tracer, in_api);
	tell_workers(api);
}

static void push_json(struct tracer *tracer, enum trace_element element, const char *const *fields,
		      size_t n)
{
	const char *const *names;
	size_t known = trace_field_names(element, &names);
	json_t *object = json_object();
	char *text;

	json_object_set_new(object, "element", json_string(trace_element_name(element)));
	/* A field that only makes the line readable has no place in an object. */
	for (size_t i = strcmp(names[0], "header") == 0; i < n && i < known; i++)
		json_object_set_new(object, names[i], json_string(fields[i]));
	text = json_dumps(object, JSON_COMPACT);
	if (text)
		control_stream_push(tracer->stream, slice_str(text));
	free(text);
	json_decref(object);
}

void control_api_trace(struct control_api *api, enum trace_element element,
		       const char *const *fields, size_t n)
{
	struct tracer *tracer;
	char line[TRACE_LINE_MAX];

	trace_format(fields, n, line, sizeof(line));
	TAILQ_FOREACH(tracer, &api->tracers, in_api)
	{
		if (!(tracer->elements & 1u << element))
			continue;
		if (tracer->json)
			push_json(tracer, element, fields, n);
		else
			control_stream_push(tracer->stream, slice_str(line));
	}
}

void control_api_drop_tracers(struct control_api *api)
{
	struct tracer *tracer;

	/* The streams went with the control socket: only what belongs to this file is left. */
	while ((tracer = TAILQ_FIRST(&api->tracers)))
		forget(tracer);
}
