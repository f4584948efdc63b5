/* metrics.c - figures of the server for Prometheus, asked of all workers at each
 * scrape; nothing is kept between two. */
#include "rendezvous/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/figures.h"
#include "build-config.h"
#include "rendezvous/account_set.h"
#include "rendezvous/relay_client.h"
#include "rendezvous/supervisor.h"
#include "rendezvous/worker_figures.h"

struct crs_metrics {
	struct supervisor *supervisor;
	struct figures_port *port;
	int64_t started_ms;
};

/* A request that waits for the workers; rows are worker, figure, value. */
struct asked {
	struct crs_metrics *metrics;
	struct control_request *request;
	const json_t *rows;
};

static void write_processes(struct supervisor *supervisor, FILE *to)
{
	struct supervisor_process process;

	/* By name, not by pid: a process that was started anew is the same line of a graph. */
	figures_head(to, "crs_process_up", "gauge", "1: the process runs.");
	for (size_t i = 0; supervisor_process(supervisor, i, &process); i++) {
		fputs("crs_process_up{process=\"", to);
		figures_label(to, process.name);
		fprintf(to, "\"} %d\n", process.pid > 0);
	}
}

static const char *cell(const json_t *row, size_t i)
{
	const char *text = json_string_value(json_array_get(row, i));

	return text ? text : "";
}

/* A worker that was started anew begins at zero, as Prometheus expects of a process. */
static void write_figure(const json_t *rows, enum worker_figure figure, FILE *to)
{
	const json_t *row;
	size_t i;

	figures_head(to, worker_figure_name(figure),
		     figure < FIGURE_FIRST_COUNTER ? "gauge" : "counter",
		     worker_figure_help(figure));
	/* The macro takes no const, and changes nothing. */
	json_array_foreach((json_t *)(uintptr_t)rows, i, row)
	{
		if (strcmp(cell(row, 1), worker_figure_name(figure)) == 0)
			fprintf(to, "%s{worker=\"%s\"} %s\n", worker_figure_name(figure),
				cell(row, 0), cell(row, 2));
	}
}

static void write_all(FILE *to, void *arg)
{
	const struct asked *asked = arg;
	struct crs_metrics *metrics = asked->metrics;
	struct supervisor *supervisor = metrics->supervisor;

	figures_head(to, "crs_info", "gauge", "The program.");
	fputs("crs_info{version=\"" PACKAGE_VERSION "\"} 1\n", to);
	figures_gauge(to, "crs_uptime_seconds", "Since crs was started.",
		      (double)((clock_mono_ms() - metrics->started_ms) / 1000));
	figures_gauge(to, "crs_accounts", "Accounts that are loaded.",
		      (double)account_set_count(supervisor_accounts(supervisor)));
	figures_gauge(to, "crs_relay_up", "1: crs-relay is connected.",
		      relay_client_is_up(supervisor_relay(supervisor)));
	figures_gauge(to, "crs_store_room", "1: there is room on the disk for new messages.",
		      supervisor_has_room(supervisor));
	write_processes(supervisor, to);
	for (int i = 0; i < FIGURE_COUNT; i++)
		write_figure(asked->rows, (enum worker_figure)i, to);
}

static void on_rows(void *arg, json_t *rows)
{
	struct asked *asked = arg;

	asked->rows = rows;
	/* Written before this returns: what write_all() reads may go then. */
	figures_answer(asked->request, write_all, asked);
	json_decref(rows);
	free(asked);
}

static void ask(struct control_request *request, void *arg)
{
	const struct supervisor_question question = { .kind = CRS_WORKER__QUERY_KIND__FIGURES };
	struct crs_metrics *metrics = arg;
	struct asked *asked = malloc(sizeof(*asked));

	if (asked)
		*asked = (struct asked){ .metrics = metrics, .request = request };
	/* On failure on_rows() is never called. */
	if (!asked || supervisor_query(metrics->supervisor, &question, on_rows, asked)) {
		free(asked);
		control_answer_error(request, 500, "no memory");
	}
}

int crs_metrics_new(struct event_base *base, struct supervisor *supervisor,
		    struct crs_metrics **metrics_out, struct diag *diag)
{
	const struct settings *settings = &supervisor_options(supervisor)->settings;
	struct crs_metrics *metrics;
	int err;

	*metrics_out = NULL;
	/* Off is no error: the pointer stays NULL, which crs_metrics_free() takes. */
	if (!settings->metrics_port)
		return 0;
	metrics = calloc(1, sizeof(*metrics));
	if (!metrics)
		return -ENOMEM;
	metrics->supervisor = supervisor;
	metrics->started_ms = clock_mono_ms();
	err = figures_port_new(base, settings->metrics_address, settings->metrics_port, ask,
			       metrics, &metrics->port, diag);
	if (err)
		crs_metrics_free(&metrics);
	else
		*metrics_out = metrics;
	return err;
}

void crs_metrics_free(struct crs_metrics **metricsp)
{
	struct crs_metrics *metrics = *metricsp;

	if (!metrics)
		return;
	figures_port_free(&metrics->port);
	free(metrics);
	*metricsp = NULL;
}
