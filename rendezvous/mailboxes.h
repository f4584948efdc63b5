/* mailboxes.h - the messages on their way to the URIs that are at home in this
 * worker.
 *
 * A post is handed to the recipient's devices first.  If the primary takes it
 * within MAIL_HANDED_LIMIT_MS the sender's answer is "taken" and nothing was
 * written; otherwise it is stored, and the sender is answered when the store says
 * that it is durable.  A long body is always stored part by part.  Posts are
 * known by (sender, message id): a repeat gets its answer again and is not kept
 * twice.  An index of what is stored is read when a mailbox is first used and
 * dropped when it was idle.  Source: docs/umsg.md "Messages".
 *
 * Pure: the store, the clients and the clock are behind struct mailboxes_ops and
 * arguments.  An ops function may not call back.
 */
#ifndef RENDEZVOUS_MAILBOXES_H
#define RENDEZVOUS_MAILBOXES_H

#include <sys/queue.h>

#include "base/idmap.h"
#include "base/slice.h"
#include "rendezvous/sessions.h"
#include "umsg/umsg.pb-c.h"

enum {
	MAIL_ID_SIZE = 16,
	MAIL_TICK_MS = 100,
	MAIL_HANDED_LIMIT_MS = 1000,
	/* Handed and not taken yet; more is stored without being handed, so that nobody
	 * can fill up another's connection. */
	MAIL_HANDED_OCTETS = 256 * 1024,
	MAIL_KEEP_STEP_S = 3600,
	MAIL_PARTS_IDLE_LIMIT_MS = 600 * 1000,
	MAIL_MAX_STORED = 20000,   /* messages of one recipient, unless told otherwise ... */
	MAIL_MAX_STORED_MIB = 128, /* ... and how much they may hold together */
	/* Long messages whose parts still come: of all senders, and of one, so that nobody can
	 * take the room of all others. */
	MAIL_MAX_UNFINISHED = 1024,
	MAIL_MAX_UNFINISHED_EACH = 128,
	MAIL_MAX_OCTETS = 32 << 20, /* of a message's records */
	MAIL_PARTS_IN_FLIGHT = 4,
	MAIL_MAX_LIFETIME_S = 30 * 86400,
	MAIL_RETRY_FULL_S = 15, /* fetching may make room at any moment */
	MAIL_RETRY_DOWN_S = 5,
	MAIL_RETRY_QUOTA_S = 3600,
	MAILBOX_IDLE_LIMIT_MS = 600 * 1000,
};

enum mail_state {
	MAIL_WAITING,    /* for the index of what is stored */
	MAIL_HANDED,     /* to the primary device, not stored */
	MAIL_COLLECTING, /* its parts come */
	MAIL_STORING,
	MAIL_STORED,
};

struct mailbox;

/* One message.  Everything is owned by the mailbox. */
struct mail {
	struct idmap_node node;       /* by recipient, sender and id */
	TAILQ_ENTRY(mail) in_mailbox; /* oldest first; a list for those stored, one for the rest */
	TAILQ_ENTRY(mail) in_queue;   /* of those with a time limit */
	bool queued, listed_as_stored;
	struct mailbox *mailbox;
	enum mail_state state;
	char *sender, *account; /* account: the sender's; all three in text */
	char *channel;          /* to which it was posted; NULL: to the mailbox's user himself */
	uint8_t id[MAIL_ID_SIZE];
	int kind; /* Umsg__MessageKind */
	int64_t end_s;
	int64_t keep_until_s; /* how long the store has to keep the mailbox; 0: known */
	uint64_t number;      /* in the store; 0: not stored */
	uint32_t parts;       /* records in all; 1: no further ones */
	uint64_t octets;      /* that it takes, further records as whole ones */
	uint8_t *post;        /* the packed Post, until it is stored */
	size_t post_n;
	struct endpoint origin; /* who waits for PostAck; connection 0: nobody */
	uint64_t request;
	struct endpoint handed; /* the primary that was given it; connection 0: none */
	size_t handed_octets;   /* counted in the mailbox until it is taken */
	bool taken;             /* while it was being stored */
	bool fan_out;           /* posted to the channel that the mailbox is of */
	int64_t limit_ms;
	uint32_t next_part;     /* wanted (COLLECTING) */
	struct endpoint reader; /* who is sent its parts, and the next index not sent */
	uint32_t sent;
	char text[];
};

enum mail_event { MAIL_POSTED, MAIL_DELIVERED, MAIL_NOT_FOUND };

struct mailboxes_ops {
	/* Read what is stored for uri behind number; answered by
	 * mailboxes_loaded_item() and mailboxes_loaded().  Returns 0 or -EPIPE. */
	int (*load)(void *arg, const char *uri, uint64_t after);
	/* Store the message, the parts of a long one being there; answered by
	 * mailboxes_stored().  Returns 0, -EPIPE or -ENOSPC. */
	int (*store)(void *arg, const char *uri, const struct mail *mail);
	void (*discard)(void *arg, const char *uri, const struct mail *mail);
	/* Store a further part; answered by mailboxes_part_stored(). */
	int (*store_part)(void *arg, const char *uri, const struct mail *mail, uint32_t index,
			  struct slice record);
	/* Hand the message to all devices; false when there is no primary.
	 * *primary_out is who was given it. */
	bool (*hand)(void *arg, const char *uri, const struct mail *mail,
		     struct endpoint *primary_out);
	/* There is something stored that the devices have not seen. */
	void (*notify)(void *arg, const char *uri, uint64_t number);
	/* PostAck to whoever posted it. */
	void (*ack)(void *arg, const struct mail *mail, Umsg__ErrorCode code, const char *text,
		    uint32_t retry_after_s);
	void (*part_ack)(void *arg, const struct mail *mail, uint32_t next);
	/* All parts of a long post to a channel (mail_post.fan_out) are there; they and the
	 * answer to the sender are the callee's, the mail is freed when this returns. */
	void (*whole)(void *arg, const char *uri, const struct mail *mail);
	void (*event)(void *arg, const char *uri, const struct mail *mail, enum mail_event event);
};

struct mailboxes;

/* ops and arg are borrowed.  Returns NULL when memory is out. */
struct mailboxes *mailboxes_new(const struct mailboxes_ops *ops, void *arg);
/* Frees *mailboxesp; what is stored stays stored.  *mailboxesp may be NULL. */
void mailboxes_free(struct mailboxes **mailboxesp);

struct mail_post {
	struct slice to, sender, account, id; /* account: the sender's */
	struct slice channel; /* a member's copy, its parts lie with the channel; n 0: no copy */
	bool fan_out;         /* `to` is a channel, the body of several records */
	int64_t max_lifetime_s;
	int kind;
	int64_t store_until_s;
	uint32_t total_length, record_length;
	uint8_t *post; /* the packed Post, malloc'd: taken over in any case */
	size_t post_n;
	struct endpoint origin;
	uint64_t request;
};

/* A client's Post, its sender authenticated and its recipient known.  It is
 * answered by ack() sooner or later.  Returns 0 or -ENOMEM. */
int mailboxes_post(struct mailboxes *mailboxes, const struct mail_post *post, int64_t now_ms,
		   int64_t now_s);

/* A further part.  Returns 0, or -ENOENT when no such message is being collected
 * (its sender has to begin again). */
int mailboxes_part(struct mailboxes *mailboxes, struct slice to, struct slice sender,
		   struct slice id, uint32_t index, struct slice record, int64_t now_ms);

/* The primary device took a message.  Returns 0 or -ENOENT. */
int mailboxes_taken(struct mailboxes *mailboxes, struct slice uri, struct slice sender,
		    struct slice id, int64_t now_ms);

/* A primary device registered: it is handed what only the one before it got, and
 * the index is read.  Returns how many messages are known to wait. */
uint32_t mailboxes_attached(struct mailboxes *mailboxes, struct slice uri,
			    const struct endpoint *primary, int64_t now_ms);

/* Is it stored, and nothing older for its receiver?  Then the store may drop all up to its
 * number. */
bool mail_is_oldest(const struct mail *mail);

/* The stored message, to send its parts by; NULL when there is none. */
struct mail *mailboxes_find(struct mailboxes *mailboxes, struct slice uri, struct slice sender,
			    struct slice id, int64_t now_ms);

/* A device fetches what is stored: the index is read, if it is not there, and of what was handed
 * but not taken so far the devices are notified when it is stored. */
void mailboxes_fetching(struct mailboxes *mailboxes, struct slice uri, int64_t now_ms);

/* Of a page of at most count messages behind the number after, which should hold no more than so
 * many octets: the number of its last one, which is the last of an entry of the store where that
 * can be.  0: all that is left can be read, or what is stored is not known. */
uint64_t mailboxes_page(struct mailboxes *mailboxes, struct slice uri, uint64_t after,
			uint32_t count, size_t octets);

/* Which parts to send to a device that wants index next: *from_out and the number
 * of them, none of which was sent to it before. */
uint32_t mail_parts_wanted(struct mail *mail, const struct endpoint *reader, uint32_t next,
			   uint32_t *from_out);

struct mail_item {
	struct slice sender, account, channel, id;
	uint64_t number;
	size_t octets; /* of the post, with its first record */
	int64_t end_s;
	uint32_t parts;
	int kind;
};

/* One message that the store holds; mailboxes_loaded() follows the last. */
void mailboxes_loaded_item(struct mailboxes *mailboxes, struct slice uri,
			   const struct mail_item *item);
/* more: behind that number there may be further ones; 0: there are none. */
void mailboxes_loaded(struct mailboxes *mailboxes, struct slice uri, int err, uint64_t more,
		      int64_t now_ms, int64_t now_s);
/* The store's answer: durable under that number, or err (-errno) and then it is refused to
 * its sender. */
void mailboxes_stored(struct mailboxes *mailboxes, struct slice uri, struct slice sender,
		      struct slice id, int err, uint64_t number, int64_t now_ms);
/* The same for a further part. */
void mailboxes_part_stored(struct mailboxes *mailboxes, struct slice uri, struct slice sender,
			   struct slice id, uint32_t index, int err, int64_t now_ms);

/* How much may be stored for one recipient. */
void mailboxes_set_quota(struct mailboxes *mailboxes, size_t messages, uint64_t octets);

/* Whether new messages may be stored; NULL: yes, else why not (a constant text). */
void mailboxes_refuse(struct mailboxes *mailboxes, const char *reason);

/* The store is gone: what was not acknowledged is refused, indexes are forgotten. */
void mailboxes_store_lost(struct mailboxes *mailboxes);

/* The user is no more: who waits for an answer is refused, and nothing stays in memory.  Parts of
 * long messages are discarded; the store's list of the messages itself is the caller's to drop. */
void mailboxes_forget(struct mailboxes *mailboxes, struct slice uri);

/* Messages in memory, in whatever state. */
size_t mailboxes_messages(const struct mailboxes *mailboxes);

/* Time limits; call it every MAIL_TICK_MS. */
void mailboxes_tick(struct mailboxes *mailboxes, int64_t now_ms, int64_t now_s);

#endif
