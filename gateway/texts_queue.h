/* texts_queue.h - what waits for its turn, in the order in which it came, and what is put
 * off for a while.
 *
 * Every operation costs the same at any length: a port that is down for a day may have a
 * hundred thousand texts.  Put-off items lie in a wheel of seconds.  Items are members of
 * their owners; nothing is allocated.
 */
#ifndef GATEWAY_TEXTS_QUEUE_H
#define GATEWAY_TEXTS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXTS_WHEEL_S = 64 };

struct queued {
	struct queued *next, **link; /* link NULL: in no queue */
	uint64_t number;             /* in the order of texts_queue_append() */
	int64_t due_ms;              /* monotonic; 0: it is not put off */
};

struct texts_queue {
	struct queued *first, **end;
	struct queued *wheel[TEXTS_WHEEL_S]; /* by due second */
	int64_t turned_s;                    /* the second that was looked at last */
	uint64_t numbers;
	size_t waiting, put_off;
};

/* Empty; now_ms is monotonic. */
void texts_queue_init(struct texts_queue *queue, int64_t now_ms);

/* As the last one. */
void texts_queue_append(struct texts_queue *queue, struct queued *item);

/* Where it was before: in front of all that came later, where those that were returned are
 * few; else among the first. */
void texts_queue_return(struct texts_queue *queue, struct queued *item);

/* As returned, but not before due_ms (monotonic). */
void texts_queue_put_off(struct texts_queue *queue, struct queued *item, int64_t due_ms);

/* Takes the first that is due, or returns NULL. */
struct queued *texts_queue_take(struct texts_queue *queue, int64_t now_ms);

/* Would texts_queue_take() return one? */
bool texts_queue_is_due(struct texts_queue *queue, int64_t now_ms);

/* Takes item out, if it is in the queue. */
void texts_queue_remove(struct texts_queue *queue, struct queued *item);

#endif
