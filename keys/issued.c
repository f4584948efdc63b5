/* issued.c - an identity's keys in their compact form, for letters and updates. */
#include "keys/issued.h"

#include <errno.h>

#include "keys/curve.h"
#include "keys/curves_priv.h"
#include "keys/secret.h"

/* 04, x, y with width octets a coordinate becomes 02 or 03, x. */
static bool compress(const uint8_t *point, size_t width, uint8_t *out)
{
	if (point[0] != 4)
		return false;
	out[0] = 2 | (point[2 * width] & 1);
	memcpy(out + 1, point + 1, width);
	return true;
}

/* Compressed, a month's keys fit a letter and an update's entry (docs/key-management.md). */
int issued_pack(const struct issued_keys *keys, uint8_t out[ISSUED_PACKED], size_t *len_out)
{
	uint8_t *rsk = keys->can_sign ? out + SSK_OCTETS + P256_COMPRESSED : out;

	if (keys->can_sign) {
		memcpy(out, keys->ssk, SSK_OCTETS);
		if (!compress(keys->pvt, 32, out + SSK_OCTETS))
			return -EINVAL;
	}
	if (!compress(keys->rsk, 128, rsk))
		return -EINVAL;
	*len_out = keys->can_sign ? ISSUED_PACKED : ISSUED_PACKED_RECEIVER;
	return 0;
}

static int unpack_signer(const struct curves *curves, struct slice packed, struct issued_keys *keys)
{
	keys->can_sign = true;
	memcpy(keys->ssk, packed.p, SSK_OCTETS);
	return eccsi_point_read(curves->eccsi, slice_of(packed.p + SSK_OCTETS, P256_COMPRESSED),
				keys->pvt);
}

/* Decompressing a point of SAKKE is a root, some 0.3 ms; it proves the point on the curve. */
int issued_unpack(const struct curves *curves, struct slice packed, struct issued_keys *keys_out)
{
	struct curve_point point;
	int err = 0;

	issued_wipe(keys_out);
	if (packed.n == ISSUED_PACKED)
		err = unpack_signer(curves, packed, keys_out);
	else if (packed.n != ISSUED_PACKED_RECEIVER)
		err = -EINVAL;
	if (!err)
		err = curve_read(&point, slice_from(packed, packed.n - SAKKE_COMPRESSED));
	if (!err)
		curve_write(&point, keys_out->rsk);
	wipe(&point, sizeof(point));
	if (err)
		issued_wipe(keys_out);
	return err;
}

void issued_wipe(struct issued_keys *keys)
{
	wipe(keys, sizeof(*keys));
}
