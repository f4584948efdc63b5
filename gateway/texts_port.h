/* texts_port.h - a port is a way by which texts leave and enter the gateway: a write
 * mailbox, a message center, SIP MESSAGE.
 *
 * Out.  A text from the secure side is journaled with one destination for each port
 * that matches it, and each destination has a durable state of its own: open, then
 * sent (the far side has it and will tell more), then delivered or failed.  So a crash
 * or an unreachable port delays that port alone and repeats nothing to the others.
 * A port is offered its texts in the order in which they came, and says how each ends.
 * The sender's Receipt goes out when the last destination has ended.  Texts of a port
 * that is not there (a block that was taken out of cig.conf) wait until their end.
 *
 * In.  A port hands a text with both addresses translated to texts_submit(), answers
 * its peer when `stored` (or `posted`) is called, and only then.
 *
 * Threads: the program's event loop.  Everything but texts_add_port() and
 * texts_remove_port() may be called from within the ops.
 */
#ifndef GATEWAY_TEXTS_PORT_H
#define GATEWAY_TEXTS_PORT_H

#include "gateway/cig_config.h"
#include "umsg/client.h"

struct text_port;
struct texts;

enum {
	TEXT_WHY_SIZE = 160,     /* a reason for people, one line of clean text, with its NUL */
	TEXT_NOTE_MAX = 20000,   /* octets of a note: 255 message ids of a center, and some */
	TEXT_KEY_SIZE = 16,      /* of a submitted text */
	TEXT_RETRY_MS = 2000,    /* after TEXT_WAIT and TEXT_LATER, unless told otherwise */
	TEXT_OFFERS_AT_ONCE = 16 /* of a port between two calls of flush() */
};

/* ---- out ------------------------------------------------------------------------- */

/* A text on offer; valid until offer() returns. */
struct text_offer {
	const uint8_t *id;         /* of the message, UMSG_ID_SIZE octets: the same at each offer */
	const char *from, *to;     /* as match() translated them when the text came */
	const char *sender;        /* not translated: "tel:+46701234567;1" ... */
	const char *receiver;      /* ... and "tel:+8888;101" */
	const char *sender_domain; /* name of the sender's security domain */
	int64_t sent_s, end_s;     /* UTC; it must not be delivered from end_s on */
	const Umsg__TextBody *body;
	const char *note; /* what text_port_keep() was told last for it; "" */
};

enum text_answer {
	TEXT_IN_HAND, /* text_port_delivered(), _failed(), _sent() or _later() follows, now or later
		       */
	TEXT_WAIT,    /* nothing goes now (not connected, window full): this one is the next again,
		       * after text_port_ready() or TEXT_RETRY_MS */
	TEXT_LATER, /* this one does not go now; others may, it is offered again after TEXT_RETRY_MS
		     */
	TEXT_NEVER, /* it can never be delivered there: why */
};

struct text_port_ops {
	/* Does it take a text with these addresses ("tel:+46701234567;1", "tel:+8888;101")?
	 * Returns 1 with the translated ones, or 0. */
	int (*match)(void *arg, const char *sender, const char *receiver,
		     struct cig_addresses *addresses_out);

	/* why is filled for all answers but TEXT_IN_HAND: `show message` prints it. */
	enum text_answer (*offer)(void *arg, const struct text_offer *offer,
				  char why[TEXT_WHY_SIZE]);

	/* The offers of this turn are over: what was collected may go out.  May be NULL. */
	void (*flush)(void *arg);

	/* What text_port_keep(), _sent(), _delivered() and _failed() were told before this
	 * turn is durable.  May be NULL. */
	void (*kept)(void *arg);

	/* At texts_add_port(): a text that an earlier run has sent, with its note.  May be
	 * NULL for ports that never call text_port_sent(). */
	void (*restored)(void *arg, const uint8_t id[UMSG_ID_SIZE], const char *note);

	/* A text in hand, or sent, is over (its end has come, or it was dropped): whatever
	 * is known of it is of no use any more.  May be NULL. */
	void (*forget)(void *arg, const uint8_t id[UMSG_ID_SIZE]);

	/* A submitted text is durable in the journal: it will reach the rendezvous, or its
	 * sender hears why not.  May be NULL. */
	void (*stored)(void *arg, const uint8_t key[TEXT_KEY_SIZE]);

	/* The rendezvous has a submitted text (refusal ""), or it can never have it.  Always
	 * after stored(); at most once for each text of this run.  Returns true when the peer
	 * still waits for its answer and so hears of the refusal; else it gets a notice, a
	 * text like any other.  May be NULL: it gets the notice. */
	bool (*posted)(void *arg, const uint8_t key[TEXT_KEY_SIZE], const char *refusal);

	/* A submitted text is forgotten before it was stored: under whose keys it goes could not
	 * be found out for as long as its peer can be kept waiting.  The peer is to try again;
	 * stored() and posted() do not follow.  May be NULL. */
	void (*forgotten)(void *arg, const uint8_t key[TEXT_KEY_SIZE]);
};

/* Makes or finds the port of that name.  name tells it apart from all others and from run
 * to run: the path of a mailbox, "smpp://user@host:port", "sip"; kind is "mailbox",
 * "center", "sip".  Both are copied.  Returns 0, -EEXIST (there is one), -E2BIG (more than
 * JOURNAL_MAX_DESTINATIONS) or -ENOMEM. */
int texts_add_port(struct texts *texts, const char *name, const char *kind,
		   const struct text_port_ops *ops, void *arg, struct text_port **port_out);

/* The port is gone; its texts wait for one of its name.  What is in hand counts as never
 * offered.  *portp becomes NULL and may be NULL. */
void texts_remove_port(struct text_port **portp);

/* There is room again, or a connection: offers follow in this turn of the loop. */
void text_port_ready(struct text_port *port);

/* What is wrong with the port as a whole, for the log (when it changes), `status` and
 * `show message`; "" when it is well.  A port that is not well is offered nothing until
 * text_port_ready() or TEXT_RETRY_MS. */
void text_port_trouble(struct text_port *port, const char *why);

/* Keeps a note with the destination of a text in hand, durable when kept() is called: such
 * as which parts went out, so that a crash repeats none.  Clean text, at most TEXT_NOTE_MAX
 * octets.  Returns 0, -ENOENT (no such text in hand), -E2BIG, or -errno of the journal. */
int text_port_keep(struct text_port *port, const uint8_t id[UMSG_ID_SIZE], const char *note);

/* The far side has the text and will tell what becomes of it (a delivery receipt): it is
 * not offered again, also after a restart; note as above.  At its end it counts as
 * delivered. */
int text_port_sent(struct text_port *port, const uint8_t id[UMSG_ID_SIZE], const char *note);

/* The end of a text in hand or sent. */
void text_port_delivered(struct text_port *port, const uint8_t id[UMSG_ID_SIZE]);
/* For good; why is for log and receipt. */
void text_port_failed(struct text_port *port, const uint8_t id[UMSG_ID_SIZE], const char *why);

/* A text in hand did not go: it is offered again, in its old place, after so many
 * milliseconds (0: with the next offers of the port). */
void text_port_later(struct text_port *port, const uint8_t id[UMSG_ID_SIZE], unsigned after_ms,
		     const char *why);

/* ---- in -------------------------------------------------------------------------- */

/* A text for the secure side.  Everything is copied. */
struct text_in {
	/* What tells this text from all others of the port, and a repeat of it from a new one:
	 * a hash of what the peer repeats, or random octets. */
	uint8_t key[TEXT_KEY_SIZE];
	const char *from, *to;  /* tel URIs, as cig_translate_inward() has them */
	const char *outer_from; /* the sender as the peer named it: who hears of a failure */
	const char *outer_to;
	const Umsg__TextBody *body; /* text, attachments, sent, auto_submitted; the rest is ours */
	int64_t end_s;              /* UTC; 0: as the domain has it */
	bool kept; /* the port has it durably, and nobody waits for an answer: never forgotten() */
};

/* Seals and journals it.  Returns
 *   0          stored() and posted() follow
 *   -EALREADY  a text with this key was stored before: answer as if it were now
 *   -EINVAL    it can never be sent (why)
 *   -EMSGSIZE  longer than a message may be
 *   -EAGAIN    not now: no keys, too many wait for the rendezvous, or the journal is full (why)
 * or -ENOMEM; why is filled for all but 0 and -EALREADY. */
int texts_submit(struct text_port *port, const struct text_in *in, char why[TEXT_WHY_SIZE]);

/* What a port keeps on disk cannot be written (said in the log): the program is to start anew, as
 * where the texts' own journal cannot. */
void texts_give_up(struct texts *texts);

/* Our own number, "tel:+8888", for cig_translate_inward(); "" while there are no keys. */
const char *texts_own_uri(const struct texts *texts);

#endif
