/* session_priv.h - what the files of session.h share.
 *
 *   session.c     life, submits and time
 *   session_in.c  what the center sends
 */
#ifndef SMPP_SESSION_PRIV_H
#define SMPP_SESSION_PRIV_H

#include "smpp/session.h"

/* A submit on its way.  Slots are found by the sequence number's low bits, so a response
 * costs the same at any window and in any order. */
struct slot {
	uint64_t token;
	int64_t sent_ms;
	uint32_t sequence; /* 0: free */
};

struct smpp_session {
	struct smpp_session_options options;
	char system_id[16], password[9], system_type[13], range[41];
	const struct smpp_session_ops *ops;
	void *arg;
	enum smpp_session_state state;
	uint32_t next_sequence;
	uint32_t control_sequence; /* of our bind, enquire_link or unbind; 0: none */
	int64_t control_ms;        /* when it was sent */
	int64_t heard_ms;          /* the last octet of the center */
	struct slot *slots;
	uint32_t mask; /* slots - 1 */
	unsigned outstanding;
	uint32_t oldest;   /* the sequence from which on slots may be taken */
	int64_t credit_us; /* rate: the next submit may pass from then on */
	bool wants_room;   /* a submit was sent away */
	uint8_t *partial;  /* a PDU that has not come whole */
	size_t n_partial, room_partial;
	unsigned odd;
};

/* ---- session.c ------------------------------------------------------------------- */
void session_tell(struct smpp_session *s, const struct smpp_session_event *event);

/* Tells what the center did against the protocol, the first few times. */
void session_tell_odd(struct smpp_session *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The bind of the session's role. */
uint32_t session_bind_command(const struct smpp_session *s);

/* Tells what is unanswered, then SMPP_ENDED; once. */
void session_end(struct smpp_session *s, enum smpp_end reason, uint32_t status, const char *text);

/* Sends a response without a body, or with an empty one. */
void session_respond(struct smpp_session *s, uint32_t command, uint32_t sequence, uint32_t status);

/* Tells the answer to a submit.  Returns false when no submit has that sequence. */
bool session_take_answer(struct smpp_session *s, const struct smpp_pdu *pdu);

/* Tells SMPP_ROOM where a submit was sent away and may pass now. */
void session_offer_room(struct smpp_session *s, int64_t now_ms);

#endif
