/* played_figures.h - the port of base/figures.h without a socket, and what it gives as Prometheus
 * reads it.
 *
 * Linked before base/libbase.a with -z muldefs: the port and the answers are ours, the writers
 * are the real ones.
 */
#ifndef TESTS_TOOLS_PLAYED_FIGURES_H
#define TESTS_TOOLS_PLAYED_FIGURES_H

#include "tests/unit.h"

#include <stdbool.h>

#include "base/figures.h"

/* The port that was opened last. */
struct played_figures {
	char address[64];
	uint16_t number;
	figures_ask_fn *ask;
	void *arg;
	int open_err; /* what figures_port_new() returns */
	bool open;
	unsigned refused; /* status of control_answer_error(); 0: none */
	char *text;       /* what was answered; NULL: nothing yet */
};

/* Empties it; at the end of a test, too. */
void played_figures_reset(void);
struct played_figures *played_figures(void);

/* Somebody asks, by a request that is nobody's. */
void played_figures_ask(void);

/* Does the text obey format 0.0.4: each sample behind the help and type of its name, the samples of
 * a name together, none twice, a counter's name ending in _total?  Fails the test. */
void assert_figures(const char *text);

/* The value behind a name with its labels, as it stands there; NULL: no such sample.  Valid until
 * the next call. */
const char *figure_in(const char *text, const char *sample);

#endif
