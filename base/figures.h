/* figures.h - figures in Prometheus's text format 0.0.4, and a port that gives them.
 *
 * Names end as Prometheus wants them: _total for what only rises, _seconds for times.
 * Threads: the event loop of the port.
 */
#ifndef BASE_FIGURES_H
#define BASE_FIGURES_H

#include <stdint.h>
#include <stdio.h>

struct control_request;
struct diag;
struct event_base;
struct figures_port;

/* Help and type, which stand once, before the first sample of a name. */
void figures_head(FILE *to, const char *name, const char *type, const char *help);

/* A head and one sample without labels: what goes up and down; what only rises (Prometheus makes
 * rates of it); and a rising time in ms, in seconds without the rounding of a double. */
void figures_gauge(FILE *to, const char *name, const char *help, double value);
/* Its name ends in _total by Prometheus's custom. */
void figures_counter(FILE *to, const char *name, const char *help, uint64_t value);
void figures_seconds(FILE *to, const char *name, const char *help, uint64_t value_ms);

/* The value of a label, inside its quotes: escaped, line feeds as blanks. */
void figures_label(FILE *to, const char *text);

/* Somebody asks; the owner answers by figures_answer() or control_answer_error(), now or
 * later. */
typedef void figures_ask_fn(struct control_request *request, void *arg);

/* Listens on address (numeric) and port; GET /metrics is all that is answered.  Returns 0 or
 * -errno with diag set. */
int figures_port_new(struct event_base *base, const char *address, uint16_t port,
		     figures_ask_fn *ask, void *arg, struct figures_port **port_out,
		     struct diag *diag);
/* Closes the port; requests that are not answered yet end.  *portp may be NULL. */
void figures_port_free(struct figures_port **portp);

/* Answers with what write writes. */
typedef void figures_write_fn(FILE *to, void *arg);
/* 500 when memory is out. */
void figures_answer(struct control_request *request, figures_write_fn *write, void *arg);

#endif
