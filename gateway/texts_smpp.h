/* texts_smpp.h - message centers as ports of the texts (CIG manual 2.9, "SMPP Interface").
 *
 * Each smpp block of cig.conf is a port (gateway/texts_port.h) with a center of its own
 * (smpp/center.h).  What comes from a center is answered when it is durable: a text in the
 * texts' journal, a part of a long text in USERDATA/centers.journal until its text is whole.
 *
 * Threads: the program's event loop.
 */
#ifndef GATEWAY_TEXTS_SMPP_H
#define GATEWAY_TEXTS_SMPP_H

#include <jansson.h>

#include "gateway/cig_config.h"

struct diag;
struct event_base;
struct texts;
struct texts_smpp;

/* Opens the journal, makes the centers of config (held), and begins to connect.  Returns 0,
 * or -errno with diag set. */
int texts_smpp_new(struct event_base *base, struct texts *texts, const struct cig_config *config,
		   struct texts_smpp **smpp_out, struct diag *diag);

/* Says goodbye to the centers; before texts_free(). */
void texts_smpp_free(struct texts_smpp **smppp);

/* Centers that stay as they are keep their connections; the others are made anew, and what
 * waits for them goes on.  Returns 0 or -errno, with what could be done done. */
int texts_smpp_set_config(struct texts_smpp *smpp, const struct cig_config *config);

/* Of each center, for status: [ { "name", "state", "peer", "why", "since_s", "in_hand",
 * "awaited", "throttled", "submitted", "taken", "refused", "throttles", "unanswered",
 * "incoming", "receipts", "connections" } ]. */
json_t *texts_smpp_report(const struct texts_smpp *smpp);

#endif
