/* worker_figures.h - what a worker counts for /metrics: since its start, of nobody in
 * particular.
 */
#ifndef RENDEZVOUS_WORKER_FIGURES_H
#define RENDEZVOUS_WORKER_FIGURES_H

#include <stdbool.h>

enum worker_figure {
	/* What goes up and down: looked up when somebody asks. */
	FIGURE_CONNECTIONS,
	FIGURE_REGISTERED,
	FIGURE_SESSIONS,
	FIGURE_MESSAGES_HELD,
	FIGURE_STORE_UP,
	/* What only rises. */
	FIGURE_ACCEPTED,
	FIGURE_TURNED_AWAY,
	FIGURE_HANDSHAKES_FAILED,
	FIGURE_CUT_OFF,
	FIGURE_DENIED,
	FIGURE_LIMITED,
	FIGURE_FRAMES,
	FIGURE_CALLS,
	FIGURE_CALLS_ANSWERED,
	FIGURE_POSTED,
	FIGURE_STORED,
	FIGURE_DELIVERED,
	FIGURE_REFUSED,
	FIGURE_LOOKUPS,
	FIGURE_COUNT,
	FIGURE_FIRST_COUNTER = FIGURE_ACCEPTED,
};

/* Its name for Prometheus, and what it says. */
const char *worker_figure_name(enum worker_figure figure);
/* One line of text, constant. */
const char *worker_figure_help(enum worker_figure figure);

#endif
