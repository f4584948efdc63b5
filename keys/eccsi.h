/* eccsi.h - ECCSI (RFC 6507) on P-256 with SHA-256: identity-based signatures.
 *
 * An identity is its identifier's octets (identity.h).  Points that arrive may be
 * compressed where a slice is taken; those inside signatures and keys are not
 * (65 octets).  Secrets are used in constant time.
 *
 * Threads: a struct eccsi is immutable once made.
 */
#ifndef KEYS_ECCSI_H
#define KEYS_ECCSI_H

#include "base/slice.h"

struct eccsi;

enum {
	ECCSI_SECRET = 32, /* KSAK, SSK: big-endian */
	ECCSI_POINT = 65,  /* 04, x, y */
	ECCSI_COMPRESSED = 33,
	ECCSI_HASH = 32,
	ECCSI_SIGNATURE = 129, /* r, s, PVT */
};

/* The group and its order, for any number of operations and threads.  NULL when memory is
 * out. */
struct eccsi *eccsi_new(void);
/* Frees *eccsip and sets it to NULL; *eccsip may be NULL. */
void eccsi_free(struct eccsi **eccsip);

/* Reads a point of 65 (04) or 33 (02, 03) octets into its long form.
 * Returns 0, -EINVAL when it is none on P-256, -ENOMEM. */
int eccsi_point_read(const struct eccsi *eccsi, struct slice octets, uint8_t out[ECCSI_POINT]);

/* A new KSAK and its KPAK = [KSAK]G (RFC 6507 4.2).  Returns 0, -EIO, -ENOMEM. */
int eccsi_generate(const struct eccsi *eccsi, uint8_t ksak_out[ECCSI_SECRET],
		   uint8_t kpak_out[ECCSI_POINT]);

/* KPAK of a KSAK.  Returns 0, -EINVAL (not from 1 to the order - 1), -ENOMEM. */
int eccsi_public(const struct eccsi *eccsi, const uint8_t ksak[ECCSI_SECRET],
		 uint8_t kpak_out[ECCSI_POINT]);

/* A new SSK and PVT for an identifier (RFC 6507 5.1.1).  v is the secret behind
 * PVT: NULL for a random one; tests give the RFC's.  Returns 0, -EINVAL, -EIO,
 * -ENOMEM. */
int eccsi_issue(const struct eccsi *eccsi, const uint8_t ksak[ECCSI_SECRET],
		struct slice identifier, const uint8_t *v, uint8_t ssk_out[ECCSI_SECRET],
		uint8_t pvt_out[ECCSI_POINT]);

/* A signer's key made ready; secret. */
struct eccsi_signer {
	uint8_t ssk[ECCSI_SECRET];
	uint8_t pvt[ECCSI_POINT];
	uint8_t hs[ECCSI_HASH]; /* hash(G || KPAK || ID || PVT) */
};

/* Checks that the key is the identifier's (RFC 6507 5.1.2) and fills signer_out.
 * Returns 0, -EKEYREJECTED (it is not; signer_out is wiped), -ENOMEM. */
int eccsi_signer_init(const struct eccsi *eccsi, const uint8_t kpak[ECCSI_POINT],
		      struct slice identifier, const uint8_t ssk[ECCSI_SECRET],
		      const uint8_t pvt[ECCSI_POINT], struct eccsi_signer *signer_out);

/* Signs (RFC 6507 5.2.1).  j is the ephemeral secret: NULL for a random one; tests
 * give the RFC's.  Returns 0, -EIO, -ENOMEM. */
int eccsi_sign(const struct eccsi *eccsi, const struct eccsi_signer *signer, struct slice message,
	       const uint8_t *j, uint8_t out[ECCSI_SIGNATURE]);

/* Verifies (RFC 6507 5.2.2), more strictly than the RFC: r must be below p, s from
 * 1 to the order - 1, PVT uncompressed and on the curve.
 * Returns 0, -EBADMSG, -ENOMEM. */
int eccsi_verify(const struct eccsi *eccsi, const uint8_t kpak[ECCSI_POINT],
		 struct slice identifier, struct slice message, struct slice signature);

#endif
