/* idhash.h - 64-bit keys for base/idmap from 16-octet ids that strangers choose.
 *
 * Two multiplications under a secret that each process draws at its start: whoever does
 * not know it cannot choose ids that land in one bucket (Dietzfelbinger's multiply-shift,
 * on the two halves of an id).  Longer texts need rendezvous/keyhash.h's SipHash.
 */
#ifndef BASE_IDHASH_H
#define BASE_IDHASH_H

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <openssl/rand.h>

enum { IDHASH_ID_BYTES = 16 };

struct idhash {
	uint64_t secret[4];
};

/* Draws a secret.  Returns 0 or -EIO. */
static inline int idhash_init(struct idhash *hash)
{
	return RAND_bytes((unsigned char *)hash, sizeof(*hash)) == 1 ? 0 : -EIO;
}

/* The same for the same id and secret; salt tells tables of one owner apart. */
static inline uint64_t idhash_of(const struct idhash *hash, const uint8_t id[IDHASH_ID_BYTES],
				 uint64_t salt)
{
	uint64_t half[2];

	memcpy(half, id, sizeof(half));
	/* The odd factors are bijections; the sum's upper half depends on every bit. */
	half[0] = (half[0] + salt + hash->secret[0]) * (hash->secret[1] | 1);
	half[1] = (half[1] + hash->secret[2]) * (hash->secret[3] | 1);
	return (half[0] >> 32 | half[0] << 32) + half[1];
}

#endif
