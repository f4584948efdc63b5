/* message_crypto.h - sealing and opening the bodies of messages.
 *
 * A body is cut into records of FRAME_RECORD octets; the I_MESSAGE's signature covers
 * all of them.  Source: docs/umsg.md "Messages".
 *
 * Pure, but for the randomness of sealing.
 */
#ifndef UMSG_MESSAGE_CRYPTO_H
#define UMSG_MESSAGE_CRYPTO_H

#include "base/slice.h"
#include "keys/mikey.h"
#include "umsg/frame.h"
#include "umsg/signed_hash.h"

enum {
	MESSAGE_BODY_MAX = 32 << 20, /* octets of a body */
	MESSAGE_AHEAD_S = 300,       /* T may be so far ahead of the receiver's clock */
	MESSAGE_KEEP_AHEAD_S = 86400,
	MESSAGE_LIFETIME_S = 30 * 86400, /* where the receiver's domain sets none */
};

/* A sealed message: what its Post says. */
struct message_sealed {
	uint8_t id[FRAME_ID];
	Umsg__MessageKind kind;
	uint64_t store_until;
	uint8_t i_message[MIKEY_MAX];
	size_t i_message_n;
	uint8_t *records; /* malloc'd, all of them one behind the other */
	size_t records_n;
};

/* Frees the records of a sealed body. */
void message_sealed_done(struct message_sealed *sealed);

/* Octets of all sealed records of a body, and how many records there are. */
size_t message_records_size(size_t body_n);
/* The counterpart of message_records_size(): sealed octets to records. */
size_t message_records_count(size_t sealed_n);

/* Seals body (not empty) to `to`; id, kind and store_until of sealed are the caller's.
 * Costs some 1 ms.  Returns 0, -EINVAL (to is no identity, empty body, or from cannot
 * sign at now_ms), -EMSGSIZE, -EIO, -ENOMEM. */
int message_seal(struct period_keys *from, const struct domain *to_domain, struct slice to,
		 struct slice body, int64_t now_ms, bool to_self, struct message_sealed *sealed);

/* What came, all of it. */
struct message_envelope {
	struct slice from, to; /* bare, as the frame names them; to may be a channel */
	const uint8_t *id;
	Umsg__MessageKind kind;
	uint64_t store_until;
	struct slice i_message;
	struct slice records; /* all sealed ones */
};

enum message_verdict {
	MESSAGE_GOOD,
	MESSAGE_EARLY,     /* T is ahead of our clock: try again when due */
	MESSAGE_KEYLESS,   /* no keys of its month yet: try again after an update */
	MESSAGE_EXPIRED,   /* verified, but its end is past */
	MESSAGE_BAD,       /* not what its sender signed, or not for us: as undecryptable */
	MESSAGE_TRY_AGAIN, /* no memory */
};

/* What is known about a message once it is verified. */
struct message_facts {
	int64_t sent_s;              /* T */
	int64_t end_s;               /* not to be shown from then on, so far as known */
	uint8_t hash[SIGNED_HASH];   /* what was signed: tells a repeat from a conflict */
	enum mikey_verdict mikey;    /* why MESSAGE_BAD, for the log */
	struct mikey_message parsed; /* points into the envelope */
};

/* First step: everything but decryption.  from_domain is whose signature it must bear;
 * own are the receiver's keys of the period of T, or NULL when there are none (to_come:
 * because T is later than the newest ones); max_lifetime_s 0: MESSAGE_LIFETIME_S.
 * For MESSAGE_EARLY only facts_out->sent_s is set (and not verified). */
enum message_verdict message_verify(const struct message_envelope *envelope,
				    const struct domain *from_domain, const struct period_keys *own,
				    bool to_come, uint32_t max_lifetime_s, int64_t now_s,
				    struct message_facts *facts_out);

/* Second step, for MESSAGE_GOOD that is no repeat: the body, malloc'd, the caller
 * frees.  The sealed lifetime is the body's own: see message_end(). */
enum message_verdict message_open(const struct message_envelope *envelope,
				  const struct message_facts *facts, const struct period_keys *own,
				  uint8_t **body_out, size_t *body_n_out);

/* The earlier of two ends; 0 is none. */
int64_t message_end(int64_t a, int64_t b);

/* The time T of an I_MESSAGE, to choose the keys with, or -1. */
int64_t message_time_s(struct slice i_message);

#endif
