/* call_crypto.h - what the two ends of a call seal for each other, and the keys of
 * its media.  Source: docs/umsg.md "Calls", sealing.
 *
 * A call's secret comes with the I_MESSAGE of its invitation.  Every writer has a
 * channel of its own: the offer one, the initiator one, and each device that
 * responds one that depends on its answer_rand.
 *
 * Pure, but for the randomness of the invitation.
 */
#ifndef UMSG_CALL_CRYPTO_H
#define UMSG_CALL_CRYPTO_H

#include "base/slice.h"
#include "keys/identity.h"
#include "keys/keyset.h"
#include "keys/mikey.h"
#include "umsg/frame.h"

enum {
	CALL_TAG = 16, /* what sealing adds */
	CALL_KEY = 16,
	CALL_IV = 12,
	CALL_SRTP_KEY = 16,
	CALL_SRTP_SALT_MAX = 14,
};

/* Who writes; the values are those under the key derivation. */
enum call_writer { CALL_OFFER = 0, CALL_INITIATOR = 1, CALL_RESPONDER = 2 };

struct call_secret {
	uint8_t session_id[FRAME_ID];
	char initiator[IDENTITY_URI_MAX + 1];
	char responder[IDENTITY_URI_MAX + 1];
	struct mikey_keys keys;
	uint8_t prk[32];
};

/* Overwrites the secret of a call that is over. */
void call_secret_wipe(struct call_secret *secret);

/* ---- the invitation ---- */

struct call_invitation {
	uint8_t i_message[MIKEY_MAX];
	size_t i_message_n;
	uint8_t sealed[FRAME_SEALED_MAX]; /* the offer */
	size_t sealed_n;
};

/* Whom a call is for, and what it offers. */
struct call_wanted {
	const struct domain *domain; /* that of to */
	struct slice to;
	const uint8_t *session_id; /* FRAME_ID octets */
	struct slice offer;        /* the plain Offer */
	uint8_t n_streams;         /* in it */
	bool to_self;              /* the secret is sealed to the caller, too (mikey_options) */
};

/* Makes the secret of a call and the invitation to it.  Costs some 1 ms.
 * Returns 0, -EINVAL (to is no identity, or from cannot sign at now_ms), -EMSGSIZE (offer
 * too long), -EIO, -ENOMEM. */
int call_invite(struct period_keys *from, const struct call_wanted *wanted, int64_t now_ms,
		struct call_secret *secret_out, struct call_invitation *invitation_out);

/* The two steps of a callee.  First, without the own secret: the message is parsed,
 * its window, names, signature and hash checked.  own is of the period of T (see
 * mikey_verify).  *message_out points into i_message. */
enum mikey_verdict call_verify(struct slice i_message, const uint8_t session_id[FRAME_ID],
			       struct slice sealed_offer, const struct mikey_expect *expect,
			       const struct period_keys *own, struct mikey_message *message_out);

/* Then, when it is no repeat: the secret, and the plain offer in offer_out, which
 * holds sealed_offer.n octets; its length goes to *offer_n_out. */
enum mikey_verdict call_accept(const struct mikey_message *message,
			       const uint8_t session_id[FRAME_ID], struct slice sealed_offer,
			       const struct mikey_expect *expect, const struct period_keys *own,
			       struct call_secret *secret_out, uint8_t *offer_out,
			       size_t *offer_n_out);

/* ---- signals ---- */

struct call_channel {
	enum call_writer writer;
	uint8_t key[CALL_KEY], iv[CALL_IV];
	uint64_t next; /* counter to write, or the least that is still taken */
};

/* answer_rand is the responder's, and NULL for the others.  Returns 0 or -ENOMEM. */
int call_channel_init(const struct call_secret *secret, enum call_writer writer,
		      const uint8_t answer_rand[FRAME_ID], struct call_channel *channel_out);

/* Seals plain under the next counter for a frame of that type (the number of its
 * body); out holds plain.n + CALL_TAG octets.  Returns 0, -EOVERFLOW, -EIO. */
int call_seal(const struct call_secret *secret, struct call_channel *channel, uint8_t frame_type,
	      struct slice plain, uint8_t *out, uint64_t *counter_out);

/* Opens what came under counter; out holds sealed.n octets.  Counters must rise.
 * Returns 0, -EALREADY (an old counter), -EBADMSG, -EIO. */
int call_open(const struct call_secret *secret, struct call_channel *channel, uint8_t frame_type,
	      uint64_t counter, struct slice sealed, uint8_t *out, size_t *n_out);

/* ---- media ---- */

struct call_srtp {
	uint8_t key[CALL_SRTP_KEY];
	uint8_t salt[CALL_SRTP_SALT_MAX];
	size_t salt_n; /* 14, or 12 for AEAD */
};

/* Keys of stream (from 1) as the initiator sends it: MIKEY's for that crypto session.
 * Returns 0, -EINVAL, -ENOMEM. */
int call_srtp_initiator(const struct call_secret *secret, uint8_t stream, Umsg__SrtpProfile profile,
			struct call_srtp *srtp_out);

/* As the device with answer_rand sends it. */
int call_srtp_responder(const struct call_secret *secret, const uint8_t answer_rand[FRAME_ID],
			uint8_t stream, Umsg__SrtpProfile profile, struct call_srtp *srtp_out);

#endif
