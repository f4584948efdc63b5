/* metrics.h - the gateway's figures for Prometheus, on a port of their own.
 *
 * Off unless cig.conf has "metrics { port NUMBER; }"; then GET /metrics answers on
 * 127.0.0.1 or on the address of its bind, in Prometheus's text format 0.0.4.  The port
 * shows counts and states only: no number, address or name of anybody.  Ours; the manual
 * has nothing of the kind.
 */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include <stdint.h>
#include <stdio.h>

struct call_figures;
struct calls;
struct cig_config;
struct diag;
struct event_base;
struct metrics;
struct pbxs;
struct relay_link;
struct secure_side;
struct sip_link;
struct texts;

/* What is counted; all of it lives longer than the port. */
struct metrics_parts {
	const struct call_figures *figures;
	struct calls *calls;
	const struct relay_link *relay;
	const struct sip_link *sip;
	const struct pbxs *pbxs;
	const struct secure_side *secure;
	const struct texts *texts;
	int64_t started_ms; /* of clock_mono_ms() */
};

/* Listens where config says.  Returns 0, also when config has no metrics (*metrics_out is
 * then NULL), or -errno with diag set. */
int metrics_new(struct event_base *base, const struct cig_config *config,
		const struct metrics_parts *parts, struct metrics **metrics_out, struct diag *diag);
/* Closes the port and frees *metricsp; *metricsp may be NULL. */
void metrics_free(struct metrics **metricsp);

/* Writes all of it as GET /metrics gives it. */
void metrics_write(const struct metrics_parts *parts, FILE *to);

#endif
