/* signed_hash.h - the 32 octets in an I_MESSAGE's extension, by which its signature
 * covers everything that is sealed under its keys.
 */
#ifndef UMSG_SIGNED_HASH_H
#define UMSG_SIGNED_HASH_H

#include "base/slice.h"

enum { SIGNED_HASH = 32, SIGNED_KIND_OFFER = 0 };

/* SHA-256(version 1, kind, id (16 octets), L(to), store_until, SHA-256(records)):
 * records are the sealed ones, one behind the other; for a call's offer kind is
 * SIGNED_KIND_OFFER, id the session's, store_until 0 and the sealed offer the one
 * record.  Returns 0 or -EIO. */
int signed_hash(uint8_t kind, const uint8_t id[16], struct slice to, uint64_t store_until,
		struct slice records, uint8_t out[SIGNED_HASH]);

#endif
