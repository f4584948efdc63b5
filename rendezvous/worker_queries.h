/* worker_queries.h - what a worker tells of itself when it is asked. */
#ifndef RENDEZVOUS_WORKER_QUERIES_H
#define RENDEZVOUS_WORKER_QUERIES_H

#include "rendezvous/worker.h"

/* Answers by QueryPart messages, now or when the store has answered. */
void worker_answer(struct worker *worker, const CrsWorker__Query *query);

#endif
