/* session_seen.h - a session towards a message center, with time and octets by hand: what came
 * out of it, and what a center says.
 *
 * Include tests/unit.h before it: what must not happen fails the test.
 */
#ifndef TESTS_SMPP_SESSION_SEEN_H
#define TESTS_SMPP_SESSION_SEEN_H

#include "smpp/session.h"

/* What came out of a session: the PDUs, and the events as words. */
struct seen {
	struct smpp_session *session;
	uint8_t out[1 << 18];
	size_t n, read;
	char events[4096];
	uint64_t tokens[64];
	unsigned n_tokens;
	uint32_t deliver_sequence;
	uint32_t ended_status;
	enum smpp_end reason;
};

/* What notes it down, with the struct seen as its argument. */
extern const struct smpp_session_ops seen_ops;

/* A session with these options, not connected yet; ended by seen_finish(). */
struct seen *seen_start(struct smpp_session_options options);

/* Options that every center would take. */
struct smpp_session_options seen_usual(void);

/* Frees the session, and seen. */
void seen_finish(struct seen *seen);

/* The next PDU that was sent, valid until the next call; command 0 when there is none. */
struct smpp_pdu seen_sent(struct seen *seen);

/* A PDU arrives. */
void seen_come(struct seen *seen, const struct smpp_pdu *pdu, int64_t now_ms);

/* The response to a command arrives; id is its message id. */
void seen_respond(struct seen *seen, uint32_t command, uint32_t sequence, uint32_t status,
		  const char *id, int64_t now_ms);

/* A session that is bound at time 0. */
struct seen *seen_bound(struct smpp_session_options options);

/* Submits a short text; returns what smpp_session_submit() does. */
int seen_submit(struct seen *seen, uint64_t token, int64_t now_ms);

#endif
