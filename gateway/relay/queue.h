/* queue.h - messages from one thread to another, and a descriptor that wakes it.
 *
 * Any thread may put; one takes.  The mutex is held for a few instructions only.
 */
#ifndef GATEWAY_RELAY_QUEUE_H
#define GATEWAY_RELAY_QUEUE_H

#include <pthread.h>

struct queue_node {
	struct queue_node *next;
};

struct queue {
	pthread_mutex_t mutex;
	struct queue_node *head, **tail;
	int wake_fd; /* an eventfd: readable while something waits */
};

/* Returns 0 or -errno.  The queue must stay where it is. */
int queue_init(struct queue *queue);

/* Closes the descriptor; what waits is the caller's to take before. */
void queue_done(struct queue *queue);

/* Hands node over. */
void queue_put(struct queue *queue, struct queue_node *node);

/* Takes all that waits, in order, linked by next; NULL when nothing does. */
struct queue_node *queue_take(struct queue *queue);

#endif
