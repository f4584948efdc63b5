/* admin_service.h - does for a remote administrator what he is authorized for, and
 * nothing else (CRS manual 4.9).
 */
#ifndef RENDEZVOUS_ADMIN_SERVICE_H
#define RENDEZVOUS_ADMIN_SERVICE_H

#include "rendezvous/worker.pb-c.h"

struct supervisor;
struct worker_process;

/* Answers by AdminReply messages to that worker, at once or later; the audit log is told
 * who asked for what from where, with what result. */
void admin_service_ask(struct supervisor *supervisor, struct worker_process *worker,
		       const CrsWorker__AdminAsk *ask);

#endif
