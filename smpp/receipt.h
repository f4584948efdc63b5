/* receipt.h - what a delivery receipt of a message center says, and of which message.
 *
 * A receipt is a deliver_sm (or data_sm) of type receipt in esm_class.  It names the
 * message in the parameter receipted_message_id, in its text ("id:... stat:...", SMPP
 * 3.4 Appendix B), or both.  Centers do not spell an id as they did in the response to
 * submit_sm: hexadecimal there and decimal here, with leading zeros or without, in
 * either case.  smpp_awaited finds the message by any of these spellings.
 */
#ifndef SMPP_RECEIPT_H
#define SMPP_RECEIPT_H

#include "base/slice.h"
#include "smpp/pdu.h"

/* message_state (5.2.28), and the words of the text. */
enum smpp_message_state {
	SMPP_STATE_NONE = 0, /* the receipt does not say */
	SMPP_STATE_ENROUTE = 1,
	SMPP_STATE_DELIVERED = 2,
	SMPP_STATE_EXPIRED = 3,
	SMPP_STATE_DELETED = 4,
	SMPP_STATE_UNDELIVERABLE = 5,
	SMPP_STATE_ACCEPTED = 6,
	SMPP_STATE_UNKNOWN = 7,
	SMPP_STATE_REJECTED = 8,
};

enum { SMPP_ERROR_TEXT = 17 };

struct smpp_receipt {
	char id[SMPP_ID_SIZE]; /* as it stands; "" when it has none */
	uint8_t state;         /* enum smpp_message_state, or another number of the center's */
	char error[SMPP_ERROR_TEXT]; /* the text's "err:", or the parameter's octets; or "" */
};

/* Is it a receipt at all? */
bool smpp_receipt_is(const struct smpp_pdu *pdu);

/* Reads one.  The parameters count before the text.  Returns 0, or -EBADMSG when neither
 * names a message. */
int smpp_receipt_read(const struct smpp_pdu *pdu, struct smpp_receipt *receipt_out);

/* "delivered", "undeliverable" ...; "unknown" for other numbers. */
const char *smpp_message_state_name(uint8_t state);

/* Nothing more will happen to the message. */
bool smpp_message_state_is_final(uint8_t state);

/* ---- the messages whose receipts are awaited ------------------------------------- */

/* One id of a message that a center has taken; it lives in its owner. */
struct smpp_awaited {
	struct smpp_awaited *next[3]; /* in the buckets of its three spellings */
	char id[SMPP_ID_SIZE];        /* as the response to submit_sm had it */
	char dest[SMPP_ADDRESS_SIZE]; /* to whom it went, as it was submitted */
	bool linked[3];
};

struct smpp_awaiting;

/* Returns NULL when memory is out. */
struct smpp_awaiting *smpp_awaiting_new(void);
/* The ids are their owners'. */
void smpp_awaiting_free(struct smpp_awaiting **awaitingp);

/* Links one; id and dest are set, the rest is zero. */
void smpp_awaiting_add(struct smpp_awaiting *awaiting, struct smpp_awaited *awaited);
/* Takes one out that was linked; it stays its owner's. */
void smpp_awaiting_remove(struct smpp_awaiting *awaiting, struct smpp_awaited *awaited);

/* The message that a receipt with this id is about, NULL when there is none.  An id that
 * is equal but for case and leading zeros counts first; else one that is the same number,
 * one of the two being hexadecimal, if from, the receipt's source address, is where the
 * message went (a plus before either does not count). */
struct smpp_awaited *smpp_awaiting_find(const struct smpp_awaiting *awaiting, const char *id,
					struct slice from);

/* How many there are. */
size_t smpp_awaiting_count(const struct smpp_awaiting *awaiting);

#endif
