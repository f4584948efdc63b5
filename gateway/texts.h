/* texts.h - text messages through the gateway (CIG manual 2.9, "Text message
 * interface"; docs/architecture.md "A text").
 *
 * From the secure side: a message is journaled, then Taken; every write mailbox
 * whose maps match gets its file, each with a state of its own; the sender gets a
 * Receipt when the last one is done, or at once when none matches.  From a read
 * mailbox: a file is sealed and journaled, posted until the rendezvous has it, and
 * removed then; one that cannot be sent is moved aside with the reason.
 *
 * Threads: the program's event loop.
 */
#ifndef GATEWAY_TEXTS_H
#define GATEWAY_TEXTS_H

#include <jansson.h>

#include "gateway/cig_config.h"
#include "umsg/client.h"

struct diag;
struct event_base;
struct texts;

struct texts_ops {
	/* The journal cannot be written (said in the log): nothing is promised any more
	 * until the program is started anew. */
	void (*broken)(void *arg);
};

/* Opens the journal (USERDATA/messages.journal) and the mailboxes of config, which
 * is held.  A mailbox that is not usable is told in the log and tried again every
 * now and then.  Returns 0, or -errno of the journal with diag set. */
int texts_new(struct event_base *base, const struct cig_config *config, const struct texts_ops *ops,
	      void *arg, struct texts **texts_out, struct diag *diag);
void texts_free(struct texts **textsp);

/* The client to send with, and our own number ("tel:+8888"); NULL and "" while
 * there are no keys. */
void texts_set_client(struct texts *texts, struct umsg_client *client, const char *own_uri);

/* The client is attached: what waits is posted. */
void texts_attached(struct texts *texts);

/* Events of the client, as umsg/client.h has them. */
void texts_message(struct texts *texts, const struct umsg_message *message);
void texts_post_ack(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
		    const char *text, unsigned retry_after_s);
bool texts_receipt(struct texts *texts, const char *from, const uint8_t id[UMSG_ID_SIZE],
		   Umsg__ReceiptState state, const char *reason);

/* For status: { "queued": N, "journal": why messages cannot be kept or "", "mailboxes": [ { "path",
 * "kind", "state", "reason" } ] }; queued are messages that wait for a mailbox, and posts that wait
 * for the rendezvous. */
json_t *texts_report(const struct texts *texts);

#endif
