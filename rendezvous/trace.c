/* trace.c - trace elements and lines.
 *
 * The names of fields, and their order, are those of the manual's "trace" (CRS manual 5.4):
 * scripts split lines at commas. Commas and control characters within a field are therefore
 * written as \xNN.
 */
#include "rendezvous/trace.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

static const char *const attach_fields[] = {
	"header",  "time", "connection-id", "type",  "uri",
	"account", "ip",   "port",          "state", "description",
};
static const char *const session_fields[] = {
	"header", "time", "caller", "callee", "state", "account", "session-id",
};
static const char *const message_fields[] = {
	"header", "time", "from", "to", "state", "account", "message-id",
};
static const char *const connection_fields[] = {
	"header", "time", "id", "user-type", "user", "ip", "port", "state",
};
static const char *const statistics_fields[] = { "header", "time", "type", "uri", "account" };
static const char *const object_fields[] = { "header", "time", "from", "event" };
static const char *const event_fields[] = { "module", "type", "time", "information" };

static const struct {
	const char *name;
	const char *const *fields;
	size_t n;
} elements[TRACE_ELEMENT_COUNT] = {
	[TRACE_ATTACH] = { "attach", attach_fields, 10 },
	[TRACE_SESSION] = { "session", session_fields, 7 },
	[TRACE_MESSAGE] = { "message", message_fields, 7 },
	[TRACE_CONNECTION] = { "connection", connection_fields, 8 },
	[TRACE_OBJECT] = { "object", object_fields, 4 },
	[TRACE_EVENT] = { "event", event_fields, 4 },
	[TRACE_STATISTICS] = { "statistics", statistics_fields, 5 },
};

const char *trace_element_name(enum trace_element element)
{
	return element < TRACE_ELEMENT_COUNT ? elements[element].name : NULL;
}

int trace_element_parse(const char *name, enum trace_element *element_out)
{
	for (int i = 0; i < TRACE_ELEMENT_COUNT; i++) {
		if (strcmp(name, elements[i].name) == 0) {
			*element_out = (enum trace_element)i;
			return 0;
		}
	}
	return -EINVAL;
}

size_t trace_field_names(enum trace_element element, const char *const **names_out)
{
	*names_out = elements[element].fields;
	return elements[element].n;
}

static void put_field(struct buf *b, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == ',' || c < 0x20 || c == 0x7f)
			/* A client's text could else add fields, or a whole line. */
			buf_printf(b, "\\x%02x", c);
		else
			buf_put_char(b, *text);
	}
}

void trace_format(const char *const *fields, size_t n, char *out, size_t cap)
{
	struct buf b = buf_over(out, cap);

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_put_char(&b, ',');
		put_field(&b, fields[i]);
	}
}

void trace_time(char out[TRACE_TIME])
{
	clock_format(clock_wall_ms(), out);
}
