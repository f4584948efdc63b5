/* texts_smpp_priv.h - what the files of texts_smpp.h share.
 *
 *   texts_smpp.c       life, configuration, report
 *   texts_smpp_out.c   texts on offer, and what becomes of them
 *   texts_smpp_in.c    texts and parts that come, and their answers
 *   texts_smpp_keep.c  what centers.journal keeps
 */
#ifndef GATEWAY_TEXTS_SMPP_PRIV_H
#define GATEWAY_TEXTS_SMPP_PRIV_H

#include "gateway/texts_port.h"
#include "gateway/texts_smpp.h"
#include "mailbox/journal.h"
#include "smpp/reassembly.h"

struct event;

enum {
	CENTER_NAME = 384,
	CENTER_LATER_MS = 10000, /* a text that was refused for now is tried again */
	CENTER_SEEN_S = 600,     /* for how long a repeat is known */
	CENTER_TIDY_MS = 5000,
	CENTER_FRESH_MAX = 1000, /* texts that wait for their journal */
};

/* An answer that waits for something to be durable. */
struct answer {
	struct answer *next;
	struct smpp_handle handle;
	uint8_t key[TEXT_KEY_SIZE]; /* of the submitted text it waits for */
};

struct answers {
	struct answer *head, **tail;
};

/* A text that came, before it goes to the texts. */
struct fresh {
	struct fresh *next;
	struct smpp_handle handle;
	uint8_t key[TEXT_KEY_SIZE];
	struct cig_addresses inner;
	char from[80], to[80];
	char text[];
};

/* A text put together, until it is stored and its parts are done with. */
struct whole {
	struct whole *next;
	uint8_t key[TEXT_KEY_SIZE];
	bool stored; /* or given up: a full disk did not take the end of its parts yet */
	size_t n;
	uint8_t parts[][JOURNAL_ID_BYTES];
};

/* A text whose receipt is awaited for a time; the earliest in front. */
struct awaited {
	struct awaited *next;
	uint8_t id[UMSG_ID_SIZE];
	int64_t until_ms;
};

/* A message center as a port. */
struct port_center {
	struct port_center *next;
	struct texts_smpp *all;
	const struct cig_message_center *config; /* of all->config, or of the one before */
	bool stays;                              /* when the configuration changes */
	char name[CENTER_NAME];
	char *signature; /* its options: equal ones need no new connection */
	struct text_port *port;
	struct smpp_center *center;
	struct smpp_reassembly *joining;
	struct answers kept;   /* receipts, until what they brought is durable */
	struct answers parts;  /* parts, until they are */
	struct answers stored; /* texts, until they are */
	struct fresh *fresh, **fresh_tail;
	size_t n_fresh;
	struct whole *whole;
	struct awaited *awaited, **awaited_tail;
	bool starting; /* a text was marked before its only submit */
};

struct texts_smpp {
	struct event_base *base;
	struct texts *texts;
	const struct cig_config *config; /* held */
	struct journal *journal;
	struct event *soon, *timer;
	struct port_center *centers;
	uint64_t run; /* tells this run's marks from another's */
	bool broken;  /* the journal could not be written, and that is logged */
};

/* ---- texts_smpp_out.c ------------------------------------------------------------ */
extern const struct text_port_ops center_ops;
/* What smpp/center.h told, for the texts' port; arg is the port_center. */
void center_event(void *arg, const struct smpp_center_event *event);
/* Counts as delivered what waits too long for its receipt. */
void center_tidy_awaited(struct port_center *pc, int64_t now_ms);

/* ---- texts_smpp_in.c ------------------------------------------------------------- */
void center_incoming(struct port_center *pc, const struct smpp_incoming *in);
void center_stored(void *arg, const uint8_t key[TEXT_KEY_SIZE]);
/* Nobody has it: the center is to send it again. */
void center_forgotten(void *arg, const uint8_t key[TEXT_KEY_SIZE]);
/* After the journal's sync: answers parts, passes texts on. */
void center_pass_on(struct port_center *pc);
/* Notes that a part is to be answered, under the key (NULL: none) of its text.  Returns 0 or
 * -ENOMEM. */
int answers_add(struct answers *answers, const struct smpp_handle *handle, const uint8_t *key);
/* Says yes to all parts of the list and empties it. */
void answers_send(struct port_center *pc, struct answers *answers);
/* Forgets what waits for its answer: the center sends it again. */
void center_free_incoming(struct port_center *pc);

/* ---- texts_smpp_keep.c ----------------------------------------------------------- */
int keep_open(struct texts_smpp *smpp, struct diag *diag);

/* The key of a text with this digest: that of the one before if it is a repeat of it, else
 * a new one, which is kept.  Returns 0 or -errno. */
int keep_seen(struct port_center *pc, const uint8_t digest[SMPP_KEY_SIZE], bool repeated,
	      uint8_t key_out[TEXT_KEY_SIZE]);

/* Is the part kept, of a text that is not whole yet or of one that was?  id_out is its name
 * in the journal. */
enum keep_found { KEEP_NONE, KEEP_OPEN, KEEP_DONE };
/* id_out is set in any case. */
enum keep_found keep_find_part(const struct port_center *pc, const struct smpp_incoming *in,
			       uint8_t id_out[JOURNAL_ID_BYTES]);

/* Keeps a part that is not.  Returns 0 or -errno. */
int keep_part(struct port_center *pc, const struct smpp_incoming *in);
/* Until when a repeat of the part is known: the same after a restart, and another one for the same
 * words at another time.  0: it is not kept. */
int64_t keep_part_end_s(const struct texts_smpp *smpp, const uint8_t id[JOURNAL_ID_BYTES]);
/* The n parts of a text are done with, all at once; false: the disk does not take it now. */
bool keep_parts_done(struct texts_smpp *smpp, const uint8_t (*parts)[JOURNAL_ID_BYTES], size_t n);

/* Gives a center what an earlier run has kept for it. */
void keep_restore(struct port_center *pc);

/* Forgets what is past its end, a little at a time; true: call it again soon. */
bool keep_tidy(struct texts_smpp *smpp);

/* Syncs if there is something to sync.  Returns 0 or -EIO. */
int keep_sync(struct texts_smpp *smpp);

#endif
