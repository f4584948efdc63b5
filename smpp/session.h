/* session.h - one connection of an ESME to its message center, as a state machine
 * (SMPP 3.4, chapter 2 and 4).
 *
 * Octets and time go in; octets and events come out by callbacks.  No sockets, no
 * clock: the owner carries octets, calls smpp_session_tick() when
 * smpp_session_due_ms() says, and closes the connection at SMPP_ENDED.
 *
 * What the center asks (deliver_sm, data_sm) is answered only when the owner says so;
 * everything else (enquire_link, unbind, what is malformed) is answered here.
 *
 * Threads: none; callbacks may call any function of the session but smpp_session_free().
 */
#ifndef SMPP_SESSION_H
#define SMPP_SESSION_H

#include "smpp/pdu.h"

struct smpp_session;

enum smpp_role { SMPP_TRANSCEIVER, SMPP_TRANSMITTER, SMPP_RECEIVER };

/* All texts are copied.  Numbers of 0 take the default in brackets. */
struct smpp_session_options {
	enum smpp_role role;
	const char *system_id, *password; /* at most 15 and 8 octets (4.1.1) */
	const char *system_type;          /* at most 12 octets; may be NULL */
	uint8_t range_ton, range_npi;
	const char *address_range; /* at most 40 octets; may be NULL */
	unsigned window;           /* submits that await their response [10], at most 1000 */
	unsigned rate_per_s;       /* submits a second [no limit] */
	unsigned enquire_ms;       /* silence after which the link is tested [30,000] */
	unsigned response_ms;      /* for a response, and for the bind [10,000] */
};

enum smpp_session_state {
	SMPP_OPEN, /* connected, not bound */
	SMPP_BINDING,
	SMPP_BOUND,
	SMPP_UNBINDING, /* our unbind awaits its response */
	SMPP_CLOSED,
};

enum smpp_session_event_kind {
	SMPP_IS_BOUND,   /* submits may begin */
	SMPP_ANSWERED,   /* token, status, id: the center has answered a submit */
	SMPP_UNANSWERED, /* token: it has not, and will not on this connection */
	SMPP_DELIVERED,  /* pdu: a deliver_sm or data_sm; answer it by its sequence and command */
	SMPP_ROOM,       /* the window or the rate lets a submit pass again */
	SMPP_ODD,        /* text: what the center did against the protocol; for the log */
	SMPP_ENDED,      /* the last event: close the connection; reason, status, text */
};

enum smpp_end {
	SMPP_END_UNBOUND, /* by our unbind */
	SMPP_END_BY_PEER, /* the center sent unbind */
	SMPP_END_REFUSED, /* the bind was refused: status */
	SMPP_END_TIMEOUT, /* no response to a bind, submit or enquire_link: text */
	SMPP_END_BROKEN,  /* octets that cannot be cut into PDUs: text */
	SMPP_END_LOST,    /* smpp_session_lost() */
	SMPP_END_MEMORY,
};

struct smpp_session_event {
	enum smpp_session_event_kind kind;
	uint64_t token;
	uint32_t status;            /* SMPP_ANSWERED, SMPP_ENDED (refused) */
	struct slice id;            /* SMPP_ANSWERED: the message id; may be empty */
	const struct smpp_pdu *pdu; /* SMPP_DELIVERED: valid until the callback returns */
	enum smpp_end reason;
	const char *text; /* never NULL for SMPP_ODD and SMPP_ENDED */
};

struct smpp_session_ops {
	/* Octets for the center; to be copied. */
	void (*send)(void *arg, struct slice octets);
	void (*event)(void *arg, const struct smpp_session_event *event);
};

/* Returns 0, -EINVAL (a text that is too long), -ENOMEM. */
int smpp_session_new(const struct smpp_session_options *options, const struct smpp_session_ops *ops,
		     void *arg, struct smpp_session **session_out);
/* Without an event. */
void smpp_session_free(struct smpp_session **sessionp);

/* The connection is there: binds. */
void smpp_session_connected(struct smpp_session *session, int64_t now_ms);

/* Octets of the center, in any pieces. */
void smpp_session_input(struct smpp_session *session, struct slice octets, int64_t now_ms);

/* The connection is gone: what is unanswered is told, then SMPP_ENDED. */
void smpp_session_lost(struct smpp_session *session, const char *text);

/* When smpp_session_tick() is to be called at the latest, in ms of now_ms; -1: never. */
int64_t smpp_session_due_ms(const struct smpp_session *session);
/* Sends enquire_link when the center is silent, and ends the session when an answer is
 * overdue. */
void smpp_session_tick(struct smpp_session *session, int64_t now_ms);

/* Submits pdu; its command, status and sequence are set here.  token comes back with the
 * response.  Returns 0; -EAGAIN (window full, or the rate: SMPP_ROOM follows); -ENOTCONN
 * (not bound, or as a receiver); -EINVAL (a field too long), -EMSGSIZE. */
int smpp_session_submit(struct smpp_session *session, const struct smpp_pdu *pdu, uint64_t token,
			int64_t now_ms);

/* Answers a deliver_sm or data_sm. */
void smpp_session_answer(struct smpp_session *session, uint32_t command, uint32_t sequence,
			 uint32_t status);

/* Says goodbye; SMPP_ENDED follows, at the latest after response_ms. */
void smpp_session_unbind(struct smpp_session *session, int64_t now_ms);

/* As the last event told, or the call that changed it. */
enum smpp_session_state smpp_session_state(const struct smpp_session *session);

/* Submits that await their response. */
unsigned smpp_session_outstanding(const struct smpp_session *session);

#endif
