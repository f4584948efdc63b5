/* health_report.h - what a health check found, and how it is printed.
 *
 * Source: CRS manual 5.4, "health-check": formats summary, json (the default) and tsv;
 * exit status 0 ok, 1 error, 3 warning.
 */
#ifndef RENDEZVOUS_HEALTH_REPORT_H
#define RENDEZVOUS_HEALTH_REPORT_H

#include <jansson.h>

enum health_result { HEALTH_OK, HEALTH_WARNING, HEALTH_ERROR };
enum health_format { HEALTH_JSON, HEALTH_SUMMARY, HEALTH_TSV };

/* "ok", "warning" or "error". */
const char *health_result_name(enum health_result result);

struct health_report {
	json_t *tests; /* { name, result, description } each */
	enum health_result worst;
};

/* Without tests, and well. */
void health_report_init(struct health_report *report);
/* Frees the tests. */
void health_report_clear(struct health_report *report);

/* One test's result; the report is as bad as its worst one. */
void health_report_add(struct health_report *report, enum health_result result, const char *name,
		       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Prints to standard output.  Returns the exit status. */
int health_report_print(const struct health_report *report, enum health_format format);

#endif
