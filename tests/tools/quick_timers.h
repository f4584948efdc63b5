/* quick_timers.h - timers of up to five seconds that fire fifty times sooner, for tests of what
 * waits, polls and tries again.
 *
 * A program that links quick_timers.c with $(QUICK_TIMERS_LDFLAGS) has its own calls of
 * event_add(), those of our libraries included, go through here; longer waits, such as the
 * limit of LOOP_UNTIL(), stay as they are.  One thread.
 */
#ifndef TESTS_TOOLS_QUICK_TIMERS_H
#define TESTS_TOOLS_QUICK_TIMERS_H

#include <stdbool.h>

struct event_base;

enum {
	QUICK_TIMERS_MAX_MS = 5000,
	QUICK_TIMERS_FACTOR = 50,
	QUICK_TIMERS_KEPT = 64,
	QUICK_TIMERS_LAST = 2, /* their priority; all other events have the one before */
};

/* A loop in which such a timer fires only when nothing else is to be done: however slow the
 * machine is, a peer of the same loop that answers has answered before.  NULL: no memory. */
struct event_base *quick_timers_base(void);

/* Forgets what was asked for. */
void quick_timers_reset(void);

/* Was a timer of so many milliseconds asked for since then? */
bool quick_timers_had(unsigned ms);

#endif
