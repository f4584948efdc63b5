/* mikey.h - the MIKEY-SAKKE I_MESSAGE: one secret, sealed to an identity and
 * signed by another (RFC 3830, 6043, 6509; 3GPP TS 33.180 for ID scheme 2).
 *
 * Sending has two steps, because the extension's hash covers what is sealed
 * under the keys of the first:
 *
 *   mikey_begin()  -> keys (RAND, TGK); seal the offer or body under them
 *   mikey_finish() -> the message, with the hash, signed
 *
 * Receiving has three, of which only the last two cost time:
 *
 *   mikey_parse()       no cryptography, any input
 *   mikey_verify()      window, names, signature: nothing is decrypted before
 *   (the caller looks into its replay cache and checks the extension's hash)
 *   mikey_decapsulate() the keys
 *
 * Payloads: HDR (data type 26, PRF HMAC-SHA-256, no V bit), T (NTP-UTC), RAND,
 * IDRi, IDRr, IDRkmsi, IDRkmsr, SAKKE, general extension (type 255, 32 octets),
 * SIGN.  The signature covers every octet up to and including the two header
 * octets of SIGN.
 *
 * Threads: no call keeps state outside its arguments.
 */
#ifndef KEYS_MIKEY_H
#define KEYS_MIKEY_H

#include "base/slice.h"

struct domain;
struct period_keys;
struct mikey_draft;

enum {
	MIKEY_RAND = 16,
	MIKEY_TGK = 16,
	MIKEY_EXTENSION = 32,
	MIKEY_MAX = 1536 + 255 * 9, /* octets of a message; longer ones are refused */
	MIKEY_CALL_WINDOW_S = 300,
};

/* Why a message was refused: for our own log.  A peer hears one error for all
 * (mikey_error()). */
enum mikey_verdict {
	MIKEY_OK,
	MIKEY_MALFORMED,      /* not an I_MESSAGE as described above */
	MIKEY_TOO_OLD,        /* T before the window */
	MIKEY_TOO_NEW,        /* T after the window */
	MIKEY_WRONG_SENDER,   /* IDRi is not who sent it */
	MIKEY_WRONG_RECEIVER, /* IDRr is not we */
	MIKEY_WRONG_DOMAIN,   /* IDRkmsi, IDRkmsr or the ID scheme */
	MIKEY_WRONG_PERIOD,   /* our keys are not of the period of T */
	MIKEY_BAD_SIGNATURE,
	MIKEY_BAD_SAKKE, /* not sealed to this key */
	MIKEY_NO_MEMORY,
};

/* One word for a log line, without blanks. */
const char *mikey_verdict_name(enum mikey_verdict verdict);

/* 0 for MIKEY_OK, -ENOMEM for MIKEY_NO_MEMORY, -EBADMSG for every other. */
int mikey_error(enum mikey_verdict verdict);

/* What both sides have in the end: secret, to be wiped. */
struct mikey_keys {
	uint8_t rand[MIKEY_RAND];
	uint8_t tgk[MIKEY_TGK];
	uint32_t csb_id;
	uint8_t prf;  /* 0 HMAC-SHA-1, 1 HMAC-SHA-256 */
	uint8_t n_cs; /* crypto sessions, numbered from 1 */
};

/* Overwrites the secret that a message carried. */
void mikey_keys_wipe(struct mikey_keys *keys);

/* SRTP master key and salt of crypto session cs (RFC 3830 4.1.3).  Lengths up to
 * 64 octets; salt_len 14 for AES-CM, 12 for AES-GCM.  Returns 0 or -EINVAL,
 * -ENOMEM. */
int mikey_srtp_keys(const struct mikey_keys *keys, uint8_t cs, uint8_t *key_out, size_t key_len,
		    uint8_t *salt_out, size_t salt_len);

/* PRK = HKDF-Extract(RAND, TGK), from which the UMSG keys come (kdf_expand). */
int mikey_prk(const struct mikey_keys *keys, uint8_t prk_out[32]);

struct mikey_options {
	uint8_t n_cs; /* crypto sessions in the map; 0 for a message */
	/* Make another SSV when g^r or H begins with a zero octet: for receivers
	 * that drop it (1 in 128 of all messages). */
	bool avoid_leading_zeros;
	/* Seal the secret to the sender's own identity, too (general extension 6
	 * of TS 33.180), where the domain asks for it. */
	bool to_self;
};

/* Makes RAND and the secret and seals it to the identity `to` of to_domain in the
 * period of time_ms (wall time, UTC).  from must be the sender's keys of that
 * same time and able to sign; it is held until the draft is gone.  options may be
 * NULL (all zero).  Some 1 ms.
 * Returns 0, -EINVAL (to is no identity; from is of another period, or cannot
 * sign), -EIO (no randomness), -ENOMEM. */
int mikey_begin(struct period_keys *from, const struct domain *to_domain, struct slice to,
		int64_t time_ms, const struct mikey_options *options, struct mikey_keys *keys_out,
		struct mikey_draft **draft_out);

/* Signs and writes the message; frees the draft in any case.  extension may be
 * NULL: no payload then (other implementations' calls).  out holds MIKEY_MAX
 * octets.  Returns 0, -EIO, -ENOMEM. */
int mikey_finish(struct mikey_draft **draftp, const uint8_t *extension, uint8_t out[MIKEY_MAX],
		 size_t *len_out);

/* Frees *draftp, gives its keys back and sets it to NULL; *draftp may be NULL. */
void mikey_draft_free(struct mikey_draft **draftp);

/* A parsed message: slices of the input, which must outlive it.  Nothing in it is
 * verified until mikey_verify() says so. */
struct mikey_message {
	uint8_t prf;
	uint8_t n_cs;
	uint32_t csb_id;
	uint64_t ntp; /* T: 32.32 bits since 1900-01-01 */
	uint8_t rand[MIKEY_RAND];
	struct slice from, to;         /* IDRi, IDRr: URIs, or UIDs (roles 8, 9) */
	bool from_hashed, to_hashed;   /* UIDs? */
	struct slice from_kms, to_kms; /* IDRkmsi, IDRkmsr */
	uint8_t id_scheme;
	struct slice sakke;     /* 273 octets, or down to 258 (sakke_open) */
	struct slice to_self;   /* the same for the sender itself, or empty */
	struct slice extension; /* MIKEY_EXTENSION octets, or empty */
	struct slice signed_part;
	struct slice signature; /* 129 octets */
};

/* Returns 0 or -EBADMSG. */
int mikey_parse(struct slice octets, struct mikey_message *message_out);

/* T as wall time in seconds, and in milliseconds. */
int64_t mikey_time_s(const struct mikey_message *message);
/* NTP's fraction of a second becomes thousandths, rounded down. */
int64_t mikey_time_ms(const struct mikey_message *message);

/* What the receiver knows before it looks into the message. */
struct mikey_expect {
	struct slice from;                /* URI of the authenticated sender */
	const struct domain *from_domain; /* whose signatures it must make */
	int64_t now_s;
	int64_t past_s, future_s; /* T is accepted from now_s - past_s to now_s + future_s */
};

/* Checks the window, that the names are those expected and own's, that own is of
 * the period of T, and the signature.  own: keyset_hold(keyset,
 * domain_period(domain, mikey_time_s(message))). */
enum mikey_verdict mikey_verify(const struct mikey_message *message,
				const struct mikey_expect *expect, const struct period_keys *own);

/* Opens the secret; only after mikey_verify() said MIKEY_OK.  keys_out is wiped
 * on failure. */
enum mikey_verdict mikey_decapsulate(const struct mikey_message *message,
				     const struct period_keys *own, struct mikey_keys *keys_out);

/* The same for the sender's own copy (to_self): expect->from is the owner of own,
 * which is of the period of T, and the receiver is whoever it is. */
enum mikey_verdict mikey_verify_own(const struct mikey_message *message,
				    const struct mikey_expect *expect);
/* What a sender sealed to itself, opened by the keys of the same period. */
enum mikey_verdict mikey_decapsulate_own(const struct mikey_message *message,
					 const struct period_keys *own,
					 struct mikey_keys *keys_out);

#endif
