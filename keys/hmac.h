/* hmac.h - HMAC (RFC 2104) with SHA-256 or SHA-1, for the derivation of keys.
 *
 * OpenSSL's own looks its parts up by name each time, which takes four times as long as
 * hashing what a derivation hashes; a call derives some twenty values.
 */
#ifndef KEYS_HMAC_H
#define KEYS_HMAC_H

#include "base/slice.h"

enum hmac_hash { HMAC_HASH_SHA256, HMAC_HASH_SHA1 };

enum { HMAC_SIZE_MAX = 32 };

/* Octets of the result: 32 or 20. */
size_t hmac_size(enum hmac_hash hash);

/* out receives hmac_size(hash) octets; it may lie where data does.  Key and data may be of any
 * length.  Returns 0 or -ENOMEM (the library's memory, or the hash is not there). */
int hmac(enum hmac_hash hash, struct slice key, struct slice data, uint8_t *out);

#endif
