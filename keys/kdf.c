/* kdf.c - HKDF (RFC 5869) and the notation in which all values are hashed and derived. */
#include "keys/kdf.h"

#include <errno.h>

#include "base/buf.h"
#include "keys/hmac.h"
#include "keys/secret.h"

/* Info is at most an account id, a URI and some numbers; RFC 5869 2.3 allows 255 blocks of
 * output. */
enum { INFO_MAX = 1024, EXPAND_MAX = 255 * KDF_HASH };

/* The notation of docs/key-management.md: octets and text behind their length, so that no
 * two lists of values give the same octets. */
void kdf_write(struct buf *b, const struct kdf_part *parts, size_t n_parts)
{
	for (size_t i = 0; i < n_parts; i++) {
		const struct kdf_part *part = &parts[i];

		switch (part->kind) {
		case KDF_OCTETS:
			buf_put_l16(b, part->octets);
			break;
		case KDF_RAW:
			buf_put_slice(b, part->octets);
			break;
		case KDF_INTEGER:
			for (size_t at = part->width; at-- > 0;)
				buf_put_u8(b, (uint8_t)(part->integer >> 8 * at));
			break;
		}
	}
}

/* RFC 5869 2.2: the salt is the key of the HMAC, an empty one the same as zeros. */
int kdf_extract(struct slice salt, struct slice ikm, uint8_t prk[KDF_HASH])
{
	return hmac(HMAC_HASH_SHA256, salt, ikm, prk);
}

/* T(i) = HMAC(prk, T(i-1) || info || i): block holds room for T in front of the info. */
static int expand(const uint8_t prk[KDF_HASH], uint8_t *block, size_t info_len, uint8_t *out,
		  size_t outlen)
{
	uint8_t t[KDF_HASH];
	int err = 0;

	for (size_t done = 0, i = 1; done < outlen; i++) {
		/* T(0) is empty (RFC 5869 2.3): the first block begins behind its room. */
		size_t skip = i == 1 ? KDF_HASH : 0;
		size_t n = outlen - done < KDF_HASH ? outlen - done : KDF_HASH;

		block[KDF_HASH + info_len] = (uint8_t)i;
		err = hmac(HMAC_HASH_SHA256, slice_of(prk, KDF_HASH),
			   slice_of(block + skip, KDF_HASH + info_len + 1 - skip), t);
		if (err)
			break;
		memcpy(block, t, KDF_HASH);
		memcpy(out + done, t, n);
		done += n;
	}
	wipe(t, sizeof(t));
	return err;
}

/* RFC 5869 2.3, with the label and its NUL in front of the info: what is derived for one
 * purpose is never what is derived for another. */
int kdf_expand(const uint8_t prk[KDF_HASH], const char *label, const struct kdf_part *parts,
	       size_t n_parts, uint8_t *out, size_t outlen)
{
	uint8_t block[KDF_HASH + INFO_MAX + 1];
	struct buf info = buf_over(block + KDF_HASH, INFO_MAX + 1);
	int err;

	buf_put(&info, label, strlen(label) + 1);
	kdf_write(&info, parts, n_parts);
	if (!buf_ok(&info) || outlen > EXPAND_MAX)
		return -EMSGSIZE;
	err = expand(prk, block, info.len, out, outlen);
	wipe(block, KDF_HASH + info.len + 1); /* what was written of it */
	return err;
}

int kdf_hkdf(struct slice k, const char *label, const struct kdf_part *parts, size_t n_parts,
	     uint8_t *out, size_t outlen)
{
	uint8_t prk[KDF_HASH];
	int err = kdf_extract(slice_of(NULL, 0), k, prk);

	if (!err)
		err = kdf_expand(prk, label, parts, n_parts, out, outlen);
	wipe(prk, sizeof(prk));
	return err;
}
