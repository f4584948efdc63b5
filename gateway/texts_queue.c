/* texts_queue.c - a list of what waits, and a wheel of seconds for what was put off:
 * all but the way back costs the same however many there are. */
#include "gateway/texts_queue.h"

enum { MAX_STEPS = 256 }; /* past items with lower numbers, on the way back */

void texts_queue_init(struct texts_queue *queue, int64_t now_ms)
{
	*queue = (struct texts_queue){ .turned_s = now_ms / 1000 };
	queue->end = &queue->first;
}

static void insert(struct queued **at, struct queued *item)
{
	item->next = *at;
	item->link = at;
	if (item->next)
		/* link points to whatever points to the item, so that it is taken out without a
		 * search. */
		item->next->link = &item->next;
	*at = item;
}

/* An item is in the list of those that wait (due_ms 0) or in a second of the wheel, never in
 * both. */
static void insert_waiting(struct texts_queue *queue, struct queued **at, struct queued *item)
{
	insert(at, item);
	item->due_ms = 0;
	if (!item->next)
		queue->end = &item->next;
	queue->waiting++;
}

void texts_queue_append(struct texts_queue *queue, struct queued *item)
{
	item->number = ++queue->numbers;
	insert_waiting(queue, queue->end, item);
}

/* To where it was, as far as a bounded search finds the place: the order of texts is a
 * courtesy, no promise. */
void texts_queue_return(struct texts_queue *queue, struct queued *item)
{
	struct queued **at = &queue->first;

	for (int i = 0; *at && (*at)->number < item->number && i < MAX_STEPS; i++)
		at = &(*at)->next;
	insert_waiting(queue, at, item);
}

/* The first whole second in which it is due. */
static int64_t due_second(int64_t due_ms)
{
	return (due_ms + 999) / 1000;
}

void texts_queue_put_off(struct texts_queue *queue, struct queued *item, int64_t due_ms)
{
	int64_t second = due_second(due_ms);

	/* The second that was looked at already comes round in TEXTS_WHEEL_S only. */
	if (second <= queue->turned_s)
		second = queue->turned_s + 1;
	/* 0 marks an item that waits, so an item of the wheel never has it. */
	item->due_ms = due_ms > 0 ? due_ms : 1;
	insert(&queue->wheel[second % TEXTS_WHEEL_S], item);
	queue->put_off++;
}

void texts_queue_remove(struct texts_queue *queue, struct queued *item)
{
	if (!item->link)
		return;
	if (item->due_ms)
		queue->put_off--;
	else
		queue->waiting--;
	if (item->next)
		item->next->link = item->link;
	else if (!item->due_ms)
		queue->end = item->link;
	*item->link = item->next;
	item->next = NULL;
	item->link = NULL;
	item->due_ms = 0;
}

/* Items of one second that are due go back to the others; those of a later round stay. */
static void turn_second(struct texts_queue *queue, int64_t second, int64_t now_ms)
{
	struct queued *item = queue->wheel[second % TEXTS_WHEEL_S], *next;

	for (; item; item = next) {
		next = item->next;
		if (due_second(item->due_ms) > now_ms / 1000)
			continue;
		texts_queue_remove(queue, item);
		texts_queue_return(queue, item);
	}
}

static void turn_wheel(struct texts_queue *queue, int64_t now_ms)
{
	int64_t now_s = now_ms / 1000;

	/* After a long pause one round sees all. */
	if (now_s - queue->turned_s > TEXTS_WHEEL_S)
		queue->turned_s = now_s - TEXTS_WHEEL_S;
	while (queue->turned_s < now_s && queue->put_off)
		turn_second(queue, ++queue->turned_s, now_ms);
	queue->turned_s = now_s;
}

bool texts_queue_is_due(struct texts_queue *queue, int64_t now_ms)
{
	turn_wheel(queue, now_ms);
	return queue->first != NULL;
}

struct queued *texts_queue_take(struct texts_queue *queue, int64_t now_ms)
{
	struct queued *item;

	turn_wheel(queue, now_ms);
	item = queue->first;
	if (item)
		texts_queue_remove(queue, item);
	return item;
}
