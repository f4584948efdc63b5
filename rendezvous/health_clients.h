/* health_clients.h - the two temporary clients of a health check: they attach, one calls
 * the other, which rings, accepts and is hung up on, and one text goes from one to
 * the other.
 *
 * What clients seal for each other is filler here: the rendezvous cannot open it, so it
 * makes no difference to it.  Source: CRS manual 5.4, "health-check account".
 */
#ifndef RENDEZVOUS_HEALTH_CLIENTS_H
#define RENDEZVOUS_HEALTH_CLIENTS_H

#include "base/net.h"
#include "keys/account.h"
#include "rendezvous/health_report.h"

enum { HEALTH_CLIENTS_LIMIT_MS = 10000 };

struct health_account {
	const char *id;                      /* of the account */
	const struct account_secret *secret; /* borrowed */
	const char *check;                   /* under which the clients may enter (guests.h) */
	struct net_addr server;
};

/* Runs everything and adds a line a step; the first step that fails ends it.  Takes
 * HEALTH_CLIENTS_LIMIT_MS at most. */
void health_clients_run(const struct health_account *account, struct health_report *report);

#endif
