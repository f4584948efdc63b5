#include "tests/tools/quick_timers.h"

#include <event2/event.h>

/* event_add() has no argument for it. */
static struct {
	long ms[QUICK_TIMERS_KEPT];
	unsigned n;
} asked;

/* The linker's names of event_add() in front, and of the library's (ld --wrap). */
int __real_event_add(struct event *event, const struct timeval *wait);
int __wrap_event_add(struct event *event, const struct timeval *wait);

struct event_base *quick_timers_base(void)
{
	struct event_base *base = event_base_new();

	if (base)
		event_base_priority_init(base, QUICK_TIMERS_LAST + 1);
	return base;
}

void quick_timers_reset(void)
{
	asked.n = 0;
}

bool quick_timers_had(unsigned ms)
{
	unsigned kept = asked.n < QUICK_TIMERS_KEPT ? asked.n : QUICK_TIMERS_KEPT;

	for (unsigned i = 0; i < kept; i++)
		if (asked.ms[i] == (long)ms)
			return true;
	return false;
}

int __wrap_event_add(struct event *event, const struct timeval *wait)
{
	long ms = wait ? wait->tv_sec * 1000 + wait->tv_usec / 1000 : 0;
	struct timeval sooner = { 0, ms * 1000 / QUICK_TIMERS_FACTOR };

	if (ms == 0 || ms > QUICK_TIMERS_MAX_MS)
		return __real_event_add(event, wait);
	asked.ms[asked.n++ % QUICK_TIMERS_KEPT] = ms;
	event_priority_set(event, QUICK_TIMERS_LAST);
	return __real_event_add(event, &sooner);
}
