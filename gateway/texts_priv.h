/* texts_priv.h - what the modules of texts.h share.
 *
 *   texts.c          life, and the turn: sync, take, deliver, scan, post, in that order
 *   texts_in.c       from the secure side: journaled, then Taken
 *   texts_deliver.c  from the journal into write mailboxes, and the Receipt
 *   texts_out.c      from read mailboxes to the secure side
 *   texts_post.c     sealed posts until the rendezvous has them
 */
#ifndef GATEWAY_TEXTS_PRIV_H
#define GATEWAY_TEXTS_PRIV_H

#include "base/encode.h"
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
	TEXTS_REFUSED = 5, /* by a file's identity: to be moved aside; finished at once */
};

/* States of a destination. */
enum { TEXTS_OPEN = JOURNAL_STATE_OPEN, TEXTS_DELIVERED = 1, TEXTS_FAILED = 2 };

enum {
	TEXTS_RESCAN_S = 10,
	TEXTS_RETRY_MS = 2000,
	TEXTS_BATCH = 16,     /* files that share their flushes; more at once cost no less */
	TEXTS_SEALS = 8,      /* files sealed in one turn, at some milliseconds each */
	TEXTS_MAX_POSTS = 64, /* posts that await their PostAck */
	TEXTS_LIFETIME_S = 30 * 86400,
	TEXTS_TIDY_MS = 600000,
	TEXTS_REFETCH_MS = 10000, /* what could not be journaled is asked for again */
	TEXTS_RESTING = 256,      /* files of a mailbox that could not be dealt with, ... */
	TEXTS_REST_MS = 30000,    /* ... and are passed over for so long */
};

/* A message that is said to be Taken after the journal's next sync. */
struct taken {
	struct taken *next;
	uint8_t id[UMSG_ID_SIZE];
	char from[UMSG_URI_SIZE];
	uint64_t number;
};

/* A journaled message that is not in all of its mailboxes yet. */
struct inward {
	struct inward *next;
	uint8_t id[UMSG_ID_SIZE];
	int64_t next_try_ms;
};

struct inward_queue {
	struct inward *head, **tail;
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

struct resting_file {
	uint8_t id[16]; /* maildir_entry_id() */
	int64_t until_ms;
};

struct read_box {
	const struct cig_mailbox *config;
	struct maildir *maildir; /* NULL: not usable now */
	int trouble;             /* what failed last, as -errno; 0: nothing */
	struct maildir_watch *watch;
	struct event *readable;
	struct texts *texts;
	struct resting_file resting[TEXTS_RESTING];
	size_t n_resting;
};

struct write_box {
	const struct cig_mailbox *config;
	struct maildir *maildir;
	int trouble;
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
	struct taken *taken, **taken_tail;
	struct inward_queue fresh, stuck; /* never tried; tried, the earliest due first */
	size_t n_inward;
	struct outward *outward, **outward_tail;
	size_t n_outward;
	struct event *turn, *retry;
	int64_t next_tidy_ms, refetch_ms; /* refetch_ms 0: nothing was left at the rendezvous */
	int journal_trouble;              /* why something was, as -errno; 0: nothing */
	bool dirty;                       /* the journal has changes that are not synced */
	bool files_wait;                  /* a scan stopped before the last file */
	const struct texts_ops *ops;
	void *arg;
};

/* Runs the turn after the events of this one. */
void texts_schedule(struct texts *texts);

/* A message's id for the log. */
enum { TEXTS_ID_TEXT = BASE64_TEXT_SIZE(UMSG_ID_SIZE) };
const char *texts_id_text(const uint8_t id[UMSG_ID_SIZE], char out[TEXTS_ID_TEXT]);

/* Notes how it went with a mailbox (err 0: well); the log tells when that changes.  why
 * may be NULL. */
void texts_note_trouble(const char *path, int *trouble, int err, const char *why);

/* Opens a mailbox and notes how that went.  Returns as maildir_open(). */
int texts_open_maildir(const char *path, int *trouble, struct maildir **maildir_out);

/* ---- texts_in.c ---- */
struct journal_key texts_inward_key(const uint8_t id[UMSG_ID_SIZE]);

/* Says Taken for what is durable now. */
void texts_say_taken(struct texts *texts);

/* ---- texts_deliver.c ---- */
/* Queues a journaled message.  Returns 0 or -ENOMEM. */
int texts_queue_inward(struct texts *texts, const struct journal_key *key);

/* Fills the mailboxes of at most TEXTS_BATCH messages that are due, and tells the
 * senders of those that are done. */
void texts_deliver(struct texts *texts);

/* ---- texts_out.c ---- */
int texts_open_read_boxes(struct texts *texts);
void texts_close_read_boxes(struct texts *texts);

/* Tries mailboxes again that were not usable. */
void texts_reopen_read_boxes(struct texts *texts);

/* Seals and journals at most TEXTS_SEALS files; sets files_wait when there are more. */
void texts_scan(struct texts *texts);

/* Gives up on Receipts that did not come until their message's end. */
void texts_forget_sent(struct texts *texts, int64_t now_s);

/* ---- texts_post.c ---- */
/* Journals a sealed post and queues it.  Returns 0 and the new outward, or -errno. */
int texts_queue_post(struct texts *texts, const struct journal_key *key,
		     const struct umsg_sealed *sealed, const char *to, const char *what,
		     struct outward **outward_out);
/* One that the journal holds from an earlier run.  Returns 0 or -ENOMEM. */
int texts_restore_outward(struct texts *texts, const struct journal_key *key);
struct outward *texts_find_outward(struct texts *texts, const struct journal_key *key);

/* Posts what is due. */
void texts_post_due(struct texts *texts);

/* Removes what is acked and synced, and its files. */
void texts_drop_acked(struct texts *texts);

#endif
