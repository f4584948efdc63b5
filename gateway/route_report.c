/* route_report.c - a routing decision as JSON, with each step that led to it. */
#include "gateway/route_report.h"

#include <string.h>

#include "base/json_text.h"
#include "maps/explain.h"
#include "maps/map.h"
#include "maps/route.h"

static void set_entry(json_t *report, const char *name, const struct map_entry *entry)
{
	struct diag_place place;
	char text[512];

	if (!entry)
		return;
	place = map_entry_place(entry);
	snprintf(text, sizeof(text), "entry %s (%s:%u)", map_entry_name(entry),
		 place.file ? place.file : "-", place.line);
	json_object_set_new(report, name, json_string(text));
}

static const char *const kinds[] = {
	[EXPLAIN_NOTE] = "note",
	[EXPLAIN_MISS] = "miss",
	[EXPLAIN_MATCH] = "match",
	[EXPLAIN_REJECT] = "reject",
};

static json_t *explanation(const struct explain *explain)
{
	json_t *lines = json_array();
	struct explain_step step;
	char text[2048];

	/* Steps quote the URI that was asked for, whatever octets it has. */

	for (size_t i = 0; explain_get(explain, i, &step); i++) {
		int n = snprintf(text, sizeof(text), "%s: ", kinds[step.kind]);

		if (*step.map)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "map %.100s%s%.100s%s",
				      step.map, *step.entry ? ", entry " : "", step.entry,
				      step.place.file ? "" : ": ");
		if (step.place.file)
			n += snprintf(text + n, sizeof(text) - (size_t)n,
				      " (%.300s:%u): ", step.place.file, step.place.line);
		snprintf(text + n, sizeof(text) - (size_t)n, "%s", step.text);
		json_array_append_new(lines, json_text(text));
	}
	return lines;
}

static json_t *report_answer(const struct route_answer *answer, enum route_interface from,
			     const struct explain *explain)
{
	json_t *report = json_pack("{s:b, s:s, s:o, s:o}", "routed", answer->routed,
				   "from_interface", route_interface_name(from), "to",
				   json_text(answer->to), "from", json_text(answer->from));

	if (!report)
		return NULL;
	if (answer->routed)
		json_object_set_new(report, "interface",
				    json_string(route_interface_name(answer->interface)));
	else
		json_object_update_new(report, json_pack("{s:i, s:s}", "code", (int)answer->code,
							 "reason", answer->reason));
	if (answer->auth)
		json_object_set_new(report, "auth", json_string(answer->auth));
	set_entry(report, "to_entry", answer->to_entry);
	set_entry(report, "from_entry", answer->from_entry);
	json_object_set_new(report, "explain", explanation(explain));
	return report;
}

json_t *route_report(const struct router *router, const char *to, const char *from)
{
	bool secure = strncasecmp(to, "tel:", 4) == 0;
	const char *anonymous = secure ? "tel:+0" : "sip:anonymous@anonymous.invalid";
	/* A call without a from must not be refused for want of one: the question is about the
	 * to. */
	struct route_call call = {
		.from_interface = secure ? ROUTE_TEL : ROUTE_SIP,
		.to = slice_str(to),
		.from = slice_str(from && *from ? from : anonymous),
	};
	struct explain *explain = explain_new();
	struct route_answer answer;
	json_t *report;

	if (!explain)
		return NULL;
	router_route(router, &call, &answer, explain);
	report = report_answer(&answer, call.from_interface, explain);
	explain_free(&explain);
	return report;
}
