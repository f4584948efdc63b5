/* signed_hash.c - what the signature of an I_MESSAGE stands for besides itself
 * (docs/umsg.md): version, kind, id, receiver, end and a hash of the records, in
 * that order. */
#include "umsg/signed_hash.h"

#include <errno.h>

#include <openssl/sha.h>

#include "base/buf.h"

enum { VERSION = 1, ID = 16, LIST_MAX = 512 };

int signed_hash(uint8_t kind, const uint8_t id[16], struct slice to, uint64_t store_until,
		struct slice records, uint8_t out[SIGNED_HASH])
{
	uint8_t list[LIST_MAX], hash[SHA256_DIGEST_LENGTH];
	struct buf b = BUF_OF(list);

	if (!SHA256(records.p, records.n, hash))
		return -EIO;
	buf_put_u8(&b, VERSION);
	buf_put_u8(&b, kind);
	buf_put(&b, id, ID);
	buf_put_l16(&b, to);
	buf_put_u64(&b, store_until);
	buf_put(&b, hash, sizeof(hash));
	return buf_ok(&b) && SHA256(list, b.len, out) ? 0 : -EIO;
}
