/* queue.c - a list under a mutex and an eventfd(2); the taker gets all that waits
 * with one lock. */
#include "gateway/relay/queue.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int queue_init(struct queue *queue)
{
	int err = pthread_mutex_init(&queue->mutex, NULL);

	queue->head = NULL;
	queue->tail = &queue->head;
	queue->wake_fd = err ? -1 : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (err)
		return -err;
	if (queue->wake_fd < 0) {
		err = -errno;
		pthread_mutex_destroy(&queue->mutex);
	}
	return err;
}

void queue_done(struct queue *queue)
{
	close(queue->wake_fd);
	pthread_mutex_destroy(&queue->mutex);
}

void queue_put(struct queue *queue, struct queue_node *node)
{
	const uint64_t one = 1;
	ssize_t n;

	node->next = NULL;
	pthread_mutex_lock(&queue->mutex);
	*queue->tail = node;
	queue->tail = &node->next;
	pthread_mutex_unlock(&queue->mutex);
	/* After the unlock: the taker does not wake up to a held mutex. */
	n = write(queue->wake_fd, &one, sizeof(one));
	(void)n; /* fails only at 2^64 - 1 wake-ups: then it is readable anyway */
}

struct queue_node *queue_take(struct queue *queue)
{
	struct queue_node *head;
	uint64_t count;
	/* Read before the list is taken: a put in between makes the descriptor readable again, at
	 * worst for nothing.  The other way round it would be forgotten. */
	ssize_t n = read(queue->wake_fd, &count, sizeof(count));

	(void)n; /* nothing to read: nothing waits, or a put is about to wake us */
	pthread_mutex_lock(&queue->mutex);
	head = queue->head;
	queue->head = NULL;
	queue->tail = &queue->head;
	pthread_mutex_unlock(&queue->mutex);
	return head;
}
