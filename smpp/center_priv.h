/* center_priv.h - what the files of center.h share.
 *
 *   center.c      life, connections and their pauses, the turn
 *   center_out.c  texts in hand and what the center answers
 *   center_in.c   what comes: texts, parts, receipts, repeats
 */
#ifndef SMPP_CENTER_PRIV_H
#define SMPP_CENTER_PRIV_H

#include <event2/event.h>

#include "base/idhash.h"
#include "base/idmap.h"
#include "smpp/center.h"
#include "smpp/note.h"

enum {
	MODULE_TEXT = 256,
	RECENT = 512,        /* what came last, and could be repeated */
	RECENT_MS = 30000,   /* before a connection was lost */
	SUSPECT_MS = 600000, /* for how long a repeat is reckoned with */
};

/* One of the center's one or two connections. */
struct center_link {
	struct smpp_center *center;
	enum smpp_role role;
	struct smpp_wire *wire;       /* NULL: waiting for the next attempt */
	struct smpp_session *session; /* lives as long as the wire */
	uint64_t connection;          /* of this session, different from all others */
	struct event *timer;
	size_t host;       /* which one is tried */
	unsigned failures; /* since one was bound and of use */
	int64_t retry_ms, bound_ms;
	bool useful; /* the session has carried something */
	bool ended;  /* the session's last event has come: free it when it returns */
	enum smpp_end reason;
	char why[SMPP_WHY_SIZE], peer[NET_TEXT_SIZE];
	char told[SMPP_WHY_SIZE]; /* the reason that the log has */
};

enum part_state { PART_WAITING, PART_SENT, PART_TAKEN };

/* What is to become of a text when nothing of it is on its way any more. */
enum job_fate { JOB_GOES_ON, JOB_REFUSED, JOB_LATER, JOB_LOST, JOB_FORGOTTEN };

/* A text in hand. */
struct job {
	struct job *next; /* in the order in which they came */
	uint32_t slot;
	uint8_t key[SMPP_KEY_SIZE];
	struct smpp_address from, to;
	enum smpp_alphabet alphabet;
	char validity[17];
	int64_t end_s; /* UTC; 0: none */
	uint16_t reference;
	uint8_t *octets; /* the encoded text */
	size_t n;
	struct smpp_cuts cuts;
	size_t first_waiting; /* no part before it is to be sent */
	size_t sent, taken;
	enum job_fate fate;
	char why[SMPP_WHY_SIZE];
	struct {
		enum part_state state;
		char id[SMPP_ID_SIZE];
	} * parts;
};

/* A text that the center has, until its receipts have come. */
struct waiting {
	struct idmap_node node; /* by key, mixed with the center's secret */
	uint8_t key[SMPP_KEY_SIZE];
	size_t n, left;
	struct waited_id {
		struct smpp_awaited awaited;
		struct waiting *of;
		bool open;
	} ids[];
};

struct held_receipt {
	struct smpp_receipt receipt;
	char from[SMPP_ADDRESS_SIZE + 1];
	struct smpp_handle handle;
	int64_t until_ms;
};

struct digest_at {
	uint8_t digest[SMPP_KEY_SIZE];
	int64_t ms;
};

struct digest_ring {
	struct digest_at list[RECENT];
	size_t n, next; /* n used; next is written to */
};

struct smpp_center {
	struct event_base *base;
	struct smpp_center_options options;
	char *texts[16]; /* copies that options point to */
	size_t n_texts;
	char hosts[SMPP_MAX_HOSTS][MODULE_TEXT];
	struct smpp_tls *tls;
	smpp_center_event_fn *event;
	void *arg;
	struct center_link links[2]; /* [0] submits; [1] only receives, of a pair */
	size_t n_links;
	uint64_t next_connection;
	bool was_up;
	int64_t since_ms;
	struct event *soon, *later; /* the turn, at once and when something is due */
	/* out */
	struct job *jobs, **jobs_tail;
	struct job **slots; /* by number, as the session's tokens have it */
	uint32_t max_jobs, n_jobs;
	uint16_t next_reference;
	int64_t paused_until_ms;
	bool wants_ready;
	/* in */
	struct idhash hash; /* of the keys in waiting */
	struct idmap waiting;
	struct smpp_awaiting *awaiting;
	struct held_receipt held[SMPP_HELD_RECEIPTS];
	size_t n_held;
	struct digest_ring recent, suspects;
	struct smpp_center_figures figures;
};

/* ---- center.c -------------------------------------------------------------------- */
void center_tell(struct smpp_center *center, const struct smpp_center_event *event);
/* The turn comes behind what is under way. */
void center_schedule(struct smpp_center *center);
/* Are all its connections bound? */
bool center_is_up(const struct smpp_center *center);

/* ---- center_out.c ---------------------------------------------------------------- */
/* Sends what may be sent, and ends the texts that are done with. */
void center_pump(struct smpp_center *center, int64_t now_ms);
/* A submit_sm_resp came: the part is taken, put back because of throttling, or refused. */
void center_answered(struct smpp_center *center, const struct smpp_session_event *event,
		     int64_t now_ms);
/* The connection was lost before an answer came.  Whether the part was taken nobody knows:
 * it is sent again, or its text given back where the options say so. */
void center_unanswered(struct smpp_center *center, uint64_t token, const char *why);
/* All at once, without telling anybody. */
void center_free_jobs(struct smpp_center *center);
/* When the pause is over; -1: there is none. */
int64_t center_pause_due(const struct smpp_center *center);

/* ---- center_in.c ----------------------------------------------------------------- */
void center_delivered(struct center_link *link, const struct smpp_pdu *pdu, int64_t now_ms);
/* Tries receipts again that came too early, and gives up on those that wait too long. */
void center_try_held(struct smpp_center *center, int64_t now_ms);
/* When the first held receipt is given up, in ms; -1: none is held. */
int64_t center_held_due(const struct smpp_center *center);
/* A connection was lost: what came on it last may be repeated. */
void center_lost(struct smpp_center *center, int64_t now_ms);
/* Returns whether a receipt is awaited now. */
bool center_await_note(struct smpp_center *center, const uint8_t key[SMPP_KEY_SIZE],
		       const struct smpp_note *note);
/* Forgets all receipts that are awaited. */
void center_free_waiting(struct smpp_center *center);
/* Forgets those of one text.  Returns whether there were any. */
bool center_forget_waiting(struct smpp_center *center, const uint8_t key[SMPP_KEY_SIZE]);

#endif
