/* letter.h - the initiation letter: what a new user or gateway is given by
 * hand, on paper or as a QR code, so that it can attach and fetch updates.
 *
 * A letter is octets ('L' 1, protobuf, 4 octets of SHA-256), at most
 * LETTER_OCTETS_MAX, optionally protected by a QR key that travels another way
 * (CMS manual, "User Initiation Letters").  Over paper it travels as numbered
 * lines of base64 with a checksum each, or base45 in the QR code.
 * Source: docs/key-management.md "Letters"; schema: keys/letter.proto.
 */
#ifndef KEYS_LETTER_H
#define KEYS_LETTER_H

#include "keys/account.h"
#include "keys/identity.h"
#include "keys/issued.h"

struct diag;

enum {
	LETTER_OCTETS_MAX = 1100,
	LETTER_TEXT_MAX = 4096,  /* characters of any text form, NUL included */
	LETTER_LINE_OCTETS = 24, /* octets in a full line of the text form */
	LETTER_QR_KEY_SIZE = 16,
	LETTER_QR_KEY_TEXT_SIZE = 40, /* 8 groups of 4 hexadecimal digits, NUL included */
	LETTER_MONTHS_MAX = 2,

	LETTER_ADDRESS_MAX = 255, /* octets of HOST:PORT */
	LETTER_DOMAIN_MAX = 64,   /* octets of a domain's name */
	LETTER_ENGINES_MIN = 3,   /* CMS manual, "Add a Gateway" */
	LETTER_ENGINES_MAX = 1000,

	UPDATE_KEY_SIZE = 32,
};

/* One month's keys of an identity, in the compact form of issued.h. */
struct month_keys {
	int64_t month;     /* period.h */
	uint32_t revision; /* with created: an update is newer if (revision, created) is higher */
	uint64_t created;  /* seconds, UTC */
	uint8_t packed[ISSUED_PACKED];
};

struct letter {
	char uri[IDENTITY_URI_MAX + 1];
	uint32_t generation;
	uint64_t created;                     /* seconds, UTC */
	char address[LETTER_ADDRESS_MAX + 1]; /* HOST:PORT of the rendezvous */
	char account[ACCOUNT_ID_MAX + 1];
	char tls_identity[ACCOUNT_IDENTITY_MAX + 1];
	uint8_t tls_key[ACCOUNT_PSK_SIZE];
	uint8_t update_key[UPDATE_KEY_SIZE];
	char domain[LETTER_DOMAIN_MAX + 1];
	uint8_t kpak[P256_COMPRESSED];
	uint8_t z[SAKKE_COMPRESSED];
	struct month_keys months[LETTER_MONTHS_MAX];
	size_t n_months;
	uint32_t engines;              /* of a gateway, >= 3; 0: a user */
	uint32_t max_message_lifetime; /* seconds; 0: none set */
};

/* Overwrites the letter with its keys. */
void letter_wipe(struct letter *letter);

/* Writes the plain form.  Returns 0, -EINVAL when something is missing or out of
 * its range, -EMSGSIZE when it or its protected form would exceed
 * LETTER_OCTETS_MAX, or -ENOMEM. */
int letter_encode(const struct letter *letter, uint8_t out[LETTER_OCTETS_MAX], size_t *len_out);

/* Reads a plain form whole.  Returns 0, or
 *   -EBADMSG          damaged or not a letter
 *   -EPROTONOSUPPORT  a version we do not know
 *   -ENOKEY           protected: letter_unprotect() it first
 *   -ENOMEM
 * with the reason in diag; letter_out is then wiped.  Only the form is checked:
 * that the keys belong to the identity is seen where they are loaded
 * (keystore_enrol(), keyset_add()). */
int letter_decode(struct slice octets, struct letter *letter_out, struct diag *diag);

/* Octets of the protected form of n octets. */
#define LETTER_PROTECTED_SIZE(n) (2 + 16 + ((n) / 16 + 1) * 16 + 32)

/* Is this the protected form? */
bool letter_is_protected(struct slice octets);

/* Seals a plain form under a QR key: 'T' 1, IV, AES-128-CBC, HMAC-SHA-256.
 * Returns 0, -EMSGSIZE or -ENOMEM. */
int letter_protect(struct slice plain, const uint8_t qr_key[LETTER_QR_KEY_SIZE],
		   uint8_t out[LETTER_OCTETS_MAX], size_t *len_out);

/* The plain form again.  The MAC is checked before anything is decrypted.
 * Returns 0, -EBADMSG (too short, not a letter), -EPROTONOSUPPORT, -EKEYREJECTED
 * (the MAC does not fit: the wrong key, or damage that nothing else caught). */
int letter_unprotect(struct slice sealed, const uint8_t qr_key[LETTER_QR_KEY_SIZE],
		     uint8_t out[LETTER_OCTETS_MAX], size_t *len_out, struct diag *diag);

/* The QR key for people: "0123 4567 ...".  Read back in either case, with
 * blanks and dashes anywhere; returns 0 or -EINVAL. */
void letter_qr_key_format(const uint8_t qr_key[LETTER_QR_KEY_SIZE],
			  char out[LETTER_QR_KEY_TEXT_SIZE]);
/* The counterpart; qr_key_out is written only on success. */
int letter_qr_key_parse(struct slice text, uint8_t qr_key_out[LETTER_QR_KEY_SIZE]);

#endif
