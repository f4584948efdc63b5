#include "tests/fuzz/fake_clock.h"

#include <errno.h>
#include <stdio.h>

static int64_t passed_ms; /* clock_*() have no argument to keep it in */

void fake_clock_reset(void)
{
	passed_ms = 0;
}

void fake_clock_add_ms(int64_t ms)
{
	passed_ms += ms;
}

int64_t clock_mono_ms(void)
{
	return 1000000 + passed_ms;
}

int64_t clock_nap_ms(int64_t ms)
{
	return ms;
}

int64_t clock_wall_ms(void)
{
	return (int64_t)FAKE_CLOCK_START_S * 1000 + passed_ms;
}

int64_t clock_wall_s(void)
{
	return clock_wall_ms() / 1000;
}

int clock_set_now(const char *text, struct diag *diag)
{
	(void)text;
	(void)diag;
	return -EPERM;
}

void clock_format(int64_t wall_ms, char out[CLOCK_TEXT_SIZE])
{
	snprintf(out, CLOCK_TEXT_SIZE, "%lld", (long long)wall_ms);
}
