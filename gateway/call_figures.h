/* call_figures.h - counters of calls since the start, for /metrics. */
#ifndef GATEWAY_CALL_FIGURES_H
#define GATEWAY_CALL_FIGURES_H

#include <stdint.h>

#include "maps/route.h"

struct call;

/* One more than the highest Umsg__EndReason; what is above counts as 0, unspecified. */
enum { CALL_FIGURES_REASONS = 18 };

/* RTP of calls that have ended, summed up. */
struct call_media_figures {
	uint64_t received, sent, lost; /* packets */
	uint64_t refused;              /* not authentic, replayed, malformed, or of strangers */
};

/* Plain numbers; all zero is a good start. */
struct call_figures {
	uint64_t begun[ROUTE_INTERFACES]; /* by the interface on which they came in */
	uint64_t answered[ROUTE_INTERFACES];
	uint64_t ended[ROUTE_INTERFACES][CALL_FIGURES_REASONS]; /* by Umsg__EndReason */
	uint64_t unrouted[ROUTE_INTERFACES]; /* no map matched, or what it gave is no address */
	uint64_t talk_ms;                    /* from answer to end, of all calls that have ended */
	uint64_t setup_ms; /* from the first message to the answer, of all answered */
	struct call_media_figures plain, secure;
};

/* A call has come in; it was answered; it has ended and its media figures are there.
 * Each is called once in a call's life.  NULL figures are for nobody. */
void call_figures_begun(struct call_figures *figures, const struct call *call);
/* Counts how long it rang. */
void call_figures_answered(struct call_figures *figures, const struct call *call);
/* Counts the reason, and of answered calls duration and losses. */
void call_figures_ended(struct call_figures *figures, const struct call *call);

#endif
