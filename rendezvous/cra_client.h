/* cra_client.h - a remote administrator's connection to a rendezvous: one request and
 * its whole answer at a time, waiting (docs/umsg.md "Remote administration").
 */
#ifndef RENDEZVOUS_CRA_CLIENT_H
#define RENDEZVOUS_CRA_CLIENT_H

#include <jansson.h>

#include "base/slice.h"
#include "umsg/umsg.pb-c.h"

struct cra_client;
struct diag;

enum { CRA_LIMIT_MS = 60 * 1000 }; /* of the connection and of each answer */

/* Connects to HOST or HOST:PORT (5223 unless given), each of the host's addresses in turn, as
 * the administrator name with his secret as crs-cli printed it.  Returns 0, or
 * -errno with diag set. */
int cra_client_connect(const char *server, const char *name, const char *secret,
		       struct cra_client **client_out, struct diag *diag);
/* Closes the connection and frees *clientp; *clientp may be NULL. */
void cra_client_free(struct cra_client **clientp);

/* account may be "".  *answer_out is the caller's.  Returns 0; or with diag set -EACCES (not
 * authorized), -EPROTO (refused otherwise), -EPIPE (connection lost), -ETIMEDOUT,
 * -ENOMEM. */
int cra_client_ask(struct cra_client *client, Umsg__AdminAction action, const char *account,
		   json_t **answer_out, struct diag *diag);

/* Sends an update file and has it applied to the account it has to be for.  progress (may be NULL)
 * is called with the octets sent and in all.  Returns as cra_client_ask(). */
typedef void cra_progress_fn(void *arg, size_t sent, size_t total);
/* file is borrowed until it returns. */
int cra_client_apply(struct cra_client *client, const char *account, struct slice file,
		     cra_progress_fn *progress, void *arg, json_t **answer_out, struct diag *diag);

#endif
