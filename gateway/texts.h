/* texts.h - text messages through the gateway (CIG manual 2.9, "Text message
 * interface"; docs/architecture.md "A text").
 *
 * From the secure side: a message is journaled, then Taken; every port whose maps match (a
 * write mailbox, a message center, SIP MESSAGE: gateway/texts_port.h) gets it, each with a
 * state of its own; the sender gets a Receipt when the last one is done, or at once when
 * none matches.  From outside: a text is sealed and journaled, posted until the rendezvous
 * has it, and the one who sent it hears of a failure.
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

/* Every port that was added must have been removed. */
void texts_free(struct texts **textsp);

/* The mailboxes and maps of a new configuration, which is held, are used from here on.
 * Texts whose mailbox is gone wait for one of its path until their end.  Returns 0 or
 * -ENOMEM. */
int texts_set_config(struct texts *texts, const struct cig_config *config);

/* The client to send with, and our own number ("tel:+8888"); NULL and "" while
 * there are no keys. */
void texts_set_client(struct texts *texts, struct umsg_client *client, const char *own_uri);

/* The client is attached: what waits is posted. */
void texts_attached(struct texts *texts);

/* It is known what became of a look-up: what waited for that is sealed, or refused. */
void texts_looked_up(struct texts *texts);

/* Events of the client, as umsg/client.h has them. */
void texts_message(struct texts *texts, const struct umsg_message *message);
/* The rendezvous's word on a post: stored, refused for good, or to be tried again. */
void texts_post_ack(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], Umsg__ErrorCode error,
		    const char *text, unsigned retry_after_s);
bool texts_receipt(struct texts *texts, const char *from, const uint8_t id[UMSG_ID_SIZE],
		   Umsg__ReceiptState state, const char *reason);

/* ---- what is to be seen ---------------------------------------------------------- */

/* Since the start of the program. */
struct texts_counters {
	uint64_t received;           /* messages from the secure side that were journaled */
	uint64_t delivered;          /* of these: at least one destination has it */
	uint64_t failed;             /* no destination has it, or there was none */
	uint64_t expired;            /* its end came first */
	uint64_t posted;             /* texts from outside that the rendezvous has */
	uint64_t refused;            /* that it, or we, cannot send */
	uint64_t receipts[5];        /* about texts from outside, by Umsg__ReceiptState */
	uint64_t notices;            /* to senders outside whose text was in vain */
	uint64_t left_at_rendezvous; /* could not be journaled, and were left there */
};

struct texts_port_counters {
	uint64_t delivered, failed, expired; /* destinations */
	uint64_t submitted;                  /* texts that came in by it */
};

/* Of a port, or a read mailbox. */
struct texts_port_state {
	const char *name, *kind; /* kind: "mailbox", "center", "sip"; "read" for a read mailbox */
	const char *trouble;     /* "": it is well */
	size_t waiting;          /* open destinations, those in hand among them */
	size_t sent;             /* the far side's receipt is awaited */
	struct texts_port_counters counters;
};

/* Of all ports together, and of the posts. */
struct texts_gauges {
	size_t inward;    /* messages from the secure side that are not everywhere yet */
	size_t posts;     /* texts and Receipts that wait for the rendezvous */
	size_t journaled; /* open entries of the journal, awaited Receipts among them */
};

/* Since the start; as long as texts. */
const struct texts_counters *texts_counters(const struct texts *texts);
/* What is there now. */
struct texts_gauges texts_gauges(const struct texts *texts);

/* Calls each for every port and read mailbox; what it gets is valid until it returns. */
void texts_each_port(const struct texts *texts,
		     void (*each)(void *arg, const struct texts_port_state *state), void *arg);

/* For status: { "queued": N, "journal": why messages cannot be kept or "", "mailboxes": [ { "path",
 * "kind", "state", "reason" } ], "ports": [ { "name", "kind", "waiting", "sent", "delivered",
 * "failed", "trouble" } ] }; queued are messages that wait for a port, and posts that wait for the
 * rendezvous. */
json_t *texts_report(const struct texts *texts);

/* What is queued and why, the oldest first, at most limit rows: { "messages": [ { "id",
 * "direction" ("out", "in" or "receipt"), "from", "to", "where", "state", "why", "tries",
 * "end" } ], "more": how many were left out }.  A message has a row for each destination that
 * is not done. */
json_t *texts_list(const struct texts *texts, size_t limit);

/* Tries a queued message at once: with all of its ports, or with the rendezvous.  id is as
 * the list has it.  Returns 0, -EINVAL (no id) or -ENOENT (none queued with it). */
int texts_retry(struct texts *texts, const char *id);

/* Gives a queued message up: its sender hears so, a file is moved aside.  Returns 0, -EINVAL,
 * -ENOENT, -EBUSY (a port has it in hand just now) or another -errno. */
int texts_drop(struct texts *texts, const char *id);

#endif
