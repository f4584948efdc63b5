/* figures.c - Prometheus's text format, and the port on which a collector asks for it.
 *
 * The port is a control port of one route (base/control.h), without token: figures are public to
 * whoever may reach it.
 */
#include "base/figures.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/control.h"

struct figures_port {
	figures_ask_fn *ask;
	void *arg;
	struct control *control;
};

/* ---- samples ---- */

void figures_head(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void figures_gauge(FILE *to, const char *name, const char *help, double value)
{
	figures_head(to, name, "gauge", help);
	/* Fifteen digits: six, printf()'s own choice, would let seconds stand still for ten at a
	 * time after twelve days. */
	fprintf(to, "%s %.15g\n", name, value);
}

void figures_counter(FILE *to, const char *name, const char *help, uint64_t value)
{
	figures_head(to, name, "counter", help);
	fprintf(to, "%s %" PRIu64 "\n", name, value);
}

/* A double loses milliseconds in a year. */
void figures_seconds(FILE *to, const char *name, const char *help, uint64_t value_ms)
{
	figures_head(to, name, "counter", help);
	fprintf(to, "%s %" PRIu64 ".%03" PRIu64 "\n", name, value_ms / 1000, value_ms % 1000);
}

void figures_label(FILE *to, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fputc('\\', to);
		fputc(*c == '\n' ? ' ' : *c, to);
	}
}

/* ---- the port ---- */

static void get_metrics(struct control_request *request, void *arg)
{
	const struct figures_port *port = arg;

	port->ask(request, port->arg);
}

static const struct control_route routes[] = {
	{ "GET", "/metrics", get_metrics, false, "figures for Prometheus" },
};

int figures_port_new(struct event_base *base, const char *address, uint16_t port,
		     figures_ask_fn *ask, void *arg, struct figures_port **port_out,
		     struct diag *diag)
{
	struct figures_port *figures = calloc(1, sizeof(*figures));
	char text[64];
	/* A Prometheus names whatever host it was told of. */
	struct control_options options = {
		.address = text, .routes = routes, .route_count = 1, .any_host = true
	};
	int err;

	if (!figures)
		return -ENOMEM;
	figures->ask = ask;
	figures->arg = arg;
	options.arg = figures;
	snprintf(text, sizeof(text), strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, port);
	err = control_new(base, &options, &figures->control, diag);
	if (err)
		free(figures);
	else
		*port_out = figures;
	return err;
}

void figures_port_free(struct figures_port **portp)
{
	struct figures_port *port = *portp;

	if (!port)
		return;
	control_free(&port->control);
	free(port);
	*portp = NULL;
}

void figures_answer(struct control_request *request, figures_write_fn *write, void *arg)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	if (to) {
		write(to, arg);
		fclose(to);
	}
	if (text)
		control_answer_text(request, 200, "text/plain; version=0.0.4; charset=utf-8",
				    slice_of(text, n));
	else
		control_answer_error(request, 500, "out of memory");
	free(text);
}
