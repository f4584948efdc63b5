/* mikey_srtp.c - MIKEY's own key derivation (RFC 3830 4.1.2, 4.1.3). */
#include "keys/mikey_priv.h"

#include <errno.h>

#include "base/buf.h"
#include "keys/hmac.h"
#include "keys/secret.h"

enum {
	LABEL = 4 + 1 + 4 + MIKEY_RAND,
	OUT_MAX = 64,
};

/* The constants of RFC 3830 4.1.3 for the TEK and the salting key. */
static const uint32_t traffic_key = 0x2AD01C64, salt = 0x39A2C14B;

/* P(s, label): A_0 = label, A_i = HMAC(s, A_(i-1)), output HMAC(s, A_i || label).
 * TGK is one block of at most 256 bits, so that no splitting and xor is needed. */
static int expand(enum hmac_hash kind, const struct mikey_keys *keys, const uint8_t label[LABEL],
		  uint8_t *out, size_t n)
{
	struct slice key = slice_of(keys->tgk, MIKEY_TGK);
	uint8_t a[HMAC_SIZE_MAX + LABEL], block[HMAC_SIZE_MAX];
	size_t hash = hmac_size(kind);
	size_t a_len = LABEL;
	int err = 0;

	memcpy(a, label, LABEL);
	for (size_t done = 0; done < n && !err; done += hash) {
		size_t take = n - done < hash ? n - done : hash;

		err = hmac(kind, key, slice_of(a, a_len), block);
		memcpy(a, block, hash);
		a_len = hash;
		memcpy(a + hash, label, LABEL);
		if (!err)
			err = hmac(kind, key, slice_of(a, hash + LABEL), block);
		if (!err)
			memcpy(out + done, block, take);
	}
	wipe(a, sizeof(a));
	wipe(block, sizeof(block));
	return err;
}

static int derive(const struct mikey_keys *keys, uint32_t constant, uint8_t cs, uint8_t *out,
		  size_t n)
{
	uint8_t label[LABEL + 1];
	struct buf b = BUF_OF(label);

	buf_put_u32(&b, constant);
	buf_put_u8(&b, cs);
	buf_put_u32(&b, keys->csb_id);
	buf_put(&b, keys->rand, MIKEY_RAND);
	return expand(keys->prf == MIKEY_PRF_SHA256 ? HMAC_HASH_SHA256 : HMAC_HASH_SHA1, keys,
		      label, out, n);
}

int mikey_srtp_keys(const struct mikey_keys *keys, uint8_t cs, uint8_t *key_out, size_t key_len,
		    uint8_t *salt_out, size_t salt_len)
{
	int err;

	if (key_len > OUT_MAX || salt_len > OUT_MAX)
		return -EINVAL;
	err = derive(keys, traffic_key, cs, key_out, key_len);
	if (!err)
		err = derive(keys, salt, cs, salt_out, salt_len);
	return err;
}
