/* period.c - months of UTC as numbers, by arithmetic alone. */
#include "keys/period.h"

#include <errno.h>
#include <stdio.h>

/* Days from 1970-01-01 to the first of a month, by counting years from March so
 * that the leap day comes last (Gregorian, 400 years hold 146,097 days). */
static int64_t days_before(int64_t year, int64_t month)
{
	int64_t y = month < 2 ? year - 1 : year;
	int64_t m = (month + 10) % 12; /* March is 0 */

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 - 719468;
}

int64_t period_start(int64_t month)
{
	return 86400 * days_before(1970 + month / 12, month % 12);
}

int64_t period_of(int64_t unix_s)
{
	int64_t month;

	if (unix_s < 0)
		return 0;
	if (unix_s >= period_start(PERIOD_MAX))
		return PERIOD_MAX;
	month = unix_s /
		(INT64_C(86400) * 146097 / 4800); /* by the mean month: off by one at most */
	while (month > 0 && period_start(month) > unix_s)
		month--;
	while (period_start(month + 1) <= unix_s)
		month++;
	return month;
}

void period_text(int64_t month, char out[PERIOD_TEXT_SIZE])
{
	/* The remainders change nothing in range; they tell the compiler that four digits are
	 * enough. */
	unsigned year = 1970 + (unsigned)(month / 12) % 8030;

	snprintf(out, PERIOD_TEXT_SIZE, "%04u-%02u", year % 10000, (unsigned)(month % 12) + 1);
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

int period_parse(struct slice text, int64_t *month_out)
{
	int64_t year = 0, month;

	if (text.n != PERIOD_TEXT_SIZE - 1 || text.p[4] != '-' || !is_digit(text.p[5]) ||
	    !is_digit(text.p[6]))
		return -EINVAL;
	for (size_t i = 0; i < 4; i++) {
		if (!is_digit(text.p[i]))
			return -EINVAL;
		year = 10 * year + (text.p[i] - '0');
	}
	month = 10 * (text.p[5] - '0') + (text.p[6] - '0');
	if (year < 1970 || month < 1 || month > 12)
		return -EINVAL;
	*month_out = 12 * (year - 1970) + month - 1;
	return 0;
}
