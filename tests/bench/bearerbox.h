/* bearerbox.h - Kannel's bearerbox as the one that submits: what a submit_sm and its response
 * cost it, in CPU time of its process.
 *
 * It is fed over its own socket for smsbox, as fast as it takes texts, keeps them in memory
 * only, and logs nothing.
 */
#ifndef TESTS_BENCH_BEARERBOX_H
#define TESTS_BENCH_BEARERBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Is it installed? */
bool bearerbox_is_there(void);

struct bearerbox_load {
	uint16_t smsc_port;          /* of 127.0.0.1 */
	const atomic_uint *answered; /* how many submits the center there has answered */
	unsigned window, rounds;
	unsigned texts; /* a round */
	const char *text;
};

/* Microseconds a text, the median of the rounds.  Ends the program where something fails. */
double bearerbox_submits(const struct bearerbox_load *load);

#endif
