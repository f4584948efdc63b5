/* base45.c - RFC 9285: two octets in three characters of a QR code's
 * alphanumeric set.
 */
#include "keys/letter_text.h"

#include <errno.h>

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

void base45_encode(struct slice in, char *out)
{
	for (size_t i = 0; i < in.n; i += 2) {
		bool two = i + 1 < in.n;
		unsigned v = two ? (unsigned)in.p[i] << 8 | in.p[i + 1] : in.p[i];

		*out++ = alphabet[v % 45];
		*out++ = alphabet[v / 45 % 45];
		if (two)
			*out++ = alphabet[v / 2025];
	}
	*out = '\0';
}

static int value_of(uint8_t c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

int base45_decode(struct slice in, uint8_t *out, size_t cap, size_t *len_out)
{
	size_t len = 0;

	if (in.n % 3 == 1)
		return -EINVAL;
	for (size_t i = 0; i < in.n; i += 3) {
		bool two = in.n - i >= 3;
		int c = value_of(in.p[i]), d = value_of(in.p[i + 1]);
		int e = two ? value_of(in.p[i + 2]) : 0;
		int v = c + 45 * d + 2025 * e;

		if (c < 0 || d < 0 || e < 0 || v > (two ? 0xffff : 0xff))
			return -EINVAL;
		if (cap - len < (two ? 2U : 1U))
			return -ENOBUFS;
		if (two)
			out[len++] = (uint8_t)(v >> 8);
		out[len++] = (uint8_t)v;
	}
	*len_out = len;
	return 0;
}
