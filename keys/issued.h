/* issued.h - the secret keys that a key manager issues to one identity for one
 * period, as octets: made by master.h, carried in letters and updates, loaded by
 * keyset.h.
 */
#ifndef KEYS_ISSUED_H
#define KEYS_ISSUED_H

#include "base/slice.h"

struct curves;

enum {
	SSK_OCTETS = 32,
	PVT_OCTETS = 65,        /* 04, x, y on P-256 */
	RSK_OCTETS = 257,       /* 04, x, y on SAKKE's curve */
	P256_COMPRESSED = 33,   /* 02 or 03, x */
	SAKKE_COMPRESSED = 129, /* 02 or 03, x */

	ISSUED_PACKED = SSK_OCTETS + P256_COMPRESSED + SAKKE_COMPRESSED, /* 194 */
	ISSUED_PACKED_RECEIVER = SAKKE_COMPRESSED,
};

struct issued_keys {
	bool can_sign;           /* false for a channel: it has a receiver key only */
	uint8_t ssk[SSK_OCTETS]; /* secret signing key (RFC 6507) */
	uint8_t pvt[PVT_OCTETS]; /* public validation token */
	uint8_t rsk[RSK_OCTETS]; /* receiver secret key (RFC 6508) */
};

/* The compact form: SSK, PVT and RSK with their points compressed, or the RSK
 * alone where can_sign is false.  out holds ISSUED_PACKED octets.
 * Returns 0, or -EINVAL when the points are not of the form above. */
int issued_pack(const struct issued_keys *keys, uint8_t out[ISSUED_PACKED], size_t *len_out);

/* Reads the compact form and finds the points' y.  What it returns is on its
 * curve; whether it belongs to an identity only keyset_add() tells.
 * Returns 0, -EINVAL, or -ENOMEM; keys_out is wiped on failure. */
int issued_unpack(const struct curves *curves, struct slice packed, struct issued_keys *keys_out);

/* Overwrites the keys once they are sealed into a letter or an update. */
void issued_wipe(struct issued_keys *keys);

#endif
