/* texts_priv.h - what the modules of texts.h share.
 *
 *   texts.c          life, and the turn: sync, tell, offer, conclude, scan, post
 *   texts_in.c       from the secure side: journaled, then Taken
 *   texts_inward.c   the messages in memory: their destinations, their end, the Receipt
 *   texts_port.c     ports: offers and outcomes (texts_port.h)
 *   texts_mailbox.c  write mailboxes, ports of their own
 *   texts_read.c     read mailboxes: their files
 *   texts_resting.c  files of read mailboxes that could not be dealt with
 *   texts_submit.c   a text from outside is sealed and journaled; what becomes of it
 *   texts_lookup.c   texts whose receiver's domain is being looked up
 *   texts_notice.c   what the sender of a text from outside is told
 *   texts_post.c     sealed posts until the rendezvous has them
 *   texts_list.c     what `show message` lists, `message retry|drop`, counters
 *   texts_queue.c    queues
 */
#ifndef GATEWAY_TEXTS_PRIV_H
#define GATEWAY_TEXTS_PRIV_H

#include "base/encode.h"
#include "base/idhash.h"
#include "base/idmap.h"
#include "gateway/texts.h"
#include "gateway/texts.pb-c.h"
#include "gateway/texts_port.h"
#include "gateway/texts_queue.h"
#include "mailbox/journal.h"
#include "mailbox/maildir.h"

struct event;
struct message;

/* Kinds of journal entries. */
enum {
	TEXTS_INWARD = 1,    /* by message id: Inward */
	TEXTS_OUTWARD = 2,   /* by a file's identity: Outward */
	TEXTS_RECEIPT = 3,   /* by the receipt's own message id: Outward */
	TEXTS_SENT = 4,      /* by message id: Sent */
	TEXTS_REFUSED = 5,   /* by a file's identity: to be moved aside; finished at once */
	TEXTS_SUBMITTED = 6, /* by a hash of port and key: Outward */
};

/* States of a destination, in the journal and in memory. */
enum {
	TEXTS_OPEN = JOURNAL_STATE_OPEN,
	TEXTS_DELIVERED = 1,
	TEXTS_FAILED = 2,
	TEXTS_SENT_ON = 3, /* the far side has it, its receipt is awaited */
	/* In memory only. */
	TEXTS_IN_HAND = 4,
	TEXTS_EXPIRED = 5,
};

enum {
	TEXTS_RESCAN_S = 10,
	TEXTS_RETRY_MS = TEXT_RETRY_MS,
	TEXTS_BATCH = TEXT_OFFERS_AT_ONCE, /* files that share their flushes; more cost no less */
	TEXTS_SEALS = 8,                   /* files sealed in one turn, at some milliseconds each */
	TEXTS_MAX_POSTS = 64,              /* posts that await their PostAck */
	TEXTS_MAX_FILES = 64,              /* files that are journaled and wait for it */
	TEXTS_MAX_REFUSED_FILES = 2000,    /* beside them: it said "later", of their receivers */
	TEXTS_MAX_SUBMITTED = 100000,      /* texts of ports that wait for the rendezvous */
	TEXTS_LIFETIME_S = 30 * 86400,
	TEXTS_TIDY_MS = 10,          /* between two steps of writing the journal anew */
	TEXTS_REFETCH_MS = 10000,    /* what could not be journaled is asked for again */
	TEXTS_EXPIRE_AT_ONCE = 4096, /* messages looked at for their end in one go */
};

/* A message that is said to be Taken after the journal's next sync. */
struct taken {
	struct taken *next;
	uint8_t id[UMSG_ID_SIZE];
	char from[UMSG_URI_SIZE];
	uint64_t number;
};

/* One destination of a message: its number in the journal is its place in the array. */
struct share {
	struct queued queued; /* in its port's queue while it is open */
	struct inward *of;
	struct text_port *port;
	char *why; /* it is not delivered yet, or has failed; NULL: nothing to say */
	uint16_t tries;
	uint8_t state;
	bool unsaved; /* the journal did not take the state */
};

/* A journaled message that is not everywhere yet. */
struct inward {
	struct idmap_node node;      /* by id */
	struct inward *next, **link; /* all, the oldest first */
	struct queued done;          /* in texts.done once no share is open */
	uint8_t id[UMSG_ID_SIZE];
	int64_t end_s;
	uint16_t n_shares, n_open;
	struct share shares[];
};

struct text_port {
	struct text_port *next;
	struct texts *texts;
	char *name, *kind;
	const struct text_port_ops *ops; /* NULL: it is not there in this run */
	void *arg;
	struct texts_queue queue; /* of open shares */
	size_t in_hand, sent;
	char trouble[TEXT_WHY_SIZE];
	int64_t wait_until_ms;
	bool offered; /* in this turn: flush() is due */
	bool keeping; /* kept() is due after the next sync */
	struct texts_port_counters counters;
};

/* A file that was journaled, as it was seen in this run. */
struct outward_file {
	struct read_box *box;
	struct maildir_entry entry;
};

/* A post that waits for its turn or its PostAck. */
struct outward {
	struct queued queued; /* until it is posted */
	struct idmap_node by_key, by_id;
	struct outward *next; /* in fresh or acked */
	struct journal_key key;
	uint8_t message_id[UMSG_ID_SIZE];
	uint8_t port_key[TEXT_KEY_SIZE];
	struct text_port *port;    /* who submitted it, or NULL */
	struct outward_file *file; /* or NULL */
	char *why;                 /* it is not posted yet, or was refused */
	bool has_id;               /* message_id is known: by_id is in the map */
	bool fresh;                /* the port was not told that it is stored */
	bool posted;               /* on this connection, not yet answered */
	bool later;                /* a file's: the rendezvous said so; in n_later, not n_files */
	bool acked;                /* done; in texts.acked, but for one that is fresh */
	bool refused;              /* of acked: in vain */
	bool finished;             /* of acked: the journal took that; told after its sync */
};

struct held_text;
struct texts_reader;

struct texts {
	struct event_base *base;
	const struct cig_config *config; /* held */
	struct journal *journal;
	struct idhash hash;
	struct umsg_client *client; /* NULL: no keys */
	char own_uri[UMSG_URI_SIZE];
	gid_t mail_gid; /* of mail_group; (gid_t)-1: there is no such group */
	struct taken *taken, **taken_tail;
	/* Inward. */
	struct text_port *ports, **ports_tail;
	struct idmap inward; /* of struct inward, by id */
	struct inward *all, **all_tail, *expire_at;
	struct texts_queue done; /* of inward.done */
	struct texts_mailboxes *mailboxes;
	/* Outward. */
	struct texts_reader *reader;
	struct idmap posts_by_key, posts_by_id;
	struct texts_queue posts;
	struct outward *fresh, **fresh_tail, *acked, **acked_tail;
	size_t n_posted, n_outward, n_files, n_later, n_submitted;
	struct held_text *held; /* submitted, and not sealed yet */
	size_t n_held;
	bool files_ask; /* a file rests until a look-up is over */
	struct texts_counters counters;
	struct event *turn, *retry, *tidy;
	int64_t refetch_ms;  /* refetch_ms 0: nothing was left at the rendezvous */
	int journal_trouble; /* why something was, as -errno; 0: nothing */
	int end_trouble;     /* why the end of a text could not be kept, as -errno; 0: it could */
	bool dirty;          /* the journal has changes that are not synced */
	const struct texts_ops *ops;
	void *arg;
};

/* ---- texts.c ---- */

/* Runs the turn after the events of this one. */
void texts_schedule(struct texts *texts);

/* The journal has a change: synced in the next turn. */
void texts_touch(struct texts *texts);

/* A message's id for the log. */
enum { TEXTS_ID_TEXT = BASE64_TEXT_SIZE(UMSG_ID_SIZE) };
/* Returns out. */
const char *texts_id_text(const uint8_t id[UMSG_ID_SIZE], char out[TEXTS_ID_TEXT]);

/* Replaces *at by a copy of why, or NULL where memory is out or it is "". */
void texts_set_why(char **at, const char *why);

/* Opens a mailbox, whose files get the group of mail_group.  Returns as maildir_open(), with
 * the reason in why. */
int texts_open_maildir(const struct texts *texts, const char *path, struct maildir **maildir_out,
		       char why[TEXT_WHY_SIZE]);

/* ---- texts_in.c ---- */
struct journal_key texts_inward_key(const uint8_t id[UMSG_ID_SIZE]);

/* What came of that sender about message id cannot be kept now: it stays at the rendezvous, and is
 * asked for again. */
void texts_leave(struct texts *texts, const char *id, const char *from, int err);
/* Something could be kept. */
void texts_kept_one(struct texts *texts);

/* Says Taken for what is durable now. */
void texts_say_taken(struct texts *texts);

/* Journals a message and queues it with the ports that match it: all of them, or only those
 * of a kind and, of these, of a name (either may be NULL).  inward needs no destinations
 * yet.  Returns how many match, or -errno of the journal. */
int texts_accept(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], int64_t end_s,
		 Texts__Inward *inward, const char *kind, const char *name);

/* ---- texts_inward.c ---- */

/* A message for these ports, in no queue yet; NULL when memory is out. */
struct inward *texts_inward_new(const uint8_t id[UMSG_ID_SIZE], int64_t end_s,
				struct text_port *const *ports, size_t n);
/* For one that is in no table; in may be NULL. */
void texts_inward_free(struct inward *in);

/* It is journaled: its shares wait at their ports. */
void texts_inward_admit(struct texts *texts, struct inward *in);
/* The message of that id whose end has not come, or NULL. */
struct inward *texts_inward_find(const struct texts *texts, const uint8_t id[UMSG_ID_SIZE]);

/* One that the journal holds from an earlier run.  Returns 0 or -ENOMEM. */
int texts_restore_inward(struct texts *texts, const struct journal_entry *entry);
/* Frees all; the journal keeps them. */
void texts_forget_inward(struct texts *texts);

/* The message as it stands in the journal.  Returns 0, -ENOENT, -EBADMSG (damaged), or
 * another -errno.  Both are freed by texts_unload(). */
struct loaded {
	Texts__Inward *inward;
	Umsg__TextBody *body;
};
/* The message of that id. */
int texts_load(const struct texts *texts, const uint8_t id[UMSG_ID_SIZE],
	       struct loaded *loaded_out);
/* Frees what is there; *loaded may be half filled. */
void texts_unload(struct loaded *loaded);

/* A share is over: state is TEXTS_DELIVERED, TEXTS_FAILED or TEXTS_EXPIRED.  in must be in
 * no queue and not in hand any more. */
void texts_end_share(struct texts *texts, struct share *share, uint8_t state, const char *why);

/* "waiting", "delivered" and so on. */
const char *texts_state_word(uint8_t state);

/* What has come to its end and is not in hand, of the next few messages. */
void texts_expire(struct texts *texts);
/* The shares of one message that are past their end and not in hand. */
void texts_expire_one(struct texts *texts, struct inward *in);

/* Tells the senders of messages that are over, a few in a turn. */
void texts_conclude(struct texts *texts);

/* ---- texts_port.c ---- */

/* The port of that name, made where there is none; NULL when memory is out. */
struct text_port *texts_port_named(struct texts *texts, const char *name, const char *kind);
void texts_free_ports(struct texts *texts);

/* Offers what is due, a few of each port. */
void texts_offer(struct texts *texts);

/* The journal is synced: tells ports of what they kept. */
void texts_tell_kept(struct texts *texts);

/* ---- texts_mailbox.c ---- */
int texts_open_mailboxes(struct texts *texts);
/* Frees them; what waits stays in the journal. */
void texts_close_mailboxes(struct texts *texts);

/* Looks whether those that were not usable are now, where nothing waits for them. */
void texts_reopen_mailboxes(struct texts *texts);

/* Takes over the mailboxes of texts->config, which was replaced. */
int texts_change_mailboxes(struct texts *texts);

/* ---- texts_read.c ---- */
int texts_open_reader(struct texts *texts);
/* Frees it; files stay where they are. */
void texts_close_reader(struct texts *texts);

/* Opens mailboxes again that were not usable. */
void texts_reopen_reader(struct texts *texts);

/* Seals and journals at most TEXTS_SEALS files, and goes on in the next turn. */
void texts_scan(struct texts *texts);

/* There are files that the last scan did not come to. */
bool texts_files_wait(const struct texts *texts);

/* Everything that rests is looked at again. */
void texts_wake_reader(struct texts *texts);

/* The post of a file is over and durable: removes it, or moves it aside. */
void texts_clear_file(struct outward_file *file, const char *refusal);

/* Of mailbox `number` for the report; false behind the last. */
bool texts_reader_state(const struct texts *texts, size_t number, struct texts_port_state *out);

/* ---- texts_submit.c ---- */

/* Seals body from our number (with an extension) to somebody's, journals the post under
 * key, and the wait for its Receipt.  outer is NULL or what Outward and Sent need of a port.
 * Returns 0 and the new post, -EINVAL, -EMSGSIZE, -ENOKEY, or another -errno. */
struct texts_origin {
	const char *kind;       /* "mailbox" or that of port */
	struct text_port *port; /* NULL for a mailbox */
	const uint8_t *port_key;
	const char *what;
};
/* outward_out is queued already. */
int texts_send(struct texts *texts, const struct journal_key *key, const char *from, const char *to,
	       const Umsg__TextBody *body, int64_t end_s, const struct texts_origin *origin,
	       struct outward **outward_out);

/* Why a message can never be sent, or NULL where it may be, later; err is texts_send()'s. */
const char *texts_final_reason(const struct texts *texts, int err);

/* The post is in vain: no Receipt will come.  why: what its sender gets a notice of, or NULL.  One
 * that cannot be kept now comes at the message's end.  Returns 0, -ENOENT (none is awaited) or
 * another -errno, told once in the log: it stays awaited. */
int texts_drop_sent(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], const char *why);

/* Of journal_tidy(): gives up on a Receipt that did not come until its message's end. */
void texts_no_receipt(void *arg, const struct journal_entry *entry);

/* A text whose receiver's domain is known is sealed and journaled.  Returns as texts_submit(). */
int texts_seal_in(struct text_port *port, const struct text_in *in, char why[TEXT_WHY_SIZE]);

/* Journals that it can never be sent: stored() follows, and posted() with the reason, or a
 * notice.  Returns 0 or -errno. */
int texts_refuse_in(struct text_port *port, const struct text_in *in, const char *refusal);

/* ---- texts_lookup.c ---- */

/* Is it known under whose keys a text to that tel URI goes?  As peer_domain_ask(); there is a
 * client. */
int texts_ask_domain(const struct texts *texts, const char *to);

/* Keeps a copy until that is known.  Returns 0, -ENOBUFS or -ENOMEM. */
int texts_hold(struct text_port *port, const struct text_in *in);
bool texts_holds(const struct text_port *port, const uint8_t key[TEXT_KEY_SIZE]);

/* Those whose domain is known by now go on. */
void texts_ask_again(struct texts *texts);
/* Forgets those of a port, or (NULL) of all. */
void texts_drop_held(struct texts *texts, const struct text_port *port);

/* ---- texts_notice.c ---- */

/* Tells the one who sent a text from outside, by hand, that it was in vain; a second time it does
 * nothing.  Returns 0 or -errno: it cannot be kept now. */
int texts_notice(struct texts *texts, const uint8_t id[UMSG_ID_SIZE], const Texts__Sent *sent,
		 const char *why);

/* ---- texts_post.c ---- */

/* Journals a sealed post and queues it.  Returns 0 and the new outward, or -errno. */
int texts_queue_post(struct texts *texts, const struct journal_key *key,
		     const struct umsg_sealed *sealed, const Texts__Outward *outward,
		     struct outward **outward_out);
/* One that the journal holds from an earlier run.  Returns 0 or -ENOMEM. */
int texts_restore_outward(struct texts *texts, const struct journal_key *key);
/* The post under way with that key, or NULL. */
struct outward *texts_find_outward(const struct texts *texts, const struct journal_key *key);
/* Frees all; the journal keeps them. */
void texts_forget_outward(struct texts *texts);

/* Calls each for every post until it returns false. */
void texts_each_outward(const struct texts *texts, bool (*each)(void *arg, struct outward *out),
			void *arg);

/* As the journal has it.  Returns 0, -EBADMSG, or -errno. */
int texts_load_outward(const struct texts *texts, const struct journal_key *key,
		       Texts__Outward **outward_out);

/* Learns the id and the port of a post of an earlier run from the journal.  Returns whether
 * they are known. */
bool texts_know_outward(struct texts *texts, struct outward *out);

/* Nothing is left to post.  refusal: why it was in vain, "" where the rendezvous has it. */
void texts_settle(struct texts *texts, struct outward *out, const char *refusal);

/* Posts what is due. */
void texts_post_due(struct texts *texts);

/* The journal is synced: tells ports of what they submitted, removes what is acked, and its
 * files. */
void texts_tell_posts(struct texts *texts);

/* The connection is new: PostAcks that were awaited do not come any more. */
void texts_post_again(struct texts *texts);

#endif
