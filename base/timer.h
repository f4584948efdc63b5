/* timer.h - timers of the event loop in milliseconds, as every limit is given. */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include <stdint.h>

#include <event2/event.h>

/* Lets timer fire once in ms milliseconds (less than none: at once), whatever it was set
 * to before. */
static inline void timer_arm(struct event *timer, int64_t ms)
{
	struct timeval wait = { 0, 0 };

	if (ms > 0) {
		wait.tv_sec = (time_t)(ms / 1000);
		wait.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	}
	event_add(timer, &wait);
}

#endif
