/* worker_traces.c - what happens in this worker, for whoever looks at it live. */
#include "base/log.h"
#include "rendezvous/worker_priv.h"

bool worker_traces(const struct worker *worker, enum trace_element element)
{
	return worker->traced & 1u << element;
}

void worker_trace(struct worker *worker, enum trace_element element, const char *const *fields,
		  size_t n)
{
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__TraceLine line = CRS_WORKER__TRACE_LINE__INIT;
	char time[TRACE_TIME], *all[TRACE_MAX_FIELDS];

	/* The header and the time go before them. */
	if (n > TRACE_MAX_FIELDS - 2)
		return;
	trace_time(time);
	all[0] = (char *)(uintptr_t) "event";
	all[1] = time;
	for (size_t i = 0; i < n; i++)
		all[i + 2] = (char *)(uintptr_t)fields[i];
	line.element = element;
	line.n_field = n + 2;
	line.field = all;
	message.body_case = CRS_WORKER__CONTROL__BODY_TRACE_LINE;
	message.trace_line = &line;
	worker_tell(worker, &message);
}

/* A line of the log as the manual's "trace event" has it: module, type, time, text. */
static void on_log(void *arg, enum log_type type, const char *module, const char *text)
{
	char dbg[] = "dbg", time[TRACE_TIME];
	char *fields[] = { (char *)(uintptr_t)module, dbg, time, (char *)(uintptr_t)text };
	CrsWorker__Control message = CRS_WORKER__CONTROL__INIT;
	CrsWorker__TraceLine line = CRS_WORKER__TRACE_LINE__INIT;

	(void)type;
	trace_time(time);
	line.element = TRACE_EVENT;
	line.n_field = 4;
	line.field = fields;
	message.body_case = CRS_WORKER__CONTROL__BODY_TRACE_LINE;
	message.trace_line = &line;
	worker_tell(arg, &message);
}

void worker_set_traced(struct worker *worker, unsigned elements)
{
	worker->traced = elements;
	/* While nobody looks, a line of the log costs nothing more than itself. */
	log_set_tap(elements & 1u << TRACE_EVENT ? on_log : NULL, worker);
}
