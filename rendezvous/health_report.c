/* health_report.c - results of a health check. */
#include "rendezvous/health_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Names of services and reasons are crs's: none adds a field or a line, or speaks to the terminal,
 * which JSON alone would let U+009B do.  A text that was cut may end within a character. */
static json_t *visible(const char *text)
{
	char *copy = visible_copy(text);
	json_t *string = copy ? json_text(copy) : NULL;

	free(copy);
	return string;
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
	json_array_append_new(report->tests,
			      json_pack("{s:o, s:s, s:o}", "name", visible(name), "result",
					health_result_name(result), "description", visible(text)));
}

static void print_tsv(const json_t *tests)
{
	const json_t *test;
	size_t i;

	puts("name\tresult\tdescription");
	json_array_foreach(tests, i, test)
		printf("%s\t%s\t%s\n", json_string_value(json_object_get(test, "name")),
		       json_string_value(json_object_get(test, "result")),
		       json_string_value(json_object_get(test, "description")));
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
