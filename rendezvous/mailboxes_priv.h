/* mailboxes_priv.h - what mailbox.c, mailbox_index.c, mailboxes.c and mail_parts.c share. */
#ifndef RENDEZVOUS_MAILBOXES_PRIV_H
#define RENDEZVOUS_MAILBOXES_PRIV_H

#include "base/idhash.h"
#include "rendezvous/keyhash.h"
#include "rendezvous/mailboxes.h"

enum { MAILBOX_CLEAN_MS = 60 * 1000 };

TAILQ_HEAD(mail_list, mail);
TAILQ_HEAD(mailbox_list, mailbox);

struct mailbox {
	struct idmap_node node;
	TAILQ_ENTRY(mailbox) in_all;
	struct mail_list mails;  /* not stored yet, in the order of their posts */
	struct mail_list stored; /* by number, which rises with the time of storing */
	size_t count, n_stored, handed_octets;
	uint64_t octets;      /* of its mails */
	int64_t keep_until_s; /* what the store was told */
	bool keep_unsure;     /* it may not have heard of it */
	bool loaded, loading; /* the index of what is stored */
	bool attached;        /* until loaded: the devices want to know */
	bool gaps;            /* the store holds what found no memory here */
	uint64_t last_loaded;
	int64_t used_ms;
	char uri[];
};

struct mailboxes {
	struct idmap by_uri, by_id;
	struct keyhash hash; /* of URIs */
	struct idhash ids;
	struct mailbox_list all;
	struct mail_list handed, collecting; /* each has one limit, so oldest first */
	size_t unfinished, messages;
	size_t quota_messages; /* of a mailbox */
	uint64_t quota_octets;
	const char *refuse_reason;
	int64_t cleaned_ms;
	const struct mailboxes_ops *ops;
	void *arg;
};

/* NULL where there is none. */
struct mailbox *mailbox_find(const struct mailboxes *mailboxes, struct slice uri);
/* Makes it where there is none; NULL when memory is out. */
struct mailbox *mailbox_need(struct mailboxes *mailboxes, struct slice uri, int64_t now_ms);
/* Frees it with its messages. */
void mailbox_drop(struct mailboxes *mailboxes, struct mailbox *mailbox);

/* The message of that sender and id in the mailbox, or NULL. */
struct mail *mail_find(const struct mailboxes *mailboxes, const struct mailbox *mailbox,
		       struct slice sender, struct slice id);
/* One that waits, with the item's number, parts and so on; NULL when memory is out. */
struct mail *mail_new(struct mailboxes *mailboxes, struct mailbox *mailbox,
		      const struct mail_item *item);
/* The store has it under that number: as a rule a higher one than all before, but for what was
 * stored while the index of older ones was still being read. */
void mail_now_stored(struct mailboxes *mailboxes, struct mail *mail, uint64_t number);
/* Unlinks and frees it; the store is not touched. */
void mail_drop(struct mailboxes *mailboxes, struct mail *mail);

/* Puts the mail into its state, and into the queue of that state's limits. */
void mail_set_state(struct mailboxes *mailboxes, struct mail *mail, enum mail_state state,
		    int64_t limit_ms);

/* Has the index read from the store, unless it was: once, at the first post or device, so that
 * a repeat of a stored message is known. */
void mailbox_load(struct mailboxes *mailboxes, struct mailbox *mailbox);
/* Discards what is stored and whose time is over. */
void mailbox_drop_expired(struct mailboxes *mailboxes, struct mailbox *mailbox, int64_t now_s);

/* Where a mail goes once it is known that it is no repeat of a stored one. */
void mail_proceed(struct mailboxes *mailboxes, struct mail *mail, int64_t now_ms);
/* Tells its sender that it is kept, once. */
void mail_accept(struct mailboxes *mailboxes, struct mail *mail);
/* Stores a mail that is complete, or refuses it. */
void mail_store(struct mailboxes *mailboxes, struct mail *mail);

/* Answers the sender with an error and drops the mail. */
void mail_refuse(struct mailboxes *mailboxes, struct mail *mail, Umsg__ErrorCode code,
		 const char *text, uint32_t retry_after_s);

#endif
