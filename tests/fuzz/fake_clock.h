/* fake_clock.h - base/clock.h for fuzz targets: time stands still until the input moves
 * it, so that a finding can be repeated.
 *
 * Linked before base/libbase.a, whose clock.c is then left out.
 */
#ifndef TESTS_FUZZ_FAKE_CLOCK_H
#define TESTS_FUZZ_FAKE_CLOCK_H

#include "base/clock.h"

enum { FAKE_CLOCK_START_S = 1795262400 }; /* 2026-11-21 12:00:00 UTC */

/* Back to the start. */
void fake_clock_reset(void);
void fake_clock_add_ms(int64_t ms);

#endif
