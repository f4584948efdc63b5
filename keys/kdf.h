/* kdf.h - key derivation: HKDF with SHA-256 (RFC 5869) in the notation of the
 * UMSG protocol.
 *
 * Lists of values are written alike in an Expand's info, in additional data and
 * under hashes: integers big-endian with their width, octets and text as L(x),
 * a 2-octet length and x.
 */
#ifndef KEYS_KDF_H
#define KEYS_KDF_H

#include "base/slice.h"

struct buf;

enum { KDF_HASH = 32 }; /* octets of SHA-256, of a PRK and of the default key */

/* One value of a list. */
struct kdf_part {
	enum { KDF_OCTETS, KDF_RAW, KDF_INTEGER } kind;
	struct slice octets; /* written as L(x), KDF_RAW: as they are */
	uint64_t integer;
	size_t width; /* octets of the integer, 1 to 8 */
};

static inline struct kdf_part kdf_octets(struct slice s)
{
	return (struct kdf_part){ .kind = KDF_OCTETS, .octets = s };
}

static inline struct kdf_part kdf_text(const char *s)
{
	return kdf_octets(slice_str(s));
}

/* Octets of one fixed length, without L: ids and hashes where the protocol says so. */
static inline struct kdf_part kdf_raw(const void *p, size_t n)
{
	return (struct kdf_part){ .kind = KDF_RAW, .octets = slice_of(p, n) };
}

static inline struct kdf_part kdf_u8(uint8_t v)
{
	return (struct kdf_part){ .kind = KDF_INTEGER, .integer = v, .width = 1 };
}

static inline struct kdf_part kdf_u32(uint32_t v)
{
	return (struct kdf_part){ .kind = KDF_INTEGER, .integer = v, .width = 4 };
}

static inline struct kdf_part kdf_u64(uint64_t v)
{
	return (struct kdf_part){ .kind = KDF_INTEGER, .integer = v, .width = 8 };
}

/* Appends the parts to b (additional data, PSK identities, hashed lists). */
void kdf_write(struct buf *b, const struct kdf_part *parts, size_t n_parts);

/* prk = HKDF-Extract(salt, ikm); an empty salt is 32 zero octets.
 * Returns 0 or -ENOMEM. */
int kdf_extract(struct slice salt, struct slice ikm, uint8_t prk[KDF_HASH]);

/* HKDF-Expand(prk, label 00 parts..., outlen).  The info (label, its 00 and all
 * parts) holds at most 1,024 octets, outlen is at most 8,160.
 * Returns 0, -EMSGSIZE for more than that, or -ENOMEM. */
int kdf_expand(const uint8_t prk[KDF_HASH], const char *label, const struct kdf_part *parts,
	       size_t n_parts, uint8_t *out, size_t outlen);

/* HKDF(k, label, a, b, ...) of the protocol: Expand(Extract(empty salt, k),
 * label 00 parts...).  HKDF(k, label) has no parts.  Returns as kdf_expand. */
int kdf_hkdf(struct slice k, const char *label, const struct kdf_part *parts, size_t n_parts,
	     uint8_t *out, size_t outlen);

#endif
