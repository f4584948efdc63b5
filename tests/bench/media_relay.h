/* media_relay.h - a real cig-relay under a benchmark, told by its control socket what a cig-server
 * would tell it.
 */
#ifndef TESTS_BENCH_MEDIA_RELAY_H
#define TESTS_BENCH_MEDIA_RELAY_H

#include "tests/bench/media_ends.h"

struct media_relay;

/* What cig-relay said of itself, once a second. */
struct relay_told {
	unsigned polls, cpu_sum, cpu_max, late_max, complexity_sum;
	uint64_t dropped; /* packets, since it began */
};

/* What it counted of the packets of all calls, on both legs. */
struct relay_losses {
	uint64_t received, lost, late;
};

/* Starts gateway/cig-relay with one thread and lets it serve the calls of ends, whose addresses to
 * send to are filled in. */
struct media_relay *media_relay_start(struct media_ends *ends);

/* Ends it and removes what it left. */
void media_relay_stop(struct media_relay **relayp);

/* Seconds of CPU that it has taken. */
double media_relay_cpu(const struct media_relay *relay);

/* Polls, as a cig-server does: cig-relay lets go of one that says nothing.  arg is the
 * media_relay, for media_ends_run(). */
void media_relay_keep_alive(void *arg);

/* What it has said since it was asked last. */
struct relay_told media_relay_told(struct media_relay *relay);

struct relay_losses media_relay_losses(struct media_relay *relay, size_t calls);

#endif
