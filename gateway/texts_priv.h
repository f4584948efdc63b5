/* texts_priv.h - what the modules of texts.h share.
 *
 *   texts.c       life, and the turn: sync, take, deliver, post, in that order
 *   texts_in.c    from the secure side into write mailboxes
 *   texts_out.c   from read mailboxes to the secure side
 *   texts_post.c  sealed posts until the rendezvous has them
 */
#ifndef GATEWAY_TEXTS_PRIV_H
#define GATEWAY_TEXTS_PRIV_H

#include "gateway/texts.h"
#include "gateway/texts.pb-c.h"
#include "mailbox/journal.h"
#include "mailbox/maildir.h"

struct event;

/* Kinds of journal entries. */
enum {
	TEXTS_INWARD = 1,  /* by message id: Inward */
	TEXTS_OUTWARD = 2, /* by a file's identity: Outward */
	TEXTS_RECEIPT = 3, /* by the receipt's own message id: Outward */
	TEXTS_SENT = 4,    /* by message id: whose Receipt is awaited; the receiver's URI */
};

/* States of a destination. */
enum { TEXTS_OPEN = JOURNAL_STATE_OPEN, TEXTS_DELIVERED = 1, TEXTS_FAILED = 2 };

enum {
	TEXTS_RESCAN_S = 10,
	TEXTS_RETRY_MS = 2000,
	TEXTS_BATCH = 16,     /* files that share their flushes (messaging.md section 4) */
	TEXTS_MAX_POSTS = 64, /* posts that await their PostAck */
	TEXTS_LIFETIME_S = 30 * 86400,
	TEXTS_TIDY_MS = 600000,
};

/* A message that has come and waits for the journal's sync, or for its mailboxes. */
struct inward {
	struct inward *next;
	uint8_t id[UMSG_ID_SIZE];
	char from[UMSG_URI_SIZE]; /* for Taken */
	uint64_t number;
	bool to_take; /* say Taken after the sync */
};

/* A post that waits for its turn or its PostAck. */
struct outward {
	struct outward *next;
	struct journal_key key;
	uint8_t message_id[UMSG_ID_SIZE];
	int64_t next_try_ms;
	bool posted;          /* on this connection, not yet answered */
	bool acked;           /* done: finished in the journal, not yet synced */
	struct read_box *box; /* of a file, once it was seen in this run */
	struct maildir_entry entry;
	char refusal[128]; /* acked by a final error: move the file aside */
};

struct read_box {
	const struct cig_mailbox *config;
	struct maildir *maildir; /* NULL: not usable now */
	struct maildir_watch *watch;
	struct event *readable;
	struct texts *texts;
};

struct write_box {
	const struct cig_mailbox *config;
	struct maildir *maildir;
};

struct texts {
	struct event_base *base;
	const struct cig_config *config; /* held */
	struct journal *journal;
	struct umsg_client *client; /* NULL: no keys */
	char own_uri[UMSG_URI_SIZE];
	struct read_box *read;
	struct write_box *write;
	size_t n_read, n_write;
	struct inward *inward;
	struct outward *outward, **outward_tail;
	size_t n_outward;
	struct event *turn, *retry;
	int64_t next_tidy_ms;
	bool dirty; /* the journal has changes that are not synced */
};

/* Runs the turn after the events of this one. */
void texts_schedule(struct texts *texts);

/* ---- texts_in.c ---- */
/* Says Taken for what is durable now, and fills mailboxes. */
void texts_take_inward(struct texts *texts);
void texts_deliver(struct texts *texts);
/* A journal entry found at start. */
int texts_restore_inward(struct texts *texts, const struct journal_key *key);

/* ---- texts_out.c ---- */
int texts_open_read_boxes(struct texts *texts, struct diag *diag);
void texts_close_read_boxes(struct texts *texts);
void texts_scan(struct texts *texts);

/* ---- texts_post.c ---- */
/* Journals a sealed post and queues it.  Returns 0 and the new outward, or -errno. */
int texts_queue_post(struct texts *texts, const struct journal_key *key,
		     const struct umsg_sealed *sealed, const char *to, const char *what,
		     struct outward **outward_out);
int texts_restore_outward(struct texts *texts, const struct journal_key *key);
struct outward *texts_find_outward(struct texts *texts, const struct journal_key *key);
/* Posts what is due; removes what is acked and synced. */
void texts_post_due(struct texts *texts);
void texts_drop_acked(struct texts *texts);

#endif
