/* center.h - one message center: it stays connected and bound, submits texts and takes
 * what comes.
 *
 * Out: smpp_center_submit() takes a text in hand while there is room; it is written in the
 * narrowest alphabet, cut into parts, and submitted in order.  What an error means for the
 * text is a table of the protocol's, with rules of each center before it: a center that
 * throttles (ESME_RTHROTTLED, ESME_RMSGQFUL) pauses all of it.  What was unanswered when a
 * connection was lost is submitted again on the next one, or given back, as configured.
 *
 * In: texts, parts of texts and receipts are told, and answered to the center only by
 * smpp_center_answer(), when the owner has them durably.
 *
 * The queue is the owner's: the center has at most a window of texts in hand, so a center
 * that is down costs nothing per text that waits for it.  In hand is what moves: while the center
 * stays away texts are given back, and past its end a text goes nowhere.
 *
 * Threads: the event loop's.  Callbacks may call anything but smpp_center_free().
 */
#ifndef SMPP_CENTER_H
#define SMPP_CENTER_H

#include "base/net.h"
#include "smpp/address.h"
#include "smpp/receipt.h"
#include "smpp/segment.h"
#include "smpp/session.h"
#include "smpp/wire.h"

struct event_base;
struct smpp_center;

enum {
	SMPP_KEY_SIZE = 16,
	SMPP_WHY_SIZE = 160,
	SMPP_MAX_HOSTS = 8,
	SMPP_MAX_RULES = 32,    /* of statuses */
	SMPP_BACK_OFF_MS = 500, /* after the first lost connection; doubled with each */
	SMPP_MAX_BACK_OFF_MS = 60000,
	SMPP_REFUSED_MS = 30000, /* a refused bind is not asked for sooner again */
	SMPP_GIVE_BACK_MS = 10000, /* not bound: texts of which nothing has gone leave the hand */
	SMPP_HELD_RECEIPTS = 64, /* that came before the response which names their id */
	SMPP_HELD_MS = 5000,
};

/* What becomes of a text whose submit was answered with an error. */
enum smpp_fate {
	SMPP_FATE_PAUSE, /* everything waits for throttle_ms, then it is submitted again */
	SMPP_FATE_RETRY, /* SMPP_LATER; others go on */
	SMPP_FATE_FAIL,  /* SMPP_REFUSED */
};

struct smpp_status_rule {
	uint32_t status;
	enum smpp_fate fate;
};

struct smpp_host {
	const char *host;
	uint16_t port;
};

/* Copied, with all texts.  Numbers of 0 take the default in brackets. */
struct smpp_center_options {
	const char *name;                       /* in log lines */
	struct smpp_host hosts[SMPP_MAX_HOSTS]; /* tried one after the other */
	size_t n_hosts;
	struct smpp_session_options session; /* role: SMPP_TRANSCEIVER unless pair */
	bool pair;                           /* a transmitter and a receiver, two connections */
	struct net_addr from;                /* own address; len 0: any */
	bool tls;
	struct smpp_tls_files files;
	enum smpp_alphabet standard;   /* what data_coding 0 is here [GSM] */
	enum smpp_long_form long_form; /* [UDH8] */
	struct smpp_address_rule source, dest;
	const char *service_type; /* [""] */
	bool receipts;            /* ask for delivery receipts */
	bool validity;            /* tell the center when a text ends */
	bool give_back;           /* what is unanswered is not submitted again */
	unsigned throttle_ms;     /* of SMPP_FATE_PAUSE [1,000] */
	/* The first one of a status counts; for all others smpp_center_usual_fate(). */
	struct smpp_status_rule rules[SMPP_MAX_RULES];
	size_t n_rules;
};

/* A text to be submitted; valid until smpp_center_submit() returns. */
struct smpp_text {
	uint8_t key[SMPP_KEY_SIZE]; /* the owner's name for it */
	const char *from, *to;      /* as smpp/address.h reads them */
	const char *text;           /* UTF-8 */
	int64_t end_s;              /* UTC; 0: none */
	const char *note;           /* what SMPP_PROGRESS told last about it; "" */
};

enum smpp_center_event_kind {
	SMPP_STATE,    /* up, or not: why */
	SMPP_READY,    /* a submit that was sent away may be tried again */
	SMPP_PROGRESS, /* key, note: some parts have been taken; with that note a later submit
			* goes on behind them */
	SMPP_TAKEN,    /* key, note: the center has all of it; a receipt follows if asked for */
	SMPP_REFUSED,  /* key, why: never */
	SMPP_LATER,    /* key, why, up: it is out of hand; submit it again later, or, where the
			* center is not up, when it is */
	SMPP_LOST,     /* key, why: unanswered, and give_back is set */
	SMPP_RECEIPT,  /* key, delivered, why, handle: what became of it; the last about it */
	SMPP_INCOMING, /* incoming, handle */
};

/* For smpp_center_answer(): which request of which connection. */
struct smpp_handle {
	uint64_t connection;
	uint32_t command, sequence;
};

/* A text, or a part of one, that came. */
struct smpp_incoming {
	struct smpp_handle handle;
	char from[80], to[80];       /* as smpp/address.h writes them */
	struct smpp_part part;       /* content without its header */
	enum smpp_alphabet alphabet; /* of the content */
	/* Equal for what the center repeats; another text with the same words has it, too. */
	uint8_t digest[SMPP_KEY_SIZE];
	bool maybe_repeated; /* its like was under way when a connection was lost */
};

struct smpp_center_event {
	enum smpp_center_event_kind kind;
	const uint8_t *key;     /* SMPP_KEY_SIZE octets */
	const char *note, *why; /* never NULL where the kind has them */
	bool up, delivered;
	bool awaits; /* SMPP_TAKEN: a receipt is awaited, SMPP_RECEIPT follows */
	struct smpp_handle handle;
	const struct smpp_incoming *incoming; /* valid until the callback returns */
};

typedef void smpp_center_event_fn(void *arg, const struct smpp_center_event *event);

/* Begins to connect, and to connect again with growing pauses.  Returns 0, -EINVAL with
 * diag set (a text too long for its field, unreadable certificates), -ENOMEM. */
int smpp_center_new(struct event_base *base, const struct smpp_center_options *options,
		    smpp_center_event_fn *event, void *arg, struct smpp_center **center_out,
		    struct diag *diag);

/* Says goodbye (unbind, without waiting) and ends the connections for good.  What was
 * unanswered is told as after a lost connection: SMPP_LOST where give_back is set. */
void smpp_center_stop(struct smpp_center *center);

/* Stops where that was not done, and frees; no event comes. */
void smpp_center_free(struct smpp_center **centerp);

/* What SMPP 3.4 (5.1.3) means by a status, and nothing is known of vendors' own: they fail. */
enum smpp_fate smpp_center_usual_fate(uint32_t status);

/* Takes a text in hand.  Returns 0: SMPP_TAKEN, _REFUSED, _LATER or _LOST follows, unless
 * it is forgotten; -EAGAIN: not now (not bound, no room; SMPP_READY follows); -EINVAL: it
 * can never go there; or -ENOMEM.  why is filled for all but 0. */
int smpp_center_submit(struct smpp_center *center, const struct smpp_text *text,
		       char why[SMPP_WHY_SIZE]);

/* A text in hand, or one whose receipt is awaited, is of no interest any more. */
void smpp_center_forget(struct smpp_center *center, const uint8_t key[SMPP_KEY_SIZE]);

/* A receipt is awaited from an earlier run: note is that of SMPP_TAKEN, or what
 * SMPP_PROGRESS told last.  Returns 0, -EINVAL (not such a note) or -ENOMEM. */
int smpp_center_await(struct smpp_center *center, const uint8_t key[SMPP_KEY_SIZE],
		      const char *note);

/* Answers what came.  A connection that is gone is no error: the center will repeat it. */
void smpp_center_answer(struct smpp_center *center, const struct smpp_handle *handle,
			uint32_t status);

/* An incoming text with this digest may be repeated, until about ten minutes from now: for
 * those that an earlier run took last. */
void smpp_center_suspect(struct smpp_center *center, const uint8_t digest[SMPP_KEY_SIZE]);

struct smpp_center_figures {
	bool up;
	const char *state; /* "BOUND", "BINDING", "CONNECTING", "WAITING" */
	const char *why;   /* why it is not up; "" */
	const char *peer;  /* numeric address that it is, or was last, connected to; "" */
	int64_t since_ms;  /* monotonic: in this state */
	unsigned in_hand, outstanding, awaited;
	bool throttled;
	uint64_t submitted, taken, refused, throttles, unanswered; /* parts */
	uint64_t incoming, receipts, unknown_receipts, connections;
};
/* The texts in *out are valid until the center is next called. */
void smpp_center_figures(const struct smpp_center *center, struct smpp_center_figures *out);

#endif
