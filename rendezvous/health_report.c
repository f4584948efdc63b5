/* health_report.c - results of a health check. */
#include "rendezvous/health_report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json_text.h"
#include "base/visible.h"

const char *health_result_name(enum health_result result)
{
	static const char *const names[] = { "ok", "warning", "error" };

	return names[result];
}

void health_report_init(struct health_report *report)
{
	*report = (struct health_report){ .tests = json_array(), .worst = HEALTH_OK };
}

void health_report_clear(struct health_report *report)
{
	json_decref(report->tests);
	report->tests = NULL;
}

void health_report_add(struct health_report *report, enum health_result result, const char *name,
		       const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* The enumerators are in the order of how bad they are. */
	if (result > report->worst)
		report->worst = result;
	/* A text that was cut may end within a character, which is no JSON. */
	json_array_append_new(report->tests, json_pack("{s:o, s:s, s:o}", "name", json_text(name),
						       "result", health_result_name(result),
						       "description", json_text(text)));
}

/* Names of services and reasons are crs's: neither adds a field or a line. */
static void print_field(const json_t *test, const char *name, char end)
{
	visible_print(stdout, slice_str(json_string_value(json_object_get(test, name))), "");
	putchar(end);
}

static void print_tsv(const json_t *tests)
{
	const json_t *test;
	size_t i;

	puts("name\tresult\tdescription");
	json_array_foreach(tests, i, test)
	{
		print_field(test, "name", '\t');
		print_field(test, "result", '\t');
		print_field(test, "description", '\n');
	}
}

int health_report_print(const struct health_report *report, enum health_format format)
{
	static const int status[] = { [HEALTH_OK] = 0, [HEALTH_WARNING] = 3, [HEALTH_ERROR] = 1 };
	const char *summary = health_result_name(report->worst);
	json_t *whole;

	if (format == HEALTH_SUMMARY) {
		puts(summary);
	} else if (format == HEALTH_TSV) {
		print_tsv(report->tests);
	} else {
		whole = json_pack("{s:s, s:O}", "result", summary, "tests", report->tests);
		json_dumpf(whole, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(whole);
	}
	return status[report->worst];
}
