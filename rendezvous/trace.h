/* trace.h - the elements that can be traced and their line format.
 *
 * Source: CRS manual 5.4, "trace": fields separated by commas, the first one
 * "event".  A comma or control character in a field is written as "\xNN", so that
 * the number of fields is always the manual's.
 */
#ifndef RENDEZVOUS_TRACE_H
#define RENDEZVOUS_TRACE_H

#include <stddef.h>

enum trace_element {
	TRACE_ATTACH,
	TRACE_SESSION,
	TRACE_MESSAGE,
	TRACE_CONNECTION,
	TRACE_STATISTICS,
	TRACE_OBJECT,
	TRACE_EVENT,
	TRACE_ELEMENT_COUNT
};

enum { TRACE_MAX_FIELDS = 12, TRACE_LINE_MAX = 1024, TRACE_TIME = 32 };

/* "attach", ...; NULL behind the last. */
const char *trace_element_name(enum trace_element element);
/* Returns 0 and the element, or -EINVAL. */
int trace_element_parse(const char *name, enum trace_element *element_out);

/* The names of the element's fields in order, for JSON: names_out[0] is "header".
 * Returns their number. */
size_t trace_field_names(enum trace_element element, const char *const **names_out);

/* Writes one line without newline; what does not fit is cut off. */
void trace_format(const char *const *fields, size_t n, char *out, size_t cap);

/* The time of an event as all traces have it: UTC, "2026-11-21T10:00:00.000Z". */
void trace_time(char out[TRACE_TIME]);

#endif
