/* account.h - what a user of an account proves itself with on the link: the
 * TLS pre-shared key and the identity that goes with it.
 *
 * The rendezvous and the key manager share the account's secret; a user only
 * gets what is derived from it, ready-made, in the letter.  Notation (HKDF, L)
 * and formats: docs/umsg.md "Link" and docs/key-management.md.
 *
 * The rendezvous takes a hello in three steps, the same for every identity, so
 * that neither time nor answer tells which accounts and users exist:
 *
 *	account_identity_parse(text, &identity);        (its result is not needed)
 *	secret = the secret of identity.account, or a decoy's;
 *	account_identity_open(&identity, secret, &hello);
 *	answer the handshake with hello.psk, good or random.
 */
#ifndef KEYS_ACCOUNT_H
#define KEYS_ACCOUNT_H

#include "base/slice.h"

enum {
	ACCOUNT_ID_MAX = 20,      /* CRS manual 5.4 "create account" */
	ACCOUNT_SECRET_MIN = 16,  /* octets of a base64 secret */
	ACCOUNT_SECRET_MAX = 256, /* octets; our limit */
	ACCOUNT_URI_MAX = 127,    /* octets of a URI in an identity; our limit */
	ACCOUNT_PSK_SIZE = 32,
	ACCOUNT_IDENTITY_MAX = 255, /* characters of an identity */
	ACCOUNT_SEALED_MAX = 192,
};

/* 1 to 20 of a-z A-Z 0-9 - _ (CRS manual 5.4). */
bool account_id_valid(struct slice id);

struct account_secret {
	uint8_t octets[ACCOUNT_SECRET_MAX];
	size_t n;
	bool stretched; /* from text by scrypt: warn the operator, a generated one is better */
};

/* Reads a secret as an administrator gives it.  Strict padded base64 of
 * ACCOUNT_SECRET_MIN octets and more is decoded; any other text, blanks and
 * all, is stretched: scrypt(text, "umsg" || account, N 32768, r 8, p 1, 32),
 * which takes some 60 ms and 32 MiB.  Returns 0, -EINVAL for an empty or too long
 * text or a bad account id, -ENOMEM.  The caller wipes. */
int account_secret_from_text(struct slice text, const char *account,
			     struct account_secret *secret_out);

/* Fills in 32 random octets: the decoy for accounts that do not exist. */
int account_secret_random(struct account_secret *secret_out);

/* Overwrites the secret; compilers may not leave this out. */
void account_secret_wipe(struct account_secret *secret);

/* HKDF(account secret, "umsg tls psk", uri, account, generation).  Returns 0,
 * -EINVAL for an empty or too long uri or a bad account id, or -ENOMEM. */
int account_psk(const struct account_secret *secret, struct slice uri, const char *account,
		uint32_t generation, uint8_t psk_out[ACCOUNT_PSK_SIZE]);

/* The identity of a user: base64url without padding of 1, the octet length of
 * the account id, the id and AES-128-SIV(K_id, L(uri) || generation).  The same
 * arguments give the same text.  Returns 0 or as account_psk(). */
int account_identity_make(const struct account_secret *secret, struct slice uri,
			  const char *account, uint32_t generation,
			  char text_out[ACCOUNT_IDENTITY_MAX + 1]);

enum account_identity_kind {
	ACCOUNT_IDENTITY_NONE,      /* malformed */
	ACCOUNT_IDENTITY_USER = 1,  /* 1, length, account id, sealed */
	ACCOUNT_IDENTITY_ADMIN = 2, /* 2, length, administrator's name */
	ACCOUNT_IDENTITY_LINK = 3,  /* 3, length, from, length, to: names of two servers */
};

struct account_identity {
	enum account_identity_kind kind;
	char account[ACCOUNT_ID_MAX + 1];   /* of a user; "" else */
	uint8_t sealed[ACCOUNT_SEALED_MAX]; /* of a user; a decoy in all others */
	size_t sealed_n;
	char from[ACCOUNT_URI_MAX + 1]; /* of a link, and an administrator's name */
	char to[ACCOUNT_URI_MAX + 1];   /* of a link */
};

/* Takes an identity apart; nothing in it is authenticated yet.  Names of
 * administrators and servers are 1 to ACCOUNT_URI_MAX printable ASCII characters
 * without blanks.  Returns 0 or -EINVAL; identity_out is then of kind NONE and
 * still good for account_identity_open(). */
int account_identity_parse(struct slice text, struct account_identity *identity_out);

/* What opened, and the key to go on with. */
struct account_hello {
	char account[ACCOUNT_ID_MAX + 1];
	char uri[ACCOUNT_URI_MAX + 1];
	uint32_t generation;
	uint8_t psk[ACCOUNT_PSK_SIZE];
};

/* Opens a user's identity under the account's secret and derives the key.
 * Returns 0; or -EACCES when it is not of a user or does not open: psk is then
 * random, the texts are empty, and the same work was done; or -ENOMEM.
 * The caller wipes hello_out. */
int account_identity_open(const struct account_identity *identity,
			  const struct account_secret *secret, struct account_hello *hello_out);

/* Overwrites what was derived for a hello, its keys too. */
void account_hello_wipe(struct account_hello *hello);

/* A remote administrator's identity: base64url without padding of 2, the length of the name, the
 * name; and the key: HKDF(secret, "umsg admin psk", name).  Return 0, -EINVAL for an empty
 * or too long name, or -ENOMEM. */
int account_admin_identity(struct slice name, char text_out[ACCOUNT_IDENTITY_MAX + 1]);
/* The key that goes with that identity. */
int account_admin_psk(const struct account_secret *secret, struct slice name,
		      uint8_t psk_out[ACCOUNT_PSK_SIZE]);

/* The key of a link between two servers: HKDF(secret, "umsg link", from, to).
 * Whoever takes a link checks that identity.to is its own name.  Returns 0,
 * -EINVAL for an empty or too long name, or -ENOMEM. */
int account_link_psk(const struct account_secret *secret, struct slice from, struct slice to,
		     uint8_t psk_out[ACCOUNT_PSK_SIZE]);

#endif
