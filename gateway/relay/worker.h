/* worker.h - a media thread of cig-relay: epoll, its calls, a 20 ms timer wheel.
 *
 * Threads share nothing: a call lives in one of them from ORDER_OPEN to
 * NOTICE_CLOSED.  Nothing is allocated per packet.
 */
#ifndef GATEWAY_RELAY_WORKER_H
#define GATEWAY_RELAY_WORKER_H

#include "gateway/relay/order.h"

struct worker;

enum { WORKER_MAX_TRUNKS = 16 };

/* Starts a thread that puts its notices into notices (which outlives it); index is what
 * its NOTICE_LOAD says.  Returns 0 or -errno. */
int worker_start(struct queue *notices, unsigned index, struct worker **worker_out);

/* Hands an order over; it is the worker's from now on. */
void worker_order(struct worker *worker, struct order *order);

/* Ends the thread, with all its calls (each says NOTICE_CLOSED), and frees it. */
void worker_stop(struct worker **workerp);

#endif
