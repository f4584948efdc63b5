/* period.h - key periods: the months of UTC (RFC 6509 3.2).
 *
 * A month is a number, counted from 1970-01, which is 0: the next one is
 * month + 1.  Domains with hashed identifiers count other periods; see domain.h.
 */
#ifndef KEYS_PERIOD_H
#define KEYS_PERIOD_H

#include "base/slice.h"

enum {
	PERIOD_TEXT_SIZE = 8,                 /* "YYYY-MM" and NUL */
	PERIOD_MAX = (9999 - 1970) * 12 + 11, /* 9999-12 */
};

/* The month that holds a wall time (seconds since 1970-01-01 00:00:00 UTC),
 * clamped to 1970-01 and 9999-12. */
int64_t period_of(int64_t unix_s);

/* The first second of the month (0 to PERIOD_MAX + 1).  The month's end, which
 * is not part of it, is period_start(month + 1). */
int64_t period_start(int64_t month);

/* "YYYY-MM"; month is 0 to PERIOD_MAX. */
void period_text(int64_t month, char out[PERIOD_TEXT_SIZE]);

/* Returns 0, or -EINVAL for anything but YYYY-MM from 1970-01 on. */
int period_parse(struct slice text, int64_t *month_out);

#endif
