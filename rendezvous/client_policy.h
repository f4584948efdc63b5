/* client_policy.h - how long a client may be silent, and how long it stays when it is
 * not registered: the keep-alive and detach-cleanup lines of crs.conf.
 *
 * The first line that matches a client counts (CRS manual 4.10, 4.12).  Without one
 * a client is pinged after a bit more than 20 minutes of silence, and stays.
 *
 * The supervisor reads the lines and checks them; workers get them in their setup, so
 * that all workers act alike until crs is started again.
 */
#ifndef RENDEZVOUS_CLIENT_POLICY_H
#define RENDEZVOUS_CLIENT_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config_lines.h"
#include "maps/client_rules.h"
#include "rendezvous/worker.pb-c.h"

struct client_policy;

enum {
	CLIENT_PING_MS = 21 * 60 * 1000,  /* silence, then our ping (CRS manual 4.10) */
	CLIENT_PING_GRACE_MS = 30 * 1000, /* then for its answer */
	CLIENT_DELAY_MAX_MS = 24 * 3600 * 1000,
};

/* What a keep-alive line says. */
struct keep_alive {
	bool tcp; /* TCP keep-alives instead of WebSocket pings */
	unsigned interval_ms, grace_ms;
};

/* file is the name in what is told about lines; borrowed.  Returns NULL when memory is
 * out. */
struct client_policy *client_policy_new(const char *file);
/* Frees *policyp and sets it to NULL; *policyp may be NULL. */
void client_policy_free(struct client_policy **policyp);

/* Takes a line over whose keyword is keep-alive or detach-cleanup and whose word count was
 * checked.  What is wrong with it is told in diag. */
void client_policy_read(struct client_policy *policy, const struct config_line *line,
			struct diag *diag);

/* Puts the lines into a setup; they stay the policy's and must outlive it. */
void client_policy_pack(const struct client_policy *policy, CrsWorker__Setup *setup);

/* The policy that was packed, or NULL when memory is out. */
struct client_policy *client_policy_unpack(const CrsWorker__Setup *setup);

/* How this client's connection is kept alive.  *line_out is the line of crs.conf that
 * says so, or 0: the default. */
struct keep_alive client_policy_keep_alive(const struct client_policy *policy,
					   const struct client_subject *client, unsigned *line_out);

/* After how many milliseconds the connection of this client is closed that is denied or
 * unregistered; -1: it stays. */
long client_policy_cleanup_ms(const struct client_policy *policy,
			      const struct client_subject *client);

#endif
