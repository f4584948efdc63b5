/* metrics.h - the rendezvous's figures for Prometheus, on a port of their own.
 *
 * Off unless crs.conf or crs-local.conf has "metrics-listen ADDRESS:PORT"; then GET /metrics
 * answers there, and nothing else.  It shows counts and states only: no number, address or
 * name of anybody.  Ours; the manual has nothing of the kind.
 */
#ifndef RENDEZVOUS_METRICS_H
#define RENDEZVOUS_METRICS_H

struct crs_metrics;
struct diag;
struct event_base;
struct supervisor;

/* Listens where the supervisor's settings say.  Returns 0, also where they say nothing
 * (*metrics_out is then NULL), or -errno with diag set. */
int crs_metrics_new(struct event_base *base, struct supervisor *supervisor,
		    struct crs_metrics **metrics_out, struct diag *diag);
/* *metricsp may be NULL. */
void crs_metrics_free(struct crs_metrics **metricsp);

#endif
