/* loop.h - an event loop under a test: it turns until a condition holds, and fails
 * the test when it does not in ten seconds.
 */
#ifndef TESTS_UMSG_LOOP_H
#define TESTS_UMSG_LOOP_H

#include <stdbool.h>

#include <event2/event.h>

#define LOOP_UNTIL(base, condition)                                                                \
	do {                                                                                       \
		struct loop_limit limit_ = loop_limit_begin(base);                                 \
		while (!(condition) && loop_turn(base, &limit_))                                   \
			;                                                                          \
		loop_limit_end(&limit_);                                                           \
		assert_true(condition);                                                            \
	} while (0)

struct loop_limit {
	struct event *timer;
	bool over;
};

static inline void loop_over(evutil_socket_t fd, short what, void *arg)
{
	bool *over = arg;

	(void)fd;
	(void)what;
	*over = true;
}

static inline struct loop_limit loop_limit_begin(struct event_base *base)
{
	return (struct loop_limit){ event_new(base, -1, 0, NULL, NULL), false };
}

static inline bool loop_turn(struct event_base *base, struct loop_limit *limit)
{
	const struct timeval ten = { 10, 0 };

	if (!event_pending(limit->timer, EV_TIMEOUT, NULL) && !limit->over) {
		event_assign(limit->timer, base, -1, 0, loop_over, &limit->over);
		event_add(limit->timer, &ten);
	}
	return event_base_loop(base, EVLOOP_ONCE) == 0 && !limit->over;
}

static inline void loop_limit_end(struct loop_limit *limit)
{
	event_free(limit->timer);
}

#endif
