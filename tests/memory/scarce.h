/* scarce.h - memory that runs out when a test says so.
 *
 * A program that links scarce.c with $(SCARCE_LDFLAGS) has its own calls of malloc() and kin,
 * those of our libraries included, go through here; what shared libraries allocate for
 * themselves does not.  One thread.
 */
#ifndef TESTS_MEMORY_SCARCE_H
#define TESTS_MEMORY_SCARCE_H

#include <stdbool.h>

/* From now on the n-th allocation (from 1) fails, and no other. */
void scarce_begin(unsigned n);

/* Until scarce_end(); returns whether that allocation was asked for: a test counts n up
 * until none is. */
bool scarce_end(void);

/* What the test itself allocates in between does not count. */
void scarce_pause(void);
void scarce_resume(void);

/* Runs act for every n, until it no longer comes as far as the n-th allocation.  act calls
 * scarce_begin(n), does its work, and returns what scarce_end() says.  Returns how many
 * allocations there were. */
unsigned scarce_each(bool (*act)(unsigned n, void *arg), void *arg);

#endif
